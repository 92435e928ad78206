"""A table of a command, for readers or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._cli._console import say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_table"]


def print_table(table: pd.DataFrame, *, as_json: bool, wrap: bool = False) -> None:
    """Print a table as JSON, aligned, or with each row wrapped: its first cell, and the others below it."""
    if as_json:
        say(str(table.to_json(orient="records", indent=2, double_precision=15)))
    elif wrap:
        for row in table.itertuples(index=False):
            first, *rest = row
            say(str(first), *(f"    {cell}" for cell in rest))
    else:
        say(table.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.6g}"))
