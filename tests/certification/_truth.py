"""The truth about small worlds, and whether a certificate says anything false about it."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.oracle import TypeEnumeration

Array = np.ndarray[Any, Any]


def beats(true: Array, epsilon: Any = 0.0) -> Array:
    """[b, h]: L(b) + e <= L(h), once strictly; everything minimised; 1e-12 forgives rounding of equal means."""
    gap = true[None, :, :] - true[:, None, :] - np.asarray(epsilon)
    return (gap >= -1e-12).all(axis=2) & (gap > 1e-12).any(axis=2)


def says_something_false(certificate: mt.Certificate, true: Array, epsilon: Any = 0.0) -> bool:
    """Whether any claim is wrong or a box misses; `true` (M, m) in the caller's orientation, `epsilon` in all m."""
    minimised = true * np.where(certificate.maximise, -1.0, 1.0)
    truth = beats(minimised)
    members = ~beats(minimised, epsilon).any(axis=0)
    wrong = (certificate.within_slack & ~members).any() or (certificate.excluded & ~truth.any(axis=0)).any()
    wrong = wrong or (certificate.dominates & ~truth).any()
    wrong = wrong or (certificate.sure & (certificate.excluded | ~members)).any()
    data = certificate.data_dependent
    for h, b in enumerate(certificate.replaceable_by):
        if b >= 0:
            gap = minimised[b] - minimised[h]
            wrong = wrong or (gap[data] >= np.broadcast_to(epsilon, gap.shape)[data] - 1e-12).any()
            wrong = wrong or (gap[~data] > 0.0).any() or not (gap[~data] < 0.0).any()
    low, high = certificate.boxes[..., 0], certificate.boxes[..., 1]
    return bool(wrong or (true < low - 1e-12).any() or (true > high + 1e-12).any())


def exact_failure(probabilities: list[Fraction], n: int, failed: Callable[[Array], bool]) -> float:
    """Return the exact probability that `failed`, given how often each outcome was drawn, over all samples of size n."""
    world = TypeEnumeration(tuple(probabilities), n, risks=lambda counts: counts[:, :, None].astype(float))
    terms = []
    for weights, found in world.weighted_risks():
        for weight, counts in zip(weights.tolist(), found[..., 0].astype(int), strict=True):
            if failed(counts):
                terms.append(weight)
    return math.fsum(terms)
