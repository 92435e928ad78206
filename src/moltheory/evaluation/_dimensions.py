"""Dimensions of labelled arrays, in the order that their names tell: examples, models, objectives."""

from __future__ import annotations

from typing import Any

from moltheory.errors import InvalidInputError

__all__ = ["in_order"]

_ROLES = {
    "example": ("example", "examples", "sample", "samples", "row", "rows", "item", "items", "question", "questions"),
    "model": ("model", "models"),
    "objective": ("objective", "objectives", "metric", "metrics"),
}


def in_order(name: str, value: Any, *roles: str) -> Any:
    """Return an array of xarray with its dimensions in the order of the roles where their names say another one.

    Anything else is returned as it is, and so are dimensions whose names say nothing.

    Raises
    ------
    InvalidInputError
        If the names say that it has other dimensions, or leave open which is which.
    """
    dims = getattr(value, "dims", None)
    if not isinstance(dims, tuple) or not hasattr(value, "transpose") or not hasattr(value, "coords"):
        return value
    found = [_role(dim) for dim in dims]
    told = [role for role in found if role is not None]
    if not told or len(dims) != len(roles):
        return value
    if len(set(told)) < len(told) or not set(told) <= set(roles):
        raise InvalidInputError(
            f"`{name}` must have one dimension of {', one of '.join(f'{role}s' for role in roles)}, got dimensions "
            f"{', '.join(map(str, dims))}: rename or select."
        )
    if all(role in (None, right) for role, right in zip(found, roles, strict=True)):
        return value
    if found.count(None) > 1:
        raise InvalidInputError(
            f"`{name}` must have dimensions in the order {', '.join(roles)}, got {', '.join(map(str, dims))}: rename them "
            f"so."
        )
    rest = next((role for role in roles if role not in told), None)
    places = [rest if role is None else role for role in found]
    return value.transpose(*(dims[places.index(role)] for role in roles))


def _role(dim: object) -> str | None:
    text = str(dim).strip().casefold()
    return next((role for role, names in _ROLES.items() if text in names), None)
