r"""The deep unconstrained-features model: every layer and the features themselves are free.

.. math:: \frac{1}{2N}\|W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1 H_1)))-Y\|^2
          + \sum_l \frac{\lambda_l}{2}\|W_l\|^2 + \frac{\lambda_H}{2}\|H_1\|^2

with ReLU :math:`\sigma`, N = Kn examples and :math:`Y = I_K \otimes 1_n'`. Matrices act from the left, examples are
columns, as in the sources; a leading axis holds replicates, which are trained at once. Losses are computed with numpy;
gradients are torch's, in float64 with one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, check_vector, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._torch import repeatable

__all__ = ["DeepFeatures", "Layers", "descend", "polish", "stacked"]

Layers = tuple[FloatArray, ...]
"""The features H_1 (..., d, N) and the weights W_1, ..., W_L, each with the same leading axes."""


@dataclass(frozen=True)
class DeepFeatures:
    """The model with K >= 2 classes, n >= 1 examples of each, L >= 2 layers and `width` >= K units per hidden layer.

    Narrower layers cannot carry K orthogonal class means. `regularization`, one number or L + 1, holds the factors > 0
    of H_1, W_1, ..., W_L. After P. Súkeník, M. Mondelli, C. H. Lampert (2023), arXiv 2305.13165.
    """

    n_classes: int
    per_class: int
    depth: int
    width: int
    regularization: float | Sequence[float]

    def __post_init__(self) -> None:
        check_count("n_classes", self.n_classes, low=2)
        check_count("per_class", self.per_class)
        check_count("depth", self.depth, low=2)
        check_count("width", self.width)
        if self.width < self.n_classes:
            raise InvalidInputError(
                f"`width` must be at least the number of classes, {self.n_classes}, got {self.width}."
            )
        given = self.regularization
        if isinstance(given, Sequence):
            factors = check_vector("regularization", given, length=self.depth + 1, low=0.0, strict=True)
        else:
            factors = np.full(self.depth + 1, check_real("regularization", given, low=0.0, strict=True))
        object.__setattr__(self, "regularization", tuple(factors.tolist()))

    @property
    def factors(self) -> FloatArray:
        """Factors of H_1, W_1, ..., W_L, (L + 1,)."""
        return np.asarray(self.regularization, dtype=np.float64)

    @property
    def n_examples(self) -> int:
        """N = Kn."""
        return self.n_classes * self.per_class

    @cached_property
    def targets(self) -> FloatArray:
        """Y, (K, N)."""
        return np.asarray(np.repeat(np.eye(self.n_classes), self.per_class, axis=1), dtype=np.float64)

    @cached_property
    def labels(self) -> npt.NDArray[np.intp]:
        """Class of every example, (N,)."""
        return np.repeat(np.arange(self.n_classes), self.per_class)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of H_1, W_1, ..., W_L."""
        hidden = [(self.width, self.width)] * (self.depth - 1)
        return ((self.width, self.n_examples), *hidden, (self.n_classes, self.width))

    def zeros(self) -> Layers:
        """Return layers without replicates, all zero."""
        return tuple(np.zeros(shape) for shape in self.shapes)

    def random(self, rng: np.random.Generator, *, scale: float = 1.0) -> Layers:
        """Return Gaussian layers, entries of variance ``scale^2`` over the number of columns of each."""
        check_real("scale", scale, low=0.0, strict=True)
        return tuple(rng.normal(scale=scale / np.sqrt(shape[1]), size=shape) for shape in self.shapes)

    def joined(self, layers: Layers) -> FloatArray:
        """Return layers as vectors (..., P)."""
        return np.concatenate([one.reshape(*one.shape[:-2], -1) for one in layers], axis=-1)

    def split(self, vectors: FloatArray) -> Layers:
        """Return the layers that `joined` made vectors (..., P) from, as views."""
        ends = np.cumsum([0, *(rows * columns for rows, columns in self.shapes)]).tolist()
        return tuple(
            vectors[..., start:end].reshape(*vectors.shape[:-1], *shape)
            for start, end, shape in zip(ends[:-1], ends[1:], self.shapes, strict=True)
        )

    def preactivations(self, layers: Layers) -> tuple[FloatArray, ...]:
        """Return W_1 H_1, W_2 s(W_1 H_1), ..., the last one being the output (..., K, N)."""
        features, *weights = layers
        found = [weights[0] @ features]
        for weight in weights[1:]:
            found.append(weight @ np.maximum(found[-1], 0.0))
        return tuple(found)

    def activations(self, layers: Layers) -> tuple[FloatArray, ...]:
        """Return H_1 and the activations s(...) of layers 1 to L - 1, each (..., d, N)."""
        return (layers[0], *(np.maximum(one, 0.0) for one in self.preactivations(layers)[:-1]))

    def fit(self, layers: Layers) -> FloatArray:
        """Return the data term (1/2N) of the squared error, (...)."""
        residual = self.preactivations(layers)[-1] - self.targets
        found: FloatArray = np.asarray(np.square(residual).sum(axis=(-1, -2)) / (2 * self.n_examples))
        return found

    def squared_norms(self, layers: Layers) -> FloatArray:
        """Return the squared Frobenius norms of H_1, W_1, ..., W_L, (..., L + 1)."""
        return np.stack([np.square(one).sum(axis=(-1, -2)) for one in layers], axis=-1)

    def loss(self, layers: Layers) -> FloatArray:
        """Return the regularized loss (...)."""
        found: FloatArray = np.asarray(self.fit(layers) + self.squared_norms(layers) @ self.factors / 2)
        return found

    def gradients(self, layers: Layers) -> Layers:
        """Return the gradient of `loss` by layer; the derivative of ReLU at 0 is taken as 0."""
        with repeatable() as torch:
            leaves = [torch.tensor(one, requires_grad=True) for one in layers]
            slopes = torch.autograd.grad(_fit(torch, self, leaves), leaves)
        return tuple(slope.numpy() + f * one for slope, f, one in zip(slopes, self.factors, layers, strict=True))


