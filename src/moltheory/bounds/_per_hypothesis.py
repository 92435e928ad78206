"""What bounds with a half-width per hypothesis share: tables of statistics, sizes of classes, bounds from limits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, real_array
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import matrix_of, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["FIXED", "bound_of_limits", "check_rates", "class_size", "table_and_sizes"]

FIXED = "hypotheses fixed before the data"


def table_and_sizes(
    name: str, values: npt.ArrayLike, n: int | npt.ArrayLike, *, low: int
) -> tuple[FloatArray, FloatArray]:
    """Return statistics as (H, N) and one sample size per objective; refuse what does not fit."""
    array = matrix_of(name, real_array(name, values, shape="(H,) or (H, N)", min_ndim=1, max_ndim=2))
    sizes = sample_sizes(n, array.shape[1] if np.ndim(n) == 0 else 1, low=low)
    if sizes.size != array.shape[1]:
        raise InvalidInputError(f"`n` must have {array.shape[1]} entries, one per objective, got {sizes.size}.")
    return array, sizes


def class_size(n_hypotheses: int | None, array: FloatArray) -> int:
    """Return the size of the class, by default the number of rows; refuse fewer."""
    return array.shape[0] if n_hypotheses is None else check_count("n_hypotheses", n_hypotheses, low=array.shape[0])


def check_rates(array: FloatArray, sizes: FloatArray) -> FloatArray:
    """Return empirical risks (H, N) clipped to [0, 1]; refuse others where an objective depends on data."""
    if ((array < 0) | (array > 1))[:, np.isfinite(sizes)].any():
        raise InvalidInputError(f"`risks` must lie in [0, 1], got values from {array.min():g} to {array.max():g}.")
    inside: FloatArray = np.clip(array, 0.0, 1.0)
    return inside


def bound_of_limits(
    risks: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    delta: float,
    *,
    method: str,
    source: str,
    assumptions: tuple[str, ...],
) -> Bound:
    """Return the bound with given limits of the true risks: its width is the larger distance to them."""
    return Bound(
        width=np.maximum(np.maximum(upper - risks, risks - lower), 0.0),
        loss_range=np.ones(risks.shape[-1]),
        delta=float(delta),
        method=method,
        source=source,
        assumptions=assumptions,
        lower=lower,
        upper=upper,
        scope="per hypothesis",
    )
