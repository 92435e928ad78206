r"""Norm balls, with a projection that cannot leave them by rounding.

Let u be the unit roundoff and :math:`\eta = (2d + 16)u`. Whatever the order of its sums, a norm of d numbers that is
evaluated in floating point is off by a factor of at most :math:`1 + (d + 4)u`, l1 and l2 alike. `NormBall.inside` leaves
a point as it is only if its evaluated norm is at most :math:`r(1 - \eta)`, and moves every other one to norm
:math:`r(1 - 2\eta)`, each of whose coordinates is rounded toward 0; that norm is off by a factor of at most
:math:`1 + (d + 8)u`. Both are thus at most :math:`r(1 - (d + 8)u)`, so that a norm evaluated anywhere is at most r. To
move on to such a point y from a theta in the ball by adding :math:`p = y - \theta` costs two more roundings, of y -
theta and of theta + p, together at most :math:`4ur`: the sum is in the ball too. Derived (proof: norm-ball).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._html_repr import Shown
from moltheory._core._validation import FloatArray, check_choice, check_real

__all__ = ["NormBall"]


@dataclass(frozen=True)
@document
class NormBall(Shown):
    """Set of hypotheses of norm at most `radius`.

    Parameters
    ----------
    radius : float
        Positive.
    norm : {"l2", "l1"}
        Euclidean norm or sum of absolute values.

    {raises}

    Notes
    -----
    Complexity: O(K d) time and memory for K points.

    Examples
    --------
    >>> NormBall(2.0, norm="l1").width([[3.0, -4.0]])
    array([8.])
    """

    radius: float
    norm: str = "l2"

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", check_real("radius", self.radius, low=0.0, strict=True))
        check_choice("norm", self.norm, ("l1", "l2"))

    def size(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the norms of points (..., d)."""
        direction, largest = _unit(np.asarray(points, dtype=np.float64))
        found: FloatArray = largest[..., 0] * self._norm(direction)
        return found

    def width(self, slopes: npt.ArrayLike, /) -> FloatArray:
        """Return the largest value over the ball of the linear functions with slopes (..., d)."""
        dual = 2 if self.norm == "l2" else np.inf
        found: FloatArray = self.radius * np.linalg.norm(np.asarray(slopes), ord=dual, axis=-1)
        return found

    def inside(self, points: npt.ArrayLike, /) -> FloatArray:
        """Return the points (..., d), with those outside or within rounding of the boundary shrunk into the ball.

        Every result has a norm of at most `radius`, however it is evaluated; the proof is in the module. Points with
        coordinates that are not finite become NaN.
        """
        x = np.asarray(points, dtype=np.float64)
        margin = (2 * x.shape[-1] + 16) * 0.5 * np.finfo(np.float64).eps
        direction, largest = _unit(x)
        size = self._norm(direction)[..., None]
        # Toward 0 once more, as products with a subnormal radius are off by more than a unit of roundoff.
        least, less = (np.nextafter(self.radius * (1.0 - m), 0.0) for m in (margin, 2.0 * margin))
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            outside = ~(size <= least / largest)
        factor = np.nextafter(less / np.maximum(size, 1.0), 0.0)
        found: FloatArray = np.where(outside, np.nextafter(direction * factor, 0.0), x)
        return found

    def _norm(self, direction: FloatArray) -> FloatArray:
        found: FloatArray = np.linalg.norm(direction, ord=2 if self.norm == "l2" else 1, axis=-1)
        return found


def _unit(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return points over their largest coordinates, whose squares neither overflow nor vanish, and these (..., 1)."""
    largest = np.abs(x).max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return x / np.where(largest > 0.0, largest, 1.0), largest
