"""Tables as texts for a page: one form of numbers for all of them; the files beside the page keep all digits."""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import TYPE_CHECKING

from moltheory._core._numbers import SAYS_NOTHING, bound_text, count_text, number_text
from moltheory._core._text import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cell_text", "head_texts", "row_texts", "text_columns"]

_DIGITS = 4
_COUNT_AT_END = re.compile(r"(?<= at )[0-9]{5,15}$")
# A bound beside a column of this name is one that says nothing where it is true.
_BOUND, _VACUOUS = "bound", "vacuous"


def head_texts(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns that are shown.

    Examples
    --------
    >>> import pandas as pd
    >>> head_texts(pd.DataFrame({"selected_at_30000": [1], "bound": [2.0], "vacuous": [True]}))
    ['selected at 30,000', 'bound']
    """
    names = (visible(str(column)).replace("_", " ") for column in _shown(table).columns)
    return [_COUNT_AT_END.sub(lambda found: count_text(int(found.group())), name) for name in names]


def row_texts(table: pd.DataFrame) -> list[list[str]]:
    """Return the rows as texts.

    Examples
    --------
    >>> import pandas as pd
    >>> row_texts(pd.DataFrame({"n": [30_000], "error": [1e-5], "bound": [2.0], "vacuous": [True]}))
    [['30,000', '10⁻⁵', 'above 1: says nothing']]
    """
    shown = _shown(table)
    rows = [[cell_text(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    if shown.shape[1] < table.shape[1]:
        place = list(shown.columns).index(_BOUND)
        for row, value, vacuous in zip(rows, table[_BOUND], table[_VACUOUS], strict=True):
            # The largest risk may be above 1; what is vacuous below that says so in words.
            row[place] = f"{row[place]}: {SAYS_NOTHING}" if vacuous and value < 1.0 else row[place]
            row[place] = bound_text(float(value), digits=_DIGITS) if vacuous and value >= 1.0 else row[place]
    return rows


def text_columns(table: pd.DataFrame) -> list[bool]:
    """Return which of the columns that are shown hold texts: these begin at the left."""
    from pandas.api.types import is_numeric_dtype

    return [not is_numeric_dtype(dtype) for dtype in _shown(table).dtypes]


def cell_text(value: object) -> str:
    """Return a value as it stands in a table.

    Examples
    --------
    >>> [cell_text(value) for value in (0.123456, 2_000, True, float("nan"), None, "a_b")]
    ['0.1235', '2,000', 'yes', '–', '–', 'a_b']
    """
    import numpy as np

    if value is None:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return count_text(int(value))
    if isinstance(value, float | np.floating) and isinstance(value, Real):
        return number_text(float(value), _DIGITS)
    return visible(str(value))


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the column that another one says in words."""
    names = list(table.columns)
    if names.count(_BOUND) == names.count(_VACUOUS) == 1 and table[_VACUOUS].dtype == bool:
        return table.drop(columns=_VACUOUS)
    return table
