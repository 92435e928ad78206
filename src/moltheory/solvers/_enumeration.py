"""Finite classes: every hypothesis is evaluated, so that the minimiser is exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moltheory.objectives import FiniteObjectives
from moltheory.scalarization import Scalarization
from moltheory.solvers._result import Outcome, Status

__all__ = ["enumerate_class"]

# Entries of the largest temporary array.
_CHUNK = 1 << 22


def enumerate_class(objectives: FiniteObjectives, scalarizations: Sequence[Scalarization]) -> Outcome:
    """Minimise over all hypotheses, in O(R K H N).

    Ties in the scalarized value go to a hypothesis that no other tied one dominates (the one of smallest sum of risks
    and, among those, of smallest index): where minimisers may be merely weakly optimal (plain Chebyshev, a zero weight,
    an epsilon-constraint) the one returned is still Pareto-optimal.
    """
    table = objectives.risks().reshape(-1, objectives.n_hypotheses, objectives.n_objectives)
    undefined = objectives.undefined.reshape(-1)
    r, h, n = table.shape
    out = Outcome.empty(r, len(scalarizations), n, None)
    step = max(1, _CHUNK // (h * n))
    for start in range(0, r, step):
        rows = np.arange(start, min(start + step, r))[~undefined[start : start + step]]
        if not rows.size:
            continue
        risks = table[rows]
        sums = risks.sum(axis=-1)
        for j, u in enumerate(scalarizations):
            values = u(risks)
            best = values.min(axis=-1, keepdims=True)
            index = np.where(values == best, sums, np.inf).argmin(axis=-1)
            index = np.where(np.isinf(best[:, 0]), -1, index)
            found = index >= 0
            out.solutions[rows, j] = index
            out.values[rows, j] = best[:, 0]
            out.points[rows[found], j] = risks[found, index[found]]
            out.gap[rows[found], j] = 0.0
            out.rigorous[rows[found], j] = True
            out.status[rows, j] = np.where(found, Status.CERTIFIED, Status.INFEASIBLE)
    out.status[undefined] = Status.UNDEFINED
    return out
