"""`LossTable`: per-example losses of models, with all that is known about them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._labels import Rows, aligned_labels, column_labels, has_labels
from moltheory._core._places import places_of
from moltheory._core._validation import (
    FloatArray,
    Maximise,
    as_readonly,
    check_names,
    real_array,
)
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arguments import known_costs, read_maximise, read_names, read_ranges, refuse_bools
from moltheory.evaluation._cards import table_card, table_line
from moltheory.evaluation._memory import LossArray, read_loss_array
from moltheory.evaluation._objectives import ranges_of_measures, read_measures, shape_of
from moltheory.evaluation._own_names import check_order
from moltheory.evaluation._source import Block, LossRange, LossSource, check_objectives, check_ranges
from moltheory.evaluation._tails import Tail
from moltheory.objectives import Measure

if TYPE_CHECKING:
    from moltheory.certification import Certificate

__all__ = ["LossTable"]


@document
class LossTable(LossSource):
    """Losses of M models on n examples for N objectives, with names, directions, ranges, clusters and costs; read-only.

    The losses are held in memory, or read from a file block by block (`open_losses`). `certify` accepts the table
    without repeating what it contains.

    Parameters
    ----------
    losses : (n, M, N) or (n, M) array_like, DataFrame, mapping of model to losses, or LossSource
        Finite, or NaN where a model was not evaluated. Columns of a frame and keys of a mapping name the models, an
        index names the examples. The type is kept: bools, and integers 0 and 1, are certified as
        0/1 losses, floats as losses with any value in their range.
    model_names, objective_names : iterable of str, optional
        M and N distinct names; by default those of the source, or numbered ones.
    examples : iterable of str, optional
        Names of the n examples.
    measures : mapping of str to Measure or Tail, optional
        Objectives to certify instead of the means of the losses, such as rates within groups, over the same n examples
        and M models.
    {dependent_examples}
        A source brings its own. Bounds on their sizes, and their weights, are arguments of `certify`
        (`largest_cluster`, `cluster_weights`).
    costs : (M, k) array_like, mapping, Series or DataFrame, optional
        Costs known exactly; labels of models are matched.
    cost_names : iterable of str, optional
        Names of the costs.
    maximise : bool, sequence of bool or of str, or mapping of str to bool, optional
        Which objectives (or measures) are better when larger; none by default. Costs are minimised.
    {possible_losses}

    Attributes
    ----------
    losses : (n, M, N) ndarray
        All losses; those of a file are read when accessed.
    model_names, objective_names, examples, measures, clusters, costs, cost_names, maximise
        As given; clusters with names are numbered.
    loss_range : pair of (N,) ndarray
        Ends of the ranges of the estimated objectives.
    has_clusters : bool

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name occurs twice, or a loss or cost is infinite.

    Notes
    -----
    Complexity: O(n M N) time and memory; O(M N) and a block for losses of a file.

    Examples
    --------
    >>> table = LossTable(np.zeros((50, 2, 1), bool), ["a", "b"], ["error"], costs=[[1.0], [2.0]], cost_names=["size"])
    >>> table
    LossTable(2 models, 50 examples: error, size)
    >>> table.certify(delta=0.1).objectives
    ('error', 'size')
    """

    name = "evaluated models"

    def __init__(
        self,
        losses: npt.ArrayLike | LossSource,
        model_names: Iterable[str] | None = None,
        objective_names: Iterable[str] | None = None,
        *,
        examples: Iterable[str] | None = None,
        measures: Mapping[str, Measure | Tail] | None = None,
        clusters: npt.ArrayLike | None = None,
        costs: npt.ArrayLike | None = None,
        cost_names: Iterable[str] | None = None,
        maximise: Maximise | Sequence[str] | Mapping[str, bool] | None = None,
        loss_range: LossRange | None = None,
    ) -> None:
        #: Whether somebody said which objectives are maximised: names are not looked at then.
        self.directions_stated = maximise is not None
        self._source: LossSource | None = None
        rows: Rows | None = None
        self.in_memory: npt.NDArray[Any] | None = None
        if isinstance(losses, LossSource):
            if clusters is not None or examples is not None:
                raise InvalidInputError("`clusters` must come with the blocks of a source of losses, got them apart.")
            self._source, self.name = losses, losses.name
            self.objectives_are_named = losses.objectives_are_named or objective_names is not None
            check_order("model_names", model_names, losses.model_names, of="losses")
            check_order("objective_names", objective_names, losses.objective_names, of="losses")
            model_names = losses.model_names if model_names is None else model_names
            objective_names = losses.objective_names if objective_names is None else objective_names
            # What the source knows stays known.
            brought = {name: getattr(losses, name, None) for name in ("measures", "costs", "maximise", "loss_range")}
            measures = brought["measures"] if measures is None else measures
            if costs is None:
                costs, cost_names = brought["costs"], getattr(losses, "cost_names", None)
            if maximise is None:
                maximise = brought["maximise"]
                self.directions_stated = bool(getattr(losses, "directions_stated", maximise is not None))
            loss_range = brought["loss_range"] if loss_range is None else loss_range
            shape: tuple[int | None, int, int] = (None, len(losses.model_names), len(losses.objective_names))
        else:
            found = _read_losses(losses)
            self.in_memory = as_readonly(found.losses)
            shape = self.in_memory.shape
            rows = found.rows
            check_order("model_names", model_names, found.models, of="losses")
            check_order("objective_names", objective_names, found.objectives, of="losses")
            objective_names = found.objectives if objective_names is None else objective_names
            if model_names is None and found.models is not None:
                model_names = read_names(None, found.models, shape[1])
            if examples is None and isinstance(rows, list) and len({str(label) for label in rows}) == len(rows):
                examples = [str(label) for label in rows]
        n, m, k = shape
        self.model_names = check_names("model_names", model_names, length=m, stem="model")
        self.objective_names = check_names("objective_names", objective_names, length=k, stem="objective")
        self.examples = (
            None if examples is None or n is None else check_names("examples", examples, length=n, stem="example")
        )
        rows = list(self.examples) if not isinstance(rows, list) and self.examples is not None else rows
        #: Labels of the examples, or a range where an index only numbers them.
        self.example_rows = rows if self.examples is None else list(self.examples)
        self.clusters = None if clusters is None or n is None else _check_clusters(clusters, n, rows)
        self.has_clusters = self._source.has_clusters if self._source else self.clusters is not None
        self.measures = None if measures is None else _check_measures(measures, n, m, split=self._is_split())
        values, names = _check_costs(costs, cost_names, self.model_names)
        self.costs, self.cost_names = values, names
        titles = self.objective_names if self.measures is None else tuple(self.measures)
        self.maximise = read_maximise(False if maximise is None else _flags(maximise), titles, ())
        self.loss_range = _check_range(loss_range, self._estimated(), self.measures)

    def _is_split(self) -> bool:
        """Whether the examples of clusters come in blocks, apart from the table."""
        return self._source is not None and self.has_clusters

    def _estimated(self) -> tuple[str, ...]:
        """Names of the objectives that are estimated, which have a range."""
        if self.measures is None:
            return self.objective_names
        return tuple(name for name, entry in self.measures.items() if entry.cells)

    def select(self, objectives: Sequence[str]) -> LossTable:
        """Return the same table with some of its objectives, in the given order, and all that is known about them.

        Raises
        ------
        InvalidInputError
            If a name is unknown or given twice.
        """
        known = self.objective_names if self.measures is None else tuple(self.measures)
        chosen = check_objectives(objectives, known)
        places = [*map(places_of(known).__getitem__, chosen)]
        found = copy.copy(self)
        if self.measures is not None:
            found.measures = {name: self.measures[name] for name in chosen}
        else:
            found.objective_names = chosen
            if self.in_memory is not None:
                found.in_memory = as_readonly(self.in_memory[:, :, places])
            elif self._source is not None:
                found._source = self._source.select([self._source.objective_names[place] for place in places])
        found.maximise = tuple(self.maximise[place] for place in places)
        ranged = places_of(self._estimated())
        rows = [ranged[name] for name in chosen if name in ranged]
        found.loss_range = (as_readonly(self.loss_range[0][rows]), as_readonly(self.loss_range[1][rows]))
        return found

    def with_objectives(
        self,
        *,
        quantile: Mapping[str, float | Sequence[float]] | None = None,
        limit: Mapping[str, float | Sequence[float]] | None = None,
        cap: Mapping[str, float | Sequence[float]] | None = None,
    ) -> LossTable:
        """Return the same table with quantiles, shares above a limit or capped means in place of unbounded means.

        Each argument maps objectives, such as a latency, to a number or to several, fixed before the data. What is named
        in no argument stays a mean.

        Parameters
        ----------
        quantile : mapping of str to float or sequence of float, optional
            `Quantile` at this probability: ``{"seconds": 0.95}`` is the objective ``"seconds p95"``.
        limit : mapping of str to float or sequence of float, optional
            `ExceedanceRate`, the share of examples above this limit: ``{"seconds": 2}`` is ``"seconds above 2"``.
        cap : mapping of str to float or sequence of float, optional
            `CappedMean`, the mean of min(value, cap): ``{"seconds": 60}`` is ``"seconds capped at 60"``. The smallest
            possible value is the low end of `loss_range`, or 0.

        Returns
        -------
        LossTable
            Its losses are in memory.

        Raises
        ------
        InvalidInputError
            If an objective is unknown or maximised, none is named, a number breaks its rule, or the table has measures.

        Examples
        --------
        A model is faster in most requests and slower in the worst ones:

        >>> seconds = np.array([[0.4, 0.9], [7.0, 0.8], [0.5, 1.1]] * 100)
        >>> table = LossTable(seconds, ["a", "b"], ["seconds"])
        >>> table.with_objectives(quantile={"seconds": [0.5, 0.95]}, limit={"seconds": 2}).certify()
        Certificate at confidence 0.95 from 300 examples: 2 models, objectives seconds p50, seconds p95, seconds above 2
          on the front (2): a, b
          not on the front (0): none
          cannot tell yet (0): none
        """
        from moltheory.evaluation._request_table import request_measures

        measures, columns, losses, codes = request_measures(self, quantile or {}, limit or {}, cap or {})
        places = dict(zip(columns, map(places_of(self.objective_names).__getitem__, columns.values()), strict=True))
        # Objectives of their own keep the stated range; those made here have the range that they imply.
        stated = {
            name: (self.loss_range[0][place], self.loss_range[1][place])
            for name, place in places.items()
            if name == columns[name]
        }
        found = LossTable(
            losses,
            self.model_names,
            self.objective_names,
            examples=self.examples,
            measures=measures,
            clusters=codes,
            costs=self.costs,
            cost_names=self.cost_names or None,
            maximise={name: self.maximise[place] for name, place in places.items()},
            loss_range=stated,
        )
        found.directions_stated, found.notes = self.directions_stated, self.notes
        return found

    @property
    def losses(self) -> npt.NDArray[Any]:
        """All losses, (n, M, N)."""
        return np.concatenate([losses for losses, _ in self.blocks()]) if self.in_memory is None else self.in_memory

    def certify(self, **options: Any) -> Certificate:
        """Return the certificate of these models; see `moltheory.certify`.

        Parameters
        ----------
        **options
            Other arguments of `certify`: `delta`, `epsilon`, `method`, and so on. They replace what the table contains;
            ``costs=None`` leaves the costs out.

        Returns
        -------
        Certificate

        Examples
        --------
        >>> models = LossTable(np.zeros((50, 2, 1)), ["a", "b"], ["error"], costs=[[1.0], [2.0]])
        >>> models.certify(delta=0.1).names
        ('a', 'b')
        """
        from moltheory.certification import certify

        if "costs" in options and options["costs"] is None:
            bare = copy.copy(self)
            bare.costs, bare.cost_names = None, ()
            return certify(bare, **options)
        return certify(self, **options)

    def blocks(self) -> Iterator[Block]:
        """Yield the losses from the beginning, with the rows of each cluster together."""
        if self._source is not None:
            yield from self._source.blocks()
        elif self.clusters is None:
            yield self.losses, None
        else:
            order = np.argsort(self.clusters, kind="stable")
            yield self.losses[order], self.clusters[order]

    def _line(self) -> str:
        return table_line(self)

    def _card(self) -> Card:
        return table_card(self)


def _read_losses(losses: npt.ArrayLike) -> LossArray:
    found = read_loss_array(losses)
    if found.losses.dtype.kind == "f" and np.isinf(found.losses).any():
        raise InvalidInputError("`losses` must be finite, or NaN where not evaluated, got an infinity.")
    return found


def _check_clusters(clusters: npt.ArrayLike, n: int, examples: Rows | None) -> npt.NDArray[np.int64]:
    """Return integers as they are, and other labels numbered."""
    codes = aligned_labels("clusters", clusters, examples, n, of="losses")
    if codes.dtype.kind == "f" and (codes == np.rint(codes)).all():
        codes = codes.astype(np.int64)
    if codes.dtype.kind == "f":
        raise InvalidInputError(f"`clusters` must be {n} integers or names, got shape {codes.shape} of {codes.dtype}.")
    if codes.dtype.kind not in "iu":
        try:
            codes = np.unique(codes, return_inverse=True)[1]
        except TypeError:
            raise InvalidInputError("`clusters` must hold labels of one kind, got kinds that do not compare.") from None
    return as_readonly(codes.astype(np.int64))


def _check_measures(
    measures: Mapping[str, Measure | Tail], n: int | None, n_models: int, *, split: bool
) -> dict[str, Measure | Tail]:
    """Return measures of the table's examples and models; they hold losses of their own, without clusters in blocks."""
    found = read_measures(dict(measures))
    if found is None:
        raise InvalidInputError(f"`measures` must map names to measures, got {type(measures).__name__}.")
    rows, models = shape_of(found)
    if models != n_models or (n is not None and rows != n):
        raise InvalidInputError(
            f"`measures` must hold losses of the table's {'n' if n is None else n} examples and {n_models} models, got "
            f"shape ({rows}, {models})."
        )
    if split:
        raise InvalidInputError("`measures` must come without clusters that a source has in its blocks, got both.")
    return found


