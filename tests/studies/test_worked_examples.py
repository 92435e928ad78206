"""Small examples of the workings of the studies, with numbers that can be followed by hand or were fixed before."""

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError
from moltheory.studies import (
    DeepFeatures,
    alignment,
    class_means,
    etf_deviation,
    imbalance,
    mean_condition_number,
    numerical_rank,
    variability,
)
from moltheory.studies import fully_connected as fc
from moltheory.studies import gradient_outer_product as gop
from moltheory.studies import low_rank_bias as lr
from moltheory.studies import smoothing as sm


def _close(found, expected, digits):
    assert np.asarray(found).shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.51 * 10.0**-digits, equal_nan=True)


def test_metrics_of_collapse():
    _close(class_means([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]], [0, 0, 1]), [[1, 1], [4, 4]], 15)
    # Within: all squares are 1; between: means 1 and 10 are 4.5 from their middle.
    assert variability([[0.0], [2.0], [9.0], [11.0]], [0, 0, 1, 1]) == 1 / 4.5**2
    assert mean_condition_number([[2.0, 0.0], [0.0, 1.0]], [0, 1]) == 2
    _close(etf_deviation(np.eye(3), [0, 1, 2]), 0.0, 12)
    assert alignment([[2.0, 0.0], [0.0, 3.0]], [0, 1], np.eye(2)) == 1
    assert imbalance([[2.0, 0.0]], [[1.0], [0.0]]) == 3
    assert numerical_rank([[1.0, 0.0], [0.0, 1e-6]]) == 1
    model = DeepFeatures(n_classes=2, per_class=3, depth=2, width=4, regularization=0.01)
    assert model.loss(model.zeros()) == 0.5


def test_costs_of_low_rank():
    _close([lr.rho_graph(5, 4), lr.rho_graph(4, 3)], [0.9014, 1.0561], 4)
    _close([lr.rho_triangles(5, 3), lr.rho_triangles(5, 3) ** 4], [0.923437, 0.72716], 6)
    table = lr.cost_table((4, 5), (4,))[["n_classes", "graph", "triangles"]]
    _close(table.to_numpy(), [[6, 0.9633, np.nan], [10, 0.9014, 0.8168]], 4)


def test_certificates_of_smoothing():
    worst = sm.worst_probability(0.1, distance=0.3, sigma0=0.5, sigma1=[0.45, 0.5, 0.55], dimension=10)
    _close(worst, [0.27694, 0.24776, 0.30718], 5)
    _close(sm.certifiable_probability([0.3, 0.6], sigma=0.5, rate=0.1, dimension=100), [0.230793, 0.069766], 6)
    _close(sm.upper_other([1000, 990], 1000, alpha=0.001), [0.006884, 0.023964], 6)
    found = sm.certified_votes([[3, 997], [520, 480]], guess=[1, 0], sigma=0.5, rate=0.01, dimension=3072)
    assert found.classes.tolist() == [1, -1]
    _close(found.radii, [1.036, 0.0], 3)
    lower, upper = sm.noncentral_tails([3.0, 60.0], dimension=10, noncentrality=4.0)
    _close([1e3 * lower[0], 1e6 * upper[1]], [4.003976, 1.339572], 6)
    x = sm.noncentral_quantile(1e-12, dimension=784, noncentrality=100.0, upper=True)
    _close(x, 1232.450206, 6)
    _close(1e12 * sm.noncentral_tails(x, dimension=784, noncentrality=100.0)[1], 1.0, 6)


def test_limits_of_dimension():
    kinds = ("exact", "chernoff", "simplified")
    _close([sm.smallest_ratio(0.1, dimension=784, kind=kind) for kind in kinds], [0.968, 0.946, 0.944], 3)
    table = sm.curse_table()
    table = table[table["dimension"] == 784][["p_other", *kinds]]
    _close(table.to_numpy(), [[0.1, 0.968, 0.946, 0.944], [0.01, 0.942, 0.924, 0.920]], 3)
    _close(sm.approximate_radius(0.1, sigma=0.5, rate=0.01, dimension=784), 0.6286, 4)
    _close(sm.approximation_table(2)["share"][:2], [1.0, 0.23], 2)
    _close(sm.largest_radius(0.5, rate=0.05, dimension=3072, n=1000, alpha=0.001), 0.556, 3)
    sm.check_design(0.5, rate=0.01, dimension=3072, n=1000, alpha=0.001)
    refusal = (
        r"^`rate` must let some radius of 0\.0123 or more be certified, got 5: in 150528 dimensions 1000 equal votes "
        r"certify nothing where sigma falls below 0\.9955 of itself, so no radius is above 0\.000897\.$"
    )
    with pytest.raises(InvalidInputError, match=refusal):
        sm.check_design(0.5, rate=5.0, dimension=150528, n=1000, alpha=0.001)


