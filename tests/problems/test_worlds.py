"""The known worlds: truth, golden probabilities by the oracle and by simulation."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest, norm

import moltheory as mt
from moltheory.problems import (
    exchangeable_decoys,
    mirrored_decoys,
    near_tie,
    near_tie_limit,
    reference_world,
    tilted_line,
    two_coins,
)
from tests.golden import assert_golden, exact

_REPLICATES = 20_000


def _decoy(risks):
    return mt.nondominated(risks)[:, 1:].any(axis=1)


def _agrees(happened, probability):
    """Monte Carlo agrees unless an exact binomial test rejects at 1e-6; seeds are fixed."""
    return binomtest(int(happened.sum()), happened.size, probability).pvalue > 1e-6


@pytest.mark.parametrize(
    ("world", "truth", "front"),
    [
        (two_coins(), [(0.5, 0), (0.5, 1)], [0]),
        (mirrored_decoys(), [(0.5, 0), (0.5, 1), (0.5, 1)], [0]),
        (tilted_line(5), [(0.5, 0), (0.5, 0.25), (0.5, 0.5), (0.5, 0.75), (0.5, 1)], [0]),
        (reference_world(), [(0.1, 0.5), (0.3, 0.3), (0.4, 0.2), (0.5, 0.3)], [0, 1, 2]),
        (exchangeable_decoys(2), [(0.5, 0), (0.5, 1), (0.5, 1)], [0]),
        (near_tie(0.3, 0.1), [(0.3, 0), (0.4, 1)], [0]),
    ],
)
def test_truth(world, truth, front):
    assert world.true.risks().tolist() == [list(row) for row in truth]
    assert world.true_front().members.tolist() == front
    assert world.is_exact
    assert world.risk_limits.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("make", "key"),
    [(two_coins, "two_coins.{}.p_h1_on_front"), (mirrored_decoys, "mirrored_decoys.{}.p_decoy_on_front")],
)
@pytest.mark.parametrize("n", [2, 10])
def test_golden_decoys(make, key, n):
    world = make()
    golden = exact(key.format(f"n{n}"))
    assert world.exact(n).probability(_decoy, rational=True) == golden
    assert world.exact(n).probability(_decoy) == pytest.approx(float(golden), rel=1e-14)
    assert _agrees(_decoy(world.sample_risks(n, replicates=_REPLICATES, rng=n)), float(golden))


@pytest.mark.parametrize("n", [1, 2, 5, 8, 31, 100])
def test_decoys_against_closed_forms(n):
    tie = Fraction(comb(n, n // 2), 2**n) if n % 2 == 0 else Fraction(0)
    assert two_coins().exact(n).probability(_decoy, rational=True) == (1 - tie) / 2
    assert mirrored_decoys().exact(n).probability(_decoy, rational=True) == 1 - tie
    whole = tilted_line(6).exact(n).probability(lambda r: mt.nondominated(r).all(axis=1), rational=True)
    assert whole == (1 - tie) / 2


def _events():
    truth = np.array([True, True, True, False])
    return {
        "p_front_equals_truth": lambda r: (mt.nondominated(r) == truth).all(axis=1),
        "p_h3_on_front": lambda r: mt.nondominated(r)[:, 3],
        "p_front_within_truth": lambda r: (mt.nondominated(r) <= truth).all(axis=1),
    }


@pytest.mark.parametrize("name", _events())
def test_golden_reference_world(name):
    world, event, golden = reference_world(), _events()[name], exact(f"reference_world.n5.{name}")
    assert world.exact(5).n_types == 56
    assert world.exact(5).probability(event, rational=True) == golden
    assert _agrees(event(world.sample_risks(5, replicates=_REPLICATES, rng=1)), float(golden))
    by_rows = np.stack([world.sample_losses(5, rng=seed).mean(axis=0) for seed in range(3000)])
    assert _agrees(event(np.round(by_rows * 5) / 5), float(golden))


def test_golden_reference_world_n20():
    found = reference_world().exact(20).probability(_events()["p_front_equals_truth"])
    assert_golden(found, "reference_world.n20.p_front_equals_truth")


@pytest.mark.slow
def test_two_hundred_examples_of_four_outcomes_stay_within_bounded_memory():
    import tracemalloc

    oracle = reference_world().exact(200)
    assert oracle.n_types == 1_373_701
    tracemalloc.start()
    total = oracle.probability(lambda risks: risks[:, 0, 0] >= 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == pytest.approx(1, abs=1e-14)
    assert peak < 150e6


@pytest.mark.parametrize("m", [1, 4])
@pytest.mark.parametrize("n", [1, 6, 50])
def test_exchangeable_decoys(m, n):
    problem = exchangeable_decoys(m)
    assert problem.decoy_probability(n) == m / (m + 1)
    assert _agrees(_decoy(problem.sample(n, replicates=_REPLICATES, rng=3).risks()), m / (m + 1))


@pytest.mark.parametrize("n", [400, 2500])
def test_near_tie_golden(n):
    problem = near_tie(0.3, 1 / (2 * n**0.5))
    assert_golden(problem.decoy_probability(n), f"near_tie.p.3.n{n}.p_decoy")
    assert _agrees(_decoy(problem.sample(n, replicates=_REPLICATES, rng=4).risks()), problem.decoy_probability(n))


def test_near_tie_limit():
    assert_golden(near_tie_limit(0.3), "near_tie.p.3.limit")
    for p in (0.05, 0.3, 0.5):
        assert near_tie_limit(p) == pytest.approx(norm.cdf(-1 / (2 * (2 * p * (1 - p)) ** 0.5)), rel=1e-14)
        n = 1_000_000
        assert near_tie(p, 1 / (2 * n**0.5)).decoy_probability(n) == pytest.approx(near_tie_limit(p), abs=2e-3)


def test_near_tie_against_brute_force():
    n, p, gamma = 6, 0.3, 0.2
    first = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    second = [comb(n, k) * (p + gamma) ** k * (1 - p - gamma) ** (n - k) for k in range(n + 1)]
    brute = sum(first[i] * second[j] for i in range(n + 1) for j in range(i))
    assert near_tie(p, gamma).decoy_probability(n) == pytest.approx(brute, rel=1e-13)


def test_refusals(refuses):
    refuses("m", exchangeable_decoys, 0)
    refuses("p", near_tie, 1.2, 0)
    refuses("gamma", near_tie, 0.5, -0.1)
    refuses("p", near_tie, 0.8, 0.3)
    refuses("p", near_tie_limit, 0)
    refuses("n_points", tilted_line, 1)
    refuses("n", near_tie(0.1, 0.1).decoy_probability, 0)
