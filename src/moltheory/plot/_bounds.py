"""Bounds: half-widths against the number of examples, or intervals side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moltheory._core._docs import document
from moltheory.bounds import Bound, Interval
from moltheory.errors import InvalidInputError
from moltheory.plot._axes import refused
from moltheory.plot._bound_bars import bars_of_bounds, bars_of_frame, bars_of_intervals, draw_bars
from moltheory.plot._bound_curves import curves_of, draw_widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bounds"]


@document
def bounds(
    bounds: Any,
    n: Sequence[int] | None = None,
    *,
    estimate: float | None = None,
    ax: Axes | None = None,
    theme: str | None = None,
) -> Axes:
    """Return axes with bounds to compare: half-widths against the number of examples, or intervals as bars.

    Parameters
    ----------
    bounds : mapping, DataFrame, Interval or Bound
        With `n`, a mapping from names to functions of n that return a `Bound`, to sequences of bounds or half-widths, one
        for each n, or to a `Bound` with one half-width for each n: curves. Without, what
        `moltheory.bounds.applicable_bounds` returns, an `Interval` or `Bound`, or a mapping from names to these: bars.
    n : sequence of int, optional
        Numbers of examples.
    estimate : float, optional
        The empirical risk, marked in intervals; half-widths are drawn around it.
    {new_axes}
    {theme}

    Returns
    -------
    matplotlib.axes.Axes
        What is vacuous, no sharper than the range of the loss, is pale and said to be so.

    Raises
    ------
    InvalidInputError
        If `bounds` is something else, or does not fit to `n`.

    Notes
    -----
    Complexity: O(k) marks for k half-widths or intervals.

    Examples
    --------
    >>> import moltheory as mt
    >>> curves = {
    ...     "10 models": lambda n: mt.bounds.finite_class(n, n_hypotheses=10, delta=0.05),
    ...     "dimension 10": lambda n: mt.bounds.vc(n, dimension=10, delta=0.05),
    ... }
    >>> ax = mt.plot.bounds(curves, n=[100, 1000, 10_000])
    >>> table = mt.bounds.applicable_bounds(n=1000, errors=80)
    >>> ax = mt.plot.bounds(table, estimate=0.08)
    """
    if n is not None:
        if not isinstance(bounds, Mapping):
            raise refused("bounds", bounds, "a mapping from names to bounds where `n` is given")
        return draw_widths(curves_of(bounds, n), ax, theme)
    if isinstance(bounds, Mapping):
        if not bounds:
            raise InvalidInputError("`bounds` must hold one bound or more, got an empty mapping.")
        bars = [bar for name, one in bounds.items() for bar in _bars(str(name), one, estimate)]
    else:
        bars = _bars("", bounds, estimate)
    return draw_bars(bars, estimate, ax, theme)


def _bars(name: str, one: Any, estimate: float | None) -> list[Any]:
    if isinstance(one, Interval):
        return bars_of_intervals(name, one)
    if isinstance(one, Bound):
        return bars_of_bounds(name, one, estimate)
    if hasattr(one, "columns") and "quantity" in one:
        return bars_of_frame(one, estimate)
    if callable(one):
        raise InvalidInputError("`n` must be given for bounds that are functions of it, got None.")
    wanted = "an Interval, a Bound, what applicable_bounds returns, or a mapping from names to these"
    raise refused("bounds", one, wanted)
