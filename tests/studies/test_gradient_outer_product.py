"""Average gradient outer products: closed forms against finite differences, exact facts, refusals."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.studies import get_study
from moltheory.studies._collapse import etf_deviation, numerical_rank, variability
from moltheory.studies._torch import TorchMissingError
from moltheory.studies.gradient_outer_product import (
    LaplaceRegression,
    ReluNetwork,
    collapsed_kernel_value,
    digit_split,
    geometric_mean,
    image_split,
    linear_outer_product,
    matrix_correlation,
    matrix_root,
    model_objectives,
    optimal_kernel,
    pair_distances,
    recursive_features,
    right_half,
    sign_targets,
    train_network,
)
from moltheory.studies.gradient_outer_product._networks import correlations

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed: pip install torch")


def _central(function, x, step):
    """Gradients (n, K, d) by central differences."""
    shifts = step * np.eye(x.shape[1])
    return np.stack([(function(x + e) - function(x - e)) / (2 * step) for e in shifts], axis=-1)


def _regression(rng, n=12, d=4, k=3, bandwidth=2.0):
    return LaplaceRegression.fit(
        rng.standard_normal((n, d)), rng.standard_normal((n, k)), bandwidth=bandwidth, ridge=1e-8
    )


# Laplace kernels


@pytest.mark.parametrize("bandwidth", [0.7, 2.0, 9.0])
def test_gradients_are_central_differences_away_from_centers(rng, bandwidth):
    model = _regression(rng, bandwidth=bandwidth)
    x = rng.standard_normal((6, 4))
    assert np.allclose(model.gradients(x), _central(model.predict, x, 1e-5), atol=1e-7, rtol=1e-7)


def test_at_centers_only_central_differences_agree(rng):
    model = _regression(rng)
    x = model.centers
    step = 1e-5
    exact = model.gradients(x)
    assert np.allclose(exact, _central(model.predict, x, step), atol=1e-7, rtol=1e-7)
    forward = np.stack([(model.predict(x + e) - model.predict(x)) / step for e in step * np.eye(x.shape[1])], axis=-1)
    # The cusp: one-sided differences miss by the coefficient over the bandwidth.
    assert np.allclose(exact - forward, (model.coefficients / model.bandwidth)[:, :, None], atol=1e-3)


@pytest.mark.parametrize("shape", [(12, 4, 3), (5, 9, 1), (30, 2, 5)])
def test_outer_product_is_that_of_central_differences(rng, shape):
    model = _regression(rng, *shape)
    slopes = _central(model.predict, model.centers, 1e-5)
    assert np.allclose(model.outer_product(), np.einsum("ncd,nce->de", slopes, slopes) / shape[0], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-6, 1e-3])
def test_outer_product_is_that_of_gradients_even_for_near_pairs(rng, gap):
    x = rng.standard_normal((14, 5))
    x[7:] = x[:7] + gap * rng.standard_normal((7, 5))
    y = np.repeat(rng.standard_normal((7, 3)), 2, axis=0).reshape(2, 7, 3)[0]
    model = LaplaceRegression.fit(x, np.concatenate([y, y]), ridge=1e-6)
    slopes = model.gradients(x)
    expected = np.einsum("ncd,nce->de", slopes, slopes) / len(x)
    found = model.outer_product()
    assert np.allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())
    assert np.array_equal(found, found.T)


def test_regression_solves_its_system(rng):
    model = _regression(rng)
    x = model.centers
    naive = np.exp(-np.linalg.norm(x[:, None] - x, axis=-1) / 2)
    assert np.allclose(model.predict(x), naive @ model.coefficients, atol=1e-10)


@pytest.mark.parametrize("gap", [1.0, 1e-4, 1e-8, 1e-13])
def test_distances_keep_their_digits_for_near_rows(rng, gap):
    x = rng.standard_normal((20, 6))
    z = x[::-1] + gap * rng.standard_normal((20, 6))
    naive = np.linalg.norm(x[:, None] - z, axis=-1)
    assert np.allclose(pair_distances(x, z), naive, rtol=1e-8, atol=0)
    assert (np.diag(pair_distances(x, x)) == 0).all()


def test_matrix_root_squares_to_the_matrix(rng):
    a = rng.standard_normal((3, 6))
    root, values = matrix_root(a.T @ a)
    assert np.allclose(root @ root, a.T @ a, atol=1e-12)
    assert (values >= 0).all()
    assert np.allclose(root, root.T)


# Exact facts


@pytest.mark.parametrize(("n_classes", "per_class", "d"), [(2, 4, 8), (3, 5, 20), (10, 3, 31)])
@pytest.mark.parametrize("signs", [False, True])
def test_one_linear_layer_collapses(rng, n_classes, per_class, d, signs):
    labels = np.repeat(np.arange(n_classes), per_class)
    x = rng.standard_normal((len(labels), d))
    y = sign_targets(labels, n_classes)
    y = y if signs else (y + 1) / 2
    m = linear_outer_product(x, y)
    mixed = x @ matrix_root(m)[0]
    assert np.abs(mixed @ mixed.T - y @ y.T).max() < 1e-10
    assert np.abs(x @ m @ x.T - y @ y.T).max() < 1e-10
    assert variability(x, labels) > 0.5
    assert variability(mixed, labels) < 1e-10


@needs_torch
def test_outer_product_of_a_linear_network_is_that_of_its_weights(rng):
    weight = rng.standard_normal((3, 5))
    net = ReluNetwork((weight,), (rng.standard_normal(3),))
    x = rng.standard_normal((7, 5))
    assert np.allclose(net.outer_products(x)[0], weight.T @ weight, rtol=1e-13)


@pytest.mark.parametrize(("n_classes", "per_class", "ridge"), [(2, 3, 0.5), (3, 2, 0.1), (4, 2, 1.0), (5, 2, 0.3)])
def test_collapsed_kernel_is_optimal_for_labels_of_0_and_1(n_classes, per_class, ridge):
    y = np.repeat(np.eye(n_classes), per_class, axis=0)
    kernel, value = optimal_kernel(y, ridge=ridge)
    closed = collapsed_kernel_value(n_classes, per_class, ridge)
    assert value == pytest.approx(closed, abs=1e-6)
    assert np.abs(kernel - y @ y.T).max() < 1e-6
    assert np.trace(y.T @ np.linalg.inv(y @ y.T + ridge * np.eye(len(y))) @ y) == pytest.approx(closed, abs=1e-12)


@pytest.mark.parametrize(("n_classes", "is_optimal"), [(2, False), (3, False), (4, True), (5, False)])
def test_for_signs_it_is_optimal_with_four_classes_only(n_classes, is_optimal):
    # For K = 4 rows of signs of different classes are orthogonal; else a kernel that is not block diagonal is better.
    labels = np.repeat(np.arange(n_classes), 2)
    y = sign_targets(labels, n_classes)
    blocks = (labels[:, None] == labels) + 0.3 * np.eye(len(labels))
    collapsed = np.trace(y.T @ np.linalg.inv(blocks) @ y)
    value = optimal_kernel(y, ridge=0.3)[1]
    if is_optimal:
        assert value == pytest.approx(collapsed, abs=1e-6)
        assert value == pytest.approx(4 * collapsed_kernel_value(4, 2, 0.3), abs=1e-6)
    else:
        assert value < collapsed - 0.1


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
def test_half_a_layer_has_its_nc1(rng, shape):
    weight = rng.standard_normal(shape)
    x, labels = rng.standard_normal((30, shape[1])), np.arange(30) % 3
    half, whole = variability(x @ right_half(weight).T, labels), variability(x @ weight.T, labels)
    assert half == pytest.approx(float(whole), rel=1e-12)


# Networks


def _network(rng, widths=(4, 6, 5, 3)):
    pairs = list(zip(widths[1:], widths[:-1], strict=True))
    return ReluNetwork(
        tuple(rng.standard_normal(pair) for pair in pairs), tuple(rng.standard_normal(p) for p, _ in pairs)
    )


@needs_torch
def test_outer_products_of_networks_are_those_of_central_differences(rng):
    net = _network(rng)
    x = rng.standard_normal((9, 4))
    inputs, found = net.inputs(x), net.outer_products(x)
    for k in range(3):
        rest = ReluNetwork(net.weights[k:], net.biases[k:])
        slopes = _central(rest.outputs, inputs[k], 1e-6)
        # Inputs of later layers lie on the kinks of the ReLU before them, which `rest` does not see.
        assert np.allclose(found[k], np.einsum("ncd,nce->de", slopes, slopes) / 9, rtol=1e-6, atol=1e-7)


@needs_torch
def test_outer_products_follow_the_chain_rule_unit_by_unit(rng):
    """Sum over examples of (W_L D ... D W_l)'(W_L D ... D W_l), D the units that are on, written out."""
    net = _network(rng)
    x = rng.standard_normal((9, 4))
    inputs, found = net.inputs(x), net.outer_products(x)
    for layer in range(3):
        expected = np.zeros((net.weights[layer].shape[1],) * 2)
        for i in range(9):
            slope = net.weights[layer]
            for after in range(layer + 1, 3):
                slope = net.weights[after] @ np.diag(inputs[after][i] > 0) @ slope
            expected += slope.T @ slope / 9
        assert np.allclose(found[layer], expected, rtol=1e-13, atol=1e-13)
        assert np.allclose(found[layer], found[layer].T, rtol=0, atol=1e-15 * np.abs(expected).max() * 9)


