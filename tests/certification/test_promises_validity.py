"""Every promise of `certify`, by exact probabilities over all samples of small worlds, through the public call.

Ties, near-ties, boundary laws, costs (equal, distinct, measured), tolerances met exactly, missing losses, clusters and
measures are where false claims are likely; large deltas make them visible with few examples.
"""

import functools
import itertools
import math
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification._promises import ERRORS

from ._exact_worlds import Claims, SmallWorld, Weights, climb, patterns
from ._large_worlds import KINDS, large_world
from ._truth import Array, beats

# Laws near all others, and many more runs.
_FULL = bool(os.environ.get("MOLTHEORY_FULL"))
_CLUSTERS = [np.array([[1, 0]]), np.array([[0, 1], [1, 1]]), np.array([[0, 0], [1, 0], [0, 1]])]


def _in_clusters(counts: Array) -> tuple[Any, dict[str, Any]] | None:
    drawn = [kind for kind, count in zip(_CLUSTERS, counts, strict=True) for _ in range(count)]
    return np.concatenate(drawn).astype(bool), {"clusters": np.repeat(np.arange(len(drawn)), [len(k) for k in drawn])}


def _means_over_examples(p: Array) -> Array:
    sums = np.array([kind.sum(axis=0) for kind in _CLUSTERS])
    return np.asarray((p @ sums / (p @ [len(kind) for kind in _CLUSTERS]))[:, None])


_GROUP = np.array([True, True, False, False])
_WRONG = patterns("01", "10", "11", "00")[:, :, 0]


def _of_groups(counts: Array) -> tuple[Any, dict[str, Any]] | None:
    losses, group = np.repeat(_WRONG, counts, axis=0), np.repeat(_GROUP, counts)
    if group.all() or not group.any():
        return None  # refused: an empty group
    a, b = (mt.objectives.Rate(losses, part) for part in (group, ~group))
    worst, gap = mt.objectives.Worst([a, b]), mt.objectives.Gap(a, b)
    return None, {"objectives": {"worst": worst, "gap": gap, "mean": mt.objectives.Mean(losses)}}


def _true_of_groups(p: Array) -> Array:
    with np.errstate(invalid="ignore"):
        a, b = (p[part] @ _WRONG[part] / p[part].sum() for part in (_GROUP, ~_GROUP))
    return np.stack([np.maximum(a, b), np.abs(a - b), p @ _WRONG], axis=1)


def _with_measured_cost(covers: bool) -> SmallWorld:
    # Both cost 2; the interval of the first misses it in the other half of the world.
    low, high = ([1.0, 1.5], [3.0, 2.5]) if covers else ([0.5, 1.8], [1.0, 2.5])
    cost = mt.Measured([2.0, 2.0] if covers else [0.8, 2.0], low=low, high=high, delta=0.1)
    return SmallWorld(
        patterns("01", "10", "00"), 8, {"costs": {"price": cost}},
        true=lambda p: np.column_stack([p @ patterns("01", "10", "00")[:, :, 0], [2.0, 2.0]]),
    )  # fmt: skip


_THREE = ("001", "010", "100", "011", "110")
_FIVE = ("00011", "01101", "11000", "10110")
_SIX = ("000111", "011001", "110000", "101010")
_PAIRS = ("01 10 11", "10 01 00", "00 01 10", "11 00 01")
WORLDS: dict[str, SmallWorld] = {
    "two": SmallWorld(patterns("01", "10", "00"), 14),
    "two with price": SmallWorld(patterns("01", "10", "00"), 14, {"costs": [1.0, 2.0]}),
    "two, same price": SmallWorld(patterns("01", "10"), 40, {"costs": [1.0, 1.0]}),
    "three": SmallWorld(patterns(*_THREE), 6),
    "three, maximise": SmallWorld(patterns(*_THREE), 5, {"maximise": True, "costs": [3.0, 2.0, 2.0]}),
    "one in four": SmallWorld(patterns("0001", "0010", "0100", "1000"), 9),
    "four with price": SmallWorld(patterns("0111", "0011", "0001", "1000"), 9, {"costs": [1.0, 2.0, 3.0, 4.0]}),
    "five, some prices equal": SmallWorld(patterns(*_FIVE), 8, {"costs": [1.0, 1.0, 2.0, 2.0, 3.0]}),
    "six with price": SmallWorld(patterns(*_SIX), 8, {"costs": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}),
    "six": SmallWorld(patterns(*_SIX), 8),
    "two objectives": SmallWorld(patterns(*_PAIRS), 8),
    "two objectives with price": SmallWorld(patterns(*_PAIRS), 7, {"costs": [1.0, 1.0, 2.0]}),
    "tolerance": SmallWorld(patterns("01", "10", "00"), 12, {"epsilon": 0.25}),
    "tolerance, three": SmallWorld(patterns("011", "101", "110", "000"), 9, {"epsilon": 0.25}),
    "tolerance, price": SmallWorld(patterns("01", "10", "00"), 12, {"epsilon": [0.25, 0.0], "costs": [2.0, 1.0]}),
    "tolerance in price too": SmallWorld(
        patterns("011", "101", "110", "000"), 7, {"epsilon": [0.25, 0.1], "costs": [0.3, 0.2, 0.1]}
    ),
    "tolerance, maximise": SmallWorld(patterns("011", "101", "110"), 8, {"epsilon": 0.25, "maximise": True}),
    "missing": SmallWorld(
        np.array([[[0.0], [1.0]], [[1.0], [0.0]], [[0.0], [np.nan]], [[1.0], [np.nan]]]), 7,
        hidden=np.array([[[0.0], [1.0]], [[1.0], [0.0]], [[0.0], [1.0]], [[1.0], [0.0]]]),
        make=lambda counts: (np.repeat(WORLDS["missing"].losses, counts, axis=0), {}) if counts[:2].any() else None,
        allows=lambda law: law[0] * law[3] == law[1] * law[2],
    ),
    "clusters": SmallWorld(np.zeros((3, 2, 1)), 9, {"largest_cluster": 3}, make=_in_clusters, true=_means_over_examples),
    "groups": SmallWorld(
        np.zeros((4, 2, 1)), 6, make=_of_groups, true=_true_of_groups,
        allows=lambda law: law[0] + law[1] > 0 and law[2] + law[3] > 0,
    ),
    "measured price": _with_measured_cost(True),
}  # fmt: skip


