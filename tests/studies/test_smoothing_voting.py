"""Votes, spreads, curves: any classifier smoothed, and what is refused."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import beta, binom
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from moltheory.studies.smoothing import (
    ConstantSigma,
    NeighborSigma,
    Network,
    SmoothedClassifier,
    certified_accuracy,
    certified_radius,
    certified_votes,
    class_accuracies,
    class_deviation,
    digits_split,
    neighbor_distances,
    train_network,
    upper_other,
)


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


def test_network_is_scikit_learns():
    split = digits_split(3, n_test=300)
    assert set(np.unique(split.test_labels)) == set(range(10))
    parts = train_network(split, 0.2, seed=3, epochs=2)
    network = Network((parts["weights_1"], parts["weights_2"]), (parts["offsets_1"], parts["offsets_2"]))
    assert network.multiplications == 64 * 64 + 64 * 10
    assert (network(split.test) == split.test_labels).mean() > 0.7
    with pytest.warns(ConvergenceWarning):
        peer = MLPClassifier((64,), max_iter=1, random_state=0).fit(split.test, split.test_labels)
    peer.coefs_, peer.intercepts_ = list(network.weights), list(network.offsets)
    np.testing.assert_array_equal(network(split.test), peer.predict(split.test))


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
