"""Losses and measures of predictions on labelled examples: errors, rates within classes and groups, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._text import few
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import known_costs, read_names
from moltheory.evaluation._labelled import read_predictions
from moltheory.evaluation._own_names import check_order, refuse_set
from moltheory.evaluation._registry import Examples, named_measures, numeric_among, objective_of
from moltheory.evaluation._source import LossRange
from moltheory.evaluation._table import LossTable
from moltheory.objectives import Mean, Rate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_objectives", "from_predictions"]


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
    loss_range: LossRange | None = None,
) -> LossTable:
    """Return the losses and measures of predicted against true labels or values.

    Parameters
    ----------
    predictions : (n, M) array_like, DataFrame, or mapping of str to (n,) array_like
        Prediction of each of M models for each of n examples; the columns of a frame, or the keys of a mapping, name
        the models. Labels of examples that come with it (an index) are those of the other arguments, which are matched
        by theirs; without labels the order counts.
    target : (n,) array_like
        True labels or values, of the same kind as the predictions.
    objectives : sequence of str
        Names of objectives; `named_objectives` returns all of them. `moltheory.problems.from_predictions` uses the
        same.

        * Any labels: ``"error"``; ``"worst_class_error"``, the largest error within a class; ``"balanced_error"``, the
          average of the errors within classes; ``"macro_f1_error"``; with groups ``"worst_group_error"`` and
          ``"error_gap"``.
        * Labels 0 and 1, where 1 is positive: ``"false_negative_rate"``, ``"false_positive_rate"``,
          ``"false_discovery_rate"`` (1 - precision, also ``"precision_error"``), ``"f1_error"`` (1 - F1); with
          groups ``"false_negative_gap"`` (also ``"equal_opportunity_gap"``), ``"false_positive_gap"``,
          ``"demographic_parity_gap"``. A gap is the largest difference between any two groups.
        * Numbers, of regressions: ``"squared_error"``, ``"absolute_error"``, the quantile loss ``"pinball:0.9"`` (at
          any level); with groups ``"worst_group_squared_error"``. They are in units of the target, and need their
          `loss_range`.
    {example_groups}
    {model_names}
    {dependent_examples}
    costs : mapping of str to (M,) array_like, optional
        Costs known exactly.
    loss_range : pair of float, or mapping of str to pairs, optional
        Smallest and largest possible loss of the objectives about numbers; fixed before the data. Without it, `certify`
        takes (0, 1) unless it is given there. Predictions clipped to the range [a, b] of the target have squared
        errors in (0, (b - a)**2), absolute errors and quantile losses in (0, b - a).

    Returns
    -------
    LossTable
        If all objectives are means, the table holds their losses, 0/1 losses as bools. Otherwise the objectives are
        measures, which hold their losses, and ``losses`` is for inspection: one column per rate, NaN where its
        condition does not hold, or the errors (n, M, 1) if some objective is neither a mean nor a rate.

    Raises
    ------
    InvalidInputError
        If shapes or labels disagree, a name is unknown, a value is missing, or labels or groups do not suit an
        objective: of probabilities, scores and the numbers of a regression there is no error, and none of predictions
        that are coded otherwise than the target.

    Warns
    -----
    DataWarning
        If predictions hold labels that the target never holds.

    Notes
    -----
    The numbers of examples within classes or groups are random. Certificates are conditional on them, and therefore
    valid unconditionally.

    What fairlearn's ``MetricFrame`` is made from goes in here: its ``y_true`` as `target`, its ``sensitive_features`` as
    `group`.

    Complexity: O(n M) time and memory for each condition of a rate, such as a class or a group.

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
    chosen = check_objectives(objectives)
    read = read_predictions(predictions, target, group=group, clusters=clusters)
    table, labels, groups = read.predictions, read.target, read.group
    if (table.dtype.kind in "OUS") != (labels.dtype.kind in "OUS"):
        raise InvalidInputError(
            f"`target` must hold labels of the kind that is predicted, got {labels.dtype} for {table.dtype}: recode "
            f"one of them."
        )
    examples = Examples(table, labels, groups)
    measures = dict(named_measures(examples, chosen))
    check_order("names", names, read.models, of="predictions")
    labelled = read_names(names, read.models, table.shape[1], of="predictions")
    values, titles = known_costs(None if isinstance(costs, Mapping) and not costs else costs, labelled)
    shared: dict[str, Any] = {"clusters": read.clusters, "examples": read.examples}
    if loss_range is not None:
        shared["loss_range"] = _range_of_numbers(loss_range, chosen)
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
    shown: npt.NDArray[Any] = np.asarray(table != labels[:, None])
    return LossTable(shown[:, :, None], labelled, ["error"], measures=measures, **shared)


def check_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    """Return distinct names of objectives; refuse unknown ones."""
    refuse_set("objectives", objectives)
    chosen = () if isinstance(objectives, str) else tuple(objectives)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InvalidInputError(f"`objectives` must be a non-empty sequence of distinct names, got {objectives!r}.")
    return tuple(objective_of(name).name for name in chosen)


def _range_of_numbers(loss_range: LossRange, objectives: Sequence[str]) -> LossRange:
    """Return the range of each objective about numbers; the others are in (0, 1)."""
    if isinstance(loss_range, Mapping):
        return loss_range
    numeric = numeric_among(objectives)
    if not numeric:
        raise InvalidInputError(
            f"`loss_range` must come with objectives about numbers, got {loss_range!r} for {few(list(objectives))}: "
            f"errors and rates lie in (0, 1)."
        )
    return dict.fromkeys(numeric, loss_range)
