"""Simultaneous confidence intervals for the risks of several models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import numbers_in
from moltheory._core._validation import check_fraction
from moltheory.errors import InvalidInputError
from moltheory.inference._interval import Interval
from moltheory.inference._means import mean_interval

__all__ = ["boxes"]


def boxes(
    losses: npt.ArrayLike,
    /,
    *,
    delta: float,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
) -> Interval:
    """Return simultaneous confidence intervals for the true risks of all models in all objectives.

    Parameters
    ----------
    losses : (n, M) or (n, M, N) array_like
        Losses of M models on n independent examples, for one or N objectives estimated from them.
    delta : float
        Total failure probability, in (0, 1): all M N intervals hold simultaneously with probability at least 1 - delta.
    loss_range : pair, default (0, 1)
        Ends of the range of the losses, numbers or one per objective; fixed before the data.

    Returns
    -------
    Interval
        Of shape (M,) or (M, N); its `delta`, that of each interval, is ``delta / (M N)``.

    Raises
    ------
    InvalidInputError
        If a loss is NaN or outside its range, or another argument breaks its rule.

    See Also
    --------
    moltheory.certify : boxes and paired tests together; missing losses and clusters.

    Notes
    -----
    A union bound over the M N means, each with the interval of ``mean_interval(method="auto")``. Objectives known
    without data need no interval and are not passed.

    Complexity: O(n M N) time and memory, as `mean_interval`.

    Examples
    --------
    >>> losses = np.zeros((200, 2))
    >>> losses[:20, 0] = losses[50:110, 1] = 1
    >>> boxes(losses, delta=0.05).upper.round(3)
    array([0.158, 0.379])
    """
    total = check_fraction("delta", delta)
    shape = numbers_in("losses", losses).shape
    if len(shape) not in (2, 3):
        raise InvalidInputError(f"`losses` must have shape (n, M) or (n, M, N), got shape {shape}.")
    count = max(int(np.prod(shape[1:])), 1)
    return mean_interval(losses, delta=total / count, loss_range=loss_range)
