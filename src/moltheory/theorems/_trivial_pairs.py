"""Pairs of tables made of simple columns: equal ones, corners of boxes, ties, duplicates, chains, constants."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["padded", "trivial_pairs"]

# Half-widths as exponents of 1/2: from the whole range to what hardly shows.
_EXPONENTS = (0, 0, 1, 2, 3, 4, 6, 10, 20)
# How often the empirical risks go to each of the targets.
_SHARES = (0.1, 0.1, 0.1, 0.1, 0.1, 0.25, 0.15, 0.1)
_SHARE_EQUAL, _SHARE_ZERO, _SHARE_DUPLICATE, _SHARE_LITTLE = 0.12, 0.25, 0.25, 0.4


def trivial_pairs(rng: np.random.Generator, shape: tuple[int, int, int], steps: int) -> FloatArray:
    """Return true and empirical risks of [0, 1], (2, R, H, N), on a lattice of so many steps, and near it.

    Each true column is one of a few kinds, increasing or decreasing (chains and fronts), constant, of two values, or
    random. The empirical risks are those in the boxes of half-width c_i around the true ones that are nearest to a
    target: the true risk (no deviation), an end of the range (a corner of the box), one value for all (ties), the order
    reversed, or anything. Widths are all equal, or of different sizes, some of them zero.
    """
    true = _columns(rng, shape, steps)
    widths = 0.5 ** rng.choice(_EXPONENTS, (shape[0], 1, shape[2])).astype(np.float64)
    common = rng.random((shape[0], 1, 1)) < 0.5
    widths = np.where(common, widths[:, :, :1], widths)
    widths[rng.random(widths.shape) < _SHARE_ZERO] = 0.0
    widths[rng.random(shape[0]) < _SHARE_EQUAL] = 0.0
    single = rng.random(shape[0]) < 0.25
    _duplicate(rng, true)
    empirical = np.clip(_targets(rng, true, steps), true - widths, true + widths)
    # In some pairs one hypothesis deviates, or one entry of it.
    row = np.arange(shape[0])
    alone = np.zeros(shape, dtype=np.bool_)
    alone[row, rng.integers(shape[1], size=shape[0])] = True
    only = rng.integers(shape[2], size=shape[0])
    alone &= (np.arange(shape[2]) == only[:, None])[:, None, :] | (rng.random(shape[0]) < 0.5)[:, None, None]
    empirical = np.where(single[:, None, None] & ~alone, true, empirical)
    # Ties are broken by little, where something deviates at all.
    little = (rng.random(shape[0]) < _SHARE_LITTLE)[:, None, None] & (widths > 0.0)
    size = 0.5 ** rng.choice([10, 20], (shape[0], 1, 1)).astype(np.float64)
    empirical += np.where(little, rng.integers(-1, 2, shape) * size, 0.0)
    pairs: FloatArray = np.clip(np.stack([true, empirical]), 0.0, 1.0)
    return pairs


def padded(rng: np.random.Generator, pairs: FloatArray) -> FloatArray:
    """Return pairs (2, R, H, N) some of which are smaller ones in disguise: constant objectives, copies of hypotheses."""
    count, n_hypotheses, n_objectives = pairs.shape[1:]
    out = pairs.copy()
    if n_objectives > 2:
        idle = rng.random((count, 1, n_objectives)) < rng.choice([0.0, 0.5, 0.8], (count, 1, 1), p=[0.6, 0.2, 0.2])
        level = rng.choice([0.0, 0.0, 0.5, 1.0], (count, 1, n_objectives))
        out = np.where(idle, level, out)
    if n_hypotheses > 3:
        kept = rng.integers(2, 4, (count, 1))
        rows = np.arange(n_hypotheses)
        origin = np.where(rows < kept, rows, rng.integers(kept, size=(count, n_hypotheses)))
        origin = np.where(rng.random((count, 1)) < 0.25, origin, rows)
        out = np.take_along_axis(out, origin[None, :, :, None], axis=2)
    return out


def _columns(rng: np.random.Generator, shape: tuple[int, int, int], steps: int) -> FloatArray:
    count, n_hypotheses, n_objectives = shape
    random = rng.integers(0, steps + 1, shape) / steps
    ordered = np.sort(random, axis=1)
    # Equal distances, powers of 1/2.
    spaced = np.arange(n_hypotheses) / 2.0 ** max(0, int(n_hypotheses - 1).bit_length())
    even = np.broadcast_to(spaced[:, None], shape)
    one = (
        np.arange(n_hypotheses)[:, None]
        == (np.arange(n_objectives) + rng.integers(n_hypotheses, size=(count, 1)))[:, None, :] % n_hypotheses
    )
    level = np.broadcast_to(random[:, :1], shape)
    forms = [random, ordered, ordered[:, ::-1], even, even[:, ::-1], level, one * 1.0, 1.0 - one]
    kind = rng.integers(len(forms), size=(count, 1, n_objectives))
    # Whole tables of one kind: all fronts of unit vectors, all chains.
    kind = np.where(rng.random((count, 1, 1)) < 0.25, kind[:, :, :1], kind)
    table: FloatArray = np.take_along_axis(np.stack(forms), kind[None], axis=0)[0]
    # One row in the middle, which no weighted sum selects, or the same values squeezed.
    squeezed = rng.random((count, 1, 1)) < 0.2
    result: FloatArray = np.where(squeezed, 0.25 + 0.5 * table, table)
    return result


def _duplicate(rng: np.random.Generator, true: FloatArray) -> None:
    """Copy one hypothesis to another in some tables."""
    some = np.flatnonzero(rng.random(true.shape[0]) < _SHARE_DUPLICATE)
    one, other = rng.integers(true.shape[1], size=(2, some.size))
    true[some, other] = true[some, one]


def _targets(rng: np.random.Generator, true: FloatArray, steps: int) -> FloatArray:
    """Return risks that the empirical ones go to as far as the widths allow."""
    count, n_hypotheses, n_objectives = true.shape
    low, high = true.min(axis=1, keepdims=True), true.max(axis=1, keepdims=True)
    corners = rng.integers(0, 2, true.shape).astype(np.float64)
    forms = [
        true,
        np.zeros_like(true),
        np.ones_like(true),
        corners,
        np.broadcast_to(corners[:, :, :1], true.shape),
        np.broadcast_to(0.5 * (low + high), true.shape),
        low + high - true,
        rng.integers(0, steps + 1, true.shape) / steps,
    ]
    kinds = np.arange(len(_SHARES))
    kind = rng.choice(kinds, size=(count, 1, n_objectives), p=_SHARES)
    kind = np.where(rng.random((count, 1, 1)) < 0.5, kind[:, :, :1], kind)
    # In some tables each hypothesis goes its own way.
    own = rng.choice(kinds, size=(count, n_hypotheses, 1), p=_SHARES)
    kind = np.where(rng.random((count, 1, 1)) < 0.25, own, np.broadcast_to(kind, true.shape))
    chosen: FloatArray = np.take_along_axis(
        np.stack([np.broadcast_to(f, true.shape) for f in forms]), kind[None], axis=0
    )[0]
    return chosen