@needs_torch
def test_correlation_on_one_layer_by_hand():
    # W'W has entries 1, 0, 0, 4 and its root 1, 0, 0, 2.
    net = ReluNetwork((np.array([[1.0, 0.0], [0.0, 2.0]]),), (np.zeros(2),))
    expected = np.corrcoef([1, 0, 0, 4], [1, 0, 0, 2])[0, 1]
    assert matrix_correlation(net, [[1.0, 1.0]])[0] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(matrix_correlation(net, [[1.0, 1.0]], off_diagonal=True)[0])


def test_without_torch_gradients_of_networks_are_refused(monkeypatch, rng):
    monkeypatch.setitem(sys.modules, "torch", None)
    net = _network(rng)
    assert net.outputs(np.ones((1, 4))).shape == (1, 3)
    with pytest.raises(TorchMissingError, match="`torch` must be installed"):
        net.outer_products(np.ones((1, 4)))
    # The study is refused before the recursion, which would take minutes and needs no torch.
    monkeypatch.setattr("moltheory.studies.gradient_outer_product._study.recursion_sweep", None)
    study = get_study("average-gradient-outer-product")
    assert study.needs_torch
    with pytest.raises(TorchMissingError):
        study.compute(Settings(quick=True))


def test_nc1_by_stage_is_that_of_the_whole_layers(rng):
    net = _network(rng)
    x, labels = rng.standard_normal((30, 4)), np.arange(30) % 3
    found = net.variability(x, labels)
    inputs = net.inputs(x)
    assert found.shape == (2, 3)
    assert found[1, 0] == found[0, 2] == variability(inputs[1], labels)
    assert found[0, 1] == pytest.approx(float(variability(x @ net.weights[0].T + net.biases[0], labels)))


