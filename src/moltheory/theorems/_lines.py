"""Directions in which a pair of tables may be moved by any amount, and the search along them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.theorems._moves import quantized

__all__ = ["along_lines", "directions"]

# One entry, partners, crossing, a level, a whole row, deviations, a column: how often each is drawn.
_KINDS = np.repeat(np.arange(7), [3, 4, 2, 1, 1, 1, 1])
_ROW = 4
# Steps to both sides, then finer ones around the best of them, relative to it.
_FIRST = np.array([0.0, *(sign * 0.5**k for k in (2, 4, 6, 8, 11, 14) for sign in (1.0, -1.0))])
_ZOOMS = [np.array([0.0, -0.5, -0.25, 0.25, 0.5, 1.0]), np.array([0.0, -0.15, -0.07, 0.07, 0.15])]
_ZOOMS += [np.array([0.0, -0.04, -0.02, 0.02, 0.04]), np.array([0.0, -0.01, -0.003, 0.003, 0.01])]


def directions(rng: np.random.Generator, pairs: FloatArray) -> FloatArray:
    """Return a direction for each of some pairs (2, R, H, N), of the same shape.

    One entry; a true risk with its empirical one; two empirical risks against each other; all entries that are equal; all
    risks of a hypothesis; the deviations of an objective; or all risks of one.
    """
    count, n_hypotheses, n_objectives = pairs.shape[1:]
    row = np.arange(count)
    i = rng.integers(n_objectives, size=(count,))
    h = rng.integers(n_hypotheses, size=(count,))
    table = rng.integers(2, size=(count,))
    other = (h + (rng.integers(1, n_hypotheses, count) if n_hypotheses > 1 else 0)) % n_hypotheses
    column = np.moveaxis(pairs[:, row, :, i], 0, 1)
    kind = rng.choice(_KINDS, size=(count,))
    one = np.arange(n_hypotheses) == h[:, None]
    against = (np.arange(n_hypotheses) == other[:, None]) & ~one
    value = column[table, row, h][:, None]
    gap = column[1] - column[0]
    both = np.stack([one, one])
    single = both & (np.arange(2)[:, None] == table)[:, :, None]
    crossing = np.stack([np.zeros(one.shape), one * 1.0 - against])
    parts = [single, both, crossing, column == value, both, np.stack([np.zeros(gap.shape), gap]), column]
    out = np.zeros(pairs.shape)
    for k, part in enumerate(parts):
        some = np.flatnonzero(kind == k)
        out[:, some, :, i[some]] = np.moveaxis(np.asarray(part, dtype=np.float64)[:, some], 1, 0)
    whole = np.flatnonzero(kind == _ROW)
    out[:, whole] = 0.0
    out[:, whole, h[whole]] = 1.0
    return out


def along_lines(
    rng: np.random.Generator, pairs: FloatArray, evaluate: Callable[[FloatArray], FloatArray | None]
) -> tuple[FloatArray, FloatArray] | None:
    """Return pairs (2, R, H, N), each moved to the best place of a line, and their values; None when the budget ends.

    A violation that is largest where a tie is about to break is on a ridge: a move that leaves it is for the worse
    until another one leads back.
    """
    line = directions(rng, pairs)
    at = np.zeros(pairs.shape[1])
    best = None
    for k, steps in enumerate([_FIRST, *_ZOOMS]):
        sizes = at[:, None] * (1.0 + steps) if k else np.broadcast_to(steps, (at.size, steps.size))
        moved = quantized(pairs[:, :, None] + sizes[..., None, None] * line[:, :, None])
        values = evaluate(moved.reshape(2, -1, *pairs.shape[2:]))
        if values is None:
            return None
        table = values.reshape(sizes.shape)
        top = table.argmax(axis=1)
        row = np.arange(at.size)
        at, best = sizes[row, top], (moved[:, row, top], table[row, top])
    return best
