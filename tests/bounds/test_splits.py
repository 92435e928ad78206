"""Joint widths: any split of delta is spent exactly, and the optimal one is optimal."""

import math

import numpy as np
import pytest

from moltheory.bounds import bernstein_class, finite_class, joint_widths, mixture_bounds, vc
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, SmoothChebyshev, WeightedSum


def _functions(sizes, n_hypotheses=50):
    return [lambda eta, n=n: finite_class(n, n_hypotheses=n_hypotheses, delta=eta) for n in sizes]


def test_equal_split_is_finite_class():
    sizes = [100, math.inf, 2500]
    expected = finite_class(sizes, n_hypotheses=50, delta=0.1)
    for widths in (sizes, [*_functions([100]), None, *_functions([2500])]):
        found = joint_widths(widths, n_hypotheses=50, delta=0.1)
        assert found.width == pytest.approx(expected.width, rel=1e-14)
        assert found.shares.tolist() == [0.05, 0, 0.05]
        assert found.delta == 0.1
    assert joint_widths([None, None], delta=0.1).width.tolist() == [0, 0]


def test_a_missing_union_would_be_caught():
    """n = 1, one hypothesis, objective i of 10 errs iff z = i: every sample deviates by 0.9."""
    for delta in np.linspace(0.05, 0.95, 7):
        assert joint_widths([1] * 10, n_hypotheses=1, delta=delta).width.min() >= 0.9


def test_weighted_split():
    found = joint_widths([100, 100, None], n_hypotheses=5, delta=0.08, split=[3, 1, 7])
    assert found.shares == pytest.approx([0.06, 0.02, 0])
    assert found.width[0] == pytest.approx(float(finite_class(100, n_hypotheses=5, delta=0.06)))
    assert found.width[1] == pytest.approx(float(finite_class(100, n_hypotheses=5, delta=0.02)))


@pytest.mark.parametrize(
    "u",
    [
        WeightedSum([0.8, 0.2]),
        PNorm([0.5, 0.5], 2),
        PNorm([0.3, 0.7], math.inf),
        Chebyshev([1.0, 1.0]),
        Chebyshev([1.0, 0.4], augmentation=0.3),
        SmoothChebyshev([0.5, 0.5], 0.1),
    ],
    ids=repr,
)
@pytest.mark.parametrize("sizes", [(200, 200), (60, 700)])
def test_optimal_split_of_two_matches_a_fine_grid(u, sizes):
    found = joint_widths(_functions(sizes), delta=0.05, split="optimal", scalarization=u)
    grid = 0.05 * np.concatenate(
        [np.linspace(0, 1, 2002)[1:-1], np.logspace(-6, -3, 300), 1 - np.logspace(-6, -3, 300)]
    )
    pairs = np.sqrt(np.log(100 / np.column_stack([grid, 0.05 - grid])) / (2 * np.array(sizes)))
    assert u.width(found.width) <= u.width(pairs).min() * (1 + 1e-6)
    assert found.shares.sum() == pytest.approx(0.05, rel=1e-12)
    assert (found.shares > 0).all()


@pytest.mark.parametrize(
    "u",
    [
        WeightedSum([0.5, 0.3, 0.1, 0.1]),
        Chebyshev([1.0, 0.5, 0.9, 0.9]),
        Chebyshev([1.0, 0.5, 0.9, 0.9], augmentation=0.1),
    ],
    ids=repr,
)
def test_optimal_split_of_more_beats_random_splits(u, rng):
    functions = [*_functions([100, 300, 150]), lambda eta: vc(20_000, dimension=2, delta=eta)]
    found = joint_widths(functions, delta=0.05, split="optimal", scalarization=u)
    best = float(u.width(found.width))
    assert best <= u.width(joint_widths(functions, delta=0.05).width)
    for weights in (*rng.dirichlet(np.ones(4), 40), *found.shares * rng.lognormal(0, 0.02, (40, 4))):
        assert best <= u.width(joint_widths(functions, delta=0.05, split=weights).width) * (1 + 1e-6)
    again = joint_widths(functions, delta=0.05, split="optimal", scalarization=u)
    assert again.width.tobytes() == found.width.tobytes()


