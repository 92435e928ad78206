"""Tables of p-values by bets toward a level: which pairs, in which order, at which share of the level."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from moltheory.certification import _pair_bets
from moltheory.certification._p_values import (
    BETTING,
    EMPIRICAL_BERNSTEIN,
    MCNEMAR,
    SLACK_MCNEMAR,
    PairTest,
    chosen_test,
    pair_tests,
)
from moltheory.certification._pair_views import _bets_reach
from moltheory.certification._slack_tests import count_bets, planned_bets, slack_mcnemar
from moltheory.certification._statistics import summaries
from moltheory.evaluation import _blocks
from moltheory.evaluation._blocks import array_columns
from moltheory.evaluation._scan import Scan
from moltheory.inference._pairs import PairCounts
from moltheory.inference._target_bets import random_order, target_p_values

Array = npt.NDArray[Any]


def _scan(losses: Array, codes: Array | None = None, *, averaged: bool = False) -> Scan:
    models, m = losses.shape[1:]
    return Scan(
        lambda: array_columns(losses, codes),
        model_names=[f"m{h}" for h in range(models)],
        column_names=[f"o{i}" for i in range(m)],
        low=np.zeros(m),
        high=np.ones(m),
        averaged=averaged,
    )


def _table(losses: Array, shift: float, log_levels: Any, codes: Array | None = None, **options: Any) -> Array:
    scan = _scan(losses, codes, **options)
    return pair_tests(scan, summaries(scan), [PairTest(0, shift, np.asarray(log_levels, dtype=float))])[0]


def _bounded(rng: np.random.Generator, n: int = 300, models: int = 6) -> Array:
    return rng.random((n, models, 1)) * rng.uniform(0.5, 1.0, (models, 1))


@pytest.mark.parametrize("shift", [0.0, 0.1, -0.1])
def test_bounded_losses_are_bet_on_in_a_fixed_random_order(shift: float, rng: np.random.Generator) -> None:
    losses = _bounded(rng)
    losses[rng.random(losses.shape) < 0.1] = np.nan
    assert chosen_test(_scan(losses), 0, shift != 0.0) == BETTING
    p = _table(losses, shift, 5.0)
    rows = losses[random_order(300), :, 0].T
    for a, b in itertools.permutations(range(6), 2):
        assert p[a, b] == target_p_values(rows, np.array([a]), np.array([b]), 5.0, shift=shift)[0]
    assert (np.diagonal(p) == 1.0).all()
    assert (p < 0.02).any()
    with pytest.raises(ValueError, match="read-only"):
        p[0, 0] = 0.0


@pytest.mark.parametrize("kind", ["equal", "unequal", "averaged"])
def test_clusters_are_units(kind: str, rng: np.random.Generator) -> None:
    losses = _bounded(rng, 400, 3)
    codes = np.arange(400) // 4 if kind == "equal" else np.sort(rng.integers(0, 120, 400))
    p = _table(losses, 0.05, 4.0, codes, averaged=kind == "averaged")
    groups = [losses[codes == code, :, 0] for code in np.unique(codes)]
    n = np.array([len(group) for group in groups])
    totals = np.array([group.sum(axis=0) for group in groups])
    weights = np.ones(n.size) if kind == "averaged" else n / n.max()
    rows = totals / n[:, None] if kind == "averaged" else totals / n.max()
    order = random_order(n.size)
    pair = np.array([0]), np.array([2])
    slow = target_p_values(rows[order].T, *pair, 4.0, shift=0.05, sizes=weights[order])
    assert p[0, 2] == pytest.approx(slow[0], rel=1e-9)


def test_blocks_and_units_that_nobody_has_change_nothing(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = _bounded(rng)
    codes = np.arange(300) // 3
    whole = _table(losses, 0.0, 5.0), _table(losses, 0.0, 5.0, codes)
    monkeypatch.setattr(_blocks, "_ROWS", 7)
    monkeypatch.setattr(_blocks, "_ENTRIES", 1)
    np.testing.assert_array_equal(_table(losses, 0.0, 5.0), whole[0])
    np.testing.assert_array_equal(_table(losses, 0.0, 5.0, codes), whole[1])
    unseen = np.insert(losses, [30, 150], np.nan, axis=0)
    np.testing.assert_array_equal(_table(unseen, 0.0, 5.0), whole[0])
    empty = np.insert(losses, [30, 150, 150], np.nan, axis=0)
    between = np.insert(codes, [30, 150, 150], [1000, 2000, 2000])
    np.testing.assert_array_equal(_table(empty, 0.0, 5.0, between), whole[1])


def test_every_pair_has_its_own_level(rng: np.random.Generator) -> None:
    losses = _bounded(rng)
    levels = np.array([2.0, 3.0, 4.0, 5.0, 6.0, np.nan])
    columns, rows = _table(losses, 0.0, levels), _table(losses, 0.0, levels[:, None])
    for b in range(5):
        alone = _table(losses, 0.0, levels[b])
        np.testing.assert_array_equal(columns[:, b], alone[:, b])
        np.testing.assert_array_equal(rows[b], alone[b])
    assert (columns[:, 5] == 1.0).all()
    assert (rows[5] == 1.0).all()
    assert (_table(losses, 0.0, np.nan) == 1.0).all()


@pytest.mark.parametrize("shift", [0.0, 0.1, -0.1])
@pytest.mark.parametrize("budget", [10**9, 0])
def test_levels_may_be_1_and_more(
    shift: float, budget: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", budget)
    bounded = _bounded(rng, 100)
    for losses in (bounded, (bounded < 0.3).astype(float)):
        for log_level in (0.0, -2.0):
            p = _table(losses, shift, log_level)
            assert ((p > 0.0) & (p <= 1.0)).all()
            assert shift < 0.0 or (p < 0.5).any()


def test_exact_tests_share_their_table(rng: np.random.Generator) -> None:
    losses = (rng.random((200, 4, 2)) < 0.3).astype(float)
    scan = _scan(losses)
    assert chosen_test(scan, 0, False) == MCNEMAR
    tests = [PairTest(c, 0.0, np.array(level)) for level in (3.0, 9.0) for c in (0, 1)]
    p = pair_tests(scan, summaries(scan), tests)
    assert p[0] is p[2]
    assert p[1] is p[3]
    assert (p[0] != p[1]).any()


@pytest.mark.parametrize("shift", [0.0, 0.02])
def test_promising_pairs_are_bet_on_at_half_the_level(
    shift: float, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = _bounded(rng, 400)
    every = _table(losses, shift, 6.0 + math.log(2.0))
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", 400 * 3)
    assert chosen_test(_scan(losses), 0, shift != 0.0) == EMPIRICAL_BERNSTEIN
    monkeypatch.setattr(_pair_bets, "_NEAR", 1e9)
    alone = _table(losses, shift, 6.0)
    monkeypatch.undo()
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", 400 * 3)
    some = _table(losses, shift, 6.0)
    bet = some != alone
    assert 1 <= bet.sum() <= 3
    np.testing.assert_allclose(some[bet], 2.0 * every[bet], rtol=1e-9)
    assert (some[bet] < alone[bet]).all()
    # Where few models fit in memory, pairs of others are left out.
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", 400 * 30)
    monkeypatch.setattr(_pair_bets, "_HELD", 400 * 3)
    bet = _table(losses, shift, 6.0) != alone
    assert 1 <= bet.sum() <= 3
    assert np.unique(np.concatenate(np.nonzero(bet))).size <= 3
    monkeypatch.setattr(_pair_bets, "_HELD", 399)
    np.testing.assert_array_equal(_table(losses, shift, 6.0), alone)


@pytest.mark.parametrize(("spread", "n", "log_level"), [(0.3, 1000, 9.0), (0.3, 300, 4.0), (0.02, 300, 9.0)])
def test_plans_know_about_when_bets_reach_the_level(
    spread: float, n: int, log_level: float, rng: np.random.Generator
) -> None:
    """By the planner's approximation and by the bets themselves: about the same smallest mean that is found."""
    means = np.linspace(0.0, 0.12, 61)
    gains = np.clip(rng.normal(means[:, None, None], spread, (61, 40, n)), -1.0, 1.0).reshape(-1, n)
    rows, first = np.vstack([-gains, np.zeros(n)]), np.arange(len(gains))
    found = target_p_values(rows, first, np.full(len(gains), len(gains)), log_level) <= math.exp(-log_level)
    sums = np.full(len(gains), float(n)), gains.sum(axis=1), gains.var(axis=1, ddof=1)
    planned = _bets_reach(*sums, 2.0, math.exp(-log_level))
    halves = [means[np.argmax(each.reshape(61, 40).mean(axis=1) >= 0.5)] for each in (found, planned)]
    assert halves[1] == pytest.approx(halves[0], rel=0.12)
    assert halves[0] > 0.0


