"""Reach of scalarizations on finite sets: each formula against the scalarization it speaks of."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moltheory.pareto import nondominated
from moltheory.scalarization import Chebyshev, WeightedSum
from moltheory.solvers import chebyshev_weights, geoffrion_constants, largest_augmentation, reachability, supported
from tests.golden import assert_golden, exact
from tests.solvers._samplers import integer_points

FRONT = np.array([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
IDEAL = np.array([-0.1, -0.1])


def _front(points: np.ndarray) -> np.ndarray:
    return points[nondominated(points)]


def test_golden_values() -> None:
    golden = float(exact("reach.augmented_chebyshev.largest_rho"))
    assert largest_augmentation(FRONT, ideal=IDEAL)[1] == pytest.approx(golden, rel=1e-14)
    normalised = largest_augmentation(FRONT, ideal=IDEAL, normalised=True)
    assert normalised[1] == pytest.approx(1.0, abs=1e-14)
    assert_golden(normalised[1], "reach.augmented_chebyshev.largest_rho.normalised")
    assert np.isinf(normalised[[0, 2]]).all()
    assert_golden(geoffrion_constants(FRONT)[1], "reach.geoffrion.middle")


@settings(max_examples=60)
@given(st.sampled_from([2, 3, 4]).flatmap(integer_points))
def test_chebyshev_reaches_every_point_of_a_front_alone(points: np.ndarray) -> None:
    z = points.min(axis=0) - 1.0
    for y in _front(points):
        values = Chebyshev(chebyshev_weights(y, ideal=z), ideal=z)(points)
        equal = (points == y).all(axis=1)
        assert values[equal] == pytest.approx(1.0)
        assert (values[~equal] > 1.0 + 1e-9).all()


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("n_objectives", [2, 3])
def test_augmentation_reaches_up_to_the_largest_one_and_no_further(n_objectives: int, normalised: bool) -> None:
    @settings(max_examples=50)
    @given(integer_points(n_objectives))
    def check(points: np.ndarray) -> None:
        front, z = _front(points), points.min(axis=0) - 0.5
        limits = largest_augmentation(front, ideal=z, normalised=normalised)
        assert (limits > 0.0).all()
        for y, limit in zip(front, limits, strict=True):
            w = chebyshev_weights(y, ideal=z, normalised=normalised)

            def lead(rho: float, w: np.ndarray = w, y: np.ndarray = y) -> float:
                u = Chebyshev(w, ideal=z, augmentation=rho)
                return float(u(points).min() - u(y))

            if np.isinf(limit):
                assert lead(1e3) >= -1e-9
            else:
                assert lead(limit * (1.0 - 1e-6)) >= -1e-12
                assert lead(limit) == pytest.approx(0.0, abs=1e-9)
                assert lead(limit * (1.0 + 1e-3)) < 0.0

    check()


def _slow_geoffrion(points: np.ndarray, k: int) -> float:
    """The definition, word for word."""
    largest = 0.0
    for y in points:
        for i in range(points.shape[1]):
            if y[i] < points[k, i]:
                prices = [(points[k, i] - y[i]) / (y[j] - points[k, j]) for j in range(len(y)) if y[j] > points[k, j]]
                largest = max(largest, min(prices))
    return largest


@settings(max_examples=60)
@given(st.sampled_from([1, 2, 3]).flatmap(integer_points))
def test_geoffrion_constants_follow_the_definition(points: np.ndarray) -> None:
    front = _front(points)
    expected = [_slow_geoffrion(front, k) for k in range(len(front))]
    np.testing.assert_allclose(geoffrion_constants(front), expected, rtol=1e-14)


@settings(max_examples=40)
@given(integer_points(3))
def test_minimisers_of_positive_weights_have_geoffrions_bound(points: np.ndarray) -> None:
    """Geoffrion 1968, theorem 1: a minimiser for w > 0 has M <= (N - 1) max w_j / w_i."""
    front = _front(points)
    constants = geoffrion_constants(front)
    for w in ([1.0, 1.0, 1.0], [1.0, 2.0, 4.0], [5.0, 1.0, 2.0]):
        sums = WeightedSum(w)(front)
        assert (constants[sums == sums.min()] <= 2.0 * max(w) / min(w) + 1e-12).all()


@settings(max_examples=30)
@given(integer_points(3), st.permutations(range(3)))
def test_permutations_and_scales(points: np.ndarray, columns: list[int]) -> None:
    front = _front(points)
    z = front.min(axis=0) - 1.0
    moved = front[::-1][:, columns]
    np.testing.assert_allclose(
        largest_augmentation(moved, ideal=z[columns])[::-1], largest_augmentation(front, ideal=z)
    )
    np.testing.assert_allclose(geoffrion_constants(3.0 * moved - 1.0)[::-1], geoffrion_constants(front))
    # Weights scale by 1/s, and so does the augmentation that goes with them.
    scaled = largest_augmentation(4.0 * front, ideal=4.0 * z)
    np.testing.assert_allclose(4.0 * scaled, largest_augmentation(front, ideal=z))


def test_points_of_equal_sums_do_not_limit_each_other() -> None:
    points = np.array([[0.1, 0.2, 0.7], [0.2, 0.1, 0.7], [0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    assert np.isinf(largest_augmentation(points, ideal=[0.0, 0.0, 0.0])).all()


def test_table() -> None:
    points = np.array([*FRONT.tolist(), [0.9, 0.9], [0.6, 0.6]])
    table = reachability(points, ideal=IDEAL)
    assert table["point"].tolist() == [0, 1, 2, 3, 4]
    assert table["nondominated"].tolist() == [True, True, True, False, True]
    assert table["kind"].tolist() == ["extreme", "unsupported", "extreme", "dominated", "unsupported"]
    np.testing.assert_array_equal(table["supported"], supported(points))
    np.testing.assert_array_equal(table["share"], [0.5, 0.0, 0.5, 0.0, 0.0])
    assert table["lowest_weight"].tolist()[::2][:2] == [0.5, 0.0]
    assert table["largest_augmentation"].isna().tolist() == [False, False, False, True, False]
    assert table["largest_augmentation"][1] == pytest.approx(20 / 7)
    assert table["geoffrion_constant"][4] == pytest.approx(1.5)
    assert "lowest_weight" not in reachability([[0.0, 1.0, 2.0]], ideal=[-1.0] * 3)


@settings(max_examples=20)
@given(integer_points(2))
def test_in_two_objectives_reach_is_ordered(points: np.ndarray) -> None:
    """Weighted sums with w > 0 are the limit of large augmentation: an unlimited point minimises the plain sum."""
    front = _front(points)
    limits = largest_augmentation(front, ideal=front.min(axis=0) - 1.0)
    assume(len(front) > 1)
    sums = front.sum(axis=1)
    np.testing.assert_array_equal(np.isinf(limits), sums == sums.min())
    assert supported(front)[np.isinf(limits)].all()


def test_refusals(refuses) -> None:  # type: ignore[no-untyped-def]
    dominated = [[0.0, 0.0], [1.0, 1.0]]
    refuses("points", largest_augmentation, dominated, ideal=[-1.0, -1.0])
    refuses("points", geoffrion_constants, dominated)
    refuses("points", geoffrion_constants, [])
    refuses("points", geoffrion_constants, [[np.nan, 0.0]])
    refuses("ideal", largest_augmentation, FRONT, ideal=[0.0, -0.1])
    refuses("ideal", largest_augmentation, FRONT, ideal=[-0.1])
    refuses("ideal", reachability, FRONT, ideal=[0.1, -0.1])
    refuses("ideal", chebyshev_weights, [0.0, 1.0], ideal=[0.0, 0.0])
    refuses("ideal", chebyshev_weights, [0.0, 1.0], ideal=[np.nan, 0.0])
    refuses("point", chebyshev_weights, [[0.0, 1.0]], ideal=[-1.0, -1.0])
