"""Deep unconstrained features with two classes: the closed-form optimum, its jump, and a front that weights miss."""

from moltheory.studies.unconstrained_features._budgets import budget_sweep, fit_within
from moltheory.studies.unconstrained_features._configurations import separated_layers
from moltheory.studies.unconstrained_features._reduced import ReducedLoss, least_norm_product
from moltheory.studies.unconstrained_features._study import UnconstrainedFeatures, UnconstrainedResult, reach_of_front
from moltheory.studies.unconstrained_features._trade_off import (
    MissedPart,
    collapsed_fit,
    front_norms,
    front_objectives,
    missed_part,
    returned_points,
    scale_grid,
    separated_front,
)
from moltheory.studies.unconstrained_features._trained import network_objectives, unit_loss
from moltheory.studies.unconstrained_features._training import model_at, norm_spread, training_sweep

__all__ = [
    "MissedPart",
    "ReducedLoss",
    "UnconstrainedFeatures",
    "UnconstrainedResult",
    "budget_sweep",
    "collapsed_fit",
    "fit_within",
    "front_norms",
    "front_objectives",
    "least_norm_product",
    "missed_part",
    "model_at",
    "network_objectives",
    "norm_spread",
    "reach_of_front",
    "returned_points",
    "scale_grid",
    "separated_front",
    "separated_layers",
    "training_sweep",
    "unit_loss",
]
