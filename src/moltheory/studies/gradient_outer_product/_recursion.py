r"""Deep recursive feature machines: layers of kernel regression, root of its AGOP and random features.

One layer takes unit rows X to :math:`\Phi(M^{1/2} X)`, M the average gradient outer product of a nearly interpolating
Laplace-kernel regression on the labels and :math:`\Phi` random features that see no labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.studies._collapse import etf_deviation, numerical_rank, variability
from moltheory.studies.gradient_outer_product._model import LaplaceRegression, matrix_root

__all__ = ["RecursiveFeatures", "recursive_features", "sign_targets"]

_MAPS = ("relu", "fourier")
_MATRICES = ("gradients", "identity", "random")
# Singular values above this share of the largest one count.
_RANK_TOLERANCE = 1e-2


@dataclass(frozen=True, eq=False)
class RecursiveFeatures:
    """Measurements of L layers of features; the model at depth l is a kernel regression on those after l layers.

    `variability` and `test_variability` (L, 3) are NC1 of the training and the test examples at X (unit rows),
    M^{1/2}X and Phi of every layer; `input_variability` and `test_input_variability` (L + 1,) that of the unit rows
    that the regression at depths 0 to L sees, and `ranks` (L + 1,) the ranks of these, by singular values above 0.01
    times the largest. `predictions` (L + 1, n) are the classes of the test examples by that regression, and
    `matrix_ranks` (L,) the ranks of M^{1/2} of every layer, by the same rule. `frame_deviation` (L, 3) is NC2 of the
    training examples at these stages, the mean squared deviation of the cosines of centered class means from those of a
    simplex frame. `gram` (L + 1, m, m) holds cosines of the first examples of every class, minus the mean of all, sorted
    by class, at depths 0 to L; m is 0 unless asked for.
    """

    variability: FloatArray
    test_variability: FloatArray
    input_variability: FloatArray
    test_input_variability: FloatArray
    predictions: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]
    matrix_ranks: npt.NDArray[np.int64]
    frame_deviation: FloatArray
    gram: FloatArray


def recursive_features(
    train: npt.ArrayLike,
    labels: npt.ArrayLike,
    test: npt.ArrayLike,
    test_labels: npt.ArrayLike,
    /,
    *,
    depth: int,
    width: int = 512,
    feature_map: str = "relu",
    bandwidth: float = 1.0,
    matrix: str = "gradients",
    ridge: float = 1e-6,
    shown: int = 0,
    rng: RandomSource,
) -> RecursiveFeatures:
    """Return the collapse at every stage of deep recursive feature machines, and their predictions.

    Parameters
    ----------
    train : (N, d) array_like
        No zero rows: rows are scaled to length 1.
    labels : (N,) array_like of int
        0 to K - 1, every class present.
    test : (n, d) array_like
        Examples that are mapped only, not fitted.
    test_labels : (n,) array_like of int
        In the same range, at least two classes.
    depth : int
        Layers L >= 1.
    width : int, default 512
        Random features per layer.
    feature_map : {"relu", "fourier"}
        max(Wz, 0), or cos(Wz / bandwidth + b) of z divided by its root mean square length over the training examples;
        W Gaussian, b uniform phases.
    bandwidth : float, default 1
        Of the Fourier features, > 0, in units of that length.
    matrix : {"gradients", "identity", "random"}
        M: the average gradient outer product; or, as controls, the identity or a random rotation of the former.
    ridge : float, default 1e-6
        Of the kernel regression, > 0.
    shown : int, default 0
        How many examples of each class the Gram matrices hold.
    rng : int, SeedSequence, Generator or None
        Random features depend on the seed and the layer only, so that all variants use the same ones.

    Notes
    -----
    O(L (N^3 + N^2 width + width^3)). The unit of the Fourier bandwidth is ours: the source's M has a scale of its own.
    NC1 is `moltheory.studies.variability`; the source's script (D. Beaglehole, P. Súkeník, M. Mondelli, M. Belkin, 2024,
    arXiv 2402.13728) prints it divided by the number of classes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(40) % 2
    >>> x = rng.standard_normal((40, 3)) + 2 * labels[:, None]
    >>> found = recursive_features(x, labels, x, labels, depth=3, width=64, rng=0)
    >>> found.variability.shape, bool(found.variability[-1, 2] < found.variability[0, 0])
    ((3, 3), True)
    """
    x, codes = _examples("train", train, "labels", labels)
    z, test_codes = _examples("test", test, "test_labels", test_labels)
    n_classes = int(codes.max()) + 1
    if len(np.unique(codes)) != n_classes or n_classes < 2:
        raise InvalidInputError(f"`labels` must hold every class from 0 to K - 1 >= 1, got {np.unique(codes)}.")
    if test_codes.max() >= n_classes or len(np.unique(test_codes)) < 2:
        raise InvalidInputError(f"`test_labels` must hold at least two of the {n_classes} classes and no other.")
    if z.shape[1] != x.shape[1]:
        raise InvalidInputError(f"`test` must have {x.shape[1]} columns, got {z.shape[1]}.")
    check_count("depth", depth)
    check_count("width", width)
    check_choice("feature_map", feature_map, _MAPS)
    check_real("bandwidth", bandwidth, low=0.0, strict=True)
    check_choice("matrix", matrix, _MATRICES)
    check_count("shown", shown, low=0)
    root = as_seed_sequence(rng)
    targets = sign_targets(codes, n_classes)
    first = np.concatenate([np.flatnonzero(codes == c)[:shown] for c in range(n_classes)])
    stages, test_stages, frames, inputs, test_inputs, predictions, ranks, matrix_ranks, grams = ([] for _ in range(9))
    for layer in range(depth + 1):
        x, z = _unit(x), _unit(z)
        inputs.append(variability(x, codes))
        test_inputs.append(variability(z, test_codes))
        ranks.append(_rank(x))
        grams.append(_cosines(x)[np.ix_(first, first)] if shown else np.zeros((0, 0)))
        model = LaplaceRegression.fit(x, targets, ridge=ridge)
        predictions.append(model.predict(z).argmax(axis=1))
        if layer == depth:
            break
        stream = block_stream(root, "recursive features", layer)
        weights = stream.standard_normal((width, x.shape[1]))
        phases = stream.uniform(0.0, 2.0 * np.pi, size=width)
        before, mixed, test_mixed = x, x, z
        if matrix == "identity":
            matrix_ranks.append(x.shape[1])
        else:
            left, right = _half(model, matrix, stream)
            matrix_ranks.append(int(numerical_rank(right @ left, tolerance=_RANK_TOLERANCE)))
            mixed, test_mixed = x @ left @ right, z @ left @ right
        if feature_map == "relu":
            x, z = np.maximum(mixed @ weights.T, 0.0), np.maximum(test_mixed @ weights.T, 0.0)
        else:
            scaled = weights.T / (bandwidth * np.sqrt(np.square(mixed).sum(axis=1).mean()))
            x, z = np.cos(mixed @ scaled + phases), np.cos(test_mixed @ scaled + phases)
        stages.append([inputs[-1], variability(mixed, codes), variability(x, codes)])
        frames.append([etf_deviation(one, codes) for one in (before, mixed, x)])
        test_stages.append([test_inputs[-1], variability(test_mixed, test_codes), variability(z, test_codes)])
    return RecursiveFeatures(
        np.array(stages),
        np.array(test_stages),
        np.array(inputs),
        np.array(test_inputs),
        np.array(predictions, dtype=np.int64),
        np.array(ranks, dtype=np.int64),
        np.array(matrix_ranks, dtype=np.int64),
        np.array(frames),
        np.array(grams),
    )


def sign_targets(labels: npt.ArrayLike, n_classes: int, /) -> FloatArray:
    """Return rows (N, K) that are 1 at the label, in 0, ..., K - 1, and -1 elsewhere."""
    check_count("n_classes", n_classes, low=2)
    codes = np.asarray(labels)
    if codes.ndim != 1 or codes.dtype.kind not in "iu" or not len(codes) or codes.min() < 0 or codes.max() >= n_classes:
        raise InvalidInputError(f"`labels` must be integers from 0 to {n_classes - 1}, one per example.")
    return np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)


def _half(model: LaplaceRegression, matrix: str, stream: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Two factors of M^{1/2} or of a random rotation of it, drawn after the features: these stay the same.

    M has at most N directions, those of the examples: with more dimensions it is found in these alone.
    """
    n, d = model.centers.shape
    if d <= n:
        basis, root, values = np.eye(d), *matrix_root(model.outer_product())
    else:
        basis, triangle = np.linalg.qr(model.centers.T)
        # Distances are the same in the basis, and so is all else that the outer product is made of.
        root, values = matrix_root(replace(model, centers=triangle.T).outer_product())
    if matrix == "gradients":
        return basis @ root, basis.T
    rotation, triangle = np.linalg.qr(stream.standard_normal((d, len(values))))
    rotation *= np.sign(np.diag(triangle))
    return rotation * np.sqrt(values), rotation.T


def _cosines(x: FloatArray) -> FloatArray:
    centered = _unit(x - x.mean(axis=0))
    return np.asarray(centered @ centered.T)


def _rank(x: FloatArray) -> int:
    # Singular values of X'X are squares; of the smaller Gram matrix, which is faster than those of X.
    gram = x.T @ x if x.shape[1] <= len(x) else x @ x.T
    return int(numerical_rank(gram, tolerance=_RANK_TOLERANCE**2))


def _unit(x: FloatArray) -> FloatArray:
    """Rows of length 1; a row that random features made zero stays zero."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(lengths > 0.0, lengths, 1.0))


def _examples(
    name: str, features: npt.ArrayLike, label_name: str, labels: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    x = real_array(name, features, shape="(N, d)", min_ndim=2, max_ndim=2)
    if not x.any(axis=1).all():
        raise InvalidInputError(f"`{name}` must have no zero rows: they have no direction, got one.")
    codes = np.asarray(labels)
    if codes.shape != x.shape[:1] or codes.dtype.kind not in "iu" or codes.min() < 0:
        raise InvalidInputError(f"`{label_name}` must be {len(x)} integers >= 0, one per example of `{name}`.")
    return x, codes.astype(np.int64)
