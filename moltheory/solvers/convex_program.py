r"""Any scalarization of convex risks with cvxpy: one parametrised program for each kind, solved again and again.

The solver's word is not taken: risks and value are evaluated anew, a constraint that is violated by rounding is met by
tightening its bound, and the gap comes from a lower bound of our own. For multipliers :math:`\lambda \ge 0`,

.. math:: \min_\theta U(L(\theta)) \ge \min_\theta \sum_i \lambda_i L_i(\theta) - U^*(\lambda),

whose right side `shortfall_of_sums` bounds; the multipliers are the gradient of U (p-norm, smooth Chebyshev) or the
solver's dual values (Chebyshev, epsilon-constraint). Any of them gives a valid bound, good ones a small gap. Losses that
are not smooth and constraints of the user enter the bound by linear functions, see ``_dual_terms``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from moltheory._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.objectives import ConvexObjectives, QuadraticObjectives
from moltheory.objectives.convex import ConvexPart
from moltheory.scalarization import (
    Chebyshev,
    EpsilonConstraint,
    PNorm,
    Scalarization,
    SmoothChebyshev,
    WeightedScalarization,
)
from moltheory.solvers._dual_terms import check_constraints, largest_violation, program_gap
from moltheory.solvers._parts import Part, QuadraticPart
from moltheory.solvers.separability import unattained
from moltheory.solvers.sweep import Outcome, Status

__all__ = ["solve_programs"]

# Tolerances of Clarabel, in the order they are tried until the certificate is within ours: with exponential cones the
# tightest can end in numerical trouble far from the solution.
_TIGHT = (1e-12, 1e-10, 1e-8)
# Constraints of the user are met if they are violated by at most this.
_FEASIBLE = 1e-8
# What the word of a solver other than Clarabel is worth.
_OTHERS = 1e-4

Constraints = Callable[[Any], Any]


def solve_programs(
    objectives: ConvexObjectives | QuadraticObjectives,
    scalarizations: Sequence[Scalarization],
    *,
    tolerance: float,
    solver: str = "CLARABEL",
    constraints: Constraints | None = None,
) -> Outcome:
    """Solve entry by entry.

    With `constraints` of the user, a row whose bound is not within the tolerance, for want of the right subgradients or
    prices, but which the solver calls optimal, gets as an estimate the tolerance that the solver met.

    Raises
    ------
    InvalidInputError
        If `constraints` is no function, or does not return convex cvxpy constraints.
    """
    if constraints is not None and not callable(constraints):
        raise InvalidInputError(
            f"`constraints` must be a function of the cvxpy variable, got {type(constraints).__name__}."
        )
    total = int(np.prod(objectives.batch_shape, dtype=np.int64))
    out = Outcome.empty(total, len(scalarizations), objectives.n_objectives, objectives.dimension)
    gone = np.zeros(out.status.shape, bool)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for j, u in enumerate(scalarizations):
        groups.setdefault(_kind(u), []).append(j)
    for r in range(total):
        part = _entry(objectives, r)
        for rows in groups.values():
            program = _Program(part, scalarizations[rows[0]], objectives.dimension, solver, constraints)
            for j in rows:
                for accuracy in _TIGHT if solver == "CLARABEL" else (0.0,):
                    status = _fill(out, r, j, part, scalarizations[j], program, accuracy)
                    infeasible = out.rigorous[r, j] and np.isinf(out.gap[r, j])
                    limit = tolerance * max(1.0, abs(out.values[r, j]))
                    if not infeasible and program.given and status == "optimal" and not out.gap[r, j] <= limit:
                        claimed = max(accuracy, 1e-8) if solver == "CLARABEL" else _OTHERS
                        out.gap[r, j], out.rigorous[r, j] = claimed * max(1.0, abs(out.values[r, j])), False
                    if infeasible or out.gap[r, j] <= limit:
                        break
        if isinstance(part, ConvexPart) and constraints is None:
            seen = np.array([_objectives_in(u) for u in scalarizations])
            gone[r] = unattained(part, np.asarray(out.solutions[r : r + 1], dtype=np.float64), seen)[0]
    lost = out.status > Status.HEURISTIC
    out.judge(slice(None), tolerance)
    out.status[lost & ~np.isfinite(out.gap)] = Status.FAILED
    out.status[out.rigorous & np.isinf(out.gap)] = Status.INFEASIBLE
    out.status[gone], out.gap[gone] = Status.UNATTAINED, np.inf
    out.rigorous &= np.isfinite(out.gap)
    return out


def _objectives_in(u: Scalarization) -> FloatArray:
    """Return which objectives a scalarization depends on, (N,), as 0 and 1."""
    if isinstance(u, EpsilonConstraint):
        used = np.isfinite(u.bounds)
        used[u.objective] = True
    else:
        used = np.array(u.weights) > 0.0 if isinstance(u, WeightedScalarization) else np.ones(u.n_objectives, bool)
    return used.astype(np.float64)


def _kind(u: Scalarization) -> tuple[Any, ...]:
    """Return what scalarizations must share to be one parametrised program."""
    if isinstance(u, EpsilonConstraint):
        return (EpsilonConstraint, u.objective, tuple(np.isfinite(u.bounds)))
    if isinstance(u, PNorm):
        return (PNorm, u.p)
    if isinstance(u, Chebyshev):
        return (Chebyshev, tuple(w > 0.0 for w in u.weights), u.augmentation)
    return (type(u), u.smoothing) if isinstance(u, SmoothChebyshev) else (type(u),)


def _entry(objectives: ConvexObjectives | QuadraticObjectives, r: int) -> Part:
    if isinstance(objectives, ConvexObjectives):
        return objectives.part(slice(r, r + 1))
    shape = objectives.curvature.shape
    at = np.zeros((1, *shape[-3:-1]))
    values = np.broadcast_to(objectives.risks(np.zeros((1, shape[-1]))), (*objectives.batch_shape, 1, shape[-3]))
    one = QuadraticObjectives.from_expansion(
        objectives.curvature.reshape(-1, *shape[-3:])[r : r + 1],
        objectives.linear.reshape(-1, *shape[-3:-1])[r : r + 1],
        values.reshape(-1, shape[-3])[r : r + 1],
        at=at,
    )
    return QuadraticPart(one)


class _Program:
    """A program with the weights, reference point and bounds as parameters."""

    def __init__(self, part: Part, like: Scalarization, dimension: int, solver: str, given: Constraints | None) -> None:
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        n = like.n_objectives
        self.solver = solver
        self.theta = cp.Variable(dimension)
        risks = part.expressions(self.theta)
        self.weights, self.bounds = cp.Parameter(n, nonneg=True), cp.Parameter(n)
        weighted = [self.weights[i] * risks[i] for i in range(n)]
        self.limits: dict[int, Any] = {}
        constraints = []
        if isinstance(like, EpsilonConstraint):
            goal = risks[like.objective]
            self.limits = {i: risks[i] <= self.bounds[i] for i in range(n) if np.isfinite(like.bounds[i])}
        elif isinstance(like, Chebyshev) or (isinstance(like, PNorm) and like.p == np.inf):
            # The parameter `bounds` holds w z, as a product of two parameters is not allowed.
            top = cp.Variable()
            used = [i for i in range(n) if like.weights[i] > 0.0]
            self.limits = {i: weighted[i] - self.bounds[i] <= top for i in used}
            rho = like.augmentation if isinstance(like, Chebyshev) else 0.0
            goal = top + rho * sum(risks) if rho > 0.0 else top
        elif isinstance(like, PNorm) and like.p > 1.0:
            terms = cp.Variable(n, nonneg=True)
            constraints = [weighted[i] <= terms[i] for i in range(n)]
            goal = cp.pnorm(terms, like.p)
        elif isinstance(like, SmoothChebyshev):
            goal = like.smoothing * cp.log_sum_exp(cp.hstack([w / like.smoothing for w in weighted]))
        else:
            goal = sum(weighted)
        if part.ball is not None:
            constraints.append(cp.norm(self.theta, 2 if part.ball.norm == "l2" else 1) <= part.ball.radius)
        self.given = [] if given is None else check_constraints(given(self.theta))
        self.program = cp.Problem(cp.Minimize(goal), [*self.limits.values(), *constraints, *self.given])

    def solve(self, u: Scalarization, tightening: FloatArray, accuracy: float) -> str:
        """Solve for one scalarization and return the solver's status."""
        import cvxpy

        cp: Any = cvxpy  # its stubs lack most atoms

        if isinstance(u, EpsilonConstraint):
            self.bounds.value = np.where(np.isfinite(u.bounds), u.bounds, 0.0) - tightening
            self.weights.value = np.ones(u.n_objectives)
        elif isinstance(u, WeightedScalarization):
            self.weights.value = np.array(u.weights)
            ideal = np.array(u.ideal) if isinstance(u, Chebyshev) else np.zeros(u.n_objectives)
            self.bounds.value = self.weights.value * ideal
        names = ("tol_gap_abs", "tol_gap_rel", "tol_feas") if self.solver == "CLARABEL" else ()
        settings = dict.fromkeys(names, accuracy)
        try:
            with warnings.catch_warnings():
                # Inaccuracy is told by the certificate.
                warnings.simplefilter("ignore")
                self.program.solve(solver=self.solver, **settings)
        except (cp.SolverError, ValueError, ArithmeticError):
            return "failed"
        return str(self.program.status)

    def duals(self, n: int) -> FloatArray:
        """Multipliers of the limits, (N,), 0 where there is none."""
        found = np.zeros(n)
        for i, limit in self.limits.items():
            found[i] = 0.0 if limit.dual_value is None else max(float(np.squeeze(limit.dual_value)), 0.0)
        return found


