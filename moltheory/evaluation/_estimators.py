"""Losses and costs of fitted scikit-learn estimators on examples they were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError
from moltheory.evaluation._model_cost import pickled_bytes, prediction_seconds, stored_numbers
from moltheory.evaluation._predictions import from_predictions
from moltheory.evaluation._table import LossTable

__all__ = ["from_estimators"]

_SIZES: dict[str, Callable[[Mapping[str, Any]], list[float]]] = {
    "size_in_bytes": lambda estimators: [float(pickled_bytes(model)) for model in estimators.values()],
    "n_parameters": lambda estimators: [float(stored_numbers(model)) for model in estimators.values()],
}
_TIME = "prediction_seconds"


@document
def from_estimators(
    estimators: Mapping[str, Any],
    features: Any,
    target: npt.ArrayLike,
    /,
    *,
    objectives: Sequence[str] = ("error", "worst_class_error"),
    group: npt.ArrayLike | None = None,
    costs: Sequence[str] = ("size_in_bytes",),
    clusters: npt.ArrayLike | None = None,
) -> LossTable:
    """Return the 0/1 losses, measures and costs of fitted classifiers, from their predictions on examples.

    Parameters
    ----------
    estimators : mapping of str to estimator
        M fitted classifiers with ``predict``. They must be fixed before these examples are seen: neither trained nor
        selected on them.
    features : (n, d) array_like or DataFrame
        Inputs of the examples.
    target : (n,) array_like
        True labels, of the same kind as the predictions.
    objectives : sequence of str
        Names of objectives as in `from_predictions`: errors, rates within classes and groups, gaps.
    {example_groups}
    costs : sequence of str, default ("size_in_bytes",)
        ``"size_in_bytes"`` (see `pickled_bytes`), ``"n_parameters"`` (see `stored_numbers`) and
        ``"prediction_seconds"``. The latter is measured here and treated as exact: every run gives another number, so a
        certificate that uses it refers to these measurements, not to future times of the machine. May be empty.
    {dependent_examples}

    Returns
    -------
    LossTable
        As from `from_predictions`.

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name is unknown, an estimator cannot predict these rows, or labels or groups do not suit
        an objective.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> trees = {f"depth {d}": DecisionTreeClassifier(max_depth=d, random_state=0).fit(x[::2], y[::2]) for d in (1, 3)}
    >>> models = from_estimators(trees, x[1::2], y[1::2])
    >>> models
    LossTable(2 models, 75 examples: error, worst_class_error, size_in_bytes)
    >>> models.losses[:, :, 0].mean(axis=0).round(3)
    array([0.333, 0.04 ])
    """
    if not isinstance(estimators, Mapping) or not estimators:
        raise InvalidInputError(f"`estimators` must be a non-empty mapping of names to estimators, got {estimators!r}.")
    if isinstance(costs, str) or len(set(costs)) < len(costs):
        raise InvalidInputError(f"`costs` must be a sequence of distinct names, got {costs!r}.")
    for name in costs:
        check_choice("costs", name, (*_SIZES, _TIME))
    rows = len(features)
    # Sizes before the first prediction (see `pickled_bytes`); times after it, when everything is loaded.
    sizes = {name: _SIZES[name](estimators) for name in costs if name in _SIZES}
    predicted = [_predict(name, model, features, rows) for name, model in estimators.items()]
    return from_predictions(
        np.stack(predicted, axis=1),
        target,
        objectives=objectives,
        group=group,
        names=[str(name) for name in estimators],
        clusters=clusters,
        costs={name: sizes[name] if name in sizes else prediction_seconds(estimators, features) for name in costs},
    )


def _predict(name: str, model: Any, features: Any, rows: int) -> npt.NDArray[Any]:
    if not callable(getattr(model, "predict", None)):
        raise InvalidInputError(f"`estimators` must have a method predict, got {type(model).__name__} as {name!r}.")
    try:
        found = np.asarray(model.predict(features))
    except Exception as error:
        reason = (str(error).splitlines() or ["no reason"])[0].rstrip(".")
        raise InvalidInputError(
            f"`estimators` must be fitted and predict these rows, got {type(error).__name__} from {name!r}: {reason}."
        ) from error
    if found.shape != (rows,):
        raise InvalidInputError(
            f"`estimators` must predict one label for each of {rows} rows, got shape {found.shape} from {name!r}."
        )
    return found
