"""Groups of models that a certificate cannot tell apart: an answer that stays short with many models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import frozen
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["ModelGroups", "groups_not_told_apart"]

Bools = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ModelGroups:
    """A partition of M models into groups within which no two are told apart, and tiers along each objective.

    Attributes
    ----------
    certificate : Certificate
        Whose claims these are.
    group : (M,) ndarray of int64
        Group of each model; groups are ordered by their first members' places on the front: those with a sure member
        first, then undecided, then excluded ones, larger groups first among equals.
    tier : (M, m) ndarray of int64
        Tier of each model along each objective with data, best = 0; -1 for known costs. The first members of the
        tiers (see `leaders`) are certainly in this order, strictly.
    leaders : tuple of tuple of int
        For each objective, the first member of each tier; empty for known costs.
    """

    certificate: Certificate
    group: IntArray
    tier: IntArray
    leaders: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for name in ("group", "tier"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        return int(self.group.max()) + 1

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """Models of each group, as indices."""
        return tuple(tuple(np.flatnonzero(self.group == g).tolist()) for g in range(len(self)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per group: size, numbers by status, range of every estimate, cheapest members, all members.

        ``cheapest`` names the members that no other member undercuts in all known costs; members that cannot be told
        apart by their losses may as well be chosen by cost. It is empty where there are no costs.
        """
        import pandas as pd

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
        return pd.DataFrame(rows)


def groups_not_told_apart(certificate: Certificate, /) -> ModelGroups:
    """Group the models that a certificate cannot tell apart by their losses.

    Two models are told apart if their boxes are disjoint in some objective with data, or one is shown to beat the
    other. That relation's negation is not transitive, so groups are a choice; here no two models of a group are told
    apart, and every group is maximal among the models that earlier ones left over. The best connected model starts a
    group; of the models not told apart from any member, the best connected joins next; ties go to the lower index.

    A tier along one objective is simpler: going from the best estimate to the worst, a model joins the first tier from
    whose first member its box is not disjoint, else it starts a tier of its own. So first members are certainly in
    strict order, and nobody is certainly worse than the first of its tier.

    Known costs tell all models apart and are left out of both.

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
    O(M^2 m + M^2 G) for G groups.

    References
    ----------
    Derived; the groups are a greedy clique partition.

    Examples
    --------
    >>> import moltheory as mt
    >>> losses = np.zeros((500, 4))
    >>> losses[:50, :2] = losses[:250, 2:] = 1
    >>> groups_not_told_apart(mt.certify(losses)).members
    ((0, 1), (2, 3))
    """
    measured = np.flatnonzero(certificate.data_dependent)
    if measured.size == 0:
        raise InvalidInputError("`certificate` must have an objective with data, got known costs only.")
    n_models, m = certificate.estimates.shape
    low, high = certificate.boxes[:, measured, 0], certificate.boxes[:, measured, 1]
    below = high[:, None, :] < low[None, :, :]
    apart = below.any(axis=2)
    apart = apart | apart.T | certificate.beats | certificate.beats.T
    tier = np.full((n_models, m), -1, dtype=np.int64)
    leaders: list[tuple[int, ...]] = [()] * m
    for k, i in enumerate(measured.tolist()):
        worse = below[:, :, k].T if certificate.maximise[i] else below[:, :, k]
        order = np.argsort(certificate.estimates[:, i] * (-1 if certificate.maximise[i] else 1), kind="stable")
        tier[:, i], leaders[i] = _tiers(worse, order)
    return ModelGroups(certificate, _ordered(_cliques(apart), certificate), tier, tuple(leaders))


def _tiers(better: Bools, order: npt.NDArray[np.intp]) -> tuple[IntArray, tuple[int, ...]]:
    """Tiers from ``better[a, b]``: a is certainly better than b."""
    tier = np.full(order.size, -1, dtype=np.int64)
    leaders: list[int] = []
    for model in order.tolist():
        if tier[model] < 0:
            tier[(tier < 0) & ~better[model]] = len(leaders)
            leaders.append(model)
    return tier, tuple(leaders)


def _cliques(apart: Bools) -> IntArray:
    """Greedy partition into groups no two members of which are apart."""
    together = ~apart
    group = np.full(apart.shape[0], -1, dtype=np.int64)
    count = 0
    while (group < 0).any():
        candidates = group < 0
        degree = (together & candidates).sum(axis=1)
        while candidates.any():
            model = int(np.where(candidates, degree, -1).argmax())
            group[model] = count
            candidates &= together[model]
            candidates[model] = False
            degree = (together & candidates).sum(axis=1)
        count += 1
    return group


def _ordered(group: IntArray, certificate: Certificate) -> IntArray:
    """Number groups so that those nearest to the front come first, the larger first among equals."""
    count = int(group.max()) + 1
    rank = np.where(certificate.sure, 0, np.where(certificate.excluded, 2, 1))
    best = np.full(count, 2)
    np.minimum.at(best, group, rank)
    size = np.bincount(group, minlength=count)
    places = np.empty(count, dtype=np.int64)
    places[np.lexsort((-size, best))] = np.arange(count)
    return places[group]


def _cheapest(certificate: Certificate, members: list[int]) -> list[int]:
    """Members whose known costs no other member dominates."""
    from moltheory.pareto import nondominated

    known = np.flatnonzero(~certificate.data_dependent)
    values = certificate.estimates[members][:, known]
    kept = nondominated(values, maximise=[certificate.maximise[i] for i in known.tolist()])
    return [model for model, keep in zip(members, kept.tolist(), strict=True) if keep]
