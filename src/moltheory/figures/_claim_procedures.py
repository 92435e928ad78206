"""Procedures that name the front, as the package has or can state them: (losses, costs, clusters, delta) -> verdicts.

`certify` with each of its promises; simultaneous intervals alone, from which verdicts follow by comparing boxes (the rule
of the R package paretoinfer, there with betting intervals); fronts of bootstrap samples, believed from a share of
1 - delta on; and the step-down max-t of J. P. Romano and M. Wolf (2005, doi:10.1111/j.1468-0262.2005.00615.x) over all
pairs, which is what simultaneous confidence sets for ranks (M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, 2024,
doi:10.1093/restud/rdad006) give for each objective; verdicts then follow by logic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import certified_members, mean_interval
from moltheory.certification import certify
from moltheory.pareto import nondominated

__all__ = ["PROCEDURES", "PROMISES", "Procedure", "Verdicts", "admissible", "by_promise", "units"]

Flags = npt.NDArray[np.bool_]
Verdicts = tuple[Flags, Flags]
Clusters = npt.NDArray[np.intp] | None
Procedure = Callable[[FloatArray, FloatArray | None, Clusters, float], Verdicts]

PROMISES: Mapping[str, Mapping[str, str]] = {
    "certify": {},
    "certify, one error": {"error": "one"},
    "certify, false share": {"error": "share"},
    "certify, false share (PRDS)": {"error": "share", "dependence": "positive"},
    "certify, asymptotic": {"engine": "asymptotic"},
}


def by_promise(name: str) -> Procedure:
    """Return `certify` with a promise of that name."""
    options: dict[str, Any] = dict(PROMISES[name])

    def procedure(losses: FloatArray, costs: FloatArray | None, clusters: Clusters, delta: float) -> Verdicts:
        certificate = certify(losses, delta=delta, costs=costs, clusters=clusters, **options)
        return certificate.sure, certificate.excluded

    return procedure


def by_boxes(losses: FloatArray, costs: FloatArray | None, clusters: Clusters, delta: float) -> Verdicts:
    """Compare simultaneous betting intervals: the rule of the R package paretoinfer."""
    means = units(losses, clusters)
    interval = mean_interval(means, method="betting", delta=delta / means[0].size)
    return certified_members(_with_costs(interval.lower, costs), _with_costs(interval.upper, costs))


def by_bootstrap(
    losses: FloatArray,
    costs: FloatArray | None,
    clusters: Clusters,
    delta: float,
    *,
    resamples: int = 500,
    seed: int = 0,
) -> Verdicts:
    """Believe what happens in a share of 1 - delta of the bootstrap samples; nothing guarantees that."""
    means = units(losses, clusters)
    n, models, objectives = means.shape
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples)
    # Sums of few multiples of a fifth are rounded, so that ties in resamples are ties.
    sums = np.round((weights @ means.reshape(n, -1)).reshape(resamples, models, objectives), 9)
    points = (
        sums if costs is None else np.concatenate([sums, np.broadcast_to(costs, (resamples, *costs.shape))], axis=2)
    )
    share = nondominated(points).mean(axis=0)
    return share >= 1.0 - delta, share <= delta


def by_max_t(
    losses: FloatArray, costs: FloatArray | None, clusters: Clusters, delta: float, *, draws: int = 500, seed: int = 0
) -> Verdicts:
    """Claim "a has a smaller risk than b" by step-down max-t with a multiplier bootstrap, and draw the conclusions."""
    centered, t, errors = _studentized(units(losses, clusters))
    n, models, objectives = centered.shape
    weights = np.random.default_rng(seed).standard_normal((draws, n))
    bootstrap = (weights @ centered.reshape(n, -1)).reshape(draws, models, objectives) / n
    may = admissible(costs, models)
    live = np.repeat((may | may.T)[None], objectives, axis=0)
    claimed = np.zeros_like(live)
    while True:
        left = live & ~claimed
        top = np.full(draws, -np.inf)
        for i in range(objectives):
            for a in range(models):
                b = np.flatnonzero(left[i, a])
                if b.size:
                    gaps = (bootstrap[:, b, i] - bootstrap[:, [a], i]) / errors[i, a, b]
                    top = np.maximum(top, gaps.max(axis=1))
        new = left & (t > np.quantile(top, 1.0 - delta))
        if not new.any():
            break
        claimed |= new
    excluded: Flags = np.asarray((claimed.all(axis=0) & may).any(axis=0))
    feared = may.T & ~excluded[None, :] & ~claimed.any(axis=0)
    return np.asarray(~feared.any(axis=1) & ~excluded), excluded


def units(losses: FloatArray, clusters: Clusters) -> FloatArray:
    """Return what is independent: the losses, or the mean of each cluster (clusters of equal size)."""
    if clusters is None:
        return losses
    size = np.bincount(clusters)
    sums = np.add.reduceat(losses, np.concatenate([[0], np.cumsum(size)[:-1]]), axis=0)
    means: FloatArray = sums / size[:, None, None]
    return means


def admissible(costs: FloatArray | None, models: int) -> Flags:
    """Return where known costs allow b to dominate h, (b, h)."""
    others = ~np.eye(models, dtype=bool)
    return others if costs is None else others & (costs[:, None, :] <= costs[None, :, :]).all(axis=2)


def _with_costs(risks: FloatArray, costs: FloatArray | None) -> FloatArray:
    return risks if costs is None else np.hstack([risks, costs])


def _studentized(means: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centered units (n, M, N), and per objective t of "a below b" and its standard error, (N, M, M)."""
    n = len(means)
    centered = means - means.mean(axis=0)
    covariance = np.einsum("nai,nbi->iab", centered, centered, optimize=True) / (n - 1)
    variances = np.diagonal(covariance, axis1=1, axis2=2)
    spread = variances[:, :, None] + variances[:, None, :] - 2.0 * covariance
    errors = np.sqrt(np.maximum(spread, 1e-18) / n)
    average = means.mean(axis=0).T
    gaps = average[:, None, :] - average[:, :, None]
    # Two models with the same loss on every example differ by rounding at most.
    t = np.where(spread > 1e-15, gaps / errors, 0.0)
    return centered, t, errors


PROCEDURES: Mapping[str, Procedure] = {
    **{name: by_promise(name) for name in PROMISES},
    "boxes alone": by_boxes,
    "Romano-Wolf max-t": by_max_t,
    "bootstrap fronts": by_bootstrap,
}
