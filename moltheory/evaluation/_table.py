"""`LossTable`: per-example losses of models, with all that is known about them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, as_floats, as_readonly, check_names, real_array
from moltheory.errors import InvalidInputError
from moltheory.evaluation._source import Block, LossRange, LossSource, check_ranges
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
    losses : (n, M, N) array_like or LossSource
        Finite, or NaN where a model was not evaluated. The type is kept: bools, and integers 0 and 1, are certified as
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
    costs : (M, k) array_like, optional
        Costs known exactly.
    cost_names : iterable of str, optional
        Names of the costs.
    maximise : iterable of bool, optional
        Whether larger is better, per objective; False by default. Costs are minimised.
    {possible_losses}

    Attributes
    ----------
    losses : (n, M, N) ndarray
        All losses; those of a file are read when accessed.
    model_names, objective_names, examples, measures, clusters, costs, cost_names, maximise
        As given; clusters with names are numbered.
    loss_range : pair of (N,) ndarray, or None
        None if there are measures, whose range is an argument of `certify`.
    has_clusters : bool

    Raises
    ------
    InvalidInputError
        If shapes disagree, a name occurs twice, or a loss or cost is infinite.

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
        maximise: Iterable[bool] | None = None,
        loss_range: LossRange = (0.0, 1.0),
    ) -> None:
        self._source: LossSource | None = None
        self.in_memory: npt.NDArray[Any] | None = None
        n = None
        if isinstance(losses, LossSource):
            self._source, self.name = losses, losses.name
            model_names = losses.model_names if model_names is None else model_names
            objective_names = losses.objective_names if objective_names is None else objective_names
            m, k = len(losses.model_names), len(losses.objective_names)
            if clusters is not None or examples is not None:
                raise InvalidInputError("`clusters` must come with the blocks of a source of losses, got them apart.")
        else:
            table = _read_losses(losses)
            n, m, k = table.shape
            self.in_memory = as_readonly(table)
        self.model_names = check_names("model_names", model_names, length=m, stem="model")
        self.objective_names = check_names("objective_names", objective_names, length=k, stem="objective")
        self.examples = None
        self.clusters: npt.NDArray[np.int64] | None = None
        if n is not None:
            self.examples = None if examples is None else check_names("examples", examples, length=n, stem="example")
            self.clusters = None if clusters is None else _check_clusters(clusters, n)
        self.has_clusters = self._source.has_clusters if self._source else self.clusters is not None
        self.measures = None if measures is None else dict(measures)
        self.costs: FloatArray | None = None
        self.cost_names: tuple[str, ...] = ()
        if costs is not None:
            self.costs = as_readonly(real_array("costs", costs, shape="(M, k)", min_ndim=2, max_ndim=2))
            if self.costs.shape[0] != m:
                raise InvalidInputError(f"`costs` must have one row per model, {m}, got shape {self.costs.shape}.")
            self.cost_names = check_names("cost_names", cost_names, length=self.costs.shape[1], stem="cost")
        self.maximise = (False,) * k if maximise is None else tuple(bool(flag) for flag in maximise)
        if len(self.maximise) != k:
            raise InvalidInputError(f"`maximise` must have {k} entries, one per objective, got {len(self.maximise)}.")
        low, high = check_ranges(loss_range, self.objective_names, None)
        # The range of measures is an argument of `certify`.
        self.loss_range = None if measures is not None else (as_readonly(low), as_readonly(high))

    @property
    def losses(self) -> npt.NDArray[Any]:
        """All losses, (n, M, N)."""
        if self.in_memory is not None:
            return self.in_memory
        return np.concatenate([losses for losses, _ in self.blocks()])

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

    def __repr__(self) -> str:
        """Sizes and names."""
        names = ", ".join((*(self.measures or self.objective_names), *self.cost_names))
        if self.in_memory is None:
            return f"LossTable({len(self.model_names)} models in {self.name}: {names})"
        n, m, _ = self.in_memory.shape
        missing = float(np.isnan(self.in_memory).mean())
        gaps = f", {missing:.0%} not evaluated" if missing else ""
        groups = "" if self.clusters is None else f", {np.unique(self.clusters).size} clusters"
        return f"LossTable({m} models, {n} examples{groups}: {names}{gaps})"


def _read_losses(losses: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        table = np.asarray(losses)
        if table.dtype.kind not in "biuf" or table.dtype.itemsize > 8:
            table = as_floats("losses", table)
    except InvalidInputError:
        raise
    except (TypeError, ValueError):
        raise InvalidInputError("`losses` must be real numbers of shape (n, M, N), got something else.") from None
    if table.ndim != 3 or table.size == 0:
        raise InvalidInputError(f"`losses` must have shape (n, M, N) and not be empty, got shape {table.shape}.")
    if table.dtype.kind == "f" and np.isinf(table).any():
        raise InvalidInputError("`losses` must be finite, or NaN where not evaluated, got an infinity.")
    return table


def _check_clusters(clusters: npt.ArrayLike, n: int) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[Any] = np.asarray(clusters)
    if codes.shape == (n,) and (codes.dtype.kind == "U" or all(isinstance(label, str) for label in codes.tolist())):
        codes = np.unique(codes, return_inverse=True)[1]
    if codes.shape != (n,) or codes.dtype.kind not in "iu":
        raise InvalidInputError(f"`clusters` must be {n} integers or names, got shape {codes.shape} of {codes.dtype}.")
    return as_readonly(codes.astype(np.int64))
