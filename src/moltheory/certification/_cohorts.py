"""Levels of comparisons of models that came one group after another: each group, a cohort, has its own part of delta.

A pair of models belongs to the cohort of the one that came later: its evidence starts then. All levels of the pairs of a
cohort are fixed when it comes, whatever the examples before it, so cohorts may be chosen by what was seen; their parts
sum to 1 at most. (Derived; proof: stream.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["PairLevels", "levels_of_cohorts", "one_family", "part_of_cohort"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PairLevels:
    """Levels of pairs beside those that they have if all models are there from the beginning.

    Attributes
    ----------
    exclusions, members : (M, M) ndarray
        Factors of the p-values of "b does not dominate h", [b, h], and of "b dominates h by the tolerance", [h, b].
    cohorts : (M, M) ndarray of int64
        Number of the cohort of each pair.
    parts : tuple of float
        The part of a share of delta of each cohort.
    """

    exclusions: FloatArray
    members: FloatArray
    cohorts: npt.NDArray[np.int64]
    parts: tuple[float, ...]

    def families(self) -> Iterator[tuple[float, Bools]]:
        """Yield the part of each cohort and its pairs, (M, M)."""
        for cohort, part in enumerate(self.parts):
            yield part, self.cohorts == cohort


def one_family() -> Iterator[tuple[float, Bools]]:
    """Yield all pairs as one cohort that has everything."""
    yield 1.0, np.array(True)


def part_of_cohort(cohort: int, joining: float) -> float:
    """Return the part of delta of a cohort, 0 = the first; all together are at most 1."""
    return 1.0 - joining if cohort == 0 else joining / (cohort * (cohort + 1.0))


def levels_of_cohorts(cohorts: npt.NDArray[np.int64], allowed: Bools, joining: float) -> PairLevels | None:
    """Return the levels of all pairs; None if the first cohort is alone and has all of delta.

    Parameters
    ----------
    cohorts : (M,) ndarray of int64
        Number of the cohort of each model, from 0.
    allowed : (M, M) ndarray of bool
        ``allowed[b, h]``: b is a rival of h, one that the known costs allow to dominate it.
    joining : float
        Part of delta of all cohorts but the first.

    Notes
    -----
    O(M^2) time per cohort and O(M^2) memory. Of the pairs of cohort j, with part w: a model with r rivals among them is
    excluded by one at V w / (m r), and cleared of one at V w / m, where m is the number of models that have such rivals.
    """
    if joining == 0.0:
        return None
    pairs = np.maximum(cohorts[:, None], cohorts[None, :])
    number = np.maximum(np.count_nonzero(allowed, axis=0), 1)
    models = max(int(np.count_nonzero(allowed.any(axis=0))), 1)
    exclusions, members = np.ones(allowed.shape), np.ones(allowed.shape)
    parts = tuple(part_of_cohort(cohort, joining) for cohort in range(int(cohorts.max()) + 1))
    for cohort, part in enumerate(parts):
        mine = pairs == cohort
        rivals = np.count_nonzero(allowed & mine, axis=0)
        factor = np.count_nonzero(rivals) / (part * models)
        members[mine] = factor
        exclusions[mine] = np.broadcast_to(factor * rivals / number, allowed.shape)[mine]
    return PairLevels(exclusions, members, pairs, parts)
