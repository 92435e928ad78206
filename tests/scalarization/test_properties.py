"""Every property that a scalarization states about itself, in both directions, over all classes."""

from __future__ import annotations

import numpy as np
import pytest

from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, Scalarization, SmoothChebyshev

from . import _asserts as check
from ._samplers import all_cases, axis_pairs, constraint_cases, lipschitz_cases

ALL = pytest.mark.parametrize("u", all_cases(), ids=repr)
LIPSCHITZ = pytest.mark.parametrize("u", lipschitz_cases(), ids=repr)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@ALL
def test_monotone(u: Scalarization, rng: np.random.Generator) -> None:
    assert u.is_monotone
    check.assert_monotone(u, rng)


@ALL
def test_subadditive_exactly_when_stated(u: Scalarization, rng: np.random.Generator) -> None:
    (check.assert_subadditive if u.is_subadditive else check.assert_not_subadditive)(u, rng)


@ALL
def test_homogeneous_exactly_when_stated(u: Scalarization, rng: np.random.Generator) -> None:
    (check.assert_homogeneous if u.is_homogeneous else check.assert_not_homogeneous)(u, rng)


@LIPSCHITZ
def test_reverse_triangle_exactly_when_stated(u: Scalarization, rng: np.random.Generator) -> None:
    claim = u.has_reverse_triangle
    (check.assert_reverse_triangle if claim else check.assert_not_reverse_triangle)(u, rng)


@LIPSCHITZ
def test_modulus_is_the_largest(u: Scalarization, rng: np.random.Generator) -> None:
    check.assert_modulus_is_lower_bound(u, rng)
    check.assert_modulus_is_tight(u)


@LIPSCHITZ
def test_width_bounds_every_change_and_no_smaller_one_would(u: Scalarization, rng: np.random.Generator) -> None:
    check.assert_width_bounds_change(u, rng)
    check.assert_width_is_tight(u, rng)


@LIPSCHITZ
def test_width_of_nothing_is_zero(u: Scalarization) -> None:
    assert u.width(np.zeros(u.n_objectives)) == 0.0


def test_the_cases_take_both_sides_of_every_claim() -> None:
    cases = all_cases()
    for name in ("is_subadditive", "is_homogeneous", "has_reverse_triangle"):
        assert {getattr(u, name) for u in cases} == {True, False}
    assert {u.modulus > 0.0 for u in cases} == {True, False}


def test_constraint_reports_neither_triangle_nor_modulus() -> None:
    for u in constraint_cases():
        assert not u.has_reverse_triangle
        assert u.modulus == 0.0
        # Zero is right: another objective rises within its bound, and the value stays.
        a, b = axis_pairs(u.n_objectives, 0.0, 0.01)
        assert (u(a) == u(b)).any()


def _dominated(points: np.ndarray, *, weak: bool) -> np.ndarray:
    """Return which rows are dominated (strictly better everywhere, if `weak`): the definition, O(n^2)."""
    better = points[:, None, :] < points[None, :, :]
    no_worse = points[:, None, :] <= points[None, :, :]
    dominates = better.all(-1) if weak else no_worse.all(-1) & better.any(-1)
    return np.asarray(dominates.any(axis=0))


@ALL
def test_minimisers_are_as_optimal_as_stated(u: Scalarization, rng: np.random.Generator) -> None:
    for _ in range(40):
        points = rng.integers(0, 4, (12, u.n_objectives)).astype(float)
        values = u(points)
        minimisers = (values == values.min()) & np.isfinite(values)
        assert not (minimisers & _dominated(points, weak=True)).any()
        if u.optimality == "pareto":
            assert not (minimisers & _dominated(points, weak=False)).any()


@pytest.mark.parametrize("u", [u for u in all_cases() if u.optimality == "weakly-pareto"], ids=repr)
def test_weakly_optimal_is_no_understatement(u: Scalarization) -> None:
    """Some dominated point has the same value as the point that dominates it."""
    found = False
    for s in (0.0, 1.0, 1e3):
        for step in (0.01, 1.0):
            a, b = axis_pairs(u.n_objectives, s, step)
            found = found or bool(((u(a) == u(b)) & np.isfinite(u(a))).any())
    assert found


@pytest.mark.parametrize("n", [1, 2, 3, 9, 17])
def test_equal_rows_have_bitwise_equal_values(n: int, rng: np.random.Generator) -> None:
    rows = rng.random((37, n))
    strided = np.repeat(rows, 2, axis=1)[:, ::2]
    weights = rng.random(n) + 0.1
    cases = [u for u in all_cases() if u.n_objectives == n]
    cases += [PNorm(weights, 3.3), PNorm(weights, 1.0), EpsilonConstraint(np.full(n, 0.9))]
    cases += [SmoothChebyshev(weights, 0.3), Chebyshev(weights, ideal=-weights, augmentation=0.1)]
    for u in cases:
        together = u(rows)
        assert (u(np.asfortranarray(rows)) == together).all()
        assert (u(strided) == together).all()
        assert (u(np.stack([rows, rows[::-1]]))[1, ::-1] == together).all()
        assert [float(u(row)) for row in rows] == together.tolist()


@ALL
def test_shapes_and_untouched_inputs(u: Scalarization, rng: np.random.Generator) -> None:
    values = rng.random((2, 3, u.n_objectives))
    values.flags.writeable = False
    assert u(values).shape == (2, 3)
    assert u(values[0]).shape == (3,)
    assert np.ndim(u(values[0, 0])) == 0
    assert u(values[0, 0]) == u(values)[0, 0]
    if not isinstance(u, EpsilonConstraint):
        assert u.width(values).shape == (2, 3)
        assert u.width(values[0, 0]) == u.width(values)[0, 0]
