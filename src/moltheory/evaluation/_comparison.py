"""What `certify` compares: the columns and objectives that its arguments and the losses define."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._places import places_of
from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray, check_choice, check_count, check_names
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import read_maximise, read_names, read_ranges
from moltheory.evaluation._blocks import (
    ReadColumns,
    array_columns,
    cell_columns,
    cluster_codes,
    kept_in_memory,
    source_columns,
)
from moltheory.evaluation._fingerprint import Fingerprint
from moltheory.evaluation._memory import read_loss_array
from moltheory.evaluation._objectives import (
    NamedMeasures,
    Objective,
    cost_objectives,
    measure_columns,
    ranges_of_measures,
    read_measures,
    shape_of,
)
from moltheory.evaluation._own_names import check_order, refuse_set, selected
from moltheory.evaluation._requests import ALTERNATIVES, NoRangeError
from moltheory.evaluation._scan import Scan
from moltheory.evaluation._table import LossTable

__all__ = ["CLUSTER_WEIGHTS", "Comparison", "read_comparison"]

CLUSTER_WEIGHTS = ("size", "equal")


@dataclass(frozen=True)
class Comparison:
    """Models, objectives with their directions, and the columns of which these are made, not yet read.

    Attributes
    ----------
    model_names : tuple of str
    objectives : tuple of Objective
    maximise : tuple of bool
        One per objective.
    clustered : bool
        Whether clusters are given.
    codes : (n,) ndarray or None
        Of measures: the cluster of each example.
    """

    model_names: tuple[str, ...]
    objectives: tuple[Objective, ...]
    maximise: tuple[bool, ...]
    clustered: bool
    _read: ReadColumns
    _columns: tuple[str, ...]
    _low: FloatArray
    _high: FloatArray
    _paired: tuple[bool, ...]
    codes: npt.NDArray[np.intp] | None = None

    @property
    def read(self) -> ReadColumns:
        """What returns the blocks of all columns."""
        return self._read

    def with_reader(self, read: ReadColumns) -> Comparison:
        """Return this comparison of losses that are read elsewhere."""
        return replace(self, _read=read)

    @property
    def data_dependent(self) -> npt.NDArray[np.bool_]:
        """Whether each objective is estimated, from losses or as a measured cost, (m,)."""
        return np.array([objective.values is None for objective in self.objectives])

    @property
    def of_losses(self) -> npt.NDArray[np.bool_]:
        """Whether each objective is estimated from the losses, (m,)."""
        return np.array([objective.of_losses for objective in self.objectives])

    def scan(
        self,
        largest_cluster: int | None,
        cluster_weights: str,
        *,
        unbounded: bool = False,
        earlier: Fingerprint = (),
    ) -> Scan:
        """Return the scan of the losses, which are read once and checked.

        Raises
        ------
        InvalidInputError
            If a range of losses has an infinite end (unless `unbounded`), a loss is outside its range, a cluster is
            larger than stated, or a model was never evaluated.
        """
        if not unbounded:
            _refuse_infinite(self.objectives)
        scan = Scan(
            self._read,
            model_names=self.model_names,
            column_names=self._columns,
            low=self._low,
            high=self._high,
            largest_cluster=largest_cluster,
            averaged=cluster_weights == "equal",
            paired=self._paired,
            earlier=earlier,
        )
        alone = [column.name for column in scan.columns if column.clustered and not column.paired]
        alone += [o.name for o in self.objectives if o.tail is not None and self.clustered]
        if alone:
            raise InvalidInputError(
                f"`clusters` must be None for conditions that depend on the model and for tails, got clusters for "
                f"{alone[0]!r}: certify means over clusters, or one example of each cluster."
            )
        _check_tails(self.objectives)
        return scan


def read_comparison(
    losses: Any,
    *,
    costs: Any = None,
    objectives: Any = None,
    names: Any = None,
    loss_range: Any = None,
    maximise: Any = None,
    clusters: Any = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
) -> Comparison:
    """Return what is compared, from checked arguments of `certify`; what is None is taken from the losses.

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.
    """
    check_choice("cluster_weights", cluster_weights, CLUSTER_WEIGHTS)
    if largest_cluster is not None:
        check_count("largest_cluster", largest_cluster)
    is_source = callable(getattr(losses, "blocks", None)) and not isinstance(losses, type)
    refuse_set("objectives", objectives)
    # A source without `has_clusters` may have some.
    if clusters is None and not (is_source and getattr(losses, "has_clusters", True)):
        _refuse_sizes(largest_cluster, cluster_weights)
    if is_source:
        _check_names_of(losses)
        check_order("names", names, losses.model_names, of="losses")
        losses, objectives = _selected(losses, objectives)
        measures = getattr(losses, "measures", None)
        costs = _known_costs(losses) if costs is None else costs
        names = losses.model_names if names is None else names
        maximise = getattr(losses, "maximise", None) if maximise is None else maximise
        loss_range = getattr(losses, "loss_range", None) if loss_range is None else loss_range
        if measures:
            clusters = getattr(losses, "clusters", None) if clusters is None else clusters
            losses, objectives = None, _renamed(measures, objectives)
    maximise = False if maximise is None else maximise
    named = read_measures(objectives)
    if named is not None:
        if losses is not None:
            raise InvalidInputError(
                "`losses` must be None where `objectives` are measures, which hold their own losses."
            )
        return _of_measures(named, costs, names, loss_range, maximise, clusters)
    if is_source and losses is not None:
        return _of_source(losses, costs, objectives, names, loss_range, maximise, clusters)
    table, default_names, _, titles, rows = read_loss_array(losses)
    check_order("names", names, default_names, of="losses")
    chosen = None if titles is None else selected(objectives, titles)
    if titles is not None and chosen is not None:
        places = places_of(titles)
        table, titles, objectives = table[:, :, [places[name] for name in chosen]], chosen, None
    codes = cluster_codes(clusters, table.shape[0], rows)
    return _of_columns(
        lambda: array_columns(table, codes),
        table.shape[1:],
        costs,
        titles if objectives is None else objectives,
        read_names(names, default_names, _at_least_two(table.shape[1])),
        loss_range,
        maximise,
        clusters is not None,
    )


def _selected(source: Any, objectives: Any) -> tuple[Any, Any]:
    """Return a source with those of its objectives that are named, in this order; other names are new ones."""
    if read_measures(objectives) is not None:
        return source, objectives
    own = tuple(getattr(source, "measures", None) or source.objective_names)
    chosen = selected(objectives, own)
    if chosen is None:
        return source, objectives
    if not callable(getattr(source, "select", None)):
        raise InvalidInputError(
            f"`objectives` must not reorder the objectives of a source that cannot select, got {chosen!r} for {list(own)}."
        )
    return source.select(chosen), None


def _of_source(
    source: Any, costs: Any, objectives: Any, names: Any, loss_range: Any, maximise: Any, clusters: Any
) -> Comparison:
    """Of a source of blocks, whose clusters come with the blocks unless it holds all losses in memory."""
    shape = (_at_least_two(len(source.model_names)), len(source.objective_names))
    in_memory = _array_of(source)
    if clusters is not None and in_memory is None:
        raise InvalidInputError("`clusters` must come with the blocks of a source of losses, got them apart.")
    clustered = clusters is not None or bool(getattr(source, "has_clusters", False))
    read: ReadColumns
    if in_memory is None:
        read = kept_in_memory(lambda: source_columns(source))
    else:
        codes = cluster_codes(
            source.clusters if clusters is None else clusters, in_memory.shape[0], source.example_rows
        )
        read = functools.partial(array_columns, in_memory, codes)
    titles = source.objective_names if objectives is None else objectives
    model_names = read_names(names, None, shape[0])
    return _of_columns(read, shape, costs, titles, model_names, loss_range, maximise, clustered)


def _check_names_of(source: Any) -> None:
    """Refuse a source whose names cannot be counted."""
    for attribute in ("model_names", "objective_names"):
        names = getattr(source, attribute, None)
        if isinstance(names, str) or not hasattr(names, "__len__"):
            raise InvalidInputError(
                f"`losses` must have {attribute} in a sequence, got {type(names).__name__}; "
                "`moltheory.testing.check_source` says what a source needs."
            )


def _array_of(source: Any) -> npt.NDArray[Any] | None:
    """Return the losses that a table holds, unless a subclass reads others."""
    kind = type(source)
    if isinstance(source, LossTable) and kind.blocks is LossTable.blocks and kind.losses is LossTable.losses:
        return source.in_memory
    return None


def _renamed(measures: NamedMeasures, objectives: Any) -> Any:
    """Return the measures of a table, under other names where `objectives` gives such."""
    if objectives is None or read_measures(objectives) is not None:
        return measures if objectives is None else objectives
    names = (objectives,) if isinstance(objectives, str) else objectives
    titles = check_names("objectives", names, length=len(measures), stem="objective")
    return dict(zip(titles, measures.values(), strict=True))


def _of_columns(
    read: ReadColumns,
    shape: tuple[int, ...],
    costs: Any,
    objectives: Any,
    model_names: tuple[str, ...],
    loss_range: Any,
    maximise: Any,
    clustered: bool,
) -> Comparison:
    """Of losses in columns, one per objective."""
    if isinstance(objectives, str):
        objectives = (objectives,)
    titles = check_names("objectives", objectives, length=shape[1], stem="objective")
    low, high = read_ranges((0.0, 1.0) if loss_range is None else loss_range, titles, unbounded=titles)
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    entries = [Objective(name, (i,), None, True, loss_range=ends[i]) for i, name in enumerate(titles)]
    flags, known = _with_costs(costs, model_names, titles, maximise)
    paired = (True,) * len(titles)
    return Comparison(model_names, (*entries, *known), flags, clustered, read, titles, low, high, paired)


def _of_measures(
    measures: NamedMeasures, costs: Any, names: Any, loss_range: Any, maximise: Any, clusters: Any
) -> Comparison:
    """Of measures, which hold their own losses; each of their cells is a column."""
    n, n_models = shape_of(measures)
    _at_least_two(n_models)
    codes = cluster_codes(clusters, n)
    low, high = ranges_of_measures(measures, loss_range)
    model_names = read_names(names, None, n_models)
    columns, entries = measure_columns(measures, low, high, n_models)
    flags, known = _with_costs(costs, model_names, tuple(measures), maximise)
    return Comparison(
        model_names,
        (*entries, *known),
        flags,
        clusters is not None,
        lambda: cell_columns(columns.cells, codes) if columns.cells else iter(()),
        columns.names,
        columns.low,
        columns.high,
        tuple(not cell.depends_on_model for cell in columns.cells),
        codes,
    )


def _with_costs(
    costs: Any, model_names: tuple[str, ...], titles: Sequence[str], maximise: Any
) -> tuple[tuple[bool, ...], list[Objective]]:
    """Return the directions of all objectives, and the costs as objectives."""
    found = cost_objectives(costs, model_names)
    names = tuple(cost.name for cost in found)
    both = [name for name in names if name in titles]
    if both:
        raise InvalidInputError(f"`costs` must have names that no objective has, got {both[0]!r} twice.")
    return read_maximise(maximise, titles, names), found


def _known_costs(source: Any) -> Any:
    costs, names = getattr(source, "costs", None), getattr(source, "cost_names", None)
    if not isinstance(costs, np.ndarray) or not names:
        return costs
    if costs.ndim != 2 or costs.shape[1] != len(names):
        raise InvalidInputError(f"`losses` must have costs (M, {len(names)}), as cost_names, got shape {costs.shape}.")
    return {name: costs[:, j] for j, name in enumerate(names)}


def _refuse_infinite(objectives: Sequence[Objective]) -> None:
    for objective in objectives:
        low, high = objective.loss_range
        if objective.columns and not np.isfinite([low, high]).all():
            raise NoRangeError(
                f"`loss_range` must have finite ends where confidence is exact, got {low:g} and {high:g} for objective "
                f"{quoted(objective.name)}",
                ALTERNATIVES,
                objective=objective.name,
                infinite=True,
            )


def _check_tails(objectives: Sequence[Objective]) -> None:
    for objective in objectives:
        if objective.tail is None:
            continue
        (low, high), losses = objective.loss_range, objective.tail.losses
        least, largest = np.nanmin(losses), np.nanmax(losses)
        if least < low or largest > high:
            found = float(least if least < low else largest)
            raise InvalidInputError(
                f"`losses` must lie in `loss_range` [{low:g}, {high:g}] in objective {quoted(objective.name)}, "
                f"got {found:g}: "
                f"state the range of all possible losses; {ALTERNATIVES}."
            )


def _refuse_sizes(largest_cluster: int | None, cluster_weights: str) -> None:
    remedy = "state which examples belong together"
    if largest_cluster is not None:
        raise InvalidInputError(
            f"`largest_cluster` must come with `clusters`, got {largest_cluster} and none: {remedy}."
        )
    if cluster_weights != "size":
        raise InvalidInputError(
            f"`cluster_weights` must come with `clusters`, got {cluster_weights!r} and none: {remedy}."
        )


def _at_least_two(n_models: int) -> int:
    if n_models < 2:
        raise InvalidInputError(f"`losses` must hold at least two models to compare, got {n_models}.")
    return n_models
