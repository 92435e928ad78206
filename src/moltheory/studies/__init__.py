"""Source papers as multi-objective problems: closed forms, training experiments, fronts and findings.

Metrics of neural collapse (`variability`, `alignment`, `imbalance`, `numerical_rank`, ...) and the deep
unconstrained-features model, which several studies share, are loaded when first asked for.
"""

from moltheory.studies._base import Study, run_study
from moltheory.studies._catalog import get_study, study_names
from moltheory.studies._claims import Claim
from moltheory.studies._workings import lazy_names

__all__ = ["Claim", "Study", "get_study", "run_study", "study_names"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_collapse": "alignment class_means etf_deviation imbalance mean_condition_number numerical_rank variability",
        "_deep_features": "DeepFeatures Layers descend polish",
        "_torch": "TorchMissingError",
    },
)
