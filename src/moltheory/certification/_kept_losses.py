"""A sample of the losses that a certificate keeps for its plan: all of them where they are few, a random part otherwise.

`LossSample.draw` draws new samples in two steps, as the predictive distribution of new data asks for: first what the
population may be, then a sample of it. Samples from the losses at hand themselves would take gaps that are large by luck for
real, and plans from these are too small.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import as_readonly
from moltheory.evaluation._blocks import ColumnBlock, ReadColumns, cell_columns
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._objectives import Objective
from moltheory.evaluation._scan import Scan
from moltheory.evaluation._tails import Tail
from moltheory.objectives import Cell, Measure

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["KEPT", "LossRecorder", "LossSample", "recorded"]

Indices = npt.NDArray[np.intp]

# Bytes of losses that are kept at most, with 8 for the number of each unit.
KEPT = 1 << 23
# Entries of a block of a drawn sample.
_ENTRIES = 1 << 21
# Bytes of a drawn sample up to which it is held as a whole; a larger one is drawn anew by every reading.
_AT_ONCE = 1 << 26


@dataclass(frozen=True)
class LossSample:
    """Examples, or clusters of them, from which populations are drawn, and new samples of these.

    Attributes
    ----------
    problem : Comparison
        What was compared; its measures and tails hold the kept examples, its reader holds nothing.
    losses : tuple of (n, M) ndarray
        One per column; empty if measures and tails hold the losses.
    starts : (k + 1,) ndarray
        The rows of unit j are ``starts[j]`` to ``starts[j + 1]``.
    clustered : bool
        Whether units are clusters.
    n_units : int
        Number of all units that were certified, at least k.
    largest_cluster, cluster_weights
        As given to `certify`.
    certified : callable
        Makes a certificate of a problem that was scanned.
    """

    problem: Comparison
    losses: tuple[npt.NDArray[Any], ...]
    starts: Indices
    clustered: bool
    n_units: int
    largest_cluster: int | None
    cluster_weights: str
    certified: Callable[..., Certificate]

    @property
    def mean_size(self) -> float:
        """Mean number of examples of a unit."""
        return float(self.starts[-1]) / (self.starts.size - 1)

    def draw(self, n_units: int, rng: np.random.Generator) -> Comparison:
        """Return the problem with a sample of units from a population that is itself a bootstrap sample of those at hand.

        The population has as many units as were certified, also where fewer are kept, so that it is as uncertain as the
        losses that were certified. Units of it are drawn independently and with replacement.
        """
        population = rng.integers(0, self.starts.size - 1, self.n_units)
        units = population[rng.integers(0, population.size, n_units)]
        if not self.clustered:
            return self._of(units, units, None)
        sizes = np.diff(self.starts)[units]
        ends = np.cumsum(sizes)
        rows = np.arange(ends[-1]) + np.repeat(self.starts[units] - (ends - sizes), sizes)
        return self._of(rows, np.append(0, ends), np.repeat(np.arange(n_units), sizes))

    def scan(self, problem: Comparison, *, unbounded: bool) -> Scan:
        """Return the scan of a drawn problem."""
        return problem.scan(self.largest_cluster, self.cluster_weights, unbounded=unbounded)

    def _of(self, rows: Indices, starts: Indices, codes: Indices | None) -> Comparison:
        if not self.losses:
            return _on_rows(self.problem, rows, codes)
        whole = sum(values[0].nbytes for values in self.losses) * rows.size <= _AT_ONCE
        losses = tuple(values.take(rows, axis=0) for values in self.losses) if whole else self.losses
        return self.problem.with_reader(partial(_drawn_blocks, losses, rows, starts, codes, taken=whole))


def _drawn_blocks(
    losses: tuple[npt.NDArray[Any], ...], rows: Indices, starts: Indices, codes: Indices | None, *, taken: bool
) -> Iterator[ColumnBlock]:
    step = max(_ENTRIES // losses[0].shape[1], 1)
    cuts = [0]
    while cuts[-1] < rows.size:
        stop = min(cuts[-1] + step, rows.size)
        # No cluster is cut.
        cuts.append(stop if codes is None else int(starts[np.searchsorted(starts, stop)]))
    for start, stop in pairwise(cuts):
        for column, values in enumerate(losses):
            drawn = values[start:stop] if taken else values.take(rows[start:stop], axis=0)
            yield ColumnBlock(column, drawn, None, None if codes is None else codes[start:stop])


class LossRecorder:
    """A reader of blocks that keeps a random part of what it reads first, the same for the same numbers of units."""

    def __init__(self, read: ReadColumns) -> None:
        self._read = read
        self._whole = False
        self._share = 1.0
        self._kept: dict[int, list[tuple[npt.NDArray[Any], Indices]]] = {}
        self._bytes = 0
        self._next: dict[int, int] = {}
        self._clustered = False

    def __call__(self) -> Iterator[ColumnBlock]:
        for block in self._read():
            if not self._whole:
                self._add(block)
            yield block
        self._whole = True

    def _add(self, block: ColumnBlock) -> None:
        rows = block.rows
        if rows.shape[0] == 0:
            return
        number = np.arange(rows.shape[0], dtype=np.intp)
        if block.codes is not None:
            self._clustered = True
            number = np.cumsum(np.append(0, block.codes[1:] != block.codes[:-1]))
        units = self._next.get(block.column, 0) + number
        self._next[block.column] = int(units[-1]) + 1
        kept = self._chosen(units)
        self._kept.setdefault(block.column, []).append((rows[kept], units[kept]))
        self._bytes += sum(part.nbytes for part in self._kept[block.column][-1])
        while self._bytes > KEPT:
            self._share /= 2.0
            self._thin()

    def _chosen(self, units: Indices) -> npt.NDArray[np.bool_]:
        return _uniform(units) < self._share

    def _thin(self) -> None:
        for column, parts in self._kept.items():
            chosen = [self._chosen(units) for _, units in parts]
            self._kept[column] = [(rows[c], units[c]) for (rows, units), c in zip(parts, chosen, strict=True)]
        self._bytes = sum(rows.nbytes + units.nbytes for parts in self._kept.values() for rows, units in parts)

    def sample(
        self,
        problem: Comparison,
        certified: Callable[..., Certificate],
        largest_cluster: int | None,
        cluster_weights: str,
    ) -> LossSample | None:
        """Return what was kept of a problem that was read through this reader; None if not a unit was."""
        if not self._kept:
            return _kept_measures(problem, certified, largest_cluster, cluster_weights)
        columns = [self._kept[column] for column in sorted(self._kept)]
        units = np.concatenate([part for _, part in columns[0]])
        losses = tuple(np.concatenate([rows for rows, _ in parts]) for parts in columns)
        # Examples on which nothing was evaluated do not count.
        used = np.logical_or.reduce([_evaluated(values) for values in losses])
        all_kept = np.unique(units).size
        units, losses = units[used], tuple(values[used] for values in losses)
        if units.size == 0:
            return None
        starts = np.append(np.flatnonzero(np.append(True, units[1:] != units[:-1])), units.size)
        n_units = round(self._next[0] * (starts.size - 1) / all_kept)
        lean = problem.with_reader(_nothing)
        return LossSample(lean, losses, starts, self._clustered, n_units, largest_cluster, cluster_weights, certified)


def recorded(problem: Comparison) -> tuple[Comparison, LossRecorder]:
    """Return the problem with a reader that keeps a part of the losses; measures hold theirs and are left alone."""
    recorder = LossRecorder(problem.read)
    if any(objective.measure is not None or objective.tail is not None for objective in problem.objectives):
        return problem, recorder
    return problem.with_reader(recorder), recorder


def _kept_measures(
    problem: Comparison, certified: Callable[..., Certificate], largest_cluster: int | None, cluster_weights: str
) -> LossSample | None:
    """Return a sample of the examples that measures and tails hold; None if a tail's class is not known here."""
    tails = [objective.tail for objective in problem.objectives if objective.tail is not None]
    # What else a class of tails derives from its losses is not known.
    if any(not type(tail).__module__.startswith("moltheory.") for tail in tails):
        return None
    held = {id(losses): losses for losses in _arrays(problem.objectives)}
    if not held:
        return None
    n = next(iter(held.values())).shape[0]
    codes = problem.codes
    used = np.zeros(n, dtype=np.bool_)
    for values in held.values():
        used |= _evaluated(values)
    order = np.arange(n) if codes is None else np.argsort(codes, kind="stable")
    order = order[used[order]]
    ordered = order if codes is None else codes[order]
    starts = np.append(np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])), order.size)
    units = np.arange(starts.size - 1)
    share = min(KEPT / (starts.nbytes + sum(losses.nbytes for losses in held.values())), 1.0)
    kept = _uniform(units) < share
    if not kept.any():
        return None
    sizes = np.diff(starts)
    rows = order[np.repeat(kept, sizes)]
    lean = _on_rows(problem, rows, None).with_reader(_nothing)
    return LossSample(
        lean,
        (),
        np.append(0, np.cumsum(sizes[kept])),
        codes is not None,
        units.size,
        largest_cluster,
        cluster_weights,
        certified,
    )


