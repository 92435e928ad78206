"""Numbers of a text file that holds True and False among them, or something that is no number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from moltheory._core._text import quoted
from moltheory.evaluation._tabular import MISSING, Rows

__all__ = ["TextNumbers"]

_TRUE = ("True", "true", "TRUE")
_FALSE = ("False", "false", "FALSE")


class TextNumbers:
    """Columns read as text, turned into floats: True is 1 and False is 0, in columns of 0, 1 and missing values only.

    Parameters
    ----------
    rows : Rows
        The file, whose rows come in order.
    numbers : sequence of str
        Columns of numbers.
    decimal : str
        Sign before the fraction.
    """

    def __init__(self, rows: Rows, numbers: Sequence[str], decimal: str) -> None:
        self._rows = rows
        self._numbers = numbers
        self._decimal = decimal
        self._row = 0
        self._bools: set[str] = set()
        # First field of each column that is neither a bool nor 0 or 1, with its row.
        self._others: dict[str, tuple[str, int]] = {}

    def floats(self, batch: Any) -> Any:
        """Return the next batch with floats in the columns of numbers.

        Raises
        ------
        InvalidInputError
            If a field is no number, or a column holds bools and other numbers than 0 and 1.
        """
        place = {name: i for i, name in enumerate(batch.schema.names)}
        columns = batch.columns
        for name in self._numbers:
            columns[place[name]] = self._column(name, columns[place[name]])
        self._row += batch.num_rows
        return type(batch).from_arrays(columns, names=batch.schema.names)

    def _column(self, name: str, text: Any) -> Any:
        import pyarrow as pa
        from pyarrow import compute as pc

        words = pc.utf8_trim_whitespace(text)
        none, true, false = (pc.is_in(words, value_set=pa.array(known)) for known in (MISSING, _TRUE, _FALSE))
        bools = pc.or_(true, false)
        plain = pc.if_else(none, pa.scalar(None, pa.string()), words)
        plain = pc.if_else(true, "1", pc.if_else(false, "0", plain))
        if self._decimal != ".":
            plain = pc.if_else(pc.match_substring(plain, "."), "a point", plain)
            plain = pc.replace_substring(plain, self._decimal, ".")
        try:
            values = plain.cast(pa.float64())
        except pa.ArrowInvalid:
            self._refuse(name, text, plain)
            raise
        if pc.any(bools).as_py():
            self._bools.add(name)
        if name not in self._others:
            other = pc.and_(pc.invert(pc.is_in(values, value_set=pa.array([0.0, 1.0]))), pc.is_valid(values))
            first = pc.index(other, True).as_py()
            if first >= 0:
                self._others[name] = (text[first].as_py(), self._row + first)
        if name in self._bools and name in self._others:
            field, row = self._others[name]
            found = f"{field!r} in {self._rows.place(row)} beside True or False"
            raise self._rows.refuse(f"hold True, False, 1 or 0 in column {quoted(name)}", found)
        return values

    def _refuse(self, name: str, text: Any, plain: Any) -> None:
        """Refuse the first field that is no number."""
        for row, (field, number) in enumerate(zip(text.to_pylist(), plain.to_pylist(), strict=True)):
            if number is not None and not _is_number(number):
                comma = self._decimal == "." and _is_number(field.replace(",", ".", 1))
                hint = ": say decimal=',' if it is a number" if comma else self._rows.hint
                found = f"{field!r} in {self._rows.place(self._row + row)}{hint}"
                raise self._rows.refuse(f"hold numbers in column {quoted(name)}", found)


def _is_number(field: str) -> bool:
    try:
        return not math.isnan(float(field)) and "_" not in field
    except ValueError:
        return False
