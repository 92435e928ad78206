"""Intervals for one mean: how close each is to its level, and which one is the narrowest where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory.bounds import binomial_interval, mean_interval
from moltheory.figures._inline import write_at
from moltheory.inference._methods import METHODS
from moltheory.plotting import colors_of, label_lines, log_sizes, note, readable_color
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Intervals"]

_N = 100
_DELTA = 0.05
_EXACT, _BETTING = "clopper-pearson", "betting"
# Smallest failure probability drawn.
_LEAST = 1e-6
_LINES: dict[str, Any] = {
    "hoeffding": ":",
    "empirical-bernstein": "-.",
    "kl": "--",
    "hoeffding-bentkus": (0, (5, 1)),
    _EXACT: "-",
    _BETTING: "-",
}
# Of the methods that are not the narrowest; gray otherwise.
_TONES = {"empirical-bernstein": "purity", "kl": "deviation", "hoeffding-bentkus": "extra"}
# A method without a line of its own is drawn too.
_STYLES = {
    name: (METHODS[name].label, _LINES.get(name, (0, (1, 3))))
    for name in (*_LINES, *(name for name in METHODS if name not in _LINES))
}


@dataclass(frozen=True)
class IntervalsResult:
    """Exact failure probabilities and widths on 0/1 losses, and mean widths on skewed losses."""

    failures: pd.DataFrame
    widths: pd.DataFrame
    skewed: pd.DataFrame


class Intervals(Figure[IntervalsResult]):
    """Failure probability by method, width against the observed rate, and widths on losses between 0 and 1."""

    name = "intervals"
    title = "Every interval keeps its promise; the exact one is narrowest for 0/1 losses, betting for others"
    n_panels = 3
    chapter = "Bounds"

    def compute(self, settings: Settings) -> IntervalsResult:
        """Sum binomial probabilities exactly, and average widths over simulated samples of skewed losses."""
        import pandas as pd
        from scipy.stats import binom

        counts = np.arange(_N + 1)
        grid = np.linspace(0.001, 0.999, 200 if settings.quick else 999)
        mass = binom.pmf(counts[None], _N, grid[:, None])
        failures, widths = {"p": grid}, {"rate": counts / _N}
        for method in _STYLES:
            if METHODS[method].in_order:  # no table of counts
                continue
            found = binomial_interval(counts, _N, method=method, delta=_DELTA)
            outside = (grid[:, None] < found.lower) | (grid[:, None] > found.upper)
            failures[method] = (mass * outside).sum(axis=1)
            widths[method] = found.upper - found.lower
        rows = []
        root = as_seed_sequence(settings.seed)
        for n in [30, 100, 300, 1000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000]:
            losses = block_stream(root, "intervals figure", n).beta(0.5, 9.5, size=(n, 20 if settings.quick else 100))
            for method in _STYLES:
                if not METHODS[method].two_valued:
                    found = mean_interval(losses, method=method, delta=_DELTA)
                    missed = (found.lower > 0.05) | (found.upper < 0.05)
                    width = float((found.upper - found.lower).mean())
                    rows.append({"method": method, "size": n, "width": width, "missed": float(missed.mean())})
        return IntervalsResult(pd.DataFrame(failures), pd.DataFrame(widths), pd.DataFrame(rows))

    def draw(self, result: IntervalsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw failure probabilities by method, widths by observed rate, and widths on skewed losses."""
        first, second, third = axes
        _draw_failures(first, result.failures)
        # The other half is a mirror image.
        half = result.widths[result.widths["rate"] <= 0.5]
        for method in result.widths.columns[1:]:
            _curve(second, half["rate"], half[method], method, best=_EXACT)
        second.set_xlim(0, 0.5)
        second.set_ylim(0, 1.05 * half.iloc[:, 1:].to_numpy().max())
        second.set_title("0/1 losses: exact is best")
        second.set_xlabel(f"observed error rate, n = {_N}")
        second.set_ylabel("← better     width of the interval")
        for name, part in result.skewed.groupby("method", sort=False):
            _curve(third, part["size"], part["width"], str(name), best=_BETTING)
        third.set_yscale("log")
        third.set_title("Skewed losses: betting is best")
        third.set_ylabel("← better     mean width")
        log_sizes(third)
        for ax in (second, third):
            label_lines(ax)
        return axes

    def caption(self, result: IntervalsResult) -> str:
        """Quote the failure probability of the exact interval, and the widths of the two narrowest on skewed losses."""
        n = int(result.skewed["size"].max())
        last = result.skewed[result.skewed["size"] == n].set_index("method")["width"].sort_values()
        best, second = (str(method) for method in last.index[:2])
        return (
            f"Two-sided intervals for one mean that may fail with probability {percent_text(_DELTA)}. On {_N} losses of 0 "
            f"or 1 none fails more often, and the exact one, Clopper-Pearson, comes closest "
            f"({_percent(result.failures[_EXACT].max())}) and is narrowest. On skewed losses between 0 and 1 with mean "
            f"0.05, {_STYLES[best][0]} has width {number_text(last[best], 2)} at n = {count_text(n)}, the next method "
            f"({_STYLES[second][0]}) {number_text(last[second], 2)}."
        )

    def details(self, result: IntervalsResult) -> str:
        """Quote the largest failure probability per method, and all widths at the end."""
        worst = ", ".join(
            f"{_STYLES[method][0]} {_percent(result.failures[method].max())}" for method in result.failures.columns[1:]
        )
        last = result.skewed[result.skewed["size"] == result.skewed["size"].max()].set_index("method")["width"]
        order = ", ".join(
            f"{_STYLES[str(method)][0]} {number_text(width, 2)}" for method, width in last.sort_values().items()
        )
        return (
            f"First panel: exact probability of missing the true error p; tips of marks are the largest values over a grid "
            f"of p: {worst}. Bars go from the smallest value to the largest. Betting depends on the order of the "
            f"losses and has no such table.\n"
            f"Second panel: Clopper-Pearson is never wider than Chernoff-kl or Hoeffding-Bentkus. The curves are "
            f"symmetric about 0.5.\n"
            f"Third panel: losses drawn from Beta(0.5, 9.5); mean widths at n = {int(result.skewed['size'].max()):,}: "
            f"{order}."
        )

    def tables(self, result: IntervalsResult) -> Mapping[str, pd.DataFrame]:
        """Return all curves."""
        return {"failure_probability": result.failures, "widths": result.widths, "skewed_losses": result.skewed}


