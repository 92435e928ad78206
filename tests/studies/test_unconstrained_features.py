"""Deep unconstrained features with two classes: the closed form, explicit networks, the hole in the front."""

import numpy as np
import pytest

from moltheory.objectives import FiniteObjectives
from moltheory.pareto import hypervolume, nondominated
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front, supported
from moltheory.studies import DeepFeatures, descend, mean_condition_number, numerical_rank, polish, variability
from moltheory.studies.unconstrained_features import (
    ReducedLoss,
    collapsed_fit,
    fit_within,
    front_norms,
    front_objectives,
    least_norm_product,
    missed_part,
    model_at,
    norm_spread,
    reach_of_front,
    returned_points,
    scale_grid,
    separated_front,
    separated_layers,
    unit_loss,
)
from tests.studies.extras import needs_torch

_DEPTHS = (2, 3, 4, 5, 8)
_GOLDEN = [(3, 0.02, 0.11778207), (4, 0.01, 0.06859924)]


def _golden_model(depth: int, factor: float) -> DeepFeatures:
    return DeepFeatures(n_classes=2, per_class=5, depth=depth, width=6, regularization=factor)


def _start(model: DeepFeatures, seed: int):
    return model.random(np.random.default_rng(seed))


# The closed form


@pytest.mark.parametrize(("depth", "factor", "value"), _GOLDEN)
def test_golden_minimum(depth, factor, value):
    assert ReducedLoss.of_model(_golden_model(depth, factor)).minimum == pytest.approx(value, abs=5e-9)


@pytest.mark.parametrize("depth", _DEPTHS)
@pytest.mark.parametrize("ratio", [0.01, 0.3, 0.9, 0.999, 1.001, 1.1])
def test_minimum_is_that_of_a_grid(depth, ratio):
    loss = ReducedLoss.at_ratio(3, depth, ratio)
    grid = loss.loss(np.linspace(0.0, 1.0, 200_001))
    assert loss.minimum <= grid.min() + 1e-15
    assert loss.minimum == pytest.approx(grid.min(), abs=1e-9)
    assert loss.scale == 0.0 if ratio > 1 else abs(float(loss.slope(loss.scale))) < 1e-13
    assert abs(float(loss.slope(loss.stable_scale))) < 1e-13
    assert abs(float(loss.slope(loss.barrier_scale))) < 1e-10
    assert 0.0 < loss.barrier_scale < (depth - 1) / (2 * depth) < loss.stable_scale < 1.0


@pytest.mark.parametrize("depth", _DEPTHS)
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_threshold_and_jump(depth, n_classes):
    critical = ReducedLoss(n_classes, depth, 1.0).critical_product
    expected = (depth - 1) ** (depth - 1) / (n_classes ** (depth + 1) * depth ** (2 * depth))
    assert critical == pytest.approx(expected, rel=1e-13)
    tied = ReducedLoss(n_classes, depth, critical)
    assert tied.stable_scale == pytest.approx((depth - 1) / depth, abs=1e-13)
    assert float(tied.loss((depth - 1) / depth)) == pytest.approx(0.5, abs=1e-14)
    assert ReducedLoss(n_classes, depth, critical * (1 - 1e-9)).scale == pytest.approx(tied.jump, abs=1e-8)
    assert ReducedLoss(n_classes, depth, critical * (1 + 1e-9)).scale == 0.0


@pytest.mark.parametrize("depth", _DEPTHS)
def test_spinodal_is_where_local_minima_end(depth):
    end = ReducedLoss(2, depth, 1.0).spinodal_product
    before, after = ReducedLoss(2, depth, end * (1 - 1e-8)), ReducedLoss(2, depth, end * (1 + 1e-8))
    assert before.stable_scale == pytest.approx((depth - 1) / (2 * depth), abs=1e-3)
    assert before.barrier_scale == pytest.approx(before.stable_scale, abs=1e-3)
    assert np.isnan(after.stable_scale)
    assert np.isnan(after.barrier_scale)
    assert np.isnan(after.branch_loss(1))
    assert (after.slope(np.linspace(1e-6, 1.0, 1000)) > 0).all()


def test_tiny_regularization_neither_underflows_nor_loses_digits():
    model = DeepFeatures(n_classes=2, per_class=2, depth=5, width=2, regularization=1e-45)
    loss = ReducedLoss.of_model(model)
    assert loss.product > 0
    # F is C up to second order.
    assert loss.minimum == pytest.approx(loss.coefficient, rel=1e-12)


# Explicit networks


