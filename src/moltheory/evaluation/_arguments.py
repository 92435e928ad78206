"""The arguments of `certify` in canonical form: names, costs, ranges, directions and tolerances."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._inputs import labels_in, numbers_in
from moltheory._core._labels import axis_labels, has_labels, is_index, labels_among, order_of
from moltheory._core._places import places_of
from moltheory._core._text import few, quoted
from moltheory._core._validation import FloatArray, Maximise, check_choice, check_names, real_array, refuse_masked
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._measured_cost import refuse_measurements
from moltheory.evaluation._no_models import is_no_model
from moltheory.evaluation._requests import ALTERNATIVES

__all__ = [
    "known_costs",
    "read_epsilon",
    "read_maximise",
    "read_names",
    "read_ranges",
    "refuse_bools",
    "tell_left_out",
]


def read_names(
    names: object, default: Sequence[object] | None, n_models: int, *, of: str = "losses"
) -> tuple[str, ...]:
    """Return one name per model: those given, else those of the losses, else ``model_1`` and so on.

    A mapping renames the models of the losses; a Series with their names as its index is matched by these.
    """
    own = None if default is None else [str(name) for name in default]
    if names is None and own is not None:
        odd = [name for name in own if is_no_model(name)]
        if odd:
            raise InvalidInputError(
                f"`{of}` must have one column per model, got the column {odd[0]!r}, which looks like a label of the "
                f"rows: drop it, or give `names` where it is a model."
            )
        return check_names("names", own, length=n_models, stem="model")
    if isinstance(names, str | set | frozenset):
        found = "one string" if isinstance(names, str) else f"{type(names).__name__}, which has no order"
        raise InvalidInputError(f"`names` must hold {n_models} names, got {found}.")
    keys = None if names is None else labels_among(names, own)
    if keys is not None:
        entries = list(names.values()) if isinstance(names, Mapping) else list(names)  # type: ignore[call-overload]
        if own is None and isinstance(names, Mapping):
            raise InvalidInputError(f"`names` must be a sequence where `{of}` names no models, got a mapping.")
        order = order_of("names", keys, own, n_models, of=of)
        names = entries if order is None else [entries[place] for place in order.tolist()]
    return check_names("names", None if names is None else list(names), length=n_models, stem="model")  # type: ignore[call-overload]


def known_costs(costs: Any, names: tuple[str, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    """Return known costs (M, k) and their names.

    Costs are a table with named columns and the models in its index or in a column ``model``; a mapping from names of
    costs to one value per model, or to mappings from models to values; or an array, whose columns are called ``cost_1``
    and so on unless it has coordinates.

    Raises
    ------
    InvalidInputError
        If shapes or models do not fit, a cost is not a finite number, a column of a table is an index, or all costs have
        the names of models.
    """
    n_models = len(names)
    if costs is None:
        return np.empty((n_models, 0)), ()
    refuse_measurements("costs", costs)
    refuse_masked("costs", costs)
    costs = _of_labelled_array(_frame_of(costs))
    if hasattr(costs, "index") and hasattr(costs, "to_frame") and not hasattr(costs, "columns"):
        costs = {"cost_1" if costs.name is None else str(costs.name): costs}
    if hasattr(costs, "columns") and hasattr(costs, "index"):
        if "model" in costs.columns:
            costs = costs.set_index("model")
        _refuse_index([str(column) for column in costs.columns])
        index = [str(label) for label in costs.index]
        frame = costs
        if set(index) >= set(names) and len(set(index)) == len(index):
            tell_left_out(index, names)
            places = places_of(index)
            frame = costs.iloc[[places[name] for name in names]]
        elif not set(names).isdisjoint(index) or not _is_numbered(costs.index, n_models):
            raise InvalidInputError(
                f"`costs` must have one row for each model, got rows {few(index)} for models {few(names)}."
            )
        costs = {str(column): frame[column].to_numpy() for column in frame.columns}
    if isinstance(costs, Mapping):
        if not costs:
            raise InvalidInputError("`costs` must not be empty, got no entries.")
        if {str(key) for key in costs} <= set(names):
            raise InvalidInputError(
                f"`costs` must map names of costs to one value per model, got the names of models: "
                f"{few([str(key) for key in costs])}: name the cost, as in {{'usd': {{{names[0]!r}: ...}}}}."
            )
        columns = [_cost_column(key, value, names) for key, value in costs.items()]
        labels = check_names("costs", [str(key) for key in costs], length=len(columns), stem="cost")
        return np.column_stack(columns), labels
    refuse_bools(costs)
    table = real_array("costs", costs, shape=f"({n_models}, k)", min_ndim=1, max_ndim=2)
    table = table[:, None] if table.ndim == 1 else table
    if table.shape[0] != n_models:
        raise InvalidInputError(f"`costs` must have one row for each of {n_models} models, got {table.shape[0]}.")
    return table, tuple(f"cost_{j + 1}" for j in range(table.shape[1]))


def _frame_of(costs: Any) -> Any:
    """Return a frame of another library as one of pandas, which has an index; anything else as it is."""
    if not hasattr(costs, "columns") or hasattr(costs, "index") or isinstance(costs, Mapping):
        return costs
    import narwhals as nw

    frame = nw.from_native(costs, pass_through=True)
    return frame.to_pandas() if isinstance(frame, nw.DataFrame) else costs


def _of_labelled_array(costs: Any) -> Any:
    """Return a labelled array as a mapping from names of costs to labelled columns; anything else as it is."""
    if not isinstance(getattr(costs, "dims", None), tuple) or getattr(costs, "ndim", 0) not in (1, 2):
        return costs
    if costs.ndim == 1:
        name = getattr(costs, "name", None)
        return {"cost_1" if name is None else str(name): costs}
    titles = axis_labels(costs, 1) or [f"cost_{j + 1}" for j in range(costs.shape[1])]
    _refuse_index([str(title) for title in titles])
    labels = check_names("costs", [str(title) for title in titles], length=costs.shape[1], stem="cost")
    return {label: costs[:, j] for j, label in enumerate(labels)}


def _refuse_index(columns: list[str]) -> None:
    index = [name for name in columns if is_index(name)]
    if index:
        raise InvalidInputError(
            f"`costs` must hold costs only, got the column {index[0]!r}, which looks like an index: drop it, or name it "
            f"'model' where it holds the models."
        )


def refuse_bools(costs: Any, where: str = "") -> None:
    """Refuse truth values among known costs: they are no amounts, and may have been meant as flags."""
    if isinstance(costs, list | tuple) or getattr(getattr(costs, "dtype", None), "kind", "") == "O":
        try:
            entries = np.asarray(costs, dtype=object).ravel().tolist()
        except ValueError:
            # Ragged: refused where the numbers are read.
            return
        found = any(isinstance(entry, bool | np.bool_) for entry in entries)
    else:
        found = numbers_in("costs", costs).dtype == np.bool_
    if found:
        raise InvalidInputError(f"`costs` must be numbers{where}, got bools: give 0 and 1 where these are amounts.")


def tell_left_out(labels: Sequence[str], names: tuple[str, ...]) -> None:
    """Warn of costs that no model has: a name may be misspelled."""
    known = set(names)
    others = [label for label in labels if label not in known]
    if others:
        warnings.warn(
            f"costs of {few(others)} are left out: the losses have no such models.", DataWarning, stacklevel=3
        )


def _cost_column(key: object, value: Any, names: tuple[str, ...]) -> FloatArray:
    labels = _labels_of_models(value, names)
    if labels is not None:
        if len(set(labels)) < len(labels):
            raise InvalidInputError(f"`costs` must label each model once in {key!r}, got {few(sorted(labels))}.")
        entries = list(value.values()) if isinstance(value, Mapping) else labels_in("costs", value).tolist()
        value = dict(zip(labels, entries, strict=True))
        missing = [name for name in names if name not in value]
        if missing:
            raise InvalidInputError(f"`costs` must hold {key!r} for every model, got none for {few(missing)}.")
        tell_left_out(labels, names)
        value = [value[name] for name in names]
    refuse_bools(value, f" in {key!r}")
    column = real_array("costs", value, shape=f"({len(names)},) in {key!r}", min_ndim=1, max_ndim=1)
    if column.shape[0] != len(names):
        raise InvalidInputError(
            f"`costs` must have one value for each of {len(names)} models in {key!r}, got {column.shape[0]}."
        )
    return column


def _labels_of_models(value: Any, names: tuple[str, ...]) -> list[str] | None:
    """Return the labels of one value per model; None without any, or if they number other models than those named."""
    if not has_labels(value) or getattr(value, "ndim", 1) != 1:
        return None
    labels = labels_among(value, names)
    if labels is None and not isinstance(value, Mapping):
        # Numbered from 0, but not as many as there are models: these may be names of more models.
        size = len(value)
        labels = None if size == len(names) else [str(place) for place in range(size)]
    if labels is not None and hasattr(value, "index") and not callable(value.index):
        numbered = _is_numbered(value.index, len(names)) and not set(labels) <= set(names)
        return None if numbered else labels
    return labels


def _is_numbered(index: Any, n_models: int) -> bool:
    """Return whether labels only number the models, so that their order is all that they say."""
    return list(index) == list(range(n_models))


def read_ranges(
    loss_range: Any, objectives: Sequence[str], *, unbounded: Collection[str] = ()
) -> tuple[FloatArray, FloatArray]:
    """Return the low and the high end of the losses of each estimated objective.

    Ends may be infinite for those that are `unbounded`.

    Raises
    ------
    InvalidInputError
        If the argument is not a pair of finite ends, low < high, each one number or one per objective.
    """
    n = len(objectives)
    rule = "`loss_range` must be a pair (low, high), each one number or one per objective"
    if isinstance(loss_range, str | bytes | set | frozenset | Mapping):
        raise InvalidInputError(f"{rule}, got {loss_range!r}.")
    try:
        low, high = loss_range
        if any(isinstance(entry, str | bytes) for end in (low, high) for entry in np.asarray(end, dtype=object).flat):
            raise InvalidInputError(f"{rule}, got the text in {loss_range!r}.")
        ends = [np.asarray(end, dtype=np.float64) for end in (low, high)]
        low, high = (np.broadcast_to(end, (n,)).copy() for end in ends)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{rule}, got {loss_range!r}.") from None
    free = set(unbounded)
    open_ = np.array([name in free for name in objectives], dtype=np.bool_)
    open_ &= np.isinf(low) | np.isinf(high)
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = np.flatnonzero(~((np.isfinite(high - low) | open_) & (low < high)))
    if wrong.size:
        first = int(wrong[0])
        remedy = f": {ALTERNATIVES}" if np.isinf([low[first], high[first]]).any() else ""
        raise InvalidInputError(
            f"`loss_range` must have ends a finite distance apart with low < high, got {low[first]:g} and {high[first]:g} "
            f"for objective {quoted(objectives[first])}{remedy}."
        )
    return low, high


def read_maximise(
    maximise: Maximise | Sequence[str], estimated: Sequence[str], costs: Sequence[str]
) -> tuple[bool, ...]:
    """Return one bool per objective, from bools or names; one per estimated objective leaves the costs minimised."""
    names = (*estimated, *costs)
    n = len(names)
    if not isinstance(maximise, Mapping) and has_labels(maximise):
        entries = labels_in("maximise", maximise).tolist()
        labels = labels_among(maximise, names)
        if isinstance(entries, list) and entries and all(isinstance(entry, str) for entry in entries):
            # A Series of names, whatever its index.
            maximise = entries
        elif labels is not None:
            # A Series names its objectives.
            if len(set(labels)) < len(labels):
                raise InvalidInputError(f"`maximise` must label each objective once, got {few(sorted(labels))}.")
            maximise = dict(zip(labels, entries, strict=True))  # type: ignore[assignment]
    if isinstance(maximise, Mapping):
        known = set(names)
        unknown = [name for name in maximise if name not in known]
        if unknown or not all(isinstance(flag, bool | np.bool_) for flag in maximise.values()):
            raise InvalidInputError(f"`maximise` must map names of objectives to bools, got {dict(maximise)!r}.")
        return tuple(bool(maximise.get(name, False)) for name in names)
    if isinstance(maximise, Sequence) and not isinstance(maximise, str):
        places = places_of(names)
        wanted = {check_choice("maximise", name, places): None for name in maximise if isinstance(name, str)}
        if all(isinstance(name, str) for name in maximise):
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
    if axis_labels(epsilon) is not None:
        raise InvalidInputError(
            "`epsilon` must be in the order of the objectives, got labels, which are not matched: give an array."
        )
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
