"""The tilted line: a whole segment of hypotheses enters the empirical front, although losses are linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.experiments import exact_errors
from moltheory.pareto import nondominated
from moltheory.plotting import COLORS, axis_labels, log_sizes
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
        first, second = axes
        first.plot([0.5, 0.5], [0, 1], color=COLORS["truth"], linewidth=4, label="truth: all errors are 1/2")
        labels = {True: "all of it on the empirical front", False: "only the lower end on it"}
        for risks, whole in zip(result.risks, result.whole.tolist(), strict=True):
            color = COLORS["purity"] if whole else COLORS["light"]
            first.plot(risks[:, 0], risks[:, 1], "-" if whole else "--", color=color, label=labels.pop(whole, None))
        first.plot(0.5, 0, "o", color=COLORS["truth"], markersize=10, label="the one optimal model")
        first.set_title(f"{_DRAWS} samples of n = {_SIZE}")
        first.set_ylim(-0.08, 1.75)
        first.locator_params(axis="x", nbins=5)
        first.set_yticks([0, 0.5, 1])
        axis_labels(first, "error", "cost")
        first.legend(loc="upper center")
        table = result.exact
        second.plot(table["size"], table["purity_error"], "s-", color=COLORS["purity"], label="purity error")
        second.plot(
            table["size"], table["uniform_deviation"], "^-", color=COLORS["deviation"], label="largest deviation"
        )
        second.plot(table["size"], table["coverage_error"], "o-", color=COLORS["coverage"], label="coverage error")
        second.set_title("Exact expectations, odd n")
        second.set_ylim(-0.04, 0.85)
        second.set_ylabel("← better     distance in true risks")
        log_sizes(second)
        second.legend(loc="upper right")
        return axes

    def caption(self, result: TiltedLineResult) -> str:
        """Quote the draws and the last size."""
        last = result.exact.iloc[-1]
        return (
            f"Models h in [0, 1] have true error 1/2 and cost h, so h = 0 alone is optimal. A sample tilts the line "
            f"of their empirical errors; if it tilts to the left, every model is empirically Pareto-optimal: so in "
            f"{int(result.whole.sum())} of the {_DRAWS} samples shown (equal samples overlap). Second panel: the "
            f"expected purity error is {last['purity_error']:.3g} at n = {int(last['size']):,}, while the largest "
            f"deviation of any risk is {last['uniform_deviation']:.2g} on average and the coverage error "
            f"{last['coverage_error']:g}. The losses are linear in h: convexity alone does not help."
        )

    def tables(self, result: TiltedLineResult) -> Mapping[str, pd.DataFrame]:
        """Return the exact errors."""
        return {"exact": result.exact}
