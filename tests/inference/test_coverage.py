"""Every interval for one mean holds its level: coverage of probability, not of lines."""

import os

import numpy as np
import pytest

from moltheory.inference import binomial_interval, confidence_sequence, interval_methods, mean_interval
from moltheory.inference._methods import METHODS
from tests.inference._coverage import (
    POPULATIONS,
    all_sequences,
    exact_failures,
    exact_failures_of_sequences,
    grid,
    refuted,
    simulated_misses,
)

COUNT_METHODS = interval_methods(from_counts=True)
MEAN_METHODS = [name for name, method in METHODS.items() if not method.two_valued]
SEQUENCES = ["hoeffding", "empirical-bernstein", "betting"]
SIDES = ["both", "lower", "upper"]
# Probabilities are summed in double precision.
ROUNDING = 1 + 1e-9


def seed(*words):
    return [ord(letter) for word in words for letter in str(word)]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 37, 200])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("method", COUNT_METHODS)
def test_counts_fail_at_most_at_their_level_exactly(method, side, n):
    for delta in (0.5, 0.1, 0.01, 1e-4):
        found = binomial_interval(np.arange(n + 1), n, method=method, delta=delta, side=side)
        worst = exact_failures(found.lower, found.upper, n, grid(found.lower, found.upper)).max()
        assert worst <= delta * ROUNDING
        if method == "clopper-pearson" and n >= 10:
            # Not valid for the wrong reason: just outside an end the one-sided level is used up.
            share = delta / 2 if side == "both" else delta
            assert worst >= share * (1 - 1e-3)
        elif method != "empirical-bernstein" and n >= 37 and delta <= 0.1:
            assert worst > 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("n", [1, 2, 5, 11])
@pytest.mark.parametrize("method", ["betting", "auto"])
def test_means_of_binary_losses_fail_at_most_at_their_level_exactly(method, n, side):
    for delta in (0.5, 0.1, 0.01):
        found = mean_interval(all_sequences(n), method=method, delta=delta, side=side)
        points = grid(np.unique(found.lower.round(3)), np.unique(found.upper.round(3)))
        failures = exact_failures_of_sequences(lambda p, f=found: (f.lower > p) | (f.upper < p), n, points)
        assert failures.max() <= delta * ROUNDING
        if n >= 5 and delta >= 0.1:
            assert failures.max() > 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("method", SEQUENCES)
def test_sequences_on_binary_losses_fail_at_most_at_their_level_exactly(method, side):
    n = 11
    for delta in (0.5, 0.1):
        found = confidence_sequence(all_sequences(n), method=method, delta=delta, side=side, tuned_for=5)
        points = np.concatenate([np.linspace(0, 1, 101), [0.001, 0.003, 0.997, 0.999]])
        failures = exact_failures_of_sequences(
            lambda p, f=found: ((f.lower > p) | (f.upper < p)).any(axis=0), n, points
        )
        assert failures.max() <= delta * ROUNDING
        assert failures.max() > 0 or method != "betting"


def test_ranking_on_binary_losses():
    for n in (1, 2, 5, 30, 100, 1000):
        counts = np.arange(n + 1)
        for delta in (0.9, 0.5, 0.05, 1e-3, 1e-12):
            for side in SIDES:
                exact = binomial_interval(counts, n, delta=delta, side=side)
                for method in ("hoeffding-bentkus", "kl"):
                    other = binomial_interval(counts, n, method=method, delta=delta, side=side)
                    assert (exact.lower >= other.lower).all()
                    assert (exact.upper <= other.upper).all()
                    loose = binomial_interval(counts, n, method="hoeffding", delta=delta, side=side)
                    assert (other.length <= loose.length * ROUNDING).all()


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("method", ["betting", "empirical-bernstein", "auto"])
def test_means_hold_by_simulation(method, population):
    for n, delta in ((1, 0.2), (30, 0.2), (150, 0.05)):

        def ends(x, delta=delta):
            found = mean_interval(x, method=method, delta=delta)
            return found.lower, found.upper

        replicates = 3000
        misses = simulated_misses(population, n, replicates, ends, seed(population, n))
        assert not refuted(misses, replicates, delta), (misses, n, delta)


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("method", SEQUENCES)
def test_sequences_hold_by_simulation(method, population):
    def ends(x):
        found = confidence_sequence(x, method=method, delta=0.2, tuned_for=20)
        return found.lower, found.upper

    misses = simulated_misses(population, 200, 500, ends, seed(population))
    assert not refuted(misses, 500, 0.2), misses


