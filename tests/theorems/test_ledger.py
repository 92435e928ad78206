"""The ledger and its objects: what they refuse, what they return, what a user can add."""

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pytest

import moltheory as mt
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError, MoltheoryError
from moltheory.figures._catalog import figure_names
from moltheory.objectives import QuadraticObjectives
from moltheory.problems import MultiTaskLeastSquares, mirrored_decoys, near_tie, reference_world, two_coins
from moltheory.scalarization import Chebyshev, EpsilonConstraint, SmoothChebyshev
from moltheory.theorems import (
    Assumption,
    Input,
    Ledger,
    NotApplicableError,
    Theorem,
    check,
    check_all,
    check_pair,
    falsify,
    ledger,
    markdown_table,
)
from moltheory.theorems._columns import volumes

IDS = list(ledger())
# Ids that users rely on; the ledger may grow.
KNOWN = {
    *("joint", "scalarized", "scalarized-excess", "constrained-excess", "forward", "weak-converse", "boundary"),
    *("hypervolume", "interior-weights", "strongly-monotone", "strong-convexity", "slack-pruned", "resolved-gaps"),
    *("a-posteriori-excess", "front-certificate", "paired-dominance", "p-norm-purity"),
    *("impurity", "coverage-minimax"),
    *("nonuniform-forward", "nonuniform-weak-converse", "nonuniform-scalarized", "nonuniform-scalarized-excess"),
    *("penalized-excess", "relative-excess"),
}
# Statements that are not about tables of risks of any kind.
ON_TABLES = [
    name
    for name, theorem in ledger().items()
    if theorem.deterministic and theorem.pairs is None and theorem.violation is not None
]


def test_all_ids_are_there():
    assert set(ledger()) >= KNOWN
    assert IDS[0] == "joint"
    assert mt.theorems.ledger()["forward"].id == "forward"
    for theorem in ledger().values():
        assert theorem.statement
        assert theorem.source
        assert theorem.provenance in ("paper", "reproduction", "derived")
        assert theorem.assumptions
        assert theorem.figure in ("", *figure_names())
        assert theorem.id in repr(theorem)


def test_no_theorem_is_left_out():
    """Every module of the subpackage that holds theorems is in the ledger, with all of them."""
    folder = Path(mt.theorems.__file__).parent
    names = [path.stem for path in folder.glob("_*.py") if "\nTHEOREMS = (" in path.read_text(encoding="utf-8")]
    modules = [importlib.import_module(f"moltheory.theorems.{name}") for name in names]
    assert {theorem.id for module in modules for theorem in module.THEOREMS} == set(ledger())
    assert sum(len(module.THEOREMS) for module in modules) == len(ledger())
    # Functions that are called like theorems but stand in no THEOREMS would be found here too.
    assert all("Theorem(" not in path.read_text() for path in folder.glob("_*_statements.py") if path.stem not in names)


@pytest.mark.parametrize("name", IDS)
def test_evaluate(name, refuses):
    theorem = ledger()[name]
    assert theorem.evaluate(**theorem.example) is not None
    for key, one in theorem.inputs.items():
        assert one.name == key
        assert one.meaning
        assert one.optional or key in theorem.example, key
        left = {other: value for other, value in theorem.example.items() if other != key}
        if one.optional:
            assert theorem.evaluate(**left) is not None
        else:
            refuses("inputs", theorem.evaluate, **left)
    refuses("inputs", theorem.evaluate, **theorem.example, nonsense=1)
    refuses("inputs", theorem.evaluate)


def test_evaluate_gives_the_bounds():
    book = ledger()
    joint = book["joint"].evaluate(**book["joint"].example)
    assert isinstance(joint, Bound)
    assert joint.width[0] == pytest.approx(0.068530, abs=5e-7)
    assert float(book["scalarized-excess"].evaluate(**book["scalarized-excess"].example)) == pytest.approx(0.8)
    assert float(book["hypervolume"].evaluate(**book["hypervolume"].example)) == pytest.approx(1 - 0.8 * 0.6)
    assert book["resolved-gaps"].evaluate(true=[[0.1, 0.9], [0.9, 0.1]], widths=[0.1, 0.2]) is True
    assert book["resolved-gaps"].evaluate(true=[[0.1, 0.9], [0.9, 0.1]], widths=[0.1, 0.4]) is False


