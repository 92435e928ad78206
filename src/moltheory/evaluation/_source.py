"""Sources of losses: names, and blocks of examples that never split a cluster."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._places import places_of
from moltheory._core._validation import FloatArray, check_choice, check_real
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._cards import source_card

__all__ = [
    "CELLS_PER_BLOCK",
    "MOST_IN_MEMORY",
    "Block",
    "Codes",
    "LossRange",
    "LossSource",
    "Losses",
    "by_cluster",
    "check_models",
    "check_objectives",
    "check_ranges",
    "first_outside",
    "refuse_unsorted",
    "whole_clusters",
]

Losses = npt.NDArray[Any]
Codes = npt.NDArray[np.int64]
Block = tuple[Losses, Codes | None]
LossRange = tuple[float, float] | Mapping[str, tuple[float, float]]

CELLS_PER_BLOCK = 4_000_000
"""Losses per block: 32 MB of float64."""

MOST_IN_MEMORY = 20_000_000
"""Largest number of losses of a file in an unsuitable order, which is sorted in memory."""


class LossSource(Printed, ABC):
    """Losses of some models on some examples for some objectives, read in blocks.

    Attributes
    ----------
    name : str
        Name of the source in messages, such as that of its file.
    model_names : tuple of str
    objective_names : tuple of str
    has_clusters : bool
        Whether blocks come with codes of clusters.
    notes : tuple of str
        What a reader left out or found incomplete, one sentence each.
    objectives_are_named : bool
        Whether the source has names of objectives, and not of models only.
    """

    name: str
    model_names: tuple[str, ...]
    objective_names: tuple[str, ...]
    has_clusters: bool
    notes: tuple[str, ...] = ()
    objectives_are_named: bool = True

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """Yield the losses block by block, from the beginning; may be called again.

        Yields
        ------
        losses : (b, M, N) ndarray of floats, integers or bools
            NaN where a model was not evaluated on an example for an objective.
        clusters : (b,) ndarray of int64, or None
            Equal for the examples of a cluster, which are contiguous and all in one block.

        Raises
        ------
        InvalidInputError
            At the first malformed row, named by its line.
        """

    def select(self, objectives: Sequence[str]) -> LossSource:
        """Return the same source with some of its objectives, in the given order.

        Raises
        ------
        InvalidInputError
            If a name is unknown or given twice.
        """
        chosen = check_objectives(objectives, self.objective_names)
        return self if chosen == self.objective_names else _Selection(self, chosen)

    def _card(self) -> Card:
        return source_card(self)


class _Selection(LossSource):
    def __init__(self, source: LossSource, objectives: tuple[str, ...]) -> None:
        self._source = source
        places = places_of(source.objective_names)
        self._columns = [places[name] for name in objectives]
        self.name = source.name
        self.model_names = source.model_names
        self.objective_names = objectives
        self.has_clusters = source.has_clusters

    def blocks(self) -> Iterator[Block]:
        for losses, clusters in self._source.blocks():
            yield losses[:, :, self._columns], clusters


def whole_clusters(pieces: Iterable[tuple[Losses, Codes]]) -> Iterator[Block]:
    """Yield the same rows in blocks that end where a cluster ends, so that no cluster is split.

    Parameters
    ----------
    pieces : iterable of ((b, M, N) ndarray, (b,) ndarray)
        The rows of one cluster are contiguous, but may extend over several pieces.
    """
    kept: list[Losses] = []
    kept_codes: list[Codes] = []
    for losses, codes in pieces:
        if codes.size == 0:
            continue
        # The last cluster of a piece may go on in the next one.
        cut = int(np.flatnonzero(codes != codes[-1])[-1]) + 1 if (codes != codes[-1]).any() else 0
        if kept and cut == 0 and codes[0] != kept_codes[-1][0]:
            yield np.concatenate(kept), np.concatenate(kept_codes)
            kept, kept_codes = [], []
        if cut:
            yield np.concatenate([*kept, losses[:cut]]), np.concatenate([*kept_codes, codes[:cut]])
            kept, kept_codes = [], []
        kept.append(losses[cut:])
        kept_codes.append(codes[cut:])
    if kept:
        yield np.concatenate(kept), np.concatenate(kept_codes)


def by_cluster(pieces: Iterable[tuple[Losses, Codes]], rows_per_block: int) -> Iterator[Block]:
    """Yield the same rows in blocks, with clusters together, in order of first appearance; held in memory."""
    tables, labels = zip(*pieces, strict=True)
    codes = np.concatenate(labels)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first[inverse], kind="stable")
    table, codes = np.concatenate(tables)[order], codes[order]
    starts = range(0, len(codes), rows_per_block)
    return whole_clusters((table[i : i + rows_per_block], codes[i : i + rows_per_block]) for i in starts)


def check_objectives(objectives: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen objectives of a file.

    Raises
    ------
    InvalidInputError
        If a name is unknown or given twice.
    """
    known = places_of(found)
    chosen = tuple(check_choice("objectives", name, known) for name in objectives)
    if not chosen or len(set(chosen)) != len(chosen):
        raise InvalidInputError(f"`objectives` must be distinct names of objectives, got {list(objectives)}.")
    return chosen


def check_models(models: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen models of a file.

    Raises
    ------
    InvalidInputError
        If a name is unknown or given twice.
    """
    known = set(found)
    chosen = tuple(name if name in known else check_choice("models", name, found) for name in models)
    if not chosen or len(set(chosen)) != len(chosen):
        raise InvalidInputError(f"`models` must be distinct names of models, got {list(models)}.")
    return chosen


def check_ranges(
    loss_range: LossRange, objectives: Sequence[str], chosen: Sequence[str] | None
) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and the largest loss of each objective; infinite ends for objectives that are not chosen.

    Raises
    ------
    InvalidInputError
        If an interval is not low < high, or names an unknown objective.
    """
    known = places_of(objectives)
    given = loss_range if isinstance(loss_range, Mapping) else dict.fromkeys(objectives, loss_range)
    ends = []
    for name, (low, high) in given.items():
        check_choice("loss_range", name, known)
        if not _range_end(low) < _range_end(high):
            raise InvalidInputError(f"`loss_range` must be an interval low < high, got ({low:g}, {high:g}).")
    kept = known if chosen is None else set(chosen)
    for name in objectives:
        wanted = name in kept
        ends.append(given.get(name, (0.0, 1.0)) if wanted else (-math.inf, math.inf))
    low_ends, high_ends = np.array(ends, np.float64).T
    return low_ends, high_ends


def _range_end(value: object) -> float:
    """Return an end of a range of losses; an infinite one says that no bound is known."""
    infinite = isinstance(value, float) and math.isinf(value)
    return float(value) if infinite else check_real("loss_range", value)  # type: ignore[arg-type]


def first_outside(losses: Losses, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> int | None:
    """Return the flat index of the first loss outside [low, high], or None; NaN means not evaluated."""
    with np.errstate(invalid="ignore"):
        bad = (losses < low) | (losses > high)
    return int(np.argmax(bad)) if bad.any() else None


def refuse_unsorted(name: str, found: int, most: int, key: str) -> None:
    """Refuse a file that is not sorted by `key` and has too many losses to be sorted in memory."""
    if found > most:
        raise TooLargeError(
            f"`{name}` must be sorted by {key} where it holds more than {most:,} losses, got {found:,} in another "
            f"order; sort the file by {key} and try again."
        )
