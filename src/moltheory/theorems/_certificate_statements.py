"""Certificates from data alone: excess within boxes, fronts from boxes, and paired comparisons of two models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.bounds import a_posteriori_excess, certified_members, paired_dominance
from moltheory.oracle import TypeEnumeration
from moltheory.problems import FinitePopulation
from moltheory.scalarization import Chebyshev, Scalarization
from moltheory.theorems._assumptions import EVENT, FINITE, MONOTONE, NONNEGATIVE, Assumption, NotApplicableError
from moltheory.theorems._columns import TIE, columns, lead_axes, members, rows_last, scale_of, volumes, width_columns
from moltheory.theorems._generalization_statements import (
    constraint_cases,
    draw_constraint,
    draw_scalarization,
    scalarization_cases,
)
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS", "false_claims"]


def box_regret(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, scalarization: Scalarization
) -> FloatArray:
    """Excess of any hypothesis beyond what the boxes Lhat +- C say, clipped at 0 as risks are nonnegative."""
    lead = lead_axes(true, empirical)
    lower = np.maximum(empirical - widths[..., None, :], 0.0)
    upper = empirical + widths[..., None, :]
    truth = rows_last(scalarization(true), lead)
    best = truth.min(axis=0)
    allowed = rows_last(a_posteriori_excess(lower, upper, scalarization=scalarization), lead)
    regret = truth - np.where(np.isinf(best), 0.0, best)
    with np.errstate(invalid="ignore"):
        excess: FloatArray = np.where(np.isinf(allowed), -np.inf, regret - allowed).max(axis=0)
    return excess


def wrong_certificate(
    true: FloatArray, empirical: FloatArray, widths: FloatArray, *, reference: FloatArray, inward: bool = False
) -> FloatArray:
    """1 where a sure member is not on the true front or an excluded one is; else the worst of the two volumes.

    `inward` exchanges the ends that decide about exclusion.
    """
    # Rounding must not decide a comparison of ends that are equal; known values stay single points.
    radius = np.where(widths > 0.0, widths + TIE * scale_of(true, empirical), 0.0)[..., None, :]
    lower, upper = empirical - radius, empirical + radius
    sure, excluded = certified_members(lower, upper)
    if inward:
        _, excluded = certified_members(lower, np.maximum(lower, empirical))
    lead = lead_axes(true, empirical)
    optimal = members(true, lead)
    wrong = (rows_last(sure, lead) & ~optimal).any(axis=0) | (rows_last(excluded, lead) & optimal).any(axis=0)
    corner = width_columns(np.asarray(reference, dtype=np.float64), lead)
    middle = volumes(columns(true, lead), corner)
    above = volumes(columns(upper, lead), corner) - middle
    gap = np.maximum(above, middle - volumes(columns(lower, lead), corner))
    answer: FloatArray = np.where(wrong, 1.0, gap)
    return answer


def false_claims(problem: Any, n: int, delta: float, *, worst: bool = True) -> tuple[float, int]:
    """Return P(the paired test at level delta claims a dominance that is not), exactly, and the number of types.

    It is the largest over ordered pairs of hypotheses of which the first is not better in every objective. The losses
    must be 0/1, else `NotApplicableError` is raised, as is `TooLargeError` for too many sample types; data-independent
    objectives are compared as they are. The test takes the objective with the largest p-value, as the theorem says, or
    the smallest, a wrong rule, if `worst` is False.
    """
    size, level = check_count("n", n), check_fraction("delta", delta)
    losses, null = _null_pairs(problem)
    if not null:
        return 0.0, 0
    limits = _critical_counts(size, level)
    enumeration = TypeEnumeration(problem.probabilities, size, risks=lambda counts: counts[:, :, None].astype(float))
    sums: list[list[float]] = []
    for probabilities, found in enumeration.weighted_risks():
        # Outcomes first: sums of a few of them then run over long rows of memory.
        counts = np.ascontiguousarray(found[..., 0].T).astype(np.int64)
        rejections: dict[bytes, npt.NDArray[np.bool_]] = {}
        sums.append([])
        for first, second in null:
            claimed = [
                _rejects(counts, losses[:, first, i], losses[:, second, i], limits, rejections)
                for i in range(losses.shape[2])
            ]
            claims = np.logical_and.reduce(claimed) if worst else np.logical_or.reduce(claimed)
            sums[-1].append(math.fsum(probabilities[claims].tolist()))
    return max(math.fsum(column) for column in zip(*sums, strict=True)), enumeration.n_types


def _rejects(
    counts: npt.NDArray[np.int64],
    candidate: npt.NDArray[np.bool_],
    other: npt.NDArray[np.bool_],
    limits: npt.NDArray[np.int64],
    known: dict[bytes, npt.NDArray[np.bool_]],
) -> npt.NDArray[np.bool_]:
    """Return for which types, counts (s, T), one objective speaks for the candidate; pairs often share the answer."""
    only_candidate, only_other = candidate & ~other, other & ~candidate
    key = only_candidate.tobytes() + only_other.tobytes()
    if key not in known:
        n10, n01 = counts[only_candidate].sum(axis=0), counts[only_other].sum(axis=0)
        known[key] = n10 <= limits[n10 + n01]
    return known[key]


def _null_pairs(problem: Any) -> tuple[npt.NDArray[np.bool_], list[tuple[int, int]]]:
    """Return 0/1 losses (s, H, N') of the estimated objectives, and the pairs that must not be claimed."""
    if not isinstance(problem, FinitePopulation) or not _are_means(problem):
        raise NotApplicableError(f"`problem` must be a finite population of mean 0/1 losses, got {problem!r}.")
    losses = np.stack([measure.cells[0].losses for measure in problem.measures if measure.data_dependent], axis=-1)
    if not np.isin(losses, (0.0, 1.0)).all():
        raise NotApplicableError("`problem` must satisfy the assumption 'losses are 0 or 1', got other losses.")
    true = problem.true.risks()
    estimated = problem.true.data_dependent
    pairs = []
    for a in range(problem.n_hypotheses):
        for b in range(problem.n_hypotheses):
            known = (true[a, ~estimated] <= true[b, ~estimated]).all()
            if a != b and known and (true[a, estimated] >= true[b, estimated]).any():
                pairs.append((a, b))
    return losses.astype(np.bool_), pairs


def _are_means(problem: FinitePopulation) -> bool:
    """Return whether every objective is known or the mean of one loss over all examples."""
    whole = all(np.all(cell.where) for measure in problem.measures for cell in measure.cells)
    return whole and bool(problem.unbiased.all())


def _critical_counts(n: int, delta: float) -> npt.NDArray[np.int64]:
    """Return for m = 0..n the largest k with P(Bin(m, 1/2) <= k) <= delta, -1 where there is none."""
    limits = np.full(n + 1, -1, dtype=np.int64)
    for m in range(1, n + 1):
        k = np.arange(m + 1)
        tails = paired_dominance(k[:, None], (m - k)[:, None])
        limits[m] = np.searchsorted(tails, delta, side="right") - 1
    return limits


def _box_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    constraint = {"scalarization": constraint_cases(true, limits)[0]["constraint"]}
    return [*scalarization_cases(true, limits)[:1], constraint]


def _draw_box(rng: np.random.Generator, true: FloatArray, limits: FloatArray) -> Inputs:
    if rng.random() < 0.25:
        return {"scalarization": draw_constraint(rng, true, limits)["constraint"]}
    return draw_scalarization(rng, true, limits)


def _reference_cases(true: FloatArray, limits: FloatArray) -> Sequence[Inputs]:
    return [{"reference": limits}]


def _ordered(lower: Any, upper: Any) -> bool:
    return bool((np.asarray(lower) <= np.asarray(upper)).all())


_LOWER = Input("lower", "l, (..., H, N)", example=[[0.0, 1.0], [0.5, 1.0]])
_UPPER = Input("upper", "u, (..., H, N)", example=[[0.25, 1.0], [0.75, 1.0]])

THEOREMS = (
    Theorem(
        id="a-posteriori-excess",
        statement="if l <= L <= u for all h, for every monotone U and any hhat: U(L(hhat)) - min U(L) <= U(u(hhat)) - "
        "min_h U(l(h))",
        source="derived",
        provenance="derived",
        violation=box_regret,
        assumptions=(FINITE, EVENT, MONOTONE, NONNEGATIVE),
        inputs=(_LOWER, _UPPER, Input("scalarization", "monotone U", example=Chebyshev([0.5, 0.5]))),
        value=lambda lower, upper, scalarization: a_posteriori_excess(lower, upper, scalarization=scalarization),
        function="bounds.a_posteriori_excess",
        cases=_box_cases,
        draw=_draw_box,
    ),
    Theorem(
        id="front-certificate",
        statement="if l <= L <= u for all h: the sure are on the true front, the excluded are not, and HV of the upper "
        "ends <= HV of the true front <= HV of the lower ends",
        source="derived",
        provenance="derived",
        violation=wrong_certificate,
        assumptions=(FINITE, EVENT, Assumption("l <= u", "upper", ("lower", "upper"), _ordered)),
        inputs=(_LOWER, _UPPER),
        value=lambda lower, upper: certified_members(lower, upper),
        function="bounds.certified_members",
        cases=_reference_cases,
    ),
    Theorem(
        id="paired-dominance",
        statement="for two models fixed before i.i.d. examples, with 0/1 losses: "
        "max_i P(Bin(n10_i + n01_i, 1/2) <= n10_i) <= delta has probability <= delta unless the candidate is truly better "
        "in every estimated objective",
        source="McNemar 1947, doi 10.1007/BF02295996; Berger 1982, doi 10.1080/00401706.1982.10487790",
        provenance="reproduction",
        inputs=(
            Input("only_candidate", "n10, (..., N) counts", example=[20]),
            Input("only_other", "n01, (..., N) counts", example=[50]),
        ),
        value=lambda only_candidate, only_other: paired_dominance(only_candidate, only_other),
        assumptions=(
            Assumption(
                "counts are >= 0",
                "only_candidate",
                ("only_candidate", "only_other"),
                lambda only_candidate, only_other: bool(
                    (np.asarray(only_candidate) >= 0).all() and (np.asarray(only_other) >= 0).all()
                ),
            ),
        ),
        function="bounds.paired_dominance",
        deterministic=False,
        failure=false_claims,
    ),
)
