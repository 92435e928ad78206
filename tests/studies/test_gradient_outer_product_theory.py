"""The linearized recursion: its bound and its rate, against the definition and the real first layer; and images."""

import numpy as np
import pytest

from moltheory.images import ImageSource
from moltheory.studies._collapse import variability
from moltheory.studies.gradient_outer_product import (
    finite_size_gap,
    finite_sizes,
    image_split,
    laplace_identity,
    linearized_features,
    linearized_layers,
    linearized_rate,
    optimal_kernels,
    recursive_features,
)
from moltheory.studies.gradient_outer_product._linearized import RELU_IDENTITY, centered_targets
from tests.lab.tiny_images import write_cifar10_subset, write_class_folders, write_mnist

_IDENTITIES = [(1.9, 0.36), (0.1, 2.0), (5.0, 0.05), (1.0, 1.0)]


def _unit_rows(rng, n=48, d=15, shift=0.0, n_classes=4):
    labels = rng.permutation(np.arange(n) % n_classes)
    x = rng.standard_normal((n, d)) + shift * np.eye(n_classes, d)[labels]
    return x / np.linalg.norm(x, axis=1, keepdims=True), labels


def _naive(x, labels, noise, floor, depth):
    """Tangents and NC1 with features and weights written out: G = ZZ' + floor I on the training examples."""
    n, y = len(x), centered_targets(labels)
    gram, tangents, spreads, behind = x @ x.T, [], [], []
    basis = np.linalg.svd(y, full_matrices=False)[0][:, : y.shape[1] - 1]
    for _ in range(depth):
        # The root of M maps rows to those with this Gram matrix.
        mapped = gram @ np.linalg.inv(gram + noise * np.eye(n)) @ y
        span = np.linalg.svd(mapped, full_matrices=False)[0][:, : y.shape[1] - 1]
        cosines = np.linalg.svd(basis.T @ span, compute_uv=False)
        tangents.append(np.sqrt(max(1 / cosines.min() ** 2 - 1, 0)))
        spreads.append(float(variability(mapped, labels)))
        mapped *= np.sqrt(n / np.square(mapped).sum())
        # Random features have an independent part of squared length `floor` for each example.
        behind.append(float(variability(np.hstack([mapped, np.sqrt(floor) * np.eye(n)]), labels)))
        gram = mapped @ mapped.T + floor * np.eye(n)
    return np.array(tangents), np.array(spreads), np.array(behind)


@pytest.mark.parametrize(("noise", "floor"), _IDENTITIES)
def test_recursion_follows_its_definition(rng, noise, floor):
    x, labels = _unit_rows(rng)
    found = linearized_features(x @ x.T, labels, kernel_identity=noise, map_identity=floor, depth=4)
    tangents, spreads, behind = _naive(x, labels, noise, floor, 4)
    assert np.allclose(found.tangents, tangents, rtol=1e-6)
    assert np.allclose(found.variability, spreads, rtol=1e-8)
    assert np.allclose(found.feature_variability, behind, rtol=1e-8)


@pytest.mark.parametrize(("noise", "floor"), _IDENTITIES)
@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_no_layer_exceeds_the_proven_bound(rng, noise, floor, shift):
    for n_classes, d in ((2, 5), (4, 15), (8, 60)):
        x, labels = _unit_rows(rng, d=d, shift=min(shift, d), n_classes=n_classes) if d >= n_classes else None
        found = linearized_features(x @ x.T, labels, kernel_identity=noise, map_identity=floor, depth=6)
        ratios = found.tangents[1:] / found.tangents[:-1]
        real = found.tangents[1:] > 1e-12
        assert (ratios <= found.factors * (1 + 1e-9))[real].all()
        assert (found.factors < noise / (noise + floor)).all()
        assert (found.variability <= found.tangents**2 * (1 + 1e-9) + 1e-24).all()


@pytest.mark.parametrize(("noise", "floor"), [(1.9, 0.36), (1.0, 1.0)])
def test_layers_tend_to_the_stated_rate(rng, noise, floor):
    x, labels = _unit_rows(rng)
    depth = 40 if noise > 1 else 12
    found = linearized_features(x @ x.T, labels, kernel_identity=noise, map_identity=floor, depth=depth)
    limit = linearized_rate(48, 4, kernel_identity=noise, map_identity=floor)
    assert found.tangents[-1] / found.tangents[-2] == pytest.approx(limit, rel=1e-4)
    assert found.variability[-1] / found.variability[-2] == pytest.approx(limit**2, rel=1e-3)


def test_without_an_identity_in_the_map_there_is_no_rate(rng):
    # The limit of the bound for b -> 0 is 1: the projection alone does not collapse a second time.
    x, labels = _unit_rows(rng)
    found = linearized_features(x @ x.T, labels, kernel_identity=1.0, map_identity=1e-9, depth=4)
    assert np.allclose(found.tangents, found.tangents[0], rtol=1e-6)


