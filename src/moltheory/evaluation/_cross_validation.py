"""Losses of every example by the model that was not trained on it: results of cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._inputs import labels_in, rows_of
from moltheory._core._labels import row_labels
from moltheory._core._text import quoted
from moltheory.errors import AggregateWarning, InvalidInputError
from moltheory.evaluation._estimators import refuse_kinds
from moltheory.evaluation._labelled import of_examples
from moltheory.evaluation._predictions import check_objectives, from_predictions
from moltheory.evaluation._source import LossRange
from moltheory.evaluation._table import LossTable

__all__ = ["from_cross_validation"]

_NEEDED = ("estimator", "indices")


@document
def from_cross_validation(
    results: Mapping[str, Any],
    features: Any,
    target: npt.ArrayLike,
    /,
    *,
    objectives: Sequence[str] = ("error",),
    group: npt.ArrayLike | None = None,
    loss_range: LossRange | None = None,
) -> LossTable:
    """Return the losses of each example by the estimator that was not trained on it, with the folds as clusters.

    Parameters
    ----------
    results : mapping of str to results
        For each of M models, what ``sklearn.model_selection.cross_validate`` returns with ``return_estimator=True`` and
        ``return_indices=True``, all for the same folds: pass one splitter with a fixed ``random_state``. Each example
        is in one test fold.
    features : (n, d) array_like, sparse matrix or DataFrame
        Inputs of the examples, as they were given to ``cross_validate``.
    target : (n,) array_like
        True labels, or values of regressors.
    objectives : sequence of str
        Names of objectives as in `from_predictions`.
    {example_groups}
    loss_range : pair of float, or mapping of str to pairs, optional
        See `from_predictions`.

    Returns
    -------
    LossTable
        Its clusters are the folds.

    Raises
    ------
    InvalidInputError
        If results have no estimators or indices, their folds differ, or an example is in no test fold or in several.

    Warns
    -----
    AggregateWarning
        Always: see the notes.

    Notes
    -----
    Estimators of different folds share training data, so even the folds are not independent, and no distribution-free
    interval for the risk follows from one cross-validation (Y. Bengio and Y. Grandvalet 2004, "No unbiased estimator of
    the variance of k-fold cross-validation", JMLR 5). With the folds as clusters there are few of them, and hardly
    anything is decided. A certificate needs a model fitted once and losses on examples that were left out:
    `from_estimators`.

    Complexity: the predictions, then as `from_predictions`.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> options = dict(cv=5, return_estimator=True, return_indices=True)
    >>> results = {
    ...     f"depth {d}": cross_validate(DecisionTreeClassifier(max_depth=d, random_state=0), x, y, **options)
    ...     for d in (1, 3)
    ... }
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     from_cross_validation(results, x, y)
    LossTable(2 models, 150 examples, 5 clusters: error)
    """
    chosen = check_objectives(objectives)
    _check_results(results)
    n = rows_of("features", features)
    found = of_examples(row_labels(features), n, of="features", target=target, group=group)
    for name, result in results.items():
        refuse_kinds({f"{name}": result["estimator"][0]}, chosen)
    folds = [_folds(str(name), result, n) for name, result in results.items()]
    for name, other in zip(results, folds, strict=True):
        if not (other == folds[0]).all():
            raise InvalidInputError(
                f"`results` must be of the same folds, got other ones for {str(name)!r}: pass one splitter with a fixed "
                f"random_state."
            )
    columns = [_predicted(str(name), result, features, folds[0]) for name, result in results.items()]
    warnings.warn(
        f"the {int(folds[0].max()) + 1} folds share training data, so they are not independent, and a certificate from "
        f"them has no guarantee: evaluate models that were fitted once on examples left out.",
        AggregateWarning,
        stacklevel=3,
    )
    return from_predictions(
        np.stack(columns, axis=1),
        found["target"],  # type: ignore[arg-type]
        objectives=chosen,
        group=found["group"],
        names=[str(name) for name in results],
        clusters=folds[0],
        loss_range=loss_range,
    )


def _check_results(results: Any) -> None:
    kind = type(results).__name__
    if hasattr(results, "cv_results_") or (isinstance(results, Mapping) and "params" in results):
        raise InvalidInputError(
            f"`results` must hold results of cross_validate, got {kind} of a search, which keeps only means of folds: run "
            f"cross_validate for the candidates, with return_estimator=True and return_indices=True."
        )
    if isinstance(results, Mapping) and "fit_time" in results:
        raise InvalidInputError(
            "`results` must map names of models to results of cross_validate, got one result: give {'name': result, ...}."
        )
    if not isinstance(results, Mapping) or not results:
        raise InvalidInputError(f"`results` must be a non-empty mapping of names to results, got {kind}.")
    for name, result in results.items():
        missing = [key for key in _NEEDED if not isinstance(result, Mapping) or key not in result]
        if missing:
            raise InvalidInputError(
                f"`results` must hold {quoted(missing[0])} for {quoted(name)}, got none: call cross_validate with "
                f"return_estimator=True and return_indices=True."
            )


def _folds(name: str, result: Mapping[str, Any], n: int) -> npt.NDArray[np.int64]:
    """Return the number of the fold (n,) in which each example was tested; there is one."""
    folds = np.full(n, -1, np.int64)
    for number, rows in enumerate(result["indices"]["test"]):
        places = np.asarray(rows)
        if places.size and (places.min() < 0 or places.max() >= n):
            raise InvalidInputError(
                f"`results` must be of the {n} rows of `features`, got row {places.max()} in {quoted(name)}."
            )
        if (folds[places] >= 0).any() or np.unique(places).size < places.size:
            raise InvalidInputError(
                f"`results` must test each example in one fold, got several for row {int(places[folds[places] >= 0][0])} "
                f"in {quoted(name)}: use KFold or the like, without repetitions."
            )
        folds[places] = number
    if (folds < 0).any():
        raise InvalidInputError(
            f"`results` must test each example in one fold, got none for {int((folds < 0).sum())} of {n} rows "
            f"in {quoted(name)}: "
            f"use KFold or the like."
        )
    return folds


def _predicted(name: str, result: Mapping[str, Any], features: Any, folds: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the prediction for each example by the estimator of its fold."""
    parts, places = [], []
    for number, model in enumerate(result["estimator"]):
        rows = np.flatnonzero(folds == number)
        part = features.iloc[rows] if hasattr(features, "iloc") else features
        if part is features:
            part = [features[row] for row in rows] if isinstance(features, list | tuple) else features[rows]
        found = labels_in("results", model.predict(part))
        if found.shape != rows.shape:
            raise InvalidInputError(
                f"`results` must predict one label for each of {rows.size} rows, got shape {found.shape} from "
                f"{quoted(name)}."
            )
        parts.append(found)
        places.append(rows)
    return np.concatenate(parts)[np.argsort(np.concatenate(places), kind="stable")]
