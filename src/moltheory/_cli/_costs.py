"""Costs from a file: exact ones, and measured ones with their intervals and their share of delta."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moltheory._cli._names import resolved
from moltheory._core._text import quoted
from moltheory.errors import InvalidInputError

__all__ = ["costs_from", "doubts_of_costs"]

_MEASURED = re.compile(
    "latency|latencies|seconds?|secs?|ms|milliseconds?|time|times|runtime|duration|ttft|tpot|throughput|energy|joules?|kwh|wh"
    "|watts?|watt"
)


def costs_from(path: str | None, given: Sequence[str] | None, *, models: Sequence[str]) -> dict[str, Any]:
    """Return the costs in a file by name; one with the columns ``X``, ``X_low`` and ``X_high`` is measured.

    Parameters
    ----------
    path : str or None
        File for `moltheory.evaluation.read_costs`.
    given : sequence of str or None
        Entries ``X=DELTA``: the probability that an interval of the measured cost X misses its true value.
    models : sequence of str

    Raises
    ------
    InvalidInputError
        If a measured cost has no interval, or no share of delta.
    """
    from moltheory.evaluation import Measured, read_costs

    if path is None:
        if given:
            raise InvalidInputError(f"`cost-delta` must come with --costs, got {given[0]!r} without.")
        return {}
    names, values = read_costs(path, models=models)
    costs: dict[str, Any] = dict(zip(names, values.T, strict=True))
    shares = [_share(entry, names) for entry in given or ()]
    deltas = dict(shares)
    if len(deltas) < len(shares):
        raise InvalidInputError(f"`cost-delta` must be given once for each cost, got {given!r}: keep one of them.")
    for name in names:
        ends = (f"{name}_low", f"{name}_high")
        complete = all(end in names for end in ends)
        if name not in deltas:
            if complete:
                raise InvalidInputError(
                    f"`cost-delta` must be given for costs with intervals, got {ends[0]!r} and {ends[1]!r} without: state "
                    f"the probability that some interval misses, as in --cost-delta {name}=0.01."
                )
            continue
        if not complete:
            raise InvalidInputError(
                f"`costs` must hold the columns {ends[0]!r} and {ends[1]!r} of a measured cost, got none: add the intervals."
            )
        low, high = (costs.pop(end) for end in ends)
        costs[name] = Measured(costs[name], low, high, delta=deltas[name])
    return costs


def doubts_of_costs(costs: Mapping[str, Any]) -> list[str]:
    """Return a doubt about each exact cost that is called like something measured, such as a latency."""
    from moltheory.evaluation import Measured

    exact = [name for name, values in costs.items() if not isinstance(values, Measured)]
    return [
        f"{quoted(name)} sounds measured, and is compared as known exactly: give its values per example, or "
        f"{name}_low and {name}_high with --cost-delta."
        for name in exact
        if any(_MEASURED.fullmatch(word) for word in re.findall(r"[^\W_]+", name.lower()))
    ]


def _share(entry: str, names: Sequence[str]) -> tuple[str, float]:
    name, _, text = entry.rpartition("=")
    try:
        delta = float(text)
    except ValueError:
        delta = 0.0
    if not name or not 0.0 < delta < 1.0:
        raise InvalidInputError(f"`cost-delta` must be X=DELTA with DELTA in (0, 1), got {entry!r}.")
    return resolved("cost-delta", [name], names)[0], delta
