"""How peers of `mt.certify` are asked "which models are on the front?": their own rules on their own resamples.

Each adapter has the signature of `moltheory.figures._claim_procedures.Procedure`. Clusters are given to a peer in the way
it offers, else as one unit per cluster, its mean: better than most users would do. Bootstrap means are taken as products
of counts and losses, not resample by resample as the peers do; `check` compares the results with the peers' own functions
on the same seeds, number for number, before anything is measured.

evalstats 0.3.3
    `evalstats.core.pareto`, which `tradeoff` and `compare(..., secondary_metric=...)` call: "dominated" if one rival
    dominates in a share of 1 - alpha / (M - 1) of the resamples, "frontier" if no rival does and the means are on the
    empirical front. Both are taken as verdicts; a second row takes "dominated" alone.
claimeval 1.0.0
    The rule of `claimeval.analysis.compare` at the nominal level: on the front if the means are and P(frontier) >= 1 -
    delta; not on it if some rival's means dominate and P(rival dominates) >= 1 - delta. Clusters: its mode "cluster_t".
arch 8
    See `_peers_arch.py`.
MAPIE 1.6
    Learn-then-Test says "risk below a level fixed beforehand" and nothing on fronts, so it is asked for 99 levels, for
    losses and for 1 - losses, in one family (Holm, its default); verdicts follow from the boxes between these levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from moltheory.bounds import certified_members
from moltheory.figures._claim_procedures import Procedure, units

from ._peers_arch import by_mcs, by_spa, by_spa_bonferroni, check_arch

RESAMPLES = 2000


@dataclass(frozen=True)
class Peer:
    """A procedure of another package; `objectives` are the numbers of estimated objectives that it can be asked about."""

    package: str
    tested: str
    procedure: Procedure
    check: Callable[[], None] | None = None  # none where the peer's own functions are called
    objectives: tuple[int, ...] = (1, 2)

    def missing(self) -> str:
        """Return why it cannot run here, or nothing."""
        try:
            found = version(self.package)
        except PackageNotFoundError:
            return f'{self.package} is not installed: pip install "moltheory[peers]" brings it'
        return "" if found == self.tested else f"{self.package} {found} found; these rules were read from {self.tested}"


@cache
def counts(n: int, resamples: int) -> np.ndarray:
    """How often each of n units is in each resample, (resamples, n); the indices that peers draw from seed 0."""
    index = np.random.default_rng(0).integers(0, n, size=(resamples, n))
    return np.stack([np.bincount(row, minlength=n) for row in index]).astype(float)


def resampled(x: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Return the means (resamples, M, N) of units (n, M, N)."""
    n = len(x)
    return (counts(n, resamples) @ x.reshape(n, -1) / n).reshape(resamples, *x.shape[1:])


def second_objective(means: np.ndarray, costs: np.ndarray | None) -> np.ndarray:
    """Return the price, or the second mean, of (..., M, N)."""
    return means[..., 1] if costs is None else np.broadcast_to(costs[:, 0], means.shape[:-1])


def by_evalstats(losses, costs, clusters, delta, *, dominated_only=False, resamples=RESAMPLES):
    """ "frontier" and "dominated" of evalstats."""
    from evalstats.core.pareto import ParetoBootstrapResult, classify_pareto_status

    x = units(losses, clusters)
    models = x.shape[1]
    boot, mean = resampled(x, resamples), x.mean(axis=0)
    first, second = boot[:, :, 0], second_objective(boot, costs)
    le = (first[:, None, :] <= first[:, :, None]) & (second[:, None, :] <= second[:, :, None])  # [b, i, j]: j <= i
    lt = (first[:, None, :] < first[:, :, None]) | (second[:, None, :] < second[:, :, None])
    dominated = le & lt
    labels = [str(h) for h in range(models)]
    result = ParetoBootstrapResult(
        labels,
        -mean[:, 0],
        -second_objective(mean, costs),
        (~dominated.any(axis=2)).mean(axis=0),
        dominated.mean(axis=0),
        resamples,
    )
    status = classify_pareto_status(result, alpha=delta)
    found = np.array([status[label].status for label in labels])
    return (found == "frontier") & (not dominated_only), found == "dominated"


def by_evalstats_dominated(losses, costs, clusters, delta):
    """ "dominated" of evalstats alone."""
    return by_evalstats(losses, costs, clusters, delta, dominated_only=True)


def by_claimeval(losses, costs, clusters, delta, *, resamples=RESAMPLES):
    """Certified membership and dominance of claimeval, at the nominal level in place of its .9."""
    from claimeval.stats.bootstrap import BootstrapResult, few_cluster_scale
    from claimeval.stats.frontier import dominance, pareto_mask

    x = units(losses, clusters)
    boot, mean = resampled(x, resamples), x.mean(axis=0)
    acc, cost, acc0, cost0 = (
        1 - boot[:, :, 0],
        second_objective(boot, costs),
        1 - mean[:, 0],
        second_objective(mean, costs),
    )
    if clusters is not None:  # mode "cluster_t"
        scale = few_cluster_scale(len(x))
        acc, cost = acc0 + (acc - acc0) * scale, cost0 + (cost - cost0) * scale
    result = BootstrapResult(acc, cost, [str(h) for h in range(x.shape[1])], "task")
    sure = pareto_mask(cost0, acc0) & (result.frontier_prob() >= 1.0 - delta)
    excluded = (dominance(cost0, acc0) & (result.dominance_prob() >= 1.0 - delta)).any(axis=0)
    return sure & ~excluded, excluded


