r"""Where the true front of two objectives lies for certain, and staircases as the corners of a line.

**The band.** Write :math:`L_h` for the true point of model h (all objectives minimised), :math:`l_h \le L_h \le u_h` for the
best and the worst corner of its box, K for the models that are not certainly dominated, and U(S) for the points that some
point of S equals or dominates weakly. On the event that all boxes and all claims of dominance hold, which has probability
at least 1 - delta, the region :math:`D = U(\{L_h\})` of what the models achieve satisfies

.. math:: U(\{u_h : h\}) \subseteq D \subseteq U(\{l_h : h \in K\}).

*Proof.* :math:`L_h \le u_h` gives the first inclusion. A certainly dominated model has its true point in U of its
dominator's; dominance is transitive and has no circles, so following it ends at a model of K, and D = U({L_h : h in K}).
Now :math:`l_h \le L_h` gives the second inclusion. ∎

The boundary of D is the true front, drawn as a staircase. It lies in D, thus in U of the best corners, and it does not meet
the interior of D, thus not that of U of the worst corners: the whole staircase, every member of the true front included,
lies between the two staircases of corners. With ``error="any"`` the verdicts hold on the same event and an excluded model
is dominated by one of the front, so K is the set of models that are not excluded. With known costs the boxes are
segments, and with infinite ends the band reaches to the edge of the panel. (Derived; the same argument bounds the
hypervolume; proof: front-band.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["certain_band", "has_boxes", "possible", "stairs"]


def certain_band(certificate: Certificate) -> tuple[FloatArray, FloatArray]:
    """Return corners of boxes between whose staircases the true front lies with probability 1 - delta.

    Returns
    -------
    best, worst : (k, m) ndarray and (M, m) ndarray
        Best corners of the models that may be on the front, worst corners of all models, in the caller's units; infinite
        where a measured cost has no end.
    """
    up = np.asarray(certificate.maximise)
    low, high = certificate.boxes[:, :, 0], certificate.boxes[:, :, 1]
    return np.where(up, high, low)[possible(certificate)], np.where(up, low, high)


def possible(certificate: Certificate) -> npt.NDArray[np.bool_]:
    """Return which models may be on the front, (M,), as far as claims go that hold together with the boxes."""
    found = ~(certificate.excluded if certificate.error == "any" else certificate.dominates.any(axis=0))
    # Some model is on the front; a certificate that was put together otherwise excludes nothing.
    return np.asarray(found if found.any() else np.ones_like(found))


def has_boxes(certificate: Certificate) -> bool:
    """Whether some estimate has a box that is neither a point nor the whole range because nothing was spent on it."""
    spent = any("box" in family and share > 0 for family, share in certificate.delta_allocation)
    return bool(certificate.data_dependent.any() and (spent or certificate.measured.any()))


def stairs(points: FloatArray, maximise: npt.ArrayLike, best: FloatArray, worst: FloatArray) -> FloatArray:
    """Return the corners (q, 2) of the boundary of what some points in two objectives dominate, inside a panel.

    Parameters
    ----------
    points : (k, 2) ndarray
        In the caller's units; dominated ones do not matter. Infinite values lie on the edge.
    maximise : (2,) array_like of bool
    best, worst : (2,) ndarray
        Edges of the panel, on the better and on the worse side.

    Notes
    -----
    The line begins at the worst value of the second objective and ends at the worst value of the first.

    Complexity: O(k log k).
    """
    sign = np.where(np.asarray(maximise), -1.0, 1.0)
    low, high = sign * best, sign * worst
    inside = np.clip(sign * points, low, high)
    order = np.lexsort((inside[:, 1], inside[:, 0]))
    x, y = inside[order].T
    lowest = np.minimum.accumulate(y)
    kept = np.concatenate([[True], lowest[1:] < lowest[:-1]])
    x, y = x[kept], y[kept]
    across = np.concatenate([np.repeat(x, 2), [high[0]]])
    along = np.concatenate([[high[1]], np.repeat(y, 2)])
    return np.asarray(sign * np.column_stack([across, along]))