def _counts(losses: Array) -> PairCounts:
    found = summaries(_scan(losses))[0]
    assert isinstance(found, PairCounts)
    return found


@pytest.mark.parametrize("shift", [0.15, -0.15])
def test_slack_of_0_1_losses_takes_the_smaller_at_its_share(
    shift: float, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = (rng.random((200, 4, 1)) < [[0.3], [0.3], [0.4], [0.5]]).astype(float)
    assert chosen_test(_scan(losses), 0, True) == SLACK_MCNEMAR
    outcomes = _counts(losses).outcomes(slice(None))
    first, second = np.nonzero(~np.eye(4, dtype=bool))
    rows = losses[random_order(200), :, 0].T
    bets = np.ones((4, 4))
    bets[first, second] = target_p_values(rows, first, second, 6.0 - math.log(0.9), shift=shift)
    exact = slack_mcnemar(outcomes, shift, 6.0 + math.log(10.0))
    smaller = np.minimum(np.minimum(bets / 0.9, exact / 0.1), 1.0)
    np.fill_diagonal(smaller, 1.0)
    np.testing.assert_allclose(_table(losses, shift, 6.0), smaller, rtol=1e-9)
    # Beyond the budget a third each, and no bets here, since nothing is promising.
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", 0)
    monkeypatch.setattr(_pair_bets, "_NEAR", 1e9)
    planned = 6.0 + math.log(3.0)
    counted = count_bets(outcomes, 200, shift, planned)
    smaller = np.minimum(3.0 * np.minimum(slack_mcnemar(outcomes, shift, planned), counted), 1.0)
    np.fill_diagonal(smaller, 1.0)
    np.testing.assert_allclose(_table(losses, shift, 6.0), smaller, rtol=1e-9)
    monkeypatch.undo()
    monkeypatch.setattr(_pair_bets, "_PRODUCTS", 200)
    some = _table(losses, shift, 6.0)
    bets[first, second] = target_p_values(rows, first, second, planned, shift=shift)
    changed = some != np.where(np.isclose(some, smaller, rtol=1e-9), some, smaller)
    assert changed.sum() <= 1
    np.testing.assert_allclose(some[changed], 3.0 * bets[changed], rtol=1e-9)


@pytest.mark.parametrize("shift", [0.15, -0.15])
def test_bets_on_counts_are_bets_on_rows(shift: float, rng: np.random.Generator) -> None:
    losses = (rng.random((200, 4, 1)) < 0.3).astype(float)
    found = count_bets(_counts(losses).outcomes(slice(None)), 200, shift, 6.0)
    for a, b in itertools.permutations(range(4), 2):
        gains = shift - losses[:, a, 0] + losses[:, b, 0]
        capital = np.mean([np.prod(1.0 + bet * gains) for bet in planned_bets(200, 6.0, shift)])
        assert found[a, b] == pytest.approx(min(1.0, 1.0 / capital), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "level"), [(0.25, 0.3), (-0.25, 0.3), (0.25, 0.1)])
