"""What a scalarization declares to solvers, compared with its values."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Form, Scalarization, SmoothForm
from moltheory.scalarization._base import changes_value
from moltheory.scalarization._declared import declared_form
from moltheory.scalarization._form import FormKind
from moltheory.scalarization._program_form import answer_of, checked_multipliers, checked_program
from moltheory.testing._errors import ContractError

__all__ = ["check_declarations"]

# Relative differences that are rounding, a solver's tolerance, and the error of differences.
_REL, _SOLVED, _DIFFERENCES = 1e-9, 1e-5, 1e-4


def check_declarations(u: Scalarization, risks: FloatArray, name: str) -> None:
    """Check `form`, `program` and `multipliers` at risks (K, N)."""
    try:
        _owners(u, name)
        form = declared_form(u)
        if form is not None:
            _form(u, form, risks, name)
        _program(u, risks, name)
        _multipliers(u, risks, name)
    except InvalidInputError as error:
        raise ContractError(str(error)) from error


def _owners(u: Scalarization, name: str) -> None:
    """Refuse what is declared by a class whose value was changed since, and not declared anew."""
    kind = type(u)
    fresh = [what for what in ("form", "program") if not changes_value(kind, what)]
    for what in ("form", "program", "multipliers"):
        inherited = getattr(kind, what) is not getattr(Scalarization, what) and changes_value(kind, what)
        if inherited and not (what != "multipliers" and fresh):
            owner = next(one for one in kind.__mro__ if what in vars(one))
            raise ContractError(
                f"`{name}` must declare `{what}` anew, because it changes the value for which {owner.__name__} declares it."
            )


def _form(u: Scalarization, form: Form, risks: FloatArray, name: str) -> None:
    if form.kind not in get_args(FormKind):
        raise ContractError(f"`form.kind` of {name} must be one of {', '.join(get_args(FormKind))}, got {form.kind!r}.")
    values, stated = u(risks), form.value(risks)
    if not np.allclose(values, stated, rtol=_REL, atol=1e-12):
        row = int(np.argmax(~np.isclose(values, stated, rtol=_REL, atol=1e-12)))
        raise ContractError(
            f"`form` of {name} must have the value of the call, got {stated[row]:g} instead of {values[row]:g} at "
            f"{risks[row].tolist()}."
        )
    finite = np.isfinite(values)
    moved = np.where(form.used, risks, risks[::-1])
    if not np.array_equal(u(moved), values):
        raise ContractError(f"`form.used` of {name} must name all objectives that change the value, got {form.used}.")
    here, known = risks[finite], values[finite]
    reach = np.abs(np.diff(here, axis=0)) @ form.largest_slopes
    if (np.abs(np.diff(known)) > reach + _REL * (1.0 + np.abs(known[1:]) + np.abs(known[:-1]))).any():
        raise ContractError(f"`form.largest_slopes` of {name} must bound how fast the value changes, got less.")
    if form.width_peaks is not None:
        w, rho = form.width_peaks
        peaks = (w * risks).max(axis=-1) + rho * risks.sum(axis=-1)
        if not np.allclose(peaks, u.width(risks), rtol=_REL):
            raise ContractError(f"`form.width_peaks` of {name} must give the width, got another value.")
    if isinstance(form, SmoothForm):
        for v in 0.2 + risks[(risks < 2.0).all(axis=1)][:10]:
            _derivatives(form, v, name)


def _derivatives(form: SmoothForm, v: FloatArray, name: str) -> None:
    slope, bend = form.derivatives(v)
    steps = 1e-5 * np.eye(v.size)
    differences = (form.value(v + steps) - form.value(v - steps)) / 2e-5
    if not np.allclose(slope, differences, rtol=_DIFFERENCES, atol=_DIFFERENCES * max(1e-3, np.abs(slope).max())):
        raise ContractError(
            f"`form.derivatives` of {name} must return the gradient, got {slope.tolist()} instead of "
            f"{differences.tolist()} at {v.tolist()}."
        )
    turned = np.array([form.derivatives(v + h)[0] - form.derivatives(v - h)[0] for h in steps]) / 2e-5
    given = np.zeros(turned.shape) if bend is None else bend
    if not np.allclose(given, turned, rtol=_DIFFERENCES, atol=_DIFFERENCES * max(1.0, np.abs(turned).max())):
        raise ContractError(
            f"`form.derivatives` of {name} must return the Hessian, got another matrix at {v.tolist()}."
        )


def _program(u: Scalarization, risks: FloatArray, name: str) -> None:
    if changes_value(type(u), "program") and type(u).program is not Scalarization.program:
        return
    import cvxpy

    cp: Any = cvxpy  # its stubs lack most atoms

    variable = cp.Variable(u.n_objectives)
    if answer_of(u, "program", variable) is NotImplemented:
        return
    if not u.is_monotone:
        raise ContractError(f"`{name}` must be monotone to declare a program, which bounds the risks from above only.")
    value, constraints = checked_program(u, variable)
    at = cp.Parameter(u.n_objectives)
    problem = cp.Problem(cp.Minimize(value), [variable == at, *constraints])
    near = risks[(risks < 5.0).all(axis=1)]
    for v in (np.ones(u.n_objectives), *near[:: max(1, len(near) // 4)]):
        at.value = v
        try:
            problem.solve(solver=cp.CLARABEL)
        except (cp.SolverError, ValueError, ArithmeticError) as error:
            raise ContractError(f"`program` of {name} must be solvable at {v.tolist()}, got {error}.") from error
        expected = float(u(v))
        found = float(problem.value) if problem.status in ("optimal", "optimal_inaccurate", "infeasible") else np.nan
        if found != expected and not abs(found - expected) <= _SOLVED * (1.0 + abs(expected)):
            raise ContractError(
                f"`program` of {name} must have the value of the call, got {found:g} instead of {expected:g} at "
                f"{v.tolist()}."
            )


def _multipliers(u: Scalarization, risks: FloatArray, name: str) -> None:
    kind = type(u)
    if changes_value(kind, "multipliers") and kind.multipliers is not Scalarization.multipliers:
        return
    rng = np.random.default_rng(len(risks))
    eye = np.eye(u.n_objectives)
    for v in risks[::20]:
        if not np.isfinite(u(v)):
            continue
        for duals in (np.zeros(v.size), np.ones(v.size), rng.random(v.size), 10.0 * rng.random(v.size)):
            found = checked_multipliers(u, v, duals)
            if found is None:
                return
            multipliers, height = found
            near = [v + step * max(1.0, float(v.max())) * eye for step in (1e-3, 1e-2, 0.1, 1.0)]
            x = np.concatenate([v[None], 0.99 * v[None], *near, np.maximum(2.0 * v - np.concatenate(near), 0.0), risks])
            values, plane = u(x), height + (x - v) @ multipliers
            size = 1.0 + abs(height) + np.abs(x - v) @ multipliers
            above = np.where(np.isfinite(values), plane - values, -np.inf) / size
            if above.max() > _REL:
                row = int(np.argmax(above))
                raise ContractError(
                    f"`multipliers` of {name} must give a lower bound of the value, got {plane[row]:.6g} above "
                    f"{values[row]:.6g} at {x[row].tolist()}, from {v.tolist()}."
                )
