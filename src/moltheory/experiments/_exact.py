"""The asymmetry exactly: expectations over all samples of a finite population."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._replicates import check_problem, check_sizes
from moltheory.problems import FinitePopulation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["exact_errors"]


@document
def exact_errors(problem: FinitePopulation, *, sizes: Iterable[int]) -> pd.DataFrame:
    """Compute expected errors of the empirical front, without simulation.

    Parameters
    ----------
    problem : FinitePopulation
        With few outcomes: the sum runs over all C(n + s - 1, s - 1) sample types.
    {sample_sizes}

    Returns
    -------
    pandas.DataFrame
        One row per size: ``size``, ``n_types``; expected ``coverage_error``, ``purity_error`` and
        ``uniform_deviation``; ``p_spurious``, the probability that some member of the empirical front is not
        truly optimal; ``worst_ratio``, the largest coverage_error / (2 uniform_deviation) over all samples
        (at most 1; 0 where both vanish).

    Raises
    ------
    InvalidInputError
        If `problem` is no FinitePopulation, or a size is out of range.
    TooLargeError
        If there are too many sample types.

    Notes
    -----
    Complexity: O(T H (s + N + P)) time for T = C(n + s - 1, s - 1) types and P truly optimal points, in blocks: memory
    does not grow with T.

    Examples
    --------
    >>> from moltheory.problems import mirrored_decoys
    >>> exact_errors(mirrored_decoys(), sizes=[10])[["coverage_error", "purity_error"]]
       coverage_error  purity_error
    0             0.0      0.753906
    """
    import pandas as pd

    check_problem(problem, FinitePopulation)
    compare = FrontComparison(problem)
    enumerations = [problem.exact(size) for size in check_sizes(sizes)]
    rows = []
    for enumeration in enumerations:
        worst = 0.0

        def columns(risks: FloatArray) -> FloatArray:
            nonlocal worst
            found = compare(risks)
            coverage = np.asarray(found["coverage_error"], dtype=np.float64)
            deviation = np.asarray(found["uniform_deviation"], dtype=np.float64)
            ratio = np.divide(coverage, 2.0 * deviation, out=np.zeros_like(coverage), where=deviation > 0)
            worst = max(worst, float(ratio.max()))
            return np.stack(
                [coverage, np.asarray(found["purity_error"]), deviation, np.asarray(found["n_spurious"]) > 0], axis=-1
            )

        coverage, purity, deviation, spurious = enumeration.expectation(columns)
        rows.append(
            {
                "size": enumeration.n,
                "n_types": enumeration.n_types,
                "coverage_error": coverage,
                "purity_error": purity,
                "uniform_deviation": deviation,
                "p_spurious": spurious,
                "worst_ratio": worst,
            }
        )
    return pd.DataFrame(rows)
