"""Tables as CSV that a spreadsheet shows as it is: no text in them is taken for a formula.

Spreadsheets evaluate a cell that begins with ``=``, ``+``, ``-`` or ``@``, or with a tab or carriage return before one.
A text that begins so, after any number of apostrophes, is written with one apostrophe more, which spreadsheets take for
the mark of a text; numbers are written as they are. Whoever reads the file takes one apostrophe away again from every
such text: `read_csv` does.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_text", "read_csv"]

# The last four are the same signs at full width, which some spreadsheets take for these.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def csv_text(table: pd.DataFrame) -> str:
    r"""Return a table as CSV without its index; 17 digits restore every float exactly.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv_text(pd.DataFrame({"model": ["=1+1", "'@a", "b"], "error": [-0.5, 1.0, 2.0]})))
    model,error
    '=1+1,-0.5
    ''@a,1
    b,2
    <BLANKLINE>
    """
    import pandas as pd

    written = table.copy(deep=False)
    returns = False
    for place, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            values = [_guarded(value) for value in table.iloc[:, place]]
            returns |= any(isinstance(value, str) and "\r" in value for value in values)
            column: Any = pd.Series(values, index=table.index, dtype=object)
            written.isetitem(place, column)
    written.columns = pd.Index([_guarded(name) for name in table.columns], dtype=object)
    returns |= any("\r" in str(name) for name in table.columns)
    # Some versions of Python leave a lone carriage return without quotes.
    quoting: Any = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    text: str = written.to_csv(index=False, float_format="%.17g", quoting=quoting, lineterminator="\n")
    # A lone surrogate has no form in UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_csv(text: str) -> pd.DataFrame:
    r"""Return the table that `csv_text` wrote; in columns of texts, missing values are empty texts.

    Examples
    --------
    >>> read_csv("model,error\n'=1+1,-0.5\n").values.tolist()
    [['=1+1', -0.5]]
    """
    import numpy as np
    import pandas as pd

    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    head = [_plain(name) for name in next(rows)]
    frame = pd.DataFrame(list(rows), columns=pd.Index(head, dtype=object), dtype=object)
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        try:
            found = pd.to_numeric(values.replace("", "nan")).to_numpy()
            if found.dtype.kind == "f":
                # Older pandas reads some of them one bit off.
                found = np.array([float(value or "nan") for value in values])
            frame.isetitem(place, found)
        except ValueError:
            texts: Any = pd.Series([_plain(value) for value in values], dtype=object)
            frame.isetitem(place, texts)
    return frame


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