@needs_torch
def test_correlation_of_a_perfect_match_is_one(rng):
    # For one orthonormal layer W'W is a projection, its own root.
    weight = np.linalg.qr(rng.standard_normal((5, 3)))[0].T
    net = ReluNetwork((weight,), (np.zeros(3),))
    for off_diagonal in (False, True):
        assert matrix_correlation(net, np.ones((2, 5)), off_diagonal=off_diagonal)[0] == pytest.approx(1.0)


@needs_torch
def test_training_follows_the_recipe_and_fits():
    x, labels, _, _ = image_split(ImageSource(), 0, 0, 100, 50)
    options = {"hidden": (64, 32), "rate": 2e-3, "seed": 3}
    start, end = train_network(x, labels, gain=0.5, epochs=150, **options)
    again, early = train_network(x, labels, gain=0.5, epochs=1, **options)
    half, _ = train_network(x, labels, gain=0.25, epochs=1, **options)
    assert start.biases == end.biases == ()
    for one, two, three in zip(start.weights, again.weights, early.weights, strict=True):
        assert np.array_equal(one, two)
        # Adam's first step is the rate, whatever the gradient.
        assert 0 < np.abs(one - three).max() < 0.003
    # Glorot's limits times the gain in hidden layers, torch's default in the last one.
    for one, small in zip(start.weights[:-1], half.weights[:-1], strict=True):
        limit = 0.5 * np.sqrt(6 / sum(one.shape))
        assert 0.9 * limit < np.abs(one).max() <= limit * (1 + 1e-6)
        assert np.allclose(small, one / 2, rtol=1e-5)
    assert 0.9 < np.abs(start.weights[-1]).max() * np.sqrt(32) <= 1 + 1e-6
    assert (end.outputs(x).argmax(axis=1) == labels).mean() > 0.95 > (start.outputs(x).argmax(axis=1) == labels).mean()
    # Squared loss: outputs come close to the labels of -1 and 1 themselves.
    assert np.square(end.outputs(x) - sign_targets(labels, 10)).mean() < 0.1


