"""The kl inverses against 40 digits, and as functions."""

import mpmath
import numpy as np
import pytest

from moltheory.inference import kl_inverse
from moltheory.inference._kl import _invert, upper_kl_inverse
from tests.golden import assert_golden

POINTS = [0, 5e-324, 1e-300, 1e-17, 1e-9, 1e-6, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1 - 1e-6, 1 - 2**-53, 1]
BUDGETS = [1e-16, 1e-12, 1e-8, 1e-5, 1e-3, 0.01, 0.05, 0.1, 0.3, 0.5, 1, 2, 5, 10, 20, 30, 50]


def slow_upper(p, budget, digits=90):
    """Return the upper inverse and its complement by Newton's method on the convex function of u."""
    with mpmath.workdps(digits):
        p, c = mpmath.mpf(p), mpmath.mpf(budget)
        rest = 1 - p
        if p == 0:
            return 1 - mpmath.exp(-c), mpmath.exp(-c)
        if rest == 0:
            return mpmath.mpf(1), mpmath.mpf(0)
        u = (c - p * mpmath.log(p) - rest * mpmath.log(rest)) / rest + 1
        for _ in range(500):
            q = p - rest * mpmath.expm1(-u)
            step = (p * mpmath.log(p / q) + rest * u - c) * q / (q - p)
            u -= step
            if abs(step) < mpmath.mpf(10) ** -42 * u:
                break
        return p - rest * mpmath.expm1(-u), rest * mpmath.exp(-u)


def relative(found, truth):
    return abs(mpmath.mpf(float(found)) / truth - 1) if truth else abs(float(found))


@pytest.mark.parametrize("p", POINTS)
def test_against_forty_digits(p):
    # All of them at once through compiled code, too.
    many = upper_kl_inverse(np.full(60_000, float(p)), np.full(60_000, 1.0 - p), np.resize(BUDGETS, 60_000))
    for place, budget in enumerate(BUDGETS):
        value, left = slow_upper(p, budget)
        found = kl_inverse(p, budget), kl_inverse(p, budget, complement=True)
        assert relative(found[0], value) < 1e-12
        assert relative(many[0][place], value) < 1e-12
        if left > 1e-300:
            for entry in (found[1], many[1][place]):
                # 1 - p is itself a rounded number below a half, exact above.
                assert relative(entry, left) < 1e-12
        else:
            assert found[1] <= 1e-300


@pytest.mark.parametrize("p", [0, 2.0**-60, 1e-6, 0.25, 0.5, 0.9, 1 - 2**-53, 1])
def test_lower_is_the_reflection(p):
    for budget in BUDGETS:
        with mpmath.workdps(90):
            left, value = slow_upper(1 - mpmath.mpf(p), budget)
        if value > 1e-300:
            assert relative(kl_inverse(p, budget, side="lower"), value) < 1e-12
        assert relative(kl_inverse(p, budget, side="lower", complement=True), left) < 1e-12


@pytest.mark.parametrize(
    "rest", [5e-324, pytest.param(1e-310, marks=pytest.mark.slow), 1e-300, 1e-160, 1e-61, 1e-59, 1e-30]
)
def test_means_next_to_one(rest):
    # Down to the smallest float: products of 1 - p and the budget underflow, and ratios overflow.
    # For the smallest ones most budgets are 0; each is compared once.
    budgets = np.unique(np.concatenate([rest * np.geomspace(1e-30, 100, 8), [5e-324, 1e-310, 1e-200, 1e-16, 1, 1e300]]))
    many = upper_kl_inverse(np.ones(60_000), np.full(60_000, rest), np.resize(budgets, 60_000))
    np.testing.assert_array_equal(many[0], 1)
    for place, budget in enumerate(budgets):
        left = mpmath.mpf(0)  # at most rest e^-(budget / rest)
        if budget < 1000 * rest:
            with mpmath.workdps(420):
                left = slow_upper(1 - mpmath.mpf(rest), budget, digits=420)[1]
        # Below 1e-308 floats are 5e-324 apart.
        for found in (kl_inverse(rest, budget, side="lower"), many[1][place]):
            assert abs(mpmath.mpf(float(found)) - left) <= 1e-12 * left + mpmath.mpf(2) ** -1074


