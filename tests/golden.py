"""Reading the golden numbers of data/golden.json."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

_ENTRIES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "golden.json").read_text(encoding="utf-8")
)


def exact(key: str) -> Fraction:
    return Fraction(str(_ENTRIES[key]["value"]))


def assert_golden(found: float, key: str) -> None:
    """Compare to half a unit of the last digit the entry states."""
    text = str(_ENTRIES[key]["value"])
    mantissa, _, exponent = text.partition("e")
    digits = len(mantissa.partition(".")[2])
    tolerance = 0.5000001 * 10.0 ** (int(exponent or 0) - digits)
    expected = float(Fraction(text)) if "/" in text else float(text)
    assert abs(found - expected) <= tolerance, f"{key}: expected {text}, got {found!r}"
