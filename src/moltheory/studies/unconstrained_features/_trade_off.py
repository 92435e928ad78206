r"""Fit against norms of collapsed networks, as a two-objective problem: a front in closed form with a hole for weights.

With f_1 the data term and f_2 half the sum of factors times squared norms, collapsed networks trace
:math:`f_2 = C (1 - \sqrt{2 f_1})^{2/(L+1)}`. Training minimises a weighted sum of the two. The front is concave near
a = 0, so that no weighted sum returns 0 < a < (L-1)/L, whatever the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_real, real_array
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import hypervolume, nondominated, pareto_front
from moltheory.scalarization import Chebyshev, EpsilonConstraint, Scalarization, WeightedSum
from moltheory.solvers import chebyshev_weights, reachability, solve_front, weight_cells
from moltheory.studies.unconstrained_features._experiment import N_CLASSES, PER_CLASS
from moltheory.studies.unconstrained_features._model import ReducedLoss, collapsed_fit

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MissedPart",
    "front_norms",
    "front_objectives",
    "missed_part",
    "network_objectives",
    "reach_of_front",
    "returned_points",
    "scale_grid",
    "separated_front",
    "unit_loss",
    "volume_below",
]

# Networks that ended in the same optimum must tie: their objectives differ by less.
_DECIMALS = 3


@dataclass(frozen=True)
class MissedPart:
    """The part of the front that no weighted sum returns, in closed form; both of its ends are returned.

    Its ends are the `scales` 0 and (L-1)/L. `fit` has the smallest and the largest f_1, 1/(2 L^2) and 1/2, and `norms`
    those of f_2, 0 and C ((L-1)/L)^{2/(L+1)}. At the weight `price` of f_2 per unit of f_1 both ends tie. `height` is
    how far the missed part reaches above the line through its ends: the loss at the barrier between the two equal
    minima, less 1/2, which depends on the depth only. `hypervolume` is what it adds to the hypervolume of all the
    rest: the integral over a of (1 - a) (f_2(end) - f_2(a)), the box between the ends above the curve (derived;
    proof: study-separated-networks).
    """

    scales: tuple[float, float]
    fit: tuple[float, float]
    norms: tuple[float, float]
    price: float
    height: float
    hypervolume: float


def unit_loss(depth: int) -> ReducedLoss:
    """Return the reduced loss at factors of 1, whose norms are half the sum of all squared norms."""
    return ReducedLoss(N_CLASSES, depth, float(PER_CLASS))


def scale_grid(depth: int, per_part: int) -> FloatArray:
    """Return L * `per_part` + 1 equidistant scales from 0 to 1, with (L-1)/L among them."""
    check_count("depth", depth, low=2)
    count = depth * check_count("per_part", per_part)
    return np.asarray(np.arange(count + 1) / count)


def front_norms(fit: npt.ArrayLike, /, *, depth: int, coefficient: float) -> FloatArray:
    r"""Return :math:`f_2 = C (1 - \sqrt{2 f_1})^{2/(L+1)}`, the least norms of collapsed networks with fits in [0, 1/2]."""
    check_count("depth", depth, low=2)
    check_real("coefficient", coefficient, low=0.0, strict=True)
    f = real_array("fit", fit, shape="any", min_ndim=0)
    if (f < 0).any() or (f > 0.5).any():
        raise InvalidInputError(f"`fit` must be in [0, 1/2], got {f.min():g} to {f.max():g}.")
    return np.asarray(coefficient * (1.0 - np.sqrt(2.0 * f)) ** (2.0 / (depth + 1)))


def front_objectives(loss: ReducedLoss, scales: npt.ArrayLike, /) -> FiniteObjectives:
    """Return collapsed networks of given scales as a finite class with the objectives fit and norms, both exact."""
    points = np.stack([loss.fit(scales), loss.norms(scales)], axis=-1)
    return FiniteObjectives(points, names=("fit", "norms"), data_dependent=[False, False])


def missed_part(loss: ReducedLoss, /) -> MissedPart:
    """Return what weighted sums miss; the product of the loss sets the unit of f_2 only."""
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


def returned_points(objectives: FiniteObjectives, /) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Return which points, (H,) bool, each family of scalarizations returns for some weights or bounds.

    Of two objectives whose points are all non-dominated. Weighted sums take one weight inside every cell of weights,
    so no other weight returns more. Chebyshev takes the weights of every point, the constraint its norms as the bound.
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
    """Return the front (m, 2) of networks whose two classes may have different scales, and what each member gains (m,).

    Every pair of scales is tried. The gain is the fit of the collapsed network with the same norms, less that of the
    member: positive where it dominates, up to the grid. Derived (proof: study-separated-networks): both objectives are
    means over the classes, so where the collapsed front is strictly concave, unequal scales dominate equal ones. More
    than two classes are refused.
    """
    if loss.n_classes != 2:
        raise InvalidInputError(f"`loss` must have two classes, got {loss.n_classes}.")
    a = np.asarray(scales, dtype=np.float64)
    i, j = np.triu_indices(len(a))
    fit, norms = loss.fit(a), loss.norms(a)
    points = np.stack([(fit[i] + fit[j]) / 2, (norms[i] + norms[j]) / 2], axis=1)
    front = pareto_front(points).points
    return front, collapsed_fit(loss, front[:, 1]) - front[:, 0]


def reach_of_front(depth: int, per_part: int, /) -> pd.DataFrame:
    """Solve families of scalarizations over the collapsed front of one depth, and compare with the closed form, in one row.

    ``depth``, ``points``, ``supported``; how many points ``weighted_sum``, ``epsilon_constraint`` and ``chebyshev``
    return; ``missed``, the points strictly inside (0, (L-1)/L), and ``missed_returned``, how many of them a weighted
    sum returns; ``largest_gap`` between neighboring scales that weighted sums return and ``closed_gap``, (L-1)/L;
    ``price`` and ``height`` of `missed_part`; ``volume_missed``, the hypervolume that the points missed add, and
    ``closed_volume``.
    """
    import pandas as pd

    loss = unit_loss(depth)
    scales = scale_grid(depth, per_part)
    objectives = front_objectives(loss, scales)
    points = objectives.risks()
    kinds = reachability(points, ideal=points.min(axis=0) - 0.1 * np.ptp(points, axis=0))
    found = returned_points(objectives)
    sums = found["weighted sum"]
    closed = missed_part(loss)
    inside = (scales > 0.0) & (np.arange(len(scales)) < (depth - 1) * per_part)
    reference = (0.5, loss.coefficient)
    row = {
        "depth": depth,
        "points": len(scales),
        "supported": int(kinds["supported"].sum()),
        "weighted_sum": int(sums.sum()),
        "epsilon_constraint": int(found["ε-constraint"].sum()),
        "chebyshev": int(found["Chebyshev"].sum()),
        "missed": int(inside.sum()),
        "missed_returned": int((inside & sums).sum()),
        "largest_gap": float(np.diff(scales[sums]).max()),
        "closed_gap": closed.scales[1],
        "price": closed.price,
        "height": closed.height,
        "volume_missed": hypervolume(points, reference=reference) - hypervolume(points[sums], reference=reference),
        "closed_volume": closed.hypervolume,
    }
    return pd.DataFrame([row])


def network_objectives(sweep: pd.DataFrame, depth: int, /) -> pd.DataFrame:
    """Compare the networks of one depth of `training_sweep` with each other and with the closed form, in one row.

    ``depth``, ``networks``; ``nondominated``, in fit and the L + 1 squared norms (rounded to three decimals); of the
    networks on each branch of the closed form ``share_nondominated_2``, ``_1``, ``_0`` and ``_other`` (NaN if there
    are none); hypervolumes in fit and half the sum of squared norms, with the reference point (1/2, C):
    ``volume_trained`` of the networks, ``volume_closed`` of the optima at the same factors, ``volume_front`` of
    collapsed networks of any scale.
    """
    import pandas as pd

    rows = sweep[sweep["depth"] == depth]
    if rows.empty:
        raise InvalidInputError(f"`depth` must be one of {sorted(set(sweep['depth']))}, got {depth}.")
    points = rows[["fit", *(f"square_{k}" for k in range(depth + 1))]].to_numpy().round(_DECIMALS)
    best = nondominated(points)
    learned = rows["learned"].to_numpy()
    shares = {
        f"share_nondominated_{name}": float(best[learned == code].mean()) if (learned == code).any() else np.nan
        for name, code in (("2", 2), ("1", 1), ("0", 0), ("other", -1))
    }
    loss = unit_loss(depth)
    reference = (0.5, loss.coefficient)
    optima = np.array([ReducedLoss.at_ratio(N_CLASSES, depth, ratio).scale for ratio in np.unique(rows["ratio"])])
    row = {
        "depth": depth,
        "networks": len(rows),
        "nondominated": int(best.sum()),
        **shares,
        "volume_trained": volume_below(rows[["fit", "norms"]].to_numpy(), reference),
        "volume_closed": volume_below(front_objectives(loss, optima).risks(), reference),
        "volume_front": volume_below(front_objectives(loss, np.linspace(0.0, 1.0, 2001)).risks(), reference),
    }
    return pd.DataFrame([row])


def volume_below(points: npt.ArrayLike, reference: npt.ArrayLike, /) -> float:
    """Return the hypervolume of the points that the reference bounds, 0 if there are none."""
    given, corner = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    inside = given[(given <= corner).all(axis=1)]
    return hypervolume(inside, reference=corner) if len(inside) else 0.0
