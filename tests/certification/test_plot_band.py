"""The band of the certificate's figure holds the whole true staircase, with the promised probability, and is no wider."""

import itertools
import math
import warnings

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification._plot_band import certain_band, possible, stairs
from tests.certification._pictures import certificate_of_points

BEST, WORST = np.array([-0.5, -0.5]), np.array([1.5, 1.5])


def dominated(points, query, sign):
    """Whether some point is at least as good as the query in both objectives, one comparison at a time."""
    return any(all(s * a <= s * b for s, a, b in zip(sign, p, query, strict=True)) for p in points)


def inside(truth, best, worst, sign):
    """Whether the region that the truth dominates lies between those of the worst and of the best corners."""
    return all(dominated(truth, w, sign) for w in worst) and all(dominated(best, t, sign) for t in truth)


@pytest.mark.parametrize("maximise", list(itertools.product([False, True], repeat=2)))
def test_stairs_bound_what_points_dominate(maximise, rng):
    sign = np.where(maximise, -1.0, 1.0)
    best, worst = np.where(maximise, 1.5, -0.5), np.where(maximise, -0.5, 1.5)
    for _ in range(20):
        points = np.round(rng.random((rng.integers(1, 8), 2)), 1)  # with ties
        path = stairs(points, maximise, best, worst)
        assert (path[1:] == path[:-1]).any(axis=1).all()  # steps along the axes
        assert path[0, 1] == worst[1]
        assert path[-1, 0] == worst[0]
        for a, b in itertools.pairwise(path):
            for place in (a + t * (b - a) for t in (0.0, 0.37, 1.0)):
                # On the boundary: dominated, and not so a hair nearer to the best in both.
                assert dominated(points, place + 1e-9 * sign, sign) or np.isclose(place, worst).any()
                assert not dominated(points, place - 1e-9 * sign, sign)


def test_infinite_corners_lie_on_the_edges():
    path = stairs(np.array([[-np.inf, 0.5], [0.2, -np.inf]]), [False, False], BEST, WORST)
    np.testing.assert_array_equal(path, [[-0.5, 1.5], [-0.5, 0.5], [0.2, 0.5], [0.2, -0.5], [1.5, -0.5]])


@pytest.mark.parametrize("maximise", list(itertools.product([False, True], repeat=2)))
def test_the_band_holds_every_truth_that_the_boxes_and_verdicts_allow(maximise, rng):
    """Random boxes, true points inside them, and verdicts that are true of these."""
    sign = np.where(maximise, -1.0, 1.0)
    tight = 0
    for _ in range(200):
        low = rng.random((6, 2))
        boxes = np.stack([low, low + 0.4 * rng.random((6, 2))], axis=2)
        truth = boxes[:, :, 0] + rng.random((6, 2)) * (boxes[:, :, 1] - boxes[:, :, 0])
        below = np.array([[a != b and dominated([truth[a]], truth[b], sign) for b in range(6)] for a in range(6)])
        status = np.where(below.any(axis=0) & (rng.random(6) < 0.7), "excluded", "undecided")
        certificate = certificate_of_points(truth, boxes=boxes, status=status, maximise=tuple(maximise))
        best, worst = certain_band(certificate)
        np.testing.assert_array_equal(possible(certificate), status != "excluded")
        assert inside(truth, best, worst, sign)
        # The estimates instead of the corners would not do; so the test can fail.
        middle = boxes.mean(axis=2)
        tight += not inside(truth, middle, middle, sign)
    assert tight > 150


def test_other_promises_rely_on_claims_of_dominance_only():
    estimates = np.array([[0.1, 0.1], [0.5, 0.5], [0.6, 0.6]])
    dominates = np.zeros((3, 3), dtype=bool)
    dominates[0, 2] = True
    for error in ("any", "one", "share"):
        certificate = certificate_of_points(estimates, dominates=dominates, error=error)
        assert certificate.excluded.tolist() == [False, True, True]
        assert possible(certificate).tolist() == [True, error != "any", False]


def test_the_band_is_as_narrow_as_it_can_be(rng):
    """Its edges are reached: all true values at the best corners, or all at the worst."""
    estimates = rng.random((5, 2))
    certificate = certificate_of_points(estimates, status=["undecided"] * 5)
    best, worst = certain_band(certificate)
    np.testing.assert_array_equal(best, estimates - 0.03)
    np.testing.assert_array_equal(worst, estimates + 0.03)


def _types(n, outcomes):
    """Yield all ways in which n examples fall on some outcomes."""
    for bars in itertools.combinations(range(n + outcomes - 1), outcomes - 1):
        yield np.diff([-1, *bars, n + outcomes - 1]) - 1


def test_the_true_front_lies_in_the_band_with_the_promised_probability_exactly():
    """Every sample of 12 examples of a world of three outcomes, weighted by its probability; delta = 0.6."""
    losses = np.array([[[0, 1], [1, 0], [1, 1]], [[0, 0], [0, 0], [0, 1]], [[1, 0], [0, 1], [1, 0]]])
    probabilities, n, delta = np.array([0.5, 0.3, 0.2]), 12, 0.6
    truth = np.einsum("s,shi->hi", probabilities, losses.astype(float))
    failed = whole = 0.0
    for counts in _types(n, 3):
        weight = math.factorial(n) * np.prod(
            [p**k / math.factorial(k) for p, k in zip(probabilities, counts, strict=True)]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mt.errors.DataWarning)
            certificate = mt.certify(np.repeat(losses, counts, axis=0).astype(bool), delta=delta, method="boxes")
        best, worst = certain_band(certificate)
        whole += weight
        failed += weight * (not inside(truth, best, worst, (1, 1)))
    assert whole == pytest.approx(1.0)
    assert 0.0 < failed <= delta


def test_the_drawn_band_holds_the_true_staircase():
    """Points of the true staircase are inside the polygon, whenever the true values are inside the boxes."""
    from matplotlib.path import Path

    for seed in range(2):
        random = np.random.default_rng(seed)
        truth = 0.2 + 0.6 * random.random((4, 2))
        estimates = truth + 0.03 * (2 * random.random((4, 2)) - 1)
        ax = certificate_of_points(estimates, status=["undecided"] * 4).plot()
        (band,) = [patch for patch in ax.patches if patch.get_gid() == "band"]
        edges = np.array([ax.get_xlim(), ax.get_ylim()])
        path = stairs(truth, [False, False], edges[:, 0], edges[:, 1])
        places = np.concatenate(
            [a + np.linspace(0.02, 0.98, 30)[:, None] * (b - a) for a, b in itertools.pairwise(path)]
        )
        polygon = Path(band.get_xy())
        assert (
            polygon.contains_points(places, radius=1e-9).mean() > 0.999
            or polygon.contains_points(places, radius=-1e-9).all()
        )
        # And what is clearly dominated, or clearly out of reach, is not.
        assert not polygon.contains_points([truth.max(axis=0) + 0.1, truth.min(axis=0) - 0.1]).any()
