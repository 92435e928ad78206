"""Objectives of values per request that are means of bounded losses, whatever the tail of the values.

The values, such as seconds or tokens, may have any distribution. What is compared is a share of requests, or a mean of
capped values: paired tests and intervals for 0/1 and bounded losses apply. A value that is NaN was not measured; which
ones were is assumed to be independent of the values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import as_readonly, check_choice, check_names, check_real, real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation._requests import capped, request_values
from moltheory.objectives import Cell, Mean

__all__ = ["CappedMean", "ExceedanceRate", "MeasuredMean", "WinRate"]


class MeasuredMean(Mean):
    """Mean of losses (n, H) over the requests on which they were measured; bools stay bools if none is missing."""

    def __init__(self, losses: npt.NDArray[np.bool_ | np.number]) -> None:
        self.cells = (Cell(as_readonly(losses), as_readonly(np.ones(losses.shape[0], dtype=np.bool_))),)


class ExceedanceRate(MeasuredMean):
    """Share of requests whose value is above a limit: one minus the service level.

    The losses are 0/1 and paired, so that no range is needed and exact tests apply.

    Parameters
    ----------
    values : (n, H) array_like
        Value of each model on each request, such as seconds; NaN = not measured. Infinite = never finished.
    limit : float
        In units of the values, fixed before the data. A value equal to the limit is within it.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    Complexity: O(n H) time and memory.

    Examples
    --------
    >>> import moltheory as mt
    >>> seconds = np.array([[0.8, 2.5], [1.2, 2.0], [1.9, 0.7]] * 100)  # of two models on 300 requests
    >>> found = mt.certify(None, objectives={"late": ExceedanceRate(seconds, limit=2.0)}, names=["a", "b"])
    >>> found.estimates[:, 0].round(3), found.status
    (array([0.   , 0.333]), ('sure', 'excluded'))
    """

    loss_range = (0.0, 1.0)

    def __init__(self, values: npt.ArrayLike, limit: float) -> None:
        table = request_values("values", values, infinite=True)
        self.limit = check_real("limit", limit)
        super().__init__(_zero_one(table > self.limit, ~np.isnan(table)))


class CappedMean(MeasuredMean):
    """Mean of min(value, cap): the mean in which no request counts for more than the cap.

    It is below the mean of the values wherever some exceed the cap, and for requests that are given up at a time limit,
    the cap, it is the mean time that was waited.

    Parameters
    ----------
    values : (n, H) array_like
        Value of each model on each request; NaN = not measured. Infinite = never finished.
    cap : float
        In units of the values, fixed before the data. The range of the losses, unless one is stated, is from `smallest`
        to `cap`; a cap far above the usual values makes intervals wide and tests weak.
    smallest : float, default 0
        Smallest possible value.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or a value is below the smallest possible one.

    Notes
    -----
    Complexity: O(n H) time and memory.

    Examples
    --------
    >>> import moltheory as mt
    >>> seconds = np.array([[0.5, 2.0], [1.5, 90.0]] * 100)  # of two models on 200 requests
    >>> found = mt.certify(None, objectives={"seconds": CappedMean(seconds, cap=10.0)}, names=["a", "b"])
    >>> found.estimates[:, 0], found.status
    (array([1., 6.]), ('sure', 'excluded'))
    """

    def __init__(self, values: npt.ArrayLike, cap: float, *, smallest: float = 0.0) -> None:
        super().__init__(capped("values", request_values("values", values, infinite=True), cap, smallest))
        self.cap = check_real("cap", cap)
        self.default_range = (check_real("smallest", smallest), self.cap)


class WinRate(MeasuredMean):
    """Share of requests on which each model is slower than a fixed reference: the share that the reference wins.

    Minimised, as every loss here. The losses are 0/1 and paired; they do not depend on units, nor on how much slower.

    Parameters
    ----------
    values : (n, H) array_like
        Value of each model on each request; NaN = not measured. Infinite = never finished.
    against : (n,) array_like, int or str
        Values of the reference on the same requests. Or its column in `values`, by number or by name: **the reference is
        then left out of the measure**, which is of the H - 1 others, as it would have the value 0 for no merit. Leave it
        out of the other objectives too.
    names : sequence of str, optional
        Names of the H models, where `against` is one.

    Attributes
    ----------
    names : tuple of str
        Names of the models that are compared.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Notes
    -----
    A tie is a request on which the model is not slower. A request on which the reference was not measured counts for no
    model. Two requests that never finished are a tie.

    Complexity: O(n H) time and memory.

    Examples
    --------
    >>> import moltheory as mt
    >>> seconds = np.array([[1.0, 2.0, 0.9], [3.0, 2.0, 2.0]] * 100)  # of three models on 200 requests
    >>> slower = WinRate(seconds, against="baseline", names=["a", "baseline", "b"])
    >>> found = mt.certify(None, objectives={"slower than baseline": slower}, names=slower.names)
    >>> found.names, found.estimates[:, 0], found.status
    (('a', 'b'), array([0.5, 0. ]), ('excluded', 'sure'))
    """

    loss_range = (0.0, 1.0)

    def __init__(
        self, values: npt.ArrayLike, against: npt.ArrayLike | str, *, names: Sequence[str] | None = None
    ) -> None:
        table = request_values("values", values, infinite=True)
        known = check_names("names", names, length=table.shape[1], stem="model")
        if isinstance(against, str) and names is None:
            raise InvalidInputError(f"`names` must be given where `against` is a name, got {against!r} and none.")
        if isinstance(against, str):
            against = known.index(check_choice("against", against, known))
        given = real_or_missing("against", against)
        if given.ndim == 0:
            column = _column(given, table.shape[1])
            reference = table[:, column]
            others = np.arange(table.shape[1]) != column
            table, known = table[:, others], tuple(np.array(known, dtype=object)[others])
        else:
            reference = given.astype(np.float64)
        if reference.shape != table.shape[:1]:
            raise InvalidInputError(
                f"`against` must hold one value for each of {table.shape[0]} requests, got shape {reference.shape}."
            )
        measured = ~np.isnan(table) & ~np.isnan(reference)[:, None]
        never = np.flatnonzero(~measured.any(axis=0))
        if never.size:
            raise InvalidInputError(
                f"`against` must be measured on some request of every model, got none of {known[never[0]]!r}."
            )
        self.names = known
        super().__init__(_zero_one(table > reference[:, None], measured))


def _column(against: npt.NDArray[np.generic], n_models: int) -> int:
    """Return the column of the reference; refuse all but the number of one of two columns or more."""
    number = against.item()
    if against.dtype.kind not in "iu" or not 0 <= number < n_models or n_models < 2:
        raise InvalidInputError(
            f"`against` must be the values of the reference, its name, or its column from 0 to {n_models - 1} beside "
            f"others, got {number!r}."
        )
    return int(number)


def _zero_one(
    happened: npt.NDArray[np.bool_], measured: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_] | npt.NDArray[np.float64]:
    """Return bools, or 0.0, 1.0 and NaN where some were not measured."""
    return happened if measured.all() else np.where(measured, happened.astype(np.float64), np.nan)
