"""Refusals of samples that would not fit into memory, before they are drawn."""

from __future__ import annotations

from moltheory._core._memory_estimate import require_memory

__all__ = ["require_room"]


def require_room(rows: int, numbers: float, *, of: str) -> None:
    """Refuse `rows` replicates that take `numbers` numbers each at their peak, if they do not fit.

    Raises
    ------
    TooLargeError
        If more memory is needed than is available.
    """
    what = f"`replicates` = {rows} of {of}" if rows > 1 else f"one sample of {of}"
    require_memory(8.0 * rows * numbers, what, "draw fewer replicates at a time, or smaller samples")
