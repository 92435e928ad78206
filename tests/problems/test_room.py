"""Samples that do not fit into memory are refused before anything is drawn."""

import time

import numpy as np
import pytest

from moltheory import problems
from moltheory.bounds import rademacher_complexity
from moltheory.errors import TooLargeError
from moltheory.objectives import Mean, Rate
from moltheory.solvers import cell_members

_EYE = [np.eye(2)] * 2
_HUGE = 10**12
_MIXTURE = problems.GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], np.eye(2), [-1, 1])
_ROWS = np.eye(3)
_RATES = [Mean([[0, 1], [1, 0]]), Rate([[0, 1], [1, 0]], [True, False])]
_PROBLEMS = {
    "world": problems.two_coins,
    "population": lambda: problems.FinitePopulation([0.5, 0.5], _RATES, stratify=True),
    "decoys": lambda: problems.exchangeable_decoys(3),
    "near tie": lambda: problems.near_tie(0.3, 0.1),
    "designs": lambda: problems.GaussianDesigns(_EYE, np.eye(2), losses="logistic", ridge=0.1),
    "least squares": lambda: problems.MultiTaskLeastSquares(_EYE, np.eye(2), [1.0, 1.0]),
    "classifiers": lambda: problems.GaussianMixtureClassifiers(_MIXTURE, [[1, 0, 0]], objectives=["error"]),
    "linear": lambda: problems.LinearPopulation(
        [_ROWS] * 2, [[1, 0, 1]] * 2, losses="logistic", radius=2.0, input_norm=1.0
    ),
    "groups": lambda: problems.LogisticGroups(_ROWS, [0, 1, 1], list("aab"), ridge=0.1),
    "cells": lambda: problems.cell_tasks(4, n_blocks=2),
    "planted": lambda: problems.planted_best(4, 0.1, n_groups=2),
    "supports": lambda: problems.SparseRegression(np.eye(2), [1.0, 0.0], 1.0),
}


@pytest.mark.parametrize("name", _PROBLEMS)
def test_too_many_replicates(name):
    problem, start = _PROBLEMS[name](), time.monotonic()
    with pytest.raises(TooLargeError, match=r"`replicates` = 1000000000000 of .* GB available: draw fewer"):
        problem.sample(5, replicates=_HUGE, rng=0)
    assert time.monotonic() - start < 5.0
    assert problem.sample(5, replicates=3, rng=0).batch_shape == (3,)


def test_too_many_examples_signs_and_weights():
    with pytest.raises(TooLargeError, match="one sample of 1000000000000 examples"):
        problems.two_coins().sample_losses(_HUGE, rng=0)
    with pytest.raises(TooLargeError, match="one sample of 2000000000000 examples of 2 features"):
        _PROBLEMS["designs"]().sample(_HUGE, rng=0)
    with pytest.raises(TooLargeError, match="`draws` = 1000000000000 of 2 signs"):
        rademacher_complexity([[0, 1], [1, 0]], rng=0, delta=0.1, draws=_HUGE)
    many = np.broadcast_to(np.zeros((1, 2)), (10**6, 2))
    with pytest.raises(TooLargeError, match="`weights` of 1000000 rows for 1000000 points"):
        cell_members(many, weights=np.broadcast_to(np.ones((1, 2)), (10**6, 2)))