@pytest.mark.parametrize(
    ("name", "argument", "change"),
    [
        ("interior-weights", "weights", {"weights": [1.0, 0.0]}),
        ("strongly-monotone", "scalarization", {"scalarization": Chebyshev([0.5, 0.5])}),
        ("p-norm-purity", "scalarization", {"scalarization": Chebyshev([0.5, 0.5])}),
        ("scalarized", "scalarization", {"scalarization": EpsilonConstraint([1.0, 1.0])}),
        ("scalarized-excess", "eta", {"eta": -1.0}),
        ("relative-excess", "scalarization", {"scalarization": SmoothChebyshev([0.5, 0.5], 0.1)}),
        ("strong-convexity", "moduli", {"moduli": [1.0, 0.0]}),
        ("slack-pruned", "t", {"t": 0.0}),
        ("hypervolume", "reference", {"reference": [1.0, 0.0]}),
        ("front-certificate", "upper", {"lower": [[0.25, 1.0]], "upper": [[0.0, 1.0]]}),
        ("paired-dominance", "only_candidate", {"only_candidate": [-1]}),
    ],
)
def test_failed_assumptions_are_named(name, argument, change, refuses):
    refuses(argument, ledger()[name].evaluate, **ledger()[name].example | change)
    with pytest.raises(NotApplicableError if argument != "eta" else MoltheoryError, match="assumption"):
        ledger()[name].evaluate(**ledger()[name].example | change)


def test_assumptions_about_pairs_are_named(refuses):
    true, empirical = [[0.0, 1.0], [1.0, 0.5]], [[0.25, 1.0], [1.0, 0.5]]
    book = ledger()
    refuses("widths", book["forward"].check_pair, true, empirical, [0.125, 0.0])
    refuses("widths", book["resolved-gaps"].check_pair, true, empirical, [0.75, 0.0])
    refuses("loss_range", book["slack-pruned"].check_pair, true, empirical, t=0.5, loss_range=0.75)
    refuses("constraint", book["constrained-excess"].check_pair, true, empirical, constraint=EpsilonConstraint([0, 0]))
    refuses("true", book["hypervolume"].check_pair, [[-1.0]], [[0.0]], reference=[1.0])
    refuses("true", book["strong-convexity"].check_pair, true, empirical)
    refuses("empirical", book["forward"].check_pair, true, [[0.0, 1.0]])
    refuses("theorem", book["paired-dominance"].check_pair, true, empirical)


def test_bad_arguments_are_refused(refuses):
    forward = ledger()["forward"]
    refuses("n", check, forward, reference_world(), n=0)
    refuses("delta", check, forward, reference_world(), n=5, delta=1.0)
    refuses("method", check, forward, reference_world(), n=5, method="guess")
    refuses("problem", check, forward, 3, n=5)
    refuses("problem", check, ledger()["paired-dominance"], mirrored_decoys(), n=5)
    refuses("true", check, ledger()["strong-convexity"], reference_world(), n=5)
    refuses("budget", falsify, forward, budget=0)
    refuses("theorems", ledger().with_theorem, forward)
    refuses("theorems", Ledger, [3])
    refuses("provenance", dataclasses.replace, forward, provenance="hearsay")
    refuses("violation", dataclasses.replace, forward, violation=None)
    with pytest.raises(KeyError, match="no theorem 'fermat'"):
        ledger()["fermat"]


def test_inputs_are_not_mutated():
    rng = np.random.default_rng(0)
    for name in ON_TABLES:
        true, empirical = rng.random((7, 4, 3)), rng.random((7, 4, 3))
        before = true.copy(), empirical.copy()
        result = check_pair(ledger()[name], true, empirical)
        assert result.violation.shape == (7,)
        assert result.holds
        assert (true == before[0]).all()
        assert (empirical == before[1]).all()


@pytest.mark.parametrize("name", ON_TABLES)
def test_batches_agree_with_single_pairs(name):
    """One true table against many empirical ones, as in `check`, and pair by pair."""
    rng = np.random.default_rng(1)
    true = rng.integers(0, 9, (5, 3)) / 8.0
    empirical = np.clip(true + rng.integers(-2, 3, (20, 5, 3)) / 8.0, 0.0, 1.0)
    theorem = ledger()[name]
    case = theorem.cases(true, np.ones(3))[0]
    together = check_pair(theorem, true, empirical, **case).violation
    alone = [check_pair(theorem, true, one, **case).worst for one in empirical]
    copies = check_pair(theorem, np.broadcast_to(true, empirical.shape), empirical, **case).violation
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, copies)


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_volumes_agree_with_the_indicator(n_objectives):
    rng = np.random.default_rng(n_objectives)
    points, reference = rng.integers(0, 9, (30, 5, n_objectives)) / 8.0, np.full(n_objectives, 0.875)
    moved = np.moveaxis(points, (-1, -2), (0, 1))
    kept = rng.random((5, 30)) < 0.6
    kept[0] |= ~kept.any(axis=0)
    found = volumes(moved, reference[:, None])
    part = volumes(moved, reference[:, None], kept)
    for r in range(30):
        assert found[r] == pytest.approx(mt.hypervolume(points[r], reference=reference), abs=1e-14)
        assert part[r] == pytest.approx(mt.hypervolume(points[r][kept[:, r]], reference=reference), abs=1e-14)


