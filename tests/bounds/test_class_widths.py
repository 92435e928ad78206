"""Widths of classes: golden numbers, special cases, monotonicity, inversions, refusals."""

import math
from functools import partial

import numpy as np
import pytest

from moltheory.bounds import (
    bernstein_class,
    finite_class,
    finite_prior,
    kl_class,
    linear_class,
    mixture_bounds,
    pac_bayes_constant,
    pac_bayes_kl,
    rademacher,
    rademacher_complexity,
    required_sample_size,
    required_sample_size_linear,
    required_sample_size_vc,
    shell_class,
    vc,
)
from tests.bounds._classes import CLASSES, LINEAR
from tests.golden import assert_golden


def test_golden():
    assert_golden(vc(10_000, dimension=10, delta=0.05, n_objectives=5).width[4], "vc.n10000.d10.delta.05.N5")
    assert_golden(float(LINEAR(10_000, delta=0.05)), "linear_class.ones.n10000.delta.05.N1")
    n = required_sample_size(excess=0.1, n_hypotheses=100, delta=0.05, n_objectives=3)
    assert_golden(n, "required_sample_size.H100.delta.05.N3.excess.1")
    table = mixture_bounds(1000, n_objectives=5, delta=0.05)
    assert_golden(table.cover.deviation, "mixtures.N5.n1000.delta.05.cover_eps.01")
    assert_golden(table.objective_union.deviation, "mixtures.N5.n1000.delta.05.objective_union")
    assert_golden(table.union_class.deviation, "mixtures.N5.n1000.delta.05.union_class")


@pytest.mark.parametrize("name", CLASSES)
def test_monotone_in_size_delta_and_number_of_objectives(name):
    bound = CLASSES[name]
    by_size = [bound(n, delta=0.1).width.max() for n in (5, 6, 10, 100, 1000, 10**6)]
    assert (np.diff(by_size) < 0).all()
    by_delta = [bound(100, delta=delta).width.max() for delta in (1e-300, 1e-6, 0.05, 0.5, 0.999)]
    assert (np.diff(by_delta) < 0).all()
    by_objectives = [bound(100, delta=0.1, n_objectives=k).width.max() for k in (1, 2, 10)]
    assert (np.diff(by_objectives) > 0).all()


@pytest.mark.parametrize("name", CLASSES)
def test_data_independent_objectives_are_free_and_sizes_may_differ(name):
    bound = CLASSES[name]
    mixed = bound([100, math.inf, 400], delta=0.1)
    small, large = (bound(n, delta=0.1, n_objectives=2).width[..., 0] for n in (100, 400))
    assert (mixed.width[..., 1] == 0).all()
    assert not mixed.vacuous[..., 1].any()
    assert mixed.width[..., 0] == pytest.approx(small)
    assert mixed.width[..., 2] == pytest.approx(large)
    assert (bound([math.inf], delta=0.1).width == 0).all()


@pytest.mark.parametrize("name", ["prior", "rademacher", "empirical", "l2", "l1"])
def test_a_missing_union_over_objectives_would_be_caught(name):
    """n = 1, one hypothesis of complexity 0, objective i of 10 errs iff z = i: every sample deviates by 0.9."""
    trivial = {
        "prior": partial(finite_prior, prior=[1.0]),
        "rademacher": partial(rademacher, complexity=0.0),
        "empirical": partial(rademacher, complexity=0.0, empirical=True),
        "l2": partial(LINEAR, weight_norm=0.0),
        "l1": partial(LINEAR, weight_norm=0.0, norm="l1", dimension=3),
    }[name]
    for delta in np.linspace(0.01, 0.99, 25):
        assert trivial(1, delta=delta, n_objectives=10).width.min() >= 0.9
    if name != "empirical":  # three times the deviation term hides it
        assert trivial(1, delta=0.9).width.max() < 0.9


def test_special_cases():
    uniform = finite_prior([40, 90], prior=np.full(7, 1 / 7), delta=0.1).width
    assert uniform == pytest.approx(np.tile(finite_class([40, 90], n_hypotheses=7, delta=0.1).width, (7, 1)))
    assert finite_prior(40, prior=[1.0], delta=0.1).width[0] == pytest.approx(
        finite_class(40, n_hypotheses=1, delta=0.1).width
    )
    assert math.isinf(finite_prior(40, prior=[1.0, 0.0], delta=0.1).width[1, 0])
    assert float(LINEAR(50, delta=0.1)) == pytest.approx(float(rademacher(50, complexity=1 / math.sqrt(50), delta=0.1)))
    l1 = float(LINEAR(50, norm="l1", dimension=8, delta=0.1))
    assert l1 == pytest.approx(float(rademacher(50, complexity=math.sqrt(2 * math.log(16) / 50), delta=0.1)))
    # kl of one half is Pinsker's case to second order; a zero risk has the closed form 1 - exp(-budget / n).
    assert kl_class([0.0], 30, delta=0.1).upper[0, 0] == pytest.approx(1 - math.exp(-math.log(20) / 30), rel=1e-12)
    # Divergence log H for a point mass under a uniform prior: kl_class but for the constant.
    point = pac_bayes_kl([0.2], 30, divergence=math.log(7), delta=0.1).upper[0]
    shifted = kl_class([0.2], 30, n_hypotheses=7, delta=0.2 / pac_bayes_constant(30)).upper[0, 0]
    assert point == pytest.approx(shifted, rel=1e-12)


