"""Bounds on how far empirical risks can be from true ones, uniformly over hypotheses and objectives.

``delta`` is the total failure probability over all hypotheses and all data-dependent objectives at once.
"""

from moltheory._core._listing import public_names
from moltheory.bounds._applicable import applicable_bounds
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
from moltheory.bounds._delta_allocation import joint_widths
from moltheory.bounds._fast_rates import bernstein_class, kl_class, shell_class
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
from moltheory.bounds._mixtures import MixtureBound, MixtureTable, mixture_bounds
from moltheory.bounds._pac_bayes import pac_bayes_constant, pac_bayes_kl
from moltheory.bounds._uniform import linear_class, rademacher, vc
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
    "Interval",
    "MixtureBound",
    "MixtureTable",
    "SlackGuarantee",
    "a_posteriori_excess",
    "applicable_bounds",
    "bernstein_class",
    "binomial_interval",
    "boundary",
    "boxes",
    "certified_members",
    "conditional_rate",
    "confidence_sequence",
    "constrained_excess",
    "finite_class",
    "finite_prior",
    "forward",
    "holm",
    "hypervolume_loss",
    "hypervolume_sandwich",
    "interior_weights",
    "joint_widths",
    "kl_class",
    "kl_inverse",
    "linear_class",
    "linear_complexity",
    "mean_interval",
    "mixture_bounds",
    "pac_bayes_constant",
    "pac_bayes_kl",
    "paired_dominance",
    "rademacher",
    "rademacher_complexity",
    "required_sample_size",
    "required_sample_size_linear",
    "required_sample_size_vc",
    "scalarized",
    "scalarized_excess",
    "shell_class",
    "slack_guarantee",
    "slack_pruned",
    "strong_convexity",
    "strongly_monotone",
    "vc",
    "weak_converse",
]

__dir__ = public_names(__name__)
