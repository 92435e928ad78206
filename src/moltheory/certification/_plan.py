"""Plans: the further examples that would decide each undecided model of a certificate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._frames import frame_with_names
from moltheory._core._validation import check_count
from moltheory.certification._contrast_view import contrast_view
from moltheory.certification._hardest import Levels, Sizes, needed
from moltheory.certification._measured_view import MeasuredView, costs_of, with_blocking_costs
from moltheory.certification._pair_views import BoxView, PairView, View, WorstView
from moltheory.certification._power import OUTCOMES, cheaper_of, present_of, simulated
from moltheory.certification._promises import Promise
from moltheory.certification._shares import Shares
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

# Pairs that are worked on at a time.
_PAIRS = 2**17
# Places in a row of a plan, without its first column.
_EXPECTED, _BOUND = 4, 5


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

    Notes
    -----
    Complexity: O(n M^2 N) time, O(M^2 N) memory, and that of `Certificate.plan`.
    """
    check_count("simulate", simulate, low=0)
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
    scan = problem.scan(largest_cluster, cluster_weights, unbounded=certificate.engine == "asymptotic")
    statistics = PairStatistics(scan.columns, tuple(summaries(scan)), problem.objectives, shares)
    plan = plan_of(certificate, statistics, simulate=simulate, rng=rng)
    return plan.rename(columns=EARLIER_COLUMNS)


def plan_of(certificate: Certificate, statistics: PairStatistics, *, simulate: int, rng: int) -> pd.DataFrame:
    """Return the plan of a certificate from its statistics; see `Certificate.plan`."""
    check_count("simulate", simulate, low=0)
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    costs = certificate.estimates[:, known] * sign if known.size else np.zeros((len(certificate), 0))
    levels = _levels(certificate, statistics)
    rows: dict[int, list[Any]] = {}
    for first, second, n_rivals in _open_pairs(certificate):
        models, starts = np.unique(first, return_index=True)
        views, cheaper = _views(certificate, statistics, first, second), cheaper_of(costs, first, second)
        sizes = needed(views, cheaper, starts, n_rivals, levels)
        present = present_of([view.take(sizes.pair) for view in views])
        for k, h in enumerate(models.tolist()):
            rows[h] = _row(sizes, k, int(second[sizes.pair[k]]), float(present[k]))
    # Only the pair that is reported is simulated, of the models that need fewest.
    wanted = sorted((h for h in rows if rows[h][0] > 0), key=lambda h: (rows[h][_BOUND], h))[:simulate]
    if wanted:
        first = np.array(wanted, dtype=np.intp)
        second = np.array([rows[h][1] for h in wanted], dtype=np.intp)
        views, cheaper = _views(certificate, statistics, first, second), cheaper_of(costs, first, second)
        order, both = np.arange(first.size, dtype=np.float64), (levels.ruled_out, levels.dominance)
        more = simulated(views, cheaper, present_of(views), order, simulate, both, rng=rng)["more"]
        for h, size in zip(wanted, more.tolist(), strict=True):
            rows[h][_EXPECTED] = size
    return _framed(certificate, rows)


def _row(sizes: Sizes, k: int, rival: int, present: float) -> list[Any]:
    """Return the columns of a plan after the first one; the rival is a number."""
    n_open = int(sizes.n_open[k])
    ends = [float(size[k]) for size in (sizes.bound, sizes.low, sizes.high)]
    return [n_open, rival, present, OUTCOMES[sizes.outcome[k]], math.nan if n_open else 0.0, *ends]


