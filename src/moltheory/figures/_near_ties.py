"""Near-ties: a probability of error that does not vanish, so purity has no distribution-free rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory._core._text import joined
from moltheory.experiments import FrontComparison
from moltheory.figures._inline import write_at
from moltheory.plotting import axis_labels, colors_of, log_sizes, staircase
from moltheory.problems import near_tie, near_tie_limit
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["NearTies"]

_P = 0.3
_FIXED = (0.2, 0.05)
_SHRINKING = "γ = 1/(2√n)"
_STYLES = {_SHRINKING: ("purity", "s", "-"), "γ = 0.05": ("coverage", "o", "--"), "γ = 0.2": ("deviation", "^", ":")}
_SIZES = (25, 400, 10_000)
# Gap of the first panel, which shows what a gap is.
_SHOWN = 0.15
# Probability at which the curves of the third panel are named.
_NAMED = 0.07


@dataclass(frozen=True)
class NearTiesResult:
    """Probability that the decoy is on the empirical front: closed form, simulated, and against the gap."""

    by_size: pd.DataFrame
    by_gap: pd.DataFrame
    limit: float
    replicates: int


class NearTies(Figure[NearTiesResult]):
    """How often a decoy that is worse by gamma is on the empirical front."""

    name = "near_tie"
    title = "However large n is, a decoy that is close enough stays on the front: purity has no rate"
    n_panels = 3
    chapter = "Why"

    def compute(self, settings: Settings) -> NearTiesResult:
        """Evaluate the closed form and simulate it, for fixed gaps and one that shrinks."""
        import pandas as pd

        replicates = 2000 if settings.quick else 100_000
        root = as_seed_sequence(settings.seed)
        rows = []
        for n in np.unique(np.geomspace(4, 10_000, 9 if settings.quick else 18).astype(int)).tolist():
            gaps = {_SHRINKING: _shrinking(n), **{f"γ = {gamma:g}": gamma for gamma in _FIXED}}
            for label, gamma in gaps.items():
                problem = near_tie(_P, gamma)
                rng = block_stream(root, f"near_tie figure {gamma!r}", n)
                found = FrontComparison(problem)(problem.sample(n, replicates=replicates, rng=rng).risks())
                rows.append(
                    {
                        "gap": label,
                        "size": n,
                        "gamma": gamma,
                        "probability": problem.decoy_probability(n),
                        "simulated": float(np.asarray(found["n_spurious"], dtype=np.float64).mean()),
                        "largest_coverage_error": float(np.asarray(found["coverage_error"], dtype=np.float64).max()),
                    }
                )
        gammas = np.geomspace(0.001, 0.5, 25 if settings.quick else 61)
        by_gap = [
            {"size": n, "gamma": gamma, "probability": near_tie(_P, gamma).decoy_probability(n), "marked": marked}
            for n in _SIZES
            for gamma, marked in sorted([*((g, False) for g in gammas.tolist()), (_shrinking(n), True)])
        ]
        return NearTiesResult(pd.DataFrame(rows), pd.DataFrame(by_gap), near_tie_limit(_P), replicates)

    def draw(self, result: NearTiesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw what a gap is, then the probability against n and against the gap."""
        _draw_truth(axes[0])
        _draw_sizes(axes[1], result)
        _draw_gaps(axes[2], result)
        for ax in axes[1:]:
            ax.set_ylim(0, 0.55)
            ax.set_yticks([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], ["0%", "10%", "20%", "30%", "40%", "50%"])
            ax.set_ylabel("← better     P(decoy on the front)")
        return axes

    def caption(self, result: NearTiesResult) -> str:
        """Quote the probabilities at the largest n and at the marks."""
        last = _last(result)
        marks = result.by_gap[result.by_gap["marked"]]
        return (
            f"A decoy costs more and errs more often by γ. A fixed γ is detected: at n = "
            f"{count_text(result.by_size['size'].max())} a decoy with γ = 0.05 is on the empirical front with "
            f"probability {number_text(last['γ = 0.05'], 2)}. But at every n some γ is too small: with {_SHRINKING} "
            f"it is {joined(map(percent_text, marks['probability']))} at n = "
            f"{joined(map(count_text, marks['size']))}."
        )

    def details(self, result: NearTiesResult) -> str:
        """Say what is exact, and what the limit is."""
        table = result.by_size
        off = (table["simulated"] - table["probability"]).abs().max()
        return (
            f"The good model has error {_P:g} and cost 0, the decoy error {_P:g} + γ and cost 1.\n"
            f"Curves are closed forms, marks in the second panel simulations of {count_text(result.replicates)} samples "
            f"(largest difference {number_text(off, 2)}).\n"
            f"With {_SHRINKING} the probability tends to {number_text(result.limit, 4)} as n grows, so no function of n "
            f"that tends to 0 bounds the purity error for all distributions. As γ tends to 0 it comes near 50%, less "
            f"what ties take away: more for small n, so that curves cross.\n"
            f"The coverage error was {number_text(float(table['largest_coverage_error'].max()))} in every sample: the "
            f"good model costs least, so it is always on the empirical front."
        )

    def alt(self, result: NearTiesResult) -> str:
        """Describe the three panels."""
        last = _last(result)
        return (
            f"First panel: the good model, and a decoy to the right of it by γ and above it. Second panel, against n: "
            f"the probability that the decoy is on the empirical front falls to {number_text(last['γ = 0.05'], 2)} for "
            f"γ = 0.05 and rises to {percent_text(last[_SHRINKING])} for {_SHRINKING}. Third panel, against γ: the "
            f"curves for n = {joined(map(count_text, _SIZES))} fall from almost one half to 0, for larger n at smaller "
            f"γ."
        )

    def tables(self, result: NearTiesResult) -> Mapping[str, pd.DataFrame]:
        """Return both sets of probabilities."""
        return {"by_size": result.by_size, "by_gap": result.by_gap}


