"""The search over finite worlds, whose failure probability is exact: simple ones, random ones, polishing of the best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.oracle import count_types
from moltheory.problems import FiniteProblem, FiniteWorld
from moltheory.theorems._check import Stated, StatedWidthsError, check
from moltheory.theorems._hunt import Hunt

__all__ = ["COST", "WorldSearch"]

# What a world counts as, in tries.
COST = 100
# What a small budget pays for simple worlds.
_SIMPLE = 5_000
# What the budget pays for a world that the statement is not about: nothing was tried, but time has passed.
_SKIPPED = 20
# Most sample types of a world, whose failure probability is a sum over all of them.
_MOST_TYPES = 4_000
_DELTAS = (0.5, 0.25, 0.1, 0.05, 0.01)
_MOST_EXAMPLES = 64
_REMEMBERED, _SHARE_POLISHED = 12, 0.5
_PARTS, _MOST_SMALLER = 16, 300
# Sizes and levels that each given problem is tried at.
_PER_PROBLEM = 8


@dataclass(frozen=True)
class _Setting:
    """A world by the parts that its outcomes have of the probability, with losses (s, H, N), and a size and a level."""

    parts: tuple[int, ...]
    losses: FloatArray
    n: int
    delta: float

    def world(self) -> FiniteWorld:
        total = sum(self.parts)
        return FiniteWorld([Fraction(part, total) for part in self.parts], self.losses, name="world of a search")


class WorldSearch:
    """Worlds of few outcomes, at several sample sizes and levels."""

    def __init__(self, hunt: Hunt, rng: np.random.Generator, stated: Stated | None) -> None:
        self._hunt, self._rng, self._stated = hunt, rng, stated
        self._near: list[tuple[float, _Setting]] = []
        self._best: _Setting | None = None

    def given(self, problems: list[FiniteProblem]) -> None:
        """Try each problem that is given at several sizes and levels, with at most half of the budget."""
        share = self._hunt.left / 2.0
        for turn in range(_PER_PROBLEM):
            for problem in problems:
                if self._hunt.over or (turn and self._hunt.left <= share):
                    return
                n, delta = int(self._rng.integers(1, 8)), float(self._rng.choice(_DELTAS))
                self._attempt(problem, n, delta, "given problems")

    def simple(self) -> None:
        """Try worlds that a theorist would try by hand, with at most a tenth of the budget, or 50 worlds of it."""
        least = min(0.9 * self._hunt.left, self._hunt.left - _SIMPLE)
        for setting in _simple_settings():
            if self._hunt.over or self._hunt.left < least:
                return
            self._try(setting, "simple worlds")

    def turn(self) -> None:
        """Try one random world, or move one of the best."""
        if self._near and self._rng.random() < _SHARE_POLISHED:
            k = min(int(self._rng.geometric(0.4)) - 1, len(self._near) - 1)
            self._try(self._moved(self._near[k][1]), "polishing")
        else:
            self._try(self._random(), "random worlds")

    def shrink(self) -> None:
        """Replace the witness by a smaller world in which the statement fails too."""
        setting, tries = self._best, 0
        while setting is not None and tries < _MOST_SMALLER:
            options, setting = _smaller(setting), None
            for option in options:
                tries += 1
                if self._still_fails(option):
                    setting = option
                    break

    def _still_fails(self, setting: _Setting) -> bool:
        self._hunt.stages["minimization"] += COST
        failure = self._failure(setting, setting.n, setting.delta)
        if failure is None or failure[1] - setting.delta <= max(0.25 * self._hunt.worst, self._hunt.tolerance):
            return False
        self._keep(setting.n, setting.delta, failure, smaller=True)
        return True

    def _failure(self, problem: Any, n: int, delta: float) -> tuple[Any, float, float] | None:
        """Return the world, a lower end of the failure probability, and the probability; None where there is none."""
        try:
            world = problem.world() if isinstance(problem, _Setting) else problem
            found = check(self._hunt.theorem, world, n=n, delta=delta, rng=self._rng, stated=self._stated)
        except StatedWidthsError:
            raise
        except InvalidInputError:
            # No world, as nothing depends on the outcome; or not about such a problem, or a size that it refuses.
            return None
        level = found.event_failure
        return None if level is None else (world, level.low, level.probability)

    def _keep(self, n: int, delta: float, failure: tuple[Any, float, float], *, smaller: bool = False) -> None:
        world, low, probability = failure
        excess, ratio = low - delta, low / delta
        if smaller:
            self._hunt.witness, self._hunt.worst, self._hunt.nearest = {}, -math.inf, -math.inf
        self._hunt.report(excess, ratio, world=world, n=n, delta=delta, failure=probability)

    def _attempt(self, problem: Any, n: int, delta: float, stage: str) -> float | None:
        failure = self._failure(problem, n, delta)
        if failure is None:
            self._hunt.left -= _SKIPPED
            return None
        self._keep(n, delta, failure)
        self._hunt.spend(COST, stage)
        return failure[1] / delta

    def _try(self, setting: _Setting, stage: str) -> None:
        n = setting.n
        while n > 1 and count_types(n, len(setting.parts)) > _MOST_TYPES:
            n -= 1
        setting = replace(setting, n=n)
        ratio = self._attempt(setting, n, setting.delta, stage)
        if ratio is None:
            return
        if self._hunt.found:
            self._best = setting
        if all(abs(ratio - other) > 1e-12 for other, _ in self._near):
            self._near.append((ratio, setting))
        self._near.sort(key=lambda one: -one[0])
        del self._near[_REMEMBERED:]

    def _random(self) -> _Setting:
        # A union over few means hardly shows; a test of two models needs no more.
        rng = self._rng
        crowded = self._hunt.theorem.failure is None and rng.random() < 0.5
        n, delta = int(rng.integers(1, 8)), float(rng.choice(_DELTAS))
        if rng.random() < 0.25:
            n = round(_MOST_EXAMPLES ** rng.random())
        if rng.random() < 0.15:
            delta = float(np.round(rng.uniform(0.02, 0.95), 2))
        parts, losses = (_crowded if crowded else self._any)(rng)
        return _Setting(parts, losses, n, delta)

    def _any(self, rng: np.random.Generator) -> tuple[tuple[int, ...], FloatArray]:
        """Losses on 2 to 5 outcomes, mostly 0 or 1, with probabilities in sixteenths; more, later in the search."""
        late = rng.random() < min(0.5, self._hunt.tried / 100_000)
        s = int(rng.integers(2, 9 if late else 6))
        most_h, most_n = self._hunt.space.largest(self._hunt.tried)
        low_h, low_n = self._hunt.space.n_hypotheses[0], self._hunt.space.n_objectives[0]
        n_hypotheses = int(rng.integers(low_h, max(low_h, most_h if late else min(3, most_h)) + 1))
        n_objectives = int(rng.integers(low_n, max(low_n, most_n if late else min(3, most_n)) + 1))
        parts = rng.multinomial(_PARTS - s, np.full(s, 1.0 / s)) + 1
        losses = rng.integers(0, 2, (s, n_hypotheses, n_objectives)).astype(np.float64)
        if rng.random() < 0.2:
            losses = rng.integers(0, 5, losses.shape) / 4.0
        losses[0, 0, 0], losses[1, 0, 0] = 0.0, 1.0  # something depends on the outcome
        for i in range(1, n_objectives):
            if rng.random() < 0.2:
                losses[:, :, i] = losses[:1, :, i]  # known, whatever the outcome
        return tuple(parts.tolist()), losses

    def _moved(self, setting: _Setting) -> _Setting:
        """Change a part of the probability, a loss, the size or the level."""
        rng = self._rng
        parts, losses, n, delta = np.array(setting.parts), setting.losses.copy(), setting.n, setting.delta
        for _ in range(int(rng.integers(1, 3))):
            kind = int(rng.integers(6))
            if kind == 0:
                k = int(rng.integers(parts.size))
                parts[k] = max(1, parts[k] + int(rng.integers(-3, 4)))
            elif kind == 1 and parts.sum() < 2**20:
                parts = parts * 2
                k = int(rng.integers(parts.size))
                parts[k] = max(1, parts[k] + int(rng.integers(-1, 2)))
            elif kind == 2:
                place = tuple(int(rng.integers(size)) for size in losses.shape)
                losses[place] = 1.0 - losses[place]
            elif kind == 3:
                n = max(1, int(n * rng.choice([0.5, 2.0])) if rng.random() < 0.3 else n + int(rng.integers(-1, 2)))
                n = min(n, _MOST_EXAMPLES)
            else:
                delta = float(np.clip(float(f"{delta * math.exp(0.4 * rng.standard_normal()):.2g}"), 1e-4, 0.98))
        return _Setting(tuple(parts.tolist()), losses, n, delta)


def _simple_settings() -> Iterator[_Setting]:
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
                yield _Setting(parts, losses, n, delta)


def _table(column: list[list[float]]) -> FloatArray:
    return np.array(column)[:, :, None]


def _parities(coins: int) -> FloatArray:
    """Return the parities of k fair coins: 2^k - 1 fair coins of which any two are independent."""
    outcomes = np.arange(2**coins)
    odd: FloatArray = (np.bitwise_count(outcomes[:, None] & outcomes[None, 1:]) % 2).astype(np.float64)
    return odd


def _crowded(rng: np.random.Generator) -> tuple[tuple[int, ...], FloatArray]:
    """Return a world of many means that deviate at different times: errors that exclude each other, or parities.

    What a union bound allows for, with few outcomes.
    """
    columns = np.eye(int(rng.integers(4, 13))) if rng.random() < 0.5 else _parities(int(rng.integers(2, 5)))
    s, count = columns.shape
    n_objectives = int(rng.choice([1, count, int(rng.integers(1, count + 1))]))
    n_hypotheses = -(-count // n_objectives)
    cells = np.resize(rng.permutation(count), n_hypotheses * n_objectives)
    return (1,) * s, columns[:, cells].reshape(s, n_hypotheses, n_objectives)


def _smaller(setting: _Setting) -> Iterator[_Setting]:
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
