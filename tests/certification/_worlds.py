"""Simulated worlds with known truth, and what a way to certify says about them: right or wrong, and how much."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.bounds import certified_members

from ._truth import beats

Array = np.ndarray[Any, Any]
Verdict = tuple[Array, Array]


@dataclass(frozen=True)
class SimulatedWorld:
    """True means (M, N) and a draw of 0/1 losses with exactly these means.

    A model errs where the hardness of an example is below its error rate. With probability `shared` the hardness of
    an example in an objective is common to all models, else every model has its own; with `cluster` > 1 that many
    examples in a row have the same hardness and the same choice.
    """

    true: Array
    shared: float = 0.8
    cluster: int = 1

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """Losses (n, M, N), and labels of clusters or None."""
        models, m = self.true.shape
        units = -(-n // self.cluster)
        common = rng.random((units, 1, m))
        hardness = np.where(rng.random((units, 1, m)) < self.shared, common, rng.random((units, models, m)))
        losses = np.repeat(hardness < self.true, self.cluster, axis=0)[:n]
        labels = np.repeat(np.arange(units), self.cluster)[:n] if self.cluster > 1 else None
        return losses, labels


def simulated_world(kind: str, models: int, m: int, rng: np.random.Generator) -> SimulatedWorld:
    """Make a world: "ties", "near ties", "trade-off" (a front and models behind it), "independent", "clusters"."""
    if kind == "ties":
        return SimulatedWorld(rng.choice([0.2, 0.3], size=(models, m)))
    if kind == "near ties":
        return SimulatedWorld(0.25 + 0.005 * rng.integers(0, 4, size=(models, m)))
    weights = rng.dirichlet(np.ones(m), size=models)
    behind = np.where(rng.random(models) < 0.4, 0.0, rng.choice([0.02, 0.05, 0.1], size=models))
    true = 0.08 + 0.25 * (1.0 - weights) ** 2 + behind[:, None]
    return SimulatedWorld(true, shared=0.0 if kind == "independent" else 0.8, cluster=5 if kind == "clusters" else 1)


def by_certify(losses: Array, labels: Array | None, delta: float, method: str = "auto") -> Verdict:
    """Sure and excluded by the certificate."""
    certificate = mt.certify(losses, delta=delta, clusters=labels, method=method)
    return certificate.sure, certificate.excluded


def by_hoeffding(losses: Array, _labels: Array | None, delta: float) -> Verdict:
    """Sure and excluded by simultaneous Hoeffding boxes."""
    n, models, m = losses.shape
    width = math.sqrt(math.log(2.0 * models * m / delta) / (2.0 * n))
    means = losses.mean(axis=0)
    sure, excluded = certified_members(np.maximum(means - width, 0.0), np.minimum(means + width, 1.0))
    return sure, excluded


def by_bootstrap(losses: Array, _labels: Array | None, delta: float, resamples: int = 200) -> Verdict:
    """What one would read off fronts of resampled data: on at least 1 - delta of them, or on at most delta. Invalid."""
    n, models, m = losses.shape
    rng = np.random.default_rng(n)
    weights = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples).astype(np.float32)
    sums = weights @ losses.reshape(n, -1).astype(np.float32)
    share = mt.nondominated(sums.reshape(resamples, models, m)).mean(axis=0)
    return share >= 1.0 - delta, share <= delta


METHODS: dict[str, Callable[[Array, Array | None, float], Verdict]] = {
    "certify": by_certify,
    "boxes alone, Clopper-Pearson": lambda x, labels, delta: by_certify(x, labels, delta, "boxes"),
    "boxes alone, Hoeffding": by_hoeffding,
    "bootstrap fronts": by_bootstrap,
}


@dataclass(frozen=True)
class Outcome:
    """Share of runs with a false verdict, and mean share of settled models."""

    failures: int
    runs: int
    settled: float


def study(
    kind: str,
    *,
    models: int,
    m: int,
    n: int,
    runs: int,
    seed: int,
    delta: float,
    methods: dict[str, Callable[[Array, Array | None, float], Verdict]],
) -> dict[str, Outcome]:
    """Draw worlds and data, and compare each verdict with the truth; all methods see the same data."""
    rng = np.random.default_rng(seed)
    failures, settled = dict.fromkeys(methods, 0), dict.fromkeys(methods, 0.0)
    for _ in range(runs):
        world = simulated_world(kind, models, m, rng)
        front = ~beats(world.true).any(axis=0)
        losses, labels = world.draw(n, rng)
        for name, method in methods.items():
            sure, excluded = method(losses, labels, delta)
            failures[name] += bool((sure & ~front).any() or (excluded & front).any())
            settled[name] += float((sure | excluded).mean()) / runs
    return {name: Outcome(failures[name], runs, settled[name]) for name in methods}