@needs_torch
def test_rounds_go_on_until_the_images_are_fitted():
    x, labels, _, _ = image_split(ImageSource(), 0, 0, 100, 50)
    options = {"hidden": (32,), "gain": 0.1, "rate": 2e-3, "seed": 3}

    def error(network):
        return (network.outputs(x).argmax(axis=1) != labels).mean()

    short, long, twice = (
        train_network(x, labels, epochs=epochs, rounds=rounds, **options)[1]
        for epochs, rounds in ((5, 1), (5, 60), (10, 1))
    )
    assert error(short) > 0.01 >= error(long)
    # Rounds go on with the same network, and one that is fitted is left alone.
    pair = train_network(x, labels, epochs=5, rounds=2, **options)[1]
    assert all(np.array_equal(one, two) for one, two in zip(pair.weights, twice.weights, strict=True))
    fitted = [train_network(x, labels, epochs=120, rounds=rounds, **options)[1] for rounds in (1, 3)]
    assert error(fitted[0]) <= 0.01
    assert all(np.array_equal(one, two) for one, two in zip(fitted[0].weights, fitted[1].weights, strict=True))


@needs_torch
def test_correlations_come_from_one_pass(rng):
    net = _network(rng)
    x = rng.standard_normal((9, 4))
    both = correlations(net, x)
    assert both.shape == (2, 3)
    assert np.array_equal(both[0], matrix_correlation(net, x))
    assert np.array_equal(both[1], matrix_correlation(net, x, off_diagonal=True))


def test_a_network_without_biases_has_zeros(rng):
    net = _network(rng)
    plain = ReluNetwork(net.weights)
    zeros = ReluNetwork(net.weights, tuple(np.zeros_like(one) for one in net.biases))
    x = rng.standard_normal((9, 4))
    assert np.array_equal(plain.outputs(x), zeros.outputs(x))


# Deep recursive features


def _naive_layers(x, labels, n_classes, depth, width, seed):
    """ReLU features again, from definitions alone."""
    from moltheory.runs import as_seed_sequence, block_stream

    found = []
    for layer in range(depth):
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        model = LaplaceRegression.fit(x, sign_targets(labels, n_classes), ridge=1e-6)
        slopes = model.gradients(x)
        values, vectors = np.linalg.eigh(np.einsum("ncd,nce->de", slopes, slopes) / len(x))
        mixed = x @ vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
        weights = block_stream(as_seed_sequence(seed), "recursive features", layer).standard_normal((width, x.shape[1]))
        after = np.maximum(mixed @ weights.T, 0)
        found.append([variability(one, labels) for one in (x, mixed, after)])
        x = after
    return np.array(found)


