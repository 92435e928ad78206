"""Checked input: losses of models in columns, scaled to [0, 1], with their independent units.

A unit is an example, or a cluster of examples, as only whole clusters are independent of each other. With clusters the
estimated mean is by default the mean over examples, E[T] / E[S] for the total T and the size S of a cluster. Tests and
boxes of it need a bound on S: for unbounded totals no test of their mean has power beyond its level (R. R. Bahadur and
L. J. Savage 1956, doi 10.1214/aoms/1177728077). With equal weights it is the mean over clusters, E[T / S]: an average of
losses stays in their range, whatever the sizes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.evaluation._blocks import RowSource, cluster_totals

__all__ = ["Column", "Evaluation", "Units"]

# Examples with a loss inside the range are counted up to here: more than any that could count as few.
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
    """One average per model, and what a look at all its losses told.

    Attributes
    ----------
    name : str
    low, high : float
        Range of the losses.
    binary : bool
        Every loss seen is an end of the range, and every unit one example.
    whole : bool
        The type of the losses leaves nothing but the two ends: bools, or integers in a range of length one.
    inside : int
        Examples on which some loss is not an end of the range; counting stops beyond 10,000.
    largest : int
        Examples that no cluster exceeds: as stated, or as seen.
    clustered : bool
        Units are clusters that may hold several examples.
    averaged : bool
        What counts of a cluster is its mean loss, not its total.
    equal : bool
        Whether all units weigh the same.
    complete : bool
        Whether all models were evaluated on the same examples.
    n_examples, n_units : int
        With at least one model evaluated.
    """

    name: str
    low: float
    high: float
    binary: bool
    whole: bool
    inside: int
    largest: int
    clustered: bool
    averaged: bool
    equal: bool
    complete: bool
    n_examples: int
    n_units: int

    @property
    def span(self) -> float:
        """Length of the range."""
        return self.high - self.low

    def back(self, scaled: FloatArray, *, outward: int = 0) -> FloatArray:
        """Return means in the caller's units, rounded to the nearest, or down (-1) or up (1)."""
        found = self.low + self.span * scaled
        if outward and not (self.low == 0.0 and self.high == 1.0):
            # The ends of the range are exact.
            slack = outward * 4.0 * np.spacing(max(abs(self.low), abs(self.high)))
            found = np.where(scaled <= 0.0, self.low, np.where(scaled >= 1.0, self.high, found + slack))
        return np.clip(found, self.low, self.high)


class Evaluation:
    """Losses of M models in C columns, read twice or more from a source: first to check them.

    Parameters
    ----------
    source : RowSource
    model_names, column_names : sequence of str
    low, high : (C,) ndarray
        Ranges of the losses.
    largest_cluster : int, optional
        Examples that no cluster of the population exceeds; by default the largest cluster seen stands for it.
    averaged : bool, default False
        Give clusters equal weights.

    Raises
    ------
    InvalidInputError
        If a loss is outside its range, a cluster is larger than stated, or a model was never evaluated in some column.
    """

    def __init__(
        self,
        source: RowSource,
        *,
        model_names: Sequence[str],
        column_names: Sequence[str],
        low: FloatArray,
        high: FloatArray,
        largest_cluster: int | None = None,
        averaged: bool = False,
    ) -> None:
        self._source = source
        self.model_names = tuple(model_names)
        looks = [_Look(len(model_names)) for _ in column_names]
        for index, rows, codes in source.blocks():
            looks[index].add(_real(rows), codes, float(low[index]), float(high[index]), column_names[index])
        for name, look in zip(column_names, looks, strict=True):
            look.refuse_gaps(name, self.model_names)
            look.refuse_larger(name, largest_cluster)
        # Nothing is read off the sizes where it was settled before what they may be.
        averaged &= largest_cluster != 1
        sizes = [largest_cluster or look.largest for look in looks]
        clustered = [averaged or size > 1 for size in sizes]
        self.columns = tuple(
            Column(
                name=name,
                low=float(low[c]),
                high=float(high[c]),
                binary=look.inside == 0 and not clustered[c],
                whole=look.whole,
                inside=look.inside,
                largest=sizes[c],
                clustered=clustered[c],
                averaged=averaged,
                equal=averaged or sizes[c] == 1 or (largest_cluster is None and look.largest == look.smallest),
                complete=look.complete,
                n_examples=look.n_examples,
                n_units=look.n_units,
            )
            for c, (name, look) in enumerate(zip(column_names, looks, strict=True))
        )

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.model_names)

    def units(self, columns: Collection[int] | None = None) -> Iterator[Units]:
        """Yield blocks of units, of some columns or all."""
        for index, rows, codes in self._source.blocks():
            if columns is None or index in columns:
                yield self._units(index, _real(rows), codes)

    def stacked(self, index: int) -> Units:
        """Return all units of one column at once."""
        parts = list(self.units((index,)))
        sizes = [part.sizes for part in parts if part.sizes is not None]
        values = np.concatenate([part.values for part in parts]).astype(np.float64)
        return Units(index, values, np.concatenate(sizes) if sizes else None)

    def _units(self, index: int, rows: npt.NDArray[Any], codes: npt.NDArray[np.intp] | None) -> Units:
        column = self.columns[index]
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
        if column.low != 0.0 or column.span != 1.0:
            z = (z - column.low) / column.span
        if not column.clustered:
            return Units(index, z[~np.isnan(z).all(axis=1)], None)
        totals, sizes = cluster_totals(z, np.arange(z.shape[0]) if codes is None else codes)
        if column.averaged:
            return Units(index, totals / sizes[:, None], None)
        return Units(index, totals / column.largest, None if column.equal else sizes / column.largest)


