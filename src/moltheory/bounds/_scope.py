"""What the event of a bound is about, and which consequences may be drawn from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from moltheory.errors import InvalidInputError

__all__ = ["SCOPES", "joint_scope", "known_scope", "refuse_scope"]

# Each scope, and what is within the half-width (or limits) in words.
SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "uniform": "all hypotheses at once, on both sides, with the same half-widths",
        "per hypothesis": "all hypotheses at once, on both sides, each with half-widths of its own",
        "learned": "the hypotheses that are learned, not the others of their class",
        "posterior": "averages of the hypotheses under posteriors, not single ones",
        "margin": "true error rates and empirical losses of margins, not empirical error rates",
        "excess": "the excess of a learned hypothesis, no difference of true and empirical risks",
        "other": "what the event says",
    }
)
# What a uniform half-width implies.
_WEAKER = ("per hypothesis", "learned", "posterior")
# How texts of bounds that do not state their scope begin, or name their method.
_EVENTS = {
    "for all posteriors": "posterior",
    "for the learned hypotheses": "learned",
    "for all hypotheses, objectives and margins": "margin",
    "for every objective: excess": "excess",
    "for all hypotheses and mixtures at once": "uniform",
}
_OWN_WIDTHS = re.compile(
    r"with a prior|relative entropy|empirical Bernstein|relative deviations|\d+ shells|margins of linear classifiers"
)


def joint_scope(scopes: Iterable[str]) -> str:
    """Return the scope of several events taken together: the weaker one where one implies the other, else "other"."""
    found = set(scopes)
    if found <= {"uniform"}:
        return "uniform"
    special = found - {"uniform"}
    if len(special) == 1 and (len(found) == 1 or special <= set(_WEAKER)):
        return special.pop()
    return "other"


def known_scope(event: str, method: str, *, uniform: str) -> str:
    """Return the scope of a bound of this package written without one, from its event, `uniform` in words, and method."""
    if event == uniform:
        return "per hypothesis" if _OWN_WIDTHS.search(method) else "uniform"
    return next((scope for start, scope in _EVENTS.items() if event.startswith(start)), "other")


def refuse_scope(scope: str, allowed: tuple[str, ...], remedy: str) -> None:
    """Refuse half-widths of a scope from which the statement does not follow."""
    if scope not in allowed:
        wanted = " or ".join(repr(one) for one in allowed)
        raise InvalidInputError(
            f"`widths` must be of scope {wanted}, got a bound of scope {scope!r}, about {SCOPES[scope]}: {remedy}."
        )
