"""Bounds at the ends of what they accept, and in which direction they move: one example, one hypothesis, huge and tiny."""

import itertools
import math

import numpy as np
import pytest

from moltheory import bounds
from moltheory.bounds import Bound
from tests.bounds._classes import CLASSES


def _local(n, size):
    return lambda radius: float(bounds.local_complexity(radius, n, n_hypotheses=size))


# Bounds from a sample size, a failure probability and a size of the class.
OF_CLASSES = {
    "agnostic": lambda n, d, h: bounds.agnostic_class([n, 2 * n], [[0.3, 0.7]], n_hypotheses=h, delta=d),
    "vertices": lambda n, d, h: bounds.agnostic_class([n, n], [[0.3, 0.7]], n_hypotheses=h, delta=d, method="vertices"),
    "excess, slow": lambda n, d, h: bounds.bernstein_excess(n, n_hypotheses=h, constant=1.0, exponent=0.0, delta=d),
    "excess, fast": lambda n, d, h: bounds.bernstein_excess(n, n_hypotheses=h, constant=1.0, delta=d),
    "finite": lambda n, d, h: bounds.finite_class(n, n_hypotheses=h, delta=d),
    **{
        f"{name}, {risk:g}": lambda n, d, h, make=make, risk=risk: make(n, d, h, risk)
        for risk in (0.0, 1e-300, 0.3, 1.0)
        for name, make in {
            "kl": lambda n, d, h, r: bounds.kl_class([r], n, n_hypotheses=h, delta=d),
            "localized": lambda n, d, h, r: bounds.localized_rademacher([r], n, local_complexity=_local(n, h), delta=d),
            "relative": lambda n, d, h, r: bounds.relative_deviation_class([r], n, n_hypotheses=h, delta=d),
        }.items()
    },
}
# Of an observed risk in [0, 1].
OF_POSTERIORS = {
    "kl": lambda r, n, **more: bounds.pac_bayes_kl([r], n, **more),
    "empirical Bernstein": lambda r, n, **more: bounds.pac_bayes_empirical_bernstein([r], [0.0], n, **more),
    "unexpected Bernstein": lambda r, n, **more: bounds.pac_bayes_unexpected_bernstein([r], [r], n, **more),
    "split-kl": lambda r, n, **more: bounds.pac_bayes_split_kl([[min(r, 0.5)], [max(r - 0.5, 0.0)]], n, **more),
}
SIZES, DELTAS = (1, 2, 3, 10, 100, 10**4, 10**9, 2**53), (5e-324, 1e-300, 1e-9, 0.05, 0.5, 1 - 2**-53)
MEMBERS = (1, 2, 10, 10**18, 10**400)


def _widths(bound, points):
    return np.array([float(bound(*point).width.max()) for point in points])


@pytest.mark.parametrize("name", OF_CLASSES)
def test_more_examples_help_and_more_hypotheses_or_certainty_cost(name):
    bound, none = OF_CLASSES[name], 1e-14
    for h in (1, 10**400):
        widths = _widths(bound, [(n, 0.1, h) for n in SIZES])
        assert (np.diff(widths) <= none * widths[:-1]).all()
    for n in (1, 100):
        widths = _widths(bound, [(n, delta, 3) for delta in DELTAS])
        assert (np.diff(widths) <= none * widths[:-1]).all()
        widths = _widths(bound, [(n, 0.1, h) for h in MEMBERS])
        assert (np.diff(widths) >= -none * widths[:-1]).all()


@pytest.mark.parametrize("name", OF_POSTERIORS)
def test_limits_of_posteriors_are_ordered_and_inside(name):
    for r, n, delta, k in itertools.product(
        (0.0, 1e-300, 0.5, 1 - 2**-53, 1.0), (2, 3, 10**6, 2**53), DELTAS, (0, 1e300)
    ):
        found = OF_POSTERIORS[name](r, n, divergence=float(k), delta=delta)
        assert 0.0 <= found.lower[0] <= r <= found.upper[0] <= 1.0
        assert found.width[0] >= max(found.upper[0] - r, r - found.lower[0]) - 1e-15
        if k:
            assert (found.lower[0], found.upper[0]) == (0.0, 1.0)


