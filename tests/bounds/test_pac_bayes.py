"""PAC-Bayes bounds of low variance: values by the formulas of the sources, special cases, refusals."""

import math

import numpy as np
import pytest

from moltheory.bounds import (
    finite_class,
    gibbs_bound,
    kl_inverse,
    pac_bayes_constant,
    pac_bayes_empirical_bernstein,
    pac_bayes_kl,
    pac_bayes_split_kl,
    pac_bayes_unexpected_bernstein,
)
from moltheory.errors import InvalidInputError

_RISKS, _VARIANCES = np.array([[0.5, 0.2], [0.01, 0.3]]), np.array([[0.001, 0.15], [0.0, 0.2]])


def _kl_end(p, budget, *, upper):
    """The inverse of the relative entropy by bisection."""

    def kl(q):
        return sum(a * math.log(a / b) if a else 0.0 for a, b in ((p, q), (1 - p, 1 - q)))

    inside, outside = p, 1.0 if upper else 0.0
    for _ in range(200):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kl(middle) <= budget else (inside, middle)
    return inside


@pytest.mark.parametrize("n", [30, 1000, 100_000])
def test_unexpected_bernstein_is_the_formula_of_wu_and_seldin(n):
    """Their one-sided bound at delta/2 is the upper end of the two-sided one at delta."""
    risk, moment, kl, delta = 0.2, 0.1, 3.0, 0.05
    k = math.ceil(math.log2(0.5 * math.sqrt(n / math.log(1 / delta))))
    best = min(
        risk + (-math.log(1 - g) / g - 1.0) * moment + (kl + math.log(k / delta)) / (g * n)
        for g in (2.0**-j for j in range(1, k + 1))
    )
    found = pac_bayes_unexpected_bernstein([risk], [moment], n, divergence=kl, delta=2 * delta)
    assert found.upper[0] == pytest.approx(min(best, 1.0), rel=1e-12)


@pytest.mark.parametrize("t", [0.5, 0.2])
def test_split_kl_is_the_formula_of_wu_and_seldin(t):
    n, kl, delta, plus, minus = 400, 2.0, 0.05, 0.05, 0.04
    budget = (kl + math.log(2 * pac_bayes_constant(n) / delta)) / n
    upper = t + (1 - t) * _kl_end(plus / (1 - t), budget, upper=True) - t * _kl_end(minus / t, budget, upper=False)
    lower = t + (1 - t) * _kl_end(plus / (1 - t), budget, upper=False) - t * _kl_end(minus / t, budget, upper=True)
    found = pac_bayes_split_kl([[t - minus], [plus]], n, divergence=kl, delta=delta, thresholds=[t])
    assert found.upper[0] == pytest.approx(upper, rel=1e-10)
    assert found.lower[0] == pytest.approx(lower, rel=1e-10)


@pytest.mark.parametrize(("n", "k"), [(30, 1), (1000, 4), (100_000, 7)])
def test_empirical_bernstein_by_its_two_steps(n, k):
    risk, variance, kl, delta = 0.2, 0.02, 3.0, 0.05
    assert 2.0 ** (1 - k) <= math.sqrt(8 * math.log(3 / delta) / n)
    assert k == 1 or 2.0 ** (2 - k) > math.sqrt(8 * math.log(3 / delta) / n)
    m = n // 2
    budget = (kl + math.log(3 * pac_bayes_constant(m) / delta)) / m
    true = min(_kl_end(2 * variance, budget, upper=True) / 2, 0.25)
    width = min(
        (math.exp(g) - 1 - g) / g * true + (kl + math.log(3 * k / delta)) / (g * n) for g in (2.0**-j for j in range(k))
    )
    found = pac_bayes_empirical_bernstein([risk], [variance], n, divergence=kl, delta=delta)
    assert found.upper[0] == pytest.approx(risk + width, rel=1e-10)
    assert found.lower[0] == pytest.approx(max(risk - width, 0.0), rel=1e-10)


@pytest.mark.parametrize("n", [100, 1000, 30_000])
@pytest.mark.parametrize("variance", [0.0, 0.001, 0.01, 0.05])
def test_empirical_bernstein_is_below_the_closed_form_of_tolstikhin_and_seldin(n, variance):
    """Two-sided, and still shorter than their upper bound, with their c = 1.15 for both grids."""
    kl, delta, c = 5.0, 0.05, 1.15
    first = math.ceil(math.log(math.sqrt((math.e - 2) * n / (4 * math.log(2 / delta)))) / math.log(c)) + 1
    second = math.ceil(math.log(0.5 * math.sqrt((n - 1) / math.log(2 / delta) + 1) + 0.5) / math.log(c))
    cost = kl + math.log(2 * second / delta)
    above = min(variance + (1 + c) * math.sqrt(variance * cost / (2 * (n - 1))) + 2 * c * cost / (n - 1), 0.25)
    cost = kl + math.log(2 * first / delta)
    inner = math.sqrt(cost / ((math.e - 2) * above)) <= math.sqrt(n)
    theirs = (1 + c) * math.sqrt((math.e - 2) * above * cost / n) if inner else 2 * cost / n
    ours = pac_bayes_empirical_bernstein([0.5], [variance], n, divergence=kl, delta=delta)
    assert float(ours.upper[0]) - 0.5 < theirs


