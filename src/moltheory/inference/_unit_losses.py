"""Losses scaled to [0, 1], examples first, one column per mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import numbers_in
from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._concentration import Ends, Summary

__all__ = ["UnitLosses", "read_losses"]

_ULP = 2.0**-52


@dataclass(frozen=True)
class UnitLosses:
    """Losses x = (loss - low) / (high - low) of shape (n, m), with the map back to their original units."""

    x: FloatArray
    shape: tuple[int, ...]
    low: FloatArray
    high: FloatArray
    of_two_values: bool = False
    """Whether the type of the losses leaves nothing but the ends of the range."""

    @property
    def range(self) -> FloatArray:
        """The range of the losses, (2,) or (2, ...)."""
        return np.stack(np.broadcast_arrays(self.low, self.high))

    def binary(self) -> npt.NDArray[np.bool_]:
        """Whether every loss of a column is exactly an end of the range, (m,)."""
        return np.asarray(self.n_interior() == 0)

    def n_interior(self) -> npt.NDArray[np.int64]:
        """Number of losses of a column that are no end of the range, (m,)."""
        return np.asarray(((self.x != 0.0) & (self.x != 1.0)).sum(axis=0), dtype=np.int64)

    def summary(self, binary: npt.NDArray[np.bool_]) -> Summary:
        """Return what the inequalities need of each column; totals of 0/1 losses are exact."""
        n = self.x.shape[0]
        total = self.x.sum(axis=0)
        # A running sum of n numbers is off by n roundings at most: totals of other losses are moved up by that.
        error = n * _ULP
        ones = np.where(binary, total, np.minimum(np.ceil(total * (1.0 + error)), n))
        zeros = np.where(binary, n - total, np.minimum(np.ceil(n - total + total * error), n))
        mean = np.minimum(total / n, 1.0)
        variance = self.x.var(axis=0, ddof=1) if n > 1 else np.zeros_like(mean)
        variance = np.where(binary, mean * ((n - total) / max(n - 1, 1)), variance)
        return Summary(
            np.full(mean.shape, float(n)),
            mean,
            (n - np.minimum(total, n)) / n,
            ones,
            zeros,
            variance,
            0.0 if binary.all() else error,
        )

    def to_original_units(self, lower: FloatArray, upper: FloatArray, shape: tuple[int, ...]) -> Ends:
        """Return the ends in units of the loss, rounded outward and clipped to the range."""
        lower, upper = lower.reshape(shape), upper.reshape(shape)
        low, high = self.low, self.high
        if ((low == 0.0) & (high == 1.0)).all():
            return lower, upper
        slack = 4.0 * _ULP * np.maximum(np.abs(low), np.abs(high))
        spread = high - low
        down = np.clip(low + spread * lower - slack, low, high)
        up = np.clip(low + spread * upper + slack, low, high)
        # The ends of the range come back as they are.
        return (
            np.where(lower <= 0.0, low, np.where(lower >= 1.0, high, down)),
            np.where(upper >= 1.0, high, np.where(upper <= 0.0, low, up)),
        )


def read_losses(losses: npt.ArrayLike, loss_range: object, axis: int) -> UnitLosses:
    """Return checked losses as columns.

    Raises
    ------
    InvalidInputError
        If a loss is NaN or outside its range, the range is not an interval, or there is no such axis.
    """
    array = real_array("losses", losses, shape="(n, ...)", min_ndim=1)
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -array.ndim <= axis < array.ndim:
        raise InvalidInputError(f"`axis` must be an axis of losses with shape {array.shape}, got {axis!r}.")
    array = np.moveaxis(array, axis, 0)
    shape = array.shape[1:]
    low, high = _ends(loss_range, shape)
    if (array < low).any() or (array > high).any():
        outside = array[(array < low) | (array > high)]
        raise InvalidInputError(f"`losses` must lie in their `loss_range`, got {float(outside[0])!r}.")
    x = array if ((low == 0.0) & (high == 1.0)).all() else (array - low) / (high - low)
    kind = numbers_in("losses", losses).dtype.kind
    of_two_values = kind == "b" or (kind in "iu" and bool((high - low == 1.0).all()))
    return UnitLosses(x.reshape(array.shape[0], -1), shape, low, high, of_two_values)


def _ends(loss_range: object, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    if not isinstance(loss_range, tuple | list | np.ndarray) or len(loss_range) != 2:
        raise InvalidInputError(f"`loss_range` must be a pair (low, high), got {loss_range!r}.")
    ends = [real_array("loss_range", end, shape="() or (...)", min_ndim=0) for end in loss_range]
    for end in ends:
        try:
            fits = np.broadcast_shapes(end.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise InvalidInputError(
                f"`loss_range` must hold numbers or arrays that broadcast to {shape}, got {end.shape}."
            )
    low, high = ends
    with np.errstate(over="ignore"):
        spread = high - low
    if not (low < high).all() or not np.isfinite(spread).all():
        raise InvalidInputError(f"`loss_range` must have low < high, a finite distance apart, got {loss_range!r}.")
    if low.ndim != high.ndim or low.shape != high.shape:
        low, high = (np.broadcast_to(end, shape) for end in ends)
    return low, high
