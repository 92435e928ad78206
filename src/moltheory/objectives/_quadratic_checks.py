"""Checks of what quadratic objectives are made of: shapes, symmetry, positive semidefiniteness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError

__all__ = ["check_semidefinite", "shaped", "symmetric"]

# Rounding allowed in symmetry and positive semidefiniteness, relative to the largest entry.
_ROUNDING = 1e-10


def symmetric(curvature: npt.ArrayLike) -> FloatArray:
    """Return the curvature, with rounding in its symmetry removed."""
    shape = "(*batch, N, d, d)"
    matrices = real_array("curvature", curvature, shape=shape, min_ndim=3)
    if matrices.shape[-1] != matrices.shape[-2]:
        raise InvalidInputError(f"`curvature` must have shape {shape}, got shape {matrices.shape}.")
    turned = np.swapaxes(matrices, -1, -2)
    if np.array_equal(matrices, turned):
        return matrices
    gap = float(np.abs(matrices - turned).max())
    if gap > _ROUNDING * float(np.abs(matrices).max()):
        raise InvalidInputError(f"`curvature` must be symmetric, got entries that differ by {gap:g}.")
    mean: FloatArray = 0.5 * (matrices + turned)
    return mean


def shaped(name: str, value: npt.ArrayLike, shape: tuple[int, ...], *, exact: bool = False) -> FloatArray:
    """Return `value` as an array of a shape, or one that broadcasts to it."""
    array = real_array(name, value, shape=f"{shape}", min_ndim=0)
    if array.shape == shape:
        return array
    try:
        wide = array + np.zeros(shape[-2:])
        fits = not exact and (wide.shape == shape[-2:] or np.broadcast_shapes(wide.shape, shape) == shape)
    except ValueError:
        fits = False
    if not fits:
        raise InvalidInputError(f"`{name}` must have shape {shape} to fit `curvature`, got shape {array.shape}.")
    return wide


def check_semidefinite(name: str, matrices: FloatArray, *, border: bool = False) -> None:
    """Refuse matrices that are not positive semidefinite, up to rounding; the last row may have a unit of its own."""
    size = matrices.shape[-1] - border
    # In units of the largest diagonal entry, as a small one may be what rounding left of a difference.
    diagonal = np.diagonal(matrices, axis1=-2, axis2=-1).copy()
    diagonal[..., :size] = diagonal[..., :size].max(axis=-1, keepdims=True)
    diagonal[diagonal <= 0.0] = 1.0
    lifted = matrices.copy()
    np.einsum("...ii->...i", lifted)[...] += _ROUNDING * matrices.shape[-1] * diagonal
    try:
        np.linalg.cholesky(lifted)
    except np.linalg.LinAlgError:
        if border:
            # The curvature may be what is wrong.
            check_semidefinite("curvature", np.ascontiguousarray(matrices[..., :size, :size]))
        rule = "leave every objective nonnegative" if border else "be positive semidefinite"
        scale = 1.0 / np.sqrt(diagonal)
        smallest = float(np.linalg.eigvalsh(matrices * scale[..., :, None] * scale[..., None, :])[..., 0].min())
        raise InvalidInputError(
            f"`{name}` must {rule}, got a smallest relative eigenvalue of {smallest:.1e}."
        ) from None
