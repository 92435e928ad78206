r"""Networks of ReLU layers followed by linear ones.

.. math:: \frac{1}{2N}\|Z_L - Y\|^2 + \frac{\lambda}{2} \sum_l \|W_l\|^2, \qquad
          Z_l = \sigma(W_l Z_{l-1}) \ (l \le L_1), \quad Z_l = W_l Z_{l-1} \ (l > L_1), \quad Z_0 = X,

with ReLU :math:`\sigma` and no biases (a constant input serves as one). Matrices act from the left, examples are
columns, as in the source; leading axes hold replicates, which are trained at once. Losses are computed with numpy in
float64; gradients are torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._machine import Machine
from moltheory.studies._torch import repeatable

__all__ = ["LinearEndNetwork", "Weights", "one_hot_targets"]

Weights = tuple[FloatArray, ...]
"""The matrices W_1, ..., W_L, each with the same leading axes."""


def one_hot_targets(labels: npt.ArrayLike, /, *, n_classes: int) -> FloatArray:
    """Return Y, (..., K, N), one 0/1 column per example.

    Labels (..., N) are the classes 0, ..., K - 1, each the same number of times in every row; others are refused.
    """
    check_count("n_classes", n_classes, low=2)
    given = real_array("labels", labels, shape="(..., N)", min_ndim=1)
    if not np.isin(given, np.arange(n_classes)).all():
        raise InvalidInputError(f"`labels` must be integers from 0 to {n_classes - 1}, got others.")
    targets = np.asarray(given[..., None, :] == np.arange(n_classes)[:, None], dtype=np.float64)
    counts = targets.sum(axis=-1)
    if given.shape[-1] % n_classes or (counts != given.shape[-1] / n_classes).any():
        raise InvalidInputError(
            f"`labels` must hold every class equally often, got {int(counts.min())} to {int(counts.max())} times."
        )
    return targets


@dataclass(frozen=True)
class LinearEndNetwork:
    """The network: what its layers compute, its loss, gradients and training.

    L_1 >= 1 layers with ReLU, then L_2 >= 1 linear ones. Hidden layers have a width of at least K, since narrower ones
    cannot carry K independent class means; the `first` one may have another, as in the source, where it is wide. X has
    `n_inputs` rows, and the decay, > 0, is the factor of half the squared norms. After A. Jacot, P. Súkeník, Z. Wang,
    M. Mondelli (2024), arXiv 2410.04887.
    """

    n_relu: int
    n_linear: int
    width: int
    n_inputs: int
    n_classes: int
    decay: float
    first: int | None = None

    def __post_init__(self) -> None:
        check_count("n_relu", self.n_relu)
        check_count("n_linear", self.n_linear)
        check_count("n_classes", self.n_classes, low=2)
        check_count("width", self.width)
        check_count("n_inputs", self.n_inputs)
        check_real("decay", self.decay, low=0.0, strict=True)
        for name, width in (("width", self.width), ("first", self.first)):
            if width is not None and check_count(name, width) < self.n_classes:
                raise InvalidInputError(
                    f"`{name}` must be at least the number of classes, {self.n_classes}, got {width}."
                )

    @property
    def depth(self) -> int:
        """L = L_1 + L_2."""
        return self.n_relu + self.n_linear

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of W_1, ..., W_L."""
        hidden = [self.width] * (self.depth - 1)
        if self.first is not None:
            hidden[:1] = [self.first]
        sizes = [self.n_inputs, *hidden, self.n_classes]
        return tuple((rows, columns) for rows, columns in zip(sizes[1:], sizes[:-1], strict=True))

    def random(self, rng: np.random.Generator) -> Weights:
        """Return Gaussian layers, entries of variance 2 over the number of columns, 1 over it in linear layers."""
        gains = [2.0] * self.n_relu + [1.0] * self.n_linear
        return tuple(
            rng.normal(scale=np.sqrt(gain / shape[1]), size=shape)
            for gain, shape in zip(gains, self.shapes, strict=True)
        )

    def activations(self, weights: Weights, inputs: FloatArray) -> tuple[FloatArray, ...]:
        """Return Z_0 = X, Z_1, ..., Z_L, the last one being the output (..., K, N)."""
        found = [inputs]
        for k, weight in enumerate(weights):
            before = weight @ found[-1]
            found.append(np.maximum(before, 0.0) if k < self.n_relu else before)
        return tuple(found)

    def outputs(self, weights: Weights, inputs: npt.NDArray[np.floating[Any]]) -> FloatArray:
        """Return Z_L, (..., K, N); the linear layers are multiplied first."""
        features = inputs
        for weight in weights[: self.n_relu]:
            features = np.maximum(weight @ features, 0.0)
        return np.asarray(self.product(weights) @ features)

    def product(self, weights: Sequence[Any]) -> Any:
        """Return the product of the linear layers, (..., K, d), of numpy or of torch."""
        found = weights[-1]
        for weight in reversed(weights[self.n_relu : -1]):
            found = found @ weight
        return found

    def fit(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the data term (1/2N) of the squared error, (...)."""
        residual = self.outputs(weights, inputs) - targets
        return np.asarray(np.square(residual).sum(axis=(-1, -2)) / (2 * targets.shape[-1]))

    def squared_norm(self, weights: Weights) -> FloatArray:
        """Return the sum of the squared Frobenius norms of all layers, (...)."""
        return np.asarray(sum(np.square(one).sum(axis=(-1, -2)) for one in weights))

    def loss(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> FloatArray:
        """Return the data term plus weight decay, (...)."""
        return np.asarray(self.fit(weights, inputs, targets) + 0.5 * self.decay * self.squared_norm(weights))

    def data_gradients(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> Weights:
        """Return the gradients of the data term by layer; the derivative of ReLU at 0 is taken as 0."""
        with repeatable() as torch:
            leaves = [torch.tensor(one, requires_grad=True) for one in weights]
            total = self._fit(torch, leaves, torch.tensor(inputs), torch.tensor(targets))
            return tuple(slope.numpy() for slope in torch.autograd.grad(total, leaves))

    def gradients(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> Weights:
        """Return the gradient of `loss` by layer."""
        slopes = self.data_gradients(weights, inputs, targets)
        return tuple(slope + self.decay * one for slope, one in zip(slopes, weights, strict=True))

    def train(
        self,
        weights: Weights,
        inputs: FloatArray,
        targets: FloatArray,
        /,
        *,
        rate: float,
        momentum: float,
        steps: int,
        watch: Callable[[int, Weights], None],
        batch: int | None = None,
        rng: np.random.Generator | None = None,
        machine: Machine | None = None,
    ) -> Weights:
        """Return the weights after gradient descent with momentum on the loss, for all leading axes at once.

        `watch` is called with the number of steps taken, from 0 on, and the weights, which it must not keep. With a
        `batch`, every step sees that many examples, drawn by `rng` without replacement in every pass, in single
        precision; else all of them in double.
        """
        how = machine or Machine()
        with repeatable(how) as torch:
            # The class torch.optim.SGD around this function takes a second to load torch's compiler.
            from torch.optim.sgd import sgd

            kind = {"dtype": torch.float64 if batch is None else torch.float32, "device": how.device}
            leaves = [torch.tensor(one, requires_grad=True, **kind) for one in weights]
            # One row per example, so that a batch is cut from whole rows.
            x, y = (torch.tensor(np.swapaxes(one, -1, -2).copy(), **kind) for one in (inputs, targets))
            speeds: list[Any] = [None] * len(leaves)
            order = _batches(len(targets.T), batch, rng)
            watch(0, _arrays(leaves))
            for step in range(1, steps + 1):
                chosen = next(order)
                rows = (x, y) if chosen is None else (x[..., chosen, :], y[..., chosen, :])
                fit = self._fit(torch, leaves, *(one.transpose(-1, -2) for one in rows))
                slopes = list(torch.autograd.grad(fit, leaves))
                with torch.no_grad():
                    sgd(
                        leaves,
                        slopes,
                        speeds,
                        lr=rate,
                        momentum=momentum,
                        weight_decay=self.decay,
                        dampening=0.0,
                        nesterov=False,
                        maximize=False,
                        foreach=False,
                    )
                watch(step, _arrays(leaves))
            return _arrays(leaves)

    def curvature(
        self,
        weights: Weights,
        inputs: FloatArray,
        targets: FloatArray,
        /,
        *,
        rng: np.random.Generator,
        iterations: int = 20,
        machine: Machine | None = None,
    ) -> float:
        """Return the largest curvature of `loss`, the top eigenvalue of its Hessian, by the power method from below.

        One network, without leading axes, in single precision.
        """
        how = machine or Machine()
        with repeatable(how) as torch:
            kind = {"dtype": torch.float32, "device": how.device}
            leaves = [torch.tensor(one, requires_grad=True, **kind) for one in weights]
            x, y = (torch.tensor(one, **kind) for one in (inputs, targets))
            slopes = torch.autograd.grad(self._fit(torch, leaves, x, y), leaves, create_graph=True)
            ahead = [torch.tensor(rng.normal(size=one.shape), **kind) for one in weights]
            found = 0.0
            for _ in range(iterations):
                length = sum(float(one.square().sum()) for one in ahead) ** 0.5
                ahead = [one / length for one in ahead]
                turned = torch.autograd.grad(slopes, leaves, grad_outputs=ahead, retain_graph=True)
                found = sum(float((one * other).sum()) for one, other in zip(ahead, turned, strict=True))
                ahead = list(turned)
        return found + self.decay

    def _fit(self, torch: Any, leaves: Sequence[Any], inputs: Any, targets: Any) -> Any:
        """Return the data terms of all replicates, added up, for torch to differentiate."""
        features = inputs
        for weight in leaves[: self.n_relu]:
            features = torch.relu(weight @ features)
        outputs = self.product(leaves) @ features
        loss = torch.nn.functional.mse_loss(outputs, targets.expand_as(outputs), reduction="sum")
        return loss / (2 * targets.shape[-1])


def _batches(n: int, batch: int | None, rng: np.random.Generator | None) -> Iterator[npt.NDArray[np.intp] | None]:
    """Which examples a step sees: all of them, or a batch of a pass in random order."""
    while True:
        if batch is None:
            yield None
            continue
        if rng is None:
            raise InvalidInputError("`rng` must be a Generator where steps see batches, got None.")
        order = rng.permutation(n)
        yield from (order[start : start + batch] for start in range(0, n - batch + 1, batch))


def _arrays(leaves: Sequence[Any]) -> Weights:
    return tuple(one.detach().cpu().numpy() for one in leaves)
