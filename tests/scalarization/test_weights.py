"""The lattice of weights: count, uniqueness, sums, floor and order."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.scalarization import simplex_grid

SIZES = [(1, 1), (1, 7), (2, 1), (2, 99), (3, 10), (4, 7), (5, 5), (10, 3)]


@pytest.mark.parametrize(("n", "d"), SIZES)
def test_against_enumeration(n: int, d: int) -> None:
    grid = simplex_grid(n, d)
    rows = [k for k in itertools.product(range(d + 1), repeat=n) if sum(k) == d] if n < 10 else None
    assert grid.shape == (math.comb(d + n - 1, n - 1), n)
    assert len(np.unique(grid, axis=0)) == len(grid)
    if rows is not None:
        assert (grid == np.array(rows) / d).all()


@pytest.mark.parametrize(("n", "d"), SIZES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_sums_and_floor(n: int, d: int, share: float) -> None:
    smallest = share / n
    grid = simplex_grid(n, d, smallest=smallest)
    sums = np.array([math.fsum(row) for row in grid])
    assert (np.abs(sums - 1.0) <= (2.0**-53 if share == 0.0 else 8 * 2.0**-53)).all()
    assert (grid >= smallest).all()
    assert (grid <= 1.0 + 2.0**-52).all()
    assert len(np.unique(grid, axis=0)) == len(grid)
    if n > 1:
        assert grid.min() == pytest.approx(smallest, abs=1e-15)


def test_rows_are_a_permutation_of_every_permutation_of_the_columns() -> None:
    grid = simplex_grid(3, 6, smallest=0.1)
    rows = {tuple(row) for row in grid.tolist()}
    for order in itertools.permutations(range(3)):
        assert {tuple(row) for row in grid[:, order].tolist()} == rows


@pytest.mark.parametrize("n", [1, 2, 3, 7, 49])
def test_largest_floor_gives_the_center(n: int) -> None:
    np.testing.assert_allclose(simplex_grid(n, 2, smallest=1 / n), 1 / n, rtol=1e-13)


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match=r"`smallest` must be at most 1 / n_objectives = 0\.5, got 0\.6"):
        simplex_grid(2, 3, smallest=0.6)
    with pytest.raises(InvalidInputError, match="`smallest` must lie in"):
        simplex_grid(2, 3, smallest=-0.1)
    with pytest.raises(InvalidInputError, match="`n_objectives` must be an integer >= 1, got 0"):
        simplex_grid(0, 3)
    with pytest.raises(InvalidInputError, match=r"`divisions` must be an integer, got 2\.5"):
        simplex_grid(2, 2.5)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="`divisions` must keep the lattice within 50000000 entries"):
        simplex_grid(10, 100)