def test_products_too_large_for_a_float_say_nothing(refuses):
    """They are no warning, no NaN and no small number."""
    steep = {"lipschitz": 1e300, "input_norm": 1.0, "delta": 0.1}
    assert bounds.linear_class([5, math.inf], weight_norm=1e300, **steep).width.tolist() == [math.inf, 0.0]
    flat = bounds.linear_class(5, lipschitz=0.0, weight_norm=1e300, input_norm=1e300, delta=0.1)
    assert flat.width == pytest.approx(math.sqrt(math.log(20) / 10))
    assert bounds.margin_class(5, margin=1e-300, weight_norm=1e300, input_norm=1.0, delta=0.1).vacuous.all()
    assert bounds.lipschitz_class(5, lipschitz=1e300, dimension=1, delta=0.1).vacuous.all()
    refuses("lipschitz", bounds.multi_output_class, 5, n_outputs=3, weight_norm=1e300, **steep)
    refuses("penalty", bounds.regularized_sum, 5, weights=[1.0], penalty=1e-300, lipschitz=1.0, delta=0.1)


def test_numbers_that_are_no_bounds_of_half_widths_at_the_ends():
    for sampling, delta in itertools.product(("on-demand", "uniform"), DELTAS):
        sizes = [
            bounds.required_sample_size_minimax(
                excess=excess, n_hypotheses=h, n_objectives=count, delta=delta, sampling=sampling
            )
            for excess, h, count in ((0.999, 1, 1), (0.5, 1, 1), (0.5, 2, 1), (0.5, 2, 3), (0.01, 10**400, 3))
        ]
        assert sizes[0] >= 1
        assert (np.diff(sizes) >= 0).all()
    # Where the sum of squares would take billions of terms: a little less, and still a probability.
    for p in (0.5, 1e-9):
        below, above = (bounds.impurity_probability(n, gap=1e-20, error=p) for n in (10**9, 10**9 + 1))
        assert above <= below <= 0.5
        assert below - above < (1e-5 if p > 0.01 else 0.05)
        assert 0.4 < bounds.impurity_probability(2**53, gap=1e-20, error=p) <= 0.5
    gaps = [bounds.coverage_lower_bound(n, n_hypotheses=8, probability=0.3).gap for n in (1, 2, 10, 10**3, 10**6)]
    assert (np.diff(gaps) <= 0).all()
    gaps = [bounds.coverage_lower_bound(50, n_hypotheses=h, probability=0.3).gap for h in (2, 3, 10, 10**9)]
    assert (np.diff(gaps) >= 0).all()


def test_stability_helps_with_examples_and_penalties():
    grids = (
        [(n, 0.1, 0.1) for n in SIZES],
        [(50, p, 0.1) for p in (1e-3, 0.1, 1.0, 1e300)],
        [(50, 0.1, d) for d in DELTAS],
    )
    for shared, grid in itertools.product((False, True), grids):
        given = {"weights": [0.5, 0.5], "lipschitz": 1.0, "shared": shared}
        widths = [bounds.regularized_sum(n, penalty=p, delta=d, **given).width[0] for n, p, d in grid]
        assert (np.diff(widths) < 0).all()


@pytest.mark.parametrize("name", CLASSES)
def test_numbers_of_numpy_are_numbers(name):
    bound = CLASSES[name]
    plain, other = bound(100, delta=0.25), bound(np.int64(100), delta=np.float32(0.25))
    assert isinstance(other, Bound)
    assert np.array_equal(plain.width, other.width)
    frozen = np.array([100, 100])
    frozen.flags.writeable = False
    assert np.array_equal(bound(frozen, delta=0.25).width, bound([100, 100], delta=0.25).width)
