"""Active learning on top of fully-connected layers: queries, predicted losses, and training on other machines."""

from itertools import combinations

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.images import digit_images
from moltheory.studies._augmentation import Augmentation
from moltheory.studies._machine import Machine
from moltheory.studies.fully_connected import (
    QUERIES,
    LossPredictor,
    Plan,
    Recipe,
    _training,
    active_learning,
    core_set,
    headed_network,
    logits,
    pixel_statistics,
    predictive_entropy,
    queried,
    train_network,
)
from tests.studies.test_fully_connected import RECIPE, ROOT, fresh, same_bits, state

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")


@pytest.fixture(scope="module")
def data():
    return digit_images("digits", root=ROOT)


# Queries


def test_entropy_against_the_definition(rng):
    outputs = rng.normal(scale=3.0, size=(20, 4))
    p = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    assert np.allclose(predictive_entropy(outputs), -(p * np.log(p)).sum(axis=1), atol=1e-13)
    assert np.allclose(predictive_entropy(np.zeros((2, 10))), np.log(10))


def test_queries(rng, refuses):
    places = np.array([4, 7, 8, 20])
    assert queried(places, 2, scores=[0.5, 0.9, 0.5, 0.1], rng=rng).tolist() == [7, 4]
    assert set(queried(places, 3, scores=None, rng=rng).tolist()) <= set(places.tolist())
    refuses("count", queried, places, 5, scores=None, rng=rng)
    refuses("scores", queried, places, 1, scores=[0.1], rng=rng)


def test_the_greedy_cover_against_its_definition(rng, refuses):
    points, centers = rng.normal(size=(30, 3)), rng.normal(size=(4, 3))
    found = core_set(points, centers, 10)
    covered = list(centers)
    for place in found:
        distances = [min(np.linalg.norm(point - center) for center in covered) for point in points]
        assert np.isclose(distances[place], max(distances))
        covered.append(points[place])
    assert len(set(found.tolist())) == 10
    # Copies of a labelled image come last, and none twice.
    assert core_set([[0.0], [0.0], [3.0]], [[0.0]], 3).tolist() == [2, 0, 1]
    refuses("count", core_set, points, centers, 31)
    refuses("labelled", core_set, points, np.empty((0, 3)), 1)
    refuses("labelled", core_set, points, rng.normal(size=(2, 2)), 1)


def test_a_greedy_cover_is_at_most_twice_as_wide_as_the_best(rng):
    """The promise of greedy k-center, against all choices of three centers."""
    points, centers = rng.normal(size=(12, 2)), rng.normal(size=(1, 2))

    def radius(chosen):
        covered = np.concatenate([centers, points[list(chosen)]])
        return max(np.linalg.norm(covered - point, axis=1).min() for point in points)

    best = min(radius(chosen) for chosen in combinations(range(12), 3))
    assert best - 1e-12 <= radius(core_set(points, centers, 3)) <= 2 * best


# Predicted losses


def test_the_loss_predictor_taps_the_last_layer_of_each_resolution(data):
    network = fresh(data, "plain")
    predictor = LossPredictor(network, data.shape, head="plain", rng=ROOT)
    # Widths 4 and 8: one layer of 128 outputs for each of the two resolutions, and one number in the end.
    sizes = [tuple(parameter.shape) for parameter in predictor.module.parameters()]
    assert sizes == [(128, 4), (128,), (128, 8), (128,), (1, 256), (1,)]
    images = torch.rand(5, *data.shape)
    with torch.no_grad():
        assert predictor.predicted(network)(images).shape == (5,)


def test_the_pair_loss_against_its_definition(rng):
    predicted, losses = rng.normal(size=7), rng.random(7)
    found = LossPredictor._pair_loss(torch.tensor(predicted), torch.tensor(losses))
    slow = [
        max(0.0, 1.0 - (1.0 if losses[i] > losses[i + 3] else -1.0) * (predicted[i] - predicted[i + 3]))
        for i in range(3)
    ]
    assert np.isclose(found.item(), np.mean(slow))
    assert LossPredictor._pair_loss(torch.ones(1), torch.ones(1)).item() == 0.0


def test_predicted_losses_learn_the_order_of_the_losses(data):
    network = fresh(data, "OJKD")
    predictor = LossPredictor(network, data.shape, head="plain", rng=ROOT)
    images, labels = data.pool[:100], data.pool_labels[:100].copy()
    labels[:50] = (labels[:50] + 3) % 10  # cannot be learned in a few epochs
    recipe = Recipe(epochs=30, batch=50, rate=0.05)
    train_network(network, images, labels, recipe=recipe, rng=ROOT, predictor=predictor)
    statistics = pixel_statistics(images)
    outputs = torch.tensor(logits(network, images, head="plain", statistics=statistics))
    losses = torch.nn.functional.cross_entropy(outputs, torch.tensor(labels), reduction="none").numpy()
    predicted = _training.evaluated(predictor.predicted(network), images, statistics=statistics)
    order = np.argsort(predicted)
    assert losses[order[-50:]].mean() > losses[order[:50]].mean()