@pytest.mark.parametrize("bandwidth", [0.7, 2.0, 5.0])
def test_identities_are_those_of_the_kernels(bandwidth):
    step = 1e-6
    laplace = lambda r: np.exp(-np.sqrt(2 - 2 * r) / bandwidth)  # noqa: E731
    slope = (laplace(step) - laplace(-step)) / (2 * step)
    assert laplace_identity(bandwidth) == pytest.approx((1 - laplace(0) - slope) / slope, rel=1e-8)
    relu = lambda r: (np.sqrt(1 - r * r) + r * (np.pi - np.arccos(r))) / (2 * np.pi)  # noqa: E731
    slope = (relu(step) - relu(-step)) / (2 * step)
    assert pytest.approx((relu(1.0) - relu(0.0) - slope) / slope, rel=1e-8) == RELU_IDENTITY


def test_relu_features_have_that_gram_matrix(rng):
    pair = np.array([[1.0, 0.0], [0.3, np.sqrt(1 - 0.09)]])
    features = np.maximum(pair @ rng.standard_normal((2, 400_000)), 0)
    exact = (np.sqrt(1 - 0.09) + 0.3 * (np.pi - np.arccos(0.3))) / (2 * np.pi)
    assert (features @ features.T / 400_000)[0, 1] == pytest.approx(exact, rel=0.01)


def test_real_layers_come_closer_with_the_dimension():
    gaps = {d: np.mean([finite_size_gap(d, rng=seed) for seed in range(4)]) for d in (60, 240)}
    assert gaps[240] < 0.6 * gaps[60] < 0.15


def test_tables_of_theory():
    table = linearized_layers(ImageSource(), entropy=0, seeds=2, n_train=60, depth=12)
    assert len(table) == 24
    assert (table["tangent"] <= table["bound"] * (1 + 1e-9)).all()
    assert (table["limit"] < table["most"]).all()
    sizes = finite_sizes(0, dimensions=(50, 100, 200), repeats=4).groupby("dimension")["gap"].mean()
    assert (np.diff(sizes) < 0).all()
    kernels = optimal_kernels()
    assert np.allclose(kernels["value"], kernels["collapsed_value"], atol=1e-6)
    assert (kernels["deviation"] < 1e-5).all()


def test_refusals(refuses, rng):
    x, labels = _unit_rows(rng)
    good = {"kernel_identity": 1.0, "map_identity": 1.0, "depth": 2}
    refuses("gram", linearized_features, x, labels, **good)
    refuses("labels", linearized_features, x @ x.T, labels[:-4], **good)
    refuses("labels", linearized_features, x @ x.T, np.zeros(48, int), **good)
    refuses("labels", centered_targets, [0, 0, 1, 1, 1])
    for name, value in (("kernel_identity", 0.0), ("map_identity", 0.0), ("depth", 0)):
        refuses(name, linearized_features, x @ x.T, labels, **(good | {name: value}))
    refuses("dimension", finite_size_gap, 5, rng=0)
    refuses("bandwidth", laplace_identity, 0.0)
    refuses("n_classes", linearized_rate, 10, 1, kernel_identity=1.0, map_identity=1.0)


# Images


def test_subsets_are_balanced_standardized_and_of_their_seed():
    x, labels, z, test_labels = image_split(ImageSource(), 0, 0, 200, 100)
    assert np.array_equal(labels, np.repeat(np.arange(10), 20))
    spread = x.std(axis=0)
    assert np.allclose(spread[spread > 0], 1.0)
    assert np.allclose(x.mean(axis=0), 0.0, atol=1e-12)
    assert x.shape == (200, 64)
    assert len(z) == len(test_labels) == 100
    other = image_split(ImageSource(), 0, 1, 200, 100)
    assert not np.array_equal(x, other[0])
    again = image_split(ImageSource(), 0, 0, 200, 100)
    assert all(np.array_equal(one, two) for one, two in zip((x, labels, z, test_labels), again, strict=True))
    # Seeds differ even where the whole pool is asked for.
    assert len(image_split(ImageSource(), 0, 0, 5000, 100)[0]) < 0.85 * 1000


@pytest.mark.parametrize("kind", ["mnist", "cifar", "folder"])
def test_images_of_a_folder(tmp_path, kind):
    if kind == "mnist":
        write_mnist(tmp_path, n_train=200, n_test=60, side=12)
    elif kind == "cifar":
        write_cifar10_subset(tmp_path, n_train=200, n_test=60)
    else:
        pytest.importorskip("PIL", reason="Pillow is not installed: pip install pillow")
        write_class_folders(tmp_path, n_per_class=12, side=10)
    x, labels, z, test_labels = image_split(ImageSource.of(tmp_path), 0, 0, 30, 40)
    assert len(np.unique(labels)) == (3 if kind == "folder" else 10)
    assert np.bincount(labels).min() == np.bincount(labels).max()
    assert set(test_labels) <= set(labels)
    assert x.shape[1] == z.shape[1] == {"mnist": 144, "cifar": 3072, "folder": 3072}[kind]
    found = recursive_features(x, labels, z, test_labels, depth=1, width=20, rng=0)
    assert found.variability[0, 1] < found.variability[0, 0]
