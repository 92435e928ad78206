"""Networks that end in linear layers: gradients, balance, and the bound on NC1, exactly."""

from itertools import pairwise

import numpy as np
import pytest

from moltheory.images import ImageSource
from moltheory.studies import alignment, imbalance, variability
from moltheory.studies.weight_decay import (
    Cell,
    LinearEndNetwork,
    Plan,
    balance_gap,
    balance_rates,
    balanced_chain,
    condition_ceiling,
    conditioning_bound,
    cosine_floor,
    decay_sweep,
    decayed_gap,
    digits_split,
    exact_checks,
    five_objectives,
    gap_after_step,
    image_columns,
    interpolating_features,
    momentum_rate,
    norm_excess,
    one_hot_targets,
    operator_norm_variant,
    rank_correlation,
    row_condition_number,
    stable_curvature,
    variability_bound,
)
from tests.lab.tiny_images import write_mnist
from tests.studies.extras import needs_torch

K, N = 3, 12
LABELS = np.repeat(np.arange(K), N // K)
TARGETS = one_hot_targets(LABELS, n_classes=K)


def network(n_relu=1, n_linear=3, decay=0.03):
    return LinearEndNetwork(n_relu=n_relu, n_linear=n_linear, width=5, n_inputs=4, n_classes=K, decay=decay)


def case(rng, net, *, replicates=None):
    draws = [net.random(rng) for _ in range(replicates or 1)]
    weights = tuple(np.stack(parts) for parts in zip(*draws, strict=True))
    inputs = rng.normal(size=(replicates or 1, 4, N))
    return (weights, inputs) if replicates else (tuple(one[0] for one in weights), inputs[0])


@needs_torch
@pytest.mark.parametrize(("n_relu", "n_linear"), [(1, 1), (1, 2), (2, 1), (2, 3), (3, 5)])
def test_gradients_are_complex_steps_and_central_differences(rng, n_relu, n_linear):
    net = network(n_relu, n_linear)
    weights, inputs = case(rng, net)
    # Away from kinks ReLU is a product with a fixed mask, so the loss extends to complex arguments.
    masks = [z > 0 for z in net.activations(weights, inputs)[1 : n_relu + 1]]

    def extended(layers):
        z = inputs
        for k, layer in enumerate(layers):
            z = layer @ z * masks[k] if k < n_relu else layer @ z
        return ((z - TARGETS) ** 2).sum() / (2 * N) + net.decay * sum((one**2).sum() for one in layers) / 2

    assert extended(weights) == pytest.approx(float(net.loss(weights, inputs, TARGETS)), rel=1e-14)
    for k, slope in enumerate(net.gradients(weights, inputs, TARGETS)):
        for entry in [(0, 0), (slope.shape[0] - 1, slope.shape[1] - 1), (1, 2)]:
            step = np.zeros_like(slope)
            step[entry] = 1.0

            def moved(size, k=k, step=step):
                return tuple(one + size * step if i == k else one for i, one in enumerate(weights))

            assert np.imag(extended(moved(1e-30j))) / 1e-30 == pytest.approx(slope[entry], rel=1e-11, abs=1e-13)
            up, down = (net.loss(moved(size), inputs, TARGETS) for size in (1e-6, -1e-6))
            assert (up - down) / 2e-6 == pytest.approx(slope[entry], rel=1e-6, abs=1e-8)


@needs_torch
def test_training_is_descent_with_momentum_and_torchs_own(rng):
    import torch

    net = network(2, 2, decay=0.1)
    weights, inputs = case(rng, net, replicates=3)
    copies = [one.copy() for one in weights]
    losses = []
    ends = net.train(
        weights,
        inputs,
        TARGETS,
        rate=0.05,
        momentum=0.9,
        steps=12,
        watch=lambda step, now: losses.append((step, net.loss(now, inputs, TARGETS))),
    )
    assert [step for step, _ in losses] == list(range(13))
    assert all(np.array_equal(one, other) for one, other in zip(copies, weights, strict=True))
    np.testing.assert_array_equal(losses[0][1], net.loss(weights, inputs, TARGETS))
    np.testing.assert_array_equal(losses[-1][1], net.loss(ends, inputs, TARGETS))
    now, speeds = weights, tuple(np.zeros_like(one) for one in weights)
    for _ in range(12):
        slopes = net.gradients(now, inputs, TARGETS)
        speeds = tuple(0.9 * speed - 0.05 * slope for speed, slope in zip(speeds, slopes, strict=True))
        now = tuple(one + speed for one, speed in zip(now, speeds, strict=True))
    leaves = [torch.tensor(one, requires_grad=True) for one in weights]
    optimizer = torch.optim.SGD(leaves, lr=0.05, momentum=0.9, weight_decay=0.1)
    for _ in range(12):
        optimizer.zero_grad()
        features = torch.tensor(inputs)
        for k, leaf in enumerate(leaves):
            features = torch.relu(leaf @ features) if k < 2 else leaf @ features
        ((features - torch.tensor(TARGETS)) ** 2).sum().div(2 * N).backward()
        optimizer.step()
    for end, one, leaf in zip(ends, now, leaves, strict=True):
        np.testing.assert_allclose(end, one, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(end, leaf.detach().numpy(), rtol=1e-11, atol=1e-13)


@needs_torch
def test_replicates_are_independent_and_inputs_kept(rng):
    net = network(2, 2)
    weights, inputs = case(rng, net, replicates=3)
    copies = [one.copy() for one in (*weights, inputs)]
    slopes = net.gradients(weights, inputs, TARGETS)
    assert all(np.array_equal(a, b) for a, b in zip(copies, (*weights, inputs), strict=True))
    for r in range(3):
        alone = net.gradients(tuple(one[r] for one in weights), inputs[r], TARGETS)
        for a, b in zip(slopes, alone, strict=True):
            np.testing.assert_allclose(a[r], b, atol=1e-14)
    np.testing.assert_allclose(net.outputs(weights, inputs), net.activations(weights, inputs)[-1], atol=1e-13)


@needs_torch
def test_gradients_of_consecutive_linear_layers_are_balanced(rng):
    net = network(2, 4)
    weights, inputs = case(rng, net)
    slopes = net.data_gradients(weights, inputs, TARGETS)
    for k in range(2, 5):
        np.testing.assert_allclose(weights[k + 1].T @ slopes[k + 1], slopes[k] @ weights[k].T, atol=1e-13)
    # Across a ReLU only the diagonals agree.
    left, right = weights[2].T @ slopes[2], slopes[1] @ weights[1].T
    np.testing.assert_allclose(np.diag(left), np.diag(right), atol=1e-13)
    assert np.abs(left - right).max() > 1e-4


@needs_torch
def test_gradient_flow_shrinks_the_gap_exponentially(rng):
    from scipy.integrate import solve_ivp

    net = LinearEndNetwork(n_relu=1, n_linear=3, width=2, n_inputs=2, n_classes=2, decay=0.2)
    start, inputs, targets = net.random(rng), rng.normal(size=(2, 4)), one_hot_targets([0, 0, 1, 1], n_classes=2)
    ends = np.cumsum([one.size for one in start])[:-1]

    def split(vector):
        return tuple(part.reshape(shape) for part, shape in zip(np.split(vector, ends), net.shapes, strict=True))

    def flow(_, vector):
        return -np.concatenate([one.ravel() for one in net.gradients(split(vector), inputs, targets)])

    joined = np.concatenate([one.ravel() for one in start])
    now = split(solve_ivp(flow, (0.0, 3.0), joined, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1])
    for k in (1, 2):
        expected = decayed_gap(balance_gap(start[k + 1], start[k]), 3.0, decay=0.2)
        np.testing.assert_allclose(balance_gap(now[k + 1], now[k]), expected, atol=1e-8)


@needs_torch
def test_one_step_of_descent_changes_the_gap_as_stated(rng):
    net = network(1, 3, decay=0.1)
    weights, inputs = case(rng, net, replicates=2)
    slopes, data = net.gradients(weights, inputs, TARGETS), net.data_gradients(weights, inputs, TARGETS)
    moved = tuple(one - 0.3 * slope for one, slope in zip(weights, slopes, strict=True))
    for k in (1, 2):
        gap = balance_gap(weights[k + 1], weights[k])
        expected = gap_after_step(gap, data[k + 1], data[k], rate=0.3, decay=0.1)
        np.testing.assert_allclose(balance_gap(moved[k + 1], moved[k]), expected, atol=1e-13)


def test_momentum_rate_is_that_of_the_recursion():
    gap, change, rate, momentum, decay = 1.0, 0.0, 0.05, 0.9, 0.005
    gaps = []
    for _ in range(800):
        change = momentum * change - 2 * rate * decay * gap
        gap += change
        gaps.append(gap)
    slope = np.log(gaps[-1] / gaps[-101]) / 100
    unit = rate / (1 - momentum)
    assert -slope / (2 * decay * unit) == pytest.approx(momentum_rate(rate, momentum, decay=decay), rel=1e-10)
    assert momentum_rate(0.01, 0.0, decay=1e-6) == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("n_layers", [1, 2, 3, 6])
def test_balanced_chains(rng, n_layers):
    product = rng.normal(size=(K, 4))
    chain = balanced_chain(product, n_layers, width=5)
    found = np.linalg.multi_dot(chain[::-1]) if n_layers > 1 else chain[0]
    np.testing.assert_allclose(found, product, atol=1e-12)
    for before, after in pairwise(chain):
        assert np.abs(balance_gap(after, before)).max() < 1e-13
        assert imbalance(after, before) < 1e-12
    root = row_condition_number(product) ** (1 / n_layers)
    assert row_condition_number(chain[-1]) == pytest.approx(root, rel=1e-11)


def interpolating(rng, n_layers):
    """A balanced chain after features that it maps to the targets, with noise where the chain is blind."""
    product = rng.normal(size=(K, 6))
    noise = (np.eye(6) - np.linalg.pinv(product) @ product) @ rng.normal(size=(6, N))
    return balanced_chain(product, n_layers, width=6), np.linalg.pinv(product) @ TARGETS + noise


@pytest.mark.parametrize("n_layers", [2, 3, 5])
def test_balanced_and_interpolating_is_collapsed(rng, n_layers):
    chain, features = interpolating(rng, n_layers)
    assert variability(features.T, LABELS) > 1e-3
    for weight in chain[:-2]:
        features = weight @ features
    last, before = chain[-1], chain[-2]
    final = before @ features
    np.testing.assert_allclose(last @ final, TARGETS, atol=1e-11)
    np.testing.assert_allclose(final, interpolating_features(last, TARGETS), atol=1e-11)
    assert variability(final.T, LABELS) < 1e-20
    floor = cosine_floor(row_condition_number(last))
    cosines = [float(alignment(final.T[[i, i + N // K]], [0, 1], last[[c, (c + 1) % K]])) for i, c in [(0, 0)]]
    units = (final.T @ last.T)[np.arange(N), LABELS] / (
        np.linalg.norm(final, axis=0) * np.linalg.norm(last, axis=1)[LABELS]
    )
    assert (units >= floor - 1e-12).all()
    assert cosines[0] >= floor - 1e-12
    # Its end is certified up to rounding.
    assert variability_bound(last, before, features, TARGETS) < 1e-9


def test_the_floor_of_cosines_is_attained():
    # Rows at 45 degrees to the singular directions, as the inequality of Kantorovich wants.
    k, turn = 3.0, np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    last = turn @ np.diag([k, 1.0])
    features = interpolating_features(last, np.eye(2))
    assert float(alignment(features.T, [0, 1], last)) == pytest.approx(float(cosine_floor(k)), abs=1e-14)


def test_the_bound_holds_everywhere(rng):
    informative = 0
    for trial in range(600):
        noise, off = 10.0 ** rng.uniform(-4, 0.5, size=2)
        chain, features = interpolating(rng, 2)
        inputs = features + noise * rng.normal(size=features.shape)
        before = chain[0] + off * rng.normal(size=chain[0].shape)
        last = chain[1] + (trial % 2) * off * rng.normal(size=chain[1].shape)
        nc1 = variability((before @ inputs).T, LABELS)
        bound = variability_bound(last, before, inputs, TARGETS)
        sharp = variability_bound(last, before, inputs, TARGETS, sharp=True)
        assert nc1 <= sharp * (1 + 1e-9) <= bound * (1 + 2e-9)
        informative += bound < 1
    assert informative > 50


def test_operator_norms_make_it_false():
    # Exactly fitting layers; m orthogonal noises of equal size that the last layer does not read but the one before
    # passes on: the Frobenius norm counts all of them, the operator norm one.
    m, d = 6, 0.1
    basis = np.linalg.svd(np.vstack([TARGETS, np.zeros((N - K, N))]))[2][K:][:m]
    inputs = np.vstack([TARGETS, 3.0 * basis])
    before = np.diag([1.0] * K + [d] * m)
    last = np.eye(K, K + m)
    nc1 = float(variability((before @ inputs).T, LABELS))
    assert nc1 == pytest.approx((3 * d) ** 2 * m / (N * (K - 1) / K), rel=1e-12)
    assert operator_norm_variant(last, before, inputs, TARGETS) < 0.5 * nc1
    assert nc1 <= variability_bound(last, before, inputs, TARGETS, sharp=True)
    # The error's norm matters as well: K identical layers and noise in the classes.
    noisy = TARGETS + 0.01 * np.vstack([basis[:3]])
    nc1 = float(variability(noisy.T, LABELS))
    assert operator_norm_variant(np.eye(K), np.eye(K), noisy, TARGETS) < 0.5 * nc1
    assert nc1 <= variability_bound(np.eye(K), np.eye(K), noisy, TARGETS)


def test_bound_claims_nothing_without_fit_or_rank(rng):
    zero = np.zeros((5, N))
    assert variability_bound(np.eye(K, 5), np.eye(5), zero, TARGETS) == np.inf
    low = np.vstack([np.eye(2, 5), np.eye(2, 5)[:1]])
    assert variability_bound(low, np.eye(5), np.vstack([TARGETS, TARGETS[:2]]), TARGETS) == np.inf


def test_refusals(refuses, rng):
    ok = {"n_relu": 1, "n_linear": 2, "width": 5, "n_inputs": 4, "n_classes": 3, "decay": 0.1}
    refuses("decay", LinearEndNetwork, **{**ok, "decay": 0.0})
    refuses("width", LinearEndNetwork, **{**ok, "width": 2})
    refuses("n_linear", LinearEndNetwork, **{**ok, "n_linear": 0})
    refuses("labels", one_hot_targets, [0, 1, 1], n_classes=2)
    refuses("labels", one_hot_targets, [0, 2], n_classes=2)
    refuses("targets", variability_bound, np.eye(2), np.eye(2), np.eye(2), [[1.0, 1.0], [0.0, 0.0]])
    refuses("before", variability_bound, np.eye(2), np.eye(3), np.eye(3), np.eye(2))
    refuses("inputs", variability_bound, np.eye(2), np.eye(2), np.eye(3), np.eye(2))
    refuses("before", balance_gap, np.eye(2), np.eye(3))
    refuses("width", balanced_chain, np.eye(3), 2, width=2)
    refuses("last", interpolating_features, [[1.0, 1.0], [1.0, 1.0]], np.eye(2))
    refuses("condition", cosine_floor, 0.5)
    refuses("momentum", momentum_rate, 0.1, 1.0, decay=0.1)
    refuses("first", LinearEndNetwork, **{**ok, "first": 2})
    refuses("excess", condition_ceiling, 0.9, 3)
    refuses("layers", norm_excess, [np.zeros(3)])
    refuses("features", conditioning_bound, np.eye(2), np.eye(3), np.eye(2))
    refuses("rate", stable_curvature, 0.0, 0.9)
    refuses("per_class", digits_split().draw, 101, rng)
    sweep = {"seeds": 1, "per_class": 1, "steps": 1, "source": ImageSource(), "settings": None}
    refuses("plan", decay_sweep, Plan(()), **sweep)
    refuses("decay", decay_sweep, Plan((Cell(1, 0.0, 0.1, 16),)), **sweep)
    refuses("rate", decay_sweep, Plan((Cell(1, 0.1, -1.0, 16),)), **sweep)


@needs_torch
def test_steps_of_batches_need_a_generator(refuses, rng):
    weights, inputs = case(rng, network())
    options = {"rate": 0.1, "momentum": 0.9, "steps": 1, "watch": lambda *_: None, "batch": 4}
    refuses("rng", network().train, weights, inputs, TARGETS, **options)


@needs_torch
def test_batches_pass_through_the_examples_in_single_precision(rng):
    net = LinearEndNetwork(n_relu=1, n_linear=2, width=4, n_inputs=4, n_classes=K, decay=0.02, first=7)
    assert net.shapes == ((7, 4), (4, 7), (3, 4))
    weights, inputs = case(rng, net)
    ends = net.train(
        weights,
        inputs,
        TARGETS,
        rate=0.1,
        momentum=0.5,
        steps=6,
        watch=lambda *_: None,
        batch=5,
        rng=np.random.default_rng(3),
    )
    assert all(one.dtype == np.float32 for one in ends)
    # Twelve examples hold two batches of five in a pass; a new order for each pass.
    order = np.random.default_rng(3)
    now, speeds = weights, tuple(np.zeros_like(one) for one in weights)
    for step in range(6):
        if step % 2 == 0:
            rows = order.permutation(N)
        chosen = rows[5 * (step % 2) : 5 * (step % 2) + 5]
        slopes = net.gradients(now, inputs[:, chosen], TARGETS[:, chosen])
        speeds = tuple(0.5 * speed - 0.1 * slope for speed, slope in zip(speeds, slopes, strict=True))
        now = tuple(one + speed for one, speed in zip(now, speeds, strict=True))
    for end, one in zip(ends, now, strict=True):
        np.testing.assert_allclose(end, one, rtol=1e-4, atol=1e-5)


@needs_torch
def test_curvature_is_the_top_eigenvalue_of_the_hessian(rng):
    net = network(1, 2, decay=0.05)
    weights, inputs = case(rng, net)
    ends = np.cumsum([one.size for one in weights])[:-1]

    def slope(vector):
        parts = tuple(part.reshape(s) for part, s in zip(np.split(vector, ends), net.shapes, strict=True))
        return np.concatenate([one.ravel() for one in net.gradients(parts, inputs, TARGETS)])

    here = np.concatenate([one.ravel() for one in weights])
    steps = 1e-6 * np.eye(len(here))
    hessian = np.array([(slope(here + one) - slope(here - one)) / 2e-6 for one in steps])
    top = np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1]
    found = net.curvature(weights, inputs, TARGETS, rng=rng, iterations=300)
    assert found == pytest.approx(top, rel=1e-4)


def test_stable_curvature_is_where_descent_with_momentum_turns():
    for rate, momentum in ((0.1, 0.9), (0.5, 0.0)):
        limit = stable_curvature(rate, momentum)
        for share, stays in ((0.99, True), (1.01, False)):
            # x <- x + v, v <- beta v - eta c x.
            speed = rate * share * limit
            step = np.array([[1.0 - speed, momentum], [-speed, momentum]])
            assert bool(np.abs(np.linalg.eigvals(step)).max() < 1.0) is stays


@pytest.mark.parametrize("n_layers", [1, 2, 4])
def test_norms_near_the_least_bound_the_condition_number(rng, n_layers):
    for _ in range(50):
        product = rng.normal(size=(K, 6))
        chain = balanced_chain(product, n_layers, width=6)
        root = row_condition_number(product) ** (1.0 / n_layers)
        excess = norm_excess(chain)
        assert root <= condition_ceiling(excess, K) * (1 + 1e-12)
        # Any other factors have a larger norm.
        if n_layers > 1:
            mixed = np.eye(6) + 0.1 * rng.normal(size=(6, 6))
            other = (mixed @ chain[0], *chain[1:-1], chain[-1])
            back = (*other[:1], chain[1] @ np.linalg.inv(mixed), *chain[2:])
            assert norm_excess(back) >= excess * (1 - 1e-12)
    # The inequality is attained: the middle one of three singular values at its best.
    k = 2.0
    half = (k + 1.0 / k) / 2.0
    a = half ** (-1.0 / 3.0)
    values = np.sqrt([a * k, a**-2, a / k])
    assert norm_excess([np.diag(values)]) == pytest.approx(half ** (2.0 / 3.0), rel=1e-12)
    assert float(condition_ceiling(norm_excess([np.diag(values)]), 3)) == pytest.approx(k, rel=1e-12)
    assert norm_excess([np.diag([1.0, 1.0, 0.0])]) == np.inf
    assert norm_excess([np.ones((3, 2))]) == np.inf


def test_features_bound_the_condition_number_of_any_last_layer(rng):
    informative = 0
    for _ in range(200):
        last, noise = rng.normal(size=(K, 5)), 10.0 ** rng.uniform(-3, 0)
        features = np.linalg.pinv(last) @ TARGETS + noise * rng.normal(size=(5, N))
        bound = float(conditioning_bound(last, features, TARGETS))
        assert row_condition_number(last) <= bound * (1 + 1e-12)
        informative += np.isfinite(bound)
    assert informative > 50
    # Without noise it is exact.
    features = np.linalg.pinv(last) @ TARGETS
    assert conditioning_bound(last, features, TARGETS) == pytest.approx(float(row_condition_number(last)), rel=1e-10)
    assert conditioning_bound(last, np.zeros((5, N)), TARGETS) == np.inf


def test_exact_checks_are_exact_and_their_false_variants_are_not():
    found = exact_checks(40, np.random.SeedSequence(1))
    assert found.chains == 40
    assert found.nc1 < 1e-20
    assert found.nc2_off < 1e-9 < 1e-4 < found.nc2_other
    assert found.cosine_off < 1e-12
    assert found.ceiling_off <= 1 + 1e-12
    assert found.kept <= 1 < 2 < found.broken


def test_columns_are_centered_in_the_pool_and_the_same_for_all_data(rng, tmp_path):
    write_mnist(tmp_path, n_train=120, n_test=40)
    for source, n_test, side in ((ImageSource(), 797, 8), (ImageSource(str(tmp_path)), 40, 28)):
        columns = image_columns(source)
        assert columns.test.shape == (side**2 + 1, n_test)
        assert columns.test.dtype == np.float32
        counts = np.bincount(columns.data.pool_labels)
        drawn = columns.draw(int(counts.min()), rng)
        assert drawn.shape == (side**2 + 1, 10 * counts.min())
        assert (drawn[-1] == 1).all()
        flat = columns.data.pool.reshape(len(columns.data.pool), -1)
        norms = np.square((flat - columns.center) * columns.size).sum(axis=1)
        assert norms.mean() == pytest.approx(9.0, rel=1e-12)
        own = (columns.data.test.reshape(n_test, -1) - columns.center) * columns.size
        np.testing.assert_allclose(columns.test[:-1], own.T, atol=1e-5)
    assert digits_split() is image_columns(ImageSource())


def test_rank_correlation_agrees_with_scipy(rng):
    from scipy.stats import spearmanr

    x, y = rng.integers(0, 4, 30).astype(float), rng.normal(size=30)
    assert rank_correlation(x, y) == pytest.approx(float(spearmanr(x, y).statistic), abs=1e-12)
    assert np.isnan(rank_correlation([1.0, 1.0], [1.0, 2.0]))


def test_objectives_need_a_pair_of_linear_layers(refuses):
    import pandas as pd

    refuses("networks", five_objectives, pd.DataFrame({"linear": [1, 1]}))
    assert balance_rates(pd.DataFrame({"network": [0], "linear": [1]})).empty
