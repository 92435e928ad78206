"""Widths: how far empirical risks can be from true ones, with which failure probability.

``delta`` is the total failure probability over all hypotheses and all data-dependent objectives at once.
"""

from moltheory.bounds._simultaneous import boxes
from moltheory.bounds.binomial import binomial_interval
from moltheory.bounds.bound import Bound
from moltheory.bounds.capacity import linear_class, rademacher, vc
from moltheory.bounds.certified import certified_members
from moltheory.bounds.complexity import Complexity, linear_complexity, rademacher_complexity
from moltheory.bounds.converse import (
    SlackGuarantee,
    interior_weights,
    slack_guarantee,
    slack_pruned,
    strong_convexity,
    strongly_monotone,
)
from moltheory.bounds.finite import conditional_rate, finite_class
from moltheory.bounds.interval import Interval
from moltheory.bounds.inversion import required_sample_size, required_sample_size_linear, required_sample_size_vc
from moltheory.bounds.kl import kl_inverse
from moltheory.bounds.means import mean_interval
from moltheory.bounds.mixtures import MixtureBound, MixtureTable, mixture_bounds
from moltheory.bounds.pac_bayes import pac_bayes_constant, pac_bayes_kl
from moltheory.bounds.paired import holm, paired_dominance
from moltheory.bounds.priors import finite_prior
from moltheory.bounds.sequences import confidence_sequence
from moltheory.bounds.small_errors import bernstein_class, kl_class, shell_class
from moltheory.bounds.splits import joint_widths
from moltheory.bounds.tables import applicable_bounds
from moltheory.bounds.transfer import (
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