def _open_pairs(certificate: Certificate) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], int]]:
    """Yield blocks of the pairs of undecided models and open rivals, each with the largest number of rivals of a model."""
    undecided = np.flatnonzero(certificate.undecided)
    counts = np.count_nonzero(certificate.open_rivals[undecided], axis=1)
    # Where none is noted, as in old texts, all that are not excluded are.
    counts[counts == 0] = np.count_nonzero(~certificate.excluded) - 1
    # Models of about the same number share the failure probability of a plan in the same way.
    bins = 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64)
    for size in np.unique(bins).tolist():
        models = undecided[(bins == size) & (counts > 0)]
        step = max(_PAIRS // size, 1)
        for start in range(0, models.size, step):
            rivals = [_rivals(certificate, h) for h in models[start : start + step].tolist()]
            first = np.repeat(models[start : start + step], [found.size for found in rivals])
            yield first, np.concatenate(rivals), int(size)


def _rivals(certificate: Certificate, h: int) -> npt.NDArray[np.intp]:
    """Return the open rivals of a model."""
    noted = np.flatnonzero(certificate.open_rivals[h])
    if noted.size:
        return noted
    kept = ~certificate.excluded
    kept[h] = False
    return np.flatnonzero(kept)


def _views(
    certificate: Certificate, statistics: PairStatistics, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> list[View]:
    """Return the view of the pairs in each estimated objective, minimised."""
    views: list[View] = []
    for i, objective in enumerate(statistics.objectives):
        if objective.values is not None:
            continue
        if objective.measured is not None:
            views.append(MeasuredView.of(certificate, i, first, second))
        elif objective.forms is not None and statistics.shares.tested:
            views.append(
                contrast_view(
                    certificate.estimates[:, i],
                    objective.forms,
                    [_pairs(statistics.summaries[c]) for c in objective.columns],
                    objective.loss_range,
                    first,
                    second,
                    n=max(statistics.columns[c].n_units for c in objective.columns),
                    level=_levels(certificate, statistics).dominance,
                    maximise=certificate.maximise[i],
                )
            )
        elif objective.testable and statistics.shares.tested:
            span = 0.0 if certificate.engine == "asymptotic" else 2.0
            pairs = [_pairs(statistics.summaries[c]) for c in objective.columns]
            parts = [PairView.of(pair, first, second, span=span) for pair in pairs]
            turned = [part.negated() if certificate.maximise[i] else part for part in parts]
            views.append(turned[0] if len(turned) == 1 else WorstView(tuple(turned)))
        else:
            n = max((statistics.columns[c].n_units for c in objective.columns), default=objective.n_measured)
            turn = -1.0 if certificate.maximise[i] else 1.0
            estimate = turn * certificate.estimates[:, i]
            box = np.sort(turn * certificate.boxes[:, i], axis=1)
            delta, tight = statistics.shares.boxes / len(certificate), len(objective.columns) < 2
            views.append(BoxView.of(estimate, box, n, first, second, delta=delta, tight=tight))
    return views


def _pairs(summary: PairCounts | Moments) -> PairCounts | PairMoments:
    return summary.pairs if isinstance(summary, Moments) else summary


def _levels(certificate: Certificate, statistics: PairStatistics) -> Levels:
    """Return the planned levels of a model's tests, less the deductions of inspection and of `_p_values`.

    The objectives share the level of a model to rule out a rival; the rivals share it to dominate the model.
    """
    size = len(certificate)
    promise = Promise(certificate.error, certificate.dependence, certificate.verdicts)
    each = promise.level(statistics.shares.verdicts or certificate.delta, size)
    tested = sum(objective.tested for objective in statistics.objectives)
    return Levels(_kept(statistics, each / max(tested, 1)), _kept(statistics, each / max(size - 1, 1)))


def _kept(statistics: PairStatistics, level: float) -> float:
    """Return the least that the columns keep of a level."""
    levels = [level]
    for column in statistics.columns:
        kept, price = column.kept_level(-math.log(level))
        levels.append(kept * (level - price) * (1.0 if column.binary else 0.5))
    return min(levels)


def _framed(certificate: Certificate, rows: dict[int, list[Any]]) -> pd.DataFrame:
    """Return one row per undecided model, of those whose columns after the first one are given."""
    none = [0, -1, math.nan, OUTCOMES[-1], *([math.inf] * 4)]
    found = []
    for h in np.flatnonzero(certificate.undecided).tolist():
        n_open, rival, *others = rows.get(h, none)
        found.append((certificate.names[h], n_open, certificate.names[rival] if rival >= 0 else None, *others))
    frame = frame_with_names(found, columns=list(_TYPES))
    # Columns of an empty frame have no type of their own.
    typed = frame if len(frame) else frame.astype(_TYPES)
    typed = typed.sort_values("sufficient_additional", kind="stable", ignore_index=True)
    return with_blocking_costs(typed, certificate)
