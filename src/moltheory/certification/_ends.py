"""The ends of the boxes of a certificate, smaller is better, narrowed by what is known about pairs of models.

A model that certainly dominates another one is no worse in any objective, so its worst end is at most the other's, and
the other's best end at least its own. `dominates` holds together with the boxes, whatever was promised about verdicts,
so this costs nothing (proof: after-looking).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["certainly_dominated", "certainly_on_front", "ends_of", "signs_of"]


def signs_of(certificate: Certificate) -> FloatArray:
    """Return -1 for each maximised objective and 1 for the others, (m,)."""
    return np.where(certificate.maximise, -1.0, 1.0)


def ends_of(certificate: Certificate) -> tuple[FloatArray, FloatArray]:
    """Return the best and the worst value that each model may have, (M, m) each, smaller is better."""
    boxes = certificate.boxes * signs_of(certificate)[:, None]
    best, worst = boxes.min(axis=2), boxes.max(axis=2)
    above = certificate.dominates
    for h in np.flatnonzero(above.any(axis=0)).tolist():
        best[h] = np.maximum(best[h], boxes[above[:, h]].min(axis=2).max(axis=0))
    for b in np.flatnonzero(above.any(axis=1)).tolist():
        worst[b] = np.minimum(worst[b], boxes[above[b]].max(axis=2).min(axis=0))
    return best, worst


def certainly_dominated(certificate: Certificate) -> npt.NDArray[np.bool_]:
    """Return which models are not on the front, by claims that all hold at once, (M,)."""
    if certificate.error == "any":
        return certificate.excluded
    return np.asarray(certificate.dominates.any(axis=0))


def certainly_on_front(certificate: Certificate) -> npt.NDArray[np.bool_]:
    """Return which models are on the front, by claims that all hold at once, (M,); none with a tolerance."""
    alone = certificate._witnesses()[1]
    return alone & ~certificate.epsilon.any()
