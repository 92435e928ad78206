"""Paired tests of gaps, spreads and worst groups: exact levels by enumeration, wrong variants caught."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from moltheory.certification._matched_units import matched_units
from moltheory.objectives import Gap, Mean, Measure
from tests.certification._contrast_worlds import Array, groups_of, measure_of, p_of_pairs

_OUTCOMES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # losses of the models a, b on one example


# --- levels ------------------------------------------------------------------------------------------------------


def _enumerated(
    kind: str, sizes: tuple[int, ...], parts: int, outcomes: Array
) -> tuple[Measure, list[Array], list[Array]]:
    """Return the measure of all samples (a, b side by side), risks under each law, and the chances of a group's samples."""
    kinds = len(outcomes)
    laws = np.array([c for c in itertools.product(range(parts + 1), repeat=kinds) if sum(c) == parts]) / parts
    samples = [np.array(list(itertools.product(range(kinds), repeat=n))) for n in sizes]
    chances = [np.prod(laws[:, s], axis=2) for s in samples]
    places = np.stack(np.meshgrid(*(np.arange(len(s)) for s in samples), indexing="ij")).reshape(len(sizes), -1)
    table = [outcomes[samples[g][places[g]]] for g in range(len(sizes))]  # (samples, n_g, 2)
    losses = np.concatenate(table, axis=1).transpose(1, 0, 2).reshape(sum(sizes), -1).astype(bool)
    return measure_of(kind, losses, groups_of(sizes)), [laws @ outcomes] * len(sizes), chances


def _rejected(refused: Array, chances: list[Array]) -> Array:
    """Return the probability of refusal under every combination of laws of the groups."""
    found = refused.reshape([c.shape[1] for c in chances]).astype(float)
    for chance in chances:
        found = np.tensordot(found, chance, axes=(0, 1))
    return found


def _values(kind: str, risks: list[Array]) -> tuple[Array, Array]:
    """Return the true measures of a and b under every combination of laws."""
    count = len(risks)
    wide = [r.reshape([-1 if g == i else 1 for i in range(count)] + [2]) for g, r in enumerate(risks)]
    table = np.stack(np.broadcast_arrays(*wide))
    if kind == "worst of gaps":
        value = np.maximum(abs(table[0] - table[1]), abs(table[2] - table[3]))
    else:
        value = table.max(axis=0) - (0.0 if kind == "worst" else table.min(axis=0))
    return value[..., 0], value[..., 1]


# Anything; only a, only b may err; exactly one errs.
_ALL, _FIRST, _SECOND, _ONE = _OUTCOMES, _OUTCOMES[::2], _OUTCOMES[:2], _OUTCOMES[1:3]


@pytest.mark.parametrize(
    ("kind", "sizes", "outcomes", "parts", "shift", "used"),
    [
        ("gap", (4, 4), _ALL, 4, 0.0, 0.04),
        ("gap", (3, 5), _ALL, 4, 0.0, 0.0),
        ("gap", (4, 4), _ALL, 4, 0.25, 0.1),
        ("gap", (8, 8), _SECOND, 8, 0.0, 0.1),
        ("gap", (6, 9), _SECOND, 8, 0.0, 0.08),
        ("gap", (8, 8), _ONE, 8, 0.0, 0.0),
        ("gap", (8, 8), _FIRST, 8, 0.25, 0.0),
        ("worst", (4, 4), _ALL, 4, 0.0, 0.5),
        ("worst", (7, 8), _ONE, 8, 0.0, 0.2),
        ("spread", (5, 5, 5), _SECOND, 4, 0.0, 0.02),
        ("spread", (3, 3, 3), _ALL, 2, 0.0, 0.0),
        ("worst of gaps", (4, 4, 4, 4), _SECOND, 4, 0.0, 0.01),
    ],
)
def test_levels_hold_exactly_for_all_laws_on_a_grid(
    kind: str, sizes: tuple[int, ...], outcomes: Array, parts: int, shift: float, used: float
) -> None:
    """Ties of gaps, of the same sign and of opposite signs, and gaps of 0 are among the laws; `used` shares of levels."""
    measure, risks, chances = _enumerated(kind, sizes, parts, outcomes)
    a, b = _values(kind, risks)
    null = a >= b + shift - 1e-12
    assert null.any()
    largest = []
    for level in (0.1, 0.2, 0.4):
        p = p_of_pairs(measure, level, shift)
        for threshold in (level, 0.15):
            chance = _rejected(p <= threshold, chances)
            assert chance[null].max() <= threshold + 1e-12
            largest.append(chance[null].max() / threshold)
    assert max(largest) >= used


