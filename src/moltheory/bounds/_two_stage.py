"""What two stages pay for a trade-off: the weighted excess of the tasks, and what is not known of the inputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_real, check_vector, real_array
from moltheory.errors import InvalidInputError

__all__ = ["two_stage_excess"]


@document
def two_stage_excess(
    task_excess: npt.ArrayLike,
    /,
    *,
    weights: npt.ArrayLike,
    covariance_error: float = 0.0,
    conflict: npt.ArrayLike = 0.0,
) -> FloatArray:
    r"""Upper bound of the excess of a trade-off between linear regression tasks that were estimated one by one.

    ``(sqrt((1 + e) / (1 - e)) sqrt(sum_k w_k r_k) + e / (1 - e) sqrt(v))^2``: the first stage has excess r_k in task k, and
    the second combines its estimates by the formula of the weighted minimiser, with covariances of the inputs that are
    right up to the relative error e. It holds in every sample, in any dimension; the weighted sum of the tasks' excesses
    remains if the covariances are known.

    Parameters
    ----------
    task_excess : (..., K) array_like
        r_k >= 0: excess mean squared error of the estimate of task k in its own task, or bounds of it.
    weights : (K,) array_like
        w_k >= 0, summing to one.
    covariance_error : float, default 0
        e in [0, 1): ``(1 - e) S_k <= Shat_k <= (1 + e) S_k`` for all k, as quadratic forms.
    conflict : float or (...) array_like, default 0
        v >= 0: smallest weighted excess, ``min_theta sum_k w_k (L_k(theta) - min L_k)``, or a bound of it; not needed for
        e = 0.

    Returns
    -------
    (...) ndarray

    {raises}

    Notes
    -----
    Complexity: O(R K) time and memory for R rows.

    References
    ----------
    Derived (proof: two-stage), for the estimator of T. Wegel, F. Kovačević, A. Ţifrea and F. Yang (2025), arXiv 2503.08849:
    `moltheory.experiments.two_stage`.

    Examples
    --------
    >>> float(two_stage_excess([0.25, 0.75], weights=[0.5, 0.5]))
    0.5
    >>> round(float(two_stage_excess([0.25, 0.75], weights=[0.5, 0.5], covariance_error=0.1, conflict=1.0)), 4)
    0.7972
    """
    w = check_vector("weights", weights, low=0.0)
    if abs(float(w.sum()) - 1.0) > 1e-9:
        raise InvalidInputError(f"`weights` must sum to one, got a sum of {w.sum():g}.")
    rows = real_array("task_excess", task_excess, shape=f"(..., {w.size})", min_ndim=1)
    if rows.shape[-1] != w.size or rows.min() < 0.0:
        raise InvalidInputError(
            f"`task_excess` must be >= 0 with {w.size} entries on its last axis, got shape {rows.shape} and a smallest "
            f"entry of {rows.min():g}."
        )
    error = check_real("covariance_error", covariance_error, low=0.0)
    if error >= 1.0:
        raise InvalidInputError(f"`covariance_error` must be < 1, got {error:g}.")
    least = real_array("conflict", conflict, shape="(...)", min_ndim=0)
    if (least < 0.0).any():
        raise InvalidInputError(f"`conflict` must be >= 0, got {least.min():g}.")
    mixed = (rows * w).sum(axis=-1)
    if error == 0.0:
        return np.asarray(mixed + np.zeros_like(least))
    first = np.sqrt((1.0 + error) / (1.0 - error) * mixed)
    bound: FloatArray = np.asarray((first + error / (1.0 - error) * np.sqrt(least)) ** 2)
    return bound
