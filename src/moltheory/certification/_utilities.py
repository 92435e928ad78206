"""Preferences over objectives as functions that never fall when an objective gets worse; smaller is better."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._expressions import as_written, read_formula
from moltheory._core._numbers import number_text
from moltheory._core._text import did_you_mean, few, named, quoted
from moltheory._core._validation import FloatArray, check_real
from moltheory.certification._ends import signs_of
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Scalarization

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["Utility", "lexicographic_order", "read_utility"]

# Pairs of points, one no better than the other, on which a callable is tried.
_TRIED = 200


@dataclass(frozen=True)
class Utility:
    """A preference in words, and its value at points (K, m) whose coordinates are smaller where they are better."""

    text: str
    _value: Callable[[FloatArray], Any]
    may_be_infinite: bool = False  # as functions are that rule out what is beyond a limit of their own

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return values (K,).

        Raises
        ------
        InvalidInputError
            If one is no number, or too large for one.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            found = np.asarray(self._value(points), dtype=np.float64)
        values = np.broadcast_to(found, points.shape[:1])
        if np.isnan(values).any():
            raise InvalidInputError(f"`utility` must give numbers, got NaN from {self.text}.")
        if not self.may_be_infinite and np.isinf(values[np.isfinite(points).all(axis=1)]).any():
            raise InvalidInputError(
                f"`utility` must give finite numbers, got ones that are too large from {self.text}."
            )
        return np.array(values)


def read_utility(certificate: Certificate, utility: Any, *, monotone: bool) -> Utility:
    """Return a preference, from weights, a formula, a scalarization or a callable that is declared monotone.

    Raises
    ------
    InvalidInputError
        If `utility` is none of these, names something else than objectives, or prefers what is worse.
    """
    if isinstance(utility, str):
        return _formula(certificate, utility)
    if isinstance(utility, Mapping):
        return _weights(certificate, utility)
    if isinstance(utility, Scalarization):
        return _scalarization(certificate, utility)
    if callable(utility):
        return _callable(certificate, utility, monotone=monotone)
    raise InvalidInputError(
        "`utility` must be weights by objective, a formula, a scalarization, objectives in order or a function, got "
        f"{type(utility).__name__}."
    )


def _in_units(certificate: Certificate, points: FloatArray) -> dict[str, FloatArray]:
    values = points * signs_of(certificate)
    return dict(zip(certificate.objectives, values.T, strict=True))


def _formula(certificate: Certificate, text: str) -> Utility:
    formula = read_formula("utility", text, certificate.objectives)
    if not formula.signs:
        raise InvalidInputError(f"`utility` must name an objective, got {quoted(text)}.")
    for name, signs in formula.signs.items():
        up = certificate.maximise[certificate.objectives.index(name)]
        if (1 if up else -1) in signs:
            better, sign = ("larger", "- ") if up else ("smaller", "+ ")
            raise InvalidInputError(
                f"`utility` is minimised and must not fall when an objective gets worse, got {quoted(name)}, where "
                f"{better} is better, with the wrong sign: write {sign}{as_written(name)}."
            )
    return Utility(formula.text, lambda points: formula(_in_units(certificate, points)))


def _weights(certificate: Certificate, weights: Mapping[Any, Any]) -> Utility:
    checked: dict[int, float] = {}
    for name, weight in weights.items():
        if name not in certificate.objectives:
            hint = did_you_mean(str(name), certificate.objectives).removesuffix("?")
            raise InvalidInputError(
                f"`utility` must name objectives among {few(certificate.objectives, 8, describe=str)}, got "
                f"{quoted(name)}{hint}."
            )
        value = check_real("utility", weight)
        if value < 0.0:
            raise InvalidInputError(
                f"`utility` must have weights >= 0 (a larger objective that is better counts as a gain by itself), got "
                f"{value:g} for {quoted(name)}."
            )
        checked[certificate.objectives.index(name)] = value
    used = {place: value for place, value in checked.items() if value > 0.0}
    if not used:
        raise InvalidInputError(f"`utility` must have a weight > 0, got {dict(weights)}.")
    places, factors = list(used), np.array(list(used.values()))
    terms = [
        f"{'-' if certificate.maximise[place] else '+'} {number_text(value)}*{named(certificate.objectives[place])}"
        for place, value in used.items()
    ]
    text = " ".join(terms).removeprefix("+ ")
    return Utility(text, lambda points: points[:, places] @ factors)


def _scalarization(certificate: Certificate, scalarization: Scalarization) -> Utility:
    if scalarization.n_objectives != len(certificate.objectives):
        raise InvalidInputError(
            f"`utility` must be a scalarization of {len(certificate.objectives)} objectives, got one of "
            f"{scalarization.n_objectives}."
        )
    if not scalarization.is_monotone:
        raise InvalidInputError(f"`utility` must be monotone, got {scalarization._line()}, which does not declare it.")
    if any(certificate.maximise):
        raise InvalidInputError(
            "`utility` must be weights, a formula or a function where larger is better in an objective, got a "
            "scalarization, which is about losses."
        )
    if not (np.isfinite(certificate.boxes).all() and (certificate.boxes >= 0.0).all()):
        raise InvalidInputError(
            "`utility` must be weights, a formula or a function where an objective may be negative or infinite, got a "
            "scalarization, which is about losses >= 0."
        )
    utility = Utility(scalarization._line(), lambda points: scalarization(points))
    _try(certificate, utility, utility.text)
    return utility


def _callable(certificate: Certificate, function: Callable[..., Any], *, monotone: bool) -> Utility:
    if not isinstance(monotone, bool | np.bool_):
        raise InvalidInputError(f"`monotone` must be True or False, got {monotone!r}.")
    if not monotone:
        raise InvalidInputError(
            "`utility` must be declared monotone if it is a function, got one without: give monotone=True if it never "
            "falls when an objective gets worse."
        )
    name = getattr(function, "__name__", type(function).__name__)

    def values(points: FloatArray) -> list[float]:
        rows = [
            dict(zip(certificate.objectives, row, strict=True)) for row in (points * signs_of(certificate)).tolist()
        ]
        return [_number_of(name, function(row)) for row in rows]

    utility = Utility(f"{name}()", values, may_be_infinite=True)
    _try(certificate, utility, name)
    return utility


def _number_of(name: str, found: Any) -> float:
    try:
        return float("no" if isinstance(found, str | bytes) else found)
    except OverflowError:
        raise InvalidInputError(
            f"`utility` must return numbers that floats can hold, got a larger one from {name}."
        ) from None
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"`utility` must return a number for a mapping of objectives to values, got {type(found).__name__} from {name}."
        ) from None


def _try(certificate: Certificate, utility: Utility, name: str) -> None:
    """Refuse a function that is seen to fall where an objective gets worse."""
    boxes = certificate.boxes * signs_of(certificate)[:, None]
    levels = [np.unique(boxes[:, i][np.isfinite(boxes[:, i])]) for i in range(boxes.shape[1])]
    if not all(column.size for column in levels):
        return
    rng = np.random.default_rng(0)
    points = np.stack([column[rng.integers(column.size, size=(2, _TRIED))] for column in levels], axis=-1)
    better, worse = points.min(axis=0), points.max(axis=0)
    # One objective at a time shows most.
    half = _TRIED // 2
    for k, i in zip(range(half), itertools.cycle(range(len(levels)))):
        row = better[k].copy()
        row[i] = worse[k, i]
        worse[k] = row
    low, high = utility(better), utility(worse)
    tolerance = 1e-12 * np.maximum(np.abs(low), np.abs(high))
    wrong = np.flatnonzero(low > high + np.where(np.isfinite(tolerance), tolerance, 0.0))
    if wrong.size:
        k = int(wrong[0])
        moved = [i for i in range(len(levels)) if better[k, i] != worse[k, i]]
        signs = signs_of(certificate)
        steps = [
            f"{named(certificate.objectives[i])} from {better[k, i] * signs[i]:.4g} to {worse[k, i] * signs[i]:.4g}"
            for i in moved
        ]
        raise InvalidInputError(
            f"`utility` must not fall when an objective gets worse, got {low[k]:.6g}, then {high[k]:.6g} from {name} as "
            f"{few(steps, describe=str)}."
        )


def lexicographic_order(certificate: Certificate, order: Sequence[Any], tolerance: Any) -> list[tuple[int, float]]:
    """Return the objectives of a lexicographic preference, first first, each with its tolerance.

    Raises
    ------
    InvalidInputError
        If the order names something else than objectives, or one twice, or a tolerance is negative or for another one.
    """
    given = {} if tolerance is None else tolerance
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"`tolerance` must map objectives to numbers >= 0, got {type(given).__name__}.")
    names = list(order)
    if not names or len(set(map(str, names))) < len(names):
        raise InvalidInputError(f"`utility` must name each objective once, the first one first, got {names}.")
    for name in (*names, *given):
        if name not in certificate.objectives or name not in names:
            known = certificate.objectives if name not in certificate.objectives else names
            argument = "utility" if name in names else "tolerance"
            raise InvalidInputError(
                f"`{argument}` must name objectives among {few(known, 8, describe=str)}, got {quoted(name)}."
            )
    found = []
    for name in names:
        slack = check_real("tolerance", given.get(name, 0.0))
        if slack < 0.0 or not math.isfinite(slack):
            raise InvalidInputError(f"`tolerance` must be >= 0, got {slack:g} for {quoted(name)}.")
        found.append((certificate.objectives.index(name), slack))
    return found
