"""Which objectives are maximised, and the one place where points are turned so that all are minimised."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, Maximise, real_array
from moltheory.errors import InvalidInputError

__all__ = ["check_maximise", "check_reference", "minimised", "point_set"]


def check_maximise(maximise: Maximise, n_objectives: int) -> tuple[bool, ...]:
    """Return one bool per objective.

    Raises
    ------
    InvalidInputError
        If `maximise` is neither one bool nor one bool per objective.
    """
    flags = np.asarray(maximise)
    if flags.dtype != np.bool_ or flags.ndim > 1:
        raise InvalidInputError(f"`maximise` must be a bool or one bool per objective, got {maximise!r}.")
    if flags.ndim == 0:
        return (bool(flags),) * n_objectives
    if flags.shape[0] != n_objectives:
        raise InvalidInputError(f"`maximise` must hold one bool per objective ({n_objectives}), got {flags.shape[0]}.")
    return tuple(bool(flag) for flag in flags)


def minimised(points: npt.NDArray[Any], maximise: tuple[bool, ...]) -> npt.NDArray[Any]:
    """Return points of which every objective is to be minimised; the argument itself if nothing turns.

    Integers are turned by the bitwise complement, which reverses their order and cannot overflow: neither
    the smallest signed nor any unsigned value has a negative of its own type.
    """
    if not any(maximise):
        return points
    turned = np.array(points, order="C")
    turn = np.negative if turned.dtype.kind == "f" else np.invert
    for objective, flag in enumerate(maximise):
        if flag:
            turned[..., objective] = turn(points[..., objective])
    return turned


def point_set(
    name: str, value: npt.ArrayLike, maximise: Maximise = False, *, n_objectives: int | None = None
) -> FloatArray:
    """Return one finite set of points (n, m) as floats, every objective to be minimised.

    Raises
    ------
    InvalidInputError
        If it is not such a set, or does not have `n_objectives` columns.
    """
    points = real_array(name, value, shape="(n, m)", min_ndim=2, max_ndim=2)
    if n_objectives is not None and points.shape[1] != n_objectives:
        raise InvalidInputError(f"`{name}` must have {n_objectives} objectives, got {points.shape[1]}.")
    return minimised(points, check_maximise(maximise, points.shape[1]))


def check_reference(value: npt.ArrayLike, maximise: tuple[bool, ...]) -> FloatArray:
    """Return a finite reference point (m,) as floats, every objective to be minimised.

    Raises
    ------
    InvalidInputError
        If it is not finite or does not have one entry per objective.
    """
    reference = real_array("reference", value, shape="(m,)", min_ndim=1, max_ndim=1)
    if reference.shape[0] != len(maximise):
        raise InvalidInputError(
            f"`reference` must have one entry per objective ({len(maximise)}), got {reference.shape[0]}."
        )
    return minimised(reference, maximise)
