"""Trained ReLU networks: NC1 behind both halves of a layer, and the correlation of W'W with the root of the AGOP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._collapse import variability
from moltheory.studies._torch import repeatable
from moltheory.studies.gradient_outer_product._model import matrix_root, right_half

__all__ = ["ReluNetwork", "matrix_correlation", "train_network"]


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """A ReLU network with linear outputs, x -> W_L s(... s(W_1 x + b_1)) + b_L; W_l is (d_l, d_{l-1}) and b_l (d_l,)."""

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        chained = all(after.shape[1] == before.shape[0] for before, after in pairwise(self.weights))
        fits = len(self.weights) == len(self.biases) and all(
            bias.shape == weight.shape[:1] for weight, bias in zip(self.weights, self.biases, strict=False)
        )
        if not self.weights or not chained or not fits:
            raise InvalidInputError("`weights` and `biases` must chain, one bias per row, got other shapes.")

    def inputs(self, features: npt.ArrayLike, /) -> tuple[FloatArray, ...]:
        """Return the input of every layer, (N, d_0), ..., (N, d_{L-1}), from features (N, d_0)."""
        x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
        return tuple(_forward(x, self.weights, self.biases, lambda z: np.maximum(z, 0.0))[:-1])

    def outputs(self, features: npt.ArrayLike, /) -> FloatArray:
        """Return the outputs (N, K)."""
        return np.asarray(self.inputs(features)[-1] @ self.weights[-1].T + self.biases[-1])

    def outer_products(self, features: npt.ArrayLike, /) -> tuple[FloatArray, ...]:
        """Return the AGOP with respect to the input of every layer, (d_{l-1}, d_{l-1}), by torch's gradients."""
        x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
        with repeatable() as torch:
            weights, biases = ([torch.tensor(one) for one in layer] for layer in (self.weights, self.biases))
            *inputs, outputs = _forward(torch.tensor(x, requires_grad=True), weights, biases, torch.relu)
            found = [np.zeros((one.shape[1], one.shape[1])) for one in inputs]
            for output in outputs.T:
                # The gradients of a sum over examples are those of the examples: none sees another.
                for product, slope in zip(
                    found, torch.autograd.grad(output.sum(), inputs, retain_graph=True), strict=True
                ):
                    product += (slope.T @ slope).numpy() / len(x)
        return tuple(found)

    def variability(self, features: npt.ArrayLike, labels: npt.ArrayLike, /) -> FloatArray:
        """Return NC1 at the input of every hidden layer, behind S V' of its weights, and behind its ReLU, (L - 1, 3)."""
        inputs = self.inputs(features)
        return np.array(
            [
                [variability(x, labels), variability(x @ right_half(weight).T, labels), variability(after, labels)]
                for x, after, weight in zip(inputs[:-1], inputs[1:], self.weights[:-1], strict=True)
            ]
        )


def _forward(x: Any, weights: Sequence[Any], biases: Sequence[Any], relu: Callable[[Any], Any]) -> list[Any]:
    """The input of every layer and the outputs, for arrays and for tensors."""
    found = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        found.append(relu(found[-1] @ weight.T + bias))
    return [*found, found[-1] @ weights[-1].T + biases[-1]]


def train_network(
    features: npt.ArrayLike, labels: npt.ArrayLike, /, *, hidden: tuple[int, ...], decay: float, epochs: int, seed: int
) -> tuple[ReluNetwork, ReluNetwork]:
    """Return a network before and after training by scikit-learn's classifier (cross-entropy, Adam), never stopped early.

    At least three classes: for two there is one output. `decay` is scikit-learn's `alpha`, the factor >= 0 of the
    squared weights, divided by 2N beside the mean loss.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    check_count("epochs", epochs)
    check_real("decay", decay, low=0.0)
    for units in hidden:
        check_count("hidden", units)
    options = {"hidden_layer_sizes": hidden, "alpha": decay, "random_state": check_count("seed", seed, low=0)}
    # A rate of nearly 0 keeps the start, which scikit-learn does not show otherwise.
    ends = [
        MLPClassifier(max_iter=steps, learning_rate_init=rate, n_iter_no_change=steps + 1, tol=0.0, **options)
        for steps, rate in ((1, 1e-300), (epochs, 1e-3))
    ]
    with warnings_as("ignore", ConvergenceWarning):
        for model in ends:
            model.fit(features, labels)
    start, end = (
        ReluNetwork(tuple(np.asarray(w.T) for w in model.coefs_), tuple(np.asarray(b) for b in model.intercepts_))
        for model in ends
    )
    return start, end


def matrix_correlation(network: ReluNetwork, features: npt.ArrayLike, /, *, off_diagonal: bool = False) -> FloatArray:
    """Return Pearson's correlation of the entries of W'W with those of the root of M, for every layer, (L,).

    Gradients are averaged over the features. `off_diagonal` leaves out the diagonals, which correlate for random
    weights too; NaN where one of the two is constant.
    """
    found = []
    for weight, product in zip(network.weights, network.outer_products(features), strict=True):
        used = ~np.eye(len(product), dtype=np.bool_) if off_diagonal else np.ones(product.shape, dtype=np.bool_)
        a, b = (part[used] - part[used].mean() for part in (weight.T @ weight, matrix_root(product)[0]))
        size = np.linalg.norm(a) * np.linalg.norm(b)
        found.append(float(a @ b / size) if size > 0.0 else np.nan)
    return np.array(found)
