"""How often procedures that name the front are wrong, against how much they settle, in worlds with a known front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.figures._claim_counts import count_verdicts, rows_of
from moltheory.figures._claim_procedures import PROCEDURES
from moltheory.plotting import COLORS
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream, run_blocks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Claims", "draw_claims"]

_MODELS, _EXAMPLES, _DELTA = 20, 1000, 0.05
_WORLDS = ("trade-off", "ties", "near-ties", "equal", "flat", "clusters")
_BLOCK = 2  # runs of one block of work
_TITLES = {1: "One objective and a price", 2: "Two objectives"}
# Color and marker by the beginning of a name; the color tells the family.
_STYLES = {
    "certify, one": ("coverage", "^"),
    "certify, false share (PRDS)": ("coverage", "v"),
    "certify, false": ("coverage", "s"),
    "certify, asymptotic": ("coverage", "D"),
    "certify": ("coverage", "o"),
    "boxes": ("bound", "s"),
    "Romano": ("bound", "D"),
    "bootstrap": ("purity", "D"),
    "evalstats, dom": ("extra", "^"),
    "evalstats": ("extra", "o"),
    "claimeval": ("purity", "s"),
    "SPA per": ("deviation", "^"),
    "SPA": ("deviation", "v"),
    "MCS": ("deviation", "o"),
    "Learn": ("light", "s"),
}


@dataclass(frozen=True)
class ClaimsResult:
    """Counts of verdicts, a row per world, number of estimated objectives and procedure."""

    table: pd.DataFrame


class Claims(Figure[ClaimsResult]):
    """Runs with a false verdict against the share of models settled: certify with each promise, and other rules."""

    name = "claims"
    title = "What settles most is wrong most: share of models settled, and runs with a false verdict"
    n_panels = 2

    def compute(self, settings: Settings) -> ClaimsResult:
        """Draw worlds and data, and compare each verdict with the true front."""
        import pandas as pd

        runs = _BLOCK if settings.quick else 30 * _BLOCK
        cases = [(world, objectives) for objectives in _TITLES for world in _WORLDS]
        blocks = [(*case, start, settings.seed) for case in cases for start in range(0, runs, _BLOCK)]
        counts = run_blocks(_block, blocks, n_jobs=settings.n_jobs, progress=settings.progress, description=self.name)
        rows = []
        for world, objectives in cases:
            parts = [part for part, block in zip(counts, blocks, strict=True) if block[:2] == (world, objectives)]
            found = {name: np.concatenate([part[name] for part in parts]) for name in PROCEDURES}
            rows += list(rows_of(world, objectives, found, _MODELS))
        return ClaimsResult(pd.DataFrame(rows))

    def draw(self, result: ClaimsResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw one panel for one objective and a price, one for two objectives."""
        for ax, (objectives, title) in zip(axes, _TITLES.items(), strict=True):
            draw_claims(ax, result.table[result.table["objectives"] == objectives], _DELTA)
            ax.set_title(title)
        return axes

    def caption(self, result: ClaimsResult) -> str:
        """Quote what is promised, and what was counted."""
        sums = result.table.groupby("procedure", sort=False)[["runs", "wrong", "two_wrong"]].sum()
        share = result.table.groupby("procedure", sort=False)["false_share"].max()
        trade_off = result.table[result.table["world"] == "trade-off"].groupby("procedure")["settled"].mean()
        wrong = "; ".join(f"{name} {int(row['wrong'])}" for name, row in sums.iterrows())
        settled = "; ".join(f"{name} {trade_off[name]:.0%}" for name in sums.index)
        two = int(sums["two_wrong"]["certify, one error"])
        return (
            f"{_MODELS} models, n = {_EXAMPLES:,} examples, confidence {1 - _DELTA:.0%}; {len(_WORLDS)} worlds whose "
            f"true front is known: a trade-off (large marks), the same with ties or in clusters, near-ties, all "
            f"models equal, and a front that is flat by a hair. Each mark is one procedure in one world; the vertical "
            f"axis (square roots) is the share of runs with at least one false verdict, the line {_DELTA:.0%}. Settled "
            f"on trade-offs: {settled}. Runs with a false verdict, of {int(sums['runs'].iloc[0]):,} over all worlds: "
            f"{wrong}. The promise of one error allows runs with a single false verdict: {two} had more; that of a "
            f"false share bounds the mean share of false verdicts, which was at most "
            f"{share['certify, false share']:.1%} in any world. The bootstrap guarantees nothing; max-t (Romano and "
            f"Wolf) and the asymptotic engine hold for many examples only. Packages that answer the same question are "
            f"compared in benchmarks/peers.py."
        )

    def tables(self, result: ClaimsResult) -> Mapping[str, pd.DataFrame]:
        """Return the counts."""
        return {"verdicts": result.table}


def _block(world: str, objectives: int, start: int, seed: int) -> dict[str, FloatArray]:
    """Count the verdicts of one block of runs."""
    root = as_seed_sequence(seed)
    streams = [block_stream(root, f"claims {world} {objectives}", run) for run in range(start, start + _BLOCK)]
    return count_verdicts(PROCEDURES, world, objectives, streams, models=_MODELS, examples=_EXAMPLES, delta=_DELTA)


def draw_claims(ax: Axes, table: pd.DataFrame, delta: float) -> Axes:
    """Draw one point per procedure and world, large for the trade-off, with the names in lanes above the points.

    Names stand in order of the trade-off's share settled, the leftmost in the highest lane: no name crosses the line that
    leads to another.
    """
    large = table[table["world"] == "trade-off"].sort_values("settled", kind="stable")
    lanes = len(large)
    ax.set_yscale("function", functions=(_root, _square))
    ax.axhline(delta, color=COLORS["truth"], linewidth=1.0, label=f"{delta:.0%}")
    ax.text(1.0, _square(_root(delta) + 0.03), f"nominal {delta:.0%}", fontsize=8.5, ha="right")
    points = zip(large["procedure"], large["settled"], large["wrong"] / large["runs"], strict=True)
    for lane, (name, x, y) in enumerate(points):
        color, marker = next(style for begin, style in _STYLES.items() if name.startswith(begin))
        part = table[table["procedure"] == name]
        ax.plot(
            part["settled"],
            part["wrong"] / part["runs"],
            marker,
            color=COLORS[color],
            markersize=4.5,
            alpha=0.55,
            markeredgewidth=0,
            label=name,
            clip_on=False,
        )
        ax.plot([x], [y], marker, color=COLORS[color], markersize=8, markeredgecolor="white", zorder=4, clip_on=False)
        top = _square(1.09 + 0.085 * (lanes - 1 - lane))
        ax.plot([x, x], [y, top], "-", color=COLORS[color], linewidth=0.7, alpha=0.6, zorder=1)
        ax.text(x + 0.012, top, name, color=COLORS[color], fontsize=8.5, va="center")
    ax.set_ylim(_square(-0.04), _square(1.09 + 0.085 * lanes))
    ax.set_yticks([0, 0.01, delta, 0.2, 0.5, 1.0], ["0", "1%", f"{delta:.0%}", "20%", "50%", "100%"])
    ax.set_xlim(-0.02, 1.0)
    ax.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    ax.set_xlabel("share of models settled     better →")
    ax.set_ylabel("← better     runs with a false verdict", loc="bottom")
    return ax


def _root(value: float | FloatArray) -> Any:
    root: Any = np.sign(value) * np.sqrt(np.abs(value))
    return root


def _square(value: float | FloatArray) -> Any:
    square: Any = np.sign(value) * np.square(value)
    return square
