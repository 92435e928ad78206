"""The asymmetry by simulation: many samples, one row each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_count, check_fraction
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._fronts import stated_widths
from moltheory.experiments._replicates import check_problem, check_sizes, computed_once, run_sizes
from moltheory.experiments._weighted_fronts import WeightedFrontComparison
from moltheory.problems import FiniteProblem, InfiniteProblem
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["asymmetry"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 500
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
# Ten columns of 8 bytes, and `undefined`.
_ROW_BYTES = 81
# Tables of risks held at once in a block of a finite class, the largest with many models; of an infinite one the largest
# temporary array and the predictions are bounded.
_TABLES = 18
_INFINITE_BYTES = 64e6


@document
def asymmetry(
    problem: FiniteProblem | InfiniteProblem,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Simulate empirical Pareto fronts and compare them with the true one.

    Parameters
    ----------
    problem : FiniteProblem or InfiniteProblem
        With known true risks, one of the package's or your own. Fronts of infinite classes are compared at a grid of
        weights.
    {sample_sizes}
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`, with a `store` or without. With a
        `store` it must be an int or a SeedSequence.
    {delta_default}
    {n_jobs}
    store : path or URL, optional
        A new or empty folder where finished blocks are kept, or that of an earlier call with the same arguments: an
        interrupted run continues where it stopped, a finished one is read back. Several processes and machines may share
        it. A URL, such as ``s3://bucket/run``, is a folder in object storage (``pip install "moltheory[cluster]"``).
        `moltheory.runs.read_record` describes what a folder holds.
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
        for a finite class). Where a problem states no half-widths, as for an unbounded class, ``bound`` is infinite. In
        a ball (`LinearPopulation`, `LogisticGroups`) it is `bounds.linear_class` for the ball that the solver uses, and
        leaves out the discretization.

    Raises
    ------
    InvalidInputError
        If `problem` is something else; if a size, `replicates`, `delta`, `n_jobs` or `rng` is out of its range; if
        `store` holds anything else than this run (other parameters, another problem of the same name, another seed,
        other versions), or a damaged part.
    OutputError
        If `store` cannot be written to, or the disk is full.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.

    Notes
    -----
    In every single sample coverage_error <= 2 uniform_deviation + discretization; nothing of the kind holds for
    the purity error (statement *forward*; P. Súkeník and C. H. Lampert, arXiv 2208.13499).

    Complexity: for each of R samples of each size O(s H N + H log H) for two objectives, with O(H P) for P truly
    optimal points, and O(R) memory for the table beside a block. Infinite classes: K solves a sample, for the K
    weights of the fine grid.

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

    check_problem(problem, FiniteProblem, InfiniteProblem)
    chosen = check_sizes(sizes)
    replicates, delta = check_count("replicates", replicates), check_fraction("delta", delta)
    parts = run_sizes(
        _simulate_block,
        problem,
        (computed_once(_comparison, problem), delta),
        experiment="asymmetry",
        parameters={"delta": delta},
        sizes=chosen,
        replicates=replicates,
        block=_BLOCK,
        row_bytes=_ROW_BYTES,
        block_bytes=_block_bytes(problem, min(_BLOCK, replicates)),
        rng=rng,
        n_jobs=n_jobs,
        store=store,
        progress=progress,
    )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
    return pd.DataFrame(columns)


def _block_bytes(problem: FiniteProblem | InfiniteProblem, replicates: int) -> float:
    """Return what a block takes at most while it is computed."""
    if not isinstance(problem, FiniteProblem):
        return _INFINITE_BYTES
    risks = np.asarray(problem.true.risks())
    return _TABLES * 8.0 * replicates * risks.size


def _comparison(problem: FiniteProblem | InfiniteProblem) -> FrontComparison | WeightedFrontComparison:
    """Return what compares fronts of this kind of class with the true one, which is computed here."""
    return FrontComparison(problem) if isinstance(problem, FiniteProblem) else WeightedFrontComparison(problem)


def _simulate_block(
    problem: FiniteProblem | InfiniteProblem,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    compare: FrontComparison | WeightedFrontComparison,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, problem.name, size, block)
    step = compare.replicates_at_once(size) or length
    parts = []
    for start in range(0, length, step):
        count = min(step, length - start)
        sample: Any = problem.simulate(size, replicates=count, rng=rng)
        part = compare.compare_sample(sample)
        widest = stated_widths(problem, sample, delta).max(axis=-1)
        part["bound"] = np.broadcast_to(2.0 * widest, (count,))
        parts.append(part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["size"] = np.full(length, size)
    columns["replicate"] = block * _BLOCK + np.arange(length)
    return columns
