"""Coordinates of the solvers: exact maps, features that vary, predictions that do not cancel."""

from fractions import Fraction

import numpy as np
import pytest

from moltheory.objectives import ConvexObjectives
from moltheory.objectives._coordinates import Coordinates

Array = np.ndarray


def _seconds(n=20, intercept=True):
    """A day of Unix seconds, a length in micrometers, and an intercept."""
    rng = np.random.default_rng(5)
    columns = [1.7e9 + 86400.0 * np.linspace(0, 1, n), 1e-6 * rng.standard_normal(n)]
    return np.column_stack([*columns, np.ones(n)] if intercept else columns)


def _frame(x: Array, y: Array | None = None) -> Coordinates:
    n = x.shape[0]
    found = Coordinates.of([x[None]], [np.full((1, n), 1 / n)], None if y is None else [y[None]])
    assert found is not None
    return found


def _exact(x: Array, theta: Array) -> list[Fraction]:
    return [sum(Fraction(float(a)) * Fraction(float(t)) for a, t in zip(row, theta, strict=True)) for row in x]


def test_ordinary_features_stay_as_they_are(rng):
    x = rng.standard_normal((1, 50, 3)) * [1.0, 3.0, 0.4] + [0.5, -1.0, 0.1]
    assert Coordinates.of([x], [np.full((1, 50), 0.02)], None) is None
    objectives = ConvexObjectives([x[0]], [np.zeros(50)], losses="squared")
    assert objectives.standardized(slice(None)).frame is None


def test_features_are_centered_and_of_unit_size():
    frame = _frame(_seconds())
    found = frame.features(_seconds()[None])[0]
    assert frame.pivot.tolist() == [2]
    assert np.abs(found[:, :2].mean(axis=0)).max() < 0.5
    size = np.sqrt((found**2).mean(axis=0))
    assert (size > 0.4).all()
    assert (size <= 1.0).all()
    assert (np.frexp(frame.scale)[0] == 0.5).all()


@pytest.mark.parametrize("intercept", [True, False])
def test_predictions_are_those_of_exact_arithmetic(rng, intercept):
    """In the caller's units they lose digits to cancellation; here none but those of the features' own rounding."""
    x = _seconds(intercept=intercept)
    if not intercept:
        x[:, 1] = 3e8 + x[:, 0] / 7.0 + 1e3 * rng.standard_normal(len(x))
    frame = _frame(x)
    phi = rng.standard_normal((1, 5, x.shape[1]))
    theta = frame.to_original_units(phi)
    there = frame.forth(theta)
    assert there == pytest.approx(phi, abs=1e-4)
    for j in range(5):
        exact = np.array([float(p) for p in _exact(x, theta[0, j])])
        ours = frame.features(x[None])[0] @ there[0, j]
        assert ours == pytest.approx(exact, abs=2e-14)
        assert np.abs(x @ theta[0, j] - exact).max() > 1e-13


def test_the_best_digits_make_up_for_the_rounding_of_a_large_parameter(rng):
    x = np.column_stack([1e6 + 1e-6 * rng.standard_normal(30), np.ones(30)])
    frame = _frame(x)
    phi = rng.standard_normal((1, 200, 2))
    plain, best = (np.abs(frame.forth(frame.to_original_units(phi, best=b)) - phi).max(axis=-1) for b in (False, True))
    assert np.median(best) < np.median(plain) / 20
    assert np.abs(frame.to_original_units(phi, best=True) / frame.to_original_units(phi) - 1.0).max() < 1e-13


def test_a_pivot_of_zero_needs_no_digits_of_others():
    """Its last digit is no unit: moves in terms of it overflowed."""
    frame = Coordinates(np.array([1]), np.array([[1e6, 0.0]]), np.array([[2.0**-20, 1.0]]), np.zeros(1))
    phi = np.array([[[3.0 * 2.0**-20, 3e6], [0.0, 0.0], [1e-30, 0.0]]])
    assert np.array_equal(frame.to_original_units(phi, best=True)[0, :2], [[3.0, 0.0], [0.0, 0.0]])
    assert frame.forth(frame.to_original_units(phi, best=True)) == pytest.approx(phi, rel=1e-13)


def test_slopes_are_pulled_and_pushed_by_the_transposes(rng):
    frame = _frame(_seconds(), 1e9 + rng.standard_normal(20))
    assert frame.origin[0] == pytest.approx(1e9, rel=1e-6)
    phi, other = rng.standard_normal((2, 1, 1, 3))
    g = rng.standard_normal((1, 1, 3))
    moved = frame.to_original_units(phi) - frame.to_original_units(other)
    assert (frame.push(g) * (phi - other)).sum() == pytest.approx((g * moved).sum(), rel=1e-6)
    assert frame.pull(frame.push(g)) == pytest.approx(g, rel=1e-6)
    assert frame.inverse[0] @ (phi - other)[0, 0] == pytest.approx(moved[0, 0], rel=1e-9)


def test_risks_of_the_public_class_do_not_cancel():
    """Mean squared errors of a day of Unix seconds, at parameters of size 1e4, to fifteen digits."""
    x = _seconds()
    y = np.linspace(1, 0, 20)
    theta = np.array([-1 / 86400.0, 3.0, 1.7e9 / 86400.0])
    objectives = ConvexObjectives([x], [y], losses="squared")
    rest = [p - Fraction(float(b)) for p, b in zip(_exact(x, theta), y, strict=True)]
    exact = float(sum(r * r for r in rest) / 20)
    assert objectives.risks(theta[None])[0, 0] == pytest.approx(exact, rel=1e-13)
    slopes = [float(sum(2 * r * Fraction(float(a)) for r, a in zip(rest, x[:, j], strict=True)) / 20) for j in range(3)]
    assert objectives.gradients(theta[None])[0, 0] == pytest.approx(slopes, rel=1e-11)


def test_a_batch_has_coordinates_of_its_own_for_each_entry(rng):
    plain = rng.standard_normal((20, 2))
    x = np.stack([plain, plain + np.array([0.0, 1e8]), plain * [1e5, 1.0]])
    objectives = ConvexObjectives([x], [np.tile(plain[:, 0], (3, 1))], losses="squared")
    assert objectives.standardized(slice(0, 1)).frame is None
    frame = objectives.standardized(slice(None)).frame
    assert frame is not None
    assert (frame.scale[0] == 1.0).all()
    for r in range(3):
        alone = ConvexObjectives([x[r]], [plain[:, 0]], losses="squared")
        theta = rng.standard_normal((4, 2))
        assert np.array_equal(alone.risks(theta), objectives.risks(theta)[r])
