"""Plans for gaps, spreads and worst groups that are tested by contrasts."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from moltheory.certification._contrast_view import contrast_view
from moltheory.certification._contrasts import contrast_p_values, with_contrasts
from moltheory.certification._pair_views import BoxView
from moltheory.evaluation._comparison import read_comparison
from moltheory.inference._pairs import PairCounts, PairMoments
from moltheory.objectives import Gap, Measure, Rate, Spread, Worst
from moltheory.objectives._measure_contract import forms_of

Array = np.ndarray[Any, Any]
_LEVEL = 1e-3


def _draw(rates: tuple[tuple[float, ...], ...], n: int, seed: int) -> tuple[Array, list[Array]]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, len(rates), n)
    return rng.random((n, 1)) < np.array(rates)[group], [group == g for g in range(len(rates))]


def _view(
    measure: Measure, *, counts: bool = True, maximise: bool = False, low: float = 0.0, span: float = 1.0
) -> BoxView:
    cells: list[PairCounts | PairMoments] = []
    for cell in measure.cells:
        summary = PairCounts(cell.losses.shape[1]) if counts else PairMoments(cell.losses.shape[1])
        summary.update((cell.losses[cell.where].astype(float) - low) / span)
        cells.append(summary)
    value = measure.value([cell.losses[cell.where].mean(axis=0) for cell in measure.cells])
    forms = forms_of("measure", measure)
    assert forms is not None
    first, second = np.nonzero(~np.eye(value.size, dtype=bool))
    ends = (low, low + span)
    return contrast_view(value, forms, cells, ends, first, second, n=1000, level=_LEVEL, maximise=maximise)


@pytest.mark.parametrize("rates", [((0.30, 0.40), (0.25, 0.25)), ((0.30, 0.20), (0.25, 0.45))])
def test_planned_sizes_decide_about_as_often_as_planned(rates: tuple[tuple[float, ...], ...]) -> None:
    growths = []
    for seed in range(20):
        losses, groups = _draw(rates, 1000, seed)
        growths.append(_view(Gap(*(Rate(losses, g) for g in groups))).growths(0.0, _LEVEL, 0.8)[:, 0].min())
    n, hits = int(1000 * np.median(growths)), 0
    for seed in range(60):
        losses, groups = _draw(rates, n, 100 + seed)
        problem = read_comparison(None, objectives=Gap(*(Rate(losses, g) for g in groups)))
        p = contrast_p_values(with_contrasts(problem).objectives[0], 0.0, -math.log(_LEVEL))
        assert p is not None
        hits += int(p[0, 1] <= _LEVEL)
    assert 0.6 <= hits / 60 <= 0.98


def test_counts_and_moments_are_one_view_in_any_units() -> None:
    losses, groups = _draw(((0.3, 0.4, 0.3), (0.25, 0.25, 0.5), (0.2, 0.2, 0.1)), 600, 1)
    kinds: list[Any] = [Spread, Worst]
    for kind in kinds:
        counted = _view(kind([Rate(losses, g) for g in groups]))
        summed = _view(kind([Rate(losses, g) for g in groups]), counts=False)
        moved = _view(kind([Rate(5.0 + 4.0 * losses, g) for g in groups]), counts=False, low=5.0, span=4.0)
        for view, unit in ((summed, 1.0), (moved, 4.0)):
            np.testing.assert_allclose(view.gap, unit * counted.gap, atol=1e-12)
            np.testing.assert_allclose(view.error, unit * counted.error, atol=1e-12)


def test_directions_and_orders_of_a_pair_agree() -> None:
    losses, groups = _draw(((0.3, 0.5), (0.25, 0.25)), 1000, 2)
    gap = Gap(*(Rate(losses, g) for g in groups))
    view, turned = _view(gap), _view(gap, maximise=True)
    assert view.gap[0] > 0.0
    np.testing.assert_allclose(view.gap, [view.gap[0], -view.gap[0]])
    np.testing.assert_allclose(turned.gap, -view.gap)
    # At an even chance, no more than is at hand: the gap of the better one is decided.
    assert (view.growths(0.0, _LEVEL, 0.5) == 1.0).tolist() == [[True, False], [False, True]]


def test_equal_models_get_a_finite_bound_no_more_often_than_stated() -> None:
    finite = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        group = rng.integers(0, 2, 400)
        losses = rng.random((400, 2)) < np.where(group == 0, 0.3, 0.2)[:, None]
        view = _view(Gap(Rate(losses, group == 0), Rate(losses, group == 1)))
        finite += bool(np.isfinite(view.growths(float(ndtri(0.16)), _LEVEL, 0.8)[:, 0]).any())
    assert finite / 150 <= 0.32 + 0.08


def test_models_with_equal_losses_are_never_decided() -> None:
    losses, groups = _draw(((0.3, 0.3), (0.25, 0.25)), 300, 3)
    view = _view(Gap(*(Rate(losses, g) for g in groups)))
    assert np.isinf(view.growths(0.0, _LEVEL, 0.5)).all()
    assert np.isinf(view.growths(0.0, _LEVEL, 0.8)).all()
