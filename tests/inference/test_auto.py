"""`method="auto"` keeps its level although the losses decide about the method, and boxes hold together."""

import itertools
import math

import numpy as np
import pytest

from moltheory.inference import binomial_interval, boxes, mean_interval
from moltheory.inference._inspection import kept_levels, most_of_few


def _failure(values, probabilities, n, delta, side):
    """Exact failure probability over all sequences of n losses."""
    sequences = np.array(list(itertools.product(range(len(values)), repeat=n)))
    weights = np.asarray(probabilities)[sequences].prod(axis=1)
    interval = mean_interval(np.asarray(values)[sequences].T, delta=delta, side=side)
    mean = float(np.dot(values, probabilities))
    return float(weights[(mean < interval.lower) | (mean > interval.upper)].sum())


@pytest.mark.parametrize("side", ["both", "lower", "upper"])
@pytest.mark.parametrize("delta", [0.05, 0.3])
def test_the_level_holds_exactly_where_losses_only_look_binary(side, delta):
    """A third value of small probability: some samples show it, most do not."""
    worst = 0.0
    for n, inner in itertools.product((3, 6), (0.01, 0.5, 0.9)):
        for p, q in itertools.product((0.02, 0.2, 0.5, 0.9), (1e-3, 0.05, 0.3)):
            probabilities = [(1 - p) * (1 - q), q, p * (1 - q)]
            worst = max(worst, _failure([0.0, inner, 1.0], probabilities, n, delta, side))
    assert worst <= delta


def test_what_is_kept_of_a_level():
    most = most_of_few(100, -math.log(0.05) - math.log(1e-5))
    kept = kept_levels(np.array([0, 1, most, most + 1, 100]), 100, np.full(5, 0.05))
    assert kept / 0.05 / (1 - 1e-5) == pytest.approx([0.95, 0.05, 0.05, 0.95, 0.95])
    several = kept_levels(np.array([0, 0]), 100, np.array([0.1, 0.2]))
    assert several == pytest.approx(0.95 * (1 - 1e-5) * np.array([0.1, 0.2]))


def test_boxes_hold_together(rng):
    losses = rng.random((60, 3, 2)) < 0.3
    found = boxes(losses, delta=0.06)
    assert found.lower.shape == (3, 2)
    assert found.delta == pytest.approx(0.01)
    alone = binomial_interval(losses.sum(axis=0), 60, delta=0.01)
    assert np.array_equal(found.upper, alone.upper)
    truth, missed = np.array([[0.1, 0.5], [0.3, 0.9]]), 0
    for _ in range(300):
        sample = rng.random((40, 2, 2)) < truth
        box = boxes(sample, delta=0.2)
        missed += bool(((truth < box.lower) | (truth > box.upper)).any())
    assert missed <= 60
    ranged = boxes(losses * [1.0, 4.0], delta=0.06, loss_range=(0.0, [1.0, 4.0]))
    assert ranged.upper[:, 1] == pytest.approx(4.0 * boxes(losses * 1.0, delta=0.06).upper[:, 1])


def test_refused_boxes(refuses):
    refuses("losses", boxes, [0.1, 0.2], delta=0.1)
    refuses("losses", boxes, [[0.1, np.nan]], delta=0.1)
    refuses("delta", boxes, [[0.1, 0.2]], delta=1.5)
