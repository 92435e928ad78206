"""JSON texts of results: floats exactly, and one refusal for every text that the same class did not write.

`write_json` and `read_json` are the two halves of every pair ``to_json`` and ``from_json``. A class states how each of its
fields is read; a text with another field, without one of them, or with numbers where words belong (or words where
numbers belong) is refused, and so is one whose values the class itself refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError

__all__ = [
    "booleans",
    "exactly",
    "floats",
    "integer",
    "integers",
    "number",
    "numbers",
    "optional",
    "read_json",
    "string",
    "strings",
    "words",
    "write_json",
]

Reader = Callable[[Any], Any]
# What Python writes for numbers that strict JSON does not have.
_STRICT = {"Infinity": "1e999", "-Infinity": "-1e999", "NaN": "null"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_Result = TypeVar("_Result")


def write_json(fields: Mapping[str, Any], *, ascii_only: bool = True, allow_nan: bool = True) -> str:
    """Return fields as the text of one JSON object; arrays become nested lists.

    Parameters
    ----------
    fields : mapping of str to object
        Numbers, strings, None, and lists, tuples, mappings and arrays of those.
    ascii_only : bool, default True
        Write other characters as escapes.
    allow_nan : bool, default True
        Write infinities as numbers that are too large for a float, ``1e999``, which are read as infinities, and NaN,
        which no result has, as null; otherwise they are an error.

    Returns
    -------
    str
        Strict JSON. A lone surrogate is an escape, so that the text has a form in UTF-8.
    """
    try:
        text = json.dumps(dict(fields), default=_plain, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:
        if not allow_nan:
            raise
        text = json.dumps(dict(fields), default=_plain, ensure_ascii=ascii_only)
        text = _TOKEN.sub(_strictly, text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") if not ascii_only else text


def read_json(
    kind: str,
    text: object,
    build: Callable[..., _Result],
    readers: Mapping[str, Reader],
    *,
    left_out: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> _Result:
    """Return ``build(**fields)`` with the fields of a JSON text.

    Parameters
    ----------
    kind : str
        Name of the class, for the message.
    text : object
        What the caller passed.
    build : callable
        Makes the result from the fields; what it refuses is refused as a text.
    readers : mapping of str to callable
        How each field is turned into an argument of `build`.
    left_out : collection of str
        Fields that older texts do not have; they are not passed on then.
    renamed : mapping of str to str, optional
        Today's name of fields that older texts have under another.

    Raises
    ------
    InvalidInputError
        If `text` is not a JSON object with exactly these fields, a reader does not accept a value, or `build` refuses.
    """
    try:
        content = _object(text)
        for old, new in (renamed or {}).items():
            if old in content and new not in content:
                content[new] = content.pop(old)
        unknown = [name for name in content if name not in readers]
        missing = [name for name in readers if name not in content and name not in left_out]
        if unknown or missing:
            raise _Unreadable(f"no field {missing[0]!r}" if missing else f"an unknown field {unknown[0]!r}")
        fields = {name: _read(readers[name], name, value) for name, value in content.items()}
        return build(**fields)
    except _Unreadable as error:
        raise InvalidInputError(f"`text` must be what {kind}.to_json writes, got {error}.") from None
    except InvalidInputError as error:
        raise InvalidInputError(f"`text` must be what {kind}.to_json writes, got fields of which {error}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise InvalidInputError(
            f"`text` must be what {kind}.to_json writes, got fields that do not fit together."
        ) from None


def string(value: Any) -> str:
    """Return a string; nothing else is one."""
    return _checked(value, str, "a string")


def number(value: Any) -> float:
    """Return a number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unreadable("is no number")
    return float(value)


def integer(value: Any) -> int:
    """Return an integer."""
    if isinstance(value, bool):
        raise _Unreadable("is no integer")
    return _checked(value, int, "an integer")


def strings(value: Any) -> tuple[str, ...]:
    """Return a list of strings as a tuple."""
    return tuple(string(entry) for entry in _checked(value, list, "a list"))


def floats(value: Any) -> npt.NDArray[np.float64]:
    """Return nested lists of numbers, of any depth and with infinities and NaN, as an array."""
    return _array(value, np.float64, {int, float}, "an array of numbers")


def numbers(value: Any) -> npt.NDArray[np.object_]:
    """Return nested lists of numbers as an array of Python's numbers: integers of any size stay exact."""
    return _array(value, np.object_, {int, float}, "an array of numbers")


def integers(value: Any) -> npt.NDArray[np.int64]:
    """Return nested lists of integers as an array."""
    return _array(value, np.int64, {int}, "an array of integers")


def booleans(value: Any) -> npt.NDArray[np.bool_]:
    """Return nested lists of truth values as an array."""
    return _array(value, np.bool_, {bool}, "an array of truth values")


def words(value: Any) -> str | npt.NDArray[np.str_]:
    """Return a string, or nested lists of strings as an array."""
    return value if isinstance(value, str) else _array(value, np.str_, {str}, "a string or an array of strings")


def optional(reader: Reader) -> Reader:
    """Return a reader that leaves None as it is."""
    return lambda value: None if value is None else reader(value)


def exactly(constant: str) -> Reader:
    """Return a reader that accepts one string only, such as the name of the class."""

    def read(value: Any) -> str:
        if value != constant:
            raise _Unreadable(f"is not {constant!r}")
        return constant

    return read


class _Unreadable(Exception):
    """Why a text or a value cannot be read, as the end of a sentence."""


def _object(text: object) -> dict[str, Any]:
    if not isinstance(text, str | bytes | bytearray):
        raise _Unreadable(type(text).__name__)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _Unreadable("text that is not JSON") from None
    if not isinstance(content, dict):
        raise _Unreadable("text that is no JSON object")
    return content


def _read(reader: Reader, name: str, value: Any) -> Any:
    try:
        return reader(value)
    except _Unreadable as error:
        raise _Unreadable(f"a field {name!r} that {error}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise _Unreadable(f"a field {name!r} that cannot be read") from None


def _checked(value: Any, kind: type[_Result], what: str) -> _Result:
    if not isinstance(value, kind):
        raise _Unreadable(f"is not {what}")
    return value


def _array(value: Any, dtype: type, kinds: set[type], what: str) -> npt.NDArray[Any]:
    # Entries keep their types here, so that the text "0.5" is not taken for a number; ragged lists stay lists.
    nested = np.array(value, dtype=object)
    if not {type(entry) for entry in nested.flat} <= kinds:
        raise _Unreadable(f"is not {what}")
    return nested.astype(dtype)


def _strictly(token: re.Match[str]) -> str:
    """Return a string as it is, and what strict JSON does not know as what it does."""
    return _STRICT.get(token.group(), token.group())


def _plain(value: object) -> object:
    """Return what JSON has no form of as what it has."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