def test_one_part_is_the_kl_inequality():
    whole = pac_bayes_kl(_RISKS, [40, 90], divergence=[[1.0], [4.0]], delta=0.1)
    parts = pac_bayes_split_kl(_RISKS[None], [40, 90], divergence=[[1.0], [4.0]], delta=0.1, thresholds=[])
    assert np.allclose(parts.upper, whole.upper, rtol=1e-14)
    assert np.allclose(parts.lower, whole.lower, rtol=1e-14)


def test_a_posterior_at_one_of_m_hypotheses_costs_log_m():
    rng = np.random.default_rng(0)
    losses = rng.random((60, 8, 2))
    point = np.eye(8)[3]
    found = gibbs_bound(losses, point, delta=0.05)
    direct = pac_bayes_kl(losses[:, 3].mean(axis=0), 60, divergence=math.log(8), delta=0.05)
    assert np.allclose(found.upper, direct.upper)
    assert (found.width < 1.6 * finite_class(60, n_hypotheses=8, n_objectives=2, delta=0.05).width).all()


def test_the_prior_itself_costs_nothing():
    losses = np.random.default_rng(1).random((60, 8, 2))
    prior = np.array([0.3, 0.3, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0])
    risks = prior @ losses.mean(axis=0)
    assert np.allclose(
        gibbs_bound(losses, prior, prior=prior, delta=0.05).upper,
        pac_bayes_kl(risks, 60, divergence=0.0, delta=0.05).upper,
    )


def test_statistics_of_losses_are_those_of_each_hypothesis():
    """The variance is that of each hypothesis's losses, averaged, not that of the averaged losses."""
    rng = np.random.default_rng(2)
    losses, weights = rng.choice([0.0, 0.5, 1.0], size=(50, 6, 2)), rng.dirichlet(np.ones(6), size=(4, 3))
    kl = (weights * np.log(6 * weights)).sum(axis=-1)[..., None]
    risks = weights @ losses.mean(axis=0)
    given = {"divergence": kl, "delta": 0.05}
    variances = sum(weights[..., h, None] * losses[:, h].var(axis=0, ddof=1) for h in range(6))
    second = sum(weights[..., h, None] * ((losses[:, h] - 0.4) ** 2).mean(axis=0) for h in range(6))
    above = weights @ np.maximum(losses - 0.3, 0).mean(axis=0)
    expected = {
        "kl": pac_bayes_kl(risks, 50, **given),
        "empirical-bernstein": pac_bayes_empirical_bernstein(risks, variances, 50, **given),
        "unexpected-bernstein": pac_bayes_unexpected_bernstein(risks, second, 50, center=0.4, **given),
        "split-kl": pac_bayes_split_kl([risks - above, above], 50, thresholds=[0.3], **given),
    }
    for method, bound in expected.items():
        found = gibbs_bound(losses, weights, delta=0.05, method=method, center=0.4, thresholds=[0.3])
        assert found.upper.shape == (4, 3, 2)
        assert np.allclose(found.upper, bound.upper)
        assert np.allclose(found.lower, bound.lower)
        assert found.method == bound.method


@pytest.mark.parametrize("center", [0.0, 0.3, 1.0])
def test_unexpected_bernstein_mirrors(center):
    """The lower end of losses is the upper one of 1 - losses about the mirrored center."""
    second = (_RISKS - center) ** 2 + _VARIANCES
    one = pac_bayes_unexpected_bernstein(_RISKS, second, 200, divergence=1.0, delta=0.1, center=center)
    other = pac_bayes_unexpected_bernstein(1 - _RISKS, second, 200, divergence=1.0, delta=0.1, center=1 - center)
    assert np.allclose(one.lower, 1 - other.upper)
    assert np.allclose(one.upper, 1 - other.lower)


def test_low_variance_decides_which_bound_is_short():
    """Losses near 1/2 with few at the ends; 0/1 losses; rare errors."""

    def uppers(risk, variance, below, above, n=10_000):
        given = {"divergence": 5.0, "delta": 0.05}
        return {
            "kl": float(pac_bayes_kl([risk], n, **given).upper[0]),
            "empirical": float(pac_bayes_empirical_bernstein([risk], [variance], n, **given).upper[0]),
            "unexpected": float(pac_bayes_unexpected_bernstein([risk], [variance + risk**2], n, **given).upper[0]),
            "split": float(pac_bayes_split_kl([[below], [above]], n, **given).upper[0]),
        }

    near = uppers(0.5, 0.001, 0.499, 0.001)
    assert min(near, key=near.get) == "split"
    assert (near["empirical"] - 0.5) * 5 < near["kl"] - 0.5
    coin = uppers(0.5, 0.25, 0.25, 0.25)
    assert max(coin, key=coin.get) == "unexpected"
    rare = uppers(0.01, 0.0099, 0.005, 0.005)
    assert min(rare, key=rare.get) == "unexpected"
    none = uppers(0.0, 0.0, 0.0, 0.0)
    assert min(none, key=none.get) == "kl"


