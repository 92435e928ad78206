"""Trained ReLU networks: NC1 behind both halves of a layer, and the correlation of W'W with the root of the AGOP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.runs import as_seed_sequence
from moltheory.studies._collapse import variability
from moltheory.studies._machine import Machine
from moltheory.studies._torch import repeatable, seeded
from moltheory.studies.gradient_outer_product._model import matrix_root, right_half
from moltheory.studies.gradient_outer_product._recursion import sign_targets

__all__ = ["FITTED", "ReluNetwork", "correlations", "matrix_correlation", "train_network"]

# Share of training examples that a trained network may misclassify.
FITTED = 0.01


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """A ReLU network with linear outputs, x -> W_L s(... s(W_1 x + b_1)) + b_L.

    W_l is (d_l, d_{l-1}), and b_l is (d_l,), or there is none: `biases` are empty.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...] = ()

    def __post_init__(self) -> None:
        chained = all(after.shape[1] == before.shape[0] for before, after in pairwise(self.weights))
        fits = not self.biases or (
            len(self.weights) == len(self.biases)
            and all(bias.shape == weight.shape[:1] for weight, bias in zip(self.weights, self.biases, strict=True))
        )
        if not self.weights or not chained or not fits:
            raise InvalidInputError("`weights` and `biases` must chain, one bias per row or none, got other shapes.")

    def inputs(self, features: npt.ArrayLike, /) -> tuple[FloatArray, ...]:
        """Return the input of every layer, (N, d_0), ..., (N, d_{L-1}), from features (N, d_0)."""
        return tuple(self._forward(features)[:-1])

    def outputs(self, features: npt.ArrayLike, /) -> FloatArray:
        """Return the outputs (N, K)."""
        return np.asarray(self._forward(features)[-1])

    def outer_products(self, features: npt.ArrayLike, /) -> tuple[FloatArray, ...]:
        """Return the AGOP with respect to the input of every layer, (d_{l-1}, d_{l-1}), by torch's gradients."""
        x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
        with repeatable() as torch:
            weights, biases = ([torch.tensor(one) for one in layer] for layer in (self.weights, self._shifts()))
            *inputs, outputs = _layers(torch.tensor(x, requires_grad=True), weights, biases, torch.relu)
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

    def _shifts(self) -> tuple[FloatArray, ...]:
        return self.biases or tuple(np.zeros(len(weight)) for weight in self.weights)

    def _forward(self, features: npt.ArrayLike) -> list[Any]:
        x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
        return _layers(x, self.weights, self._shifts(), lambda z: np.maximum(z, 0.0))


def _layers(x: Any, weights: Sequence[Any], biases: Sequence[Any], relu: Callable[[Any], Any]) -> list[Any]:
    """The input of every layer and the outputs, for arrays and for tensors."""
    found = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        found.append(relu(found[-1] @ weight.T + bias))
    return [*found, found[-1] @ weights[-1].T + biases[-1]]


