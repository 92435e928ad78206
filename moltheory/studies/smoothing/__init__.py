"""Input-dependent randomized smoothing: certificates, any classifier smoothed, and the front of designs."""

from moltheory.studies.smoothing.certificates import certifiable_probability, certified_radius, worst_probability
from moltheory.studies.smoothing.checks import half_spaces, simulated_certificates
from moltheory.studies.smoothing.counting import SmoothedPredictions, certified_votes, upper_other
from moltheory.studies.smoothing.curse import approximate_radius, check_design, largest_radius, smallest_ratio
from moltheory.studies.smoothing.curves import certified_accuracy, class_accuracies, class_deviation
from moltheory.studies.smoothing.digits import DigitsSplit, Network, digits_split, train_network
from moltheory.studies.smoothing.noncentral import noncentral_quantile, noncentral_tails
from moltheory.studies.smoothing.points import (
    design_certificate,
    design_losses,
    design_objectives,
    design_points,
    fair_certificate,
    open_designs,
)
from moltheory.studies.smoothing.spreads import ConstantSigma, NeighborSigma, Sigma, neighbor_distances
from moltheory.studies.smoothing.study import Smoothing, SmoothingResult, approximation_table, curse_table
from moltheory.studies.smoothing.sweep import Budget, Design, SmoothedSweep, smoothed_sweep
from moltheory.studies.smoothing.voting import SmoothedClassifier

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
