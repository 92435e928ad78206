"""Formulas of named numbers: sums, multiples, smallest and largest ones, and in which direction each name moves them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from moltheory._core._text import cut, did_you_mean, few, quoted, visible
from moltheory.errors import InvalidInputError

__all__ = ["Formula", "as_written", "read_formula"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<quoted>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`)"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<sign>[-+*/(),]))"
)
_FUNCTIONS: dict[str, Callable[..., Any]] = {"max": np.maximum, "min": np.minimum}
_WORD = re.compile(r"[^\W\d][\w.]*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`")
# Deeper parentheses than anybody writes would end the interpreter.
_DEEPEST = 50

Values = Mapping[str, Any]


@dataclass(frozen=True)
class _Part:
    """A part of a formula: its value, the signs with which names enter, and the number that it is if no name does."""

    value: Callable[[Values], Any]
    signs: Mapping[str, frozenset[int]]
    constant: float | None = None


@dataclass(frozen=True)
class Formula:
    """A formula, its value for given numbers, and the signs (-1, 1) with which each name enters it."""

    text: str
    signs: Mapping[str, frozenset[int]]
    _value: Callable[[Values], Any]

    def __call__(self, values: Values, /) -> Any:
        """Return the value; numbers or arrays that broadcast."""
        return self._value(values)


def as_written(name: str) -> str:
    """Return a name as a formula holds it: in quotes unless it is a word.

    Examples
    --------
    >>> print(as_written("error"), as_written("price usd"), as_written("it's"))
    error 'price usd' "it's"
    """
    if _WORD.fullmatch(name):
        return visible(name)
    escaped = name.replace("\\", "\\\\")
    mark = '"' if "'" in name else "'"
    return visible(mark + escaped.replace(mark, f"\\{mark}") + mark)


def read_formula(argument: str, text: str, names: Sequence[str]) -> Formula:
    """Return the formula that a text states.

    Numbers, names, ``+``, ``-``, ``*`` and ``/`` by a number, ``max(...)``, ``min(...)`` and parentheses; a name that
    is no word stands in quotes. Nothing is evaluated by Python.

    Raises
    ------
    InvalidInputError
        If the text is no such formula, or holds a name that is not among `names`.

    Examples
    --------
    >>> formula = read_formula("choose", "0.7*error + max('price usd', 2) / 4", ["error", "price usd"])
    >>> round(float(formula({"error": 0.5, "price usd": 3.0})), 3), sorted(formula.signs)
    (1.1, ['error', 'price usd'])
    """
    reader = _Reader(argument, text, tuple(names))
    part = reader.sum()
    if reader.next is not None:
        raise reader.refusal(f"{quoted(reader.next[1])} where it should end")
    return Formula(visible(text.strip()), part.signs, part.value)


class _Reader:
    """Reads a formula from left to right."""

    def __init__(self, argument: str, text: str, names: tuple[str, ...]) -> None:
        self._argument, self._text, self._names = argument, text, names
        self._tokens: list[tuple[str, str]] = []
        self._depth = 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise self.refusal(f"{quoted(text[place:].strip()[:20])} in {quoted(text)}")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found.group(kind)))
            place = found.end()
        self._tokens.reverse()

    @property
    def next(self) -> tuple[str, str] | None:
        return self._tokens[-1] if self._tokens else None

    def refusal(self, found: str) -> InvalidInputError:
        return self._bare_name() or InvalidInputError(
            f"`{self._argument}` must be a formula such as 0.7*error + 0.3*price, of numbers, names, + - * /, max, min "
            f"and parentheses, got {found}."
        )

    def _bare_name(self) -> InvalidInputError | None:
        """Return the refusal of a name that is no word and stands without quotes, the longest one; None if none does."""
        outside = _QUOTED.sub(" ", self._text)
        bare = [name for name in self._names if name.strip() and not _WORD.fullmatch(name) and name in outside]
        if not bare:
            return None
        name = max(bare, key=len)
        shown, quotes = cut(visible(name), 80, of=name), cut(as_written(name), 80, of=name)
        return InvalidInputError(
            f"`{self._argument}` must hold names that are no single word in quotes, got {shown}: write {quotes}, with "
            "the quotes."
        )

    def _take(self, *signs: str) -> str | None:
        if self.next is not None and self.next[0] == "sign" and self.next[1] in signs:
            return self._tokens.pop()[1]
        return None

    def sum(self) -> _Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refusal(f"more than {_DEEPEST} parentheses in one another")
        parts = [self._product()]
        while sign := self._take("+", "-"):
            parts.append(_scaled(self._product(), 1.0 if sign == "+" else -1.0))
        self._depth -= 1
        return self._joined(parts, np.add)

    def _product(self) -> _Part:
        part, factor = self._factor(), 1.0
        while sign := self._take("*", "/"):
            other = self._factor()
            if sign == "/" and (other.constant is None or other.constant == 0.0):
                raise self.refusal(f"a division by something else than a number that is not 0 in {quoted(self._text)}")
            if sign == "/":
                factor /= float(other.constant or 1.0)
            elif other.constant is not None:
                factor *= other.constant
            elif (own := part.constant) is not None:
                part, factor = other, factor * own
            else:
                raise self.refusal(f"a product of names in {quoted(self._text)}")
        self._require_finite(factor if part.constant is None else factor * part.constant)
        return part if factor == 1.0 else _scaled(part, factor)

    def _factor(self) -> _Part:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        part = self._atom()
        return _scaled(part, -1.0) if negative else part

    def _atom(self) -> _Part:
        if self._take("("):
            part = self.sum()
            if not self._take(")"):
                raise self.refusal(f"a parenthesis that is not closed in {quoted(self._text)}")
            return part
        if self.next is None:
            raise self.refusal(f"an end where something should stand in {quoted(self._text)}")
        kind, text = self._tokens.pop()
        if kind == "number":
            return _number(self._finite(text))
        if kind == "name" and text in _FUNCTIONS and text not in self._names and self._take("("):
            return self._call(text)
        if kind in {"name", "quoted"}:
            return self._named(text if kind == "name" else re.sub(r"\\(.)", r"\1", text[1:-1]))
        raise self.refusal(f"{quoted(text)} where a number or a name should stand in {quoted(self._text)}")

    def _finite(self, text: str) -> float:
        if not math.isfinite(float(text)):
            raise self.refusal(f"{text}, which is too large")
        return float(text)

    def _require_finite(self, number: float) -> None:
        if not math.isfinite(number):
            raise self.refusal(f"numbers that together are too large in {quoted(self._text)}")

    def _call(self, function: str) -> _Part:
        parts = [self.sum()]
        while self._take(","):
            parts.append(self.sum())
        if not self._take(")"):
            raise self.refusal(f"a parenthesis that is not closed in {quoted(self._text)}")
        return self._joined(parts, _FUNCTIONS[function])

    def _joined(self, parts: list[_Part], function: Callable[..., Any]) -> _Part:
        """Return the sum, or the smallest or largest, of parts: in one loop, however many there are."""
        if len(parts) == 1:
            return parts[0]
        constants = [part.constant for part in parts if part.constant is not None]
        if len(constants) == len(parts):
            number = float(reduce(function, constants))
            self._require_finite(number)
            return _number(number)
        signs: dict[str, frozenset[int]] = {}
        for part in parts:
            for name, found in part.signs.items():
                signs[name] = signs.get(name, frozenset()) | found
        return _Part(lambda values: reduce(function, [part.value(values) for part in parts]), signs)

    def _named(self, name: str) -> _Part:
        if name not in self._names:
            hint = did_you_mean(name, self._names).removesuffix("?")
            raise self._bare_name() or InvalidInputError(
                f"`{self._argument}` must name objectives among {few(self._names, 8, describe=str)}, got "
                f"{quoted(name)}{hint}."
            )
        return _Part(lambda values: values[name], {name: frozenset({1})})


def _number(number: float) -> _Part:
    return _Part(lambda values: number, {}, number)


def _scaled(part: _Part, factor: float) -> _Part:
    if part.constant is not None:
        return _number(part.constant * factor)
    if factor == 0.0:  # also of an infinite value
        return _Part(lambda values: 0.0, {})
    sign = 1 if factor > 0.0 else -1
    signs = {name: frozenset(sign * one for one in found) for name, found in part.signs.items()}
    return _Part(lambda values: factor * part.value(values), signs)
