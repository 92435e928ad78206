"""The search finds statements that are false for reasons of all kinds, says what it searched, and shows a small witness."""

import dataclasses
import os

import numpy as np
import pytest

import moltheory as mt
from moltheory.problems import FiniteWorld
from moltheory.scalarization import PNorm
from moltheory.theorems import Theorem, check, check_pair, falsify, ledger
from tests.theorems._false_statements import FALSE, STATED, Hypotenuse, norm_cases, purity, purity_of_norms, statement
from tests.theorems._more_false_statements import MORE, missing_factor

LEDGER = ledger()
FULL = bool(os.environ.get("MOLTHEORY_FULL"))
# Those that only polishing finds take a second.
_LONG = {"p = 1.1", "p near 1", "factor 1.9: hypervolume", "missing weights"}
_NAMED = [pytest.param(one, id=one.id) for one in (*FALSE, *MORE)]
_QUICK = [pytest.param(one, id=one.id) for one in FALSE if one.id not in _LONG]
# Of those that are false in some shapes only, and of the families in closed form: what a tenth of a second finds.
_SOME = {"forward 1.99, N = 5", "three ties", "order, n >= 20", "impurity x 1.1"}
_QUICK += [pytest.param(one, id=one.id) for one in MORE if one.id in _SOME]


def _witness_violates(theorem: Theorem, attack: mt.theorems.Attack) -> None:
    """The witness is a violation by itself: no other batch, no other widths."""
    found = attack.witness
    if "world" in found:
        again = check(theorem, found["world"], n=found["n"], delta=found["delta"])
        assert again.event_failure is not None
        assert again.event_failure.probability == found["failure"] > found["delta"]
        return
    deviation = np.abs(found["true"] - found["empirical"]).max(axis=0)
    assert (found["widths"] >= deviation - 1e-15).all()
    pair = check_pair(theorem, found["true"], found["empirical"], found["widths"], **found["inputs"])
    assert pair.worst == pytest.approx(attack.worst, rel=1e-9)
    assert pair.worst > 1e-12


@pytest.mark.parametrize("theorem", _QUICK)
def test_false_statements_fall_at_default_settings(theorem):
    attack = falsify(theorem)
    assert attack.falsified, attack
    _witness_violates(theorem, attack)
    again = falsify(theorem)
    assert (again.worst, again.tried, again.stages) == (attack.worst, attack.tried, attack.stages)


@pytest.mark.slow
@pytest.mark.parametrize("theorem", _NAMED)
def test_every_seed_refutes_every_false_statement(theorem):
    # All five seeds of the first list; of the second, whose search is longer, only if everything is asked for.
    for seed in range(5 if FULL or theorem in FALSE else 2):
        attack = falsify(theorem, rng=seed)
        assert attack.falsified, (seed, attack)
        _witness_violates(theorem, attack)


@pytest.mark.slow
def test_every_seed_refutes_widths_without_the_factor_of_two_sides():
    for seed in range(5):
        assert falsify(LEDGER["joint"], stated=missing_factor, rng=seed).falsified, seed


@pytest.mark.parametrize("name", ["impurity", "coverage-minimax"])
def test_lower_bounds_are_attacked_by_their_own_families(name):
    attack = falsify(LEDGER[name], budget=4_000)
    assert not attack.falsified
    assert attack.stages["near-ties" if name == "impurity" else "planted fronts"] >= 500
    assert 0.2 < attack.nearest <= 1.0
    # What was made and not tried, and why, is said.
    assert attack.passed_over["simple worlds"] > 50
    assert "`problem` must be" in attack.reason or "`delta` must" in attack.reason
    assert "passed over" in str(attack)


@pytest.mark.parametrize("name", STATED)
def test_widths_that_forget_a_union_fall_at_default_settings(name):
    for seed in range(3):
        attack = falsify(LEDGER["joint"], stated=STATED[name], rng=seed)
        assert attack.falsified, (seed, attack)
        found = attack.witness
        again = check(LEDGER["joint"], found["world"], n=found["n"], delta=found["delta"], stated=STATED[name])
        assert again.event_failure.probability == found["failure"] > found["delta"]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LEDGER))
def test_true_statements_survive(name):
    attack = falsify(LEDGER[name], budget=1_000_000 if FULL else 30_000, rng=11)
    assert not attack.falsified, attack


def test_the_attack_says_what_was_searched():
    attack = falsify(LEDGER["forward"], budget=40_000)
    assert sum(attack.stages.values()) == sum(attack.shapes.values()) == attack.tried == 40_000
    assert list(attack.stages) == ["trivial pairs", "random pairs", "polishing"]
    assert {h for h, _ in attack.shapes} >= {1, 2, 3, 4, 8}
    assert {n for _, n in attack.shapes} == {1, 2, 3, 4, 5}
    assert attack.lattice == (2, 4, 8, 16)
    # The factor 2 is attained.
    assert attack.worst == attack.nearest == 0.0
    assert "1 to 8" in str(attack)
    assert "polishing" in str(attack)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("factor 1.9: forward", (2, 1)), ("ties", (2, 2)), ("six hypotheses", (6, 1)), ("nonconvex fronts", (3, 2))],
)
def test_witnesses_are_small(name, shape):
    (theorem,) = [one for one in FALSE if one.id == name]
    for seed in range(3):
        true = falsify(theorem, rng=seed).witness["true"]
        assert true.shape[0] == shape[0]
        assert true.shape[1] <= shape[1] + 1
        np.testing.assert_array_equal(true, np.round(true, 3))


