"""Costs of a fitted estimator, bytes and stored numbers; and measurements, which are none: times of predictions."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._deprecation import warn_renamed
from moltheory._core._html_repr import Printed
from moltheory._core._inputs import rows_of
from moltheory._core._validation import FloatArray, as_readonly, check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation._cards import timings_card

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Timings", "pickled_bytes", "prediction_seconds", "stored_numbers"]

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

    Notes
    -----
    Complexity: O(b) time for b bytes, which are counted and not kept.

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

    Notes
    -----
    Complexity: O(b) time for b pickled bytes.

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


@dataclass(frozen=True, eq=False, repr=False)
class Timings(Printed):
    """Measured times of predictions, in seconds per example: measurements, not a cost that is known.

    Another run gives other numbers, and runs one after another on one machine are not independent, so no interval
    follows from them alone. `certify` refuses them as costs. Two ways lead from times to a certificate:

    * time every example by itself, as it will be met, and pass these seconds (n, M) as one more objective, paired with
      the losses, with a timeout as the end of its range: their mean is then estimated like any other;
    * state an interval of your own, for example from runs on different days, as `moltheory.Measured`.

    Attributes
    ----------
    names : tuple of str
        The M models.
    seconds : (M, r) ndarray
        Seconds per example in each of the r runs, > 0.

    Examples
    --------
    >>> timings = Timings(("a", "b"), np.array([[0.5, 0.25], [1.0, 2.0]]))
    >>> timings.fastest
    array([0.25, 1.  ])
    >>> timings.to_frame()["run_2"].to_dict()
    {'a': 0.25, 'b': 2.0}
    """

    names: tuple[str, ...]
    seconds: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", as_readonly(np.array(self.seconds, dtype=np.float64)))

    @property
    def fastest(self) -> FloatArray:
        """The shortest time of each model, (M,): what the machine can do, not what it will need."""
        return np.asarray(self.seconds.min(axis=1))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model and one column per run."""
        import pandas as pd

        runs = [f"run_{run + 1}" for run in range(self.seconds.shape[1])]
        return pd.DataFrame(self.seconds, index=pd.Index(self.names, name="model"), columns=runs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> FloatArray:
        """Return `fastest`, as before 0.3: deprecated, since an array forgets that it was measured."""
        warn_renamed("the array of `prediction_seconds`", "its attribute `fastest`, or `seconds` for all runs")
        return np.array(self.fastest, dtype=dtype)

    def __len__(self) -> int:
        return len(self.names)

    def _card(self) -> Card:
        return timings_card(self)


def prediction_seconds(
    estimators: Mapping[str, Any], features: Any, /, *, repeats: int = 3, batch: int | None = None
) -> Timings:
    """Return the measured times that each estimator takes to predict one example, in seconds.

    The times depend on the machine and its load: they are measurements, which `certify` does not accept as exact costs.
    See `Timings` for what to do with them.

    Parameters
    ----------
    estimators : mapping of str to estimator
        Each with ``predict``.
    features : (n, d) array_like or DataFrame
        Inputs, n >= 1.
    repeats : int, default 3
        Number of predictions per estimator, in turns, so that a drift of the machine's speed meets all alike.
    batch : int, optional
        Number of rows to predict, from the first; all by default.

    Returns
    -------
    Timings
        Seconds per example, > 0, of each estimator in each run.

    Raises
    ------
    InvalidInputError
        If there is no estimator or no row, or a count is not positive.

    Notes
    -----
    Complexity: `repeats` predictions by each estimator.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> model = DummyClassifier().fit([[0], [1]], [0, 1])
    >>> timings = prediction_seconds({"dummy": model}, [[0]] * 100)
    >>> timings.seconds.shape, bool(timings.fastest[0] > 0)
    ((1, 3), True)
    """
    times = check_count("repeats", repeats)
    rows = features if batch is None else features[: check_count("batch", batch)]
    count = rows_of("features", rows)
    if not estimators or count == 0:
        what = "estimators" if not estimators else "features"
        raise InvalidInputError(f"`{what}` must not be empty, got none.")
    runs = [[_seconds(model, rows) / count for model in estimators.values()] for _ in range(times)]
    return Timings(tuple(str(name) for name in estimators), np.array(runs).T)


def _seconds(model: Any, rows: npt.ArrayLike) -> float:
    start = time.perf_counter()
    model.predict(rows)
    return max(time.perf_counter() - start, 1e-9)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason"])[0].rstrip(".")