@pytest.mark.slow
def test_levels_hold_exactly_for_a_gap_of_two_losses_of_the_same_examples() -> None:
    """One of two losses of b is 1, at random, and none of a: both gaps are 0, and units are many enough to say else.

    The sign of b's difference is chosen from the past at no price; chosen from all units it breaks the level.
    """
    n = 16
    heads = np.array(list(itertools.product([False, True], repeat=n))).T
    losses = np.zeros((2, n, 2 * heads.shape[1]), bool)
    losses[0, :, 1::2], losses[1, :, 1::2] = heads, ~heads
    gap = Gap(Mean(losses[0]), Mean(losses[1]))
    units = matched_units(gap.cells, (0.0, 1.0))
    difference = 0.5 * (units[0] - units[1])
    lower, higher = (np.stack([part, -part], axis=1) for part in (difference[::2], difference[1::2]))
    used, wrong = [], []
    for level in (0.03, 0.1, 0.3):
        used.append(float((p_of_pairs(gap, level) <= level).mean()) / level)
        sides = [_slow(lower, higher, -math.log(level), side=side) for side in (0, 1)]
        wrong.append(float((np.maximum(*sides) >= -math.log(level)).mean()) / level)
    assert max(used) <= 1.0
    assert max(used) > 0.25
    assert max(wrong) > 1.0


def _drawn(
    rng: np.random.Generator, rates: tuple[tuple[float, float], ...], sizes: tuple[int, ...], runs: int
) -> Array:
    """Losses (n, 2 runs) of pairs of models with given rates per group; half of the examples have a common difficulty."""
    parts = []
    for rate, n in zip(rates, sizes, strict=True):
        common, own = rng.random((n, runs, 1)), rng.random((n, runs, 2))
        parts.append((np.where(rng.random((n, runs, 1)) < 0.5, common, own) < np.array(rate)).reshape(n, -1))
    return np.concatenate(parts)


_TIES = {
    "opposite signs": ((0.5, 0.3), (0.3, 0.5)),
    "same sign": ((0.5, 0.4), (0.3, 0.2)),
    "no gap": ((0.3, 0.5), (0.3, 0.5)),
    "no gap and no error": ((0.0, 0.5), (0.0, 0.5)),
}


@pytest.mark.parametrize("tie", _TIES)
def test_levels_hold_at_ties_of_larger_samples(tie: str) -> None:
    sizes = (60, 150)
    losses = _drawn(np.random.default_rng(3), _TIES[tie], sizes, 4000)
    for level in (0.02, 0.1):
        hits = int((p_of_pairs(measure_of("gap", losses, groups_of(sizes)), level) <= level).sum())
        assert binomtest(hits, 4000, level, alternative="greater").pvalue > 1e-6
        # Only with opposite signs, or equal and known ones, is the level used up.
        assert hits > 0 or tie == "no gap"


def test_levels_hold_for_bounded_losses() -> None:
    rng, sizes, runs = np.random.default_rng(4), (50, 120), 4000
    hard = rng.random((sum(sizes), runs, 1))
    losses = np.clip(hard * rng.uniform(0.5, 1.5, (sum(sizes), runs, 2)), 0.0, 1.0).reshape(sum(sizes), -1)
    for kind in ("gap", "worst"):
        hits = int((p_of_pairs(measure_of(kind, losses, groups_of(sizes)), 0.05) <= 0.05).sum())
        assert binomtest(hits, runs, 0.05, alternative="greater").pvalue > 1e-6


