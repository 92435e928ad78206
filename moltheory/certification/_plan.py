"""Plans: the further examples that would decide each undecided model of a certificate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._frames import frame_with_names
from moltheory._core._validation import FloatArray, check_count
from moltheory.certification._contrast_view import contrast_view
from moltheory.certification._hardest import Hardest
from moltheory.certification._measured_view import MeasuredView, costs_of, with_blocking_costs
from moltheory.certification._pair_views import BoxView, PairView, View, WorstView
from moltheory.certification._power import OUTCOMES, cheaper_of, present_of, simulated, total_of
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

# Pairs that are worked on at a time.
_PAIRS = 2**17


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
    hardest = Hardest(certificate.undecided)
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    costs = certificate.estimates[:, known] * sign if known.size else np.zeros((len(certificate), 0))
    level = _level(certificate, statistics)
    # All claims that decide a model against its rivals are needed.
    n_objectives = int((certificate.data_dependent & ~certificate.measured).sum())
    power = 1.0 - (1.0 - _POWER) / (n_objectives * max(int((~certificate.excluded).sum()) - 1, 1))
    for first, second in _open_pairs(certificate):
        hardest.add(
            _views(certificate, statistics, first, second),
            first,
            second,
            cheaper_of(costs, first, second),
            level=level,
            power=power,
            overestimated=_OVERESTIMATED,
        )
    expected = np.where(hardest.n_open > 0, np.nan, 0.0)
    bounds = _per_model(hardest, expected, certificate)
    # Only the pair that needs most examples is reported, so only that one is simulated.
    place = {name: h for h, name in enumerate(certificate.names)}
    rows = bounds["n_open_rivals"] > 0
    pairs = [[place[name] for name in bounds.loc[rows, column]] for column in ("model", "hardest_rival")]
    if not rows.any() or simulate == 0:
        return bounds
    first, second = np.array(pairs, dtype=np.intp)
    views, cheaper = _views(certificate, statistics, first, second), cheaper_of(costs, first, second)
    present = present_of(views)
    total = total_of(views, cheaper, present, level=level, shift=0.0, power=power)
    more = simulated(views, cheaper, present, total, simulate, level, rng=rng)["more"]
    runs = {
        frozenset((int(first[row]), int(second[row]))): float(more[row])
        for row in np.argsort(total, kind="stable").tolist()
    }
    for model in np.flatnonzero(hardest.n_open).tolist():
        expected[model] = runs[frozenset((model, int(hardest.rival[model])))]
    return _per_model(hardest, expected, certificate)


def _open_pairs(certificate: Certificate) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Yield blocks of the pairs of an undecided model with one that is not excluded, each pair once."""
    kept = np.flatnonzero(~certificate.excluded)
    sure, firsts, seconds, held = certificate.sure[kept], [], [], 0
    for h in np.flatnonzero(certificate.undecided).tolist():
        rivals = kept[(kept > h) | (sure & (kept < h))]
        firsts.append(np.full(rivals.size, h))
        seconds.append(rivals)
        held += rivals.size
        if held >= _PAIRS:
            yield np.concatenate(firsts), np.concatenate(seconds)
            firsts, seconds, held = [], [], 0
    if held:
        yield np.concatenate(firsts), np.concatenate(seconds)


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
                    level=_level(certificate, statistics),
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
    """Return the strictest planned level of a model's tests, less the deductions of inspection and of `_p_values`."""
    size = len(certificate)
    promise = Promise(certificate.error, certificate.dependence, certificate.verdicts)
    each = promise.level(statistics.shares.verdicts or certificate.delta, size)
    tested = sum(objective.tested for objective in statistics.objectives)
    level = each / max(size - 1, tested, 1)
    levels = [level]
    for column in statistics.columns:
        kept, price = column.kept_level(-math.log(level))
        levels.append(kept * (level - price) * (1.0 if column.binary else 0.5))
    return min(levels)


def _per_model(hardest: Hardest, expected: FloatArray, certificate: Certificate) -> pd.DataFrame:
    """Return one row per undecided model; the open rivals are those that need more examples."""
    found = []
    for h in np.flatnonzero(certificate.undecided).tolist():
        rival = int(hardest.rival[h])
        if rival < 0:
            found.append((certificate.names[h], 0, None, math.nan, OUTCOMES[-1], *([math.inf] * 4)))
            continue
        sizes = (expected[h], hardest.bound[h], hardest.low[h], hardest.high[h])
        found.append(
            (
                certificate.names[h],
                int(hardest.n_open[h]),
                certificate.names[rival],
                float(hardest.present[h]),
                OUTCOMES[hardest.outcome[h]],
                *(float(size) for size in sizes),
            )
        )
    frame = frame_with_names(found, columns=list(_TYPES))
    # Columns of an empty frame have no type of their own.
    typed = frame if len(frame) else frame.astype(_TYPES)
    typed = typed.sort_values("sufficient_additional", kind="stable", ignore_index=True)
    return with_blocking_costs(typed, certificate)