def _fill(out: Outcome, r: int, j: int, part: Part, u: Scalarization, program: _Program, accuracy: float) -> str:
    """Solve one row; leaves gap inf where there is no point, and marks proven infeasibility as a rigorous one.

    Returns the solver's word where there is a new point.
    """
    tightening = np.zeros(u.n_objectives)
    for _ in range(4):
        status = program.solve(u, tightening, accuracy)
        if program.theta.value is None or "infeasible" in status or "unbounded" in status:
            out.rigorous[r, j] = status == "infeasible" and not tightening.any()
            return "failed"
        theta = np.asarray(program.theta.value, dtype=np.float64)[None, None]
        if part.ball is not None:
            theta = part.ball.inside(theta)
        values = part.values(theta)
        if not np.isfinite(values).all():
            return "failed"
        if not isinstance(u, EpsilonConstraint):
            break
        excess = np.where(np.isfinite(u.bounds), values[0, 0] - np.array(u.bounds), -np.inf)
        if (excess <= 0.0).all():
            break
        tightening = np.maximum(tightening, np.where(excess > 0.0, 2.0 * excess + tightening, 0.0))
    value = float(u(values[0, 0]))
    if not np.isfinite(value):
        return "failed"
    multipliers, dual = _multipliers(u, values[0, 0], program.duals)
    program.theta.value = theta[0, 0]
    if largest_violation(program.given) > _FEASIBLE:
        return "failed"
    short, rigorous, norm = program_gap(part, theta, multipliers, program.theta, program.given)
    if rigorous and isinstance(part, ConvexPart) and part.is_nonnegative:
        # No sum of such losses is below 0: where they can all vanish, sharper than what a gradient says.
        short = min(short, float(multipliers @ values[0, 0]))
    gap = max(value - dual, 0.0) + short
    if gap >= out.gap[r, j]:
        return "failed"
    out.solutions[r, j], out.points[r, j], out.values[r, j] = theta[0, 0], values[0, 0], value
    out.gap[r, j] = gap
    out.rigorous[r, j], out.gradient_norm[r, j] = rigorous, norm
    out.status[r, j] = Status.CERTIFIED
    return status


