"""What would decide each undecided model: every open rival ruled out, or one of them shown to dominate it.

To rule out a rival, one objective suffices in which the model is better; to dominate the model, the rival has to be at
least as good in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._pair_views import View
from moltheory.certification._power import further_of, outcome_of, present_of

__all__ = ["Levels", "Sizes", "needed"]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

_POWER = 0.8
# Probability that a gap is overestimated by `Sizes.high`, and share of 1 - power that it leaves to bad runs.
_OVERESTIMATED, _RUNS = 0.16, 0.2


@dataclass(frozen=True)
class Levels:
    """Levels of the tests that rule out a rival, in one objective, and of those that show a dominance, in each."""

    ruled_out: float
    dominance: float


@dataclass(frozen=True)
class Sizes:
    """What is needed for each of k models.

    Attributes
    ----------
    pair : (k,) ndarray of int
        The pair that needs most examples to be ruled out or, where one dominance needs fewer than that, the dominance.
    n_open : (k,) ndarray of int
        Number of rivals against which further examples are needed.
    bound, low, high : (k,) ndarray
        Further examples that suffice at the observed rates, with gaps one standard error larger, and at lower limits.
    outcome : (k,) ndarray of int
        Index into `OUTCOMES`, of that pair.
    """

    pair: Indices
    n_open: npt.NDArray[np.int64]
    bound: FloatArray
    low: FloatArray
    high: FloatArray
    outcome: Indices


def needed(views: Sequence[View], cheaper: Bools, starts: Indices, n_rivals: int, levels: Levels) -> Sizes:
    """Return what is needed for the models of pairs (p,) of a model and a rival, of which each has `n_rivals` at most.

    `starts` (k,) is where the pairs of each model begin.
    """
    from scipy.special import ndtri

    # Either every rival is ruled out, each in one objective, or one rival is better in all of them: a union bound.
    missed = (1.0 - _POWER) / max(n_rivals, len(views))
    # A size is too small only if one of N limits is wrong for the rival that truly needs most, or one for a dominance:
    # that in the objective in which it is hardest, of each rival.
    lower = float(ndtri(_OVERESTIMATED / (len(views) + n_rivals)))
    ruled, dominance = _ways(views, cheaper, levels, 0.0, 1.0 - missed)
    least = np.minimum(ruled, dominance)
    every, one = _per_model(ruled, dominance, starts)
    n_pairs = np.diff(np.append(starts, ruled.size))
    model = np.repeat(np.arange(starts.size), n_pairs)
    # The largest size to rule out, of equal ones that of the nearest dominance; or the nearest dominance.
    keys = np.where(np.repeat(one < every, n_pairs), dominance, -ruled)
    pair = np.lexsort((dominance, keys, model))[starts]
    return Sizes(
        pair,
        np.add.reduceat((least > 0.0).astype(np.int64), starts),
        np.minimum(every, one),
        np.minimum(*_per_model(*_ways(views, cheaper, levels, 1.0, 1.0 - missed), starts)),
        np.minimum(*_per_model(*_ways(views, cheaper, levels, lower, 1.0 - _RUNS * missed), starts)),
        outcome_of([view.take(pair) for view in views], cheaper[:, pair]),
    )


def _ways(
    views: Sequence[View], cheaper: Bools, levels: Levels, shift: float, power: float
) -> tuple[FloatArray, FloatArray]:
    """Return the further examples (p,) that rule out the rival, and that show that it dominates the model."""
    present = present_of(views)
    ruled = np.stack([view.growths(shift, levels.ruled_out, power)[0] for view in views]).min(axis=0)
    dominance = np.stack([view.growths(shift, levels.dominance, power)[1] for view in views]).max(axis=0)
    growths = np.where(cheaper[0], 0.0, ruled), np.where(cheaper[0], np.inf, dominance)
    first, second = (further_of(np.ceil(growth * np.maximum(present, 1.0)), present) for growth in growths)
    return first, second


def _per_model(ruled: FloatArray, dominance: FloatArray, starts: Indices) -> tuple[FloatArray, FloatArray]:
    """Return the further examples that rule out every rival of each model, and that show one dominance."""
    return np.maximum.reduceat(ruled, starts), np.minimum.reduceat(dominance, starts)
