"""What a scalarization declares about itself, as far as it still speaks for its values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.scalarization._base import Scalarization, changes_value, is_part_of_value
from moltheory.scalarization._form import Form
from moltheory.scalarization._program_form import ProgramForm, probes

__all__ = ["believed", "declared_form", "solvable_form"]

# Classes whose forms the tests compare with their values.
_OWN = __name__.rpartition(".")[0]


def declared_form(scalarization: Scalarization) -> Form | None:
    """Return the form that a scalarization declares, None where there is none or the value was changed since.

    What is no form of its objectives, or one with other values, is refused.
    """
    kind = type(scalarization)
    if changes_value(kind, "form") or _is_patched(scalarization):
        return None
    form = scalarization.form()
    if form is NotImplemented or kind.__module__.rpartition(".")[0] == _OWN:
        return None if form is NotImplemented else form
    if not isinstance(form, Form) or form.n_objectives != scalarization.n_objectives:
        raise InvalidInputError(
            f"`form` of {kind.__name__} must return a form of {scalarization.n_objectives} objectives or NotImplemented, "
            f"got {form!r}."
        )
    points = probes(form.n_objectives)
    stated, values = form.value(points), scalarization(points)
    if not np.allclose(stated, values, rtol=1e-9, atol=1e-12):
        worst = int(np.argmax(~np.isclose(stated, values, rtol=1e-9, atol=1e-12)))
        raise InvalidInputError(
            f"`form` of {kind.__name__} must have the values of the scalarization, got {stated[worst]:.6g} instead of "
            f"{values[worst]:.6g} at risks {points[worst].tolist()}."
        )
    return form


def solvable_form(scalarization: Scalarization, objectives: str) -> Form:
    """Return the form with which a solver of convex programs works on `objectives`, a name for the message.

    A scalarization that declares neither a form nor a program that speaks for its values is refused.
    """
    form = declared_form(scalarization)
    if form is not None:
        return form
    kind = type(scalarization)
    if kind.program is not Scalarization.program and not (changes_value(kind, "program") or _is_patched(scalarization)):
        return ProgramForm(scalarization)
    inherited = next(one for one in kind.__mro__ if "form" in vars(one) or "program" in vars(one))
    why = "declares neither" if inherited is Scalarization else f"changes the value that {inherited.__name__} declares"
    raise InvalidInputError(
        f"`scalarizations` must declare `program` and `multipliers` (or `form`) for {objectives}, got {kind.__name__}, "
        f"which {why}; declare them in {kind.__name__}, or use FiniteObjectives or BlackBoxObjectives, for which values "
        f"are enough."
    )


def believed(scalarization: Any) -> Any:
    """Return a scalarization whose claims hold at a few risks; refuse one of another package where one does not.

    That costs little and finds what is grossly wrong; `moltheory.testing.check_scalarization` looks everywhere.
    """
    kind = type(scalarization)
    if issubclass(kind, Scalarization) and kind.__module__.rpartition(".")[0] != _OWN:
        broken = _broken_claim(scalarization)
        if broken:
            raise InvalidInputError(
                f"`scalarizations` must be what they declare, got {kind.__name__}, {broken}; "
                f"moltheory.testing.check_scalarization names all that is wrong."
            )
    return scalarization


@lru_cache(maxsize=256)
def _broken_claim(u: Scalarization) -> str:
    """Return which claim fails at some probes, and where; empty if none."""
    points = probes(u.n_objectives)
    a, b = np.repeat(points, len(points), axis=0), np.tile(points, (len(points), 1))
    one, other, both = u(a), u(b), u(a + b)
    finite = np.isfinite(one) & np.isfinite(other) & np.isfinite(both)
    slack = 1e-9 * (1.0 + np.abs(one) + np.abs(other) + np.abs(both))
    change = np.subtract(both, one, out=np.zeros_like(both), where=finite)
    wrong = {
        "whose is_monotone fails": (u.is_monotone, change < -slack),
        "whose is_subadditive fails": (u.is_subadditive, finite & (both > one + other + slack)),
        "whose modulus is too large": (u.modulus > 0.0, finite & (change < u.modulus * b.sum(axis=-1) - slack)),
        "whose width is too small": (u.has_width, finite & (np.abs(change) > _width(u, b) + slack)),
    }
    for claim, (claimed, bad) in wrong.items():
        if claimed and bad.any():
            row = int(np.argmax(bad))
            return f"{claim} between {a[row].round(4).tolist()} and {(a + b)[row].round(4).tolist()}"
    return ""


def _width(u: Scalarization, widths: FloatArray) -> FloatArray:
    return u.width(widths) if u.has_width else np.full(len(widths), np.inf)


def _is_patched(scalarization: Scalarization) -> bool:
    """Whether the object itself replaces a method of its class on which the value depends."""
    kind = type(scalarization)
    own = getattr(scalarization, "__dict__", ())
    return any(is_part_of_value(name) and callable(getattr(kind, name, None)) for name in own)
