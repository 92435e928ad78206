"""Networks cheaper than collapse: incidence matrices, closed forms, explicit tensors, domination, refusals."""

import math

import numpy as np
import pytest

from moltheory.pareto import nondominated
from moltheory.studies import DeepFeatures, numerical_rank
from moltheory.studies.low_rank_bias import (
    Construction,
    collapsed_network,
    cost_table,
    dominates,
    domination_table,
    edge_incidence,
    graph_network,
    graph_shrinks,
    incidence_nuclear_norm,
    incidence_singular_values,
    layer_objectives,
    layer_points,
    model_with,
    optimum_table,
    rho_graph,
    rho_triangles,
    signed_triangle_network,
    triangle_gram_eigenvalues,
    triangle_incidence,
    triangle_network,
    vertices_for,
    volume_below,
    written_networks,
)
from moltheory.studies.unconstrained_features import ReducedLoss, separated_layers
from tests.studies.extras import needs_torch

VERTICES, DEPTHS = range(4, 9), range(3, 7)


def all_networks():
    """Every network written down that the tests walk through."""
    yield collapsed_network(10, 4)
    yield signed_triangle_network()
    for r in VERTICES:
        for depth in DEPTHS:
            yield graph_network(math.comb(r, 2), depth)
            if r >= 5:
                yield triangle_network(math.comb(r, 2), depth)


def model_of(network, rng, per_class=1):
    """A model with unequal factors for which the optimum is not zero."""
    k, depth = network.n_classes, network.depth
    critical = ReducedLoss(k, depth, 1.0).critical_product / per_class
    factors = 0.3 * critical ** (1 / (depth + 1)) * np.exp(rng.normal(size=depth + 1) / 4)
    return DeepFeatures(
        n_classes=k, per_class=per_class, depth=depth, width=network.width + 2, regularization=factors.tolist()
    )


@pytest.mark.parametrize("r", [3, *VERTICES])
def test_spectrum_and_nuclear_norm_of_the_incidence_matrix(r):
    b, k = edge_incidence(r), math.comb(r, 2)
    assert b.shape == (r, k)
    np.testing.assert_array_equal(b.sum(axis=0), np.full(k, 2.0))
    np.testing.assert_array_equal(b @ b.T, (r - 2) * np.eye(r) + 1.0)
    values = np.linalg.svd(b, compute_uv=False)
    np.testing.assert_allclose(values, incidence_singular_values(r), rtol=1e-13)
    assert values.sum() == pytest.approx(incidence_nuclear_norm(r), rel=1e-14)
    assert vertices_for(k) == r


@pytest.mark.parametrize("r", VERTICES)
def test_edges_form_a_strongly_regular_graph(r):
    # With parameters (K, 2(r-2), r-2, 4): common neighbors of neighbors and of others.
    b, k = edge_incidence(r), math.comb(r, 2)
    unit, ones = np.eye(k), np.ones((k, k))
    adjacent = b.T @ b - 2 * unit
    degree = 2 * (r - 2)
    np.testing.assert_array_equal(
        adjacent @ adjacent, degree * unit + (r - 2) * adjacent + 4 * (ones - unit - adjacent)
    )


@pytest.mark.parametrize("r", VERTICES)
def test_spectrum_of_triangles(r):
    t = triangle_incidence(r)
    found = np.linalg.eigvalsh(t.T @ t)[::-1]
    np.testing.assert_allclose(found, np.sort(triangle_gram_eigenvalues(r))[::-1], atol=1e-12)


def test_golden_costs():
    for (r, depth), value in {(4, 4): 0.9633, (5, 4): 0.9014, (4, 3): 1.0561}.items():
        assert round(rho_graph(r, depth), 4) == value
    assert (cost_table(tuple(VERTICES), tuple(DEPTHS))["error"] < 1e-13).all()


def test_costs_in_integers_agree_and_three_layers_never_pay():
    for r in range(3, 40):
        for depth in DEPTHS:
            assert graph_shrinks(r, depth) == (rho_graph(r, depth) < 1)
    assert not any(graph_shrinks(r, 3) for r in range(3, 2000))
    # With many classes the cost at three layers tends to 1, from above.
    assert 1.0 < rho_graph(10_000, 3) < 1.01


