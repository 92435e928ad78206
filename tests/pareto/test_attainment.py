"""Attainment surfaces against a count of the sets that attain each corner."""

from __future__ import annotations

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.pareto import attainment_surfaces, nondominated


def attained_by(targets, points, labels):
    """Return how many sets attain each target."""
    sets = [points[labels == label] for label in np.unique(labels)]
    return sum((rows[:, None] <= targets[None]).all(axis=2).any(axis=0).astype(int) for rows in sets)


def slow_surface(points, labels, percentile):
    """Try every corner that the coordinates can make."""
    axes = [np.unique(points[:, objective]) for objective in range(points.shape[1])]
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, points.shape[1])
    needed = percentile / 100 * np.unique(labels).size - 1e-9
    enough = corners[attained_by(corners, points, labels) >= needed]
    return np.unique(enough[nondominated(enough)], axis=0)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("maximise", [False, True])
def test_surfaces_by_counting(m, maximise, unchanged):
    rng = np.random.default_rng(m)
    points = rng.integers(0, 8, (24, m)).astype(float)
    # Labels out of order, sets of different sizes.
    labels = unchanged(rng.permutation(np.repeat([3, 0, 7, 5], [4, 9, 5, 6])))
    given = unchanged(-points if maximise else points.copy())
    found = attainment_surfaces(given, labels, percentiles=[100, 25, 50, 50], maximise=maximise)
    assert found.percentiles == (25.0, 50.0, 100.0)
    assert found.n_sets == 4
    for percentile in found.percentiles:
        surface = found.surface(percentile)
        expected = slow_surface(points, labels, percentile)
        expected = -expected[::-1] if maximise else expected
        np.testing.assert_array_equal(surface, expected)
        with pytest.raises(ValueError, match="read-only"):
            surface[0] = 0.0


def test_the_order_of_the_rows_is_no_matter():
    rng = np.random.default_rng(4)
    points, labels = rng.random((30, 2)), rng.integers(0, 5, 30)
    order = rng.permutation(30)
    first = attainment_surfaces(points, labels, percentiles=[50])
    second = attainment_surfaces(points[order], labels[order], percentiles=[50])
    np.testing.assert_array_equal(first.surface(50), second.surface(50))


@pytest.mark.parametrize(
    ("points", "sets", "percentiles", "message"),
    [
        ([[1.0]], [0], [50], "`points` must have 2 or 3 objectives, got 1"),
        ([[1.0, 2.0]], [0, 1], [50], r"`sets` must have shape \(1,\), got shape \(2,\)"),
        ([[1.0, 2.0]], [np.nan], [50], "`sets` must not contain missing values"),
        ([[1.0, 2.0]], [0], [0], "`percentiles` must be > 0 everywhere, got 0"),
        ([[1.0, 2.0]], [0], [101], "`percentiles` must be <= 100 everywhere, got 101"),
        (np.empty((0, 2)), [], [50], "`points` must not be empty"),
    ],
)
def test_refusals(points, sets, percentiles, message):
    with pytest.raises(InvalidInputError, match=message):
        attainment_surfaces(points, sets, percentiles=percentiles)


def test_a_surface_that_was_not_asked_for_is_refused():
    with pytest.raises(InvalidInputError, match="`percentile` must be one of"):
        attainment_surfaces([[1.0, 2.0]], [0], percentiles=[50]).surface(40)
