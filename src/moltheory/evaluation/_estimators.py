"""Losses and costs of fitted scikit-learn estimators on examples they were not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._inputs import labels_in, rows_of
from moltheory._core._labels import row_labels
from moltheory._core._text import quoted
from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError
from moltheory.evaluation._labelled import of_examples
from moltheory.evaluation._model_cost import pickled_bytes, stored_numbers
from moltheory.evaluation._predictions import check_objectives, from_predictions
from moltheory.evaluation._registry import numeric_among
from moltheory.evaluation._source import LossRange
from moltheory.evaluation._table import LossTable

__all__ = ["from_estimators", "refuse_kinds"]

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
    loss_range: LossRange | None = None,
) -> LossTable:
    """Return the losses, measures and costs of fitted classifiers or regressors, from their predictions on examples.

    Parameters
    ----------
    estimators : mapping of str to estimator
        M fitted estimators with ``predict``. They must be fixed before these examples are seen: neither trained nor
        selected on them.
    features : (n, d) array_like, sparse matrix or DataFrame
        Inputs of the examples, passed on as they are. Their index, if any, is matched by those of `target`, `group` and
        `clusters`.
    target : (n,) array_like
        True labels, of the same kind as the predictions; of regressors, true values.
    objectives : sequence of str
        Names of objectives as in `from_predictions`: errors, rates within classes and groups, gaps; of regressors,
        ``"squared_error"``, ``"absolute_error"`` or ``"pinball:0.9"``.
    {example_groups}
    costs : sequence of str, default ("size_in_bytes",)
        ``"size_in_bytes"`` (see `pickled_bytes`) and ``"n_parameters"`` (see `stored_numbers`), which are known exactly.
        Times of predictions are measured, so they are no costs: see `Timings`. May be empty.
    {dependent_examples}
    loss_range : pair of float, or mapping of str to pairs, optional
        Smallest and largest possible loss of the objectives of regressors; see `from_predictions`.

    Returns
    -------
    LossTable
        As from `from_predictions`.

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name is unknown, an estimator cannot predict these rows, or labels or groups do not suit
        an objective.

    Notes
    -----
    Complexity: the predictions, then as `from_predictions`.

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
        if name == _TIME:
            raise InvalidInputError(
                "`costs` must be known exactly, got 'prediction_seconds', which is measured: pass the seconds of each "
                "example as an objective, or `moltheory.Measured` to `certify`; `prediction_seconds` measures them."
            )
        check_choice("costs", name, tuple(_SIZES))
    chosen = check_objectives(objectives)
    rows = rows_of("features", features)
    labels = row_labels(features)
    found = of_examples(labels, rows, of="features", target=target, group=group, clusters=clusters)
    refuse_kinds(estimators, chosen)
    # Before the first prediction: see `pickled_bytes`.
    sizes = {name: _SIZES[name](estimators) for name in costs}
    predicted = [_predict(name, model, features, rows) for name, model in estimators.items()]
    return from_predictions(
        np.stack(predicted, axis=1),
        found["target"],  # type: ignore[arg-type]
        objectives=chosen,
        group=found["group"],
        names=[str(name) for name in estimators],
        clusters=found["clusters"],
        loss_range=loss_range,
        costs=sizes,
    )


def refuse_kinds(estimators: Mapping[str, Any], objectives: Sequence[str]) -> None:
    """Refuse losses of labels of a regressor, whatever it predicts."""
    numeric = numeric_among(objectives)
    others = [name for name in objectives if name not in numeric]
    for name, model in estimators.items():
        if others and _is_regressor(model):
            raise InvalidInputError(
                f"`objectives` must be losses of numbers for a regressor, got {quoted(others[0])} for "
                f"{quoted(name)}: ask for "
                f"squared_error, absolute_error or pinball:0.9, with its loss_range."
            )


def _is_regressor(model: Any) -> bool:
    """Whether an estimator says that it is a regressor; one of another library may say nothing."""
    if not hasattr(model, "__sklearn_tags__"):
        return getattr(model, "_estimator_type", None) == "regressor"
    from sklearn.base import is_regressor

    return bool(is_regressor(model))


def _predict(name: str, model: Any, features: Any, rows: int) -> npt.NDArray[Any]:
    if not callable(getattr(model, "predict", None)):
        raise InvalidInputError(
            f"`estimators` must have a method predict, got {type(model).__name__} as {quoted(name)}."
        )
    try:
        found = labels_in("estimators", model.predict(features))
    except Exception as error:
        reason = (str(error).splitlines() or ["no reason"])[0].rstrip(".")
        raise InvalidInputError(
            f"`estimators` must be fitted and predict these rows, got {type(error).__name__} from {quoted(name)}: {reason}."
        ) from error
    if found.shape != (rows,):
        raise InvalidInputError(
            f"`estimators` must predict one label for each of {rows} rows, got shape {found.shape} from {quoted(name)}."
        )
    return found
