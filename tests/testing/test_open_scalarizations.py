"""Scalarizations from outside: every wrong claim is named, gross ones where they are used, and no solver's error leaks."""

from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.experiments import excess
from moltheory.scalarization import Scalarization, WeightedSum
from moltheory.testing import ContractError, check_scalarization
from moltheory.theorems import check_pair, ledger
from tests.testing.test_open_protocols import CENTERS, RULES, Coins, Springs, quadratics


class Plain(Scalarization):
    """A mean, declared as it is; what follows breaks one claim each."""

    n_objectives = 2
    is_monotone = is_subadditive = is_homogeneous = True
    modulus = 0.5
    optimality = "pareto"

    def _evaluate(self, values: Any) -> Any:
        return 0.5 * (values[:, 0] + values[:, 1])

    def _width(self, widths: Any) -> Any:
        return 0.5 * (widths[:, 0] + widths[:, 1])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class Free(Plain):
    """Claims nothing that a value could break, so that one claim can be added."""

    is_monotone = is_subadditive = is_homogeneous = False
    has_width = False
    modulus = 0.0
    optimality = "weakly-pareto"

    def _width(self, widths: Any) -> Any:
        raise InvalidInputError("`widths` must not be asked for.")


def _free(name: str, value: Any, **claims: Any) -> Any:
    return type(name, (Free,), {"_evaluate": lambda self, v: value(v), **claims})()


def _wide(name: str, value: Any, width: Any, **claims: Any) -> Any:
    claims = {"has_width": True, "_width": lambda self, c: width(c), **claims}
    return _free(name, value, **claims)


BROKEN = [
    (_free("SquaresAdd", lambda v: (v**2).sum(axis=-1), is_subadditive=True), "is_subadditive"),
    (
        _free("LateSquares", lambda v: v.sum(axis=-1) + np.maximum(v[:, 0] - 60.0, 0) ** 2, is_subadditive=True),
        "is_subadditive",
    ),
    (_free("Products", lambda v: v.sum(axis=-1) + v[:, 0] * v[:, 1], is_subadditive=True), "is_subadditive"),
    (_free("HalfNorm", lambda v: np.sqrt(v).sum(axis=-1) ** 2, is_subadditive=True), "is_subadditive"),
    (
        _free("Difference", lambda v: v[:, 0] + 0.01 * v[:, 1] - 0.02 * np.minimum(v[:, 0], v[:, 1]), is_monotone=True),
        "is_monotone",
    ),
    (
        _free("SoftFall", lambda v: v.max(axis=-1) + 0.1 * v.sum(axis=-1) - 0.2 * v.min(axis=-1), is_monotone=True),
        "is_monotone",
    ),
    (_free("Offset", lambda v: v.sum(axis=-1) + 1e-3, is_homogeneous=True), "is_homogeneous"),
    (_free("Powers", lambda v: v.sum(axis=-1) ** 1.01, is_homogeneous=True), "is_homogeneous"),
    (_free("SteepModulus", lambda v: v @ [0.3, 0.7], modulus=0.31), "modulus"),
    (_free("MaxModulus", lambda v: v.max(axis=-1), modulus=0.01), "modulus"),
    (_free("MaxIsPareto", lambda v: v.max(axis=-1), optimality="pareto"), "optimality 'pareto'"),
    (_free("Constant", lambda v: 0.0 * v[:, 0] + 1.0), "optimality 'weakly-pareto'"),
    (_free("Reversed", lambda v: (v**2).sum(axis=-1), has_reverse_triangle=True), "has_reverse_triangle"),
    (_wide("HalfWidth", lambda v: v.sum(axis=-1), lambda c: 0.99 * c.sum(axis=-1)), "have a width that bounds"),
    (_wide("OneOfTwo", lambda v: v.sum(axis=-1), lambda c: c[:, 0]), "have a width that bounds"),
    (_wide("LargestOnly", lambda v: v.sum(axis=-1), lambda c: c.max(axis=-1)), "have a width that bounds"),
    (_wide("Slopes", lambda v: np.sqrt(v).sum(axis=-1), lambda c: 10.0 * c.sum(axis=-1)), "have a width that bounds"),
    (
        _wide("LateSlope", lambda v: v.sum(axis=-1) + 3 * np.maximum(v[:, 0] - 50, 0), lambda c: c.sum(axis=-1)),
        "have a width that bounds",
    ),
]


