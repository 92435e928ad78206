"""Half-widths against the number of examples, log-log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from moltheory._core._validation import FloatArray, check_count
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.plot._axes import drawing, refused
from moltheory.plotting import colors_of, label_lines, log_sizes, name_text, plain_powers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curves_of", "draw_widths"]

_LINES = ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)))
_TONES = ("coverage", "purity", "deviation", "extra", "light", "truth")


class _Curve(NamedTuple):
    name: str
    sizes: FloatArray
    widths: FloatArray
    # Length of the range of the losses; NaN where unknown.
    limit: float


def curves_of(bounds: Mapping[Any, Any], n: Sequence[int]) -> list[_Curve]:
    """Return the half-widths of each bound at each n: of the objective that is known worst."""
    if not hasattr(n, "__iter__"):
        raise refused("n", n, "a sequence of sample sizes")
    sizes = [check_count("n", size) for size in n]
    if not bounds or not sizes:
        raise InvalidInputError(f"`bounds` and `n` must not be empty, got {len(bounds)} bounds and {len(sizes)} sizes.")
    curves, order = [], np.argsort(sizes, kind="stable")
    for name, one in bounds.items():
        if callable(one):
            found = [_at(str(name), one, size) for size in sizes]
        else:
            found = [one] if isinstance(one, Bound) else list(one)
        if len(found) == 1 and isinstance(found[0], Bound) and found[0].width.shape == (len(sizes),):
            widths, limits = found[0].width, found[0].loss_range
        else:
            widths = np.array([np.max(np.asarray(each, dtype=np.float64)) for each in found])
            limits = np.concatenate(
                [np.ravel(each.loss_range) for each in found if isinstance(each, Bound)] or [np.array([np.nan])]
            )
        if widths.shape != (len(sizes),):
            raise InvalidInputError(
                f"`bounds` must have one half-width for each of {len(sizes)} sizes, got {widths.size} for {str(name)!r}."
            )
        x = np.array(sizes, dtype=np.float64)[order]
        curves.append(_Curve(str(name), x, np.asarray(widths)[order], float(np.max(limits))))
    return curves


def _at(name: str, bound: Any, size: int) -> Any:
    """Return a bound at one size; an error says of which curve it is."""
    try:
        return bound(size)
    except MoltheoryError as error:
        raise InvalidInputError(
            f"`bounds` must hold for each entry of `n`, got an error from curve {name!r} at n = {size}: {error}"
        ) from error


def draw_widths(curves: list[_Curve], ax: Axes | None, theme: str | None) -> Axes:
    """Draw the curves; what is no smaller than the range of the losses is in a shaded part, and pale."""
    with drawing(ax, theme) as drawn:
        _draw(drawn, curves)
        return drawn


def _draw(ax: Axes, curves: list[_Curve]) -> None:
    ax.set_yscale("log")
    log_sizes(ax)
    colors, lines = colors_of(ax), []
    for k, curve in enumerate(curves):
        style: dict[str, Any] = {"color": colors[_TONES[k % len(_TONES)]], "linestyle": _LINES[k % len(_LINES)]}
        lines += ax.plot(curve.sizes, curve.widths, marker="o", markersize=4, label=name_text(curve.name), **style)
    ax.set_ylabel("← better     half-width C")
    limits = {curve.limit for curve in curves if np.isfinite(curve.limit)}
    if len(limits) == 1:
        _shade(
            ax, limits.pop(), max(float(curve.widths[np.isfinite(curve.widths)].max(initial=0.0)) for curve in curves)
        )
    label_lines(ax, lines)
    plain_powers(ax)


def _shade(ax: Axes, limit: float, largest: float) -> None:
    """Shade half-widths that say nothing, if there are any."""
    if largest < limit:
        return
    from moltheory.plotting import note

    ax.axhspan(limit, largest * 4.0, color=colors_of(ax)["bound"], alpha=0.14, linewidth=0)
    low, high = ax.get_ylim()[0], largest * 2.0
    ax.set_ylim(low, high)
    middle = np.log(np.sqrt(limit * high) / low) / np.log(high / low)
    note(ax, f"above {limit:g}: says nothing", at=(0.98, float(middle)), color=colors_of(ax)["bound"], ha="right")
