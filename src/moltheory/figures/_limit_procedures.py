"""Procedures that certify limits, as the package has them: (losses, world, delta) -> certified configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification import certify, certify_limits
from moltheory.figures._limit_worlds import LimitWorld

__all__ = ["LIMIT_PROCEDURES", "PILOT", "LimitProcedure", "count_certified", "rows_of_limits"]

LimitProcedure = Callable[[Any, LimitWorld, float], npt.NDArray[np.bool_]]
PILOT = 0.25


def _tested(**options: Any) -> LimitProcedure:
    """Return `certify_limits` with some options."""

    def procedure(losses: Any, world: LimitWorld, delta: float) -> npt.NDArray[np.bool_]:
        given: dict[str, Any] = {
            "objectives": list(world.named_limits),
            "costs": {"price": world.prices},
            "delta": delta,
        }
        return certify_limits(losses, world.named_limits, **given, **options).certified

    return procedure


def _after_looking(losses: Any, world: LimitWorld, delta: float) -> npt.NDArray[np.bool_]:
    """Return what boxes certify, for which the limits need not be fixed before."""
    certificate = certify(losses, objectives=list(world.named_limits), delta=delta, method="boxes")
    return certificate.within(world.named_limits).within


LIMIT_PROCEDURES: Mapping[str, LimitProcedure] = {
    "fixed sequence": _tested(),
    "fixed sequence, Hoeffding-Bentkus": _tested(p_values="hoeffding-bentkus"),
    "graph": _tested(procedure="graphical"),
    "Holm": _tested(procedure="holm"),
    "Holm, Hoeffding-Bentkus": _tested(procedure="holm", p_values="hoeffding-bentkus"),
    "pilot": _tested(pilot=PILOT),
    "limits after looking": _after_looking,
}


def count_certified(
    procedures: Mapping[str, LimitProcedure],
    world: LimitWorld,
    n: int,
    streams: Iterable[np.random.Generator],
    *,
    delta: float,
) -> dict[str, FloatArray]:
    """Return, per run, the numbers of certified and of falsely certified ones, and what the choice costs, (runs, 3).

    The choice is the certified configuration with the smallest price; its cost is that price less the smallest one of
    those that meet the limits, at least 0, and the whole range of prices, 1, where nothing is certified.
    """
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in procedures}
    meets = world.meets
    least = world.prices[meets].min(initial=1.0)
    for rng in streams:
        losses = world.draw(n, rng)
        for name, procedure in procedures.items():
            certified = procedure(losses, world, delta)
            price = world.prices[certified].min(initial=np.inf)
            cost = 1.0 if np.isinf(price) else max(price - least, 0.0)
            found[name].append((float(certified.sum()), float((certified & ~meets).sum()), cost))
    return {name: np.array(rows, dtype=np.float64) for name, rows in found.items()}


def rows_of_limits(where: Mapping[str, Any], found: Mapping[str, FloatArray]) -> Iterator[dict[str, Any]]:
    """Yield a row of the table per procedure: certified configurations with standard error, false runs, cost."""
    for name, counts in found.items():
        certified, false, cost = counts.T
        runs = len(counts)
        yield {
            **where,
            "procedure": name,
            "runs": runs,
            "certified": float(certified.mean()),
            "certified_error": float(certified.std(ddof=1) / np.sqrt(runs)) if runs > 1 else 0.0,
            "wrong": int((false > 0).sum()),
            "cost_of_choice": float(cost.mean()),
        }
