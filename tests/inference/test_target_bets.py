"""Bets toward a level: against a plain loop, exact validity by enumeration, and variants that are not valid."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from moltheory.inference._target_bets import random_order, target_p_values

Array = npt.NDArray[Any]

# Laws of a gain with mean 0: probabilities and values, at and near the ends of the range, with ties, skewed both ways.
_LAWS = {
    "coin": ([0.5, 0.5], [-1.0, 1.0]),
    "ties": ([0.25, 0.5, 0.25], [-1.0, 0.0, 1.0]),
    "rare loss": ([0.1, 0.9], [-0.9, 0.1]),
    "rare win": ([0.9, 0.1], [-0.1, 0.9]),
    "grid": ([0.2, 0.4, 0.4], [-1.0, 0.0, 0.5]),
    "small": ([0.5, 0.5], [-0.03, 0.03]),
    "nearly sure": ([0.02, 0.98], [-0.98, 0.02]),
}


def _tops(gains: Array, goal: float, *, lowest: float = 1.0, cap: float = 0.99, peek: bool = False) -> Array:
    """Largest log capital of rows of gains (S, n), NaN = none, by the definition; `peek` bets after seeing the unit."""
    there = ~np.isnan(gains)
    gains = np.where(there, gains, 0.0)
    left, seen = there.sum(axis=1).astype(float), np.ones(len(gains))
    squares, worst = np.full(len(gains), 0.36), np.zeros(len(gains))
    goals, capital, about = np.full(len(gains), goal), np.zeros(len(gains)), np.zeros(len(gains))
    most, top = np.full(len(gains), cap / lowest), np.zeros(len(gains))
    for t in range(gains.shape[1]):
        if t % 8 == 0:
            about = capital.copy()
            goals = np.where(about >= goals, about + math.log(10.0), goals)
            with np.errstate(divide="ignore"):
                most = np.minimum(cap / lowest, 0.8 / np.abs(worst)) if cap < 1.0 else most
        bet = np.minimum(np.sqrt(2.0 * (goals - about) * seen / (np.maximum(left, 1.0) * squares)), most)
        change = np.where(peek & (gains[:, t] < 0.0), 0.0, bet) * gains[:, t]
        with np.errstate(invalid="ignore", divide="ignore"):
            capital = capital + np.log(np.maximum(1.0 + change, 0.0))
        top = np.maximum(top, capital)
        about = about + change * (1.0 - change * (0.5 - change / 3.0))
        goals = np.where(about >= goals, about + math.log(10.0), goals)
        squares, worst = squares + gains[:, t] ** 2, np.maximum(worst, -gains[:, t])
        seen, left = seen + there[:, t], left - there[:, t]
    return np.where(gains.sum(axis=1) > 0.0, top, 0.0)


def _excess(p: Array, weights: Array) -> float:
    """Return the largest ratio of P(p <= a) to a over all levels a."""
    order = np.argsort(p, kind="stable")
    p, total = p[order], np.cumsum(weights[order])
    last = np.append(p[1:] > p[:-1] * (1.0 + 1e-9), True)
    return float((total[last] / p[last]).max())


def _sequences(name: str, n: int) -> tuple[Array, Array]:
    """Return all sequences of n gains (S, n) of a law, with their probabilities."""
    weights, values = _LAWS[name]
    codes = np.array(list(itertools.product(range(len(values)), repeat=n)))
    return np.array(values)[codes], np.array(weights)[codes].prod(axis=1)


def _p_of_gains(gains: Array, log_level: float, *, shift: float = 0.0) -> Array:
    """Return p-values of rows of gains: the second row of each pair is 0."""
    rows = np.vstack([shift - gains, np.zeros(gains.shape[1])])
    first = np.arange(len(gains))
    return target_p_values(rows, first, np.full(len(gains), len(gains)), log_level, shift=shift)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 63, 64, 65, 200])
@pytest.mark.parametrize("shift", [0.0, 0.05, -0.05])
def test_capital_is_that_of_the_definition(n: int, shift: float, rng: np.random.Generator) -> None:
    rows, sizes = rng.random((8, n)) * np.array([1, 1, 1, 1, 0.7, 0.4, 0.1, 0])[:, None], rng.random(n)
    rows *= sizes
    rows[0] = (rng.random(n) < 0.7) * sizes
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[3] = np.nan
    first, second = np.nonzero(~np.eye(8, dtype=bool))
    goals = rng.uniform(0.5, 8.0, first.size)
    before = rows.copy()
    p = target_p_values(rows, first, second, goals, shift=shift, sizes=sizes)
    gains = shift * sizes - (rows[first] - rows[second])
    lowest = 1.0 + max(-shift, 0.0)
    slow = [float(_tops(g[None], goal, lowest=lowest)[0]) for g, goal in zip(gains, goals, strict=True)]
    np.testing.assert_allclose(-np.log(p), slow, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(rows, before)
    assert (p[(first == 3) | (second == 3)] == 1.0).all()
    # Bit for bit the same whatever other pairs there are.
    alone = [target_p_values(rows, first[[k]], second[[k]], goals[k], shift=shift, sizes=sizes)[0] for k in range(56)]
    np.testing.assert_array_equal(alone, p)


@pytest.mark.parametrize("log_level", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", list(_LAWS))
def test_p_values_are_valid_at_every_level_exactly(name: str, log_level: float) -> None:
    for n in (1, 2, 5, 7):
        gains, weights = _sequences(name, n)
        assert weights @ gains.mean(axis=1) == pytest.approx(0.0, abs=1e-12)
        assert _excess(_p_of_gains(gains, log_level), weights) <= 1.0 + 1e-9


def test_p_values_reach_their_level_where_the_law_allows() -> None:
    """Capital doubles or is nearly lost: no test against a coin can do much better."""
    gains, weights = _sequences("coin", 8)
    p = _p_of_gains(gains, math.log(8.0))
    assert 0.5 / 8.0 <= weights[p <= 1.0 / 8.0].sum() <= 1.0 / 8.0


@pytest.mark.parametrize("shift", [0.25, -0.25, -0.5])
def test_a_shift_is_valid_at_its_boundary(shift: float) -> None:
    # Differences -1, 0 and 1: gains shift - 1, shift and shift + 1, of mean zero; with a negative shift they fall below -1.
    middle = 0.2
    weights = np.array([1.0 - middle + shift, 2.0 * middle, 1.0 - middle - shift]) / 2.0
    codes = np.array(list(itertools.product(range(3), repeat=6)))
    gains, weights = np.array([shift - 1.0, shift, shift + 1.0])[codes], weights[codes].prod(axis=1)
    assert weights @ gains.mean(axis=1) == pytest.approx(0.0, abs=1e-12)
    for log_level in (0.5, 2.0):
        assert _excess(_p_of_gains(gains, log_level, shift=shift), weights) <= 1.0 + 1e-9


def test_sizes_of_units_may_be_random() -> None:
    """Units (size, difference) with E difference = shift E size, although not given the size."""
    shift, sizes = 0.2, np.array([0.5, 1.0])
    outcomes = [(0.5, -0.1, 0.3), (0.5, 0.5, 0.3), (1.0, 0.0, 0.38), (1.0, 1.0, 0.02)]
    mean = sum(w * (shift * s - d) for s, d, w in outcomes)
    assert mean == pytest.approx(0.0, abs=1e-12)
    n, found, weights = 5, [], []
    for which in itertools.product(range(2), repeat=n):
        places = np.array(list(itertools.product(range(2), repeat=n))) + 2 * np.array(which)
        table = np.array(outcomes)
        rows = np.vstack([table[places, 1], np.zeros(n)])
        first = np.arange(len(places))
        found.append(target_p_values(rows, first, first * 0 + len(places), 1.0, shift=shift, sizes=sizes[list(which)]))
        weights.append(table[places, 2].prod(axis=1))
    assert math.fsum(np.concatenate(weights)) == pytest.approx(1.0)
    assert _excess(np.concatenate(found), np.concatenate(weights)) <= 1.0 + 1e-9


@pytest.mark.parametrize("name", ["coin", "rare win", "grid"])
def test_missing_units_are_left_out(name: str) -> None:
    gains, weights = _sequences(name, 5)
    apart = np.full((len(gains), 9), np.nan)
    apart[:, [0, 2, 3, 7, 8]] = gains
    p = _p_of_gains(apart, 1.5)
    assert _excess(p, weights) <= 1.0 + 1e-9
    np.testing.assert_allclose(-np.log(p), _tops(apart, 1.5), rtol=1e-9, atol=1e-9)


def test_wrong_variants_are_caught() -> None:
    # A bet that sees its own unit, and one that may lose more than everything.
    gains, weights = _sequences("ties", 6)
    assert _excess(np.exp(-_tops(gains, 2.0)), weights) <= 1.0
    assert _excess(np.exp(-_tops(gains, 2.0, peek=True)), weights) > 1.2
    gains, weights = _sequences("coin", 6)
    assert _excess(np.exp(-_tops(gains, 3.0)), weights) <= 1.0
    assert _excess(np.exp(-_tops(gains, 3.0, cap=3.0)), weights) > 1.2


@pytest.mark.parametrize("skewed", [0.05, 0.5, 0.95])
def test_levels_hold_for_many_units(skewed: float, rng: np.random.Generator) -> None:
    runs, n, level = 4000, 250, 0.05
    gains = np.where(rng.random((runs, n)) < skewed, skewed - 1.0, skewed)
    wrong = (_p_of_gains(gains, -math.log(level)) <= level).mean()
    assert 0.02 < wrong <= level + 3.0 * math.sqrt(level * (1 - level) / runs)


def test_power_is_near_that_of_the_normal_test(rng: np.random.Generator) -> None:
    """Five standard errors at level exp(-9): a normal test decides 91 %, a mixture of constant bets 63 %."""
    gains = np.clip(rng.normal(5.0 * 0.3 / math.sqrt(1000), 0.3, (1000, 1000)), -1.0, 1.0)
    assert (_p_of_gains(gains, 9.0) <= math.exp(-9.0)).mean() > 0.86


def test_smaller_p_values_exist_than_the_level() -> None:
    p = _p_of_gains(np.full((1, 2000), 0.1), 3.0)
    assert p[0] < 1e-20


def test_sums_are_tested_with_a_negated_row(rng: np.random.Generator) -> None:
    half = rng.random((2, 300)) - 0.7
    rows = np.vstack([half, -half])
    p = target_p_values(rows, np.array([0]), np.array([3]), 6.0)
    np.testing.assert_allclose(-np.log(p), _tops(-half.sum(axis=0)[None], 6.0), rtol=1e-9)
    assert p[0] < math.exp(-6.0)


def test_orders_are_fixed_and_nothing_is_needed() -> None:
    np.testing.assert_array_equal(random_order(1000), random_order(1000))
    assert sorted(random_order(50).tolist()) == list(range(50))
    none = np.zeros(0, np.intp)
    assert target_p_values(np.zeros((2, 5)), none, none, 3.0).shape == (0,)
    assert target_p_values(np.zeros((2, 0)), np.array([0]), np.array([1]), 3.0).tolist() == [1.0]
