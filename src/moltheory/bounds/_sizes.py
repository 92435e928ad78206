"""What the bounds of a class have in common: sample sizes, which objectives count, ranges of losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_vector, numbers_or_one
from moltheory.errors import InvalidInputError

__all__ = ["IID", "RANGES", "count_of", "loss_ranges", "matrix_of", "sample_sizes"]

IID = "independent, identically distributed examples within each objective"
RANGES = "losses inside intervals of the given lengths"


def sample_sizes(n: int | npt.ArrayLike, n_objectives: int, *, low: int = 1) -> FloatArray:
    """Return one sample size per objective, an integer >= `low` or, for data-independent ones, inf; refuse others."""
    check_count("n_objectives", n_objectives)
    if np.ndim(n) == 0:
        return np.full(n_objectives, float(check_count("n", n, low=low)))
    sizes = check_vector("n", n, low=float(low), finite=False)
    if n_objectives not in (1, sizes.size):
        raise InvalidInputError(
            f"`n_objectives` must be left out where `n` has one entry per objective, got {n_objectives}."
        )
    finite = sizes[np.isfinite(sizes)]
    if (finite != np.rint(finite)).any():
        raise InvalidInputError(f"`n` must hold integers or inf, got {sizes.tolist()}.")
    return sizes


def count_of(sizes: FloatArray) -> int:
    """Return the number N' of data-dependent objectives, at least 1."""
    return max(int(np.isfinite(sizes).sum()), 1)


def loss_ranges(loss_range: float | npt.ArrayLike, n_objectives: int) -> FloatArray:
    """Return one length of the range of losses per objective, >= 0; refuse others."""
    ranges = check_vector("loss_range", numbers_or_one("loss_range", loss_range), low=0.0)
    if ranges.size not in (1, n_objectives):
        raise InvalidInputError(f"`loss_range` must have {n_objectives} entries, got {ranges.size}.")
    return np.broadcast_to(ranges, (n_objectives,)).copy()


def matrix_of(name: str, array: FloatArray) -> FloatArray:
    """Return statistics of shape (H,) or (H, N) as (H, N); refuse more axes."""
    if array.ndim > 2:
        raise InvalidInputError(f"`{name}` must have shape (H,) or (H, N), got shape {array.shape}.")
    return array.reshape(array.shape[0], -1)
