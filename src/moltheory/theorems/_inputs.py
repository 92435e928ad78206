"""The inputs of a statement: their names, what they mean, which may be left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from moltheory._core._html_repr import Shown
from moltheory.errors import InvalidInputError

__all__ = ["Input", "read_inputs"]


@dataclass(frozen=True, repr=False)
class Input(Shown):
    """One input of `Theorem.evaluate`.

    Attributes
    ----------
    name : str
        The keyword.
    meaning : str
        What it is, with its shape.
    optional : bool
        Whether it may be left out.
    example : object
        A value to try, which documentation and tests evaluate the statement with; None if there is none.

    Examples
    --------
    >>> Input("widths", "joint half-widths C, (..., N)", example=[0.1, 0.2]).optional
    False
    """

    name: str
    meaning: str
    optional: bool = False
    example: Any = None

    def __str__(self) -> str:
        """Return the meaning."""
        return self.meaning


def read_inputs(inputs: Mapping[str, Input] | Mapping[str, str] | Iterable[Input]) -> Mapping[str, Input]:
    """Return inputs by name, a plain text being the meaning of a required one; refuse other entries and repeated names."""
    if isinstance(inputs, Mapping):
        given = [(name, Input(name, one) if isinstance(one, str) else one) for name, one in inputs.items()]
    else:
        given = [(getattr(one, "name", ""), one) for one in inputs]
    for name, one in given:
        if not isinstance(one, Input) or one.name != name or not name.isidentifier():
            raise InvalidInputError(
                f"`inputs` must hold Input objects under their own names, got {one!r} for {name!r}."
            )
    found = dict(given)
    if len(found) < len(given):
        raise InvalidInputError(f"`inputs` must have distinct names, got {[name for name, _ in given]}.")
    return MappingProxyType(found)
