"""Near-ties: a probability of error that does not vanish, so purity has no distribution-free rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moltheory.experiments import FrontComparison
from moltheory.plotting import COLORS, log_sizes
from moltheory.problems import near_tie, near_tie_limit
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["NearTies"]

_P = 0.3
_FIXED = (0.2, 0.05)
_SHRINKING = "γ = 1/(2√n)"
_STYLES = {_SHRINKING: ("purity", "s", "-"), "γ = 0.05": ("coverage", "o", "--"), "γ = 0.2": ("deviation", "^", ":")}
_SCALED_SIZES = (25, 400, 10_000)


@dataclass(frozen=True)
class NearTiesResult:
    """Probability that the decoy is on the empirical front: closed form, simulated, and rescaled."""

    by_size: pd.DataFrame
    rescaled: pd.DataFrame
    limit: float
    replicates: int


class NearTies(Figure[NearTiesResult]):
    """How often a decoy that is worse by gamma is on the empirical front."""

    name = "near_tie"
    title = "A gap that shrinks with n keeps a decoy on the front: purity has no rate"
    n_panels = 2

    def compute(self, settings: Settings) -> NearTiesResult:
        """Evaluate the closed form and simulate it, for fixed gaps and one that shrinks."""
        import pandas as pd

        replicates = 2000 if settings.quick else 100_000
        root = as_seed_sequence(settings.seed)
        rows = []
        for n in np.unique(np.geomspace(4, 10_000, 9 if settings.quick else 18).astype(int)).tolist():
            gaps = {_SHRINKING: 1 / (2 * n**0.5), **{f"γ = {gamma:g}": gamma for gamma in _FIXED}}
            for label, gamma in gaps.items():
                problem = near_tie(_P, gamma)
                rng = block_stream(root, f"near_tie figure {gamma!r}", n)
                found = FrontComparison(problem)(problem.sample(n, replicates=replicates, rng=rng).risks())
                rows.append(
                    {
                        "gap": label,
                        "size": n,
                        "gamma": gamma,
                        "probability": problem.decoy_probability(n),
                        "simulated": float(np.asarray(found["n_spurious"], dtype=np.float64).mean()),
                        "largest_coverage_error": float(np.asarray(found["coverage_error"], dtype=np.float64).max()),
                    }
                )
        steps = np.linspace(0, 3, 13 if settings.quick else 31)
        rescaled = [
            {"size": n, "scaled_gap": c, "probability": near_tie(_P, c / (2 * n**0.5)).decoy_probability(n)}
            for n in _SCALED_SIZES
            for c in steps.tolist()
        ]
        return NearTiesResult(pd.DataFrame(rows), pd.DataFrame(rescaled), near_tie_limit(_P), replicates)

    def draw(self, result: NearTiesResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the probability against n, then against the gap in units of 1/(2 sqrt n)."""
        first, second = axes
        for label, part in result.by_size.groupby("gap"):
            color, marker, line = _STYLES[str(label)]
            first.plot(part["size"], part["probability"], line, color=COLORS[color], label=label)
            first.plot(part["size"], part["simulated"], marker, color=COLORS[color], markersize=5)
        first.axhline(result.limit, color=COLORS["truth"], linewidth=1, label=f"limit {result.limit:.4f}")
        first.set_ylim(0, 0.55)
        first.set_title("Against n")
        log_sizes(first)
        first.legend(loc="upper right")
        for (n, part), line in zip(result.rescaled.groupby("size"), (":", "--", "-"), strict=True):
            second.plot(part["scaled_gap"], part["probability"], line, color=COLORS["purity"], label=f"n = {n:,}")
        second.set_xlabel("gap in units of 1/(2√n)")
        second.set_ylim(0, 0.55)
        second.set_title("Against the gap")
        second.legend(loc="upper right")
        for ax in axes:
            ax.set_ylabel("← better     P(decoy on the front)")
        return axes

    def caption(self, result: NearTiesResult) -> str:
        """Quote the limit and the largest n."""
        table = result.by_size
        last = table[table["size"] == table["size"].max()].set_index("gap")
        off = (table["simulated"] - table["probability"]).abs().max()
        return (
            f"One good model with error {_P:g}, one decoy that is worse by γ and costs more. First panel: a fixed gap "
            f"is detected eventually (probability of selecting the decoy {last.loc['γ = 0.05', 'probability']:.2g} at n = "
            f"{int(table['size'].max()):,} for γ = 0.05), but for a gap of 1/(2√n) the decoy stays on the empirical "
            f"front with probability {last.loc[_SHRINKING, 'probability']:.4f}, limit {result.limit:.4f}. Lines are "
            f"closed forms, marks simulations of {result.replicates:,} samples (largest difference {off:.4f}). Second "
            f"panel: what matters is the gap times √n, whatever n is, so no rate holds for all distributions. The "
            f"coverage error was {table['largest_coverage_error'].max():g} in every sample."
        )

    def tables(self, result: NearTiesResult) -> Mapping[str, pd.DataFrame]:
        """Return both sets of probabilities."""
        return {"by_size": result.by_size, "rescaled": result.rescaled}
