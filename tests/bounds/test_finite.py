"""Finite-class widths: golden numbers, structure, and an exact check of the level."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import Bound, conditional_rate, finite_class
from tests.golden import assert_golden


@pytest.mark.parametrize("n_objectives", [1, 3, 100])
def test_golden(n_objectives):
    width = finite_class(1000, n_hypotheses=100, delta=0.05, n_objectives=n_objectives).width
    assert width.shape == (n_objectives,)
    for value in (width[0], width[-1]):
        assert_golden(value, f"finite_class.H100.n1000.delta.05.N{n_objectives}")


def test_data_independent_objectives_are_free():
    alone = finite_class(500, n_hypotheses=7, delta=0.1, n_objectives=2).width
    mixed = finite_class([500, math.inf, 500, math.inf], n_hypotheses=7, delta=0.1).width
    assert mixed.tolist() == [alone[0], 0, alone[0], 0]
    assert finite_class([math.inf], n_hypotheses=7, delta=0.1).width.tolist() == [0]


def test_scales_with_range_and_shrinks_like_root_n():
    one = float(finite_class(400, n_hypotheses=9, delta=0.01))
    assert float(finite_class(1600, n_hypotheses=9, delta=0.01)) == pytest.approx(one / 2, rel=1e-15)
    assert finite_class(400, n_hypotheses=9, delta=0.01, loss_range=[3.0]).width[0] == pytest.approx(3 * one)
    assert (
        float(finite_class(400, n_hypotheses=9, delta=0.02))
        < one
        < float(finite_class(400, n_hypotheses=10, delta=0.01))
    )


def test_extreme_arguments():
    assert math.isfinite(float(finite_class(1, n_hypotheses=10**400, delta=5e-324)))
    assert float(finite_class(10**15, n_hypotheses=1, delta=0.999)) > 0


@pytest.mark.parametrize("n", [1, 2, 10, 100])
@pytest.mark.parametrize("delta", [0.5, 0.05])
@pytest.mark.parametrize("n_hypotheses", [1, 5])
def test_fails_at_most_at_its_level_exactly(n, delta, n_hypotheses):
    """Independent hypotheses of equal error p: the failure probability is 1 - (1 - q)^H, q a binomial tail."""
    width = float(finite_class(n, n_hypotheses=n_hypotheses, delta=delta))
    counts = np.arange(n + 1)
    for p in np.linspace(0, 1, 101):
        outside = np.abs(counts / n - p) > width
        q = binom.pmf(counts[outside], n, p).sum()
        assert 1 - (1 - q) ** n_hypotheses <= delta


def test_missing_union_over_objectives_would_be_caught():
    """One hypothesis, n = 1, N objectives on N outcomes, objective i errs iff z = i: some width must fail.

    Each risk is 1/N and one empirical risk is 1, so the deviation is 1 - 1/N in every sample: a width that forgets
    log N and falls below that fails always. The stated width does not fall below it at any delta < 1.
    """
    n_objectives = 10
    deviation = 1 - 1 / n_objectives
    for delta in np.linspace(0.01, 0.99, 50):
        bound = finite_class(1, n_hypotheses=1, delta=delta, n_objectives=n_objectives)
        assert bound.width[0] >= deviation
    assert float(finite_class(1, n_hypotheses=1, delta=0.9)) < deviation


def test_vacuous_bounds_say_so():
    bound = finite_class([3, 10_000, math.inf], n_hypotheses=100, delta=0.05)
    assert bound.vacuous.tolist() == [True, False, False]
    assert "says nothing" in repr(bound)
    assert "says nothing" not in repr(finite_class(10_000, n_hypotheses=100, delta=0.05))


def test_a_bound_stands_for_its_widths_and_survives_json():
    bound = finite_class([300, math.inf], n_hypotheses=100, delta=0.05)
    assert np.array_equal(np.asarray(bound), bound.width)
    again = Bound.from_json(bound.to_json())
    assert again.width.tobytes() == bound.width.tobytes()
    assert (again.delta, again.method, again.source, again.assumptions) == (
        bound.delta,
        bound.method,
        bound.source,
        bound.assumptions,
    )
    with pytest.raises(ValueError, match="read-only"):
        bound.width[0] = 0


def test_conditional_rates_reduce_to_means():
    rate = conditional_rate([[10, 20], [0, 40]], n_hypotheses=5, delta=0.1, n_objectives=3, n_rates=2)
    assert rate.width.shape == (2, 2)
    assert math.isinf(rate.width[1, 0])
    assert rate.width[0, 1] == pytest.approx(float(finite_class(20, n_hypotheses=5, delta=0.1 / 6)))
    # theory: w_a = sqrt(log(4 |H| / eta) / (2 n_a)) for each of the two rates of a gap
    assert conditional_rate(50, n_hypotheses=10, delta=0.05, n_rates=2).width == pytest.approx(
        math.sqrt(math.log(4 * 10 / 0.05) / 100)
    )


def test_refusals(refuses):
    good = {"n_hypotheses": 3, "delta": 0.1}
    for n in (0, -1, 1.5, True, [0, 5], [2.5], [], [[1]]):
        refuses("n", finite_class, n, **good)
    for delta in (0, 1, -0.1, math.nan, "x"):
        refuses("delta", finite_class, 5, n_hypotheses=3, delta=delta)
    refuses("n_hypotheses", finite_class, 5, n_hypotheses=0, delta=0.1)
    refuses("n_objectives", finite_class, [5, 5, 5], n_objectives=2, **good)
    refuses("loss_range", finite_class, 5, loss_range=-1, **good)
    refuses("loss_range", finite_class, 5, loss_range=[1, 1], **good)
    refuses("counts", conditional_rate, [-1], **good)
    refuses("counts", conditional_rate, [0.5], **good)
