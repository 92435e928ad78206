"""Scalarized learning: excess risks against the inequality that needs no bound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.experiments._fronts import risks_of, stated_widths
from moltheory.experiments._replicates import check_sizes, computed_once, run_sizes
from moltheory.experiments._scalarized_selection import check_scalarizations
from moltheory.objectives import FiniteObjectives
from moltheory.problems import FiniteProblem, InfiniteProblem, ProblemLike
from moltheory.problems._protocol import as_problem
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
_REALS = ("excess", "deviation", "twice_deviation", "uniform_deviation", "gap")
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
    problem: ProblemLike,
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
    problem : ProblemLike
        Any object with `true` objectives and ``sample(n, *, replicates, rng)``: one of the package's, or your own; with a
        finite class or an infinite one.
    scalarizations : mapping of str to Scalarization
        With a width (every one but `EpsilonConstraint`), each for the problem's number of objectives. For an infinite
        class one of your own declares `form` or `program`.
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
        where ``rigorous`` and an estimate elsewhere. Where a sample of a finite class leaves a risk undefined, all but
        ``bound`` and ``rigorous`` are NaN.

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

    Complexity: O(R k) solves for R samples and k scalarizations, and R k rows; one solve in a class of H hypotheses takes
    O(H N) time.

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

    problem = as_problem(problem, needed_by="excess")
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
    problem: FiniteProblem | InfiniteProblem,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    compare: _Comparison,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, problem.name, size, block)
    k = len(compare.rules)
    step = _rows_at_once(problem, size, k)
    parts = []
    for start in range(0, length, step):
        count = min(step, length - start)
        sample: Any = problem.sample(size, replicates=count, rng=rng)
        part = compare(sample)
        # The half-widths of rates depend on the sample; those of parameters are stated for the size.
        widths = stated_widths(problem, sample if isinstance(problem, FiniteProblem) else size, delta)
        part["bound"] = compare.bounds(np.broadcast_to(widths, (count, problem.true.n_objectives)))
        parts.append(part)
    columns: dict[str, npt.NDArray[np.generic]] = {
        name: np.concatenate([part[name] for part in parts]).reshape(-1) for name in parts[0]
    }
    columns["size"] = np.full(length * k, size)
    columns["replicate"] = np.repeat(block * _BLOCK + np.arange(length), k)
    columns["scalarization"] = np.tile(np.arange(k), length)
    return columns


def _rows_at_once(problem: FiniteProblem | InfiniteProblem, size: int, k: int) -> int:
    """Return how many samples are compared at once with k scalarizations."""
    if isinstance(problem, InfiniteProblem):
        return max(1, _ENTRIES // (size * max(k, problem.n_tasks * problem.dimension)))
    return max(1, _ENTRIES // (k * problem.true.n_objectives * problem.n_hypotheses))


class _Comparison:
    """Compares samples with the true minimisers of all scalarizations, which are computed once."""

    def __init__(self, problem: FiniteProblem | InfiniteProblem, rules: list[Scalarization]) -> None:
        self.true, self.rules = problem.true, rules
        self._is_finite = isinstance(problem, FiniteProblem)
        self.best = solve_front(problem.true, scalarizations=rules)

    def bounds(self, widths: FloatArray) -> FloatArray:
        """Return 2 U(C) for each scalarization, (R, K), from half-widths (R, N); infinite where one of them is."""
        found = np.full((len(widths), len(self.rules)), np.inf)
        known = np.isfinite(widths).all(axis=1)
        for j, u in enumerate(self.rules if known.any() else ()):
            found[known, j] = 2.0 * u.width(widths[known])
        return found

    def __call__(self, sample: Any) -> dict[str, npt.NDArray[np.generic]]:
        """Return columns (R, K)."""
        if not self._is_finite or not sample.undefined.any():
            return self._compared(sample)
        defined = ~sample.undefined
        shape = (defined.size, len(self.rules))
        columns: dict[str, npt.NDArray[np.generic]] = {name: np.full(shape, np.nan) for name in _REALS}
        columns["rigorous"] = np.ones(shape, dtype=np.bool_)
        if defined.any():
            claims = FiniteObjectives(sample.risks()[defined], data_dependent=sample.data_dependent)
            for name, found in self._compared(claims).items():
                columns[name][defined] = found
        return columns

    def _compared(self, sample: Any) -> dict[str, npt.NDArray[np.generic]]:
        found = solve_front(sample, scalarizations=self.rules)
        risks = self._true_risks(found.solutions)
        here = np.abs(found.points - risks)
        there = np.abs(sample.risks(np.asarray(self.best.solutions)) - self.best.points)
        widest = np.maximum(here.max(axis=1), there.max(axis=1))
        shape = here.shape[:2]
        columns: dict[str, npt.NDArray[np.generic]] = {name: np.empty(shape) for name in _REALS}
        for j, u in enumerate(self.rules):
            columns["excess"][:, j] = u(risks[:, j]) - self.best.values[j]
            columns["deviation"][:, j] = u.width(here[:, j]) + u.width(there[:, j])
            columns["twice_deviation"][:, j] = 2.0 * u.width(widest)
        columns["uniform_deviation"] = np.tile(widest.max(axis=1)[:, None], shape[1])
        columns["gap"] = found.gap + self.best.gap
        columns["rigorous"] = found.rigorous & self.best.rigorous
        return columns

    def _true_risks(self, solutions: Any) -> FloatArray:
        """Return the true risks (R, K, N) of the minimisers that solvers found."""
        true: Any = self.true
        if self._is_finite:
            return np.asarray(true.risks()[np.asarray(solutions)])
        return risks_of(true, np.asarray(solutions, dtype=np.float64))
