"""Input-dependent randomized smoothing: certificates, any classifier smoothed, and the front of designs.

Further names are the workings of the study, loaded when asked for; they may change.
"""

from moltheory.studies._workings import lazy_names
from moltheory.studies.smoothing._certificates import certified_radius
from moltheory.studies.smoothing._result import SmoothingResult
from moltheory.studies.smoothing._smoothed_classifier import SmoothedClassifier
from moltheory.studies.smoothing._study import Smoothing

__all__ = ["SmoothedClassifier", "Smoothing", "SmoothingResult", "certified_radius"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_certificates": "certifiable_probability worst_probability",
        "_counting": "SmoothedPredictions certified_votes upper_other",
        "_dimension_limits": "approximate_radius check_design largest_radius smallest_ratio",
        "_experiment": "DigitsSplit Network digits_split smoothed_sweep train_network",
        "_noise_scale": "ConstantSigma NeighborSigma Sigma neighbor_distances",
        "_noncentral": "noncentral_quantile noncentral_tails",
        "_points": "certified_accuracy class_accuracies class_deviation design_certificate design_losses "
        "design_objectives design_points fair_certificate open_designs",
        "_result": "Budget Design SmoothedSweep",
        "_tables": "approximation_table curse_table half_spaces simulated_certificates",
    },
)
