r"""Strong convexity brings the converse back, flat directions take it away: the smallest infinite class that shows it.

The class is the unit disk. An example is a normal vector z; with c = (1/2, 0),

.. math:: \ell_1(\theta, z) = \theta_1^2 + \tfrac{\mu}{2} \theta_2^2 + z_1 \theta_2, \qquad
          L_2(\theta) = \|\theta - c\|^2,

the second known without data. In truth L_1 does not mind theta_2 beyond its curvature mu; in a sample it is tilted by
the mean of z, however small. At mu = 0 the direction is flat, and empirical members with little weight on L_2 run to
the rim of the disk. With :math:`\ell_1 = z'\theta` the whole objective is constant in truth. Derived (proof: flatness).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_vector
from moltheory.bounds import interior_weights, strong_convexity
from moltheory.experiments._chords import short_of_targets
from moltheory.experiments._replicates import check_sizes
from moltheory.objectives import NormBall, SmoothObjectives
from moltheory.runs import RandomSource, as_seed_sequence, block_stream
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["flat_directions"]

_CENTER = np.array([0.5, 0.0])
# Weights at least this large are called interior.
_INTERIOR = 0.2
# The best weight is looked for between two of the grid, then between two of those in between, and so on.
_ZOOMS, _PARTS = 4, 17
# Samples whose weights are looked for together.
_ROWS = 500


@document
def flat_directions(
    *, sizes: Iterable[int], replicates: int, rng: RandomSource, moduli: Sequence[float] = (1.0, 0.1, 0.0)
) -> pd.DataFrame:
    r"""Tabulate how far the empirical front is from the true one, with and without strong convexity.

    Parameters
    ----------
    {sample_sizes}
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; all cases see the same samples.
    moduli : sequence of float, default (1, 0.1, 0)
        Curvatures mu >= 0 of the first objective in the direction that only noise tilts.

    Returns
    -------
    pandas.DataFrame
        One row per case, size and replicate: ``case`` (``"mu = 1"`` and so on, ``"mu = 0 (flat)"``, ``"constant"``);
        ``modulus``, the strong convexity of the first objective; ``size``, ``replicate``; ``coverage_error`` and
        ``purity_error`` of the empirical front; ``interior_purity``, that of members whose weights are all >= 0.2, and
        ``interior_bound`` on it (statement *interior-weights*); ``squared_distance``, the largest squared distance
        of a member from a truly optimal hypothesis at least as good, and ``convexity_bound`` on it (statement
        *strong-convexity*; infinite at modulus 0); ``uniform_deviation``, the largest over the whole disk.

    {raises}

    Notes
    -----
    Deviations are exact: the largest :math:`|\bar z_1 \theta_2|` on the disk is :math:`|\bar z_1|`, the largest
    :math:`|\bar z'\theta|` is :math:`\|\bar z\|`. The purity error at mu = 0 is 1 for every n; that for
    the constant objective is 1.25 + cos of the uniform angle of the mean, whatever n. Both bounds are of the order of
    the deviation. Truly optimal are (t, 0) for t from 0 to 1/2 (constant objective: t = 1/2), and distances of
    members from them are exact; members are those of 60 weights from 0 to 1, denser towards 1. Coverage is by the
    continuous empirical front, whose members are known for all weights: the best weight for each of 51 values of t is
    searched for until what is left is below 1e-9.

    Complexity: O(R) time and memory for each size and case.

    Examples
    --------
    >>> table = flat_directions(sizes=[100, 10_000], replicates=20, rng=0)
    >>> table.groupby(["case", "size"])["purity_error"].mean().unstack().round(2)
    size           100    10000
    case
    constant        1.31   1.42
    mu = 0 (flat)   1.00   1.00
    mu = 0.1        0.43   0.01
    mu = 1          0.01   0.00
    """
    import pandas as pd

    chosen, count = check_sizes(sizes), check_count("replicates", replicates)
    mu = check_vector("moduli", list(moduli), low=0.0)
    root = as_seed_sequence(rng)
    cases = [_Case(f"mu = {m:g}{'' if m > 0.0 else ' (flat)'}", float(m), 1.0) for m in mu]
    cases.append(_Case("constant", 0.0, 0.0))
    means = {
        size: block_stream(root, "flat directions", size).standard_normal((count, 2)) / size**0.5 for size in chosen
    }
    parts = []
    for case in cases:
        for size in chosen:
            columns: dict[str, object] = {"case": case.label, "modulus": min(case.mu, 2.0), "size": size}
            columns["replicate"] = np.arange(count)
            parts.append(pd.DataFrame({**columns, **_compared(case, means[size])}))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Case:
    """First objectives ``square theta_1^2 + mu theta_2^2 / 2``."""

    label: str
    mu: float
    square: float

    def tilts(self, means: FloatArray) -> FloatArray:
        """Slopes (R, 2) that samples add to the first objective."""
        found = means.copy() if self.square == 0.0 else np.stack([np.zeros(len(means)), means[:, 0]], axis=1)
        return np.asarray(found)

    def objectives(self, tilts: FloatArray) -> SmoothObjectives:
        """Empirical objectives, (R,), on the disk; without tilts the true ones."""
        curvature = np.stack([np.diag([2.0 * self.square, self.mu]), 2.0 * np.eye(2)])

        def value(theta: FloatArray) -> FloatArray:
            first = 0.5 * (theta**2 * np.diag(curvature[0])).sum(axis=-1) + (theta * tilts[:, None]).sum(axis=-1)
            return np.stack([first, ((theta - _CENTER) ** 2).sum(axis=-1)], axis=-1)

        def gradient(theta: FloatArray) -> FloatArray:
            return np.stack([theta * np.diag(curvature[0]) + tilts[:, None], 2.0 * (theta - _CENTER)], axis=-2)

        def hessian(theta: FloatArray) -> FloatArray:
            return np.broadcast_to(curvature, (*theta.shape[:-1], 2, 2, 2))

        return SmoothObjectives(
            value,
            gradient,
            hessian,
            n_objectives=2,
            dimension=2,
            strong_convexity=[min(2.0 * self.square, self.mu), 2.0],
            ball=NormBall(1.0),
            batch_shape=(len(tilts),),
        )


def _members(case: _Case, slopes: FloatArray, first: FloatArray) -> FloatArray:
    r"""Return the empirical members (R, M, 2) on the disk for first weights (R, M), given slopes (R,) of the tilt.

    With a multiplier :math:`\lambda \ge 0` of the disk, :math:`\theta_1 = w_2 / (2 (1 + \lambda))` and
    :math:`\theta_2 = -w_1 z / (w_1 \mu + 2 w_2 + 2 \lambda)`; the norm falls in :math:`\lambda`, and is below 1 at
    :math:`\lambda = w_1 |z| + w_2`.
    """
    second, slope = 1.0 - first, slopes[:, None]

    def at(price: FloatArray) -> FloatArray:
        bend = case.mu * first + 2.0 * (second + price)
        # Where nothing bends, whatever tilts runs to the rim.
        away = np.divide(first * slope, bend, out=np.where(first * slope == 0.0, 0.0, np.inf), where=bend > 0.0)
        return np.stack([0.5 * second / (1.0 + price), -away], axis=-1)

    free = at(np.zeros_like(first))
    low, high = np.zeros_like(first), first * np.abs(slope) + second
    outside = np.square(free).sum(axis=-1) > 1.0
    if outside.any():
        for _ in range(60):
            middle = 0.5 * (low + high)
            far = np.square(at(middle)).sum(axis=-1) > 1.0
            low, high = np.where(far, middle, low), np.where(far, high, middle)
    return np.where(outside[..., None], at(high), free)


def _coverage(case: _Case, slopes: FloatArray, grid: FloatArray, true: FloatArray) -> FloatArray:
    """Return the coverage errors (R,) of continuous empirical fronts, which have risks `true` (R, K, 2) at grid weights."""
    t = np.linspace(0.0, 0.5, 51)
    targets = np.stack([t**2, (t - 0.5) ** 2], axis=-1)
    best = (true[:, None] - targets[:, None]).max(axis=-1).argmin(axis=-1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    each = np.broadcast_to(targets, (*best.shape, 2)).reshape(-1, 1, 2)
    rows, risks = np.repeat(slopes, len(t)), true
    for _ in range(_ZOOMS):
        weights = np.linspace(low, high, _PARTS, axis=-1)
        theta = _members(case, rows, weights.reshape(-1, _PARTS))
        risks = np.stack([np.square(theta) @ [1.0, 0.5 * case.mu], np.square(theta - _CENTER).sum(axis=-1)], axis=-1)
        at = (risks - each).max(axis=-1).argmin(axis=-1).reshape(best.shape)
        low = np.take_along_axis(weights, np.maximum(at - 1, 0)[..., None], axis=-1)[..., 0]
        high = np.take_along_axis(weights, np.minimum(at + 1, _PARTS - 1)[..., None], axis=-1)[..., 0]
    # The last weights are so close that what is between them is a chord.
    return np.asarray(short_of_targets(each, risks).reshape(best.shape).max(axis=1))


def _weights() -> FloatArray:
    ends = 1.0 - np.logspace(-1.0, -6.0, 29)
    first = np.concatenate([np.linspace(0.0, 0.9, 30)[:-1], ends, [1.0 - 1e-8, 1.0]])
    return np.stack([first, 1.0 - first], axis=1)


def _compared(case: _Case, means: FloatArray) -> dict[str, npt.NDArray[np.generic]]:
    """Compare the empirical fronts of samples with these means with the true one."""
    tilts, weights = case.tilts(means), _weights()
    sweep = solve_front(case.objectives(tilts), scalarizations=[WeightedSum(w) for w in weights])
    theta = np.asarray(sweep.solutions, dtype=np.float64)
    true = case.objectives(np.zeros((len(tilts), 2))).risks(theta)
    deviation = np.linalg.norm(tilts, axis=1)
    widths = np.stack([deviation, np.zeros(len(tilts))], axis=1)
    # The best truly optimal (t, 0) balances its two excesses; those at least as good form an interval of t.
    if case.square > 0.0:
        best = np.clip(0.25 - (true[..., 1] - true[..., 0]), 0.0, 0.5)
        low = np.clip(0.5 - np.sqrt(np.maximum(true[..., 1], 0.0)), 0.0, 0.5)
        high = np.maximum(low, np.clip(np.sqrt(np.maximum(true[..., 0], 0.0)), 0.0, 0.5))
        blocks = [slice(start, start + _ROWS) for start in range(0, len(tilts), _ROWS)]
        covered = np.concatenate([_coverage(case, tilts[b, 1], weights[:, 0], true[b]) for b in blocks])
    else:
        best = low = high = np.full(true.shape[:2], 0.5)
        covered = true[..., 1].min(axis=1)
    excess = np.stack([true[..., 0] - case.square * best**2, true[..., 1] - (best - 0.5) ** 2], axis=-1)
    purity = np.maximum(excess.max(axis=-1), 0.0)
    square = theta[..., 1] ** 2 + np.maximum((theta[..., 0] - low) ** 2, (theta[..., 0] - high) ** 2)
    inside = (weights >= _INTERIOR).all(axis=1)
    allowed = np.stack([interior_weights(widths, weights=w).max(axis=1) for w in weights[inside]], axis=1)
    bound = np.full(len(tilts), np.inf)
    if min(case.mu, 2.0 * case.square) > 0.0:
        bound = strong_convexity(widths, moduli=[min(case.mu, 2.0 * case.square), 2.0])
    return {
        "coverage_error": covered,
        "purity_error": purity.max(axis=1),
        "interior_purity": purity[:, inside].max(axis=1),
        "interior_bound": allowed.max(axis=1),
        "squared_distance": square.max(axis=1),
        "convexity_bound": bound,
        "uniform_deviation": deviation,
    }
