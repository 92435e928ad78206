"""Inputs of a statement in a search: candidates, random ones, and moves inside the range that random ones have."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Scalarization
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem, no_inputs

__all__ = ["InputSource", "read_candidates"]

# Distinct values of a parameter from which its range counts as continuous.
_MANY = 5
# Moved numbers are multiples of 2^-10 where their sum is kept, so that weighted sums of risks stay exact.
_FINEST = 10
_SHARE_CASES = 0.25
_Key = tuple[int, str, str, str]


def read_candidates(inputs: Any) -> list[Inputs] | None:
    """Return inputs to try as a list of mappings, None where none are given."""
    if inputs is None:
        return None
    given = [inputs] if isinstance(inputs, Mapping) else inputs
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise InvalidInputError(f"`inputs` must be a mapping of names to values, or a list of such, got {inputs!r}.")
    for one in given:
        if not isinstance(one, Mapping) or not all(isinstance(name, str) for name in one):
            raise InvalidInputError(f"`inputs` must hold mappings of names to values, got {one!r}.")
    return [dict(one) for one in given]


class InputSource:
    """Where the inputs of a search come from: candidates that are given, else those of the statement."""

    def __init__(self, theorem: Theorem, given: list[Inputs] | None) -> None:
        self._theorem, self._given = theorem, given
        self._seen: dict[_Key, list[FloatArray]] = {}

    @property
    def is_fixed(self) -> bool:
        """Whether there are no inputs at all, so that objectives may be left out of a pair."""
        return self._given is None and self._theorem.draw is None and self._theorem.cases is no_inputs

    def fitting(self, low: int, high: int, limit: float) -> list[int]:
        """Return the numbers of objectives that the scalarizations among the inputs are made for; all where none is."""
        if self.is_fixed:
            return list(range(low, high + 1))
        rng = np.random.default_rng(0)
        found = []
        for n in range(low, high + 1):
            true = np.broadcast_to(limit * np.linspace(0.0, 1.0, 3)[:, None], (1, 3, n)).copy()
            if any(_fits(one, n) for one in self.candidates(rng, true, np.full(n, limit))):
                found.append(n)
        return found

    def candidates(self, rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> list[Inputs]:
        """Return all that is given, or the cases of the statement and one random draw."""
        if self._given is not None:
            return self._given
        drawn = [] if self._theorem.draw is None else [self._theorem.draw(rng, true, limits)]
        if self._theorem.draw is not None and self._theorem.cases is no_inputs:
            return drawn
        return [*self._theorem.cases(true, limits), *drawn]

    def draw(self, rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs | None:
        """Return random inputs for tables of risks; None where they are made for another number of objectives."""
        if self._given is not None:
            cases: Sequence[Inputs] = self._given
        elif self._theorem.draw is not None and (
            self._theorem.cases is no_inputs or rng.random() >= _SHARE_CASES or not true.size
        ):
            one = self._theorem.draw(rng, true, limits)
            self._remember(true.shape[-1], one)
            cases = [one]
        else:
            cases = self._theorem.cases(true, limits)
        fitting = [one for one in cases if _fits(one, true.shape[-1])]
        return fitting[int(rng.integers(len(fitting)))] if fitting else None

    def moved(self, rng: np.random.Generator, inputs: Inputs, n_objectives: int) -> Inputs | None:
        """Return inputs of which one parameter is moved inside the range in which `draw` varies it, if it does."""
        movable = []
        for name, value in inputs.items():
            for field, old in _parameters(value).items():
                seen = self._seen.get((n_objectives, name, type(value).__name__, field), [])
                same = [one for one in seen if one.shape == old.shape]
                if len({one.tobytes() for one in same}) >= _MANY:
                    movable.append((name, field, old, np.stack(same)))
        if not movable:
            return None
        name, field, old, values = movable[int(rng.integers(len(movable)))]
        changed = _rebuilt(inputs[name], field, _moved_parameter(rng, old, values))
        return None if changed is None else {**inputs, name: changed}

    def _remember(self, n_objectives: int, inputs: Inputs) -> None:
        for name, value in inputs.items():
            for field, number in _parameters(value).items():
                seen = self._seen.setdefault((n_objectives, name, type(value).__name__, field), [])
                if len(seen) < 64:
                    seen.append(number)


def _fits(inputs: Inputs, n_objectives: int) -> bool:
    counts = [one.n_objectives for one in inputs.values() if isinstance(one, Scalarization)]
    return all(count == n_objectives for count in counts)


def _parameters(value: Any) -> dict[str, FloatArray]:
    """Return the numbers that a value is made of, by the argument that takes them; "" for the value itself."""
    if isinstance(value, Scalarization):
        try:
            names = list(inspect.signature(type(value)).parameters)
        except (TypeError, ValueError):
            return {}
        return {name: found[""] for name in names if (found := _numbers(getattr(value, name, None)))}
    return _numbers(value)


def _numbers(value: Any) -> dict[str, FloatArray]:
    if isinstance(value, bool | int | np.integer) or not isinstance(value, float | tuple | list | np.ndarray):
        return {}
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return {}
    return {"": numbers} if numbers.ndim <= 1 and numbers.size and np.isfinite(numbers).all() else {}


def _moved_parameter(rng: np.random.Generator, old: FloatArray, values: FloatArray) -> FloatArray:
    low, high = values.min(axis=0), values.max(axis=0)
    size = 0.5 ** rng.integers(1, 9) * (high - low)
    new = np.asarray(np.clip(old + rng.standard_normal(old.shape) * size, low, high))
    total = values.sum(axis=-1) if old.ndim else np.zeros(0)
    if total.size and np.ptp(total) <= 1e-9 and total[0] > 0.0:
        new = np.ldexp(np.rint(np.ldexp(new * (total[0] / new.sum()), _FINEST)), -_FINEST)
        top = int(new.argmax())
        new[top] += round(float(total[0]), 9) - new.sum()
        return new if (new > 0.0).all() or (low <= 0.0).any() else old
    digits = 3 - np.ceil(np.log10(np.maximum(np.abs(new).max(), 1e-12)))
    rounded: FloatArray = np.clip(np.round(new, int(digits)), low, high)
    return rounded


def _rebuilt(value: Any, field: str, number: FloatArray) -> Any:
    """Return a value with other numbers; None where it cannot be made again from what it shows."""
    plain = float(number) if number.ndim == 0 else number
    if not isinstance(value, Scalarization):
        return tuple(number.tolist()) if isinstance(value, tuple) else plain
    try:
        names = list(inspect.signature(type(value)).parameters)
        given = {name: getattr(value, name) for name in names} | {field: plain}
        return type(value)(**given)
    except (AttributeError, TypeError, ValueError):
        return None
