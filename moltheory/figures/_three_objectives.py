"""Three objectives at once: parallel coordinates of the digits' empirical front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.figures._populations import data_set
from moltheory.pareto import nondominated
from moltheory.plotting import COLORS
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ThreeObjectives"]

_SIZES = (300, 30_000)
_REPLICATES = 200


@dataclass(frozen=True)
class ThreeObjectivesResult:
    """True risks of the digits models, and the empirical front of one sample per size."""

    names: tuple[str, ...]
    true_risks: FloatArray
    truly_optimal: npt.NDArray[np.bool_]
    selected: dict[int, npt.NDArray[np.bool_]]
    mean_spurious: dict[int, float]


class ThreeObjectives(Figure[ThreeObjectivesResult]):
    """Error, worst-class error and size of digit classifiers: what a small and a large sample select."""

    name = "three_objectives"
    title = "Three objectives: most spurious members of the front go, a few stay"
    n_panels = 2

    def compute(self, settings: Settings) -> ThreeObjectivesResult:
        """Draw 200 samples per size, of which one is drawn; the budget does not matter."""
        problem = data_set("digits")
        truth = problem.true.risks()
        selected, mean_spurious = {}, {}
        for size in _SIZES:
            rng = block_stream(as_seed_sequence(settings.seed), "three_objectives figure", size)
            sample = problem.sample(size, replicates=_REPLICATES, rng=rng)
            fronts = nondominated(sample.risks()[~sample.undefined])
            selected[size] = fronts[0]
            mean_spurious[size] = float((fronts & ~nondominated(truth)).sum(axis=1).mean())
        return ThreeObjectivesResult(problem.objective_names, truth, nondominated(truth), selected, mean_spurious)

    def draw(self, result: ThreeObjectivesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw one panel per size: a line is a model, in true risks."""
        shown = result.truly_optimal.copy()
        for selected in result.selected.values():
            shown |= selected
        low, high = result.true_risks[shown].min(axis=0), result.true_risks[shown].max(axis=0)
        # Most models crowd near the best risks: a root spreads them.
        scaled = np.sqrt(np.clip((result.true_risks - low) / np.where(high > low, high - low, 1.0), 0.0, None))
        for ax, (size, selected) in zip(axes, result.selected.items(), strict=True):
            optimal = result.truly_optimal
            groups = (
                (optimal & ~selected, "optimal, missed", COLORS["bound"], ":", 1.0),
                (optimal & selected, "optimal, found", COLORS["coverage"], "-", 1.3),
                (selected & ~optimal, "found, not optimal", COLORS["purity"], "--", 1.8),
            )
            for mask, label, color, line, width in groups:
                for i, row in enumerate(scaled[mask]):
                    name = f"{label} ({int(mask.sum())})" if i == 0 else None
                    ax.plot(range(len(row)), row, line, color=color, linewidth=width, alpha=0.8, label=name)
            for i in range(len(result.names)):
                ax.plot([i, i], [0, 1], color=COLORS["truth"], linewidth=0.8)
                ax.text(i, -0.03, f"{low[i]:.2f}", ha="center", va="top", fontsize=10)
                ax.text(i, 1.02, f"{high[i]:.2f}", ha="center", va="bottom", fontsize=10)
            ax.set_xlim(-0.25, len(result.names) - 0.75)
            ax.set_ylim(-0.12, 1.55)
            ax.set_xticks(
                range(len(result.names)), [name.replace("_", "\n", 1).replace("_", " ") for name in result.names]
            )
            ax.set_yticks([])
            ax.set_xlabel("objective")
            ax.set_ylabel("← better     true risk")
            ax.set_title(f"A sample of n = {size:,}")
            ax.legend(loc="upper center")
        return axes

    def caption(self, result: ThreeObjectivesResult) -> str:
        """Quote the numbers of members."""
        parts = [
            f"at n = {size:,} the front has {int(selected.sum())} members, "
            f"{int((selected & ~result.truly_optimal).sum())} of them not optimal, and misses "
            f"{int((result.truly_optimal & ~selected).sum())} of {int(result.truly_optimal.sum())} optimal models"
            for size, selected in result.selected.items()
        ]
        averages = joined(f"{mean:.1f} at n = {size:,}" for size, mean in result.mean_spurious.items())
        return (
            f"{len(result.true_risks)} classifiers of handwritten digits; each line is a model, its height on each "
            f"axis its true risk (lower is better; the numbers are the ends of the axes, heights go by the root). In "
            f"one sample each, {'; '.join(parts)}. Over {_REPLICATES} samples the front holds {averages} models that "
            f"are not optimal."
        )

    def tables(self, result: ThreeObjectivesResult) -> Mapping[str, pd.DataFrame]:
        """Return all models with what each sample selects."""
        import pandas as pd

        table = pd.DataFrame(result.true_risks, columns=list(result.names))
        table["truly_optimal"] = result.truly_optimal
        for size, selected in result.selected.items():
            table[f"selected_at_{size}"] = selected
        table.insert(0, "model", range(len(table)))
        return {"models": table}
