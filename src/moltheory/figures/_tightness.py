"""Bounds against what happens, on real data and exactly on a small world, and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.bounds import finite_class
from moltheory.experiments import asymmetry
from moltheory.figures._bound_families import (
    DIVERGENCE,
    EXTREME,
    MEMBERS,
    class_widths,
    draw_families,
    member_gains,
    posterior_gains,
)
from moltheory.figures._fast_widths import GAINS, fast_widths
from moltheory.figures._populations import data_set
from moltheory.plotting import colors_of, label_lines, log_sizes, note, readable_color
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
    """Quantiles of the deviation beside the width per data set, exact levels, factors gained, and bounds side by side."""

    deviations: pd.DataFrame
    levels: pd.DataFrame
    gains: pd.DataFrame
    posteriors: pd.DataFrame
    members: pd.DataFrame
    classes: pd.DataFrame


class Tightness(Figure[TightnessResult]):
    """Widths over the 95% quantile of the largest deviation, their exact failures, and which bound is narrowest where."""

    name = "tightness"
    title = "Distribution-free widths hold, at up to about twice the deviation that they bound"
    n_panels = 6
    chapter = "Bounds"

    def compute(self, settings: Settings) -> TightnessResult:
        """Simulate the real data sets, twice, and enumerate the reference world."""
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
            pd.DataFrame(rows),
            _exact_levels([5, 10, 20, 50] if settings.quick else [5, 10, 20, 50, 100]),
            fast_widths(sizes=sizes, replicates=20 if settings.quick else 400, seed=settings.seed, delta=_DELTA),
            posterior_gains(sizes=sizes, delta=_DELTA),
            member_gains(delta=_DELTA),
            class_widths(sizes=sizes, delta=_DELTA),
        )

    def draw(self, result: TightnessResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw ratios of widths and deviations, exact failure probabilities, factors gained, and bounds side by side."""
        _draw_ratios(axes[0], result.deviations)
        _draw_levels(axes[1], result.levels)
        _draw_gains(axes[2], result.gains)
        draw_families(axes[3:], result.posteriors, result.members, result.classes)
        return axes

    def caption(self, result: TightnessResult) -> str:
        """Quote ratios and failures."""
        ratio = result.deviations["width"] / result.deviations["deviation"]
        row = _example(result.levels)
        gains = result.gains.groupby("data_set")["largest"].max()
        return (
            f"On three real data sets the guaranteed width is {ratio.min():.1f} to {ratio.max():.1f} times the largest "
            f"deviation (95% quantile), at every n from {result.deviations['size'].min():,} to "
            f"{result.deviations['size'].max():,}. With four models the failure probability is known exactly: promised "
            f"{number_text(row['delta'], 2)}, it is {number_text(row['failure'], 1)} at n = {int(row['size'])}. Widths per "
            f"model are up to {gains['breast cancer']:.1f} times (breast cancer) and {gains['digits']:.1f} times (digits) "
            f"narrower."
        )

    def details(self, result: TightnessResult) -> str:
        """Say what is compared, and how often a width failed."""
        return (
            f"First panel: 95% quantile over samples of the largest deviation over all models and rates, under the mean "
            f"width C of Hoeffding's bound with a union over models and rates, at confidence 95%. Share of samples "
            f"above the width: at most {number_text(result.deviations['failures'].max(), 2)}.\n"
            f"Second panel: exact probability that some risk of the reference world (four models, two objectives) is off by "
            f"more than its width, by enumeration of all sample types, for n = {_sizes(result.levels)}; where it is 0 "
            f"nothing is drawn. It moves in steps because risks of n examples are multiples of 1/n.\n"
            f"Third panel: Hoeffding's width over that of the relative-entropy ball of the same rate, both for all models "
            f"and rates at once at confidence 95%, given the number of examples behind each rate; mean over samples of the "
            f"median and of the largest factor over models and rates. Smallest factor: "
            f"{result.gains['smallest'].min():.3f}. Share of samples in which some rate is outside of its limits: at most "
            f"{number_text(result.gains['failures'].max(), 2)}.\n"
            f"{_families(result)}"
        )

    def tables(self, result: TightnessResult) -> Mapping[str, pd.DataFrame]:
        """Return deviations, levels, factors gained, and the bounds that are compared with each other."""
        return {
            "deviations": result.deviations,
            "levels": result.levels,
            "gains": result.gains,
            "posteriors": result.posteriors,
            "members": result.members,
            "classes": result.classes,
        }


def _draw_ratios(ax: Axes, table: pd.DataFrame) -> None:
    """Draw how many times the deviation the width is, above the line of widths that could not be narrower."""
    palette = colors_of(ax)
    for name, (color, marker) in _SETS.items():
        part = table[table["data_set"] == name.replace("_", " ")]
        label = name.replace("_", "\n")
        ax.plot(part["size"], part["width"] / part["deviation"], f"{marker}-", color=palette[color], label=label)
    ax.axhline(1.0, color=palette["bound"], linestyle="--")
    ax.annotate(
        "width = deviation (95% quantile)", (0.03, 1.0), (0, -5), xycoords=("axes fraction", "data"),
        textcoords="offset points", va="top", fontsize=10.0, color=readable_color(ax, palette["bound"]),
    )  # fmt: skip
    log_sizes(ax)
    ax.set_ylim(0, 2.4)
    ax.set_ylabel("← better     width / deviation")
    ratio = table["width"] / table["deviation"]
    ax.set_title(f"Real data: {ratio.min():.1f} to {ratio.max():.1f} × the deviation")
    label_lines(ax)


