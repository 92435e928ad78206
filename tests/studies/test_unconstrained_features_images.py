"""Networks on images against the model, shares of successes by width, explicit optima, and the certificate."""

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError
from moltheory.images import ImageData, ImageSource
from moltheory.reports import Settings
from moltheory.studies._machine import Machine
from moltheory.studies.unconstrained_features import (
    Recipe,
    ReducedLoss,
    certified_networks,
    explicit_optima,
    fitted_row,
    model_at,
    nearest_classes,
    network_sweep,
    separated_layers,
    success_shares,
    two_classes,
    width_sweep,
)
from tests.lab.tiny_images import write_mnist
from tests.studies.extras import needs_torch

_TINY = {"later": 10, "hidden": 8, "width": 4, "per_class": 6, "pretraining": 10}


def _images(labels, values):
    pixels = np.repeat(np.asarray(values, dtype=np.uint8)[:, None, None, None], 4, axis=2)
    return ImageData("bars", pixels, np.asarray(labels), pixels, np.asarray(labels))


def _row_of(kind, scale, factor=0.02, depth=3, n=5):
    """What the block measures of the model's own collapsed network, as if a trunk had computed its features."""
    product = n * (factor / n) * factor**depth
    loss = ReducedLoss(2, depth, product)
    a = loss.scale if scale is None else scale
    share = float(loss.layer_share(a))
    squares = np.full(depth + 1, share / factor)
    squares[0] *= n
    exact = {"nc1": np.zeros(depth), "condition": np.ones(depth), "cosine": np.zeros(depth)}
    one = {"squares": squares, "fit": (1 - a) ** 2 / 2, "scale": a, "factor": factor, "per_class": n, **exact}
    recipe = Recipe(kind, 1, (0.1,), first=1, later=0, depth=depth)
    return loss, fitted_row(recipe, {**one, "train_error": 0.0, "wrong": np.array([True, False])})


# The explicit optimum, for any number of layers


@needs_torch
def test_explicit_optima_are_exact_at_every_depth():
    rows = explicit_optima((2, 3, 5, 9), 0.4)
    assert list(rows["depth"]) == [2, 3, 5, 9]
    assert (rows[["error", "gradient", "nc1", "condition", "spread", "outside"]] < 1e-12).all(axis=None)
    closed = [ReducedLoss.at_ratio(2, depth, 0.4).minimum for depth in rows["depth"]]
    np.testing.assert_allclose(rows["minimum"], closed, rtol=1e-12)


@pytest.mark.parametrize("width", [2, 8, 64])
def test_width_changes_no_optimum(width):
    model = model_at(3, 0.5, width=width)
    closed = ReducedLoss.of_model(model)
    layers = separated_layers(model, closed.scale, rng=np.random.default_rng(0))
    assert float(model.loss(layers)) == pytest.approx(closed.minimum, abs=1e-14)
    assert closed.minimum == ReducedLoss.of_model(model_at(3, 0.5)).minimum


# Shares of successes


@needs_torch
def test_wide_networks_reach_the_optimum():
    found = width_sweep((3,), (8, 48), (0.5,), seeds=4, steps=2500, settings=Settings())
    assert set(found.columns) >= {"depth", "width", "ratio", "seed", "loss", "gap", "learned", "reached", "nc1"}
    assert (found["gap"] >= -1e-12).all()
    wide = found[found["width"] == 48]
    assert wide["reached"].all()
    assert (wide["condition"] < 1.2).all()
    shares = success_shares(found)
    assert shares["starts"].tolist() == [4, 4]
    assert shares["text"].iloc[-1].startswith("4 of 4 (95%")


def test_shares_are_counted_by_group():
    rows = [(8, 3, ratio, reached) for ratio, reached in ((0.2, 1), (0.5, 0), (0.65, 1), (0.95, 1))]
    frame = pd.DataFrame(rows, columns=["width", "depth", "ratio", "reached"])
    shares = success_shares(frame)
    assert dict(zip(shares["factors"], shares["reached"], strict=True)) == {"up to half": 1, "above half": 2}
    assert ((shares["low"] <= shares["share"]) & (shares["share"] <= shares["high"])).all()
    each = success_shares(frame, each=True)
    assert each["factors"].tolist() == frame["ratio"].tolist()
    assert each["reached"].tolist() == frame["reached"].tolist()
    # Clopper and Pearson, two of two: (1/40)^(1/2).
    assert shares.loc[shares["reached"] == 2, "low"].item() == pytest.approx(0.025**0.5, abs=1e-12)


# Two classes of images