def _evaluated(losses: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return on which examples some model was evaluated."""
    if losses.dtype.kind != "f":
        return np.ones(losses.shape[0], dtype=np.bool_)
    return np.asarray(~np.isnan(losses).all(axis=1))


def _arrays(objectives: tuple[Objective, ...]) -> Iterator[npt.NDArray[Any]]:
    for objective in objectives:
        if objective.tail is not None:
            yield objective.tail.losses
        for cell in () if objective.measure is None else objective.measure.cells:
            yield cell.losses


def _on_rows(problem: Comparison, rows: Indices, codes: Indices | None) -> Comparison:
    """Return a problem of measures and tails on some of its examples."""
    moved: dict[int, Any] = {}
    cells: dict[int, Cell] = {}
    objectives = []
    for objective in problem.objectives:
        if objective.measure is not None:
            measure = _moved(objective.measure, rows, moved)
            cells |= dict(zip(objective.columns, measure.cells, strict=True))
            objective = replace(objective, measure=measure)
        elif objective.tail is not None:
            tail = _moved(objective.tail, rows, moved)
            measured = int((~np.isnan(tail.losses)).any(axis=1).sum())
            objective = replace(objective, tail=tail, n_measured=measured)
        objectives.append(objective)
    columns = tuple(cells[column] for column in sorted(cells))
    read = partial(cell_columns, columns, codes) if columns else _nothing
    return replace(problem.with_reader(read), objectives=tuple(objectives), codes=codes)


def _moved(entry: Any, rows: Indices, moved: dict[int, Any]) -> Any:
    """Return a measure, a tail or a cell on some of its examples, with all its parts; anything else as it is."""
    if isinstance(entry, tuple | list):
        return type(entry)(_moved(one, rows, moved) for one in entry)
    if not isinstance(entry, Cell | Measure | Tail):
        return entry
    if id(entry) not in moved:
        moved[id(entry)] = _made(entry, rows, moved)
    return moved[id(entry)]


def _made(entry: Any, rows: Indices, moved: dict[int, Any]) -> Any:
    if isinstance(entry, Cell):
        return Cell(_taken(entry.losses, rows, moved), _taken(entry.where, rows, moved))
    made = copy.copy(entry)
    for name, value in vars(entry).items():
        made.__dict__[name] = _moved(value, rows, moved)
    if isinstance(entry, Tail):
        made.__dict__["losses"] = _taken(entry.losses, rows, moved)
    return made


def _taken(values: npt.NDArray[Any], rows: Indices, moved: dict[int, Any]) -> npt.NDArray[Any]:
    """Return rows of an array, once for all who share it."""
    if id(values) not in moved:
        moved[id(values)] = as_readonly(values.take(rows, axis=0))
    found: npt.NDArray[Any] = moved[id(values)]
    return found


def _nothing() -> Iterator[ColumnBlock]:
    """Yield no block."""
    return iter(())


def _uniform(units: Indices) -> npt.NDArray[np.float64]:
    """Return numbers in [0, 1) that look random, fixed by those of the units (splitmix64)."""
    z = (units.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z ^= z >> np.uint64(31)
    found: npt.NDArray[np.float64] = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found
