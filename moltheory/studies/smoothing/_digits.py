"""Networks for digits, trained under constant noise, as functions that are quick on large batches."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real

__all__ = ["DigitsSplit", "Network", "digits_split", "train_network"]

_HIDDEN = 64
_COPIES = 8


@dataclass(frozen=True)
class DigitsSplit:
    """Digits of scikit-learn with pixels in [0, 1], cut in two.

    Attributes
    ----------
    train, test : (n, 64) ndarray
    train_labels, test_labels : (n,) ndarray of int
    """

    train: FloatArray
    train_labels: npt.NDArray[np.int64]
    test: FloatArray
    test_labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """A network with one hidden layer of ReLU: inputs to the number of the largest output.

    Attributes
    ----------
    weights : tuple of ndarray
        (N, width) and (width, K).
    offsets : tuple of ndarray
        (width,) and (K,).

    Examples
    --------
    >>> network = Network((np.eye(2), np.eye(2)), (np.zeros(2), np.zeros(2)))
    >>> network(np.array([[1.0, 2.0], [3.0, -1.0]]))
    array([1, 0])
    """

    weights: tuple[FloatArray, ...]
    offsets: tuple[FloatArray, ...]

    def __call__(self, inputs: npt.NDArray[np.float64], /) -> npt.NDArray[np.intp]:
        """Return the classes of (m, N) inputs: (m,)."""
        values = inputs
        for layer, (weights, offsets) in enumerate(zip(self.weights, self.offsets, strict=True)):
            values = values @ weights
            values += offsets
            if layer + 1 < len(self.weights):
                np.maximum(values, 0.0, out=values)
        return np.asarray(values.argmax(axis=1))

    @property
    def multiplications(self) -> int:
        """Multiplications per input."""
        return sum(one.size for one in self.weights)


def digits_split(seed: int, *, n_test: int = 900) -> DigitsSplit:
    """Return the digits in a random order, the last `n_test` for testing.

    Parameters
    ----------
    seed : int
        >= 0.
    n_test : int, default 900
        1 <= n_test < 1797 - 100.

    Returns
    -------
    DigitsSplit

    Examples
    --------
    >>> digits_split(0).test.shape
    (900, 64)
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng([20_221, check_count("seed", seed, low=0)]).permutation(len(data.target))
    inputs, labels = data.data[order] / 16.0, data.target[order].astype(np.int64)
    cut = len(labels) - int(check_real("n_test", n_test, low=1, high=len(labels) - 100))
    return DigitsSplit(inputs[:cut], labels[:cut], inputs[cut:], labels[cut:])


def train_network(
    split: DigitsSplit, sigma: float, *, seed: int, epochs: int = 40
) -> dict[str, npt.NDArray[np.generic]]:
    """Train scikit-learn's MLPClassifier on copies of the training digits under constant noise.

    Parameters
    ----------
    split : DigitsSplit
    sigma : float
        Standard deviation of the noise, >= 0.
    seed : int
        >= 0.
    epochs : int, default 40

    Returns
    -------
    dict of str to ndarray
        ``weights_1``, ``offsets_1``, ``weights_2``, ``offsets_2``, for `Network`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng([7, seed])
    inputs = np.repeat(split.train, _COPIES, axis=0)
    inputs = inputs + check_real("sigma", sigma, low=0.0) * rng.standard_normal(inputs.shape)
    model = MLPClassifier((_HIDDEN,), max_iter=check_count("epochs", epochs), random_state=seed, batch_size=200)
    with warnings.catch_warnings():
        # A fixed number of epochs is meant.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(inputs, np.repeat(split.train_labels, _COPIES))
    return {
        **{f"weights_{i + 1}": one for i, one in enumerate(model.coefs_)},
        **{f"offsets_{i + 1}": one for i, one in enumerate(model.intercepts_)},
    }
