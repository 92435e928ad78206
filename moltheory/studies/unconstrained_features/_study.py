"""The study: closed form against training, and what scalarizations return of the reduced front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.pareto import hypervolume
from moltheory.reports import Settings
from moltheory.solvers import reachability
from moltheory.studies._base import Study
from moltheory.studies.unconstrained_features._budgets import budget_sweep
from moltheory.studies.unconstrained_features._findings import told
from moltheory.studies.unconstrained_features._panels import draw_branches, draw_collapse, draw_front, draw_jump
from moltheory.studies.unconstrained_features._trade_off import (
    MissedPart,
    front_objectives,
    missed_part,
    returned_points,
    scale_grid,
    separated_front,
)
from moltheory.studies.unconstrained_features._trained import network_objectives, unit_loss
from moltheory.studies.unconstrained_features._training import model_at, training_sweep

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["UnconstrainedFeatures", "UnconstrainedResult", "reach_of_front"]

_SHOWN = 3
# Where the budget experiment measures norms; it changes the unit only.
_BUDGET_RATIO = 0.5


@dataclass(frozen=True)
class _Budget:
    """What the experiments cost."""

    depths: tuple[int, ...]
    ratios: tuple[float, ...]
    seeds: int
    steps: int
    scales: tuple[float, ...]
    budget_seeds: int
    per_part: int
    pairs: int


_FULL = _Budget(
    (2, 3, 4, 5),
    (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.05, 1.2, 1.4, 1.8),
    8,
    12_000,
    (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85),
    4,
    120,
    401,
)
_QUICK = _Budget((2, 3), (0.5, 1.1), 5, 500, (0.1, 0.5), 1, 30, 121)


@dataclass(frozen=True)
class UnconstrainedResult:
    """Everything the study found.

    Attributes
    ----------
    depths, depth
        All depths, and the one whose front is shown.
    sweep : pandas.DataFrame
        One row per network, see `training_sweep`.
    objectives : pandas.DataFrame
        One row per depth, see `network_objectives`.
    reach : pandas.DataFrame
        One row per depth, see `reach_of_front`.
    budgets : pandas.DataFrame
        One row per network trained under a budget for norms, see `budget_sweep`; `budget_factor` is its factor.
    front, supported, missed
        The collapsed front at `depth`, which of its points are supported, and the rest in closed form.
    separated, separated_gain
        The front of networks whose classes may have different scales, and its gain in fit on the collapsed front.
    """

    depths: tuple[int, ...]
    depth: int
    sweep: pd.DataFrame
    objectives: pd.DataFrame
    reach: pd.DataFrame
    budgets: pd.DataFrame
    budget_factor: float
    front: FloatArray
    supported: npt.NDArray[np.bool_]
    missed: MissedPart
    separated: FloatArray
    separated_gain: FloatArray


class UnconstrainedFeatures(Study[UnconstrainedResult]):
    """Deep unconstrained features with two classes: optimum, jump, collapse, and a front that weights miss."""

    name = "unconstrained-features"
    title = "Two classes: collapse is optimal until it jumps to zero, and weighted sums miss what lies between"
    n_panels = 4
    paper = (
        "P. Súkeník, M. Mondelli, C. H. Lampert (2023), Deep Neural Collapse Is Provably Optimal for the Deep "
        "Unconstrained Features Model, arXiv 2305.13165"
    )

    def compute(self, settings: Settings) -> UnconstrainedResult:
        """Train over depths and factors, then under norm budgets, and solve the reduced front."""
        import pandas as pd

        cost = _QUICK if settings.quick else _FULL
        sweep = training_sweep(cost.depths, cost.ratios, seeds=cost.seeds, steps=cost.steps, settings=settings)
        budgets = budget_sweep(_SHOWN, _BUDGET_RATIO, cost.scales, seeds=cost.budget_seeds, settings=settings)
        loss = unit_loss(_SHOWN)
        front = front_objectives(loss, scale_grid(_SHOWN, cost.per_part)).risks()
        kinds = reachability(front, ideal=front.min(axis=0) - 0.1 * np.ptp(front, axis=0))
        separated, gain = separated_front(loss, np.linspace(0.0, 1.0, cost.pairs))
        return UnconstrainedResult(
            cost.depths,
            _SHOWN,
            sweep,
            pd.concat([network_objectives(sweep, depth) for depth in cost.depths], ignore_index=True),
            pd.concat([reach_of_front(depth, cost.per_part) for depth in cost.depths], ignore_index=True),
            budgets,
            float(model_at(_SHOWN, _BUDGET_RATIO).factors[0]),
            front,
            kinds["supported"].to_numpy(),
            missed_part(loss),
            separated,
            gain,
        )

    def draw(self, result: UnconstrainedResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw losses on branches, the jump, how collapsed networks are, and the front."""
        for ax, panel in zip(axes, (draw_branches, draw_jump, draw_collapse, draw_front), strict=True):
            panel(ax, result)
        return axes

    def findings(self, result: UnconstrainedResult) -> tuple[str, ...]:
        """Return what was found; see `told`."""
        return told(result)

    def tables(self, result: UnconstrainedResult) -> Mapping[str, pd.DataFrame]:
        """Return every network, the objectives and the reach per depth, and the budgets."""
        return {
            "networks": result.sweep,
            "objectives": result.objectives,
            "reach": result.reach,
            "budgets": result.budgets,
        }


