"""Paired tests of dominance between two fixed models on common data, and Holm's correction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._binomial_tails import lower_tails

__all__ = ["holm", "holm_adjusted", "mcnemar_tails", "paired_dominance"]

Counts = npt.NDArray[np.int64]

# Numbers up to here are floats too.
_MOST = 2**53


def paired_dominance(only_candidate: npt.ArrayLike, only_other: npt.ArrayLike, /) -> FloatArray:
    """Return the p-value of "the candidate is not better in every objective", from 0/1 losses on common data.

    Per objective the exact McNemar test ``P(Bin(n10 + n01, 1/2) <= n10)``; their maximum over objectives needs no
    correction (intersection-union test). Data-independent objectives are left out: they are compared directly.

    Parameters
    ----------
    only_candidate : (..., N) array_like of int
        n10: examples on which only the candidate errs.
    only_other : (..., N) array_like of int
        n01: examples on which only the other errs.

    Returns
    -------
    (...) ndarray
        At most delta with probability at most delta if in some objective the candidate's true error is at least
        the other's; for several pairs see `holm`.

    Raises
    ------
    InvalidInputError
        If counts are not integers from 0 to 2^53, or shapes differ.

    Notes
    -----
    Complexity: O(P N) time and memory for P pairs in N objectives.

    References
    ----------
    Q. McNemar (1947), doi 10.1007/BF02295996; R. L. Berger (1982), doi 10.1080/00401706.1982.10487790, for
    intersection-union tests.

    Examples
    --------
    >>> round(float(paired_dominance([20], [50])), 8)
    0.00022014
    """
    first = _counts("only_candidate", only_candidate)
    second = _counts("only_other", only_other)
    if first.shape != second.shape:
        raise InvalidInputError(f"`only_other` must have the shape {first.shape}, got {second.shape}.")
    largest: FloatArray = mcnemar_tails(first, second).max(axis=-1)
    return largest


def mcnemar_tails(first: Counts, second: Counts) -> FloatArray:
    """Return P(Bin(first + second, 1/2) <= first), 1 where there is no disagreement, for checked counts."""
    total = first + second
    return np.where(total > 0, lower_tails(first, np.maximum(total, 1), 0.5), 1.0)


def holm(p_values: npt.ArrayLike, /) -> FloatArray:
    """Return p-values adjusted by Holm's procedure; rejecting those <= delta makes an error with probability <= delta.

    Parameters
    ----------
    p_values : (..., k) array_like
        In [0, 1], arbitrarily dependent.

    Returns
    -------
    (..., k) ndarray
        In the order of the input, at most 1.

    Raises
    ------
    InvalidInputError
        If a value is outside [0, 1].

    Notes
    -----
    Complexity: O(k log k) time and O(k) memory per row.

    References
    ----------
    S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = real_array("p_values", p_values, shape="(..., k)", min_ndim=1)
    if (p < 0.0).any() or (p > 1.0).any():
        raise InvalidInputError(f"`p_values` must lie in [0, 1], got {p.min():g} to {p.max():g}.")
    return holm_adjusted(p)


def holm_adjusted(p: FloatArray, *, size: int | None = None) -> FloatArray:
    """Return `holm` of checked p-values, (..., k), the smallest of `size` ones (by default, of k)."""
    order = np.argsort(p, axis=-1, kind="stable")
    most = p.shape[-1] if size is None else size
    steps = np.arange(most, most - p.shape[-1], -1) * np.take_along_axis(p, order, axis=-1)
    out = np.empty_like(p)
    np.put_along_axis(out, order, np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), axis=-1)
    return out


def _counts(name: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    counts = real_array(name, value, shape="(..., N)", min_ndim=1, keep_integers=True)
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise InvalidInputError(f"`{name}` must be integer counts >= 0, got dtype {counts.dtype}.")
    if counts.size and int(counts.max()) > _MOST:
        raise InvalidInputError(f"`{name}` must be counts up to 2^53, got {int(counts.max())}.")
    return counts.astype(np.int64)
