"""Which configurations meet limits? Those that `certify_limits` certifies, beside MAPIE's Learn-then-Test.

Ten worlds whose risks are known (moltheory.figures._limit_worlds): 0/1 losses at several risks, bounded ones with small
and with large variance, one to three limits, grids of 100 thresholds with and without an order, and configurations that
all miss the limit by 1e-9. All procedures see the same losses, limits and delta. Three numbers for each: how many
configurations are certified, in how many runs one of them does not meet the limits (at most 5 % of the runs are allowed),
and what the choice of the cheapest certified one costs more than the cheapest one that meets the limits.

MAPIE 1.6 is asked by its function `ltt_procedure`, with ``binary=True`` for 0/1 losses, as its classes ask it. Its default
is Holm's procedure. Its fixed sequence takes one limit only. Its split fixed sequence gets the same quarter of the examples
as our pilot; the order is found as `learn_fixed_sequence_order` does, in one step for all levels, and compared with that.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from moltheory.bounds import binomial_interval
from moltheory.certification import certify_limits
from moltheory.figures._limit_procedures import LIMIT_PROCEDURES, PILOT, LimitProcedure, count_certified, rows_of_limits
from moltheory.figures._limit_worlds import LIMIT_WORLDS, LimitWorld, limit_world
from moltheory.runs import as_seed_sequence, block_stream

from ._protocol import Benchmark, Budget, Main, Part, Table, compared, times_in_turn

DELTA = 0.05
SIZES = {"four in two limits": 200}  # 1000 examples in the others
_TESTED = "1.6.0"
_GRID = np.logspace(-25, 0, 1000)


def by_mapie(losses: Any, world: LimitWorld, delta: float, *, method: str) -> np.ndarray:
    """Configurations that MAPIE certifies."""
    from mapie.risk_control._base_controller import ltt_procedure

    certified = np.zeros(len(world.prices), dtype=bool)
    order = np.arange(len(world.prices))
    if method == "split_fixed_sequence":
        first, losses = _split(losses)
        order = learned_order(first, world)
    risks, counts = _asked(losses[:, order])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an order that is not monotone by the estimates
        valid, _ = ltt_procedure(
            risks, world.limits[:, None], delta, counts, binary=world.loss == "0/1", fwer_method=method
        )
    certified[order[valid[0]]] = True
    return certified


def learned_order(losses: Any, world: LimitWorld) -> np.ndarray:
    """Return the order in which MAPIE's split fixed sequence tests, from the first part of the examples."""
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    risks, counts = _asked(losses)
    p = np.stack(
        [
            compute_hoeffding_bentkus_p_value(r, n, limit, world.loss == "0/1")[:, 0]
            for r, n, limit in zip(risks, counts, world.limits[:, None], strict=True)
        ]
    )
    # The largest distance of k p-values to a level is that of the smallest or of the largest one.
    low, high = p.min(axis=0), p.max(axis=0)
    distance = np.maximum(np.abs(low - _GRID[:, None]), np.abs(high - _GRID[:, None]))
    return np.array(list(dict.fromkeys(distance.argmin(axis=1).tolist())))


def check_order() -> None:
    """Compare the order with that of MAPIE's own method on the same losses."""
    from mapie.risk_control._base_controller import _BaseLTTController

    for name in ("thresholds", "three limits", "small variance"):
        world = limit_world(name)
        losses = world.draw(100, np.random.default_rng(0))
        asked = _asked(losses)
        fake = SimpleNamespace(
            _prepare_y=lambda y: y,
            _get_predictions_per_param=lambda *_, **__: None,
            _predict_params=np.arange(len(world.prices)),
            _get_risk_values_and_eff_sample_sizes=lambda *_, asked=asked: asked,
            _alpha=world.limits,
            _risk=None,
            is_multi_dimensional_param=False,
        )
        _BaseLTTController.learn_fixed_sequence_order(fake, None, None, binary=world.loss == "0/1")
        theirs = fake._learned_fixed_sequence.tolist()
        ours = learned_order(losses, world).tolist()
        assert ours == theirs, (name, ours, theirs)


