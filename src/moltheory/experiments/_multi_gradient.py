r"""Stochastic descent along combined gradients of several tasks, run on a sample and on a neighbor of it at once.

Arrays have the axes (R, C, 2, ...): R samples, C settings of the two step sizes, and the sample beside its neighbor,
which differs in one example of every task. All settings and both samples see the same choices of examples.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import SolverError

__all__ = ["Descent", "least_norm_weights", "onto_simplex"]


@dataclass(frozen=True)
class Descent:
    """Samples of least-squares tasks, their neighbors, and the examples that every step looks at.

    Attributes
    ----------
    features : (R, N, n, d) ndarray
    targets : (R, N, n) ndarray
    other_features, other_targets : (R, N, d) and (R, N) ndarray
        What stands in place of example 0 in the neighbor.
    examples : (T, 3, R) ndarray of int
        Three examples for each step, each of them one of every task.
    """

    features: FloatArray
    targets: FloatArray
    other_features: FloatArray
    other_targets: FloatArray
    examples: npt.NDArray[np.intp]

    @cached_property
    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Gram matrices (R, 1, 2, N, d, d) and products with the targets (R, 1, 2, N, d), averages over the examples."""
        x, y, n = self.features, self.targets, self.features.shape[2]
        gram, product = np.swapaxes(x, -1, -2) @ x, np.einsum("rknd,rkn->rkd", x, y)
        new, old = self.other_features, x[:, :, 0]
        moved = gram + new[..., :, None] * new[..., None, :] - old[..., :, None] * old[..., None, :]
        shifted = product + new * self.other_targets[..., None] - old * y[:, :, :1]
        return np.stack([gram, moved], axis=1)[:, None] / n, np.stack([product, shifted], axis=1)[:, None] / n

    def gradients(self, theta: FloatArray) -> FloatArray:
        """Gradients (R, C, 2, N, d) of the empirical risks, of the sample at its iterate, of the neighbor at its own."""
        gram, product = self.moments
        found: FloatArray = 2.0 * ((gram @ theta[..., None, :, None])[..., 0] - product)
        return found

    def seen(self, theta: FloatArray, chosen: npt.NDArray[np.intp]) -> FloatArray:
        """Gradients (R, C, 2, N, d) of the losses of one example of every task."""
        rows = np.arange(chosen.size)
        x = np.repeat(self.features[rows, :, chosen][:, None], 2, axis=1)
        y = np.repeat(self.targets[rows, :, chosen][:, None], 2, axis=1)
        first = chosen == 0
        x[first, 1], y[first, 1] = self.other_features[first], self.other_targets[first]
        residual = np.einsum("rskd,rcsd->rcsk", x, theta) - y[:, None]
        found: FloatArray = 2.0 * residual[..., None] * x[:, None]
        return found

    def run(
        self, learning_rates: FloatArray, weight_rates: FloatArray, start: FloatArray, steps: Sequence[int]
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Return iterates (R, C, 2, d) and mean squared conflict distances (R, C) after each number of `steps`.

        The C settings are given by a learning rate and a weight rate each, infinite for the weights of least norm
        themselves; `start` (N,) are the first weights. Iterates that are not finite end in a SolverError.
        """
        n_samples, n_tasks, _, d = self.features.shape
        theta = np.zeros((n_samples, learning_rates.size, 2, d))
        weights = np.broadcast_to(start, (*theta.shape[:-1], n_tasks))
        exact = np.isinf(weight_rates)
        rate = np.where(exact, 0.0, weight_rates)[:, None, None]
        total, found = np.zeros(theta.shape[:2]), []
        for step, (first, second, third) in enumerate(self.examples[: max(steps)], start=1):
            whole = self.gradients(theta)
            least = least_norm_weights(whole)
            combined = (weights[..., None, :] @ self.seen(theta, second))[..., 0, :]
            slope = (self.seen(theta, first) @ combined[..., None])[..., 0]
            weights = np.where(exact[:, None, None], least, onto_simplex(weights - rate * slope))
            apart = ((weights - least)[..., 0, None, :] @ whole[:, :, 0])[..., 0, :]
            total += (apart**2).sum(axis=-1)
            direction = (weights[..., None, :] @ self.seen(theta, third))[..., 0, :]
            theta = theta - learning_rates[:, None, None] * direction
            finite = np.isfinite(theta).all(axis=(0, 2, 3))
            if not finite.all():
                worst = learning_rates[~finite].min()
                raise SolverError(
                    f"descent diverged within {step} steps at the learning rate {worst:g}: take a smaller one"
                )
            if step in steps:
                found.append((theta, total / step))
        return found


def onto_simplex(points: FloatArray) -> FloatArray:
    """Euclidean projections of points (..., N) onto the simplex."""
    # Differences alone matter; so the 1 below is not lost beside large entries.
    points = points - points.max(axis=-1, keepdims=True)
    ordered = -np.sort(-points, axis=-1)
    excess = np.cumsum(ordered, axis=-1) - 1.0
    count = np.arange(1, points.shape[-1] + 1)
    kept = (ordered > excess / count).sum(axis=-1, keepdims=True)
    found: FloatArray = np.maximum(points - np.take_along_axis(excess, kept - 1, axis=-1) / kept, 0.0)
    return found


def least_norm_weights(gradients: FloatArray) -> FloatArray:
    """Weights (..., N) on the simplex for which the combination of gradients (..., N, d) has the least norm.

    The best of the minimisers over the affine hulls of all faces that lie in their face: the least-norm point is one
    of them, for a smallest face that holds it.
    """
    n_tasks = gradients.shape[-2]
    products = gradients @ np.swapaxes(gradients, -1, -2)
    best = np.zeros(products.shape[:-1])
    value = np.full(products.shape[:-2], np.inf)
    for size in range(1, n_tasks + 1):
        for face in itertools.combinations(range(n_tasks), size):
            weights = np.zeros_like(best)
            weights[..., face] = _on_face(products[..., face, :][..., face])
            norm = np.einsum("...i,...ij,...j->...", weights, products, weights)
            better = (weights >= 0.0).all(axis=-1) & (norm < value)
            best, value = np.where(better[..., None], weights, best), np.where(better, norm, value)
    return best


def _on_face(products: FloatArray) -> FloatArray:
    """Weights (..., k) of sum 1, of any sign, of a combination of least norm; of no meaning where they are not unique."""
    k = products.shape[-1]
    if k == 1:
        return np.ones(products.shape[:-1])
    if k == 2:
        a, b, c = products[..., 0, 0], products[..., 0, 1], products[..., 1, 1]
        apart = a - 2.0 * b + c
        first = np.where(apart > 0.0, (c - b) / np.where(apart > 0.0, apart, 1.0), -1.0)
        return np.stack([first, 1.0 - first], axis=-1)
    scale = np.trace(products, axis1=-2, axis2=-1)[..., None, None]
    system = np.zeros((*products.shape[:-2], k + 1, k + 1))
    system[..., :k, :k] = products / np.where(scale > 0.0, scale, 1.0)
    system[..., :k, k] = system[..., k, :k] = 1.0
    found: FloatArray = np.linalg.pinv(system)[..., :k, k]
    weights: FloatArray = found / found.sum(axis=-1, keepdims=True)
    return weights
