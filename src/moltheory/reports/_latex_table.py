"""Tables of results in LaTeX."""

from __future__ import annotations

from typing import Any

from moltheory._core._latex import frame_table
from moltheory.errors import InvalidInputError

__all__ = ["latex_table"]


def latex_table(result: Any, /, *, caption: str = "") -> str:
    r"""Return a table of results in LaTeX, with every special character of names escaped.

    Parameters
    ----------
    result : DataFrame, or an object with ``to_frame()``
        A certificate, a check, a front, a bound, the table of a simulation. The index of a frame is left out.
    caption : str, optional
        A text; with it, the table floats.

    Returns
    -------
    str
        A ``tabular`` with ``\hline``; no package is needed.

    Raises
    ------
    InvalidInputError
        If `result` is no table and has none, or `caption` is no text.

    Notes
    -----
    Complexity: O(r c) time and memory for r rows and c columns.

    Examples
    --------
    >>> import moltheory as mt
    >>> result = mt.theorems.ledger()["forward"].check(mt.problems.two_coins(), n=5)
    >>> print(latex_table(result.to_frame()[["theorem", "problem", "n", "holds"]]))
    \begin{tabular}{llrl}
    \hline
    theorem & problem & n & holds \\
    \hline
    forward & two\_coins & $5$ & yes \\
    \hline
    \end{tabular}
    """
    import pandas as pd

    if not isinstance(caption, str):
        raise InvalidInputError(f"`caption` must be a text, got {type(caption).__name__}.")
    frame = result if isinstance(result, pd.DataFrame) else getattr(result, "to_frame", lambda: None)()
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInputError(f"`result` must be a table or have a method to_frame, got {type(result).__name__}.")
    return frame_table(frame, caption=caption)