def test_three_layers_signed_triangles():
    network = signed_triangle_network()
    nuclear, _, second, last = network.squared_norms
    assert nuclear == pytest.approx(14.0, rel=1e-14)
    assert (second, last) == (pytest.approx(5.0, rel=1e-14), 10.0)
    assert set(np.unique(network.first)) == {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal(np.maximum(network.first, 0.0), triangle_incidence(5))
    assert network.squared_norms.prod() == pytest.approx(9800.0, rel=1e-13)
    assert network.rho == pytest.approx(0.98**0.25, rel=1e-13)


def test_three_layers_triangles():
    network = triangle_network(10, 3)
    _, _, second, last = network.squared_norms
    assert second == 12.5
    assert last == pytest.approx(1 / 9 + 4 / 4 + 5, rel=1e-13)
    assert round(network.ratio, 6) == 0.727160
    assert round(network.rho, 6) == 0.923437
    np.testing.assert_allclose(network.later[1] @ triangle_incidence(5), np.eye(10), atol=1e-13)


@pytest.mark.parametrize("r", range(5, 9))
def test_triangles_cost_less_than_the_graph_at_every_depth(r):
    for depth in DEPTHS:
        assert rho_triangles(r, depth) < min(1.0, rho_graph(r, depth))


@pytest.mark.parametrize("network", list(all_networks()), ids=lambda one: f"{one.name}-{one.n_classes}-{one.depth}")
def test_tensors_have_the_reduced_loss(network, rng):
    for per_class in (1, 3):
        model = model_of(network, rng, per_class)
        reduced = network.reduced(ReducedLoss.of_model(model))
        assert reduced.coefficient == pytest.approx(network.rho * ReducedLoss.of_model(model).coefficient, rel=1e-12)
        for scale in (0.0, 0.4, reduced.scale, 1.0):
            layers = network.layers(model, scale)
            assert float(model.loss(layers)) == pytest.approx(float(reduced.loss(scale)), abs=1e-13)
            assert float(model.fit(layers)) == pytest.approx((1 - scale) ** 2 / 2, abs=1e-13)
            shares = model.squared_norms(layers) * model.factors
            np.testing.assert_allclose(shares, reduced.layer_share(scale), rtol=1e-11, atol=1e-15)
            np.testing.assert_allclose(
                layer_points(model, network, [scale])[0, 1:], model.squared_norms(layers), atol=1e-11
            )


@pytest.mark.parametrize("make", [graph_network, triangle_network])
def test_class_means_have_rank_r_in_all_but_the_last_hidden_layer(make, rng):
    for k, depth in ((10, 3), (10, 5), (15, 4)):
        network = make(k, depth)
        model = model_of(network, rng)
        layers = network.layers(model, 0.9)
        ranks = [int(numerical_rank(one)) for one in model.activations(layers)]
        assert ranks == [vertices_for(k)] * (depth - 1) + [k]


@needs_torch
def test_optimal_tensors_are_stationary_in_the_size_of_each_layer(rng):
    for network in all_networks():
        if network.n_classes > 10:
            continue
        model = model_of(network, rng)
        layers = network.layers(model, network.reduced(ReducedLoss.of_model(model)).scale)
        slopes = [float((one * slope).sum()) for one, slope in zip(layers, model.gradients(layers), strict=True)]
        assert np.abs(slopes).max() < 1e-13


@needs_torch
def test_collapse_is_stationary_and_the_others_are_not():
    model = model_with()
    largest = {}
    for network in written_networks():
        layers = network.layers(model, network.reduced(ReducedLoss.of_model(model)).scale)
        largest[network.name] = max(float(np.abs(slope).max()) for slope in model.gradients(layers))
    assert largest["collapse"] < 1e-14
    assert min(largest["graph"], largest["triangles"]) > 1e-3


def test_collapse_agrees_with_the_study_of_collapse(rng):
    network = collapsed_network(6, 4)
    model = model_of(network, rng, per_class=2)
    np.testing.assert_allclose(
        model.squared_norms(network.layers(model, 0.7)), model.squared_norms(separated_layers(model, 0.7)), rtol=1e-12
    )
    assert network.rho == pytest.approx(1.0, rel=1e-15)


def test_golden_losses():
    optima = optimum_table(per_class=1).set_index("network")
    assert round(optima.loc["collapse", "loss"], 7) == 0.0991799
    assert round(optima.loc["graph", "loss"], 7) == 0.0894709
    assert optima["loss"].is_monotonic_decreasing
    assert (optima["error"] < 1e-15).all()
    assert optima["ranks"].tolist() == [40, 25, 25]
    assert optima["rank"].tolist() == [10, 5, 5]
    # Copies of every example: the same costs, a larger product of factors.
    several = optimum_table().set_index("network")
    assert several["rho"].tolist() == optima["rho"].tolist()
    assert (several["loss"] > optima["loss"]).all()
    assert (several["error"] < 1e-15).all()


def test_the_graph_dominates_collapse_in_every_objective_for_any_regularization(rng):
    scales = np.linspace(0.02, 1.0, 50)
    for r, depth in ((4, 4), (5, 4), (6, 5), (8, 6)):
        network, collapse = graph_network(math.comb(r, 2), depth), collapsed_network(math.comb(r, 2), depth)
        for _ in range(5):
            model = model_of(network, rng)
            better, worse = layer_points(model, network, scales), layer_points(model, collapse, scales)
            # The same bits in the fit, every norm smaller by the cost.
            assert (better[:, 0] == worse[:, 0]).all()
            np.testing.assert_allclose(better[:, 1:] / worse[:, 1:], rho_graph(r, depth), rtol=1e-11)
            assert dominates(better, worse).all()
            assert not dominates(worse, better).any()
            found = nondominated(np.concatenate([better, worse]))
            assert found[:50].all()
            assert not found[50:].any()


def test_above_one_the_graph_is_dominated_by_collapse(rng):
    network, collapse = graph_network(6, 3), collapsed_network(6, 3)
    model = model_of(network, rng)
    assert dominates(layer_points(model, collapse, [0.8]), layer_points(model, network, [0.8])).all()


def test_explicit_tensors_are_strictly_better_in_all_objectives(rng):
    # Half of what the norms save is spent on the fit: no tie is left for rounding to decide.
    for network in (graph_network(10, 4), triangle_network(10, 3), graph_network(28, 4)):
        model = model_of(network, rng, per_class=2)
        collapse = collapsed_network(network.n_classes, network.depth)
        wide = DeepFeatures(
            n_classes=model.n_classes,
            per_class=2,
            depth=model.depth,
            width=max(model.width, model.n_classes),
            regularization=list(model.factors),
        )
        scale = 0.6
        larger = min(0.99, scale * network.rho ** (-(network.depth + 1) / 4))
        points = []
        for one, at in ((network, larger), (collapse, scale)):
            layers = one.layers(wide, at)
            points.append([float(wide.fit(layers)), *wide.squared_norms(layers)])
        assert (np.array(points[0]) < np.array(points[1])).all()
        assert nondominated(np.array(points)).tolist() == [True, False]


def test_scalarizations_return_no_collapsed_network():
    table = domination_table(model_with(), written_networks(), scales=np.arange(1, 31) / 30, weights=40, rng=1)
    assert table["dominated_by_next"].tolist() == [30, 30, 0]
    assert table["nondominated"].tolist() == [0, 0, 30]
    assert table["weighted_sum"].tolist() == [0, 0, 40]
    assert table["chebyshev"].tolist() == [0, 0, 40]


def test_layer_objectives_are_those_of_the_tensors():
    model, networks = model_with(), written_networks()
    objectives = layer_objectives(model, networks, [0.5, 0.9])
    assert objectives.names == ("fit", "H_1", "W_1", "W_2", "W_3", "W_4")
    risks = objectives.risks()
    for k, network in enumerate(networks):
        for j, scale in enumerate((0.5, 0.9)):
            layers = network.layers(model, scale)
            found = [float(model.fit(layers)), *model.squared_norms(layers)]
            np.testing.assert_allclose(risks[2 * k + j], found, rtol=1e-12)


def test_volume_below():
    assert volume_below([[0.5, 0.5], [2.0, 0.0]], [1.0, 1.0]) == pytest.approx(0.25)
    assert volume_below([[2.0, 0.0]], [1.0, 1.0]) == 0.0


@pytest.mark.parametrize("k", [1, 2, 4, 5, 7, 9, 11, 12, 14, 16, 100])
def test_other_numbers_of_classes_are_refused(k, refuses):
    for function, args in ((vertices_for, (k,)), (graph_network, (k, 4)), (triangle_network, (k, 4))):
        assert "r(r-1)/2" in refuses("n_classes", function, *args)


def test_refusals(refuses, rng):
    refuses("depth", graph_network, 10, 2)
    refuses("depth", rho_graph, 5, 2)
    refuses("vertices", rho_triangles, 4, 3)
    assert "at least 10" in refuses("n_classes", triangle_network, 6, 4)
    network = graph_network(10, 4)
    model = DeepFeatures(n_classes=10, per_class=1, depth=3, width=12, regularization=0.01)
    refuses("model", network.layers, model, 0.5)
    refuses("scale", network.layers, model_with(), -0.5)
    refuses("scale", network.layers, model_with(), float("nan"))
    refuses("collapsed", network.reduced, ReducedLoss(6, 4, 1e-9))
    refuses("width", model_with, 0.004, 9)
    refuses("regularization", model_with, 0.0)
    refuses("later", Construction, "wrong", np.eye(3), (2 * np.eye(3),))
    refuses("later", Construction, "wrong", np.eye(3), (np.eye(4),))
    refuses("later", Construction, "wrong", np.eye(3), ())
    refuses("networks", layer_objectives, model_with(), [], [0.5])
    refuses("scales", layer_points, model_with(), network, [1.5])
    refuses("scales", domination_table, model_with(), [network], scales=[0.0], weights=3, rng=0)
    wide = triangle_network(15, 3)
    narrow = DeepFeatures(n_classes=15, per_class=1, depth=3, width=15, regularization=0.01)
    assert "width of at least 20" in refuses("model", wide.layers, narrow, 0.5)
