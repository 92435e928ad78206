"""What measures declare, and what their classes and cells must be: refused in one sentence where it is not so."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import moltheory as mt
from moltheory.errors import InvalidInputError
from moltheory.evaluation import CVaR
from moltheory.objectives import Cell, Gap, Known, Mean, Measure, Rate, Worst
from moltheory.objectives._measure_contract import increases
from moltheory.testing import ContractError, check_measure
from tests.testing._measures import EVERY, GROUP, LOSSES, Array, Own, PlainGap, certify_one, rates


class MethodDeclared(PlainGap):
    """Forgot @property: a method is truthy."""

    value, interval, width = PlainGap.value, PlainGap.interval, PlainGap.width

    def is_increasing(self) -> bool:  # type: ignore[override]
        return False


class PerCell(MethodDeclared):
    """Declares each cell."""

    is_increasing = (True, False)  # type: ignore[assignment]


class InWords(MethodDeclared):
    """A word is truthy."""

    is_increasing = "no"  # type: ignore[assignment]


class InAnArray(MethodDeclared):
    """An array has no truth value."""

    is_increasing = np.array([True, False])  # type: ignore[assignment]


class Percent:
    """A cooperative mixin, made for means."""

    is_increasing = True

    def value(self, means: Any) -> Any:
        return 100.0 * super().value(means)  # type: ignore[misc]

    def interval(self, lower: Any, upper: Any) -> Any:
        low, high = super().interval(lower, upper)  # type: ignore[misc]
        return 100.0 * low, 100.0 * high

    def width(self, widths: Any) -> Any:
        return 100.0 * super().width(widths)  # type: ignore[misc]


class PercentGap(Percent, Gap):
    """What the mixin declares is not about gaps."""


class PercentMean(Percent, Mean):
    """Increases, and says so itself."""

    is_increasing = True


class Halved:
    """A mixin that changes the value only."""

    def value(self, means: Any) -> Any:
        return 0.5 * super().value(means)  # type: ignore[misc]


class HalvedPercent(Percent, Halved, Mean):
    """The first class defines all three, the second changes the value below it."""


@pytest.mark.parametrize("kind", [MethodDeclared, PerCell, InWords, InAnArray])
def test_only_true_declares_that_a_measure_increases(kind: Any) -> None:
    for use in (certify_one, check_measure, lambda measure: Worst([measure])):
        with pytest.raises((InvalidInputError, ContractError), match="`is_increasing` must be True or False, got"):
            use(kind(*rates()))
    assert increases(type("Numpy", (Own,), {"is_increasing": np.bool_(True)})())


def _on_the_object(name: str, value: Any = None) -> Measure:
    worst, gap = Worst(rates()), PlainGap(*rates())
    setattr(worst, name, getattr(gap, name) if value is None else value)
    return worst


@pytest.mark.parametrize("name", ["value", "interval", "width"])
def test_methods_on_the_object_are_refused(name: str) -> None:
    for use in (certify_one, check_measure, lambda measure: Gap(measure, Mean(LOSSES))):
        with pytest.raises((InvalidInputError, ContractError), match=f"got Worst with {name} set on the object"):
            use(_on_the_object(name))
    tail = CVaR(LOSSES.astype(float))
    tail.interval = lambda losses, **_: (0.0, 0.0)  # type: ignore[method-assign, assignment]
    for use in (certify_one, check_measure):
        with pytest.raises((InvalidInputError, ContractError), match="got CVaR with interval set on the object"):
            use(tail)


def test_an_object_may_declare_less_than_its_class_and_not_more() -> None:
    measure = Own()
    measure.is_increasing = False
    assert certify_one(measure).methods[0].endswith("no paired test")
    gap = PlainGap(*rates())
    gap.is_increasing = True
    with pytest.raises(InvalidInputError, match="is_increasing set on the object"):
        certify_one(gap)
    gap.is_increasing, gap.is_exact = False, True
    with pytest.raises(InvalidInputError, match="is_exact set on the object"):
        certify_one(gap)


def test_a_mixin_s_declaration_is_about_the_mixin() -> None:
    # The value that counts is 100 |a - b|: the model with the gap may not exclude the one without.
    for seed in range(20):
        certificate = certify_one(PercentGap(*rates(seed)), delta=0.2)
        assert certificate.methods[0].endswith("no paired test")
        assert not certificate.excluded[1]
    with pytest.raises(ContractError, match="is_increasing from Percent, and Gap defines value anew"):
        check_measure(PercentGap(*rates()))
    check_measure(PercentMean(LOSSES))
    assert certify_one(PercentMean(LOSSES)).methods == ("clopper-pearson; exact McNemar",)
    for use in (certify_one, check_measure):
        with pytest.raises(
            (InvalidInputError, ContractError), match="Halved, which defines value and inherits interval"
        ):
            use(HalvedPercent(LOSSES))


def _methods(kind: type[Measure]) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in ("value", "interval", "width")}


def test_a_small_decrease_in_one_part_is_found_in_a_few_draws() -> None:
    class Mostly(PlainGap):
        is_increasing = True

        def value(self, means: Sequence[Array]) -> Array:
            return means[0] - 1e-3 * means[1]

        def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
            return lower[0] - 1e-3 * upper[1], upper[0] - 1e-3 * lower[1]

        def width(self, widths: Sequence[Array]) -> Array:
            return widths[0] + 1e-3 * widths[1]

    with pytest.raises(ContractError, match="declares is_increasing, which it is not"):
        check_measure(Mostly(*rates()), draws=2)


def test_a_registered_class_is_no_ancestor() -> None:
    class Registered(Percent, Gap):
        pass

    Gap.register(Percent)
    assert not increases(Registered(*rates()))


def test_a_gap_that_declares_to_increase_is_found_one_part_at_a_time() -> None:
    class Lying(PlainGap):
        is_increasing = True

    # Both ends of the boxes are further apart than the means, so that moving both parts together shows nothing.
    place = np.arange(2000) / 2000
    a, b = place < 0.01, place < 0.5
    measure = Lying(Mean(np.column_stack([a, a])), Mean(np.column_stack([b, b])))
    with pytest.raises(InvalidInputError, match="must increase with every part"):
        certify_one(measure)
    with pytest.raises(ContractError, match="declares is_increasing, which it is not"):
        check_measure(measure)


@pytest.mark.parametrize(
    ("losses", "where", "named"),
    [
        (LOSSES, GROUP.astype(int), "`where` must be bools"),
        (LOSSES, GROUP.astype(float), "`where` must be bools"),
        (LOSSES, GROUP.tolist(), "`where` must be an array in a Cell, got list"),
        (LOSSES, np.ones(len(LOSSES) + 5, bool), "`where` must be bools"),
        (LOSSES, np.ones(5, bool), "`where` must be bools"),
        (LOSSES, np.ones((len(LOSSES), 1), bool), "`where` must be bools"),
        (LOSSES, np.ma.array(GROUP, mask=GROUP), "`where` must not hold masked"),
        (LOSSES.tolist(), EVERY, "`losses` must be an array in a Cell, got list"),
        (LOSSES[:, 0], EVERY, "`losses` must be real numbers of shape"),
        (LOSSES.astype(complex), EVERY, "`losses` must be real numbers of shape"),
        (LOSSES.astype(object), EVERY, "`losses` must be real numbers of shape"),
        (LOSSES[:0], EVERY[:0], "`losses` must be real numbers of shape"),
        (np.ma.array(LOSSES, mask=LOSSES), EVERY, "`losses` must not hold masked"),
    ],
)
def test_cells_are_tables_of_numbers_and_conditions(losses: Any, where: Any, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        Own(losses, where)
    # Also where a cell is changed behind the back of its class.
    measure = Own()
    object.__setattr__(measure.cells[0], "losses", losses)
    object.__setattr__(measure.cells[0], "where", where)
    for use in (certify_one, check_measure):
        with pytest.raises((InvalidInputError, ContractError), match=named):
            use(measure)


def test_masked_losses_and_conditions_are_refused_by_rates() -> None:
    with pytest.raises(InvalidInputError, match="`losses` must not hold masked"):
        Mean(np.ma.array(LOSSES, mask=LOSSES))
    with pytest.raises(InvalidInputError, match="`where` must not hold masked"):
        Rate(LOSSES, np.ma.array(GROUP, mask=~GROUP))


def test_a_cell_is_hashable_by_identity_and_says_what_its_condition_is() -> None:
    one, other = Own().cells[0], Own().cells[0]
    assert one != other
    assert len({one, other}) == 2

    class Hidden(Cell):
        depends_on_model = False

    with pytest.raises(InvalidInputError, match="`depends_on_model` must be"):
        Own(LOSSES, ~LOSSES).cells = (Hidden(LOSSES, ~LOSSES),)


class Auc(Measure):
    """An estimate that is no function of means."""

    cells = ()
    found = np.array([0.55, 0.48])

    def value(self, means: Sequence[Array]) -> Array:
        return self.found

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return self.found - 0.1, self.found + 0.1

    def width(self, widths: Sequence[Array]) -> Array:
        return np.array([0.1])


class ExactAuc(Auc):
    """Declares what its interval contradicts."""

    is_exact = True


class InheritedAuc(Auc, Known):
    """Takes from known values that it is known."""


class Parameters(Auc):
    """Keeps the contract: known without data."""

    is_exact = True

    def value(self, means: Sequence[Array]) -> Array:
        return self.found

    def interval(self, lower: Sequence[Array], upper: Sequence[Array]) -> tuple[Array, Array]:
        return self.found, self.found

    def width(self, widths: Sequence[Array]) -> Array:
        return np.zeros(1)


def _beside_mean(measure: Any) -> mt.Certificate:
    return mt.certify(None, objectives={"error": Mean(LOSSES), "it": measure})


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (Auc, "with neither"),
        (lambda: InheritedAuc([1, 2]), "with neither"),
        (ExactAuc, "interval"),
        (lambda: type("Both", (Own,), {"is_exact": True})(), "with both"),
        (lambda: type("Said", (Auc,), {"data_dependent": True})(), "with neither"),
        (lambda: type("Said", (Parameters,), {"data_dependent": True})(), "leave it to `Measure`"),
        (lambda: type("Said", (Mean,), {"data_dependent": False})(LOSSES), "leave it to `Measure`"),
        (lambda: type("Word", (Parameters,), {"is_exact": "yes"})(), "`is_exact` must be True or False, got str"),
        (lambda: type("Short", (Parameters,), {"found": np.ones((2, 1))})(), "known value"),
        (lambda: type("Endless", (Parameters,), {"found": np.array([1.0, np.inf])})(), "finite|known values"),
    ],
)
def test_what_has_no_cells_is_exact_only_where_declared(make: Callable[[], Measure], named: str) -> None:
    for use in (_beside_mean, check_measure):
        with pytest.raises((InvalidInputError, ContractError), match=named):
            use(make())


def test_known_values_from_outside() -> None:
    check_measure(Parameters())
    wide = type("Wide", (Parameters,), {**_methods(Parameters), "width": Auc.width, "is_exact": True})
    with pytest.raises(ContractError, match="its width 0"):
        check_measure(wide())
    certificate = _beside_mean(Parameters())
    assert certificate.data_dependent.tolist() == [True, False]
    assert certificate.boxes[:, 1].tolist() == [[0.55, 0.55], [0.48, 0.48]]
    with pytest.raises(InvalidInputError, match="estimated from data"):
        Worst([Parameters()])
