"""What `plot.theorem` and `plot.attack` draw: exact probabilities and slacks, and witnesses."""

from dataclasses import replace

import numpy as np
import pytest

import moltheory as mt
from tests.plot._shown import data, overlapping_texts

_LEDGER = mt.theorems.ledger()
_WORLD = mt.problems.reference_world()
_SIZES = [3, 5, 10]
_FORWARD = _LEDGER["forward"]


def _halved():
    return replace(_FORWARD, violation=lambda true, seen, widths: _FORWARD.violation(true, seen, 0.5 * widths))


def test_failure_probabilities_and_slacks_are_those_of_the_checks():
    left, right = mt.plot.theorem(_FORWARD, _WORLD, _SIZES, delta=0.3)
    true = _WORLD.true_risks
    (probability,) = [line for line in left.lines if "probability" in line.get_label()]
    for n, shown in zip(_SIZES, probability.get_ydata(), strict=True):
        limits = _WORLD.widths(n, delta=0.3).width + 1e-12
        fails = _WORLD.exact(n).probability(lambda risks, w=limits: (np.abs(risks - true) > w).any(axis=(1, 2)))
        assert shown == pytest.approx(fails, abs=1e-15)
    np.testing.assert_array_equal(data(left, "level δ = 0.3"), [[n, 0.3] for n in _SIZES])
    (median,) = [line for line in right.lines if line.get_label().startswith("median")]
    for n, shown in zip(_SIZES, median.get_ydata(), strict=True):
        assert shown == _FORWARD.check(_WORLD, n=n, delta=0.3).slack.quantile(0.5)
    assert overlapping_texts(left.figure) == []


def test_a_statement_without_a_slack_or_a_level_says_so():
    left, right = mt.plot.theorem(_LEDGER["joint"], _WORLD, [3, 5], theme="dark")
    assert "no slack in a single sample" in right.texts[0].get_text()
    assert left.get_title("left")
    problem = mt.problems.MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    left, right = mt.plot.theorem(_LEDGER["strong-convexity"], problem, [20, 40], replicates=20)
    assert "no half-widths" in left.texts[0].get_text()
    assert overlapping_texts(right.figure) == []


def test_violations_are_the_headline():
    title = " ".join(mt.plot.theorem(_halved(), _WORLD, [3])[1].get_title("left").split())
    found = _halved().check(_WORLD, n=3)
    assert title.startswith(f"Violated in {found.violations:,} cases")


def test_panels_have_the_figure_of_one(tmp_path):
    panels = mt.plot.theorem(_LEDGER["joint"], mt.problems.two_coins(), [3])
    assert panels.figure is panels[0].figure
    panels.figure.savefig(tmp_path / "panels.png")
    given = panels.figure.subfigures(1, 1).subplots(1, 2)
    drawn = mt.plot.theorem(_LEDGER["forward"], mt.problems.two_coins(), [3], ax=given)
    assert drawn.figure is panels.figure


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_witness_of_a_wrong_statement(theme):
    wrong = _halved()
    attack = mt.theorems.falsify(wrong, budget=500, n_objectives=2)
    ax = mt.plot.attack(attack, theorem=wrong, theme=theme)
    true, seen = attack.witness["true"], attack.witness["empirical"]
    for name, points in (("true risks", true), ("empirical risks", seen)):
        drawn = np.concatenate([data(ax, f"_{name}, on their front"), data(ax, f"_{name}, dominated")])
        np.testing.assert_array_equal(np.unique(drawn, axis=0), np.unique(points, axis=0))
    # Boxes have the realized widths.
    widths = np.abs(true - seen).max(axis=0)
    for patch in ax.patches:
        np.testing.assert_allclose([patch.get_width(), patch.get_height()], 2 * widths)
    assert f"violated by {attack.worst:.2g}" in ax.get_title("left")
    assert wrong.statement in " ".join(ax.get_xlabel().split())
    assert overlapping_texts(ax.figure) == []


def test_an_attack_that_found_nothing_says_how_long_it_searched():
    attack = mt.theorems.falsify(_LEDGER["resolved-gaps"], budget=300)
    title = " ".join(mt.plot.attack(attack).get_title("left").split())
    assert title.startswith(f"resolved-gaps: nothing found in {attack.tried} tries; smallest slack ")
    assert float(title.split()[-1]) == pytest.approx(-attack.worst, rel=0.05)


