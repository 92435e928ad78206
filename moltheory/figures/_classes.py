"""Finite against infinite classes: how errors end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.experiments import WeightedFrontComparison
from moltheory.figures._least_squares import two_tasks
from moltheory.pareto import errors_of_selections, nondominated
from moltheory.plotting import COLORS, log_sizes
from moltheory.problems import MultiTaskLeastSquares
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_lengths, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Classes"]

_FINITE = (10, 100, 1000)
_BLOCK = 100
_FLOOR = 2e-4
_STYLES = {"10 predictors": ("light", "^", ":"), "100 predictors": ("coverage", "s", "--"),
           "1,000 predictors": ("truth", "D", "-."), "all predictors": ("purity", "o", "-")}  # fmt: skip


@dataclass(frozen=True)
class ClassesResult:
    """Mean errors per class and size, and what the grid of the infinite class can miss."""

    table: pd.DataFrame
    discretization: float
    replicates: int


class Classes(Figure[ClassesResult]):
    """Least squares for two tasks, over all predictors and over fixed finite subsets."""

    name = "finite_infinite"
    title = "A few models are resolved in the end; many behave like the infinite class"
    n_panels = 2

    def compute(self, settings: Settings) -> ClassesResult:
        """Compare finite classes of predictors near the front with the class of all predictors."""
        import pandas as pd

        problem = two_tasks()
        compare = WeightedFrontComparison(problem)
        root = as_seed_sequence(settings.seed)
        classes = _finite_classes(problem, compare.weights, block_stream(root, "finite classes"))
        truths = {label: problem.true.risks(thetas) for label, thetas in classes.items()}
        replicates = 100 if settings.quick else 1000
        rows = []
        for n in [30, 100, 300, 1000, 3000] if settings.quick else [30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000]:
            errors: dict[str, list[FloatArray]] = {label: [] for label in (*truths, "all predictors")}
            for block, length in enumerate(block_lengths(replicates, _BLOCK)):
                rng = block_stream(root, "finite_infinite figure", n, block)
                sample = problem.sample(n, replicates=length, rng=rng, method="wishart")
                for label, thetas in classes.items():
                    found = errors_of_selections(truths[label], nondominated(sample.risks(thetas)))
                    errors[label].append(np.stack(found))
                whole = compare(sample)
                errors["all predictors"].append(
                    np.stack([np.asarray(whole[c], dtype=np.float64) for c in ("coverage_error", "purity_error")])
                )
            for label, parts in errors.items():
                coverage, purity = np.concatenate(parts, axis=1).mean(axis=1).tolist()
                rows.append({"class": label, "size": n, "coverage_error": coverage, "purity_error": purity})
        return ClassesResult(pd.DataFrame(rows), 2 * compare.true_discretization, replicates)

    def draw(self, result: ClassesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw coverage errors, then purity errors."""
        for ax, column, title in zip(
            axes, ("coverage_error", "purity_error"), ("Coverage error", "Purity error"), strict=True
        ):
            for label, (color, marker, line) in _STYLES.items():
                part = result.table[result.table["class"] == label]
                values = np.maximum(part[column], _FLOOR / 100)
                ax.plot(part["size"], values, f"{marker}{line}", color=COLORS[color], label=label)
            ax.axhline(result.discretization, color=COLORS["bound"], linestyle=(0, (1, 3)), label="discretization")
            ax.set_yscale("log")
            ax.set_ylim(_FLOOR, 1)
            ax.set_title(title)
            ax.set_ylabel("← better     mean over samples")
            log_sizes(ax)
        axes[1].legend(loc="lower left")
        return axes

    def caption(self, result: ClassesResult) -> str:
        """Quote the last size."""
        largest = int(result.table["size"].max())
        last = result.table[result.table["size"] == largest].set_index("class")
        ended = [str(label) for label, row in last.iterrows() if row["coverage_error"] == row["purity_error"] == 0]
        whole = result.table[result.table["class"] == "all predictors"]
        power = np.polyfit(np.log(whole["size"]), np.log(whole["purity_error"]), 1)[0]
        errors = "; ".join(
            f"{label} {row['coverage_error']:.1e} and {row['purity_error']:.1e}" for label, row in last.iterrows()
        )
        return (
            f"Least squares for two tasks over fixed finite sets of predictors scattered around the front, and over "
            f"all predictors; means over {result.replicates:,} samples. Once n resolves the smallest gap of a finite "
            f"class, both of its errors end; at n = {largest:,} they have ended in every sample for: "
            f"{joined(ended) or 'none'}. The gaps of larger classes are smaller, and their errors still fall. Over "
            f"all predictors there is no smallest gap: purity error goes like n to the power {power:.2f} (fitted), "
            f"coverage error down to what the grid can miss (at most {result.discretization:.1e}, dotted). Coverage "
            f"and purity error at the largest n: {errors}."
        )

    def tables(self, result: ClassesResult) -> Mapping[str, pd.DataFrame]:
        """Return the mean errors."""
        return {"errors": result.table}


def _finite_classes(
    problem: MultiTaskLeastSquares, weights: FloatArray, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Scatter predictors around solutions on the true front; smaller classes are subsets of larger ones."""
    solutions = problem.true_solutions(weights)
    chosen = solutions[rng.integers(len(solutions), size=max(_FINITE))]
    scattered = chosen + 0.1 * rng.standard_normal(chosen.shape)
    return {f"{count:,} predictors": scattered[:count] for count in _FINITE}
