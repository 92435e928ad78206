"""Frames with names from outside, of which some are texts that pandas cannot keep as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_with_names", "texts_or_missing"]


def frame_with_names(data: Any, *, columns: list[str] | None = None) -> pd.DataFrame:
    r"""Return a frame; columns of objects hold texts with a lone surrogate, which has no form in UTF-8.

    Examples
    --------
    >>> frame_with_names({"model": ["\ud800"]}).to_dict("list")
    {'model': ['\ud800']}
    """
    import pandas as pd

    try:
        return pd.DataFrame(data, columns=columns)
    except UnicodeEncodeError:
        # Column by column, so that only those that need it hold objects.
        if not isinstance(data, Mapping):
            titles = list(data[0] if columns is None else columns)
            rows = [list(row.values() if isinstance(row, Mapping) else row) for row in data]
            data = dict(zip(titles, map(list, zip(*rows, strict=True)), strict=True))
        frame = pd.DataFrame(dict(enumerate(map(_column, data.values()))))
        frame.columns = pd.Index(list(data), dtype=object)
        return frame


def _column(values: Any) -> Any:
    import pandas as pd

    try:
        return pd.Series(values)
    except UnicodeEncodeError:
        return pd.Series(values, dtype=object)


def texts_or_missing(values: Sequence[str | None]) -> Any:
    """Return a column of texts, in which None is missing."""
    import pandas as pd

    try:
        return pd.array(values, dtype="string")
    except UnicodeEncodeError:
        return pd.array(values, dtype=object)
