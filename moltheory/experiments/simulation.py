"""The asymmetry by simulation: many samples, one row each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._validation import check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.experiments.comparison import FrontComparison
from moltheory.problems import FiniteProblem
from moltheory.runs import RandomSource, as_seed_sequence, block_lengths, block_stream, run_blocks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["asymmetry", "check_sizes"]

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


def asymmetry(
    problem: FiniteProblem,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Simulate empirical Pareto fronts and compare them with the true one.

    Parameters
    ----------
    problem : FiniteProblem
        With known true risks.
    sizes : iterable of int
        Sample sizes, distinct and >= 1.
    replicates : int
        Independent samples per size, >= 1.
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`.
    delta : float, default 0.05
        Total failure probability of the bound, in (0, 1).
    n_jobs : int, default 1
        Number of processes; -1 is one per core.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per sample: ``size``, ``replicate``; ``coverage_error`` and ``purity_error`` of the empirical
        front in true risks; ``n_front`` and ``n_spurious``, its members and those that are not truly optimal;
        ``hypervolume_deficit``; ``uniform_deviation``, the largest deviation of any risk; ``bound``, twice the
        largest width: coverage_error <= bound with probability at least 1 - delta; ``undefined``, whether the
        replicate makes no claim because some group was empty (its errors are NaN); ``discretization``, the error
        of the true front itself (0 for a finite class).

    Raises
    ------
    InvalidInputError
        If a size, `replicates`, `delta`, `n_jobs` or `rng` is out of its range.

    Notes
    -----
    In every single sample coverage_error <= 2 uniform_deviation; nothing of the kind holds for the purity error
    (statement *forward*; P. Súkeník and C. H. Lampert, arXiv 2208.13499).

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

    chosen = check_sizes(sizes)
    check_count("replicates", replicates)
    check_fraction("delta", delta)
    root = as_seed_sequence(rng)
    lengths = block_lengths(replicates, _BLOCK)
    arguments = [(problem, size, block, length, root, delta) for size in chosen for block, length in enumerate(lengths)]
    parts = run_blocks(_simulate_block, arguments, n_jobs=n_jobs, progress=progress, description=f"{problem.name}")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
    return pd.DataFrame(columns)


def check_sizes(sizes: Iterable[int]) -> list[int]:
    """Return sample sizes as a list of distinct positive ints."""
    try:
        chosen = [check_count("sizes", size) for size in sizes]
    except TypeError:
        raise InvalidInputError(f"`sizes` must be an iterable of integers, got {sizes!r}.") from None
    if not chosen or len(set(chosen)) != len(chosen):
        raise InvalidInputError(f"`sizes` must be distinct and not empty, got {chosen}.")
    return chosen


def _simulate_block(
    problem: FiniteProblem, size: int, block: int, length: int, root: np.random.SeedSequence, delta: float
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, problem.name, size, block)
    sample = problem.sample(size, replicates=length, rng=rng)
    columns = FrontComparison(problem)(sample.risks())
    columns["size"] = np.full(length, size)
    columns["replicate"] = block * _BLOCK + np.arange(length)
    columns["bound"] = 2.0 * problem.widths(sample, delta=delta).max(axis=-1)
    columns["discretization"] = np.zeros(length)
    return columns
