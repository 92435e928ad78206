r"""Fit against norms of collapsed networks, as a two-objective problem: a front in closed form with a hole for weights.

With f_1 the data term and f_2 half the sum of factors times squared norms, collapsed networks trace
:math:`f_2 = C (1 - \sqrt{2 f_1})^{2/(L+1)}`. Training minimises a weighted sum of the two. The front is concave near
a = 0, so that no weighted sum returns 0 < a < (L-1)/L, whatever the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import pareto_front
from moltheory.scalarization import Chebyshev, EpsilonConstraint, Scalarization, WeightedSum
from moltheory.solvers import chebyshev_weights, solve_front, weight_cells
from moltheory.studies.unconstrained_features._reduced import ReducedLoss

__all__ = [
    "MissedPart",
    "collapsed_fit",
    "front_norms",
    "front_objectives",
    "missed_part",
    "returned_points",
    "scale_grid",
    "separated_front",
]


@dataclass(frozen=True)
class MissedPart:
    """The part of the front that no weighted sum returns, in closed form.

    Attributes
    ----------
    scales : (float, float)
        Its ends 0 and (L-1)/L, both returned.
    fit : (float, float)
        Smallest and largest f_1: 1/(2 L^2) and 1/2.
    norms : (float, float)
        Smallest and largest f_2: 0 and C ((L-1)/L)^{2/(L+1)}.
    price : float
        The weight of f_2 per unit of f_1 at which both ends tie.
    height : float
        How far the missed part reaches above the line through its ends: the loss at the barrier between the two equal
        minima, less 1/2. It depends on the depth only.
    hypervolume : float
        What the missed part adds to the hypervolume of all the rest.
    """

    scales: tuple[float, float]
    fit: tuple[float, float]
    norms: tuple[float, float]
    price: float
    height: float
    hypervolume: float


def front_norms(fit: npt.ArrayLike, /, *, depth: int, coefficient: float) -> FloatArray:
    r"""Return :math:`f_2 = C (1 - \sqrt{2 f_1})^{2/(L+1)}`, the least norms of collapsed networks with this fit.

    Parameters
    ----------
    fit : array_like
        f_1 in [0, 1/2].
    depth : int
        Layers L >= 2.
    coefficient : float
        C > 0, see `ReducedLoss.coefficient`.

    Returns
    -------
    ndarray

    Raises
    ------
    InvalidInputError
        If an argument breaks its rule.

    Examples
    --------
    >>> front_norms([0.0, 0.125, 0.5], depth=3, coefficient=2.0).round(6)
    array([2.      , 1.414214, 0.      ])
    """
    check_count("depth", depth, low=2)
    check_real("coefficient", coefficient, low=0.0, strict=True)
    f = real_array("fit", fit, shape="any", min_ndim=0)
    if (f < 0).any() or (f > 0.5).any():
        raise InvalidInputError(f"`fit` must be in [0, 1/2], got {f.min():g} to {f.max():g}.")
    return np.asarray(coefficient * (1.0 - np.sqrt(2.0 * f)) ** (2.0 / (depth + 1)))


def missed_part(loss: ReducedLoss, /) -> MissedPart:
    """Return what weighted sums miss.

    Parameters
    ----------
    loss : ReducedLoss
        Its product sets the unit of f_2; the scales, the fit and the height do not depend on it.

    Returns
    -------
    MissedPart

    Notes
    -----
    Derived. The hypervolume is that of the box between the ends above the curve, the integral over a of
    (1 - a) (f_2(end) - f_2(a)).

    Examples
    --------
    >>> part = missed_part(ReducedLoss(2, 3, 1e-6))
    >>> part.scales, round(part.height, 6)
    ((0.0, 0.6666666666666666), 0.07735)
    """
    end, q, c = loss.jump, loss.exponent, loss.coefficient
    high = c * end**q
    low_fit = (1.0 - end) ** 2 / 2.0
    tied = ReducedLoss(loss.n_classes, loss.depth, loss.critical_product)
    area = high * (end - end**2 / 2.0) - c * (end ** (q + 1.0) / (q + 1.0) - end ** (q + 2.0) / (q + 2.0))
    return MissedPart(
        (0.0, end),
        (low_fit, 0.5),
        (0.0, high),
        (0.5 - low_fit) / high,
        float(tied.loss(tied.barrier_scale)) - 0.5,
        area,
    )


def scale_grid(depth: int, per_part: int) -> FloatArray:
    """Return L * `per_part` + 1 equidistant scales from 0 to 1, with (L-1)/L among them."""
    check_count("depth", depth, low=2)
    count = depth * check_count("per_part", per_part)
    return np.asarray(np.arange(count + 1) / count)


def front_objectives(loss: ReducedLoss, scales: npt.ArrayLike, /) -> FiniteObjectives:
    """Return collapsed networks of given scales as a finite class with the objectives fit and norms, both exact."""
    points = np.stack([loss.fit(scales), loss.norms(scales)], axis=-1)
    return FiniteObjectives(points, names=("fit", "norms"), data_dependent=[False, False])


def returned_points(objectives: FiniteObjectives, /) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Return which points each family of scalarizations returns for some weights or bounds.

    Weighted sums take one weight inside every cell of weights, so no other weight returns more. Chebyshev takes the
    weights of every point, the constraint its norms as the bound on norms.

    Parameters
    ----------
    objectives : FiniteObjectives
        Two objectives, every point non-dominated.

    Returns
    -------
    mapping of str to (H,) ndarray of bool
    """
    points = objectives.risks()
    ideal = points.min(axis=0) - 0.1 * np.ptp(points, axis=0)
    cells = [(low + high) / 2 for low, high in filter(None, weight_cells(points).intervals)]
    families: dict[str, Sequence[Scalarization]] = {
        "weighted sum": [WeightedSum([w, 1.0 - w]) for w in cells],
        "ε-constraint": [EpsilonConstraint([np.inf, y[1]]) for y in points],
        "Chebyshev": [Chebyshev(chebyshev_weights(y, ideal=ideal), ideal=ideal) for y in points],
    }
    rows = np.arange(len(points))
    return {
        name: np.isin(rows, solve_front(objectives, scalarizations=family).solutions)
        for name, family in families.items()
    }


