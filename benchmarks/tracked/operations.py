"""The operations that asv times at every commit: small enough for a minute in all, large enough to be the work itself."""

from __future__ import annotations

import os
import subprocess
import sys

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

import moltheory as mt  # noqa: E402
from moltheory import bounds, experiments, problems, scalarization  # noqa: E402


class Startup:
    """Whole processes."""

    def time_import(self) -> None:
        subprocess.run([sys.executable, "-c", "import moltheory"], check=True)


class Pareto:
    """Points in objective space."""

    def setup(self) -> None:
        rng = np.random.default_rng(0)
        self.points, self.batch = rng.random((10**6, 2)), rng.random((200, 1000, 2))
        sphere = np.abs(rng.normal(size=(5000, 3)))
        self.front = 2.0 - sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
        mt.nondominated(self.points)
        mt.nondominated(self.batch)

    def time_nondominated_large(self) -> None:
        mt.nondominated(self.points)

    def time_nondominated_batch(self) -> None:
        mt.nondominated(self.batch)

    def time_nondominated_front(self) -> None:
        mt.nondominated(self.front)

    def time_hypervolume(self) -> None:
        mt.hypervolume(self.front, reference=[3.0, 3.0, 3.0])


class Bounds:
    """Intervals and complexities."""

    def setup(self) -> None:
        rng = np.random.default_rng(0)
        self.p, self.allowed = rng.uniform(0.001, 0.999, 10**5), rng.uniform(1e-4, 0.1, 10**5)
        self.losses = rng.beta(2, 5, (1000, 100))
        self.zero_one = rng.random((1000, 5000)) < 0.3
        self.time_kl_inverse()
        self.time_mean_interval_betting()
        self.time_rademacher_complexity()

    def time_kl_inverse(self) -> None:
        bounds.kl_inverse(self.p, self.allowed)

    def time_mean_interval_betting(self) -> None:
        bounds.mean_interval(self.losses, method="betting", delta=0.05)

    def time_rademacher_complexity(self) -> None:
        bounds.rademacher_complexity(self.zero_one, rng=1, delta=0.01, draws=100)


class Certify:
    """Certificates of 100 models in two objectives."""

    def setup(self) -> None:
        rng = np.random.default_rng(0)
        rates = rng.uniform(0.1, 0.3, (100, 2))
        self.zero_one = rng.random((10_000, 100, 2)) < rates
        self.floats = np.minimum(0.5 * rng.random((2_000, 1, 1)) + rng.random((2_000, 100, 2)) * rates, 1.0)
        self.time_zero_one()
        self.time_floats()

    def time_zero_one(self) -> None:
        mt.certify(self.zero_one)

    def time_floats(self) -> None:
        mt.certify(self.floats)

    def peakmem_zero_one(self) -> None:
        mt.certify(self.zero_one)


class Fronts:
    """Fronts of infinite classes."""

    def setup(self) -> None:
        from moltheory.objectives import ConvexObjectives

        rng = np.random.default_rng(0)
        x = [rng.standard_normal((500, 20)) for _ in range(2)]
        y = [(rng.random(500) < 0.5).astype(float) for _ in range(2)]
        self.logistic = ConvexObjectives(x, y, losses="logistic", ridge=1e-3)
        shares = np.linspace(0.0, 1.0, 50)
        self.weights = np.stack([shares, 1.0 - shares], axis=1)
        self.sums = [scalarization.WeightedSum(w) for w in self.weights]
        self.maxima = [scalarization.Chebyshev(w) for w in self.weights[1:-1]]
        self.least_squares = problems.MultiTaskLeastSquares([np.eye(20), 2 * np.eye(20)], np.ones((2, 20)), [1.0, 0.5])

    def time_weighted_sums(self) -> None:
        mt.solve_front(self.logistic, scalarizations=self.sums)

    def time_chebyshev(self) -> None:
        mt.solve_front(self.logistic, scalarizations=self.maxima)

    def time_least_squares(self) -> None:
        sample = self.least_squares.sample(200, replicates=100, rng=0)
        sample.risks(sample.minimisers(self.weights))


class Experiments:
    """Simulations."""

    def setup(self) -> None:
        self.world = problems.reference_world()

    def time_asymmetry(self) -> None:
        experiments.asymmetry(self.world, sizes=[50, 200], replicates=2000, rng=0)

    def time_exact(self) -> None:
        self.world.exact(60).probability(lambda risks: np.ones(len(risks), dtype=bool))
