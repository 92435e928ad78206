"""Weights: their checks, and the lattice of them on the simplex."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_real, check_vector
from moltheory.errors import InvalidInputError, TooLargeError

__all__ = ["check_weights", "products", "simplex_grid"]

_MOST_ENTRIES = 50_000_000  # 400 MB of float64


@document
def simplex_grid(n_objectives: int, divisions: int, *, smallest: float = 0.0) -> FloatArray:
    """Return the lattice of weights on the simplex with steps ``1 / divisions``.

    Parameters
    ----------
    n_objectives : int
        The number N >= 1 of weights in a row.
    divisions : int
        The number d >= 1 of steps along an edge.
    smallest : float, default 0
        Every weight is at least this: the lattice is shrunk towards the center ``(1/N, ..., 1/N)``. At most
        ``1/N``, where all rows are the center.

    Returns
    -------
    numpy.ndarray of shape (K, N)
        ``K = C(d + N - 1, N - 1)`` rows in lexicographic order, float64, in [smallest, 1]. With
        ``smallest = 0`` each weight is the float nearest to k/d, and a row's exact sum differs from 1 by at
        most 2**-53; otherwise by a few times that.

    {raises}
    TooLargeError
        If the lattice has more than 50 million entries.

    Notes
    -----
    Source: Das and Dennis 1998, doi 10.1137/S1052623496307510. Complexity: O(K N) time and memory.

    Examples
    --------
    >>> simplex_grid(2, 4)
    array([[0.  , 1.  ],
           [0.25, 0.75],
           [0.5 , 0.5 ],
           [0.75, 0.25],
           [1.  , 0.  ]])
    >>> simplex_grid(2, 2, smallest=0.25)
    array([[0.25, 0.75],
           [0.5 , 0.5 ],
           [0.75, 0.25]])
    """
    n = check_count("n_objectives", n_objectives)
    d = check_count("divisions", divisions)
    low = check_real("smallest", smallest, low=0.0)
    if low > 1.0 / n:
        raise InvalidInputError(f"`smallest` must be at most 1 / n_objectives = {1.0 / n:g}, got {low:g}.")
    rows = math.comb(d + n - 1, n - 1)
    if rows * n > _MOST_ENTRIES:
        raise TooLargeError(
            f"`divisions` must keep the lattice within {_MOST_ENTRIES} entries, got {d} divisions of "
            f"{n} objectives: {rows} rows."
        )
    # Stars and bars: n - 1 bars among d + n - 1 places; the gaps between them are the numerators.
    bars = np.empty((rows, n + 1), dtype=np.int64)
    bars[:, 0], bars[:, -1] = -1, d + n - 1
    places = itertools.chain.from_iterable(itertools.combinations(range(d + n - 1), n - 1))
    bars[:, 1:-1] = np.fromiter(places, dtype=np.int64, count=rows * (n - 1)).reshape(rows, n - 1)
    grid: FloatArray = (np.diff(bars, axis=1) - 1) / d
    # Adding `smallest` last keeps every weight >= smallest in floating point too.
    return grid if low == 0.0 else low + max(0.0, 1.0 - n * low) * grid


def check_weights(weights: npt.ArrayLike) -> tuple[float, ...]:
    """Return `weights` as a tuple of finite floats >= 0, not all zero; refuse others."""
    array = check_vector("weights", weights, low=0.0)
    if not array.any():
        raise InvalidInputError(f"`weights` must not all be zero, got {array.shape[0]} zeros.")
    return tuple((array + 0.0).tolist())  # + 0.0 turns -0.0 into 0.0


def products(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return ``w_i v_i`` with ``0 * inf = 0``."""
    out: FloatArray = np.zeros(values.shape)
    np.multiply(values, weights, out=out, where=weights > 0.0)
    return out
