"""The tilted line: a whole segment of hypotheses enters the empirical front, although losses are linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory import plot
from moltheory._core._validation import FloatArray
from moltheory.experiments import exact_errors
from moltheory.figures._inline import write_at
from moltheory.pareto import nondominated
from moltheory.plotting import axis_labels, colors_of, ink_of, note
from moltheory.problems import tilted_line
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["TiltedLine"]

_SIZE = 101
_DRAWS = 12


@dataclass(frozen=True)
class TiltedLineResult:
    """Empirical risks of several samples, and exact errors against n."""

    risks: FloatArray
    whole: npt.NDArray[np.bool_]
    exact: pd.DataFrame


class TiltedLine(Figure[TiltedLineResult]):
    """Empirical risks of a segment of hypotheses in several samples, and the errors against n."""

    name = "tilted_line"
    chapter = "What happens"
    title = "A whole segment of bad models is on the empirical front in half of the samples"
    n_panels = 2

    def compute(self, settings: Settings) -> TiltedLineResult:
        """Draw twelve samples, and enumerate all samples for several n."""
        world = tilted_line()
        rng = block_stream(as_seed_sequence(settings.seed), "tilted_line figure", _SIZE)
        risks = world.sample_risks(_SIZE, replicates=_DRAWS, rng=rng)
        sizes = [1, 3, 11, 31, 101, 301, 1001] if settings.quick else [1, 3, 11, 31, 101, 301, 1001, 3001, 10_001]
        return TiltedLineResult(risks, np.asarray(nondominated(risks).all(axis=1)), exact_errors(world, sizes=sizes))

    def draw(self, result: TiltedLineResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the segments in objective space, then the expected errors."""
        _draw_segments(axes[0], result)
        axes[1].set_title("More examples: purity error stays")
        axes[1].set_ylim(-0.04, 0.85)
        plot.asymmetry(result.exact, logarithmic=False, key=False, ax=axes[1])
        axes[1].set_xlabel("odd number of examples n")
        axes[1].set_ylabel("← better     expected distance")
        return axes

    def caption(self, result: TiltedLineResult) -> str:
        """Quote the draws and the last size."""
        last = result.exact.iloc[-1]
        return (
            f"All models have true error 1/2; only the cheapest is optimal. A sample tilts the line of their empirical "
            f"errors, and if it tilts to the left, every model looks optimal: in {int(result.whole.sum())} of "
            f"{_DRAWS} samples shown. The expected purity error stays: {last['purity_error']:.3g} at "
            f"n = {int(last['size']):,}. The coverage error is {last['coverage_error']:g}."
        )

    def details(self, result: TiltedLineResult) -> str:
        """Say what the models are, and that convexity does not help."""
        last = result.exact.iloc[-1]
        return "\n".join(
            (
                "Models h in [0, 1] have true error 1/2 and cost h, so h = 0 alone is optimal. Equal samples overlap in the "
                "first panel. Sizes are odd: at an even size a sample may tilt the line to neither side. Second panel: "
                "exact expectations.",
                f"The largest deviation of any risk is {last['uniform_deviation']:.2g} on average at "
                f"n = {int(last['size']):,}: all empirical risks converge, and the purity error does not.",
                "The losses are linear in h: convexity alone does not help.",
            )
        )

    def alt(self, result: TiltedLineResult) -> str:
        """Say what each panel shows."""
        return (
            "Two panels. First, error against cost: the true models stand in one vertical line; samples tilt it, about half "
            "of them to the left, where all models are on the empirical front. Second, against the number of examples: the "
            "purity error stays, the largest deviation falls to zero, the coverage error is zero."
        )

    def tables(self, result: TiltedLineResult) -> Mapping[str, pd.DataFrame]:
        """Return the exact errors."""
        return {"exact": result.exact}


def _draw_segments(ax: Axes, result: TiltedLineResult) -> None:
    """Draw the risks of all models in each sample, and in truth."""
    colors, ink = colors_of(ax), ink_of(ax)
    ax.plot([0.5, 0.5], [0, 1], color=colors["truth"], linewidth=4, label="truth: all errors are 1/2")
    for risks, whole in zip(result.risks, result.whole.tolist(), strict=True):
        style: dict[str, Any] = {
            "color": colors["purity"] if whole else colors["light"],
            "linestyle": "-" if whole else "--",
        }
        ax.plot(risks[:, 0], risks[:, 1], **style)
    ax.plot(0.5, 0, "o", color=colors["truth"], markersize=10, label="the one optimal model", zorder=3)
    ax.set_title(f"{int(result.whole.sum())} of {_DRAWS} samples tilt to the left")
    ax.set_ylim(-0.3, 1.45)
    widest = 1.15 * float(np.abs(result.risks[:, :, 0] - 0.5).max())
    ax.set_xlim(0.5 - widest, 0.5 + widest)
    ax.locator_params(axis="x", nbins=5)
    ax.set_yticks([0, 0.5, 1])
    axis_labels(ax, "error", "cost")
    ax.text(0.5, -0.1, "the one optimal model", ha="center", va="top", color=ink)
    ax.text(0.5, 1.04, "truth", ha="center", va="bottom", color=ink)
    # Above the ends of the lines.
    aside = 0.18 * widest
    write_at(ax, (0.5 - aside, 1.03), "tilted left: all\nlook optimal", offset=(-0.1, 2), color=colors["purity"])
    write_at(ax, (0.5 + aside, 1.03), "tilted right: one\nlooks optimal", offset=(0.1, 2), color=colors["light"])
    note(ax, f"n = {_SIZE};\nequal samples\noverlap", at=(0.02, 0.3), color=colors["bound"])
