"""The capital of constant bets against one logarithm per factor."""

import math

import numpy as np
import pytest

from moltheory.inference._bets import add_log_factors

BETS = np.array([0.003, 0.02, 0.3, 0.6, 0.989])


def _slow(rows, sizes, shift, a, b):
    """Sums of log(1 + bet gain), one logarithm each, summed exactly."""
    gains = [shift * s - (x - y) for s, x, y in zip(sizes, rows[a], rows[b], strict=True)]
    return [math.fsum(math.log1p(bet * gain) for gain in gains if gain == gain) for bet in BETS]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 63, 64, 65, 130, 2047, 2048, 2049, 4500])
@pytest.mark.parametrize("shift", [0.0, 0.01, -0.01])
def test_sums_are_those_of_the_loop(rng, n, shift):
    rows, sizes = rng.random((6, n)), rng.random(n)
    rows[1] = rng.random(n) < 0.5
    rows[2] = 1.0 - rows[1]  # a difference of one on every example: the largest and the smallest product
    rows[rng.random((6, n)) < 0.1] = np.nan
    rows[5] = np.nan
    first, second = np.nonzero(~np.eye(6, dtype=bool))
    before = rows.copy()
    logs = np.zeros((first.size, BETS.size))
    add_log_factors(rows, sizes, shift, BETS, first, second, logs)
    slow = [_slow(rows, sizes, shift, a, b) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(logs, slow, rtol=1e-13, atol=n * 4e-16 + 1e-12)
    np.testing.assert_array_equal(rows, before)
    # Bit for bit the same whatever other pairs there are, and added to what was there.
    alone = np.zeros((1, BETS.size))
    add_log_factors(rows, sizes, shift, BETS, first[3:4], second[3:4], alone)
    np.testing.assert_array_equal(alone[0], logs[3])
    if n <= 2048:
        add_log_factors(rows, sizes, shift, BETS, first, second, logs)
        np.testing.assert_allclose(logs, 2.0 * np.array(slow), rtol=1e-13, atol=2 * n * 4e-16 + 2e-12)


def test_a_run_neither_underflows_nor_overflows():
    rows = np.vstack([np.ones(640), np.zeros(640)])
    logs = np.zeros((2, 1))
    add_log_factors(rows, np.ones(640), 0.0, np.array([0.99]), np.array([0, 1]), np.array([1, 0]), logs)
    np.testing.assert_allclose(logs[:, 0], [640 * math.log1p(-0.99), 640 * math.log1p(0.99)], rtol=1e-13)


def test_no_pairs_and_no_examples():
    logs = np.zeros((0, BETS.size))
    add_log_factors(np.zeros((2, 5)), np.ones(5), 0.0, BETS, *np.zeros((2, 0), np.intp), logs)
    logs = np.ones((1, BETS.size))
    add_log_factors(np.zeros((2, 0)), np.ones(0), 0.0, BETS, np.array([0]), np.array([1]), logs)
    assert (logs == 1.0).all()
