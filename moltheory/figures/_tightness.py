"""Bounds against what happens: the largest deviation on real data, and the exact level on a small world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import finite_class
from moltheory.experiments import asymmetry
from moltheory.figures._populations import data_set
from moltheory.plotting import COLORS, log_sizes
from moltheory.problems import reference_world
from moltheory.reports import Figure, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Tightness"]

_DELTA = 0.05
_SETS = {"breast_cancer": ("truth", "o"), "digits": ("coverage", "s"), "wine": ("purity", "^")}


@dataclass(frozen=True)
class TightnessResult:
    """Quantiles of the deviation beside the width per data set, and exact levels on the reference world."""

    deviations: pd.DataFrame
    levels: pd.DataFrame


class Tightness(Figure[TightnessResult]):
    """The 95 % quantile of the largest deviation beside the width, and the exact failure probability of widths."""

    name = "tightness"
    title = "Distribution-free widths hold, at about twice the deviation that they bound"
    n_panels = 3

    def compute(self, settings: Settings) -> TightnessResult:
        """Simulate the real data sets, and enumerate the reference world."""
        import pandas as pd

        sizes = [100, 300, 1000, 3000] if settings.quick else [100, 300, 1000, 3000, 10_000, 30_000]
        rows = []
        for name in _SETS:
            table = asymmetry(
                data_set(name),
                sizes=sizes,
                replicates=100 if settings.quick else 2000,
                rng=settings.seed,
                delta=_DELTA,
                n_jobs=settings.n_jobs,
                progress=settings.progress,
                store=settings.store_for(self.name, name),
            )
            for size, group in table[~table["undefined"]].groupby("size"):
                rows.append(
                    {
                        "data_set": name.replace("_", " "),
                        "size": size,
                        "deviation": group["uniform_deviation"].quantile(1 - _DELTA),
                        "width": group["bound"].mean() / 2,
                        "failures": float((group["uniform_deviation"] > group["bound"] / 2).mean()),
                    }
                )
        return TightnessResult(
            pd.DataFrame(rows), _exact_levels([5, 10, 20, 50] if settings.quick else [5, 10, 20, 50, 100])
        )

    def draw(self, result: TightnessResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw deviations and widths, their ratio, and exact levels."""
        first, second, third = axes
        for name, (color, marker) in _SETS.items():
            part = result.deviations[result.deviations["data_set"] == name.replace("_", " ")]
            label = name.replace("_", " ")
            first.plot(part["size"], part["width"], "--", color=COLORS[color])
            first.plot(part["size"], part["deviation"], f"{marker}-", color=COLORS[color], label=label)
            second.plot(part["size"], part["width"] / part["deviation"], f"{marker}-", color=COLORS[color], label=label)
        first.plot([], [], "--", color=COLORS["bound"], label="width C")
        first.set_yscale("log")
        first.set_title("Deviation (95 %) and width")
        first.set_ylabel("← better     largest deviation")
        log_sizes(first)
        first.legend(loc="lower left")
        second.set_ylim(0, 2.5)
        second.set_title("Width / deviation")
        second.set_ylabel("← better     ratio (1 is tight)")
        log_sizes(second)
        for size, part in result.levels.groupby("size"):
            shade = 0.25 + 0.75 * np.log(float(str(size))) / np.log(100)
            third.plot(part["delta"], np.maximum(part["failure"], 1e-12), color=COLORS["coverage"], alpha=min(shade, 1.0),
                       label=f"n = {size}")  # fmt: skip
        line = np.geomspace(1e-3, 0.9, 20)
        third.plot(line, line, color=COLORS["purity"], linewidth=1, label="level asked for")
        third.set_xscale("log")
        third.set_yscale("log")
        third.set_ylim(1e-10, 2)
        third.set_title("Exact level, four models")
        third.set_xlabel("failure probability asked for")
        third.set_ylabel("exact failure probability")
        third.legend(loc="lower right")
        return axes

    def caption(self, result: TightnessResult) -> str:
        """Quote ratios and failures."""
        ratio = result.deviations["width"] / result.deviations["deviation"]
        return (
            f"First panel: 95 % quantile of the largest deviation over all models and rates, beside the mean width C "
            f"that holds with probability 95 % (dashed; Hoeffding and a union bound). Second panel: their ratio lies "
            f"between {ratio.min():.1f} and {ratio.max():.1f}. Share of samples above the width: at most "
            f"{result.deviations['failures'].max():.2g}. Third panel: exact probability that some risk of the "
            f"reference world (four models, two objectives) is off by more than its width, against the probability "
            f"asked for: always below the line."
        )

    def tables(self, result: TightnessResult) -> Mapping[str, pd.DataFrame]:
        """Return deviations and levels."""
        return {"deviations": result.deviations, "levels": result.levels}


def _exact_levels(sizes: list[int]) -> pd.DataFrame:
    """Exact failure probability of joint widths on the reference world, for many levels at once."""
    import pandas as pd

    world = reference_world()
    truth = world.true_risks
    deltas = np.geomspace(1e-3, 0.9, 40)
    rows = []
    for n in sizes:
        widths = np.array(
            [float(finite_class(n, n_hypotheses=4, delta=d, n_objectives=2).width.max()) for d in deltas.tolist()]
        )

        def fails(risks: FloatArray, widths: FloatArray = widths) -> FloatArray:
            deviation = np.abs(risks - truth).max(axis=(1, 2))
            return np.asarray(deviation[:, None] > widths, dtype=np.float64)

        found = world.exact(n).expectation(fails)
        rows += [{"size": n, "delta": d, "failure": p} for d, p in zip(deltas.tolist(), found.tolist(), strict=True)]
    return pd.DataFrame(rows)
