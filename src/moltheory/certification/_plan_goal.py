"""Goals of a plan: all models decided, the candidates under limits, or one model against another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from moltheory._core._text import did_you_mean, few, joined, named, quoted
from moltheory.certification._limits import limit_verdicts, limits_text, read_limits
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["Goal", "read_goal"]


class Goal(NamedTuple):
    """What a plan is for: in words, the number of models that it is still about, and when a certificate meets it."""

    text: str
    n_open: int
    met: Callable[[Certificate], bool]


def read_goal(certificate: Certificate, goal: Any) -> Goal:
    """Return a goal of `Certificate.plan`.

    Raises
    ------
    InvalidInputError
        If it is of another kind, or names no objective or model.
    """
    if isinstance(goal, str) and goal == "all":
        return Goal("every model is decided", int(certificate.undecided.sum()), _all_decided)
    if isinstance(goal, Mapping):
        return _within_limits(certificate, goal)
    if isinstance(goal, Sequence) and not isinstance(goal, str) and len(goal) == 2:
        return _between(certificate, goal)
    found = quoted(goal) if isinstance(goal, str) else type(goal).__name__
    raise InvalidInputError(f"`goal` must be 'all', limits such as {{'error': 0.1}}, or a pair of models, got {found}.")


def _all_decided(certificate: Certificate) -> bool:
    return not certificate.undecided.any()


def _within_limits(certificate: Certificate, goal: Mapping[str, float]) -> Goal:
    limits = read_limits(certificate, goal)
    verdicts = limit_verdicts(certificate, limits)

    def met(again: Certificate) -> bool:
        found = limit_verdicts(again, limits)
        # No model that may meet the limits is left that is not certainly on the front of those that do.
        return bool((found.on_front | ~found.candidates).all())

    stated = joined(limits_text(verdicts.limits, verdicts.maximise))
    # Nothing is left to decide, though not because a model was found.
    none = not verdicts.candidates.any()
    text = f"no model of the front is within {stated}" if none else f"the front within {stated} is certain"
    return Goal(text, int((verdicts.candidates & ~verdicts.on_front).sum()), met)


def _between(certificate: Certificate, goal: Sequence[Any]) -> Goal:
    for name in goal:
        if name not in certificate.names:
            hint = did_you_mean(str(name), certificate.names).removesuffix("?")
            models = few(certificate.names, 8, describe=str)
            raise InvalidInputError(f"`goal` must name models among {models}, got {quoted(str(name))}{hint}.")
    a, b = (certificate.names.index(name) for name in goal)
    if a == b:
        raise InvalidInputError(f"`goal` must name two different models, got {quoted(str(goal[0]))} twice.")

    def met(again: Certificate) -> bool:
        if again.excluded[[a, b]].any():
            return True
        return not (again.open_rivals[a, b] or again.open_rivals[b, a])

    text = f"{named(certificate.names[a])} against {named(certificate.names[b])} is decided"
    return Goal(text, 0 if met(certificate) else 2, met)
