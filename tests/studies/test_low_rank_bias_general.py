"""Networks for any number of classes: graphs with edges left out, three classes in a plane, direct sums."""

import math
from itertools import combinations

import numpy as np
import pytest

from moltheory.studies import DeepFeatures
from moltheory.studies.low_rank_bias import (
    best_edges,
    best_network,
    collapsed_network,
    dominates,
    edge_network,
    graph_network,
    joined_network,
    layer_points,
    plane_network,
    reach_table,
    rho_edges,
    rho_graph,
    rho_plane,
    rho_triangles,
    triangle_network,
)
from moltheory.studies.unconstrained_features import ReducedLoss
from tests.studies.extras import needs_torch

DEPTHS = (3, 4, 5, 6)


def networks():
    """Every kind of network of this module."""
    for depth in DEPTHS:
        yield plane_network(depth)
        for k in (4, 7, 8, 11, 12):
            yield edge_network(best_edges(k, depth), depth)
            yield best_network(k, depth)


def model_of(network, per_class=2):
    """A model with unequal factors for which the optimum is not zero."""
    k, depth = network.n_classes, network.depth
    critical = ReducedLoss(k, depth, 1.0).critical_product / per_class
    factors = 0.3 * critical ** (1 / (depth + 1)) * np.linspace(0.8, 1.25, depth + 1)
    return DeepFeatures(
        n_classes=k, per_class=per_class, depth=depth, width=max(network.width, k) + 1, regularization=factors.tolist()
    )


@pytest.mark.parametrize("network", list(networks()), ids=lambda one: f"{one.name}-{one.n_classes}-{one.depth}")
def test_tensors_have_the_reduced_loss(network):
    model = model_of(network)
    reduced = network.reduced(ReducedLoss.of_model(model))
    for scale in (0.5, reduced.scale, 1.0):
        layers = network.layers(model, scale)
        assert float(model.loss(layers)) == pytest.approx(float(reduced.loss(scale)), abs=1e-13)
        np.testing.assert_allclose(model.squared_norms(layers) * model.factors, reduced.layer_share(scale), rtol=1e-11)


@pytest.mark.parametrize("r", [4, 5, 6])
def test_the_complete_graph_is_the_graph_network(r):
    edges = list(combinations(range(r), 2))
    for depth in DEPTHS:
        assert rho_edges(edges, depth) == pytest.approx(rho_graph(r, depth), rel=1e-12)
        assert edge_network(edges, depth).rho == pytest.approx(graph_network(len(edges), depth).rho, rel=1e-12)
        assert set(best_edges(len(edges), depth)) == set(edges)


@pytest.mark.parametrize("k", [4, 5, 7, 8, 9, 11, 12, 13, 14])
def test_graphs_with_edges_left_out(k):
    for depth in DEPTHS:
        edges = best_edges(k, depth)
        assert len(edges) == len(set(edges)) == k
        assert edge_network(edges, depth).rho == pytest.approx(rho_edges(edges, depth), rel=1e-12)
        # The last ReLU tells every edge from every other one: the identity, up to rounding.
        seen = np.maximum(edge_network(edges, depth).preactivations[-2], 0.0)
        np.testing.assert_allclose(seen, np.eye(k), atol=1e-12)


def test_a_cycle_of_four_has_rank_three_and_pays_for_no_more():
    cycle = [(0, 1), (1, 2), (2, 3), (3, 0)]
    nuclear = 2 + 2 * math.sqrt(2)  # singular values 2, sqrt(2), sqrt(2), 0
    for depth in DEPTHS:
        ratio = nuclear**2 * 3 ** (depth - 3) * 4 / 4**depth
        assert rho_edges(cycle, depth) ** (depth + 1) == pytest.approx(ratio, rel=1e-12)
    assert rho_edges(cycle, 4) > 1 > rho_edges(cycle, 5)


def test_names_of_vertices_and_order_of_edges_do_not_matter():
    path = [(0, 1), (1, 2), (0, 2), (2, 3)]
    other = [(9, 4), (4, 7), (9, 7), (7, 1)]
    assert rho_edges(path, 4) == pytest.approx(rho_edges([(b, a) for a, b in other[::-1]], 4), rel=1e-12)


def test_three_classes_in_a_plane():
    network = plane_network(4)
    assert np.linalg.matrix_rank(network.first) == 2
    nuclear, _, middle, signs, last = network.squared_norms
    assert nuclear == pytest.approx(1 + math.sqrt(2.5), rel=1e-13)
    assert (middle, signs) == (pytest.approx(2.0), pytest.approx(5.0))
    assert last == pytest.approx(10 / 3, rel=1e-13)
    for depth in DEPTHS:
        assert plane_network(depth).rho == pytest.approx(rho_plane(depth), rel=1e-13)
    # At L = 4 the claim is sqrt(10) < 379/100, in integers; each further layer multiplies the ratio by 2/3.
    assert 10 * 100**2 < 379**2
    assert rho_plane(4) < 1 < rho_plane(3)
    for depth in DEPTHS:
        assert (rho_plane(depth + 1) ** (depth + 2)) / (rho_plane(depth) ** (depth + 1)) == pytest.approx(2 / 3)


