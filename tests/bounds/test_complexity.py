"""Rademacher complexity: exact values, packed bits against plain arithmetic, certificates."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import linear_complexity, rademacher_complexity
from moltheory.errors import TooLargeError
from tests.golden import exact


def _columns(*words):
    return np.array([[int(bit) for bit in word] for word in words]).T


def _by_definition(losses):
    n = len(losses)
    return np.mean([(np.array(signs) @ losses).max() for signs in itertools.product([-1, 1], repeat=n)]) / n


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("000", "111"), "rademacher.F_000_111"),
        (("0011", "1100"), "rademacher.F1_0011_1100"),
        (("0011", "1100", "0101", "1010"), "rademacher.F1_with_0101_1010"),
    ],
)
def test_golden(words, key):
    losses = _columns(*words)
    for typed in (losses, losses.astype(bool), losses.astype(np.uint8), losses.astype(float)):
        found = rademacher_complexity(typed, method="exact")
        assert found.value == float(exact(key))
        assert (found.certificate, found.delta, found.upper) == (0.0, 0.0, found.value)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9])
def test_exact_is_the_definition(n, rng):
    for losses in (rng.integers(0, 2, (n, 6)), rng.integers(-5, 9, (n, 4)), rng.random((n, 7))):
        assert rademacher_complexity(losses, method="exact").value == pytest.approx(_by_definition(losses), abs=1e-14)
    inputs = rng.normal(size=(n, 3))
    for norm, order in (("l2", 2), ("l1", math.inf)):
        expected = np.mean(
            [np.linalg.norm(np.array(s) @ inputs, ord=order) for s in itertools.product([-1, 1], repeat=n)]
        )
        found = linear_complexity(inputs, weight_norm=3.0, lipschitz=0.5, norm=norm, method="exact")
        assert found.value == pytest.approx(1.5 * expected / n, rel=1e-12)


def test_exact_of_a_large_class_at_the_limit(rng):
    """All 0/1 vectors of length 16: the supremum counts the positive signs, half of them on average."""
    every = (np.arange(2**16)[:, None] >> np.arange(16)) & 1
    assert rademacher_complexity(every.T, method="exact").value == 0.5
    losses = rng.integers(0, 2, (20, 3000))
    found = rademacher_complexity(losses, method="exact").value
    simulated = rademacher_complexity(losses, rng=0, delta=1e-9, draws=20_000)
    assert abs(found - simulated.value) <= simulated.certificate


def test_exact_blocks_agree_up_to_the_limit(rng):
    """Beyond 2^12 sign vectors the enumeration of linear functions works in blocks: one input is |sum of signs|."""
    for n in (13, 16):
        found = linear_complexity(np.ones((n, 1)), weight_norm=1.0, method="exact").value
        expected = sum(math.comb(n, k) * abs(2 * k - n) for k in range(n + 1)) / 2**n / n
        assert found == pytest.approx(expected, rel=1e-12)
        both = rademacher_complexity(np.tile([1, -1], (n, 1)), method="exact").value
        assert both == pytest.approx(expected, rel=1e-12)


def test_one_hypothesis_and_added_constants_have_no_complexity(rng):
    losses = rng.random((10, 1))
    assert rademacher_complexity(losses, method="exact").value == pytest.approx(0, abs=1e-15)
    alone = rademacher_complexity(losses, rng=0, delta=0.1)
    assert alone.upper == pytest.approx(0, abs=1e-15)
    assert rademacher_complexity(losses, method="massart").value == 0
    many = rng.random((10, 5))
    shifted = many + rng.normal(size=(10, 1))
    for method in ("exact", "massart", "monte-carlo"):
        one, two = (rademacher_complexity(array, method=method, rng=0, delta=0.1).upper for array in (many, shifted))
        assert one == pytest.approx(two, rel=1e-9)


def test_closed_forms_lie_above_exact_values(rng):
    for _ in range(20):
        losses = rng.integers(0, 2, (8, 12))
        assert (
            rademacher_complexity(losses, method="exact").value <= rademacher_complexity(losses, method="massart").value
        )
        inputs = rng.normal(size=(8, 4))
        for norm in ("l2", "l1"):
            closed, true = (
                linear_complexity(inputs, weight_norm=1.0, norm=norm, method=method).value
                for method in ("closed-form", "exact")
            )
            assert true <= closed


@pytest.mark.parametrize("n", [1, 7, 8, 9, 63, 64, 65, 255, 256, 257, 500])
@pytest.mark.parametrize("n_hypotheses", [1, 2, 33])
def test_packed_bits_equal_plain_arithmetic(n, n_hypotheses, rng):
    losses = rng.integers(0, 2, (n, n_hypotheses)).astype(np.uint8)
    plain = rademacher_complexity(losses.astype(float), rng=5, delta=0.1, draws=37)
    for typed in (losses, losses.astype(bool), losses.astype(np.int64), np.asfortranarray(losses)):
        found = rademacher_complexity(typed, rng=5, delta=0.1, draws=37)
        assert found.value == pytest.approx(plain.value, abs=1e-15)
        assert found.certificate == plain.certificate


def test_packed_bits_across_tasks_and_large_or_negative_integers(rng):
    wide = rng.integers(0, 2, (20, 20_001)).astype(np.uint8)
    found, plain = (rademacher_complexity(a, rng=5, delta=0.1, draws=9) for a in (wide, wide.astype(float)))
    assert (found.value, found.certificate) == (plain.value, plain.certificate)
    for odd in (wide.astype(np.int8) * 3, -wide.astype(np.int8), wide * np.uint8(255)):
        found, plain = (rademacher_complexity(a, rng=5, delta=0.1, draws=9) for a in (odd, odd.astype(float)))
        assert found.value == pytest.approx(plain.value, rel=1e-12)


def test_a_seed_repeats_and_inputs_stay(rng):
    losses = rng.integers(0, 2, (50, 40)).astype(np.uint8)
    before = losses.copy()
    one, two, three = (rademacher_complexity(losses, rng=seed, delta=0.1) for seed in (1, 1, 2))
    assert one == two
    assert one.value != three.value
    assert np.array_equal(before, losses)


@pytest.mark.parametrize("n_hypotheses", [2, 30])
def test_certificates_hold_at_their_level(n_hypotheses):
    """The exact complexity exceeds estimate + certificate in at most the promised share of seeds."""
    delta, runs = 0.2, 400
    losses = np.random.default_rng(8).integers(0, 2, (12, n_hypotheses))
    true = rademacher_complexity(losses, method="exact").value
    inputs = np.random.default_rng(9).normal(size=(10, 1))
    linear = linear_complexity(inputs, weight_norm=1.0, method="exact").value
    misses = misses_linear = 0
    for seed in range(runs):
        misses += true > rademacher_complexity(losses, rng=seed, delta=delta, draws=3).upper
        found = linear_complexity(inputs, weight_norm=1.0, method="monte-carlo", rng=seed, delta=delta, draws=3)
        misses_linear += linear > found.upper
    for count in (misses, misses_linear):
        assert binom.sf(count - 1, runs, delta) >= 1e-6
    # The estimate alone, without its certificate, is below the truth about every other time.
    bare = sum(true > rademacher_complexity(losses, rng=s, delta=delta, draws=3).value for s in range(100))
    assert binom.sf(bare - 1, 100, delta) < 1e-6


def test_refusals(refuses):
    refuses("losses", rademacher_complexity, [1, 2], method="exact")
    refuses("losses", rademacher_complexity, [[math.nan]], method="exact")
    refuses("losses", rademacher_complexity, np.zeros((21, 2)), method="exact")
    refuses("inputs", linear_complexity, np.zeros((21, 2)), weight_norm=1.0, method="exact")
    refuses("method", rademacher_complexity, [[1]], method="guess")
    refuses("delta", rademacher_complexity, [[1]], rng=0)
    refuses("delta", rademacher_complexity, [[1]], rng=0, delta=0.0)
    refuses("draws", rademacher_complexity, [[1]], rng=0, delta=0.1, draws=0)
    refuses("delta", linear_complexity, [[1]], weight_norm=1.0, method="monte-carlo")
    refuses("weight_norm", linear_complexity, [[1]], weight_norm=-1.0)
    refuses("norm", linear_complexity, [[1]], weight_norm=1.0, norm="l7")
    with pytest.raises(TooLargeError):
        rademacher_complexity(np.zeros((21, 2)), method="exact")
