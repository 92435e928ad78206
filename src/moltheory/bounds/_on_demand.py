"""How many examples the smallest worst risk over several distributions needs, if they are asked for on demand."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count, check_fraction, check_real

__all__ = ["Rounds", "best_rounds", "required_sample_size_minimax", "uniform_excess"]


class Rounds(NamedTuple):
    """S rounds of r steps of the learner, each round with one more example of every distribution; what is promised."""

    rounds: int
    steps: int
    excess: float


@document
def required_sample_size_minimax(
    *,
    excess: float,
    n_hypotheses: int,
    n_objectives: int,
    delta: float,
    sampling: Literal["on-demand", "uniform"] = "on-demand",
) -> int:
    r"""Number of examples in all with which the worst of N risks comes within `excess` of its minimum.

    The minimum is over mixtures of the hypotheses, randomised ones; losses lie in [0, 1], and an example is one draw
    from one of the N distributions.

    Parameters
    ----------
    excess : float
        Target :math:`\epsilon \in (0, 1)`.
    n_hypotheses : int
        Size of the class, fixed before the data.
    n_objectives : int
        Number N of distributions.
    {delta}
    sampling : {"on-demand", "uniform"}, default "on-demand"
        Two players who choose by multiplicative weights, as in `moltheory.experiments.on_demand_sampling`, or equally
        many examples of every distribution and the smallest worst empirical risk.

    Returns
    -------
    int

    {raises}

    Notes
    -----
    On demand, S rounds of r steps and N examples promise, with probability at least 1 - delta,

    .. math:: \sqrt{\frac{\log N}{2S}} + \sqrt{\frac{\log(2N/\delta)}{S}} + \sqrt{\frac{\log|H|}{2rS}} +
        \sqrt{\frac{2\log(2/\delta)}{rS}} ,

    and the product S (r + N) is made as small as possible: of order :math:`(\log|H| + N \log(N/\delta))/\epsilon^2`, where
    uniform sampling needs :math:`N \log(N|H|/\delta)/\epsilon^2`. On demand is the better promise once log|H| is several
    times log(N/delta): its constants are larger. Derived, with the game of the source (proof: on-demand-sampling).

    Complexity: O(N) time and memory.

    References
    ----------
    N. Haghtalab, M. I. Jordan and E. Zhao, "On-demand sampling: learning optimally from multiple distributions",
    NeurIPS 2022, arXiv 2210.12529.

    Examples
    --------
    >>> for size in (10**2, 10**30):
    ...     one = {"excess": 0.1, "n_hypotheses": size, "n_objectives": 100, "delta": 0.05}
    ...     print([required_sample_size_minimax(sampling=kind, **one) for kind in ("on-demand", "uniform")])
    [342672, 209500]
    [461898, 681700]
    """
    target = check_real("excess", excess, low=0.0, high=1.0, strict=True)
    size, count = check_count("n_hypotheses", n_hypotheses), check_count("n_objectives", n_objectives)
    level = check_fraction("delta", delta)
    if check_choice("sampling", sampling, ("on-demand", "uniform")) == "uniform":
        return count * max(math.ceil((uniform_excess(1, size, count, level) / target) ** 2), 1)
    learner, adversary = _terms(size, count, level)
    if adversary == 0.0:
        return max(math.ceil((learner / target) ** 2), 1) + count
    steps = _candidates(learner, adversary, count)
    rounds = np.maximum(np.ceil(((learner / np.sqrt(steps) + adversary) / target) ** 2), 1.0)
    return int((rounds * (steps + count)).min())


def best_rounds(n: int, n_hypotheses: int, n_objectives: int, delta: float) -> Rounds:
    """Return the rounds and steps that n > N examples pay for, with the smallest promise."""
    learner, adversary = _terms(n_hypotheses, n_objectives, delta)
    if adversary == 0.0:
        steps = np.array([n - n_objectives], dtype=np.float64)
    else:
        steps = _candidates(learner, adversary, n_objectives)
        steps = steps[steps <= n - n_objectives]
    rounds = np.floor(n / (steps + n_objectives))
    promise = learner / np.sqrt(rounds * steps) + adversary / np.sqrt(rounds)
    best = int(promise.argmin())
    return Rounds(int(rounds[best]), int(steps[best]), float(promise[best]))


def uniform_excess(n: int, n_hypotheses: int, n_objectives: int, delta: float) -> float:
    """Return what n examples of each distribution promise about the smallest worst empirical risk."""
    comparator = math.log(2.0 * n_objectives) - math.log(delta)
    return (math.sqrt(comparator + math.log(n_hypotheses)) + math.sqrt(comparator)) / math.sqrt(2.0 * n)


def _terms(n_hypotheses: int, n_objectives: int, delta: float) -> tuple[float, float]:
    """Factors of 1/sqrt(r S) and 1/sqrt(S); a player without a choice loses nothing."""
    learner = adversary = 0.0
    if n_hypotheses > 1:
        learner = math.sqrt(math.log(n_hypotheses) / 2.0) + math.sqrt(2.0 * (math.log(2.0) - math.log(delta)))
    if n_objectives > 1:
        adversary = math.sqrt(math.log(n_objectives) / 2.0) + math.sqrt(math.log(2.0 * n_objectives) - math.log(delta))
    return learner, adversary


def _candidates(learner: float, adversary: float, n_objectives: int) -> FloatArray:
    """Numbers of steps to try: up to four times the best real number of them."""
    best = (learner * n_objectives / adversary) ** (2.0 / 3.0)
    return np.arange(1.0, math.ceil(4.0 * best) + 10.0)
