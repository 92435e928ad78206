"""Golden values, limits between the classes, extreme magnitudes and vacuous widths."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, SmoothChebyshev, WeightedSum

INF = math.inf


def test_golden_values() -> None:
    v = [3.0, 2.0]
    assert WeightedSum([1.0, 2.0])(v) == 7.0
    assert PNorm([1.0, 2.0], 2)(v) == 5.0  # sqrt(3^2 + 4^2): the weight is inside the power
    assert PNorm([1.0, 2.0], INF)(v) == 4.0
    assert Chebyshev([1.0, 2.0])(v) == 4.0
    assert Chebyshev([1.0, 2.0], augmentation=0.5)(v) == 6.5
    # v - z = (2, 4): max(2, 8) + .5 * 6, the ideal in both terms.
    assert Chebyshev([1.0, 2.0], ideal=[1.0, -2.0], augmentation=0.5)(v) == 11.0
    assert SmoothChebyshev([1.0, 2.0], 1.0)(v) == pytest.approx(4.0 + math.log(1.0 + math.exp(-1.0)), rel=1e-15)
    constraint = EpsilonConstraint([5.0, 2.0, 1.0], objective=1)
    rows = [[5.0, 2.0, 1.0], [5.1, 0.0, 0.0], [0.0, 2.1, 0.0], [0.0, -3.0, 1.0]]
    assert constraint(rows).tolist() == [2.0, INF, INF, -3.0]


def test_golden_widths_and_moduli() -> None:
    c = [3.0, 2.0]
    assert WeightedSum([1.0, 2.0]).width(c) == 7.0
    assert PNorm([1.0, 2.0], 2).width(c) == 5.0
    assert Chebyshev([1.0, 2.0], ideal=[9.0, 9.0]).width(c) == 4.0
    assert Chebyshev([1.0, 2.0], ideal=[-9.0, 9.0], augmentation=0.5).width(c) == 6.5
    assert SmoothChebyshev([1.0, 2.0], 10.0).width(c) == 4.0
    assert WeightedSum([1.0, 2.0]).modulus == 1.0
    assert PNorm([3.0, 2.0], 1).modulus == 2.0
    assert PNorm([3.0, 2.0], 1.001).modulus == 0.0
    assert PNorm([3.0], 2).modulus == 3.0
    assert Chebyshev([3.0, 2.0]).modulus == 0.0
    assert Chebyshev([3.0, 2.0], augmentation=0.25).modulus == 0.25
    assert Chebyshev([3.0], augmentation=0.25).modulus == 3.25
    assert SmoothChebyshev([3.0, 2.0], 1.0).modulus == 0.0
    assert SmoothChebyshev([3.0], 1.0).modulus == 3.0


def test_optimality_table() -> None:
    w, zero = [0.5, 0.5], [1.0, 0.0]
    pareto = [WeightedSum(w), PNorm(w, 2), Chebyshev(w, augmentation=0.1), Chebyshev(zero, augmentation=0.1)]
    pareto += [SmoothChebyshev(w, 1.0), Chebyshev([1.0]), PNorm([1.0], INF), EpsilonConstraint([1.0])]
    weak = [WeightedSum(zero), PNorm(zero, 2), PNorm(w, INF), Chebyshev(w), SmoothChebyshev(zero, 1.0)]
    weak += [EpsilonConstraint([1.0, 1.0])]
    assert {u.optimality for u in pareto} == {"pareto"}
    assert {u.optimality for u in weak} == {"weakly-pareto"}


def test_one_norm_is_the_sum_and_large_p_tends_to_chebyshev() -> None:
    rng = np.random.default_rng(3)
    w, v = rng.random(4) + 0.1, rng.random((200, 4))
    assert (PNorm(w, 1)(v) == WeightedSum(w)(v)).all()
    assert (PNorm(w, INF)(v) == Chebyshev(w)(v)).all()
    limit = Chebyshev(w)(v)
    for p in (2.0, 20.0, 200.0, 1e6):
        value = PNorm(w, p)(v)
        assert (value >= limit * (1 - 1e-15)).all()
        assert (value <= limit * 4.0 ** (1.0 / p) * (1 + 1e-14)).all()


def test_smooth_chebyshev_is_between_max_and_max_plus_m_log_n() -> None:
    rng = np.random.default_rng(4)
    w, v = rng.random(3), rng.random((200, 3))
    plain = Chebyshev(w)(v)
    for m in (1e-12, 1e-3, 1.0, 1e3):
        gap = SmoothChebyshev(w, m)(v) - plain
        assert (gap >= 0.0).all()
        assert (gap <= m * math.log(3) * (1 + 1e-12) + 1e-15).all()
    equal = SmoothChebyshev([1.0, 1.0, 1.0], 0.1)([0.5, 0.5, 0.5])
    assert equal == pytest.approx(0.5 + 0.1 * math.log(3), rel=1e-15)


def test_smooth_chebyshev_at_zero_is_not_zero() -> None:
    u = SmoothChebyshev([0.5, 0.5], 0.2)
    assert u([0.0, 0.0]) == pytest.approx(0.2 * math.log(2), rel=1e-15)
    assert not u.is_homogeneous
    assert u.has_reverse_triangle
    assert u.width([0.0, 0.0]) == 0.0


def test_small_smoothing_makes_weak_ties() -> None:
    """Stated in the class notes: Pareto in exact arithmetic, but the smaller term underflows."""
    u = SmoothChebyshev([1.0, 1.0], 1e-3)
    assert u.optimality == "pareto"
    assert u([1.0, 0.1]) == u([1.0, 0.2])


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.7, 50.0, 1e6, 1e300])
@pytest.mark.parametrize("scale", [1e-300, 1e-5, 1.0, 1e300])
def test_p_norm_against_high_precision(p: float, scale: float) -> None:
    w, v = [0.5, 0.25, 1.0], np.array([0.3, 0.9, 0.2]) * scale
    with mpmath.workdps(60):
        terms = [mpmath.mpf(a) * mpmath.mpf(float(b)) for a, b in zip(w, v, strict=True)]
        top = max(terms)
        expected = float(top * sum((t / top) ** mpmath.mpf(p) for t in terms) ** (1 / mpmath.mpf(p)))
    assert float(PNorm(w, p)(v)) == pytest.approx(expected, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("m", [1e-300, 1e-3, 1.0, 1e5])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5, 1e300])
def test_smooth_chebyshev_against_high_precision(m: float, scale: float) -> None:
    w, v = [0.5, 0.25, 1.0], np.array([0.3, 0.9, 0.2]) * scale
    with mpmath.workdps(60):
        terms = [mpmath.mpf(a) * mpmath.mpf(float(b)) for a, b in zip(w, v, strict=True)]
        top = max(terms)
        expected = float(top + m * mpmath.log(sum(mpmath.exp((t - top) / m) for t in terms)))
    assert float(SmoothChebyshev(w, m)(v)) == pytest.approx(expected, rel=1e-14, abs=0.0)


def test_weights_are_used_as_given() -> None:
    v = [0.3, 0.4]
    for make in (WeightedSum, lambda w: PNorm(w, 3.0), Chebyshev):
        assert float(make([2.0, 4.0])(v)) == pytest.approx(4.0 * float(make([0.5, 1.0])(v)), rel=1e-15)


def test_infinite_widths_are_infinite_only_where_they_matter() -> None:
    c = [0.5, INF]
    for u in (WeightedSum([1.0, 0.0]), PNorm([1.0, 0.0], 2), PNorm([1.0, 0.0], INF), Chebyshev([1.0, 0.0])):
        assert u.width(c) == 0.5
        assert u.width(c[::-1]) == INF
    smooth = SmoothChebyshev([1.0, 0.0], 0.1)
    assert smooth.width(c) == 0.5
    assert smooth.width(c[::-1]) == INF
    # Every objective matters to the augmented term.
    assert Chebyshev([1.0, 0.0], augmentation=0.1).width(c) == INF
    for p in (1.0, 2.0, INF):
        assert PNorm([1.0, 1.0], p).width([INF, INF]) == INF
        assert PNorm([1.0, 1.0], p).width([[0.0, INF], [0.0, 0.0]]).tolist() == [INF, 0.0]


def test_a_zero_weight_leaves_the_maximum() -> None:
    """Read as a constant term 0, it would make all of these tie at 0, weakly dominated ones included."""
    u = Chebyshev([1.0, 0.0], ideal=[5.0, 0.0])
    assert u([[1.0, 1.0], [0.0, 0.0]]).tolist() == [-4.0, -5.0]
    at_ideal = Chebyshev([1.0, 0.0], ideal=[0.0, 0.0])
    assert at_ideal([[0.0, 3.0], [2.0, 3.0]]).tolist() == [0.0, 2.0]