def test_a_conjecture_of_ones_own_is_checked_and_attacked():
    def violation(true, empirical, widths):
        """The numbers of front members would agree."""
        return np.abs(mt.nondominated(true).sum(axis=-1) - mt.nondominated(empirical).sum(axis=-1)) - 0.5

    wrong = Theorem(
        id="same-size", statement="|P| = |Phat|", source="test", provenance="conjecture", violation=violation
    )
    book = ledger().with_theorem(wrong)
    assert len(book) == len(ledger()) + 1
    assert not book["same-size"].check(two_coins(), n=4).holds
    attack = falsify(book["same-size"], budget=300)
    assert attack.falsified
    assert not wrong.check_pair(attack.witness["true"], attack.witness["empirical"]).holds

    positive = Assumption("the widths are 0", "widths", ("widths",), lambda widths: (widths == 0).all(axis=-1))
    right = dataclasses.replace(wrong, id="same-front", assumptions=(positive,))
    result = right.check(two_coins(), n=4)
    assert result.holds
    assert 0 < result.applicable_share < 1  # the statement speaks in the samples without deviation only
    assert not falsify(right, [two_coins()], budget=2000).falsified


def test_inputs_are_records_not_sentences(refuses):
    """Optional is what is declared optional; what the meaning says is of no account."""

    def value(**inputs):
        return sorted(inputs)

    def violation(true, empirical, widths):
        return -np.ones(np.shape(widths)[:-1])

    fields = {"id": "toy", "statement": "toy", "source": "test", "provenance": "conjecture", "violation": violation}
    old = Theorem(**fields, inputs={"a": "a number", "b": "another (optional)"}, value=value)
    assert old.inputs["b"] == Input("b", "another (optional)")
    assert str(old.inputs["a"]) == "a number"
    assert old.example == {}
    assert old.evaluate(a=1, b=2) == ["a", "b"]
    refuses("inputs", old.evaluate, a=1)
    new = Theorem(**fields, inputs=(Input("a", "a number", example=3), Input("b", "", optional=True)), value=value)
    assert new.evaluate(a=1) == ["a"]
    assert new.example == {"a": 3}
    assert dataclasses.replace(new, id="again").inputs == new.inputs
    for wrong in ([3], {"a": 3}, {"b": Input("a", "")}, [Input("a", ""), Input("a", "")], [Input("no name", "")]):
        refuses("inputs", Theorem, **fields, inputs=wrong)


def test_a_mistake_in_a_statement_is_not_taken_for_an_assumption():
    """Words in the text of an error decide nothing, its type does."""

    def mistaken(true, empirical, widths):
        raise InvalidInputError("`widths` must satisfy the assumption that somebody wrote into a message, got others.")

    def silent(true, empirical, widths):
        raise NotApplicableError("`widths` must be what this is about, got others.")

    forward = ledger()["forward"]
    with pytest.raises(InvalidInputError, match="somebody wrote"):
        falsify(dataclasses.replace(forward, violation=mistaken), budget=100)
    with pytest.raises(InvalidInputError, match="somebody wrote"):
        check_all(two_coins(), n=3, theorems=[dataclasses.replace(forward, violation=mistaken)])
    attack = falsify(dataclasses.replace(forward, violation=silent), budget=100)
    assert not attack.falsified
    assert attack.worst == -np.inf

    def failing(problem, n, delta):
        raise ValueError("a mistake")

    own = dataclasses.replace(ledger()["paired-dominance"], failure=failing)
    with pytest.raises(ValueError, match="a mistake"):
        check_all(two_coins(), n=3, theorems=[own])


def test_searches_repeat():
    theorem = dataclasses.replace(ledger()["forward"], violation=lambda t, e, c: (t - e).max(axis=(-2, -1)) - 0.99)
    first, second = (falsify(theorem, budget=2000, rng=8) for _ in range(2))
    assert first.worst == second.worst
    assert first.tried == second.tried
    assert (first.witness["true"] == second.witness["true"]).all()


def test_sampled_checks():
    for problem in (reference_world(), near_tie(0.3, 0.1)):
        results = check_all(problem, n=40, method="monte-carlo", replicates=300, rng=2)
        for result in results.values():
            assert result.holds or not result.applicable, result
        assert results["joint"].event_failure.high > 0
    exact = check(ledger()["forward"], reference_world(), n=8, delta=0.2)
    sampled = check(ledger()["forward"], reference_world(), n=8, delta=0.2, method="monte-carlo", replicates=4000)
    assert sampled.event_failure.low <= exact.event_failure.probability <= sampled.event_failure.high
    assert sampled.slack.mean == pytest.approx(exact.slack.mean, rel=0.1)


