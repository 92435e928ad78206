"""Covariances and second moments of Gaussian samples."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

__all__ = ["cholesky_factors", "standard_moments"]

# A covariance is collinear if, scaled to correlations, an eigenvalue is below this.
_COLLINEAR = 1e-12


def cholesky_factors(name: str, matrices: FloatArray, *, each: str = "task") -> FloatArray:
    """Return the lower triangular roots of covariances (..., d, d); refuse what is not symmetric positive definite."""
    gap = float(np.abs(matrices - np.swapaxes(matrices, -1, -2)).max())
    if gap > 1e-10 * float(np.abs(matrices).max()):
        raise InvalidInputError(f"`{name}` must be symmetric, got entries that differ by {gap:g}.")
    variances = np.diagonal(matrices, axis1=-2, axis2=-1)
    smallest = np.min(variances, axis=-1)
    scale = np.sqrt(np.where(smallest[..., None] > 0.0, variances, 1.0))
    correlations = np.linalg.eigvalsh(matrices / (scale[..., :, None] * scale[..., None, :]))[..., 0]
    smallest = np.where(smallest > 0.0, correlations, smallest)
    if (smallest < _COLLINEAR).any():
        one = f"{each} {int(np.argmin(smallest))} with a" if smallest.ndim else "a"
        raise InvalidInputError(
            f"`{name}` must be positive definite, got {one} smallest eigenvalue of {smallest.min():.1e} of the "
            f"correlations: drop collinear features, or add a small multiple of the identity."
        )
    return np.asarray(np.linalg.cholesky(matrices), dtype=np.float64)


def standard_moments(rng: np.random.Generator, n: int, replicates: int, width: int) -> FloatArray:
    """Draw second moments Z'Z / n (R, width, width) of n standard normal rows, from their triangular factors.

    M. S. Bartlett (1933): the factor has independent entries, standard normal below the diagonal and chi on it.
    """
    columns = min(width, n)
    below = np.tril_indices(width, -1)
    kept = below[1] < columns
    diagonal = np.arange(columns)
    factor = np.zeros((replicates, width, columns))
    factor[:, diagonal, diagonal] = np.sqrt(rng.chisquare(n - diagonal, (replicates, columns)))
    factor[:, below[0][kept], below[1][kept]] = rng.standard_normal((replicates, int(kept.sum())))
    found: FloatArray = factor @ np.swapaxes(factor, -1, -2) / n
    return found