def test_slack_of_0_1_losses_is_valid_at_its_boundary_in_every_order(shift: float, level: float) -> None:
    # Differences -1, 0, 1 with mean `shift`; all sequences of six, each as the losses of two models.
    weights = np.array([0.3 - shift / 2.0, 0.4, 0.3 + shift / 2.0])
    pairs = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    wrong = 0.0
    for codes in itertools.product(range(3), repeat=6):
        losses = pairs[list(codes)][:, :, None]
        if _table(losses, shift, -math.log(level))[0, 1] <= level:
            wrong += float(weights[list(codes)].prod())
    assert 0.0 < wrong <= level


def test_sorted_examples_lose_no_power(rng: np.random.Generator) -> None:
    """Sorted by their content, one half of the examples speaks for the one model and the other for the other."""
    n = 1000
    gap = np.where(np.arange(n) < n // 2, 0.5, -0.42)
    losses = np.stack([0.5 - gap / 2, 0.5 + gap / 2], axis=1) + rng.uniform(-0.1, 0.1, (n, 2))
    order = np.argsort(gap, kind="stable")
    ends = [_table(losses[part][:, :, None], 0.0, 3.0)[0, 1] for part in (order, order[::-1])]
    assert max(ends) < 0.3


@pytest.mark.parametrize("kind", ["one", "equal", "constant"])
def test_nothing_to_see_is_no_evidence(kind: str) -> None:
    losses = np.full((1 if kind == "one" else 50, 3, 1), 0.5)
    if kind == "one":
        losses[0, :, 0] = [0.5, 0.5, 0.75]
    p = _table(losses, 0.0, 4.0)
    assert (p >= 0.5).all()
    if kind == "constant":
        assert _table(losses, 0.5, 4.0)[0, 1] < math.exp(-4.0)
        assert _table(losses, -0.5, 4.0)[0, 1] == 1.0


@pytest.mark.parametrize("interior", [False, True])
def test_bets_of_a_column_leave_out_the_examples_of_other_columns(interior):
    """Two tasks with examples of their own, as logs of an evaluation have them, and a tolerance."""
    import moltheory as mt

    rng = np.random.default_rng(4)
    one = (rng.random((40, 3, 1)) < [[[0.1], [0.3], [0.6]]]).astype(np.float64)
    if interior:
        one[0] = 0.5
    both = np.full((70, 3, 2), np.nan)
    both[:40, :, :1], both[40:, :, 1:] = one, rng.random((30, 3, 1)) < 0.5
    alone, beside = mt.certify(one, epsilon=0.1), mt.certify(both, epsilon=0.1)
    assert (alone.n_examples, beside.n_examples) == (40, 40)
    scans, p = [_scan(one), _scan(both)], []
    for scan in scans:
        found = np.ones((3, 3))
        _pair_bets.add_bets(scan, 0, [(0.1, np.full((3, 3), math.log(1e-3)), None, 1.0, found)])
        p.append(found)
    np.testing.assert_array_equal(*p)
    assert p[0].min() < 0.05
