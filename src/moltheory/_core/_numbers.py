"""Numbers as texts for readers: one form on every page and in every caption.

Tables in files keep all digits; these are for the eye.
"""

from __future__ import annotations

import math
from numbers import Integral

__all__ = ["SAYS_NOTHING", "bound_text", "count_text", "interval_text", "number_text", "percent_text", "power_text"]

SAYS_NOTHING = "says nothing"
_MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_text(value: float, digits: int = 3) -> str:
    """Return a number with some significant digits, without zeros at its end.

    Numbers below a thousandth that need many zeros, and very large ones, are written with a power of ten.

    Examples
    --------
    >>> number_text(0.12345), number_text(0.1), number_text(0.0), number_text(1234567.0), number_text(1e-5)
    ('0.123', '0.1', '0', '1,234,567', '10⁻⁵')
    >>> number_text(0.00123), number_text(3.2e-7), number_text(-0.25), number_text(float("nan")), number_text(6e23)
    ('0.00123', '3.2×10⁻⁷', '−0.25', '–', '6×10²³')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if isinstance(value, Integral):
        return count_text(int(value))
    if value == 0.0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if power < -3 or power >= 12:
        return power_text(float(mantissa), power)
    # Digits before the point are all written: 1,234 and not 1,230.
    text = f"{value:,.{max(digits - 1 - power, 0)}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def power_text(mantissa: float, power: int) -> str:
    """Return a number as a multiple of a power of ten.

    Examples
    --------
    >>> power_text(1.0, -5), power_text(2.5, -12), power_text(-1.0, 3)
    ('10⁻⁵', '2.5×10⁻¹²', '−10³')
    """
    ten = f"10{str(power).translate(_SUPERSCRIPTS)}"
    if abs(mantissa) == 1.0:
        return ten if mantissa > 0 else f"{_MINUS}{ten}"
    return _signed(f"{mantissa:g}×{ten}")


def percent_text(share: float, digits: int = 0) -> str:
    """Return a share in percent; what is neither none nor all never looks so.

    Examples
    --------
    >>> percent_text(0.95), percent_text(0.123, 1), percent_text(0.0), percent_text(0.0004), percent_text(0.9996)
    ('95%', '12.3%', '0%', 'under 1%', 'over 99%')
    """
    if not math.isfinite(share):
        return number_text(share)
    smallest = 10.0**-digits
    text = f"{100.0 * share:.{digits}f}"
    if share > 0.0 and float(text) == 0.0:
        return f"under {smallest:.{digits}f}%"
    if share < 1.0 and float(text) >= 100.0:
        return f"over {100.0 - smallest:.{digits}f}%"
    return f"{_signed(text)}%"


def count_text(count: float) -> str:
    """Return a count with separators of thousands.

    Examples
    --------
    >>> count_text(300), count_text(30_000), count_text(1e6)
    ('300', '30,000', '1,000,000')
    """
    if not math.isfinite(count):
        return number_text(float(count))
    return _signed(f"{count:,.0f}")


def bound_text(value: float, *, largest: float = 1.0, digits: int = 3) -> str:
    """Return an upper bound; one that is no smaller than what is bounded can be says nothing, in words.

    Examples
    --------
    >>> bound_text(0.1234), bound_text(1.7), bound_text(5.0, largest=4.0), bound_text(1.0), bound_text(float("inf"))
    ('0.123', 'above 1: says nothing', 'above 4: says nothing', '1: says nothing', 'no bound')
    """
    if math.isinf(value):
        return "no bound"
    if math.isnan(value) or value < largest:
        return number_text(value, digits)
    limit = number_text(float(largest), digits)
    return f"{limit}: {SAYS_NOTHING}" if value == largest else f"above {limit}: {SAYS_NOTHING}"


def interval_text(low: float, high: float, digits: int = 3) -> str:
    """Return an interval by its ends.

    Examples
    --------
    >>> interval_text(-0.52, 0.123456)
    '[−0.52, 0.123]'
    """
    return f"[{number_text(float(low), digits)}, {number_text(float(high), digits)}]"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS, 1) if text.startswith("-") else text
