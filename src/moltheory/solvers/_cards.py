"""How sweeps and fronts found by solvers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Mark, Table, cell_text
from moltheory._core._text import plural

if TYPE_CHECKING:
    from moltheory.solvers._refinement import RefinedFront
    from moltheory.solvers._result import Sweep
    from moltheory.solvers._weight_sets import WeightCells

__all__ = ["cells_card", "refined_card", "sweep_card"]

_MOST_OBJECTIVES = 4


def sweep_card(sweep: Sweep) -> Card:
    """Return the first rows: scalarization, point, value, gap and how the search ended."""
    # The first entry of a batch stands for all; the status counts all.
    first = (0,) * (sweep.status.ndim - 1)
    k, n = len(sweep.scalarizations), sweep.points.shape[-1]
    missing = int((~sweep.solved).sum())
    batch = sweep.status.shape[:-1]
    head = ["row", "scalarization", *(f"risk {i}" for i in range(min(n, _MOST_OBJECTIVES))), "value", "gap", "ended"]
    rows = [] if 0 in batch else [_sweep_row(sweep, (*first, j)) for j in range(min(k, MOST_ROWS))]
    notes = []
    if batch:
        notes.append(f"Shown is the first of {' × '.join(f'{size:,}' for size in batch)} entries.")
    if n > _MOST_OBJECTIVES:
        notes.append(f"Shown are the first {_MOST_OBJECTIVES} of {n} risks.")
    if sweep.is_partial:
        notes.append(f"Partial: {len(sweep.dropped):,} scalarizations dropped, {missing:,} rows without a point.")
    of = f" for {plural(int(np.prod(batch)), 'entry', 'entries')}" if batch else ""
    return Card(
        "Sweep",
        f"{plural(k, 'scalarization')} of {plural(n, 'objective')}{of}",
        [("method", sweep.method)],
        [Table(head, rows, k)],
        notes,
    )


def _sweep_row(sweep: Sweep, index: tuple[int, ...]) -> list[object]:
    status = int(sweep.status[index])
    gap = float(sweep.gap[index])
    ended = sweep.message(*index).partition(";")[0]
    return [
        index[-1],
        cell_text(repr(sweep.scalarizations[index[-1]]), 60),
        *sweep.points[index][:_MOST_OBJECTIVES].tolist(),
        float(sweep.values[index]),
        gap if sweep.rigorous[index] or not np.isfinite(gap) else f"about {cell_text(gap)}",
        Mark(ended, "good" if status == 0 else "open" if sweep.solved[index] else "bad"),
    ]


def refined_card(front: RefinedFront) -> Card:
    """Return the first members with their weights, and the gap."""
    k, n = front.points.shape
    shown = min(n, _MOST_OBJECTIVES - 1)
    head = ["member", *(f"weight {i}" for i in range(shown)), *(f"risk {i}" for i in range(shown))]
    rows = [
        [j, *front.weights[j, :shown].tolist(), *front.points[j, :shown].tolist()] for j in range(min(k, MOST_ROWS))
    ]
    gap = "gap" if front.rigorous else "gap (an estimate)"
    return Card(
        "RefinedFront",
        f"{plural(k, 'member')} in {plural(n, 'objective')}",
        [(gap, front.gap), ("ended", front.status)],
        [Table(head, rows, k, "member")],
    )


def cells_card(cells: WeightCells) -> Card:
    """Return the share of the weights that the first points take."""
    total = len(cells.share)
    shown = range(min(total, MOST_ROWS))
    rows = [[j, float(cells.share[j]), len(cells.vertices[j]), bool(cells.distinct[j])] for j in shown]
    n = cells.vertices[0].shape[-1] if cells.vertices else 0
    return Card(
        "WeightCells",
        f"{plural(total, 'region')} of the weights of {plural(n, 'objective')}",
        tables=[Table(["point", "share of the weights", "corners", "first of equal points"], rows, total, "point")],
    )
