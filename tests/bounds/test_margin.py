"""Margins of linear classifiers: level, limits by hand, the fat-shattering dimension by its definition."""

import itertools
import math

import numpy as np
import pytest

from moltheory.bounds import fat_shattering_dimension, linear_class, margin_class, margin_limits
from tests.bounds.test_class_levels import believable

UNIT = {"weight_norm": 1.0, "input_norm": 1.0}


def test_widths_are_those_of_the_ramp_loss():
    scale = {"weight_norm": 2.0, "input_norm": 3.0}
    one = margin_class([50, math.inf, 800], margin=0.25, delta=0.1, **scale)
    assert one.width == pytest.approx(linear_class([50, math.inf, 800], lipschitz=4.0, delta=0.1, **scale).width)
    two = margin_class(800, margin=[0.25, 0.5], delta=0.1, n_objectives=3, **scale)
    assert two.width.shape == (2, 3)
    by_hand = 2 * 6.0 / (0.5 * math.sqrt(800)) + math.sqrt(math.log(2 * 2 * 3 / 0.1) / 1600)
    assert two.width[1] == pytest.approx([by_hand] * 3, rel=1e-12)
    assert two.vacuous[0].all() == (two.width[0] >= 1).all()


@pytest.mark.parametrize("noise", [0.5, 0.2, 0.01])
@pytest.mark.parametrize("d", [1, 50])
def test_level_by_simulation(noise, d):
    """Inputs uniform on d unit vectors, labels wrong with some probability: the majority votes are the worst weights."""
    n, runs, delta = 100 * d, 2000, 0.05
    rng = np.random.default_rng(1)
    cells = rng.multinomial(n, np.full(d, 1 / d), size=runs)
    wrong = rng.binomial(cells, noise)
    gamma = 1 / math.sqrt(d)
    # Weights +-gamma of norm 1: ramp losses are error rates there. Each cell is voted up if most of its labels are.
    up = wrong <= cells / 2
    empirical = np.where(up, wrong, cells - wrong).sum(axis=1) / n
    true = np.where(up, noise, 1 - noise).mean(axis=1)
    found = margin_class(n, margin=[gamma / 2, gamma], delta=delta, **UNIT).width[1, 0]
    assert believable(int((np.abs(true - empirical) > found).sum()), runs, delta)
    if d == 50 and noise == 0.5:
        # The complexity forgotten, and the margin taken for 1.
        assert not believable(int((true - empirical > math.sqrt(math.log(4 / delta) / (2 * n))).sum()), runs, delta)
        assert not believable(int((true - empirical > 2 / math.sqrt(n)).sum()), runs, delta)


def test_limits_by_hand():
    rng = np.random.default_rng(2)
    scores = np.round(rng.uniform(-1, 1, (300, 4, 2)), 1)
    grid = [0.1, 0.5]
    found = margin_limits(scores, margin=grid, delta=0.1, **UNIT)
    widths = margin_class([300, 300], margin=grid, delta=0.1, **UNIT).width
    assert found.width.shape == (4, 2)
    for h, i in itertools.product(range(4), range(2)):
        m = scores[:, h, i].tolist()
        upper = min(sum(min(1, max(0, 1 - v / g)) for v in m) / 300 + w[i] for g, w in zip(grid, widths, strict=True))
        lower = max(sum(min(1, max(0, -v / g)) for v in m) / 300 - w[i] for g, w in zip(grid, widths, strict=True))
        error = sum(v <= 0 for v in m) / 300
        assert found.upper[h, i] == pytest.approx(min(upper, 1))
        assert found.lower[h, i] == pytest.approx(max(lower, 0))
        assert found.lower[h, i] <= error <= found.upper[h, i]
        assert found.width[h, i] == pytest.approx(max(found.upper[h, i] - error, error - found.lower[h, i]))


def test_each_objective_has_its_own_sample():
    few, many = np.full((10, 2), 0.5), np.full((1000, 2), 0.5)
    found = margin_limits([few, many], margin=0.4, delta=0.1, **UNIT)
    assert (found.upper[:, 1] < found.upper[:, 0]).all()
    whole = margin_limits(np.stack([many, many], axis=2), margin=0.4, delta=0.1, **UNIT)
    assert found.upper[:, 1] == pytest.approx(whole.upper[:, 1])
    # Nothing is learned of a classifier whose margins are 0: it errs everywhere, and the limits stay in [0, 1].
    zero = margin_limits(np.zeros((50, 1)), margin=0.1, delta=0.1, **UNIT)
    assert (zero.lower[0, 0], zero.upper[0, 0]) == (0.0, 1.0)
    assert zero.width[0, 0] == 1.0


def test_wide_margins_are_worth_it():
    scores = np.random.default_rng(3).uniform(0.3, 0.9, (5000, 1))
    found = margin_limits(scores, margin=[0.05, 0.3], delta=0.05, **UNIT)
    assert found.upper[0, 0] == pytest.approx(margin_class(5000, margin=[0.05, 0.3], delta=0.05, **UNIT).width[1, 0])
    assert found.upper[0, 0] < 0.13


@pytest.mark.parametrize(("margin", "d", "expected"), [(0.5, None, 4), (0.5, 3, 3), (0.49, 8, 4), (0.44, 8, 5)])
def test_fat_shattering_by_its_definition(margin, d, expected):
    m = fat_shattering_dimension(margin, dimension=d, **UNIT)
    assert m == expected
    inputs = np.eye(m)
    for signs in itertools.product([-1, 1], repeat=m):
        w = margin * np.array(signs)
        assert np.linalg.norm(w) <= 1 + 1e-12
        assert (np.array(signs) * (inputs @ w) >= margin - 1e-12).all()
    # One input more: for some signs the sum of inputs is too short, whatever the inputs are.
    rng = np.random.default_rng(4)
    patterns = np.array(list(itertools.product([-1, 1], repeat=m + 1)))
    for _ in range(50):
        points = rng.standard_normal((m + 1, d or m + 1))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        shortest = np.linalg.norm(patterns @ points, axis=1).min()
        dependent = d is not None and m + 1 > d
        assert dependent or shortest < (m + 1) * margin


def test_fat_shattering_at_roots_and_ends():
    for k in range(1, 200):
        assert fat_shattering_dimension(1 / math.sqrt(k), **UNIT) == k
    assert fat_shattering_dimension(2.0, **UNIT) == 0
    assert fat_shattering_dimension(1e-200, dimension=7, **UNIT) == 7


def test_refusals(refuses):
    for margin in (0.0, 1e-310, -0.1, math.nan, math.inf, [], [0.1, 0.0], "x"):
        refuses("margin", margin_class, 50, margin=margin, delta=0.1, **UNIT)
        refuses("margin", margin_limits, [[0.1]], margin=margin, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [[1.5]], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [[math.nan]], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [[[0.1]], [[0.1, 0.2]]], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [[[0.1], [0.1, 0.2]]], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [[[0.1]], [0.1]], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [], margin=0.1, delta=0.1, **UNIT)
    refuses("scores", margin_limits, [0.1], margin=0.1, delta=0.1, **UNIT)
    refuses("delta", margin_limits, [[0.1]], margin=0.1, delta=0.0, **UNIT)
    for margin in (0.0, -1.0, math.nan, 1e-9, [0.1]):
        refuses("margin", fat_shattering_dimension, margin, **UNIT)
    refuses("dimension", fat_shattering_dimension, 0.1, dimension=0, **UNIT)
