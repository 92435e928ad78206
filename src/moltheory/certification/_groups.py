"""Groups of models that a certificate cannot distinguish: a short summary of many models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._frames import frame_with_names
from moltheory._core._html_repr import Printed
from moltheory._core._validation import as_readonly
from moltheory.certification._cliques import cliques
from moltheory.certification._groups_card import groups_card
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["ModelGroups", "indistinguishable_groups"]

Bools = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class ModelGroups(Printed):
    """Partition of M models into groups of indistinguishable ones, with tiers along each objective.

    Attributes
    ----------
    certificate : Certificate
        The certificate that was summarised.
    group : (M,) ndarray of int64
        Group of each model. Groups with a sure member come first, then those with an undecided one, then the others;
        larger groups first among equals.
    tier : (M, m) ndarray of int64
        Tier of each model along each objective with data, best = 0; -1 for known costs. The first members of the tiers
        (see `leaders`) are certainly in strict order.
    leaders : tuple of tuple of int
        For each objective, the first member of each tier; empty for known costs.
    """

    certificate: Certificate
    group: IntArray
    tier: IntArray
    leaders: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for name in ("group", "tier"):
            object.__setattr__(self, name, as_readonly(getattr(self, name)))

    def __len__(self) -> int:
        return int(self.group.max()) + 1

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """Models of each group, as indices."""
        return tuple(tuple(np.flatnonzero(self.group == g).tolist()) for g in range(len(self)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per group: size, numbers by status, range of every estimate, cheapest members, all members.

        ``cheapest`` names the members that no other member dominates in the known costs: among models with
        indistinguishable losses, cost may decide. It is empty if there are no costs.
        """
        certificate = self.certificate
        names, known = np.array(certificate.names, dtype=object), ~certificate.data_dependent
        rows = []
        for g, members in enumerate(self.members):
            here = list(members)
            row: dict[str, Any] = {"group": g, "size": len(here)}
            for status in ("sure", "undecided", "excluded"):
                row[status] = int(getattr(certificate, status)[here].sum())
            for i, objective in enumerate(certificate.objectives):
                row[f"{objective} (from)"] = float(certificate.estimates[here, i].min())
                row[f"{objective} (to)"] = float(certificate.estimates[here, i].max())
            row["cheapest"] = tuple(names[_cheapest(certificate, here)].tolist()) if known.any() else ()
            row["members"] = tuple(names[here].tolist())
            rows.append(row)
        return frame_with_names(rows)

    def _card(self) -> Card:
        return groups_card(self)


def indistinguishable_groups(certificate: Certificate, /) -> ModelGroups:
    """Return groups of models whose losses a certificate cannot distinguish.

    Two models are distinguished if their boxes are disjoint in some objective with data, or if one is certified to
    dominate the other. Being indistinguishable is not transitive, so there are several partitions. In this one no two
    models of a group are distinguished, and every group is maximal among the models that earlier groups left over. A
    group starts with the model that has most indistinguishable partners; then, of the models not distinguished from any
    member, the one with most partners joins; ties go to the lower index.

    Tiers along one objective are simpler. From the best estimate to the worst, a model joins the first tier whose first
    member has a box that overlaps its own; otherwise it starts a new tier. So the first members are certainly in strict
    order, and no model is certainly worse than the first member of its tier.

    Known costs distinguish all models and are ignored in both.

    Parameters
    ----------
    certificate : Certificate

    Returns
    -------
    ModelGroups

    Raises
    ------
    InvalidInputError
        If the certificate has no objective with data.

    Notes
    -----
    Complexity: O(M^2 m) time for a few large groups or many small ones, O(M^2 (m + G)) for G groups at most; (m + 3) M^2
    bytes of memory.

    References
    ----------
    Derived (proof: groups); the groups are a greedy clique partition.

    Examples
    --------
    >>> import moltheory as mt
    >>> losses = np.zeros((500, 4))
    >>> losses[:50, :2] = losses[:250, 2:] = 1
    >>> indistinguishable_groups(mt.certify(losses)).members
    ((0, 1), (2, 3))
    """
    measured = np.flatnonzero(certificate.data_dependent)
    if measured.size == 0:
        raise InvalidInputError("`certificate` must have an objective with data, got known costs only.")
    n_models, m = certificate.estimates.shape
    low, high = certificate.boxes[:, measured, 0], certificate.boxes[:, measured, 1]
    apart = certificate.dominates.copy()
    below = []
    for k in range(measured.size):
        below.append(high[:, None, k] < low[None, :, k])
        apart |= below[k]
    apart |= apart.T
    tier = np.full((n_models, m), -1, dtype=np.int64)
    leaders: list[tuple[int, ...]] = [()] * m
    for k, i in enumerate(measured.tolist()):
        worse = below[k].T if certificate.maximise[i] else below[k]
        order = np.argsort(certificate.estimates[:, i] * (-1 if certificate.maximise[i] else 1), kind="stable")
        tier[:, i], leaders[i] = _tiers(worse, order)
    return ModelGroups(certificate, _ordered(cliques(apart), certificate), tier, tuple(leaders))


def _tiers(better: Bools, order: npt.NDArray[np.intp]) -> tuple[IntArray, tuple[int, ...]]:
    """Return tiers and their first members, from ``better[a, b]``: a is certainly better than b."""
    tier = np.full(order.size, -1, dtype=np.int64)
    leaders: list[int] = []
    for model in order.tolist():
        if tier[model] < 0:
            tier[(tier < 0) & ~better[model]] = len(leaders)
            leaders.append(model)
    return tier, tuple(leaders)


def _ordered(group: IntArray, certificate: Certificate) -> IntArray:
    """Return the groups renumbered: nearest to the front first, then larger ones first."""
    count = int(group.max()) + 1
    rank = np.where(certificate.sure, 0, np.where(certificate.excluded, 2, 1))
    best = np.full(count, 2)
    np.minimum.at(best, group, rank)
    size = np.bincount(group, minlength=count)
    places = np.empty(count, dtype=np.int64)
    places[np.lexsort((-size, best))] = np.arange(count)
    return places[group]


def _cheapest(certificate: Certificate, members: list[int]) -> list[int]:
    """Return the members whose known costs no other member dominates."""
    from moltheory.pareto import nondominated

    known = np.flatnonzero(~certificate.data_dependent)
    values = certificate.estimates[members][:, known]
    kept = nondominated(values, maximise=[certificate.maximise[i] for i in known.tolist()])
    return [model for model, keep in zip(members, kept.tolist(), strict=True) if keep]