def test_a_direct_sum_costs_the_mean_of_its_parts():
    for depth in (3, 4, 6):
        parts = [triangle_network(10, depth), plane_network(depth), collapsed_network(2, depth)]
        whole = joined_network(parts)
        mean = sum(one.n_classes * one.rho for one in parts) / 15
        assert whole.rho == pytest.approx(mean, rel=1e-12)
        assert whole.rho == pytest.approx((10 * rho_triangles(5, depth) + 3 * rho_plane(depth) + 2) / 15, rel=1e-12)
    assert joined_network([whole]) is whole


def test_no_other_scales_of_the_parts_cost_less(rng):
    # Hoelder: the product over layers of sums of squared norms, for random scales that leave the outputs alone.
    parts = [graph_network(6, 4), collapsed_network(3, 4)]
    costs = np.array([one.squared_norms for one in parts])
    best = joined_network(parts).squared_norms.prod()
    for _ in range(200):
        scales = np.exp(rng.normal(size=costs.shape))
        scales[:, 1] = scales[:, 0]  # the nuclear norm is paid twice
        scales /= scales.prod(axis=1, keepdims=True) ** (1 / 5)
        assert (costs * scales).sum(axis=0).prod() >= best * (1 - 1e-12)


def test_collapse_is_not_optimal_for_three_classes_and_four_layers_or_more():
    table = reach_table(range(2, 16), DEPTHS)
    assert (table["error"] < 1e-14).all()
    two = table[table["n_classes"] == 2]
    assert (two["rho"] == 1).all()
    deep = table[(table["n_classes"] >= 3) & (table["depth"] >= 4)]
    assert deep["below"].all()
    assert (deep["rank"] < deep["n_classes"]).all()
    three = table[table["depth"] == 3]
    assert three.loc[three["below"], "n_classes"].tolist() == list(range(10, 16))
    # Left at collapse where nothing is known to be cheaper.
    assert (table.loc[~table["below"], "rho"] == 1).all()
    assert (table.loc[~table["below"], "rank"] == table.loc[~table["below"], "n_classes"]).all()
    # What the graph alone does not reach: K = 4, 5 and 7 at four layers.
    four = table[(table["depth"] == 4) & (table["edges"] >= 1)]
    assert four["n_classes"].tolist() == [4, 5, 7]
    golden = table[(table["depth"] == 4) & table["n_classes"].isin([7, 8, 11, 12])]["rho"]
    np.testing.assert_allclose(golden, [0.968515, 0.972451, 0.833462, 0.847340], atol=5e-7)


@pytest.mark.parametrize(("k", "depth"), [(3, 4), (7, 4), (8, 5), (11, 3), (12, 4)])
def test_collapse_is_dominated_in_every_objective(k, depth):
    network, collapse = best_network(k, depth), collapsed_network(k, depth)
    model = model_of(network)
    scales = np.linspace(0.05, 1.0, 20)
    better, worse = layer_points(model, network, scales), layer_points(model, collapse, scales)
    assert dominates(better, worse).all()
    np.testing.assert_allclose(better[:, 1:] / worse[:, 1:], network.rho, rtol=1e-11)


@needs_torch
def test_optimal_tensors_are_stationary_in_the_size_of_each_layer():
    for network in (plane_network(4), best_network(7, 4), best_network(12, 3)):
        model = model_of(network)
        layers = network.layers(model, network.reduced(ReducedLoss.of_model(model)).scale)
        slopes = [float((one * slope).sum()) for one, slope in zip(layers, model.gradients(layers), strict=True)]
        assert np.abs(slopes).max() < 1e-13


def test_refusals(refuses):
    for edges in ([(0, 0), (1, 2)], [(0, 1), (1, 0)], [(0, 1)], [(0, 1, 2), (1, 2, 3)], [(0, -1), (1, 2)], []):
        refuses("edges", rho_edges, edges, 4)
    refuses("depth", rho_edges, [(0, 1), (1, 2), (0, 2)], 2)
    refuses("depth", edge_network, [(0, 1), (1, 2), (0, 2)], 2)
    refuses("depth", plane_network, 2)
    refuses("depth", rho_plane, 2)
    refuses("depth", best_network, 7, 2)
    refuses("n_classes", best_network, 1, 4)
    refuses("n_classes", best_edges, 3, 4)
    assert "too many graphs" in refuses("n_classes", best_network, 16, 4)
    refuses("parts", joined_network, [])
    refuses("parts", joined_network, [plane_network(3), plane_network(4)])
