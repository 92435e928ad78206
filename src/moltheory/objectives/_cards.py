"""How objectives, measures and fronts of weights are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moltheory._core._card import MOST_ROWS, Card, Table, card_of_fields
from moltheory._core._text import named, plural

if TYPE_CHECKING:
    from moltheory.objectives._finite import FiniteObjectives
    from moltheory.objectives._measures import Measure
    from moltheory.objectives._weighted_front import WeightedFront

__all__ = ["finite_card", "measure_card", "measure_line", "parametric_card", "weighted_card"]


def finite_card(objectives: FiniteObjectives) -> Card:
    """Return the first risks, of a batch those of its first entry."""
    batch, names = objectives.batch_shape, [named(name) for name in objectives.names]
    total = objectives.n_hypotheses
    risks = objectives.risks(range(min(total, MOST_ROWS)))
    notes = []
    rows: list[list[Any]] = []
    if 0 not in batch:
        rows = [[h, *row] for h, row in enumerate(risks[(0,) * len(batch)].tolist())]
    if batch:
        notes.append(f"Shown is the first of {' × '.join(f'{size:,}' for size in batch)} samples.")
    known = [name for name, flag in zip(names, objectives.data_dependent, strict=True) if not flag]
    return Card(
        "FiniteObjectives",
        f"risks of {plural(total, 'hypothesis', 'hypotheses')} in {plural(len(names), 'objective')}; smaller is better",
        [("known without data", known)] if known else [],
        [Table(["hypothesis", *names], rows, total, "row")],
        notes,
    )


def parametric_card(objectives: Any, facts: Sequence[tuple[str, Any]] = ()) -> Card:
    """Return names and sizes of objectives that are functions of parameters; nothing is evaluated."""
    names = [named(name) for name in objectives.names]
    batch = getattr(objectives, "batch_shape", ())
    samples = [("samples", " × ".join(f"{size:,}" for size in batch))] if batch else []
    return Card(
        type(objectives).__name__,
        f"{plural(len(names), 'objective')} of {plural(objectives.dimension, 'parameter')}",
        [("objectives", names), *samples, *facts],
    )


def measure_line(measure: Measure) -> str:
    """Return the class of a measure, and what it is an average over."""
    cells = measure.cells
    if not cells:
        return f"{type(measure).__name__}(known without data)"
    examples, hypotheses = cells[0].losses.shape
    count = f", {len(cells)} averages" if len(cells) > 1 else ""
    return f"{type(measure).__name__}({examples:,} examples, {hypotheses:,} hypotheses{count})"


def measure_card(measure: Measure) -> Card:
    """Return what a measure is, and what it is an average over."""
    card = card_of_fields(measure, ())
    cells = measure.cells
    facts: list[tuple[str, Any]] = [("known without data", True)] if not cells else []
    if cells:
        examples, hypotheses = cells[0].losses.shape
        facts += [("examples", examples), ("hypotheses", hypotheses), ("averages", len(cells))]
    return replace(card, facts=facts)


def weighted_card(front: WeightedFront) -> Card:
    """Return the first members with their weights, and what they may miss."""
    shape = front.points.shape
    batch, k, n = shape[:-2], shape[-2], shape[-1]
    points = front.points[(0,) * len(batch)][:MOST_ROWS].tolist() if 0 not in batch else []
    weights = front.weights[:MOST_ROWS].tolist()
    head = ["member", *(f"weight {i}" for i in range(n)), *(f"risk {i}" for i in range(n))]
    rows = [[j, *w, *v] for j, (w, v) in enumerate(zip(weights, points, strict=False))]
    return Card(
        "WeightedFront",
        f"{plural(k, 'member')} in {plural(n, 'objective')}",
        [("may be missed", front.discretization)],
        [Table(head, rows, k, "member")],
        [f"Shown is the first of {' × '.join(f'{size:,}' for size in batch)} fronts."] if batch else [],
    )
