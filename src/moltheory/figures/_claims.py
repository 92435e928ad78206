"""How often procedures that name the front are wrong, and how much they decide, in worlds with a known front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import percent_text
from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval
from moltheory.figures._claim_counts import count_verdicts, rows_of
from moltheory.figures._claim_procedures import PROCEDURES
from moltheory.figures._claims_drawing import draw_claims
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream, run_blocks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Claims"]

_MODELS, _EXAMPLES, _DELTA = 20, 1000, 0.05
_WORLDS = ("trade-off", "ties", "near-ties", "equal", "flat", "clusters")
_BLOCK = 2  # runs of one block of work
_OBJECTIVES = (1, 2)


@dataclass(frozen=True)
class ClaimsResult:
    """Counts of verdicts, a row per world, number of estimated objectives and procedure."""

    table: pd.DataFrame


class Claims(Figure[ClaimsResult]):
    """Runs with a false verdict, and the share of models decided: certify with each promise, and other rules."""

    name = "claims"
    title = "The rule that decides most is wrong most: a bootstrap of the front against guaranteed verdicts"
    n_panels = 2
    chapter = "Certificates"

    def compute(self, settings: Settings) -> ClaimsResult:
        """Draw worlds and data, and compare each verdict with the true front."""
        import pandas as pd

        runs = _BLOCK if settings.quick else 30 * _BLOCK
        cases = [(world, objectives) for objectives in _OBJECTIVES for world in _WORLDS]
        blocks = [(*case, start, settings.seed) for case in cases for start in range(0, runs, _BLOCK)]
        counts = run_blocks(_block, blocks, n_jobs=settings.n_jobs, progress=settings.progress, description=self.name)
        rows = []
        for world, objectives in cases:
            parts = [part for part, block in zip(counts, blocks, strict=True) if block[:2] == (world, objectives)]
            found = {name: np.concatenate([part[name] for part in parts]) for name in PROCEDURES}
            rows += list(rows_of(world, objectives, found, _MODELS))
        return ClaimsResult(pd.DataFrame(rows))

    def draw(self, result: ClaimsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw a row per procedure: how often it is wrong, and how much it decides."""
        draw_claims(axes, result.table, _DELTA)
        return axes

    def caption(self, result: ClaimsResult) -> str:
        """Quote how often the bootstrap and certify are wrong, and how much they decide."""
        table = result.table
        sums = table.groupby("procedure", sort=False)[["runs", "wrong"]].sum()
        decided = table[table["world"] == "trade-off"].groupby("procedure")["settled"].mean()
        mine, boot, boxes = "certify", "bootstrap fronts", "boxes alone"
        return (
            f"{_MODELS} models, {_EXAMPLES:,} examples, {len(_WORLDS)} worlds whose true front is known. Where there is a "
            f"trade-off, bootstrap fronts decide {decided[boot]:.0%} of the models, certify {decided[mine]:.0%}, boxes "
            f"alone {decided[boxes]:.0%}. But over all worlds {sums['wrong'][boot]:.0f} of {sums['runs'][boot]:,.0f} "
            f"bootstrap runs hold a false verdict; of certify's, {sums['wrong'][mine]:.0f}. "
            f"One error and false share (PRDS: for positive dependence) are weaker promises."
        )

    def details(self, result: ClaimsResult) -> str:
        """Say what the worlds and the promises are, and how far the counts reach."""
        table = result.table
        sums = table.groupby("procedure", sort=False)[["runs", "wrong", "two_wrong"]].sum()
        share = table.groupby("procedure", sort=False)["false_share"].max()
        runs = int(table["runs"].iloc[0])
        wrong = "; ".join(f"{name} {int(row['wrong'])}" for name, row in sums.iterrows())
        largest = percent_text(share["certify, false share"], 1)
        mine = table[table["procedure"] == "certify"]
        worst = mine.iloc[int(mine["wrong"].to_numpy().argmax())]
        ends = binomial_interval(int(worst["wrong"]), runs, delta=0.05)
        worst_text = (
            f"{worst['world']}, {int(worst['wrong'])} of {runs} runs, an interval from {float(ends.lower):.1%} to "
            f"{float(ends.upper):.1%}"
        )
        return "\n".join(
            [
                "The worlds: a trade-off, the same with ties or in clusters, near-ties, all models equal, and a front that "
                "is flat by a hair; each with one objective and a price, and with two objectives.",
                f"First panel (square roots): small marks are the {2 * len(_WORLDS)} worlds, {runs} runs each; the large "
                f"one is all runs together, with its 95% Clopper-Pearson interval. The worst world of certify: "
                f"{worst_text}. Second panel: the worlds with a trade-off.",
                f"Runs with a false verdict, of {int(sums['runs'].iloc[0]):,} over all worlds: {wrong}.",
                f"Filled marks promise no false verdict with probability {1 - _DELTA:.0%}. One error: at most one false "
                f"verdict, and {int(sums['two_wrong']['certify, one error'])} runs had more. False share: at most "
                f"{_DELTA:.0%} of the verdicts on average; it was at most {largest} in any "
                f"world. The bootstrap promises nothing; max-t (Romano and Wolf) and the asymptotic engine hold for many "
                f"examples only.",
                "Packages that answer the same question are compared in benchmarks/peers.py.",
            ]
        )

    def tables(self, result: ClaimsResult) -> Mapping[str, pd.DataFrame]:
        """Return the counts."""
        return {"verdicts": result.table}


def _block(world: str, objectives: int, start: int, seed: int) -> dict[str, FloatArray]:
    """Count the verdicts of one block of runs."""
    root = as_seed_sequence(seed)
    streams = [block_stream(root, f"claims {world} {objectives}", run) for run in range(start, start + _BLOCK)]
    return count_verdicts(PROCEDURES, world, objectives, streams, models=_MODELS, examples=_EXAMPLES, delta=_DELTA)
