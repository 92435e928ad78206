"""The pairs that a plan is about, as views of what would decide them, and the levels of their tests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory.certification._contrast_view import contrast_view
from moltheory.certification._hardest import Levels
from moltheory.certification._measured_view import MeasuredView
from moltheory.certification._pair_views import BoxView, PairView, View, WorstView
from moltheory.certification._promises import Promise
from moltheory.certification._statistics import Moments, PairStatistics
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["open_pairs", "planned_levels", "views_of"]

# Pairs that are worked on at a time.
_PAIRS = 2**17


def open_pairs(certificate: Certificate) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], int]]:
    """Yield blocks of the pairs of undecided models and open rivals, each with the largest number of rivals of a model."""
    undecided = np.flatnonzero(certificate.undecided)
    counts = np.count_nonzero(certificate.open_rivals[undecided], axis=1)
    # Where none is noted, as in old texts, all that are not excluded are.
    counts[counts == 0] = np.count_nonzero(~certificate.excluded) - 1
    # Models of about the same number share the failure probability of a plan in the same way.
    bins = 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64)
    for size in np.unique(bins).tolist():
        models = undecided[(bins == size) & (counts > 0)]
        step = max(_PAIRS // size, 1)
        for start in range(0, models.size, step):
            rivals = [_rivals(certificate, h) for h in models[start : start + step].tolist()]
            first = np.repeat(models[start : start + step], [found.size for found in rivals])
            yield first, np.concatenate(rivals), int(size)


def _rivals(certificate: Certificate, h: int) -> npt.NDArray[np.intp]:
    """Return the open rivals of a model."""
    noted = np.flatnonzero(certificate.open_rivals[h])
    if noted.size:
        return noted
    kept = ~certificate.excluded
    kept[h] = False
    return np.flatnonzero(kept)


def views_of(
    certificate: Certificate, statistics: PairStatistics, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> list[View]:
    """Return the view of the pairs in each estimated objective, minimised."""
    views: list[View] = []
    for i, objective in enumerate(statistics.objectives):
        if objective.values is not None:
            continue
        if objective.measured is not None:
            views.append(MeasuredView.of(certificate, i, first, second))
        elif objective.forms is not None and statistics.shares.tested:
            views.append(
                contrast_view(
                    certificate.estimates[:, i],
                    objective.forms,
                    [_pairs(statistics.summaries[c]) for c in objective.columns],
                    objective.loss_range,
                    first,
                    second,
                    n=max(statistics.columns[c].n_units for c in objective.columns),
                    level=planned_levels(certificate, statistics).dominance,
                    maximise=certificate.maximise[i],
                )
            )
        elif objective.testable and statistics.shares.tested:
            span = 0.0 if certificate.engine == "asymptotic" else 2.0
            pairs = [_pairs(statistics.summaries[c]) for c in objective.columns]
            parts = [PairView.of(pair, first, second, span=span) for pair in pairs]
            turned = [part.negated() if certificate.maximise[i] else part for part in parts]
            views.append(turned[0] if len(turned) == 1 else WorstView(tuple(turned)))
        else:
            n = max((statistics.columns[c].n_units for c in objective.columns), default=objective.n_measured)
            turn = -1.0 if certificate.maximise[i] else 1.0
            estimate = turn * certificate.estimates[:, i]
            box = np.sort(turn * certificate.boxes[:, i], axis=1)
            delta, tight = statistics.shares.boxes / len(certificate), len(objective.columns) < 2
            views.append(BoxView.of(estimate, box, n, first, second, delta=delta, tight=tight))
    return views


def _pairs(summary: PairCounts | Moments) -> PairCounts | PairMoments:
    return summary.pairs if isinstance(summary, Moments) else summary


def planned_levels(certificate: Certificate, statistics: PairStatistics) -> Levels:
    """Return the planned levels of a model's tests, less the deductions of inspection and of `_p_values`.

    The objectives share the level of a model to rule out a rival; the rivals share it to dominate the model.
    """
    size = len(certificate)
    promise = Promise(certificate.error, certificate.dependence, certificate.verdicts)
    each = promise.level(statistics.shares.verdicts or certificate.delta, size)
    tested = sum(objective.tested for objective in statistics.objectives)
    return Levels(_kept(statistics, each / max(tested, 1)), _kept(statistics, each / max(size - 1, 1)))


def _kept(statistics: PairStatistics, level: float) -> float:
    """Return the least that the columns keep of a level."""
    levels = [level]
    for column in statistics.columns:
        kept, price = column.kept_level(-math.log(level))
        levels.append(kept * (level - price) * (1.0 if column.binary else 0.5))
    return min(levels)
