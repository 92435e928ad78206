"""Hostile names, odd states and large objects: always shown, safely, briefly and at once."""

import time
from fractions import Fraction

import numpy as np
import pytest

import moltheory as mt
from moltheory._core._card import Card, Fold, Mark, Table
from moltheory._core._html_repr import Printed, Shown, html_of
from tests.reprs.test_every_class import checked

_HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></div><b>",
    "a\nb\r\tc",
    "\x1b[31mred\x1b[0m",
    "\ud800",
    "right\u202eleft",
    "x" * 100_000,
    "&lt;&amp;",
    "z\u0335" * 500,
]

_TAGS = {
    "div",
    "style",
    "p",
    "b",
    "br",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "span",
    "details",
    "summary",
    "code",
}
_TAGS |= {"form", "fieldset", "legend", "label", "input", "dl", "dt", "dd"}


def _is_safe(value):
    text = value._repr_html_()
    found = checked(text)
    text.encode("utf-8")
    assert found.tags <= _TAGS
    for part in (repr(value), *([str(value)] if isinstance(value, Printed) else [])):
        part.encode("utf-8")
        assert not set("\x1b\u202e\r") & set(part)
        assert len(part) <= 12_000
    assert len(text) <= 40_000
    return "".join(found.text)


def _theorem(text):
    return mt.Theorem(id=text, statement=text, source=text, provenance="conjecture", violation=lambda **_: 0.0,
                      inputs={"widths": text})  # fmt: skip


@pytest.mark.parametrize("text", _HOSTILE)
def test_hostile_names_are_text(text):
    losses = np.zeros((300, 2, 2), dtype=bool)
    losses[:100, 0] = True
    certificate = mt.certify(losses, names=[text, "b"], objectives=[text, "cost"])
    world = mt.FiniteWorld([0.5, 0.5], np.arange(8).reshape(2, 2, 2), objective_names=[text, "b"], name=text)
    values = [
        certificate,
        world,
        world.true,
        mt.evaluation.LossTable(losses, [text, "b"], [text, "gap"]),
        mt.Measured([1.0, 2.0], [0.9, 1.9], [1.1, 2.1], delta=0.01, models=[text, "b"]),
        mt.certification.indistinguishable_groups(certificate),
        mt.CertificateStream([text, "b"], [text], 0.05),
        mt.certification.certify_claims(losses[:, :, :1], [mt.certification.Better(text, "b", "e")],
                                        names=[text, "b"], objectives=["e"]),
        mt.certification.Better(text, "b", "e"),
        mt.evaluation.Timings((text, "b"), np.ones((2, 3))),
        _theorem(text),
        mt.theorems.Ledger([_theorem(text)]),
        mt.theorems.CheckResult.silent(text, text, 3, 0.1, text),
        mt.theorems.Attack(text, False, 0.5, 3, {"true": text, text: [text] * 3}),
        mt.theorems.PairResult(text, np.zeros(2), 0.0, {text: text}),
        mt.theorems.Input("widths", text),
        mt.problems.GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [np.eye(1)] * 2, [0, 1], [text, "b"]),
    ]  # fmt: skip
    for value in values:
        _is_safe(value)


def test_a_name_is_escaped_and_still_read():
    world = mt.FiniteWorld([0.5, 0.5], np.arange(8).reshape(2, 2, 2), objective_names=["<b>x</b>", "y"])
    assert "&lt;b&gt;x&lt;/b&gt;" in world._repr_html_()
    assert "<b>x</b>" in _is_safe(world)


def _bound(width, loss_range=1.0):
    return mt.Bound(width=np.array(width), loss_range=np.full(np.shape(width), loss_range), delta=0.05, method="m",
                    source="s", assumptions=())  # fmt: skip


def test_bounds_that_say_nothing_say_so():
    for width, said in ((1.5, "above 1: says nothing"), (1.0, "1: says nothing"), (np.inf, "no bound")):
        assert said in _is_safe(_bound([width]))
    assert "says nothing" not in _is_safe(_bound([0.5]))
    assert repr(_bound([1.5, 2.0])).endswith(", says nothing (above 1))")
    assert repr(_bound([1.5, 0.5])).endswith(", says nothing in 1 entry)")
    assert "says nothing" not in repr(_bound([0.0, 0.5]))
    whole = mt.bounds.binomial_interval(0, 1, delta=0.999, side="both")
    assert "says nothing" in _is_safe(mt.bounds.mean_interval([0.5], delta=0.01, method="hoeffding"))
    _is_safe(whole)
    disjoint = mt.bounds.binomial_interval([10], 100, delta=0.05).intersect(
        mt.bounds.binomial_interval([90], 100, delta=0.05)
    )
    assert "the event did not occur" in _is_safe(disjoint)
    assert "empty" in repr(disjoint)


def test_the_words_of_a_certificate_are_those_of_its_page():
    losses = np.zeros((1000, 3), dtype=bool)
    losses[:200, 0] = losses[10:215, 1] = losses[:400, 2] = True
    text = _is_safe(mt.certify(losses, names=["a", "b", "c"]))
    assert "cannot tell yet" in text
    assert "not on the front" in text
    text = _is_safe(mt.certify(losses[:, [0, 2]], names=["a", "c"]))
    assert "on the front" in text
    assert "95%" in text


def _odd_sweep():
    world = mt.problems.mirrored_decoys()
    return mt.solve_front(
        world.sample(5, replicates=3, rng=0), scalarizations=[mt.scalarization.WeightedSum([0.5, 0.5])]
    )


def _many_deltas():
    first, second = (mt.bounds.binomial_interval([k, 1], 10, delta=0.05) for k in (0, 2))
    shared = first[:1].intersect(second[:1])
    return mt.Interval(**{**vars(shared), "delta": np.array([0.07])})


