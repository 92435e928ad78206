"""Black boxes and integer choices: one seeded evolutionary search serves all scalarizations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._validation import FloatArray
from moltheory.objectives import BlackBoxObjectives
from moltheory.runs import RandomSource
from moltheory.runs.seeds import as_seed_sequence
from moltheory.scalarization import Scalarization
from moltheory.solvers.sweep import Outcome, Status

__all__ = ["search"]


def search(
    objectives: BlackBoxObjectives,
    scalarizations: Sequence[Scalarization],
    *,
    rng: RandomSource,
    population: int = 100,
    generations: int = 100,
) -> Outcome:
    """Run NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017) and take each minimiser from all points it evaluated."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.optimize import minimize

    seen: list[FloatArray] = []
    found: list[FloatArray] = []
    whole = objectives.integer

    class Box(Problem):  # type: ignore[misc]
        def _evaluate(self, x: FloatArray, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            # Every whole number has the same share of the box, the ends included.
            points = np.where(whole, np.clip(np.round(x), objectives.lower, objectives.upper), x)
            risks = objectives.risks(points)
            seen.append(points)
            found.append(risks)
            out["F"] = risks

    margin = np.where(whole, 0.499, 0.0)
    problem = Box(
        n_var=objectives.dimension,
        n_obj=objectives.n_objectives,
        xl=objectives.lower - margin,
        xu=objectives.upper + margin,
    )
    seed = int(as_seed_sequence(rng).generate_state(1)[0]) % (2**31)
    algorithm = NSGA2(
        pop_size=population, crossover=SBX(prob=0.9, eta=15), mutation=PM(eta=20), eliminate_duplicates=True
    )
    minimize(problem, algorithm, ("n_gen", generations), seed=seed, verbose=False)
    points, risks = np.concatenate(seen), np.concatenate(found)
    out = Outcome.empty(1, len(scalarizations), objectives.n_objectives, objectives.dimension)
    sums = risks.sum(axis=1)
    for j, u in enumerate(scalarizations):
        values = u(risks)
        best = float(values.min())
        if not np.isfinite(best):
            # Not found is not proven infeasible.
            continue
        row = int(np.where(values == best, sums, np.inf).argmin())
        out.solutions[0, j], out.points[0, j], out.values[0, j] = points[row], risks[row], best
        out.gap[0, j] = np.nan
        out.status[0, j] = Status.HEURISTIC
    return out
