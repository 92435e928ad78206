"""Purity of scalarized learning: how good, truly, is the minimiser of an empirical scalarization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.experiments._front_comparison import FrontComparison
from moltheory.experiments._replicates import check_problem
from moltheory.pareto import errors_of_selections
from moltheory.problems import FinitePopulation
from moltheory.scalarization import Scalarization
from moltheory.scalarization._declared import believed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_scalarizations", "selection_errors"]


@document
def selection_errors(problem: FinitePopulation, *, scalarizations: Mapping[str, Scalarization], n: int) -> pd.DataFrame:
    """Compute exactly how impure the empirical minimisers of scalarizations are.

    Parameters
    ----------
    problem : FinitePopulation
        With few outcomes.
    scalarizations : mapping of str to Scalarization
        At least one, each for the problem's number of objectives.
    {size}

    Returns
    -------
    pandas.DataFrame
        One row per scalarization: ``scalarization``; expected ``purity_error`` of the empirical minimisers (of
        the worst one in case of a tie); ``p_spurious``, the probability that one of them is not truly optimal;
        ``excess``, the expected scalarized excess risk of the worst one.

    Raises
    ------
    InvalidInputError
        If `problem` is no FinitePopulation, there is no scalarization, or one is for another number of objectives.
    TooLargeError
        If there are too many sample types.

    Notes
    -----
    Complexity: O(T H (s + k N)) time for T types and k scalarizations, in blocks: memory does not grow with T.

    Examples
    --------
    >>> from moltheory.problems import mirrored_decoys
    >>> from moltheory.scalarization import Chebyshev, WeightedSum
    >>> chosen = {"sum": WeightedSum([0.8, 0.2]), "Chebyshev": Chebyshev([0.8, 0.2])}
    >>> selection_errors(mirrored_decoys(), scalarizations=chosen, n=101)["p_spurious"]
    0    3.72...e-07
    1    1.00...e+00
    Name: p_spurious, dtype: float64
    """
    import pandas as pd

    check_problem(problem, FinitePopulation)
    check_count("n", n)
    check_scalarizations(scalarizations, problem.true.n_objectives)
    compare = FrontComparison(problem)
    truth = problem.true.risks()
    true_values = {label: u(truth) for label, u in scalarizations.items()}

    def columns(risks: FloatArray) -> FloatArray:
        results = []
        for label, u in scalarizations.items():
            values = u(risks)
            selected = values == values.min(axis=-1, keepdims=True)
            _, purity = errors_of_selections(truth, selected)
            spurious = (selected & ~compare.truly_optimal).any(axis=-1)
            worst = np.where(selected, true_values[label], -np.inf).max(axis=-1)
            results.append(np.stack([purity, spurious, worst - true_values[label].min()], axis=-1))
        return np.stack(results, axis=1)

    expected = problem.exact(n).expectation(columns)
    table = pd.DataFrame(expected, columns=["purity_error", "p_spurious", "excess"])
    table.insert(0, "scalarization", list(scalarizations))
    return table


def check_scalarizations(scalarizations: object, n_objectives: int) -> None:
    """Refuse what does not map names to scalarizations of this many objectives."""
    if not isinstance(scalarizations, Mapping):
        raise InvalidInputError(
            f"`scalarizations` must map names to scalarizations, got {type(scalarizations).__name__}."
        )
    if not scalarizations:
        raise InvalidInputError("`scalarizations` must not be empty, got none.")
    for label, u in scalarizations.items():
        if not isinstance(u, Scalarization):
            raise InvalidInputError(
                f"`scalarizations` must hold scalarizations (see moltheory.scalarization), got {type(u).__name__} for "
                f"{label!r}."
            )
        if u.n_objectives != n_objectives:
            raise InvalidInputError(
                f"`scalarizations` must be for the {n_objectives} objectives of the problem, got {label!r} for "
                f"{u.n_objectives}."
            )
        believed(u)
