"""What generalizes about fronts: the forward direction, its weak converse, boundaries and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import boundary, forward, hypervolume_loss, weak_converse
from moltheory.theorems._assumptions import EVENT, FINITE, NONNEGATIVE, Assumption
from moltheory.theorems._columns import (
    TIE,
    certain_members,
    columns,
    largest,
    lead_axes,
    members,
    scale_of,
    shortfalls,
    volumes,
    width_columns,
)
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS"]


def uncovered(true: FloatArray, empirical: FloatArray, widths: FloatArray, *, factor: float = 2.0) -> FloatArray:
    """Largest shortfall of the empirical front against some h, beyond `factor` times the widths."""
    lead = lead_axes(true, empirical)
    table, allowed = columns(true, lead), factor * width_columns(widths, lead)
    front = members(empirical, lead)
    worst: FloatArray = np.array(-np.inf)
    for gaps in shortfalls(table, table, allowed):
        worst = np.maximum(worst, np.where(front, gaps, np.inf).min(axis=0))
    return worst


def beaten(true: FloatArray, empirical: FloatArray, widths: FloatArray, *, factor: float = 2.0) -> FloatArray:
    """By how much some h is better than a member of the empirical front everywhere, beyond `factor` times the widths.

    Where ``L(h) <= L(hhat) - factor C`` the largest of the differences, which must not be positive; elsewhere the
    smallest, which is negative.
    """
    lead = lead_axes(true, empirical)
    table, allowed = columns(true, lead), factor * width_columns(widths, lead)
    # Ties are read against the violation: one that only some reading of them shows is none.
    rounding = -TIE * scale_of(true, empirical)
    front = certain_members(empirical, lead, -4.0 * rounding)
    worst: FloatArray = np.array(-np.inf)
    for h in range(table.shape[1]):
        margins = [table[i] - table[i, h] - allowed[i] for i in range(table.shape[0])]
        low = reduce(np.minimum, margins)
        found = np.where(low >= rounding, reduce(np.maximum, margins), low)
        worst = np.maximum(worst, largest(found, front))
    return worst


def boundary_distance(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, factor: float = 1.0
) -> FloatArray:
    """Sup-norm Hausdorff distance of the upper sets, beyond `factor` times the largest width."""
    lead = lead_axes(true, empirical)
    one, other = columns(true, lead), columns(empirical, lead)
    distance: FloatArray = np.array(0.0)
    for first, second in ((one, other), (other, one)):
        for gaps in shortfalls(first, second):
            distance = np.maximum(distance, gaps.min(axis=0))
    excess: FloatArray = distance - factor * width_columns(widths, lead).max(axis=0)
    return excess


def hypervolume_gap(
    true: FloatArray,
    empirical: FloatArray,
    widths: FloatArray,
    *,
    reference: FloatArray,
    sign: float = 1.0,
    factor: float = 2.0,
) -> FloatArray:
    """Worst of the three inequalities: both sides of the sandwich, and the loss of the empirical front."""
    lead = lead_axes(true, empirical)
    table, c = columns(true, lead), width_columns(widths, lead)
    corner = width_columns(np.asarray(reference, dtype=np.float64), lead)
    middle = volumes(columns(empirical, lead), corner)
    below = volumes(table, corner - sign * c) - middle
    above = middle - volumes(table, corner + sign * c)
    kept = volumes(table, corner, members(empirical, lead))
    allowed = np.prod(corner, axis=0) - np.maximum(corner - factor * c, 0.0).prod(axis=0)
    loss = volumes(table, corner) - kept - allowed
    worst: FloatArray = np.maximum(np.maximum(below, above), loss)
    return worst


def _reference_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    return [{"reference": 1.125 * limits}]


def _draw_reference(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    return {"reference": limits * rng.integers(4, 11, true.shape[-1]) / 8.0}


_WIDTHS = Input("widths", "joint half-widths C, (..., N)", example=[0.1, 0.2])
_PAPER = "P. Súkeník and C. H. Lampert, arXiv 2208.13499"

THEOREMS = (
    Theorem(
        id="forward",
        statement="on E, for every h some hhat on the empirical front has L_i(hhat) <= L_i(h) + 2 C_i for all i",
        source=f"{_PAPER} (abstract); the constant is derived",
        provenance="reproduction",
        violation=uncovered,
        assumptions=(FINITE, EVENT),
        inputs=(_WIDTHS,),
        value=lambda widths: forward(widths),
        function="bounds.forward",
        figure="mechanism",
    ),
    Theorem(
        id="weak-converse",
        statement="on E, for hhat on the empirical front no h has L(h) <= L(hhat) - 2 C with one strict",
        source="derived",
        provenance="derived",
        violation=beaten,
        assumptions=(FINITE, EVENT),
        inputs=(_WIDTHS,),
        value=lambda widths: weak_converse(widths),
        function="bounds.weak_converse",
        figure="worlds",
    ),
    Theorem(
        id="boundary",
        statement="on E, the true and the empirical upper set are within max C_i in sup-norm Hausdorff distance",
        source="derived",
        provenance="derived",
        violation=boundary_distance,
        assumptions=(FINITE, EVENT),
        inputs=(_WIDTHS,),
        value=lambda widths: boundary(widths),
        function="bounds.boundary",
    ),
    Theorem(
        id="hypervolume",
        statement="on E, HV_{r-C}(L(H)) <= HV_r(Lhat(H)) <= HV_{r+C}(L(H)), and the true hypervolume of the empirical "
        "front loses at most prod R_i - prod (R_i - 2 C_i)_+",
        source="derived",
        provenance="derived",
        violation=hypervolume_gap,
        assumptions=(
            FINITE,
            EVENT,
            NONNEGATIVE,
            Assumption(
                "the reference point is > 0",
                "reference",
                ("reference",),
                lambda reference: bool((np.asarray(reference) > 0.0).all()),
            ),
        ),
        inputs=(_WIDTHS, Input("reference", "R, (N,)", example=[1.0, 1.0])),
        value=lambda widths, reference: hypervolume_loss(widths, reference=reference),
        function="bounds.hypervolume_loss",
        cases=_reference_cases,
        draw=_draw_reference,
    ),
)
