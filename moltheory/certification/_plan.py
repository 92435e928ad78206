"""Plans: the further examples that would decide each undecided model of a certificate."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_count
from moltheory.certification._decisions import Family, Shares
from moltheory.certification._pair_views import BoxView, PairView, View, WorstView
from moltheory.certification._power import OUTCOMES, plan_pairs
from moltheory.certification._statistics import Moments, PairStatistics, summaries
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import read_comparison
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["EARLIER_COLUMNS", "further_examples", "plan_of"]

# Pairs that are simulated; the others get a bound only.
_SIMULATED = 60
_POWER = 0.8
# Probability that a gap is overestimated by `sufficient_additional_high`.
_OVERESTIMATED = 0.16
_SIZES = {
    "more": "expected_additional",
    "bound": "sufficient_additional",
    "bound_low": "sufficient_additional_low",
    "bound_high": "sufficient_additional_high",
}
_TYPES = {"model": "str", "n_open_rivals": "int64", "hardest_rival": "str", "n_common": "float64", "outcome": "str"}
_TYPES |= dict.fromkeys(_SIZES.values(), "float64")
# Names of columns before 0.2, which `further_examples` keeps.
EARLIER_COLUMNS = {"n_open_rivals": "open", "hardest_rival": "hardest", "n_common": "now"} | {
    v: k for k, v in _SIZES.items()
}

Pairs = Sequence[tuple[int, int]]


@document
def further_examples(
    source: Any,
    certificate: Certificate,
    /,
    *,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
    simulate: int = _SIMULATED,
    rng: int = 0,
) -> pd.DataFrame:
    """Return `Certificate.plan` for a certificate without statistics, by reading its losses again.

    This is for certificates that were stored as JSON. What `certify` returns carries all that a plan needs: use
    ``certificate.plan()``.

    Parameters
    ----------
    source : LossTable, source of blocks, (n, M) or (n, M, N) array_like
        The losses that were certified; an array only if there are no clusters. They are read twice.
    certificate : Certificate
        The certificate of these losses.
    loss_range, largest_cluster, cluster_weights
        As given to `certify`.
    {simulate}
    {simulation_seed}

    Returns
    -------
    pandas.DataFrame
        The columns of `Certificate.plan` under their names before 0.2: ``model``, ``open``, ``hardest``, ``now``,
        ``outcome``, ``more``, ``bound``, ``bound_low``, ``bound_high``.

    Raises
    ------
    InvalidInputError
        If the source has other models or objectives than the certificate.
    """
    check_count("simulate", simulate, low=0)
    names = getattr(source, "model_names", certificate.names)
    if tuple(names) != certificate.names:
        raise InvalidInputError("`source` must hold the models of the certificate, got other names.")
    known = certificate.estimates[:, ~certificate.data_dependent]
    labels = [o for o, data in zip(certificate.objectives, certificate.data_dependent, strict=True) if not data]
    problem = read_comparison(
        source,
        names=certificate.names,
        costs=dict(zip(labels, known.T, strict=True)) if labels else None,
        loss_range=loss_range,
        largest_cluster=largest_cluster,
        cluster_weights=cluster_weights,
    )
    estimated = int(certificate.data_dependent.sum())
    found = int(problem.data_dependent.sum())
    if found != estimated or len(problem.objectives) != len(certificate.objectives):
        raise InvalidInputError(
            f"`source` must hold the {estimated} estimated objectives of the certificate, got {found}."
        )
    scan = problem.scan(largest_cluster, cluster_weights)
    spent = {Family(name): share for name, share in certificate.delta_allocation}
    shares = Shares(*(spent.get(family, 0.0) for family in Family))
    statistics = PairStatistics(scan.columns, tuple(summaries(scan)), problem.objectives, shares)
    plan = plan_of(certificate, statistics, simulate=simulate, rng=rng)
    return plan.rename(columns=EARLIER_COLUMNS)


def plan_of(certificate: Certificate, statistics: PairStatistics, *, simulate: int, rng: int) -> pd.DataFrame:
    """Return the plan of a certificate from its statistics; see `Certificate.plan`."""
    check_count("simulate", simulate, low=0)
    undecided = np.flatnonzero(certificate.undecided)
    kept = np.flatnonzero(~certificate.excluded)
    which = [(h, r) for h in undecided.tolist() for r in kept.tolist() if r > h or (r < h and certificate.sure[r])]
    if not which:
        return _per_model([], certificate)
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    costs = certificate.estimates[:, known] * sign if known.size else np.zeros((len(certificate), 0))
    level = _level(certificate, statistics)
    # All claims that decide a model against its rivals are needed.
    n_objectives = int(certificate.data_dependent.sum())
    power = 1.0 - (1.0 - _POWER) / (n_objectives * max(kept.size - 1, 1))

    def plan(chosen: Pairs, simulated: int) -> list[dict[Hashable, Any]]:
        first, second = np.array(chosen, dtype=np.intp).T
        frame = plan_pairs(
            _views(certificate, statistics, first, second),
            first,
            second,
            costs=costs,
            names=certificate.names,
            level=level,
            power=power,
            overestimated=_OVERESTIMATED,
            simulate=simulated,
            rng=rng,
        )
        return frame.to_dict("records")

    bounds = _per_model(plan(which, 0), certificate)
    # Only the pair that needs most examples is reported, so only that one is simulated.
    place = {name: h for h, name in enumerate(certificate.names)}
    open_rows = np.flatnonzero(bounds["n_open_rivals"] > 0)
    hardest = [(place[bounds["model"][i]], place[bounds["hardest_rival"][i]]) for i in open_rows]
    if not hardest or simulate == 0:
        return bounds
    runs = {frozenset((row["model"], row["rival"])): row["more"] for row in plan(hardest, simulate)}
    pairs = zip(bounds["model"], bounds["hardest_rival"], bounds["expected_additional"], strict=True)
    bounds["expected_additional"] = [runs.get(frozenset((h, r)), otherwise) for h, r, otherwise in pairs]
    return bounds


def _views(
    certificate: Certificate, statistics: PairStatistics, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> list[View]:
    """Return the view of the pairs in each estimated objective, minimised."""
    views: list[View] = []
    for i, objective in enumerate(statistics.objectives):
        if objective.values is not None:
            continue
        if objective.testable and statistics.shares.exclusions > 0.0:
            parts = [PairView.of(_pairs(statistics.summaries[c]), first, second) for c in objective.columns]
            turned = [part.negated() if certificate.maximise[i] else part for part in parts]
            views.append(turned[0] if len(turned) == 1 else WorstView(tuple(turned)))
        else:
            n = max((statistics.columns[c].n_units for c in objective.columns), default=certificate.n_examples)
            turn = -1.0 if certificate.maximise[i] else 1.0
            estimate = turn * certificate.estimates[:, i]
            box = np.sort(turn * certificate.boxes[:, i], axis=1)
            delta, tight = statistics.shares.boxes / len(certificate), len(objective.columns) < 2
            views.append(BoxView.of(estimate, box, n, first, second, delta=delta, tight=tight))
    return views


def _pairs(summary: PairCounts | Moments) -> PairCounts | PairMoments:
    return summary.pairs if isinstance(summary, Moments) else summary


def _level(certificate: Certificate, statistics: PairStatistics) -> float:
    """Return the level of the first step of Holm's procedures, less the deductions of inspection and `_p_values`."""
    size = len(certificate)
    exclusions, members = (
        share if share > 0.0 else certificate.delta
        for share in (statistics.shares.exclusions, statistics.shares.members)
    )
    planned = exclusions / (size * (size - 1))
    tested = sum(objective.values is None for objective in statistics.objectives)
    level = min(planned, members / (size * tested))
    levels = [level]
    for column in statistics.columns:
        kept, price = column.kept_level(-math.log(planned))
        levels.append(kept * (level - price) * (1.0 if column.binary else 0.5))
    return min(levels)


