"""Measures and tails from outside: what keeps the contract is certified as declared, what does not is named."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

import moltheory as mt
from moltheory.evaluation import CappedMean, CVaR, ExceedanceRate, Quantile, Tail, WinRate, named_objectives
from moltheory.evaluation._registry import Examples
from moltheory.objectives import Average, Cell, F1Error, Gap, Known, Mean, Measure, Rate, Spread, Worst
from moltheory.objectives._measure_contract import increases
from moltheory.testing import ContractError, check_measure

Array = np.ndarray[Any, Any]
_LOSSES = np.random.default_rng(0).integers(0, 2, (60, 3)).astype(bool)
_GROUP = np.arange(60) % 3


def _rates() -> list[Rate]:
    return [Rate(_LOSSES, g == _GROUP) for g in range(3)]


BUILT_IN: dict[str, Measure | Tail] = {
    "mean": Mean(_LOSSES),
    "rate": _rates()[0],
    "rate under a condition per model": Rate(_LOSSES, np.roll(_LOSSES, 1, axis=0)),
    "gap": Gap(*_rates()[:2]),
    "gap of worst": Gap(Worst(_rates()[:2]), _rates()[2]),
    "spread": Spread(_rates()),
    "worst": Worst(_rates()),
    "worst of gap": Worst([Gap(*_rates()[:2]), _rates()[2]]),
    "f1": F1Error(_LOSSES, _GROUP == 0),
    "known": Known([1, 2, 3]),
    "cvar": CVaR(_LOSSES, share=0.3),
    "quantile": Quantile(_LOSSES, probability=0.7),
    "average": Average([*_rates()[:2], F1Error(_LOSSES, _GROUP == 0)]),
    "average of gaps": Average([Gap(*_rates()[:2]), _rates()[2]]),
    "exceedance": ExceedanceRate(_LOSSES, 0.5),
    "win rate": WinRate(_LOSSES, _LOSSES[:, 0]),
    "capped": CappedMean(_LOSSES, 1.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_keeps_the_contract(name: str) -> None:
    check_measure(BUILT_IN[name])


def test_which_built_in_measures_increase() -> None:
    found = {name for name, entry in BUILT_IN.items() if isinstance(entry, Measure) and increases(entry)}
    plain = {"mean", "rate", "rate under a condition per model", "worst", "f1"}
    assert found == plain | {"average", "exceedance", "win rate", "capped"}


class Accuracy(Measure):
    """Keeps the contract: 1 - mean error, which decreases, and says nothing else."""

    def __init__(self, losses: Array) -> None:
        self.cells = (Cell(losses, np.ones(len(losses), bool)),)

    def value(self, means: Sequence[Array]) -> Array:
        return 1.0 - means[0]

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return 1.0 - upper[0], 1.0 - lower[0]

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0]


class Total(Measure):
    """Keeps the contract: the sum of two means, which increases twice as fast as each."""

    is_increasing = True

    def __init__(self, first: Array, second: Array) -> None:
        every = np.ones(len(first), bool)
        self.cells = (Cell(first, every), Cell(second, every))

    def value(self, means: Sequence[Array]) -> Array:
        return means[0] + means[1]

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return lower[0] + lower[1], upper[0] + upper[1]

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0] + widths[1]


class HalfAccuracy(Mean):
    """Changes the value of a mean, and inherits the rest."""

    def value(self, means: Sequence[Array]) -> Array:
        return 1.0 - means[0]


class LyingAccuracy(Accuracy):
    """Declares what is not so."""

    is_increasing = True


class InheritedDeclaration(Mean):
    """A decreasing measure below one that increases."""

    value, interval, width = Accuracy.value, Accuracy.interval, Accuracy.width


class NarrowInterval(Total):
    """An interval that forgets a part."""

    is_increasing = True

    value, width = Total.value, Total.width

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        middle = 0.5 * (lower[1] + upper[1])
        return lower[0] + middle, upper[0] + middle


class NarrowWidth(Total):
    """A half-width that forgets a part."""

    is_increasing = True

    value, interval = Total.value, Total.interval

    def width(self, widths: Sequence[Array]) -> Array:
        return widths[0]


class Mutating(Accuracy):
    """Writes to its arguments."""

    interval, width = Accuracy.interval, Accuracy.width

    def value(self, means: Sequence[Array]) -> Array:
        means[0][:] = 1.0 - means[0]
        return means[0]


class ShortCVaR(CVaR):
    """An interval at no level."""

    value = CVaR.value

    def interval(self, losses: Array, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        found = self.value(losses)
        return max(found - 1e-6, loss_range[0]), min(found + 1e-6, loss_range[1])


@pytest.mark.parametrize("measure", [Accuracy(_LOSSES), Total(_LOSSES, ~_LOSSES)])
def test_foreign_measures_that_keep_the_contract(measure: Measure) -> None:
    check_measure(measure)


@pytest.mark.parametrize(
    ("measure", "named"),
    [
        (HalfAccuracy(_LOSSES), "HalfAccuracy, which defines value and inherits interval"),
        (LyingAccuracy(_LOSSES), "declares is_increasing, which it is not"),
        (
            InheritedDeclaration(_LOSSES),
            "inherits is_increasing from Rate, and InheritedDeclaration defines value anew",
        ),
        (NarrowInterval(_LOSSES, ~_LOSSES), "interval must"),
        (NarrowWidth(_LOSSES, ~_LOSSES), "width must bound how far the value moves"),
        (Mutating(_LOSSES), "must not change its arguments"),
        (ShortCVaR(_LOSSES), "must miss with probability at most"),
        ("error", "got str"),
    ],
)
def test_lying_measures_are_named(measure: Any, named: str) -> None:
    with pytest.raises(ContractError, match=named):
        check_measure(measure)


def _two(share_a: float, share_b: float, n: int = 2000) -> Array:
    """The same examples, on which the first model errs on fewer."""
    place = np.arange(n) / n
    return np.column_stack([place < share_a, place < share_b])


def test_accuracy_from_outside_is_never_turned_upside_down() -> None:
    losses = _two(0.1, 0.3)
    certificate = mt.certify(None, objectives={"accuracy": Accuracy(losses)}, maximise=True)
    assert certificate.status == ("sure", "excluded")
    np.testing.assert_allclose(certificate.estimates[:, 0], [0.9, 0.7])
    assert certificate.methods == ("clopper-pearson; no paired test",)
    minimised = mt.certify(None, objectives={"accuracy": Accuracy(losses)})
    assert minimised.status == ("excluded", "sure")
    for kind in (HalfAccuracy, LyingAccuracy):
        with pytest.raises(mt.errors.InvalidInputError, match="objectives"):
            mt.certify(None, objectives={"accuracy": kind(losses)}, maximise=True)
    # Below a mean, but its own: boxes only, as what the mean declares is not about it.
    inherited = mt.certify(None, objectives={"accuracy": InheritedDeclaration(losses)}, maximise=True)
    assert inherited.status == ("sure", "excluded")
    assert inherited.methods == ("clopper-pearson; no paired test",)


@pytest.mark.slow
def test_the_spread_of_three_groups_is_tested_by_contrasts() -> None:
    # The first model errs alike in all groups, and more; the second least, but with a gap.
    rng = np.random.default_rng(3)
    group = rng.integers(0, 3, 6000)
    losses = rng.random((6000, 1)) < np.column_stack([np.full(6000, 0.3), np.array([0.1, 0.15, 0.2])[group]])
    rates = [Rate(losses, group == g) for g in range(3)]
    for gap in (Spread(rates), Worst([Gap(a, b) for a, b in itertools.combinations(rates, 2)])):
        certificate = mt.certify(None, objectives={"gap": gap})
        assert certificate.excluded.tolist() == [False, True]
        assert certificate.methods[0].endswith("bets on contrasts of matched units")
        check_measure(gap)
    table = mt.certification.from_predictions(losses, np.zeros(6000, bool), objectives=["error_gap"], group=group)
    assert not table.certify().excluded[0]


def test_an_increasing_measure_from_outside_gets_paired_tests() -> None:
    losses = _two(0.20, 0.23)
    total = Total(losses, losses)
    paired = mt.certify(None, objectives={"total": total}, method="paired")
    assert paired.status == ("sure", "excluded")
    assert paired.methods == ("exact McNemar",)


@pytest.mark.parametrize("epsilon", [0.02, 0.05])
def test_a_slack_moves_the_parts_by_what_the_measure_allows(epsilon: float) -> None:
    # The sum moves twice as far as its parts: 2 x .03 = .06 apart is not within .05, and 2 x .0225 is.
    total = Total(_two(0.20, 0.23, 40_000), _two(0.20, 0.23, 40_000))
    far = mt.certify(None, objectives={"total": total}, epsilon=epsilon, method="paired")
    assert not far.within_slack[1]
    near = Total(_two(0.20, 0.21, 40_000), _two(0.20, 0.21, 40_000))
    certificate = mt.certify(None, objectives={"total": near}, epsilon=0.05, method="paired")
    assert certificate.within_slack[1]


def _truth_of(name: str, predicted: Array, target: Array) -> Array:
    hit = (predicted & target[:, None]).sum(axis=0)
    if name == "false_discovery_rate":
        return 1.0 - hit / predicted.sum(axis=0)
    return 1.0 - 2.0 * hit / (predicted.sum(axis=0) + target.sum())


@pytest.mark.parametrize("name", ["false_discovery_rate", "f1_error"])
def test_precision_and_f1_against_sklearn(name: str) -> None:
    from sklearn.metrics import f1_score, precision_score

    rng = np.random.default_rng(1)
    target = rng.random(400) < 0.4
    predicted = np.column_stack([np.where(rng.random(400) < flip, ~target, target) for flip in (0.1, 0.2, 0.35)])
    table = mt.certification.from_predictions(predicted.astype(int), target.astype(int), objectives=[name])
    certificate = table.certify()
    score = precision_score if name == "false_discovery_rate" else f1_score
    expected = [1.0 - score(target, column) for column in predicted.T]
    np.testing.assert_allclose(certificate.estimates[:, 0], expected, rtol=1e-12)
    assert (certificate.boxes[:, 0, 0] <= expected).all()
    assert (expected <= certificate.boxes[:, 0, 1]).all()
    assert certificate.methods[0].endswith("no paired test")
    # The same names and values on a population.
    problem = mt.problems.from_predictions(predicted.astype(int), target.astype(int), objectives=[name])
    np.testing.assert_allclose(problem.true.risks()[:, 0], expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["false_discovery_rate", "f1_error"])
def test_boxes_of_ratios_hold_at_their_level(name: str) -> None:
    rng = np.random.default_rng(5)
    target = rng.random(500) < 0.3
    predicted = np.column_stack([np.where(rng.random(500) < flip, ~target, target) for flip in (0.1, 0.3)])
    truth = _truth_of(name, predicted, target)
    missed, runs = 0, 400
    for _ in range(runs):
        rows = rng.integers(0, 500, 60)
        table = mt.certification.from_predictions(
            predicted[rows].astype(int), target[rows].astype(int), objectives=[name]
        )
        box = table.certify(delta=0.2, method="boxes").boxes[:, 0]
        missed += bool(((truth < box[:, 0]) | (truth > box[:, 1])).any())
    assert binomtest(missed, runs, 0.2, alternative="greater").pvalue > 1e-6


def test_what_two_models_have_in_common_is_no_sample_of_a_condition_per_model() -> None:
    # Both are right on all they have in common; alone the second is always wrong.
    target = np.array([1] * 300 + [0] * 300)
    predicted = np.column_stack([target, np.array([1] * 600)])
    table = mt.certification.from_predictions(predicted, target, objectives=["false_discovery_rate"])
    certificate = table.certify()
    assert certificate.status == ("sure", "excluded")
    clustered = mt.certification.from_predictions(
        predicted, target, objectives=["false_discovery_rate"], clusters=np.arange(600) // 2
    )
    with pytest.raises(mt.errors.InvalidInputError, match="clusters"):
        clustered.certify()


def test_tails_are_certified() -> None:
    rng = np.random.default_rng(2)
    latency = np.column_stack([rng.beta(2, 8, 4000), rng.beta(2, 8, 4000) ** 0.4])
    tails = {"cvar": CVaR(latency, share=0.2), "p95": Quantile(latency, probability=0.95)}
    certificate = mt.certify(None, objectives=tails, names=["fast", "slow"])
    assert certificate.status == ("sure", "excluded")
    worst = np.sort(latency, axis=0)[-800:].mean(axis=0)
    np.testing.assert_allclose(certificate.estimates[:, 0], worst, rtol=1e-12)
    np.testing.assert_allclose(certificate.estimates[:, 1], np.sort(latency, axis=0)[3799], rtol=1e-12)
    assert certificate.methods == ("CVaR; no paired test", f"Quantile; {tails['p95'].test_name}")
    assert certificate.n_examples == 4000
    mixed = mt.certify(None, objectives={"error": Mean(latency < 0.2), **tails})
    assert mixed.boxes.shape == (2, 3, 2)
    with pytest.raises(mt.errors.InvalidInputError, match="loss_range"):
        mt.certify(None, objectives={"cvar": CVaR(3.0 * latency)})
    with pytest.raises(mt.errors.InvalidInputError, match="clusters"):
        mt.certify(None, objectives=tails, clusters=np.arange(4000) // 2)


@pytest.mark.parametrize("tail", ["cvar", "quantile"])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_intervals_of_tails_hold_exactly_on_two_values(tail: str, n: int) -> None:
    # Losses are 1 with probability .3, else 0: a sample is the number of its ones.
    from scipy.stats import binom

    truth = {"cvar": min(1.0, 0.3 / 0.4), "quantile": 1.0}[tail]
    missed = 0.0
    for ones in range(n + 1):
        losses = np.array([1.0] * ones + [0.0] * (n - ones))
        entry: Tail = (
            CVaR(losses[:, None], share=0.4) if tail == "cvar" else Quantile(losses[:, None], probability=0.75)
        )
        low, high = entry.interval(losses, delta=0.1, loss_range=(0.0, 1.0))
        missed += float(binom.pmf(ones, n, 0.3)) * (not low <= truth <= high)
    assert missed <= 0.1


def test_the_registry_is_one_for_certificates_and_problems() -> None:
    rng = np.random.default_rng(0)
    target, group = rng.integers(0, 2, 200), rng.integers(0, 3, 200)
    predicted = np.where(rng.random((200, 3)) < 0.3, 1 - target[:, None], target[:, None])
    for entry in named_objectives():
        table = mt.certification.from_predictions(predicted, target, objectives=[entry.name], group=group)
        problem = mt.problems.from_predictions(predicted, target, objectives=[entry.name], group=group)
        estimates = table.certify().estimates[:, 0]
        scale = {"squared_error": target.var(), "worst_group_squared_error": target.var()}.get(entry.name, 1.0)
        scale = target.std() if entry.name in ("absolute_error", "pinball") else scale
        np.testing.assert_allclose(problem.true.risks()[:, 0] * scale, estimates, rtol=1e-5)
        assert entry.summary
        if not entry.numeric:
            measure = entry.measure(Examples(predicted, target, group))
            assert all(cell.losses.dtype == np.bool_ for cell in measure.cells)
            check_measure(measure, draws=20)


@pytest.mark.parametrize("unknown", ["accuracy", "precision"])
def test_unknown_names_are_refused_alike(unknown: str) -> None:
    for function in (mt.certification.from_predictions, mt.problems.from_predictions):
        with pytest.raises(mt.errors.InvalidInputError, match=r"`objectives` must be .*f1_error.*got"):
            function([[0, 1], [1, 1]], [0, 1], objectives=[unknown])
