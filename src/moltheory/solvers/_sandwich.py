r"""The certified gap between the hull of some members of a front and all that can lie below it.

Let V be the attainable risk vectors, :math:`\psi(w) = \inf_V w \cdot v` (concave in w), :math:`p_k` attained members,
I the convex hull of the members plus the nonnegative orthant and :math:`\phi(w) = \min_k w \cdot p_k = \min_I w \cdot x`.
For v in V, v + t1 is in I iff :math:`w \cdot v + t \ge \phi(w)` for all w on the simplex; hence for

.. math:: t \ge \sup_w \phi(w) - \psi(w)

it is, for all v in V. Cut the simplex into pieces whose corners are weights :math:`w_j` with known lower values
:math:`l_j \le \psi(w_j)`: on a piece :math:`\psi(\sum_j \lambda_j w_j) \ge \sum_j \lambda_j l_j`, so that the gap there is
at most

.. math:: \max_\lambda \min_k \sum_j \lambda_j (w_j \cdot p_k - l_j),

the value of a matrix game. Any mixture of members bounds it from above, so what an inexact solution of the game
returns is a certificate still. Derived (proof: sandwich); the pieces of the upper hull of the
:math:`(w_j, l_j)` correspond to the corners of the outer approximation :math:`\{v : w_j \cdot v \ge l_j\}`.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import MoltheoryError

__all__ = ["game", "games_of_two", "pieces_of_simplex", "small_games"]

# A piece below this part of the simplex is the rounding of none; all pieces must sum to the simplex within the other.
_FLAT = 1e-14
_ROUNDING = 1e-9


def pieces_of_simplex(weights: FloatArray, lower: FloatArray) -> npt.NDArray[np.intp]:
    """Return simplices (F, N), rows of `weights` (K, N) sorted in each, that cut the simplex; unit vectors are among them.

    They are the upper hull of the lower values: where a piece holds another weight, its lower value is not above the
    piece.
    """
    n = weights.shape[1]
    if weights.shape[0] == n:
        return np.arange(n)[None]
    if n == 2:
        order = np.argsort(-weights[:, 0], kind="stable")
        hull: list[int] = []
        for k in order.tolist():
            while len(hull) > 1 and _below(weights[[hull[-2], hull[-1], k], 0], lower[[hull[-2], hull[-1], k]]):
                hull.pop()
            hull.append(k)
        return np.sort(np.stack([hull[:-1], hull[1:]], axis=1), axis=1)
    from scipy.spatial import ConvexHull

    # The lower values are measured from the plane through the corners of the simplex: heights are of the order of the
    # gap, and scaled to 1. A point far below makes the hull full-dimensional and leaves its upper side as it is.
    corners = np.argmax(weights, axis=0)
    heights = np.maximum(lower - weights @ lower[corners], 0.0)
    heights = heights / max(float(heights.max()), np.finfo(np.float64).tiny)
    apex = np.append(np.full(n - 1, 1.0 / n), -2.0)
    hull_of_all = ConvexHull(np.concatenate([np.column_stack([weights[:, :-1], heights]), apex[None]]))
    flat = hull_of_all.simplices[(hull_of_all.simplices < len(weights)).all(axis=1)]
    # Sides of the cone to the apex hold it, so these are the upper pieces; ones over a border of the simplex are flat.
    areas = np.abs(np.linalg.det(weights[flat]))
    pieces: npt.NDArray[np.intp] = np.sort(flat[areas > _FLAT], axis=1).astype(np.intp)
    if abs(float(areas.sum()) - 1.0) > _ROUNDING:
        raise MoltheoryError(f"the pieces cover {areas.sum():.12f} of the simplex instead of all of it.")
    return pieces


def games_of_two(payoffs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return values (F,) and maximising mixtures (F, 2) of games with payoffs (F, members, 2 corners), two members."""
    a, b = payoffs[:, 0], payoffs[:, 1]
    fall, rise = a[:, 0] - b[:, 0], b[:, 1] - a[:, 1]
    total = fall + rise
    # The members' payoffs are equal at first share (b_2 - a_2) / ((a_1 - b_1) + (b_2 - a_2)), if that is a share.
    cross = np.clip(np.divide(rise, total, out=np.zeros_like(rise), where=total != 0.0), 0.0, 1.0)
    shares = np.stack([np.zeros_like(cross), cross, np.ones_like(cross)], axis=1)
    mixed = shares[..., None] * payoffs[:, None, :, 0] + (1.0 - shares)[..., None] * payoffs[:, None, :, 1]
    values = mixed.min(axis=2)
    best = values.argmax(axis=1)
    rows = np.arange(len(best))
    share = shares[rows, best]
    return values[rows, best], np.stack([share, 1.0 - share], axis=1)


