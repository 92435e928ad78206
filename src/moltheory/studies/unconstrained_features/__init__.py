"""Deep unconstrained features with two classes: the closed-form optimum, its jump, and a front that weights miss.

Further names are the workings of the study; they are loaded when first asked for and may change.
"""

from moltheory.studies._workings import lazy_names
from moltheory.studies.unconstrained_features._model import ReducedLoss, separated_layers
from moltheory.studies.unconstrained_features._result import UnconstrainedResult
from moltheory.studies.unconstrained_features._study import UnconstrainedFeatures

__all__ = ["ReducedLoss", "UnconstrainedFeatures", "UnconstrainedResult", "separated_layers"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_model": "collapsed_fit least_norm_product",
        "_experiment": "budget_sweep fit_within model_at norm_spread training_sweep",
        "_trade_off": "MissedPart front_norms front_objectives missed_part network_objectives reach_of_front "
        "returned_points scale_grid separated_front unit_loss",
        "_explicit": "explicit_optima",
        "_widths": "success_shares width_sweep",
        "_two_classes": "TwoClasses nearest_classes two_classes",
        "_networks": "Recipe fitted_row network_sweep",
        "_certified": "certified_networks",
    },
)