@needs_torch
@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_explicit_optimum(n_classes, depth, share):
    rng = np.random.default_rng(depth)
    factors = (0.01 * rng.uniform(0.5, 2.0, depth + 1) * ReducedLoss.at_ratio(n_classes, depth, 1.0).product).tolist()
    model = DeepFeatures(n_classes=n_classes, per_class=3, depth=depth, width=6, regularization=factors)
    loss = ReducedLoss.of_model(model)
    assert loss.scale > 0
    layers = separated_layers(model, loss.scale, overlap=share / (n_classes - 1), rng=rng)
    assert float(model.loss(layers)) == pytest.approx(loss.minimum, abs=1e-14)
    assert np.abs(model.joined(model.gradients(layers))).max() < 1e-14
    np.testing.assert_allclose(
        model.squared_norms(layers) * model.factors, float(loss.layer_share(loss.scale)), rtol=1e-12
    )
    assert float(norm_spread(model, layers)) < 1e-12 or float(loss.layer_share(loss.scale)) < 1e-12
    features = model.activations(layers)
    for one in features:
        assert float(variability(one.T, model.labels)) < 1e-28
    for one in features[1:]:
        assert float(mean_condition_number(one.T, model.labels)) == pytest.approx(1, abs=1e-12)
    # The optimum does not fix the rank of the features: the largest overlap saves one direction.
    assert numerical_rank(layers[0], tolerance=1e-6) == n_classes - (share == 1.0)


@pytest.mark.parametrize("scales", [0.3, 1.0, [0.1, 0.5, 0.9], [0.0, 0.0, 0.8], 0.0])
def test_loss_of_explicit_networks_is_the_mean_over_classes(scales):
    model = DeepFeatures(n_classes=3, per_class=4, depth=3, width=5, regularization=[0.01, 0.03, 0.002, 0.02])
    loss = ReducedLoss.of_model(model)
    layers = separated_layers(model, scales, rng=np.random.default_rng(0))
    assert float(model.fit(layers)) == pytest.approx(float(loss.fit(scales).mean()), abs=1e-14)
    assert float(model.loss(layers)) == pytest.approx(float(loss.loss(scales).mean()), abs=1e-14)


@needs_torch
@pytest.mark.parametrize("ratio", [0.5, 1.2])
def test_branches_are_stationary_networks(ratio):
    model = model_at(3, ratio)
    loss = ReducedLoss.of_model(model)
    for learned in range(3):
        layers = separated_layers(model, [loss.stable_scale] * learned + [0.0] * (2 - learned))
        assert float(model.loss(layers)) == pytest.approx(loss.branch_loss(learned), abs=1e-14)
        assert np.abs(model.joined(model.gradients(layers))).max() < 1e-14
    assert loss.branch_loss(1) == pytest.approx((0.5 + loss.branch_loss(2)) / 2, abs=1e-15)


# Training


@needs_torch
@pytest.mark.parametrize(("depth", "factor", "value"), _GOLDEN)
def test_quasi_newton_reaches_the_closed_form(depth, factor, value):
    model = _golden_model(depth, factor)
    closed = ReducedLoss.of_model(model).minimum
    # A start near the optimum: whether a random one gets there is the study's question.
    near = tuple(one + 0.03 * np.random.default_rng(3).normal(size=one.shape) for one in separated_layers(model, 1.0))
    found, _ = polish(model, near)
    found, _ = polish(model, found)
    assert float(model.loss(found)) == pytest.approx(closed, abs=1e-12)


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize(("depth", "factor", "value"), _GOLDEN)
def test_gradient_descent_comes_near(depth, factor, value):
    # From some starts only: most of these end in local minima, which is what the study counts.
    model = _golden_model(depth, factor)
    starts = tuple(np.stack(parts) for parts in zip(*(_start(model, seed) for seed in range(16)), strict=True))
    ends = model.loss(descend(model, starts, rate=0.05, steps=12_000))
    assert ends.min() >= value - 1e-8
    assert (ends - value < 2e-4).sum() >= 2


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_product_of_norms_is_attained_and_never_undercut(depth):
    rng = np.random.default_rng(depth)
    model = model_at(depth, 0.3)
    low = 1.0 - 1.0 / depth
    for scale in (low + 1e-9, 0.9, 1.0):
        layers = separated_layers(model, scale)
        bound = least_norm_product(float(model.fit(layers)), depth=depth, per_class=model.per_class)
        assert float(model.squared_norms(layers).prod()) == pytest.approx(float(bound), rel=1e-9)
        near = tuple(one + 0.03 * rng.normal(size=(200, *one.shape)) for one in layers)
        fit = model.fit(near)
        inside = fit <= 1.0 / (2 * depth**2)
        product = model.squared_norms(near)[inside].prod(axis=-1)
        assert (product >= least_norm_product(fit[inside], depth=depth, per_class=model.per_class)).all()