_ODD = {
    "infinite points": lambda: mt.pareto_front([[np.inf, 0.0], [0.0, np.inf]]),
    "one point": lambda: mt.pareto_front([[1]], maximise=True),
    "infinite bound": lambda: _bound([np.inf, 0.0]),
    "scalar bound": lambda: mt.Bound(width=0.5, loss_range=1.0, delta=0.1, method="m", source="s", assumptions=()),
    "scalar interval": lambda: mt.bounds.binomial_interval(0, 10, delta=0.05, side="upper"),
    "many deltas": lambda: _many_deltas(),
    "batch": _odd_sweep,
    "empty ledger": lambda: mt.theorems.ledger().search("no such words at all"),
    "no pairs": lambda: mt.theorems.PairResult("t", np.zeros(0), 0.0),
    "undefined": lambda: mt.theorems.PairResult("t", np.array([np.nan, -np.inf]), 0.0),
    "no witness": lambda: mt.theorems.Attack("t", False, -np.inf, 0),
    "NaN slack": lambda: mt.theorems.Slack(np.nan, np.inf, -np.inf, np.nan, np.zeros(3)),
    "undefined sample": lambda: mt.objectives.FiniteObjectives([[[np.nan, 1.0], [np.nan, 1.0]]]),
    "unevaluated": lambda: mt.evaluation.LossTable(np.full((3, 2, 1), np.nan), ["a", "b"], ["e"]),
    "infinite cost": lambda: mt.Measured([1.0, 2.0], [-np.inf, 1.0], [np.inf, np.inf], delta=0.01),
    "fractions": lambda: mt.FiniteWorld([Fraction(1, 3)] * 3, np.arange(6).reshape(3, 2, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", _ODD)
def test_odd_states_are_shown(name):
    value = _ODD[name]()
    text = _is_safe(value)
    assert "not shown" not in text + repr(value)


class _Half(mt.problems.FiniteProblem):
    """A class of a user whose object is not ready."""

    def sample(self, n, *, replicates=None, rng=None):
        raise NotImplementedError


def test_objects_that_cannot_be_read_are_shown_with_the_reason():
    text = _is_safe(_Half())
    assert "_Half" in text
    assert "no attribute" in text
    assert repr(_Half()).startswith("_Half(not shown: ")

    class Breaking(Printed):
        @property
        def value(self):
            raise RuntimeError("<boom>")

        _shown = ("value",)

    assert "&lt;boom&gt;" in Breaking()._repr_html_()


def test_classes_of_users_are_shown_by_their_fields():
    class Mine(mt.scalarization.Scalarization):
        """A scalarization of my own."""

        n_objectives, is_monotone, is_subadditive, is_homogeneous = 2, True, True, True
        modulus, optimality = 0.0, "weak"

        def __init__(self):
            self.weights, self._hidden = [0.25, 0.75], 1

        def _evaluate(self, values):
            return values.sum(axis=-1)

        _width = _evaluate

    assert repr(Mine()) == "Mine(weights=(0.25, 0.75))"
    assert "A scalarization of my own" in _is_safe(Mine())


def _large():
    risks = np.random.default_rng(0).random((10**6, 2))
    objectives = mt.objectives.FiniteObjectives(risks)
    problem = mt.problems.exchangeable_decoys(10**6)
    front = mt.Front(np.stack([np.arange(10**6), -np.arange(10**6)], axis=1), np.arange(10**6), (False, False))
    return [objectives, problem, front, _bound(np.full((10**6, 2), 0.5)), mt.evaluation.LossTable(risks[:, :, None])]


def test_large_objects_are_shown_at_once():
    for value in _large():
        text = value._repr_html_()
        assert len(text) <= 6_000
        spent = []
        for _ in range(3):
            start = time.perf_counter()
            value._repr_html_(), repr(value), str(value)
            spent.append(time.perf_counter() - start)
        # A front of a million hypotheses takes a second, one simulated sample as much; columns at a time are quick.
        assert min(spent) < 0.25, type(value).__name__


def test_nothing_is_simulated_or_solved(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a representation must not compute")

    eye = np.eye(2)
    problem = mt.problems.MultiTaskLeastSquares([eye, eye], [[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    stream = mt.CertificateStream(["old", "new"], ["error"], 0.05)
    for kind, names in (
        (mt.problems.MultiTaskLeastSquares, ("sample", "true_front", "widths", "_points_at")),
        (mt.FiniteWorld, ("sample", "true_front", "widths", "exact")),
        (mt.CertificateStream, ("certificate", "update")),
    ):
        for name in names:
            monkeypatch.setattr(kind, name, refuse)
    for value in (problem, mt.problems.tilted_line(), stream):
        assert "not shown" not in _is_safe(value)


def test_more_rows_are_counted():
    front = mt.Front(np.stack([np.arange(47), -np.arange(47)], axis=1), np.arange(47), (False, False))
    assert "... and 37 more points" in _is_safe(front)
    assert "... and 37 more points" in str(front)
    wide = html_of(Card("K", "", tables=[Table([f"c{i}" for i in range(20)], [list(range(20))])]))
    assert "... and 12 more columns" in wide


def test_numbers_have_one_form():
    card = Card("K", "s", [("small", 1e-7), ("share", 0.25), ("count", 30_000), ("none", None), ("flag", True)],
                folds=[Fold("t", ["l"])], tables=[Table(["m"], [[Mark("on it", "good")]])])  # fmt: skip
    text = html_of(card)
    for part in ("10⁻⁷", "0.25", "30,000", "–", "yes", "●</span>", "on it"):
        assert part in text
    assert isinstance(Shown(), Shown)
    assert repr(Shown()) == "Shown()"
