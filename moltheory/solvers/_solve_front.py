"""Solving many scalarizations: the method is chosen by structure, and said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from moltheory._core._validation import FloatArray, check_choice, check_real
from moltheory.errors import InvalidInputError
from moltheory.objectives import (
    BlackBoxObjectives,
    ConvexObjectives,
    FiniteObjectives,
    QuadraticObjectives,
    SmoothObjectives,
)
from moltheory.objectives._convex_part import Evaluated
from moltheory.runs import RandomSource
from moltheory.scalarization import Chebyshev, PNorm, Scalarization, WeightedScalarization, WeightedSum
from moltheory.solvers._closed_form import chebyshev_of_two, quadratic_sums, terms_of_chebyshev
from moltheory.solvers._convex_program import solve_programs
from moltheory.solvers._enumeration import enumerate_class
from moltheory.solvers._evolutionary import ALGORITHMS, search
from moltheory.solvers._minimax import MAX_OBJECTIVES, chebyshev_gap, minimise_maxima
from moltheory.solvers._newton import chunks, minimise_sums
from moltheory.solvers._result import Outcome, Status, Sweep, finished
from moltheory.solvers._separability import unattained
from moltheory.solvers._smooth_objective import Part, QuadraticPart
from moltheory.solvers._smooth_part import check_smooth, smooth_maxima, smooth_sums
from moltheory.solvers._warm_start import starts

__all__ = ["solve_front"]

Objectives = FiniteObjectives | QuadraticObjectives | ConvexObjectives | SmoothObjectives | BlackBoxObjectives

_METHODS = ("auto", "enumeration", "closed-form", "newton", "cvxpy", *ALGORITHMS)
_REASONS = {
    "enumeration": "the class is finite",
    "closed-form": "the objectives are quadratic",
    "newton": "the objectives are smooth and convex",
    "cvxpy": "a ball, a constraint, a p-norm, a maximum that is smooth or of more than "
    f"{MAX_OBJECTIVES} objectives, or a loss that is not smooth needs a convex program",
    "nsga2": "the objectives are known through their values only",
}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "cvxpy": ("solver", "constraints"),
    **dict.fromkeys(ALGORITHMS, ("population", "generations")),
}


def solve_front(
    objectives: Objectives,
    *,
    scalarizations: Sequence[Scalarization],
    method: str = "auto",
    on_failure: str = "raise",
    tolerance: float = 1e-8,
    rng: RandomSource = 0,
    options: Mapping[str, Any] | None = None,
) -> Sweep:
    r"""Minimise every scalarization over the class, for true and empirical objectives alike.

    Parameters
    ----------
    objectives : FiniteObjectives, QuadraticObjectives, ConvexObjectives, SmoothObjectives or BlackBoxObjectives
        What to minimise, with any batch axes (replicates).
    scalarizations : sequence of K Scalarization
        Row j of the result belongs to the j-th.
    method : {"auto", "enumeration", "closed-form", "newton", "cvxpy", "nsga2", "nsga3", "moead", "smsemoa", "spea2"}
        ``"auto"`` takes, row by row, the first of these that the structure allows; `Sweep.method` says which and why.
    on_failure : {"raise", "mark", "drop"}
        What to do where a row is not solved: raise `SolverError`; return it marked by its status (its `points` are NaN
        where none was found); or leave out the scalarizations that failed for any entry of the batch, with a
        `PartialFrontWarning`, their positions in `Sweep.dropped`.
    tolerance : float, default 1e-8
        A row is solved if its gap is at most this times max(1, abs(value)).
    rng : int, SeedSequence, Generator or None, default 0
        For the evolutionary methods, ``"nsga2"`` and after: equal seeds give equal results.
    options : mapping, optional
        For ``"cvxpy"``: ``solver`` (a cvxpy solver's name, by default Clarabel) and ``constraints``, a function that
        maps the cvxpy variable (d,) to a list of convex constraints, met up to 1e-8.
        For the evolutionary methods: ``population`` >= 4 and ``generations`` >= 1.

    Returns
    -------
    Sweep

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule, or the method does not fit the objectives or scalarizations.
    SolverError
        If a row is not solved and `on_failure` is ``"raise"``.

    Notes
    -----
    ===============  ========================================================  =====================================
    method           for                                                       gap
    ===============  ========================================================  =====================================
    ``enumeration``  finite classes, every scalarization                       0
    ``closed-form``  quadratics: weighted sum, Chebyshev                       dual, rigorous if a sum is definite
    ``newton``       smooth `ConvexObjectives`: the same two; in an l2 ball    dual, rigorous if strongly convex, and
                     weighted sums only                                        on a ball
    ``newton``       `SmoothObjectives`: the same two, on a ball sums only     rigorous if stated so, or on the ball
    ``cvxpy``        quadratics and `ConvexObjectives`, every scalarization,   dual, the same, and on every ball;
                     losses that are not smooth, constraints of the user       else the solver's word, an estimate
    ``nsga2``, ...   black boxes, integers                                     none
    ===============  ========================================================  =====================================

    Units and offsets of features and targets have no say: they are centered and scaled inside by maps that are exact, and
    what is returned is judged as rounded to floats. Gaps cover the rounding of risks and gradients. What cvxpy's solver
    leaves short of the tolerance is polished by Newton steps on the active set, and absolute losses have a dual bound
    without ridge too. Solutions are in the ball, and bounds of an epsilon-constraint are met, on every processor. Where
    the curvature cannot be told from 0 in a direction in which a sum still falls, as with features that are nearly
    collinear, even an estimate means nothing: the row is not solved (`Status.ILL_CONDITIONED`).

    Chebyshev is of at most 6 objectives but for ``enumeration`` and ``cvxpy``, which ``"auto"`` takes for more.

    For `ConvexObjectives`, mu-strongly convex sums (ridge > 0, or squared losses with a definite design) and balls have
    rigorous gaps, :math:`\|G\|^2/(2\mu)` and :math:`G'\theta + \max_v (-G'v)`, plus the slack of the multipliers; G has
    the best subgradients of absolute losses and prices of constraints ``<=`` and ``==``. A row with constraints whose
    bound so found is above the tolerance, but which the solver calls optimal, is marked as not rigorous. A logistic or
    Poisson sum whose data are separable has no minimiser: a linear program recognises it. Of several minimisers of a
    finite class one is returned that no other dominates; of several of a quadratic, the weighted sum's smallest.
    Complexity: linear in replicates and weights; see the modules of ``moltheory.solvers``.

    Examples
    --------
    >>> from moltheory.objectives import FiniteObjectives
    >>> from moltheory.scalarization import Chebyshev, WeightedSum
    >>> objectives = FiniteObjectives([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
    >>> sweep = solve_front(objectives, scalarizations=[WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5])])
    >>> sweep.solutions, sweep.gap
    (array([0, 1]), array([0., 0.]))
    >>> sweep.method
    'enumeration: the class is finite'
    """
    check_choice("method", method, _METHODS)
    check_choice("on_failure", on_failure, ("raise", "mark", "drop"))
    limit = check_real("tolerance", tolerance, low=0.0, strict=True)
    chosen = _checked(objectives, scalarizations)
    kinds = ["sum"] * len(chosen) if set(map(type, chosen)) == {WeightedSum} else [_kind(u) for u in chosen]
    # One representative of each kind decides: the choice depends on nothing else.
    given = dict(options or {})
    # Constraints leave one method that knows them.
    convex = isinstance(objectives, QuadraticObjectives | ConvexObjectives)
    asked = "cvxpy" if convex and method == "auto" and "constraints" in given else method
    fits = {kind: _method(objectives, u, kind, asked) for kind, u in dict(zip(kinds, chosen, strict=True)).items()}
    methods = [fits[kind] for kind in kinds]
    used = list(dict.fromkeys(methods))
    allowed = {option for name in used for option in _OPTIONS.get(name, ())}
    if not set(given) <= allowed:
        raise InvalidInputError(f"`options` must be among {sorted(allowed)} for {sorted(used)}, got {given}.")
    # Trial steps may overflow; what is not finite in the end is a failure.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = [
            (rows, _solve(objectives, [chosen[j] for j in rows], name, kind, limit, rng, given))
            for (name, kind), rows in _groups(kinds, methods).items()
        ]
    outcome = parts[0][1] if len(parts) == 1 else _merged(parts, len(chosen))
    reason = "as asked" if method != "auto" else "; ".join(_REASONS[name] for name in used)
    return finished(outcome, objectives.batch_shape, chosen, methods, reason, on_failure)


def _checked(objectives: Objectives, scalarizations: Sequence[Scalarization]) -> tuple[Scalarization, ...]:
    if not isinstance(objectives, Objectives):
        raise InvalidInputError(
            f"`objectives` must be Finite-, Quadratic-, Convex-, Smooth- or BlackBoxObjectives, got "
            f"{type(objectives).__name__}."
        )
    chosen = tuple(scalarizations) if not isinstance(scalarizations, Scalarization) else ()
    if not chosen or not all(issubclass(kind, Scalarization) for kind in set(map(type, chosen))):
        raise InvalidInputError("`scalarizations` must be a non-empty sequence of Scalarization, got something else.")
    n = objectives.n_objectives
    other = {u.n_objectives for u in chosen} - {n}
    if other:
        raise InvalidInputError(f"`scalarizations` must be of {n} objectives, got one of {min(other)}.")
    return chosen


def _kind(u: Scalarization) -> str:
    if isinstance(u, WeightedSum) or (isinstance(u, PNorm) and u.p == 1.0):
        return "sum"
    if isinstance(u, Chebyshev) or (isinstance(u, PNorm) and u.p == math.inf):
        return "maximum"
    return "other"


def _method(objectives: Objectives, u: Scalarization, kind: str, asked: str) -> str:
    """Return the method of one row, or refuse the one asked for."""
    if isinstance(objectives, FiniteObjectives):
        fits = ["enumeration"]
    elif isinstance(objectives, BlackBoxObjectives):
        fits = [*ALGORITHMS]
    elif isinstance(objectives, SmoothObjectives):
        check_smooth(objectives, kind, type(u).__name__)
        fits = ["newton"]
    else:
        easy = kind == "sum" or (kind == "maximum" and u.n_objectives <= MAX_OBJECTIVES)
        fits = ["cvxpy"]
        if isinstance(objectives, QuadraticObjectives):
            fits = ["closed-form", *fits] if easy else fits
        elif objectives.is_smooth:
            ball = objectives.ball
            round_ball = ball is not None and ball.norm == "l2" and kind == "sum"
            fits = ["newton", *fits] if easy and (ball is None or round_ball) else fits
    if asked == "auto":
        return fits[0]
    if asked not in fits:
        raise InvalidInputError(
            f"`method` must be auto or one of {', '.join(fits)} for {type(u).__name__} on "
            f"{type(objectives).__name__}, got {asked!r}."
        )
    return asked


def _groups(kinds: Sequence[str], methods: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    if len(set(methods)) == len(set(kinds)) == 1:
        return {(methods[0], kinds[0]): list(range(len(kinds)))}
    groups: dict[tuple[str, str], list[int]] = {}
    for j, (kind, name) in enumerate(zip(kinds, methods, strict=True)):
        groups.setdefault((name, kind if name in ("closed-form", "newton") else ""), []).append(j)
    return groups


def _solve(
    objectives: Objectives,
    chosen: list[Scalarization],
    method: str,
    kind: str,
    tolerance: float,
    rng: RandomSource,
    options: dict[str, Any],
) -> Outcome:
    mine = {name: options[name] for name in _OPTIONS.get(method, ()) if name in options}
    if isinstance(objectives, FiniteObjectives):
        return enumerate_class(objectives, chosen)
    if isinstance(objectives, BlackBoxObjectives):
        return search(objectives, chosen, algorithm=method, rng=rng, **mine)
    if method == "cvxpy" and not isinstance(objectives, SmoothObjectives):
        return solve_programs(objectives, chosen, tolerance=tolerance, **mine)
    found: Outcome
    if kind == "sum":
        weights = np.array([u.weights for u in cast(list[WeightedScalarization], chosen)])
        if isinstance(objectives, QuadraticObjectives):
            return quadratic_sums(objectives, weights, tolerance=tolerance)
        if isinstance(objectives, SmoothObjectives):
            return smooth_sums(objectives, weights, tolerance=tolerance)
        found = minimise_sums(objectives, weights, tolerance=tolerance)
    else:
        maxima = [u if isinstance(u, Chebyshev) else Chebyshev(cast(PNorm, u).weights) for u in chosen]
        if isinstance(objectives, SmoothObjectives):
            return smooth_maxima(objectives, maxima, tolerance=tolerance)
        found = _maxima(objectives, maxima, tolerance)
        if any(u.augmentation for u in maxima):
            return found
    if isinstance(objectives, ConvexObjectives):
        _solve_alone(objectives, cast(list[WeightedScalarization], chosen), kind, tolerance, found)
    return found


def _solve_alone(
    objectives: ConvexObjectives,
    chosen: list[WeightedScalarization],
    kind: str,
    tolerance: float,
    out: Outcome,
) -> None:
    """Solve rows again that are short of the tolerance and leave objectives out, in coordinates of the others alone.

    Groups may differ in where their features are, by so much that no coordinates serve all: of what is common to them
    the spread of one is a rounding error.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for j, u in enumerate(chosen):
        used = tuple(np.flatnonzero(np.array(u.weights) > 0.0).tolist())
        short = (out.status[:, j] != Status.CERTIFIED) & (out.status[:, j] != Status.UNATTAINED)
        if len(used) < objectives.n_objectives and short.any():
            groups.setdefault(used, []).append(j)
    for used, rows in groups.items():
        alone = objectives.only(used)
        weights = np.array([chosen[j].weights for j in rows])[:, used]
        if kind == "sum":
            found = minimise_sums(alone, weights, tolerance=tolerance)
        else:
            ideal = [
                np.array(u.ideal)[list(used)] if isinstance(u, Chebyshev) else None for u in (chosen[j] for j in rows)
            ]
            found = _maxima(alone, [Chebyshev(w, ideal=z) for w, z in zip(weights, ideal, strict=True)], tolerance)
        risks = objectives.risks(found.solutions.reshape(*objectives.batch_shape, len(rows), -1))
        points = risks.reshape(*found.values.shape, -1)
        points[:, :, used] = found.points
        better = (found.status < out.status[:, rows]) | (found.rigorous & (found.gap < out.gap[:, rows]))
        for name, value in {**vars(found), "points": points}.items():
            old = getattr(out, name)
            mask = better.reshape(*better.shape, *[1] * (old.ndim - 2))
            old[:, rows] = np.where(mask, value, old[:, rows])


def _maxima(objectives: QuadraticObjectives | ConvexObjectives, chosen: list[Chebyshev], tolerance: float) -> Outcome:
    """Minimise Chebyshev scalarizations without a ball."""
    w, z, rho = terms_of_chebyshev(chosen)
    # Solved at unit scale of the weights; gap and gradient are scaled back.
    size = w.sum(axis=1)
    w, rho = w / size[:, None], rho / size
    r, k = int(np.prod(objectives.batch_shape, dtype=np.int64)), len(chosen)
    out = Outcome.empty(r, k, objectives.n_objectives, objectives.dimension)
    if isinstance(objectives, QuadraticObjectives):
        blocks: list[tuple[slice, Any]] = [(slice(None), QuadraticPart(objectives))]
    else:
        blocks = [(entries, objectives.standardized(entries)) for entries in chunks(objectives, k)]
    lost = np.zeros((r, k), bool)
    for entries, part in blocks:
        count = len(range(r)[entries])
        found, exact = None, True
        if isinstance(objectives, QuadraticObjectives):
            found = chebyshev_of_two(objectives, chosen) if objectives.n_objectives == 2 else None
            start, first = np.zeros((count, k, objectives.dimension)), None
        else:
            start, first = starts(part, w, z)
        if found is None:
            found = minimise_maxima(part, start, w, z, rho, tolerance=tolerance, multipliers=first)
            exact = False
        theta, u = found
        parameters, theta, at = _judged(part, theta)
        gap, rigorous, norm = chebyshev_gap(part, theta, at.values, u, w, z, rho, at)
        loose = np.flatnonzero((gap > 0.01 * tolerance).any(axis=0)) if exact else np.zeros(0, np.int64)
        if loose.size:
            more, v = minimise_maxima(part, theta[:, loose], w[loose], z[loose], rho[loose], tolerance=tolerance)
            other, more, there = _judged(part, more)
            again = chebyshev_gap(part, more, there.values, v, w[loose], z[loose], rho[loose], there)
            better = again[0] < gap[:, loose]
            for old, new in ((parameters, other), (theta, more), (at.values, there.values)):
                old[:, loose] = np.where(better[..., None], new, old[:, loose])
            for one, two in zip((gap, rigorous, norm), again, strict=True):
                one[:, loose] = np.where(better, two, one[:, loose])
        out.solutions[entries], out.points[entries] = parameters, at.values
        out.gap[entries], out.rigorous[entries], out.gradient_norm[entries] = gap * size, rigorous, norm * size
        if isinstance(objectives, ConvexObjectives):
            lost[entries] = unattained(part, theta, w)
    for j, scalarization in enumerate(chosen):
        out.values[:, j] = scalarization(out.points[:, j])
    out.judge(slice(None), tolerance)
    out.status[lost], out.gap[lost], out.rigorous[lost] = Status.UNATTAINED, np.inf, False
    return out


def _judged(part: Part, theta: FloatArray) -> tuple[FloatArray, FloatArray, Evaluated]:
    """Return parameters as rounded to floats, the points that they are, and what is known there."""
    parameters = part.rounded(theta)
    theta = part.points(parameters)
    return parameters, theta, part.evaluated(theta)


def _merged(parts: list[tuple[list[int], Outcome]], k: int) -> Outcome:
    """Put the rows of several outcomes in the order of the scalarizations."""
    fields: dict[str, FloatArray] = {}
    for name, first in vars(parts[0][1]).items():
        whole = np.empty((first.shape[0], k, *first.shape[2:]), dtype=first.dtype)
        for rows, outcome in parts:
            whole[:, rows] = getattr(outcome, name)
        fields[name] = whole
    return Outcome(**fields)  # type: ignore[arg-type]
