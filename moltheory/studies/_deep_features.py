r"""The deep unconstrained-features model: every layer and the features themselves are free.

.. math:: \frac{1}{2N}\|W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1 H_1)))-Y\|^2
          + \sum_l \frac{\lambda_l}{2}\|W_l\|^2 + \frac{\lambda_H}{2}\|H_1\|^2

with ReLU :math:`\sigma`, N = Kn examples and :math:`Y = I_K \otimes 1_n'`. Matrices act from the left, examples are
columns, as in the sources; a leading axis holds replicates, which are trained at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, check_vector
from moltheory.errors import InvalidInputError

__all__ = ["DeepFeatures", "Layers"]

Layers = tuple[FloatArray, ...]
"""The features H_1 (..., d, N) and the weights W_1, ..., W_L, each with the same leading axes."""


@dataclass(frozen=True)
class DeepFeatures:
    """The model's loss with hand-written gradients.

    Parameters
    ----------
    n_classes : int
        K >= 2.
    per_class : int
        Examples n >= 1 of each class.
    depth : int
        Layers L >= 2.
    width : int
        Units of every hidden layer, >= K: narrower layers cannot carry K orthogonal class means.
    regularization : float or sequence of L + 1 float
        Factors of H_1, W_1, ..., W_L, all > 0.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    References
    ----------
    P. Súkeník, M. Mondelli, C. H. Lampert (2023), arXiv 2305.13165.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=3, depth=2, width=4, regularization=0.01)
    >>> float(model.loss(model.zeros()))
    0.5
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
        """Return the layers that `joined` made vectors (..., P) from."""
        ends = np.cumsum([rows * columns for rows, columns in self.shapes])[:-1]
        parts = np.split(vectors, ends, axis=-1)
        return tuple(part.reshape(*part.shape[:-1], *shape) for part, shape in zip(parts, self.shapes, strict=True))

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
        """Return the regularised loss (...)."""
        found: FloatArray = np.asarray(self.fit(layers) + self.squared_norms(layers) @ self.factors / 2)
        return found

    def gradients(self, layers: Layers) -> Layers:
        """Return the gradient of `loss` by layer; the derivative of ReLU at 0 is taken as 0."""
        features, *weights = layers
        before = self.preactivations(layers)
        inputs = [features, *(np.maximum(one, 0.0) for one in before[:-1])]
        error = (before[-1] - self.targets) / self.n_examples
        found: list[FloatArray] = []
        for k in range(self.depth - 1, -1, -1):
            found.append(error @ np.swapaxes(inputs[k], -1, -2) + self.factors[k + 1] * weights[k])
            error = np.swapaxes(weights[k], -1, -2) @ error
            if k:
                error = error * (before[k - 1] > 0)
        found.append(error + self.factors[0] * features)
        return tuple(reversed(found))