def _asked(losses: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and numbers of examples, (k, M) each."""
    risks = losses.mean(axis=0).T
    return risks, np.full(risks.shape, float(len(losses)))


def _split(losses: Any) -> tuple[Any, Any]:
    """Examples are independent, so the first ones are as good as any."""
    size = round(PILOT * len(losses))
    return losses[:size], losses[size:]


def _peers(world: LimitWorld) -> dict[str, LimitProcedure]:
    methods = {"MAPIE, Holm (its default)": "bonferroni_holm", "MAPIE, split fixed sequence": "split_fixed_sequence"}
    if world.limits.size == 1:
        methods["MAPIE, fixed sequence"] = "fixed_sequence"
    return {name: partial(by_mapie, method=method) for name, method in methods.items()}


def measured(name: str, budget: Budget) -> Part:
    """Measure all procedures that can run here in one world."""
    world, n, runs = limit_world(name), SIZES.get(name, 1000), budget.pick(400, 20, 2)
    entries, notes = dict(LIMIT_PROCEDURES), []
    reason = _missing()
    if reason:
        notes.append(f"MAPIE is skipped: {reason}.")
    else:
        check_order()
        entries |= _peers(world)
    streams = (block_stream(as_seed_sequence(0), f"limits {name}", run) for run in range(runs))
    found = count_certified(entries, world, n, streams, delta=DELTA)
    rows = list(rows_of_limits({"world": name, "meet": int(world.meets.sum())}, found))
    cells = []
    for row in rows:
        ends = binomial_interval(row["wrong"], runs, method="clopper-pearson", delta=0.05)
        cells.append(
            [
                row["procedure"],
                f"{row['certified']:.1f} ± {row['certified_error']:.1f}",
                f"{row['wrong']} of {runs}",
                f"{100 * float(ends.lower):.1f} to {100 * float(ends.upper):.1f} %",
                f"{row['cost_of_choice']:.3f}",
            ]
        )
    notes.insert(
        0, f"{len(world.prices)} configurations, {row['meet']} meet the limits; n = {n:,}, {world.loss} losses."
    )
    columns = ["procedure", "certified", "runs with a false one", "95 %", "cost of the choice"]
    return Part([Table(columns, cells, notes)], rows)


def _missing() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("mapie")
    except PackageNotFoundError:
        return 'mapie is not installed: pip install "moltheory[peers]" brings it'
    return "" if found == _TESTED else f"mapie {found} found; its functions were read in {_TESTED}"


def speed(budget: Budget) -> Part:
    """Time both from the losses on: 100 thresholds, Holm's procedure, equal answers."""
    rows, main = [], []
    world = limit_world("thresholds")
    for n in budget.pick((1_000, 10_000, 100_000), (1_000, 10_000), (1_000,)):
        losses = world.draw(n, np.random.default_rng(0))
        ours = partial(certify_limits, losses, {"risk 1": 0.1}, objectives=["risk 1"], delta=DELTA, procedure="holm")
        contestants: dict[str, Any] = {"moltheory": ours}
        if not _missing():
            contestants["MAPIE"] = partial(by_mapie, losses, world, DELTA, method="bonferroni_holm")
        times, answers = times_in_turn(contestants, budget.pick(15, 5, 3))
        if "MAPIE" not in times:
            rows.append([f"{n:,}", times["moltheory"], "–", "–"])
            continue
        np.testing.assert_array_equal(answers["moltheory"].certified, answers["MAPIE"])
        rows.append([f"{n:,}", times["moltheory"], times["MAPIE"], compared(times["moltheory"], times["MAPIE"])])
        size = f"{n:,} examples, 100 thresholds"
        main.append(Main("limits by Holm", size, times["moltheory"].median, "MAPIE", times["MAPIE"].median))
    notes = ["From losses of type bool to certified configurations; both certify the same ones."]
    return Part([Table(["examples", "moltheory", "MAPIE", "times as fast"], rows, notes, main=main)], [])


def summary(data: Mapping[str, Any]) -> Part:
    """Return certified configurations, and runs with a false one, of all procedures in all worlds."""
    parts = {name: part for name, part in data.items() if name != "speed"}
    names = list(dict.fromkeys(row["procedure"] for part in parts.values() for row in part))
    tables = []
    for title, cell in (
        ("Certified configurations (of those that meet the limits)", lambda row: f"{row['certified']:.1f}"),
        ("Runs with a false one, per cent (5 allowed)", lambda row: f"{100 * row['wrong'] / row['runs']:.1f}"),
        ("Cost of the choice", lambda row: f"{row['cost_of_choice']:.3f}"),
    ):
        rows = []
        for name in names:
            found = {world: row for world, part in parts.items() for row in part if row["procedure"] == name}
            rows.append([name, *(cell(found[world]) if world in found else "–" for world in parts)])
        columns = ["procedure", *(f"{world} ({part[0]['meet']})" for world, part in parts.items())]
        tables.append(Table(columns, rows, title=title))
    return Part(tables)


BENCHMARK = Benchmark(
    name="limits",
    title="Limits that are fixed before the data",
    compares="Certified configurations, false ones and times of `certify_limits`, beside MAPIE's Learn-then-Test.",
    parts={**{name: partial(measured, name) for name in LIMIT_WORLDS}, "speed": speed},
    seconds=(250, 40),
    peers=("mapie",),
    summary=summary,
)
