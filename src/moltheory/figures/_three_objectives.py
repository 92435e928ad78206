"""Three objectives at once: what of the empirical front of digit classifiers is real, and why some is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import count_text, number_text
from moltheory._core._text import joined
from moltheory._core._validation import FloatArray
from moltheory.figures._inline import write_at
from moltheory.figures._populations import data_set
from moltheory.pareto import nondominated
from moltheory.plotting import colors_of, readable_color
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ThreeObjectives"]

_SIZES = (300, 30_000)
_REPLICATES = 200
# Marks of one kind stand in columns of so many.
_ROWS = 5
_BLOCK = 7.6
_GAP = 5.0
# Where objectives run from 0 to about 1: what an excess is small against.
_SCALE = 0.1
_ORDINALS = ("first", "second", "third")
_LABELS = {"worst_class_error": "worst class error", "model_size": "model size\n(largest: 1)"}


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
    title = "Three objectives: a large sample finds nearly the whole front, and still some models that are not on it"
    n_panels = 2
    chapter = "On real data"

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
        """Draw a mark per model and sample, then the models that stay beside those that dominate them."""
        _draw_members(axes[0], result)
        _draw_stayers(axes[1], result)
        return axes

    def caption(self, result: ThreeObjectivesResult) -> str:
        """Quote the numbers of members."""
        parts = [_words(size, result) for size in _SIZES]
        first, last = (number_text(result.mean_spurious[size], 2) for size in _SIZES)
        return (
            f"{len(result.true_risks)} classifiers of handwritten digits, {int(result.truly_optimal.sum())} of them "
            f"optimal. {parts[0]}. {parts[1]}. On average over {_REPLICATES} samples, {first} members are spurious at n "
            f"= {count_text(_SIZES[0])} and {last} at n = {count_text(_SIZES[1])}."
        )

    def details(self, result: ThreeObjectivesResult) -> str:
        """Say what the objectives are, and compare each spurious member with what dominates it."""
        lines = []
        for model, other in _stayers(result):
            worse = [
                f"{number_text(gap, 2)} in {name.replace('_', ' ')}"
                for name, gap in zip(result.names, result.true_risks[model] - result.true_risks[other], strict=True)
                if gap > 0
            ]
            lines.append(f"Model {model} is worse than model {other} by {joined(worse)}, and equal in the rest.")
        return "\n".join(
            [
                "The objectives are the error, the error of the worst class and the size of the model as a share of the "
                "largest. True risks are those of all images from which the samples are drawn.",
                "Left: one mark per model in one sample of each size.",
                *lines,
            ]
        )

    def alt(self, result: ThreeObjectivesResult) -> str:
        """Describe both panels."""
        return (
            f"Left: rows of marks. {_words(_SIZES[0], result)}. {_words(_SIZES[1], result)}. Right: for each spurious "
            "member of the larger sample, bars of how much worse it is than a model that dominates it, in each of "
            "three objectives; short or missing."
        )

    def tables(self, result: ThreeObjectivesResult) -> Mapping[str, pd.DataFrame]:
        """Return all models with what each sample selects, and what dominates the spurious members that are drawn."""
        import pandas as pd

        table = pd.DataFrame(result.true_risks, columns=list(result.names))
        table["truly_optimal"] = result.truly_optimal
        for size, selected in result.selected.items():
            table[f"selected_at_{size}"] = selected
        table.insert(0, "model", range(len(table)))
        return {"models": table, "spurious": pd.DataFrame(_stayers(result), columns=["model", "dominated_by"])}


def _groups(size: int, result: ThreeObjectivesResult) -> tuple[int, int, int]:
    """Return how many models a sample finds, misses, and selects wrongly."""
    optimal, selected = result.truly_optimal, result.selected[size]
    return int((optimal & selected).sum()), int((optimal & ~selected).sum()), int((selected & ~optimal).sum())


def _words(size: int, result: ThreeObjectivesResult) -> str:
    found, missed, spurious = _groups(size, result)
    return f"A sample of {count_text(size)} finds {found}, misses {missed} and adds {spurious} spurious ones"


def _stayers(result: ThreeObjectivesResult) -> list[tuple[int, int]]:
    """Return the spurious members of the larger sample, each with the nearest model that dominates it."""
    risks = result.true_risks
    pairs = []
    for model in np.flatnonzero(result.selected[_SIZES[-1]] & ~result.truly_optimal).tolist():
        dominating = (risks <= risks[model]).all(axis=1) & (risks < risks[model]).any(axis=1)
        gaps = np.where(dominating, (risks[model] - risks).max(axis=1), np.inf)
        pairs.append((model, int(gaps.argmin())))
    return pairs


def _draw_members(ax: Axes, result: ThreeObjectivesResult) -> None:
    colors = colors_of(ax)
    kinds = (
        ("optimal, found", "o", colors["coverage"], colors["coverage"]),
        ("optimal, missed", "o", "none", colors["bound"]),
        ("spurious", "s", colors["purity"], colors["purity"]),
    )
    # Three blocks of columns, one per kind; the widest kind sets the width.
    counts = {size: _groups(size, result) for size in _SIZES}
    widths = [max(-(-counts[size][k] // _ROWS) for size in _SIZES) for k in range(3)]
    starts = np.concatenate([[0.0], np.cumsum([max(width, 2.4) + 1.1 for width in widths])])
    for block, size in enumerate(_SIZES):
        base = -_BLOCK * block
        for k, (label, marker, face, edge) in enumerate(kinds):
            places = np.arange(counts[size][k])
            ax.plot(
                starts[k] + places // _ROWS,
                base - places % _ROWS,
                marker,
                markerfacecolor=face,
                markeredgecolor=edge,
                markersize=9,
                label=f"{label} at {size}",
            )
            text = f"{counts[size][k]}"
            ax.text(starts[k] - 0.3, base + 0.8, text, color=readable_color(ax, edge), fontsize=17, fontweight="bold")
            if block == 0:
                name = "spurious:\nnot optimal" if label == "spurious" else label.replace(", ", ",\n")
                ax.text(starts[k] - 0.3, base + 2.6, name, color=readable_color(ax, edge), fontsize=10.5)
    ax.set_yticks([-_BLOCK * block - 1.5 for block in range(2)], [f"n =\n{size:,}" for size in _SIZES], fontsize=12)
    ax.tick_params(length=0)
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_xlim(-0.8, starts[-1] + 0.2)
    ax.set_ylim(-_BLOCK - _ROWS, 5.0)
    ax.set_xlabel("one mark per model")
    ax.set_ylabel("size of the sample")
    ax.set_title("What one sample selects")


def _draw_stayers(ax: Axes, result: ThreeObjectivesResult) -> None:
    colors = colors_of(ax)
    pairs = _stayers(result)
    places, labels, largest = [], [], 0.0
    for block, (model, other) in enumerate(pairs):
        top = _GAP * block
        gaps = (result.true_risks[model] - result.true_risks[other]).tolist()
        largest = max(largest, *gaps)
        rows = top + np.arange(len(gaps))
        ax.barh(rows, gaps, height=0.62, color=colors["purity"], label=f"model {model}")
        for row, gap in zip(rows.tolist(), gaps, strict=True):
            write_at(ax, (gap, row), number_text(gap, 2) if gap > 0 else "equal", offset=(5, 0))
        name = _ORDINALS[block] if block < len(_ORDINALS) else f"{block + 1}th"
        text = f"{name} spurious model,\ncompared with one that dominates it"
        write_at(ax, (0.0, top - 0.55), text, offset=(4, 2), color=colors["purity"])
        places += rows.tolist()
        labels += [_LABELS.get(name, name.replace("_", " ")) for name in result.names]
    ax.axvline(0.0, color=colors["truth"], linewidth=1.2)
    ax.set_yticks(places, labels)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_xlim(0.0, max(_SCALE, 1.25 * largest))
    ax.set_ylim(_GAP * max(len(pairs), 1) - 1.6, -1.9)
    ax.locator_params(axis="x", nbins=5)
    ax.set_xlabel("← better     excess true risk (at most 1)")
    ax.set_title(f"At n = {_SIZES[-1]:,}: hardly worse" if pairs else "No spurious model stays")