def _shrinking(n: int) -> float:
    return float(1 / (2 * n**0.5))


def _last(result: NearTiesResult) -> dict[str, float]:
    """Return the probability at the largest size, by gap."""
    table = result.by_size
    part = table[table["size"] == table["size"].max()]
    return dict(zip(part["gap"], part["probability"], strict=True))


def _draw_truth(ax: Axes) -> None:
    colors = colors_of(ax)
    ax.set_xlim(0.14, 0.66)
    ax.set_ylim(-0.3, 1.45)
    staircase(ax, [[_P, 0.0]], color=colors["truth"])
    ax.plot(_P, 0.0, "o", color=colors["truth"], markersize=11)
    ax.plot(_P + _SHOWN, 1.0, "s", color=colors["purity"], markersize=11)
    arrow = {"arrowstyle": "<->", "color": colors["bound"], "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (_P, 0.72), xytext=(_P + _SHOWN, 0.72), arrowprops=arrow)
    ax.plot([_P + _SHOWN] * 2, [0.68, 0.93], color=colors["bound"], linewidth=1)
    write_at(ax, (_P + _SHOWN / 2, 0.72), "gap γ", offset=(0, -5), fontsize=12.0)
    write_at(ax, (_P + _SHOWN, 1.0), "decoy: costs more,\nerrs more by γ", offset=(0, 10), color=colors["purity"])
    write_at(ax, (_P, 0.0), "the one optimal model", offset=(0, -10))
    write_at(ax, (0.65, 0.0), "true front", offset=(-0.1, 5))
    ax.set_xticks([_P, _P + _SHOWN], [f"{_P:g}", f"{_P:g} + γ"])
    ax.set_yticks([0, 1])
    axis_labels(ax, "true error", "cost")
    ax.set_title("1. The truth")


def _draw_sizes(ax: Axes, result: NearTiesResult) -> None:
    colors = colors_of(ax)
    ax.axhline(result.limit, color=colors["bound"], linewidth=1, linestyle=(0, (4, 3)), label="_limit")
    for label, part in result.by_size.groupby("gap"):
        color, marker, line = _STYLES[str(label)]
        ax.plot(part["size"], part["probability"], line, color=colors[color], label=label)
        ax.plot(part["size"], part["simulated"], marker, color=colors[color], markersize=5)
    log_sizes(ax)
    # Each name stands where its curve is far from the others.
    for label, text, size, offset in (
        ("γ = 0.2", "γ = 0.2: soon", 25, (5, 0.5)),
        ("γ = 0.05", "γ = 0.05: detected in the end", 25, (4, 10)),
        (_SHRINKING, f"{_SHRINKING}:\nstays near {percent_text(result.limit)}", 3000, (0, 8)),
    ):
        part = result.by_size[result.by_size["gap"] == label]
        at = np.interp(np.log(size), np.log(part["size"]), part["probability"])
        write_at(ax, (size, float(at)), text, offset=offset, color=colors[_STYLES[label][0]])
    write_at(ax, (3.0, result.limit), f"limit {percent_text(result.limit)}", offset=(0.1, 3), color=colors["bound"])
    ax.set_title("2. Only a fixed gap is detected")


def _draw_gaps(ax: Axes, result: NearTiesResult) -> None:
    colors = colors_of(ax)
    ax.axhline(result.limit, color=colors["bound"], linewidth=1, linestyle=(0, (4, 3)), label="_limit")
    for (n, part), line in zip(result.by_gap.groupby("size"), (":", "--", "-"), strict=True):
        ax.plot(part["gamma"], part["probability"], line, color=colors["truth"], label=f"n = {n:,}")
        mark = part[part["marked"]]
        ax.plot(mark["gamma"], mark["probability"], "D", color=colors["purity"], markersize=7)
        at = float(np.interp(-_NAMED, -part["probability"], part["gamma"]))
        write_at(ax, (at, _NAMED), f"n = {n:,}", offset=(-7, 0))
        if n == min(_SIZES):
            beside = (float(mark["gamma"].iloc[0]), result.limit)
            write_at(ax, beside, f"each ◆:\n{_SHRINKING}", offset=(9, 6), color=colors["purity"])
    write_at(
        ax, (0.00105, result.limit), f"limit {percent_text(result.limit)}", offset=(0.1, -4), color=colors["bound"]
    )
    ax.set_xscale("log")
    ax.set_xlim(0.001, 0.5)
    ax.set_xticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
    ax.set_xlabel("gap γ")
    ax.set_title("3. A small gap hides a decoy")
