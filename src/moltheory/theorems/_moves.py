"""Pairs of tables of risks to try, and moves of them: by steps of a coarse lattice, and by finer and finer ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["coarse_moves", "families", "fine_moves", "random_pairs"]

# Steps of the lattices of [0, 1] that risks start on: the coarser, the more ties.
_STEPS = (2, 4, 8, 8)
# Many constants are attained where a tie is broken, by ever so little.
_LITTLE = 2.0**-10
_SHARE_LITTLE, _SHARE_CONFUSED = 0.3, 0.5
# All entries stay multiples of 2^-20: sums and differences are exact, so that rounding breaks no tie.
_FINEST = 20


def random_pairs(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[FloatArray, float]:
    """Return true and empirical risks on a lattice of [0, 1], (2, R, H, N), and its step.

    In a share of them two hypotheses are confused: their empirical risks meet half way between the true ones, about
    the worst that deviations of a given size can do.
    """
    count, n_hypotheses, n_objectives = shape
    steps = int(rng.choice(_STEPS))
    reach = int(rng.integers(1, steps + 1))
    true = rng.integers(0, steps + 1, shape)
    noise = rng.integers(-reach, reach + 1, shape)
    noise[:, :, rng.random(n_objectives) < 0.3] = 0  # data-independent objectives
    pairs = np.stack([true, np.clip(true + noise, 0, steps)]) / steps
    confused = np.flatnonzero(rng.random(count) < _SHARE_CONFUSED)
    one = rng.integers(n_hypotheses, size=confused.size)
    other = (one + rng.integers(1, n_hypotheses, confused.size)) % n_hypotheses
    met = rng.random((confused.size, n_objectives)) < 0.75
    half_way = 0.5 * (pairs[0, confused, one] + pairs[0, confused, other])
    pairs[1, confused] = pairs[0, confused]
    for h in (one, other):
        off = rng.integers(-1, 2, half_way.shape) * _LITTLE
        pairs[1, confused, h] = np.where(met, np.clip(half_way + off, 0.0, 1.0), pairs[0, confused, h])
    return pairs, 1.0 / steps


def coarse_moves(rng: np.random.Generator, pairs: FloatArray, step: float) -> FloatArray:
    """Return pairs (2, R, H, N) in [0, 1] of which one or a few entries are moved by a step, or a little."""
    sizes = np.where(rng.random(pairs.shape) < _SHARE_LITTLE, _LITTLE, step)
    chosen = rng.random(pairs.shape) < 2.0 / (pairs.shape[2] * pairs.shape[3])
    moved: FloatArray = np.clip(pairs + rng.integers(-1, 2, pairs.shape) * chosen * sizes, 0.0, 1.0)
    return moved


def fine_moves(rng: np.random.Generator, pairs: FloatArray, finest: int) -> FloatArray:
    """Return pairs (2, R, H, N) in [0, 1], each moved in one objective by a step between 2^-3 and 2^-finest.

    One entry moves; or a true risk with its empirical one, which keeps their deviation; or all entries that are
    equal, which keeps the ties; or one entry goes to another or close to it, which makes a tie or a narrow gap.
    """
    count, n_hypotheses, n_objectives = pairs.shape[1:]
    row = np.arange(count)
    objective = rng.integers(n_objectives, size=count)
    # True risks of one objective, then the empirical ones.
    values: FloatArray = np.concatenate([table[row, :, objective] for table in (pairs[0], pairs[1])], axis=1)
    size = values.shape[1]
    entry, target = rng.integers(size, size=(2, count))
    one = np.arange(size) == entry[:, None]
    partner = np.arange(size) == ((entry + n_hypotheses) % size)[:, None]
    level = values == values[row, entry][:, None]
    kind = rng.integers(4, size=(count,))
    step: FloatArray = rng.standard_normal((count,)) * 0.5 ** rng.integers(3, finest + 1, count)
    step[(kind == 3) & (rng.random(count) < 0.5)] = 0.0
    start = np.where((kind == 3)[:, None], values[row, target][:, None], values)
    which = np.select([(kind == 1)[:, None], (kind == 2)[:, None]], [one | partner, level], one)
    values = np.where(which, start + step[:, None], values)
    values = np.clip(np.ldexp(np.rint(np.ldexp(values, _FINEST)), -_FINEST), 0.0, 1.0)
    moved = pairs.copy()
    moved[0][row, :, objective] = values[:, :n_hypotheses]
    moved[1][row, :, objective] = values[:, n_hypotheses:]
    return moved


def families(rng: np.random.Generator, scores: FloatArray, count: int) -> npt.NDArray[Any]:
    """Return which rows found families, (count,): half of them the best by scores, the others at random."""
    order = np.argsort(-scores, kind="stable")
    best = order[: count - count // 2]
    return np.concatenate([best, rng.choice(order[best.size :], count // 2, replace=False)])
