r"""Matched units: one example of the smallest group beside a block of examples of each other group.

A *group* is the set of examples on which one or several cells of a measure are evaluated. Groups are disjoint, and their
examples are put in a fixed random order. With sizes :math:`n_g` and T the smallest of them, unit t holds, for a cell of
group g, the mean of the losses over the examples with places :math:`\lfloor t n_g / T \rfloor` up to
:math:`\lfloor (t+1) n_g / T \rfloor`: no example is left out and none is used twice.

*Claim.* Let examples be independent draws. Given which examples belong to which group, units are independent, and the
mean of each entry is the mean loss of the group.

*Proof.* Given the memberships, the examples of a group are independent draws from the law of that group, and those of
different groups are independent; the order does not depend on them. Units are functions of disjoint sets of examples,
so they are independent; a mean of draws from the law of g has the mean of g, whatever the size of the block. (Derived;
proof: matched-units.)

So a linear combination of means of groups is the mean of independent bounded units, as if groups were paired. Groups
that overlap have no such units, unless they are equal: cells of one group stay together, example by example. Nor has a
condition that depends on the model (then so does the group); nor clusters with examples in several groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives import Cell

__all__ = ["can_match", "matched_units"]

Bools = npt.NDArray[np.bool_]


def can_match(cells: Sequence[Cell]) -> bool:
    """Return whether cells have matched units.

    Not if a condition depends on the model, two groups overlap without being equal, one is empty, or a loss is missing.
    """
    if any(cell.depends_on_model or not cell.where.any() for cell in cells):
        return False
    groups, _ = _groups(cells)
    if len(groups) > 1 and (np.sum(groups, axis=0) > 1).any():
        return False
    return not any(cell.losses.dtype.kind == "f" and np.isnan(cell.losses[cell.where]).any() for cell in cells)


def matched_units(cells: Sequence[Cell], loss_range: tuple[float, float]) -> FloatArray:
    """Return units (C, M, T) of C cells that `can_match`, losses scaled to [0, 1]."""
    groups, of_cell = _groups(cells)
    # The order of the rows may mean something, such as time: a fixed one that does not is used instead.
    places = [
        np.random.default_rng([g, int(np.count_nonzero(group))]).permutation(np.flatnonzero(group))
        for g, group in enumerate(groups)
    ]
    n_units = min(own.size for own in places)
    low, high = loss_range
    found = np.empty((len(cells), cells[0].losses.shape[1], n_units))
    for c, cell in enumerate(cells):
        own = places[of_cell[c]]
        losses: FloatArray = (cell.losses[own].astype(np.float64) - low) / (high - low)
        starts = np.arange(n_units) * own.size // n_units
        lengths = np.diff(np.append(starts, own.size))
        found[c] = np.clip(np.add.reduceat(losses, starts, axis=0) / lengths[:, None], 0.0, 1.0).T
    return found


def _groups(cells: Sequence[Cell]) -> tuple[list[Bools], list[int]]:
    """Return the different groups, and the group of each cell."""
    groups: list[Bools] = []
    of_cell: list[int] = []
    for cell in cells:
        where = cell.where
        found = next((g for g, group in enumerate(groups) if group is where or np.array_equal(group, where)), None)
        if found is None:
            found = len(groups)
            groups.append(where)
        of_cell.append(found)
    return groups, of_cell