REPLICATES = 100_000 if os.environ.get("MOLTHEORY_FULL") else 10_000


@pytest.mark.slow
@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("method", [*MEAN_METHODS, "auto"])
def test_means_hold_by_long_simulation(method, side, population):
    for n, delta in ((1, 0.3), (2, 0.1), (10, 0.3), (50, 0.1), (400, 0.02)):

        def ends(x, delta=delta):
            found = mean_interval(x, method=method, delta=delta, side=side)
            return found.lower, found.upper

        misses = simulated_misses(population, n, REPLICATES, ends, seed(population, n, "long"))
        assert not refuted(misses, REPLICATES, delta), (misses, n, delta)


@pytest.mark.slow
@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("method", SEQUENCES)
def test_sequences_hold_by_long_simulation(method, population):
    replicates = REPLICATES // 10
    for delta, side in ((0.3, "both"), (0.1, "upper"), (0.1, "lower"), (0.02, "both")):

        def ends(x, delta=delta, side=side):
            found = confidence_sequence(x, method=method, delta=delta, side=side, tuned_for=50)
            return found.lower, found.upper

        misses = simulated_misses(population, 500, replicates, ends, seed(population, "long"))
        assert not refuted(misses, replicates, delta), (misses, delta, side)


# The same harness must catch what is wrong.


def _maurer_pontil(x, delta, *, divide_variance):
    n = x.shape[0]
    variance = x.var(axis=0, ddof=1) / (n if divide_variance else 1)
    budget = np.log(2 / delta)
    width = np.sqrt(2 * variance * budget / n) + 7 * budget / (3 * (n - 1))
    return x.mean(axis=0) + width


def test_the_variance_of_the_mean_is_caught():
    n, delta = 2000, 0.1
    ends = [
        lambda x, d=divide: (np.zeros(x.shape[1]), _maurer_pontil(x, delta, divide_variance=d))
        for divide in (False, True)
    ]
    right, wrong = (simulated_misses("flat", n, 2000, f, 0) for f in ends)
    assert not refuted(right, 2000, delta)
    assert refuted(wrong, 2000, delta)
    counts = (np.arange(n)[:, None] < np.arange(n + 1)).astype(float)
    lower, wrong_upper = ends[1](counts)
    assert exact_failures(lower, wrong_upper, n, np.array([0.5])).max() > delta
    # And the library's is the right one.
    sample = np.random.default_rng(0).random((n, 3))
    ours = mean_interval(sample, method="empirical-bernstein", delta=delta, side="upper").upper
    np.testing.assert_allclose(ours, ends[0](sample)[1], rtol=1e-11)


def test_delta_not_halved_is_caught():
    n, delta = 100, 0.1
    counts = np.arange(n + 1)
    lower = binomial_interval(counts, n, delta=delta, side="lower").lower
    upper = binomial_interval(counts, n, delta=delta, side="upper").upper
    assert exact_failures(lower, upper, n, grid(lower, upper)).max() > delta * 1.2
    x = (np.random.default_rng(5).random((n, 20_000)) < 0.35).astype(float)
    ones = x.sum(axis=0).astype(int)
    misses = int(((lower[ones] > 0.35) | (upper[ones] < 0.35)).sum())
    assert refuted(misses, 20_000, delta)
    half = binomial_interval(counts, n, delta=delta)
    np.testing.assert_array_equal(half.upper, binomial_interval(counts, n, delta=delta / 2, side="upper").upper)
    np.testing.assert_array_equal(half.lower, binomial_interval(counts, n, delta=delta / 2, side="lower").lower)


def test_stopping_in_hindsight_breaks_a_fixed_interval_and_not_a_sequence():
    n, replicates, delta = 400, 400, 0.1
    x = np.random.default_rng(9).random((n, replicates)) < 0.5
    counts = x.cumsum(axis=0)
    fixed = binomial_interval(counts, np.arange(1, n + 1)[:, None], delta=delta)
    missed = ((fixed.lower > 0.5) | (fixed.upper < 0.5)).any(axis=0).sum()
    assert refuted(int(missed), replicates, delta)
    found = confidence_sequence(x, delta=delta)
    missed = ((found.lower > 0.5) | (found.upper < 0.5)).any(axis=0).sum()
    assert not refuted(int(missed), replicates, delta)
