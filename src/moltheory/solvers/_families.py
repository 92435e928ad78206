"""Families of objectives: what each needs to know of a scalarization, and the methods that it has.

Finite classes and black boxes need values only. The others need the form that a scalarization declares: the method is
chosen by the form, and what declares none is refused before any work starts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from moltheory.errors import InvalidInputError
from moltheory.objectives import (
    BlackBoxObjectives,
    ConvexObjectives,
    FiniteObjectives,
    QuadraticObjectives,
    SmoothObjectives,
)
from moltheory.runs import RandomSource
from moltheory.scalarization import Form, MaximumForm, Scalarization
from moltheory.scalarization._declared import declared_form, solvable_form
from moltheory.solvers._closed_form import quadratic_sums
from moltheory.solvers._convex_program import solve_programs
from moltheory.solvers._enumeration import enumerate_class
from moltheory.solvers._evolutionary import ALGORITHMS, search
from moltheory.solvers._maxima import convex_maxima, quadratic_maxima
from moltheory.solvers._minimax import MAX_OBJECTIVES
from moltheory.solvers._newton import minimise_sums
from moltheory.solvers._result import Outcome, Status
from moltheory.solvers._rows import Rows, rows_of
from moltheory.solvers._smooth_objective import QuadraticPart
from moltheory.solvers._smooth_part import check_smooth, smooth_maxima, smooth_sums

__all__ = ["Family", "Objectives", "check_kind", "family_of"]

Objectives = FiniteObjectives | QuadraticObjectives | ConvexObjectives | SmoothObjectives | BlackBoxObjectives

T = TypeVar("T", bound=Objectives)


class Family(ABC, Generic[T]):
    """How objectives of one kind are minimised; if `values_suffice`, by the values of a scalarization alone."""

    values_suffice: ClassVar[bool] = False

    def __init__(self, objectives: T) -> None:
        self.objectives = objectives

    def form(self, u: Scalarization) -> Form | None:
        """Return the declared form, None if a method may be found without; refuse a scalarization that declares none."""
        return solvable_form(u, type(self.objectives).__name__)

    def rows(self, scalarizations: Sequence[Scalarization]) -> Rows:
        """Return scalarizations with their forms; refuse one that declares none where values do not suffice."""
        return rows_of(scalarizations, None if self.values_suffice else self.form)

    @abstractmethod
    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        """Return the methods for one scalarization, the best first; all of a form's kind have the same."""

    @abstractmethod
    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        """Minimise scalarizations of one method, and of one form's kind unless it is cvxpy."""


class _Finite(Family[FiniteObjectives]):
    values_suffice = True

    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        return ("enumeration",)

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        return enumerate_class(self.objectives, rows.scalarizations)


class _BlackBox(Family[BlackBoxObjectives]):
    values_suffice = True

    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        return ALGORITHMS

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        return search(self.objectives, rows.scalarizations, algorithm=method, rng=rng, **options)


class _Smooth(Family[SmoothObjectives]):
    def form(self, u: Scalarization) -> Form | None:
        return declared_form(u)

    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        check_smooth(self.objectives, form, type(u).__name__)
        return ("newton",)

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        if rows.kinds[0] == "linear":
            return smooth_sums(self.objectives, rows.weights, tolerance=tolerance)
        return smooth_maxima(self.objectives, rows.maxima, tolerance=tolerance)


class _SmoothInBox(Family[SmoothObjectives]):
    """Smooth objectives on a ball, searched with their values only in the box around it."""

    values_suffice = True

    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        return ALGORITHMS

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        objectives, ball = self.objectives, self.objectives.ball
        if ball is None or objectives.batch_shape:
            raise InvalidInputError(
                f"`objectives` must have a ball and no batch axes to be searched by {method!r}, got {objectives!r}; "
                f"BlackBoxObjectives have a box."
            )
        edge = np.full(objectives.dimension, ball.radius)
        inside = ball.inside
        box = BlackBoxObjectives(
            lambda x: objectives.risks(inside(x)), -edge, edge, n_objectives=objectives.n_objectives
        )
        out = search(box, rows.scalarizations, algorithm=method, rng=rng, **options)
        found = np.isfinite(out.values[0])
        out.solutions[0, found] = inside(out.solutions[0, found])
        return out


class _Quadratic(Family[QuadraticObjectives]):
    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        return ("closed-form", "cvxpy") if _is_easy(form) else ("cvxpy",)

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        objectives = self.objectives
        if method == "cvxpy":
            return solve_programs(
                objectives,
                rows.scalarizations,
                rows.forms,
                entry=lambda r: QuadraticPart(objectives.entry(r)),
                tolerance=tolerance,
                **options,
            )
        if rows.kinds[0] == "linear":
            return quadratic_sums(objectives, rows.weights, tolerance=tolerance)
        return quadratic_maxima(objectives, rows.maxima, tolerance=tolerance)


