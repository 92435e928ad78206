"""Exact ties: which models no number of examples need ever settle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["never_settled"]


def never_settled(true_risks: FloatArray, estimated: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark models that nobody beats in every estimated risk at no higher known cost.

    Any other model leaves the empirical front with probability tending to 1, by the law of large numbers; one that is
    marked and dominated ties, in some estimated risk, with every model that dominates it.

    Parameters
    ----------
    true_risks : (H, N) ndarray
    estimated : (N,) ndarray of bool
        Which objectives are estimated from data.

    Returns
    -------
    (H,) ndarray of bool

    Examples
    --------
    >>> risks = np.array([[0.1, 1.0], [0.1, 2.0], [0.2, 3.0]])
    >>> never_settled(risks, np.array([True, False]))
    array([ True,  True, False])
    """
    rates, costs = true_risks[:, estimated], true_risks[:, ~estimated]
    beats = (rates[:, None] < rates[None]).all(axis=-1) & (costs[:, None] <= costs[None]).all(axis=-1)
    return np.asarray(~beats.any(axis=0))
