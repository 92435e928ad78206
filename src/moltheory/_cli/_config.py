"""Options from a file: ``certify.toml``, whose keys are the long options; what the command line gives wins."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from moltheory._cli._names import Exact
from moltheory._cli._parser import CommandParser
from moltheory._core._reading import reading, small_file
from moltheory._core._text import did_you_mean, shortened, visible
from moltheory.errors import InvalidInputError

__all__ = ["apply_config"]

_FILES = "files"
# Bytes of a file that people write.
_MOST = 1 << 20


def apply_config(parser: CommandParser, options: argparse.Namespace, path: str) -> None:
    """Set the options that the command line left out to those of a file, in place.

    Flags are true or false, names are strings or arrays of them (which are never split at commas), and options of the
    form NAME=VALUE or NAME LOW HIGH may be tables (of numbers, or arrays of them). ``files`` stands for the input. Paths
    are relative to the working directory, as on the command line.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, is no TOML, or holds an unknown key or a value of the wrong kind.
    """
    known = {name.removeprefix("--"): action for name, action in parser.long_options().items()}
    for excluded in ("config", "help"):
        known.pop(excluded, None)
    given: dict[str, str] = {}
    for key, value in _read(Path(path)).items():
        if key == _FILES:
            target, found = "file", _names(key, value)
        elif key in known:
            target, found = known[key].dest, _value(key, known[key], value)
        else:
            hint = did_you_mean(key, [*known, _FILES]).removesuffix("?")
            raise InvalidInputError(f"`config` must hold long options, or {_FILES}, as keys, got {_shown(key)}{hint}.")
        if target in given:
            raise InvalidInputError(
                f"`config` must give every option once, got {_shown(given[target])} and {_shown(key)}."
            )
        given[target] = key
        if getattr(options, target) in (None, []):
            setattr(options, target, found)


def _read(file: Path) -> dict[str, Any]:
    content = small_file(file, "config", most=_MOST)
    with reading("config", f"be TOML in UTF-8 in {shortened(visible(file.name))}"):
        return tomllib.loads(content.decode("utf-8"))


def _value(key: str, action: argparse.Action, value: Any) -> Any:
    if action.nargs == 0:
        if isinstance(value, bool):
            return value or None
        raise _wrong(key, "true or false", value)
    if action.nargs == "+":
        if isinstance(value, dict):
            return [[name, *_ends(key, ends)] for name, ends in value.items()]
        return [_ends(key, value)]
    if isinstance(action, argparse._AppendAction):
        if isinstance(value, dict):
            numbers = {name: entry if isinstance(entry, list) else [entry] for name, entry in value.items()}
            return [f"{name}={_number(key, number)}" for name, entry in numbers.items() for number in entry]
        return [_number(key, value)] if isinstance(value, int | float) else _names(key, value)
    if action.type in (int, float):
        _number(key, value)
        if action.type is int and not isinstance(value, int):
            raise _wrong(key, "an integer", value)
        return value
    if not isinstance(value, str):
        raise _wrong(key, "a string", value)
    return value


def _names(key: str, value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _wrong(key, "a string or an array of strings", value)
    return names if isinstance(value, str) else [Exact(name) for name in names]


def _ends(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(key, "an array of two numbers, or a table of them", value)
    return [_number(key, end) for end in value]


def _number(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(key, "a number", value)
    return repr(value)


def _wrong(key: str, rule: str, value: Any) -> InvalidInputError:
    return InvalidInputError(f"`{shortened(visible(key))}` must be {rule} in the file of options, got {_shown(value)}.")


def _shown(value: Any) -> str:
    return visible(shortened(repr(value), 80))
