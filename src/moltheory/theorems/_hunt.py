"""The state of a search: what is left of its budget, what was searched, and what came nearest to a violation."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.theorems._assumptions import EVENT, NotApplicableError
from moltheory.theorems._check_pair import evaluate_violation
from moltheory.theorems._columns import TOLERANCE
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._search_space import Shape, Space
from moltheory.theorems._statement import Theorem

__all__ = ["Hunt", "relative"]


class Hunt:
    """Keeps the worst so far and what is left of the budget."""

    def __init__(self, theorem: Theorem, space: Space, *, budget: int | None, seconds: float | None) -> None:
        self.theorem, self.space = theorem, space
        self.left: float = math.inf if budget is None else budget
        self.tried = 0
        self.worst, self.nearest = -math.inf, -math.inf
        self.witness: dict[str, Any] = {}
        self.stages: Counter[str] = Counter()
        self.shapes: Counter[Shape] = Counter()
        self.passed_over: Counter[str] = Counter()
        self.reason = ""
        self._started = time.perf_counter()
        self._end = math.inf if seconds is None else self._started + seconds
        self._bare = replace(theorem, assumptions=())
        # Widths are never below the deviations, so E holds.
        self._assumptions = [one for one in theorem.assumptions if one is not EVENT]
        self.tolerance = TOLERANCE * max(1.0, *map(abs, space.risk_range))

    @property
    def over(self) -> bool:
        """Whether a violation is found or the budget is spent."""
        return self.found or self.left <= 0 or time.perf_counter() > self._end

    @property
    def found(self) -> bool:
        """Whether there is a violation beyond rounding."""
        return self.worst > self.tolerance

    @property
    def seconds(self) -> float:
        """How long the search has taken."""
        return time.perf_counter() - self._started

    def room(self, count: int) -> int:
        """Return how many of so many tries are left."""
        return count if self.left >= count else max(int(self.left), 0)

    def spend(self, count: int, stage: str, shape: Shape | None = None) -> None:
        """Count tries of a stage, and of a shape of tables."""
        self.left -= count
        self.tried += count
        self.stages[stage] += count
        if shape is not None:
            self.shapes[shape] += count

    def pass_over(self, stage: str, reason: str) -> None:
        """Count what a stage made that the statement is not about, and keep the last reason."""
        self.passed_over[stage] += 1
        self.reason = reason

    def report(self, value: float, nearest: float, **witness: Any) -> None:
        """Keep a witness if none violates the statement by more."""
        self.nearest = max(self.nearest, nearest)
        if value > self.worst or not self.witness:
            self.worst, self.witness = value, witness

    def violations(self, true: Any, empirical: Any, widths: FloatArray, inputs: Inputs) -> FloatArray:
        """Return violations of pairs (R, H, N), -inf where an assumption excludes them."""
        if not isinstance(true, np.ndarray):
            return np.broadcast_to(self._of_objects(true, empirical, widths, inputs), widths.shape[:-1])
        known = {"true": true, "empirical": empirical, "widths": widths, **inputs}
        kept = np.ones(widths.shape[0], dtype=np.bool_)
        for assumption in self._assumptions:
            kept &= assumption.evaluate(known)
            # The next ones may presume it.
            if not kept.any():
                break
        out = np.full(widths.shape[0], -np.inf)
        if not kept.any():
            return out
        if not kept.all():
            true = true[kept] if true.ndim == 3 else true
            empirical, widths = empirical[kept], widths[kept]
        # Inputs that the statement is not about; any other error is a mistake in the statement.
        with contextlib.suppress(NotApplicableError):
            out[kept] = evaluate_violation(self._bare, true, empirical, widths, inputs)
        return out

    def _of_objects(self, true: Any, empirical: Any, widths: FloatArray, inputs: Inputs) -> FloatArray:
        """Return violations of pairs of something else than tables."""
        try:
            return evaluate_violation(self.theorem, true, empirical, widths, inputs)
        except NotApplicableError:
            return np.array(-np.inf)


def relative(violation: FloatArray, widths: FloatArray) -> FloatArray:
    """Return violations in units of the largest width: slacks of small deviations are small, and show nothing."""
    width = widths.max(axis=-1)
    idle = np.where(violation > TOLERANCE, np.inf, -np.inf)
    scaled: FloatArray = np.divide(violation, width, out=idle, where=width > 0.0)
    return scaled
