"""Bets on pairs of models, unit by unit: which pairs, how many units fit in memory, and in which order.

The bets are those of `inference._target_bets`. A pair that is not bet on has p = 1 there, so the choice of pairs may
depend on the losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._row_blocks import pieces, row_blocks
from moltheory.evaluation._scan import Scan

__all__ = ["Pairs", "add_bets", "bets_on_all", "most_bets", "promising_pairs"]

Indices = npt.NDArray[np.intp]
Pairs = tuple[Indices, Indices]
# Rows of a table of pairs -> p-values by another test, and normal scores of the differences.
Block = Callable[[slice], tuple[FloatArray, FloatArray]]
Scored = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], FloatArray]

# Largest number of models^2 x units x columns for which every pair is bet on; beyond, pairs x units per test.
_PRODUCTS = 2 * 10**8
# Largest number of models x units of one column that are held in memory at once (200 MB).
_HELD = 25 * 10**6
# Bets are tried where the squared normal score is at least this share of what the level needs.
_NEAR = 0.8


def bets_on_all(scan: Scan, index: int) -> bool:
    """Return whether every pair is bet on, from sizes only."""
    # The total size over all columns, so that the choice of test does not depend on the values in any other column.
    entries = sum(column.n_units for column in scan.columns)
    return entries * scan.n_models**2 <= _PRODUCTS and scan.columns[index].n_units * scan.n_models <= _HELD


def most_bets(n_units: int) -> int:
    """Return the largest number of pairs that are bet on in one test, where not all are."""
    return max(1, _PRODUCTS // max(n_units, 1))


def promising_pairs(p: FloatArray, scores: Block, log_levels: FloatArray, n_units: int) -> Pairs:
    """Fill `p` (M, M) with the p-values of another test; return pairs that a normal approximation decides and it does not.

    The clearest ones, as many as the budgets for time and memory allow.
    """
    size, number = p.shape[0], most_bets(n_units)
    # All models fit in memory: then the clearest pairs of the blocks so far are enough.
    most = number if size <= _HELD // n_units else size**2
    parts: list[Scored] = []
    for models in row_blocks(size):
        p[models], normal = scores(models)
        level = log_levels[models]
        with np.errstate(invalid="ignore"):
            chosen = (-np.log(np.maximum(p[models], 1e-300)) < level) & (0.5 * normal**2 > _NEAR * level)
        own = np.arange(size)[models]
        chosen[np.arange(own.size), own] = False
        chosen &= normal > 0.0
        rows, columns = (places.astype(np.int32) for places in np.nonzero(chosen))
        parts.append((rows + np.int32(models.start), columns, normal[rows, columns]))
        if sum(part[2].size for part in parts) > 2 * most:
            parts = [_clearest(parts, most)]
    first, second, _ = _clearest(parts, size**2)
    # The models that are met first, as many as fit in memory.
    met = np.full(size, 2 * first.size, dtype=np.int64)
    for half, ends in ((1, second), (0, first)):
        # Of equal places the last one is written.
        place = np.full(size, 2 * first.size, dtype=np.int64)
        place[ends[::-1]] = np.arange(2 * (first.size - 1) + half, -1, -2)
        np.minimum(met, place, out=met)
    kept = np.zeros(size, dtype=np.bool_)
    kept[np.argsort(met, kind="stable")[: _HELD // n_units]] = True
    held = kept[first] & kept[second]
    rows_left, columns_left = (ends[held][:number].astype(np.intp) for ends in (first, second))
    # Pairs with a model in common one after the other: its losses stay in the cache.
    order = np.lexsort((columns_left, rows_left))
    return rows_left[order], columns_left[order]


def _clearest(parts: list[Scored], most: int) -> Scored:
    """Return the pairs with the largest scores, in their order; of equal ones those that stand first."""
    first, second, found = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(-found, kind="stable")[:most]
    return first[order], second[order], found[order]


def add_bets(scan: Scan, index: int, tests: list[tuple[float, FloatArray, Pairs | None, float, FloatArray]]) -> None:
    """Lower p-values of one column by those of bets.

    Each test is (shift, log_levels (M, M), pairs or None for all, share of the level, p-values (M, M) to be lowered).
    Pairs with a level of NaN are left out.
    """
    from moltheory.inference._target_bets import target_p_values

    held: tuple[Indices, FloatArray, FloatArray | None] | None = None
    together = _members(scan, [pairs for _, _, pairs, _, _ in tests])
    # All at once if they fit, so that the losses are read once.
    if together.size * scan.columns[index].n_units > _HELD:
        together = together[:0]
    for shift, log_levels, pairs, share, p in tests:
        members = together if together.size else _members(scan, [pairs])
        for first, second in _pair_blocks(log_levels, pairs):
            if held is None or not np.array_equal(held[0], members):
                held = None
                held = members, *_rows(scan, index, members)
            goals = log_levels[first, second] - np.log(share)
            places = first, second
            if members.size < scan.n_models:
                places = np.searchsorted(members, first), np.searchsorted(members, second)
            found = target_p_values(held[1], *places, goals, shift=shift, sizes=held[2]) / share
            p[first, second] = np.minimum(p[first, second], found)


def _pair_blocks(log_levels: FloatArray, pairs: Pairs | None) -> Iterator[Pairs]:
    """Yield the given pairs with a level; all pairs by rows; in blocks, as indices take more memory than tables."""
    if pairs is not None:
        for piece in pieces(pairs[0].size):
            first, second = (ends[piece] for ends in pairs)
            planned = np.isfinite(log_levels[first, second])
            if planned.any():
                yield first[planned], second[planned]
        return
    size = log_levels.shape[0]
    for models in row_blocks(size):
        planned = np.isfinite(log_levels[models])
        own = np.arange(size)[models]
        planned[np.arange(own.size), own] = False
        first, second = np.nonzero(planned)
        if first.size:
            yield first + models.start, second


def _members(scan: Scan, lists: list[Pairs | None]) -> Indices:
    """Return the models that occur in some pair, in order; None = all pairs."""
    occurs = np.full(scan.n_models, any(pairs is None for pairs in lists))
    for pairs in lists:
        if pairs is not None:
            occurs[pairs[0]] = occurs[pairs[1]] = True
    return np.flatnonzero(occurs)


def _rows(scan: Scan, index: int, members: Indices) -> tuple[FloatArray, FloatArray | None]:
    """Return the units (R, n) of some models in the order of the bets, with their sizes."""
    from moltheory.inference._target_bets import random_order

    parts, sizes = [], []
    whole = members.size == scan.n_models
    column = scan.columns[index]
    if column.complete and not column.clustered:
        # The number of units is known, so no second copy is needed.
        rows, place, start = np.empty((members.size, column.n_units)), _places(column.n_units), 0
        for units in scan.units((index,)):
            values = units.values
            if values.dtype.kind == "f":
                # Examples of other objectives: evaluated here for no model, as the column is complete.
                seen = ~np.isnan(values[:, 0])
                values = values if seen.all() else values[seen]
            values = values if whole else values[:, members]
            rows[:, place[start : start + values.shape[0]]] = values.T
            start += values.shape[0]
        return rows, None
    for units in scan.units((index,)):
        values = units.values.astype(np.float64)
        seen = ~np.isnan(values).all(axis=1)
        values = values if seen.all() else values[seen]
        parts.append(np.ascontiguousarray((values if whole else values[:, members]).T))
        if units.sizes is not None:
            sizes.append(units.sizes[seen])
    n = sum(part.shape[1] for part in parts)
    order, place = random_order(n), _places(n)
    rows, start = np.empty((members.size, n)), 0
    while parts:
        part = parts.pop(0)
        rows[:, place[start : start + part.shape[1]]] = part
        start += part.shape[1]
    return rows, np.concatenate(sizes)[order] if sizes else None


def _places(n: int) -> Indices:
    """Return the place of each unit in the order of the bets."""
    from moltheory.inference._target_bets import random_order

    place = np.empty(n, np.intp)
    place[random_order(n)] = np.arange(n)
    return place
