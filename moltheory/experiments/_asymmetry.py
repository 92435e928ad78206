"""The asymmetry by simulation: many samples, one row each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import check_count, check_fraction
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._fronts import INFINITE, InfiniteClass, known_widths
from moltheory.experiments._replicates import check_problem, check_sizes, run_sizes
from moltheory.experiments._weighted_fronts import WeightedFrontComparison
from moltheory.problems import FiniteProblem, GaussianDesigns, LinearPopulation, LogisticGroups, MultiTaskLeastSquares
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["asymmetry"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 500
# Predictions of all members held at once, for a few replicates of large samples.
_ENTRIES = 1 << 22
_COLUMNS = (
    "size",
    "replicate",
    "coverage_error",
    "purity_error",
    "n_front",
    "n_spurious",
    "hypervolume_deficit",
    "uniform_deviation",
    "bound",
    "undefined",
    "discretization",
)


def asymmetry(
    problem: FiniteProblem | InfiniteClass,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_jobs: int = 1,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Simulate empirical Pareto fronts and compare them with the true one.

    Parameters
    ----------
    problem : FiniteProblem, MultiTaskLeastSquares, GaussianDesigns, LinearPopulation or LogisticGroups
        With known true risks. Fronts of the last three, infinite classes, are compared at a grid of weights.
    sizes : iterable of int
        Sample sizes, distinct and >= 1.
    replicates : int
        Independent samples per size, >= 1.
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`, with a `store` or without. With a
        `store` it must be an int or a SeedSequence.
    delta : float, default 0.05
        Total failure probability of the bound, in (0, 1).
    n_jobs : int, default 1
        Number of processes; -1 is one per core.
    store : path, optional
        A new or empty folder where finished blocks are kept, or that of the same call made before: a run that was
        killed goes on where it stopped, a finished one is read back. `moltheory.runs.read_record` tells what a
        folder holds.
    progress : bool, default False
        Show a bar with the time left.

    Returns
    -------
    pandas.DataFrame
        One row per sample: ``size``, ``replicate``; ``coverage_error`` and ``purity_error`` of the empirical
        front in true risks; ``n_front`` and ``n_spurious``, its members and those that are not truly optimal
        (for an infinite class: farther from the true front than its grid explains); ``hypervolume_deficit``, in
        true risks with the largest possible risks as reference point; ``uniform_deviation``, the largest
        deviation of any risk; ``bound``, twice the largest width: coverage_error <= bound with
        probability at least 1 - delta; ``undefined``, whether the replicate makes no claim because some group was
        empty (its errors are NaN); ``discretization``, what the grids of weights of an infinite class can miss (0
        for a finite class). An unbounded class has no width: its
        ``bound`` is infinite. In a ball (`LinearPopulation`, `LogisticGroups`) it is `bounds.linear_class` for the ball that
        the solver uses, and leaves out the discretization.

    Raises
    ------
    InvalidInputError
        If `problem` is something else; if a size, `replicates`, `delta`, `n_jobs` or `rng` is out of its range; if
        `store` holds anything else than this run (other parameters, another problem of the same name, another seed,
        other versions), or a damaged part.
    OutputError
        If `store` cannot be written to, or the disk is full.

    Notes
    -----
    In every single sample coverage_error <= 2 uniform_deviation + discretization; nothing of the kind holds for
    the purity error (statement *forward*; P. Súkeník and C. H. Lampert, arXiv 2208.13499).

    Examples
    --------
    >>> from moltheory.problems import mirrored_decoys
    >>> table = asymmetry(mirrored_decoys(), sizes=[11, 101], replicates=20, rng=0)
    >>> table.groupby("size")[["coverage_error", "purity_error"]].max()
          coverage_error  purity_error
    size
    11               0.0           1.0
    101              0.0           1.0
    """
    import pandas as pd

    check_problem(problem, FiniteProblem, *INFINITE)
    chosen = check_sizes(sizes)
    replicates, delta = check_count("replicates", replicates), check_fraction("delta", delta)
    parts = run_sizes(
        _simulate_block,
        problem,
        (delta,),
        experiment="asymmetry",
        parameters={"delta": delta},
        sizes=chosen,
        replicates=replicates,
        block=_BLOCK,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
        progress=progress,
    )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
    return pd.DataFrame(columns)


def _simulate_block(
    problem: FiniteProblem | InfiniteClass,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, problem.name, size, block)
    if isinstance(problem, MultiTaskLeastSquares):
        columns = WeightedFrontComparison(problem)(problem.sample(size, replicates=length, rng=rng, method="wishart"))
        columns["bound"] = np.full(length, np.inf)
    elif isinstance(problem, INFINITE):
        columns = _compared_in_chunks(problem, size, length, rng)
        columns["bound"] = np.full(length, 2.0 * known_widths(problem, size, delta).max())
    else:
        sample = problem.sample(size, replicates=length, rng=rng)
        columns = FrontComparison(problem)(sample.risks())
        columns["bound"] = 2.0 * problem.widths(sample, delta=delta).max(axis=-1)
        columns["discretization"] = np.zeros(length)
    columns["size"] = np.full(length, size)
    columns["replicate"] = block * _BLOCK + np.arange(length)
    return columns


def _compared_in_chunks(
    problem: GaussianDesigns | LinearPopulation | LogisticGroups, size: int, length: int, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.generic]]:
    """Draw and compare a few samples at a time: those of a whole block may not fit in memory."""
    compare = WeightedFrontComparison(problem)
    step = max(1, _ENTRIES // (size * max(len(compare.weights), problem.n_tasks * problem.dimension)))
    parts = [
        compare(problem.sample(size, replicates=min(step, length - start), rng=rng)) for start in range(0, length, step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
