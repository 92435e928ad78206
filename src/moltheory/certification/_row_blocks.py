"""Tables of pairs of models in blocks, so that what is computed in between takes little memory beside them."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["pieces", "row_blocks"]

# Entries of a table of pairs that are worked on at a time.
_ENTRIES = 2**19


def row_blocks(n_models: int) -> Iterator[slice]:
    """Yield slices of the rows of an (M, M) table."""
    step = max(1, _ENTRIES // n_models)
    for start in range(0, n_models, step):
        yield slice(start, min(start + step, n_models))


def pieces(size: int) -> Iterator[slice]:
    """Yield slices of a list of pairs."""
    for start in range(0, size, _ENTRIES):
        yield slice(start, min(start + _ENTRIES, size))