class _Look:
    """What one pass over a column tells."""

    def __init__(self, n_models: int) -> None:
        self.whole, self.complete = True, True
        self.inside = 0
        self.largest, self.smallest = 1, 0
        self.n_examples = self.n_units = 0
        self.seen = np.zeros(n_models, np.int64)

    def add(
        self, rows: npt.NDArray[Any], codes: npt.NDArray[np.intp] | None, low: float, high: float, name: str
    ) -> None:
        if rows.shape[0] == 0:
            return
        rows = np.ascontiguousarray(rows)
        missing = None
        if rows.dtype.kind == "f" and np.isnan(rows.min()):
            missing = np.isnan(rows)
        self._check_range(rows, missing, low, high, name)
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
        rows: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None, low: float, high: float, name: str
    ) -> None:
        if missing is None:
            least, most = rows.min(), rows.max()
        elif missing.all():
            return
        else:
            least, most = np.fmin.reduce(rows, axis=None), np.fmax.reduce(rows, axis=None)
        if least < low or most > high:
            found = float(least if least < low else most)
            raise InvalidInputError(
                f"`losses` must lie in `loss_range` [{low:g}, {high:g}] in objective {name!r}, got {found:g}."
            )

    def refuse_larger(self, name: str, stated: int | None) -> None:
        if stated is not None and self.largest > stated:
            raise InvalidInputError(
                f"`largest_cluster` must be a size that no cluster exceeds, got {stated} and a cluster of {self.largest} "
                f"examples in objective {name!r}: state the largest size possible, or take `cluster_weights='equal'`."
            )

    def refuse_gaps(self, name: str, models: tuple[str, ...]) -> None:
        never = np.flatnonzero(self.seen == 0)
        if never.size == len(models):
            raise InvalidInputError(f"`losses` must hold losses in objective {name!r}, got NaN only.")
        if never.size:
            raise InvalidInputError(
                f"`losses` must evaluate every model in objective {name!r} on some example (or whole cluster), "
                f"got none for model {models[int(never[0])]!r}."
            )


def _whole(dtype: np.dtype[Any], low: float, high: float) -> bool:
    """Whether nothing of this type lies in the range but its two ends."""
    if dtype == np.bool_:
        return (low, high) == (0.0, 1.0)
    return dtype.kind in "iu" and low.is_integer() and high - low == 1.0


def _real(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if rows.dtype.kind not in "biuf":
        raise InvalidInputError(f"`losses` must be real numbers, got dtype {rows.dtype}.")
    return rows
