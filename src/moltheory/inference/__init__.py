"""Inference for one mean and for pairs of means: intervals, confidence sequences, paired tests, multiplicity."""

from moltheory._core._listing import public_names
from moltheory.inference._binomial import binomial_interval
from moltheory.inference._events import Event
from moltheory.inference._interval import Interval
from moltheory.inference._kl import kl_inverse
from moltheory.inference._means import mean_interval
from moltheory.inference._methods import interval_methods
from moltheory.inference._paired import holm, paired_dominance
from moltheory.inference._sequences import confidence_sequence
from moltheory.inference._simultaneous import boxes

__all__ = [
    "Event",
    "Interval",
    "binomial_interval",
    "boxes",
    "confidence_sequence",
    "holm",
    "interval_methods",
    "kl_inverse",
    "mean_interval",
    "paired_dominance",
]

__dir__ = public_names(__name__)
