r"""Any scalarization of convex risks with cvxpy: one parametrised program for each kind, solved again and again.

The solver's word is not taken: risks and value are evaluated anew, a constraint that is violated by rounding is met by
tightening its bound, and the gap comes from a lower bound of our own. For multipliers :math:`\lambda \ge 0`,

.. math:: \min_\theta U(L(\theta)) \ge \min_\theta \sum_i \lambda_i L_i(\theta) - U^*(\lambda),

whose right side `shortfall_of_sums` bounds; the multipliers come from the form of U: its gradient, or the solver's dual
values of the terms of a maximum or of bounds. Any of them gives a valid bound, good ones a small gap. Losses that are not
smooth and constraints of the user enter the bound by linear functions, see ``_dual_terms``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Form, Scalarization
from moltheory.solvers._active_set import polished
from moltheory.solvers._dual_terms import check_constraints, largest_violation, program_gap
from moltheory.solvers._newton import newton_path
from moltheory.solvers._result import Outcome, Status
from moltheory.solvers._separability import unattained
from moltheory.solvers._smooth_objective import Part

__all__ = ["solve_programs"]

# Tolerances of Clarabel, in the order they are tried until the certificate is within ours: with exponential cones the
# tightest can end in numerical trouble far from the solution.
_TIGHT = (1e-12, 1e-10, 1e-8)
# Constraints of the user are met if they are violated by at most this.
_FEASIBLE = 1e-8
# Gaps this far below the tolerance are not polished.
_POLISHED = 1e-3
_EPS = np.finfo(np.float64).eps
# What the word of a solver other than Clarabel is worth.
_OTHERS = 1e-4

Constraints = Callable[[Any], Any]


class Entries(Protocol):
    """Convex objectives with a batch, entry by entry."""

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading axes."""

    @property
    def n_objectives(self) -> int:
        """Number N of objectives."""

    @property
    def dimension(self) -> int:
        """Number d of parameters."""


def solve_programs(
    objectives: Entries,
    scalarizations: Sequence[Scalarization],
    forms: Sequence[Form],
    *,
    entry: Callable[[int], Part],
    tolerance: float,
    solver: str = "CLARABEL",
    constraints: Constraints | None = None,
) -> Outcome:
    """Solve entry by entry; `entry` returns one as a part, `forms` holds the forms of the scalarizations.

    With `constraints` of the user, a row whose bound is not within the tolerance, for want of the right subgradients or
    prices, but which the solver calls optimal, gets as an estimate the tolerance that the solver met. Without
    multipliers of a scalarization its rows are heuristics. Constraints that are not convex are refused, as are programs
    and multipliers that contradict the values of their scalarization.
    """
    if constraints is not None and not callable(constraints):
        raise InvalidInputError(
            f"`constraints` must be a function of the cvxpy variable, got {type(constraints).__name__}."
        )
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    out = Outcome.empty(total, len(scalarizations), objectives.n_objectives, objectives.dimension)
    gone = np.zeros(out.status.shape, bool)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for j, (u, form) in enumerate(zip(scalarizations, forms, strict=True)):
        # A program is shared within a class.
        groups.setdefault((type(u), form.key), []).append(j)
    for r in range(total):
        part = entry(r)
        for rows in groups.values():
            program = _Program(part, forms[rows[0]], objectives.dimension, solver, constraints)
            for j in rows:
                _Row(out, r, j, part, scalarizations[j], forms[j], program, tolerance).solve()
        if (data := part.examples) is not None and constraints is None:
            seen = np.array([form.used for form in forms], dtype=np.float64)
            gone[r] = unattained(data, data.points(np.asarray(out.solutions[r : r + 1], dtype=np.float64)), seen)[0]
    lost, infeasible = out.status > Status.HEURISTIC, out.rigorous & np.isinf(out.gap)
    out.set_status(slice(None), tolerance)
    out.status[lost & ~np.isfinite(out.gap)] = Status.FAILED
    out.status[infeasible] = Status.INFEASIBLE
    out.status[gone], out.gap[gone] = Status.UNATTAINED, np.inf
    out.rigorous &= np.isfinite(out.gap)
    for j, form in enumerate(forms):
        if not form.has_lower_bound:
            solved = out.status[:, j] == Status.UNCERTIFIED
            out.gap[solved, j], out.status[solved, j] = np.nan, Status.HEURISTIC
    return out