def test_late_in_training_the_trunk_no_longer_follows(data):
    for epoch, follows in ((0, True), (5, True), (6, False), (9, False)):
        network = fresh(data, "plain")
        predictor = LossPredictor(network, data.shape, head="plain", rng=ROOT)
        predictor.follows(epoch, 10)
        _, extra = predictor.losses(network, torch.rand(6, *data.shape), torch.arange(6))
        extra.backward()
        reached = any(one.grad is not None and one.grad.any() for one in network.backbone.parameters())
        assert reached == follows
        assert all(one.grad is not None for one in predictor.module.parameters())


def test_a_trunk_without_images_inside_lends_its_features(data):
    own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 7), torch.nn.ReLU())
    network = headed_network(own, 7, n_classes=10, width=5, rng=ROOT)
    predictor = LossPredictor(network, data.shape, head="plain", rng=ROOT)
    assert tuple(next(predictor.module.parameters()).shape) == (128, 7)
    recipe = Recipe(epochs=1, batch=20)
    train_network(network, data.pool[:20], data.pool_labels[:20], recipe=recipe, rng=ROOT, predictor=predictor)


# Augmentation and machines


def test_augmentation_changes_the_training_and_repeats(data):
    images, labels = data.pool[:32], data.pool_labels[:32]
    found = []
    for augmentation in (None, Augmentation(1, False), Augmentation(1, False)):
        network = fresh(data, "plain")
        train_network(network, images, labels, recipe=RECIPE, rng=ROOT, augmentation=augmentation)
        found.append(state(network.backbone))
    assert same_bits(found[1], found[2])
    assert not same_bits(found[0], found[1])


def test_the_closed_gate_holds_with_augmentation(data):
    images, labels = data.pool[:32], data.pool_labels[:32]
    one, two = fresh(data, "refiner"), fresh(data, "OJKD")
    for network in (one, two):
        train_network(network, images, labels, recipe=RECIPE, rng=ROOT, augmentation=Augmentation(1, False))
    assert same_bits(state(one.backbone), state(two.backbone))


def test_a_checkpoint_of_one_machine_goes_on_on_another(data, tmp_path):
    """Its identity leaves the machine out: more threads, or another device, change last digits only."""
    images, labels = data.pool[:32], data.pool_labels[:32]
    file = tmp_path / "training.pt"
    whole = fresh(data, "plain")
    train_network(whole, images, labels, recipe=RECIPE, rng=ROOT)
    for machine, epochs in ((Machine(threads=2), 2), (Machine(), None)):
        network = fresh(data, "plain")
        train_network(
            network, images, labels, recipe=RECIPE, rng=ROOT, checkpoint=file, machine=machine, stop_after=epochs
        )
    for one, two in zip(whole.module.parameters(), network.module.parameters(), strict=True):
        assert torch.allclose(one, two, rtol=1e-2, atol=1e-3)


def test_the_loop_asks_for_new_images_only_and_repeats(data):
    plan = Plan(
        labels=(20,),
        sweep_labels=20,
        active_start=20,
        active_step=10,
        active_rounds=3,
        recipe=Recipe(epochs=1, batch=20),
    )
    runs = {query: active_learning(data, plan, method="OJKD", query=query, seed=0, root=ROOT) for query in QUERIES}
    for run in runs.values():
        assert run["labels"].tolist() == [20, 30, 40]
        assert len(set(run["order"].tolist())) == 40
    # The first round is shared.
    assert runs["random"]["test_error"][0] == runs["entropy"]["test_error"][0]
    assert np.array_equal(runs["random"]["order"][:20], runs["entropy"]["order"][:20])
    again = active_learning(data, plan, method="OJKD", query="entropy", seed=0, root=ROOT)
    assert all(np.array_equal(again[name], runs["entropy"][name]) for name in again)


def test_plans_are_checked(data, refuses):
    refuses("labels", Plan, labels=(500, 250))
    refuses("sweep_labels", Plan, sweep_labels=3)
    refuses("seeds", Plan, seeds=2)
    refuses("gates", Plan, gates=(1.0,))
    refuses("gates", Plan, gates=(0.3, 0.3))
    refuses("sources", Plan, sources=())
    refuses("methods", Plan, methods=("plain",))
    refuses("trunks", Plan, trunks=("small",))
    refuses("trunks", Plan, trunks=("huge",))
    refuses("queries", Plan, queries=("oracle",))
    refuses("epochs", Recipe, epochs=0)
    with pytest.raises(InvalidInputError, match="at most 1000"):
        Plan(labels=(500, 2000), sweep_labels=500).check_pool(data)
