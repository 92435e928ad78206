"""Expected errors of the worst case, from both sides: finite classes from above, linear classes from both."""

from __future__ import annotations

import math

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import check_count, check_real
from moltheory.errors import InvalidInputError

__all__ = ["expected_coverage", "expected_linear_excess", "linear_excess_lower_bound", "vote_error"]

# More sizes than that are put together into as many cells.
_MOST_SIZES = 4096
# Probability of cell sizes that are left out of sums, per tail.
_TAIL = 1e-18


@document
def expected_coverage(n: int, *, n_hypotheses: int, n_objectives: int = 1, loss_range: float = 1.0) -> float:
    r"""Upper bound of the expected coverage error of the empirical front: ``2 B sqrt(log(N |H|) / (2 n))``.

    Also of what is kept of it if one hypothesis is chosen for each vector of empirical risks.

    Parameters
    ----------
    n : int
        Sample size, >= 1: examples for each objective, shared or not.
    n_hypotheses : int
        \|H\|.
    n_objectives : int, default 1
        Number N of data-dependent objectives; those without data do not count.
    loss_range : float, default 1
        B > 0: length of the range of losses.

    Returns
    -------
    float

    {raises}

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Derived (proof: expected-coverage).

    Examples
    --------
    >>> round(expected_coverage(1000, n_hypotheses=100), 4)
    0.096
    """
    size, count = check_count("n", n), check_count("n_hypotheses", n_hypotheses)
    total = math.log(count) + math.log(check_count("n_objectives", n_objectives))
    return 2.0 * _positive("loss_range", loss_range) * math.sqrt(0.5 * total / size)


@document
def expected_linear_excess(n: int, *, lipschitz: float, weight_norm: float, input_norm: float = 1.0) -> float:
    r"""Upper bound of the expected excess of empirical minimisers of a linear class: ``2 L W X / sqrt(n)``.

    For predictors :math:`x \mapsto w \cdot x` with ``|w| <= W``, inputs with ``|x| <= X`` and losses that are L-Lipschitz in
    the prediction; hhat minimises a weighted sum of N empirical risks, each of n independent examples, with weights >= 0
    that sum to one, and the excess is of the weighted sum of the true risks. No range of the losses is needed.

    Parameters
    ----------
    n : int
        Examples for each objective, >= 1.
    lipschitz, weight_norm, input_norm : float
        L, W and X, > 0.

    Returns
    -------
    float

    {raises}

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Derived (proof: linear-excess), by symmetrization and contraction.

    Examples
    --------
    >>> expected_linear_excess(400, lipschitz=1.0, weight_norm=2.0)
    0.2
    """
    size = check_count("n", n)
    factors = [("lipschitz", lipschitz), ("weight_norm", weight_norm), ("input_norm", input_norm)]
    return 2.0 * _product(factors) / math.sqrt(size)


@document
def linear_excess_lower_bound(
    n: int,
    *,
    lipschitz: float,
    weight_norm: float,
    input_norm: float = 1.0,
    n_objectives: int = 1,
    dimension: int | None = None,
) -> float:
    r"""Lower bound of the expected excess of all learners of a linear class, for the mean of N objectives.

    In worlds with n independent examples of each objective and the loss ``L |w . x - b y|``: the inputs of an objective
    are, with equal probability, X times one of its ``dimension / N`` coordinate vectors, the label is +-1 with a sign of
    each coordinate's own that is right with probability 1/2 + g, and ``b = W X / sqrt(dimension)``. Averaged over all
    signs, every learner has an expected excess of at least ``4 g L b`` times the probability that a vote is wrong; the
    vote of each coordinate's labels attains this, and so does the minimiser of the empirical risk.

    Parameters
    ----------
    n : int
        Examples for each objective, >= 1.
    lipschitz, weight_norm, input_norm : float
        L, W and X, > 0.
    n_objectives : int, default 1
        Number N of objectives.
    dimension : int, optional
        Number of coordinates, a multiple of N; N by default.

    Returns
    -------
    float
        For the best g.

    {raises}

    Notes
    -----
    About ``0.34 L W X / sqrt(N n)`` for n large beside the dimension: within a factor ``6 sqrt(N)`` of
    `expected_linear_excess`.

    Complexity: O(sqrt(n)) time and memory, times some dozens.

    References
    ----------
    Derived (proof: linear-excess), by Assouad's method.

    Examples
    --------
    >>> round(linear_excess_lower_bound(400, lipschitz=1.0, weight_norm=2.0), 4)
    0.034
    """
    size, count = check_count("n", n), check_count("n_objectives", n_objectives)
    factors = [("lipschitz", lipschitz), ("weight_norm", weight_norm), ("input_norm", input_norm)]
    scale = _product(factors)
    total = count if dimension is None else check_count("dimension", dimension)
    cells, rest = divmod(total, count)
    if rest:
        raise InvalidInputError(f"`dimension` must be a multiple of `n_objectives` ({count}), got {dimension}.")
    best = (0.0, 0.0)
    low, high = -4.0, 4.0
    for _ in range(4):
        for x in np.linspace(low, high, 12):
            advantage = min(0.5, 0.5 * math.sqrt(cells / size) * 2.0 ** float(x))
            wrong = vote_error(advantage, size, cells)
            if advantage * wrong > best[0] * best[1]:
                best, place = (advantage, wrong), float(x)
        low, high = (place + shift * (high - low) / 11.0 for shift in (-1.0, 1.0))
    return 4.0 * best[0] * best[1] * scale / math.sqrt(total)


def vote_error(advantage: float, n: int, cells: int) -> float:
    """Return P(a vote of Bin(n, 1 / cells) labels, right with probability 1/2 + advantage, is wrong), ties counting half."""
    from scipy.stats import binom

    if cells == 1:
        sizes, chances = np.array([float(n)]), np.ones(1)
    else:
        first, last = binom.ppf([_TAIL, 1.0 - 1e-16], n, 1.0 / cells)
        sizes = np.arange(max(first, 0.0), last + 1.0)
        chances = binom.pmf(sizes, n, 1.0 / cells)
        if sizes.size > _MOST_SIZES:
            # The error falls with the number of votes: that of the last size of each cell is too small for the others.
            edges = np.unique(np.floor(np.linspace(0, sizes.size, _MOST_SIZES + 1)).astype(int))
            sizes, chances = sizes[edges[1:] - 1], np.add.reduceat(chances, edges[:-1])
    half = np.floor(sizes / 2.0)
    wrong = binom.sf(half, sizes, 0.5 - advantage)
    tied = np.where(sizes == 2.0 * half, binom.pmf(half, sizes, 0.5 - advantage), 0.0)
    return math.fsum((chances * (wrong + 0.5 * tied)).tolist())


def _product(factors: list[tuple[str, float]]) -> float:
    product = math.prod(_positive(name, value) for name, value in factors)
    if not 0.0 < product < math.inf:
        raise InvalidInputError(f"`lipschitz` times the norms must be a float > 0, got {product:g}.")
    return product


def _positive(name: str, value: float) -> float:
    number = check_real(name, value, low=0.0)
    if number == 0.0:
        raise InvalidInputError(f"`{name}` must be > 0, got 0.")
    return number