class _Program:
    """A program with the weights, reference point and bounds as parameters."""

    def __init__(self, part: Part, like: Form, dimension: int, solver: str, given: Constraints | None) -> None:
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        n = like.n_objectives
        self.solver = solver
        self.theta = cp.Variable(dimension)
        risks = part.expressions(self.theta)
        self.weights, self.bounds = cp.Parameter(n, nonneg=True), cp.Parameter(n)
        self.epigraph = like.epigraph(risks, self.weights, self.bounds)
        constraints = list(self.epigraph.constraints)
        parameters = part.parameters_of(self.theta)
        if part.ball is not None:
            # In units of the radius, as the solver has a tolerance of its own.
            constraints.append(cp.norm(parameters / part.ball.radius, 2 if part.ball.norm == "l2" else 1) <= 1.0)
        self.given = [] if given is None else check_constraints(given(parameters))
        limits = self.epigraph.limits.values()
        self.program = cp.Problem(cp.Minimize(self.epigraph.value), [*limits, *constraints, *self.given])

    def solve(self, form: Form, tightening: FloatArray, accuracy: float) -> str:
        """Solve for one scalarization and return the solver's status."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        self.weights.value, bounds = form.parameters()
        self.bounds.value = bounds - tightening
        names = ("tol_gap_abs", "tol_gap_rel", "tol_feas") if self.solver == "CLARABEL" else ()
        settings = dict.fromkeys(names, accuracy)
        try:
            with warnings_as("ignore"):  # inaccuracy is told by the certificate
                self.program.solve(solver=self.solver, **settings)
        except (cp.SolverError, ValueError, ArithmeticError):
            return "failed"
        return str(self.program.status)

    def duals(self, n: int) -> FloatArray:
        """Multipliers of the limits, (N,), 0 where there is none."""
        found = np.zeros(n)
        for i, limit in self.epigraph.limits.items():
            found[i] = 0.0 if limit.dual_value is None else max(float(np.squeeze(limit.dual_value)), 0.0)
        return found


def _starts(part: Part, n_objectives: int, dimension: int) -> Iterator[FloatArray]:
    """Yield points (1, 1, d): the minimiser of the sum of all risks where Newton steps find it, and no parameters."""
    data = part.examples
    if data is not None and data.is_smooth and (data.ball is None or data.ball.norm == "l2"):
        yield data.points(data.rounded(newton_path(data, np.full((1, n_objectives), 1.0 / n_objectives))))
    yield part.points(np.zeros((1, 1, dimension)))


class _Row:
    """One entry and one scalarization: the point with the smallest gap so far, in the rows of the outcome."""

    def __init__(
        self,
        out: Outcome,
        r: int,
        j: int,
        part: Part,
        u: Scalarization,
        form: Form,
        program: _Program,
        tolerance: float,
    ) -> None:
        self.out, self.at = out, (r, j)
        self.part, self.u, self.form, self.program, self.tolerance = part, u, form, program, tolerance

    @property
    def gap(self) -> float:
        """Gap of the point that is kept, inf where there is none."""
        return float(self.out.gap[self.at])

    def solve(self) -> None:
        """Solve at one accuracy after the other; proven infeasibility is marked as a rigorous infinite gap."""
        out, at = self.out, self.at
        clarabel = self.program.solver == "CLARABEL"
        for accuracy in _TIGHT if clarabel else (0.0,):
            status = self._solve_at(accuracy)
            infeasible = out.rigorous[at] and np.isinf(self.gap)
            limit = self.tolerance * max(1.0, abs(out.values[at]))
            if not infeasible and self.program.given and status == "optimal" and not self.gap <= limit:
                claimed = max(accuracy, 1e-8) if clarabel else _OTHERS
                out.gap[at], out.rigorous[at] = claimed * max(1.0, abs(out.values[at])), False
            if infeasible or self.gap <= limit:
                return
        if np.isinf(self.gap) and not self.program.given:
            # The solver gave no point at all: the conditions may be solved from elsewhere.
            for start in _starts(self.part, self.u.n_objectives, self.out.solutions.shape[-1]):
                self._polish(start)

    def _solve_at(self, accuracy: float) -> str:
        """Solve at one accuracy, and polish; returns the solver's word where there is a new point."""
        tightening, word = np.zeros(self.u.n_objectives), "failed"
        for _ in range(4):
            status = self.program.solve(self.form, tightening, accuracy)
            if self.program.theta.value is None or "infeasible" in status or "unbounded" in status:
                # A polished point may have been found before the bounds were tightened too far.
                proven = status == "infeasible" and self.form.kind != "program" and not tightening.any()
                self.out.rigorous[self.at] |= proven and np.isinf(self.gap)
                break
            theta = np.asarray(self.program.theta.value, dtype=np.float64)[None, None]
            if not np.isfinite(theta).all():
                break
            if status in ("optimal", "optimal_inaccurate"):
                self.form.confirm(float(self.program.program.value), self.part.values(theta)[0, 0])
            excess = self._keep(theta, self.program.duals(self.u.n_objectives))
            better = not self.program.given and self._polish(theta)
            if excess is None or better:
                word = status
            if excess is None or np.isfinite(self.gap):
                break
            tightening = np.maximum(tightening, np.where(excess > 0.0, 2.0 * excess + tightening, 0.0))
        return word

    def _polish(self, theta: FloatArray) -> bool:
        """Try points near theta that solve the optimality conditions; whether one could be kept."""
        spare, kept = np.zeros(self.u.n_objectives), False
        for _ in range(4):
            beyond = np.zeros(self.u.n_objectives)
            for better, prices in polished(self.part, self.form, theta, spare):
                if self.gap <= _POLISHED * self.tolerance:
                    return kept
                excess = self._keep(better, prices)
                kept |= excess is None
                beyond = beyond if excess is None else np.maximum(beyond, excess)
            if not (beyond > 0.0).any():
                break
            # Parameters rounded to floats miss a bound by more than the rounding of its risk.
            spare += 2.0 * beyond
        return kept

    def _keep(self, theta: FloatArray, prices: FloatArray) -> FloatArray | None:
        """Keep a point (1, 1, d) if its gap is the smallest so far; returns by how much it breaks bounds, if it does."""
        out, part, u, form = self.out, self.part, self.u, self.form
        parameters = part.rounded(theta)
        theta = part.points(parameters)
        at = part.evaluated(theta)
        values, error = at.values[0, 0], at.value_error[0, 0]
        if not np.isfinite(values).all():
            return np.zeros(values.size)
        if (excess := form.excess(values, error)) is not None:
            return excess
        value = float(u(values))
        self.program.theta.value = theta[0, 0]
        if not np.isfinite(value) or largest_violation(self.program.given) > _FEASIBLE:
            return np.zeros(values.size)
        multipliers, dual = form.lower_bound(values, prices)
        short, rigorous, norm = program_gap(part, theta, multipliers, at, self.program.theta, self.program.given)
        rigorous &= form.has_lower_bound
        if rigorous and part.examples is not None and part.examples.is_nonnegative:
            # No sum of such losses is below 0: where they can all vanish, sharper than what a gradient says.
            short = min(short, float(multipliers @ values))
        gap = max(value - dual, 0.0) + short + form.rounding(value, values, error, multipliers)
        gap += 4.0 * _EPS * (abs(value) + float(multipliers @ np.abs(values)))
        # A bound is worth more than a smaller estimate.
        if np.isfinite(self.gap) and (not rigorous, gap) >= (not out.rigorous[self.at], self.gap):
            return None
        out.solutions[self.at], out.points[self.at], out.values[self.at] = parameters[0, 0], values, value
        out.gap[self.at], out.rigorous[self.at], out.gradient_norm[self.at] = gap, rigorous, norm
        out.status[self.at] = Status.CERTIFIED
        return None
