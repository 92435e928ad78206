"""Where a property fails, the exact numbers of one failure; where a criterion is sharp, both sides of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, SmoothChebyshev

INF = math.inf


def test_positive_ideal_breaks_subadditivity_and_the_reverse_triangle_but_not_the_width() -> None:
    u = Chebyshev([1.0, 1.0], ideal=[0.5, 0.5])
    a = np.array([1.0, 0.0])
    assert u(2 * a) == 1.5
    assert u(a) + u(a) == 1.0
    assert not u.is_subadditive
    assert not u.has_reverse_triangle
    assert abs(u(2 * a) - u(a)) == 1.0 > u(a) == 0.5
    assert u.width(a) == 1.0


def test_one_positive_entry_of_the_ideal_is_enough_without_augmentation() -> None:
    assert not Chebyshev([1.0, 1.0], ideal=[0.1, -10.0]).is_subadditive
    assert Chebyshev([1.0, 1.0], ideal=[0.0, -10.0]).is_subadditive


def test_augmentation_can_compensate_a_positive_entry() -> None:
    """z <= 0 is sufficient, not necessary: w_k z_k + rho sum z is .1 - 9.9 and -10 - 9.9."""
    assert Chebyshev([1.0, 1.0], ideal=[0.1, -10.0], augmentation=1.0).is_subadditive
    assert Chebyshev([1.0, 1.0], ideal=[1.0, -2.0], augmentation=1.0).is_subadditive  # exactly at 0
    assert not Chebyshev([1.0, 1.0], ideal=[1.0, -1.75], augmentation=1.0).is_subadditive


def test_the_ideal_at_an_objective_of_weight_zero_matters_only_to_the_sum() -> None:
    assert Chebyshev([1.0, 0.0], ideal=[-1.0, 5.0]).is_subadditive
    assert not Chebyshev([1.0, 0.0], ideal=[-1.0, 5.0], augmentation=1.0).is_subadditive


def test_homogeneous_with_an_ideal_other_than_zero() -> None:
    u = Chebyshev([1.0, 0.0], ideal=[-1.0, 2.0], augmentation=1.0)
    assert u.is_homogeneous
    v = np.array([[0.25, 3.0], [4.0, 0.0], [0.0, 0.0]])
    assert u(v).tolist() == (2 * v[:, 0] + v[:, 1]).tolist()
    assert not Chebyshev([1.0, 1.0], ideal=[-1.0, 1.0]).is_homogeneous


def test_smooth_chebyshev_is_not_homogeneous() -> None:
    u = SmoothChebyshev([1.0, 1.0], 1.0)
    assert u([2.0, 2.0]) == pytest.approx(2.0 + math.log(2))
    assert 2 * u([1.0, 1.0]) == pytest.approx(2.0 + 2 * math.log(2))


@pytest.mark.parametrize("u", [PNorm([1.0, 1.0], 2), PNorm([1.0, 1.0], INF), Chebyshev([1.0, 1.0])], ids=repr)
def test_no_modulus_without_augmentation(u: PNorm | Chebyshev) -> None:
    assert u.modulus == 0.0
    assert u([1e9, 1.0]) - u([1e9, 0.0]) <= 1e-9


def test_chebyshev_returns_a_dominated_point() -> None:
    points = [[1.0, 0.0], [1.0, 1.0]]
    assert Chebyshev([1.0, 1.0])(points).tolist() == [1.0, 1.0]
    assert np.argmin(Chebyshev([1.0, 1.0], augmentation=1e-6)(points)) == 0


def test_constraint_is_not_subadditive_and_has_no_lipschitz_constant() -> None:
    u = EpsilonConstraint([INF, 1.0])
    assert u([0.0, 0.75]) == 0.0
    assert u([0.0, 1.5]) == INF
    assert u([0.0, 1.0]) == 0.0
    assert u([0.0, np.nextafter(1.0, 2.0)]) == INF


def test_constrained_excess_with_and_without_an_own_bound() -> None:
    """L_1(hhat) <= min {L_1 : L <= b} + 2 C_1 and L_i(hhat) <= b_i + 2 C_i, on the event."""
    rng = np.random.default_rng(11)
    answered = 0
    for trial in range(500):
        true = rng.random((8, 3))
        c = rng.uniform(0.0, 0.3, 3)
        empirical = true + c * rng.choice([-1.0, -0.5, 0.5, 1.0], size=true.shape)
        bounds = rng.uniform(0.3, 1.0, 3)
        if trial % 2:
            bounds[1] = INF
        u = EpsilonConstraint(bounds, objective=1)
        best = u(true).min()
        if best == INF:
            continue
        answered += 1
        values = u.relaxed(c)(empirical)
        chosen = int(np.argmin(values))
        assert np.isfinite(values[chosen])
        assert true[chosen, 1] <= best + 2 * c[1] + 1e-12
        assert (true[chosen] <= bounds + 2 * c + 1e-12).all()
    assert answered > 200


def test_an_own_bound_left_unrelaxed_would_exclude_everything() -> None:
    u = EpsilonConstraint([1.0, INF])
    assert u([[1.0, 0.0]]) == [1.0]
    empirical = [[1.25, 0.0]]  # within C = (.5, 0) of the true risks
    assert u(empirical) == [INF]
    assert u.relaxed([0.5, 0.0])(empirical) == [1.25]