def _draw_failures(ax: Axes, failures: pd.DataFrame) -> None:
    """Draw for each method a mark at the largest failure probability and a bar over all, below the line of the promise."""
    palette = colors_of(ax)
    methods = failures.columns[1:][np.argsort(failures.iloc[:, 1:].max().to_numpy())]
    ax.set_xscale("log")
    ax.set_xlim(_LEAST, 1.0)
    ax.axvspan(_DELTA, 1.0, color=palette["purity"], alpha=0.1, linewidth=0)
    ax.axvline(_DELTA, color=palette["purity"])
    for row, method in enumerate(methods):
        color = _look(ax, method, best=_EXACT)["color"]
        values = np.maximum(failures[method].to_numpy(), _LEAST)
        ax.plot([values.min(), values.max()], [row, row], color=color, alpha=0.45, linewidth=5, solid_capstyle="butt")
        # The tip of the mark is at the value.
        ax.plot(values.max(), row, marker=5, color=color, markersize=9, linestyle="none", label=_STYLES[method][0])
        # The least probabilities have no room to their left.
        at, side = (values.max(), -3) if values.max() > 100.0 * _LEAST else (_LEAST, 4)
        write_at(ax, (at, row), _percent(failures[method].max()), offset=(side, 7), color=color, fontsize=9.0)
    ax.set_yticks(range(len(methods)), [_two_lines(_STYLES[method][0]) for method in methods])
    ax.set_ylim(-0.6, len(methods) + 0.1)
    note(ax, "tip: worst error rate\nbar: all error rates", at=(0.3, 0.1))
    ax.grid(axis="y", visible=False)
    ax.annotate(
        f"promised: {percent_text(_DELTA)}", (_DELTA, 1.0), (-4, -4), xycoords=("data", "axes fraction"),
        textcoords="offset points", ha="right", va="top", fontsize=10.0,
        color=readable_color(ax, palette["purity"]),
    )  # fmt: skip
    ax.set_title("All keep the promise")
    ax.set_xlabel(f"probability that the interval misses\nthe true error rate, n = {_N}")
    ax.set_ylabel("method")


def _curve(ax: Axes, x: pd.Series[float], y: pd.Series[float], method: str, *, best: str) -> None:
    label = _two_lines(_STYLES[method][0]) + ("\n(exact)" if method == _EXACT else "")
    ax.plot(x, y, label=label, **_look(ax, method, best=best))


def _look(ax: Axes, method: str, *, best: str) -> dict[str, Any]:
    """Return the look of a curve: thick and blue for the narrowest, which carries the point."""
    palette = colors_of(ax)
    color = palette["coverage"] if method == best else palette[_TONES.get(method, "bound")]
    return {"color": color, "linestyle": _STYLES[method][1], "linewidth": 3.0 if method == best else 1.6}


def _percent(share: float) -> str:
    return f"{number_text(100.0 * share)}%"


def _two_lines(name: str) -> str:
    """Return a long name with a break where it has a blank or a hyphen."""
    return name.replace(" ", "\n").replace("-", "-\n") if len(name) > 12 else name
