"""Paired tests of quantiles are p-values for every law, exactly, and are what the formula says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.special import bdtr, bdtrc
from scipy.stats import binomtest

from moltheory.evaluation import _quantile_tests
from moltheory.evaluation._quantile_tests import quantile_p_values

Array = np.ndarray[Any, Any]


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        ends = (-1, *bars, total + parts - 1)
        yield tuple(ends[i + 1] - ends[i] - 1 for i in range(parts))


def _formula(a: Array, b: Array, p: float, *, side: float, paired: float, swapped: bool = False) -> float:
    """Return the maximum over all thresholds, at and between the losses, as the docstring has it."""
    points = np.unique(np.concatenate([a, b]))
    thresholds = np.concatenate([[points[0] - 1], points, 0.5 * (points[1:] + points[:-1]), [points[-1] + 1]])
    largest = 0.0
    for c in thresholds:
        first, second = (a <= c, b < c) if swapped else (a < c, b <= c)
        only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
        p_a = bdtrc(first.sum() - 1.0, a.size, p) if first.any() else 1.0
        p_b = bdtr(float(second.sum()), a.size, p)
        p_m = bdtr(float(only_second), only_first + only_second, 0.5) if only_first + only_second else 1.0
        largest = max(largest, min(p_a / side, p_b / side, p_m / paired))
    return float(min(largest, 1.0))


def _quantile(sample: Array, p: float) -> float:
    return float(np.sort(sample)[max(math.ceil(p * sample.size - 1e-9), 1) - 1])


def test_all_pairs_are_what_the_formula_says() -> None:
    rng = np.random.default_rng(0)
    for trial in range(120):
        n, p = int(rng.integers(1, 50)), float(rng.choice([0.05, 0.3, 0.5, 0.75, 0.9, 0.95]))
        values = rng.integers(0, rng.integers(2, 12), (n, 3)).astype(float) if trial % 2 else rng.normal(size=(n, 3))
        values += 0.7 * rng.integers(0, 4, 3)
        if trial % 3 == 0:
            values[rng.random(values.shape) < 0.2] = np.nan
        shift = float(rng.choice([0.0, 0.5, -0.25]))
        found = quantile_p_values(values, p, shift)
        assert found.diagonal().tolist() == [1.0, 1.0, 1.0]
        for a, b in itertools.permutations(range(3), 2):
            common = ~np.isnan(values[:, [a, b]]).any(axis=1)
            first, second = values[common, a], values[common, b] + shift
            evidence = first.size > 0 and _quantile(first, p) < _quantile(second, p)
            wanted = _formula(first, second, p, side=0.1, paired=0.8) if evidence else 1.0
            assert found[a, b] == pytest.approx(max(wanted, 1e-12), rel=1e-9)


def test_pairs_do_not_depend_on_blocks_or_on_other_models(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(size=(300, 1)) + 0.3 * rng.normal(size=(300, 6)) + 0.05 * np.arange(6))
    whole = quantile_p_values(values, 0.9, 0.1)
    monkeypatch.setattr(_quantile_tests, "_ENTRIES", 50)
    np.testing.assert_array_equal(quantile_p_values(values, 0.9, 0.1), whole)
    np.testing.assert_array_equal(quantile_p_values(values[:, [4, 1]], 0.9, 0.1), whole[np.ix_([4, 1], [4, 1])])


_CELLS = np.array(list(itertools.product(range(3), repeat=2)), float)


def _worst_excess(n: int, p: float, laws: Sequence[tuple[int, ...]], test: Callable[[Array, Array], float]) -> float:
    """Return the largest P(p-value <= t) / t over all t < 1 and laws on 3 x 3 points for which the hypothesis is true."""
    types = np.array(list(_compositions(n, 9)))
    types = types[(types[:, ~np.array(laws).any(axis=0)] == 0).all(axis=1)]
    logs = np.array([math.lgamma(n + 1) - sum(math.lgamma(k + 1) for k in kind) for kind in types.tolist()])
    found = np.array([test(*np.repeat(_CELLS, kind, axis=0).T) for kind in types])
    worst = 0.0
    for law in laws:
        shares = np.array(law) / sum(law)
        quantiles = [np.argmax(np.cumsum(shares.reshape(3, 3).sum(axis=axis)) >= p - 1e-12) for axis in (1, 0)]
        if quantiles[0] < quantiles[1]:
            continue
        reached = (types[:, shares == 0] == 0).all(axis=1)
        chances = np.where(reached, np.exp(logs + types @ np.log(np.where(shares > 0, shares, 1.0))), 0.0)
        for level in np.unique(found[found < 1.0]):
            worst = max(worst, float(chances[found <= level * (1 + 1e-9)].sum() / level))
    return worst


def _library(p: float) -> Callable[[Array, Array], float]:
    return lambda a, b: float(quantile_p_values(np.column_stack([a, b]), p)[0, 1])


_LAWS = list(_compositions(4, 9))


@pytest.mark.parametrize(
    ("n", "p", "side"), [(6, 0.5, 0.1), (5, 0.5, 0.25), (4, 0.75, 0.33), (5, 0.25, 0.3), (1, 0.5, 0.4)]
)
def test_p_values_are_valid_exactly_for_all_laws_on_a_grid(
    n: int, p: float, side: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other shares than the usual ones show more of the distribution in so small samples.
    monkeypatch.setattr(_quantile_tests, "SIDE", side)
    monkeypatch.setattr(_quantile_tests, "_PAIRED", 1.0 - 2.0 * side)
    assert _worst_excess(n, p, _LAWS, _library(p)) <= 1.0 + 1e-9


def test_without_shares_of_the_level_the_p_values_are_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_quantile_tests, "SIDE", 1.0)
    monkeypatch.setattr(_quantile_tests, "_PAIRED", 1.0)
    assert _worst_excess(5, 0.5, [(0, 1, 0, 0, 1, 2, 0, 0, 0)], _library(0.5)) > 1.2


def test_without_the_factor_two_two_one_sided_tests_are_too_small() -> None:
    def test(a: Array, b: Array) -> float:
        return _formula(a, b, 0.5, side=1.0, paired=1e-300)

    assert _worst_excess(5, 0.5, [(0, 1, 0, 0, 1, 2, 0, 0, 0)], test) > 1.2


def test_strict_and_weak_inequalities_may_not_be_swapped() -> None:
    # Half of the losses of b are tied with those of a: both medians are 0.
    def test(a: Array, b: Array) -> float:
        return _formula(a, b, 0.5, side=0.1, paired=0.8, swapped=True)

    laws = [(2, 0, 2, 0, 0, 0, 0, 0, 0)]
    assert _worst_excess(5, 0.5, laws, test) > 2.0
    assert _worst_excess(5, 0.5, laws, _library(0.5)) <= 1.0


@pytest.mark.parametrize("common", [0.0, 0.8])
def test_level_on_log_normal_latencies_with_equal_quantiles(common: float) -> None:
    # Equal p90 and other laws: the spreads differ.
    rng = np.random.default_rng(3)
    sd = np.array([0.5, 1.0])
    z = math.sqrt(2.0) * 0.9061938024368232
    center = -z * np.hypot(common, sd)
    found = []
    for _ in range(600):
        noise = common * rng.normal(size=(1000, 1)) + sd * rng.normal(size=(1000, 2))
        found.append(quantile_p_values(np.exp(noise + center), 0.9)[[0, 1], [1, 0]])
    for level in (0.2, 0.05):
        misses = (np.array(found) <= level).sum(axis=0)
        assert binomtest(int(misses.max()), 600, level, alternative="greater").pvalue > 1e-6


def test_common_noise_cancels() -> None:
    rng = np.random.default_rng(1)
    noise = np.exp(rng.normal(size=(1000, 1)) + 0.1 * rng.normal(size=(1000, 2)))
    a, b = (noise * [1.0, 1.35]).T
    assert quantile_p_values(np.column_stack([a, b]), 0.95)[0, 1] < 1e-5
    # Without pairs the same losses are no evidence.
    assert quantile_p_values(np.column_stack([a, rng.permutation(b)]), 0.95)[0, 1] > 0.01
    assert _formula(a, b, 0.95, side=0.5, paired=1e-300) > 0.05


def test_a_shift_moves_what_is_tested() -> None:
    rng = np.random.default_rng(5)
    values = 10.0 + rng.normal(size=(1000, 2)) + [0.0, 1.0]
    assert quantile_p_values(values, 0.5, 0.0)[0, 1] < 1e-6
    assert quantile_p_values(values, 0.5, 2.0)[1, 0] < 1e-6
    assert quantile_p_values(values, 0.5, 1.0)[1, 0] > 0.01
    assert quantile_p_values(values, 0.5, -2.0)[0, 1] == 1.0


def test_few_examples_are_no_evidence_on_a_high_quantile() -> None:
    values = np.column_stack([np.arange(20.0), 100.0 + np.arange(20.0)])
    # All of a may be below its p99 by chance.
    assert quantile_p_values(values, 0.99)[0, 1] == 1.0
    assert quantile_p_values(values, 0.5)[0, 1] < 1e-4