def test_more_dimensions_than_examples_change_nothing():
    """With d > N the root is found among the examples' directions alone; rotated copies of few dimensions agree."""
    x, labels, z, test_labels = digit_split(0, 0, 90, 60)
    x, z = x[:, 10:20], z[:, 10:20]
    kept = x.any(axis=1), z.any(axis=1)
    x, labels, z, test_labels = x[kept[0]], labels[kept[0]], z[kept[1]], test_labels[kept[1]]
    wide = np.linalg.qr(np.random.default_rng(0).standard_normal((300, 10)))[0].T
    small, large = (
        recursive_features(x @ one, labels, z @ one, test_labels, depth=1, width=40, rng=5)
        for one in (np.eye(10), wide)
    )
    assert np.allclose(small.variability[:, :2], large.variability[:, :2], rtol=1e-8)
    assert np.allclose(small.test_variability[:, :2], large.test_variability[:, :2], rtol=1e-8)
    assert np.array_equal(small.predictions[0], large.predictions[0])
    assert small.matrix_ranks[0] == large.matrix_ranks[0]
    # The control of equal spectrum keeps it.
    random = recursive_features(x @ wide, labels, z @ wide, test_labels, depth=1, width=40, matrix="random", rng=5)
    assert random.matrix_ranks[0] == large.matrix_ranks[0]


