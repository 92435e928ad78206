"""Coverage and purity error against n on finite worlds: exact, simulated, and bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory import plot
from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory.experiments import asymmetry, exact_errors
from moltheory.figures._curves import summarize
from moltheory.figures._inline import write_at
from moltheory.plotting import colors_of, note
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
# In the last panel lines end before the marks do, and one leaves the panel: names stand inside.
_INSIDE = {
    "purity_error": "_purity error",
    "coverage_error": "_coverage error",
    "uniform_deviation": "_largest deviation",
}
# Lower end of all vertical axes.
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
    chapter = "What happens"
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
        """Draw one panel per world, all with one vertical axis."""
        for k, (ax, world) in enumerate(zip(axes, _TITLES, strict=True)):
            exact = result.exact[result.exact["world"] == world]
            simulated = result.simulated[result.simulated["world"] == world]
            last = k == len(_TITLES) - 1
            name = _TITLES[world].split(" (")[0]
            ax.set_title("No near-tie: both errors fall" if last else f"{name}: purity error stays")
            ax.set_yscale("log")
            ax.set_ylim(_FLOOR, 6)
            plot.asymmetry(simulated, exact=exact, key=False, labels=_INSIDE if last else None, ax=ax)
            ax.set_ylabel("← better     expected distance")
            if k == 0:
                note(ax, "lines: exact\nhollow marks: simulated", at=(0.04, 0.12))
            if last:
                _name_inside(ax, exact, simulated)
        return axes

    def caption(self, result: WorldsResult) -> str:
        """Quote the violations, and the worlds in which purity error stays."""
        last = result.exact.groupby("world", sort=False).last()
        kept = last[last["purity_error"] > 0.1]
        stays = joined(
            f"{number_text(row['purity_error'])} ({_TITLES[str(world)].split(' (')[0].lower()})"
            for world, row in kept.iterrows()
        )
        simulated = result.simulated
        return (
            f"In all {int(simulated['replicates'].sum()):,} samples the coverage error is at most twice the largest "
            f"deviation ({int(simulated['violations'].sum())} violations). No such bound holds for the purity error: at "
            f"n = {int(kept['size'].max()):,} it is still {stays}. It vanishes where no decoy is nearly tied (last panel)."
        )

    def details(self, result: WorldsResult) -> str:
        """Say what is exact and what is simulated."""
        simulated = result.simulated
        return "\n".join(
            (
                f"Lines are exact expectations over all samples (up to {result.exact['n_types'].max():,} sample types); "
                f"hollow marks are means of simulated samples with 95% normal intervals, also beyond the sizes that were "
                f"enumerated. An interval that reaches below the axis ends there with an arrow.",
                f"Over all enumerated samples the coverage error reached at most {result.exact['worst_ratio'].max():.0%} of "
                f"twice the largest deviation.",
                f"The dashed line is the distribution-free bound 2C with total failure probability 5%; "
                f"{int(simulated['above_bound'].sum())} samples were above it.",
                f"Last panel: the exact purity error at the largest size enumerated is "
                f"{number_text(float(result.exact['purity_error'].iloc[-1]))}.",
            )
        )

    def alt(self, result: WorldsResult) -> str:
        """Say what the panels have in common, and what is different in the last one."""
        return (
            "Four panels of errors against the number of examples on logarithmic axes. In the first three the purity error "
            "is a level line, the largest deviation falls, and the coverage error is exactly zero; in the last panel both "
            "errors fall. The coverage error is below its dashed bound everywhere."
        )

    def summaries(self, result: WorldsResult) -> Mapping[str, pd.DataFrame]:
        """Return the simulated errors of each world."""
        return {_TITLES[str(world)].lower(): part for world, part in result.simulated.groupby("world", sort=False)}

    def tables(self, result: WorldsResult) -> Mapping[str, pd.DataFrame]:
        """Return exact and simulated values."""
        return {"exact": result.exact, "simulated": result.simulated}


def _name_inside(ax: Axes, exact: pd.DataFrame, simulated: pd.DataFrame) -> None:
    """Name the curves of the last panel beside them, and say where lines and intervals end."""
    colors = colors_of(ax)
    row = exact.iloc[-1]
    end = f"purity error:\n{number_text(float(row['purity_error']), 1)} at n = {int(row['size']):,}"
    note(ax, f"exact up to n = {int(row['size']):,}\n▼ interval reaches 0", at=(0.97, 0.91), ha="right")
    mark = (ax.get_xlim()[1], float(simulated["uniform_deviation"].iloc[-1]))
    write_at(ax, mark, "largest deviation", offset=(5, 0), color=colors["deviation"], fontsize=9.5)
    at = exact.set_index("size")
    third = int(at.index[2])
    for text, column, size, offset, color in (
        ("coverage error", "coverage_error", int(row["size"]), (-9, -2), "coverage"),
        (end, "purity_error", third, (10, 2), "purity"),
    ):
        write_at(ax, (size, float(at[column][size])), text, offset=offset, color=colors[color])


def _worlds(*, quick: bool) -> list[_World]:
    odd = [n for n in _ODD if n <= 1001] if quick else _ODD
    four = [5, 10, 20, 50] if quick else [5, 10, 20, 50, 100, 200]
    more = four if quick else [*four, 500, 1000]
    simple = [two_coins(), mirrored_decoys(), tilted_line()]
    return [*(_World(world, odd, odd) for world in simple), _World(reference_world(), four, more)]
