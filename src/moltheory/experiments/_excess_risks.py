"""Scalarized learning in infinite classes: excess risks against the inequality that needs no bound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.experiments._fronts import Objectives, risks_of, stated_widths
from moltheory.experiments._replicates import check_problem, check_sizes, computed_once, run_sizes
from moltheory.experiments._scalarized_selection import check_scalarizations
from moltheory.problems import InfiniteProblem
from moltheory.runs import RandomSource, block_stream, fingerprint
from moltheory.scalarization import Scalarization
from moltheory.solvers import solve_front

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["excess"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 100
# Features, or predictions of all minimisers, held at once.
_ENTRIES = 1 << 22
# Of the columns, and of the names of scalarizations in the table.
_ROW_BYTES = 81
_COLUMNS = (
    "size",
    "replicate",
    "scalarization",
    "excess",
    "deviation",
    "twice_deviation",
    "uniform_deviation",
    "bound",
    "gap",
    "rigorous",
)


@document
def excess(
    problem: InfiniteProblem,
    *,
    scalarizations: Mapping[str, Scalarization],
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    r"""Simulate scalarized learning, and compare its excess with the realized deviation of the risks.

    Parameters
    ----------
    problem : InfiniteProblem
        With known true risks, one of the package's or your own.
    scalarizations : mapping of str to Scalarization
        With a width (every one but `EpsilonConstraint`), each for the problem's number of objectives.
    {sample_sizes}
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`. With a `store` it must be an int or a
        SeedSequence.
    {delta_default}
    {n_jobs}
    store : path or URL, optional
        Folder where finished blocks are kept; as in `asymmetry`.
    progress : bool, default False
        Show a bar with the time left.

    Returns
    -------
    pandas.DataFrame
        One row per sample and scalarization: ``size``, ``replicate``, ``scalarization`` (its name); ``excess``,
        :math:`U(L(\hat h)) - U(L(h^*))` for the minimisers found; ``deviation``,
        :math:`U(|L - \hat L|(\hat h)) + U(|L - \hat L|(h^*))`; ``twice_deviation``, 2 U(C) for C the largest
        deviation of each objective over the true and the empirical minimisers of all scalarizations;
        ``uniform_deviation``, the largest entry of C; ``bound``, 2 U(C) for the widths C of the class, infinite where
        none is known; ``gap``, the suboptimality left by the solver, empirical and true together, a bound
        where ``rigorous`` and an estimate elsewhere.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or `store` holds something else.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.
    SolverError
        If a scalarization has no minimiser: separable samples without ridge or ball, for example.

    Notes
    -----
    In every single sample excess <= deviation + gap and deviation <= twice_deviation (statement *scalarized-excess*
    with realized widths; counterpart of P. Súkeník and C. H. Lampert, arXiv 2208.13499, Theorem 2): where the
    certificates are rigorous it cannot fail but by rounding. The excess itself is that of the true minimiser found,
    at most the true gap below the excess over the infimum.

    Complexity: O(R k) solves for R samples and k scalarizations, and R k rows.

    Examples
    --------
    >>> from moltheory.problems import MultiTaskLeastSquares
    >>> from moltheory.scalarization import Chebyshev, WeightedSum
    >>> problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    >>> chosen = {"sum": WeightedSum([0.5, 0.5]), "Chebyshev": Chebyshev([0.5, 0.5])}
    >>> table = excess(problem, scalarizations=chosen, sizes=[50], replicates=20, rng=0)
    >>> bool((table["excess"] <= table["deviation"] + table["gap"]).all()), len(table)
    (True, 40)
    """
    import pandas as pd

    check_problem(problem, InfiniteProblem)
    check_scalarizations(scalarizations, problem.true.n_objectives)
    for label, u in scalarizations.items():
        if not u.has_width:
            raise InvalidInputError(
                f"`scalarizations` must have a width, got a {type(u).__name__} without one for {label!r}; statement "
                f"constrained-excess is about constraints."
            )
    chosen, replicates = check_sizes(sizes), check_count("replicates", replicates)
    delta = check_fraction("delta", delta)
    rules = list(scalarizations.values())
    parts = run_sizes(
        _excess_block,
        problem,
        (computed_once(_Comparison, problem, rules), delta),
        experiment="excess",
        parameters={
            "scalarizations": list(scalarizations),
            "digest of the scalarizations": fingerprint(rules),
            "delta": delta,
        },
        sizes=chosen,
        replicates=replicates,
        block=_BLOCK,
        row_bytes=_ROW_BYTES * len(rules),
        block_bytes=2 * 8 * _ENTRIES,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
        progress=progress,
    )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
    table = pd.DataFrame(columns)
    table["scalarization"] = np.array(list(scalarizations), dtype=object)[columns["scalarization"]]
    return table


def _excess_block(
    problem: InfiniteProblem,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    compare: _Comparison,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, problem.name, size, block)
    k = len(compare.rules)
    step = max(1, _ENTRIES // (size * max(k, problem.n_tasks * problem.dimension)))
    parts = [
        compare(problem.sample(size, replicates=min(step, length - start), rng=rng)) for start in range(0, length, step)
    ]
    columns: dict[str, npt.NDArray[np.generic]] = {
        name: np.concatenate([part[name] for part in parts]).reshape(-1) for name in parts[0]
    }
    columns["bound"] = np.tile(compare.bounds(stated_widths(problem, size, delta)), length)
    columns["size"] = np.full(length * k, size)
    columns["replicate"] = np.repeat(block * _BLOCK + np.arange(length), k)
    columns["scalarization"] = np.tile(np.arange(k), length)
    return columns


class _Comparison:
    """Compares samples with the true minimisers of all scalarizations, which are computed once."""

    def __init__(self, problem: InfiniteProblem, rules: list[Scalarization]) -> None:
        self.true, self.rules = problem.true, rules
        self.best = solve_front(problem.true, scalarizations=rules)

    def bounds(self, width: FloatArray) -> FloatArray:
        """Return 2 U(C) for each scalarization, (K,); infinite where a half-width is."""
        unbounded = not np.isfinite(width).all()
        return np.array([np.inf if unbounded else 2.0 * float(u.width(width)) for u in self.rules])

    def __call__(self, sample: Objectives) -> dict[str, npt.NDArray[np.generic]]:
        """Return columns (R, K)."""
        found = solve_front(sample, scalarizations=self.rules)
        solutions = np.asarray(found.solutions, dtype=np.float64)
        risks = risks_of(self.true, solutions)
        here = np.abs(found.points - risks)
        there = np.abs(sample.risks(np.asarray(self.best.solutions)) - self.best.points)
        widest = np.maximum(here.max(axis=1), there.max(axis=1))
        shape = here.shape[:2]
        reals = {name: np.empty(shape) for name in ("excess", "deviation", "twice_deviation")}
        for j, u in enumerate(self.rules):
            reals["excess"][:, j] = u(risks[:, j]) - self.best.values[j]
            reals["deviation"][:, j] = u.width(here[:, j]) + u.width(there[:, j])
            reals["twice_deviation"][:, j] = 2.0 * u.width(widest)
        columns: dict[str, npt.NDArray[np.generic]] = {**reals}
        columns["uniform_deviation"] = np.tile(widest.max(axis=1)[:, None], shape[1])
        columns["gap"] = found.gap + self.best.gap
        columns["rigorous"] = found.rigorous & self.best.rigorous
        return columns
