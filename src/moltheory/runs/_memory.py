"""Refusals of runs that would not fit into the memory of this machine, before they start."""

from __future__ import annotations

from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import check_count, check_real
from moltheory.runs._backends import processes_here

__all__ = ["check_memory"]

# Results as they arrive, joined for each size, joined for all, and as a table.
_COPIES = 4
# An interpreter with numpy, scipy and numba; the process that is here already is not counted.
_PROCESS = 140e6


def check_memory(replicates: int, *, row_bytes: float, block_bytes: float, n_jobs: int | None = None) -> None:
    """Refuse a run whose table, or whose blocks that are computed at the same time, would not fit into memory.

    Parameters
    ----------
    replicates : int
        Of all sizes together.
    row_bytes : float
        What the columns of one replicate take, in bytes.
    block_bytes : float
        What a block takes while it is computed, at most.
    n_jobs : int, optional
        As in `run_blocks`. Workers of other engines are not counted: they may run on other machines, whose memory is
        not known here.

    Raises
    ------
    TooLargeError
        If more is needed than is available now.

    Notes
    -----
    The peak is estimated as four copies of the columns, for joining them and for the table, and for each process its
    block and, beside this process, 140 MB. Where the table is the larger part, measured peaks are within a factor of 1.5
    of it.

    Complexity: O(1).

    Examples
    --------
    >>> check_memory(10**5, row_bytes=81, block_bytes=1e7)
    """
    rows = check_count("replicates", replicates)
    of_row = check_real("row_bytes", row_bytes, low=0.0)
    of_block = check_real("block_bytes", block_bytes, low=0.0)
    # One that joins the results there always is.
    count = max(processes_here(n_jobs), 1)
    blocks = count * of_block + (_PROCESS * count if count > 1 else 0.0)
    require_memory(
        _COPIES * rows * of_row + blocks,
        f"`replicates` = {rows:,} of all sizes together, on {count} process{'es' * (count > 1)}",
        "use fewer processes, or several runs of fewer replicates, each with a `store` and a seed of its own, and read "
        "them part by part with `moltheory runs export`",
    )