def _per_model(rows: list[dict[Hashable, Any]], certificate: Certificate) -> pd.DataFrame:
    """Return one row per undecided model, from rows of pairs; the open rivals are those that need more examples."""
    import pandas as pd

    found = []
    for h in np.flatnonzero(certificate.undecided).tolist():
        name = certificate.names[h]
        mine = [row for row in rows if name in (row["model"], row["rival"])]
        n_open = sum(row["bound"] != 0.0 for row in mine)
        if not mine:
            found.append((name, 0, None, math.nan, OUTCOMES[-1], *([math.inf] * len(_SIZES))))
            continue
        hardest = max(mine, key=lambda row: float(row["bound"]))
        rival = hardest["rival"] if hardest["model"] == name else hardest["model"]
        outcome = str(hardest["outcome"])
        if hardest["model"] != name and outcome != "neither dominates":
            outcome = {"model dominates": "rival dominates", "rival dominates": "model dominates"}.get(outcome, outcome)
        sizes = {column: float(hardest[key]) for key, column in _SIZES.items()}
        # All rivals have to be decided, and the largest limit covers the one that truly needs most.
        highs = [float(row["bound_high"]) for row in mine if row["bound"] != 0.0]
        sizes["sufficient_additional_high"] = max(highs, default=0.0)
        if n_open == 0:
            sizes["expected_additional"] = 0.0
        found.append((name, n_open, rival, hardest["examples"], outcome, *sizes.values()))
    frame = pd.DataFrame(found, columns=list(_TYPES))
    # Columns of an empty frame have no type of their own.
    typed = frame if len(frame) else frame.astype(_TYPES)
    return typed.sort_values("sufficient_additional", kind="stable", ignore_index=True)
