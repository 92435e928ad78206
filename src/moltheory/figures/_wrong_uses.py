"""Valid tools used wrongly: looking again at a fixed-size certificate, limits and orders from the tested examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory.bounds import binomial_interval
from moltheory.figures._ticks import plain_sizes
from moltheory.figures._wrong_uses_numbers import BATCH, SAMPLE, TUNED, looks_until_false, tuned_limits
from moltheory.plotting import colors_of, label_lines
from moltheory.reports import Figure, Settings
from moltheory.runs import run_blocks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["WrongUses"]

_DELTA = 0.05
_BLOCK = 10  # runs of one block of work
_MODELS = (2, 5, 10, 20)
# By use: what the panel writes, whether it is right, marks.
_LOOKS = {
    "certificate computed again": ("certify, computed\nagain at every look", False, "o-"),
    "stream": ("CertificateStream", True, "s-"),
}
_LIMITS = {
    "order from the tested examples": ("order from the\ntested examples", False, "o-"),
    "limits after looking": ("limits chosen after\nlooking at the tests", False, "^--"),
    "order from a pilot": ("order from a pilot", True, "s-"),
    "boxes, any limits": ("boxes,\nany limits", True, "D--"),
}


@dataclass(frozen=True)
class WrongUsesResult:
    """Runs with a false claim: by use and number of looks, and by use and number of configurations."""

    looks: pd.DataFrame
    limits: pd.DataFrame


class WrongUses(Figure[WrongUsesResult]):
    """Share of runs with a false claim, for wrong uses and for the right ones, against how often they are tempted."""

    name = "wrong_uses"
    title = "A guarantee holds for its use: looking again and tuned limits break it, streams and boxes do not"
    n_panels = 2
    chapter = "Certificates"

    def compute(self, settings: Settings) -> WrongUsesResult:
        """Draw data for which a claim is as hard to avoid as it can be, and count false ones."""
        import pandas as pd

        # Looking takes longer than testing limits.
        first, second = (1, 2) if settings.quick else (40, 60)
        most = 8 if settings.quick else 64
        options: Any = {"n_jobs": settings.n_jobs, "progress": settings.progress, "description": self.name}
        looked = [(most, k * _BLOCK, (k + 1) * _BLOCK, settings.seed, _DELTA) for k in range(first)]
        when = np.concatenate(run_blocks(looks_until_false, looked, **options))
        looks = [
            _row("looks", count, use, when[:, way] <= count)
            for way, use in enumerate(_LOOKS)
            for count in (2 ** np.arange(int(np.log2(most)) + 1)).tolist()
        ]
        asked = [(m, k * _BLOCK, (k + 1) * _BLOCK, settings.seed, _DELTA) for m in _MODELS for k in range(second)]
        found = run_blocks(tuned_limits, asked, **options)
        limits = []
        for column, use in enumerate(TUNED):
            for models in _MODELS:
                wrong = np.concatenate([part for part, one in zip(found, asked, strict=True) if one[0] == models])
                limits.append(_row("models", models, use, wrong[:, column]))
        return WrongUsesResult(pd.DataFrame(looks), pd.DataFrame(limits))

    def draw(self, result: WrongUsesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw shares of runs with a false claim, with 95 % intervals; what is promised is a line."""
        panels: Any = (
            (axes[0], result.looks, "looks", _LOOKS, (1, 4, 16, 64)),
            (axes[1], result.limits, "models", _LIMITS, _MODELS),
        )
        for ax, table, column, uses, ticks in panels:
            palette = colors_of(ax)
            plain_sizes(ax, ticks)
            for use, (label, right, style) in uses.items():
                part = table[table["use"] == use]
                color = palette["coverage" if right else "purity"]
                ax.plot(part[column], part["share"], style, color=color, label=label, markersize=6.0)
                ax.vlines(part[column], part["low"], part["high"], color=color, linewidth=1.2, alpha=0.6)
            ax.axhline(_DELTA, color=palette["truth"], linewidth=1.0, linestyle="--", label="_promised", zorder=1)
            ax.set_ylim(0.0, max(0.3, 1.12 * float(table["high"].max())))
            marks = np.arange(0.0, ax.get_ylim()[1], 0.1 if ax.get_ylim()[1] < 0.6 else 0.2)
            ax.set_yticks(marks, [f"{mark:.0%}" for mark in marks])
            ax.set_ylabel("← better     runs with a false claim")
            label_lines(ax)
        axes[0].set_xlabel(f"looks, one every {BATCH} examples")
        axes[0].set_title("Looking until something is decided")
        axes[1].set_xlabel("number of configurations")
        axes[1].set_title("Limits and orders")
        end = axes[0].get_xlim()[1]
        axes[0].text(end, _DELTA, f"promised: at most {_DELTA:.0%} ", fontsize=9.0, ha="right", va="bottom")
        return axes

    def caption(self, result: WrongUsesResult) -> str:
        """Quote the shares at the right ends."""
        looks, limits = result.looks, result.limits
        most = looks["looks"].max()
        last = looks[looks["looks"] == most].set_index("use")["share"]
        many = limits[limits["models"] == _MODELS[-1]].set_index("use")["share"]
        return (
            f"Confidence {1 - _DELTA:.0%}. Computed again at each of {most} looks until it decides, a fixed-size "
            f"certificate is false in {last.iloc[0]:.0%} of the runs, a stream in {last.iloc[1]:.0%}. With {_MODELS[-1]} "
            f"configurations, an order from the tested examples is in {many.iloc[0]:.0%}, limits chosen after testing in "
            f"{many.iloc[1]:.0%}; an order from a pilot in {many.iloc[2]:.0%}, boxes in {many.iloc[3]:.0%}."
        )

    def details(self, result: WrongUsesResult) -> str:
        """Say what was drawn, and what counts as false."""
        first, second = int(result.looks["runs"].iloc[0]), int(result.limits["runs"].iloc[0])
        return (
            f"First panel: two models of the same risk, one of them dearer and so not on the front; false is the verdict "
            f"that it is. {first} runs; one ends when the dearer model is decided. Second panel: {SAMPLE:,} examples, 0/1 "
            f"losses, {second} runs. Orders: all configurations miss the limit by a hair; the fixed sequence tests them by "
            f"their errors on the tested examples, or on a pilot of a quarter. Limits: risks from 0.1 to 0.9, the smallest "
            f"first; of all limits the least lucky one counts, as it may be the one that is chosen. Boxes are judged by the "
            f"same rule. Vertical bars are 95% Clopper-Pearson intervals."
        )

    def tables(self, result: WrongUsesResult) -> Mapping[str, pd.DataFrame]:
        """Return both counts."""
        return {"looks": result.looks, "limits": result.limits}


def _row(column: str, at: int, use: str, wrong: npt.NDArray[np.bool_]) -> dict[str, Any]:
    runs, count = wrong.size, int(wrong.sum())
    ends = binomial_interval(count, runs, delta=0.05)
    return {
        column: int(at),
        "use": use,
        "runs": runs,
        "wrong": count,
        "share": count / runs,
        "low": float(ends.lower),
        "high": float(ends.upper),
    }
