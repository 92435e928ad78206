"""Groups of models of which nothing distinguishes any two: greedy cliques."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["cliques", "groups_among"]

Bools = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def groups_among(certificate: Certificate, rows: npt.NDArray[np.intp]) -> list[list[int]]:
    """Return groups of some models, as in `indistinguishable_groups`, the best in the first objective with data first."""
    measured = np.flatnonzero(certificate.data_dependent)
    apart = certificate.dominates[np.ix_(rows, rows)]
    for i in measured.tolist():
        low, high = certificate.boxes[rows, i].T
        apart |= high[:, None] < low[None, :]
    group = cliques(apart | apart.T)
    lead = measured[0] if measured.size else 0
    value = certificate.estimates[:, lead] * (-1.0 if certificate.maximise[lead] else 1.0)
    found = [rows[group == g] for g in range(int(group.max()) + 1)]
    ordered = [sorted(members.tolist(), key=lambda h: (value[h], h)) for members in found]
    return sorted(ordered, key=lambda members: (float(value[members].mean()), members))


def cliques(apart: Bools) -> IntArray:
    """Return a greedy partition into groups of which no two members are distinguished."""
    together = ~apart
    group = np.full(apart.shape[0], -1, dtype=np.int64)
    left = np.arange(group.size)
    # Numbers of partners among the models that are left, and among the candidates for the present group.
    partners = np.count_nonzero(together, axis=1)
    count = 0
    while left.size:
        candidates, degree = left, partners[left]
        while candidates.size:
            model = int(candidates[degree.argmax()])
            group[model] = count
            stays = together[model, candidates] & (candidates != model)
            gone, candidates, degree = candidates[~stays], candidates[stays], degree[stays]
            degree = degree - _partners(together, candidates, gone)
        members = left[group[left] == count]
        left = left[group[left] < 0]
        partners[left] -= _partners(together, left, members)
        count += 1
    return group


def _partners(together: Bools, models: npt.NDArray[np.intp], among: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return how many of some models are not distinguished from each model."""
    return np.asarray(np.count_nonzero(together[np.ix_(models, among)], axis=1))
