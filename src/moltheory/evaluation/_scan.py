"""A scan of the losses of a table: their range and type, gaps and clusters; then units, scaled to [0, 1].

A unit is an example, or a cluster of examples, since only whole clusters are independent of each other. With clusters
the estimated mean is by default the mean over examples, E[T] / E[S] for the total T and the size S of a cluster. Tests
and boxes of it need a bound on S: for unbounded totals no test of their mean has power beyond its level (R. R. Bahadur
and L. J. Savage 1956, doi 10.1214/aoms/1177728077). With equal weights it is the mean over clusters, E[T / S]: an
average of losses stays in their range, whatever the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import quoted
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._blocks import ColumnBlock, ReadColumns, cluster_totals
from moltheory.evaluation._fingerprint import Fingerprint, Prints
from moltheory.evaluation._requests import ALTERNATIVES, NoRangeError
from moltheory.inference._inspection import kept_level

__all__ = ["Column", "Scan", "Units"]

# Examples with a loss inside the range are counted up to this number, which is never few.
_ENOUGH = 10_000


@dataclass(frozen=True)
class Units:
    """A block of units of one column.

    Attributes
    ----------
    column : int
    values : (u, M) ndarray
        Losses in [0, 1], or totals of clusters over the largest size, or their means; NaN = not evaluated; bool where
        the column is binary and complete (True = the high end).
    sizes : (u,) ndarray or None
        Sizes of clusters over the largest; None where all are 1.
    """

    column: int
    values: npt.NDArray[Any]
    sizes: FloatArray | None


@dataclass(frozen=True)
class Column:
    """One average per model, and what the scan of its losses found.

    Attributes
    ----------
    name : str
    low, high : float
        Range of the losses; an end is infinite if no bound is known.
    binary : bool
        Whether every observed loss is an end of the range, and every unit one example.
    is_binary_dtype : bool
        Whether the type of the losses admits only the two ends: bools, or integers in a range of length one.
    n_interior : int
        Number of examples on which some loss is not an end of the range; counting stops beyond 10,000.
    max_cluster_size : int
        Number of examples that no cluster exceeds, as stated or as observed.
    clustered : bool
        Whether units are clusters that may hold several examples.
    averaged : bool
        Whether the mean loss of a cluster counts, not its total.
    equal_cluster_sizes : bool
        Whether all units weigh the same.
    complete : bool
        Whether all models were evaluated on the same examples.
    paired : bool
        Whether models are compared on common examples. Not if the condition depends on the model: the examples that two
        models have in common are then no sample of the examples of either.
    n_examples, n_units : int
        Numbers with at least one model evaluated.
    """

    name: str
    low: float
    high: float
    binary: bool
    is_binary_dtype: bool
    n_interior: int
    max_cluster_size: int
    clustered: bool
    averaged: bool
    equal_cluster_sizes: bool
    complete: bool
    paired: bool
    n_examples: int
    n_units: int

    @property
    def bounded(self) -> bool:
        """Whether the range is finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def origin(self) -> float:
        """The loss that is scaled to 0: the low end of a finite range, else 0."""
        return self.low if self.bounded else 0.0

    @property
    def span(self) -> float:
        """Length of a finite range, else 1: unbounded losses are not scaled."""
        return self.high - self.low if self.bounded else 1.0

    def kept_level(self, log_level: float) -> tuple[float, float]:
        """Return (share, spent) as `moltheory.inference._inspection.kept_level`; (1, 0) if nothing was inspected."""
        if self.is_binary_dtype or self.clustered or not self.paired or not self.bounded:
            return 1.0, 0.0
        return kept_level(self.n_interior, self.n_units, log_level)

    def to_original_units(self, scaled: FloatArray, *, outward: int = 0) -> FloatArray:
        """Return means in the caller's units, rounded to the nearest float, or down (-1) or up (1)."""
        found = self.origin + self.span * scaled
        if outward and self.bounded and not (self.low == 0.0 and self.high == 1.0):
            # The ends of the range are exact.
            slack = outward * 4.0 * np.spacing(max(abs(self.low), abs(self.high)))
            found = np.where(scaled <= 0.0, self.low, np.where(scaled >= 1.0, self.high, found + slack))
        return np.clip(found, self.low, self.high)


