"""The statements with half-widths that depend on the hypothesis; each is about the event on which they hold.

They are checked with the realized deviations ``C_i(h) = |L_i(h) - Lhat_i(h)|``, the smallest for which the event holds;
a statement that holds with these holds with all larger ones, but for the penalized rule, whose choice depends on them:
there C is a function of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import (
    nonuniform_forward,
    nonuniform_scalarized_excess,
    nonuniform_weak_converse,
    relative_excess,
    scalarized,
    scalarized_excess,
)
from moltheory.bounds._widths import EACH, check_widths
from moltheory.scalarization import Chebyshev, PNorm, Scalarization, WeightedSum
from moltheory.theorems._assumptions import FINITE, HAS_WIDTH, NONNEGATIVE, Assumption
from moltheory.theorems._columns import (
    TIE,
    certain_members,
    chosen,
    columns,
    largest,
    lead_axes,
    members,
    rows_last,
    scale_of,
)
from moltheory.theorems._generalization_statements import (
    draw_scalarization,
    random_weights,
    scalarization_cases,
    spread_weights,
)
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS"]


def uncovered_by_pairs(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, own: float = 1.0, other: float = 1.0
) -> FloatArray:
    """Largest shortfall of the empirical front against some h, beyond ``own C(h) + other C(hhat)``."""
    lead = lead_axes(true, empirical)
    table, moved = columns(true, lead), np.abs(columns(true, lead) - columns(empirical, lead))
    front = members(empirical, lead)
    worst: FloatArray = np.array(-np.inf)
    for h in range(table.shape[1]):
        gaps = [table[i] - table[i, h] - own * moved[i, h] - other * moved[i] for i in range(table.shape[0])]
        worst = np.maximum(worst, np.where(front, reduce(np.maximum, gaps), np.inf).min(axis=0))
    return worst


def beaten_by_pairs(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, own: float = 1.0, other: float = 1.0
) -> FloatArray:
    """By how much some h is better than a member of the empirical front, beyond ``own C(hhat) + other C(h)``."""
    lead = lead_axes(true, empirical)
    table, moved = columns(true, lead), np.abs(columns(true, lead) - columns(empirical, lead))
    # As for uniform half-widths: ties are read against the violation.
    rounding = -TIE * scale_of(true, empirical)
    front = certain_members(empirical, lead, -4.0 * rounding)
    worst: FloatArray = np.array(-np.inf)
    for h in range(table.shape[1]):
        margins = [table[i] - table[i, h] - own * moved[i] - other * moved[i, h] for i in range(table.shape[0])]
        low = reduce(np.minimum, margins)
        found = np.where(low >= rounding, reduce(np.maximum, margins), low)
        worst = np.maximum(worst, largest(found, front))
    return worst


def deviation_by_hypothesis(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, scalarization: Scalarization, factor: float = 1.0
) -> FloatArray:
    """Largest |U(L(h)) - U(Lhat(h))| beyond `factor` times the width of U at C(h)."""
    change = np.abs(scalarization(true) - scalarization(empirical))
    excess: FloatArray = (change - factor * scalarization.width(np.abs(true - empirical))).max(axis=-1)
    return excess


def regret_by_pairs(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    scalarization: Scalarization,
    eta: float = 0.0,
    own: float = 1.0,
    other: float = 1.0,
) -> FloatArray:
    """Excess of the worst empirical minimiser up to eta, beyond ``own W(hhat) + other W(h)``."""
    lead = lead_axes(true, empirical)
    truth = rows_last(scalarization(true), lead)
    width = rows_last(scalarization.width(np.abs(true - empirical)), lead)
    selected = chosen(rows_last(scalarization(empirical), lead), eta)
    excess: FloatArray = largest(truth - own * width, selected) - (truth + other * width).min(axis=0) - eta
    return excess


def penalized_regret(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    scalarization: Scalarization,
    eta: float = 0.0,
    growth: float = 0.0,
    factor: float = 2.0,
    penalized: bool = True,
) -> FloatArray:
    """Excess of the worst minimiser of U(Lhat) + W up to eta, beyond `factor` W(h) at what it is compared with."""
    lead = lead_axes(true, empirical)
    truth = rows_last(scalarization(true), lead)
    width = rows_last(scalarization.width(np.abs(true - empirical) + growth * np.abs(empirical)), lead)
    value = rows_last(scalarization(empirical), lead)
    selected = chosen(value + width if penalized else value, eta)
    excess: FloatArray = largest(truth, selected) - (truth + factor * width).min(axis=0) - eta
    return excess


def relative_regret(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    scalarization: Scalarization,
    eta: float = 0.0,
    factor: float = 1.0,
) -> FloatArray:
    """Excess of the worst empirical minimiser up to eta, beyond the statement with `factor` times the realized scales."""
    lead = lead_axes(true, empirical)
    top = np.maximum(true, empirical)
    scales = np.where(top > 0.0, (true - empirical) ** 2 / np.where(top > 0.0, top, 1.0), 0.0).max(axis=-2)
    truth = rows_last(scalarization(true), lead)
    worst = largest(truth, chosen(rows_last(scalarization(empirical), lead), eta))
    best = truth.min(axis=0)
    c = factor * scalarization(scales)
    first = best + c / 2.0 + np.sqrt(c**2 / 4.0 + c * best) + eta
    excess: FloatArray = worst - (first + c / 2.0 + np.sqrt(c**2 / 4.0 + c * first))
    return excess


def _tolerances(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    cases = scalarization_cases(true, limits)
    return [{**case, "eta": 0.0625 * float(limits.max()) * (k == 4)} for k, case in enumerate(cases)]


def _penalties(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    return [{**case, "growth": 0.25 * (k % 2)} for k, case in enumerate(_tolerances(true, limits))]


def _gauges(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    w = spread_weights(true.shape[-1])
    rules = [WeightedSum(w), PNorm(w, 2.0), Chebyshev(w), Chebyshev(w, augmentation=0.25)]
    return [{"scalarization": u, "eta": 0.0625 * float(limits.max()) * (k == 3)} for k, u in enumerate(rules)]


def _draw_eta(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    eta = float(rng.choice([0.0, 0.0, 0.125])) * float(limits.max())
    return {**draw_scalarization(rng, true, limits), "eta": eta}


def _draw_penalty(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    return {**_draw_eta(rng, true, limits), "growth": float(rng.choice([0.0, 0.25, 1.0]))}


def _draw_gauge(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    w = random_weights(rng, true.shape[-1])
    rules = [
        WeightedSum(w),
        PNorm(w, float(rng.choice([1.5, 2.0, 4.0]))),
        Chebyshev(w),
        Chebyshev(w, augmentation=0.25),
    ]
    eta = float(rng.choice([0.0, 0.0, 0.125])) * float(limits.max())
    return {"scalarization": rules[rng.integers(len(rules))], "eta": eta}


_EXAMPLE = {"widths": [[0.1, 0.0], [0.3, 0.0]], "risks": [[0.1, 0.5], [0.4, 0.0]]}
_WIDTHS = Input("widths", "half-widths C(h) that hold jointly, (..., H, N)", example=_EXAMPLE["widths"])
_RISKS = Input("risks", "empirical risks, (..., H, N)", example=_EXAMPLE["risks"])
_RULE = Input("scalarization", "U", example=WeightedSum([0.5, 0.5]))
_ETA = Input("eta", "optimization error", optional=True, example=0.5)
_ETA_SIGN = Assumption("eta >= 0", "eta", ("eta",), lambda eta: eta >= 0.0)
_GAUGE = Assumption(
    "U is monotone, subadditive and homogeneous",
    "scalarization",
    ("scalarization",),
    lambda scalarization: scalarization.is_monotone and scalarization.is_subadditive and scalarization.is_homogeneous,
)
_HOLDS = "where |L_i(h) - Lhat_i(h)| <= C_i(h) for all h and i"

THEOREMS = (
    Theorem(
        id="nonuniform-forward",
        statement=f"{_HOLDS}: for every h some hhat on the empirical front has L_i(hhat) <= L_i(h) + C_i(h) + C_i(hhat) "
        "for all i",
        source="derived",
        provenance="derived",
        violation=uncovered_by_pairs,
        assumptions=(FINITE,),
        inputs=(_WIDTHS, _RISKS),
        value=lambda widths, risks: nonuniform_forward(widths, risks=risks),
        function="bounds.nonuniform_forward",
    ),
    Theorem(
        id="nonuniform-weak-converse",
        statement=f"{_HOLDS}: for hhat on the empirical front no h has L(h) <= L(hhat) - C(h) - C(hhat) with one strict",
        source="derived",
        provenance="derived",
        violation=beaten_by_pairs,
        assumptions=(FINITE,),
        inputs=(_WIDTHS, _RISKS),
        value=lambda widths, risks: nonuniform_weak_converse(widths, risks=risks),
        function="bounds.nonuniform_weak_converse",
    ),
    Theorem(
        id="nonuniform-scalarized",
        statement=f"{_HOLDS}: for all h and all U at once |U(L(h)) - U(Lhat(h))| <= W(h), a width of U at C(h); U(C(h)) is "
        "one if U is monotone and subadditive",
        source="derived",
        provenance="derived",
        violation=deviation_by_hypothesis,
        assumptions=(FINITE, HAS_WIDTH, NONNEGATIVE),
        inputs=(_WIDTHS, _RULE),
        value=lambda widths, scalarization: scalarized(widths, scalarization=scalarization),
        function="bounds.scalarized",
        cases=scalarization_cases,
        draw=draw_scalarization,
    ),
    Theorem(
        id="nonuniform-scalarized-excess",
        statement=f"{_HOLDS}: hhat minimising U(Lhat) up to eta has U(L(hhat)) <= inf_h (U(L(h)) + W(h)) + W(hhat) + eta, "
        "W(h) a width of U at C(h)",
        source="derived",
        provenance="derived",
        violation=regret_by_pairs,
        assumptions=(FINITE, HAS_WIDTH, NONNEGATIVE, _ETA_SIGN),
        inputs=(_WIDTHS, _RULE, _RISKS),
        value=lambda widths, scalarization, risks: nonuniform_scalarized_excess(
            widths, scalarization=scalarization, risks=risks
        ),
        function="bounds.nonuniform_scalarized_excess",
        cases=_tolerances,
        draw=_draw_eta,
    ),
    Theorem(
        id="penalized-excess",
        statement=f"{_HOLDS}: hhat minimising U(Lhat(h)) + W(h) up to eta, W(h) a width of U at C(h), has U(L(hhat)) <= "
        "inf_h (U(L(h)) + 2 W(h)) + eta",
        source="derived",
        provenance="derived",
        violation=penalized_regret,
        assumptions=(
            *(FINITE, HAS_WIDTH, NONNEGATIVE, _ETA_SIGN),
            Assumption("growth >= 0", "growth", ("growth",), lambda growth: growth >= 0.0),
        ),
        inputs=(_WIDTHS, _RULE, _ETA),
        value=lambda widths, scalarization, eta=0.0: scalarized_excess(
            check_widths(widths, scopes=EACH), scalarization=scalarization, eta=eta
        ),
        function="bounds.scalarized_excess",
        cases=_penalties,
        draw=_draw_penalty,
    ),
    Theorem(
        id="relative-excess",
        statement="where |L_i(h) - Lhat_i(h)| <= sqrt(c_i max(L_i(h), Lhat_i(h))) for all h and i: hhat minimising "
        "U(Lhat) up to eta, U monotone, subadditive and homogeneous, has U(L(hhat)) <= r(r(U(L(h))) + eta) for all h, with "
        "r(x) = x + c/2 + sqrt(c^2/4 + c x) and c = U(c_1, ..., c_N)",
        source="derived",
        provenance="derived",
        violation=relative_regret,
        assumptions=(FINITE, NONNEGATIVE, _GAUGE, _ETA_SIGN),
        inputs=(
            Input("scales", "relative scales c_i, (..., N)", example=[0.01, 0.0]),
            _RULE,
            Input("best", "U(L(h))", example=0.25),
            _ETA,
        ),
        value=lambda scales, scalarization, **options: relative_excess(scales, scalarization=scalarization, **options),
        function="bounds.relative_excess",
        cases=_gauges,
        draw=_draw_gauge,
    ),
)
