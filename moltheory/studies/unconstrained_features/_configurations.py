r"""Networks written down, not trained: the features, every layer and the output of each class have a given scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.studies._deep_features import DeepFeatures, Layers

__all__ = ["separated_layers"]


def separated_layers(
    model: DeepFeatures, scales: npt.ArrayLike, /, *, overlap: float = 0.0, rng: np.random.Generator | None = None
) -> Layers:
    r"""Return the cheapest layers that keep the classes apart and output a_c times the target of each class c.

    Every class has its own unit in each hidden layer, the examples of a class are equal, and each of the L + 1 matrices
    adds as much to the regularisation as any other. The loss is the mean of `ReducedLoss.loss` over the scales. With
    equal scales this is a collapsed network, and with a* its gradient is zero.

    Parameters
    ----------
    model : DeepFeatures
    scales : float or (K,) array_like
        a_c >= 0.
    overlap : float, default 0.0
        t in [0, 1/(K-1)]: before the first ReLU the classes have cosines -t, which the ReLU removes. At the largest t
        the features have rank K - 1. It changes no norm, so the optimum fixes the activations, not the features.
    rng : numpy.random.Generator, optional
        Draws a rotation of the features and which hidden units are used; by default the first K coordinates.

    Returns
    -------
    Layers
        The features H_1 and W_1, ..., W_L, without leading axes.

    Raises
    ------
    InvalidInputError
        If `scales` has another shape or a negative entry, or `overlap` is out of range.

    References
    ----------
    Derived; the collapsed case is the optimum of P. Súkeník, M. Mondelli, C. H. Lampert (2023), arXiv 2305.13165.

    Examples
    --------
    >>> model = DeepFeatures(n_classes=2, per_class=5, depth=3, width=4, regularization=0.02)
    >>> layers = separated_layers(model, 0.5)
    >>> float(model.fit(layers).round(12))
    0.125
    """
    a = _class_scales(model, scales)
    factors = model.factors.copy()
    factors[0] *= model.per_class
    product = np.exp(np.log(factors).sum() / (model.depth + 1))
    # Squared sizes s with equal products of factor and size, whose product over the matrices is a^2.
    sizes = np.sqrt(product * a ** (2.0 / (model.depth + 1)) / factors[:, None])  # (L + 1, K)
    frames = _frames(model, rng)
    # W_1 H_1 is root' root for one class per column: positive semidefinite with the sizes on its diagonal, so its
    # nuclear norm, which is what the two matrices cost, does not depend on the overlap.
    root = _overlap_root(model.n_classes, overlap)
    features = frames[0] @ (root * sizes[0]) @ model.targets
    first = frames[1] @ (root * sizes[1]).T @ frames[0].T
    later = [(frames[k + 1] * sizes[k + 1]) @ frames[k].T for k in range(1, model.depth)]
    return (features, first, *later)


def _class_scales(model: DeepFeatures, scales: npt.ArrayLike) -> FloatArray:
    given = np.asarray(real_array("scales", scales, shape="() or (K,)", min_ndim=0, max_ndim=1), dtype=np.float64)
    if given.ndim and given.shape != (model.n_classes,):
        raise InvalidInputError(f"`scales` must be one number or {model.n_classes}, one per class, got {given.size}.")
    if (given < 0).any():
        raise InvalidInputError(f"`scales` must be >= 0, got {given.min():g}.")
    return np.broadcast_to(given, (model.n_classes,))


def _overlap_root(n_classes: int, overlap: float) -> FloatArray:
    """Symmetric root of the matrix with ones on its diagonal and -t elsewhere."""
    t = check_real("overlap", overlap, low=0.0, high=1.0 / (n_classes - 1))
    flat = np.full((n_classes, n_classes), 1.0 / n_classes)
    smallest = max(0.0, 1.0 - t * (n_classes - 1))
    return np.asarray(np.sqrt(1.0 + t) * (np.eye(n_classes) - flat) + np.sqrt(smallest) * flat)


def _frames(model: DeepFeatures, rng: np.random.Generator | None) -> list[FloatArray]:
    """Orthonormal directions of the classes before each matrix, and the targets' at the end."""
    k, width = model.n_classes, model.width
    unit = np.eye(width)
    if rng is None:
        hidden = [unit[:, :k]] * model.depth
    else:
        rotation = np.linalg.qr(rng.normal(size=(width, width)))[0]
        # Behind a ReLU directions must stay nonnegative: other units, no rotation.
        hidden = [rotation[:, :k], *(unit[:, rng.permutation(width)[:k]] for _ in range(model.depth - 1))]
    return [*hidden, np.eye(k)]
