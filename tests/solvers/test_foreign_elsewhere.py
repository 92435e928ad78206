"""Where else scalarizations are asked what they declare: shares of delta, excess risks, and remembered values."""

import numpy as np
import pytest

from moltheory.bounds import joint_widths
from moltheory.errors import InvalidInputError
from moltheory.experiments import excess
from moltheory.problems import MultiTaskLeastSquares
from moltheory.scalarization import Chebyshev, PNorm, SmoothChebyshev, WeightedSum
from moltheory.theorems._scalarization_cache import Memory
from tests.testing._foreign_scalarizations import CertifiedSquares, Normalised, Squares, TwoLargest


def shares(u):
    return joint_widths([1000, 50], n_hypotheses=100, delta=0.05, split="optimal", scalarization=u)


class NoWidth(Squares):
    has_width = False


class OtherWidth(Chebyshev):
    """The values of its parent, with a width of its own: the sum of weighted widths, which is valid and larger."""

    def _width(self, widths):
        return (np.array(self.weights) * widths).sum(axis=-1)


@pytest.mark.parametrize(
    "u", [Normalised([1.0, 3.0]), TwoLargest(2), OtherWidth([0.2, 0.8]), PNorm([1.0, 2.0], 3)], ids=repr
)
def test_optimal_shares_are_no_worse_than_equal_ones_for_the_width_of_the_object(u):
    equal = joint_widths([1000, 50], n_hypotheses=100, delta=0.05)
    assert u.width(shares(u).width) <= u.width(equal.width)


def test_a_width_that_is_a_maximum_is_minimised_at_its_kink():
    """Equal weighted widths, as far as the floor lets them: for every form whose width is that maximum."""
    for u in (Chebyshev([1.0, 0.3]), PNorm([1.0, 0.3], np.inf), SmoothChebyshev([1.0, 0.3], 0.1)):
        c = shares(u).width
        assert 1.0 * c[0] == pytest.approx(0.3 * c[1], rel=1e-5)


def test_a_declared_linear_form_gets_the_shares_of_the_sum():
    np.testing.assert_allclose(
        shares(Normalised([1.0, 3.0])).shares, shares(WeightedSum([0.25, 0.75])).shares, rtol=1e-6
    )


def test_an_infinite_width_leaves_equal_shares():
    assert shares(CertifiedSquares([0.5, 0.5])).shares.tolist() == [0.025, 0.025]


def test_objects_without_a_width_are_refused_where_one_is_needed():
    u = NoWidth([0.5, 0.5])
    with pytest.raises(InvalidInputError, match="must be one that has a width for split 'optimal', got NoWidth"):
        shares(u)
    problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    with pytest.raises(InvalidInputError, match="must have a width, got a NoWidth without one for 'mine'"):
        excess(problem, scalarizations={"mine": u}, sizes=[5], replicates=2, rng=0)


def test_excess_risks_of_a_foreign_scalarization_obey_the_inequality():
    problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    table = excess(problem, scalarizations={"mine": Normalised([1.0, 3.0])}, sizes=[20], replicates=20, rng=0)
    same = excess(problem, scalarizations={"mine": WeightedSum([0.25, 0.75])}, sizes=[20], replicates=20, rng=0)
    assert table["rigorous"].all()
    assert (table["excess"] <= table["deviation"] + table["gap"]).all()
    assert table.equals(same)


def test_remembered_values_belong_to_one_object_unless_its_class_says_what_equal_means():
    class Power(WeightedSum):
        """Equal, by its parent, to every other with these weights."""

        def __init__(self, weights, power):
            super().__init__(weights)
            object.__setattr__(self, "power", power)

        def _evaluate(self, values):
            return super()._evaluate(values**self.power)

    one, two = Power([0.5, 0.5], 1.0), Power([0.5, 0.5], 2.0)
    assert one == two
    memory, block = Memory(), np.random.default_rng(0).random((7, 2))
    memory.watch(block)
    for u in (one, two):
        remembered = memory.wrapped({"scalarization": u})["scalarization"]
        assert remembered(block).tolist() == u(block).tolist()