def separated_front(loss: ReducedLoss, scales: npt.ArrayLike, /) -> tuple[FloatArray, FloatArray]:
    """Return the front of networks whose two classes may have different scales, and what they gain on collapsed ones.

    Derived: both objectives are means over the classes. Where the collapsed front is concave, unequal scales can
    dominate equal ones.

    Parameters
    ----------
    loss : ReducedLoss
        Of two classes.
    scales : (k,) array_like
        Every pair of them is tried.

    Returns
    -------
    points : (m, 2) ndarray
        Fit and norms, by increasing fit.
    gain : (m,) ndarray
        Fit of the collapsed network with the same norms, less that of the member: positive where it dominates, up to
        the grid.

    Raises
    ------
    InvalidInputError
        If there are more than two classes.

    Examples
    --------
    >>> points, gain = separated_front(ReducedLoss(2, 3, 1.0), [0.0, 0.25, 0.5, 1.0])
    >>> points[gain > 0]
    array([[0.25      , 2.        ],
           [0.3125    , 1.41421356],
           [0.390625  , 1.        ]])
    """
    if loss.n_classes != 2:
        raise InvalidInputError(f"`loss` must have two classes, got {loss.n_classes}.")
    a = np.asarray(scales, dtype=np.float64)
    i, j = np.triu_indices(len(a))
    fit, norms = loss.fit(a), loss.norms(a)
    points = np.stack([(fit[i] + fit[j]) / 2, (norms[i] + norms[j]) / 2], axis=1)
    front = pareto_front(points).points
    return front, collapsed_fit(loss, front[:, 1]) - front[:, 0]


def collapsed_fit(loss: ReducedLoss, norms: npt.ArrayLike, /) -> FloatArray:
    """Return the best fit of collapsed networks within given norms, the inverse of `front_norms`."""
    share = np.minimum(np.asarray(norms, dtype=np.float64) / loss.coefficient, 1.0)
    return loss.fit(share ** (1.0 / loss.exponent))
