"""Minimise many scalarizations with a solver chosen from the structure of the problem; the choice is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray, check_choice, check_real
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.runs import RandomSource
from moltheory.scalarization import Form, Scalarization
from moltheory.solvers._evolutionary import ALGORITHMS
from moltheory.solvers._families import Family, Objectives, family_of
from moltheory.solvers._minimax import MAX_OBJECTIVES
from moltheory.solvers._result import Outcome, Sweep, finished

__all__ = ["solve_front"]

_METHODS = ("auto", "enumeration", "closed-form", "newton", "cvxpy", *ALGORITHMS)
_REASONS = {
    "enumeration": "the class is finite",
    "closed-form": "the objectives are quadratic",
    "newton": "the objectives are smooth and convex",
    "cvxpy": "a ball, a constraint, a p-norm, a maximum that is smooth or of more than "
    f"{MAX_OBJECTIVES} objectives, a scalarization known by its program, or a loss that is not smooth needs a convex "
    "program",
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
        What to minimise, with any batch axes (replicates). A problem (`moltheory.problems.ProblemLike`) stands for its
        `true` objectives, and a table of risks (*batch, H, N) for `FiniteObjectives`.
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
        If an argument breaks its rule, or the method does not fit the objectives or scalarizations; if a scalarization
        declares nothing that a convex program can be made of, or something that its values contradict.
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
    ``cvxpy``        quadratics and `ConvexObjectives`, every scalarization    dual, the same, and on every ball;
                     that declares a form or a program, losses that are not    else the solver's word, an estimate;
                     smooth, constraints of the user                           none without multipliers
    ``nsga2``, ...   black boxes, integers, `SmoothObjectives` on a ball;      none
                     every scalarization
    ===============  ========================================================  =====================================

    The method is chosen by what a scalarization declares (`Scalarization.form`, or `program` and `multipliers`), never by
    its class, and the declaration must come from the class that defines the value. Finite classes and black boxes need
    values only, and take every scalarization.

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
    objectives = _read(objectives)
    family = family_of(objectives, method)
    chosen = _checked(scalarizations)
    rows = family.rows(chosen)
    if other := rows.sizes - {objectives.n_objectives}:
        raise InvalidInputError(
            f"`scalarizations` must be of {objectives.n_objectives} objectives, got one of {min(other)}."
        )
    given = dict(options or {})
    # One representative of each kind decides: the choice depends on nothing else.
    fits = {kind: _method(family, *rows.first(kind), method, given) for kind in dict.fromkeys(rows.kinds)}
    methods = [fits[kind] for kind in rows.kinds]
    used = list(dict.fromkeys(methods))
    allowed = {option for name in used for option in _OPTIONS.get(name, ())}
    if not set(given) <= allowed:
        raise InvalidInputError(f"`options` must be among {sorted(allowed)} for {sorted(used)}, got {given}.")
    # Trial steps may overflow; what is not finite in the end is a failure.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = [
            (some, family.solve(rows.take(some), name, limit, rng, _options_of(name, given)))
            for (name, _), some in _groups(rows.kinds, methods).items()
        ]
    outcome = parts[0][1] if len(parts) == 1 else _merged(parts, len(chosen))
    reason = "as asked" if method != "auto" else "; ".join(_REASONS[name] for name in used)
    return finished(outcome, objectives.batch_shape, chosen, methods, reason, on_failure)


def _read(objectives: Any) -> Any:
    """Return the objectives that a problem or a table of risks stands for; anything else as it is."""
    if hasattr(objectives, "true") and hasattr(objectives, "sample"):
        objectives = objectives.true
    is_table = hasattr(objectives, "__array__") and not hasattr(objectives, "risks")
    return FiniteObjectives(objectives) if is_table else objectives


def _checked(scalarizations: Sequence[Scalarization]) -> tuple[Scalarization, ...]:
    chosen = tuple(scalarizations) if not isinstance(scalarizations, Scalarization) else ()
    if not chosen or not all(issubclass(kind, Scalarization) for kind in set(map(type, chosen))):
        raise InvalidInputError("`scalarizations` must be a non-empty sequence of Scalarization, got something else.")
    return chosen


def _method(family: Family[Any], u: Scalarization, form: Form | None, asked: str, options: Mapping[str, Any]) -> str:
    """Return the method of one row, or refuse the one asked for."""
    fits = family.methods(u, form)
    if asked == "auto":
        # Constraints leave one method that knows them.
        return "cvxpy" if "constraints" in options and "cvxpy" in fits else fits[0]
    if asked not in fits:
        raise InvalidInputError(
            f"`method` must be auto or one of {', '.join(fits)} for {type(u).__name__} on "
            f"{type(family.objectives).__name__}, got {asked!r}."
        )
    return asked


def _options_of(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in _OPTIONS.get(method, ()) if name in options}


def _groups(kinds: Sequence[str], methods: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    if len(set(methods)) == len(set(kinds)) == 1:
        return {(methods[0], kinds[0]): list(range(len(kinds)))}
    groups: dict[tuple[str, str], list[int]] = {}
    for j, (kind, name) in enumerate(zip(kinds, methods, strict=True)):
        groups.setdefault((name, kind if name in ("closed-form", "newton") else ""), []).append(j)
    return groups


def _merged(parts: list[tuple[list[int], Outcome]], k: int) -> Outcome:
    """Put the rows of several outcomes in the order of the scalarizations."""
    fields: dict[str, FloatArray] = {}
    for name, first in vars(parts[0][1]).items():
        whole = np.empty((first.shape[0], k, *first.shape[2:]), dtype=first.dtype)
        for rows, outcome in parts:
            whole[:, rows] = getattr(outcome, name)
        fields[name] = whole
    return Outcome(**fields)  # type: ignore[arg-type]