def train_network(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    /,
    *,
    hidden: tuple[int, ...],
    gain: float,
    rate: float,
    epochs: int,
    seed: int,
    batch: int = 128,
    rounds: int = 1,
    machine: Machine | None = None,
) -> tuple[ReluNetwork, ReluNetwork]:
    """Return a network without biases before and after training as in the source's scripts.

    Squared loss to labels of -1 and 1, averaged over outputs and examples; Adam, no weight decay; hidden layers start
    uniform (X. Glorot, Y. Bengio, 2010) times `gain`, the output layer at torch's default. The run script of D.
    Beaglehole, P. Súkeník, M. Mondelli, M. Belkin (2024) (github.com/dmbeaglehole/neural_collapse_rfm, run_jobs.sh)
    has 5 hidden layers of 512, a gain of 0.1, a rate of 5e-5, batches of 128 and 250 epochs on 50,000 images, whose
    pixels are standardized.

    Parameters
    ----------
    features : (N, d) array_like
    labels : (N,) array_like of int
        0 to K - 1, K >= 2.
    hidden : tuple of int
        Widths of the hidden layers.
    gain, rate : float
        > 0.
    epochs, batch : int
    rounds : int, default 1
        Another round of the same number of epochs follows while more than 1 % of the examples are misclassified, up to
        this number in all: from a small start, few images of few pixels leave the plateau late.
    seed : int
        Of the start and the order of the examples.
    machine : Machine, optional
        One thread of the CPU by default.
    """
    x = real_array("features", features, shape="(N, d)", min_ndim=2, max_ndim=2)
    codes = np.asarray(labels)
    if codes.shape != x.shape[:1] or codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() < 1:
        raise InvalidInputError(
            f"`labels` must be {len(x)} integers from 0 to K - 1 >= 1, one per example, got others."
        )
    targets = sign_targets(codes, int(codes.max()) + 1)
    check_count("epochs", epochs)
    check_count("batch", batch)
    check_count("rounds", rounds)
    check_real("gain", gain, low=0.0, strict=True)
    check_real("rate", rate, low=0.0, strict=True)
    for units in hidden:
        check_count("hidden", units)
    how = machine or Machine()
    root = as_seed_sequence(check_count("seed", seed, low=0))
    with repeatable(how) as torch, seeded(root, "gradient outer product, training"):
        sizes = [x.shape[1], *hidden, targets.shape[1]]
        # Glorot's limits, and torch's default for the last layer; drawn on the CPU, the same for every device.
        limits = [gain * np.sqrt(6.0 / (a + b)) for a, b in pairwise(sizes[:-1])] + [1.0 / np.sqrt(sizes[-2])]
        weights = [
            torch.empty(b, a).uniform_(-limit, limit) for limit, (a, b) in zip(limits, pairwise(sizes), strict=True)
        ]
        start = _network(weights)
        weights = [one.to(how.device).requires_grad_() for one in weights]
        inputs, wanted = (torch.tensor(one, dtype=torch.float32, device=how.device) for one in (x, targets))
        none = [torch.zeros((), device=how.device)] * len(weights)
        rule = torch.optim.Adam(weights, lr=rate)
        classes = torch.tensor(codes, device=how.device)
        for step in range(rounds * epochs):
            if step and step % epochs == 0:
                with torch.no_grad():
                    given = _layers(inputs, weights, none, torch.relu)[-1].argmax(dim=1)
                if float((given != classes).double().mean()) <= FITTED:
                    break
            for part in torch.randperm(len(x)).to(how.device).split(batch):
                rule.zero_grad()
                loss = (_layers(inputs[part], weights, none, torch.relu)[-1] - wanted[part]).square().mean()
                loss.backward()
                rule.step()
    return start, _network(weights)


def _network(weights: Sequence[Any]) -> ReluNetwork:
    return ReluNetwork(tuple(one.detach().cpu().double().numpy().copy() for one in weights))


def matrix_correlation(network: ReluNetwork, features: npt.ArrayLike, /, *, off_diagonal: bool = False) -> FloatArray:
    """Return Pearson's correlation of the entries of W'W with those of the root of M, for every layer, (L,).

    Gradients are averaged over the features. `off_diagonal` leaves out the diagonals, which correlate for random
    weights too; NaN where one of the two is constant.
    """
    return np.asarray(correlations(network, features)[int(off_diagonal)])


def correlations(network: ReluNetwork, features: npt.ArrayLike, /) -> FloatArray:
    """Return `matrix_correlation` with and without the diagonals, (2, L), from one pass of gradients."""
    products = network.outer_products(features)
    roots = [matrix_root(one)[0] for one in products]
    return np.array(
        [[_pearson(w, r, off) for w, r in zip(network.weights, roots, strict=True)] for off in (False, True)]
    )


def _pearson(weight: FloatArray, root: FloatArray, off_diagonal: bool) -> float:
    used = ~np.eye(len(root), dtype=np.bool_) if off_diagonal else np.ones(root.shape, dtype=np.bool_)
    a, b = (part[used] - part[used].mean() for part in (weight.T @ weight, root))
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size > 0.0 else np.nan
