"""The law behind the certificates, and the certificates: against high precision, simulation and closed forms."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import chi2, ncx2, poisson

from moltheory.studies.smoothing import (
    approximate_radius,
    certifiable_probability,
    certified_radius,
    check_design,
    half_spaces,
    largest_radius,
    noncentral_quantile,
    noncentral_tails,
    simulated_certificates,
    smallest_ratio,
    worst_probability,
)
from moltheory.studies.smoothing._noncentral import offset_tails


def mixture_tail(n, nc, x, *, upper):
    """Tail by the Poisson mixture of central laws, in 25 digits: another formula than the one under test."""
    with mp.workdps(25):
        n, x, half = mp.mpf(n), mp.mpf(x), mp.mpf(nc) / 2
        spread = mp.sqrt(half) + 1
        total = mp.mpf(0)
        ends = (x / 2, mp.inf) if upper else (0, x / 2)
        for j in range(max(0, int(half - 14 * spread)), int(half + 14 * spread + 40)):
            weight = mp.exp(-half + j * mp.log(half) - mp.loggamma(j + 1)) if half else mp.mpf(j == 0)
            if weight > mp.mpf(10) ** -27:
                total += weight * mp.gammainc(n / 2 + j, *ends, regularized=True)
        return float(total)


def line_tail(n, nc, offset, *, upper):
    """Tail as an integral over the squared length across the shift, in 30 digits, for noncentralities of any size."""
    with mp.workdps(30):
        shift, offset, half = mp.sqrt(mp.mpf(nc)), mp.mpf(offset), mp.mpf(n - 1) / 2
        constant = half * mp.log(2) + mp.loggamma(half)
        width = 2 * mp.sqrt(half)

        def density(w):
            root = mp.sqrt(shift**2 + offset - w)
            gap = (offset - w) / (root + shift)
            inside = mp.ncdf(-gap) + mp.ncdf(-shift - root) if upper else mp.ncdf(gap) - mp.ncdf(-shift - root)
            return mp.exp((half - 1) * mp.log(w) - w / 2 - constant) * inside

        steps = [*range(-10, 11), 13, 17, 23, 30]
        nodes = sorted({max(2 * half + step * width, mp.mpf("1e-20")) for step in steps})
        return float(mp.quad(density, nodes, method="gauss-legendre", maxdegree=4))


def assert_tails(n, nc, z):
    offset = n + z * math.sqrt(2 * n + 4 * nc)
    if offset <= -nc:
        offset = 1e-3 * n - nc
    low, high, _ = offset_tails(n, np.array([nc]), np.array([offset]))
    upper = bool(high[0] < low[0])
    exact = line_tail(n, nc, offset, upper=upper) if nc > 1000 else mixture_tail(n, nc, nc + offset, upper=upper)
    assert math.exp(high[0] if upper else low[0]) == pytest.approx(exact, rel=1e-10)
    assert math.exp(low[0]) + math.exp(high[0]) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(
    ("n", "nc", "z"),
    [
        (1, 0.0, 0.8),
        (1, 0.3, -0.5),
        (2, 0.0, 9.0),
        (3, 2.0, -6.5),
        (10, 0.3, 0.2),
        (63, 2.0, 7.0),
        (64, 2.0, -0.4),
        (784, 0.3, -7.0),
        (784, 1e4, 6.9),
        (20, 1e12, 3.0),
        (784, 1e17, -4.0),
        (150_528, 0.0, -7.0),
        (150_528, 0.3, 7.0),
    ],
)
def test_tails_against_high_precision(n, nc, z):
    assert_tails(n, nc, z)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 784, 150_528])
def test_tails_against_high_precision_on_a_grid(n):
    for nc in (0.0, 0.3, 9.0):
        for z in (-6.5, -2, -0.4, 0.2, 0.8, 3, 9):
            assert_tails(n, nc, z)


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 784, 3072])
def test_tails_against_high_precision_at_huge_noncentralities(n):
    for power in (4, 7, 9, 12, 17):
        for z in (-7.0, 0.1, 6.9):
            assert_tails(n, 10.0**power, z)


def test_tails_against_the_mixture_in_doubles():
    # SciPy's central law and Poisson weights, for noncentralities beside the dimension.
    for n, nc in ((5, 40.0), (64, 300.0), (784, 900.0), (3072, 5000.0)):
        j = np.arange(int(nc / 2 + 14 * math.sqrt(nc / 2) + 40))
        for z in (-6, -3, 0.5, 4, 7):
            x = n + nc + z * math.sqrt(2 * n + 4 * nc)
            x = x if x > 0 else 0.05 * n
            lower, upper = noncentral_tails(x, dimension=n, noncentrality=nc)
            law = chi2(n + 2 * j)
            exact = poisson.pmf(j, nc / 2) @ (law.cdf(x) if z < 0 else law.sf(x))
            assert float(lower if z < 0 else upper) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 10, 64, 784, 3072, 150_528])
def test_tails_and_quantiles_are_scipy_s_where_that_is_right(n):
    """Up to a noncentrality of 1e8, for tails down to 1e-12: beyond it SciPy takes milliseconds per value."""
    for nc in (0.0, 1e-3, 0.3, 9.0, 100.0, 1e4, 1e6, 1e8):
        z = np.array([-7.0, -4.0, -2.0, -0.4, 0.2, 0.8, 3.0, 7.0])
        x = n + nc + z * math.sqrt(2 * n + 4 * nc)
        x = x[x > 0]
        lower, upper = noncentral_tails(x, dimension=n, noncentrality=nc)
        np.testing.assert_allclose(lower, ncx2.cdf(x, n, nc), rtol=2e-11)
        np.testing.assert_allclose(upper, ncx2.sf(x, n, nc), rtol=2e-11)
    for nc in (0.3, 100.0, 1e5):
        for p in (1e-10, 0.1, 0.9):
            found = noncentral_quantile(p, dimension=n, noncentrality=nc)
            spread = min(math.sqrt(2 * n + 4 * nc), float(found))
            assert abs(found - ncx2.ppf(p, n, nc)) <= 1e-8 * spread
            found = noncentral_quantile(p, dimension=n, noncentrality=nc, upper=True)
            assert abs(found - ncx2.isf(p, n, nc)) <= 1e-8 * math.sqrt(2 * n + 4 * nc)


def test_where_scipy_fails_these_tails_hold():
    # At a noncentrality of 1e13 the law is the Gaussian of an offset, to within its skewness.
    n, nc = 10, 1e13
    spread = math.sqrt(2 * n + 4 * nc)
    z = np.array([-3.0, -1.0, 0.5, 2.0])
    low, high, _ = offset_tails(n, np.full(4, nc), n + z * spread)
    np.testing.assert_allclose(np.exp(low), ndtr(z), rtol=1e-5)
    np.testing.assert_allclose(np.exp(high), ndtr(-z), rtol=1e-5)
    # Tails far below what SciPy's law can give, which is zero there.
    low, _, _ = offset_tails(784, np.array([1e4]), np.array([784 - 30 * math.sqrt(2 * 784 + 4e4)]))
    assert -680 < low[0] < -660


@pytest.mark.parametrize("upper", [False, True])
def test_quantiles_invert_tails(rng, upper):
    p = 10.0 ** rng.uniform(-12, -0.01, 40)
    nc = 10.0 ** rng.uniform(-3, 6, 40)
    for n in (1, 2, 10, 784, 150_528):
        x = noncentral_quantile(p, dimension=n, noncentrality=nc, upper=upper)
        np.testing.assert_allclose(noncentral_tails(x, dimension=n, noncentrality=nc)[upper], p, rtol=1e-6)
        central = noncentral_quantile(p, dimension=n, noncentrality=0.0)
        np.testing.assert_allclose(central, chi2.ppf(p, n), rtol=1e-9)


def test_golden_certificates():
    found = worst_probability(0.1, distance=0.3, sigma0=0.5, sigma1=[0.45, 0.55], dimension=10)
    np.testing.assert_allclose(found, [0.27694, 0.30718], atol=5.1e-6, rtol=0)


def test_golden_ratios():
    for p, exact, chernoff in ((0.1, 0.968, 0.946), (0.01, 0.942, 0.924)):
        assert round(float(smallest_ratio(p, dimension=784)), 3) == exact
        assert round(float(smallest_ratio(p, dimension=784, kind="chernoff")), 3) == chernoff
    p = np.array([0.4, 0.1, 1e-6, 1e-12])
    for n in (2, 784, 150_528):
        exact, chernoff, simple = (smallest_ratio(p, dimension=n, kind=k) for k in ("exact", "chernoff", "simplified"))
        assert (simple <= chernoff).all()
        assert (chernoff <= exact).all()
        t = chernoff**2
        np.testing.assert_allclose(np.log(t) + 1 - t, 2 * np.log(p) / n, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("n", [2, 10, 784, 150_528])
def test_nothing_is_certified_below_the_ratio(n):
    for p in (0.3, 0.01):
        ratio = float(smallest_ratio(p, dimension=n))
        for distance in (1e-6, 0.1, 1.0):
            below = worst_probability(p, distance=distance, sigma0=1.0, sigma1=ratio * (1 - 1e-6), dimension=n)
            assert below >= 0.5
        above = worst_probability(p, distance=1e-6, sigma0=1.0, sigma1=ratio + 1e-3 * (1 - ratio), dimension=n)
        assert above < 0.5


def test_equal_sigmas_are_the_limit():
    # The golden trap: SciPy's law gives .2245 for .2478 here.
    exact = float(ndtr(ndtri(0.1) + 0.6))
    for change in (1e-4, 1e-7, 1e-10, 1e-13, 0.0):
        for sign in (-1, 1):
            found = worst_probability(0.1, distance=0.3, sigma0=0.5, sigma1=0.5 * (1 + sign * change), dimension=10)
            # To first order the difference grows with the change; below it only rounding is left.
            assert abs(found - exact) <= 10 * change + 1e-12


@pytest.mark.parametrize("n", [2, 64, 3072, 150_528])
def test_radius_tends_to_that_of_constant_noise_from_below(n):
    p = np.array([0.4, 0.1, 1e-3, 1e-12])
    constant = certified_radius(p, sigma=0.5, dimension=n)
    np.testing.assert_allclose(constant, -0.5 * ndtri(p), rtol=1e-15)
    before = np.zeros(4)
    for rate in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-12, 1e-300):
        radius = certified_radius(p, sigma=0.5, rate=rate, dimension=n)
        assert (radius <= constant).all()
        assert (radius >= before * (1 - 2e-8)).all()
        before = radius
    np.testing.assert_allclose(before, constant, rtol=2e-8)


def test_radius_is_the_largest_certified_distance(rng):
    p, sigma = 10.0 ** rng.uniform(-12, -0.31, 60), rng.uniform(0.05, 2.0, 60)
    for n, rate in ((3, 0.5), (784, 0.02), (150_528, 0.003), (3072, 1e-6)):
        radius = certified_radius(p, sigma=sigma, rate=rate, dimension=n)
        for factor, certified in ((1.0, True), (0.7, True), (1 + 1e-6, False), (1.3, False)):
            a = radius * factor
            ends = [
                worst_probability(p, distance=a, sigma0=sigma, sigma1=sigma * np.exp(sign * rate * a), dimension=n)
                for sign in (-1, 1)
            ]
            assert ((np.maximum(*ends) < 0.5) == certified).all()
            between = worst_probability(
                p, distance=a, sigma0=sigma, sigma1=sigma * np.exp(rng.uniform(-1, 1, 60) * rate * a), dimension=n
            )
            assert (between <= np.maximum(*ends) + 1e-9).all()


def test_certifiable_probability_falls_with_everything(rng):
    a = np.linspace(0.0, 3.0, 61)
    for n in (2, 100, 10_000):
        for rate in (0.0, 1e-4, 0.01, 0.3):
            found = certifiable_probability(a, sigma=0.7, rate=rate, dimension=n)
            assert found[0] == pytest.approx(0.5)
            # Until both are below any number.
            assert (np.diff(found)[found[:-1] > 1e-280] < 0).all()
            faster = certifiable_probability(a, sigma=0.7, rate=rate + 0.01, dimension=n)
            assert (faster < found)[1:][found[1:] > 1e-280].all()


def test_the_approximation_is_as_good_as_it_says(rng):
    for n, rate in itertools.product((64, 784, 3072, 150_528), 10.0 ** rng.uniform(-4, 0, 3)):
        p, sigma = 10.0 ** rng.uniform(-2, -0.5, 12), rng.uniform(0.1, 1.0, 12)
        radius = certified_radius(p, sigma=sigma, rate=rate, dimension=n)
        error = np.abs(approximate_radius(p, sigma=sigma, rate=rate, dimension=n) / radius - 1)
        # "About" 1 % and 6 %.
        assert (error[rate * radius <= 0.05] <= 0.018).all()
        assert (error[rate * radius <= 0.2] <= 0.07).all()


def test_certificates_agree_with_simulation():
    table = simulated_certificates(20, n=10_000, rng=1)
    assert len(table) == 20
    assert (table["z"].abs() <= 4).all()
    assert (table["z_here"].abs() <= 4).all()


def test_no_half_space_is_worse_than_the_worst(rng):
    # Whatever its distance, direction and sigma there: the certificate bounds what is known in closed form.
    size = 300
    for n in (2, 30, 1000):
        sigma0, a = rng.uniform(0.1, 2.0, size), rng.uniform(0.01, 2.0, size)
        sigma1 = sigma0 * np.exp(rng.uniform(-1, 1, size) * min(0.35, 2 / math.sqrt(n)))
        depth = rng.uniform(0.01, 4.0, size) * sigma0
        bound = worst_probability(ndtr(-depth / sigma0), distance=a, sigma0=sigma0, sigma1=sigma1, dimension=n)
        cosine = rng.uniform(-1, 1, size)
        assert (ndtr((a - depth) / sigma1) <= bound * (1 + 1e-9)).all()
        assert (ndtr((a * cosine - depth) / sigma1) <= bound * (1 + 1e-9)).all()


def test_no_half_space_is_certified_too_far():
    table = half_spaces([2, 3, 10, 50, 1000], cases=30, rng=2)
    assert (table["ratio"] <= 1.0).all()
    assert (table["ratio"] > 0.0).all()


@pytest.mark.slow
def test_two_thousand_half_spaces_and_long_simulation():
    table = half_spaces([int(n) for n in np.geomspace(2, 1000, 20).round()], cases=100, rng=3)
    assert len(table) == 2000
    assert (table["ratio"] <= 1.0).all()
    long = simulated_certificates(20, n=1_000_000, rng=4)
    assert (long[["z", "z_here"]].abs() <= 4).all(axis=None)


def test_a_ball_is_where_the_certificate_is_tight(rng):
    # Draws of every coordinate, unlike `simulated_certificates`.
    n, a, s0, s1, p = 12, 0.4, 0.5, 0.46, 0.2
    center = np.zeros(n)
    center[0] = a * s0**2 / (s0**2 - s1**2)
    noise = rng.standard_normal((200_000, n))
    distance = np.linalg.norm(s0 * noise - center, axis=1)
    limit = np.quantile(distance, p)
    there = s1 * rng.standard_normal((200_000, n))
    there[:, 0] += a
    share = float((np.linalg.norm(there - center, axis=1) <= limit).mean())
    bound = float(worst_probability(p, distance=a, sigma0=s0, sigma1=s1, dimension=n))
    assert abs(share - bound) < 5 * math.sqrt(2 * bound / 200_000)


def test_large_radii_and_designs(refuses):
    assert largest_radius(0.5, rate=0.0, dimension=10, n=1, alpha=0.001) == 0.0
    n, alpha = 1000, 0.001
    p = 1 - alpha ** (1 / n)
    assert largest_radius(0.5, rate=0.0, dimension=10, n=n, alpha=alpha) == pytest.approx(-0.5 * ndtri(p), rel=1e-12)
    check_design([0.1, 0.5], rate=0.01, dimension=3072, n=n, alpha=alpha)
    refuses("n", check_design, 0.5, rate=0.01, dimension=3072, n=9, alpha=alpha)
    check_design(0.5, rate=0.0, dimension=3072, n=10, alpha=alpha)
    message = refuses("rate", check_design, 0.5, rate=5.0, dimension=150_528, n=n, alpha=alpha)
    assert "150528 dimensions" in message
    refuses("sigma", check_design, 0.5, rate=0.01, dimension=3072, n=n, alpha=alpha, least_radius=10.0)


def test_refusals(refuses):
    refuses("p_other", certified_radius, 0.0, sigma=1.0, dimension=3)
    refuses("p_other", certified_radius, 1.5, sigma=1.0, dimension=3)
    refuses("sigma", certified_radius, 0.1, sigma=0.0, dimension=3)
    refuses("sigma", certified_radius, [0.1, 0.2], sigma=[1.0, 1.0, 1.0], dimension=3)
    refuses("rate", certified_radius, 0.1, sigma=1.0, rate=-1.0, dimension=3)
    refuses("dimension", certified_radius, 0.1, sigma=1.0, dimension=0)
    refuses("p_other", certified_radius, math.nan, sigma=1.0, dimension=3)
    refuses("distance", worst_probability, 0.1, distance=0.0, sigma0=1.0, sigma1=1.0, dimension=3)
    refuses("distance", certifiable_probability, -1.0, sigma=1.0, rate=0.1, dimension=3)
    refuses("p_other", worst_probability, 1.0, distance=1.0, sigma0=1.0, sigma1=1.0, dimension=3)
    refuses("p_other", smallest_ratio, 0.5, dimension=3)
    refuses("kind", smallest_ratio, 0.1, dimension=3, kind="other")
    refuses("noncentrality", noncentral_tails, 1.0, dimension=3, noncentrality=-1.0)
    refuses("p", noncentral_quantile, 1.0, dimension=3, noncentrality=1.0)
    refuses("noncentrality", noncentral_quantile, 0.5, dimension=3, noncentrality=-1.0)
    assert certified_radius([0.5, 1.0], sigma=1.0, rate=0.1, dimension=3).tolist() == [0.0, 0.0]