_KINDS = ("joint", "scalarized", "hypervolume", "strong-convexity", "resolved-gaps")
_NAMES = [name if name in _KINDS else pytest.param(name, marks=pytest.mark.slow) for name in _LEDGER]


@pytest.mark.parametrize("name", _NAMES)
def test_every_attack_of_the_ledger_is_drawn(name):
    attack = mt.theorems.falsify(_LEDGER[name], budget=150)
    ax = mt.plot.attack(attack)
    assert " ".join(ax.get_title("left").split()).startswith(f"{name}: nothing found")
    assert overlapping_texts(ax.figure) == []
    if "world" in attack.witness:
        assert data(ax, "_failure probability")[1, 0] == attack.witness["failure"]
        assert data(ax, "_level δ")[1, 0] == attack.witness["delta"]


@pytest.mark.parametrize("m", [1, 3])
def test_witnesses_with_other_numbers_of_objectives(m):
    rng = np.random.default_rng(m)
    true, seen = rng.random((2, 4, m))
    witness = {"true": true, "empirical": seen, "widths": np.abs(true - seen).max(axis=0), "inputs": {}}
    ax = mt.plot.attack(mt.theorems.Attack("mine", True, 0.5, 10, witness))
    for i in range(m):
        np.testing.assert_array_equal(data(ax, f"_true {i}")[:, 1], true[:, i])
        np.testing.assert_array_equal(data(ax, f"_empirical {i}")[:, 1], seen[:, i])
    assert overlapping_texts(ax.figure) == []


def test_refusals(refuses):
    assert "ledger()" in refuses("theorem", mt.plot.theorem, "forward", _WORLD, [3])
    refuses("sizes", mt.plot.theorem, _FORWARD, _WORLD, 3)
    refuses("sizes", mt.plot.theorem, _FORWARD, _WORLD, [])
    refuses("delta", mt.plot.theorem, _FORWARD, _WORLD, [3], delta=2.0)
    refuses("ax", mt.plot.theorem, _FORWARD, _WORLD, [3], ax=mt.plotting.new_axes())
    assert "falsify" in refuses("attack", mt.plot.attack, _FORWARD)
    refuses("theorem", mt.plot.attack, mt.theorems.falsify(_FORWARD, budget=100), theorem="forward")


@pytest.mark.slow
def test_an_estimate_of_zero_is_shown_by_its_upper_limit():
    theorem, world, sizes = _LEDGER["weak-converse"], mt.problems.from_dataset("wine"), [20, 100]
    left, _ = mt.plot.theorem(theorem, world, sizes, replicates=400)
    found = [theorem.check(world, n=n, replicates=400).event_failure for n in sizes]
    assert all(one.probability == 0.0 < one.high for one in found)
    # At n = 20 some samples lack a class. Clopper-Pearson for no failure in 400 samples: (1 - p)^400 = 1e-6 / 2.
    limit = 1.0 - 5e-7 ** (1.0 / 400)
    np.testing.assert_allclose(data(left, "_upper limit"), [[20, found[0].high], [100, limit]], rtol=1e-9)
    low, high = left.get_ylim()
    assert low < limit < high
    title, texts = " ".join(left.get_title("left").split()), " ".join(text.get_text() for text in left.texts)
    assert f"at most {found[0].high / 0.05:.2g} δ with 99.9999% confidence" in title
    assert f"at most {found[0].high:.3g}" in " ".join(texts.split())
    assert "exactly" not in title + texts
    assert overlapping_texts(left.figure) == []


def test_widths_that_keep_their_level_do_not_hide_a_violation():
    left, _ = mt.plot.theorem(_halved(), _WORLD, [3], delta=0.3)
    title = " ".join(left.get_title("left").split())
    assert title.startswith("Failure probability of the widths keeps its level: at most")
    assert title.endswith("but the statement is violated")


def test_boxes_without_width_are_lines_or_left_out():
    true = np.array([[0.0, 1.0], [1.0, 0.0]])
    for seen, entry in ((true + np.array([0.0, 0.25]), "(none in objective 0)"), (true, None)):
        widths = np.abs(true - seen).max(axis=0)
        witness = {"true": true, "empirical": seen, "widths": widths, "inputs": {}}
        ax = mt.plot.attack(mt.theorems.Attack("mine", False, -0.5, 10, witness))
        texts = " ".join(text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts())
        assert ("deviation" in texts) == (entry is not None)
        assert entry is None or entry in texts
        assert len(ax.patches) == (2 if entry else 0)
        assert all(patch.get_linewidth() > 0 for patch in ax.patches)
