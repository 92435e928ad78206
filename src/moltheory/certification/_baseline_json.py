"""Comparisons with a baseline in the JSON text of a certificate."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory._core._serialization import booleans, floats, number, string, strings
from moltheory.certification._baseline import BaselineComparison

__all__ = ["read_comparison_fields", "written_comparison"]


def written_comparison(comparison: BaselineComparison) -> dict[str, Any]:
    """Return a comparison as JSON can hold it."""
    tables = {name: getattr(comparison, name).tolist() for name in ("better", "worse", "not_worse")}
    p_values = [[None if np.isnan(p) else p for p in row] for row in comparison.p_values.tolist()]
    return {
        "baseline": comparison.baseline,
        "names": list(comparison.names),
        "objectives": list(comparison.objectives),
        **tables,
        "margins": dict(comparison.margins),
        "p_values": p_values,
        "delta": comparison.delta,
    }


def read_comparison_fields(written: Any) -> BaselineComparison | None:
    """Return the comparison that `written_comparison` wrote."""
    if written is None:
        return None
    names, objectives = strings(written["names"]), strings(written["objectives"])
    shape = len(names), len(objectives)
    p_values = [[np.nan if p is None else number(p) for p in row] for row in written["p_values"]]
    return BaselineComparison(
        baseline=string(written["baseline"]),
        names=names,
        objectives=objectives,
        **{name: booleans(written[name]).reshape(shape) for name in ("better", "worse", "not_worse")},
        margins={string(name): number(margin) for name, margin in written["margins"].items()},
        p_values=floats(p_values).reshape(shape),
        delta=number(written["delta"]),
    )
