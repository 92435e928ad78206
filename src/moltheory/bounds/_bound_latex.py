"""Bounds in LaTeX: the event as a sentence, and a table of half-widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._latex import escaped, frame_table, number

if TYPE_CHECKING:
    from moltheory.bounds._bound import Bound

__all__ = ["bound_latex"]


def bound_latex(bound: Bound, *, caption: str = "") -> str:
    """Return the event with its probability, the assumptions and the source, and the table of half-widths."""
    frame = bound.to_frame()
    # What is the same in every row is said once, in the sentence.
    frame = frame.drop(columns=["delta", "confidence", "method"])
    lines = [
        rf"With probability at least $1 - \delta$, $\delta = {number(bound.delta)[1:-1]}$, {escaped(bound.event)}.",
        f"Method: {escaped(bound.method)}. Source: {escaped(bound.source)}.",
    ]
    if bound.assumptions:
        lines.append(f"Assumed: {escaped('; '.join(bound.assumptions))}.")
    return "\n".join([*lines, "", frame_table(frame, caption=caption)])
