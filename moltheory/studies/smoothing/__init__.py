"""Input-dependent randomized smoothing: certificates, any classifier smoothed, and the front of designs."""

from moltheory.studies.smoothing._certificates import certifiable_probability, certified_radius, worst_probability
from moltheory.studies.smoothing._checks import half_spaces, simulated_certificates
from moltheory.studies.smoothing._counting import SmoothedPredictions, certified_votes, upper_other
from moltheory.studies.smoothing._curves import certified_accuracy, class_accuracies, class_deviation
from moltheory.studies.smoothing._digits import DigitsSplit, Network, digits_split, train_network
from moltheory.studies.smoothing._dimension_limits import (
    approximate_radius,
    check_design,
    largest_radius,
    smallest_ratio,
)
from moltheory.studies.smoothing._noise_scale import ConstantSigma, NeighborSigma, Sigma, neighbor_distances
from moltheory.studies.smoothing._noncentral import noncentral_quantile, noncentral_tails
from moltheory.studies.smoothing._points import (
    design_certificate,
    design_losses,
    design_objectives,
    design_points,
    fair_certificate,
    open_designs,
)
from moltheory.studies.smoothing._smoothed_classifier import SmoothedClassifier
from moltheory.studies.smoothing._study import Smoothing, SmoothingResult, approximation_table, curse_table
from moltheory.studies.smoothing._sweep import Budget, Design, SmoothedSweep, smoothed_sweep

__all__ = [
    "Budget",
    "ConstantSigma",
    "Design",
    "DigitsSplit",
    "NeighborSigma",
    "Network",
    "Sigma",
    "SmoothedClassifier",
    "SmoothedPredictions",
    "SmoothedSweep",
    "Smoothing",
    "SmoothingResult",
    "approximate_radius",
    "approximation_table",
    "certifiable_probability",
    "certified_accuracy",
    "certified_radius",
    "certified_votes",
    "check_design",
    "class_accuracies",
    "class_deviation",
    "curse_table",
    "design_certificate",
    "design_losses",
    "design_objectives",
    "design_points",
    "digits_split",
    "fair_certificate",
    "half_spaces",
    "largest_radius",
    "neighbor_distances",
    "noncentral_quantile",
    "noncentral_tails",
    "open_designs",
    "simulated_certificates",
    "smallest_ratio",
    "smoothed_sweep",
    "train_network",
    "upper_other",
    "worst_probability",
]
