"""Pairs of tables at the ends of their boxes, where two hypotheses are confused, and small pairs inside larger tables."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["embedded", "extremal_pairs"]

# Half-widths as exponents of 1/2; a common one in many pairs.
_EXPONENTS = (1, 1, 2, 2, 3, 4, 6, 10)
_SHARE_COMMON, _SHARE_KNOWN, _SHARE_ORDERED = 0.5, 0.3, 0.7
_LITTLE = 2.0**-10


def extremal_pairs(rng: np.random.Generator, shape: tuple[int, int, int], steps: int) -> FloatArray:
    """Return true and empirical risks of [0, 1], (2, R, H, N), whose deviations are as large as the widths or zero.

    One hypothesis looks worse by all of its widths, another better, by which it takes the place of the first: its
    true risks exceed those of the first by 2 C_i, a little less, or nothing. The others deviate by their widths to
    either side, or not at all. In some pairs all true risks go up a staircase, each by 2 C_i above the last.
    """
    count, n_hypotheses, n_objectives = shape
    row = np.arange(count)
    widths = 0.5 ** rng.choice(_EXPONENTS, (count, 1, n_objectives)).astype(np.float64)
    widths = np.where(rng.random((count, 1, 1)) < _SHARE_COMMON, widths[:, :, :1], widths)
    widths[rng.random(widths.shape) < _SHARE_KNOWN * (rng.random((count, 1, 1)) < 0.5)] = 0.0
    true = rng.integers(0, steps + 1, shape) / steps
    signs = rng.integers(-1, 2, (count, n_hypotheses, 1)) * np.where(rng.random(shape) < 0.8, 1.0, -1.0)
    good = rng.integers(n_hypotheses, size=count)
    bad = (good + (rng.integers(1, n_hypotheses, count) if n_hypotheses > 1 else 0)) % n_hypotheses
    # Where the bad one is worse: everywhere, in one objective, or in some.
    worse = rng.random((count, n_objectives)) < rng.choice([1.0, 0.0, 0.5], (count, 1))
    worse[row, rng.integers(n_objectives, size=count)] = True
    little = _LITTLE * rng.integers(0, 2, (count, 1))
    low = np.minimum(true[row, good], 1.0 - 2.0 * widths[:, 0])
    low = np.where(rng.random((count, 1)) < 0.5, np.maximum(low, 0.0), 0.0)
    if n_hypotheses > 1:
        true[row, good] = low
        true[row, bad] = low + worse * np.maximum(2.0 * widths[:, 0] - little, 0.0)
        ordered = rng.random((count, 1)) < _SHARE_ORDERED
        signs[row, good] = np.where(ordered, 1.0, signs[row, good])
        signs[row, bad] = np.where(ordered, -1.0, signs[row, bad])
        stairs = 2.0 * widths * np.arange(n_hypotheses)[:, None]
        climbs = rng.random((count, 1, 1)) < 0.15
        falls = rng.random((count, 1, n_objectives)) < 0.5
        true = np.where(climbs, np.where(falls, stairs[:, ::-1], stairs), true)
    true = np.clip(true, 0.0, 1.0)
    pairs: FloatArray = np.stack([true, np.clip(true + signs * widths, 0.0, 1.0)])
    return pairs


def embedded(rng: np.random.Generator, pairs: FloatArray, share: float) -> FloatArray:
    """Return pairs (2, R, H, N) of which a share is reduced to one or two objectives and a few hypotheses.

    The other objectives are one constant for all, the other hypotheses copies, or as bad as can be. What fails for a
    small table only in the company of more objectives shows there.
    """
    count, n_hypotheses, n_objectives = pairs.shape[1:]
    chosen = rng.random((count, 1)) < share
    active = rng.integers(1, min(2, n_objectives) + 1, (count, 1))
    idle = rng.random((count, n_objectives)).argsort(axis=1) >= active
    level = rng.choice([0.0, 0.0, 0.5, 1.0], (count, 1, 1))
    out: FloatArray = np.where((chosen & idle)[:, None, :], level, pairs)
    kept = rng.integers(2, 4, (count, 1))
    place = rng.random((count, n_hypotheses)).argsort(axis=1)
    away = (place >= kept) & chosen
    copies = np.take_along_axis(place.argsort(axis=1), rng.integers(min(2, n_hypotheses), size=place.shape), axis=1)
    origin = np.where(away, copies, np.arange(n_hypotheses))
    out = np.take_along_axis(out, origin[None, :, :, None], axis=2)
    worst = away & (rng.random((count, 1)) < 0.5)
    result: FloatArray = np.where(worst[:, :, None] & ~idle[:, None, :], 1.0, out)
    return result
