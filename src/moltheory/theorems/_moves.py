"""Random pairs of tables of risks on lattices, and moves of them: by steps of a lattice, and by finer and finer ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["coarse_moves", "families", "fine_moves", "quantized", "random_pairs"]

# Many constants are attained where a tie is broken, by ever so little.
_LITTLE = 2.0**-10
_SHARE_LITTLE, _SHARE_CONFUSED, _SHARE_KNOWN = 0.3, 0.5, 0.3
# All entries stay multiples of 2^-20: sums and differences are exact, so that rounding breaks no tie.
_FINEST = 20
# Kinds of fine moves, and how often each is made.
_ONE, _PARTNERS, _LEVEL, _TO_ANOTHER, _TOGETHER, _TO_END, _WIDTH, _ALL, _SCALE, _CROSS = range(10)
_KINDS = np.repeat(np.arange(10), [2, 2, 2, 2, 2, 1, 1, 1, 1, 2])


def quantized(values: FloatArray) -> FloatArray:
    """Return values of [0, 1] as multiples of 2^-20, whose sums and differences are exact."""
    result: FloatArray = np.clip(np.ldexp(np.rint(np.ldexp(values, _FINEST)), -_FINEST), 0.0, 1.0)
    return result


def random_pairs(rng: np.random.Generator, shape: tuple[int, int, int], steps: int) -> FloatArray:
    """Return true and empirical risks on a lattice of so many steps of [0, 1], (2, R, H, N).

    In a share of them two hypotheses are confused: their empirical risks meet half way between the true ones, about
    the worst that deviations of a given size can do.
    """
    count, n_hypotheses, n_objectives = shape
    reach = int(rng.integers(1, steps + 1))
    true = rng.integers(0, steps + 1, shape)
    noise = rng.integers(-reach, reach + 1, shape)
    noise[:, :, rng.random(n_objectives) < _SHARE_KNOWN] = 0  # data-independent objectives
    pairs = np.stack([true, np.clip(true + noise, 0, steps)]) / steps
    if n_hypotheses == 1:
        return pairs
    confused = np.flatnonzero(rng.random(count) < _SHARE_CONFUSED)
    one = rng.integers(n_hypotheses, size=confused.size)
    other = (one + rng.integers(1, n_hypotheses, confused.size)) % n_hypotheses
    met = rng.random((confused.size, n_objectives)) < 0.75
    half_way = 0.5 * (pairs[0, confused, one] + pairs[0, confused, other])
    pairs[1, confused] = pairs[0, confused]
    for h in (one, other):
        off = rng.integers(-1, 2, half_way.shape) * _LITTLE
        pairs[1, confused, h] = np.where(met, np.clip(half_way + off, 0.0, 1.0), pairs[0, confused, h])
    return pairs


def coarse_moves(rng: np.random.Generator, pairs: FloatArray, step: float) -> FloatArray:
    """Return pairs (2, R, H, N) in [0, 1] of which one or a few entries are moved by a step, or a little."""
    sizes = np.where(rng.random(pairs.shape) < _SHARE_LITTLE, _LITTLE, step)
    chosen = rng.random(pairs.shape) < 2.0 / (pairs.shape[2] * pairs.shape[3])
    moved: FloatArray = np.clip(pairs + rng.integers(-1, 2, pairs.shape) * chosen * sizes, 0.0, 1.0)
    return moved


def fine_moves(rng: np.random.Generator, pairs: FloatArray, finest: int) -> FloatArray:
    """Return pairs (2, R, H, N) in [0, 1], each moved in one objective by a step between 2^-3 and 2^-finest.

    One entry moves; or a true risk with its empirical one, which keeps their deviation; or all entries that are
    equal, which keeps the ties; or all equal true risks with their empirical ones; or one entry goes to another or close
    to it, which makes a tie or a narrow gap; or an empirical risk goes to an end of its box, or to the true one; or all
    deviations become larger or smaller; or all risks do, or move by the same; or two empirical risks move against each
    other, as those of two hypotheses that are confused do.
    """
    count, n_hypotheses, n_objectives = pairs.shape[1:]
    row = np.arange(count)
    objective = rng.integers(n_objectives, size=count)
    # True risks of one objective, then the empirical ones.
    values: FloatArray = np.concatenate([table[row, :, objective] for table in (pairs[0], pairs[1])], axis=1)
    size = values.shape[1]
    entry, target = rng.integers(size, size=(2, count))
    kind = rng.choice(_KINDS, size=count)[:, None]
    step: FloatArray = rng.standard_normal((count, 1)) * 0.5 ** rng.integers(3, finest + 1, (count, 1))
    step = np.where((kind == _TO_ANOTHER) & (rng.random((count, 1)) < 0.5), 0.0, step)
    true, seen = values[:, :n_hypotheses], values[:, n_hypotheses:]
    one = np.arange(size) == entry[:, None]
    partner = np.arange(size) == ((entry + n_hypotheses) % size)[:, None]
    together = true == true[row, entry % n_hypotheses][:, None]
    which = np.select(
        [kind == _PARTNERS, kind == _LEVEL, kind == _TOGETHER, kind == _ALL, kind == _CROSS],
        [
            one | partner,
            values == values[row, entry][:, None],
            np.concatenate([together, together], axis=1),
            one | True,
            np.arange(size) == (n_hypotheses + entry % n_hypotheses)[:, None],
        ],
        one,
    )
    start = np.where(kind == _TO_ANOTHER, values[row, target][:, None], values)
    values = np.where(which, start + step, values)
    if n_hypotheses > 1:
        against = np.arange(size) == (n_hypotheses + (entry + 1 + target % (n_hypotheses - 1)) % n_hypotheses)[:, None]
        values = np.where((kind == _CROSS) & against, values - step, values)
    values = np.where(kind == _SCALE, np.concatenate([true, seen], axis=1) * (1.0 + step), values)
    # An empirical risk at an end of its box, at the true risk, or a little inside; all deviations, scaled.
    gap = seen - true
    end = rng.integers(-1, 2, (count, 1)) * np.abs(gap).max(axis=1, keepdims=True)
    boxed = np.where(one[:, :n_hypotheses] | one[:, n_hypotheses:], true + end + np.where(step > 0.0, step, 0.0), seen)
    factor = np.where(rng.random((count, 1)) < 0.5, 1.0 + step, rng.choice([0.5, 2.0], (count, 1)))
    seen = np.select([kind == _TO_END, kind == _WIDTH], [boxed, true + factor * gap], values[:, n_hypotheses:])
    true = np.where((kind == _TO_END) | (kind == _WIDTH), true, values[:, :n_hypotheses])
    moved = pairs.copy()
    moved[0][row, :, objective] = quantized(true)
    moved[1][row, :, objective] = quantized(seen)
    return moved


def families(rng: np.random.Generator, scores: FloatArray, count: int) -> npt.NDArray[Any]:
    """Return which rows found families, (count,): half of them the best by scores, the others at random."""
    order = np.argsort(-scores, kind="stable")
    best = order[: count - count // 2]
    return np.concatenate([best, rng.choice(order[best.size :], count // 2, replace=False)])