def test_known_objectives_and_single_examples():
    bound = pac_bayes_unexpected_bernstein([0.5, 7.0], [0.25, 49.0], [1, math.inf], divergence=0.0, delta=0.5)
    assert bound.upper[1] == bound.lower[1] == 7.0
    assert (bound.lower[0], bound.upper[0]) == (0.0, 1.0)
    two = pac_bayes_empirical_bernstein([0.5, 7.0], [0.5, 0.0], [2, math.inf], divergence=0.0, delta=0.5)
    assert two.upper[0] == 1.0
    assert two.width[1] == 0.0
    assert two.vacuous.tolist() == [False, False]
    one = pac_bayes_split_kl([[0.5, 0.5], [0.0, 6.5]], [1, math.inf], divergence=0.0, delta=0.5)
    assert one.upper[1] == 7.0


@pytest.mark.parametrize("method", ["kl", "empirical-bernstein", "unexpected-bernstein", "split-kl"])
def test_ends_are_ordered_and_extreme_arguments_stay_finite(method):
    for losses in (np.zeros((5, 1, 1)), np.ones((5, 1, 1)), np.full((5, 1, 1), 0.5), np.full((5, 1, 1), 1e-300)):
        for delta in (1e-300, 1 - 1e-12):
            bound = gibbs_bound(losses, [1.0], delta=delta, method=method)
            assert 0 <= bound.lower[0] <= losses[0, 0, 0] <= bound.upper[0] <= 1
    narrow = gibbs_bound(np.full((5, 1, 1), 0.5), [1.0], delta=1e-3, method=method)
    assert narrow.width[0] >= gibbs_bound(np.full((5, 1, 1), 0.5), [1.0], delta=0.1, method=method).width[0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: pac_bayes_empirical_bernstein([0.1], [0.2], 10, divergence=1.0, delta=0.1),
            "`variances` must be what",
        ),
        (lambda: pac_bayes_empirical_bernstein([0.1], [0.05, 0.05], 10, divergence=1.0, delta=0.1), "the shape"),
        (lambda: pac_bayes_empirical_bernstein([0.1], [0.05], 1, divergence=1.0, delta=0.1), "`n`"),
        (lambda: pac_bayes_unexpected_bernstein([0.5], [0.1], 9, divergence=1.0, delta=0.1), "`second_moments` must"),
        (lambda: pac_bayes_unexpected_bernstein([0.5], [0.3], 9, divergence=1.0, delta=0.1, center=1.5), "`center`"),
        (lambda: pac_bayes_unexpected_bernstein([0.5], [0.3], 9, divergence=-1.0, delta=0.1), "`divergence` must be"),
        (lambda: pac_bayes_unexpected_bernstein([0.5], [math.nan], 9, divergence=1.0, delta=0.1), "`second_moments`"),
        (lambda: pac_bayes_split_kl([[0.5]], 9, divergence=1.0, delta=0.1), "one more than `thresholds`"),
        (lambda: pac_bayes_split_kl([[0.2], [0.6]], 9, divergence=1.0, delta=0.1), "`parts` must lie"),
        (lambda: pac_bayes_split_kl([[0.2], [0.1]], 9, divergence=1.0, delta=0.1, thresholds=[1.0]), "`thresholds`"),
        (lambda: pac_bayes_split_kl([[0.2], [0.1]], 9, divergence=1.0, delta=0.1, thresholds="x"), "`thresholds`"),
        (lambda: pac_bayes_split_kl([[0.2], [0.1]], 9, divergence=1.0, delta=1.0), "`delta`"),
        (lambda: gibbs_bound(np.zeros((4, 2)), [0.5, 0.5], delta=0.1), "`losses` must have shape"),
        (lambda: gibbs_bound(np.full((4, 2, 1), 2.0), [0.5, 0.5], delta=0.1), r"`losses` must lie in \[0, 1\]"),
        (lambda: gibbs_bound(np.zeros((4, 2, 1)), [0.5, 0.6], delta=0.1), "`posterior` must be >= 0 and sum"),
        (lambda: gibbs_bound(np.zeros((4, 2, 1)), [1.0], delta=0.1), "`posterior` must have 2 entries"),
        (lambda: gibbs_bound(np.zeros((4, 2, 1)), [0.5, 0.5], prior=[1, 0], delta=0.1), "`posterior` must be zero"),
        (lambda: gibbs_bound(np.zeros((4, 2, 1)), [0.5, 0.5], delta=0.1, method="best"), "`method`"),
        (lambda: gibbs_bound(np.zeros((1, 1, 1)), [1], delta=0.1, method="empirical-bernstein"), "at least 2"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, said):
    with pytest.raises(InvalidInputError, match=said):
        call()


def test_kl_inverse_agrees_with_bisection():
    assert float(kl_inverse(0.2, 0.1)) == pytest.approx(_kl_end(0.2, 0.1, upper=True), rel=1e-12)
