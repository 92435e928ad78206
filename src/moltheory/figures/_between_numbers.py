"""Worst cases of three classes: simulated errors of learners beside what no learner can do and what is guaranteed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import (
    coverage_lower_bound,
    expected_coverage,
    expected_linear_excess,
    linear_excess_lower_bound,
)
from moltheory.bounds._lower_linear import vote_error
from moltheory.problems import planted_best
from moltheory.runs import block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FINITE", "TASKS", "finite_rows", "linear_rows"]

# Pairs of hypotheses, one of which is better; objectives of the linear class, whose constants are all 1.
FINITE, TASKS = 32, 2
# Replicates that one stream draws, whatever the total is.
_BLOCK = 500


def finite_rows(sizes: list[int], replicates: int, root: np.random.SeedSequence) -> pd.DataFrame:
    """Return bounds of the expected coverage error and its simulated mean for independent and for mirrored pairs."""
    import pandas as pd

    rows = []
    for n in sizes:
        lower = coverage_lower_bound(n, n_hypotheses=2 * FINITE, n_front=FINITE)
        advantage, _ = _hardest(n, 2.0, FINITE)
        planted = planted_best(2, lower.gap, n_groups=FINITE)
        found = []
        for block, length in _blocks(replicates):
            rng = block_stream(root, "between finite", n, block)
            errors = planted.sample(n, replicates=length, rng=rng).risks()[..., 0].reshape(length, FINITE, 2)
            lots = 1e-9 * rng.random(errors.shape)
            wrong = ((errors + lots).argmin(axis=-1) != 0).any(axis=-1)
            counts = rng.binomial(n, 0.5 - advantage, size=(length, FINITE))
            lost = (2 * counts + rng.integers(0, 2, counts.shape) > n).any(axis=-1)
            found.append(np.stack([lower.gap * wrong, 2.0 * advantage * lost], axis=-1))
        means = np.concatenate(found).mean(axis=0)
        upper = expected_coverage(n, n_hypotheses=2 * FINITE)
        rows.append((n, lower.expected, upper, means[0], means[1], lower.gap, 2.0 * advantage))
    names = ["size", "lower", "upper", "independent", "mirrored", "gap_independent", "gap_mirrored"]
    return pd.DataFrame(rows, columns=names)


def linear_rows(sizes: list[int], replicates: int, root: np.random.SeedSequence) -> pd.DataFrame:
    """Return bounds of the expected excess of a mean of objectives and its simulated mean for two learners."""
    import pandas as pd

    rows = []
    size = 1.0 / np.sqrt(TASKS)
    for n in sizes:
        advantage, _ = _hardest(n, 4.0 * size, 1)
        found = []
        for block, length in _blocks(replicates):
            rng = block_stream(root, "between linear", n, block)
            # Whether each label is right, task by task; the signs are all +1, as they are for any learner that has none.
            right = rng.random((n, length, TASKS)) < 0.5 + advantage
            votes = np.sign(2 * right.sum(axis=0) - n)
            predictions = np.stack([size * votes, _one_pass(right, size)])
            found.append(_excess(predictions, advantage, size).mean(axis=-1))
        minimiser, one_pass = np.concatenate(found, axis=1).mean(axis=1)
        lower = linear_excess_lower_bound(n, lipschitz=1.0, weight_norm=1.0, n_objectives=TASKS)
        upper = expected_linear_excess(n, lipschitz=1.0, weight_norm=1.0)
        rows.append((n, lower, upper, minimiser, one_pass, advantage))
    return pd.DataFrame(rows, columns=["size", "lower", "upper", "minimiser", "one_pass", "advantage"])


def _blocks(replicates: int) -> list[tuple[int, int]]:
    """Return numbers and lengths of blocks of replicates."""
    return [(k, min(_BLOCK, replicates - start)) for k, start in enumerate(range(0, replicates, _BLOCK))]


def _hardest(n: int, factor: float, votes: int) -> tuple[float, float]:
    """Return the advantage for which ``factor * advantage * P(some of the votes is wrong)`` is largest, and the product."""
    best = (0.0, 0.0)
    for advantage in np.minimum(0.5, np.geomspace(0.05, 5.0, 60) / np.sqrt(n)).tolist():
        failing = 1.0 - (1.0 - vote_error(advantage, n, 1)) ** votes
        best = max(best, (advantage, factor * advantage * failing), key=lambda pair: pair[1])
    return best


def _excess(predictions: FloatArray, advantage: float, size: float) -> FloatArray:
    """Return the excess of predictions where the right one is `size`, in every coordinate."""
    risk = (0.5 + advantage) * np.abs(predictions - size) + (0.5 - advantage) * np.abs(predictions + size)
    result: FloatArray = risk - (0.5 - advantage) * 2.0 * size
    return result


def _one_pass(right: np.ndarray, size: float) -> FloatArray:
    """Return the mean iterate of projected subgradient steps of length 1/sqrt(t) over the examples in turn."""
    at = np.zeros(right.shape[1:])
    total = np.zeros_like(at)
    for t, labels in enumerate(right, start=1):
        slope = np.sign(at - np.where(labels, size, -size)) / right.shape[2]
        at = at - slope / np.sqrt(t)
        at /= np.maximum(1.0, np.linalg.norm(at, axis=-1, keepdims=True))
        total += at
    mean: FloatArray = total / right.shape[0]
    return mean
