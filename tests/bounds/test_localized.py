"""Localized Rademacher complexity and the Bernstein condition: complexities by simulation, levels, constants."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import (
    bernstein_excess,
    finite_class,
    kl_class,
    local_complexity,
    localized_rademacher,
    rademacher,
)

_SIGNS = (-1.0, 1.0)


def believable(misses: int, runs: int, delta: float) -> bool:
    return bool(binom.sf(misses - 1, runs, delta) >= 1e-6)


def local(n, **kind):
    return lambda r: float(local_complexity(r, n, **kind))


@pytest.mark.parametrize("r", [0.02, 0.2])
def test_complexity_of_a_finite_class_by_simulation(r):
    n, size, runs = 200, 50, 4000
    rng = np.random.default_rng(0)
    # Signs of the examples with loss 1: their sum is a difference of binomials.
    ones = rng.binomial(n, r, size=(runs, size))
    found = ((2 * rng.binomial(ones, 0.5) - ones) / n).max(axis=1).mean()
    bound = local(n, n_hypotheses=size)(r)
    assert found <= bound
    assert found > 0.6 * bound  # half of it would be caught


@pytest.mark.parametrize("r", [0.02, 0.2, 1.0])
def test_complexity_of_thresholds_by_simulation(r):
    n, runs = 100, 4000
    rng = np.random.default_rng(1)
    inside = rng.random((runs, n)) < r
    walk = np.cumsum(np.where(inside, rng.choice(_SIGNS, (runs, n)), 0.0), axis=1)
    found = np.maximum(walk.max(axis=1), 0).mean() / n
    bound = local(n, dimension=1)(r)
    assert found <= bound
    assert found > 0.04 * bound  # the price of being free of the distribution


def test_complexity_of_squared_losses_by_simulation():
    """Inputs +-a_k e_k with y = 0: linear in w^2, so the supremum is at a vertex of two constraints."""
    from scipy.optimize import linprog

    n, r, runs = 60, 0.05, 60
    lengths, shares = np.array([1.0, 0.5, 0.2]), np.array([0.2, 0.3, 0.5])
    spectrum = lengths**2 * shares
    rng = np.random.default_rng(2)
    total = 0.0
    for _ in range(runs):
        kind = rng.choice(3, n, p=shares)
        gain = np.bincount(kind, weights=rng.choice(_SIGNS, n) * lengths[kind] ** 2, minlength=3) / n
        total -= linprog(-gain, A_ub=[np.ones(3), spectrum], b_ub=[1.0, r]).fun / runs
    bound = local(n, eigenvalues=spectrum)(r)
    assert 0.02 * bound < total <= bound
    # Far from its radius a class is bounded as a whole; eigenvalues below the radius count in full.
    assert local(n, eigenvalues=spectrum)(1.0) == pytest.approx(2 * math.sqrt(spectrum.sum() / n))
    assert local(10**6, eigenvalues=[1.0, 1e-4])(1e-3) == pytest.approx(4 * math.sqrt(2e-6 * 1.1e-3))


def test_values_from_the_formulas():
    n, shells, delta = 5000, 4, 0.1
    bound = localized_rademacher([[0.3, 0.3]], n, local_complexity=lambda r: 0.01 * r, delta=delta, n_shells=shells)
    x = mpmath.log(2 * shells * 2 / mpmath.mpf(delta)) / n
    reach = [
        2 * mpmath.mpf("0.01") * r + min(mpmath.sqrt(x / 2), mpmath.sqrt(2 * x * (r + mpmath.mpf("0.04") * r)) + x / 3)
        for r in (mpmath.mpf(1), mpmath.mpf("0.5"))
    ]
    assert reach[1] < 0.2  # only the shell from 1/4 to 1/2 is possible
    assert bound.upper[0] == pytest.approx([0.3 + float(reach[1])] * 2, rel=1e-12)
    assert bound.lower[0] == pytest.approx([0.3 - float(reach[1])] * 2, rel=1e-12)


@pytest.mark.parametrize("n", [5, 300, 30_000])
@pytest.mark.parametrize("kind", [{"n_hypotheses": 30}, {"dimension": 2}, {"eigenvalues": [0.5, 0.01, 1e-4]}])
def test_never_wider_than_promised(n, kind):
    risks, phi = np.linspace(0, 1, 101), local(n, **kind)
    for shells, delta in ((1, 0.05), (10, 0.05), (10, 0.9)):
        factor = math.sqrt(1 + math.log(shells) / math.log(2 / delta))
        bound = localized_rademacher(risks, n, local_complexity=phi, delta=delta, n_shells=shells)
        uniform = float(rademacher(n, complexity=phi(1.0), delta=delta))
        assert bound.width.max() <= factor * uniform * (1 + 1e-12)
        assert (bound.lower[:, 0] <= risks).all()
        assert (risks <= bound.upper[:, 0]).all()


def test_where_it_gains_and_where_not():
    n = 100_000
    phi = local(n, eigenvalues=[0.5, 0.01, 1e-4])
    assert localized_rademacher([0.0], n, local_complexity=phi, delta=0.05).width < 0.5 * float(
        rademacher(n, complexity=phi(1.0), delta=0.05)
    )
    finite = localized_rademacher([0.0], n, local_complexity=local(n, n_hypotheses=50), delta=0.05)
    assert finite.width > 5 * kl_class([0.0], n, n_hypotheses=50, delta=0.05).width
    assert localized_rademacher([0.2], 5, local_complexity=local(5, dimension=3), delta=0.05).vacuous.all()


@pytest.mark.parametrize("n", [20, 500])
def test_levels_on_thresholds(n):
    runs, delta = 1000, 0.2
    points = np.sort(np.random.default_rng(3).random((runs, n)), axis=1)
    rates = np.arange(n + 1) / n

    def failures(**options):
        bound = localized_rademacher(rates, n, **options)
        lower, upper = bound.lower[:, 0], bound.upper[:, 0]
        return int(((points > upper[:-1]).any(axis=1) | (points < lower[1:]).any(axis=1)).sum())

    assert believable(failures(local_complexity=local(n, dimension=1), delta=delta), runs, delta)
    # The complexity forgotten.
    assert not believable(failures(local_complexity=lambda r: 0.0, delta=0.99, n_shells=1), runs, delta)


@pytest.mark.parametrize("rates", ["flat", "skewed", "rare", "tied"])
def test_levels_on_finite_classes(rates):
    runs, n, size, delta = 2000, 50, 30, 0.2
    rng = np.random.default_rng(4)
    p = {
        "flat": np.linspace(0, 1, size),
        "skewed": np.linspace(0, 1, size) ** 3,
        "rare": np.full(size, 0.01),
        "tied": np.full(size, 0.5),
    }[rates]
    # Equal columns, where hypotheses tie in every sample.
    counts = rng.binomial(n, p, size=(runs, size)) if rates != "tied" else rng.binomial(n, p[:1], size=(runs, 1))
    k = np.arange(n + 1) / n

    def failures(**options):
        bound = localized_rademacher(k, n, **options)
        return int(((bound.lower[counts, 0] > p) | (bound.upper[counts, 0] < p)).any(axis=1).sum())

    assert believable(failures(local_complexity=local(n, n_hypotheses=size), delta=delta), runs, delta)
    if rates == "flat":
        assert not believable(failures(local_complexity=lambda r: 0.0, delta=0.9, n_shells=1), runs, delta)


def test_the_excess_solves_its_equation():
    n, delta = 700, 0.05
    common = {"n_hypotheses": 20, "constant": 3.0, "delta": delta, "n_objectives": 2, "loss_range": 2.0}
    b = mpmath.log(20 * 2 / mpmath.mpf(delta)) / n
    for beta in (0.0, 0.3, 0.5, 1.0):
        for eta in (0.0, 0.1):
            found = bernstein_excess(n, exponent=beta, eta=eta, **common).width
            gap = lambda e, beta=beta, eta=eta: e - mpmath.sqrt(6 * b * e**beta) - 4 * b / 3 - eta  # noqa: E731
            root = mpmath.findroot(gap, (mpmath.mpf("0.02"), 5), solver="anderson", tol=1e-25)
            assert found == pytest.approx([float(root)] * 2, rel=1e-12)
    known = bernstein_excess([n, math.inf], n_hypotheses=20, constant=3.0, delta=delta)
    assert known.width[1] == 0
    assert known.width[0] == bernstein_excess(n, n_hypotheses=20, constant=3.0, delta=delta).width[0]
    assert bernstein_excess(n, n_hypotheses=20, constant=0.0, delta=delta).width == pytest.approx(
        2 * float(mpmath.log(20 / mpmath.mpf(delta))) / (3 * n)
    )


def test_the_excess_is_a_fast_rate_and_never_much_above_the_uniform_one():
    rates = [
        float(bernstein_excess(10**8, n_hypotheses=20, constant=1.0, exponent=beta, delta=0.05).width.max())
        / float(bernstein_excess(10**6, n_hypotheses=20, constant=1.0, exponent=beta, delta=0.05).width.max())
        for beta in (0.0, 0.5, 1.0)
    ]
    assert rates == pytest.approx([100 ** (-1 / 2), 100 ** (-1 / 1.5), 1 / 100], rel=0.02)
    assert float(bernstein_excess(3000, n_hypotheses=100, constant=1.0, delta=0.05)) < 0.2 * 2 * float(
        finite_class(3000, n_hypotheses=100, delta=0.05)
    )
    # The vacuous case is seen.
    assert bernstein_excess(3, n_hypotheses=100, constant=1.0, delta=0.05).vacuous.all()


def test_level_of_the_excess():
    """One best hypothesis and 30 that differ from it by +1, -1 or 0; B is the variance over the excess."""
    up, down, size, delta, runs = 0.11, 0.09, 31, 0.2, 400
    gap = up - down
    options = {"constant": (up + down - gap**2) / gap}
    rng = np.random.default_rng(5)

    def failures(n):
        counts = rng.multinomial(n, [up, down, 1 - up - down], size=(runs, size - 1))
        return int(((counts[..., 0] - counts[..., 1]) <= 0).any(axis=1).sum())

    def smallest(**more):
        """The first size whose bound excludes that one of the 30 is chosen."""
        return next(n for n in range(100, 20_000, 100) if bernstein_excess(n, **options, **more).width[0] < gap)

    assert believable(failures(smallest(n_hypotheses=size, delta=delta)), runs, delta)
    # The union over the class forgotten.
    assert not believable(failures(smallest(n_hypotheses=1, delta=delta)), runs, delta)


def test_refusals(refuses):
    good = local(10, n_hypotheses=2)
    found = partial(localized_rademacher, delta=0.1, local_complexity=good)
    refuses("risks", found, [1.2], 10)
    refuses("n", found, [0.5], 0)
    refuses("n_shells", found, [0.5], 10, n_shells=0)
    refuses("delta", found, [0.5], 10, delta=1.0)
    for wrong in ("phi", 0.1, [good, good], [0.1], None, lambda r: -1.0, lambda r: math.nan, lambda r: "much"):
        refuses("local_complexity", found, [0.5], 10, local_complexity=wrong)
    refuses("n_hypotheses", local_complexity, 0.1, 10)
    refuses("n_hypotheses", local_complexity, 0.1, 10, n_hypotheses=2, dimension=1)
    refuses("radius", local_complexity, -0.1, 10, n_hypotheses=2)
    refuses("radius", local_complexity, math.nan, 10, n_hypotheses=2)
    refuses("n", local_complexity, 0.1, 0, n_hypotheses=2)
    refuses("dimension", local_complexity, 0.1, 10, dimension=0)
    refuses("eigenvalues", local_complexity, 0.1, 10, eigenvalues=[-1.0])
    refuses("eigenvalues", local_complexity, 0.1, 10, eigenvalues=[])
    refuses("weight_norm", local_complexity, 0.1, 10, eigenvalues=[1.0], weight_norm=-1.0)
    excess = partial(bernstein_excess, n_hypotheses=2, constant=1.0, delta=0.1)
    refuses("constant", excess, 10, constant=-1.0)
    refuses("exponent", excess, 10, exponent=1.5)
    refuses("exponent", excess, 10, exponent=-0.5)
    refuses("eta", excess, 10, eta=-0.1)
    refuses("n", excess, 0)
    refuses("n_hypotheses", excess, 10, n_hypotheses=0)
    assert localized_rademacher([[0.5, 7.0]], [10, math.inf], delta=0.1, local_complexity=[good, good]).width[0, 1] == 0
