"""Finite worlds that a search tries, with a sample size and a level: simple ones, random ones, and moves of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.oracle import count_types
from moltheory.problems import FiniteWorld
from moltheory.theorems._search_space import Shape

__all__ = [
    "Setting",
    "crowded",
    "draw_delta",
    "draw_size",
    "largest_size",
    "moved",
    "simple_settings",
    "smaller",
    "sparse",
]

# Most sample types of a world, whose failure probability is a sum over all of them; and most examples.
_MOST_TYPES, _MOST_EXAMPLES = 4_000, 2_000
_DELTAS = (0.5, 0.25, 0.1, 0.05, 0.01)
_LEAST_DELTA, _LARGEST_DELTA = 1e-9, 0.98
_PARTS, _MOST_PARTS = 16, 2**20
_SHARE_COINS = 0.3


@dataclass(frozen=True)
class Setting:
    """A world by the parts that its outcomes have of the probability, with losses (s, H, N), and a size and a level."""

    parts: tuple[int, ...]
    losses: FloatArray
    n: int
    delta: float

    @cached_property
    def problem(self) -> FiniteWorld:
        """The world."""
        total = sum(self.parts)
        return FiniteWorld([Fraction(part, total) for part in self.parts], self.losses, name="world of a search")

    @property
    def most(self) -> int:
        """The most examples whose sample types are few enough."""
        return largest_size(len(self.parts))

    def at(self, n: int, delta: float) -> Setting:
        """Return the same world with another size and level."""
        other = replace(self, n=max(1, min(n, self.most)), delta=delta)
        if "problem" in self.__dict__:
            other.__dict__["problem"] = self.problem
        return other


def largest_size(outcomes: int) -> int:
    """Return the most examples of a world of so many outcomes whose sample types are few enough."""
    low, high = 1, _MOST_EXAMPLES
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_types(middle, outcomes) <= _MOST_TYPES else (low, middle - 1)
    return low


def draw_size(rng: np.random.Generator, most: int) -> int:
    """Return a random number of examples, mostly small."""
    if rng.random() < 0.6:
        return int(rng.integers(1, 8))
    return round(float(min(most, 64 if rng.random() < 0.5 else _MOST_EXAMPLES) ** rng.random()))


def draw_delta(rng: np.random.Generator) -> float:
    """Return a random level: mostly a usual one, sometimes a small or a large one."""
    kind = rng.random()
    if kind < 0.7:
        return float(rng.choice(_DELTAS))
    if kind < 0.85:
        return float(np.round(rng.uniform(0.02, 0.95), 2))
    return rounded(float(0.5 * (_LEAST_DELTA / 0.5) ** rng.random()))


def rounded(delta: float) -> float:
    """Return a level of two digits in the range that is tried."""
    return float(np.clip(float(f"{delta:.2g}"), _LEAST_DELTA, _LARGEST_DELTA))


def sparse(rng: np.random.Generator, least: Shape, most: Shape, *, many: bool) -> tuple[tuple[int, ...], FloatArray]:
    """Return parts and losses on 2 to 5 outcomes, or up to 8: mostly 0 or 1, with probabilities in sixteenths."""
    s = 2 if rng.random() < _SHARE_COINS else int(rng.integers(2, 9 if many else 6))
    counts = [
        int(rng.integers(low, max(low, high if many else min(3, high)) + 1))
        for low, high in zip(least, most, strict=True)
    ]
    parts = rng.multinomial(_PARTS - s, np.full(s, 1.0 / s)) + 1
    losses = rng.integers(0, 2, (s, *counts)).astype(np.float64)
    if rng.random() < 0.2:
        losses = rng.integers(0, 5, losses.shape) / 4.0
    losses[0, 0, 0], losses[1, 0, 0] = 0.0, 1.0  # something depends on the outcome
    for i in range(1, counts[1]):
        if rng.random() < 0.2:
            losses[:, :, i] = losses[:1, :, i]  # known, whatever the outcome
    return tuple(parts.tolist()), losses


def moved(rng: np.random.Generator, setting: Setting) -> Setting:
    """Return a setting with a changed part of the probability, loss, size or level."""
    parts, losses, n, delta = np.array(setting.parts), setting.losses.copy(), setting.n, setting.delta
    for _ in range(int(rng.integers(1, 3))):
        kind = int(rng.integers(6))
        if kind == 0:
            k = int(rng.integers(parts.size))
            parts[k] = max(1, parts[k] + int(rng.integers(-3, 4)))
        elif kind == 1 and parts.sum() < _MOST_PARTS:
            parts = parts * 2
            k = int(rng.integers(parts.size))
            parts[k] = max(1, parts[k] + int(rng.integers(-1, 2)))
        elif kind == 2:
            place = tuple(int(rng.integers(size)) for size in losses.shape)
            losses[place] = 1.0 - losses[place]
        elif kind == 3:
            n = max(
                1, int(n * rng.choice([0.5, 0.8, 1.25, 2.0])) if rng.random() < 0.5 else n + int(rng.integers(-1, 2))
            )
        else:
            delta = rounded(delta * math.exp(0.4 * rng.standard_normal()))
    return Setting(tuple(parts.tolist()), losses, min(n, setting.most), delta)


def simple_settings() -> Iterator[Setting]:
    """Yield a fair and a biased coin, a coin and its mirror image, errors that exclude each other, parities of coins."""
    worlds: list[tuple[tuple[int, ...], FloatArray]]
    worlds = [((1, 1), _table([[0.0], [1.0]])), ((3, 1), _table([[0.0], [1.0]])), ((15, 1), _table([[0.0], [1.0]]))]
    mirrored = np.array([[[0.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    worlds += [((1, 1), mirrored), ((3, 1), mirrored)]
    for count in (2, 4, 8):
        worlds += [((1,) * count, np.eye(count)[:, :, None]), ((1,) * count, np.eye(count)[:, None, :])]
    parities = _parities(3)
    worlds += [((1,) * 8, parities[:, :, None]), ((1,) * 8, parities[:, None, :])]
    for delta, sizes in ((0.1, (1, 2, 4)), (0.5, (1, 2, 4)), (0.05, (16,))):
        for n, (parts, losses) in product(sizes, worlds):
            if n <= 4 or len(parts) <= 2:
                yield Setting(parts, losses, n, delta)


def _table(column: list[list[float]]) -> FloatArray:
    return np.array(column)[:, :, None]


def _parities(coins: int) -> FloatArray:
    """Return the parities of k fair coins: 2^k - 1 fair coins of which any two are independent."""
    outcomes = np.arange(2**coins)
    odd: FloatArray = (np.bitwise_count(outcomes[:, None] & outcomes[None, 1:]) % 2).astype(np.float64)
    return odd


def crowded(rng: np.random.Generator) -> tuple[tuple[int, ...], FloatArray]:
    """Return a world of many means that deviate at different times: errors that exclude each other, or parities.

    What a union bound allows for, with few outcomes.
    """
    columns = np.eye(int(rng.integers(4, 13))) if rng.random() < 0.5 else _parities(int(rng.integers(2, 5)))
    s, count = columns.shape
    n_objectives = int(rng.choice([1, count, int(rng.integers(1, count + 1))]))
    n_hypotheses = -(-count // n_objectives)
    cells = np.resize(rng.permutation(count), n_hypotheses * n_objectives)
    return (1,) * s, columns[:, cells].reshape(s, n_hypotheses, n_objectives)


def smaller(setting: Setting) -> Iterator[Setting]:
    """Yield settings with less of something: hypotheses, objectives, outcomes, examples, digits."""
    losses = setting.losses
    for axis in (1, 2):
        for k in range(losses.shape[axis] if losses.shape[axis] > 1 else 0):
            yield replace(setting, losses=np.delete(losses, k, axis=axis))
    for k in range(len(setting.parts) if len(setting.parts) > 2 else 0):
        kept = setting.parts[:k] + setting.parts[k + 1 :]
        yield replace(setting, parts=kept, losses=np.delete(losses, k, axis=0))
    if setting.n > 1:
        yield replace(setting, n=setting.n - 1)
    divisor = math.gcd(*setting.parts)
    if divisor > 1:
        yield replace(setting, parts=tuple(part // divisor for part in setting.parts))
    if max(setting.parts) > 1:
        ones = tuple(1 for _ in setting.parts)
        halves = tuple(max(1, part // 2) for part in setting.parts)
        yield replace(setting, parts=ones)
        if halves != setting.parts:
            yield replace(setting, parts=halves)
    for delta in (0.5, 0.1, 0.05, 0.01):
        if len(str(delta)) < len(str(setting.delta)):
            yield replace(setting, delta=delta)
