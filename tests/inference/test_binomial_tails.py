"""Binomial tails for any number of trials, against exact sums and the normal law; counts of 64 bits everywhere."""

import math

import mpmath as mp
import numpy as np
import pytest

from moltheory.bounds import binomial_interval, paired_dominance
from moltheory.errors import InvalidInputError
from moltheory.inference._binomial_tails import lower_tails, upper_tails
from moltheory.inference._inspection import most_of_few


def _exact(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= k) by adding terms downward from k, each from its neighbor."""
    with mp.workdps(40):
        log_term = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
        log_term += k * mp.log(mp.mpf(p)) + (n - k) * mp.log1p(-mp.mpf(p))
        j = np.arange(k, max(k - 400_000, 0), -1, dtype=np.longdouble)
        ratios = np.cumprod(j / (n - j + 1) * (1.0 - np.longdouble(p)) / np.longdouble(p))
        return float(mp.e**log_term * mp.mpf(float(1.0 + ratios[::-1].sum())))


def _error(n: int) -> float:
    """The bound of the package, whose tails are too large by no more than that, twice."""
    return 1e-8 + 2e-12 * math.sqrt(n) + 2e-19 * n


@pytest.mark.parametrize("n", [1000, 2**20 - 1, 2**20, 4 * 10**6, 10**8])
@pytest.mark.parametrize("z", [-6.0, -2.0, 0.0])
@pytest.mark.parametrize("p", [0.5, 0.3])
def test_tails_are_the_exact_sums(n: int, z: float, p: float) -> None:
    k = math.floor(n * p + z * math.sqrt(n * p * (1 - p)))
    exact = _exact(k, n, p)
    found = float(lower_tails(k, n, p))
    # Never below, from the number of trials on at which SciPy's own function is off by more.
    assert found == pytest.approx(exact, rel=_error(n))
    assert n < 2**20 or found >= exact * (1 - 1e-13)
    assert float(upper_tails(n - k - 1, n, 1 - p)) == pytest.approx(exact, rel=_error(n))


@pytest.mark.parametrize("n", [2**31 - 1, 2**31, 10**10, 10**12, 2**52])
def test_tails_of_many_trials_are_normal(n: int) -> None:
    for z in (-4.0, -1.0, 0.0, 2.0):
        k = math.floor(n / 2 + z * math.sqrt(n) / 2)
        with mp.workdps(30):
            normal = float(mp.ncdf((mp.mpf(k) + 0.5 - mp.mpf(n) / 2) / (mp.sqrt(n) / 2)))
        assert float(lower_tails(k, n, 0.5)) == pytest.approx(normal, rel=1e-7 + _error(n))


def test_ends_and_mixed_numbers_of_trials() -> None:
    n = np.array([10, 10, 2**31, 2**31, 10**10])
    k = np.array([10, 0, 2**31, 0, 0])
    np.testing.assert_allclose(lower_tails(k, n, 0.5), [1.0, 2.0**-10, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(upper_tails(k, n, 0.5), [0.0, 1 - 2.0**-10, 0.0, 1.0, 1.0])
    # The same number alone and beside a large one.
    assert float(lower_tails(3, 10, 0.5)) == lower_tails(np.array([3, 3]), np.array([10, 2**40]), 0.5)[0]


@pytest.mark.parametrize("n", [10**10, 10**12, 10**15])
@pytest.mark.parametrize("k", [20, 40, 60])
def test_upper_tails_of_small_chances_are_poisson_and_never_below(n: int, k: int) -> None:
    exact = float(mp.gammainc(k + 1, 0, 20, regularized=True))
    found = float(upper_tails(k, n, 20 / n))
    # Binomial and Poisson tails differ by less than k^2 / n here.
    assert exact * (1 - k**2 / n - 1e-11) <= found <= exact * 1.2


@pytest.mark.parametrize("n", [2**20, 2**31 - 1, 2**31, 10**10, 10**15])
def test_few_losses_inside_stay_few(n: int) -> None:
    # The binomial law is that of Poisson by now.
    most = most_of_few(n, 20.0)
    assert most == most_of_few(2**20 - 1, 20.0)


@pytest.mark.parametrize("half", [2**30, 2**31, 10**10, 10**12, 10**15])
def test_equal_counts_give_one_half(half: int) -> None:
    assert float(paired_dominance([half], [half])) == pytest.approx(0.5, abs=2 / math.sqrt(half) + _error(2 * half))
    assert float(paired_dominance([half], [half + int(20 * math.sqrt(half))])) < 1e-30
    assert float(paired_dominance([half + int(20 * math.sqrt(half))], [half])) == 1.0


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_counts_beyond_floats_are_refused(kind: type) -> None:
    with pytest.raises(InvalidInputError, match=r"`only_other` must be counts up to 2\^53"):
        paired_dominance([1], np.array([2**62], dtype=kind))


@pytest.mark.parametrize("method", ["clopper-pearson", "kl", "hoeffding", "empirical-bernstein", "hoeffding-bentkus"])
@pytest.mark.parametrize("n", [10**10, 10**12, 10**15])
def test_intervals_of_many_trials_hold_their_rate(method: str, n: int) -> None:
    for k in (0, 5, n // 3, n - 5, n):
        found = binomial_interval(k, n, method=method, delta=1e-3)
        assert 0.0 <= found.lower <= k / n <= found.upper <= 1.0
        assert found.upper - found.lower < 40.0 / math.sqrt(n)
