"""When a sum of risks has no minimiser: the data are separable by a direction along which the losses only fall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex import ConvexPart
from moltheory.objectives._losses import LOSSES

__all__ = ["has_falling_direction", "unattained"]

# Predictions beyond this size make a direction of recession worth a linear program.
_SUSPICIOUS = 10.0


def unattained(part: ConvexPart, theta: FloatArray, weights: FloatArray) -> npt.NDArray[np.bool_]:
    """Return for which entries and weights (K, N) the sum has no minimiser, (R, K).

    Only rows with predictions so large that it may be so are examined, by `has_falling_direction`; the answer depends
    on which weights are positive only.
    """
    lost = np.zeros(theta.shape[:2], bool)
    open_ended = np.array([not LOSSES[name].attained for name in part.losses])
    if part.ball is not None or not open_ended.any():
        return lost
    used = weights > 0.0
    free = ~(used & (part.ridge > 0.0)).any(axis=1) & (used & open_ended).any(axis=1)
    if not free.any():
        return lost
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.stack([np.abs(x @ np.swapaxes(theta, -1, -2)).max(axis=1) for x in part.x], axis=-1)
    suspicious = ((sizes * (used & open_ended) > _SUSPICIOUS) | ~np.isfinite(sizes)).any(axis=-1) & free
    verdicts: dict[tuple[int, bytes], bool] = {}
    for entry, row in np.argwhere(suspicious):
        key = (int(entry), used[row].tobytes())
        if key not in verdicts:
            verdicts[key] = has_falling_direction(part, int(entry), used[row])
        lost[entry, row] = verdicts[key]
    return lost


def has_falling_direction(part: ConvexPart, entry: int, used: npt.NDArray[np.bool_]) -> bool:
    r"""Whether some direction lowers no loss's infimum but never reaches it: the sum over `used` has no minimiser.

    Notes
    -----
    A convex function has no minimiser (beyond flat directions) iff it falls along a direction of recession. In
    direction v an example of the logistic loss never rises iff :math:`y x'v \ge 0`, and falls for ever iff > 0; of
    poisson iff :math:`x'v \le 0` and :math:`y x'v \ge 0`, with exp falling for ever iff < 0; of the smoothed hinge iff
    :math:`y x'v \ge 0`; of the squared loss iff :math:`x'v = 0`. One linear program maximises the total fall with
    every term at most 1. Albert and Anderson 1984, doi 10.1093/biomet/71.1.1, for logistic regression.
    """
    from scipy.optimize import linprog

    falls, flats, counts = [], [], []
    for k in np.flatnonzero(used):
        x, y, name = part.x[k][entry], part.y[k][entry], part.losses[k]
        shares = part.shares[k]
        positive = shares[entry if shares.shape[0] > 1 else 0] > 0.0
        x, y = x[positive], y[positive]
        if name in ("logistic", "smoothed-hinge"):
            falls.append(x * y[:, None])
            counts.append(np.full(y.size, name == "logistic"))
        elif name == "poisson":
            falls.append(-x[y == 0.0])
            counts.append(np.ones(int((y == 0.0).sum()), bool))
            flats.append(x[y > 0.0])
        else:
            flats.append(x)
    d = part.x[0].shape[-1]
    rows = np.concatenate(falls) if falls else np.zeros((0, d))
    # Unit columns, so that the solver's absolute tolerance means the same for every feature.
    size = np.abs(np.concatenate([rows, *flats])).max(axis=0)
    size = np.where(size > 0.0, size, 1.0)
    rows, counted = rows / size, np.concatenate(counts) if counts else np.zeros(0, bool)
    fixed = np.concatenate(flats) / size if flats else np.zeros((0, d))
    if not counted.any():
        return False
    result = linprog(
        -rows[counted].sum(axis=0),
        A_ub=np.concatenate([-rows, rows[counted]]),
        b_ub=np.concatenate([np.zeros(rows.shape[0]), np.ones(int(counted.sum()))]),
        A_eq=fixed if fixed.shape[0] else None,
        b_eq=np.zeros(fixed.shape[0]) if fixed.shape[0] else None,
        bounds=(None, None),
        method="highs",
    )
    return bool(result.status == 3 or (result.status == 0 and -result.fun > 1e-6))
