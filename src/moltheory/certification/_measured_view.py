"""A measured cost in a plan: further examples do not narrow its intervals, so where they overlap it stays open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.evaluation import Measured

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["MeasuredView", "costs_of", "with_blocking_costs"]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MeasuredView:
    """One measured cost, minimised, seen by pairs (p,): a `View` that examples leave as it is.

    `better` (2, p): whether the interval of the first, and of the second, lies below the other's.
    """

    gap: FloatArray
    better: Bools

    @classmethod
    def of(cls, certificate: Certificate, index: int, first: Indices, second: Indices) -> MeasuredView:
        """Return the view of pairs in one measured cost of a certificate."""
        turn = -1.0 if certificate.maximise[index] else 1.0
        estimate = turn * certificate.estimates[:, index]
        low, high = np.sort(turn * certificate.boxes[:, index], axis=1).T
        better = np.stack([high[first] <= low[second], high[second] <= low[first]])
        # Equal points: neither is better.
        return cls(estimate[second] - estimate[first], better & ~better.all(axis=0))

    @property
    def n(self) -> FloatArray:
        """No examples."""
        return np.zeros_like(self.gap)

    def take(self, rows: Indices) -> MeasuredView:
        """Return the same cost for some of the pairs."""
        return MeasuredView(self.gap[rows], self.better[:, rows])

    def growths(self, shift: float, level: float, power: float) -> FloatArray:
        """Return 0 where the intervals decide, else infinity, (2, p)."""
        return np.where(self.better, 0.0, np.inf)


def costs_of(certificate: Certificate, spent: float) -> dict[str, FloatArray | Measured] | None:
    """Return the costs of a certificate as `certify` takes them; `spent` is the share of its measured ones."""
    found: dict[str, FloatArray | Measured] = {}
    for i in np.flatnonzero(~certificate.data_dependent | certificate.measured).tolist():
        value = certificate.estimates[:, i]
        low, high = certificate.boxes[:, i].T
        share = spent / int(certificate.measured.sum()) if certificate.measured[i] else 0.0
        found[certificate.objectives[i]] = Measured(value, low, high, delta=share) if share else value
    return found or None


def with_blocking_costs(plan: pd.DataFrame, certificate: Certificate) -> pd.DataFrame:
    """Return a plan that names, where no number of examples suffices, the measured costs that stay open.

    The column ``blocked_by`` holds the names of those whose intervals overlap with the hardest rival's, None if there
    is none; it is added for certificates with measured costs only.
    """
    measured = np.flatnonzero(certificate.measured)
    if not measured.size:
        return plan
    place = {name: h for h, name in enumerate(certificate.names)}
    found: list[str | None] = []
    sizes = plan["sufficient_additional"].to_numpy(dtype=np.float64)
    for name, rival, size in zip(plan["model"], plan["hardest_rival"], sizes, strict=True):
        names: list[str] = []
        if rival in place and np.isinf(size):
            pair = np.array([place[name]]), np.array([place[rival]])
            views = {certificate.objectives[i]: MeasuredView.of(certificate, i, *pair) for i in measured.tolist()}
            names = [title for title, view in views.items() if not view.better.any()]
        found.append(", ".join(names) or None)
    plan["blocked_by"] = np.array(found, dtype=object)
    return plan
