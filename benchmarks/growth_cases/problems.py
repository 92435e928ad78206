"""Growth of `moltheory.oracle`, `moltheory.problems` and worlds of the explorer."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from moltheory import explorer, objectives, oracle, problems

from ._case import Work, grows
from ._inputs import bits, floats, names, normals, world

# The oracle: T types.


@grows("oracle.types_by_rank", "T types of four outcomes", first=20_000, largest=2_560_000)
def _(count: int) -> Work:
    n = round((6 * count) ** (1 / 3))
    stop = min(count, oracle.count_types(n, 4))
    return lambda: oracle.types_by_rank(n, 4, 0, stop)


@grows("oracle.TypeEnumeration", "T types of three outcomes", first=2_000, largest=512_000)
def _(count: int) -> Work:
    n = round((2 * count) ** 0.5)
    thirds = (Fraction(1, 3),) * 3
    types = oracle.TypeEnumeration(thirds, n, risks=lambda counts: counts[:, :, None] / n)
    return lambda: types.probability(lambda risks: risks[:, 0, 0] == 0.5)


@grows(
    "oracle.TypeEnumeration.expectation", "T types of three outcomes, fractions", time=1.5, first=500, largest=128_000
)
def _(count: int) -> Work:
    n = round((2 * count) ** 0.5)
    thirds = (Fraction(1, 3),) * 3
    types = oracle.TypeEnumeration(thirds, n, risks=lambda counts: counts[:, :, None] / n)
    return lambda: types.expectation(lambda risks: risks[:, 0, 0] * risks[:, 1, 0], rational=True)


# Problems: construction, and samples.


@grows("problems.FiniteWorld", "s outcomes", first=500, largest=64_000)
def _(s: int) -> Work:
    return lambda: world(s, 10).true_risks


@grows("problems.FiniteWorld", "H hypotheses", first=500, largest=128_000)
def _(h: int) -> Work:
    return lambda: world(20, h).true_risks


@grows("problems.FiniteWorld.sample_risks", "replicates", first=1_000, largest=256_000)
def _(r: int) -> Work:
    found = world(8, 10)
    return lambda: found.sample_risks(100, replicates=r, rng=0)


@grows("problems.FiniteWorld.sample_risks", "H hypotheses", first=500, largest=128_000)
def _(h: int) -> Work:
    found = world(8, h)
    return lambda: found.sample_risks(100, replicates=20, rng=0)


@grows("problems.FiniteWorld.sample_losses", "n examples", first=20_000, largest=1_280_000)
def _(n: int) -> Work:
    found = world(8, 10)
    return lambda: found.sample_losses(n, rng=0)


@grows("problems.FiniteWorld.true_front", "H hypotheses", first=1_000, largest=128_000)
def _(h: int) -> Work:
    found = world(20, h)
    return found.true_front


@grows("problems.FinitePopulation", "s outcomes", first=500, largest=64_000)
def _(s: int) -> Work:
    losses, share = bits(s, 10).astype(int), [Fraction(1, s)] * s
    return lambda: problems.FinitePopulation(share, [objectives.Mean(losses)]).true


@grows("problems.FinitePopulation.sample", "replicates", first=500, largest=64_000)
def _(r: int) -> Work:
    losses, half = bits(50, 10).astype(int), np.arange(50) % 2 == 0
    measures = [objectives.Mean(losses), objectives.Rate(losses, half)]
    found = problems.FinitePopulation([Fraction(1, 50)] * 50, measures, stratify=True)
    return lambda: found.sample(100, replicates=r, rng=0)


@grows("problems.FinitePopulation.sample", "n examples", first=1 << 12, time=0, memory=0, largest=1 << 20)
def _(n: int) -> Work:
    losses = bits(50, 10).astype(int)
    found = problems.FinitePopulation([Fraction(1, 50)] * 50, [objectives.Mean(losses)])
    return lambda: found.sample(n, replicates=200, rng=0)


@grows("problems.bernoulli_world", "nested risks", first=100, time=2, memory=2, largest=1_600)
def _(m: int) -> Work:
    risks = floats(m).round(6)
    return lambda: problems.bernoulli_world(risks, correlation=1)


@grows("problems.exchangeable_decoys", "m decoys", first=100, largest=51_200)
def _(m: int) -> Work:
    return lambda: problems.exchangeable_decoys(m).sample(20, replicates=20, rng=0)


@grows("problems.ExchangeableDecoys.sample", "n examples", first=200, memory=1, largest=51_200)
def _(n: int) -> Work:
    found = problems.exchangeable_decoys(10)
    return lambda: found.sample(n, replicates=20, rng=0)


@grows("problems.near_tie", "replicates", first=20_000, largest=2_560_000)
def _(r: int) -> Work:
    found = problems.near_tie(0.3, 0.01)
    return lambda: found.sample(100, replicates=r, rng=0)


@grows("problems.NearTie.decoy_probability", "n examples", first=1 << 12, largest=1 << 22)
def _(n: int) -> Work:
    found = problems.near_tie(0.3, 0.01)
    return lambda: found.decoy_probability(n)


@grows("problems.cell_tasks", "D cells", first=20_000, largest=2_560_000)
def _(d: int) -> Work:
    return lambda: problems.cell_tasks(d)


@grows("problems.CellTasks.excess", "D cells", first=20_000, largest=2_560_000)
def _(d: int) -> Work:
    found, given = problems.cell_tasks(d), np.full(d, 0.5)
    return lambda: found.excess(given, [0.5, 0.5])


@grows("problems.planted_best", "members of a group", first=1_000, largest=64_000)
def _(m: int) -> Work:
    return lambda: problems.planted_best(m, 0.1, n_objectives=3).sample(100, replicates=10, rng=0)


@grows("problems.PlantedBest.best_coverage_probability", "n examples", first=1 << 12, largest=1 << 20)
def _(n: int) -> Work:
    found = problems.planted_best(4, 0.01)
    return lambda: found.best_coverage_probability(n)


@grows("problems.tilted_line", "number of hypotheses", first=500, largest=256_000)
def _(h: int) -> Work:
    return lambda: problems.tilted_line(h).true_risks


def mixture(dimension: int = 2) -> Any:
    mean = np.eye(1, dimension)[0]
    return problems.GaussianMixture([0.5, 0.5], [-mean, mean], np.eye(dimension), [-1, 1], groups=["a", "b"])


@grows("problems.GaussianMixture", "dimension d", first=32, time=3, memory=2, largest=1_024)
def _(d: int) -> Work:
    return lambda: mixture(d)


@grows("problems.GaussianMixture.draw", "n examples", first=10_000, largest=1_280_000)
def _(n: int) -> Work:
    found = mixture()
    return lambda: found.draw(n, 1, np.random.default_rng(0))


@grows("problems.GaussianMixture.errors", "H classifiers", first=5_000, largest=640_000)
def _(h: int) -> Work:
    found, classifiers = mixture(), normals(h, 3)
    return lambda: found.errors(classifiers)


@grows("problems.GaussianMixtureClassifiers", "H classifiers", first=1_000, largest=256_000)
def _(h: int) -> Work:
    found, classifiers = mixture(), normals(h, 3)
    return lambda: problems.GaussianMixtureClassifiers(found, classifiers, objectives=["error", "gap"])


@grows("problems.GaussianMixtureClassifiers.sample", "n examples", first=1_000, memory=1, largest=128_000)
def _(n: int) -> Work:
    found = problems.GaussianMixtureClassifiers(mixture(), normals(20, 3), objectives=["error", "gap"])
    return lambda: found.sample(n, replicates=3, rng=0)


@grows("problems.linear_classifier_grid", "number of directions", first=1_000, largest=256_000)
def _(k: int) -> Work:
    found = mixture()
    return lambda: problems.linear_classifier_grid(found, n_directions=k)


@grows("problems.linear_classifier_objectives", "K classifiers", first=2_000, largest=256_000)
def _(k: int) -> Work:
    found, points = problems.linear_classifier_objectives(mixture(), epsilon=0.5), floats(k, 3) - 0.5
    return lambda: found.risks(points)


@grows("problems.robust_classifiers", "number of members", first=5_000, largest=1_280_000)
def _(k: int) -> Work:
    return lambda: problems.robust_classifiers([3.0, 1.0], epsilon=1.0, n_points=k)


def tasks(d: int) -> Any:
    covariances = np.stack([np.eye(d), np.eye(d) + 0.5])
    return problems.MultiTaskLeastSquares(covariances, normals(2, d), [1.0, 1.0])


@grows("problems.MultiTaskLeastSquares", "dimension d", first=16, time=3, memory=2, largest=512)
def _(d: int) -> Work:
    return lambda: tasks(d).true_front(n_points=20)


@grows("problems.MultiTaskLeastSquares.sample", "replicates", first=200, largest=51_200)
def _(r: int) -> Work:
    found = tasks(4)
    return lambda: found.sample(50, replicates=r, rng=0)


@grows("problems.MultiTaskLeastSquares.sample", "n examples", first=1_000, largest=256_000)
def _(n: int) -> Work:
    found = tasks(4)
    return lambda: found.sample(n, replicates=2, rng=0)


@grows("problems.sparse_multi_task", "dimension d", first=16, time=3, memory=2, largest=512)
def _(d: int) -> Work:
    return lambda: problems.sparse_multi_task(d, sparsity=2)


@grows("problems.GaussianDesigns", "dimension d", first=4, time=3, memory=2, largest=64)
def _(d: int) -> Work:
    covariances, coefficients = [np.eye(d)] * 2, np.eye(2, d)
    return lambda: problems.GaussianDesigns(covariances, coefficients, losses=["logistic", "poisson"], ridge=0.1)


@grows("problems.GaussianDesigns.sample", "n examples", first=1_000, largest=256_000)
def _(n: int) -> Work:
    found = problems.GaussianDesigns([np.eye(2)] * 2, np.eye(2), losses=["logistic", "poisson"], ridge=0.1)
    return lambda: found.sample(n, replicates=2, rng=0)


@grows("problems.LinearPopulation", "rows of the population", first=2_000, largest=256_000)
def _(rows: int) -> Work:
    x, y = normals(rows, 3), bits(rows).astype(int)
    return lambda: problems.LinearPopulation([x, x], [y, y], losses="logistic", radius=2.0, input_norm=1.0)


@grows("problems.LinearPopulation.sample", "n examples", first=2_000, largest=256_000)
def _(n: int) -> Work:
    x, y = normals(50, 3), bits(50).astype(int)
    found = problems.LinearPopulation([x, x], [y, y], losses="logistic", radius=2.0, input_norm=1.0)
    return lambda: found.sample(n, replicates=2, rng=0)


@grows("problems.LogisticGroups", "rows of the population", first=2_000, largest=256_000)
def _(rows: int) -> Work:
    x, y, group = normals(rows, 3), bits(rows).astype(int), np.array(["a", "b"])[np.arange(rows) % 2]
    return lambda: problems.LogisticGroups(x, y, group)


@grows("problems.SparseRegression", "2^d supports", first=1 << 6, largest=1 << 12)
def _(count: int) -> Work:
    d = count.bit_length() - 1
    return lambda: problems.SparseRegression(np.eye(d), np.arange(1.0, d + 1), 1.0)


@grows("problems.SparseRegression.fits", "2^d supports", first=1 << 6, largest=1 << 13)
def _(count: int) -> Work:
    d = count.bit_length() - 1
    found = problems.SparseRegression(np.eye(d), np.arange(1.0, d + 1), 1.0)
    return lambda: found.fits(50, replicates=4, rng=0)


@grows("problems.rows_of_moments", "dimension d", first=32, time=3, memory=2, largest=1_024)
def _(d: int) -> Work:
    return lambda: problems.rows_of_moments(np.eye(d), np.ones(d), 0.5)


@grows("problems.least_squares_in_l1_balls", "K radii", first=2, largest=128)
def _(k: int) -> Work:
    x = normals(20, 3)
    return lambda: problems.least_squares_in_l1_balls(x, x @ [3.0, 1.0, 0.0], radii=np.linspace(0.5, 3.0, k))


@grows("problems.from_predictions", "n examples", first=500, largest=128_000)
def _(n: int) -> Work:
    predictions, target = bits(n, 5).astype(int), bits(n, seed=1).astype(int)
    return lambda: problems.from_predictions(predictions, target, objectives=["error", "false_negative_rate"])


@grows("problems.from_predictions", "H models", first=100, largest=25_600)
def _(h: int) -> Work:
    predictions, target = bits(100, h).astype(int), bits(100, seed=1).astype(int)
    return lambda: problems.from_predictions(predictions, target, objectives=["error", "false_negative_rate"])


def table(rows: int, columns: int) -> Any:
    import pandas as pd

    frame = pd.DataFrame(normals(rows, columns), columns=names(columns, "column"))
    frame["target"] = normals(rows, seed=1)
    return frame


@grows("problems.from_table", "rows", first=500, largest=64_000)
def _(rows: int) -> Work:
    frame = table(rows, 3)
    return lambda: problems.from_table(frame, target="target", objectives=["squared_error", "n_features"])


@grows("problems.from_table", "columns", first=10, time=3, memory=2, largest=640)
def _(columns: int) -> Work:
    frame = table(100, columns)
    return lambda: problems.from_table(frame, target="target", objectives=["squared_error", "n_features"])


@grows("explorer.with_true_risks", "K outcomes", first=500, largest=64_000)
def _(k: int) -> Work:
    before = world(k, 10)
    moved = 0.5 * (before.true_risks + 0.25)
    return lambda: explorer.with_true_risks(before, moved).true_risks
