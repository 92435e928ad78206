"""Indicators: by hand, by additivity of volume, and by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.pareto import (
    additive_epsilon,
    hausdorff,
    hypervolume,
    igd_plus,
)


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
