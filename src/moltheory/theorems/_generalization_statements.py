"""Joint widths, and what they say about scalarized and constrained learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import constrained_excess, finite_class, scalarized, scalarized_excess
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, Scalarization, SmoothChebyshev, WeightedSum
from moltheory.theorems._assumptions import EVENT, FINITE, HAS_WIDTH, NONNEGATIVE, Assumption
from moltheory.theorems._columns import TIE, chosen, columns, largest, lead_axes, rows_last, scale_of, width_columns
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = [
    "THEOREMS",
    "constraint_cases",
    "draw_constraint",
    "draw_scalarization",
    "random_weights",
    "scalarization_cases",
    "spread_weights",
]

_PAPER = "P. Súkeník and C. H. Lampert, arXiv 2208.13499"


def spread_weights(n_objectives: int) -> FloatArray:
    """Return positive weights 1, 2, ..., N on the simplex: no two objectives alike."""
    raw = np.arange(1.0, n_objectives + 1.0)
    weights: FloatArray = raw / raw.sum()
    return weights


def random_weights(rng: np.random.Generator, n_objectives: int) -> FloatArray:
    """Return positive weights on a coarse lattice of the simplex, where ties are common."""
    raw = rng.integers(1, 5, n_objectives).astype(np.float64)
    weights: FloatArray = raw / raw.sum()
    return weights


def _scalarizations(true: FloatArray, limits: FloatArray) -> list[Scalarization]:
    w = spread_weights(true.shape[-1])
    return [
        WeightedSum(w),
        PNorm(w, 2.0),
        Chebyshev(w),
        Chebyshev(w, augmentation=0.25),
        SmoothChebyshev(w, 0.125 * float(limits.max())),
    ]


def _any_scalarization(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Scalarization:
    w = random_weights(rng, true.shape[-1])
    kinds = [
        WeightedSum(w),
        PNorm(w, float(rng.choice([1.5, 2.0, 4.0]))),
        Chebyshev(w),
        Chebyshev(w, augmentation=float(rng.choice([0.0625, 0.25, 1.0]))),
        SmoothChebyshev(w, float(rng.choice([0.0625, 0.5])) * float(limits.max())),
    ]
    return kinds[rng.integers(len(kinds))]


def scalarization_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    return [{"scalarization": u} for u in _scalarizations(true, limits)]


def draw_scalarization(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    return {"scalarization": _any_scalarization(rng, true, limits)}


def joint(true: FloatArray, empirical: FloatArray, widths: FloatArray) -> FloatArray:
    """Largest excess of a deviation over its width."""
    excess: FloatArray = (np.abs(true - empirical).max(axis=-2) - widths).max(axis=-1)
    return excess


def scalarized_deviation(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, scalarization: Scalarization, factor: float = 1.0
) -> FloatArray:
    """Largest |U(L) - U(Lhat)| beyond `factor` times the width of U."""
    lead = lead_axes(true, empirical)
    change = rows_last(scalarization(true), lead) - rows_last(scalarization(empirical), lead)
    excess: FloatArray = np.abs(change).max(axis=0) - factor * scalarization.width(widths)
    return excess


def scalarized_regret(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    scalarization: Scalarization,
    eta: float = 0.0,
    factor: float = 2.0,
) -> FloatArray:
    """Excess of the worst empirical minimiser up to eta, beyond `factor` times the width of U."""
    lead = lead_axes(true, empirical)
    truth = rows_last(scalarization(true), lead)
    regret = largest(truth, chosen(rows_last(scalarization(empirical), lead), eta)) - truth.min(axis=0)
    excess: FloatArray = regret - (factor * scalarization.width(widths) + eta)
    return excess


def constrained_regret(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, constraint: EpsilonConstraint, factor: float = 2.0
) -> FloatArray:
    """Excess and constraint violation of the worst minimiser under relaxed bounds."""
    lead, objective = lead_axes(true, empirical), constraint.objective
    truth, found, c = columns(true, lead), columns(empirical, lead), width_columns(widths, lead)
    best = rows_last(constraint(true), lead).min(axis=0)
    # What the widths allow exactly must not be lost to rounding; a little more does no harm.
    slack = TIE * scale_of(true, empirical)
    bounded = [i for i, bound in enumerate(constraint.bounds) if np.isfinite(bound)]
    values = found[objective]
    for i in bounded:
        values = np.where(found[i] <= constraint.bounds[i] + c[i] + slack, values, np.inf)
    selected = chosen(values) & np.isfinite(values)
    silent = np.isinf(best)  # nothing is truly feasible
    worst = largest(truth[objective], selected) - np.where(silent, 0.0, best) - factor * c[objective]
    for i in bounded:
        worst = np.maximum(worst, largest(truth[i], selected) - constraint.bounds[i] - factor * c[i])
    # An empty choice although something is feasible would contradict the statement too.
    worst = np.where(selected.any(axis=0), worst, np.inf)
    answer: FloatArray = np.where(silent, -np.inf, worst)
    return answer


def _regret_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    tolerances = [0.0] * 4 + [0.0625 * float(limits.max())]
    return [
        case | {"eta": eta} for case, eta in zip(map(dict, scalarization_cases(true, limits)), tolerances, strict=True)
    ]


def _draw_regret(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    eta = float(rng.choice([0.0, 0.0, 0.125])) * float(limits.max())
    return {"scalarization": _any_scalarization(rng, true, limits), "eta": eta}


def constraint_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    table = true.reshape(-1, true.shape[-1])
    # What a hypothesis in the middle attains, so that something is feasible.
    middle = table[np.argsort((table / limits).sum(axis=-1), kind="stable")[table.shape[0] // 2]]
    cases = []
    for objective in range(min(true.shape[-1], 2)):
        bounds = middle.copy()
        bounds[objective] = np.inf
        cases.append({"constraint": EpsilonConstraint(bounds, objective=objective)})
    return cases


def draw_constraint(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    n_objectives = true.shape[-1]
    bounds = rng.integers(0, 9, n_objectives) / 8.0 * limits
    objective = int(rng.integers(n_objectives))
    if rng.random() < 0.8:
        bounds[objective] = np.inf
    return {"constraint": EpsilonConstraint(bounds, objective=objective)}


def _feasible(true: FloatArray, constraint: EpsilonConstraint) -> Any:
    return np.isfinite(constraint(true)).any(axis=-1)


_WIDTHS = Input("widths", "joint half-widths C, (..., N)", example=[0.1, 0.2])
_RULE = Input("scalarization", "U", example=WeightedSum([0.5, 0.5]))

THEOREMS = (
    Theorem(
        id="joint",
        statement="P(all h, all i: |L_i(h) - Lhat_i(h)| <= C_i) >= 1 - delta, if each of the N' data-dependent objectives "
        "exceeds its width with probability at most delta / N': with log(2 N' |H| / delta) in the width of a finite class",
        source=f"{_PAPER} (abstract); width: Hoeffding 1963, doi 10.1080/01621459.1963.10500830",
        provenance="reproduction",
        violation=joint,
        assumptions=(FINITE,),
        inputs=(
            Input("n", "sample size, or one per objective with inf for data-independent ones", example=1000),
            Input("n_hypotheses", "|H|", example=100),
            Input("delta", "total failure probability", example=0.05),
            Input("n_objectives", "N', where n is one number", optional=True, example=3),
            Input("loss_range", "length B of the range of losses", optional=True),
        ),
        value=lambda n, **options: finite_class(n, **options),
        function="bounds.finite_class",
        figure="mechanism",
        deterministic=False,
    ),
    Theorem(
        id="scalarized",
        statement="on E, for all h and all U at once: |U(L(h)) - U(Lhat(h))| <= W, a width of U at C; U(C) is one if U is "
        "monotone and subadditive",
        source=f"{_PAPER} (abstract)",
        provenance="reproduction",
        violation=scalarized_deviation,
        assumptions=(FINITE, EVENT, HAS_WIDTH, NONNEGATIVE),
        inputs=(_WIDTHS, _RULE),
        value=lambda widths, scalarization: scalarized(widths, scalarization=scalarization),
        function="bounds.scalarized",
        cases=scalarization_cases,
        draw=draw_scalarization,
    ),
    Theorem(
        id="scalarized-excess",
        statement="on E, hhat minimising U(Lhat) up to eta: U(L(hhat)) <= inf_h U(L(h)) + 2 W + eta, W a width of U at C; "
        "U(C) is one if U is monotone and subadditive",
        source=f"{_PAPER}, counterpart of Theorem 2",
        provenance="reproduction",
        violation=scalarized_regret,
        assumptions=(
            *(FINITE, EVENT, HAS_WIDTH, NONNEGATIVE),
            Assumption("eta >= 0", "eta", ("eta",), lambda eta: eta >= 0.0),
        ),
        inputs=(_WIDTHS, _RULE, Input("eta", "optimization error", optional=True, example=0.5)),
        value=lambda widths, scalarization, eta=0.0: scalarized_excess(widths, scalarization=scalarization, eta=eta),
        function="bounds.scalarized_excess",
        figure="weights",
        cases=_regret_cases,
        draw=_draw_regret,
    ),
    Theorem(
        id="constrained-excess",
        statement="on E, hhat minimising Lhat_1 s.t. Lhat_i <= b_i + C_i: L_1(hhat) <= min {L_1 : L_i <= b_i} + 2 C_1 "
        "and L_i(hhat) <= b_i + 2 C_i",
        source="derived",
        provenance="derived",
        violation=constrained_regret,
        assumptions=(
            FINITE,
            EVENT,
            Assumption("some h satisfies L_i(h) <= b_i for all i", "constraint", ("true", "constraint"), _feasible),
        ),
        inputs=(
            _WIDTHS,
            Input(
                "constraint",
                "the bounds b and the objective that is minimised",
                example=EpsilonConstraint([float("inf"), 0.5]),
            ),
        ),
        value=lambda widths, constraint: constrained_excess(widths, constraint=constraint),
        function="bounds.constrained_excess",
        cases=constraint_cases,
        draw=draw_constraint,
    ),
)