def test_where_the_method_changes(rng):
    # q - p near half of 1 - p, a fifth of p and rounding; means near 1e-75.
    p = np.concatenate([rng.random(60), 10 ** rng.uniform(-3, 0, 60), 10 ** rng.uniform(-80, -70, 60)])
    share = np.concatenate([rng.uniform(0.4, 0.8, 60), rng.uniform(0.1, 0.3, 60), 10 ** rng.uniform(-18, 1, 60)])
    width = share * np.where(np.arange(180) < 60, 1 - p, np.minimum(p, (1 - p) / 2))
    with mpmath.workdps(200):
        budget = []
        for a, t in zip(p, width, strict=True):
            a, q = mpmath.mpf(a), mpmath.mpf(a) + mpmath.mpf(t)
            budget.append(float(a * mpmath.log(a / q) + (1 - a) * mpmath.log((1 - a) / (1 - q))))
    many = upper_kl_inverse(*(np.resize(column, 60_000) for column in (p, 1 - p, budget)))
    for place, (a, c) in enumerate(zip(p, budget, strict=True)):
        value, left = slow_upper(a, c, digits=200)
        for found in ((kl_inverse(a, c), kl_inverse(a, c, complement=True)), (many[0][place], many[1][place])):
            assert relative(found[0], value) < 2e-15
            assert relative(found[1], left) < 1e-14


def test_no_budget_is_too_small_or_too_large():
    p = np.array([0, 5e-324, 1e-310, 1e-200, 1e-16, 0.3, 0.5, 1 - 2**-53, 1])
    budgets = np.array([0, 5e-324, 1e-310, 1e-200, 1e-100, 1e-34, 749, 751, 1e5, 1e300, np.inf])
    for repeats in (1, 600):
        for side in ("upper", "lower"):
            ends = kl_inverse(np.tile(p, (repeats, 1, 1)), budgets[:, None], side=side)
            assert (ends >= p).all() if side == "upper" else (ends <= p).all()
            assert ((ends >= 0) & (ends <= 1)).all()
            np.testing.assert_array_equal(ends[:, 0], np.tile(p, (repeats, 1)))
            # Whatever the mean, but 0 and 1 themselves, e^-749 and less are no floats.
            np.testing.assert_array_equal(ends[:, -5:], side == "upper")


def test_closed_form_at_zero_and_golden():
    budgets = np.geomspace(1e-300, 50, 200)
    np.testing.assert_allclose(kl_inverse(0, budgets), -np.expm1(-budgets), rtol=1e-15)
    assert_golden(float(kl_inverse(0, 1)), "one_mean.kl_inverse.p0.budget1")
    assert kl_inverse([0, 0.3, 1], 0).tolist() == [0, 0.3, 1]
    assert kl_inverse([0, 0.3, 1], np.inf).tolist() == [1, 1, 1]
    assert kl_inverse([0, 0.3, 1], np.inf, side="lower").tolist() == [0, 0, 0]
    assert kl_inverse(1, BUDGETS, side="lower") == pytest.approx(np.exp(-np.array(BUDGETS)), rel=1e-15)


def test_both_paths_agree(rng):
    p = np.concatenate([rng.random(30_000), rng.beta(0.05, 0.05, 30_000)])
    budget = np.exp(rng.uniform(-37, 4, p.size))
    fast, slow = upper_kl_inverse(p, 1 - p, budget), _invert(p, 1 - p, budget)
    np.testing.assert_allclose(fast[0], slow[0], rtol=1e-13)
    np.testing.assert_allclose(fast[1], slow[1], rtol=3e-12)


def test_monotone_and_inside(rng):
    p = np.sort(rng.random(300))
    budgets = np.geomspace(1e-16, 50, 200)[:, None]
    upper, lower = kl_inverse(p, budgets), kl_inverse(p, budgets, side="lower")
    assert ((upper >= p) & (upper <= 1) & (lower <= p) & (lower >= 0)).all()
    assert (np.diff(upper, axis=0) >= 0).all()
    assert (np.diff(lower, axis=0) <= 0).all()
    assert (np.diff(upper, axis=1) >= -1e-15).all()
    assert (upper - p <= np.sqrt(budgets / 2) + 1e-15).all()  # Pinsker


def test_inputs_are_left_alone():
    p, budget = np.array([0.1, 0.2]), np.array([0.1, 0.1])
    before = p.copy(), budget.copy()
    for side in ("upper", "lower"):
        kl_inverse(p, budget, side=side)[:] = 0
        kl_inverse(p, 0, side=side)[:] = 0
    np.testing.assert_array_equal((p, budget), before)


def test_refusals(refuses):
    for p in (-0.1, 1.1, np.nan, "x", [], np.inf):
        refuses("p", kl_inverse, p, 0.1)
    for budget in (-1e-300, np.nan, []):
        refuses("budget", kl_inverse, 0.5, budget)
    refuses("budget", kl_inverse, [0.5, 0.5], [0.1, 0.1, 0.1])
    refuses("side", kl_inverse, 0.5, 0.1, side="both")
