"""Finite against infinite classes: how errors end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.experiments import WeightedFrontComparison
from moltheory.figures._least_squares import two_tasks
from moltheory.pareto import errors_of_selections, nondominated
from moltheory.plotting import colors_of, label_lines, log_sizes, note
from moltheory.problems import MultiTaskLeastSquares
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Classes"]

_FINITE = (10, 100, 1000)
_ALL = "all models"
# Below it errors are drawn as zero.
_FLOOR = 2e-4
_STYLES = {"10 models": ("extra", "^", ":"), "100 models": ("coverage", "s", "--"),
           "1,000 models": ("truth", "D", "-."), _ALL: ("purity", "o", "-")}  # fmt: skip
_COLUMNS = ("coverage_error", "purity_error", "exact")


@dataclass(frozen=True)
class ClassesResult:
    """Mean errors per class, draw of the class and size, and what the grid of the infinite class can miss."""

    table: pd.DataFrame
    discretization: float
    replicates: int

    @property
    def means(self) -> pd.DataFrame:
        """Means over the draws of each finite class."""
        grouped = self.table.drop(columns="draw").groupby(["class", "size"], as_index=False, sort=False)
        found: pd.DataFrame = grouped.mean()
        return found


class Classes(Figure[ClassesResult]):
    """Least squares for two tasks, over all predictors and over finite subsets, each size drawn several times."""

    name = "finite_infinite"
    title = "The more models, the later the front is exact; for infinitely many it never is"
    n_panels = 2
    chapter = "Infinite classes"

    def compute(self, settings: Settings) -> ClassesResult:
        """Compare finite classes of predictors near the front with the class of all predictors, on the same samples."""
        import pandas as pd

        problem = two_tasks()
        compare = WeightedFrontComparison(problem)
        root = as_seed_sequence(settings.seed)
        # Each draw of the finite classes meets one block of samples.
        draws, block = (5, 20) if settings.quick else (10, 100)
        classes = [
            _finite_classes(problem, compare.weights, block_stream(root, "finite classes", draw))
            for draw in range(draws)
        ]
        rows: list[dict[str, Any]] = []
        missed = 0.0
        for n in [30, 100, 300, 1000, 3000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000]:
            for draw, chosen in enumerate(classes):
                rng = block_stream(root, "finite_infinite figure", n, draw)
                sample = problem.sample(n, replicates=block, rng=rng, method="wishart")
                for label, thetas in chosen.items():
                    found = errors_of_selections(problem.true.risks(thetas), nondominated(sample.risks(thetas)))
                    rows.append({"class": label, "draw": draw, "size": n, **_means(*found)})
                whole = compare(sample)
                missed = max(missed, float(np.asarray(whole["discretization"], dtype=np.float64).max()))
                both = (np.asarray(whole[name], dtype=np.float64) for name in _COLUMNS[:2])
                rows.append({"class": _ALL, "draw": draw, "size": n, **_means(*both)})
        return ClassesResult(pd.DataFrame(rows), missed, draws * block)

    def draw(self, result: ClassesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw how often both errors are zero, and purity errors: every draw pale, and means."""
        for ax, column, title in zip(
            axes,
            ("exact", "purity_error"),
            ("More models, fewer exact fronts", "Purity error falls in each class"),
            strict=True,
        ):
            palette = colors_of(ax)
            for label, (color, marker, line) in _STYLES.items():
                if label != _ALL:
                    for _, one in result.table[result.table["class"] == label].groupby("draw"):
                        ax.plot(one["size"], _shown(one, column), color=palette[color], linewidth=0.8, alpha=0.3)
                mean = result.means[result.means["class"] == label]
                name = f"{label}\n(infinitely many)" if label == _ALL else label
                look: dict[str, Any] = {"color": palette[color], "label": name}
                ax.plot(mean["size"], _shown(mean, column), f"{marker}{line}", **look)
            log_sizes(ax)
            ax.set_title(title)
        first, second = axes
        first.set_ylim(-0.06, 1.04)
        first.set_ylabel("samples with exact front     better →")
        second.set_yscale("log")
        second.set_ylim(0.7 * _FLOOR, 1)
        second.set_yticks([1.0, 0.1, 0.01, 0.001, _FLOOR], ["1", "0.1", "0.01", "0.001", f"≤ {_FLOOR:g}"])
        second.minorticks_off()
        log_sizes(second)
        second.set_ylabel("← better     mean purity error")
        note(second, "pale: one draw of the class; bold: mean", at=(0.03, 0.1))
        for ax in axes:
            label_lines(ax)
        return axes

    def caption(self, result: ClassesResult) -> str:
        """Quote how often fronts are found exactly at the last size, and the rate of the infinite class."""
        largest = int(result.table["size"].max())
        last = result.means[result.means["size"] == largest].set_index("class")
        shares = joined(
            f"{percent_text(last['exact'][label])} for {label.removesuffix(' models')}" for label in _STYLES
        )
        whole = result.means[result.means["class"] == _ALL]
        power = np.polyfit(np.log(whole["size"]), np.log(whole["purity_error"]), 1)[0]
        return (
            f"Least squares for two tasks, over finite sets of linear models (pale: {result.table['draw'].nunique()} draws "
            f"of each size; bold: means) and over all. At n = {largest:,} the share of exact fronts is {shares}. "
            f"Over all models, purity error goes like n to the power "
            f"{number_text(power, 2)}."
        )

    def details(self, result: ClassesResult) -> str:
        """Say what the classes are, and quote all errors at the largest n."""
        largest = int(result.table["size"].max())
        last = result.means[result.means["size"] == largest]
        errors = "; ".join(
            f"{row['class']} {number_text(row['coverage_error'], 2)} and {number_text(row['purity_error'], 2)}"
            for _, row in last.iterrows()
        )
        draws = result.table["draw"].nunique()
        return (
            f"Models are scattered around the true front; smaller sets are subsets of larger ones. Means over "
            f"{result.replicates:,} samples per size, {result.replicates // draws:,} for each draw. Once n resolves "
            f"the smallest gap of a finite class, both of its errors are 0; the gaps of larger classes are smaller, and "
            f"over all models none is smallest. Coverage error over all models falls to what the grid of weights can "
            f"miss, at most {number_text(result.discretization, 2)}. Errors below {_FLOOR:g} are drawn at {_FLOOR:g}.\n"
            f"Coverage and purity error at n = {largest:,}: {errors}."
        )

    def tables(self, result: ClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return the mean errors, and those of every draw."""
        return {"errors": result.means, "errors_by_draw": result.table}


def _shown(table: pd.DataFrame, column: str) -> FloatArray:
    """Return what is drawn of a column: errors from the floor on."""
    values = table[column].to_numpy(dtype=np.float64)
    return values if column == "exact" else np.maximum(values, _FLOOR)


def _means(coverage: FloatArray, purity: FloatArray) -> dict[str, float]:
    """Return the mean errors of some samples, and the share of them in which both are 0."""
    exact = (coverage == 0.0) & (purity == 0.0)
    return dict(zip(_COLUMNS, (float(coverage.mean()), float(purity.mean()), float(exact.mean())), strict=True))


def _finite_classes(
    problem: MultiTaskLeastSquares, weights: FloatArray, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Scatter predictors around solutions on the true front; smaller classes are subsets of larger ones."""
    solutions = problem.true_solutions(weights)
    chosen = solutions[rng.integers(len(solutions), size=max(_FINITE))]
    scattered = chosen + 0.1 * rng.standard_normal(chosen.shape)
    return {f"{count:,} models": scattered[:count] for count in _FINITE}
