"""Values measured per request, such as latency, tokens or price: real numbers of any size, some of them missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_real, real_or_missing
from moltheory.errors import InvalidInputError

__all__ = ["ALTERNATIVES", "NoRangeError", "capped", "outside_range", "request_values"]

#: What an unbounded quantity can be certified by: the remedy of several refusals.
ALTERNATIVES = (
    "of a quantity without a range, such as a latency, certify `Quantile(values, 0.95)`, `ExceedanceRate(values, limit)`, "
    "`CappedMean(values, cap)`, `WinRate(values, against)` or `CVaR(values, cap=...)` of `moltheory.evaluation` (of a "
    "table: `LossTable.with_objectives`), or its mean with engine='asymptotic'"
)


class NoRangeError(InvalidInputError):
    """A loss outside the range of its objective, or a range without an end where one is needed.

    Parameters
    ----------
    found : str
        The rule and what was found, without a full stop.
    remedy : str
    objective : str
        Its name.
    infinite : bool
        Whether an infinite range was stated.
    loss : float
        The loss outside of the range; NaN if it is about none.
    """

    def __init__(
        self, found: str, remedy: str, *, objective: str, infinite: bool = False, loss: float = math.nan
    ) -> None:
        super().__init__(f"{found}: {remedy}.")
        self.found, self.remedy, self.objective, self.infinite = found, remedy, objective, infinite
        self.loss = loss

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle, for errors that come from other processes."""
        return _no_range, (self.found, self.remedy, self.objective, self.infinite, self.loss)


def _no_range(found: str, remedy: str, objective: str, infinite: bool, loss: float) -> NoRangeError:
    return NoRangeError(found, remedy, objective=objective, infinite=infinite, loss=loss)


def outside_range(refusal: InvalidInputError, objective: str, loss: float = math.nan) -> NoRangeError:
    """Return a reader's refusal of a loss outside its range, with what a table can be certified by."""
    return NoRangeError(
        str(refusal).rstrip("."),
        "state the range of all possible losses by `loss_range`; of a quantity without a range, such as a latency, open the "
        f"file with loss_range={{{objective!r}: (0, math.inf)}} and certify table.with_objectives(quantile={{{objective!r}: "
        "0.95}) (or `limit` or `cap`), or the mean with engine='asymptotic'",
        objective=objective,
        loss=float(loss),
    )


def request_values(argument: str, values: npt.ArrayLike, *, infinite: bool = False) -> FloatArray:
    """Return values (n, H) as floats, NaN = not measured.

    Raises
    ------
    InvalidInputError
        If they have another shape or are no real numbers; a model was never measured; or a value is infinite, unless
        infinities are allowed.
    """
    found = real_or_missing(argument, values)
    if found.ndim != 2 or not found.size:
        raise InvalidInputError(f"`{argument}` must have shape (n, H), got shape {found.shape}.")
    if found.dtype.kind not in "biuf":
        raise InvalidInputError(f"`{argument}` must be real numbers, got dtype {found.dtype}.")
    table = found.astype(np.float64)
    if not infinite and np.isinf(table).any():
        raise InvalidInputError(
            f"`{argument}` must be finite, or NaN where not measured, got an infinity: of a request that was given up, give "
            "the time limit."
        )
    never = np.flatnonzero(np.isnan(table).all(axis=0))
    if never.size:
        raise InvalidInputError(
            f"`{argument}` must measure every model on some example, got NaN only in column {never[0]}."
        )
    return table


def capped(argument: str, values: FloatArray, cap: float, smallest: float) -> FloatArray:
    """Return min(value, cap), NaN where not measured.

    Raises
    ------
    InvalidInputError
        If the cap is not above the smallest value, or a value is below the smallest possible one.
    """
    low, high = check_real("smallest", smallest), check_real("cap", cap)
    if not low < high:
        raise InvalidInputError(f"`cap` must be above `smallest`, got {high:g} and {low:g}.")
    least = np.nanmin(values)
    if least < low:
        raise InvalidInputError(
            f"`{argument}` must be at least `smallest`, {low:g}, got {least:g}: state the smallest possible value."
        )
    return np.minimum(values, high)
