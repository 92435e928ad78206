"""Standard deviations of the noise as functions of the input: constant, or growing with the distance to the data."""

from __future__ import annotations

import functools
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, check_count, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = ["ConstantSigma", "NeighborSigma", "Sigma", "neighbor_distances"]

# Entries of differences held at once.
_ENTRIES = 1 << 22


@runtime_checkable
class Sigma(Protocol):
    """A standard deviation as a function of the input, with the rate r at which it can change.

    For all x and z, ``sigma(x) <= sigma(z) exp(r |x - z|)`` with the Euclidean distance.
    """

    @property
    def rate(self) -> float:
        """The rate r."""

    def __call__(self, points: FloatArray, /) -> FloatArray:
        """Return the standard deviations at (n, N) points: (n,), > 0."""


class ConstantSigma:
    """The same standard deviation ``base`` > 0 everywhere."""

    rate = 0.0

    def __init__(self, base: float) -> None:
        self.base = check_real("base", base, low=0.0, strict=True)

    def __call__(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the standard deviations at (n, N) points: (n,)."""
        return np.full(len(_points("points", points)), self.base)

    def __repr__(self) -> str:
        return f"ConstantSigma({self.base:g})"


class NeighborSigma:
    r"""A standard deviation that grows with the distance to data: r-semi-elastic.

    .. math:: \sigma(x) = \sigma_b \exp(r (d_k(x) - m)),

    with base :math:`\sigma_b` > 0, rate r >= 0 and :math:`d_k` the mean Euclidean distance to the k nearest of the
    points (n, N), which is 1-Lipschitz. The center m is by default the median of :math:`d_k` over the points, each
    left out of its own neighbors. P. Súkeník, A. Kuvshinov, S. Günnemann (2022), arXiv 2110.05365.
    """

    def __init__(
        self, points: npt.ArrayLike, *, base: float, rate: float, center: float | None = None, k: int = 20
    ) -> None:
        self.points = as_readonly(_points("points", points))
        self.base = check_real("base", base, low=0.0, strict=True)
        self.rate = check_real("rate", rate, low=0.0)
        self.k = _check_k(k, len(self.points) - (center is None))
        if center is None:
            self.center = float(np.median(neighbor_distances(self.points, k=self.k)))
        else:
            self.center = check_real("center", center)

    def __call__(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the standard deviations at (n, N) points: (n,)."""
        where = _points("points", points, self.points.shape[1])
        if self.rate == 0.0:
            return np.full(len(where), self.base)
        with np.errstate(over="ignore", under="ignore"):
            found = self.base * np.exp(self.rate * (self.mean_distances(where) - self.center))
        if not ((found > 0) & np.isfinite(found)).all():
            raise InvalidInputError(
                f"`points` must be where sigma is a positive number, got one whose distance to the data times the rate "
                f"{self.rate:g} is out of range."
            )
        return np.asarray(found)

    def mean_distances(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the mean distances to the k nearest points: (n,)."""
        where = _points("points", points, self.points.shape[1])
        return _mean_distances(self._search, self.points, where, self.k, skip=0)

    def __repr__(self) -> str:
        return f"NeighborSigma(base={self.base:g}, rate={self.rate:g}, center={self.center:g}, k={self.k})"

    @functools.cached_property
    def _search(self) -> Any:
        return _searcher(self.points)


def neighbor_distances(points: npt.ArrayLike, /, *, k: int) -> FloatArray:
    """Return the mean distances (n,) of points (n, N) to their k < n nearest others."""
    data = _points("points", points)
    return _mean_distances(_searcher(data), data, data, _check_k(k, len(data) - 1), skip=1)


def _searcher(points: FloatArray) -> Any:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(algorithm="brute").fit(points)


def _mean_distances(search: Any, points: FloatArray, where: FloatArray, k: int, *, skip: int) -> FloatArray:
    nearest = search.kneighbors(where, n_neighbors=k + skip, return_distance=False)
    found = np.empty(len(where))
    rows = max(1, _ENTRIES // ((k + skip) * points.shape[1]))
    for start in range(0, len(where), rows):
        part = slice(start, start + rows)
        # The search squares and subtracts, which loses digits of small distances: they are computed again.
        distances = np.linalg.norm(points[nearest[part]] - where[part, None, :], axis=2)
        found[part] = np.sort(distances, axis=1)[:, skip:].mean(axis=1)
    return found


def _points(name: str, value: npt.ArrayLike, dimension: int | None = None) -> FloatArray:
    array = real_array(name, value, shape="(n, N)", min_ndim=2, max_ndim=2)
    if dimension is not None and array.shape[1] != dimension:
        raise InvalidInputError(f"`{name}` must have {dimension} columns, got shape {array.shape}.")
    return array


def _check_k(k: int, most: int) -> int:
    if check_count("k", k) > most:
        raise InvalidInputError(f"`k` must be at most {most}, the number of neighbors there are, got {k}.")
    return k