@pytest.mark.parametrize(("u", "words"), BROKEN, ids=[type(u).__name__ for u, _ in BROKEN])
@pytest.mark.parametrize("rng", [0, 1])
def test_a_wrong_scalarization_is_named(u: Any, words: str, rng: int) -> None:
    import re

    with pytest.raises(ContractError, match=re.escape(words)) as caught:
        check_scalarization(u, rng=rng)
    assert type(u).__name__ in str(caught.value)


def test_right_scalarizations_pass_and_are_used() -> None:
    check_scalarization(Plain())
    check_scalarization(_free("Squares", lambda v: (v**2).sum(axis=-1)))
    check_scalarization(_wide("Sum", lambda v: v.sum(axis=-1), lambda c: c.sum(axis=-1), is_monotone=True))
    table = excess(Coins(), scalarizations={"mean": Plain()}, sizes=[20], replicates=50, rng=0)
    same = excess(Coins(), scalarizations=RULES, sizes=[20], replicates=50, rng=0)
    np.testing.assert_allclose(table["excess"], same["excess"], atol=1e-15)


@pytest.mark.parametrize(
    "u",
    # Not what goes wrong from 60 on, where only the checker looks.
    [
        u
        for u, words in BROKEN
        if words in ("is_subadditive", "have a width that bounds") and "Late" not in type(u).__name__
    ],
    ids=lambda u: type(u).__name__,
)
def test_gross_lies_are_not_trusted_where_they_are_used(u: Any, refuses: Any) -> None:
    if not u.has_width:
        u = type(type(u).__name__, (type(u),), {"has_width": True, "_width": lambda self, c: np.full(len(c), np.inf)})()
    message = refuses("scalarizations", excess, Coins(), scalarizations={"u": u}, sizes=[9], replicates=1, rng=0)
    assert "check_scalarization" in message
    with pytest.raises(InvalidInputError, match="must be what they declare"):
        check_pair(ledger()["scalarized"], [[0.1, 0.2]], [[0.2, 0.1]], scalarization=u)


class Program(Plain):
    def program(self, risks: Any) -> Any:
        return 0.5 * (risks[0] + risks[1])

    def _evaluate(self, values: Any) -> Any:
        return super()._evaluate(values)


PROGRAMS = [
    (Plain(), "must declare `program` and `multipliers`"),
    (type("Raising", (Program,), {"program": lambda self, r: r[7] + {}["a"]})(), "`program` of Raising must return"),
    (type("Dividing", (Program,), {"multipliers": lambda self, v, d: 1 // 0})(), "got ZeroDivisionError"),
    (type("Shaped", (Program,), {"program": lambda self, r: r @ np.ones(3)})(), "`program` of Shaped must return"),
    (type("Worded", (Program,), {"program": lambda self, r: "r0 + r1"})(), "got str"),
    (type("Listed", (Program,), {"multipliers": lambda self, v, d: (["a", "b"], 0.0)})(), "`multipliers` of Listed"),
]


@pytest.mark.parametrize(("u", "words"), PROGRAMS, ids=[type(u).__name__ for u, _ in PROGRAMS])
def test_no_exception_of_a_solver_leaks(u: Any, words: str) -> None:
    for call in (
        lambda: mt.solve_front(quadratics(CENTERS), scalarizations=[u]),
        lambda: excess(Springs(), scalarizations={"u": u}, sizes=[9], replicates=1, rng=0),
    ):
        with pytest.raises(InvalidInputError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
    if type(u) is not Plain:
        with pytest.raises(ContractError):
            check_scalarization(u)


def test_a_declared_program_is_solved() -> None:
    found = mt.solve_front(quadratics(CENTERS), scalarizations=[Program()])
    expected = mt.solve_front(quadratics(CENTERS), scalarizations=[WeightedSum([0.5, 0.5])])
    np.testing.assert_allclose(found.points, expected.points, atol=1e-6)
