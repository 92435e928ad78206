"""What it would still cost to settle whether a model is on the front, by the evidence so far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

if TYPE_CHECKING:
    from moltheory.certification._stream import CertificateStream
    from moltheory.certification._stream_objective import StreamObjective

__all__ = ["Outlook", "exclusion_level", "slack_of"]

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Cells = tuple[Indices, Indices]


@dataclass(frozen=True)
class Outlook:
    """Estimates for all ordered pairs of a model h and a rival b.

    Attributes
    ----------
    matters : (N, M, M) ndarray of bool
        Whether objective i may help to settle whether b dominates h, [i, h, b].
    behind, ahead : (N, M, M) ndarray
        Number of common examples until b is shown to have the lower mean, and until h is, or one as low within the
        tolerance; 0 and infinite where more examples do not help.
    prices : (M, N) ndarray
    apart : bool
        Whether objectives of a model are asked for separately.
    """

    matters: Bools
    behind: FloatArray
    ahead: FloatArray
    prices: FloatArray
    apart: bool

    @classmethod
    def of(cls, stream: CertificateStream, matters: Bools, prices: FloatArray, *, apart: bool) -> Outlook:
        """Return the outlook of a stream after a look."""
        count, size = matters.shape[:2]
        behind, ahead = np.empty(matters.shape), np.empty(matters.shape)
        level = math.log(size * count / stream._shares.verdicts)
        for i, objective in enumerate(stream._objectives):
            common, gain, squares = _sums(objective)
            behind[i] = _examples_left(common, gain, squares, objective.evidence[0.0], exclusion_level(stream)).T
            slack = slack_of(stream, i)
            moved, around = gain + slack * common, squares + 2.0 * slack * gain + slack**2 * common
            ahead[i] = _examples_left(common, moved, around, objective.evidence[slack], level)
        return cls(matters, np.where(matters, behind, 0.0), np.where(matters, ahead, np.inf), prices, apart)

    def cheapest(self, h: int, b: Indices, free: Bools) -> tuple[float, Cells]:
        """Return the cost of settling whether h is on the front, given its open rivals b, and what to evaluate for that.

        `free` (M, N) are cells that are evaluated anyway; those of h count nevertheless.
        """
        matters, prices = self.matters[:, h, b], np.where(free, 0.0, self.prices)[b]
        # Excluded by one rival, which takes all objectives that are not settled.
        by_one = self.behind[:, h, b].max(axis=0) * (self.prices[h] @ matters + (prices.T * matters).sum(axis=0))
        one = int(by_one.argmin())
        # A member by one objective for each rival.
        best = self.ahead[:, h, b].argmin(axis=0)
        left = self.ahead[best, h, b]
        each, own = prices.sum(axis=1), np.broadcast_to(self.prices[h].sum(), b.shape)
        if self.apart:
            each, own = prices[np.arange(b.size), best], self.prices[h, best]
        by_all = float((left * own).max() + left @ each)
        if by_one[one] <= by_all:
            objectives = np.flatnonzero(matters[:, one])
            models = np.repeat([h, b[one]], objectives.size)
            return float(by_one[one]), (models, np.tile(objectives, 2))
        if self.apart:
            return by_all, (np.append(b, np.full(b.size, h)), np.tile(best, 2))
        models = np.append(b, h)
        count = self.prices.shape[1]
        return by_all, (np.repeat(models, count), np.tile(np.arange(count), models.size))


def exclusion_level(stream: CertificateStream) -> float:
    """Return the logarithm of evidence that suffices for an exclusion, whatever the number of rivals."""
    size = len(stream._names)
    return math.log(size * (size - 1) / stream._shares.verdicts)


def slack_of(stream: CertificateStream, i: int) -> float:
    """Return the tolerance of an objective in units of its range."""
    return float(stream._epsilon[i] / (stream._high[i] - stream._low[i]))


def _sums(objective: StreamObjective) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return numbers of common examples, and sums and squares of the column's losses minus the row's, each (M, M)."""
    common, lost, won = (counts.astype(np.float64) for counts in objective._counts.outcomes(slice(None)))
    gain, squares = won - lost, won + lost
    if objective._moments:
        number, total, more, _ = objective._moments.differences(slice(None))
        common, gain, squares = common + number, gain - total, squares + more
    return common, gain, squares


def _examples_left(
    common: FloatArray, gain: FloatArray, squares: FloatArray, evidence: FloatArray, level: float
) -> FloatArray:
    """Return about how many more common examples the evidence takes to the level, (M, M).

    On each example it grows by half of the squared mean difference over the mean square; we take the mean so far with its
    standard error, so no number is infinite.
    """
    n = np.maximum(common, 1.0)
    square = np.maximum(squares, 1.0) / n
    rate = (np.maximum(gain / n, 0.0) ** 2 / square + 1.0 / n) / 2.0
    return np.asarray(np.maximum(level - evidence, 0.0) / rate)
