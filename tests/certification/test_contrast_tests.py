"""Paired tests of gaps, spreads and worst groups: when they apply, what measures declare, power, refusals."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from moltheory.certification._contrasts import contrast_p_values, contrast_tables, with_contrasts
from moltheory.certification._matched_units import can_match, matched_units
from moltheory.errors import InvalidInputError
from moltheory.evaluation._comparison import read_comparison
from moltheory.objectives import Cell, F1Error, Gap, Known, Mean, Measure, Rate, Spread, Worst
from moltheory.objectives._measure_contract import forms_of
from moltheory.testing import ContractError, check_measure
from tests.certification._contrast_worlds import Array, groups_of, measure_of, objective_of, one_draw, p_of

# --- matched units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (3, 10), (10, 3), (4, 9, 6)])
def test_every_example_is_in_exactly_one_unit(sizes: tuple[int, ...]) -> None:
    group = np.random.default_rng(0).permutation(groups_of(sizes))
    rng = np.random.default_rng(1)
    losses = rng.random((len(group), 3))
    units = matched_units([Cell(losses, group == g) for g in range(len(sizes))], (0.0, 1.0))
    n_units = min(sizes)
    assert units.shape == (len(sizes), 3, n_units)
    for g, size in enumerate(sizes):
        lengths = np.diff([t * size // n_units for t in range(n_units + 1)])
        np.testing.assert_allclose((units[g] * lengths).sum(axis=1), losses[group == g].sum(axis=0))


def test_cells_of_one_group_stay_together() -> None:
    """Two losses on the same examples are paired example by example."""
    group = np.arange(20) < 12
    first = np.random.default_rng(0).random((20, 2))
    units = matched_units([Cell(first, group), Cell(1.0 - first, group.copy())], (0.0, 1.0))
    np.testing.assert_allclose(units[0] + units[1], 1.0)


_LOSSES = np.random.default_rng(2).random((40, 3)) < 0.4
_GROUP = np.arange(40) % 2 == 0


def test_when_contrasts_are_tested() -> None:
    gap = Gap(Rate(_LOSSES, _GROUP), Rate(_LOSSES, ~_GROUP))
    assert objective_of(gap).forms is not None
    columns = np.full((3, 3), 0.3)
    untested: list[tuple[Measure, Any]] = [
        (gap, np.arange(40) // 2),
        (Gap(Rate(_LOSSES, _GROUP), Mean(_LOSSES)), None),  # groups overlap
        (Gap(Rate(_LOSSES, _LOSSES), Rate(_LOSSES, ~_GROUP)), None),  # a condition that depends on the model
        (Gap(Worst([Rate(_LOSSES, _GROUP)] * 2), Rate(_LOSSES, ~_GROUP)), None),  # not the largest of linear forms
        (Gap(F1Error(_LOSSES, _GROUP), Rate(_LOSSES, ~_GROUP)), None),
        (Rate(_LOSSES, _GROUP), None),
        (Known([1, 2, 3]), None),
        (_Holes(), None),
    ]
    for measure, clusters in untested:
        problem = read_comparison(None, objectives={"o": measure, "other": gap}, clusters=clusters)
        entry = with_contrasts(problem).objectives[0]
        assert entry.forms is None
        assert entry.tested == entry.testable
        assert contrast_p_values(entry, 0.0, 4.0) is None
        assert contrast_p_values(entry, 0.0, 4.0, columns=columns) is columns
        tables = (columns, None)
        assert contrast_tables(entry, 0.1, np.full(3, 4.0), 4.0, tables, maximise=True) is tables
    assert not can_match([Cell(_LOSSES, np.zeros(40, bool))])
    assert with_contrasts(read_comparison(_LOSSES.astype(float))).objectives[0].forms is None


class _Own(Measure):
    """The difference of two means."""

    def __init__(self, losses: Array = _LOSSES, forms: Any = ((1.0, -1.0),)) -> None:
        self.cells = (Cell(losses, _GROUP), Cell(losses, ~_GROUP))
        self._forms = forms

    def value(self, means: Any) -> Any:
        return means[0] - means[1]

    def interval(self, lower: Any, upper: Any) -> Any:
        return lower[0] - upper[1], upper[0] - lower[1]

    def width(self, widths: Any) -> Any:
        return widths[0] + widths[1]

    def linear_forms(self) -> Any:
        return self._forms


class _Holes(_Own):
    """A loss is missing."""

    def __init__(self) -> None:
        losses = _LOSSES.astype(float)
        losses[0, 0] = np.nan
        super().__init__(losses)


class _Doubled(Gap):
    """Changes the value, and inherits the forms."""

    def value(self, means: Any) -> Any:
        return 2.0 * super().value(means)

    def interval(self, lower: Any, upper: Any) -> Any:
        return tuple(2.0 * end for end in super().interval(lower, upper))

    def width(self, widths: Any) -> Any:
        return 2.0 * super().width(widths)


# --- what measures declare ---------------------------------------------------------------------------------------


def test_forms_of_what_is_built_in() -> None:
    rates = [Rate(_LOSSES, np.arange(40) % 3 == g) for g in range(3)]
    found = {
        "rate": forms_of("m", rates[0]),
        "gap": forms_of("m", Gap(*rates[:2])),
        "worst": forms_of("m", Worst(rates)),
        "worst of gaps": forms_of("m", Worst([Gap(*rates[:2]), rates[2]])),
    }
    expected = {
        "rate": [[1.0]],
        "gap": [[1.0, -1.0], [-1.0, 1.0]],
        "worst": np.eye(3).tolist(),
        "worst of gaps": [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
    assert {name: None if forms is None else forms.tolist() for name, forms in found.items()} == expected
    spread = forms_of("m", Spread(rates))
    assert spread is not None
    assert sorted(spread.tolist()) == sorted(
        set(itertools.permutations([1.0, -1.0, 0.0])) and map(list, itertools.permutations([1.0, -1.0, 0.0]))
    )
    assert forms_of("m", F1Error(_LOSSES, _GROUP)) is None
    assert forms_of("m", Known([1, 2, 3])) is None
    assert forms_of("m", _Doubled(*rates[:2])) is None
    check_measure(_Doubled(*rates[:2]))


def test_forms_that_are_not_the_value_are_refused() -> None:
    check_measure(_Own())
    lying = _Own(forms=((1.0, 1.0),))
    with pytest.raises(ContractError, match="linear_forms must be forms whose largest is the value"):
        check_measure(lying)
    with pytest.raises(InvalidInputError, match="largest of their `linear_forms` as value"):
        p_of(lying)


@pytest.mark.parametrize(
    "forms", [((1.0,),), (1.0, -1.0), ((1.0, math.nan),), "ab", ((1.0, -1.0), (1.0,)), np.empty((0, 2)), ((1j, 1.0),)]
)
def test_forms_that_are_no_numbers_per_cell_are_refused(forms: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"`linear_forms` are finite numbers \(J, 2\)"):
        forms_of("objectives", _Own(forms=forms))
    with pytest.raises(ContractError, match="linear_forms"):
        check_measure(_Own(forms=forms))


# --- power, and what must not matter -----------------------------------------------------------------------------


def test_a_gap_that_boxes_leave_open_is_settled() -> None:
    """Two models, 3,075 examples, gaps that differ by .092 at a paired z of 12: every draw is settled at .0425 / 2."""
    for seed in range(10):
        losses, group = one_draw(((0.30, 0.392), (0.25, 0.25)), 3075, seed)
        p = p_of(measure_of("gap", losses, group), level=0.02)
        assert p[0, 1] <= 0.02
        assert p[1, 0] == 1.0
        # The mirrored case: the difference of b has the opposite sign.
        assert p_of(measure_of("gap", losses, 1 - group), level=0.02)[0, 1] <= 0.02


def test_a_gap_of_the_opposite_sign_is_settled() -> None:
    losses, group = one_draw(((0.30, 0.20), (0.25, 0.45)), 3000, 1)
    p = p_of(measure_of("gap", losses, group), level=0.001)
    assert p[0, 1] <= 0.001
    assert p[1, 0] == 1.0


def test_models_that_are_worst_in_different_groups_are_compared() -> None:
    """No test of the columns can: the second is better in one group."""
    losses, group = one_draw(((0.20, 0.38), (0.25, 0.15)), 2000, 0)
    worst = measure_of("worst", losses, group)
    without = np.ones((2, 2))
    assert p_of(worst, level=0.01, columns=without)[0, 1] <= 0.01
    # The test of columns is never weakened by more than its share.
    with_it = np.array([[1.0, 1e-9], [1.0, 1.0]])
    assert p_of(worst, level=0.01, columns=with_it)[0, 1] == pytest.approx(1e-9 / 0.8)


def test_spreads_and_equalized_odds_are_compared() -> None:
    losses, group = one_draw(((0.3, 0.3), (0.3, 0.5), (0.25, 0.2), (0.3, 0.3)), 4000, 1)
    for kind in ("spread", "worst of gaps"):
        p = p_of(measure_of(kind, losses, group), level=0.001)
        assert p[0, 1] <= 0.001
        assert p[1, 0] == 1.0


def test_a_tolerance_is_in_units_of_the_measure() -> None:
    losses, group = one_draw(((0.30, 0.392), (0.25, 0.25)), 3075, 3)
    gap = measure_of("gap", losses, group)
    assert p_of(gap, level=0.01, shift=0.2)[1, 0] <= 0.01
    assert p_of(gap, level=0.01, shift=0.05)[1, 0] > 0.01
    assert p_of(gap, level=0.01, shift=-0.2)[0, 1] > 0.01
    assert p_of(gap, level=0.01, shift=5.0)[1, 0] <= 0.01
    np.testing.assert_array_equal(np.diag(p_of(gap, shift=0.2)), 1.0)


@pytest.mark.parametrize("kind", ["gap", "worst"])
def test_units_of_the_losses_do_not_matter(kind: str) -> None:
    losses, group = one_draw(((0.30, 0.392), (0.25, 0.25)), 800, 3)
    expected = p_of(measure_of(kind, losses.astype(float), group), shift=0.01)
    for low, high in ((-2.0, 2.0), (1e6, 1e6 + 8.0)):
        moved = low + (high - low) * losses
        found = p_of(measure_of(kind, moved, group), shift=0.01 * (high - low), loss_range=(low, high))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_measures_of_differences_and_means_have_offsets() -> None:
    """Forms whose coefficients have different sums: the range of the losses matters, and is taken into account."""
    losses, group = one_draw(((0.30, 0.8), (0.25, 0.25), (0.3, 0.3)), 1500, 5)
    rates = [Rate(losses, group == g) for g in range(3)]
    assert p_of(Worst([Gap(*rates[:2]), rates[2]]))[0, 1] <= 0.01
    moved = [Rate(losses + 1.0, group == g) for g in range(3)]
    # With losses 1 and 2 the third rate, of 1.3, is the largest for both: nothing is found.
    assert (p_of(Worst([Gap(*moved[:2]), moved[2]]), loss_range=(1.0, 2.0)) > 0.01).all()


def test_levels_per_pair_and_per_second_model() -> None:
    losses, group = one_draw(((0.30, 0.36, 0.4), (0.25, 0.25, 0.25)), 1500, 3)
    entry = objective_of(measure_of("gap", losses, group))
    goals = np.array([2.0, 5.0, 9.0])
    each = contrast_p_values(entry, 0.0, goals)
    np.testing.assert_array_equal(each, contrast_p_values(entry, 0.0, np.tile(goals, (3, 1))))
    assert (np.asarray(each) != np.asarray(contrast_p_values(entry, 0.0, goals[::-1]))).any()
    # A level near or above 1 plans nothing, and is no error.
    near = contrast_p_values(entry, 0.0, np.array([0.0, -1.0, 1e-9]))
    assert near is not None
    assert ((near > 0.0) & (near <= 1.0)).all()


def test_tables_of_an_objective_to_maximise_and_with_a_tolerance() -> None:
    losses, group = one_draw(((0.30, 0.392, 0.5), (0.25, 0.25, 0.25)), 3000, 3)
    entry, exclusions, members = objective_of(measure_of("gap", losses, group)), np.array([5.0, 6.0, 7.0]), 6.5
    below, not_above = contrast_tables(entry, 0.0, exclusions, members, (None, None), maximise=False)
    np.testing.assert_array_equal(below, not_above)
    np.testing.assert_array_equal(below, contrast_p_values(entry, 0.0, np.maximum(exclusions, members)))
    turned, _ = contrast_tables(entry, 0.0, exclusions, members, (None, None), maximise=True)
    expected = contrast_p_values(entry, 0.0, np.maximum(exclusions, members)[:, None])
    assert turned is not None
    assert expected is not None
    np.testing.assert_array_equal(turned, expected.T)
    assert turned[2, 0] <= math.exp(-5.0) < 1.0 == turned[0, 2]
    below, not_above = contrast_tables(entry, 0.3, exclusions, members, (None, None), maximise=False)
    np.testing.assert_array_equal(below, contrast_p_values(entry, 0.0, exclusions))
    np.testing.assert_array_equal(not_above, contrast_p_values(entry, 0.3, members))
    # With tests of columns, each of the two kinds keeps its own.
    worst = objective_of(measure_of("worst", losses, group))
    own = np.full((3, 3), 1e-6), np.full((3, 3), 1e-7)
    below, not_above = contrast_tables(worst, 0.0, exclusions, members, own, maximise=False)
    assert below is not None
    assert not_above is not None
    assert (below.max(), not_above.max()) == pytest.approx((1e-6 / 0.8, 1e-7 / 0.8))


def test_equal_models_single_units_and_empty_ranges_of_gains() -> None:
    same = np.repeat(_LOSSES[:, :1], 2, axis=1)
    assert (p_of(Gap(Rate(same, _GROUP), Rate(same, ~_GROUP))) == 1.0).all()
    one = np.array([[True, False], [False, True], [False, True]])
    group = np.array([True, False, False])
    # One unit: its capital is at most 1.9.
    assert (p_of(Gap(Rate(one, group), Rate(one, ~group))) > 0.5).all()
    constant = _Own(forms=((0.0, 0.0),))
    with pytest.raises(InvalidInputError):
        p_of(constant)


def test_no_pair_is_favored_by_the_order_of_models_or_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    losses, group = one_draw(((0.30, 0.36, 0.45, 0.3), (0.25, 0.25, 0.25, 0.3)), 1500, 3)
    measure = measure_of("gap", losses, group)
    p, order = p_of(measure), np.array([2, 0, 3, 1])
    turned = p_of(measure_of("gap", losses[:, order], group))
    np.testing.assert_allclose(turned, p[np.ix_(order, order)])
    monkeypatch.setattr("moltheory.certification._contrasts._PRODUCTS", 1)
    fewer = p_of(measure)
    assert (fewer < 1.0).sum() == 1
    assert fewer[fewer < 1.0] == p[3, 2]