def test_chebyshev_equalises_weighted_widths():
    found = joint_widths(_functions([100, 100, 110]), delta=0.05, split="optimal", scalarization=Chebyshev([1, 1, 1]))
    assert np.ptp(found.width) < 1e-5
    even = joint_widths([500] * 4, n_hypotheses=9, delta=0.05, split="optimal", scalarization=WeightedSum([1, 1, 1, 1]))
    assert even.shares == pytest.approx([0.0125] * 4, rel=1e-3)


def test_objectives_without_weight_or_data():
    found = joint_widths(
        [100, math.inf, 100], n_hypotheses=9, delta=0.05, split="optimal", scalarization=WeightedSum([1, 1, 0])
    )
    assert found.shares[1] == 0
    assert 0 < found.shares[2] < 1e-3
    assert np.isfinite(found.width).all()
    single = joint_widths([100, None], n_hypotheses=9, delta=0.05, split="optimal", scalarization=WeightedSum([1, 1]))
    assert single.shares.tolist() == [0.05, 0]


def test_refusals(refuses):
    u = WeightedSum([1, 1])
    refuses("widths", joint_widths, [], delta=0.1)
    refuses("widths", joint_widths, [0.5], n_hypotheses=1, delta=0.1)
    refuses("widths", joint_widths, [lambda eta: -1.0], delta=0.1)
    refuses("widths", joint_widths, [lambda eta: math.nan], delta=0.1)
    refuses("widths", joint_widths, [lambda eta: finite_class(5, n_hypotheses=1, delta=0.1)] * 2, delta=0.1)
    refuses("widths", joint_widths, [lambda eta: finite_class([5, 5], n_hypotheses=1, delta=eta)], delta=0.1)
    refuses("n_hypotheses", joint_widths, [5], delta=0.1)
    refuses("delta", joint_widths, [5], n_hypotheses=1, delta=1.0)
    refuses("split", joint_widths, [5], n_hypotheses=1, delta=0.1, split="fair")
    refuses("split", joint_widths, [5, 5], n_hypotheses=1, delta=0.1, split=[1, 0])
    refuses("split", joint_widths, [5, 5], n_hypotheses=1, delta=0.1, split=[1])
    refuses("scalarization", joint_widths, [5, 5], n_hypotheses=1, delta=0.1, split="optimal")
    refuses("scalarization", joint_widths, [5], n_hypotheses=1, delta=0.1, split="optimal", scalarization=u)
    constraint = EpsilonConstraint([1.0, 1.0])
    refuses("scalarization", joint_widths, [5, 5], n_hypotheses=1, delta=0.1, split="optimal", scalarization=constraint)
    seen = [lambda eta: bernstein_class([0.1], 50, delta=eta)] * 2
    assert joint_widths(seen, delta=0.1).width.shape == (2,)


def test_mixtures_are_worst_at_a_vertex(rng):
    """The vertex identity: no mixture deviates by more than the worst single objective."""
    deviations = rng.normal(size=(40, 5))
    vertex = deviations.max()
    for weights in rng.dirichlet(np.ones(5), 500):
        assert (deviations @ weights).max() <= vertex + 1e-12


def test_mixture_table():
    table = mixture_bounds(1000, n_objectives=5, delta=0.05, complexities=[0.01, 0.02, 0.01, 0, 0])
    frame = table.to_frame()
    assert frame["method"].tolist() == ["cover", "objective union", "union class"]
    assert frame["complexity"][0] == 0.04
    assert (frame["width"] == frame["complexity"] + frame["deviation"]).all()
    assert table.union_class.complexity == pytest.approx(2 * (0.02 + math.sqrt(math.log(5) / 2000)))
    assert mixture_bounds(1000, n_objectives=5, delta=0.05, union_complexity=0.03).union_class.complexity == 0.06
    assert np.isnan(mixture_bounds(1000, n_objectives=5, delta=0.05).cover.width)
    one = mixture_bounds(1000, n_objectives=1, delta=0.05, complexities=0.0)
    assert one.objective_union.width == one.union_class.width