def _multipliers(u: Scalarization, values: FloatArray, duals: Callable[[int], FloatArray]) -> tuple[FloatArray, float]:
    r"""Return multipliers of the risks, and :math:`\lambda \cdot v - U^*(\lambda) \le U(v)` at the risks."""
    if isinstance(u, EpsilonConstraint):
        price = np.where(np.isfinite(u.bounds), duals(values.size), 0.0)
        slack = np.where(np.isfinite(u.bounds), values - np.array(u.bounds), 0.0)
        multipliers = price.copy()
        multipliers[u.objective] += 1.0
        return multipliers, float(values[u.objective] + price @ slack)
    if not isinstance(u, WeightedScalarization):
        raise TypeError(f"no lower bound is known for {type(u).__name__}")
    w = np.array(u.weights)
    if isinstance(u, Chebyshev) or (isinstance(u, PNorm) and u.p == np.inf):
        ideal, rho = (np.array(u.ideal), u.augmentation) if isinstance(u, Chebyshev) else (np.zeros(w.size), 0.0)
        price = duals(w.size) * (w > 0.0)
        price = price / price.sum() if price.any() else (w > 0.0) / (w > 0.0).sum()
        multipliers = price * w + rho
        return multipliers, float(multipliers @ (values - ideal))
    if isinstance(u, PNorm):
        value = float(u(values))
        gradient = w if value == 0.0 else w * (w * values / value) ** (u.p - 1.0)
        return gradient, float(gradient @ values)
    if isinstance(u, SmoothChebyshev):
        scaled = w * values / u.smoothing
        share = np.exp(scaled - scaled.max())
        share /= share.sum()
        entropy = -float((share * np.log(np.maximum(share, 1e-300))).sum())
        return w * share, float((w * share) @ values + u.smoothing * entropy)
    return w, float(w @ values)
