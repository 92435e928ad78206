"""When the converse holds: interior weights and strongly monotone scalarizations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import interior_weights, strongly_monotone
from moltheory.scalarization import Chebyshev, Scalarization, WeightedSum
from moltheory.theorems._assumptions import EVENT, FINITE, MODULUS, NONNEGATIVE, POSITIVE_WEIGHTS
from moltheory.theorems._columns import chosen, front_gaps, largest, lead_axes, rows_last, width_columns
from moltheory.theorems._generalization_statements import random_weights, spread_weights
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS"]


def impurity_of_sums(true: FloatArray, empirical: FloatArray, widths: FloatArray, *, weights: FloatArray) -> FloatArray:
    """Largest L_i(hhat) - L_i(h*) of weighted-sum minimisers, beyond the bound of its objective."""
    lead = lead_axes(true, empirical)
    selected = chosen(rows_last(WeightedSum(weights)(empirical), lead))
    gaps, _ = front_gaps(true, lead)
    bound = width_columns(interior_weights(widths, weights=weights), lead)
    worst: FloatArray = np.array(-np.inf)
    for i in range(true.shape[-1]):
        worst = np.maximum(worst, largest(gaps[i], selected) - bound[i])
    return worst


def impurity_of_minimisers(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, scalarization: Scalarization, factor: float = 2.0
) -> FloatArray:
    """Largest sum of L_i(hhat) - L_i(h*) of minimisers of U(Lhat), beyond its bound."""
    lead = lead_axes(true, empirical)
    selected = chosen(rows_last(scalarization(empirical), lead))
    _, sums = front_gaps(true, lead)
    bound = 0.5 * factor * strongly_monotone(widths, scalarization=scalarization)
    excess: FloatArray = largest(sums, selected) - bound
    return excess


def _weight_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    w = spread_weights(true.shape[-1])
    return [{"weights": w}, {"weights": w[::-1].copy()}]


def _modulus_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    w = spread_weights(true.shape[-1])
    kinds = [Chebyshev(w, augmentation=0.25), WeightedSum(w)]
    return [{"scalarization": u} for u in kinds]


def _draw_modulus(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    w = random_weights(rng, true.shape[-1])
    rho = float(rng.choice([0.0625, 0.25, 1.0, 4.0]))
    return {"scalarization": Chebyshev(w, augmentation=rho) if rng.random() < 0.7 else WeightedSum(w)}


_WIDTHS = Input("widths", "joint half-widths C, (..., N)", example=[0.1, 0.2])

THEOREMS = (
    Theorem(
        id="interior-weights",
        statement="on E, hhat minimising sum_i w_i Lhat_i with w > 0: L_i(hhat) - L_i(h*) <= 2 (sum_j w_j C_j) / w_i "
        "for every h* in P with L(h*) <= L(hhat)",
        source="derived",
        provenance="derived",
        violation=impurity_of_sums,
        assumptions=(FINITE, EVENT, POSITIVE_WEIGHTS),
        inputs=(_WIDTHS, Input("weights", "w, (N,)", example=[0.5, 0.5])),
        value=lambda widths, weights: interior_weights(widths, weights=weights),
        function="bounds.interior_weights",
        figure="weights",
        cases=_weight_cases,
        draw=lambda rng, true, limits: {"weights": random_weights(rng, true.shape[-1])},
    ),
    Theorem(
        id="strongly-monotone",
        statement="on E, hhat minimising U(Lhat), U with modulus mu > 0: sum_i (L_i(hhat) - L_i(h*)) <= 2 W / mu "
        "for every h* in P with L(h*) <= L(hhat), W a width of U at C",
        source="derived",
        provenance="derived",
        violation=impurity_of_minimisers,
        assumptions=(FINITE, EVENT, MODULUS, NONNEGATIVE),
        inputs=(_WIDTHS, Input("scalarization", "U with modulus > 0", example=Chebyshev([0.5, 0.5], augmentation=0.1))),
        value=lambda widths, scalarization: strongly_monotone(widths, scalarization=scalarization),
        function="bounds.strongly_monotone",
        figure="weights",
        cases=_modulus_cases,
        draw=_draw_modulus,
    ),
)