def _check_costs(
    costs: Any, cost_names: Iterable[str] | None, model_names: tuple[str, ...]
) -> tuple[FloatArray | None, tuple[str, ...]]:
    """Return costs (M, k) and their names; labels of models are matched."""
    if costs is None:
        return None, ()
    if has_labels(costs) or has_labels(costs, 1) or hasattr(costs, "index") or column_labels(costs) is not None:
        values, names = known_costs(costs, model_names)
        return as_readonly(values), names if cost_names is None else check_names(
            "cost_names", cost_names, length=len(names), stem="cost"
        )
    refuse_bools(costs)
    table = as_readonly(real_array("costs", costs, shape="(M, k)", min_ndim=2, max_ndim=2))
    if table.shape[0] != len(model_names):
        raise InvalidInputError(f"`costs` must have one row per model, {len(model_names)}, got shape {table.shape}.")
    return table, check_names("cost_names", cost_names, length=table.shape[1], stem="cost")


def _flags(maximise: Any) -> Any:
    """Return directions as a sequence, a mapping or one bool."""
    # A Series or labelled array keeps its labels, which name the objectives.
    plain = isinstance(maximise, bool | np.bool_ | Mapping | np.ndarray) or has_labels(maximise)
    return maximise if plain else list(maximise)


def _check_range(
    loss_range: Any, names: tuple[str, ...], measures: dict[str, Measure | Tail] | None
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the ranges of the estimated objectives."""
    some = loss_range is None or isinstance(loss_range, Mapping)
    if measures is not None:
        low, high = ranges_of_measures(measures, None if some else loss_range, by_name=loss_range if some else None)
    elif some:
        low, high = check_ranges({} if loss_range is None else loss_range, names, None)
    else:
        low, high = read_ranges(loss_range, names, unbounded=names)
    return as_readonly(low), as_readonly(high)
