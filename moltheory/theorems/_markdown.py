"""The table of the README: theorem, function, assumptions, figure."""

from __future__ import annotations

from collections.abc import Mapping

from moltheory.theorems._ledger import ledger
from moltheory.theorems._statement import Theorem

__all__ = ["markdown_table"]


def markdown_table(theorems: Mapping[str, Theorem] | None = None, /) -> str:
    """Return the ledger as a table in Markdown.

    Parameters
    ----------
    theorems : mapping of str to Theorem, optional
        By default the ledger.

    Returns
    -------
    str
        One row per theorem: id, function, assumptions, figure of the report, provenance.

    Examples
    --------
    >>> print(markdown_table().splitlines()[0])
    | theorem | function | assumptions | figure | provenance |
    """
    rows = ["| theorem | function | assumptions | figure | provenance |", "| --- | --- | --- | --- | --- |"]
    for theorem in (ledger() if theorems is None else theorems).values():
        assumptions = "; ".join(assumption.text for assumption in theorem.assumptions).replace("|", "\\|")
        function = f"`{theorem.function}`" if theorem.function else ""
        rows.append(f"| {theorem.id} | {function} | {assumptions} | {theorem.figure or '–'} | {theorem.provenance} |")
    return "\n".join(rows)