def small_games(payoffs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return upper bounds (F,) on the values of square games (F, n, n), and maximising mixtures (F, n).

    Some optimal mixtures solve a square part of the game with equal payoffs (L. S. Shapley, R. N. Snow 1950, "Basic
    solutions of discrete games"), so the best of these is optimal; whatever rounding makes of them, each is a mixture
    and its guarantee a bound. There are 19 parts for n = 3, 69 for n = 4.
    """
    f, n, _ = payoffs.shape
    values, guaranteed = payoffs.max(axis=2).min(axis=1), np.full(f, -np.inf)
    shares = np.full((f, n), 1.0 / n)
    for size in range(1, n + 1):
        subsets = [list(subset) for subset in combinations(range(n), size)]
        for members, corners in product(subsets, subsets):
            part = payoffs[:, members][:, :, corners]
            mixed = _equalising(np.swapaxes(part, 1, 2))
            values = np.minimum(values, np.einsum("fm,fmc->fc", mixed, payoffs[:, members]).max(axis=1))
            mixed = _equalising(part)
            worst = np.einsum("fc,fmc->fm", mixed, payoffs[:, :, corners]).min(axis=1)
            better = worst > guaranteed
            guaranteed[better] = worst[better]
            shares[better] = 0.0
            shares[np.ix_(better, corners)] = mixed[better]
    return values, shares


def _equalising(parts: FloatArray) -> FloatArray:
    """Return mixtures x (F, s) with equal entries of ``parts x``, made nonnegative; even ones where there is none."""
    f, s, _ = parts.shape
    bordered = np.zeros((f, s + 1, s + 1))
    bordered[:, :s, :s] = parts / np.maximum(np.abs(parts).max(axis=(1, 2), keepdims=True), np.finfo(np.float64).tiny)
    bordered[:, :s, s] = -1.0
    bordered[:, s, :s] = 1.0
    singular = np.abs(np.linalg.det(bordered)) < 1e-12
    bordered[singular] = np.eye(s + 1)
    right = np.zeros((s + 1, 1))
    right[s] = 1.0
    found = np.maximum(np.linalg.solve(bordered, right)[:, :s, 0], 0.0)
    found[singular | ~(found.sum(axis=1) > 0.0)] = 1.0
    mixtures: FloatArray = found / found.sum(axis=1, keepdims=True)
    return mixtures


def game(payoffs: FloatArray) -> tuple[float, FloatArray]:
    """Return an upper bound on the value of a game with payoffs (members, corners), and the maximising mixture.

    The bound is what the members' own mixture guarantees, so it holds whatever the solver's accuracy.
    """
    from scipy.optimize import linprog

    size = float(np.abs(payoffs).max())
    m, n = payoffs.shape
    pure = payoffs.max(axis=1)
    bound = float(pure.min())
    if size == 0.0:
        return 0.0, np.full(n, 1.0 / n)
    scaled = payoffs / size
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([-scaled, np.ones(m)]),
        b_ub=np.zeros(m),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * n + [(None, None)],
        method="highs",
    )
    if found.status != 0:
        return bound, np.full(n, 1.0 / n)
    mixture = np.maximum(-found.ineqlin.marginals, 0.0)
    if mixture.sum() > 0.0:
        bound = min(bound, float((mixture @ payoffs).max() / mixture.sum()))
    share = np.maximum(found.x[:n], 0.0)
    return bound, share / share.sum()


def _below(first: FloatArray, lower: FloatArray) -> bool:
    """Tell whether the middle one of three values in decreasing order of weight is under the line of the others."""
    part = (first[0] - first[1]) / (first[0] - first[2])
    return bool(lower[1] < lower[0] + part * (lower[2] - lower[0]))
