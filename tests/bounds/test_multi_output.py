"""Losses of several outputs: the contraction and the complexities of the balls by enumeration of all signs."""

import itertools
import math

import numpy as np
import pytest

from moltheory.bounds import linear_class, multi_output_class, rademacher, rademacher_complexity

UNIT = {"lipschitz": 1.0, "weight_norm": 1.0, "input_norm": 1.0}
NORMS = ("frobenius", "row-max", "row-sum")


def _complexity(n, **arguments):
    """What the bound uses: half of the width at a range of 0."""
    return float(multi_output_class(n, delta=0.5, loss_range=0.0, **arguments)) / 2


def _supremum(norm, lengths):
    """Largest sum of inner products with vectors of these lengths, over the unit ball."""
    return {"frobenius": np.sqrt((lengths**2).sum()), "row-max": lengths.sum(), "row-sum": lengths.max()}[norm]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("n", "k"), [(3, 2), (2, 4), (4, 3), (2, 1)])
@pytest.mark.parametrize("inputs", ["orthogonal", "equal", "random"])
def test_complexities_of_the_balls_by_enumeration(norm, n, k, inputs):
    x = {"orthogonal": np.eye(n), "equal": np.ones((n, 1)), "random": np.random.default_rng(0).standard_normal((n, 3))}
    points = x[inputs] / np.linalg.norm(x[inputs], axis=1, keepdims=True)
    total = 0.0
    for signs in itertools.product([-1.0, 1.0], repeat=n * k):
        total += _supremum(norm, np.linalg.norm(np.reshape(signs, (k, n)) @ points, axis=1))
    exact = total / 2 ** (n * k) / n
    stated = _complexity(n, n_outputs=k, norm=norm, **UNIT) / (math.sqrt(2) if k > 1 else 1)
    assert stated >= exact * (1 - 1e-12)
    if inputs == "orthogonal" and norm != "row-sum":
        assert stated == pytest.approx(exact, rel=1e-12)


def test_the_price_of_many_rows_is_needed():
    """Equal inputs: the largest of K random walks exceeds the root of n."""
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (20_000, 30, 16))
    largest = np.abs(signs.sum(axis=1)).max(axis=1).mean() / 30
    assert 1 / math.sqrt(30) < largest < _complexity(30, n_outputs=16, norm="row-sum", **UNIT) / math.sqrt(2)


def test_the_root_of_two_is_attained():
    """One example, outputs (0, 0) or (1, 1)/sqrt(2), the Euclidean norm as loss."""
    outputs = np.array([[0.0, 0.0], [1.0, 1.0]]) / math.sqrt(2)
    losses = np.linalg.norm(outputs, axis=1)
    left = np.mean([(s * losses).max() for s in (-1, 1)])
    right = np.mean([(outputs @ s).max() for s in itertools.product([-1, 1], repeat=2)])
    assert left == pytest.approx(math.sqrt(2) * right)
    assert left > 1.4 * right


@pytest.mark.parametrize("norm", NORMS)
def test_contraction_of_finite_sets_of_weights(norm):
    rng = np.random.default_rng(2)
    n, k, d = 10, 3, 4
    for scale in (1.0, 0.01):
        x = rng.standard_normal((n, d))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        weights = rng.standard_normal((200, k, d))
        rows = np.linalg.norm(weights, axis=2)
        size = {"frobenius": np.sqrt((rows**2).sum(axis=1)), "row-max": rows.max(axis=1), "row-sum": rows.sum(axis=1)}
        weights *= scale / size[norm][:, None, None]
        labels = rng.integers(0, k, n)
        outputs = np.einsum("hkd,nd->nhk", weights, x)
        # Cross-entropy, Lipschitz with constant sqrt(2).
        losses = np.log(np.exp(outputs).sum(axis=2)) - outputs[np.arange(n), :, labels]
        exact = rademacher_complexity(losses, method="exact").value
        common = {"lipschitz": math.sqrt(2), "weight_norm": scale, "input_norm": 1.0}
        assert exact <= _complexity(n, n_outputs=k, norm=norm, **common)


def test_special_cases_and_a_value_by_hand():
    one = multi_output_class([70, math.inf], n_outputs=1, delta=0.1, **UNIT)
    assert one.width == pytest.approx(linear_class([70, math.inf], delta=0.1, **UNIT).width, rel=1e-14)
    given = {"lipschitz": [2.0, 3.0], "weight_norm": 0.5, "input_norm": 4.0, "loss_range": [1.0, 2.0]}
    found = multi_output_class([100, 400], n_outputs=7, norm="row-sum", delta=0.1, **given)
    second = math.sqrt(2) * 3 * 0.5 * 4 * (1 + math.sqrt(2 * math.log(7))) / 20
    assert found.width[1] == pytest.approx(2 * second + 2 * math.sqrt(math.log(2 * 2 / 0.1) / 800), rel=1e-12)
    assert found.width[1] == pytest.approx(
        rademacher([100, 400], complexity=[0.0, second], delta=0.1, loss_range=[1.0, 2.0]).width[1]
    )
    widths = [float(multi_output_class(10**4, n_outputs=50, norm=norm, delta=0.1, **UNIT)) for norm in NORMS]
    assert widths[2] < widths[0] < widths[1]


def test_refusals(refuses):
    refuses("n_outputs", multi_output_class, 9, n_outputs=0, delta=0.1, **UNIT)
    refuses("n_outputs", multi_output_class, 9, n_outputs=2.0, delta=0.1, **UNIT)
    refuses("norm", multi_output_class, 9, n_outputs=2, norm="spectral", delta=0.1, **UNIT)
    refuses("lipschitz", multi_output_class, [9, 9], n_outputs=2, delta=0.1, **(UNIT | {"lipschitz": [1.0] * 3}))
    refuses("weight_norm", multi_output_class, 9, n_outputs=2, delta=0.1, **(UNIT | {"weight_norm": -1.0}))