# The front and its hole


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_front_is_its_formula_and_its_inverse(depth):
    loss, scales = unit_loss(depth), scale_grid(depth, 20)
    points = front_objectives(loss, scales).risks()
    found = front_norms(points[:, 0], depth=depth, coefficient=loss.coefficient)
    # At a = 0 the power turns rounding of 1e-16 into 1e-16 ** (2 / (L + 1)).
    np.testing.assert_allclose(found[1:], points[1:, 1], rtol=1e-12)
    np.testing.assert_allclose(collapsed_fit(loss, points[:, 1]), points[:, 0], atol=1e-14)
    assert nondominated(points).all()


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_weights_return_exactly_the_supported_part(depth):
    scales = scale_grid(depth, 24)
    objectives = front_objectives(unit_loss(depth), scales)
    outside = (scales == 0.0) | (np.arange(len(scales)) >= (depth - 1) * 24)
    np.testing.assert_array_equal(supported(objectives.risks()), outside)
    found = returned_points(objectives)
    np.testing.assert_array_equal(found["weighted sum"], outside)
    assert found["ε-constraint"].all()
    assert found["Chebyshev"].all()
    # Any other weights return no other points.
    weights = np.random.default_rng(0).uniform(size=300)
    sums = solve_front(objectives, scalarizations=[WeightedSum([w, 1 - w]) for w in weights])
    assert outside[sums.solutions].all()


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_hole_in_closed_form(depth):
    loss = unit_loss(depth)
    part = missed_part(loss)
    inside = np.linspace(*part.scales, 20_001)
    sums = loss.fit(inside) + part.price * loss.norms(inside)
    assert sums[[0, -1]] == pytest.approx([0.5, 0.5], abs=1e-14)
    assert sums.max() - 0.5 == pytest.approx(part.height, abs=1e-7)
    assert part.fit == pytest.approx((1 / (2 * depth**2), 0.5), abs=1e-15)
    assert part.norms == pytest.approx((0.0, float(loss.norms((depth - 1) / depth))), abs=1e-14)
    points = front_objectives(loss, inside).risks()
    volumes = [hypervolume(rows, reference=(part.fit[1], part.norms[1])) for rows in (points, points[[0, -1]])]
    assert volumes[1] == 0.0
    assert volumes[0] == pytest.approx(part.hypervolume, rel=5e-4)


def test_height_of_the_hole_has_a_closed_form_for_three_layers():
    assert missed_part(ReducedLoss(2, 3, 1.0)).height == pytest.approx(3**-0.5 - 0.5, abs=1e-13)


def test_unequal_classes_dominate_where_the_front_is_concave():
    loss = unit_loss(3)
    points, gain = separated_front(loss, np.linspace(0.0, 1.0, 81))
    assert gain.max() > 0.05
    # One class at a quarter of the norms of both, by a factor: (L + 1) / 2 powers of two in the scale.
    one, both = np.array([1.0, 0.0]), 2.0**-2
    assert float(loss.norms(one).mean()) == pytest.approx(float(loss.norms(both)), rel=1e-12)
    assert float(loss.fit(one).mean()) < float(loss.fit(both)) - 0.03
    # On the supported part equal scales are best.
    part = missed_part(loss)
    assert gain[points[:, 0] < part.fit[0]].max() < 1e-12


@needs_torch
@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_budgets_reach_the_hole(scale):
    model = model_at(3, 0.5)
    loss = ReducedLoss.of_model(model)
    start = separated_layers(model, scale)
    before = [one.copy() for one in start]
    rng = np.random.default_rng(0)
    moved = tuple(one + 0.02 * rng.normal(size=one.shape) for one in start)
    found = fit_within(model, moved, budget=float(loss.norms(scale)))
    fit = float(model.fit(found))
    gain = float(collapsed_fit(loss, float(model.loss(found)) - fit)) - fit
    if scale < 0.25:
        assert gain > 0.05
    else:
        assert gain == pytest.approx(0, abs=1e-8)
        assert 0.0 < 1.0 - np.sqrt(2 * fit) < loss.jump
    for one, other in zip(before, start, strict=True):
        np.testing.assert_array_equal(one, other)


def test_reach_table():
    row = reach_of_front(4, 15).iloc[0]
    assert row["largest_gap"] == row["closed_gap"] == 0.75
    assert row["weighted_sum"] == row["supported"] == 17
    assert row["missed_returned"] == 0
    assert row["volume_missed"] == pytest.approx(row["closed_volume"], rel=0.1)


def test_refusals(refuses):
    refuses("n_classes", ReducedLoss, 1, 3, 0.1)
    refuses("depth", ReducedLoss, 2, 1, 0.1)
    refuses("product", ReducedLoss, 2, 3, 0.0)
    refuses("ratio", ReducedLoss.at_ratio, 2, 3, -1.0)
    loss = ReducedLoss(2, 3, 0.1)
    refuses("scales", loss.loss, [0.5, 1.5])
    refuses("scales", loss.fit, np.nan)
    refuses("learned", loss.branch_loss, 3)
    refuses("fit", front_norms, 0.6, depth=3, coefficient=1.0)
    refuses("coefficient", front_norms, 0.1, depth=3, coefficient=0.0)
    refuses("fit", least_norm_product, 0.1, depth=3, per_class=5)
    refuses("loss", separated_front, ReducedLoss(3, 3, 0.1), [0.0, 1.0])
    refuses("per_part", scale_grid, 3, 0)
    model = model_at(3, 0.5)
    refuses("scales", separated_layers, model, [0.1, 0.2, 0.3])
    refuses("scales", separated_layers, model, -0.1)
    refuses("overlap", separated_layers, model, 0.5, overlap=1.1)
    refuses("ratio", model_at, 3, 0.0)
    refuses("budget", fit_within, model, model.zeros(), budget=0.0)
    refuses("width", DeepFeatures, n_classes=3, per_class=1, depth=2, width=2, regularization=0.1)
    assert isinstance(front_objectives(loss, [0.0, 1.0]), FiniteObjectives)
