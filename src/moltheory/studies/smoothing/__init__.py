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
        "_counterexamples": "ball_example counterexamples interval_probability",
        "_counting": "SmoothedPredictions certified_votes upper_other",
        "_designs": "Design center_and_scale designs_for",
        "_dimension_limits": "approximate_radius check_design largest_radius smallest_ratio",
        "_distances": "image_distances",
        "_experiment": "ChosenImages chosen_images smoothed_sweep",
        "_network": "Network network_of shared_votes train_network",
        "_noise_scale": "ConstantSigma NeighborSigma Sigma neighbor_distances",
        "_noncentral": "noncentral_quantile noncentral_tails",
        "_points": "certified_accuracy class_accuracies class_deviation design_certificate design_losses "
        "design_objectives design_points fair_certificate open_designs",
        "_residual": "Residual residual_votes train_residual",
        "_result": "Budget SmoothedSweep",
        "_tables": "approximation_table curse_table half_spaces simulated_certificates",
        "_waterfall": "ceiling_of paired_table waterfall_table",
    },
)
