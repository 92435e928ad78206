"""When the converse comes back: interior weights, strongly monotone scalarizations, pruning with slack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import interior_weights, slack_guarantee, strongly_monotone
from moltheory.bounds._converse import pruned_with_margin
from moltheory.scalarization import Chebyshev, Scalarization, WeightedSum
from moltheory.theorems._assumptions import EVENT, FINITE, MODULUS, POSITIVE_WEIGHTS
from moltheory.theorems._columns import (
    TIE,
    TOLERANCE,
    chosen,
    columns,
    front_gaps,
    largest,
    lead_axes,
    members,
    rows_last,
    scale_of,
    shortfalls,
    width_columns,
)
from moltheory.theorems._generalization_statements import random_weights, spread_weights
from moltheory.theorems._statement import Assumption, Inputs, Theorem

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


def errors_of_pruning(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    t: float,
    loss_range: float,
    spread: float | None = None,
    falling: float | None = None,
    ends: float = 1.0,
) -> FloatArray:
    """Purity and coverage error of the survivors, beyond the guarantees.

    For wrong variants `spread` replaces N - 1 in the rule, `falling` replaces it in the coverage, `ends` the 1 there.
    """
    lead, n_objectives = lead_axes(true, empirical), true.shape[-1]
    table, c = columns(true, lead), width_columns(widths, lead).max(axis=0)
    factor = n_objectives - 1.0 if spread is None else spread
    # Ties of the rule are read against the violation: the impure must survive any reading, the near need one only.
    slack, margin = 4.0 * TIE * scale_of(true, empirical), 2.0 * factor * c + t
    certain, survivors = (
        rows_last(pruned_with_margin(empirical, widths + s, margin - s), lead) for s in (slack, -slack)
    )
    optimal = members(true, lead)
    to_front: FloatArray = np.array(np.inf)
    coverage: FloatArray = np.array(-np.inf)
    for h, gaps in enumerate(shortfalls(table, table)):
        distance = np.maximum(gaps, 0.0)
        to_front = np.minimum(to_front, np.where(optimal[h], distance, np.inf))
        nearest = np.where(survivors, distance, np.inf).min(axis=0)
        coverage = np.maximum(coverage, np.where(optimal[h], nearest, -np.inf))
    purity = largest(to_front, certain)
    allowed_purity = t + 2.0 * n_objectives * c
    others = n_objectives - 1.0 if falling is None else falling
    allowed_coverage = 2.0 * c * (others * loss_range / (2.0 * c + t) + ends)
    worst: FloatArray = np.maximum(purity - allowed_purity, coverage - allowed_coverage)
    return worst


def _inside(true: FloatArray, empirical: FloatArray, loss_range: float) -> Any:
    slack = TOLERANCE * scale_of(true, empirical)
    low = np.minimum(true.min(axis=(-2, -1)), empirical.min(axis=(-2, -1)))
    high = np.maximum(true.max(axis=(-2, -1)), empirical.max(axis=(-2, -1)))
    return (low >= -slack) & (high <= loss_range + slack)


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


def _slack_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    size = float(limits.max())
    return [{"t": share * size, "loss_range": size} for share in (0.03125, 0.25)]


def _draw_slack(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    size = float(limits.max())
    return {"t": size * float(rng.choice([0.015625, 0.0625, 0.25])), "loss_range": size}


_WIDTHS = "joint widths C, (..., N)"

THEOREMS = (
    Theorem(
        id="interior-weights",
        statement="on E, hhat minimising sum_i w_i Lhat_i with w > 0: L_i(hhat) - L_i(h*) <= 2 (sum_j w_j C_j) / w_i "
        "for every h* in P with L(h*) <= L(hhat)",
        source="derived",
        provenance="derived",
        violation=impurity_of_sums,
        assumptions=(FINITE, EVENT, POSITIVE_WEIGHTS),
        inputs={"widths": _WIDTHS, "weights": "w, (N,)"},
        value=lambda widths, weights: interior_weights(widths, weights=weights),
        function="bounds.interior_weights",
        figure="weights",
        cases=_weight_cases,
        draw=lambda rng, true, limits: {"weights": random_weights(rng, true.shape[-1])},
    ),
    Theorem(
        id="strongly-monotone",
        statement="on E, hhat minimising U(Lhat), U with modulus mu > 0: sum_i (L_i(hhat) - L_i(h*)) <= 2 U(C) / mu "
        "for every h* in P with L(h*) <= L(hhat)",
        source="derived",
        provenance="derived",
        violation=impurity_of_minimisers,
        assumptions=(FINITE, EVENT, MODULUS),
        inputs={"widths": _WIDTHS, "scalarization": "U with modulus > 0"},
        value=lambda widths, scalarization: strongly_monotone(widths, scalarization=scalarization),
        function="bounds.strongly_monotone",
        figure="weights",
        cases=_modulus_cases,
        draw=_draw_modulus,
    ),
    Theorem(
        id="slack-pruned",
        statement="on E, with e = 2 (N - 1) c + t and h deleted iff some h' has Lhat(h') <= Lhat(h) + 2 C and "
        "Lhat_j(h') < Lhat_j(h) - e for some j: survivors have purity <= t + 2 N c and "
        "coverage <= 2 c ((N - 1) B / (2 c + t) + 1)",
        source="derived",
        provenance="derived",
        violation=errors_of_pruning,
        assumptions=(
            FINITE,
            EVENT,
            Assumption("t > 0", "t", ("t",), lambda t: t > 0.0),
            Assumption(
                "all objectives, true and empirical, lie in [0, B]",
                "loss_range",
                ("true", "empirical", "loss_range"),
                _inside,
            ),
        ),
        inputs={"widths": _WIDTHS.replace("(..., N)", "(N,)"), "t": "slack > 0", "loss_range": "B"},
        value=lambda widths, t, loss_range: slack_guarantee(widths, t=t, loss_range=loss_range),
        function="bounds.slack_guarantee",
        cases=_slack_cases,
        draw=_draw_slack,
    ),
)
