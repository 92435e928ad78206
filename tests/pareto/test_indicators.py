"""Indicators: by hand, by additivity of volume, and by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.pareto import (
    additive_epsilon,
    hausdorff,
    hypervolume,
    hypervolumes_of_selections,
    igd_plus,
)


def test_hypervolume_golden():
    assert hypervolume([[1.0, 1.0]], reference=[3.0, 4.0]) == 6.0
    # Two boxes less their overlap.
    assert hypervolume([[0.0, 2.0], [1.0, 0.0]], reference=[3.0, 3.0]) == 3 * 1 + 2 * 3 - 2 * 1
    assert hypervolume([[5.0, 5.0]], reference=[3.0, 3.0]) == 0.0
    assert hypervolume([[2.0], [1.0]], reference=[4.0]) == 3.0
    assert hypervolume([[0.0, 0.0, 0.0]], reference=[1.0, 2.0, 3.0]) == 6.0


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_hypervolume_counts_the_cells_of_a_lattice(m):
    rng = np.random.default_rng(m)
    for _ in range(10):
        points = rng.integers(0, 5, (6, m))
        cells = np.array(list(itertools.product(range(4), repeat=m)))
        expected = (points[:, None] <= cells[None]).all(axis=2).any(axis=0).sum()
        assert hypervolume(points, reference=[4] * m) == expected
        assert hypervolume(-points, reference=[-4] * m, maximise=True) == expected
        turn = np.where(np.arange(m) == 0, -1, 1)
        mixed = [True] + [False] * (m - 1)
        assert hypervolume(points * turn, reference=4 * turn, maximise=mixed) == expected


def test_hypervolume_is_additive_over_a_cut():
    rng = np.random.default_rng(1)
    points = rng.random((40, 3))
    whole = hypervolume(points, reference=[1.0, 1.0, 1.0])
    below = hypervolume(points, reference=[0.5, 1.0, 1.0])
    above = hypervolume(np.maximum(points, [0.5, 0.0, 0.0]), reference=[1.0, 1.0, 1.0])
    assert whole == pytest.approx(below + above, rel=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("maximise", [False, True])
def test_many_selections_are_single_ones(m, maximise, unchanged):
    rng = np.random.default_rng(m)
    risks = unchanged(rng.integers(0, 12, (30, m)) / 8.0)
    masks = rng.random((200, 30)) < rng.choice([0.03, 0.3], (200, 1))
    masks[np.arange(200), rng.integers(0, 30, 200)] = True
    reference = unchanged(np.full(m, 0.25 if maximise else 1.25))
    found = hypervolumes_of_selections(risks, unchanged(masks), reference=reference, maximise=maximise)
    expected = [hypervolume(risks[mask], reference=reference, maximise=maximise) for mask in masks]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_many_selections_beyond_the_reference():
    masks = np.array([[True, False], [True, True]])
    assert hypervolumes_of_selections([[2.0, 0.0], [0.0, 2.0]], masks, reference=[1.0, 1.0]).tolist() == [0, 0]
    with pytest.raises(InvalidInputError, match="`selected` must select something in every row"):
        hypervolumes_of_selections([[2.0, 0.0], [0.0, 2.0]], ~masks, reference=[1.0, 1.0])


@pytest.mark.parametrize("m", [1, 2, 3])
def test_pairs_by_brute_force(m):
    rng = np.random.default_rng(m)
    points, front = rng.random((15, m)), rng.random((12, m))
    difference = points[:, None] - front[None]
    short = np.linalg.norm(np.maximum(difference, 0.0), axis=2)
    assert igd_plus(points, front) == pytest.approx(short.min(axis=0).mean(), rel=1e-12)
    assert igd_plus(-points, -front, maximise=True) == igd_plus(points, front)
    assert additive_epsilon(points, front) == difference.max(axis=2).min(axis=0).max()
    assert additive_epsilon(-points, -front, maximise=True) == additive_epsilon(points, front)
    far = np.linalg.norm(difference, axis=2)
    assert hausdorff(points, front) == pytest.approx(max(far.min(0).max(), far.min(1).max()), rel=1e-12)
    assert hausdorff(front, points) == hausdorff(points, front)
    assert igd_plus(points, points) == additive_epsilon(points, points) == hausdorff(points, points) == 0.0


def test_additive_epsilon_goes_below_zero():
    assert additive_epsilon([[0.0, 0.0]], [[1.0, 2.0]]) == -1.0


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (np.empty((0, 2)), {"reference": [1.0, 1.0]}, "`points` must not be empty"),
        ([[1.0, np.nan]], {"reference": [1.0, 1.0]}, "`points` must be finite, got NaN"),
        ([[1.0, 1.0]], {"reference": [1.0, np.inf]}, "`reference` must be finite, got an infinity"),
        ([[1.0, 1.0]], {"reference": [1.0]}, r"`reference` must have one entry per objective \(2\), got 1"),
        ([[1.0, 1.0]], {"reference": 1.0}, r"`reference` must have shape \(m,\), got shape \(\)"),
        (np.ones((1, 40)), {"reference": np.ones(40)}, "`points` must have at most 31 objectives"),
    ],
)
def test_hypervolume_refuses(points, options, message):
    with pytest.raises(InvalidInputError, match=message):
        hypervolume(points, **options)


def test_pairs_refuse():
    for function in (igd_plus, additive_epsilon, hausdorff):
        with pytest.raises(InvalidInputError, match="`reference_front` must have 2 objectives, got 1"):
            function([[1.0, 2.0]], [[1.0]])
        with pytest.raises(InvalidInputError, match="`points` must not be empty"):
            function(np.empty((0, 1)), [[1.0]])


def test_inputs_are_left_alone(unchanged):
    rng = np.random.default_rng(2)
    points, front = unchanged(rng.random((6, 3))), unchanged(rng.random((4, 3)))
    hypervolume(points, reference=unchanged(np.zeros(3)), maximise=True)
    for function in (igd_plus, additive_epsilon):
        function(points, front, maximise=[True, False, True])
    hausdorff(points, front)