def test_small_errors_give_small_widths():
    n, size = 1000, 100
    plain = float(finite_class(n, n_hypotheses=size, delta=0.05))
    assert kl_class([0.01], n, n_hypotheses=size, delta=0.05).width[0, 0] < plain / 2
    assert bernstein_class([0.0099], n, n_hypotheses=size, delta=0.05).width[0, 0] < 0.6 * plain
    # Pinsker: the relative-entropy ball lies inside Hoeffding's.
    risks = np.linspace(0, 1, 101)
    assert (kl_class(risks, n, delta=0.05).width <= float(finite_class(n, n_hypotheses=101, delta=0.05))).all()
    bad = np.array([5] + [450, 500, 550] * 10_000)
    assert shell_class(bad, n, delta=0.05).upper[0, 0] < 0.8 * kl_class(bad / n, n, delta=0.05).upper[0, 0]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 63, 64, 65, 500])
def test_pac_bayes_constant_is_the_binomial_sum(n):
    exact = sum(math.comb(n, k) * (k / n) ** k * (1 - k / n) ** (n - k) for k in range(n + 1))
    assert pac_bayes_constant(n) == pytest.approx(exact, rel=1e-12)
    assert math.sqrt(n) <= exact <= 2 * math.sqrt(n) * (1 + 1e-12)


def test_pac_bayes_constants_are_ordered_and_large_ones_follow_the_asymptote():
    exact, maurer = (pac_bayes_kl([0.1], 200, divergence=1.0, delta=0.1, constant=c) for c in ("exact", "maurer"))
    assert exact.width < maurer.width
    assert pac_bayes_constant(10**12) == pytest.approx(math.sqrt(math.pi * 10**12 / 2) + 2 / 3, rel=1e-11)


def test_the_exact_constant_is_the_largest_moment():
    """E exp(n kl(phat || p)) equals the constant for every p in (0, 1) and is 1 at the ends."""
    n = 12
    k = np.arange(n + 1)
    q = k / n
    for p in (1e-3, 0.2, 0.5, 0.93):
        pmf = np.array([math.comb(n, i) for i in k]) * p**k * (1 - p) ** (n - k)
        with np.errstate(divide="ignore", invalid="ignore"):
            kl = np.where(q > 0, q * np.log(q / p), 0) + np.where(q < 1, (1 - q) * np.log((1 - q) / (1 - p)), 0)
        assert (pmf * np.exp(n * kl)).sum() == pytest.approx(pac_bayes_constant(n), rel=1e-10)


@pytest.mark.parametrize("excess", [1.5, 0.3, 0.1, 0.013])
@pytest.mark.parametrize("delta", [0.5, 1e-6])
@pytest.mark.parametrize("n_objectives", [1, 4])
def test_sample_sizes_are_the_smallest(excess, delta, n_objectives):
    common = {"delta": delta, "n_objectives": n_objectives}
    linear = {"lipschitz": 0.7, "weight_norm": 2.0, "input_norm": 0.5, **common}
    cases = [
        (required_sample_size(excess=excess, n_hypotheses=30, **common), partial(finite_class, n_hypotheses=30), 1),
        (required_sample_size_vc(excess=excess, dimension=4, **common), partial(vc, dimension=4), 4),
    ]
    for n, bound, low in cases:
        assert 2 * bound(n, **common).width.max() <= excess
        assert n == low or 2 * bound(n - 1, **common).width.max() > excess
    n = required_sample_size_linear(excess=excess, norm="l1", dimension=9, **linear)
    assert 2 * linear_class(n, norm="l1", dimension=9, **linear).width.max() <= excess
    assert 2 * linear_class(n - 1, norm="l1", dimension=9, **linear).width.max() > excess
    closed = 2 * math.log(2 * n_objectives * 30 / delta) / excess**2
    assert abs(cases[0][0] - closed) <= 1


def test_vacuous_bounds_say_so():
    assert vc(10, dimension=2, delta=0.1).vacuous.all()
    assert LINEAR(3, delta=0.1).vacuous.all()
    assert not LINEAR(10**6, delta=0.1).vacuous.any()
    assert bernstein_class([0.1], 5, delta=0.1).vacuous.all()
    assert rademacher(10**6, complexity=0.6, delta=0.1).vacuous.all()
    assert mixture_bounds(2, n_objectives=2, delta=0.1).cover.vacuous
    assert not mixture_bounds(10**6, n_objectives=2, delta=0.1, complexities=0.01).union_class.vacuous