class _Convex(Family[ConvexObjectives]):
    def methods(self, u: Scalarization, form: Form | None) -> Sequence[str]:
        ball = self.objectives.ball
        on_ball = ball is not None and ball.norm == "l2" and form is not None and form.kind == "linear"
        steps = self.objectives.is_smooth and _is_easy(form) and (ball is None or on_ball)
        return ("newton", "cvxpy") if steps else ("cvxpy",)

    def solve(
        self, rows: Rows, method: str, tolerance: float, rng: RandomSource, options: Mapping[str, Any]
    ) -> Outcome:
        objectives = self.objectives
        if method == "cvxpy":
            return solve_programs(
                objectives,
                rows.scalarizations,
                rows.forms,
                entry=lambda r: objectives.standardized(slice(r, r + 1)),
                tolerance=tolerance,
                **options,
            )
        if rows.kinds[0] == "linear":
            found = minimise_sums(objectives, rows.weights, tolerance=tolerance)
        else:
            found = convex_maxima(objectives, rows.maxima, tolerance=tolerance)
            if any(form.augmentation for form in rows.maxima):
                return found
        self._solve_alone(rows, tolerance, found)
        return found

    def _solve_alone(self, rows: Rows, tolerance: float, out: Outcome) -> None:
        """Solve again rows that are short of the tolerance and leave objectives out, in coordinates of the others alone.

        Groups may differ in where their features are, by so much that no coordinates serve all: of what is common to
        them the spread of one is a rounding error.
        """
        objectives = self.objectives
        groups: dict[tuple[int, ...], list[int]] = {}
        weights = rows.weights
        for j, positive in enumerate(weights > 0.0):
            used = tuple(np.flatnonzero(positive).tolist())
            short = (out.status[:, j] != Status.CERTIFIED) & (out.status[:, j] != Status.UNATTAINED)
            if len(used) < objectives.n_objectives and short.any():
                groups.setdefault(used, []).append(j)
        for used, some in groups.items():
            alone, columns = objectives.only(used), list(used)
            w = weights[some][:, columns]
            if rows.kinds[0] == "linear":
                found = minimise_sums(alone, w, tolerance=tolerance)
            else:
                z = np.array([rows.maxima[j].ideal for j in some])[:, columns]
                forms = [MaximumForm(tuple(a), tuple(b)) for a, b in zip(w.tolist(), z.tolist(), strict=True)]
                found = convex_maxima(alone, forms, tolerance=tolerance)
            risks = objectives.risks(found.solutions.reshape(*objectives.batch_shape, len(some), -1))
            points = risks.reshape(*found.values.shape, -1)
            points[:, :, used] = found.points
            better = (found.status < out.status[:, some]) | (found.rigorous & (found.gap < out.gap[:, some]))
            for name, value in {**vars(found), "points": points}.items():
                old = getattr(out, name)
                mask = better.reshape(*better.shape, *[1] * (old.ndim - 2))
                old[:, some] = np.where(mask, value, old[:, some])


_FAMILIES: dict[type, type[Family[Any]]] = {
    FiniteObjectives: _Finite,
    BlackBoxObjectives: _BlackBox,
    SmoothObjectives: _Smooth,
    QuadraticObjectives: _Quadratic,
    ConvexObjectives: _Convex,
}


def family_of(objectives: Any, method: str) -> Family[Any]:
    """Return the family of objectives; refuse unknown kinds, and subclasses that compute something else."""
    kind = type(objectives)
    base = next((one for one in kind.__mro__ if one in _FAMILIES), None)
    if base is None:
        raise InvalidInputError(
            f"`objectives` must be Finite-, Quadratic-, Convex-, Smooth- or BlackBoxObjectives, got {kind.__name__}; "
            f"objectives of your own are given by their values as BlackBoxObjectives, or by value, gradient and Hessian "
            f"as SmoothObjectives."
        )
    if base is SmoothObjectives and method in ALGORITHMS:
        return _SmoothInBox(objectives)
    family = _FAMILIES[base]
    changed = [] if family.values_suffice else _changed(objectives, base)
    if changed:
        raise InvalidInputError(
            f"`objectives` must compute what {base.__name__} do, got {kind.__name__}, which redefines "
            f"{', '.join(changed)}; give its values as BlackBoxObjectives, or value, gradient and Hessian as "
            f"SmoothObjectives."
        )
    return family(objectives)


def check_kind(objectives: Any) -> None:
    """Refuse objectives that no solver knows, or a subclass that computes something else than its base."""
    family_of(objectives, "auto")


@cache
def _methods_of(base: type) -> frozenset[str]:
    return frozenset(name for name in vars(base) if not name.startswith("__") and callable(getattr(base, name)))


@cache
def _redefined(kind: type, base: type) -> frozenset[str]:
    known = {name for name in vars(base) if not name.startswith("__")}
    later = {name for one in kind.__mro__[: kind.__mro__.index(base)] for name in vars(one)}
    return frozenset(known & later)


def _changed(objectives: Any, base: type) -> list[str]:
    """Return what a subclass, or the object itself, defines anew of its base, but for special methods."""
    kind: type = type(objectives)
    patched = _methods_of(base).intersection(getattr(objectives, "__dict__", ()))
    return sorted(_redefined(kind, base) | patched)


def _is_easy(form: Form | None) -> bool:
    """Whether it is a weighted sum, or a maximum of few objectives."""
    if form is None or form.kind not in ("linear", "maximum"):
        return False
    return form.kind == "linear" or form.n_objectives <= MAX_OBJECTIVES
