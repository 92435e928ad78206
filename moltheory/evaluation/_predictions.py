"""Losses and measures of predictions on labelled examples: errors, rates within classes and groups, gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_names, frozen, real_array
from moltheory.errors import InvalidInputError
from moltheory.evaluation._evaluated import EvaluatedModels
from moltheory.objectives import Gap, Mean, Measure, Rate, Worst

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_predictions"]


def from_predictions(
    predictions: npt.ArrayLike | pd.DataFrame,
    target: npt.ArrayLike,
    /,
    *,
    objectives: Sequence[str] = ("error", "worst_class_error"),
    group: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    clusters: npt.ArrayLike | None = None,
    costs: Mapping[str, npt.ArrayLike] | None = None,
) -> EvaluatedModels:
    """Compare predicted with true labels, and return 0/1 losses and measures.

    Parameters
    ----------
    predictions : (n, M) array_like
        Label that each of M models predicts for each of n examples; the columns of a DataFrame name the models.
    target : (n,) array_like
        True labels, of the kind that is predicted.
    objectives : sequence of str
        ``"error"``; ``"worst_class_error"``, the largest error within a class; ``"worst_group_error"``; for labels 0
        and 1 (1 is positive) ``"false_negative_rate"``, ``"false_positive_rate"``, and as largest difference between
        any two groups ``"error_gap"``, ``"false_negative_gap"``, ``"false_positive_gap"``,
        ``"demographic_parity_gap"``. Those of groups need `group`.
    group : (n,) array_like, optional
        Group of each example, at least two values.
    names : sequence of str, optional
        Names of the models.
    clusters : (n,) array_like of int or str, optional
        Equal for examples that belong together, such as rows of one patient.
    costs : mapping of str to (M,) array_like, optional
        Costs known exactly.

    Returns
    -------
    EvaluatedModels
        With one column of 0/1 losses per rate, NaN on examples outside its class. Where an objective is a gap or a
        worst of several rates, all are measures, and ``losses`` (n, M, 1) are the errors.

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name is unknown, a value is missing, or labels or groups are not what an objective needs.

    Notes
    -----
    Where rates are within classes or groups, their numbers of examples are random; the certificate is conditional on
    them, and so holds without.

    Examples
    --------
    >>> models = from_predictions([[0, 1], [1, 1], [1, 0]], [0, 1, 1], objectives=["false_negative_rate"])
    >>> models
    EvaluatedModels(2 models, 3 examples: false_negative_rate, 33% not evaluated)
    >>> models.losses[:, :, 0]
    array([[nan, nan],
           [ 0.,  0.],
           [ 0.,  1.]])
    """
    chosen = _check_objectives(objectives)
    table, labels = np.asarray(predictions), np.asarray(target)
    if table.ndim != 2 or table.size == 0:
        raise InvalidInputError(f"`predictions` must have shape (n, M) and not be empty, got shape {table.shape}.")
    groups = None if group is None else np.asarray(group)
    for argument, values in (("target", labels), ("group", groups)):
        if values is not None and values.shape != table.shape[:1]:
            raise InvalidInputError(f"`{argument}` must have shape ({table.shape[0]},), got {values.shape}.")
    for argument, values in (("predictions", table), ("target", labels), ("group", groups)):
        if values is not None and _has_missing(values):
            raise InvalidInputError(f"`{argument}` must not contain missing values, got some.")
    if (table.dtype.kind in "OUS") != (labels.dtype.kind in "OUS"):
        raise InvalidInputError(
            f"`target` must hold labels of the kind that is predicted, got {labels.dtype} for {table.dtype}: recode "
            f"one of them."
        )
    if names is None and hasattr(predictions, "columns"):
        names = [str(column) for column in predictions.columns]
    answers = _Answers(table, labels, groups)
    measures = {name: _MEASURES[name](answers) for name in chosen}
    known = dict(costs or {})
    shared: dict[str, Any] = {
        "clusters": clusters,
        "costs": _cost_columns(known, table.shape[1]),
        "cost_names": list(known) if known else None,
    }
    labelled = check_names("names", names, length=table.shape[1], stem="model")
    cells = [cell for measure in measures.values() for cell in measure.cells]
    if all(isinstance(measure, Rate) for measure in measures.values()):
        # Where the condition of a rate does not hold, a model is not evaluated.
        losses = np.stack([np.where(cell.where[:, None], cell.losses, np.nan) for cell in cells], axis=2)
        return EvaluatedModels(losses, labelled, chosen, **shared)
    return EvaluatedModels(answers.wrong[:, :, None], labelled, ["error"], measures=measures, **shared)


class _Answers:
    """Predictions (n, M), labels (n,) and groups (n,), with what the measures need of them."""

    def __init__(self, predicted: npt.NDArray[Any], labels: npt.NDArray[Any], groups: npt.NDArray[Any] | None) -> None:
        self.wrong: FloatArray = frozen((predicted != labels[:, None]).astype(np.float64))
        self._predicted = predicted
        self.labels = labels
        self._groups = groups

    def positive(self) -> FloatArray:
        """Return whether each model says 1; labels must be 0 and 1."""
        for values in (self._predicted, self.labels):
            if not set(np.unique(values).tolist()) <= {0, 1}:
                raise InvalidInputError(
                    "`target` and predictions must be 0 or 1 for rates of one kind of error, got others: recode, for "
                    "example with (target == positive).astype(int)."
                )
        return frozen(self._predicted.astype(np.float64))

    def members(self) -> list[npt.NDArray[np.bool_]]:
        """Return the examples of each group."""
        if self._groups is None:
            raise InvalidInputError("`group` must be given for objectives about groups, got None.")
        found = np.unique(self._groups)
        if found.size < 2:
            raise InvalidInputError(f"`group` must have at least two values, got {found.size}.")
        return [self._groups == name for name in found]

    def gap(self, losses: FloatArray, where: npt.NDArray[np.bool_]) -> Measure:
        """Return the largest difference of a rate between two groups; each group's rate is one cell."""
        parts = [members & where for members in self.members()]
        if not all(part.any() for part in parts):
            raise InvalidInputError(
                "`group` must have an example of the class in every group, got a group without one."
            )
        rates = [Rate(losses, part) for part in parts]
        gaps = [Gap(a, b) for i, b in enumerate(rates) for a in rates[:i]]
        return gaps[0] if len(gaps) == 1 else Worst(gaps)


