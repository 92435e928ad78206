"""Plans: the further examples that would decide each undecided model of a certificate, or reach a goal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._frames import frame_with_names
from moltheory._core._validation import FloatArray, check_count
from moltheory.certification._hardest import Sizes, needed
from moltheory.certification._measured_view import with_blocking_costs
from moltheory.certification._plan_goal import Goal, read_goal
from moltheory.certification._plan_pairs import open_pairs, planned_levels, views_of
from moltheory.certification._plan_runs import simulated_curves
from moltheory.certification._power import OUTCOMES, cheaper_of, present_of
from moltheory.certification._statistics import PairStatistics
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification._certificate import Certificate

__all__ = ["EARLIER_COLUMNS", "SIMULATED", "check_plan", "plan_of"]

# Runs per size.
SIMULATED = 60
_SIZES = {
    "more": "expected_additional",
    "bound": "sufficient_additional",
    "bound_low": "sufficient_additional_low",
    "bound_high": "sufficient_additional_high",
}
_TYPES = {"model": "str", "n_open_rivals": "int64", "hardest_rival": "str", "n_common": "float64", "outcome": "str"}
_TYPES |= dict.fromkeys(_SIZES.values(), "float64")
# Further numbers from simulations.
_SIMULATED_SIZES = ("additional_80", "additional_80_low", "additional_80_high", "additional_95", "simulated_up_to")
_TYPES |= dict.fromkeys(_SIMULATED_SIZES, "float64")
_FROM_RUNS = (_SIZES["more"], *_SIMULATED_SIZES)
# Names of columns before 0.2, which `further_examples` keeps.
EARLIER_COLUMNS = {"n_open_rivals": "open", "hardest_rival": "hardest", "n_common": "now"} | {
    v: k for k, v in _SIZES.items()
}

# Standard errors of a share to either side of a size.
_ERRORS = 2.0


def plan_of(
    certificate: Certificate, statistics: PairStatistics, *, goal: Any = None, simulate: int, rng: int
) -> pd.DataFrame:
    """Return the plan of a certificate from its statistics; see `Certificate.plan`."""
    check_plan(goal, simulate)
    if goal is not None:
        if statistics.sample is None:
            raise InvalidInputError(
                "`goal` needs losses to simulate from, got a certificate without (a pickle leaves them out, and tails of "
                "classes of one's own are not simulated): use `further_examples(losses, certificate, goal=...)`."
            )
        return _goal_frame(certificate, statistics, read_goal(certificate, goal), simulate, rng)
    known = np.flatnonzero(~certificate.data_dependent)
    sign = np.where(np.asarray(certificate.maximise)[known], -1.0, 1.0)
    costs = certificate.estimates[:, known] * sign if known.size else np.zeros((len(certificate), 0))
    levels = planned_levels(certificate, statistics)
    rows: dict[int, list[Any]] = {}
    for first, second, n_rivals in open_pairs(certificate):
        models, starts = np.unique(first, return_index=True)
        views, cheaper = views_of(certificate, statistics, first, second), cheaper_of(costs, first, second)
        sizes = needed(views, cheaper, starts, n_rivals, levels)
        present = present_of([view.take(sizes.pair) for view in views])
        for k, h in enumerate(models.tolist()):
            rows[h] = _row(sizes, k, int(second[sizes.pair[k]]), float(present[k]))
    undecided = np.flatnonzero(certificate.undecided)
    found = _simulated(
        certificate, statistics, lambda again: ~again.undecided[undecided], undecided.size, simulate, rng
    )
    return _framed(certificate, rows, found)


def check_plan(goal: Any, simulate: int) -> None:
    """Refuse a number of runs that is none, or none for a goal."""
    check_count("simulate", simulate, low=0)
    if goal is not None and simulate == 0:
        raise InvalidInputError("`simulate` must be at least 1 with a `goal`, which is planned by simulation, got 0.")


def _goal_frame(
    certificate: Certificate, statistics: PairStatistics, goal: Goal, simulate: int, rng: int
) -> pd.DataFrame:
    """Return the plan for a goal, in one row."""
    if goal.met(certificate):
        found = dict.fromkeys(_FROM_RUNS, np.zeros(1))
    else:
        found = _simulated(certificate, statistics, lambda again: np.array([goal.met(again)]), 1, simulate, rng)
    numbers = [float(found[name][0]) for name in _FROM_RUNS]
    return frame_with_names([(goal.text, goal.n_open, *numbers)], columns=["goal", "n_open", *_FROM_RUNS])


def _simulated(
    certificate: Certificate,
    statistics: PairStatistics,
    targets: Callable[[Certificate], npt.NDArray[np.bool_]],
    n_targets: int,
    simulate: int,
    rng: int,
) -> dict[str, FloatArray]:
    """Return further sizes (T,) from simulations, by column; NaN if there are none."""
    sample = statistics.sample
    curves = None
    if sample is not None and simulate > 0 and n_targets > 0:
        curves = simulated_curves(sample, certificate, statistics, targets, n_targets, runs=simulate, rng=rng)
    if sample is None or curves is None or not curves.sizes.size:
        return dict.fromkeys(_FROM_RUNS, np.full(n_targets, math.nan))
    sizes = (
        curves.needed(0.5),
        curves.needed(0.8),
        curves.needed(0.8, errors=-_ERRORS),
        curves.needed(0.8, errors=_ERRORS),
        curves.needed(0.95),
        np.full(n_targets, float(curves.sizes[-1])),
    )
    at_hand = sample.n_units
    return {name: np.maximum(np.ceil(size - 1e-9) - at_hand, 0.0) for name, size in zip(_FROM_RUNS, sizes, strict=True)}


def _row(sizes: Sizes, k: int, rival: int, present: float) -> list[Any]:
    """Return the columns of a plan after the first one; the rival is a number."""
    n_open = int(sizes.n_open[k])
    ends = [float(size[k]) for size in (sizes.bound, sizes.low, sizes.high)]
    return [n_open, rival, present, OUTCOMES[sizes.outcome[k]], *ends]


def _framed(certificate: Certificate, rows: dict[int, list[Any]], found: dict[str, FloatArray]) -> pd.DataFrame:
    """Return one row per undecided model, of those whose columns after the first one are given, and simulated sizes."""
    none = [0, -1, math.nan, OUTCOMES[-1], *([math.inf] * 3)]
    entries = []
    for k, h in enumerate(np.flatnonzero(certificate.undecided).tolist()):
        n_open, rival, present, outcome, *ends = rows.get(h, none)
        more, *others = (float(found[name][k]) for name in _FROM_RUNS)
        named_rival = certificate.names[rival] if rival >= 0 else None
        entries.append((certificate.names[h], n_open, named_rival, present, outcome, more, *ends, *others))
    frame = frame_with_names(entries, columns=list(_TYPES))
    # Columns of an empty frame have no type of their own.
    typed = frame if len(frame) else frame.astype(_TYPES)
    typed = typed.sort_values("sufficient_additional", kind="stable", ignore_index=True)
    return with_blocking_costs(typed, certificate)
