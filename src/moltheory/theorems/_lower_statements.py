"""What no sample decides: near-ties keep decoys on the empirical front, and no learner covers a planted front."""

from __future__ import annotations

from typing import Any

from moltheory._core._validation import check_count, check_fraction
from moltheory.bounds import coverage_lower_bound, impurity_probability
from moltheory.bounds._lower import spread_gap
from moltheory.problems import NearTie, PlantedBest
from moltheory.theorems._assumptions import Assumption, NotApplicableError
from moltheory.theorems._inputs import Input
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS", "covered", "pure"]

# Relative rounding of the gaps and probabilities that are compared.
_ROUNDING = 1e-9


def pure(problem: Any, n: int, delta: float, *, factor: float = 1.0) -> tuple[float, int]:
    """Return P(the empirical front of a near-tie has purity error 0), exactly; it is to be at most delta.

    The stated probability of the contrary, times `factor`, must be at least 1 - delta.
    """
    size, level = check_count("n", n), check_fraction("delta", delta)
    if not isinstance(problem, NearTie) or not 0.0 < problem.p < 1.0 or problem.gamma == 0.0:
        raise NotApplicableError(f"`problem` must be a near-tie with 0 < p < 1 and a gap > 0, got {problem!r}.")
    stated = min(1.0, factor * impurity_probability(size, gap=problem.gamma, error=problem.p))
    if stated < 1.0 - level:
        raise NotApplicableError(f"`delta` must be at least {1.0 - stated:g} for this problem and n, got {level:g}.")
    return 1.0 - problem.decoy_probability(size), (size + 1) ** 2


def covered(problem: Any, n: int, delta: float, *, factor: float = 1.0) -> tuple[float, int]:
    """Return P(the best learner covers a planted front), exactly; it is to be at most delta.

    The gap must be at most the lower bound for the probability 1 - delta, times `factor`.
    """
    size, level = check_count("n", n), check_fraction("delta", delta)
    if not isinstance(problem, PlantedBest):
        raise NotApplicableError(f"`problem` must be of planted_best(...), got {problem!r}.")
    if problem.group_size**-problem.n_groups > level * (1.0 - _ROUNDING):
        raise NotApplicableError(f"`delta` must exceed the probability of a lucky guess, got {level:g}.")
    stated = factor * _gap(problem, size, level)
    if problem.gap > stated * (1.0 + _ROUNDING):
        raise NotApplicableError(
            f"`problem` must have a gap of at most {stated:g} for this n and delta, got {problem!r}."
        )
    return problem.best_coverage_probability(size), (size + 1) ** problem.n_active


def _gap(problem: PlantedBest, n: int, delta: float) -> float:
    """Return the gap of the statement for the family of this problem."""
    if problem.n_active == 1:
        return coverage_lower_bound(
            n, n_hypotheses=problem.n_hypotheses, n_front=problem.n_groups, probability=1.0 - delta
        ).gap
    return spread_gap(delta ** (1.0 / problem.n_groups), n, problem.group_size, problem.n_active)


THEOREMS = (
    Theorem(
        id="impurity",
        statement="two hypotheses with independent 0/1 errors of means p, p + gap and known costs 0, 1: for every n, the "
        "empirical front has purity error 1 with probability >= (1 - sum_k P(Bin(n, p) = k)^2 - sqrt((1 + gap^2 / v)^n - "
        "1)) / 2, v = max(p (1 - p), (p + gap) (1 - p - gap)); as gap -> 0 this tends to (1 - P(tie)) / 2, so purity has no "
        "distribution-free rate",
        source="derived",
        provenance="derived",
        assumptions=(
            Assumption("gap > 0", "gap", ("gap",), lambda gap: gap > 0.0),
            Assumption("0 < p < 1", "error", ("error",), lambda error: 0.0 < error < 1.0),
        ),
        inputs=(
            Input("n", "sample size", example=1000),
            Input("gap", "gap of the errors", example=0.001),
            Input("error", "p", optional=True, example=0.5),
        ),
        value=lambda n, **options: impurity_probability(n, **options),
        function="bounds.impurity_probability",
        figure="near_tie",
        deterministic=False,
        failure=pure,
    ),
    Theorem(
        id="coverage-minimax",
        statement="every learner that sees n examples and returns at most K of |H| = K M hypotheses has coverage error >= "
        "gap with probability >= rho, averaged over worlds with one hypothesis in each of K groups better by gap in one of "
        "N objectives: if 1/M + (1 - 1/M) sqrt(((1 + 4 gap^2)^n - 1) / (N M)) <= (1 - rho)^(1/K), or for N = 1 if the "
        "smallest of M counts is the right one with at most that probability",
        source="derived",
        provenance="derived",
        assumptions=(
            Assumption("0 < rho < 1", "probability", ("probability",), lambda probability: 0.0 < probability < 1.0),
        ),
        inputs=(
            Input("n", "sample size", example=1000),
            Input("n_hypotheses", "|H|", example=64),
            Input("n_objectives", "N", optional=True, example=3),
            Input("n_front", "K", optional=True, example=4),
            Input("probability", "rho; by default that of the largest expected error", optional=True, example=0.5),
        ),
        value=lambda n, **options: coverage_lower_bound(n, **options),
        function="bounds.coverage_lower_bound",
        deterministic=False,
        failure=covered,
    ),
)