def _every(answers: _Answers) -> npt.NDArray[np.bool_]:
    return np.ones(answers.labels.size, np.bool_)


def _of_class(answers: _Answers, label: int) -> npt.NDArray[np.bool_]:
    answers.positive()
    where: npt.NDArray[np.bool_] = answers.labels == label
    if not where.any():
        raise InvalidInputError(f"`target` must hold at least one {label}, got none.")
    return where


_MEASURES: dict[str, Callable[[_Answers], Measure]] = {
    "error": lambda a: Mean(a.wrong),
    "worst_class_error": lambda a: Worst([Rate(a.wrong, a.labels == label) for label in np.unique(a.labels)]),
    "worst_group_error": lambda a: Worst([Rate(a.wrong, members) for members in a.members()]),
    "false_negative_rate": lambda a: Rate(a.wrong, _of_class(a, 1)),
    "false_positive_rate": lambda a: Rate(a.wrong, _of_class(a, 0)),
    "error_gap": lambda a: a.gap(a.wrong, _every(a)),
    "false_negative_gap": lambda a: a.gap(a.wrong, _of_class(a, 1)),
    "false_positive_gap": lambda a: a.gap(a.wrong, _of_class(a, 0)),
    "demographic_parity_gap": lambda a: a.gap(a.positive(), _every(a)),
}


def _check_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    chosen = () if isinstance(objectives, str) else tuple(objectives)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of distinct names, got {objectives!r}.")
    return tuple(check_choice("objectives", name, _MEASURES) for name in chosen)


def _cost_columns(costs: Mapping[str, npt.ArrayLike], n_models: int) -> FloatArray | None:
    columns = [real_array("costs", cost, shape="(M,)", min_ndim=1, max_ndim=1) for cost in costs.values()]
    if any(column.size != n_models for column in columns):
        raise InvalidInputError(f"`costs` must have {n_models} values for each name, got another number.")
    return np.column_stack(columns) if columns else None


def _has_missing(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        import pandas as pd

        return bool(pd.isna(values).any())
    return values.dtype.kind == "f" and bool(np.isnan(values).any())
