"""Black boxes and integer choices: one seeded evolutionary search serves all scalarizations.

============  ==================================================================
``nsga2``     Deb, Pratap, Agarwal, Meyarivan 2002, doi 10.1109/4235.996017
``nsga3``     Deb, Jain 2014, doi 10.1109/TEVC.2013.2281535
``moead``     Zhang, Li 2007, doi 10.1109/TEVC.2007.892759
``smsemoa``   Beume, Naujoks, Emmerich 2007, doi 10.1016/j.ejor.2006.08.008
``spea2``     Zitzler, Laumanns, Thiele 2001, doi 10.3929/ethz-a-004284029
============  ==================================================================

The implementations are pymoo's (Blank, Deb 2020, doi 10.1109/ACCESS.2020.2990567).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from moltheory._core._shared_state import one_thread
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.objectives import BlackBoxObjectives
from moltheory.runs import RandomSource
from moltheory.runs._seeds import as_seed_sequence
from moltheory.scalarization import Scalarization
from moltheory.solvers._result import Outcome, Status

__all__ = ["ALGORITHMS", "search"]

ALGORITHMS = ("nsga2", "nsga3", "moead", "smsemoa", "spea2")


def search(
    objectives: BlackBoxObjectives,
    scalarizations: Sequence[Scalarization],
    *,
    algorithm: str = "nsga2",
    rng: RandomSource,
    population: int = 100,
    generations: int = 100,
) -> Outcome:
    """Run an algorithm and take each minimiser from all points it evaluated; refuse a budget too small to begin with."""
    size = check_count("population", population, low=4)
    steps = check_count("generations", generations)
    with one_thread(), redirect_stdout(io.StringIO()):
        # On import pymoo says on the standard output which of its parts are compiled.
        from pymoo.core.problem import Problem
        from pymoo.optimize import minimize

        engine = _algorithm(algorithm, objectives.n_objectives, size)

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
    minimize(problem, engine, ("n_gen", steps), seed=seed, verbose=False)
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


def _algorithm(name: str, n: int, size: int) -> Any:
    """Return pymoo's algorithm; those of directions get as many as an even grid of at most `size` has."""
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM

    operators = {"crossover": SBX(prob=0.9, eta=15), "mutation": PM(eta=20)}
    if name in ("nsga3", "moead"):
        from pymoo.algorithms.moo.moead import MOEAD
        from pymoo.algorithms.moo.nsga3 import NSGA3
        from pymoo.util.ref_dirs import get_reference_directions

        if n < 2:
            raise InvalidInputError(f"`method` must not be {name!r} for one objective, which needs no directions.")
        cuts = 1
        while math.comb(cuts + n, n - 1) <= size:
            cuts += 1
        directions = get_reference_directions("das-dennis", n, n_partitions=cuts)
        if name == "moead":
            return MOEAD(directions, n_neighbors=min(15, len(directions)), **operators)
        return NSGA3(directions, pop_size=max(size, len(directions)), eliminate_duplicates=True, **operators)
    if name == "smsemoa":
        from pymoo.algorithms.moo.sms import SMSEMOA as chosen
    elif name == "spea2":
        from pymoo.algorithms.moo.spea2 import SPEA2 as chosen
    else:
        from pymoo.algorithms.moo.nsga2 import NSGA2 as chosen
    return chosen(pop_size=size, eliminate_duplicates=True, **operators)
