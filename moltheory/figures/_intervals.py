"""Intervals for one mean: how close each is to its level, and which one is the narrowest where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.bounds import binomial_interval, mean_interval
from moltheory.inference._methods import METHODS
from moltheory.plotting import COLORS, log_sizes
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Intervals"]

_N = 100
_DELTA = 0.05
_LOOKS: dict[str, tuple[str, Any]] = {
    "hoeffding": ("bound", ":"),
    "empirical-bernstein": ("deviation", "-."),
    "kl": ("light", "--"),
    "hoeffding-bentkus": ("extra", (0, (5, 1))),
    "clopper-pearson": ("truth", "-"),
    "betting": ("purity", "-"),
}
# A method without a look of its own is drawn too, in gray.
_STYLES = {
    name: (METHODS[name].label, *_LOOKS.get(name, ("bound", (0, (1, 3)))))
    for name in (*_LOOKS, *(name for name in METHODS if name not in _LOOKS))
}


@dataclass(frozen=True)
class IntervalsResult:
    """Exact failure probabilities and widths on 0/1 losses, and mean widths on skewed losses."""

    failures: pd.DataFrame
    widths: pd.DataFrame
    skewed: pd.DataFrame


class Intervals(Figure[IntervalsResult]):
    """Failure probability against p, width against the observed rate, and widths on losses between 0 and 1."""

    name = "intervals"
    title = "Every interval keeps its level; the exact one is narrowest for 0/1 losses, betting for others"
    n_panels = 3

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
        """Draw exact failure probabilities, widths by observed rate, and widths on skewed losses."""
        first, second, third = axes
        for method, (label, color, line) in _STYLES.items():
            look: dict[str, Any] = {"color": COLORS[color], "linestyle": line, "label": label}
            if method in result.failures:
                first.plot(result.failures["p"], np.maximum(result.failures[method], 1e-7), **look | {"linewidth": 1.3})
                second.plot(result.widths["rate"], result.widths[method], **look)
            part = result.skewed[result.skewed["method"] == method]
            if len(part):
                third.plot(part["size"], part["width"], **look)
        first.axhline(_DELTA, color=COLORS["purity"], linewidth=1)
        first.set_yscale("log")
        first.set_ylim(1e-6, 0.2)
        first.set_title(f"Exact level, 0/1 losses, n = {_N}")
        first.set_xlabel("true error p")
        first.set_ylabel("P(interval misses p)")
        second.set_title(f"Width, 0/1 losses, n = {_N}")
        second.set_xlabel("observed error rate")
        second.set_ylabel("← better     width of the interval")
        second.set_ylim(0, 0.42)
        second.legend(loc="lower center")
        third.set_yscale("log")
        third.set_title("Width, skewed losses, mean 0.05")
        third.set_ylabel("← better     mean width")
        log_sizes(third)
        third.legend(loc="lower left")
        return axes

    def caption(self, result: IntervalsResult) -> str:
        """Quote the largest failure probability per method, and the widths at the ends."""
        worst = ", ".join(
            f"{_STYLES[method][0]} {result.failures[method].max():.2g}" for method in result.failures.columns[1:]
        )
        last = result.skewed[result.skewed["size"] == result.skewed["size"].max()].set_index("method")["width"]
        order = ", ".join(f"{_STYLES[str(method)][0]} {width:.2g}" for method, width in last.sort_values().items())
        return (
            f"Two-sided intervals at failure probability {_DELTA:g} per mean. First panel: exact probability of "
            f"missing p for n = {_N} 0/1 losses, never above the level (line); largest values: {worst}. Second panel: "
            f"for 0/1 losses Clopper-Pearson is never wider than Chernoff-kl or Hoeffding-Bentkus. Third panel: for "
            f"losses between 0 and 1 (Beta(0.5, 9.5)) mean widths at n = {int(result.skewed['size'].max()):,}: "
            f"{order}."
        )

    def tables(self, result: IntervalsResult) -> Mapping[str, pd.DataFrame]:
        """Return all curves."""
        return {"failure_probability": result.failures, "widths": result.widths, "skewed_losses": result.skewed}
