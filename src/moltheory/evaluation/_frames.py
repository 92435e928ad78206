"""Losses from a long table: one row per model, example and objective."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._containers import pandas_frame
from moltheory._core._places import first_repeated
from moltheory._core._text import quoted
from moltheory._core._validation import real_or_missing
from moltheory.errors import InvalidInputError
from moltheory.evaluation._table import LossTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_long_table"]


def from_long_table(
    frame: pd.DataFrame,
    /,
    *,
    model: Hashable = "model",
    example: Hashable = "example",
    objective: Hashable | None = "objective",
    loss: Hashable = "loss",
    cluster: Hashable | None = None,
) -> LossTable:
    """Return the losses in a long data frame, which has one row per model, example and objective.

    Parameters
    ----------
    frame : DataFrame
        Of pandas, polars, pyarrow or another library; rows in any order; not changed. A missing row means not evaluated.
    model, example : hashable
        Columns of models and examples. An example must have the same name under all models, as models are compared on
        common examples.
    objective : hashable or None, default "objective"
        Column of objectives. None, or a table without a column ``objective``, means one objective, named like the
        column `loss`.
    loss : hashable, default "loss"
        Column of finite numbers.
    cluster : hashable, optional
        Column that marks dependent examples, such as a patient or a prompt; equal in all rows of an example.

    Returns
    -------
    LossTable
        Models, examples and objectives in the order of their first rows.

    Raises
    ------
    InvalidInputError
        If a column is missing, a name or a loss is missing or not a number, a row occurs twice, or an example belongs
        to two clusters.

    Notes
    -----
    Complexity: O(rows) time; the result holds one number per example, model and objective, evaluated or not.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({
    ...     "model": ["a", "a", "b"],
    ...     "example": ["x1", "x2", "x2"],
    ...     "objective": ["error"] * 3,
    ...     "loss": [0, 1, 1],
    ... })
    >>> models = from_long_table(frame)
    >>> models.model_names, models.examples
    (('a', 'b'), ('x1', 'x2'))
    >>> models.losses[:, :, 0]
    array([[ 0., nan],
           [ 1.,  1.]])
    """
    import pandas as pd

    frame = pandas_frame("frame", frame)
    if frame.empty:
        raise InvalidInputError("`frame` must have at least one row, got an empty one.")
    if objective == "objective" and "objective" not in frame.columns:
        objective = None
    roles = {"model": model, "example": example, "objective": objective, "loss": loss, "cluster": cluster}
    for role, column in roles.items():
        if column is None and role in ("objective", "cluster"):
            continue
        if column not in frame.columns:
            listed = ", ".join(str(name) for name in frame.columns)
            raise InvalidInputError(f"`{role}` must name a column of the frame, got {column!r} among {listed}.")
        if (frame.columns == column).sum() > 1:
            raise InvalidInputError(f"`frame` must have distinct column names, got {column!r} twice: rename one.")
    model_codes, models = _codes(frame, model)
    example_codes, examples = _codes(frame, example)
    objectives: tuple[str, ...] = (str(loss),)
    objective_codes = np.zeros(len(frame), np.intp)
    if objective is not None:
        objective_codes, objectives = _codes(frame, objective)
    values = _numbers(frame[loss], loss)
    shape = (len(examples), len(models), len(objectives))
    places = np.ravel_multi_index((example_codes, model_codes, objective_codes), shape)
    again = pd.Series(places).duplicated().to_numpy()
    if again.any():
        first = int(np.argmax(again))
        raise InvalidInputError(
            f"`frame` must have one row per model, example and objective, got a second one for "
            f"{quoted(models[model_codes[first]])}, {quoted(examples[example_codes[first]])}, "
            f"{objectives[objective_codes[first]]!r} ({int(again.sum())} such rows)."
        )
    # Missing rows become NaN, which only floats have.
    losses = np.full(shape, np.nan) if values.size < math.prod(shape) else np.empty(shape, values.dtype)
    losses.ravel()[places] = values
    clusters = None if cluster is None else _clusters(frame, cluster, example_codes, examples)
    return LossTable(losses, models, objectives, examples=examples, clusters=clusters)


def _codes(frame: pd.DataFrame, column: Hashable) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """Return the codes of a column and its values, in the order of their first rows."""
    import pandas as pd

    codes, values = pd.factorize(frame[column])
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise InvalidInputError(f"`frame` must not have missing values in column {column!r}, got one in row {row}.")
    names = tuple(str(value) for value in values)
    twice = first_repeated(names)
    if twice is not None:
        raise InvalidInputError(
            f"`frame` must have names that differ as text in column {column!r}, got {twice!r} twice."
        )
    return np.asarray(codes, np.intp), names


def _numbers(column: pd.Series[Any], name: Hashable) -> npt.NDArray[Any]:
    """Return finite numbers, as bools or integers if the column is of such a type."""
    try:
        plain = real_or_missing("frame", column)
    except InvalidInputError:
        raise InvalidInputError(f"`frame` must have numbers in column {quoted(name)}, got {column.dtype}.") from None
    values = plain.astype(np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidInputError(
            f"`frame` must have finite numbers in column {quoted(name)}, got {values[row]} in row {row}: leave out the rows "
            f"of what was not evaluated."
        )
    return plain if plain.dtype.kind in "biu" else values


def _clusters(
    frame: pd.DataFrame, column: Hashable, example_codes: npt.NDArray[np.intp], examples: tuple[str, ...]
) -> npt.NDArray[np.intp]:
    """Return the number of each example's cluster."""
    codes, names = _codes(frame, column)
    clusters = np.zeros(len(examples), np.int64)
    clusters[example_codes] = codes
    differing = clusters[example_codes] != codes
    if differing.any():
        row = int(np.argmax(differing))
        raise InvalidInputError(
            f"`frame` must put all rows of an example into one cluster, got {examples[example_codes[row]]!r} in "
            f"{quoted(names[codes[row]])} and {quoted(names[clusters[example_codes[row]]])}."
        )
    return clusters
