"""Worlds whose risks are no binary fractions: floats break their ties, which must not look like violations."""

from fractions import Fraction

import numpy as np
import pytest

from moltheory.problems import FiniteWorld
from moltheory.theorems import check, check_all, ledger


def _written(k, q):
    """The floats k/q and j/q + (k - j)/q: one number but for its last bit."""
    return sorted({j / q + (k - j) / q for j in range(k + 1)})


def _world(rng):
    """Losses k/q in all the ways to write them, some objectives without data, small integer odds."""
    s, n_hypotheses, n_objectives = (int(x) for x in rng.integers((2, 2, 1), (4, 5, 4)))
    q = int(rng.choice([3, 5, 6, 7, 9, 11]))
    parts = rng.integers(1, 8, s)
    k = rng.integers(0, q + 1, (s, n_hypotheses, n_objectives))
    kind = rng.integers(3)
    if kind == 1:  # one value in many places
        k[rng.random(k.shape) < 0.4] = k[0, 0, 0]
    if kind == 2:  # two hypotheses tie on one outcome, and are as far apart as 2 C on average
        _mirror(rng, k, parts, q)
    losses = np.vectorize(lambda value: rng.choice(_written(value, q)), otypes=[float])(k)
    if n_objectives > 1 and rng.random() < 0.3:
        losses[..., -1] = losses[0, :, -1]
    if (losses == losses[0]).all():
        losses[0, 0, 0] = 2.0  # something depends on the outcome
    return FiniteWorld([Fraction(int(part), int(parts.sum())) for part in parts], losses)


def _mirror(rng, k, parts, q):
    parts[1:] = 0
    parts[:2] = 1
    away = int(rng.integers(1, q // 2 + 1))
    middle = int(rng.integers(away, q - away + 1))
    k[..., 0] = middle
    k[1, :2, 0] = middle + away, middle - away
    # The first is much worse elsewhere.
    k[:, 0, 1:], k[:, 1, 1:] = q, rng.integers(0, 2, k[:, 1, 1:].shape)
    k[:, 2:, 1:] = k[0, 2:, 1:]


def _check_worlds(seeds):
    for seed in seeds:
        rng = np.random.default_rng([20227, seed])
        world = _world(rng)
        for n in (1, 2, 3):
            for name, result in check_all(world, n=n, delta=0.2).items():
                assert result.violations == 0, (seed, name, result, result.worst_inputs)
                assert result.level_holds, (seed, name, result)
                assert result.applicable or name in (
                    "strong-convexity",
                    "paired-dominance",
                    "impurity",
                    "coverage-minimax",
                ), (seed, name, result)


def test_a_tie_that_floats_have_broken():
    """1/7 + 4/7 is not 5/7 in floats: a member of the empirical front that is truly beaten by 2 C in one reading."""
    world = FiniteWorld([0.5, 0.5], [[[1 / 7 + 4 / 7, 1.0], [5 / 7, 2 / 7]], [[6 / 7, 5 / 7], [4 / 7, 3 / 7]]])
    assert 1 / 7 + 4 / 7 != 5 / 7
    assert check(ledger()["weak-converse"], world, n=1).holds


def test_an_objective_that_varies_in_the_last_bit_only():
    """Its width is below the rounding of its own risks, which is no failure of E."""
    low, high = _written(5, 6)[0], _written(5, 6)[-1]
    world = FiniteWorld([Fraction(2, 5), Fraction(3, 5)], [[[0.0, high]], [[1.0, low]]])
    assert 0 < high - low < 1e-15
    for n in (1, 2, 3, 5):
        assert check(ledger()["joint"], world, n=n, delta=0.5).holds


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_random_worlds(part):
    _check_worlds(range(50 * part, 50 * (part + 1)))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_the_audits_worlds(part):
    _check_worlds(range(1000 + 100 * part, 1000 + 100 * (part + 1)))