def test_a_certificate_is_part_of_the_width_and_of_delta():
    losses = np.random.default_rng(3).integers(0, 2, (60, 20))
    found = rademacher_complexity(losses, rng=0, delta=0.02)
    whole = rademacher(60, complexity=found, empirical=True, delta=0.05)
    by_hand = rademacher(60, complexity=found.upper, empirical=True, delta=0.03)
    assert float(whole) == pytest.approx(float(by_hand), rel=1e-12)
    assert whole.delta == 0.05
    two = rademacher([60, math.inf, 60], complexity=[found, 0.0, found], empirical=True, delta=0.05)
    assert two.width[0] == pytest.approx(
        rademacher(60, complexity=found.upper, empirical=True, delta=0.01, n_objectives=2).width[0], rel=1e-12
    )


def test_inputs_are_not_mutated():
    risks, variances, errors, prior = np.array([0.1, 0.2]), np.array([0.1, 0.2]), np.array([1, 2]), np.array([0.5, 0.5])
    before = [a.copy() for a in (risks, variances, errors, prior)]
    kl_class(risks, 10, delta=0.1)
    pac_bayes_kl(risks, 10, divergence=1.0, delta=0.1)
    bernstein_class(variances, 10, delta=0.1)
    shell_class(errors, 10, delta=0.1)
    finite_prior(10, prior=prior, delta=0.1)
    for old, new in zip(before, (risks, variances, errors, prior), strict=True):
        assert np.array_equal(old, new)


@pytest.mark.parametrize("name", CLASSES)
def test_common_refusals(name, refuses):
    bound = CLASSES[name]
    for n in (0, -3, True, [0.0, 5.0], [10.5], "x"):
        if name in ("kl", "bernstein", "pac-bayes") and not isinstance(n, int):
            continue
        refuses("n", bound, n, delta=0.1)
    for delta in (0, 1, -0.5, math.nan, None):
        refuses("delta", bound, 50, delta=delta)


def test_refusals(refuses):
    refuses("n", vc, 3, dimension=4, delta=0.1)
    refuses("dimension", vc, 3, dimension=0, delta=0.1)
    for prior in ([0.6, 0.6], [-0.1, 0.5], []):
        refuses("prior", finite_prior, 9, prior=prior, delta=0.1)
    refuses("dimension", LINEAR, 9, norm="l1", delta=0.1)
    refuses("norm", LINEAR, 9, norm="l3", delta=0.1)
    refuses("lipschitz", linear_class, [5, 5], lipschitz=[1, 1, 1], weight_norm=1.0, input_norm=1.0, delta=0.1)
    refuses("weight_norm", linear_class, 5, lipschitz=1, weight_norm=-1.0, input_norm=1.0, delta=0.1)
    found = rademacher_complexity([[0, 1], [1, 0]], rng=0, delta=0.1)
    refuses("delta", rademacher, 2, complexity=found, empirical=True, delta=0.1)
    refuses("complexity", rademacher, 2, complexity=found, delta=0.2)
    refuses("complexity", rademacher, 3, complexity=found, empirical=True, delta=0.2)
    refuses("complexity", rademacher, [3, 3], complexity=[0.1], delta=0.2)
    refuses("complexity", rademacher, 3, complexity=-0.1, delta=0.2)
    refuses("complexity", rademacher, 3, complexity=math.nan, delta=0.2)
    refuses("risks", kl_class, [1.2], 9, delta=0.1)
    refuses("n", kl_class, [[0.1, 0.2]], [9], delta=0.1)
    refuses("n_hypotheses", kl_class, [0.1, 0.2], 9, n_hypotheses=1, delta=0.1)
    refuses("variances", bernstein_class, [0.3], 100, delta=0.1)
    refuses("variances", bernstein_class, [-0.1], 100, delta=0.1)
    refuses("n", bernstein_class, [0.1], 1, delta=0.1)
    for errors in ([0.5], [-1], [11]):
        refuses("errors", shell_class, errors, 10, delta=0.1)
    refuses("n_shells", shell_class, [1], 10, delta=0.1, n_shells=0)
    refuses("divergence", pac_bayes_kl, [0.1], 10, divergence=-1.0, delta=0.1)
    refuses("divergence", pac_bayes_kl, [0.1, 0.2], 10, divergence=[1.0] * 3, delta=0.1)
    refuses("constant", pac_bayes_kl, [0.1], 10, divergence=1.0, delta=0.1, constant="none")
    refuses("risks", pac_bayes_kl, [math.nan], 10, divergence=1.0, delta=0.1)
    refuses("excess", required_sample_size, excess=0.0, n_hypotheses=1, delta=0.1)
    refuses("excess", required_sample_size, excess=1e-9, n_hypotheses=1, delta=0.1)
    refuses("loss_range", required_sample_size, excess=0.1, n_hypotheses=1, delta=0.1, loss_range=[1.0])
    refuses("complexities", mixture_bounds, 9, n_objectives=2, delta=0.1, complexities=[0.1] * 3)
    refuses("radius", mixture_bounds, 9, n_objectives=2, delta=0.1, radius=1.0)