class Scan:
    """Losses of M models in C columns, read twice or more: first to check them.

    Parameters
    ----------
    read : callable
        Returns an iterator over the blocks, from the beginning.
    model_names, column_names : sequence of str
    low, high : (C,) ndarray
        Ranges of the losses.
    largest_cluster : int, optional
        Number of examples that no cluster of the population exceeds; by default that of the largest observed cluster.
    averaged : bool, default False
        Whether clusters have equal weights.
    paired : (C,) sequence of bool, optional
        See `Column`; by default all True.
    earlier : Fingerprint, optional
        Of earlier losses, which these may go on with: see `prints`.

    Raises
    ------
    InvalidInputError
        If a loss is outside its range, a cluster is larger than stated, or a model was never evaluated in some column.
    """

    def __init__(
        self,
        read: ReadColumns,
        *,
        model_names: Sequence[str],
        column_names: Sequence[str],
        low: FloatArray,
        high: FloatArray,
        largest_cluster: int | None = None,
        averaged: bool = False,
        paired: Sequence[bool] | None = None,
        earlier: Fingerprint = (),
    ) -> None:
        self._read = read
        self.model_names = tuple(model_names)
        self.n_models = len(self.model_names)
        looks = [_Look(len(model_names)) for _ in column_names]
        self.prints = Prints(len(looks), len(model_names), [rows for rows, _ in earlier])
        for block in read():
            c = block.column
            looks[c].add(block, float(low[c]), float(high[c]), column_names[c])
            self.prints.add(block)
        for name, look in zip(column_names, looks, strict=True):
            look.refuse_gaps(name, self.model_names)
            look.refuse_larger(name, largest_cluster)
        # A bound stated in advance replaces the observed sizes.
        averaged &= largest_cluster != 1
        sizes = [largest_cluster or look.largest for look in looks]
        clustered = [averaged or size > 1 for size in sizes]
        pairs = [True] * len(looks) if paired is None else list(paired)
        self.columns = tuple(
            Column(
                name=name,
                low=float(low[c]),
                high=float(high[c]),
                # If the condition depends on the model, so does what is observed; only the type counts then.
                binary=look.inside == 0
                and not clustered[c]
                and (pairs[c] or look.whole)
                and bool(np.isfinite([low[c], high[c]]).all()),
                is_binary_dtype=look.whole,
                n_interior=look.inside,
                max_cluster_size=sizes[c],
                clustered=clustered[c],
                averaged=averaged,
                equal_cluster_sizes=averaged
                or sizes[c] == 1
                or (largest_cluster is None and look.largest == look.smallest),
                complete=look.complete,
                paired=pairs[c],
                n_examples=look.n_examples,
                n_units=look.n_units,
            )
            for c, (name, look) in enumerate(zip(column_names, looks, strict=True))
        )

    def units(self, columns: Collection[int] | None = None) -> Iterator[Units]:
        """Yield blocks of units, of some columns or all."""
        for block in self._read():
            if columns is None or block.column in columns:
                yield self._units(block)

    def stacked(self, index: int) -> Units:
        """Return all units of one column at once."""
        parts = list(self.units((index,)))
        sizes = [part.sizes for part in parts if part.sizes is not None]
        values = np.concatenate([part.values for part in parts]).astype(np.float64)
        return Units(index, values, np.concatenate(sizes) if sizes else None)

    def _units(self, block: ColumnBlock) -> Units:
        index, rows, present, codes = block
        column = self.columns[index]
        if present is not None and not present.all():
            marked = np.where(present, rows == column.high if column.binary else rows, np.nan)
            if column.binary:
                return Units(index, marked, None)
            rows = marked
        if column.binary:
            if rows.dtype == np.bool_ and column.high == 1.0:
                return Units(index, rows, None)
            rows = np.ascontiguousarray(rows)
            errs = rows == column.high
            if rows.dtype.kind != "f" or not np.isnan(rows.min(initial=0.0)):
                return Units(index, errs, None)
            # NaN - NaN is NaN and the rest is 0: several times faster than a masked copy.
            return Units(index, errs + (rows - rows), None)
        z = rows.astype(np.float64)
        if column.origin != 0.0 or column.span != 1.0:
            z = (z - column.origin) / column.span
        if not column.clustered:
            return Units(index, z[~np.isnan(z).all(axis=1)], None)
        totals, sizes = cluster_totals(z, np.arange(z.shape[0]) if codes is None else codes)
        if column.averaged:
            return Units(index, totals / sizes[:, None], None)
        largest = column.max_cluster_size
        return Units(index, totals / largest, None if column.equal_cluster_sizes else sizes / largest)


