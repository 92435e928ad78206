"""How many configurations are certified to meet limits, against the number of examples, by each procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moltheory._core._validation import FloatArray
from moltheory.figures._limit_procedures import LIMIT_PROCEDURES, PILOT, count_certified, rows_of_limits
from moltheory.figures._limit_worlds import limit_world
from moltheory.figures._ticks import plain_sizes
from moltheory.plotting import colors_of, label_lines, note
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream, run_blocks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LimitPower"]

_DELTA = 0.05
_WORLDS = {
    "thresholds": "Thresholds, safest first",
    "no order": "The same, in no order",
    "small variance": "Losses of small variance",
}
# By the name of a procedure: as the panel writes it, color, line.
_LOOKS = {
    "fixed sequence": ("fixed sequence", "coverage", "-"),
    "graph": ("graph", "light", "--"),
    "pilot": ("pilot", "deviation", "-"),
    "Holm": ("Holm", "extra", "-."),
    "Holm, Hoeffding-Bentkus": ("Holm with\nHoeffding-Bentkus", "purity", "-"),
    "limits after looking": ("limits after\nlooking", "bound", ":"),
}


@dataclass(frozen=True)
class LimitPowerResult:
    """Certified configurations, a row per world, number of examples and procedure."""

    table: pd.DataFrame


class LimitPower(Figure[LimitPowerResult]):
    """Share of the configurations that meet a limit which each procedure certifies, against n."""

    name = "limit_power"
    title = "A good order certifies more configurations than Holm, and bets more than Hoeffding-Bentkus"
    n_panels = 3
    chapter = "Certificates"

    def compute(self, settings: Settings) -> LimitPowerResult:
        """Draw losses in three worlds at several sizes, and certify them."""
        import pandas as pd

        sizes = (200, 1000) if settings.quick else (100, 200, 500, 1000, 2000, 5000)
        runs = 2 if settings.quick else 100
        blocks = [(world, n, runs, settings.seed) for world in _WORLDS for n in sizes]
        counts = run_blocks(_block, blocks, n_jobs=settings.n_jobs, progress=settings.progress, description=self.name)
        rows = []
        for (world, n, *_), found in zip(blocks, counts, strict=True):
            where = {"world": world, "n": n, "meet": int(limit_world(world).meets.sum())}
            rows += list(rows_of_limits(where, found))
        table = pd.DataFrame(rows)
        return LimitPowerResult(table.assign(share=table["certified"] / table["meet"]))

    def draw(self, result: LimitPowerResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw a curve per procedure in each world."""
        for ax, (world, title) in zip(axes, _WORLDS.items(), strict=True):
            part, palette = result.table[result.table["world"] == world], colors_of(ax)
            plain_sizes(ax, [100, 1000, 5000])
            for name, (label, color, line) in _LOOKS.items():
                curve = part[part["procedure"] == name]
                ax.plot(curve["n"], curve["share"], line, color=palette[color], label=label)
            ax.set_ylim(-0.03, 1.03)
            ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0%", "25%", "50%", "75%", "100%"])
            ax.set_title(title)
            ax.set_xlabel("number of examples n")
            ax.set_ylabel("share certified   better →")
        note(axes[0], "of those that meet the limit", at=(0.03, 0.94))
        for ax in axes:
            label_lines(ax)
        return axes

    def caption(self, result: LimitPowerResult) -> str:
        """Quote what procedures certify of 1,000 examples."""
        at = result.table[result.table["n"] == 1000].set_index(["procedure", "world"])["share"].to_dict()
        first, mixed, narrow = _WORLDS

        def share(name: str, world: str) -> str:
            return f"{at[name, world]:.0%}"

        return (
            f"Of 1,000 examples, a fixed sequence that begins with the safest threshold certifies "
            f"{share('fixed sequence', first)} of those that meet the limit, Holm {share('Holm', first)}. In no order it "
            f"certifies {share('fixed sequence', mixed)}, a pilot, which tests its front alone, {share('pilot', mixed)}. "
            f"Where losses vary little, Holm certifies {share('Holm, Hoeffding-Bentkus', narrow)} with Hoeffding-Bentkus, "
            f"{share('Holm', narrow)} with bets, and limits chosen after looking {share('limits after looking', narrow)}."
        )

    def details(self, result: LimitPowerResult) -> str:
        """Say what the worlds and the procedures are, and how often they were wrong."""
        runs = int(result.table["runs"].iloc[0])
        wrong = result.table.groupby("procedure", sort=False)["wrong"].max()
        most = "; ".join(f"{name} {int(wrong[name])}" for name in _LOOKS)
        return (
            f"Means of {runs} runs at a confidence of {1 - _DELTA:.0%}. Thresholds: risks from 0.02 to 0.3, limit 0.1, 0/1 "
            f"losses; nested in the first panel only. Small variance: risks from 0.1 to 0.3, losses within 0.05 of them, "
            f"limit 0.2. P-values are binomial for 0/1 losses and bets for others, unless Hoeffding-Bentkus is named, which "
            f"with Holm is the usual way of Learn then Test. Every configuration has a known price. The pilot takes "
            f"{PILOT:.0%} of the examples and tests what is on the front of risk and price there, so that it certifies "
            f"fewer, but no dearer ones. Limits after looking: boxes, for all limits at once.\n"
            f"Runs with a falsely certified configuration, in the worst world and size: {most}.\n"
            f"More worlds, and the Python package MAPIE beside these, are in benchmarks/limits.py."
        )

    def tables(self, result: LimitPowerResult) -> Mapping[str, pd.DataFrame]:
        """Return all means."""
        return {"certified": result.table}


def _block(world: str, n: int, runs: int, seed: int) -> dict[str, FloatArray]:
    """Count what is certified in the runs of one world and size."""
    root = as_seed_sequence(seed)
    streams = [block_stream(root, f"limit_power {world}", n, run) for run in range(runs)]
    entries = {name: LIMIT_PROCEDURES[name] for name in _LOOKS}
    return count_certified(entries, limit_world(world), n, streams, delta=_DELTA)
