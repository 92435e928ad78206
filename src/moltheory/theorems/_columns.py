"""What the statements are computed from: pairs of true and empirical risks with widths, any batch axes.

Arrays are true and empirical risks (..., H, N) and widths (..., N); leading axes are broadcast. Every violation is
a number per pair, positive where the statement fails and minus the slack where it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.pareto import nondominated
from moltheory.pareto._hypervolume import volumes_of_columns as volumes

__all__ = [
    "TIE",
    "TOLERANCE",
    "certain_members",
    "chosen",
    "columns",
    "front_gaps",
    "largest",
    "lead_axes",
    "members",
    "realized_widths",
    "rows_last",
    "scale_of",
    "shortfalls",
    "volumes",
    "width_columns",
]

# A violation counts from here on, relative to the largest risk (or to 1): differences of a few risks, each with an
# error of a few units in the last place, divided by weights that are not tiny.
TOLERANCE = 1e-12
# Values closer than this, on the same scale, are read as equal where a rule compares them.
TIE = 1e-14

BoolArray = npt.NDArray[np.bool_]


def scale_of(*arrays: FloatArray) -> float:
    """Return the largest absolute value, at least 1: the unit of the tolerances."""
    return max(1.0, *(float(np.abs(array).max()) for array in arrays))


def realized_widths(true: FloatArray, empirical: FloatArray) -> FloatArray:
    """Return sup_h |L_i(h) - Lhat_i(h)|, the smallest widths for which E holds, (..., N)."""
    deviation: FloatArray = np.abs(true - empirical).max(axis=-2)
    return deviation


def lead_axes(*arrays: FloatArray) -> int:
    """Return how many batch axes risks (..., H, N) have at most."""
    return max(array.ndim for array in arrays) - 2


def columns(risks: FloatArray, lead: int) -> FloatArray:
    """Return risks (..., H, N) as a view (N, H, ...), padded to `lead` batch axes.

    The batch comes last: operations on hypotheses and objectives, which are few, then run over long rows of memory.
    """
    padded = risks.reshape((1,) * (lead - risks.ndim + 2) + risks.shape)
    return np.moveaxis(padded, (-1, -2), (0, 1))


def width_columns(widths: FloatArray, lead: int) -> FloatArray:
    """Return widths (..., N) as a view (N, ...), padded to `lead` batch axes."""
    return np.moveaxis(widths.reshape((1,) * (lead - widths.ndim + 1) + widths.shape), -1, 0)


def rows_last(values: npt.NDArray[Any], lead: int) -> Any:
    """Return values (..., H) as an array (H, ...), padded to `lead` batch axes."""
    padded = values.reshape((1,) * (lead - values.ndim + 1) + values.shape)
    return np.ascontiguousarray(np.moveaxis(padded, -1, 0))


def members(risks: FloatArray, lead: int) -> Any:
    """Return which hypotheses are on the front, (H, ...)."""
    return rows_last(nondominated(risks), lead)


def certain_members(risks: FloatArray, lead: int, slack: float) -> BoolArray:
    """Return which hypotheses are on the front whatever rounding up to `slack` does to the risks, (H, ...).

    Those that some other might dominate are left out: a tie of risks that floats have broken decides nothing.
    """
    table = columns(risks, lead)
    kept = np.ones(table.shape[1:], bool)
    for h in range(table.shape[1]):
        gaps = table - table[:, h : h + 1]
        kept &= ~((gaps >= -slack).all(axis=0) & (gaps > slack).any(axis=0))
    return kept


def largest(values: FloatArray, where: BoolArray) -> FloatArray:
    """Return the maximum over the first axis of what is marked, -inf where nothing is."""
    result: FloatArray = np.where(where, values, -np.inf).max(axis=0)
    return result


def chosen(values: FloatArray, eta: float = 0.0) -> BoolArray:
    """Return which entries of the first axis are minimal up to `eta`; rounding counts as a tie."""
    least = values.min(axis=0)
    finite = least[np.isfinite(least)] if np.isinf(least).any() else least
    slack = eta + TIE * scale_of(finite) if finite.size else eta
    minimal: BoolArray = values <= least + slack
    return minimal


def shortfalls(better: FloatArray, worse: FloatArray, widths: FloatArray | None = None) -> Iterator[FloatArray]:
    """Yield for each h of `better` (N, H, ...) the numbers max_i (worse_i(g) - better_i(h) - widths_i), (H, ...)."""
    for h in range(better.shape[1]):
        result: FloatArray = np.array(-np.inf)
        for i in range(better.shape[0]):
            gap = worse[i] - better[i, h]
            result = np.maximum(result, gap if widths is None else gap - widths[i])
        yield result


def front_gaps(true: FloatArray, lead: int) -> tuple[FloatArray, FloatArray]:
    """Return by how much each h is worse than the members of the true front that are at least as good.

    The largest of ``L_i(h) - L_i(h*)`` over those h*, (N, H, ...), and the largest of their sums over i, (H, ...).
    """
    optimal, table = members(true, lead), columns(true, lead)
    gaps = np.full(table.shape, -np.inf)
    sums = np.full(table.shape[1:], -np.inf)
    for h in range(table.shape[1]):
        gap = table - table[:, h : h + 1]
        qualifies = (gap >= 0.0).all(axis=0) & optimal[h]
        np.maximum(gaps, np.where(qualifies, gap, -np.inf), out=gaps)
        np.maximum(sums, np.where(qualifies, gap.sum(axis=0), -np.inf), out=sums)
    return gaps, sums
