"""Lower bound, truth and upper bound together: a finite class, a linear class, and learning with unlabeled data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import count_text, number_text
from moltheory.bounds import label_lower_bound, pseudo_label_excess
from moltheory.experiments import semi_supervised
from moltheory.figures._between_numbers import FINITE, TASKS, finite_rows, linear_rows
from moltheory.plotting import band, colors_of, label_lines, log_sizes
from moltheory.problems import CellTasks, cell_tasks
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Between"]

_CELLS, _BLOCKS, _UNLABELED = 200, 4, 1_000_000
# Column of each panel, label, color, marker and line.
_FINITE = (
    ("mirrored", "mirrored pairs", "coverage", "o", "-"),
    ("independent", "", "deviation", "^", ""),
)
_LINEAR = (
    ("one_pass", "one pass of\nsubgradients", "purity", "s", "-"),
    ("minimiser", "", "deviation", "^", ""),
)
_LABELS = (
    ("supervised", "labels only", "purity", "s", "-"),
    ("pseudo_labels", "pseudo-labels", "coverage", "o", "-"),
)


@dataclass(frozen=True)
class BetweenResult:
    """Expected errors against n with both bounds, one table per class."""

    finite: pd.DataFrame
    linear: pd.DataFrame
    labels: pd.DataFrame
    replicates: tuple[int, int]


class Between(Figure[BetweenResult]):
    """Expected coverage error and excess of learners in the worst worlds, between lower and upper bound."""

    name = "between"
    title = "Between the bounds: what learners do where no learner can do much better"
    n_panels = 3
    chapter = "Bounds"

    def compute(self, settings: Settings) -> BetweenResult:
        """Evaluate the bounds, and simulate learners in the hardest world of every n."""
        import pandas as pd

        quick = settings.quick
        sizes = [30, 100, 300, 1000] if quick else [30, 100, 300, 1000, 3000, 10_000]
        root = as_seed_sequence(settings.seed)
        replicates = 500 if quick else 5000
        problem, weights = _tasks(), [0.5, 0.5]
        runs = 150 if quick else 2000
        table = semi_supervised(
            problem,
            sizes=sizes,
            replicates=runs,
            rng=settings.seed,
            weights=weights,
            unlabeled=[_UNLABELED],
            n_jobs=settings.n_jobs,
            progress=settings.progress,
            store=settings.store_for(self.name, "labels"),
        )
        means = table.groupby(["size", "learner"])["excess"].mean().unstack()
        options = {"n_parameters": _BLOCKS, "n_unlabeled": _UNLABELED, "n_cells": _CELLS}
        labels = pd.DataFrame(
            {
                "size": sizes,
                "lower": [
                    label_lower_bound(n, marginals=problem.marginals, blocks=problem.blocks, weights=weights)
                    for n in sizes
                ],
                "upper": [pseudo_label_excess(n, **options) for n in sizes],
                "supervised": means["supervised"].to_numpy(),
                "pseudo_labels": means["pseudo-labels"].to_numpy(),
                "large_classes": means["pseudo-labels without small classes"].to_numpy(),
            }
        )
        return BetweenResult(
            finite_rows(sizes, replicates, root), linear_rows(sizes, replicates, root), labels, (replicates, runs)
        )

    def draw(self, result: BetweenResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the three classes: both bounds with the range between them shaded, and the learners."""
        parts: tuple[tuple[pd.DataFrame, Any, str, str, str], ...] = (
            (result.finite, _FINITE, "Finite class", "expected coverage error", "lower bound,\nattained (▲)"),
            (result.linear, _LINEAR, "Linear class", "expected excess", "lower bound,\nattained (▲)"),
            (result.labels, _LABELS, "With unlabeled data", "expected excess", "lower bound"),
        )
        for ax, (table, learners, title, quantity, lowest) in zip(axes, parts, strict=True):
            palette, n = colors_of(ax), table["size"]
            band(ax, n, table["lower"].to_numpy(), table["upper"].to_numpy(), color=palette["bound"])
            ax.plot(n, table["upper"], "--", color=palette["bound"], label="upper bound")
            for column, label, color, marker, line in learners:
                named = {"label": label} if label else {}
                ax.plot(n, table[column], color=palette[color], marker=marker, linestyle=line or "none", **named)
            ax.plot(n, table["lower"], ":", color=palette["deviation"], label=lowest)
            _scale(ax, table)
            ax.set_title(title)
            ax.set_ylabel(f"← better     {quantity}")
            log_sizes(ax)
            label_lines(ax)
        axes[2].set_xlabel("labels of each task n")
        return axes

    def caption(self, result: BetweenResult) -> str:
        """Quote the distance of the bounds, and the excess with and without unlabeled data."""
        finite, linear, labels = (table.iloc[-1] for table in (result.finite, result.linear, result.labels))
        return (
            f"In the hardest worlds every learner errs by the lower bound or more; at n = {count_text(finite['size'])} the "
            f"upper bound is {number_text(finite['upper'] / finite['lower'], 2)} times as large for a finite class and "
            f"{number_text(linear['upper'] / linear['lower'], 2)} times for a linear one. With unlabeled data, labels pay "
            f"for the small classes only: {count_text(labels['size'])} of them give an excess of "
            f"{number_text(labels['pseudo_labels'], 2)} with pseudo-labels and {number_text(labels['supervised'], 2)} "
            f"without."
        )

    def details(self, result: BetweenResult) -> str:
        """Say which worlds are simulated, which bounds are drawn, and what small classes do."""
        finite, labels = result.finite.iloc[-1], result.labels.iloc[-1]
        return (
            f"All curves are expectations. First panel: {FINITE} pairs of models at known costs that do not compare; in "
            f"each, one model errs less by a gap, the hardest one for every n "
            f"({number_text(finite['gap_independent'], 2)} at the last). No learner that returns one model per pair does "
            f"better on average over these worlds "
            f"(coverage-minimax), and the model of fewest errors (▲) attains it. Mirrored pairs, of which exactly one model "
            f"errs at every example, are harder still. The upper bound holds for the empirical front in all worlds.\n"
            f"Second panel: the mean of {TASKS} objectives with absolute loss, the ball of radius 1 and inputs of norm 1. "
            f"Labels hardly better than chance tell the sign of each coordinate; the empirical minimiser (▲) attains the "
            f"lower bound.\n"
            f"Third panel: squared error of one predictor for two tasks, one of them a coin, on {_CELLS} cells, each "
            f"constant on {_BLOCKS} blocks of them; {count_text(_UNLABELED)} unlabeled examples. The lower "
            f"bound is that of the hardest tasks, for any number of unlabeled examples, and the upper bound that of "
            f"pseudo-labelling. Without small "
            f"classes pseudo-labelling is at {number_text(labels['large_classes'], 2)} at the last n: nothing is gained.\n"
            f"Means of {result.replicates[0]:,} samples, {result.replicates[1]:,} in the third panel."
        )

    def alt(self, result: BetweenResult) -> str:
        """Describe the three panels."""
        finite, labels = result.finite.iloc[-1], result.labels.iloc[-1]
        return (
            f"Three panels against n, both axes logarithmic. In the first two, the lower and the upper bound fall in "
            f"parallel, the error of one learner lies on the lower bound and that of another between the bounds: mirrored "
            f"pairs at {number_text(finite['mirrored'], 2)} of {number_text(finite['lower'], 2)} to "
            f"{number_text(finite['upper'], 2)} at the largest n. In the third, pseudo-labels lie between the bounds, close "
            f"to the lower one, while learning from labels only lies above the upper bound and ends at "
            f"{number_text(labels['supervised'], 2)}."
        )

    def tables(self, result: BetweenResult) -> Mapping[str, pd.DataFrame]:
        """Return bounds and errors of the three panels."""
        return {"finite": result.finite, "linear": result.linear, "labels": result.labels}


def _tasks() -> CellTasks:
    """Return tasks whose estimates have biases that do not cancel: those of the second, a coin, have none."""
    cells = cell_tasks(_CELLS, n_blocks=_BLOCKS)
    return CellTasks(
        cells.marginals, cells.blocks, [[0.1, 0.9] * (_BLOCKS // 2), [0.5] * _BLOCKS], name="cells_and_coin"
    )


def _scale(ax: Axes, table: pd.DataFrame) -> None:
    """Make the vertical axis logarithmic between half powers of ten, with numbers at whole ones."""
    from matplotlib.ticker import NullLocator

    values = table[["lower", "upper"]].to_numpy()
    ax.set_yscale("log")
    ax.set_ylim(
        10.0 ** (np.floor(2.0 * np.log10(values.min())) / 2.0), 10.0 ** (np.ceil(2.0 * np.log10(values.max())) / 2.0)
    )
    # Ticks between them take a second to lay out.
    ax.yaxis.set_minor_locator(NullLocator())
