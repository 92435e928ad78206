"""How tables of losses, measured costs and times are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Fold, Table
from moltheory._core._numbers import interval_text
from moltheory._core._text import few, named, plural
from moltheory.inference._cards import confidence_of

if TYPE_CHECKING:
    from moltheory.evaluation._measured_cost import Measured
    from moltheory.evaluation._model_cost import Timings
    from moltheory.evaluation._source import LossSource
    from moltheory.evaluation._table import LossTable

__all__ = ["measured_card", "source_card", "table_card", "table_line", "timings_card"]

# Means of larger tables take a time that is felt.
_MOST_LOSSES = 200_000


def table_card(table: LossTable) -> Card:
    """Return objectives, and the first models with their means (of small tables) and costs."""
    losses = table.in_memory
    titles = table.objective_names if table.measures is None else tuple(table.measures)
    names = [f"{named(name)}{' ↑' if up else ''}" for name, up in zip(titles, table.maximise, strict=True)]
    costs = [named(name) for name in table.cost_names]
    shown = min(len(table.model_names), MOST_ROWS)
    head = ["model"]
    columns: list[list[Any]] = [[named(name) for name in table.model_names[:shown]]]
    if losses is not None and table.measures is None and losses.size <= _MOST_LOSSES:
        head += [f"mean {name}" for name in names]
        columns += [_mean(losses[:, :shown, i]) for i in range(losses.shape[2])]
    if table.costs is not None:
        head += costs
        columns += [np.asarray(table.costs)[:shown, k].tolist() for k in range(len(costs))]
    facts: list[tuple[str, Any]] = [("objectives", names)]
    if costs:
        facts.append(("costs", costs))
    if losses is None:
        facts.append(("from", table.name))
    elif table.clusters is not None:
        facts.append(("clusters", np.unique(table.clusters).size))
    size = "" if losses is None else f" on {plural(losses.shape[0], 'example')}"
    return Card(
        "LossTable",
        f"losses of {plural(len(table.model_names), 'model')}{size}",
        facts,
        [Table(head, list(zip(*columns, strict=True)), len(table.model_names), "model")],
        code=["table.certify(delta=0.05)"],
        folds=_notes(table),
    )


def table_line(table: LossTable) -> str:
    """Return sizes and names on one line."""
    names = few(
        [named(name) for name in (*(table.measures or table.objective_names), *table.cost_names)], 12, describe=str
    )
    losses = table.in_memory
    if losses is None:
        return f"LossTable({len(table.model_names)} models in {table.name}: {names})"
    missing = float(np.isnan(losses).mean()) if losses.dtype.kind == "f" else 0.0
    gaps = f", {missing:.0%} not evaluated" if missing else ""
    groups = "" if table.clusters is None else f", {np.unique(table.clusters).size} clusters"
    return f"LossTable({losses.shape[1]} models, {losses.shape[0]} examples{groups}: {names}{gaps})"


def source_card(source: LossSource) -> Card:
    """Return names; nothing is read."""
    return Card(
        type(source).__name__,
        f"losses of {plural(len(source.model_names), 'model')} in {source.name}",
        [
            ("models", [named(name) for name in source.model_names]),
            ("objectives", [named(name) for name in source.objective_names]),
            ("clusters", source.has_clusters),
        ],
        folds=_notes(source),
    )


def measured_card(cost: Measured) -> Card:
    """Return the first values with their intervals."""
    labels = cost.models or [str(place) for place in range(len(cost))]
    shown = range(min(len(cost), MOST_ROWS))
    rows = [[named(labels[k]), float(cost.value[k]), interval_text(cost.low[k], cost.high[k])] for k in shown]
    return Card(
        "Measured",
        f"a measured cost of {plural(len(cost), 'model')}; all intervals hold at once with probability at least "
        f"{confidence_of(cost.delta)}",
        tables=[Table(["model", "value", "interval"], rows, len(cost), "model")],
    )


def timings_card(times: Timings) -> Card:
    """Return median and range of the seconds per example of the first models."""
    shown = range(min(len(times.names), MOST_ROWS))
    seconds = np.asarray(times.seconds)
    rows = [[named(times.names[k]), *_seconds(seconds.reshape(len(times.names), -1)[k])] for k in shown]
    return Card(
        "Timings",
        f"measured seconds per example of {plural(len(times.names), 'model')}",
        tables=[Table(["model", "smallest", "median", "largest"], rows, len(times.names), "model")],
    )


def _seconds(times: Any) -> list[float]:
    return [float(np.min(times)), float(np.median(times)), float(np.max(times))]


def _mean(losses: Any) -> list[float]:
    """Return the means (H,) of what was evaluated; NaN where nothing was."""
    values = np.asarray(losses, dtype=np.float64)
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: list[float] = (np.where(there, values, 0.0).sum(axis=0) / there.sum(axis=0)).tolist()
    return means


def _notes(source: LossSource) -> list[Fold]:
    notes = list(source.notes)[:MOST_ROWS]
    return [Fold(f"{plural(len(source.notes), 'note')} of the reader", notes)] if notes else []
