"""The bundled data sets as populations, trained once per process for all figures, and the exact ties among models."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.problems import FinitePopulation, from_dataset

__all__ = ["data_set", "never_decided"]


@functools.cache
def data_set(name: str) -> FinitePopulation:
    """Return `from_dataset` of a name; the figures share it and do not change it."""
    return from_dataset(name)


def never_decided(true_risks: FloatArray, estimated: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which models no other model improves on in every estimated risk at no higher known cost.

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
    >>> never_decided(risks, np.array([True, False]))
    array([ True,  True, False])
    """
    rates, costs = true_risks[:, estimated], true_risks[:, ~estimated]
    better = (rates[:, None] < rates[None]).all(axis=-1) & (costs[:, None] <= costs[None]).all(axis=-1)
    return np.asarray(~better.any(axis=0))
