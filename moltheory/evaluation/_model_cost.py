"""Costs of a fitted estimator: bytes, stored numbers, and the measured time of a prediction."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError

__all__ = ["pickled_bytes", "prediction_seconds", "stored_numbers"]

# Used in training only, not in a prediction.
_TRAINING_ONLY = (np.random.RandomState, np.random.Generator, np.random.BitGenerator)
_OPTIMIZERS = "sklearn.neural_network._stochastic_optimizers"


class _Counter(pickle.Pickler):
    """Pickler that counts the numbers in all arrays it visits, each array once."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), protocol=5)
        self.numbers = 0
        self._seen: set[int] = set()
        self._kept: list[Any] = []

    def persistent_id(self, value: Any) -> str | None:
        """Count an array; skip what only training needs."""
        if isinstance(value, _TRAINING_ONLY) or type(value).__module__ == _OPTIMIZERS:
            return "training"
        if isinstance(value, np.ndarray) and id(value) not in self._seen:
            self._seen.add(id(value))
            # Keep temporary arrays alive: a freed one would pass its id to the next.
            self._kept.append(value)
            fields = len(value.dtype.names or (0,))
            self.numbers += value.size * fields if value.dtype.kind in "biufcV" else 0
        return None


def pickled_bytes(estimator: Any, /) -> int:
    """Return the size of a pickled estimator in bytes, the memory needed to store or send it.

    Parameters
    ----------
    estimator : object
        Anything that can be pickled.

    Returns
    -------
    int
        For protocol 5. The size depends on the versions of Python and of the library that made the estimator. It can
        change by a few bytes with use: search trees of scikit-learn count their calls.

    Raises
    ------
    InvalidInputError
        If the estimator cannot be pickled.

    Examples
    --------
    >>> pickled_bytes(np.zeros(1000)) - 8 * 1000 < 200
    True
    """
    try:
        return len(pickle.dumps(estimator, protocol=5))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"`estimator` must be something that can be pickled, got {_first_line(error)}."
        ) from error


def stored_numbers(estimator: Any, /) -> int:
    """Return the count of numbers in the arrays of a fitted estimator: a parameter count for estimators of any type.

    Weights of a linear model or a network count, as do the fields and values of the nodes of a tree, and the stored
    training set of nearest neighbors. Random generators and optimizers, which only training needs, do not.

    Parameters
    ----------
    estimator : object
        Anything that can be pickled.

    Returns
    -------
    int

    Raises
    ------
    InvalidInputError
        If the estimator cannot be pickled.

    Examples
    --------
    >>> stored_numbers({"weights": np.zeros((3, 4)), "bias": np.zeros(3)})
    15
    """
    counter = _Counter()
    try:
        counter.dump(estimator)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"`estimator` must be something that can be pickled, got {_first_line(error)}."
        ) from error
    return counter.numbers


def prediction_seconds(
    estimators: Mapping[str, Any], features: Any, /, *, repeats: int = 3, batch: int | None = None
) -> FloatArray:
    """Return the measured time that each estimator takes to predict one example, in seconds.

    The time depends on the machine and its load. A certificate that takes it as a cost treats it as exact, so it refers
    to the times measured here.

    Parameters
    ----------
    estimators : mapping of str to estimator
        Each with ``predict``.
    features : (n, d) array_like or DataFrame
        Inputs, n >= 1.
    repeats : int, default 3
        Number of predictions per estimator; the fastest counts.
    batch : int, optional
        Number of rows to predict, from the first; all by default.

    Returns
    -------
    (M,) ndarray
        Seconds per example, > 0.

    Raises
    ------
    InvalidInputError
        If there is no estimator or no row, or a count is not positive.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [1]], [0, 1])
    >>> seconds = prediction_seconds({"dummy": model}, [[0]] * 100)
    >>> seconds.shape, bool(seconds[0] > 0)
    ((1,), True)
    """
    times = check_count("repeats", repeats)
    rows = features if batch is None else features[: check_count("batch", batch)]
    count = len(rows)
    if not estimators or count == 0:
        what = "estimators" if not estimators else "features"
        raise InvalidInputError(f"`{what}` must not be empty, got none.")
    return np.array([_fastest(model, rows, times) / count for model in estimators.values()])


def _fastest(model: Any, rows: npt.ArrayLike, times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        model.predict(rows)
        found.append(time.perf_counter() - start)
    return max(min(found), 1e-9)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason"])[0].rstrip(".")
