"""What a check and an attack say of statements that are vacuous, violated, or looked at in samples only."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from moltheory.pareto import nondominated
from moltheory.problems import mirrored_decoys, reference_world
from moltheory.theorems import Theorem, check, check_pair, falsify, ledger, markdown_table

PAIR = [[0.5, 1.0], [0.75, 0.0]], [[0.25, 1.0], [0.5, 0.0]]


def _statement(violation: Any, **fields: Any) -> Theorem:
    return Theorem(id="mine", statement="s", source="a test", provenance="conjecture", violation=violation, **fields)


def _sum_purity(true: Any, empirical: Any, widths: Any) -> Any:
    """The largest sum of true risks on the empirical front exceeds that on the true front by 2 sum C_i at most."""
    sums = true.sum(axis=-1)
    largest = [np.where(nondominated(risks), sums, -np.inf).max(axis=-1) for risks in (empirical, true)]
    return largest[0] - largest[1] - 2.0 * widths.sum(axis=-1)


def test_violated_samples_attain_nothing() -> None:
    world, n = mirrored_decoys(), 20
    found = check(_statement(_sum_purity), world, n=n)
    assert found.verdict == "FAILS"
    assert found.slack is not None

    def slack(risks: Any) -> Any:
        return -_sum_purity(world.true_risks, risks, np.abs(risks - world.true_risks).max(axis=-2))

    exact = world.exact(n)
    failing = exact.probability(lambda risks: slack(risks) < -1e-12)
    attained = exact.probability(lambda risks: np.abs(slack(risks)) <= 1e-12)
    assert failing == pytest.approx(0.824, abs=5e-4)
    assert found.slack.attained_share == pytest.approx(attained) == pytest.approx(1.0 - failing)
    assert "attained in          17.6%" in str(found)


def test_a_statement_that_says_nothing_does_not_hold_plainly() -> None:
    nothing = _statement(lambda true, empirical, widths: np.full(widths.shape[:-1], -np.inf))
    attack = falsify(nothing, budget=1000)
    assert not attack.falsified
    assert attack.verdict == "says nothing: no pair of 1,000 met its conditions"
    assert "says nothing" in str(attack)
    assert "not falsified" not in repr(attack) + str(attack)
    checked = check(nothing, reference_world(), n=5)
    assert checked.verdict == "holds vacuously"
    assert "holds vacuously" in str(checked).splitlines()[0]
    assert "holds vacuously" in repr(checked)
    pair = check_pair(nothing, *PAIR)
    assert pair.verdict == "holds vacuously"
    assert "holds vacuously" in repr(pair)
    assert "holds vacuously" in str(pair)
    # What speaks of some pairs holds, and what has a level of its own has no conditions.
    assert check(ledger()["a-posteriori-excess"], reference_world(), n=5).verdict == "holds"
    assert check(ledger()["paired-dominance"], reference_world(), n=3).verdict == "holds"
    assert falsify(ledger()["forward"], budget=64).verdict == "not falsified by 64 tries"


def test_a_conjecture_has_no_proof(refuses: Any) -> None:
    forward = ledger()["forward"]
    message = refuses("proof", replace, forward, provenance="conjecture")
    assert 'write proof=""' in message
    assert replace(forward, provenance="conjecture", proof="").proof == ""


@pytest.mark.parametrize("wrong", [0.5, [0.5], [0.5, 0.5, 0.5], [[0.5, 0.5]]], ids=["number", "one", "three", "row"])
@pytest.mark.parametrize("method", ["exact", "monte-carlo"])
def test_stated_widths_are_one_for_each_objective(wrong: Any, method: Any, refuses: Any) -> None:
    joint, world = ledger()["joint"], reference_world()
    message = refuses("stated", check, joint, world, n=3, method=method, replicates=20, stated=lambda *_: wrong)
    assert "of shape (2,)" in message
    assert check(joint, world, n=3, method=method, replicates=20, stated=lambda *_: [1.0, 1.0]).holds


def test_stated_widths_of_a_wrong_shape_are_no_world_to_pass_over(refuses: Any) -> None:
    refuses("stated", falsify, ledger()["joint"], stated=lambda *_: [0.1] * 7, budget=300)


def test_errors_of_a_violation_say_which_axes_there_are(refuses: Any) -> None:
    no_axis = _statement(lambda true, empirical, widths: (abs(true - empirical) - widths).max(axis=(-2, -1)))
    message = refuses("violation", check, no_axis, reference_world(), n=3)
    assert "widths[..., None, :]" in message
    assert "could not be broadcast" in message
    refuses("violation", check, _statement(lambda t, e, c: t.max(axis=5)), reference_world(), n=3)


def test_why_samples_are_drawn() -> None:
    forward, world = ledger()["forward"], reference_world()
    assert check(forward, world, n=5).method_reason == ""
    assert check(forward, world, n=5, method="monte-carlo", replicates=20).method_reason == ""
    many = check(forward, world, n=400, replicates=20)
    assert many.method == "monte-carlo"
    assert many.method_reason == "10,827,401 sample types are too many to enumerate"
    assert f"over 20 samples: {many.method_reason}" in str(many)


def test_a_misspelled_id_is_asked_about() -> None:
    with pytest.raises(KeyError, match="no theorem 'foward': did you mean forward"):
        ledger()["foward"]
    with pytest.raises(KeyError, match="there are joint, scalarized"):
        ledger()["zzz"]
    with pytest.raises(KeyError, match="there are joint"):
        ledger()[3]  # type: ignore[index]


def test_the_table_says_which_class_is_checked() -> None:
    row = next(row for row in markdown_table().splitlines() if row.startswith("| strong-convexity"))
    assert "strongly convex on it (for checks: quadratics)" in row
