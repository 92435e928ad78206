"""Rows of `applicable_bounds` that are no half-widths: expected errors and what no learner can avoid, and total sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from moltheory.bounds._lower import coverage_lower_bound
from moltheory.bounds._lower_linear import expected_coverage, expected_linear_excess, linear_excess_lower_bound
from moltheory.bounds._on_demand import required_sample_size_minimax

__all__ = ["NUMBERS", "SIZES", "Number", "NumberEntry", "SizeEntry"]


class Number(NamedTuple):
    """A bound that is one number."""

    quantity: str
    value: float
    scope: str
    source: str


class NumberEntry(NamedTuple):
    """Such a bound by the quantities it needs; None where they do not allow one."""

    name: str
    needs: tuple[str, ...]
    at: Callable[[Any, int], Number | None]


class SizeEntry(NamedTuple):
    """A total number of examples by the quantities that it needs, with the target `excess`."""

    name: str
    needs: tuple[str, ...]
    size: Callable[[Any], int | None]


def _coverage(g: Any, n: int) -> Number:
    value = expected_coverage(n, n_hypotheses=g.n_hypotheses, n_objectives=g.n_objectives)
    return Number("expected error", value, "excess", "derived (proof: expected-coverage)")


def _no_coverage(g: Any, n: int) -> Number | None:
    if g.n_hypotheses < 2:
        return None
    value = coverage_lower_bound(n, n_hypotheses=g.n_hypotheses, n_objectives=g.n_objectives).expected
    return Number("expected error", value, "every learner", "derived (proof: coverage-minimax)")


def _no_coverage_at(g: Any, n: int) -> Number | None:
    # Guessing attains larger probabilities.
    if g.delta >= 1.0 - 1.0 / g.n_hypotheses:
        return None
    found = coverage_lower_bound(n, n_hypotheses=g.n_hypotheses, n_objectives=g.n_objectives, probability=g.delta)
    return Number("error at delta", found.gap, "every learner", "derived (proof: coverage-minimax)")


def _linear(g: Any) -> dict[str, Any] | None:
    scale = {"lipschitz": g.lipschitz, "weight_norm": g.weight_norm, "input_norm": g.input_norm}
    return scale if min(scale.values()) > 0.0 else None


def _linear_excess(g: Any, n: int) -> Number | None:
    scale = _linear(g)
    if scale is None:
        return None
    return Number("expected error", expected_linear_excess(n, **scale), "excess", "derived (proof: linear-excess)")


def _no_linear_excess(g: Any, n: int) -> Number | None:
    scale = _linear(g)
    if scale is None:
        return None
    value = linear_excess_lower_bound(n, n_objectives=g.n_objectives, **scale)
    return Number("expected error", value, "every learner", "derived (proof: linear-excess)")


NUMBERS = (
    NumberEntry("coverage error, finite class", ("n_hypotheses",), _coverage),
    NumberEntry("excess, linear class", ("weight_norm",), _linear_excess),
    NumberEntry("coverage error, finite class", ("n_hypotheses",), _no_coverage),
    NumberEntry("coverage error, finite class", ("n_hypotheses",), _no_coverage_at),
    NumberEntry("excess, linear class", ("weight_norm",), _no_linear_excess),
)


def _minimax(g: Any, *, sampling: Any) -> int | None:
    # With one objective there is no worst one, and an excess of 1 needs no examples.
    if g.n_objectives < 2 or not 0.0 < g.excess < 1.0:
        return None
    return required_sample_size_minimax(
        excess=g.excess,
        n_hypotheses=g.n_hypotheses,
        n_objectives=g.n_objectives,
        delta=g.delta,
        sampling=sampling,
    )


SIZES = (
    SizeEntry("worst objective, uniform sampling", ("n_hypotheses",), lambda g: _minimax(g, sampling="uniform")),
    SizeEntry("worst objective, on demand", ("n_hypotheses",), lambda g: _minimax(g, sampling="on-demand")),
)
