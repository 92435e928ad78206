"""Losses and measures of predictions on labelled examples: errors, rates within classes and groups, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_choice, check_names, refuse_masked
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import known_costs
from moltheory.evaluation._registry import Examples, named_measures, named_objectives
from moltheory.evaluation._table import LossTable
from moltheory.objectives import Mean, Rate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_predictions"]


@document
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
) -> LossTable:
    """Return the losses and measures of predicted against true labels or values.

    Parameters
    ----------
    predictions : (n, M) array_like or DataFrame
        Prediction of each of M models for each of n examples; the columns of a DataFrame name the models.
    target : (n,) array_like
        True labels or values, of the same kind as the predictions.
    objectives : sequence of str
        Names of objectives; `named_objectives` returns all of them. `moltheory.problems.from_predictions` uses the
        same.

        * Any labels: ``"error"``; ``"worst_class_error"``, the largest error within a class; with groups
          ``"worst_group_error"`` and ``"error_gap"``.
        * Labels 0 and 1, where 1 is positive: ``"false_negative_rate"``, ``"false_positive_rate"``,
          ``"false_discovery_rate"`` (1 - precision), ``"f1_error"`` (1 - F1); with groups ``"false_negative_gap"``
          (also ``"equal_opportunity_gap"``), ``"false_positive_gap"``, ``"demographic_parity_gap"``. A gap is the
          largest difference between any two groups.
        * Numbers: ``"squared_error"``, ``"absolute_error"``; with groups ``"worst_group_squared_error"``. They are in
          units of the target, and `certify` needs their `loss_range`.
    {example_groups}
    {model_names}
    {dependent_examples}
    costs : mapping of str to (M,) array_like, optional
        Costs known exactly.

    Returns
    -------
    LossTable
        If all objectives are means, the table holds their losses, 0/1 losses as bools. Otherwise the objectives are
        measures, which hold their losses, and ``losses`` is for inspection: one column per rate, NaN where its
        condition does not hold, or the errors (n, M, 1) if some objective is neither a mean nor a rate.

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name is unknown, a value is missing, or labels or groups do not suit an objective.

    Notes
    -----
    The numbers of examples within classes or groups are random. Certificates are conditional on them, and therefore
    valid unconditionally.

    Examples
    --------
    >>> models = from_predictions([[0, 1], [1, 1], [1, 0]], [0, 1, 1], objectives=["false_negative_rate"])
    >>> models
    LossTable(2 models, 3 examples: false_negative_rate, 33% not evaluated)
    >>> models.losses[:, :, 0]
    array([[nan, nan],
           [ 0.,  0.],
           [ 0.,  1.]])
    """
    chosen = _check_objectives(objectives)
    for argument, given in (("predictions", predictions), ("target", target), ("group", group)):
        refuse_masked(argument, given)
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
    examples = Examples(table, labels, groups)
    measures = dict(named_measures(examples, chosen))
    labelled = check_names("names", names, length=table.shape[1], stem="model")
    values, titles = known_costs(costs or None, labelled)
    shared: dict[str, Any] = {"clusters": clusters}
    if titles:
        shared |= {"costs": values, "cost_names": titles}
    cells = [cell for measure in measures.values() for cell in measure.cells]
    if all(type(measure) is Mean for measure in measures.values()):
        return LossTable(np.stack([cell.losses for cell in cells], axis=2), labelled, chosen, **shared)
    if all(type(measure) in (Mean, Rate) for measure in measures.values()):
        # For inspection only: NaN where the condition of a rate does not hold. The measures keep the type.
        wide = [cell.where if cell.depends_on_model else cell.where[:, None] for cell in cells]
        losses = np.stack([np.where(w, c.losses, np.nan) for w, c in zip(wide, cells, strict=True)], axis=2)
        return LossTable(losses, labelled, chosen, measures=measures, **shared)
    shown: npt.NDArray[Any] = table != labels[:, None]
    return LossTable(shown[:, :, None], labelled, ["error"], measures=measures, **shared)


def _check_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    chosen = () if isinstance(objectives, str) else tuple(objectives)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of distinct names, got {objectives!r}.")
    known = [entry.name for entry in named_objectives()]
    return tuple(check_choice("objectives", name, known) for name in chosen)


def _has_missing(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        import pandas as pd

        return bool(pd.isna(values).any())
    return values.dtype.kind == "f" and bool(np.isnan(values).any())
