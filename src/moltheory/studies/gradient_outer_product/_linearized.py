r"""Deep recursive features where kernels are linear plus the identity: a recursion on Gram matrices with a proven rate.

For many nearly orthogonal examples the kernel matrix of unit rows is close to that of a linear kernel plus a multiple
of the identity (and a constant, which centered labels do not see), and so is the Gram matrix of random features. The
paper (D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin, 2024, arXiv 2402.13728, abstract) explains collapse in such an
asymptotic setting; the recursion, its bound and its rate here are derived (proof: study-linearized-features).

With features of Gram matrix :math:`G_l`, kernel :math:`G_l + \lambda I` and labels Y, ridgeless regression has the
outer product :math:`M = WW^\top`, :math:`W = X^\top (G_l + \lambda I)^{-1} Y`, so :math:`M^{1/2} X` has the Gram matrix
:math:`P_{l+1} = S_l YY^\top S_l`, :math:`S_l = G_l (G_l + \lambda I)^{-1}`; then :math:`G_{l+1} = a P_{l+1} + bI`.
Bound: let :math:`t_l` be the tangent of the largest angle between the ranges of :math:`P_l` and Y, U a basis of the
latter. :math:`S_l = s_0 I + R` with :math:`s_0 = b / (b + \lambda)` and R >= 0, of norm :math:`s_1 - s_0`, in the range
of :math:`P_l`. So :math:`\|(I - UU^\top) S_l u\| \le t_l \|A u\|` for :math:`A = U^\top R U`, while
:math:`\|U^\top S_l u\| = \|(s_0 I + A) u\|`: :math:`t_{l+1} \le (1 - s_0 / s_1)\, t_l`. As :math:`s_1 < 1`, the factor is
below :math:`\lambda / (\lambda + b)` in every layer. NC1 behind :math:`M^{1/2}` is at most :math:`t_l^2`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.studies._collapse import variability
from moltheory.studies.gradient_outer_product._model import LaplaceRegression, matrix_root

__all__ = [
    "RELU_IDENTITY",
    "LinearizedFeatures",
    "centered_targets",
    "finite_size_gap",
    "laplace_identity",
    "linearized_features",
    "linearized_rate",
]

# Gram matrix of max(Wz, 0) for unit rows of cosine r: (sqrt(1 - r^2) + r (pi - arccos r)) / (2 pi), which is
# 1 / (2 pi) + r / 4 near 0 and 1 / 2 at 1 (Y. Cho, L. Saul, 2009). The identity's part over that of r is:
RELU_IDENTITY = 1.0 - 2.0 / np.pi


@dataclass(frozen=True, eq=False)
class LinearizedFeatures:
    """Layers 1 to L of the linearized recursion.

    `tangents` (L,) are those of the largest angle between the features behind M^{1/2} and the labels; `factors`
    (L - 1,) bound the ratio of each to the one before; `variability` (L,) is NC1 behind M^{1/2}, at most the squared
    tangent, and `feature_variability` (L,) behind the random map, which the identity keeps above 0.
    """

    tangents: FloatArray
    factors: FloatArray
    variability: FloatArray
    feature_variability: FloatArray


def linearized_features(
    gram: npt.ArrayLike, labels: npt.ArrayLike, /, *, kernel_identity: float, map_identity: float, depth: int
) -> LinearizedFeatures:
    r"""Return the linearized recursion from a Gram matrix of unit rows.

    Parameters
    ----------
    gram : (N, N) array_like
        Positive semi-definite.
    labels : (N,) array_like of int
        Classes of equal size, of at least two examples.
    kernel_identity : float
        :math:`\lambda` > 0, the identity's part of the kernel over the linear one; see `laplace_identity`.
    map_identity : float
        b > 0, that of the random map; `RELU_IDENTITY` for ReLU.
    depth : int
        Layers L >= 1. :math:`P_l` is scaled to mean diagonal 1.

    Examples
    --------
    >>> labels = np.arange(12) % 3
    >>> found = linearized_features(np.eye(12), labels, kernel_identity=1.0, map_identity=1.0, depth=4)
    >>> bool(found.tangents.max() < 1e-12)  # orthogonal examples collapse in one layer
    True
    """
    g = real_array("gram", gram, shape="(N, N)", min_ndim=2, max_ndim=2)
    if g.shape[0] != g.shape[1]:
        raise InvalidInputError(f"`gram` must be square, got shape {g.shape}.")
    targets = centered_targets(labels)
    if len(targets) != len(g):
        raise InvalidInputError(f"`labels` must be {len(g)}, one per row of `gram`, got {len(targets)}.")
    noise = check_real("kernel_identity", kernel_identity, low=0.0, strict=True)
    floor = check_real("map_identity", map_identity, low=0.0, strict=True)
    check_count("depth", depth)
    n, n_classes = targets.shape
    # All but one direction of the centered labels; their size does not matter, P is scaled.
    basis = np.linalg.svd(targets, full_matrices=False)[0][:, : n_classes - 1]
    least = floor / (floor + noise)
    tangents, factors, behind_root, behind_map = ([] for _ in range(4))
    for layer in range(depth):
        mapped = _smoothed(g, basis, noise)
        inside = basis.T @ mapped
        outside = mapped - basis @ inside
        tangents.append(float(np.linalg.norm(np.linalg.solve(inside.T, outside.T), ord=2)))
        mean_part = mapped.sum(axis=0) / n
        total, between = np.square(mapped).sum(), np.square(inside).sum()
        # Range of centered labels and the mean are orthogonal: the rest is within classes.
        within = max(float(total - between - n * np.square(mean_part).sum()), 0.0)
        within = min(within, float(np.square(outside).sum()))
        behind_root.append(within / between)
        scale = n / total
        behind_map.append((scale * within + floor * (n - n_classes)) / (scale * between + floor * (n_classes - 1)))
        if layer < depth - 1:
            g = scale * (mapped @ mapped.T) + floor * np.eye(n)
            top = float(np.linalg.eigvalsh(scale * (mapped.T @ mapped))[-1]) + floor
            factors.append(1.0 - least * (top + noise) / top)
    return LinearizedFeatures(np.array(tangents), np.array(factors), np.array(behind_root), np.array(behind_map))


def linearized_rate(n_examples: int, n_classes: int, /, *, kernel_identity: float, map_identity: float) -> float:
    r"""Return the limit of the ratio of tangents of two layers; NC1 falls by its square.

    In the limit :math:`P_l` has K - 1 equal eigenvalues N / (K - 1), and the bound holds with equality. That is proved
    for K = 2 and for :math:`\lambda < 8 b` (proof: study-linearized-features); elsewhere the eigenvalues can stay apart.
    """
    n = check_count("n_examples", n_examples, low=2)
    k = check_count("n_classes", n_classes, low=2)
    noise = check_real("kernel_identity", kernel_identity, low=0.0, strict=True)
    floor = check_real("map_identity", map_identity, low=0.0, strict=True)
    top = n / (k - 1) + floor
    return float(1.0 - floor / (floor + noise) * (top + noise) / top)


def laplace_identity(bandwidth: float, /) -> float:
    r"""Return the identity's part over the linear one, :math:`\lambda`, of the kernel exp(-||x - z|| / s) on unit rows.

    For cosine r it is f(r) = exp(-sqrt(2 - 2r) / s): near 0, f(0) + f'(0) r; at r = 1 the identity adds the rest.
    """
    s = check_real("bandwidth", bandwidth, low=0.0, strict=True)
    at_zero = np.exp(-np.sqrt(2.0) / s)
    slope = at_zero / (np.sqrt(2.0) * s)
    return float((1.0 - at_zero - slope) / slope)


def finite_size_gap(dimension: int, /, *, n_classes: int = 2, bandwidth: float = 2.0, rng: RandomSource) -> float:
    """Return how far log NC1 behind M^{1/2} of the real first layer is from that of the linearized one.

    On N = dimension / 2 Gaussian unit rows whose labels are random. It goes to 0 as the dimension grows.
    """
    d = check_count("dimension", dimension, low=4 * n_classes)
    n = d // 2 // n_classes * n_classes
    x = block_stream(as_seed_sequence(rng), "gradient outer product, finite size", d).standard_normal((n, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels = np.arange(n) % n_classes
    model = LaplaceRegression.fit(x, centered_targets(labels), bandwidth=bandwidth, ridge=1e-10)
    real = variability(x @ matrix_root(model.outer_product())[0], labels)
    linear = linearized_features(
        x @ x.T, labels, kernel_identity=laplace_identity(bandwidth), map_identity=1.0, depth=1
    )
    return abs(float(np.log(real / linear.variability[0])))


def centered_targets(labels: npt.ArrayLike, /) -> FloatArray:
    """Return one-hot rows (N, K) minus their mean, of at least two classes of equal size."""
    found, codes, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    if codes.ndim != 1 or len(found) < 2 or counts.min() != counts.max() or counts[0] < 2:
        raise InvalidInputError("`labels` must be one per example, of at least two classes of one size, 2 or more.")
    return np.asarray((codes[:, None] == np.arange(len(found))) - 1.0 / len(found))


def _smoothed(gram: FloatArray, basis: FloatArray, noise: float) -> FloatArray:
    """S u = u - noise (G + noise I)^{-1} u."""
    from scipy.linalg import solve

    shifted = gram.copy()
    shifted[np.diag_indices_from(shifted)] += noise
    return np.asarray(basis - noise * solve(shifted, basis, assume_a="pos", overwrite_a=True, check_finite=False))
