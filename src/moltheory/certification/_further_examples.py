"""Plans of certificates that were stored as text: their losses are read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from moltheory._core._docs import document
from moltheory.certification._certified import certified
from moltheory.certification._contrasts import with_contrasts
from moltheory.certification._kept_losses import recorded
from moltheory.certification._measured_view import costs_of
from moltheory.certification._plan import EARLIER_COLUMNS, SIMULATED, check_plan, plan_of
from moltheory.certification._shares import Shares
from moltheory.certification._statistics import PairStatistics, summaries
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import read_comparison

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["further_examples"]


@document
def further_examples(
    source: Any,
    certificate: Certificate,
    /,
    *,
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    largest_cluster: int | None = None,
    cluster_weights: str = "size",
    goal: str | Mapping[str, float] | Sequence[str] | None = None,
    simulate: int = SIMULATED,
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
    goal
        As in `Certificate.plan`.
    {simulate}
    {simulation_seed}

    Returns
    -------
    pandas.DataFrame
        The columns of `Certificate.plan`, some under their names before 0.2: ``model``, ``open``, ``hardest``, ``now``,
        ``outcome``, ``more``, ``bound``, ``bound_low``, ``bound_high``; of a goal, those of today.

    Raises
    ------
    InvalidInputError
        If the source has other models or objectives than the certificate.

    Notes
    -----
    Complexity: O(n M^2 N) time, O(M^2 N) memory, and that of `Certificate.plan`.
    """
    check_plan(goal, simulate)
    names = getattr(source, "model_names", certificate.names)
    if tuple(names) != certificate.names:
        raise InvalidInputError("`source` must hold the models of the certificate, got other names.")
    shares = Shares.from_allocation(certificate.delta_allocation)
    problem = read_comparison(
        source,
        names=certificate.names,
        costs=costs_of(certificate, shares.measured),
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
    entries = zip(problem.objectives, certificate.objectives, strict=True)
    objectives = tuple(replace(objective, name=name) for objective, name in entries)
    problem = replace(problem, objectives=objectives, maximise=certificate.maximise)
    problem, recorder = recorded(with_contrasts(problem))
    scan = problem.scan(largest_cluster, cluster_weights, unbounded=certificate.engine == "asymptotic")
    found_sums = tuple(summaries(scan))
    sample = recorder.sample(problem, certified, largest_cluster, cluster_weights)
    statistics = PairStatistics(scan.columns, found_sums, problem.objectives, shares, sample)
    plan = plan_of(certificate, statistics, goal=goal, simulate=simulate, rng=rng)
    return plan if goal is not None else plan.rename(columns=EARLIER_COLUMNS)
