"""The asymmetry by simulation: many samples, one row each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._fronts import stated_widths
from moltheory.experiments._lattice_fronts import MOST_TASKS
from moltheory.experiments._replicates import check_sizes_or_tuples, computed_once, run_sizes
from moltheory.experiments._weighted_fronts import WeightedFrontComparison
from moltheory.problems import FiniteProblem, InfiniteProblem, ProblemLike
from moltheory.problems._base import SampleSize
from moltheory.problems._protocol import as_problem
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
_INFINITE_BYTES = 36e6


@document
def asymmetry(
    problem: ProblemLike,
    *,
    sizes: Iterable[SampleSize],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_points: int | None = None,
    refine: int | None = None,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Simulate empirical Pareto fronts and compare them with the true one.

    Parameters
    ----------
    problem : ProblemLike
        Any object with `true` objectives and ``sample(n, *, replicates, rng)``: one of the package's, or your own.
    sizes : iterable of int or tuple of int
        Sample sizes, distinct and >= 1; a tuple has one entry per objective, which then have independent samples.
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`, with a `store` or without. With a
        `store` it must be an int or a SeedSequence.
    {delta_default}
    n_points : int, optional
        For an infinite class, how many weights at most the coarse grid of fronts has, >= 2; by default as the problem's
        ``front_grid`` says. Refused for a finite class, whose fronts need none.
    refine : int, optional
        For two to four objectives of an infinite class, how many times as many points the fine grid has, >= 1; by default
        as ``front_grid`` says, and 1 for four.
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
        One row per sample: ``size`` (a tuple where one was given), ``replicate``; ``coverage_error`` and
        ``purity_error`` of the empirical front in true risks; ``n_front`` and ``n_spurious``, its members and those
        that are not truly optimal (for an infinite class: farther from the true front than its grid explains);
        ``hypervolume_deficit``, in true risks with the largest possible risks as reference point;
        ``uniform_deviation``, the largest deviation of any risk; ``bound``, twice the largest width:
        coverage_error <= bound with probability at least 1 - delta; ``undefined``, whether the replicate makes no
        claim because some group was empty (its errors are NaN); ``discretization``, what the grids of weights of an
        infinite class can miss of the continuous fronts (0 for a finite class): a bound for the resolution of both
        errors, gaps of solvers included, and infinite where these are estimates. For two to four objectives it falls
        with the square of the step, as neighbors in the grid are joined by chords and simplices (see
        `WeightedFrontComparison`); for more, like the step. Where a problem states no half-widths, as for an unbounded
        class, ``bound`` is infinite. In a ball (`LinearPopulation`, `LogisticGroups`) it is `bounds.linear_class` for the
        ball that the solver uses, and leaves out the discretization.

    Raises
    ------
    InvalidInputError
        If `problem` lacks something, which the message names; if a size, `replicates`, `delta`, `n_points`, `refine`,
        `n_jobs` or `rng` is out of its range; if `store` holds anything else than this run (other parameters, another
        problem of the same name, another seed, other versions), or a damaged part.
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

    problem = as_problem(problem, needed_by="asymmetry")
    chosen = check_sizes_or_tuples(sizes, problem.true.n_objectives)
    grid = _grid(problem, n_points, refine)
    replicates, delta = check_count("replicates", replicates), check_fraction("delta", delta)
    parts = run_sizes(
        _simulate_block,
        problem,
        (computed_once(_comparison, problem, grid), delta),
        experiment="asymmetry",
        parameters={"delta": delta, **grid},
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
    table = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS[1:]})
    given = np.empty(len(chosen), dtype=object)
    given[:] = chosen
    sizes = given if any(isinstance(size, tuple) for size in chosen) else np.array(chosen)
    table.insert(0, "size", np.repeat(sizes, replicates))
    return table


def _grid(problem: FiniteProblem | InfiniteProblem, n_points: int | None, refine: int | None) -> dict[str, int]:
    """Return what was asked for of the grid of an infinite class, checked."""
    given = {name: value for name, value in (("n_points", n_points), ("refine", refine)) if value is not None}
    for name, value in given.items():
        check_count(name, value, low=2 if name == "n_points" else 1)
        if isinstance(problem, FiniteProblem):
            raise InvalidInputError(
                f"`{name}` must be None for a finite class, whose fronts have no grid, got {value}."
            )
    if "n_points" in given and not isinstance(problem, FiniteProblem):
        check_count("n_points", given["n_points"], low=problem.n_tasks)
    if "refine" in given and problem.true.n_objectives > MOST_TASKS:
        raise InvalidInputError(
            f"`refine` must be None for {problem.true.n_objectives} objectives, which have one grid, got {refine}."
        )
    return {name: int(value) for name, value in given.items()}


def _block_bytes(problem: FiniteProblem | InfiniteProblem, replicates: int) -> float:
    """Return what a block takes at most while it is computed."""
    if not isinstance(problem, FiniteProblem):
        return _INFINITE_BYTES
    risks = np.asarray(problem.true.risks())
    return _TABLES * 8.0 * replicates * risks.size


def _comparison(
    problem: FiniteProblem | InfiniteProblem, grid: Mapping[str, int]
) -> FrontComparison | WeightedFrontComparison:
    """Return what compares fronts of this kind of class with the true one, which is computed here."""
    if isinstance(problem, FiniteProblem):
        return FrontComparison(problem)
    return WeightedFrontComparison(problem, n_points=grid.get("n_points"), refinement=grid.get("refine"))


def _simulate_block(
    problem: FiniteProblem | InfiniteProblem,
    size: SampleSize,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    compare: FrontComparison | WeightedFrontComparison,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    each = (size,) if isinstance(size, int) else size
    rng = block_stream(root, problem.name, *each, block)
    step = compare.replicates_at_once(max(each)) or length
    parts = []
    for start in range(0, length, step):
        count = min(step, length - start)
        sample: Any = (
            problem.simulate(size, replicates=count, rng=rng)
            if isinstance(size, int)
            else problem.sample(size, replicates=count, rng=rng)
        )
        part = compare.compare_sample(sample)
        widest = stated_widths(problem, sample, delta).max(axis=-1)
        part["bound"] = np.broadcast_to(2.0 * widest, (count,))
        parts.append(part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if isinstance(size, int):
        columns["size"] = np.full(length, size)
    else:
        columns |= {f"size_{i}": np.full(length, one) for i, one in enumerate(size)}
    columns["replicate"] = block * _BLOCK + np.arange(length)
    return columns
