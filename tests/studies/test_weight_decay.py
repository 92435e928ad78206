"""Networks that end in linear layers: gradients, balance, and the bound on NC1, exactly."""

from itertools import pairwise

import numpy as np
import pytest

from moltheory.studies import alignment, imbalance, variability
from moltheory.studies.weight_decay import (
    LinearEndNetwork,
    balance_gap,
    balance_rates,
    balanced_chain,
    cosine_floor,
    decay_sweep,
    decayed_gap,
    digits_split,
    five_objectives,
    gap_after_step,
    interpolating_features,
    momentum_rate,
    one_hot_targets,
    operator_norm_variant,
    rank_correlation,
    row_condition_number,
    variability_bound,
)
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
    refuses("per_class", digits_split().draw, 101, rng)
    refuses("linear", decay_sweep, (), (0.1,), seeds=1, steps=1, settings=None)
    refuses("decays", decay_sweep, (1,), (0.0,), seeds=1, steps=1, settings=None)


def test_digits_are_split_once_and_for_all():
    split = digits_split()
    assert np.bincount(split.pool_labels).tolist() == [100] * 10
    assert np.square(split.pool[:64]).sum(axis=0).mean() == pytest.approx(9.0, rel=1e-12)
    joined = np.hstack([split.pool, split.test])
    assert joined.shape[1] == 1797
    assert (joined[64] == 1).all()


def test_rank_correlation_agrees_with_scipy(rng):
    from scipy.stats import spearmanr

    x, y = rng.integers(0, 4, 30).astype(float), rng.normal(size=30)
    assert rank_correlation(x, y) == pytest.approx(float(spearmanr(x, y).statistic), abs=1e-12)
    assert np.isnan(rank_correlation([1.0, 1.0], [1.0, 2.0]))


def test_objectives_need_a_pair_of_linear_layers(refuses):
    import pandas as pd

    refuses("networks", five_objectives, pd.DataFrame({"linear": [1, 1]}))
    assert balance_rates(pd.DataFrame({"network": [0], "linear": [1]})).empty
