"""Which points of a front a family of scalarizations can return: exact facts on three-point fronts."""

from __future__ import annotations

import numpy as np
import pytest

from moltheory.scalarization import Chebyshev, PNorm, WeightedSum, simplex_grid

FRONT = np.array([[0.0, 1.0], [0.6, 0.6], [1.0, 0.0]])
IDEAL = np.array([-0.1, -0.1])
MIDDLE = 1.0 / (FRONT[1] - IDEAL)
LARGEST_RHO = 20.0 / 7.0  # (1.1/.7 - 1) / (1.2 - 1) = 2.857142857


def test_no_weighted_sum_picks_the_unsupported_point() -> None:
    for w in simplex_grid(2, 1000):
        values = WeightedSum(w)(FRONT)
        assert values[1] > values.min()


def test_chebyshev_reaches_every_point() -> None:
    for index, y in enumerate(FRONT):
        values = Chebyshev(1.0 / (y - IDEAL), ideal=IDEAL)(FRONT)
        assert values[index] == pytest.approx(1.0)
        assert (np.delete(values, index) > 1.5).all()


def test_a_large_p_norm_reaches_the_unsupported_point_and_a_small_one_does_not() -> None:
    assert np.argmin(PNorm([0.5, 0.5], 2)(FRONT)) == 1
    assert np.argmin(PNorm([0.5, 0.5], 1.2)(FRONT)) != 1


@pytest.mark.parametrize(("weights", "largest"), [(MIDDLE, LARGEST_RHO), (MIDDLE / MIDDLE.sum(), 1.0)])
def test_augmented_chebyshev_reaches_up_to_the_critical_augmentation(weights: np.ndarray, largest: float) -> None:
    def middle_is_best(rho: float) -> bool:
        return int(np.argmin(Chebyshev(weights, ideal=IDEAL, augmentation=rho)(FRONT))) == 1

    assert all(middle_is_best(rho) for rho in np.linspace(0.0, largest - 1e-9, 50))
    assert not any(middle_is_best(rho) for rho in np.linspace(largest + 1e-9, 10.0, 50))
    at = Chebyshev(weights, ideal=IDEAL, augmentation=largest)(FRONT)
    np.testing.assert_allclose(at, at[0], rtol=1e-14)


def test_critical_augmentation_golden_value() -> None:
    assert pytest.approx(2.857142857, abs=5e-10) == LARGEST_RHO


def test_weight_cells_of_a_supported_front() -> None:
    """Cells in w_1: (0, 1) on [2/3, 1], (.3, .4) on [4/11, 2/3], (1, 0) on [0, 4/11]."""
    points = np.array([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]])
    for w in simplex_grid(2, 1000):
        expected = 0 if w[0] > 2 / 3 else 1 if w[0] > 4 / 11 else 2
        assert np.argmin(WeightedSum(w)(points)) == expected


def test_certified_share_of_weights() -> None:
    """The margin at w exceeds 2 * .02 for 83/99 of w_1, by a grid of 99000 steps of it."""
    points = np.array([[0.0, 1.0], [0.3, 0.4], [1.0, 0.0]])
    w = simplex_grid(2, 99_000)
    values = np.sort(w @ points.T, axis=1)
    share = (values[:, 1] - values[:, 0] > 0.04).mean()
    assert share == pytest.approx(83 / 99, abs=5e-5)
