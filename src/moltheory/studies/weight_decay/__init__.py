"""Networks that end in linear layers: weight decay balances them, and balance and training error bound collapse.

Further names are the workings of the study; they are loaded when first asked for and may change.
"""

from moltheory.studies._workings import lazy_names
from moltheory.studies.weight_decay._model import balanced_chain, variability_bound
from moltheory.studies.weight_decay._result import WeightDecayResult
from moltheory.studies.weight_decay._study import WeightDecay

__all__ = ["WeightDecay", "WeightDecayResult", "balanced_chain", "variability_bound"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_model": "balance_gap cosine_floor decayed_gap gap_after_step interpolating_features momentum_rate "
        "operator_norm_variant row_condition_number",
        "_columns": "DigitsSplit ImageColumns digits_split image_columns",
        "_conditioning": "condition_ceiling conditioning_bound norm_excess stable_curvature",
        "_exact": "ExactChecks exact_checks",
        "_networks": "LinearEndNetwork one_hot_targets",
        "_experiment": "Cell Plan decay_sweep measured network_at train_block",
        "_points": "balance_rates certified_front five_objectives networks_by_setting own_weights rank_correlation "
        "rank_correlations",
        "_result": "DecaySweep",
    },
)
