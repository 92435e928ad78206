"""Trained networks as points of a multi-objective problem: the fit and the norm of every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.pareto import hypervolume, nondominated
from moltheory.studies.unconstrained_features._reduced import ReducedLoss
from moltheory.studies.unconstrained_features._trade_off import front_objectives
from moltheory.studies.unconstrained_features._training import N_CLASSES, PER_CLASS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["network_objectives", "unit_loss"]

# Networks that ended in the same optimum must tie: their objectives differ by less.
_DECIMALS = 3


def unit_loss(depth: int) -> ReducedLoss:
    """Return the reduced loss at factors of 1, whose norms are half the sum of all squared norms.

    Examples
    --------
    >>> round(unit_loss(3).coefficient, 4)
    5.9814
    """
    return ReducedLoss(N_CLASSES, depth, float(PER_CLASS))


def network_objectives(sweep: pd.DataFrame, depth: int, /) -> pd.DataFrame:
    """Compare the networks of one depth with each other and with the closed form, as points.

    Parameters
    ----------
    sweep : pandas.DataFrame
        As `training_sweep` gives it.
    depth : int
        One of its depths.

    Returns
    -------
    pandas.DataFrame
        One row: ``depth``, ``networks``; ``nondominated``, in fit and the L + 1 squared norms (rounded to three
        decimals); of the networks on each branch of the closed form ``share_nondominated_2``, ``_1``, ``_0`` and
        ``_other`` (NaN if there are none); hypervolumes in fit and half the sum of squared norms, with the reference
        point (1/2, C): ``volume_trained`` of the networks, ``volume_closed`` of the optima at the same factors,
        ``volume_front`` of collapsed networks of any scale.

    Raises
    ------
    InvalidInputError
        If there is no network of this depth.
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
    reference = np.array([0.5, loss.coefficient])
    optima = np.array([ReducedLoss.at_ratio(N_CLASSES, depth, ratio).scale for ratio in np.unique(rows["ratio"])])
    row = {
        "depth": depth,
        "networks": len(rows),
        "nondominated": int(best.sum()),
        **shares,
        "volume_trained": _volume(rows[["fit", "norms"]].to_numpy(), reference),
        "volume_closed": _volume(front_objectives(loss, optima).risks(), reference),
        "volume_front": _volume(front_objectives(loss, np.linspace(0.0, 1.0, 2001)).risks(), reference),
    }
    return pd.DataFrame([row])


def _volume(points: FloatArray, reference: npt.NDArray[np.float64]) -> float:
    # Points that the reference does not bound add nothing.
    inside = points[(points <= reference).all(axis=1)]
    return hypervolume(inside, reference=reference) if len(inside) else 0.0