def descend(
    model: DeepFeatures,
    layers: Layers,
    /,
    *,
    rate: float,
    steps: int,
    factors: npt.ArrayLike | None = None,
    log_every: int = 0,
    watch: Callable[[int, Layers], None] | None = None,
) -> Layers:
    """Return layers after steps of plain gradient descent, for all leading axes at once; the given layers stay as they are.

    `factors` (..., L + 1) replace those of the model. `watch` is called with the number of steps taken and the layers:
    at the start, every `log_every` steps and at the end, or never if that is 0.
    """
    check_real("rate", rate, low=0.0, strict=True)
    check_count("steps", steps)
    check_count("log_every", log_every, low=0)
    given = real_array("factors", model.factors if factors is None else factors, shape="(..., L + 1)", min_ndim=1)
    if given.shape[-1] != model.depth + 1 or not (given > 0).all():
        raise InvalidInputError(f"`factors` must be {model.depth + 1} numbers > 0 for each replicate, got others.")
    with repeatable() as torch:
        leaves = [torch.tensor(one, requires_grad=True) for one in layers]
        decays = torch.from_numpy(np.moveaxis(given, -1, 0)[..., None, None].copy())
        for step in range(steps + 1):
            if watch is not None and log_every and (step == steps or step % log_every == 0):
                watch(step, tuple(one.detach().numpy().copy() for one in leaves))
            if step < steps:
                slopes = torch.autograd.grad(_fit(torch, model, leaves), leaves)
                with torch.no_grad():
                    for leaf, slope, decay in zip(leaves, slopes, decays, strict=True):
                        leaf.sub_(slope.addcmul_(decay, leaf), alpha=rate)
        return tuple(one.detach().numpy() for one in leaves)


def polish(
    model: DeepFeatures,
    layers: Layers,
    /,
    objective: Callable[[Any, Any], Any] | None = None,
    *,
    iterations: int = 5000,
    tolerance: float = 1e-10,
) -> tuple[Layers, bool]:
    """Return where L-BFGS stops from one starting point without leading axes, and whether no further decrease was found.

    `objective` makes a torch scalar of the fit and half the sum of factors times squared norms; by default their sum,
    the loss. Gradients whose largest entry is below `tolerance` count as zero.
    """
    from scipy.optimize import minimize

    check_count("iterations", iterations)
    decays = model.joined(tuple(np.full(shape, f) for f, shape in zip(model.factors, model.shapes, strict=True)))
    with repeatable() as torch:

        def value(vector: FloatArray) -> tuple[float, FloatArray]:
            leaves = [torch.tensor(one, requires_grad=True) for one in model.split(vector)]
            fit = _fit(torch, model, leaves)
            norms = torch.tensor(decays @ np.square(vector) / 2, requires_grad=True)
            total = fit + norms if objective is None else objective(fit, norms)
            *slopes, price = torch.autograd.grad(total, [*leaves, norms], materialize_grads=True)
            slope = np.concatenate([one.numpy().ravel() for one in slopes])
            return total.item(), slope + price.item() * decays * vector

        options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 0.0, "gtol": tolerance, "maxcor": 30}
        found = minimize(value, model.joined(layers), jac=True, method="L-BFGS-B", options=options)
    return model.split(np.asarray(found.x)), found.status != 1


def stacked(layers: Sequence[Layers]) -> Layers:
    """Return layers of several networks with a leading axis."""
    return tuple(np.stack(parts) for parts in zip(*layers, strict=True))


def _fit(torch: Any, model: DeepFeatures, leaves: Sequence[Any]) -> Any:
    """Return the data terms of all replicates, added up, for torch to differentiate."""
    features, *weights = leaves
    for weight in weights[:-1]:
        features = torch.relu(weight @ features)
    outputs = weights[-1] @ features
    targets = torch.from_numpy(model.targets).expand_as(outputs)
    return torch.nn.functional.mse_loss(outputs, targets, reduction="sum") / (2 * model.n_examples)