@functools.cache
def claims(world: str, *, small: bool = False, **options: Any) -> Claims:
    """Certificates of all samples; of fewer examples if `small`."""
    chosen = WORLDS[world]
    if small and world not in ("six", "groups"):  # these say too little of fewer examples
        chosen = replace(chosen, n=max(chosen.n * 5 // 8, 4))
    return chosen.claims(**options)


PROMISES: list[dict[str, Any]] = [
    {"error": "any"},
    {"error": "one"},
    {"error": "share"},
    {"error": "share", "dependence": "positive"},
]
PROMISES += [{"error": e, "verdicts": v} for e in ("any", "one", "share") for v in ("excluded", "sure")]


def worst(found: Claims, law: Weights, error: str, delta: float) -> dict[str, float]:
    """Probabilities that may not exceed delta."""
    odds = found.under(law)
    told = odds.names_wrong | odds.open_wrong | odds.consequences_wrong
    bad = {"names and open rivals": odds.chance(told)}
    if error == "share":
        bad["share"] = odds.share
    else:
        bad["verdicts"] = odds.some_wrong(too_many=2 if error == "one" else 1)
    if error == "any":
        bad["everything"] = odds.chance(odds.wrong.any(axis=1) | told)
        bad |= {f"decided_at <= {a}": odds.wrong_at(a) - a + delta for a in (0.3 * delta, delta, 0.5 * (1 + delta))}
        bad |= {f"level <= {a}": odds.wrong_level(a) - a + delta for a in (0.1 * delta, 0.5 * delta, delta)}
    return bad


def _laws(world: SmallWorld, fine: bool) -> list[Weights]:
    """Laws on a grid, and laws that are off it by one part in 400."""
    s = len(world.losses)
    near = []
    for law in world.laws(4):
        for a, b in itertools.permutations(range(s), 2) if fine else [(0, 1), (1, 0)]:
            moved = [100 * weight + (k == b) - (k == a) for k, weight in enumerate(law)]
            if min(moved) >= 0 and world.allows(tuple(moved)):
                near.append(tuple(moved))
    return near + world.laws({2: 20, 3: 12, 4: 8}.get(s, 6) if fine else 4)


def _check(name: str, delta: float, promise: dict[str, Any], *, fine: bool) -> None:
    found, settled = claims(name, small=not fine, delta=delta, **promise), 0.0
    for law in _laws(found.world, fine):
        for what, bad in worst(found, law, promise["error"], delta).items():
            # The interval of a measured cost misses with a probability of its own, which is part of delta.
            most = delta - 0.1 if name == "measured price" and "<=" not in what else delta
            assert bad <= most + 1e-12, (what, law)
        settled = max(settled, found.under(law).settled)
    # Verdicts are given, beyond what known costs alone say.
    if delta > 0.5 and "verdicts" not in promise and (fine or promise["error"] != "share"):
        assert settled > 0.2 + np.isnan(found.decided_at[0]).sum()


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_no_claim_is_wrong(name: str) -> None:
    _check(name, 0.8, {"error": "any"}, fine=False)


@pytest.mark.parametrize("name", ["two", "five, some prices equal", "tolerance, three", "two objectives with price"])
@pytest.mark.parametrize("error", ["one", "share"])
def test_one_or_a_share_of_the_verdicts_is_wrong(name: str, error: str) -> None:
    _check(name, 0.8, {"error": error}, fine=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("delta", [0.3, 0.9] if _FULL else [0.9])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: ", ".join(p.values()))
def test_promises_hold_exactly(name: str, delta: float, promise: dict[str, Any]) -> None:
    _check(name, delta, promise, fine=_FULL)


def test_a_tie_is_told_apart_about_as_often_as_promised() -> None:
    # Nothing is vacuous: 85 % of delta are for verdicts, and both models are on the front.
    found = SmallWorld(patterns("01", "10"), 101).claims(delta=0.4).under((1, 1))
    assert 0.25 < found.some_wrong() <= 0.4


def test_the_level_of_all_for_each_of_four_models_is_caught() -> None:
    found = claims("one in four", delta=0.9)
    assert found.under((1, 1, 1, 1)).some_wrong() > 0.9 / 4


_UPHILL = [("two", "any", 0.4), ("two", "one", 0.35), ("two", "share", 0.2), ("tolerance", "any", 0.35)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "error", "least"), _UPHILL)
def test_no_law_is_found_uphill_for_which_a_promise_fails(name: str, error: str, least: float) -> None:
    """Hill climbing over laws with weights of 1/240, from corners and from their middles."""
    delta, found = 0.5, claims(name, delta=0.5, error=error)

    def score(law: Weights) -> float:
        return worst(found, law, error, delta)["share" if error == "share" else "verdicts"]

    s = len(found.world.losses)
    starts = [tuple(120 * (k == a) + 120 * (k == b) for k in range(s)) for a in range(s) for b in range(a)]
    tops = [climb(score, start, steps=(40, 8, 1))[0] for start in starts]
    assert least < max(tops) <= delta


def _in_large_worlds(kind: str, price: bool, error: str, runs: int) -> dict[str, float]:
    """Shares of runs in which something is wrong, at delta = .2; each run has a world and a sample of its own."""
    rng = np.random.default_rng([KINDS.index(kind), price, ERRORS.index(error)])
    bad = dict.fromkeys(("verdicts", "share", "names", "open rivals", "decided_at", "settled"), 0.0)
    for _ in range(runs):
        world = large_world(kind, 20, price=price, rng=rng)
        losses = world.draw(int(rng.choice([200, 500, 1000])), rng)
        found = mt.certify(losses, costs=world.cost, delta=0.2, error=error)
        truth, front = beats(world.true), world.front
        wrong, given = (found.sure & ~front) | (found.excluded & front), found.sure | found.excluded
        saved = (found.open_rivals & (truth & front[:, None]).T).any(axis=1)
        low, high = found.boxes[:, :, 0], found.boxes[:, :, 1]
        missed = ((world.true < low - 1e-12) | (world.true > high + 1e-12)).any()
        leans = np.where(found.leaning > 0, ~front, front) & (found.leaning != 0)
        bad["verdicts"] += wrong.sum() >= (2 if error == "one" else 1)
        bad["share"] += wrong.sum() / max(given.sum(), 1)
        bad["names"] += (found.dominates & ~truth).any() or missed
        bad["open rivals"] += (~found.excluded & ~front & ~saved).any()
        bad["decided_at"] += (leans & (found.decided_at <= 0.5)).any()
        bad["settled"] += given.mean()
    return {what: count / runs for what, count in bad.items()}


def _check_large_worlds(kind: str, price: bool, error: str, runs: int) -> None:
    bad = _in_large_worlds(kind, price, error, runs)

    def most(level: float) -> float:
        return level + 3.1 * math.sqrt(level * (1.0 - level) / runs)  # exceeded with probability 1e-3

    assert bad["share" if error == "share" else "verdicts"] <= most(0.2)
    assert bad["names"] <= most(0.2 * 0.15)
    assert bad["open rivals"] <= most(0.2)
    if error == "any":
        assert bad["decided_at"] <= most(0.5)
    if kind in ("trade-off", "ties"):
        assert bad["settled"] > 0.1


@pytest.mark.parametrize("price", [False, True])
@pytest.mark.parametrize("error", ERRORS)
def test_promises_hold_for_twenty_models_in_short(price: bool, error: str) -> None:
    for kind in ("trade-off", "equal"):
        _check_large_worlds(kind, price, error, 25)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("price", [False, True])
@pytest.mark.parametrize("error", ERRORS)
def test_promises_hold_for_twenty_models(kind: str, price: bool, error: str) -> None:
    _check_large_worlds(kind, price, error, 2000 if _FULL else 250)