def by_mapie(losses, costs, clusters, delta):
    """Boxes between levels that MAPIE's Learn-then-Test controls from both sides."""
    from mapie.risk_control import control_fwer
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    x = units(losses, clusters)
    n, models, objectives = x.shape
    levels = np.arange(1, 100) / 100.0
    risks, binary = x.mean(axis=0).ravel(), bool(((x == 0) | (x == 1)).all())
    below = compute_hoeffding_bentkus_p_value(risks, n, levels, binary=binary)  # against risk > level
    above = compute_hoeffding_bentkus_p_value(1.0 - risks, n, 1.0 - levels, binary=binary)
    p_values = np.stack([below, above])
    shown = np.zeros(p_values.size, dtype=bool)
    shown[control_fwer(p_values.ravel(), delta)] = True
    shown = shown.reshape(p_values.shape)
    upper = np.where(shown[0], levels, 1.0).min(axis=1).reshape(models, objectives)
    lower = np.where(shown[1], levels, 0.0).max(axis=1).reshape(models, objectives)
    if costs is not None:
        lower, upper = np.hstack([lower, costs]), np.hstack([upper, costs])
    return certified_members(lower, upper)


def check_evalstats() -> None:
    """Compare with `pareto_bootstrap` on the same seed."""
    from evalstats.core.pareto import classify_pareto_status, pareto_bootstrap

    x, costs = _few_losses(), np.arange(1.0, 6.0)[:, None]
    for prices in (costs, None):
        second = np.repeat(costs, len(x), axis=1) if prices is not None else x[:, :, 1].T
        theirs = pareto_bootstrap(-x[:, :, 0].T, -second, list("01234"), 300, np.random.default_rng(0))
        status = [classify_pareto_status(theirs, alpha=0.3)[label].status for label in "01234"]
        sure, excluded = by_evalstats(x, prices, None, 0.3, resamples=300)
        ours = np.select([sure, excluded], ["frontier", "dominated"], "ambiguous").tolist()
        assert ours == status, (ours, status)


def check_claimeval() -> None:
    """Compare with `hierarchical_bootstrap` on the same seed."""
    from claimeval import RolloutSet
    from claimeval.core.schema import Rollout
    from claimeval.stats.bootstrap import hierarchical_bootstrap
    from claimeval.stats.frontier import dominance, pareto_mask

    x = _few_losses()
    n, models, _ = x.shape
    for clusters in (None, np.arange(n) // 5):
        group = np.arange(n) if clusters is None else clusters
        rollouts = [
            Rollout(str(h), f"{t:04d}", "0", 1.0 - x[t, h, 0], x[t, h, 1], f"{group[t]:04d}")
            for h in range(models)
            for t in range(n)
        ]
        mode = "task" if clusters is None else "cluster_t"
        rollout_set = RolloutSet(rollouts)
        theirs = hierarchical_bootstrap(rollout_set, 300, mode, np.random.default_rng(0), "mean")
        acc, cost = rollout_set.point_estimates("mean")
        excluded = (dominance(cost, acc) & (theirs.dominance_prob() >= 0.7)).any(axis=0)
        sure = pareto_mask(cost, acc) & (theirs.frontier_prob() >= 0.7) & ~excluded
        ours = by_claimeval(x, None, clusters, 0.3, resamples=300)
        assert (ours[0] == sure).all(), (ours, sure)
        assert (ours[1] == excluded).all(), (ours, excluded)


def _few_losses() -> np.ndarray:
    rng = np.random.default_rng(1)
    hard = rng.random((60, 1, 2))
    return (0.5 * hard + 0.5 * rng.random((60, 5, 2)) < [0.3, 0.5]).astype(float)


PEERS = {
    "evalstats": Peer("evalstats", "0.3.3", by_evalstats, check_evalstats),
    "evalstats, dominated only": Peer("evalstats", "0.3.3", by_evalstats_dominated, check_evalstats),
    "claimeval": Peer("claimeval", "1.0.0", by_claimeval, check_claimeval),
    "SPA per model (arch)": Peer("arch", "8.0.0", by_spa, check_arch, (1,)),
    "SPA, delta / M (arch)": Peer("arch", "8.0.0", by_spa_bonferroni, check_arch, (1,)),
    "MCS per budget (arch)": Peer("arch", "8.0.0", by_mcs, check_arch, (1,)),
    "Learn-then-Test (MAPIE)": Peer("mapie", "1.6.0", by_mapie),
}