def test_noise_and_rates():
    assert sm.ConstantSigma(0.5)([[1.0, 2.0], [3.0, 4.0]]).tolist() == [0.5, 0.5]
    sigma = sm.NeighborSigma([[0.0], [1.0], [3.0]], base=0.5, rate=0.1, center=1.0, k=2)
    # Mean distances 0.5 and 9 to the two nearest points.
    _close(sigma([[0.5], [11.0]]), 0.5 * np.exp([-0.05, 0.8]), 12)
    assert sm.neighbor_distances([[0.0], [1.0], [3.0]], k=2).tolist() == [2, 1.5, 2.5]
    found = sm.certified_accuracy([0.2, 0.6, 0.9, 0.0], correct=[1, 1, 0, 0], distances=[0.0, 0.5, 1.0])
    assert found.tolist() == [0.5, 0.25, 0]
    assert sm.class_accuracies([1, 0, 1, 1], ["a", "a", "b", "b"]).tolist() == [0.5, 1]
    assert sm.class_deviation([1, 0, 1, 1], ["a", "a", "b", "b"]) == 0.25
    network = sm.Network((np.eye(2), np.eye(2)), (np.zeros(2), np.zeros(2)))
    assert network(np.array([[1.0, 2.0], [3.0, -1.0]])).tolist() == [1, 0]
    table = sm.simulated_certificates(3, n=20_000, rng=0)
    assert (table[["z", "z_here"]].abs() < 4).all(axis=None)


def test_outer_products():
    assert len(gop.variants((0.5, 1.0))) == 7
    assert gop.digit_split(0, 0, 300, 200)[2].shape == (200, 64)
    _close(gop.pair_distances([[1.0, 0.0], [0.0, 0.0]], [[1.0, 1e-9]]), [[1e-9], [1.0]], 12)
    _close(gop.matrix_root([[4.0, 0.0], [0.0, 9.0]])[0], [[2, 0], [0, 3]], 14)
    _close(gop.linear_outer_product([[2.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]]), [[0.25, 0.5], [0.5, 1]], 14)
    assert gop.collapsed_kernel_value(2, 3, 1.0) == 1.5
    _, value = gop.optimal_kernel([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], ridge=0.5)
    _close([value, gop.collapsed_kernel_value(2, 2, 0.5)], [1.6, 1.6], 5)
    _close(np.abs(gop.right_half([[0.0, 2.0], [1.0, 0.0]])), [[0, 2], [1, 0]], 14)
    network = gop.ReluNetwork((np.eye(2), np.array([[1.0, -2.0]])), (np.zeros(2), np.zeros(1)))
    assert network.outputs([[1.0, 3.0], [1.0, -3.0]]).tolist() == [[-5], [1]]
    assert gop.sign_targets([1, 0], 3).tolist() == [[-1, 1, -1], [1, -1, -1]]
    _close(gop.geometric_mean([1.0, 4.0]), 2.0, 12)


def test_parts_of_training_with_little_data():
    rows = [
        ("d", 9, m, s, e)
        for m, errors in (("plain", (0.3, 0.4, 0.5)), ("OJKD", (0.2, 0.3, 0.3)))
        for s, e in enumerate(errors)
    ]
    networks = pd.DataFrame(rows, columns=["data", "labels", "method", "seed", "test_error"]).assign(train_accuracy=1.0)
    _close(fc.paired_differences(networks)[["difference", "low", "high"]], [[-0.133, -0.277, 0.010]], 3)
    # One network that does not fit like the others: no comparison.
    networks.loc[4, "train_accuracy"] = 0.9
    assert fc.paired_differences(networks)[["compared", "difference"]].isna().sum().tolist() == [0, 1]
    _close(fc.predictive_entropy([[0.0, 0.0], [1000.0, 0.0]]), [np.log(2), 0], 12)
    rng = np.random.default_rng(0)
    assert fc.queried(np.array([3, 5, 9]), 2, scores=[0.1, 0.7, 0.2], rng=rng).tolist() == [5, 9]
    ones = np.full((2, 8, 8), 255, dtype=np.uint8)
    assert fc.cluttered(ones, others=ones, rng=rng, clutter=fc.Clutter(side=9, noise=0.0)).shape == (2, 9, 9)
    data = fc.digit_images("cluttered digits", root=np.random.SeedSequence(0))
    assert (data.pool.shape, data.test.shape) == ((1000, 1, 12, 12), (797, 1, 12, 12))
    assert fc.n_refiner_parameters(512, width=64, n_classes=10) == 42058
    _close([fc.Recipe(epochs=10).rate_at(epoch) for epoch in (7, 8)], [0.1, 0.01], 12)
    statistics = fc.pixel_statistics(np.array([0, 255], dtype=np.uint8).reshape(2, 1, 1, 1))
    assert [one.tolist() for one in statistics] == [[0.5], [0.5]]
