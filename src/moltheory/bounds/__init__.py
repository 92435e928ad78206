"""Bounds on how far empirical risks can be from true ones, uniformly over hypotheses and objectives.

``delta`` is the total failure probability over all hypotheses and all data-dependent objectives at once.
"""

from moltheory._core._listing import public_names
from moltheory.bounds._agnostic import agnostic_class
from moltheory.bounds._applicable import applicable_bounds
from moltheory.bounds._bernstein_condition import bernstein_excess
from moltheory.bounds._bound import Bound
from moltheory.bounds._certified import certified_members
from moltheory.bounds._complexity import Complexity, linear_complexity, rademacher_complexity
from moltheory.bounds._converse import (
    SlackGuarantee,
    interior_weights,
    slack_guarantee,
    slack_pruned,
    strong_convexity,
    strongly_monotone,
)
from moltheory.bounds._covering import (
    dudley_complexity,
    linear_metric_entropy,
    lipschitz_class,
    lipschitz_metric_entropy,
)
from moltheory.bounds._delta_allocation import joint_widths
from moltheory.bounds._fast_rates import bernstein_class, kl_class, shell_class
from moltheory.bounds._fat_shattering import fat_shattering_class
from moltheory.bounds._finite import conditional_rate, finite_class, finite_prior
from moltheory.bounds._front_consequences import (
    a_posteriori_excess,
    boundary,
    constrained_excess,
    forward,
    hypervolume_loss,
    hypervolume_sandwich,
    scalarized,
    scalarized_excess,
    weak_converse,
)
from moltheory.bounds._inversion import required_sample_size, required_sample_size_linear, required_sample_size_vc
from moltheory.bounds._localized import local_complexity, localized_rademacher
from moltheory.bounds._lower import LowerBound, coverage_lower_bound, impurity_probability
from moltheory.bounds._lower_labels import label_lower_bound, pseudo_label_excess
from moltheory.bounds._lower_linear import expected_coverage, expected_linear_excess, linear_excess_lower_bound
from moltheory.bounds._margin import fat_shattering_dimension, margin_class, margin_limits
from moltheory.bounds._mixtures import MixtureBound, MixtureTable, mixture_bounds
from moltheory.bounds._nonuniform import (
    nonuniform_forward,
    nonuniform_scalarized_excess,
    nonuniform_weak_converse,
    relative_excess,
)
from moltheory.bounds._on_demand import required_sample_size_minimax
from moltheory.bounds._p_norm import p_norm_purity
from moltheory.bounds._pac_bayes import pac_bayes_constant, pac_bayes_kl
from moltheory.bounds._pac_bayes_gaussian import GaussianPosterior, gaussian_posterior
from moltheory.bounds._pac_bayes_losses import gibbs_bound
from moltheory.bounds._pac_bayes_split import pac_bayes_split_kl
from moltheory.bounds._pac_bayes_variance import pac_bayes_empirical_bernstein, pac_bayes_unexpected_bernstein
from moltheory.bounds._relative import relative_deviation_class, relative_deviation_vc, relative_scales
from moltheory.bounds._stability import regularized_sum, uniform_stability
from moltheory.bounds._two_stage import two_stage_excess
from moltheory.bounds._uniform import linear_class, rademacher, vc
from moltheory.bounds._vector_contraction import multi_output_class
from moltheory.inference import (
    Interval,
    binomial_interval,
    boxes,
    confidence_sequence,
    holm,
    kl_inverse,
    mean_interval,
    paired_dominance,
)

__all__ = [
    "Bound",
    "Complexity",
    "GaussianPosterior",
    "Interval",
    "LowerBound",
    "MixtureBound",
    "MixtureTable",
    "SlackGuarantee",
    "a_posteriori_excess",
    "agnostic_class",
    "applicable_bounds",
    "bernstein_class",
    "bernstein_excess",
    "binomial_interval",
    "boundary",
    "boxes",
    "certified_members",
    "conditional_rate",
    "confidence_sequence",
    "constrained_excess",
    "coverage_lower_bound",
    "dudley_complexity",
    "expected_coverage",
    "expected_linear_excess",
    "fat_shattering_class",
    "fat_shattering_dimension",
    "finite_class",
    "finite_prior",
    "forward",
    "gaussian_posterior",
    "gibbs_bound",
    "holm",
    "hypervolume_loss",
    "hypervolume_sandwich",
    "impurity_probability",
    "interior_weights",
    "joint_widths",
    "kl_class",
    "kl_inverse",
    "label_lower_bound",
    "linear_class",
    "linear_complexity",
    "linear_excess_lower_bound",
    "linear_metric_entropy",
    "lipschitz_class",
    "lipschitz_metric_entropy",
    "local_complexity",
    "localized_rademacher",
    "margin_class",
    "margin_limits",
    "mean_interval",
    "mixture_bounds",
    "multi_output_class",
    "nonuniform_forward",
    "nonuniform_scalarized_excess",
    "nonuniform_weak_converse",
    "p_norm_purity",
    "pac_bayes_constant",
    "pac_bayes_empirical_bernstein",
    "pac_bayes_kl",
    "pac_bayes_split_kl",
    "pac_bayes_unexpected_bernstein",
    "paired_dominance",
    "pseudo_label_excess",
    "rademacher",
    "rademacher_complexity",
    "regularized_sum",
    "relative_deviation_class",
    "relative_deviation_vc",
    "relative_excess",
    "relative_scales",
    "required_sample_size",
    "required_sample_size_linear",
    "required_sample_size_minimax",
    "required_sample_size_vc",
    "scalarized",
    "scalarized_excess",
    "shell_class",
    "slack_guarantee",
    "slack_pruned",
    "strong_convexity",
    "strongly_monotone",
    "two_stage_excess",
    "uniform_stability",
    "vc",
    "weak_converse",
]

__dir__ = public_names(__name__)
