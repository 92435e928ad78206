"""Which of several models is named: the likeliest dominator of an excluded model, and the likeliest replacement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._row_blocks import row_blocks
from moltheory.inference._paired import holm_adjusted

__all__ = ["dominators", "replacements"]

Bools = npt.NDArray[np.bool_]


def dominators(
    dominates: Bools, rest: FloatArray | None, rivals: Bools, bar: float, excluded: Bools
) -> npt.NDArray[np.int64]:
    """Return the model that most likely dominates each excluded one.

    Models that are not excluded themselves come first; of these the ones that certainly dominate, then those whose own
    test excludes (at `bar`, the largest p-value of an exclusion); then the smallest p-value.
    """
    number = np.count_nonzero(rivals, axis=0)
    least, found = np.full(excluded.size, np.inf), np.zeros(excluded.size, dtype=np.int64)
    for models in row_blocks(excluded.size):
        order = np.where(dominates[models], 0.0, np.inf)
        if rest is not None:
            p = rest[models]
            passed = rivals[models] & (p * number <= bar)
            order = np.where(dominates[models], p, np.where(passed, 2.0 + p, np.inf))
        order += 4.0 * excluded[models, None]
        first = order.argmin(axis=0)
        here = order[first, np.arange(excluded.size)]
        nearer = here < least
        least[nearer], found[nearer] = here[nearer], first[nearer] + models.start
    return np.where(excluded, found, -1)


def replacements(
    cheaper: Bools, p_values_of: Callable[[slice], FloatArray], excluded: Bools, share: float
) -> npt.NDArray[np.int64]:
    """Return a replacement for each model: not excluded if possible, then the one with the smallest p-value; -1 = none.

    Holm's procedure runs over the pairs of `cheaper` (M, M), whose p-values are wanted for some rows at a time.
    """
    found = np.full(excluded.size, -1, dtype=np.int64)
    if not cheaper.any():
        return found
    parts = []
    for models in row_blocks(excluded.size):
        p = p_values_of(models)
        rows, columns = np.nonzero(cheaper[models] & (p <= share))
        parts.append((rows + models.start, columns, p[rows, columns]))
    rows, columns, relevant = (np.concatenate(part) for part in zip(*parts, strict=True))
    adjusted = holm_adjusted(relevant, size=int(np.count_nonzero(cheaper)))
    claimed = adjusted <= share
    rows, columns, order = rows[claimed], columns[claimed], adjusted[claimed] + 2.0 * excluded[rows[claimed]]
    ranked = np.lexsort((rows, order, columns))
    places = ranked[np.unique(columns[ranked], return_index=True)[1]]
    found[columns[places]] = rows[places]
    return found
