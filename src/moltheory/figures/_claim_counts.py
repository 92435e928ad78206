"""False and given verdicts of procedures, counted over runs in worlds whose front is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.figures._claim_procedures import Procedure
from moltheory.figures._claim_worlds import compared_models

__all__ = ["SETTINGS", "count_verdicts", "rows_of"]

# Kind of world and of losses, by the name in tables and figures.
SETTINGS: Mapping[str, tuple[str, str]] = {
    "trade-off": ("trade-off", "0/1"),
    "ties": ("ties", "0/1"),
    "near-ties": ("near-ties", "0/1"),
    "equal": ("equal", "0/1"),
    "flat": ("flat", "0/1"),
    "clusters": ("trade-off", "clusters of five"),
    "bounded": ("trade-off", "bounded"),
}


def count_verdicts(
    procedures: Mapping[str, Procedure],
    setting: str,
    objectives: int,
    streams: Iterable[np.random.Generator],
    *,
    models: int,
    examples: int,
    delta: float,
) -> dict[str, FloatArray]:
    """Return the numbers of false and of all verdicts per run, (runs, 2), by procedure; all see the same data.

    A verdict is false if it says "on the front" of a model that is not, or "not on it" of one that is.
    """
    kind, loss = SETTINGS[setting]
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in procedures}
    for rng in streams:
        world = compared_models(kind, models, objectives, rng)
        losses, clusters = world.draw(examples, loss, rng)
        for name, procedure in procedures.items():
            sure, excluded = procedure(losses, world.costs, clusters, delta)
            false = (sure & ~world.on_front) | (excluded & world.on_front)
            found[name].append((int(false.sum()), int((sure | excluded).sum())))
    return {name: np.array(counts, dtype=np.float64) for name, counts in found.items()}


def rows_of(setting: str, objectives: int, found: Mapping[str, FloatArray], models: int) -> Iterator[dict[str, Any]]:
    """Yield a row of the table per procedure: runs with false verdicts, mean share of false ones, share settled."""
    for name, counts in found.items():
        false, given = counts.T
        share = given / models
        yield {
            "world": setting,
            "objectives": objectives,
            "procedure": name,
            "runs": len(counts),
            "wrong": int((false > 0).sum()),
            "two_wrong": int((false > 1).sum()),
            "false_share": float((false / np.maximum(given, 1.0)).mean()),
            "settled": float(share.mean()),
            "settled_error": float(share.std(ddof=1) / np.sqrt(len(share))),
        }
