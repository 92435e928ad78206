"""Grids of weights for fronts of infinite classes."""

from __future__ import annotations

import math

from moltheory._validation import FloatArray, check_count
from moltheory.scalarization import simplex_grid

__all__ = ["lattice_of_weights"]


def lattice_of_weights(n_objectives: int, n_points: int) -> FloatArray:
    """Return the largest lattice on the simplex with at most `n_points` >= N rows, all unit vectors among them."""
    most = check_count("n_points", n_points, low=n_objectives)
    divisions = 1
    while math.comb(divisions + n_objectives, n_objectives - 1) <= most:
        divisions += 1
    return simplex_grid(n_objectives, divisions)
