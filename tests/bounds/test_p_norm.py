"""Purity of weighted p-norms: values by mpmath, special cases, the family that attains the order, refusals."""

import mpmath
import numpy as np
import pytest

from moltheory.bounds import finite_class, interior_weights, p_norm_purity
from moltheory.scalarization import Chebyshev, PNorm, WeightedSum
from moltheory.theorems import check_pair, ledger


@pytest.mark.parametrize("p", [1.0, 1.1, 2.0, 7.5, 300.0])
@pytest.mark.parametrize("value", [0.0, 1e-9, 0.3, 1e8])
@pytest.mark.parametrize("size", [0.0, 1e-14, 0.05, 40.0])
def test_both_forms_agree_with_the_formula_in_many_digits(p, value, size):
    w, c = [0.25, 0.5], [size, 0.5 * size]
    with mpmath.workdps(400):
        number = mpmath.mpf
        width = (number(0.25 * c[0]) ** p + number(0.5 * c[1]) ** p) ** (1 / number(p))
        truth = ((number(value) + 2 * width) ** p - number(value) ** p) ** (1 / number(p))
        low = max(number(value) - width, 0)
        sample = ((number(value) + width) ** p - low**p) ** (1 / number(p))
    u = PNorm(w, p)
    for expected, empirical in ((truth, False), (sample, True)):
        found = p_norm_purity(c, scalarization=u, value=value, empirical=empirical)
        # The difference of the true number and the rounded width is not the formula's.
        assert found == pytest.approx([float(expected / one) for one in w], rel=1e-9 if value == 1e8 else 1e-12)


def test_no_underflow_makes_the_bound_too_small():
    with mpmath.workdps(1000):
        one, low, p = mpmath.mpf(1e-300), mpmath.mpf(1e300), 1000
        truth = float(((low + 2 * one) ** p - low**p) ** (mpmath.mpf(1) / p))
    assert p_norm_purity([1e-300, 0.0], scalarization=PNorm([1, 1], p), value=1e300)[0] == pytest.approx(
        truth, rel=1e-9
    )


def test_special_cases():
    c, w = np.array([[0.1, 0.2, 0.0], [0.0, 0.0, 0.0]]), [0.2, 0.3, 0.5]
    linear = PNorm(w, 1.0)
    np.testing.assert_array_equal(
        p_norm_purity(c, scalarization=linear, value=0.7), interior_weights(c, weights=w)
    )  # bit for bit
    one = PNorm([2.0], float("inf"))
    assert p_norm_purity([0.25], scalarization=one, value=3.0).tolist() == [0.5]
    assert p_norm_purity([np.inf, 0.0], scalarization=PNorm([1, 1], 2), value=1.0).tolist() == [np.inf, np.inf]
    bound = finite_class(1000, n_hypotheses=10, delta=0.05, n_objectives=2)
    assert p_norm_purity(bound, scalarization=PNorm([1, 1], 2), value=[0.0, 1.0]).shape == (2, 2)


def test_monotone_in_the_value_and_the_widths():
    u, rng = PNorm([0.2, 0.8], 3.0), np.random.default_rng(0)
    c, v = rng.random((50, 2)), rng.random(50)
    for empirical in (False, True):
        base = p_norm_purity(c, scalarization=u, value=v, empirical=empirical)
        assert (p_norm_purity(c, scalarization=u, value=v + 0.1, empirical=empirical) >= base).all()
        assert (p_norm_purity(1.1 * c, scalarization=u, value=v, empirical=empirical) >= base).all()
    # The sample's form is never above the other with the same number, as the proof's convexity says.
    assert (base <= p_norm_purity(c, scalarization=u, value=v) * (1 + 1e-14)).all()


@pytest.mark.parametrize("p", [1.25, 2.0, 4.0])
def test_the_order_is_attained(p):
    """The risks at the end of the proof: both sides meet as c falls, and a bound of the order of c is wrong."""
    u, ratios = PNorm([1.0, 1.0], p), []
    for c in (1e-2, 1e-4, 1e-6):
        gap = float((mpmath.mpf(1 + c) ** p - mpmath.mpf(1 - c) ** p) ** (1 / mpmath.mpf(p))) * (1 - 1e-9)
        true, empirical = [[1.0, 0.0], [1.0, gap]], [[1 + c, 0.0], [1 - c, gap]]
        assert float(u(empirical[1])) <= float(u(empirical[0]))
        assert check_pair(ledger()["p-norm-purity"], true, empirical, scalarization=u).holds
        allowed = p_norm_purity([c, 0.0], scalarization=u, value=1.0)[1]
        seen = p_norm_purity([c, 0.0], scalarization=u, value=float(u(empirical[1])), empirical=True)[1]
        assert gap <= allowed
        assert gap <= seen * (1 + 1e-12)
        assert gap > 2.5 * c
        ratios.append(gap / allowed)
    assert ratios == sorted(ratios)
    assert ratios[-1] > 1 - 1e-5


def test_refusals(refuses):
    u = PNorm([0.5, 0.5], 2.0)
    refuses("scalarization", p_norm_purity, [0.1, 0.1], scalarization=WeightedSum([0.5, 0.5]), value=1.0)
    refuses("scalarization", p_norm_purity, [0.1, 0.1], scalarization=Chebyshev([0.5, 0.5]), value=1.0)
    refuses("scalarization", p_norm_purity, [0.1, 0.1], scalarization=PNorm([0.0, 1.0], 2.0), value=1.0)
    refuses("scalarization", p_norm_purity, [0.1, 0.1], scalarization=PNorm([0.5, 0.5], float("inf")), value=1.0)
    refuses("widths", p_norm_purity, [0.1], scalarization=u, value=1.0)
    refuses("widths", p_norm_purity, [-0.1, 0.1], scalarization=u, value=1.0)
    refuses("value", p_norm_purity, [0.1, 0.1], scalarization=u, value=-1.0)
    refuses("value", p_norm_purity, [0.1, 0.1], scalarization=u, value=float("nan"))
    refuses("value", p_norm_purity, [[0.1, 0.1]] * 2, scalarization=u, value=[1.0, 2.0, 3.0])
    refuses("empirical", p_norm_purity, [0.1, 0.1], scalarization=u, value=1.0, empirical="yes")