def _draw_gains(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the factors by which widths that depend on the model are narrower: the largest, and the median dashed."""
    palette = colors_of(ax)
    for name in GAINS:
        color, marker = _SETS[name]
        part = table[table["data_set"] == name.replace("_", " ")]
        label = name.replace("_", "\n")
        ax.plot(part["size"], part["largest"], f"{marker}-", color=palette[color], label=f"{label},\nlargest")
        ax.plot(part["size"], part["median"], f"{marker}--", color=palette[color], label=f"{label},\nmedian")
    ax.axhline(1.0, color=palette["bound"], linestyle="--")
    ax.annotate(
        "no gain: never below", (0.03, 1.0), (0, -5), xycoords=("axes fraction", "data"),
        textcoords="offset points", va="top", fontsize=10.0, color=readable_color(ax, palette["bound"]),
    )  # fmt: skip
    log_sizes(ax)
    ax.set_yscale("log")
    ax.set_ylim(0.7, 2.0 * table["largest"].max())
    ax.set_ylabel("uniform width / own width     better →")
    ax.set_title(f"Per model: up to {table['largest'].max():.1f} × less")
    label_lines(ax)


def _draw_levels(ax: Axes, table: pd.DataFrame) -> None:
    """Draw exact failure probabilities against those promised: the largest n in color, the others in gray."""
    palette = colors_of(ax)
    sizes = sorted(table["size"].unique())
    line = np.array([table["delta"].min(), table["delta"].max()])
    ax.fill_between(line, line, 2.0, color=palette["purity"], alpha=0.1, linewidth=0)
    ax.plot(line, line, color=palette["purity"], label="promised")
    for size in sizes:
        part = table[table["size"] == size]
        look: dict[str, Any] = {"color": palette["bound"], "linewidth": 0.9, "alpha": 0.8}
        if size == sizes[-1]:
            look = {"color": palette["coverage"], "label": f"n = {size}"}
        elif size == sizes[0]:
            look["label"] = f"n = {size} to {sizes[-2]}"
        ax.plot(part["delta"], part["failure"].where(part["failure"] > 0), **look)
    row = _example(table)
    x, y = float(row["delta"]), float(row["failure"])
    arrow = {"arrowstyle": "<->", "color": palette["truth"], "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (x, y), (x, x), arrowprops=arrow)
    # Beside the arrow, where neither the line nor the steps are.
    factor = f"{float(f'{x / y:.1g}'):,.0f}"
    ax.text(x / 1.1, 4.2 * y, f"about {factor}\ntimes less", ha="right", va="center", fontsize=10.0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(*line)
    ax.set_ylim(4e-6, 2)
    note(ax, "would break the promise", at=(0.04, 0.94))
    ax.set_title("Four models: failures are rare")
    ax.set_xlabel("promised failure probability δ")
    ax.set_ylabel("exact failure probability")
    label_lines(ax)


def _example(levels: pd.DataFrame) -> pd.Series[float]:
    """Return the row of the largest n whose promise is closest to 0.05."""
    part = levels[levels["size"] == levels["size"].max()]
    found: pd.Series[float] = part.iloc[int(np.abs(np.log(part["delta"].to_numpy() / _DELTA)).argmin())]
    return found


def _families(result: TightnessResult) -> str:
    """Say what the last three panels compare, and quote the factor of each bound at its best."""
    last = result.posteriors[result.posteriors["size"] == result.posteriors["size"].max()]
    factors = last.set_index("method")["factor"].drop("kl").sort_values(ascending=False)
    least = result.members[result.members["risk"] == result.members["risk"].min()].set_index("method")["factor"]
    widths = result.classes[result.classes["size"] == result.classes["size"].max()].set_index("class")["width"]
    return (
        f"Fourth panel: PAC-Bayes bounds on averages of losses that are 1/2 but for {number_text(200 * EXTREME)}% of the "
        f"examples, half of which are 0 and half 1, for a posterior with divergence {number_text(DIVERGENCE)} from its "
        f"prior. They are narrower than the one of kl by the factors {_named(factors)} at the last n; at such risks that of "
        f"kl is Hoeffding's.\n"
        f"Fifth panel: one member of a class of {MEMBERS[0]:,}, with n = {MEMBERS[1]:,} and 0/1 losses, against Hoeffding's "
        f"width of the class; for squared losses of linear functions, localized complexities against the complexity of all "
        f"of them. At the smallest risk the factors are {_named(least)}.\n"
        f"Sixth panel: half-widths of infinite classes, at the last n {_named(widths)}; weights and inputs have norm 1."
    )


def _named(values: pd.Series[float]) -> str:
    return joined(f"{number_text(float(value), 2)} ({name})" for name, value in values.items())


def _sizes(levels: pd.DataFrame) -> str:
    return joined(f"{size:,}" for size in sorted(levels["size"].unique()))


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
