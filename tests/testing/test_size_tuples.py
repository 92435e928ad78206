"""A tuple of sizes, one for each objective, is not read as one of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.testing import ContractError, check_problem

LOSSES = [[[0, 1], [1, 0]], [[0, 0], [1, 1]], [[1, 0], [0, 1]]]


class Shared(mt.FiniteWorld):
    """One sample for both objectives, of the size that `pick` takes from a tuple."""

    def __init__(self, pick: Any, losses: Any = LOSSES) -> None:
        super().__init__([0.5, 0.3, 0.2], losses)
        self.pick = pick

    def sample(self, n: Any, *, replicates: int | None = None, rng: Any = None) -> Any:
        return super().sample(self.pick(n) if isinstance(n, tuple) else n, replicates=replicates, rng=rng)


class SharedWidths(mt.FiniteWorld):
    """Right samples, and half-widths of one size."""

    def __init__(self, pick: Any) -> None:
        super().__init__([0.5, 0.3, 0.2], LOSSES)
        self.pick = pick

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Any:
        return super().widths(self.pick(sample_or_n) if isinstance(sample_or_n, tuple) else sample_or_n, delta=delta)


class SharedWidthsOfSamples(mt.FiniteWorld):
    """Half-widths of sizes are right, and those of a sample are those of its first objective."""

    def widths(self, sample_or_n: Any, /, *, delta: float) -> Any:
        found = super().widths(sample_or_n, delta=delta)
        if not hasattr(sample_or_n, "risks"):
            return found
        return replace(found, width=np.broadcast_to(found.width[..., :1], found.width.shape))


def _refuse(n: Any) -> int:
    raise mt.InvalidInputError(f"`n` must be one size, got {n}.")


@pytest.mark.parametrize("pick", [lambda n: n[0], lambda n: n[-1], max, min], ids=["first", "last", "max", "min"])
def test_one_size_for_all_objectives_is_named(pick: Any) -> None:
    with pytest.raises(ContractError, match=r"Shared.sample must draw n\[i\] examples for objective i of a tuple n"):
        check_problem(Shared(pick), replicates=200)


@pytest.mark.parametrize("pick", [lambda n: n[0], lambda n: n[-1], max], ids=["first", "last", "max"])
def test_half_widths_of_one_size_are_named(pick: Any) -> None:
    with pytest.raises(ContractError, match=r"SharedWidths.widths must be those of n\[i\] examples"):
        check_problem(SharedWidths(pick), replicates=200)


def test_half_widths_of_a_sample_are_looked_at_too() -> None:
    with pytest.raises(ContractError, match=r"SharedWidthsOfSamples.widths .* with a sample of n=\(7, 1\)"):
        check_problem(SharedWidthsOfSamples([0.5, 0.3, 0.2], LOSSES), replicates=200)


def test_what_refuses_or_keeps_them_or_is_safe_passes() -> None:
    check_problem(mt.FiniteWorld([0.5, 0.3, 0.2], LOSSES), replicates=200)
    check_problem(Shared(_refuse), replicates=200)
    check_problem(SharedWidths(min), replicates=200)  # wider than need be


def test_a_known_objective_needs_no_size() -> None:
    known = np.array(LOSSES, dtype=float)
    known[..., 1] = [1.0, 2.0]
    check_problem(Shared(lambda n: n[0], known), replicates=200)


def test_other_sizes_are_tried_where_one_is_given() -> None:
    with pytest.raises(ContractError, match="of a tuple n"):
        check_problem(Shared(lambda n: n[0]), sizes=[5], replicates=200)
