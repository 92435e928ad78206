"""Tests of superior predictive ability, and model confidence sets, of arch, as verdicts on a front with one known price.

SPA (P. R. Hansen, 2005) per model: not on the front if "no model that costs as little or less has a smaller risk" is
refused at delta for that model; it has no verdict "on the front". A second procedure asks at delta / M.

MCS (P. R. Hansen, A. Lunde and J. M. Nason, 2011) per budget: among the models that cost no more than h, h is not best if
it is outside the set of confidence 1 - delta, and on the front if the set holds h alone; delta per budget, as one set
knows nothing of the others.

Both compare one objective, so with two estimated ones neither can be asked. Examples are independent, so blocks have
length one, and clusters are given as one unit each. Where 0/1 losses make a simulated mean equal to the observed one, arch
lets rounding decide; here equal is not larger.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from moltheory.figures._claim_procedures import units

RESAMPLES = 2000


@cache
def counts(n: int, resamples: int) -> np.ndarray:
    """How often each of n units is in each of arch's resamples from seed 0, (resamples, n)."""
    from arch.bootstrap import StationaryBootstrap

    drawn = StationaryBootstrap(1, np.arange(n), seed=0).bootstrap(resamples)
    return np.stack([np.bincount(data[0][0], minlength=n) for data in drawn]).astype(float)


def spa_p_value(x: np.ndarray, rest: np.ndarray, h: int, rivals: np.ndarray) -> float:
    """Return the consistent p-value of arch's SPA for benchmark h, from losses (n, M) and bootstrap means (B, M)."""
    n = len(x)
    gap = x[:, [h]] - x[:, rivals]
    mean = gap.mean(axis=0)
    variance = gap.var(axis=0)
    valid = mean >= -np.sqrt(variance / n * 2.0 * np.log(np.log(n)))
    simulated = rest[:, [h]] - rest[:, rivals] - np.where(valid, mean, 0.0)
    return float((simulated.max(axis=1) > mean.max() + 1e-12).mean())


def by_spa(losses, costs, clusters, delta, *, resamples=RESAMPLES, share=1.0):
    """Exclude each model whose SPA test against all that cost no more refuses at its level."""
    x = units(losses, clusters)[:, :, 0]
    boot = counts(len(x), resamples) @ x / len(x)
    excluded = np.zeros(x.shape[1], dtype=bool)
    for h in range(x.shape[1]):
        rivals = np.flatnonzero((costs[:, 0] <= costs[h, 0]) & (np.arange(x.shape[1]) != h))
        if rivals.size:
            excluded[h] = spa_p_value(x, boot, h, rivals) <= delta * share
    return np.zeros_like(excluded), excluded


def by_spa_bonferroni(losses, costs, clusters, delta):
    """The same at delta / M per model."""
    return by_spa(losses, costs, clusters, delta, share=1.0 / losses.shape[1])


def confidence_set(mean: np.ndarray, boot: np.ndarray, size: float) -> np.ndarray:
    """Return the model confidence set (M,) bool of arch's method "R", from means (M,) and bootstrap means (B, M)."""
    gaps = mean[:, None] - mean[None, :]
    shifted = boot[:, :, None] - boot[:, None, :] - gaps
    spread = np.sqrt((shifted**2).mean(axis=0) + np.eye(mean.size))
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps, shifted = gaps / spread, shifted / spread
    inside = np.ones(mean.size, dtype=bool)
    while inside.sum() > 1:
        member = np.flatnonzero(inside)
        largest = gaps[np.ix_(member, member)].max()
        if (largest < shifted[:, member[:, None], member].max(axis=(1, 2)) - 1e-12).mean() > size:
            break  # the p-values of later steps are made monotone, so all that are left stay
        worst = np.argwhere(gaps[np.ix_(member, member)] == largest)[0][0]
        inside[member[worst]] = False
    return inside


def by_mcs(losses, costs, clusters, delta, *, resamples=1000):
    """Take each price as a budget, and the model confidence set of all models within it."""
    x = units(losses, clusters)[:, :, 0]
    mean, boot = x.mean(axis=0), counts(len(x), resamples) @ x / len(x)
    sure, excluded = np.zeros(mean.size, dtype=bool), np.zeros(mean.size, dtype=bool)
    for h in range(mean.size):
        within = np.flatnonzero(costs[:, 0] <= costs[h, 0])
        inside = within[confidence_set(mean[within], boot[:, within], delta)]
        excluded[h] = h not in inside
        sure[h] = inside.tolist() == [h]
    return sure, excluded


def check_arch() -> None:
    """Compare p-values and sets with arch's own on the same seed."""
    from arch.bootstrap import MCS, SPA

    rng = np.random.default_rng(1)
    x = (0.5 * rng.random((90, 1)) + 0.5 * rng.random((90, 6))) * [0.8, 0.85, 0.9, 0.95, 1.0, 1.1]
    boot = counts(90, 200) @ x / 90
    for h in range(6):
        rivals = np.array([k for k in range(6) if k != h])
        theirs = SPA(x[:, h], x[:, rivals], block_size=1, reps=200, seed=0)
        theirs.compute()
        ours = spa_p_value(x, boot, h, rivals)
        assert abs(ours - theirs.pvalues["consistent"]) < 1e-9, (ours, theirs.pvalues)
    for size in (0.05, 0.5):
        theirs = MCS(x, size, reps=200, block_size=1, seed=0)
        theirs.compute()
        ours = np.flatnonzero(confidence_set(x.mean(axis=0), boot, size)).tolist()
        assert ours == theirs.included, (ours, theirs.included)
