"""The bounds behind the ledger: values, special cases, vectorisation, refusals."""

import numpy as np
import pytest

import moltheory as mt
from moltheory import bounds
from moltheory.scalarization import Chebyshev, EpsilonConstraint, WeightedSum


def test_vectorised_over_leading_axes_and_monotone():
    rng = np.random.default_rng(0)
    widths = rng.random((5, 4, 3))
    u, w = Chebyshev([0.2, 0.3, 0.5], augmentation=0.1), [0.2, 0.3, 0.5]
    functions = [
        lambda c: bounds.scalarized(c, scalarization=u),
        lambda c: bounds.scalarized_excess(c, scalarization=u, eta=0.25),
        lambda c: bounds.forward(c),
        lambda c: bounds.weak_converse(c),
        lambda c: bounds.boundary(c),
        lambda c: bounds.hypervolume_loss(c, reference=[1.0, 2.0, 3.0]),
        lambda c: bounds.interior_weights(c, weights=w),
        lambda c: bounds.strongly_monotone(c, scalarization=u),
        lambda c: bounds.strong_convexity(c, moduli=[1.0, 2.0, 4.0]),
    ]
    for function in functions:
        together = function(widths)
        alone = np.array([[function(row) for row in rows] for rows in widths])
        np.testing.assert_allclose(together, alone, rtol=1e-15)
        assert (function(1.5 * widths) >= together).all()


def test_zero_widths_leave_nothing():
    zero = np.zeros(2)
    assert float(bounds.hypervolume_loss(zero, reference=[1.0, 1.0])) == 0.0
    assert bounds.interior_weights(zero, weights=[0.5, 0.5]).tolist() == [0.0, 0.0]
    assert bounds.slack_guarantee(zero, t=0.25, loss_range=1.0).purity == 0.25
    points = [[0.0, 0.5], [0.5, 0.0]]
    exact = mt.hypervolume(points, reference=[1.0, 1.0])
    assert bounds.hypervolume_sandwich(points, zero, reference=[1.0, 1.0]) == (exact, exact)


def test_a_bound_stands_for_its_widths():
    bound = bounds.finite_class(1000, n_hypotheses=100, delta=0.05, n_objectives=2)
    assert bounds.forward(bound).tolist() == (2 * bound.width).tolist()


def test_weighted_sums_are_strongly_monotone():
    """The modulus of a weighted sum is its least weight: both bounds agree for the objective of that weight."""
    widths, w = [0.1, 0.2], [0.25, 0.75]
    assert bounds.interior_weights(widths, weights=w)[0] == pytest.approx(
        float(bounds.strongly_monotone(widths, scalarization=WeightedSum(w)))
    )


def test_pruning_keeps_the_front_and_drops_decoys():
    rng = np.random.default_rng(5)
    risks = rng.random((200, 6, 3))
    kept = bounds.slack_pruned(risks, np.zeros(3), t=1e-9)
    # Without deviation and with hardly any slack only what is dominated goes.
    assert (kept == mt.nondominated(risks)).all()
    world = mt.problems.mirrored_decoys()
    sample = world.sample_risks(401, replicates=50, rng=0)
    widths = np.abs(sample - world.true_risks).max(axis=1)
    assert (bounds.slack_pruned(sample, widths, t=0.25) == [True, False, False]).all()


def test_certified_members_of_points_are_the_front():
    rng = np.random.default_rng(6)
    points = rng.integers(0, 4, (200, 6, 2)) / 4.0
    sure, excluded = bounds.certified_members(points, points)
    front = mt.nondominated(points)
    assert (excluded == ~front).all()
    assert (sure == front).all()


def test_refusals(refuses):
    u = WeightedSum([0.5, 0.5])
    refuses("widths", bounds.forward, [-0.1, 0.0])
    refuses("widths", bounds.forward, [float("nan"), 0.0])
    refuses("widths", bounds.scalarized, [0.1], scalarization=u)
    refuses("eta", bounds.scalarized_excess, [0.1, 0.1], scalarization=u, eta=-1.0)
    refuses("EpsilonConstraint", bounds.scalarized, [0.1, 0.1], scalarization=EpsilonConstraint([1.0, 1.0]))
    refuses("reference", bounds.hypervolume_loss, [0.1, 0.1], reference=[1.0])
    refuses("reference", bounds.hypervolume_loss, [0.1, 0.1], reference=[1.0, 0.0])
    refuses("widths", bounds.hypervolume_sandwich, [[0.0, 0.0]], [np.inf, 0.0], reference=[1.0, 1.0])
    refuses("upper", bounds.a_posteriori_excess, [[0.5, 0.5]], [[0.25, 0.5]], scalarization=u)
    refuses("weights", bounds.interior_weights, [0.1, 0.1], weights=[0.0, 1.0])
    refuses("scalarization", bounds.strongly_monotone, [0.1, 0.1], scalarization=Chebyshev([0.5, 0.5]))
    refuses("moduli", bounds.strong_convexity, [0.1, 0.1], moduli=[0.0, 1.0])
    refuses("t", bounds.slack_pruned, [[0.0, 0.0]], [0.1, 0.1], t=0.0)
    refuses("t", bounds.slack_guarantee, [0.1, 0.1], t=0.0, loss_range=1.0)
    refuses("loss_range", bounds.slack_guarantee, [0.1, 0.1], t=0.5, loss_range=0.0)
    refuses("upper", bounds.certified_members, [[0.5, 0.5]], [[0.25, 0.5]])
    refuses("only_candidate", bounds.paired_dominance, [0.5], [1])
    refuses("only_other", bounds.paired_dominance, [1], [1, 2])
    refuses("p_values", bounds.holm, [1.5])
