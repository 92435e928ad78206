"""Testing a statement on given risks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, as_readonly, real_array
from moltheory.bounds._widths import check_widths
from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.objectives import QuadraticObjectives
from moltheory.theorems._assumptions import EVENT
from moltheory.theorems._columns import TOLERANCE, realized_widths, scale_of
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._quadratics import largest_deviations
from moltheory.theorems._results import PairResult

if TYPE_CHECKING:
    from moltheory.theorems._statement import Theorem

__all__ = ["blocks", "check_pair", "defined_rows", "evaluate_violation"]


def evaluate_violation(
    theorem: Theorem, true: Any, empirical: Any, widths: FloatArray, inputs: Inputs, *, event_holds: bool = False
) -> FloatArray:
    """Return the violation per pair, -inf where an assumption about it fails; assumptions about all are refused.

    With realized widths `event_holds` saves the work of finding that out.
    """
    if theorem.violation is None:
        raise InvalidInputError(f"`theorem` must be about pairs of risks and widths, got {theorem.id!r}.")
    known = {"true": true, "empirical": empirical, "widths": widths, **inputs}
    applies: Any = np.True_
    for assumption in theorem.assumptions:
        if event_holds and assumption is EVENT:
            continue
        holds = assumption.evaluate(known)
        if not assumption.per_sample and holds.ndim == 0:
            assumption.require(known)
        applies = applies & holds
    try:
        values = np.asarray(theorem.violation(true, empirical, widths, **inputs))
    except (ValueError, IndexError) as reason:
        # Tables of risks only: what is refused in words, and problems of another kind, are passed on.
        if isinstance(reason, MoltheoryError) or not isinstance(true, np.ndarray):
            raise
        raise InvalidInputError(
            f"`violation` must take risks (..., H, N) and widths (..., N), got an error from it, {str(reason)!r}: count "
            "axes from the end, and write widths[..., None, :] beside risks."
        ) from reason
    if values.dtype.kind not in "iuf":
        raise InvalidInputError(
            f"`violation` must return numbers, by how much the statement fails, got an array of {values.dtype}."
        )
    if isinstance(true, np.ndarray) and values.shape != widths.shape[:-1]:
        raise InvalidInputError(
            f"`violation` must return one number for each pair, of shape {widths.shape[:-1]}, got shape {values.shape}: "
            "reduce the axes of hypotheses and objectives, which are the last two, and no others."
        )
    if np.isnan(values).any():
        raise InvalidInputError(f"`violation` must not return NaN, got {int(np.isnan(values).sum())} of them.")
    result: FloatArray = np.where(applies, values.astype(np.float64, copy=False), -np.inf)
    return result


def check_pair(theorem: Theorem, true: Any, empirical: Any, widths: Any = None, /, **inputs: Any) -> PairResult:
    """Test a statement on true and empirical risks.

    Parameters
    ----------
    theorem : Theorem
    true, empirical : (..., H, N) array_like, or QuadraticObjectives
        Risks of the same hypotheses; leading axes are broadcast. Quadratics for statements about convex problems.
    widths : (..., N) array_like, optional
        Widths C for which E holds; by default the realized ones, ``max_h |L_i(h) - Lhat_i(h)|``, the sharpest test.
    **inputs
        What else the statement is about (a scalarization, weights, ...); by default several are tried.

    Returns
    -------
    PairResult

    Raises
    ------
    InvalidInputError
        If shapes do not fit, or an assumption fails: the message names it.

    Notes
    -----
    Complexity: O(P H N) time for P pairs of tables for most statements, O(P H^2 N) time and memory for those about all
    pairs of hypotheses, times the inputs tried.

    Examples
    --------
    The factor 2 of the forward statement is attained:

    >>> from moltheory.theorems import ledger
    >>> result = check_pair(ledger()["forward"], [[20, 0], [0, 1]], [[10, 0], [10, 1]], [10, 0])
    >>> result.holds, result.worst
    (True, 0.0)
    """
    if isinstance(true, QuadraticObjectives) and isinstance(empirical, QuadraticObjectives):
        return _check_quadratics(theorem, true, empirical, widths, inputs)
    first = real_array("true", true, shape="(..., H, N)", min_ndim=2)
    second = real_array("empirical", empirical, shape="(..., H, N)", min_ndim=2)
    try:
        lead = np.broadcast_shapes(first.shape, second.shape)[:-2]
    except ValueError:
        lead = None
    if lead is None or first.shape[-2:] != second.shape[-2:]:
        raise InvalidInputError(f"`empirical` must fit `true` of shape {first.shape}, got shape {second.shape}.")
    realized = realized_widths(first, second)
    stated = realized if widths is None else check_widths(widths, n_objectives=first.shape[-1])
    limits = np.maximum(first, second).reshape(-1, first.shape[-1]).max(axis=0)
    limits = np.where(limits > 0.0, limits, 1.0)
    known = {"true": first, "empirical": second, "widths": stated}
    for assumption in theorem.assumptions:
        if "widths" in assumption.needs or not assumption.per_sample:
            assumption.require(known)
    # What the event allows as rounding is not allowed twice.
    stated = np.broadcast_to(
        np.maximum(stated, realized) if widths is not None and theorem.deterministic else stated,
        (*lead, first.shape[-1]),
    )
    cases = [inputs] if inputs else theorem.cases(first, limits)
    return _worst_case(theorem, first, second, stated, cases, TOLERANCE * scale_of(first, second), strict=bool(inputs))


def _check_quadratics(
    theorem: Theorem, true: QuadraticObjectives, empirical: QuadraticObjectives, widths: Any, inputs: Inputs
) -> PairResult:
    cases = [inputs] if inputs else theorem.cases(np.empty(0), np.ones(true.n_objectives))
    results = []
    for case in cases:
        stated = largest_deviations(true, empirical, radius=float(case.get("radius", 1.0)))
        if widths is not None:
            stated = check_widths(widths, n_objectives=true.n_objectives)
        results.append(_worst_case(theorem, true, empirical, stated, [case], TOLERANCE, strict=True))
    return max(results, key=lambda result: result.worst)


def _worst_case(
    theorem: Theorem,
    true: Any,
    empirical: Any,
    widths: FloatArray,
    cases: Sequence[Inputs],
    tolerance: float,
    *,
    strict: bool,
) -> PairResult:
    """Return the largest violation over cases; `strict` refuses where an assumption about the inputs fails."""
    worst: FloatArray | None = None
    at: Inputs = cases[0]
    for case in cases:
        if strict:
            known = {"true": true, "empirical": empirical, "widths": widths, **case}
            for assumption in theorem.assumptions:
                assumption.require(known)
        values = evaluate_violation(theorem, true, empirical, widths, case)
        if worst is None or values.max() > worst.max():
            at = case
        worst = values if worst is None else np.maximum(worst, values)
    return PairResult(theorem.id, as_readonly(np.asarray(worst)), tolerance, at)


def blocks(risks: FloatArray, length: int) -> Iterator[tuple[slice, FloatArray]]:
    """Cut risks (T, H, N) into blocks, each with the types contiguous in memory: short axes outside are quick."""
    for start in range(0, risks.shape[0], length):
        part = slice(start, start + length)
        yield part, np.moveaxis(np.ascontiguousarray(np.moveaxis(risks[part], 0, -1)), -1, 0)


def defined_rows(risks: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which samples (T, H, N) define all risks."""
    return np.asarray(~np.isnan(risks).any(axis=(-2, -1)), dtype=np.bool_)
