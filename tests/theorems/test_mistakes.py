"""Mistakes in a conjecture of one's own are refused in words, not carried into an array operation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.problems import MultiTaskLeastSquares, reference_world
from moltheory.theorems import Input, Theorem, check, check_pair, falsify

PAIR = [[0.5, 1.0], [0.75, 0.0]], [[0.25, 1.0], [0.5, 0.0]]


def _conjecture(violation: Callable[..., Any]) -> Theorem:
    return Theorem(id="mine", statement="mine", source="mine", provenance="conjecture", violation=violation)


def _deviation(true: Any, empirical: Any, widths: Any) -> Any:
    return abs(true - empirical).max(axis=-2) - widths


@pytest.mark.parametrize(
    ("violation", "what"),
    [
        (_deviation, "one number for each pair"),  # the axis of objectives is left
        (lambda t, e, c: _deviation(t, e, c).max(axis=-1)[..., None], "one number for each pair"),
        (lambda t, e, c: (_deviation(t, e, c) > 0).any(axis=-1), "numbers"),
    ],
    ids=["objectives left", "an axis too many", "bool"],
)
def test_what_a_violation_returns_is_checked_everywhere(violation: Any, what: str, refuses: Any) -> None:
    mine = _conjecture(violation)
    assert what in refuses("violation", check_pair, mine, *PAIR)
    assert what in refuses("violation", falsify, mine, budget=64)
    assert what in refuses("violation", check, mine, reference_world(), n=3)


def test_a_number_for_the_whole_batch_is_refused(refuses: Any) -> None:
    """A maximum over all axes is right for one pair, and says the same of every pair of a batch."""
    mine = _conjecture(lambda t, e, c: np.max(_deviation(t, e, c)))
    assert check_pair(mine, *PAIR).holds
    assert "one number for each pair" in refuses("violation", falsify, mine, budget=64)


def test_problems_to_attack_are_a_list_of_finite_ones(refuses: Any) -> None:
    mine = _conjecture(lambda t, e, c: _deviation(t, e, c).max(axis=-1))
    assert "write [problem]" in refuses("problems", falsify, mine, reference_world(), budget=64)
    convex = MultiTaskLeastSquares([np.eye(1)] * 2, [[0.0], [1.0]], [0.5, 0.5])
    assert "finite problems" in refuses("problems", falsify, mine, [convex], budget=64)
    assert not falsify(mine, (world for world in [reference_world()]), budget=64).falsified


def test_a_call_that_is_shown_names_inputs_without_examples() -> None:
    inputs = (Input("shape", "H and N"), Input("n", "size", example=3), Input("eta", "error", optional=True))
    one = Theorem(
        id="mine",
        statement="mine",
        source="mine",
        provenance="derived",
        violation=_deviation,
        inputs=inputs,
        value=lambda shape, n: n,
    )
    assert "theorem.evaluate(shape=..., n=3)" in str(one)
    with pytest.raises(InvalidInputError, match="inputs"):
        one.evaluate()
