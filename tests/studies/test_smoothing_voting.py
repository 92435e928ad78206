"""Votes, spreads, curves: any classifier smoothed, and what is refused."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import beta, binom
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from moltheory.images import ImageSource, as_rows
from moltheory.studies.smoothing import (
    ConstantSigma,
    Design,
    NeighborSigma,
    SmoothedClassifier,
    center_and_scale,
    certified_accuracy,
    certified_radius,
    certified_votes,
    class_accuracies,
    class_deviation,
    designs_for,
    image_distances,
    neighbor_distances,
    network_of,
    shared_votes,
    train_network,
    upper_other,
)
from moltheory.studies.smoothing._designs import MATCHED, MOVING


def half_space(x):
    return np.where(x.reshape(len(x), -1)[:, 0] > 0, "up", "down")


@pytest.fixture
def smoothed():
    return SmoothedClassifier(half_space, 0.5, classes=["up", "down"])


def test_votes_do_not_depend_on_the_batch_or_the_other_points(smoothed, rng):
    points = rng.standard_normal((7, 2, 3))
    votes = smoothed.vote(points, sizes=500, rng=5)
    assert (votes.sum(axis=1) == 500).all()
    for batch in (1, 33, 499, 10_000):
        other = SmoothedClassifier(half_space, 0.5, classes=["up", "down"], batch=batch)
        np.testing.assert_array_equal(other.vote(points, sizes=500, rng=5), votes)
    np.testing.assert_array_equal(smoothed.vote(points[:3], sizes=500, rng=5), votes[:3])
    stages = smoothed.vote(points, sizes=[20, 500], rng=5)
    np.testing.assert_array_equal(stages[:, 1], votes)
    np.testing.assert_array_equal(stages[:, 0], smoothed.vote(points, sizes=20, rng=5))
    assert (smoothed.vote(points, sizes=500, rng=5, stream=0) != votes).any()


def test_memory_is_one_batch(rng):
    sizes = []

    def predict(x):
        sizes.append(len(x))
        return half_space(x)

    SmoothedClassifier(predict, 0.5, classes=["up", "down"], batch=64).vote(np.zeros((3, 5)), sizes=100, rng=0)
    assert max(sizes) == 64
    assert sum(sizes) == 300
    sizes.clear()
    SmoothedClassifier(predict, 0.5, classes=["up", "down"]).vote(np.zeros((1, 3, 224, 224)), sizes=65, rng=0)
    assert max(sizes) == 64


def test_progress_is_shown_on_request(smoothed, capsys):
    smoothed.certify(np.ones((2, 3)), n=50, rng=0)
    assert capsys.readouterr().err == ""
    smoothed.certify(np.ones((2, 3)), n=50, rng=0, progress=True)
    assert "votes" in capsys.readouterr().err


def test_votes_are_binomial(smoothed):
    x = np.linspace(-0.6, 0.6, 13)[:, None] * np.array([1.0, 0.0])
    votes = smoothed.vote(x, sizes=4000, rng=3)[:, 0]
    p = ndtr(x[:, 0] / 0.5)
    assert (np.abs(votes - 4000 * p) <= 4.5 * np.sqrt(4000 * p * (1 - p))).all()


def test_certified_radii_are_sound_and_abstain_at_the_boundary(smoothed):
    x = np.array([[0.8, 1.0], [-0.3, 2.0], [0.0, 0.0]])
    before = x.copy()
    found = smoothed.certify(x, n=4000, rng=0, alpha=0.01)
    np.testing.assert_array_equal(x, before)
    assert found.classes.tolist()[:2] == [0, 1]
    assert (found.radii[:2] <= np.abs(x[:2, 0])).all()
    assert (found.radii[:2] >= 0.8 * np.abs(x[:2, 0])).all()
    assert found.abstained.tolist() == [False, False, True]
    assert len(found) == 3
    with pytest.raises(ValueError, match="read-only"):
        found.radii[0] = 1.0
    decided = smoothed.decide(x, n=500, rng=0)
    assert decided.classes.tolist() == [0, 1, -1]
    assert (decided.radii == 0).all()


def test_abstention_is_the_binomial_test(smoothed):
    x = np.array([[t, 0.0] for t in (0.02, 0.04, 0.06, 0.08, 0.1, 0.12)])
    found = smoothed.decide(x, n=400, rng=1, alpha=0.05)
    for votes, one in zip(found.votes, found.classes, strict=True):
        assert (one >= 0) == (2 * binom.sf(votes.max() - 1, 400, 0.5) <= 0.05)


def test_clopper_pearson_of_the_other_classes():
    n = 1000
    counts = np.array([0, 400, 990, 999, 1000])
    exact = beta.ppf(1 - 0.001, n - counts + 1, counts)
    exact[0] = 1.0
    np.testing.assert_allclose(upper_other(counts, n, alpha=0.001), exact, rtol=1e-9)
    assert upper_other(n, n, alpha=0.001) == pytest.approx(-math.expm1(math.log(0.001) / n), rel=1e-9)


@pytest.mark.slow
def test_radii_fail_no_more_often_than_alpha():
    # A half-space at distance 0.3: the certified radius is too large exactly if the bound misses.
    smoothed = SmoothedClassifier(half_space, 0.5, classes=["up", "down"])
    found = smoothed.certify(np.tile([0.3, 0.0], (4000, 1)), n=300, rng=11, alpha=0.05)
    misses = int((found.radii > 0.3).sum())
    assert binom.sf(misses - 1, 4000, 0.05) > 1e-4


def test_certified_votes_of_input_dependent_noise():
    votes = np.array([[990, 10, 0], [3, 997, 0], [400, 300, 300]])
    sigma = np.array([0.4, 0.5, 0.6])
    found = certified_votes(votes, guess=[0, 1, 0], sigma=sigma, rate=0.02, dimension=784, alpha=0.01)
    other = upper_other([990, 997, 400], 1000, alpha=0.01)
    np.testing.assert_array_equal(found.radii, certified_radius(other, sigma=sigma, rate=0.02, dimension=784))
    assert found.classes.tolist() == [0, 1, -1]


def test_neighbor_sigma_is_semi_elastic(rng):
    data = rng.standard_normal((60, 5))
    sigma = NeighborSigma(data, base=0.3, rate=0.7, k=8)
    x, z = 3 * rng.standard_normal((400, 5)), 3 * rng.standard_normal((400, 5))
    z[::2] = x[::2] + 1e-7 * z[::2]
    ratio = np.abs(np.log(sigma(x) / sigma(z)))
    assert (ratio <= 0.7 * np.linalg.norm(x - z, axis=1) + 1e-12).all()
    brute = np.sort(np.linalg.norm(x[:, None] - data, axis=2), axis=1)[:, :8].mean(axis=1)
    np.testing.assert_allclose(sigma.mean_distances(x), brute, rtol=1e-12)
    others = np.sort(np.linalg.norm(data[:, None] - data, axis=2), axis=1)[:, 1:9].mean(axis=1)
    np.testing.assert_allclose(neighbor_distances(data, k=8), others, rtol=1e-12)
    assert sigma.center == pytest.approx(np.median(others), rel=1e-12)
    assert "k=8" in repr(sigma)
    np.testing.assert_array_equal(NeighborSigma(data, base=0.3, rate=0.0)(x), np.full(400, 0.3))


def test_curves(rng):
    radii, correct = rng.random(50), rng.random(50) < 0.7
    distances = np.linspace(0, 1.2, 30)
    found = certified_accuracy(radii, correct=correct, distances=distances)
    np.testing.assert_array_equal(found, [np.mean(correct & (radii >= d)) for d in distances])
    labels = np.arange(50) % 3
    parts = [correct[labels == c].mean() for c in range(3)]
    np.testing.assert_allclose(class_accuracies(correct, labels), parts, rtol=1e-14)
    assert class_deviation(correct, labels) == pytest.approx(np.std(parts))


@pytest.fixture(scope="module")
def digits():
    return ImageSource.of(None).load()


@pytest.fixture(scope="module")
def trained(digits):
    return train_network(as_rows(digits.pool), digits.pool_labels, 0.1, seed=3, steps=120, hidden=(32, 24))


def test_network_is_scikit_learns(digits, trained):
    network, x = network_of(trained), as_rows(digits.test)
    assert network.multiplications == 64 * 32 + 32 * 24 + 24 * 10
    assert (network(x) == digits.test_labels).mean() > 0.8
    with pytest.warns(ConvergenceWarning):
        peer = MLPClassifier((32, 24), max_iter=1, random_state=0).fit(x, digits.test_labels)
    peer.coefs_, peer.intercepts_ = list(network.weights), list(network.offsets)
    np.testing.assert_array_equal(network(x), peer.predict(x))
    again = train_network(as_rows(digits.pool), digits.pool_labels, 0.1, seed=3, steps=120, hidden=(32, 24))
    for name, one in trained.items():
        np.testing.assert_array_equal(one, again[name])


def test_shared_votes_are_those_of_the_smoothed_classifier(digits, trained):
    network, x, sigma = network_of(trained), as_rows(digits.test)[:40], 0.3
    found = shared_votes(network, x, np.full((1, 40), sigma), sizes=[3000], rng=0, stream=1)[0, :, 0]
    peer = SmoothedClassifier(network, sigma, classes=range(10)).vote(x, sizes=3000, rng=1)
    share = (found + peer) / 6000
    z = (found - peer) / np.sqrt(np.maximum(6000 * share * (1 - share), 1.0))
    assert np.abs(z).max() < 4.5
    assert (z[share > 0.01] ** 2).mean() < 1.5


def test_shared_votes_have_a_stream_for_each_input(digits, trained):
    network, x = network_of(trained), as_rows(digits.test)[:6]
    deviations = np.stack([np.full(6, 0.1), np.linspace(0.05, 0.4, 6)])
    votes = shared_votes(network, x, deviations, sizes=[100, 1500], rng=5, stream=0)
    assert votes.shape == (2, 6, 2, 10)
    assert (votes.sum(axis=3) == [100, 1500]).all()
    assert (votes[:, :, 1] >= votes[:, :, 0]).all()
    few = shared_votes(network, x[:2], deviations[1:, :2], sizes=[100], rng=5, stream=0)
    np.testing.assert_array_equal(few[0, :, 0], votes[1, :2, 0])
    other = shared_votes(network, x, deviations, sizes=[100, 1500], rng=5, stream=1)
    assert (other != votes).any()


def test_distances_of_images_are_exact(digits):
    images, pool = digits.test[:25], digits.pool[:300]
    brute = np.linalg.norm(as_rows(images)[:, None] - as_rows(pool), axis=2)
    expected = np.sort(brute, axis=1)[:, :20].mean(axis=1)
    np.testing.assert_allclose(image_distances(images, pool, k=20), expected, rtol=1e-13)
    np.testing.assert_allclose(
        image_distances(pool[:50], pool, k=7, skip=1), neighbor_distances(as_rows(pool), k=7)[:50], rtol=1e-13
    )
    # More images than a block of the pool holds.
    many = np.tile(pool, (15, 1, 1, 1))
    np.testing.assert_allclose(image_distances(images, many, k=15), np.sqrt(0) + brute.min(axis=1), rtol=1e-13)


def test_designs_are_the_paper_s_and_scale_with_the_image():
    assert center_and_scale(784) == (1.5, 1.0)
    assert center_and_scale(3072) == (5.0, 1.0)
    center, unit = center_and_scale(64)
    assert (center, unit) == pytest.approx((1.5 * 8 / 28, 8 / 28))
    found = designs_for((0.12, 0.25), (0.005, 0.01), dimension=784)
    assert [one.name for one in found[:5]] == [
        "σ=0.12", "σ=0.12 r=0.005", "σ=0.12 mean of r=0.005", "σ=0.12 r=0.01", "σ=0.12 mean of r=0.01",
    ]  # fmt: skip
    assert {(one.center, one.k) for one in found[1:5]} == {(1.5, 20)}
    small = designs_for((0.25,), (0.01,), dimension=64)[1]
    assert (small.sigma, small.rate) == pytest.approx((0.25 * 8 / 28, 0.01 * 28 / 8))
    # What the price of changing sigma depends on besides N, and the change itself, are the same.
    assert small.rate * small.sigma == pytest.approx(0.25 * 0.01)


def test_deviations_are_those_of_neighbor_sigma(rng):
    data, x = rng.random((80, 5)), rng.random((9, 5))
    design = Design(0.2, 0.7, 0.4, 6, MOVING)
    sigma = design.spread(data)
    held_out = neighbor_distances(data, k=6)
    found = design.deviations(sigma.mean_distances(x), held_out=held_out)
    np.testing.assert_allclose(found, sigma(x), rtol=1e-14)
    same = Design(0.2, 0.7, 0.4, 6, MATCHED).deviations(sigma.mean_distances(x), held_out=held_out)
    np.testing.assert_allclose(same, np.mean(0.2 * np.exp(0.7 * (held_out - 0.4))), rtol=1e-14)
    np.testing.assert_array_equal(Design(0.2).deviations(sigma.mean_distances(x), held_out=held_out), np.full(9, 0.2))
    assert (Design(0.2).certified_rate, design.certified_rate) == (0.0, 0.7)
    assert Design(0.2).spread(data)(x).tolist() == [0.2] * 9


def test_refusals(refuses, smoothed):
    x = np.zeros((2, 3))
    refuses("predict", SmoothedClassifier, "f", 0.5, classes=[0, 1])
    assert "rate" in refuses("sigma", SmoothedClassifier, half_space, lambda x: x[:, 0], classes=[0, 1])
    refuses("sigma", SmoothedClassifier, half_space, 0.0, classes=[0, 1])
    refuses("classes", SmoothedClassifier, half_space, 0.5, classes=[0, 0])
    refuses("batch", SmoothedClassifier, half_space, 0.5, classes=[0, 1], batch=0)
    refuses("points", smoothed.vote, [1.0, 2.0], sizes=5, rng=0)
    refuses("sizes", smoothed.vote, x, sizes=[5, 5], rng=0)
    refuses("sizes", smoothed.vote, x, sizes=0, rng=0)
    refuses("predict", SmoothedClassifier(half_space, 0.5, classes=[0, 1]).vote, x, sizes=5, rng=0)
    refuses("predict", SmoothedClassifier(lambda x: [0], 0.5, classes=[0, 1]).vote, x, sizes=5, rng=0)
    refuses("n", smoothed.certify, x, n=5, rng=0)
    refuses("alpha", smoothed.certify, x, n=50, rng=0, alpha=1.0)
    steep = NeighborSigma(np.eye(3), base=0.5, rate=500.0, k=2, center=0.7071)
    assert "certif" in refuses(
        "rate", SmoothedClassifier(half_space, steep, classes=["up", "down"]).certify, np.eye(3), n=50, rng=0
    )
    refuses("points", steep, 100 * np.ones((1, 3)))
    refuses("points", steep, np.ones((1, 4)))
    refuses("k", NeighborSigma, np.eye(3), base=0.5, rate=0.1, k=3)
    refuses("base", ConstantSigma, -1.0)
    refuses("votes", upper_other, [0.5], 10, alpha=0.1)
    refuses("votes", upper_other, [11], 10, alpha=0.1)
    refuses("votes", certified_votes, [[1, 2], [1, 1]], guess=[0, 0], sigma=1.0, rate=0.0, dimension=2)
    refuses("alpha", upper_other, [1], 10, alpha=2.0)
    refuses("sigma", certified_votes, [[1, 2]], guess=[0], sigma=[1.0, 2.0], rate=0.0, dimension=2)
    refuses("sigma", certified_votes, [[1, 2]], guess=[0], sigma="wide", rate=0.0, dimension=2)
    refuses("sigma", smoothed.vote, x, sizes=5, rng=0, sigma=[1.0])
    refuses("sigma", smoothed.vote, x, sizes=5, rng=0, sigma=[1.0, np.nan])
    refuses("guess", certified_votes, [[1, 2]], guess=[2], sigma=1.0, rate=0.0, dimension=2)
    refuses("correct", certified_accuracy, [0.5], correct=[1, 0], distances=[0.1])
    refuses("radii", certified_accuracy, [-0.5], correct=[1], distances=[0.1])
    refuses("labels", class_accuracies, [True], [[1]])
    refuses("correct", class_accuracies, [1.5], [1])
    refuses("correct", class_accuracies, [1.0, 0.0], [1])
    network = network_of({"weights_1": np.eye(3), "offsets_1": np.zeros(3)})
    refuses("deviations", shared_votes, network, x, np.zeros((1, 2)), sizes=[5], rng=0, stream=0)
    refuses("sizes", shared_votes, network, x, np.ones((1, 2)), sizes=[5, 5], rng=0, stream=0)
    pixels = np.zeros((4, 1, 2, 2), dtype=np.uint8)
    refuses("images", image_distances, pixels / 2, pixels, k=2)
    refuses("k", image_distances, pixels, pixels, k=4, skip=1)
    refuses("kind", Design, 0.1, kind="other")
    refuses("kind", Design(0.1, 0.1, kind=MATCHED).spread, np.zeros((3, 2)))
