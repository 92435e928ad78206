"""Which of several hypotheses are rejected at one total level: in a fixed order, by Holm, or along a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError

__all__ = ["PROCEDURES", "check_graph", "rejections"]

PROCEDURES = ("fixed-sequence", "graphical", "holm")

Bools = npt.NDArray[np.bool_]


def rejections(
    p: FloatArray, delta: float, procedure: str, graph: tuple[FloatArray, FloatArray] | None = None
) -> Bools:
    """Return which hypotheses, in their order, are rejected: a true one with probability at most delta."""
    if procedure == "fixed-sequence":
        return np.logical_and.accumulate(p <= delta)
    n = p.size
    if procedure == "holm":
        each = (np.ones((n, n)) - np.eye(n)) / max(n - 1, 1)
        graph = np.full(n, 1.0 / n), each
    elif graph is None:
        graph = np.full(n, 1.0 / n), np.eye(n, k=1)
    return _graphical(p, delta, *graph)


def _graphical(p: FloatArray, delta: float, weights: FloatArray, transitions: FloatArray) -> Bools:
    """Reject along a graph (Bretz, Maurer, Brannath and Posch 2009, doi 10.1002/sim.3495, Algorithm 1)."""
    w, g = weights.copy(), transitions.copy()
    out = np.zeros(p.size, dtype=np.bool_)
    while True:
        ready = np.flatnonzero(~out & (p <= w * delta))
        if ready.size == 0:
            return out
        j = int(ready[0])
        out[j] = True
        left = np.flatnonzero(~out)
        w[left] += w[j] * g[j, left]
        passed = np.outer(g[left, j], g[j, left])
        rest = 1.0 - g[left, j] * g[j, left]
        moved = g[np.ix_(left, left)] + passed
        moved = np.divide(moved, rest[:, None], out=np.zeros_like(moved), where=rest[:, None] > 0.0)
        np.fill_diagonal(moved, 0.0)
        g[np.ix_(left, left)] = moved
        w[j] = 0.0


def check_graph(weights: Any, transitions: Any, n: int) -> tuple[FloatArray, FloatArray] | None:
    """Return a checked graph; None if none is given.

    Raises
    ------
    InvalidInputError
        If weights are negative or sum to more than 1, or transitions have a negative entry, one on the diagonal, or a
        row that sums to more than 1.
    """
    if weights is None and transitions is None:
        return None
    w = np.full(n, 1.0 / n) if weights is None else real_array("weights", weights, shape="(M,)", min_ndim=1)
    g = np.eye(n, k=1) if transitions is None else real_array("transitions", transitions, shape="(M, M)", min_ndim=2)
    if w.shape != (n,) or (w < 0.0).any() or w.sum() > 1.0 + 1e-12:
        raise InvalidInputError(
            f"`weights` must be {n} numbers >= 0 with a sum of at most 1, got shape {w.shape}, sum {w.sum():g}."
        )
    wrong = g.shape != (n, n) or (g < 0.0).any() or np.diagonal(g).any() or (g.sum(axis=1) > 1.0 + 1e-12).any()
    if wrong:
        raise InvalidInputError(
            f"`transitions` must be an array ({n}, {n}) of numbers >= 0 with zeros on its diagonal and rows that sum to at "
            f"most 1, got shape {g.shape}."
        )
    return w.copy(), g.copy()
