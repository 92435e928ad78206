"""Changes of JSON that stays JSON, or almost: types, keys, depth, numbers and texts."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from tests.malformed._bytes import TEXT, changed

_MARK = "@@raw@@"

_RAW = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e308",
        "1" + "0" * 400,
        "9" * 5000,
        "1e-400",
        "-0",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
    ),
    *(
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "-1",
        "0.5",
        "1.0",
        "2147483648",
        "9007199254740993",
        "18446744073709551616",
    ),
    *(
        '""',
        '" "',
        '"x"',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\u0000"',
        '"\\u001b[31m"',
        '"\\u202e"',
        '"a\\nb"',
        '"\\ud83d\\ude00"',
    ),
    *(
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "[0, 1]",
        '["a"]',
        '{"a": {}}',
        '{"": 0}',
        '{"a": 1, "a": 2}',
        '{"value": [1]}',
    ),
    *('"' + "a" * 10_000 + '"', '"<script>"', '"$x^2$"', '"=1+1"', '"../../x"', '"NaN"', '"1e999"', '"nan"', '"C"'),
    *("[" * n + "]" * n for n in (50, 400, 900, 960, 985, 1000, 100_000)),
    *('{"a":' * n + "1" + "}" * n for n in (50, 400, 900, 960, 100_000)),
    *("'x'", "undefined", "None", "", ",", "// x\n1", "[1,]", '"\n"', '"\t"', '"\\x"', '"\\u12"', "[" * 3000),
)


def json_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a document with one or two changes, or any text that is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return changed(content, rng, TEXT)
    if rng.random() < 0.25:
        return changed(content, rng, TEXT)
    root: list[Any] = [copy.deepcopy(document)]
    raw: list[str] = []
    for _ in range(int(rng.integers(1, 3))):
        _change(root, raw, rng)
    text = json.dumps(root[0], ensure_ascii=bool(rng.integers(2)))
    for value in raw:
        text = text.replace(f'"{_MARK}"', value, 1)
    return text.encode("utf-8", "surrogatepass")


def lines_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Return JSON lines with one of them changed."""
    if rng.random() < 0.3:
        return changed(content, rng, TEXT)
    rows = content.splitlines()
    if rows:
        row = int(rng.integers(len(rows)))
        rows[row] = json_changed(rows[row], rng)
    return b"\n".join(rows) + b"\n"


def _places(value: Any, container: Any, key: Any) -> list[tuple[Any, Any]]:
    found = [(container, key)]
    for name in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += _places(value[name], value, name)
    return found


def _change(root: list[Any], raw: list[str], rng: np.random.Generator) -> None:
    places = _places(root[0], root, 0)
    container, key = places[int(rng.integers(len(places)))]
    kind = int(rng.integers(8))
    if kind <= 3 or container is root:
        raw.append(_RAW[int(rng.integers(len(_RAW)))])
        container[key] = _MARK
    elif kind == 4:
        del container[key]
    elif kind == 5 and isinstance(container, dict):
        # The same key twice: written under another name, and named again below.
        names = ("", "model", "id", "x\ud800", "\0", "\x1b[31m", "a" * 5000, "$x^2$", "<b>", "score", "other/score")
        container[names[int(rng.integers(len(names)))]] = container.pop(key)
    elif kind == 6:
        other, place = places[int(rng.integers(len(places)))]
        if other is not root:
            container[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(container[key])
    elif isinstance(container, list):
        container.extend(copy.deepcopy(container[key]) for _ in range(int(rng.integers(1, 4))))
    else:
        raw.append(f"1, {json.dumps(key)}: {json.dumps(container[key])}")
        container[key] = _MARK
