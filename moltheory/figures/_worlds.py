"""Coverage and purity error against n on finite worlds: exact, simulated, and bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import joined
from moltheory.experiments import asymmetry, exact_errors
from moltheory.figures._curves import ERRORS, summarize
from moltheory.plotting import COLORS, log_sizes, note
from moltheory.problems import FiniteWorld, mirrored_decoys, reference_world, tilted_line, two_coins
from moltheory.reports import Figure, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Worlds"]

_ODD = [1, 3, 11, 31, 101, 301, 1001, 3001, 10001]
_TITLES = {
    "two_coins": "Two coins",
    "mirrored_decoys": "Mirrored decoys",
    "tilted_line": "Tilted line (101 models)",
    "reference_world": "Four models, no near-tie",
}
_FLOOR = 2e-4


@dataclass(frozen=True)
class _World:
    problem: FiniteWorld
    exact_sizes: list[int]
    sampled_sizes: list[int]


@dataclass(frozen=True)
class WorldsResult:
    """One row per world and size, exact and simulated."""

    exact: pd.DataFrame
    simulated: pd.DataFrame


class Worlds(Figure[WorldsResult]):
    """Errors against n, log-log, on four finite worlds."""

    name = "worlds"
    title = "Coverage error obeys its bound everywhere; purity error need not shrink at all"
    n_panels = 4

    def compute(self, settings: Settings) -> WorldsResult:
        """Enumerate all samples where that is possible, and simulate beyond."""
        import pandas as pd

        exact, simulated = [], []
        for world in _worlds(quick=settings.quick):
            exact.append(exact_errors(world.problem, sizes=world.exact_sizes))
            table = asymmetry(
                world.problem,
                sizes=world.sampled_sizes,
                replicates=1000 if settings.quick else 20_000,
                rng=settings.seed,
                n_jobs=settings.n_jobs,
                progress=settings.progress,
                store=settings.store_for(self.name, world.problem.name),
            )
            simulated.append(summarize(table, largest_risk=float(world.problem.risk_limits.max())))
            for part in (exact[-1], simulated[-1]):
                part.insert(0, "world", world.problem.name)
        return WorldsResult(pd.concat(exact, ignore_index=True), pd.concat(simulated, ignore_index=True))

    def draw(self, result: WorldsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw one panel per world; a note replaces errors that are exactly zero."""
        for ax, world in zip(axes, _TITLES, strict=True):
            exact = result.exact[result.exact["world"] == world]
            simulated = result.simulated[result.simulated["world"] == world]
            _draw_world(ax, exact, simulated)
            ax.set_title(_TITLES[world])
        axes[0].legend(loc="lower left")
        axes[-1].set_ylim(bottom=1e-10)
        return axes

    def caption(self, result: WorldsResult) -> str:
        """Quote the violations, the worst ratio, and the worlds in which purity error stays."""
        last = result.exact.groupby("world", sort=False).last()
        kept = joined(
            f"{_TITLES[str(world)].lower()} {row['purity_error']:.3g} at n = {row['size']:,.0f}"
            for world, row in last.iterrows()
        )
        simulated = result.simulated
        return (
            f"Lines are exact expectations over all samples (up to {result.exact['n_types'].max():,} sample types), "
            f"marks are Monte Carlo means with 95 % normal intervals, also beyond the sizes enumerated. In all "
            f"{int(simulated['replicates'].sum()):,} simulated samples the coverage error stayed within twice the "
            f"largest deviation ({int(simulated['violations'].sum())} violations), and over all enumerated samples it "
            f"reached at most {result.exact['worst_ratio'].max():.0%} of it. The dashed line is the distribution-free "
            f"bound 2C (total failure probability 5 %; {int(simulated['above_bound'].sum())} samples above it). No "
            f"such bound holds for the purity error; expected values: {kept}. Where no decoy is nearly tied, as in "
            f"the last panel, purity error vanishes too."
        )

    def summaries(self, result: WorldsResult) -> Mapping[str, pd.DataFrame]:
        """Return the simulated errors of each world."""
        return {_TITLES[str(world)].lower(): part for world, part in result.simulated.groupby("world", sort=False)}

    def tables(self, result: WorldsResult) -> Mapping[str, pd.DataFrame]:
        """Return exact and simulated values."""
        return {"exact": result.exact, "simulated": result.simulated}


def _worlds(*, quick: bool) -> list[_World]:
    odd = [n for n in _ODD if n <= 1001] if quick else _ODD
    four = [5, 10, 20, 50] if quick else [5, 10, 20, 50, 100, 200]
    more = four if quick else [*four, 500, 1000]
    simple = [two_coins(), mirrored_decoys(), tilted_line()]
    return [*(_World(world, odd, odd) for world in simple), _World(reference_world(), four, more)]


def _draw_world(ax: Axes, exact: pd.DataFrame, simulated: pd.DataFrame) -> None:
    ax.plot(simulated["size"], simulated["bound"], "--", color=COLORS["bound"], label="bound 2C on coverage")
    for column, (label, color, marker) in ERRORS.items():
        drawn = exact[exact[column] > 0]
        ax.plot(drawn["size"], drawn[column], color=COLORS[color], label=label)
        dots = simulated[simulated[column] > 0]
        low = np.maximum(dots[f"{column}_low"], 0.01 * dots[column])
        ax.errorbar(
            dots["size"],
            dots[column],
            yerr=[dots[column] - low, dots[f"{column}_high"] - dots[column]],
            fmt=marker,
            color=COLORS[color],
            markersize=5,
            capsize=2,
            linewidth=1,
        )
    if not (exact["coverage_error"] > 0).any() and not (simulated["coverage_error"] > 0).any():
        note(ax, "coverage error = 0 in every sample", at=(0.98, 0.94), color=COLORS["coverage"], ha="right")
    log_sizes(ax)
    ax.set_yscale("log")
    ax.set_ylim(_FLOOR, 6)
    ax.set_ylabel("← better     expected distance")