def test_gram_matrices_are_cosines_sorted_by_class():
    x, labels, z, test_labels = digit_split(0, 0, 120, 60)
    found = recursive_features(x, labels, z, test_labels, depth=2, width=40, shown=3, rng=5)
    assert found.gram.shape == (3, 30, 30)
    assert np.allclose(np.diagonal(found.gram, axis1=1, axis2=2), 1.0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    centered = unit - unit.mean(axis=0)
    pair = [np.flatnonzero(labels == c)[0] for c in (0, 1)]
    cosine = centered[pair[0]] @ centered[pair[1]] / np.prod(np.linalg.norm(centered[pair], axis=1))
    assert found.gram[0, 0, 3] == pytest.approx(cosine)
    blocks = np.kron(np.eye(10), np.ones((3, 3))) == 1
    # Cosines within classes grow with depth.
    assert found.gram[2][blocks].mean() > found.gram[0][blocks].mean() + 0.1


def test_frame_deviation_is_nc2_of_the_stages():
    x, labels, z, test_labels = digit_split(0, 0, 120, 60)
    found = recursive_features(x, labels, z, test_labels, depth=1, width=40, rng=5)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert found.frame_deviation.shape == (1, 3)
    assert found.frame_deviation[0, 0] == etf_deviation(unit, labels)


def test_recursion_follows_its_definition():
    x, labels, z, test_labels = digit_split(0, 0, 120, 60)
    found = recursive_features(x, labels, z, test_labels, depth=3, width=40, rng=5)
    assert np.allclose(found.variability, _naive_layers(x, labels, 10, 3, 40, 5), rtol=1e-6)
    assert np.array_equal(found.input_variability[:3], found.variability[:, 0])
    assert found.predictions.shape == (4, 60)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert found.ranks[0] == numerical_rank(unit, tolerance=1e-2)


def test_controls_share_the_random_features_and_the_start():
    x, labels, z, test_labels = digit_split(0, 1, 120, 60)
    kinds = {
        matrix: recursive_features(x, labels, z, test_labels, depth=1, width=40, matrix=matrix, rng=5)
        for matrix in ("gradients", "identity", "random")
    }
    starts = [one.variability[0, 0] for one in kinds.values()]
    assert starts[0] == starts[1] == starts[2]
    same = kinds["identity"]
    assert same.variability[0, 1] == pytest.approx(same.variability[0, 0], rel=1e-12)
    # Equal spectrum.
    assert kinds["random"].matrix_ranks[0] == kinds["gradients"].matrix_ranks[0]
    assert kinds["gradients"].variability[0, 1] < 0.6 * starts[0]


@pytest.mark.parametrize("feature_map", ["relu", "fourier"])
def test_recursion_leaves_its_inputs_alone_and_repeats(feature_map):
    x, labels, z, test_labels = digit_split(0, 0, 100, 50)
    before = x.copy(), z.copy()
    runs = [
        recursive_features(x, labels, z, test_labels, depth=2, width=30, feature_map=feature_map, rng=1)
        for _ in range(2)
    ]
    assert np.array_equal(x, before[0])
    assert np.array_equal(z, before[1])
    assert np.array_equal(runs[0].variability, runs[1].variability)


# Refusals


def test_refusals(refuses, rng):
    x, labels = rng.standard_normal((6, 2)), np.arange(6) % 2
    good = (x, labels, x, labels)
    refuses("depth", recursive_features, *good, depth=0, rng=0)
    refuses("width", recursive_features, *good, depth=1, width=0, rng=0)
    refuses("feature_map", recursive_features, *good, depth=1, feature_map="sine", rng=0)
    refuses("matrix", recursive_features, *good, depth=1, matrix="zero", rng=0)
    refuses("bandwidth", recursive_features, *good, depth=1, bandwidth=0.0, rng=0)
    refuses("ridge", recursive_features, *good, depth=1, ridge=0.0, rng=0)
    refuses("train", recursive_features, 0 * x, labels, x, labels, depth=1, rng=0)
    refuses("labels", recursive_features, x, labels[:5], x, labels, depth=1, rng=0)
    refuses("labels", recursive_features, x, 2 * labels, x, labels, depth=1, rng=0)
    refuses("test_labels", recursive_features, x, labels, x, 2 * labels, depth=1, rng=0)
    refuses("test", recursive_features, x, labels, np.ones((6, 3)), labels, depth=1, rng=0)
    refuses("features", linear_outer_product, np.ones((3, 5)), np.ones((3, 1)))
    refuses("targets", linear_outer_product, np.eye(3), np.ones((2, 1)))
    refuses("targets", LaplaceRegression.fit, x, np.ones((2, 1)))
    refuses("points", LaplaceRegression.fit(x, x).predict, np.ones((2, 3)))
    refuses("b", pair_distances, x, np.ones((2, 3)))
    refuses("matrix", matrix_root, np.ones((2, 3)))
    refuses("labels", sign_targets, [0, 3], 3)
    refuses("per_class", collapsed_kernel_value, 2, 0, 1.0)
    refuses("ridge", optimal_kernel, np.eye(2), ridge=-1.0)
    refuses("weights", ReluNetwork, (np.eye(2), np.eye(3)), (np.zeros(2), np.zeros(3)))
    recipe = {"hidden": (2,), "gain": 0.1, "rate": 1e-3, "epochs": 1, "seed": 0}
    for name, value in (
        ("epochs", 0),
        ("gain", 0.0),
        ("rate", 0.0),
        ("hidden", (0,)),
        ("seed", -1),
        ("batch", 0),
        ("rounds", 0),
    ):
        refuses(name, train_network, x, labels, **(recipe | {name: value}))
    refuses("rounds", train_network, x, labels, rounds=0, **recipe)
    refuses("labels", train_network, x, labels - 1, **recipe)
    refuses("shown", recursive_features, *good, depth=1, shown=-1, rng=0)
    refuses("values", geometric_mean, [0.0, 1.0])


def test_objectives_refuse_a_table_without_them(refuses):
    import pandas as pd

    refuses("models", model_objectives, pd.DataFrame({"rank": [1]}))