def test_the_pair_is_that_of_the_nearest_means():
    data = _images([0, 0, 1, 1, 5, 5], [0, 2, 100, 120, 60, 64])
    assert nearest_classes(data) == (1, 5)
    two = two_classes(data, most=10, rng=np.random.default_rng(0))
    assert two.per_class == 2
    assert two.train.shape == (4, 4)
    assert abs(two.train.mean()) < 1e-12
    assert two.train.std() == pytest.approx(1)
    np.testing.assert_array_equal(two.test_codes, [0, 0, 1, 1])
    assert (two.train[:2] > two.train[2:]).all()


def test_one_class_is_refused():
    with pytest.raises(InvalidInputError, match="`data` must hold images of at least two classes, got 1"):
        nearest_classes(_images([3, 3], [0, 1]))


def test_a_pair_without_test_images_is_refused():
    pool = _images([0, 1, 2], [0, 1, 90])
    data = ImageData("bars", pool.pool, pool.pool_labels, pool.test[2:], pool.test_labels[2:])
    with pytest.raises(InvalidInputError, match="`data` must hold test images of classes 0 and 1, got none"):
        two_classes(data, most=1, rng=np.random.default_rng(0))


# A trained network against the model


@pytest.mark.parametrize("kind", ["features", "weights"])
def test_the_optimum_itself_fits_the_model_exactly(kind):
    loss, row = _row_of(kind, None)
    assert row["features_factor"] == pytest.approx(0.02 / 5, rel=1e-12)
    assert row["gap"] == pytest.approx(0, abs=1e-12)
    assert row["optimum"] == pytest.approx(loss.minimum, rel=1e-12)
    assert row["predicted_scale"] == pytest.approx(row["scale"], abs=1e-9)
    assert row["share"] == pytest.approx(row["predicted_share"], rel=1e-9)
    assert row["spread"] < 1e-12
    assert row["test_error"] == 0.5


def test_a_network_of_another_scale_has_a_larger_loss():
    loss, row = _row_of("features", 0.5)
    assert row["loss"] == pytest.approx(float(loss.loss(0.5)), rel=1e-12)
    assert row["gap"] > 0.1


def test_a_network_that_is_zero_is_measured_too():
    one = {"squares": np.zeros(4), "fit": 0.5, "scale": 0.0, "factor": 0.2, "per_class": 5, "train_error": 0.5}
    layers = {name: np.full(3, np.nan) for name in ("nc1", "condition", "cosine")}
    for kind in ("features", "weights"):
        row = fitted_row(Recipe(kind, 1, (1.5,), first=1, later=0), {**one, **layers, "wrong": np.array([True])})
        assert row["predicted_scale"] == 0.0
        assert row["gap"] == pytest.approx(0, abs=1e-15)
        assert np.isnan(row["spread"])


@needs_torch
def test_networks_of_a_folder_of_images(tmp_path):
    write_mnist(tmp_path, n_train=200, n_test=80)
    source = ImageSource.of(tmp_path)
    recipes = (Recipe("features", 1, (0.1, 1.6), first=40, **_TINY), Recipe("weights", 2, (0.1,), first=20, **_TINY))
    rows, wrong = network_sweep(recipes, seeds=2, source=source, machine=Machine(), settings=Settings())
    assert wrong.shape[1] == len(rows) == 6
    np.testing.assert_allclose(wrong.mean(axis=0), rows["test_error"])
    # No network of the model is below the optimum, whatever computes its features.
    assert (rows["gap"] > -1e-6).all()
    alive = rows[np.isfinite(rows["spread"])]
    assert (alive["loss"] > alive["fit"]).all()


# The certificate


def test_the_certificate_knows_what_is_a_cost():
    n, rng = 400, np.random.default_rng(0)
    wrong = np.stack([rng.uniform(size=n) < rate for rate in (0.02, 0.5, 0.02, 0.5)], axis=1)
    networks = pd.DataFrame(
        {
            "kind": "weights",
            "trunk": 1,
            "nominal": 0.1,
            "seed": range(4),
            "scale": [0.9, 0.9, 0.9, 0.0],
            "nc1_0": 1.0,
            "nc1_1": [0.1, 0.2, 0.05, 0.01],
            "norm": [1.0, 2.0, 3.0, 0.0],
        }
    )
    certificate, rows = certified_networks(networks, wrong)
    # The network that outputs zero is left out; the second is worse everywhere.
    assert rows.tolist() == [0, 1, 2]
    assert certificate.objectives == ("error", "NC1", "norm")
    assert certificate.excluded.tolist() == [False, True, False]
    assert certificate.sure.tolist() == [True, False, True]