class _Look:
    """What one pass over a column finds."""

    def __init__(self, n_models: int) -> None:
        self.whole, self.complete = True, True
        self.inside = 0
        self.largest, self.smallest = 1, 0
        self.n_examples = self.n_units = 0
        self.seen = np.zeros(n_models, np.int64)

    def add(self, block: ColumnBlock, low: float, high: float, name: str) -> None:
        rows, codes = np.ascontiguousarray(_real(block.rows)), block.codes
        if rows.shape[0] == 0:
            return
        missing = None
        if rows.dtype.kind == "f" and np.isnan(rows.min()):
            missing = np.isnan(rows)
        if block.present is not None and not block.present.all():
            missing = ~block.present if missing is None else missing | ~block.present
        self._check_range(rows, missing, low, high, name, masked=block.present is not None)
        self.whole &= _whole(rows.dtype, low, high)
        if not self.whole and self.inside < _ENOUGH:
            inside = (rows != low) & (rows != high)
            if missing is not None:
                inside &= ~missing
            if inside.any():
                self.inside += int(inside.any(axis=1).sum())
        present = None
        if missing is None:
            self.seen += rows.shape[0]
        else:
            present = ~missing.all(axis=1)
            self.complete &= not missing[present].any()
            if codes is None:
                self.seen += (~missing).sum(axis=0)
        here = rows.shape[0] if present is None else int(present.sum())
        self.n_examples += here
        if codes is None:
            self.n_units += here
            self.smallest = 1
            return
        if present is not None:
            codes = codes[present]
        if codes.size == 0:
            return
        starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        sizes = np.diff(np.append(starts, codes.size))
        self.n_units += starts.size
        self.largest = max(self.largest, int(sizes.max()))
        self.smallest = min(self.smallest or int(sizes.min()), int(sizes.min()))
        if missing is not None:
            # A cluster counts for a model that was evaluated on all of it.
            gaps = np.add.reduceat(missing[present].astype(np.int64), starts, axis=0)
            self.seen += ((gaps == 0) * sizes[:, None]).sum(axis=0)

    @staticmethod
    def _check_range(
        rows: npt.NDArray[Any],
        missing: npt.NDArray[np.bool_] | None,
        low: float,
        high: float,
        name: str,
        *,
        masked: bool,
    ) -> None:
        if missing is None:
            least, most = rows.min(), rows.max()
        elif missing.all():
            return
        elif rows.dtype.kind == "f" and not masked:
            least, most = np.fmin.reduce(rows, axis=None), np.fmax.reduce(rows, axis=None)
        else:
            seen = rows[~missing]
            least, most = seen.min(), seen.max()
        if least < low or most > high:
            found = float(least if least < low else most)
            raise NoRangeError(
                f"`losses` must lie in `loss_range` [{low:g}, {high:g}] in objective {quoted(name)}, got {found:g}",
                f"state the range of all possible losses; {ALTERNATIVES}",
                objective=name,
            )

        if np.isinf(least) or np.isinf(most):
            found = float(least if np.isinf(least) else most)
            raise InvalidInputError(f"`losses` must be finite, or NaN, in objective {quoted(name)}, got {found:g}.")

    def refuse_larger(self, name: str, stated: int | None) -> None:
        if stated is not None and self.largest > stated:
            raise InvalidInputError(
                f"`largest_cluster` must be a size that no cluster exceeds, got {stated} and a cluster of {self.largest} "
                f"examples in objective {quoted(name)}: state the largest size possible, or take `cluster_weights='equal'`."
            )

    def refuse_gaps(self, name: str, models: tuple[str, ...]) -> None:
        never = np.flatnonzero(self.seen == 0)
        if never.size == len(models):
            raise InvalidInputError(f"`losses` must hold losses in objective {quoted(name)}, got NaN only.")
        if never.size:
            raise InvalidInputError(
                f"`losses` must evaluate every model in objective {quoted(name)} on some example (or whole cluster), "
                f"got none for model {quoted(models[int(never[0])])}."
            )


def _whole(dtype: np.dtype[Any], low: float, high: float) -> bool:
    """Return whether the only values of this type in the range are its two ends."""
    if dtype == np.bool_:
        return (low, high) == (0.0, 1.0)
    return dtype.kind in "iu" and low.is_integer() and high - low == 1.0


def _real(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if rows.dtype.kind not in "biuf":
        raise InvalidInputError(f"`losses` must be real numbers, got dtype {rows.dtype}.")
    return rows
