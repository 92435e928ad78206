r"""Coordinates in which features are centered and of unit size, so that units and offsets of the data do not decide.

A column of Unix seconds beside an intercept is a multiple of it up to one part in thousands; in products of features the
square of that is lost. With a pivot column p, the one that varies least in units of its mean, and multiples
:math:`\rho_j` (ratios of means),

.. math:: x'\theta = x_p (\theta_p + \sum_j \rho_j \theta_j) + \sum_{j \ne p} (x_j - \rho_j x_p) \theta_j,

an identity for every rho. Columns are then scaled by powers of two, so that the features in these coordinates are those
of the caller up to one rounding of each number, taken relative to what varies. Targets far from 0, where all losses are
of residuals, are centered likewise: a multiple of the pivot is taken from them, and its parameter counted from there. The
pivot's coordinate is evaluated in twice the working precision (T. Ogita, S. M. Rump, S. Oishi 2005, doi
10.1137/030601818). Derived (proof: rounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["Coordinates"]

# Means this many times the spread, and sizes this far apart, are worth the change; below, conditioning does not suffer.
_FAR = 8.0
_APART = 32.0
# Squares of features beyond this, or below its inverse, are too far from 1 for solvers that have tolerances of their own.
_EXTREME = 1e6
# Last digits by which a parameter may be moved, the smallest moves first.
_MOVES = np.array(sorted(range(-64, 65), key=abs), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Maps phi = S theta - s, one for each of R entries of a batch.

    Coordinate j is ``scale_j theta_j``, but that of the pivot, ``scale_p (theta_p - origin + sum_j ratio_j theta_j)``.
    """

    pivot: npt.NDArray[np.intp]
    """Positions p, (R,)."""
    ratio: FloatArray
    """Multiples rho (R, d) of the pivot in the columns, 0 at the pivot."""
    scale: FloatArray
    """Powers of two, (R, d)."""
    origin: FloatArray
    """Values (R,) from which the pivots' parameters are counted."""

    @classmethod
    def of(
        cls, designs: Sequence[FloatArray], shares: Sequence[FloatArray], targets: Sequence[FloatArray] | None
    ) -> Coordinates | None:
        """Return the coordinates for features (R, n_k, d) with weights (R or 1, n_k), None where theta itself serves.

        Targets (R, n_k) are given where all losses are of residuals.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            centered, scaled = _needs(designs, shares)
            moved = _far_targets(targets, shares) if targets is not None else np.zeros(centered.size, bool)
        if not (centered | scaled | moved).any():
            return None
        r, d = centered.size, designs[0].shape[-1]
        found = cls(np.zeros(r, dtype=np.intp), np.zeros((r, d)), np.ones((r, d)), np.zeros(r))
        for i in np.flatnonzero(centered | scaled | moved):
            rows = [x[i] for x in designs]
            weights = [c[i if c.shape[0] > 1 else 0] for c in shares]
            y = [b[i] for b in targets] if targets is not None and moved[i] else None
            entry = _coordinates(rows, weights, bool(centered[i]), y)
            found.pivot[i], found.ratio[i], found.scale[i], found.origin[i] = entry
        return found

    def entries(self, part: slice) -> Coordinates | None:
        """Return those of some entries, None where they change nothing."""
        if not (self.ratio[part].any() or self.origin[part].any()) and (self.scale[part] == 1.0).all():
            return None
        return Coordinates(self.pivot[part], self.ratio[part], self.scale[part], self.origin[part])

    def residual_targets(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return targets (R, n) less what the origins predict from features (R, n, d) of the caller, to the last digit."""
        high, low = _product(self.origin[:, None], self._at_pivot(x))
        found: FloatArray = (y - high) - low
        return found

    def features(self, x: FloatArray) -> FloatArray:
        """Return features (R, n, d) in these coordinates."""
        return np.stack([_features(*rows) for rows in zip(x, self.pivot, self.ratio, self.scale, strict=True)])

    def forth(self, theta: FloatArray) -> FloatArray:
        """Return coordinates (R, M, d) of parameters, each to its last digit."""
        total, rest = _sum(self._at_pivot(theta), np.broadcast_to(-self.origin[:, None], theta.shape[:2]))
        for j in range(theta.shape[-1]):
            total, rest = _accumulated(total, rest, self.ratio[:, None, j], theta[..., j])
        found = theta * self.scale[:, None]
        return self._with_pivot(found, (total + rest) * self._at_pivot(self.scale[:, None]))

    def to_original_units(self, phi: FloatArray, *, best: bool = False) -> FloatArray:
        """Return the parameters (R, M, d) of coordinates; the pivot's makes up for the rounding of the others.

        Where the pivot's is a large number in which others cancel, its own rounding is what is left. With `best`, one of
        the others is moved by the few last digits that make it smallest.
        """
        found = phi / self.scale[:, None]
        total, rest = _sum(self._at_pivot(found), np.broadcast_to(self.origin[:, None], phi.shape[:2]))
        for j in range(phi.shape[-1]):
            total, rest = _accumulated(total, rest, -self.ratio[:, None, j], found[..., j])
        value = total + rest
        if best:
            left = (total - value) + rest
            shares = np.abs(self.ratio[:, None] * found)
            at = np.arange(phi.shape[-1]) == shares.argmax(axis=-1)[..., None]
            ratio = (at * self.ratio[:, None]).sum(axis=-1)[..., None]
            other = (at * found).sum(axis=-1)[..., None]
            # A small number has small last digits: there is nothing to make up for, and no unit to do it in.
            large = np.abs(value)[..., None] > 1e-3 * np.abs(ratio * other)
            digit = np.where(large, np.spacing(np.abs(value))[..., None], 1.0)
            moves = np.where(large, _MOVES * np.spacing(np.abs(other)), 0.0)
            moved = (left[..., None] - ratio * moves) / digit
            chosen = np.abs(moved - np.rint(moved)).argmin(axis=-1)[..., None]
            found = found + at * np.take_along_axis(moves, chosen, axis=-1)
            value = value + (np.rint(np.take_along_axis(moved, chosen, axis=-1)) * digit)[..., 0]
        return self._with_pivot(found, value)

    def pull(self, slopes: FloatArray) -> FloatArray:
        """Return slopes (R, M, ..., d) in the coordinates as slopes in theta: S' times them."""
        wide = (slice(None), *[None] * (slopes.ndim - 2))
        scaled = slopes * self.scale[wide]
        found: FloatArray = scaled + self._at_pivot(scaled)[..., None] * self.ratio[wide]
        return found

    def push(self, slopes: FloatArray) -> FloatArray:
        """Return slopes (R, M, d) in theta as slopes in the coordinates, each to its last digit."""
        high, low = _product(self.ratio[:, None], np.broadcast_to(self._at_pivot(slopes)[..., None], slopes.shape))
        moved: FloatArray = (slopes - high) - low
        return moved / self.scale[:, None]

    def offset(self, phi: FloatArray) -> FloatArray:
        """Return the sizes (R, M) of what the pivots' coordinates add to a parameter."""
        found: FloatArray = np.abs(self._at_pivot(phi)) / self._at_pivot(self.scale[:, None])
        return found + np.abs(self.origin[:, None])

    @property
    def parameters_at_zero(self) -> FloatArray:
        """The parameters (R, d) of the point 0."""
        return np.where(np.arange(self.scale.shape[-1]) == self.pivot[:, None], self.origin[:, None], 0.0)

    @property
    def inverse(self) -> FloatArray:
        """The matrices A of theta = A phi, (R, d, d)."""
        r, d = self.scale.shape
        return self.push(np.broadcast_to(np.eye(d), (r, d, d)))

    def _at_pivot(self, array: FloatArray) -> FloatArray:
        index = self.pivot.reshape(-1, *[1] * (array.ndim - 1))
        index = np.broadcast_to(index, (index.shape[0], *array.shape[1:-1], 1))
        return np.take_along_axis(array, index, axis=-1)[..., 0]

    def _with_pivot(self, array: FloatArray, value: FloatArray) -> FloatArray:
        at = np.arange(array.shape[-1]) == self.pivot[:, None, None]
        return np.where(at, value[..., None], array)


