"""Networks that end in linear layers: weight decay balances them, and balance and training error bound collapse."""

from moltheory.studies.weight_decay._balanced import (
    balance_gap,
    balanced_chain,
    cosine_floor,
    decayed_gap,
    gap_after_step,
    interpolating_features,
    momentum_rate,
    row_condition_number,
)
from moltheory.studies.weight_decay._certified import operator_norm_variant, variability_bound
from moltheory.studies.weight_decay._digits import DigitsSplit, digits_split
from moltheory.studies.weight_decay._networks import LinearEndNetwork, one_hot_targets
from moltheory.studies.weight_decay._points import (
    certified_front,
    five_objectives,
    networks_by_setting,
    own_weights,
    rank_correlation,
    rank_correlations,
)
from moltheory.studies.weight_decay._study import WeightDecay, WeightDecayResult, balance_rates
from moltheory.studies.weight_decay._sweep import DecaySweep, decay_sweep, measured, network_at

__all__ = [
    "DecaySweep",
    "DigitsSplit",
    "LinearEndNetwork",
    "WeightDecay",
    "WeightDecayResult",
    "balance_gap",
    "balance_rates",
    "balanced_chain",
    "certified_front",
    "cosine_floor",
    "decay_sweep",
    "decayed_gap",
    "digits_split",
    "five_objectives",
    "gap_after_step",
    "interpolating_features",
    "measured",
    "momentum_rate",
    "network_at",
    "networks_by_setting",
    "one_hot_targets",
    "operator_norm_variant",
    "own_weights",
    "rank_correlation",
    "rank_correlations",
    "row_condition_number",
    "variability_bound",
]
