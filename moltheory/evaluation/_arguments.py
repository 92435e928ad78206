"""The arguments of `certify` in canonical form: names, costs, ranges, directions and tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import few
from moltheory._core._validation import FloatArray, Maximise, check_choice, check_names, real_array, refuse_masked
from moltheory.errors import InvalidInputError

__all__ = ["known_costs", "read_epsilon", "read_maximise", "read_names", "read_ranges"]


def read_names(names: object, default: Sequence[object] | None, n_models: int) -> tuple[str, ...]:
    """Return one name per model: those given, else those of the losses, else ``model_1`` and so on."""
    if names is None and default is not None:
        given = tuple(str(name) for name in default)
        return check_names("names", given, length=n_models, stem="model")
    if isinstance(names, str):
        raise InvalidInputError(f"`names` must hold {n_models} names, got one string.")
    return check_names("names", None if names is None else list(names), length=n_models, stem="model")  # type: ignore[call-overload]


def known_costs(costs: Any, names: tuple[str, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return known costs (M, k) and their names.

    Costs are a table with named columns and the models in its index or in a column ``model``; a mapping from names of
    costs to one value per model, or to mappings from models to values; or an array, whose columns are called ``cost_1``
    and so on.

    Raises
    ------
    InvalidInputError
        If shapes or models do not fit, or a cost is not finite.
    """
    n_models = len(names)
    if costs is None:
        return np.empty((n_models, 0)), ()
    refuse_masked("costs", costs)
    if hasattr(costs, "index") and hasattr(costs, "to_frame") and not hasattr(costs, "columns"):
        costs = {"cost_1" if costs.name is None else str(costs.name): costs}
    if hasattr(costs, "columns") and hasattr(costs, "index"):
        if "model" in costs.columns:
            costs = costs.set_index("model")
        index = [str(label) for label in costs.index]
        frame = costs
        if set(index) == set(names) and len(index) == n_models:
            frame = costs.iloc[[index.index(name) for name in names]]
        elif any(label in names for label in index) or not _is_numbered(costs.index, n_models):
            raise InvalidInputError(
                f"`costs` must have one row for each model, got rows {few(index)} for models {few(names)}."
            )
        costs = {str(column): frame[column].to_numpy() for column in frame.columns}
    if isinstance(costs, Mapping):
        if not costs:
            raise InvalidInputError("`costs` must not be empty, got no entries.")
        columns = [_cost_column(key, value, names) for key, value in costs.items()]
        labels = check_names("costs", [str(key) for key in costs], length=len(columns), stem="cost")
        return np.column_stack(columns), labels
    table = real_array("costs", costs, shape=f"({n_models}, k)", min_ndim=1, max_ndim=2)
    table = table[:, None] if table.ndim == 1 else table
    if table.shape[0] != n_models:
        raise InvalidInputError(f"`costs` must have one row for each of {n_models} models, got {table.shape[0]}.")
    return table, tuple(f"cost_{j + 1}" for j in range(table.shape[1]))


def _cost_column(key: object, value: Any, names: tuple[str, ...]) -> FloatArray:
    if hasattr(value, "index") and hasattr(value, "items") and not isinstance(value, Mapping):
        labels = [str(label) for label in value.index]
        if not _is_numbered(value.index, len(names)):
            if len(set(labels)) < len(labels):
                raise InvalidInputError(f"`costs` must label each model once in {key!r}, got {few(sorted(labels))}.")
            value = dict(zip(labels, value.tolist(), strict=True))
    if isinstance(value, Mapping):
        missing = [name for name in names if name not in value]
        if missing:
            raise InvalidInputError(f"`costs` must hold {key!r} for every model, got none for {few(missing)}.")
        value = [value[name] for name in names]
    column = real_array("costs", value, shape=f"({len(names)},) in {key!r}", min_ndim=1, max_ndim=1)
    if column.shape[0] != len(names):
        raise InvalidInputError(
            f"`costs` must have one value for each of {len(names)} models in {key!r}, got {column.shape[0]}."
        )
    return column


def _is_numbered(index: Any, n_models: int) -> bool:
    """Return whether labels only number the models, so that their order is all that they say."""
    return list(index) == list(range(n_models))


def read_ranges(loss_range: Any, objectives: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return the low and the high end of the losses of each estimated objective.

    Raises
    ------
    InvalidInputError
        If the argument is not a pair of finite ends, low < high, each one number or one per objective.
    """
    n = len(objectives)
    rule = "`loss_range` must be a pair (low, high), each one number or one per objective"
    try:
        low, high = loss_range
        ends = [np.asarray(end, dtype=np.float64) for end in (low, high)]
        low, high = (np.broadcast_to(end, (n,)).copy() for end in ends)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{rule}, got {loss_range!r}.") from None
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = np.flatnonzero(~(np.isfinite(high - low) & (low < high)))
    if wrong.size:
        first = int(wrong[0])
        raise InvalidInputError(
            f"`loss_range` must have ends a finite distance apart with low < high, got {low[first]:g} and {high[first]:g} "
            f"for objective {objectives[first]!r}."
        )
    return low, high


def read_maximise(
    maximise: Maximise | Sequence[str], estimated: Sequence[str], costs: Sequence[str]
) -> tuple[bool, ...]:
    """Return one bool per objective, from bools or names; one per estimated objective leaves the costs minimised."""
    names = (*estimated, *costs)
    n = len(names)
    if isinstance(maximise, Mapping):
        unknown = [name for name in maximise if name not in names]
        if unknown or not all(isinstance(flag, bool | np.bool_) for flag in maximise.values()):
            raise InvalidInputError(f"`maximise` must map names of objectives to bools, got {dict(maximise)!r}.")
        return tuple(bool(maximise.get(name, False)) for name in names)
    if isinstance(maximise, Sequence) and not isinstance(maximise, str) and maximise:
        wanted = [check_choice("maximise", name, names) for name in maximise if isinstance(name, str)]
        if len(wanted) == len(maximise):
            return tuple(name in wanted for name in names)
    flags = np.asarray(maximise)
    if flags.dtype != np.bool_ or flags.ndim > 1:
        raise InvalidInputError(
            f"`maximise` must be a bool, one bool per objective, or a list of names, got {maximise!r}."
        )
    if flags.ndim == 0:
        return (bool(flags),) * n
    if flags.size not in (n, len(estimated)):
        raise InvalidInputError(f"`maximise` must hold one bool per objective ({n}), got {flags.size}.")
    return (*(bool(flag) for flag in flags), *(False,) * (n - flags.size))


def read_epsilon(epsilon: npt.ArrayLike, data_dependent: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the tolerance of each objective: one number applies to the estimated ones, known ones get 0.

    Raises
    ------
    InvalidInputError
        If a tolerance is negative or not finite, or there is not one per objective.
    """
    slack = real_array("epsilon", epsilon, shape="() or (N,)", min_ndim=0, max_ndim=1)
    n, estimated = data_dependent.size, int(data_dependent.sum())
    if (slack < 0.0).any():
        raise InvalidInputError(f"`epsilon` must be >= 0, got {slack.min():g}.")
    if slack.ndim == 0:
        return np.where(data_dependent, float(slack), 0.0)
    if slack.size not in (n, estimated):
        raise InvalidInputError(f"`epsilon` must be one number or one per objective ({n}), got {slack.size}.")
    if slack.size == n:
        return slack.copy()
    full = np.zeros(n)
    full[data_dependent] = slack
    return full
