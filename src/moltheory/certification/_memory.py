"""How much memory certificates of many models take, from sizes alone: bytes for each of the M^2 pairs of models.

What is kept: counts of 4 bytes for 0/1 losses, sums of 8 for others, four times as much where losses are missing. Then one
table of p-values of 8 bytes for each test, the largest p-value over the objectives, and some tables of bits as bytes.
Measured peaks are within a factor 1.5 (`tests/certification/test_growth_memory.py`).
"""

from __future__ import annotations

import numpy as np

from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import FloatArray
from moltheory.certification._pair_bets import bets_on_all, most_bets
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Scan

__all__ = ["bytes_per_pair", "require_pairs"]

_REMEDY = (
    "certify fewer models, dropping first those that data other than these show to be clearly dominated, or fewer "
    "objectives at a time"
)
# Tables of bytes in decisions, of which two are kept, and the claims of dominance that are ranked.
_BITS, _RANKED = 9, 8
# Bytes per pair of a block of rows that is worked on: in tests of counts, in tests with bets, in the asymptotic engine, in
# decisions. Bytes per promising pair.
_COUNTS, _BETS, _APPROXIMATE, _DECIDED, _PROMISING = 60, 80, 190, 24, 64
# Pairs of such a block.
_ROWS = 2**19


def require_pairs(each: float, n_models: int, name: str = "losses", *, block: float = 0.0) -> None:
    """Refuse more models than fit in memory, from the argument that has them and the bytes for each pair.

    `block` are the bytes for each pair of a block of rows that is worked on.

    Raises
    ------
    TooLargeError
        If more is needed than there is.
    """
    needed = each * n_models**2 + block * min(_ROWS, n_models**2)
    require_memory(needed, f"`{name}` must hold fewer than {n_models:,} models", _REMEDY)


def bytes_per_pair(
    problem: Comparison, scan: Scan, slack: FloatArray, *, tested: bool, approximate: bool = False, tables: int = 0
) -> float:
    """Return an estimate of the bytes for each pair of models that statistics, p-values and decisions take together.

    `tables` is the number of tables of p-values that are kept beside those of one round of tests.
    """
    pairs = float(np.square(scan.n_models, dtype=np.float64))
    kept, passing, p_values, block, promising = 0, 8, 8 * tables, _COUNTS, 0.0
    for column in scan.columns:
        if column.binary:
            kept += (4 if column.n_units < 2**31 else 8) * (1 if column.complete else 3)
            continue
        kept += 8 if column.complete else 32
        if approximate:
            sized = not column.equal_cluster_sizes and not column.complete
            kept, passing, block = kept + (16 + 24 * sized) * tested, 32, _APPROXIMATE
    testable = [(i, o) for i, o in enumerate(problem.objectives) if o.testable and tested]
    for i, objective in testable:
        moved = bool(slack[i] > 0.0)
        for c in objective.columns:
            betting = (moved or not scan.columns[c].binary) and not approximate
            every = bets_on_all(scan, c)
            # Tests that bet on every pair have a table for each of the two levels.
            p_values += 16 if moved or (betting and every) else 8
            if betting:
                block = _BETS
                bets = 0.0 if every else min(0.5 * pairs, 2.0 * most_bets(scan.columns[c].n_units))
                promising = max(promising, _PROMISING * bets)
        # The largest p-value over several columns is a table of its own.
        p_values += 16 * (objective.forms is not None) + 8 * (len(objective.columns) > 1)
    held = max((min(c.n_units * scan.n_models, 25 * 10**6) for c in scan.columns if not c.binary), default=0)
    rows = min(float(_ROWS), pairs)
    most = max(
        (kept + passing) * pairs,
        tested * ((kept + p_values) * pairs + block * rows + promising + 8.0 * held),
        (kept + p_values + _BITS + (8 + _RANKED) * tested) * pairs + _DECIDED * rows,
    )
    return most / pairs
