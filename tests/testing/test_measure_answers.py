"""What measures and tails from outside return: copied, checked, and refused in one sentence where it is not so."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.evaluation import CVaR, Quantile, Tail
from moltheory.objectives import Cell, F1Error, Gap, Mean, Measure, Rate, Spread, Worst
from moltheory.testing import ContractError, check_measure
from tests.testing._measures import GROUP, LOSSES, Array, Own, certify_one, rates

_REST = {"interval": Own.interval, "width": Own.width}


class Writing(Own):
    """Keeps no argument as it is, and has one array for all answers."""

    def __init__(self, cells: tuple[Cell, ...]) -> None:
        self.cells = cells
        self.answer = np.zeros(2)

    def value(self, means: Sequence[Array]) -> Array:
        means[0][:] = 1.0 - means[0]
        self.answer[:] = means.pop()  # type: ignore[attr-defined]
        return self.answer

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        lower[0][:], upper[0][:] = 1.0 - upper[0], 1.0 - lower[0]
        return lower.pop(), upper.pop()  # type: ignore[attr-defined]

    def width(self, widths: Sequence[Array]) -> Array:
        return widths.pop()  # type: ignore[attr-defined, no-any-return]

    is_increasing = False


def test_what_a_measure_writes_reaches_no_other() -> None:
    error = Mean(LOSSES)
    both = {"error": error, "accuracy": Writing(error.cells), "again": Writing(error.cells)}
    certificate = mt.certify(None, objectives=both, maximise=[False, True, True])
    alone = mt.certify(None, objectives={"error": error}, delta=0.05)
    np.testing.assert_array_equal(certificate.estimates[:, 0], alone.estimates[:, 0])
    np.testing.assert_array_equal(certificate.estimates[:, 0], LOSSES.mean(axis=0))
    np.testing.assert_allclose(certificate.estimates[:, 1], 1.0 - LOSSES.mean(axis=0))
    np.testing.assert_array_equal(certificate.boxes[:, 1], certificate.boxes[:, 2])
    np.testing.assert_allclose(certificate.boxes[:, 1], 1.0 - certificate.boxes[:, 0, ::-1])
    for method in ("value", "interval", "width"):
        kind = type("Part", (Own,), {name: getattr(Own, name) for name in ("value", "interval", "width")})
        setattr(kind, method, getattr(Writing, method))
        kind.is_increasing = False
        measure = kind()
        measure.answer = np.zeros(2)
        with pytest.raises(ContractError, match=f"Part.{method} must not change its arguments"):
            check_measure(measure)


def test_one_answer_for_two_parts_of_a_gap_is_copied() -> None:
    class Buffered(Own):
        def __init__(self, count: Array) -> None:
            self.cells, self.answer = Rate(LOSSES, count).cells, shared

        def value(self, means: Sequence[Array]) -> Array:
            self.answer[:] = means[0]
            return self.answer

        interval, width = Own.interval, Own.width

    shared = np.zeros(2)
    measures = Buffered(GROUP), Buffered(~GROUP)
    for compose in (lambda a, b: Gap(a, b), lambda a, b: Spread([a, b])):
        found, right = (certify_one(compose(*parts)).estimates for parts in (measures, rates()))
        np.testing.assert_array_equal(found, right)
    # Asked again, at the ends of the boxes, it does not change the estimate.
    declared = type("Declared", (Buffered,), {"is_increasing": True, "value": Buffered.value, **_REST})(GROUP)
    np.testing.assert_array_equal(certify_one(declared).estimates, certify_one(rates()[0]).estimates)


def test_bets_that_miss_the_sample_mean_do_not_refuse_a_mean() -> None:
    missed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        codes = np.repeat(np.arange(120), rng.choice([1, 3], 120))
        losses = rng.random((120, 3))[codes] < 0.3
        found = certify_one(Mean(losses), clusters=codes, cluster_weights="equal", delta=0.9, method="boxes")
        value, box = found.estimates[:, 0], found.boxes[:, 0]
        missed += bool(((value < box[:, 0] - 1e-6) | (value > box[:, 1] + 1e-6)).any())
    # Otherwise the seeds show nothing.
    assert missed


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: type("Unset", (Own,), {"__init__": lambda self: None})(), "got none in Unset: set `self.cells`"),
        (lambda: _with_cells(cell for cell in Own().cells), "got generator"),
        (lambda: _with_cells(Own().cells[0]), "got Cell"),
        (lambda: _with_cells(list(Own().cells)), "got list"),
        (lambda: _with_cells((Own().cells[0], 3)), "got a tuple with int"),
        (lambda: _with(value=lambda self, means: means[0][:, None]), r"from `value`, got shape \(\d, 1\)"),
        (lambda: _with(value=lambda self, means: None), "from `value`, got NoneType"),
        (lambda: _with(value=lambda self, means: "0.1"), "from `value`, got str"),
        (lambda: _with(value=lambda self, means: [[1.0], 2.0]), "from `value`, got list"),
        (lambda: _with(value=lambda self, means: means[0] * 1j), "from `value`, got ndarray"),
        (lambda: _with(value=lambda self, means: means[0] * np.nan), "finite"),
        (lambda: _with(interval=lambda self, lower, upper: (0.0, 0.5, 1.0)), "from `interval`, got 3 of them"),
        (lambda: _with(interval=lambda self, lower, upper: np.array([0.0, 1.0])), "from `interval`, got ndarray"),
        (lambda: _with(interval=lambda self, lower, upper: None), "from `interval`, got NoneType"),
        (lambda: _with(interval=lambda self, lower, upper: (None, 1.0)), "from `interval`, got NoneType"),
        (lambda: _with(interval=lambda self, lower, upper: (1.0, 0.0)), "interval"),
        (lambda: _with(width=lambda self, widths: None), "from `width`, got NoneType"),
        (lambda: _with(width=lambda self, widths: -widths[0]), "half-widths of at least 0 from `width`, got -"),
        (lambda: _with(width=lambda self, widths: np.nan), "half-widths of at least 0 from `width`, got nan"),
        (lambda: _with(width=lambda self, widths: 0.0), "bound how far the value moves"),
        (lambda: _with(width=lambda self, widths: 0.5 * widths[0]), "bound how far the value moves"),
    ],
)
def test_foreign_answers_are_refused_in_one_sentence(make: Callable[[], Measure], named: str) -> None:
    for use in (certify_one, check_measure):
        with pytest.raises((InvalidInputError, ContractError), match=named):
            use(make())


def _with(**methods: Any) -> Measure:
    kept = {name: getattr(Own, name) for name in ("value", "interval", "width")}
    return type("Foreign", (Own,), {**kept, **methods, "is_increasing": True})()  # type: ignore[no-any-return]


def _with_cells(cells: Any) -> Measure:
    measure = Own()
    measure.cells = cells
    return measure


@pytest.mark.parametrize("epsilon", [0.01, 0.1])
def test_a_half_width_that_is_short_only_for_small_moves_is_refused(epsilon: float) -> None:
    # At the ends of the boxes it is right; the tolerance asks for less.
    for small in (0.0, 1e-6):
        measure = _with(width=lambda self, widths, small=small: np.where(widths[0] <= 0.1, small, widths[0]))
        with pytest.raises(InvalidInputError, match="half-widths"):
            certify_one(measure, epsilon=epsilon, method="paired")
    # No bound at all is true, and no tolerance follows from it.
    endless = _with(width=lambda self, widths: np.inf)
    assert certify_one(_with(), epsilon=0.5, method="paired").within_slack.all()
    assert not certify_one(endless, epsilon=0.5, method="paired").within_slack.all()


def test_a_half_width_of_zero_is_refused_in_a_range_of_any_length() -> None:
    tiny = 1e-12
    options: Any = {"loss_range": (0.0, tiny), "epsilon": 0.1 * tiny, "method": "paired"}
    certify_one(Own(tiny * LOSSES), **options)
    still = {"value": Own.value, **_REST, "width": lambda self, widths: 0.0 * widths[0], "is_increasing": True}
    with pytest.raises(InvalidInputError, match="half-widths above 0"):
        certify_one(type("Still", (Own,), still)(tiny * LOSSES), **options)


class MeanOnly(CVaR):
    """Changes the value and not its interval."""

    def value(self, losses: Array) -> float:
        return float(losses.mean())


class NarrowQuantile(Quantile):
    """Changes the interval and not the value."""

    def interval(self, losses: Array, *, delta: float, loss_range: tuple[float, float]) -> tuple[float, float]:
        return super().interval(losses, delta=0.9, loss_range=loss_range)


class OwnTail(Tail):
    """Keeps the contract: the largest loss, between itself and the end of the range."""

    def value(self, losses: Array) -> Any:
        return losses.max()

    def interval(self, losses: Array, *, delta: float, loss_range: tuple[float, float]) -> Any:
        return losses.max(), loss_range[1]


def _tail(**methods: Any) -> Tail:
    kept = {"value": OwnTail.value, "interval": OwnTail.interval}
    return type("Foreign", (OwnTail,), {**kept, **methods})(LOSSES)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: MeanOnly(LOSSES), "MeanOnly, which defines value and inherits interval"),
        (lambda: NarrowQuantile(LOSSES), "NarrowQuantile, which defines interval and inherits value"),
        (lambda: type("Unset", (OwnTail,), {"__init__": lambda self: None})(), "tails with finite losses"),
        (lambda: _tail(value=lambda self, losses: losses[:1]), "one .*number"),
        (lambda: _tail(value=lambda self, losses: None), "one .*number"),
        (lambda: _tail(value=lambda self, losses: np.nan), "finite|outside"),
        (lambda: _tail(interval=lambda self, losses, **_: (0.0, 0.5, 1.0)), "a lower and an upper end"),
        (lambda: _tail(interval=lambda self, losses, **_: 0.5), "a lower and an upper end"),
        (lambda: _tail(interval=lambda self, losses, **_: ([0.0], [1.0])), "one .*number"),
    ],
)
def test_foreign_tails_are_refused_in_one_sentence(make: Callable[[], Tail], named: str) -> None:
    for use in (certify_one, check_measure):
        with pytest.raises((InvalidInputError, ContractError), match=named):
            use(make())


def test_a_tail_that_sorts_its_losses_in_place_is_given_a_copy() -> None:
    def largest(self: Tail, losses: Array) -> float:
        losses.sort()
        return float(losses[-1])

    assert certify_one(_tail(value=largest)).estimates[:, 0].tolist() == [1.0, 1.0]


def test_the_losses_of_a_tail_count_and_not_what_it_shows_as_cells() -> None:
    tail = type("Shown", (OwnTail,), {"cells": ()})(LOSSES)
    assert certify_one(tail).estimates[:, 0].tolist() == [1.0, 1.0]


def test_f1_is_made_of_bools_whatever_the_range_of_the_rest() -> None:
    predicted = ~LOSSES
    f1 = F1Error(predicted, GROUP)
    for measure in (f1, Worst([f1]), Gap(f1, f1), Spread([f1, f1])):
        with pytest.raises(
            InvalidInputError, match=r"`loss_range` must lie within \(0, 1\) in objective 'it'.*got \(0, 5\)"
        ):
            certify_one(measure, loss_range=(0, 5))
    # One range for each: that of the mean is wider than its bools, which costs width and nothing else.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = mt.certify(None, objectives={"mean": Mean(LOSSES), "f1": f1}, loss_range=([0, 0], [5, 1]))
    assert (both.boxes[:, 0, 0] <= LOSSES.mean(axis=0)).all()
    check_measure(f1, loss_range=(0.0, 5.0))
    with pytest.raises(InvalidInputError, match="`loss_range` is None or a smaller and a larger number"):
        certify_one(type("Upside", (Own,), {"loss_range": (1.0, 0.0)})())


def test_many_parts_are_moved_several_at_a_time() -> None:
    class LastDecreases(Worst):
        """Increases in all parts but the last."""

        is_increasing = True

        def value(self, means: Sequence[Array]) -> Array:
            total: Array = np.sum(np.stack(means[:-1]), axis=0) - means[-1]
            return total

        def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
            return self.value([*lower[:-1], upper[-1]]), self.value([*upper[:-1], lower[-1]])

        def width(self, widths: Sequence[Array]) -> Array:
            total: Array = np.sum(np.stack(widths), axis=0)
            return total

    with pytest.raises(InvalidInputError, match="must increase with every part"):
        certify_one(LastDecreases([Rate(LOSSES, np.arange(len(LOSSES)) % 40 == g) for g in range(40)]))
