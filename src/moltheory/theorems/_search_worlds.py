"""The search over worlds, whose failure probability is exact: simple ones, random ones, polishing of the best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from moltheory.errors import InvalidInputError
from moltheory.problems import FiniteProblem
from moltheory.theorems._check import Stated, StatedWidthsError, check
from moltheory.theorems._hunt import Hunt
from moltheory.theorems._world_families import FAMILIES, Member, draw_member, moved_member
from moltheory.theorems._world_settings import (
    Setting,
    crowded,
    draw_delta,
    draw_size,
    moved,
    rounded,
    simple_settings,
    smaller,
    sparse,
)

__all__ = ["COST", "WorldSearch"]

# What a world counts as, in tries.
COST = 100
# What a small budget pays for simple worlds.
_SIMPLE = 5_000
# What the budget pays for a world that the statement is not about: nothing was tried, but time has passed.
_SKIPPED = 20
_REMEMBERED, _SHARE_POLISHED, _SHARE_KNOWN, _SHARE_LEVEL = 12, 0.5, 0.5, 0.3
_MOST_SMALLER = 300
# Sizes and levels that each given problem is tried at; that a refused world is tried at; of a search for a level.
_PER_PROBLEM, _AGAIN, _LEVELS = 8, 3, 6
# Problems of each family that are tried before the statement counts as not being about it.
_PROBES = 8


class WorldSearch:
    """Worlds of few outcomes and families in closed form, at several sample sizes and levels."""

    def __init__(self, hunt: Hunt, rng: np.random.Generator, stated: Stated | None) -> None:
        self._hunt, self._rng, self._stated = hunt, rng, stated
        self._near: list[tuple[float, Setting | Member]] = []
        self._best: Setting | Member | None = None
        # Where the statement has applied: sizes and levels, and how many problems of each family.
        self._known: list[tuple[int, float]] = []
        self._applied = dict.fromkeys(FAMILIES, 0)
        self._probes = dict.fromkeys(FAMILIES, 0)

    def given(self, problems: list[FiniteProblem]) -> None:
        """Try each problem that is given at several sizes and levels, with at most half of the budget."""
        share = self._hunt.left / 2.0
        for turn in range(_PER_PROBLEM):
            for problem in problems:
                if self._hunt.over or (turn and self._hunt.left <= share):
                    return
                n, delta = int(self._rng.integers(1, 8)), draw_delta(self._rng)
                self._attempt(problem, n, delta, "given problems")

    def simple(self) -> None:
        """Try worlds that a theorist would try by hand, with at most a tenth of the budget, or 50 worlds of it."""
        least = min(0.9 * self._hunt.left, self._hunt.left - _SIMPLE)
        for setting in simple_settings():
            if self._hunt.over or self._hunt.left < least:
                return
            self._try(setting, "simple worlds")

    def turn(self) -> None:
        """Try one random problem, or move one of the best."""
        rng = self._rng
        if self._near and rng.random() < _SHARE_POLISHED:
            k = min(int(rng.geometric(0.4)) - 1, len(self._near) - 1)
            best = self._near[k][1]
            one = moved_member(rng, best) if isinstance(best, Member) else moved(rng, best)
            self._try(one, "polishing")
            return
        family = self._family()
        if family:
            self._try(draw_member(rng, family), family)
            return
        one = self._random()
        if self._try(one, "random worlds") is not None:
            return
        # Not at this size or level: the same world at others, first where the statement has applied to another one.
        for _ in range(_AGAIN):
            if self._hunt.over:
                return
            known = bool(self._known) and rng.random() < _SHARE_KNOWN
            n, delta = (
                self._known[int(rng.integers(len(self._known)))]
                if known
                else (draw_size(rng, one.most), draw_delta(rng))
            )
            if self._try(one.at(n, delta), "random worlds") is not None:
                return

    def _family(self) -> str:
        """Return a family to draw from, or nothing: each at first, later where the statement applies to it."""
        for name in FAMILIES:
            if self._probes[name] < _PROBES and self._rng.random() < 0.25:
                self._probes[name] += 1
                return name
        fitting = [name for name in FAMILIES if self._applied[name]]
        return fitting[int(self._rng.integers(len(fitting)))] if fitting and self._rng.random() < 0.5 else ""

    def shrink(self) -> None:
        """Replace the witness by a smaller world in which the statement fails too."""
        setting, tries = self._best, 0
        while isinstance(setting, Setting) and tries < _MOST_SMALLER:
            options, setting = smaller(setting), None
            for option in options:
                tries += 1
                if self._still_fails(option):
                    setting = option
                    break

    def _still_fails(self, setting: Setting) -> bool:
        self._hunt.stages["minimization"] += COST
        failure = self._failure(setting, setting.n, setting.delta)
        if isinstance(failure, str):
            return False
        if failure[1] - setting.delta <= max(0.25 * self._hunt.worst, self._hunt.tolerance):
            return False
        self._keep(setting.n, setting.delta, failure, smaller=True)
        return True

    def _failure(self, problem: Any, n: int, delta: float) -> tuple[Any, float, float] | str:
        """Return the world, a lower end of the failure probability, and the probability; why not, where there is none."""
        try:
            world = problem.problem if isinstance(problem, Setting | Member) else problem
            found = check(self._hunt.theorem, world, n=n, delta=delta, rng=self._rng, stated=self._stated)
        except StatedWidthsError:
            raise
        except InvalidInputError as reason:
            # No world, as nothing depends on the outcome; or not about such a problem, or a size that it refuses.
            return str(reason)
        except (AttributeError, TypeError) as reason:
            # A statement about finite worlds asks for what they have, and problems in closed form do not.
            if not isinstance(problem, Member):
                raise
            return str(reason)
        level = found.event_failure
        return "no widths are stated" if level is None else (world, level.low, level.probability)

    def _keep(self, n: int, delta: float, failure: tuple[Any, float, float], *, smaller: bool = False) -> None:
        world, low, probability = failure
        excess, ratio = low - delta, low / delta
        hunt = self._hunt
        if smaller:
            hunt.witness, hunt.worst, hunt.nearest = {}, -math.inf, -math.inf
        elif excess <= hunt.tolerance and not hunt.found:
            # Nearest in units of the level: small levels make all differences small.
            if ratio <= hunt.nearest:
                return
            hunt.worst = -math.inf
        hunt.report(excess, ratio, world=world, n=n, delta=delta, failure=probability)

    def _attempt(self, problem: Any, n: int, delta: float, stage: str) -> float | None:
        failure = self._failure(problem, n, delta)
        if isinstance(failure, str):
            self._hunt.pass_over(stage, failure)
            self._hunt.left -= _SKIPPED
            return None
        self._keep(n, delta, failure)
        self._hunt.spend(COST, stage)
        return failure[1] / delta

    def _try(self, setting: Setting | Member, stage: str) -> float | None:
        setting = setting.at(setting.n, setting.delta)
        ratio = self._attempt(setting, setting.n, setting.delta, stage)
        if ratio is None and isinstance(setting, Member):
            # Lower bounds speak of large levels only.
            setting = setting.at(setting.n, rounded(1.0))
            ratio = self._attempt(setting, setting.n, setting.delta, stage)
        if ratio is None:
            return None
        self._note(setting)
        if self._rng.random() < _SHARE_LEVEL and not self._hunt.over:
            setting, ratio = self._least_level(setting, ratio, stage)
        if self._hunt.found:
            self._best = setting
        if all(abs(ratio - other) > 1e-12 for other, _ in self._near):
            self._near.append((ratio, setting))
        self._near.sort(key=lambda one: -one[0])
        del self._near[_REMEMBERED:]
        return ratio

    def _note(self, setting: Setting | Member) -> None:
        if isinstance(setting, Member):
            self._applied[setting.family] += 1
        elif len(self._known) < 64:
            self._known.append((setting.n, setting.delta))

    def _least_level(self, setting: Any, ratio: float, stage: str) -> tuple[Any, float]:
        """Lower the level as far as the statement applies and its failures become no fewer in comparison."""
        share = 0.5
        for _ in range(_LEVELS):
            lower = setting.at(setting.n, rounded(share * setting.delta))
            if self._hunt.over or lower.delta >= setting.delta:
                break
            found = self._attempt(lower, lower.n, lower.delta, stage)
            if found is None or found < ratio:
                share = math.sqrt(share)
            else:
                setting, ratio = lower, found
        return setting, ratio

    def _random(self) -> Setting:
        rng, hunt = self._rng, self._hunt
        # A union over few means hardly shows; a test of two models needs no more.
        if hunt.theorem.failure is None and rng.random() < 0.5:
            parts, losses = crowded(rng)
        else:
            least = hunt.space.n_hypotheses[0], hunt.space.n_objectives[0]
            many = rng.random() < min(0.5, hunt.tried / 100_000)
            parts, losses = sparse(rng, least, hunt.space.largest(hunt.tried), many=many)
        one = Setting(parts, losses, 1, draw_delta(rng))
        return one.at(draw_size(rng, one.most), one.delta)
