"""Dominance of large inputs: a compiled pass drops almost everything, exact code decides what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.pareto._delegation import delegated_mask
from moltheory.pareto._orientation import minimised
from moltheory.pareto._status import DENSE, EXACT, NAN, NAN_FOUND

__all__ = ["bulk_masks"]

# Largest archive of a pass, and the archive at which a set of mostly non-dominated rows is given up.
_CAPACITY = 512
_PATIENCE = 64
# Rows of the strided sample that starts the archive of one large set, and the share of distinct non-dominated
# rows in it above which a pass cannot pay.
_SAMPLE = 1 << 12
_DENSE_SHARE = 0.4
# Rows of a block: what is copied at once when objectives are turned or memory is not contiguous.
_BLOCK = 1 << 18


def bulk_masks(points: npt.NDArray[Any], maximise: tuple[bool, ...], *, weak: bool) -> npt.NDArray[np.bool_]:
    """Return the (weakly) non-dominated rows (b, n) of b sets (b, n, m), in the caller's orientation.

    Raises
    ------
    InvalidInputError
        If `points` holds NaN.
    """
    sets, size = points.shape[:2]
    out = np.zeros((sets, size), dtype=np.bool_)
    if sets == 1:
        _one_set(points[0], maximise, weak, out[0])
        return out
    step = sets if points.flags.c_contiguous and not any(maximise) else max(1, _BLOCK // size)
    no_seeds = np.empty((0, points.shape[2]), dtype=points.dtype)
    for start in range(0, sets, step):
        block = _block(points[start : start + step], maximise)
        masks = out[start : start + step]
        status = _run(block, no_seeds, weak, masks)
        for row in np.flatnonzero(status):
            _settle(block[row], weak, int(status[row]), masks[row])
    return out


def _one_set(points: npt.NDArray[Any], maximise: tuple[bool, ...], weak: bool, out: npt.NDArray[np.bool_]) -> None:
    """Fill the mask `out` (n,) of one large set (n, m) in memory proportional to a block and the answer."""
    n = points.shape[0]
    seeds = _sample_front(points, maximise)
    if seeds is None:
        _settle(_block(points, maximise), weak, DENSE, out)
        return
    # At most half of an archive.
    seeds = seeds[:: -(-2 * seeds.shape[0] // _CAPACITY)]
    for start in range(0, n, _BLOCK):
        block = _block(points[None, start : start + _BLOCK], maximise)
        _refuse_nan(int(_run(block, seeds, weak, out[None, start : start + _BLOCK], patience=n + 1)[0]))
    left = np.flatnonzero(out)
    rows = _block(points[left], maximise)
    final = np.zeros((1, left.shape[0]), dtype=np.bool_)
    status = int(_run(rows[None], seeds[:0], weak, final)[0])
    if status:
        _settle(rows, weak, status, final[0])
    out[left] = final[0]


def _sample_front(points: npt.NDArray[Any], maximise: tuple[bool, ...]) -> npt.NDArray[Any] | None:
    """Return the distinct non-dominated rows of a strided sample, sorted; None if they are too many."""
    n = points.shape[0]
    sample = _block(points[:: max(1, n // min(_SAMPLE, max(1, n // 16)))], maximise)
    kept = np.zeros((1, sample.shape[0]), dtype=np.bool_)
    status = int(_run(sample[None], sample[:0], False, kept)[0])
    if status == DENSE:
        return None
    if status != EXACT:
        _settle(sample, False, status, kept[0])
    front = np.unique(sample[kept[0]], axis=0)
    return None if front.shape[0] > _DENSE_SHARE * sample.shape[0] else front


def _block(points: npt.NDArray[Any], maximise: tuple[bool, ...]) -> npt.NDArray[Any]:
    """Return contiguous points to be minimised, always read-only so that each kernel is compiled once."""
    view = np.ascontiguousarray(minimised(points, maximise)).view()
    view.flags.writeable = False
    return view


def _run(
    points: npt.NDArray[Any],
    seeds: npt.NDArray[Any],
    weak: bool,
    out: npt.NDArray[np.bool_],
    *,
    patience: int = _PATIENCE,
) -> npt.NDArray[np.int8]:
    """Fill `out` (b, n) and return the status (b,) of each set."""
    if points.shape[2] == 2:
        from moltheory.pareto._staircase import masks_of_two as kernel
    else:
        from moltheory.pareto._kernels import masks_of_many as kernel

    status = np.zeros(points.shape[0], dtype=np.int8)
    kernel(points, _block(seeds, (False,)), weak, _CAPACITY, patience, out, status)
    return status


def _settle(points: npt.NDArray[Any], weak: bool, status: int, out: npt.NDArray[np.bool_]) -> None:
    """Finish the mask of one set (n, m) that the kernel could not decide alone."""
    _refuse_nan(status)
    if status == DENSE:
        out[:] = delegated_mask(points, weak=weak)
        return
    left = np.flatnonzero(out)
    out[left] = delegated_mask(points[left], weak=weak)


def _refuse_nan(status: int) -> None:
    if status == NAN:
        raise InvalidInputError(NAN_FOUND)