def test_tables_are_as_large_as_asked_for():
    attack = falsify(LEDGER["forward"], budget=2_000, n_hypotheses=(6, 7), n_objectives=4, lattice=10)
    assert {h for h, _ in attack.shapes} <= {6, 7}
    assert {n for _, n in attack.shapes} == {4}
    wrong = statement("own range", "no risk is below 3", lambda t, e, c: 3.0 - t.min(axis=(-2, -1)))
    attack = falsify(wrong, budget=2_000, risk_range=(2.0, 6.0))
    assert attack.falsified
    assert attack.witness["true"].min() >= 2.0
    assert attack.risk_range == (2.0, 6.0)
    assert not falsify(wrong, budget=2_000, risk_range=(3.0, 6.0)).falsified


def test_inputs_may_be_given():
    claim = statement("p", "w_i d_i <= 2 U(C)", purity_of_norms, cases=norm_cases(1.0), inputs={"scalarization": "U"})
    given = [{"scalarization": PNorm([0.5, 0.5], p)} for p in (1.0, 3.0)]
    attack = falsify(claim, inputs=given, budget=40_000)
    assert attack.falsified
    assert attack.witness["inputs"]["scalarization"].p == 3.0
    assert {n for _, n in attack.shapes} == {2}
    survives = falsify(claim, inputs=given[0], budget=20_000)
    assert not survives.falsified


def test_a_scalarization_of_ones_own_sets_the_number_of_objectives():
    mine = dataclasses.replace(
        LEDGER["scalarized"], cases=lambda true, limits: [{"scalarization": Hypotenuse([1, 2])}], draw=None
    )
    attack = falsify(mine, budget=3_000)
    assert not attack.falsified
    assert {n for _, n in attack.shapes} == {2}


def test_parameters_are_moved_only_where_they_are_drawn():
    """False for p > 1.25 only, and the draw says nothing of such p: the search must not leave its range."""
    seen = []

    def claim(true, empirical, widths, *, p):
        seen.append(p)
        return np.full(widths.shape[:-1], p - 1.25)

    mine = statement(
        "p", "p <= 1.25", claim, inputs={"p": "p"}, draw=lambda rng, true, limits: {"p": float(rng.uniform(1.0, 1.2))}
    )
    assert not falsify(mine, budget=30_000).falsified
    assert 1.0 <= min(seen) < max(seen) <= 1.2


def test_widths_larger_than_the_deviations_are_tried():
    reached = statement(
        "reached", "C <= 2 max |L - Lhat|", lambda t, e, c: (c - 2 * abs(t - e).max(axis=-2)).max(axis=-1)
    )
    attack = falsify(reached)
    assert attack.falsified
    assert (
        attack.witness["widths"] > 2 * np.abs(attack.witness["true"] - attack.witness["empirical"]).max(axis=0)
    ).any()


def test_time_is_a_budget():
    attack = falsify(LEDGER["forward"], seconds=0.2)
    assert 0.2 <= attack.seconds < 5.0
    assert attack.tried > 1_000
    assert falsify(LEDGER["forward"], seconds=60.0, budget=500).tried == 500


def test_the_witness_of_worlds_is_small():
    (theorem,) = [one for one in FALSE if one.id == "fronts agree"]
    world = falsify(theorem).witness["world"]
    assert isinstance(world, FiniteWorld)
    assert len(world.probabilities) == 2
    assert world.true.risks().shape in {(2, 1), (2, 2)}


def test_an_attack_is_drawn():
    theorem = statement("purity", "purity within 2 C", lambda t, e, c: purity(t, e, 2 * c))
    ax = falsify(theorem).plot(theorem=theorem)
    assert ax.get_title("left").startswith("purity: violated by")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seconds", bad) for bad in (0, -1.0, np.nan, np.inf, True, "1")),
        *(("n_hypotheses", bad) for bad in (0, (3, 2), (1, 65), "8", (1, 2, 3), True, 2.5)),
        *(("n_objectives", bad) for bad in (0, (0, 2), None)),
        *(("lattice", bad) for bad in (0, [], "8", [2, 0], 2**20, 1.5)),
        *(("risk_range", bad) for bad in ((1.0, 0.0), (0.0, np.inf), 1.0, "01", (0.0, 1.0, 2.0))),
        *(("inputs", bad) for bad in ([], "p", [1], 3.0)),
    ],
)
def test_options_are_refused(name, value, refuses):
    refuses(name, falsify, LEDGER["forward"], budget=64, **{name: value})


def test_inputs_of_another_number_of_objectives_are_refused(refuses):
    u = PNorm([0.5, 0.5], 2.0)
    refuses("n_objectives", falsify, LEDGER["scalarized"], inputs={"scalarization": u}, n_objectives=3)
    refuses("inputs", falsify, LEDGER["joint"], inputs={"scalarization": u})
