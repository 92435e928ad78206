"""Where the losses of a race come from: a function or a table; and what they cost."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import few, quoted
from moltheory._core._validation import FloatArray, check_real
from moltheory.certification._race_answers import read_losses, read_pair_losses, read_table
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence

__all__ = ["Prices", "Source"]

Bools = npt.NDArray[np.bool_]
Ask = Callable[[Any, range], npt.ArrayLike]


@dataclass(frozen=True)
class Prices:
    """Cost of each objective of each model on one example, `cells` (M, N), and of a whole model, `models` (M,)."""

    cells: FloatArray
    models: FloatArray

    @classmethod
    def of(cls, costs: object, models: tuple[str, ...], objectives: tuple[str, ...]) -> Prices:
        """Return the costs in a mapping; None is 1 for each model.

        Raises
        ------
        InvalidInputError
            If a model or an objective is missing or unknown, or a cost is not a number > 0.
        """
        cells, totals = np.empty((len(models), len(objectives))), np.ones(len(models))
        cells[:] = 1.0 / len(objectives)
        if costs is None:
            return cls(cells, totals)
        if not isinstance(costs, Mapping) or set(costs) != set(models):
            found = few(_apart(models, costs)) if isinstance(costs, Mapping) else type(costs).__name__
            raise InvalidInputError(
                f"`evaluation_costs` must map every model to a number > 0, or to one for each objective, got {found}."
            )
        for h, name in enumerate(models):
            each = costs[name]
            if not isinstance(each, Mapping):
                totals[h] = _positive(each)
                cells[h] = totals[h] / len(objectives)
                continue
            if set(each) != set(objectives):
                raise InvalidInputError(
                    f"`evaluation_costs` must have one cost for each of the objectives {few(objectives)}, got "
                    f"{few(_apart(objectives, each))} missing or unknown in {quoted(name)}."
                )
            cells[h] = [_positive(each[objective]) for objective in objectives]
            totals[h] = math.fsum(cells[h])
        return cls(cells, totals)

    def spent(self, asked: npt.NDArray[Any]) -> float:
        """Return the cost of evaluations (M, N), numbers of examples."""
        whole = (asked == asked[:, :1]).all()
        return float(asked[:, 0] @ self.models if whole else (asked * self.cells).sum())


def _apart(expected: tuple[str, ...], found: Mapping[Any, Any]) -> list[Any]:
    return sorted(set(expected) ^ set(found), key=str)


def _positive(value: object) -> float:
    number = check_real("evaluation_costs", value)
    if number <= 0.0:
        raise InvalidInputError(f"`evaluation_costs` must be > 0, got {number:g}.")
    return number


@dataclass(frozen=True)
class Source:
    """Losses of the models that are asked for, `available` examples; `origin` tells tables and their orders apart."""

    ask: Ask
    models: tuple[str, ...]
    objectives: tuple[str, ...]
    apart: bool
    available: float = math.inf
    origin: str = "function"

    @classmethod
    def of(
        cls, evaluate: Any, models: tuple[str, ...], objectives: tuple[str, ...], rng: RandomSource, *, apart: bool
    ) -> Source:
        """Return the source of a function, or of a table whose examples are taken in random order.

        Raises
        ------
        InvalidInputError
            If it is neither, or the table is not of these models.
        """
        seed = as_seed_sequence(rng)
        if callable(evaluate):
            return cls(evaluate, models, objectives, apart)
        table = read_table(evaluate, models, objectives)
        order = np.random.default_rng(seed).permutation(table.shape[0])
        rows, columns = {name: h for h, name in enumerate(models)}, {name: k for k, name in enumerate(objectives)}

        def look_up(asked: Any, examples: range) -> npt.NDArray[Any]:
            drawn = table[order[examples.start : examples.stop]]
            if apart:
                return np.asarray(drawn[:, [rows[model] for model, _ in asked], [columns[name] for _, name in asked]])
            return np.asarray(drawn[:, [rows[model] for model in asked]])

        # Sums over shuffled examples cannot show which of them they are of.
        found = hashlib.sha256(f"{table.dtype.str} {table.shape}".encode())
        found.update(np.ascontiguousarray(table).data)
        found.update(order.data)
        return cls(look_up, models, objectives, apart, table.shape[0], f"table {found.hexdigest()}")

    def rows(self, cells: Bools, examples: range) -> FloatArray:
        """Return losses (b, M, N) of examples, NaN where `cells` (M, N) are not asked for.

        Raises
        ------
        InvalidInputError
            If the answer has another shape or other names, or is not of numbers.
        """
        rows = np.full((len(examples), *cells.shape), np.nan)
        if self.apart:
            first, second = np.nonzero(cells)
            pairs = zip(first.tolist(), second.tolist(), strict=True)
            names = tuple((self.models[h], self.objectives[k]) for h, k in pairs)
            rows[:, first, second] = read_pair_losses(self.ask(names, examples), len(examples), len(names))
        else:
            active = np.flatnonzero(cells.any(axis=1))
            asked = tuple(self.models[h] for h in active.tolist())
            rows[:, active] = read_losses(self.ask(asked, examples), len(examples), asked, self.objectives)
        return rows