def _needs(
    designs: Sequence[FloatArray], shares: Sequence[FloatArray]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which entries (R,) have two columns far from 0, or columns of different sizes."""
    mean = np.mean([(c[:, None] @ x)[:, 0] for x, c in zip(designs, shares, strict=True)], axis=0)
    square = np.mean([np.einsum("rnd,rnd,rn->rd", x, x, c) for x, c in zip(designs, shares, strict=True)], axis=0)
    # Rounding of this difference only makes columns look farther from 0 than they are beyond that.
    far = ~(square - mean**2 > (mean / _FAR) ** 2) & ~(square == 0.0)
    # A column of zeros has no size; one whose squares vanish has.
    zero = (square == 0.0) & ~np.any([(x != 0.0).any(axis=1) for x in designs], axis=0)
    square = np.where(zero, np.where(zero, 0.0, square).max(axis=1, keepdims=True), square)
    square[zero.all(axis=1)] = 1.0
    largest, smallest = square.max(axis=1), square.min(axis=1)
    extreme = ~(largest < _EXTREME) | ~(smallest > 1.0 / _EXTREME)
    return far.sum(axis=1) >= 2, extreme | ~(largest <= _APART**2 * smallest)


def _far_targets(targets: Sequence[FloatArray], shares: Sequence[FloatArray]) -> npt.NDArray[np.bool_]:
    """Return in which entries (R,) the targets are far from 0."""
    mean = np.mean([(y * c).sum(axis=-1) for y, c in zip(targets, shares, strict=True)], axis=0)
    square = np.mean([(y * y * c).sum(axis=-1) for y, c in zip(targets, shares, strict=True)], axis=0)
    return np.asarray(~(square - mean**2 > (mean / _FAR) ** 2) & ~(square == 0.0))


def _coordinates(
    rows: Sequence[FloatArray], weights: Sequence[FloatArray], center: bool, targets: Sequence[FloatArray] | None
) -> tuple[int, FloatArray, FloatArray, float]:
    """Return pivot, ratios, scales and origin for the features (n_k, d) of one entry."""
    largest = np.max([np.abs(x).max(axis=0) for x in rows], axis=0)
    first = np.where(largest > 0.0, np.frexp(largest)[1], 0)
    unit = [np.ldexp(x, -first) for x in rows]
    mean = np.mean([c @ x for x, c in zip(unit, weights, strict=True)], axis=0)
    spread = np.sqrt(np.mean([c @ (x - mean) ** 2 for x, c in zip(unit, weights, strict=True)], axis=0))
    # A constant column is the best pivot, and rounding of its mean must not hide it.
    constant = np.all([(x == unit[0][0]).all(axis=0) for x in unit], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(constant, np.inf, np.abs(mean) / spread)
    far = np.where(mean == 0.0, 0.0, far)
    pivot = int(np.argmax(far))
    ratio = np.where((far > 1.0) & center, mean / (mean[pivot] or 1.0), 0.0)
    ratio[pivot] = 0.0
    moved = [_features(x, np.intp(pivot), ratio, np.ones(ratio.size)) for x in unit]
    size = np.sqrt(np.mean([c @ x**2 for x, c in zip(moved, weights, strict=True)], axis=0))
    second = np.where(size > 0.0, np.frexp(size)[1], 0)
    origin = 0.0
    if targets is not None and far[pivot] > _FAR:
        level = np.mean([c @ y for y, c in zip(targets, weights, strict=True)])
        origin = float(np.ldexp(level / mean[pivot], -first[pivot]))
    return pivot, np.ldexp(ratio, first - first[pivot]), np.ldexp(1.0, first + second), origin


def _features(x: FloatArray, pivot: np.intp, ratio: FloatArray, scale: FloatArray) -> FloatArray:
    """Return features (n, d) less multiples of the pivot's, to the last digit, over the scales."""
    found = x.copy()
    for j in np.flatnonzero(ratio):
        high, low = _product(ratio[j : j + 1], x[:, pivot])
        found[:, j] = (x[:, j] - high) - low
    found /= scale
    return found


def _product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a product and its rounding error (T. J. Dekker 1971, doi 10.1007/BF01397083)."""
    product: FloatArray = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _halves(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    big = 134217729.0 * a
    high = big - (big - a)
    return high, a - high


def _accumulated(total: FloatArray, rest: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add a b to a sum, and what was rounded away to the rest."""
    product, low = _product(a, b)
    new, lost = _sum(total, product)
    return new, rest + (low + lost)


def _sum(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a sum and its rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)
