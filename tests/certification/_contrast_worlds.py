"""Measures of groups, p-values of their contrasts, and losses of models that err on the same examples."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from moltheory.certification._contrasts import bet_p_values, contrast_p_values, with_contrasts
from moltheory.certification._matched_units import matched_units
from moltheory.evaluation._comparison import read_comparison
from moltheory.evaluation._objectives import Objective
from moltheory.objectives import Gap, Measure, Rate, Spread, Worst
from moltheory.objectives._measure_contract import forms_of

Array = np.ndarray[Any, Any]


def objective_of(measure: Measure, loss_range: tuple[float, float] = (0.0, 1.0), clusters: Any = None) -> Objective:
    problem = read_comparison(None, objectives={"o": measure}, loss_range=loss_range, clusters=clusters)
    return with_contrasts(problem).objectives[0]


def p_of(measure: Measure, level: float = 0.01, shift: float = 0.0, **more: Any) -> Array:
    entry = objective_of(measure, more.pop("loss_range", (0.0, 1.0)))
    found = contrast_p_values(entry, shift, -math.log(level), **more)
    assert found is not None
    return found


def groups_of(sizes: tuple[int, ...]) -> Array:
    return np.repeat(np.arange(len(sizes)), sizes)


def measure_of(kind: str, losses: Array, group: Array) -> Measure:
    rates = [Rate(losses, group == g) for g in range(int(group.max()) + 1)]
    built: dict[str, Callable[[], Measure]] = {
        "gap": lambda: Gap(*rates),
        "spread": lambda: Spread(rates),
        "worst": lambda: Worst(rates),
        "worst of gaps": lambda: Worst([Gap(*rates[:2]), Gap(*rates[2:])]),
    }
    return built[kind]()


def p_of_pairs(measure: Measure, level: float, shift: float = 0.0) -> Array:
    """P-values of the pairs of models (0, 1), (2, 3), ... against "the first is not below the second + shift"."""
    forms = forms_of("measure", measure)
    assert forms is not None
    units = matched_units(measure.cells, (0.0, 1.0))
    first = np.arange(0, units.shape[1], 2)
    return bet_p_values(units, forms, (0.0, 1.0), shift, first, first + 1, np.full(first.size, -math.log(level)))


def one_draw(rates: tuple[tuple[float, ...], ...], n: int, seed: int) -> tuple[Array, Array]:
    """Losses (n, M) of models that err on the same examples as far as their rates allow, and the groups."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, len(rates), n)
    return rng.random((n, 1)) < np.array(rates)[group], group
