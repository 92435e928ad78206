"""Fixed models on a population: predictions and targets become objectives with exact true risks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._labels import labels_among, order_of
from moltheory._core._places import first_repeated
from moltheory._core._validation import real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation._labelled import read_predictions
from moltheory.evaluation._own_names import check_order
from moltheory.evaluation._registry import Examples, named_measures
from moltheory.objectives import Known, Measure
from moltheory.problems._population import FinitePopulation

__all__ = ["from_predictions"]


@document
def from_predictions(
    predictions: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    costs: Mapping[str, npt.ArrayLike] | None = None,
    objectives: Sequence[str] | Mapping[str, Measure],
    name: str = "predictions",
    stratify: bool = False,
    hypothesis_names: Iterable[str] | None = None,
) -> FinitePopulation:
    """Take a table of predictions of fixed models as a population whose rows are equally likely.

    Parameters
    ----------
    predictions : (n, H) array_like
        Predicted label (or number, for regressions) of each of H models for each of n examples. The columns of a
        DataFrame name the models. An index of `predictions` is matched by those of `target` and `group`.
    target : (n,) array_like
        True labels or numbers. Labels 0 and 1 are numbers too: of probabilities, ``"squared_error"`` is then the
        Brier score divided by the variance of the labels.
    group : (n,) array_like, optional
        Group of each example, for objectives about groups.
    costs : mapping of str to (H,) array_like, optional
        Costs known without data, finite, appended as last objectives.
    objectives : sequence of str, or mapping of str to Measure
        ``"error"``, ``"worst_class_error"``, ``"worst_group_error"`` (needs `group`); for labels 0 and 1 (1 is
        positive) also ``"false_negative_rate"``, ``"false_positive_rate"``, ``"demographic_parity_gap"`` and
        ``"equal_opportunity_gap"`` (both need a `group` of at least two values; the gap is the largest between
        any two); for numbers ``"squared_error"`` in variances of the target over the population (1 is what its
        mean achieves), ``"worst_group_squared_error"`` and ``"absolute_error"`` in its standard deviations, each
        loss rounded to six decimals. A mapping gives measures of your own.
    {problem_name}
    stratify : bool, default False
        Fix the number of examples of each group in every sample; see `FinitePopulation`.
    hypothesis_names : iterable of str, optional
        Names of the H models; by default the columns of a DataFrame, else ``h0``, ``h1`` and so on.

    Returns
    -------
    FinitePopulation

    {raises}

    Notes
    -----
    Complexity: O(n H) time and memory per cell of a measure.

    Examples
    --------
    >>> problem = from_predictions([[0, 1], [1, 1], [1, 1]], [0, 1, 1], objectives=["error"],
    ...                            costs={"size": [5, 2]})
    >>> problem.true.risks()
    array([[0.        , 5.        ],
           [0.33333333, 2.        ]])
    """
    read = read_predictions(predictions, target, group=group, shape="(n, H)")
    table, labels, groups = read.predictions, read.target, read.group
    columns = None if _is_numbered(predictions) else read.models
    twice = first_repeated(columns or ())
    if twice is not None:
        raise InvalidInputError(f"`predictions` must have distinct column names, got {twice!r} twice: rename one.")
    check_order("hypothesis_names", hypothesis_names, columns, of="predictions")
    measures = dict(named_measures(Examples(table, labels, groups, standardized=True), objectives))
    for label, known in _read_costs(costs, table.shape[1], columns).items():
        if label in measures:
            raise InvalidInputError(f"`costs` must not repeat the name of an objective, got {label!r}.")
        measures[label] = known
    rows = [Fraction(1, table.shape[0])] * table.shape[0]
    return FinitePopulation(
        rows,
        list(measures.values()),
        objective_names=measures,
        name=name,
        stratify=stratify,
        hypothesis_names=columns if hypothesis_names is None else hypothesis_names,
    )


def _is_numbered(predictions: object) -> bool:
    """Whether the columns of a frame are only numbered."""
    columns = getattr(predictions, "columns", None)
    return getattr(columns, "start", None) == 0 and hasattr(columns, "step")


def _read_costs(costs: object, n_models: int, columns: Sequence[str] | None) -> dict[str, Known]:
    if costs is None:
        return {}
    if not isinstance(costs, Mapping):
        raise InvalidInputError(f"`costs` must map names to arrays of shape (H,), got {type(costs).__name__}.")
    known = {}
    for label, cost in costs.items():
        rule = f"`costs` must have {n_models} finite values for each name"
        try:
            plain = list(cost.values()) if isinstance(cost, Mapping) else cost
            values = real_or_missing("costs", plain).astype(np.float64)
        except InvalidInputError:
            raise InvalidInputError(f"{rule}, got something else than numbers for {label!r}.") from None
        if values.shape != (n_models,):
            found = str(values.size) if values.ndim == 1 else f"shape {values.shape}"
            raise InvalidInputError(f"{rule}, got {found} for {label!r}.")
        if not np.isfinite(values).all():
            raise InvalidInputError(f"{rule}, got {'NaN' if np.isnan(values).any() else 'an infinity'} for {label!r}.")
        keys = labels_among(cost, columns)
        if columns is not None and keys is not None:
            order = order_of("costs", keys, list(columns), n_models, of="predictions")
            values = values if order is None else values[order]
        known[label] = Known(values)
    return known
