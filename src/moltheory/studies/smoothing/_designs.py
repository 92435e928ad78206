"""Designs of the noise: constant, growing with the distance to the training images, or constant at the same mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, check_real
from moltheory.studies.smoothing._noise_scale import ConstantSigma, NeighborSigma, Sigma

__all__ = ["CONSTANT", "KINDS", "MATCHED", "MOVING", "Design", "center_and_scale", "designs_for"]

CONSTANT, MOVING, MATCHED = KINDS = ("constant", "input-dependent", "same mean")

# m of the paper's design for MNIST and, for CIFAR-10, that of a public implementation of it, by the number of pixels.
_CENTERS = {784: 1.5, 3072: 5.0}
_USUAL = 784


@dataclass(frozen=True)
class Design:
    r"""One design of the noise, for images with pixels in [0, 1] and Euclidean distances.

    Networks are trained under noise of deviation `sigma`, the :math:`\sigma_b` of

    .. math:: \sigma(x) = \sigma_b \exp(r (d_k(x) - m)),

    with the mean distance :math:`d_k` to the k nearest training images, the `rate` r and the `center` m. They vote under
    constant noise of deviation `sigma`, under :math:`\sigma(x)`, or, for the kind "same mean", under constant noise whose
    deviation is the mean of :math:`\sigma(x)` over training images, each left out of its own neighbors.
    """

    sigma: float
    rate: float = 0.0
    center: float = 0.0
    k: int = 20
    kind: str = CONSTANT

    def __post_init__(self) -> None:
        check_real("sigma", self.sigma, low=0.0, strict=True)
        check_real("rate", self.rate, low=0.0)
        check_real("center", self.center)
        check_count("k", self.k)
        check_choice("kind", self.kind, KINDS)

    @property
    def name(self) -> str:
        """Name in tables."""
        base = f"σ={self.sigma:.3g}"
        if self.kind == CONSTANT:
            return base
        return f"{base} r={self.rate:.3g}" if self.kind == MOVING else f"{base} mean of r={self.rate:.3g}"

    @property
    def certified_rate(self) -> float:
        """The rate r of the noise that is voted under: 0 if it is constant."""
        return self.rate if self.kind == MOVING else 0.0

    def spread(self, points: FloatArray) -> Sigma:
        """Return the deviation as a function of the input, given the training images (n, N); not for "same mean"."""
        check_choice("kind", self.kind, (CONSTANT, MOVING))
        if self.kind == CONSTANT:
            return ConstantSigma(self.sigma)
        return NeighborSigma(points, base=self.sigma, rate=self.rate, center=self.center, k=self.k)

    def deviations(self, distances: FloatArray, *, held_out: FloatArray) -> FloatArray:
        """Return the deviations (n,) at mean distances (n,), given those of training images to the others."""
        if self.kind == CONSTANT:
            return np.full(len(distances), self.sigma)
        where = distances if self.kind == MOVING else held_out
        found: FloatArray = self.sigma * np.exp(self.rate * (where - self.center))
        return found if self.kind == MOVING else np.full(len(distances), found.mean())


def center_and_scale(dimension: int) -> tuple[float, float]:
    """Return the center m for images of N numbers, and the unit of length that base deviations and rates refer to.

    Images like those of MNIST and CIFAR-10 have the values of the paper's design and the unit 1. Lengths of other images
    are taken to be those of MNIST times sqrt(N / 784): deviations and m are multiplied by it and rates divided, so that
    r times the distance and r sigma are those of MNIST; what changing sigma costs still falls with N.
    """
    if check_count("dimension", dimension) in _CENTERS:
        return _CENTERS[dimension], 1.0
    unit = math.sqrt(dimension / _USUAL)
    return _CENTERS[_USUAL] * unit, unit


def designs_for(levels: npt.ArrayLike, rates: npt.ArrayLike, *, dimension: int, k: int = 20) -> tuple[Design, ...]:
    """Return all designs for images of a size: each level alone, with each rate, and at the mean of each rate."""
    center, unit = center_and_scale(dimension)
    found = []
    for sigma in (np.asarray(levels, dtype=np.float64) * unit).tolist():
        found.append(Design(sigma))
        for rate in (np.asarray(rates, dtype=np.float64) / unit).tolist():
            found += [Design(sigma, rate, center, k, kind) for kind in (MOVING, MATCHED)]
    return tuple(found)