def test_slack_distribution_is_that_of_all_samples():
    world, n = two_coins(), 6
    result = check(ledger()["boundary"], world, n=n)
    # Upper sets move by the smaller deviation at most; here everything is a function of the count of z = 1.
    weights, slack = [], []
    for k in range(n + 1):
        empirical = np.array([[k / n, 0.0], [1 - k / n, 1.0]])
        weights.append(float(mt.problems.two_coins().exact(n).probability(lambda r, k=k: r[:, 0, 0] == k / n)))
        slack.append(float(check_pair(ledger()["boundary"], world.true_risks, empirical).slack))
    assert result.slack.mean == pytest.approx(np.dot(weights, slack))
    assert result.slack.smallest == min(slack)
    assert result.slack.attained_share == pytest.approx(
        sum(w for w, s in zip(weights, slack, strict=True) if s <= 1e-12)
    )
    assert result.slack.quantile(0.999) <= result.slack.largest


def test_strong_convexity_on_quadratics():
    theorem = ledger()["strong-convexity"]
    # Sharp in the limit: L_2 = x^2 seen almost flat, L_1 pulls to -1, and the empirical minimiser of L_2 is at 1.
    ratios = []
    for flat in (0.1, 1e-3, 1e-6):
        true = QuadraticObjectives([[[1.0]], [[1.0]]], [[-1.0], [0.0]], [0.0, 0.0])
        offset = 0.5 * (1 - flat * (1 + flat / (1 - flat)))
        empirical = QuadraticObjectives([[[1.0]], [[flat]]], [[-1.0], [1.0]], [0.0, offset])
        result = check_pair(theorem, true, empirical, radius=1.0)
        assert result.holds
        ratios.append(4.0 / (4.0 - result.worst))
    assert ratios == sorted(ratios)
    assert ratios[-1] > 0.999
    problem = MultiTaskLeastSquares([np.eye(3), [[2, 1, 0], [1, 2, 1], [0, 1, 2]]], [[1, 0, 0], [0, 0, 1]], [0.5, 0.5])
    result = check(theorem, problem, n=30, replicates=50)
    assert result.holds
    assert result.slack is not None
    silent = check_all(problem, n=30, replicates=10)
    assert [name for name, found in silent.items() if found.applicable] == ["strong-convexity"]


def test_the_table_has_a_row_for_each_statement():
    _, _, *rows = markdown_table().splitlines()
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(ledger())


def test_functions_of_the_table_exist():
    for theorem in ledger().values():
        room, name = theorem.function.split(".", 1)
        assert hasattr(getattr(mt, room), name.split("(")[0])


@pytest.mark.parametrize("name", ["scalarized", "scalarized-excess", "strongly-monotone", "hypervolume", "forward"])
def test_checks_over_blocks_agree_with_pairs(name):
    """Enough types for several blocks and remembered values: the same numbers as from one call on all of them."""
    world, theorem = reference_world(), ledger()[name]
    result = check(theorem, world, n=45)
    weights, risks = (np.concatenate(parts) for parts in zip(*world.exact(45).weighted_risks(), strict=True))
    assert result.n_samples == len(weights) > 2**14
    cases = theorem.cases(world.true_risks, world.risk_limits)
    slacks = [check_pair(theorem, world.true_risks, risks, **case).slack for case in cases]
    assert result.slack.mean == pytest.approx(np.mean([slack @ weights for slack in slacks]), rel=1e-12)
    assert result.slack.smallest == min(slack.min() for slack in slacks)
    assert result.slack.largest == max(slack.max() for slack in slacks)
    tight = np.mean([weights[slack <= 1e-12].sum() for slack in slacks])
    assert result.slack.attained_share == pytest.approx(tight, rel=1e-12)


def test_rates_are_checked_by_samples(refuses):
    rng = np.random.default_rng(3)
    problem = mt.problems.from_predictions(
        rng.integers(0, 2, (40, 4)),
        rng.integers(0, 2, 40),
        objectives=["false_negative_rate", "false_positive_rate"],
        costs={"size": [1.0, 2.0, 3.0, 4.0]},
    )
    refuses("method", check, ledger()["forward"], problem, n=10, method="exact")
    results = check_all(problem, n=60, replicates=200, rng=1)
    for name, result in results.items():
        assert result.holds or name in ("strong-convexity", "paired-dominance", "impurity", "coverage-minimax"), result
        assert result.holds or not result.applicable


def test_a_proof_is_a_text():
    with pytest.raises(InvalidInputError, match=r"`proof` must be a text"):
        dataclasses.replace(ledger()["forward"], proof=1)
    assert dataclasses.replace(ledger()["forward"], proof="").proof == ""
