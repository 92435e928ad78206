"""From the arguments of `certify` to a checked problem: an evaluation in columns, and objectives made of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, Maximise, as_floats, check_choice, check_count, check_names
from moltheory.certification._arguments import read_costs, read_epsilon, read_maximise, read_names, read_ranges
from moltheory.certification._inputs import Evaluation
from moltheory.errors import InvalidInputError
from moltheory.evaluation._blocks import ArrayRows, CellRows, RowSource, SourceRows, cluster_codes
from moltheory.objectives import Cell, Gap, Known, Measure, Worst

__all__ = ["CLUSTER_WEIGHTS", "Objective", "Problem", "read_problem"]

CLUSTER_WEIGHTS = ("size", "equal")


@dataclass(frozen=True)
class Objective:
    """One objective: its columns, and the measure they enter.

    Attributes
    ----------
    name : str
    columns : tuple of int
        Empty for known values.
    measure : Measure or None
        None for the mean of one column, and for known costs.
    testable : bool
        Better in every column means better in the measure, so that paired tests apply.
    values : (M,) ndarray or None
        Known values.
    """

    name: str
    columns: tuple[int, ...]
    measure: Measure | None
    testable: bool
    values: FloatArray | None = None


@dataclass(frozen=True)
class Problem:
    """Everything that `certify` was given, checked.

    `sizes_stated` says that the largest cluster was stated and not read off the data.
    """

    evaluation: Evaluation
    objectives: tuple[Objective, ...]
    maximise: tuple[bool, ...]
    epsilon: FloatArray
    clustered: bool
    sizes_stated: bool

    @property
    def data_dependent(self) -> npt.NDArray[np.bool_]:
        """Which objectives are estimated, (m,)."""
        return np.array([objective.values is None for objective in self.objectives])


def read_problem(
    losses: Any,
    *,
    costs: Any,
    objectives: Any,
    names: Any,
    loss_range: Any,
    maximise: Maximise | Sequence[str],
    epsilon: npt.ArrayLike,
    clusters: Any,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
) -> Problem:
    """Check all arguments but delta and method.

    Raises
    ------
    InvalidInputError
        If one of them breaks its rule.
    """
    check_choice("cluster_weights", cluster_weights, CLUSTER_WEIGHTS)
    if largest_cluster is not None:
        check_count("largest_cluster", largest_cluster)
    sizes: dict[str, Any] = {"largest_cluster": largest_cluster, "averaged": cluster_weights == "equal"}
    # A source that does not say whether it has clusters may have some.
    if clusters is None and not (callable(getattr(losses, "blocks", None)) and getattr(losses, "has_clusters", True)):
        _refuse_sizes(largest_cluster, cluster_weights)
    measures = _measures(objectives)
    if measures is not None:
        return _from_measures(losses, measures, costs, names, loss_range, maximise, epsilon, clusters, sizes)
    default_names = default_objectives = None
    if callable(getattr(losses, "blocks", None)):
        if clusters is not None:
            raise InvalidInputError("`clusters` must come with the blocks of a source of losses, got them apart.")
        source: RowSource = SourceRows(losses)
        default_names, default_objectives = losses.model_names, losses.objective_names
        clustered = bool(getattr(losses, "has_clusters", False))
    else:
        default_names = getattr(losses, "columns", None)
        table = _table(losses)
        codes = cluster_codes(clusters, table.shape[0])
        source, clustered = ArrayRows(table, codes), clusters is not None
    _refuse_one(source.n_models)
    model_names = read_names(names, default_names, source.n_models)
    if objectives is None and default_objectives is not None:
        objectives = default_objectives
    if isinstance(objectives, str):
        objectives = (objectives,)
    titles = check_names("objectives", objectives, length=source.n_columns, stem="objective")
    low, high = read_ranges(loss_range, titles)
    known, cost_names = read_costs(costs, model_names)
    _refuse_clash(titles, cost_names)
    entries = [Objective(name, (i,), None, True) for i, name in enumerate(titles)]
    entries += [Objective(name, (), None, False, known[:, j]) for j, name in enumerate(cost_names)]
    flags = read_maximise(maximise, titles, cost_names)
    estimated = np.array([entry.values is None for entry in entries])
    slack = read_epsilon(epsilon, estimated)
    evaluation = Evaluation(source, model_names=model_names, column_names=titles, low=low, high=high, **sizes)
    return Problem(evaluation, tuple(entries), flags, slack, clustered, largest_cluster is not None)


def _from_measures(
    losses: Any,
    measures: dict[str, Measure],
    costs: Any,
    names: Any,
    loss_range: Any,
    maximise: Maximise | Sequence[str],
    epsilon: npt.ArrayLike,
    clusters: Any,
    sizes: dict[str, Any],
) -> Problem:
    if losses is not None:
        raise InvalidInputError("`losses` must be None where `objectives` are measures, which hold their own losses.")
    estimated = {name: measure for name, measure in measures.items() if measure.data_dependent}
    shapes = {cell.losses.shape for measure in estimated.values() for cell in measure.cells}
    if not shapes:
        raise InvalidInputError("`objectives` must hold a measure estimated from data, got known values only.")
    if len(shapes) > 1:
        raise InvalidInputError(f"`objectives` must be measures of equal shape (n, M), got {sorted(shapes)}.")
    n, n_models = shapes.pop()
    _refuse_one(n_models)
    codes = cluster_codes(clusters, n)
    low, high = read_ranges(loss_range, tuple(estimated))
    model_names = read_names(names, None, n_models)
    known, cost_names = read_costs(costs, model_names)
    _refuse_clash(tuple(measures), cost_names)
    entries: list[Objective] = []
    # A cell that several measures share is one column: it is estimated once, and takes one share of delta.
    columns: dict[tuple[int, float, float], tuple[Cell, str]] = {}
    for name, measure in measures.items():
        if isinstance(measure, Known):
            if measure.values.shape != (n_models,):
                raise InvalidInputError(
                    f"`objectives` must hold one known value per model in {name!r}, got {measure.values.shape[0]}."
                )
            entries.append(Objective(name, (), None, False, measure.values))
            continue
        place = list(estimated).index(name)
        own = []
        for number, cell in enumerate(measure.cells):
            key = (id(cell), float(low[place]), float(high[place]))
            columns.setdefault(key, (cell, name if len(measure.cells) == 1 else f"{name}, part {number + 1}"))
            own.append(list(columns).index(key))
        entries.append(Objective(name, tuple(own), measure, _increasing(measure)))
    entries += [Objective(name, (), None, False, known[:, j]) for j, name in enumerate(cost_names)]
    flags = read_maximise(maximise, tuple(measures), cost_names)
    slack = read_epsilon(epsilon, np.array([entry.values is None for entry in entries]))
    evaluation = Evaluation(
        CellRows([(cell.losses, cell.where) for cell, _ in columns.values()], codes),
        model_names=model_names,
        column_names=[label for _, label in columns.values()],
        low=np.array([bottom for _, bottom, _ in columns]),
        high=np.array([top for _, _, top in columns]),
        **sizes,
    )
    stated = sizes["largest_cluster"] is not None
    return Problem(evaluation, tuple(entries), flags, slack, clusters is not None, stated)


def _measures(objectives: Any) -> dict[str, Measure] | None:
    """Return named measures, or None where `objectives` are names."""
    if isinstance(objectives, Mapping):
        wrong = [name for name, measure in objectives.items() if not isinstance(measure, Measure)]
        if wrong or not objectives:
            found = "none" if not objectives else f"{type(objectives[wrong[0]]).__name__} for {wrong[0]!r}"
            raise InvalidInputError(f"`objectives` must map names to measures, got {found}.")
        names = check_names("objectives", objectives, length=len(objectives), stem="objective")
        return dict(zip(names, objectives.values(), strict=True))
    if isinstance(objectives, Measure):
        objectives = [objectives]
    if not isinstance(objectives, Sequence) or not any(isinstance(entry, Measure) for entry in objectives):
        return None
    if not all(isinstance(entry, Measure) for entry in objectives):
        raise InvalidInputError("`objectives` must be all names or all measures, got some of each.")
    return {f"objective_{i + 1}": measure for i, measure in enumerate(objectives)}


def _increasing(measure: Measure) -> bool:
    """Whether strictly better in every cell means strictly better in the measure: rates and the worst of rates."""
    if isinstance(measure, Worst):
        return all(_increasing(part) for part in measure.parts)
    return len(measure.cells) == 1 and not isinstance(measure, Gap)


def _table(losses: Any) -> npt.NDArray[Any]:
    """Return losses as a real array (n, M, N), without a copy where possible."""
    shape = "(n, M) or (n, M, N)"
    if isinstance(losses, (str, PathLike)):
        raise InvalidInputError(
            f"`losses` must be an array or a source of losses, got {str(losses)!r}: a file becomes one by "
            "`moltheory.certification.open_losses`."
        )
    try:
        table = np.asarray(losses)
        if table.dtype == object or (table.dtype.kind == "f" and table.dtype.itemsize > 8):
            table = as_floats("losses", table)
    except InvalidInputError:
        raise
    except (TypeError, ValueError):
        raise InvalidInputError(f"`losses` must be real numbers of shape {shape}, got something else.") from None
    if table.dtype.kind not in "biuf":
        raise InvalidInputError(f"`losses` must be real numbers, got dtype {table.dtype}.")
    if table.ndim not in (2, 3):
        raise InvalidInputError(f"`losses` must have shape {shape}, got shape {table.shape}.")
    if table.size == 0:
        raise InvalidInputError(f"`losses` must not be empty, got shape {table.shape}.")
    return table[:, :, None] if table.ndim == 2 else table


def _refuse_sizes(largest_cluster: int | None, cluster_weights: str) -> None:
    if largest_cluster is not None:
        raise InvalidInputError(
            f"`largest_cluster` must come with `clusters`, got {largest_cluster} and none: say which examples belong "
            "together."
        )
    if cluster_weights != "size":
        raise InvalidInputError(
            f"`cluster_weights` must come with `clusters`, got {cluster_weights!r} and none: say which examples belong "
            "together."
        )


def _refuse_one(n_models: int) -> None:
    if n_models < 2:
        raise InvalidInputError(f"`losses` must hold at least two models to compare, got {n_models}.")


def _refuse_clash(titles: Sequence[str], cost_names: Sequence[str]) -> None:
    both = [name for name in cost_names if name in titles]
    if both:
        raise InvalidInputError(f"`costs` must have names that no objective has, got {both[0]!r} twice.")