# --- the kernel against a slow one, and wrong variants -----------------------------------------------------------


def _slow(lower: Array, higher: Array, goal: float, *, side: int | None = None, peeks: bool = False) -> Array:
    """Largest log capital (S,) over time, smallest over forms; `lower`, `higher` (S, J, T) scaled. A wrong one peeks."""
    runs, width, n = lower.shape
    smallest = np.full(runs, np.inf)
    for k in range(width):
        w, top, target = np.zeros(runs), np.zeros(runs), np.full(runs, goal)
        sums, squares = np.zeros((runs, width)), np.full((runs, width), 0.0625)
        chosen = np.full(runs, k if side is None else side)
        reached = np.zeros(runs, int)
        for t in range(n):
            gains = higher[:, :, t] - lower[:, [k], t]
            spread = squares[np.arange(runs), chosen] / (t + 1)
            bet = np.minimum(np.sqrt(2.0 * np.maximum(target - w, 0.0) / (n - t) / spread), 0.9)
            gain = gains[np.arange(runs), chosen]
            bet = np.where(gain < 0.0, 0.0, bet) if peeks else bet
            w = np.where(reached < 3, w + np.log1p(bet * gain), w)
            top = np.maximum(top, w)
            passed = (w >= target) & (reached < 3)
            target, reached = np.where(passed, 2.0 * target, target), reached + passed
            sums, squares = sums + gains, squares + gains**2
            if side is None:
                chosen = (sums * np.abs(sums) / squares).argmax(axis=1)
        smallest = np.minimum(smallest, top)
    return smallest


def _forms_of_units(losses: Array, sizes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the scaled signed differences (S, 2, T) of the first and of the second models of pairs."""
    measure = measure_of("gap", losses, groups_of(sizes))
    units = matched_units(measure.cells, (0.0, 1.0))
    difference = (units[0] - units[1]) / 2.0
    both = np.stack([difference, -difference], axis=1)
    return both[::2], both[1::2]


@pytest.mark.parametrize("tie", _TIES)
def test_the_kernel_is_the_slow_one(tie: str) -> None:
    sizes = (40, 90)
    losses = _drawn(np.random.default_rng(5), _TIES[tie], sizes, 300)
    found = -np.log(p_of_pairs(measure_of("gap", losses, groups_of(sizes)), 0.05))
    expected = _slow(*_forms_of_units(losses, sizes), -math.log(0.05))
    # A pair without hope is given up before its smallest capital is known.
    np.testing.assert_allclose(found, np.where(expected < 0.7, 0.0, expected), atol=1e-6)


def _share(hits: Array) -> float:
    return float(np.mean(hits))


def test_wrong_variants_are_caught() -> None:
    """Each exceeds its level where the right one does not."""
    level, runs, sizes = 0.1, 4000, (60, 60)
    goal = -math.log(level)
    losses = _drawn(np.random.default_rng(6), _TIES["no gap and no error"], sizes, runs)
    lower, higher = _forms_of_units(losses, sizes)
    limit = level + 4.0 * math.sqrt(level * (1.0 - level) / runs)
    assert _share(_slow(lower, higher, goal) >= goal) <= limit
    # The sign of b's difference chosen after all units, without a price.
    sides = [_slow(lower, higher, goal, side=side) for side in (0, 1)]
    assert _share(np.maximum(*sides) >= goal) > limit
    assert all(_share(side >= goal) <= limit for side in sides)
    # Bets that know their unit.
    assert _share(_slow(lower, higher, goal, peeks=True) >= goal) > limit
    # Each example of the smaller group used in several units.
    few = losses[60:70]
    reused = _drawn(np.random.default_rng(7), ((0.0, 0.5),), (60,), runs)
    again = np.concatenate([reused, np.tile(few, (6, 1))])
    assert _share(_slow(*_forms_of_units(again, sizes), goal) >= goal) > limit
