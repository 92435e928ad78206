"""What generalizes about fronts: the forward direction, its weak converse, boundaries, volumes, resolved gaps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import boundary, forward, hypervolume_loss, weak_converse
from moltheory.theorems._assumptions import EVENT, FINITE, NONNEGATIVE
from moltheory.theorems._columns import (
    TIE,
    TOLERANCE,
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
from moltheory.theorems._statement import Assumption, Inputs, Theorem

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
    """By how much some h beats a member of the empirical front in all objectives, beyond `factor` times the widths.

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


def front_changed(true: FloatArray, empirical: FloatArray, widths: FloatArray) -> FloatArray:
    """1 where the fronts differ, otherwise minus the least margin by which differences exceed 2 C."""
    lead = lead_axes(true, empirical)
    differ = (members(true, lead) != members(empirical, lead)).any(axis=0)
    margin = np.clip(_least_margin(true, widths), 0.0, 1.0)
    answer: FloatArray = np.where(differ, 1.0, -margin)
    return answer


def _least_margin(true: FloatArray, widths: FloatArray) -> FloatArray:
    """Return the least difference minus 2 C over pairs and objectives of positive width, inf without any."""
    ordered = np.sort(true, axis=-2)
    least = np.diff(ordered, axis=-2).min(axis=-2) if true.shape[-2] > 1 else np.full(true.shape[-1], np.inf)
    margin: FloatArray = np.array(np.inf)
    for i in range(true.shape[-1]):
        margin = np.minimum(margin, np.where(widths[..., i] > 0.0, least[..., i] - 2.0 * widths[..., i], np.inf))
    return margin


def _resolved(true: FloatArray, widths: FloatArray) -> Any:
    # Rounding must not turn a difference of exactly 2 C into more than that.
    return _least_margin(true, widths) > TOLERANCE * scale_of(true)


def _reference_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    return [{"reference": 1.125 * limits}]


def _draw_reference(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    return {"reference": limits * rng.integers(4, 11, true.shape[-1]) / 8.0}


def _spread_tables(rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray, FloatArray, Inputs]:
    """Return tables whose true values differ by a step in each objective, with deviations up to about half of it."""
    n_hypotheses, n_objectives = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    step = int(rng.integers(2, 9))
    true = rng.permuted(np.broadcast_to(np.arange(n_hypotheses)[:, None], (count, n_hypotheses, n_objectives)), axis=1)
    reach = rng.integers(0, step // 2 + 2, n_objectives)
    noise = rng.integers(-reach, reach + 1, true.shape)
    first, second = step * true / 64.0, (step * true + noise) / 64.0
    return first, second, np.abs(first - second).max(axis=-2), {}


_WIDTHS = {"widths": "joint widths C, (..., N)"}
_PAPER = "P. Súkeník and C. H. Lampert, arXiv 2208.13499"

THEOREMS = (
    Theorem(
        id="forward",
        statement="on E, for every h some hhat on the empirical front has L_i(hhat) <= L_i(h) + 2 C_i for all i",
        source=f"{_PAPER}; the constant is derived",
        provenance="reproduction",
        violation=uncovered,
        assumptions=(FINITE, EVENT),
        inputs=_WIDTHS,
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
        inputs=_WIDTHS,
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
        inputs=_WIDTHS,
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
        inputs={**_WIDTHS, "reference": "R, (N,)"},
        value=lambda widths, reference: hypervolume_loss(widths, reference=reference),
        function="bounds.hypervolume_loss",
        cases=_reference_cases,
        draw=_draw_reference,
    ),
    Theorem(
        id="resolved-gaps",
        statement="on E, if in every objective of positive width any two true values differ by more than 2 C_i, the "
        "empirical front is the true one",
        source="derived",
        provenance="derived",
        violation=front_changed,
        assumptions=(
            FINITE,
            EVENT,
            Assumption(
                "in every objective of positive width any two true values differ by more than 2 C_i",
                "widths",
                ("true", "widths"),
                _resolved,
            ),
        ),
        inputs={"true": "true risks, (H, N)", **_WIDTHS},
        value=lambda true, widths: bool(np.all(_resolved(np.asarray(true, dtype=float), np.asarray(widths)))),
        function="theorems.ledger()['resolved-gaps'].evaluate",
        figure="worlds",
        pairs=_spread_tables,
    ),
)
