"""Which hypotheses to keep: survivors of pruning with slack, and fronts that gaps between true risks resolve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import slack_guarantee
from moltheory.bounds._converse import pruned_with_margin
from moltheory.theorems._assumptions import EVENT, FINITE, Assumption
from moltheory.theorems._columns import (
    TIE,
    TOLERANCE,
    columns,
    largest,
    lead_axes,
    members,
    rows_last,
    scale_of,
    shortfalls,
    width_columns,
)
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS"]


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


def _slack_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    size = float(limits.max())
    return [{"t": share * size, "loss_range": size} for share in (0.03125, 0.25)]


def _draw_slack(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    size = float(limits.max())
    return {"t": size * float(rng.choice([0.015625, 0.0625, 0.25])), "loss_range": size}


def _spread_tables(rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray, FloatArray, Inputs]:
    """Return tables whose true values differ by a step in each objective, with deviations up to about half of it."""
    n_hypotheses, n_objectives = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    step = int(rng.integers(2, 9))
    true = rng.permuted(np.broadcast_to(np.arange(n_hypotheses)[:, None], (count, n_hypotheses, n_objectives)), axis=1)
    reach = rng.integers(0, step // 2 + 2, n_objectives)
    noise = rng.integers(-reach, reach + 1, true.shape)
    first, second = step * true / 64.0, (step * true + noise) / 64.0
    return first, second, np.abs(first - second).max(axis=-2), {}


THEOREMS = (
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
        inputs=(
            Input("widths", "joint half-widths C, (N,)", example=[0.1, 0.2]),
            Input("t", "slack > 0", example=0.1),
            Input("loss_range", "B", example=1.0),
        ),
        value=lambda widths, t, loss_range: slack_guarantee(widths, t=t, loss_range=loss_range),
        function="bounds.slack_guarantee",
        cases=_slack_cases,
        draw=_draw_slack,
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
        inputs=(
            Input("true", "true risks, (H, N)", example=[[0.1, 0.9], [0.9, 0.1]]),
            Input("widths", "joint half-widths C, (..., N)", example=[0.1, 0.2]),
        ),
        value=lambda true, widths: bool(np.all(_resolved(np.asarray(true, dtype=float), np.asarray(widths)))),
        function="theorems.ledger()['resolved-gaps'].evaluate",
        figure="worlds",
        pairs=_spread_tables,
    ),
)