def reach_of_front(depth: int, per_part: int, /) -> pd.DataFrame:
    """Solve families of scalarizations over the collapsed front of one depth, and compare with the closed form.

    Parameters
    ----------
    depth : int
        Layers L >= 2.
    per_part : int
        The front is cut into L times as many scales.

    Returns
    -------
    pandas.DataFrame
        One row: ``depth``, ``points``, ``supported``; how many points weighted sums, ε-constraints and Chebyshev
        scalarizations return, ``weighted_sum``, ``epsilon_constraint``, ``chebyshev``; ``missed``, the points strictly
        inside (0, (L-1)/L), and ``missed_returned``, how many of them a weighted sum returns; ``largest_gap`` between
        neighboring scales that weighted sums return and ``closed_gap``, (L-1)/L; ``price`` and ``height`` of
        `missed_part`; ``volume_missed``, the hypervolume that the points missed add, and ``closed_volume``.

    Examples
    --------
    >>> reach_of_front(3, 20)[["points", "weighted_sum", "chebyshev", "missed", "missed_returned"]]
       points  weighted_sum  chebyshev  missed  missed_returned
    0      61            22         61      39                0
    """
    import pandas as pd

    loss = unit_loss(depth)
    scales = scale_grid(depth, per_part)
    objectives = front_objectives(loss, scales)
    points = objectives.risks()
    kinds = reachability(points, ideal=points.min(axis=0) - 0.1 * np.ptp(points, axis=0))
    found = returned_points(objectives)
    sums = found["weighted sum"]
    closed = missed_part(loss)
    inside = (scales > 0.0) & (np.arange(len(scales)) < (depth - 1) * per_part)
    reference = (0.5, loss.coefficient)
    row = {
        "depth": depth,
        "points": len(scales),
        "supported": int(kinds["supported"].sum()),
        "weighted_sum": int(sums.sum()),
        "epsilon_constraint": int(found["ε-constraint"].sum()),
        "chebyshev": int(found["Chebyshev"].sum()),
        "missed": int(inside.sum()),
        "missed_returned": int((inside & sums).sum()),
        "largest_gap": float(np.diff(scales[sums]).max()),
        "closed_gap": closed.scales[1],
        "price": closed.price,
        "height": closed.height,
        "volume_missed": hypervolume(points, reference=reference) - hypervolume(points[sums], reference=reference),
        "closed_volume": closed.hypervolume,
    }
    return pd.DataFrame([row])
