"""Finite point sets and convex fronts with known support functions."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray


def integer_points(n_objectives: int, *, largest: int = 6, most: int = 9) -> st.SearchStrategy[Array]:
    """Few small integers: ties, duplicates, collinear and dominated points are frequent."""
    row = st.lists(st.integers(0, largest), min_size=n_objectives, max_size=n_objectives)
    return st.lists(row, min_size=1, max_size=most).map(lambda rows: np.array(rows, dtype=np.float64))


def lattice(n_objectives: int, steps: int) -> Array:
    """Integer weights that sum to `steps`: sums with integer points are exact in floats."""
    axes = np.meshgrid(*[np.arange(steps + 1)] * (n_objectives - 1), indexing="ij")
    first = np.stack([axis.ravel() for axis in axes], axis=1)
    first = first[first.sum(axis=1) <= steps]
    return np.column_stack([first, steps - first.sum(axis=1)]).astype(np.float64)


def sphere(center: Array) -> Callable[[Array], Array]:
    """Minimise over the unit ball around `center`: the point is center - w / |w|, the value w center - |w|."""
    return lambda w: center - w / np.linalg.norm(w, axis=1, keepdims=True)


def ellipsoid(axes: Array) -> Callable[[Array], Array]:
    """Minimise over ``{1 + A x : |x| <= 1}``, A = diag(axes): value w 1 - |A w|."""
    return lambda w: 1.0 - w * axes**2 / np.linalg.norm(w * axes, axis=1, keepdims=True)
