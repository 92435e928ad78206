"""The panels of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory.certification._words import VERDICTS
from moltheory.plotting import colors_of, label_lines, note, plain_powers, staircase
from moltheory.studies.weight_decay._points import INDEPENDENT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.studies.weight_decay._result import WeightDecayResult

__all__ = ["draw_balance", "draw_bound", "draw_certificate", "draw_conditioning"]

_STYLES = [("truth", "o"), ("coverage", "s"), ("purity", "D"), ("deviation", "^"), ("extra", "v"), ("light", "X")]


def draw_bound(ax: Axes, result: WeightDecayResult) -> None:
    """NC1 during training, and its bound at the same iterates."""
    shown = result.ends.index
    logged = result.sweep.iterates
    logged = logged[logged["network"].isin(shown) & (logged["step"] > 0)]
    for (color, _), linear in zip(_STYLES, result.linear, strict=False):
        medians = _medians(logged[logged["linear"] == linear], ["nc1", "bound"])
        ax.plot(medians.index, medians["nc1"], color=colors_of(ax)[color], label=f"L2 = {linear}")
        if linear == result.linear[-1]:
            seen = medians["bound"][np.isfinite(medians["bound"])]
            look: dict[str, Any] = {"color": colors_of(ax)[color], "linewidth": 1.4, "label": f"bound,\nL2 = {linear}"}
            ax.plot(seen.index, seen, "--", **look)
    ax.set_yscale("log")
    # The bound starts far above.
    ax.set_ylim(top=1e2)
    ax.set_xlabel("time: steps × step size / (1 − momentum)")
    ax.set_ylabel("← better     NC1")
    ax.set_title(f"{result.data}: NC1 and its bound")
    plain_powers(ax)
    label_lines(ax)


def draw_balance(ax: Axes, result: WeightDecayResult) -> None:
    """The imbalance during training relative to its start, and what gradient flow would do."""
    linear = result.depth
    logged = result.sweep.iterates
    logged = logged[logged["network"].isin(result.main.index) & (logged["linear"] == linear)]
    starts = logged.groupby("network")["gap"].transform("first")
    lowest = 0.3 * float((logged["gap"] / starts).groupby([logged["decay"], logged["time"]]).median().min())
    times = np.linspace(0.0, float(logged["time"].max()), 300)
    for (color, _), decay in zip(_STYLES[1:], result.decays, strict=False):
        gaps = _medians(logged[logged["decay"] == decay], ["gap"])["gap"]
        ax.plot(gaps.index, gaps / gaps.iloc[0], color=colors_of(ax)[color], label=f"decay\n{decay:g}")
        flow = np.exp(-2.0 * decay * times)
        seen = flow > lowest
        ax.plot(times[seen], flow[seen], ":", color=colors_of(ax)["truth"], linewidth=1.2, zorder=3)
    ax.set_yscale("log")
    ax.set_ylim(lowest, 3.0)
    ax.set_xlabel("time: steps × step size / (1 − momentum)")
    ax.set_ylabel("← better     imbalance / at start")
    ax.set_title(f"Balance of linear layers, L2 = {linear}")
    note(ax, "dotted: exp(−2 decay × time)", at=(0.98, 0.96), ha="right")
    plain_powers(ax)
    label_lines(ax)


def draw_conditioning(ax: Axes, result: WeightDecayResult) -> None:
    """Condition number of the class means over linear layers, and over step sizes."""
    from matplotlib.ticker import NullFormatter, NullLocator

    rates = result.sweep.networks
    rates = rates[rates["rates"] & rates["fit"].notna()]
    # Between the two groups is room for a line.
    ticks: list[tuple[float, str]] = []
    for start, values, part, by, color, marker in (
        (0, result.linear, result.ends, "linear", "coverage", "o"),
        (len(result.linear) + 0.6, sorted(rates["rate"].unique()), rates, "rate", "purity", "D"),
    ):
        found = part[part["nc2"] < INDEPENDENT].groupby(by)["nc2"].agg(["median", "min", "max"])
        x = start + np.searchsorted(values, found.index)
        ax.vlines(x, found["min"], found["max"], color=colors_of(ax)[color], linewidth=1.4)
        ax.plot(x, found["median"], marker=marker, color=colors_of(ax)[color], linewidth=1.4)
        ticks += [(start + k, f"{value:g}".replace("0.", ".", 1)) for k, value in enumerate(values)]
    ax.axvline(len(result.linear) - 0.2, color=colors_of(ax)["bound"], linewidth=0.8)
    ax.set_xticks([x for x, _ in ticks], [text for _, text in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(-0.5, ticks[-1][0] + 0.5)
    low, high = ax.get_ylim()
    ax.set_ylim(min(1.0, low), high + 0.16 * (high - low))
    ax.set_xlabel("linear layers L2      |      step size")
    ax.set_ylabel("← better     NC2, condition number")
    ax.set_title("Class means: median and range")
    note(ax, f"decay {result.shown:g}", at=(0.03, 0.96))
    note(ax, f"step sizes at L2 = {result.depth}", at=(0.98, 0.96), ha="right")


def draw_certificate(ax: Axes, result: WeightDecayResult) -> None:
    """Test error against norm of all networks, and what the test set proves of them."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import NullFormatter

    ends, certificate = result.main, result.two
    handles: list[Any] = []
    paper: Any = ax.get_facecolor()
    kinds = {"excluded": certificate.excluded, "sure": certificate.sure}
    kinds["undecided"] = ~(certificate.excluded | certificate.sure)
    for (color, marker), linear in zip(_STYLES, result.linear, strict=False):
        own = (ends["linear"] == linear).to_numpy()
        for kind, chosen in kinds.items():
            part = ends[own & chosen]
            face = {"sure": colors_of(ax)[color], "undecided": paper, "excluded": colors_of(ax)["bound"]}[kind]
            edge = colors_of(ax)["bound"] if kind == "excluded" else colors_of(ax)[color]
            size = 9.0 if kind == "sure" else 5.0
            ax.plot(
                part["norm"],
                part["test_error"],
                marker,
                markersize=size,
                color=edge,
                markerfacecolor=face,
                zorder=4 if kind == "sure" else 3 if kind == "undecided" else 2,
            )
        handles.append(Line2D([], [], color=colors_of(ax)[color], marker=marker, linestyle="", label=f"L2 = {linear}"))
    ink = colors_of(ax)["truth"]
    for kind, face in (("sure", ink), ("undecided", paper), ("excluded", colors_of(ax)["bound"])):
        edge = colors_of(ax)["bound"] if kind == "excluded" else ink
        label = f"{VERDICTS[kind]}: {int(kinds[kind].sum())}"
        handles.append(Line2D([], [], color=edge, marker="o", linestyle="", markerfacecolor=face, label=label))
    ax.set_xscale("log")
    low, high = float(ends["test_error"].min()), float(ends["test_error"].max())
    ax.set_ylim(max(0.0, low - 0.1 * (high - low)), high + 0.55 * (high - low))
    ax.set_xlim(float(ends["norm"].min()) * 0.85, float(ends["norm"].max()) * 1.15)
    staircase(ax, ends[["norm", "test_error"]].to_numpy(), color=colors_of(ax)["truth"], linewidth=0.8, zorder=1)
    ticks = [
        tick
        for tick in (5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 300, 500)
        if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]
    ]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("← better     half the sum of squared norms")
    ax.set_ylabel("← better     test error")
    ax.set_title(f"What {len(result.sweep.test_losses):,} test images prove")
    ax.legend(handles=handles, loc="upper right", ncols=2, columnspacing=1.0, handletextpad=0.2, fontsize=9.5)
    plain_powers(ax)


def _medians(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    found: pd.DataFrame = rows.groupby("time")[names].median()
    return found
