"""The checker of scalarizations: every class of the package passes, and so do foreign ones that keep the contract."""

from __future__ import annotations

import math

import numpy as np
import pytest

from moltheory.scalarization import Scalarization
from moltheory.testing import ContractError, check_scalarization
from tests.scalarization._samplers import all_cases, one_of_each
from tests.testing._foreign_scalarizations import GOOD, LYING, Squares


@pytest.mark.parametrize("u", [*one_of_each(), *(u for u in all_cases() if u.n_objectives in (1, 3))], ids=repr)
def test_own_classes_pass(u: Scalarization) -> None:
    check_scalarization(u, n_objectives=u.n_objectives)


@pytest.mark.parametrize("u", GOOD, ids=lambda u: type(u).__name__)
@pytest.mark.parametrize("rng", [0, 1, 2])
def test_foreign_classes_that_keep_the_contract_pass(u: Scalarization, rng: int) -> None:
    check_scalarization(u, rng=rng)


@pytest.mark.parametrize(("u", "message"), LYING, ids=[type(u).__name__ for u, _ in LYING])
@pytest.mark.parametrize("rng", [0, 1, 2])
def test_a_broken_rule_is_named(u: Scalarization, message: str, rng: int) -> None:
    with pytest.raises(ContractError, match=message):
        check_scalarization(u, rng=rng)


@pytest.mark.parametrize("claim", ["is_monotone", "is_subadditive", "has_width", "modulus", "optimality"])
def test_claims_have_their_types(claim: str) -> None:
    u = type("Odd", (Squares,), {claim: None})([0.5, 0.5])
    with pytest.raises(ContractError, match=f"`{claim}` of Odd must be"):
        check_scalarization(u)


def test_other_objects_and_numbers_of_objectives() -> None:
    with pytest.raises(ContractError, match="must be a Scalarization, got float"):
        check_scalarization(math.pi)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="`n_objectives` of Squares must be 3, got 2"):
        check_scalarization(Squares([0.5, 0.5]), n_objectives=3)


def test_what_is_raised_by_the_object_is_named() -> None:
    def broken(self: Scalarization, values: np.ndarray) -> np.ndarray:
        raise KeyError("no such weight")

    u = type("Broken", (Squares,), {"_evaluate": broken})([0.5, 0.5])
    with pytest.raises(
        ContractError, match="`Broken` must return values of risks >= 0, got KeyError: 'no such weight'"
    ):
        check_scalarization(u)
