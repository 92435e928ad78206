"""When the converse holds: interior weights, strongly monotone scalarizations and p-norms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import interior_weights, p_norm_purity, strongly_monotone
from moltheory.scalarization import Chebyshev, PNorm, Scalarization, WeightedSum
from moltheory.theorems._assumptions import EVENT, FINITE, MODULUS, NONNEGATIVE, POSITIVE_WEIGHTS, Assumption
from moltheory.theorems._columns import (
    chosen,
    columns,
    front_gaps,
    largest,
    lead_axes,
    members,
    rows_last,
    width_columns,
)
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


def impurity_of_norms(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, scalarization: PNorm, factor: float = 1.0
) -> FloatArray:
    """Largest excess of ``(U(L(h*))^p + U(L(hhat) - L(h*))^p)^(1/p)`` beyond what U(C), times `factor`, allows it.

    This is the bound solved for U(C), in units of U: the p-th root of a small difference would turn rounding into a
    violation. The second form of the statement, with the smallest U(Lhat), is looked at too.
    """
    lead = lead_axes(true, empirical)
    values = rows_last(scalarization(empirical), lead)
    selected = chosen(values)
    optimal, table = members(true, lead), columns(true, lead)
    truth = rows_last(scalarization(true), lead)
    width, least = factor * scalarization.width(widths), values.min(axis=0)
    lowest = np.maximum(least - width, 0.0)
    worst: FloatArray = np.array(-np.inf)
    for h in range(table.shape[1]):
        gap = table - table[:, h : h + 1]
        qualifies = (gap >= 0.0).all(axis=0) & optimal[h] & selected
        apart = scalarization(np.moveaxis(np.where(qualifies, gap, 0.0), 0, -1))
        for start, limit in ((truth[h], truth[h] + 2.0 * width), (lowest, least + width)):
            excess = _joined(start, apart, scalarization.p) - limit
            worst = np.maximum(worst, largest(excess, qualifies))
    return worst


def _joined(first: FloatArray, second: FloatArray, p: float) -> FloatArray:
    """Return the p-norm of two nonnegative numbers."""
    top = np.maximum(first, second)
    scale = np.where(top > 0.0, top, 1.0)
    result: FloatArray = scale * ((first / scale) ** p + (second / scale) ** p) ** (1.0 / p)
    return result


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


def _norm_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    w = spread_weights(true.shape[-1])
    return [{"scalarization": PNorm(w, 2.0)}, {"scalarization": PNorm(w[::-1].copy(), 4.0)}]


def _draw_norm(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    return {"scalarization": PNorm(random_weights(rng, true.shape[-1]), float(rng.choice([1.0, 1.25, 2.0, 4.0])))}


_NORM = Assumption(
    "U is a p-norm with all weights > 0 and p < inf",
    "scalarization",
    ("scalarization",),
    # The proxy that remembers values is no PNorm itself.
    lambda scalarization: 1.0 <= getattr(scalarization, "p", math.inf) < math.inf and min(scalarization.weights) > 0.0,
)
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
    Theorem(
        id="p-norm-purity",
        statement="on E, hhat minimising U(Lhat), U(v) = (sum_i (w_i v_i)^p)^(1/p) with w > 0 and p < inf: w_i (L_i(hhat) - "
        "L_i(h*)) <= U(L(hhat) - L(h*)) <= ((v + 2 U(C))^p - v^p)^(1/p) for every h* in P with L(h*) <= L(hhat), "
        "v = U(L(h*)); and <= ((u + U(C))^p - max(u - U(C), 0)^p)^(1/p), u = min U(Lhat)",
        source="derived",
        provenance="derived",
        violation=impurity_of_norms,
        assumptions=(FINITE, EVENT, NONNEGATIVE, _NORM),
        inputs=(
            _WIDTHS,
            Input("scalarization", "U, a PNorm with w > 0 and p < inf", example=PNorm([0.5, 0.5], 2.0)),
            Input("value", "v >= U(L(h*)), or u where empirical", example=0.5),
            Input("empirical", "whether the value is u", optional=True, example=True),
        ),
        value=lambda widths, scalarization, **options: p_norm_purity(widths, scalarization=scalarization, **options),
        function="bounds.p_norm_purity",
        cases=_norm_cases,
        draw=_draw_norm,
    ),
)
