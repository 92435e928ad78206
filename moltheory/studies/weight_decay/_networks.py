r"""Networks of ReLU layers followed by linear ones, with hand-written gradients.

.. math:: \frac{1}{2N}\|Z_L - Y\|^2 + \frac{\lambda}{2} \sum_l \|W_l\|^2, \qquad
          Z_l = \sigma(W_l Z_{l-1}) \ (l \le L_1), \quad Z_l = W_l Z_{l-1} \ (l > L_1), \quad Z_0 = X,

with ReLU :math:`\sigma` and no biases (a constant input serves as one). Matrices act from the left, examples are
columns, as in the source; leading axes hold replicates, which are trained at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError

__all__ = ["LinearEndNetwork", "Weights", "one_hot_targets"]

Weights = tuple[npt.NDArray[Any], ...]
"""The matrices W_1, ..., W_L, each with the same leading axes; complex ones are meant for the complex step only."""


def one_hot_targets(labels: npt.ArrayLike, /, *, n_classes: int) -> FloatArray:
    """Return Y, one 0/1 column per example.

    Parameters
    ----------
    labels : (..., N) array_like of int
        Classes 0, ..., K - 1, each the same number of times in every row.
    n_classes : int
        K >= 2.

    Returns
    -------
    (..., K, N) ndarray

    Raises
    ------
    InvalidInputError
        If a label is no class, or the classes are not equally frequent.

    Examples
    --------
    >>> one_hot_targets([0, 1, 1, 0], n_classes=2)
    array([[1., 0., 0., 1.],
           [0., 1., 1., 0.]])
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
    """The network's loss with hand-written gradients.

    Parameters
    ----------
    n_relu : int
        L_1 >= 1 layers with ReLU.
    n_linear : int
        L_2 >= 1 layers without, after them.
    width : int
        Units of every hidden layer, >= K: narrower layers cannot carry K independent class means.
    n_inputs : int
        Rows of X.
    n_classes : int
        K >= 2.
    decay : float
        The factor of half the squared norms, > 0.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    References
    ----------
    A. Jacot, P. Súkeník, Z. Wang, M. Mondelli (2024), arXiv 2410.04887.

    Examples
    --------
    >>> network = LinearEndNetwork(n_relu=1, n_linear=2, width=3, n_inputs=4, n_classes=2, decay=0.01)
    >>> network.shapes
    ((3, 4), (3, 3), (2, 3))
    >>> x, y = np.ones((4, 2)), one_hot_targets([0, 1], n_classes=2)
    >>> float(network.fit(tuple(np.zeros(shape) for shape in network.shapes), x, y))
    0.5
    """

    n_relu: int
    n_linear: int
    width: int
    n_inputs: int
    n_classes: int
    decay: float

    def __post_init__(self) -> None:
        check_count("n_relu", self.n_relu)
        check_count("n_linear", self.n_linear)
        check_count("n_classes", self.n_classes, low=2)
        check_count("width", self.width)
        check_count("n_inputs", self.n_inputs)
        check_real("decay", self.decay, low=0.0, strict=True)
        if self.width < self.n_classes:
            raise InvalidInputError(
                f"`width` must be at least the number of classes, {self.n_classes}, got {self.width}."
            )

    @property
    def depth(self) -> int:
        """L = L_1 + L_2."""
        return self.n_relu + self.n_linear

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of W_1, ..., W_L."""
        sizes = [self.n_inputs, *[self.width] * (self.depth - 1), self.n_classes]
        return tuple((rows, columns) for rows, columns in zip(sizes[1:], sizes[:-1], strict=True))

    def random(self, rng: np.random.Generator) -> Weights:
        """Return Gaussian layers, entries of variance 2 over the number of columns, 1 over it in linear layers."""
        gains = [2.0] * self.n_relu + [1.0] * self.n_linear
        return tuple(
            rng.normal(scale=np.sqrt(gain / shape[1]), size=shape)
            for gain, shape in zip(gains, self.shapes, strict=True)
        )

    def activations(self, weights: Weights, inputs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Return Z_0 = X, Z_1, ..., Z_L, the last one being the output (..., K, N)."""
        found = [inputs]
        for k, weight in enumerate(weights):
            before = weight @ found[-1]
            found.append(_relu(before) if k < self.n_relu else before)
        return tuple(found)

    def outputs(self, weights: Weights, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return Z_L, (..., K, N); the linear layers are multiplied first."""
        features = inputs
        for weight in weights[: self.n_relu]:
            features = _relu(weight @ features)
        return np.asarray(self.product(weights) @ features)

    def product(self, weights: Weights) -> npt.NDArray[Any]:
        """Return the product of the linear layers, (..., K, d)."""
        found = weights[-1]
        for weight in reversed(weights[self.n_relu : -1]):
            found = found @ weight
        return found

    def fit(self, weights: Weights, inputs: npt.NDArray[Any], targets: FloatArray) -> npt.NDArray[Any]:
        """Return the data term (1/2N) of the squared error, (...)."""
        residual = self.outputs(weights, inputs) - targets
        return np.asarray(np.square(residual).sum(axis=(-1, -2)) / (2 * targets.shape[-1]))

    def squared_norm(self, weights: Weights) -> npt.NDArray[Any]:
        """Return the sum of the squared Frobenius norms of all layers, (...)."""
        return np.asarray(sum(np.square(one).sum(axis=(-1, -2)) for one in weights))

    def loss(self, weights: Weights, inputs: npt.NDArray[Any], targets: FloatArray) -> npt.NDArray[Any]:
        """Return the data term plus weight decay, (...)."""
        return np.asarray(self.fit(weights, inputs, targets) + 0.5 * self.decay * self.squared_norm(weights))

    def data_gradients(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> Weights:
        r"""Return the gradients of the data term by layer; the derivative of ReLU at 0 is taken as 0.

        Notes
        -----
        With G the gradient by the product of the linear layers, that of one of them is A' G B', A the product of the
        layers after it and B of those before it: it costs no pass over the examples.
        """
        features = [inputs]
        for weight in weights[: self.n_relu]:
            features.append(np.maximum(weight @ features[-1], 0.0))
        linear = weights[self.n_relu :]
        # after[k] = W_L ... W_{k+1} for linear layers; after[0] is the product of all of them.
        after = [linear[-1]]
        for weight in reversed(linear[:-1]):
            after.append(after[-1] @ weight)
        after.reverse()
        error = (after[0] @ features[-1] - targets) / targets.shape[-1]
        back = error @ _transposed(features[-1])
        found = []
        for k, weight in enumerate(linear):
            found.append(_transposed(after[k + 1]) @ back if k + 1 < len(linear) else back)
            back = back @ _transposed(weight)
        error = _transposed(after[0]) @ error
        for k in range(self.n_relu - 1, -1, -1):
            error = error * (features[k + 1] > 0)
            found.insert(0, error @ _transposed(features[k]))
            if k:
                error = _transposed(weights[k]) @ error
        return tuple(found)

    def gradients(self, weights: Weights, inputs: FloatArray, targets: FloatArray) -> Weights:
        """Return the gradient of `loss` by layer."""
        slopes = self.data_gradients(weights, inputs, targets)
        return tuple(slope + self.decay * one for slope, one in zip(slopes, weights, strict=True))


def _relu(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """ReLU by the real part, so that complex steps pass through."""
    return np.where(values.real > 0, values, 0.0) if np.iscomplexobj(values) else np.maximum(values, 0.0)


def _transposed(matrices: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.swapaxes(matrices, -1, -2)
