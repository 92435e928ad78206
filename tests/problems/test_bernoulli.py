"""Worlds of 0/1 losses with given risks: bits of the risks, joint laws against their definition, refusals."""

from fractions import Fraction

import numpy as np
import pytest

from moltheory.errors import TooLargeError
from moltheory.problems import FiniteWorld, bernoulli_world
from moltheory.testing import check_problem

RISKS = [0.1, 0.25, 1 / 3, 0.1, 0.0, 1.0, 0.7000000000000001, np.nextafter(0.3, 1)]


@pytest.mark.parametrize("correlation", [0.0, 0.3, Fraction(1, 3), 1])
def test_true_risks_are_the_given_bits(correlation):
    world = bernoulli_world(RISKS, correlation=correlation)
    assert world.true_risks.ravel().tobytes() == np.array(RISKS).tobytes()
    assert sum(world.probabilities) == 1
    table = np.array(RISKS).reshape(4, 2)
    both = bernoulli_world(table, correlation=correlation, objective_names=["a", "b"])
    assert both.true_risks.tobytes() == table.tobytes()
    assert (both.objective_names, both.n_hypotheses) == (("a", "b"), 4)
    drawn = bernoulli_world(np.random.default_rng(0).random(40), correlation=1)
    assert len(drawn.probabilities) == 41
    assert drawn.true_risks.ravel().tobytes() == np.random.default_rng(0).random(40).tobytes()


def _joint(world, i, j):
    """P(both err), from the outcomes."""
    losses = world.losses.reshape(len(world.probabilities), -1)
    return sum(p for p, row in zip(world.probabilities, losses, strict=True) if row[i] and row[j])


@pytest.mark.parametrize("c", [Fraction(0), Fraction(2, 7), Fraction(1)])
def test_two_losses_err_together_as_defined(c):
    risks = [Fraction(1, 10), Fraction(1, 4), Fraction(1, 4), Fraction(4, 5)]
    world = bernoulli_world(risks, correlation=c)
    for i, p in enumerate(risks):
        for j, q in enumerate(risks[:i]):
            low, high = min(p, q), max(p, q)
            covariance = _joint(world, i, j) - p * q
            assert covariance == c * low * (1 - high)
            if p == q:
                assert covariance / (p * (1 - p)) == c
    # A mixture of risks instead of examples, which has other marginals, is told apart.
    assert _joint(world, 0, 1) != c * Fraction(1, 4) + (1 - c) * Fraction(1, 40) or c == 0


def test_correlation_hides_no_decoy_but_makes_it_rarer():
    """A worse hypothesis is empirically better less often, the more the two err together; never if nested."""
    chance = [
        bernoulli_world([0.1, 0.2], correlation=c).exact(9).probability(lambda risks: risks[:, 1, 0] < risks[:, 0, 0])
        for c in (0, 0.5, 1)
    ]
    independent = sum(_binomial(9, a, 0.1) * _binomial(9, b, 0.2) for a in range(10) for b in range(a))
    assert chance[0] == pytest.approx(independent, rel=1e-12)
    assert chance[0] > chance[1] > chance[2] == 0.0


def _binomial(n, k, p):
    from math import comb

    return comb(n, k) * p**k * (1 - p) ** (n - k)


def test_the_contract_is_kept():
    check_problem(bernoulli_world([[0.1, 0.5], [0.2, 0.5]], correlation=0.25), replicates=500)
    assert isinstance(bernoulli_world([0.5]), FiniteWorld)
    assert bernoulli_world([[0.5, 0.0], [0.5, 1.0]]).true.data_dependent.tolist() == [True, False]


def test_refusals(refuses):
    for risks in (
        [],
        [[]],
        0.5,
        [0.5, -0.1],
        [0.5, 1.1],
        [np.nan],
        ["a"],
        [[[0.5]]],
        [0.0, 1.0],
        [[0.1], [0.1, 0.2]],
        None,
    ):
        refuses("risks", bernoulli_world, risks)
    refuses("risks", bernoulli_world, [Fraction(1, 2), Fraction(10**40 + 1, 10**40)])
    for correlation in (-0.1, 1.1, np.nan, "half", True, Fraction(3, 2), [0.5]):
        refuses("correlation", bernoulli_world, [0.5], correlation=correlation)
    with pytest.raises(TooLargeError, match="at most 14"):
        bernoulli_world(np.full(15, 0.5))
    assert len(bernoulli_world(np.full(15, 0.5), correlation=1).probabilities) == 2
