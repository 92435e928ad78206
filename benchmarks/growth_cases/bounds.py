"""Growth of `moltheory.bounds` and `moltheory.inference`."""

from __future__ import annotations

import numpy as np

from moltheory import bounds, inference
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, WeightedSum

from ._case import Work, grows
from ._inputs import bits, floats, front

SUM, CHEBYSHEV = WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5], augmentation=0.1)
MANY = 1 << 22


def widths(k: int) -> np.ndarray:
    return 0.1 + 0.1 * floats(k, 2)


# One mean or many.


@grows("inference.mean_interval", "n examples, betting", first=2_000, largest=64_000)
def _(n: int) -> Work:
    losses = floats(n, 20)
    return lambda: inference.mean_interval(losses, delta=0.05, method="betting")


@grows("inference.mean_interval", "n examples, 0/1", first=20_000)
def _(n: int) -> Work:
    losses = bits(n, 20)
    return lambda: inference.mean_interval(losses, delta=0.05)


@grows("inference.mean_interval", "M means of 200 examples", first=100)
def _(m: int) -> Work:
    losses = floats(200, m)
    return lambda: inference.mean_interval(losses, delta=0.05)


@grows("inference.binomial_interval", "number of counts", first=2_000)
def _(k: int) -> Work:
    errors, n = np.arange(k) % 1000, 1000 + np.arange(k) % 7
    return lambda: inference.binomial_interval(errors, n, delta=0.05)


@grows("inference.confidence_sequence", "n examples, betting", first=500)
def _(n: int) -> Work:
    losses = floats(n)
    return lambda: inference.confidence_sequence(losses, delta=0.05)


@grows("inference.confidence_sequence", "n examples, empirical Bernstein", first=20_000, largest=MANY)
def _(n: int) -> Work:
    losses = floats(n)
    return lambda: inference.confidence_sequence(losses, delta=0.05, method="empirical-bernstein")


@grows("inference.boxes", "n examples", first=500, largest=64_000)
def _(n: int) -> Work:
    losses = floats(n, 10, 2)
    return lambda: inference.boxes(losses, delta=0.05)


@grows("inference.boxes", "M models", first=50)
def _(m: int) -> Work:
    losses = floats(200, m, 2)
    return lambda: inference.boxes(losses, delta=0.05)


@grows("inference.holm", "k p-values", first=10_000, time=1.1, memory=1, largest=MANY)
def _(k: int) -> Work:
    p_values = floats(k)
    return lambda: inference.holm(p_values)


@grows("inference.kl_inverse", "number of means", first=10_000, largest=MANY)
def _(k: int) -> Work:
    means = floats(k)
    return lambda: inference.kl_inverse(means, 0.03)


@grows("inference.paired_dominance", "number of pairs", first=5_000, largest=MANY)
def _(k: int) -> Work:
    counts = np.random.default_rng(0).integers(0, 100, (2, k, 2))
    return lambda: inference.paired_dominance(counts[0], counts[1])


def some_intervals(k: int) -> inference.Interval:
    return inference.binomial_interval(np.arange(k) % 100, 100, delta=0.05)


@grows("inference.Interval.to_json", "number of intervals", first=1_000)
def _(k: int) -> Work:
    return some_intervals(k).to_json


@grows("inference.Interval.from_json", "number of intervals", first=1_000)
def _(k: int) -> Work:
    text = some_intervals(k).to_json()
    return lambda: inference.Interval.from_json(text)


@grows("inference.Interval.to_frame", "number of intervals", first=1_000)
def _(k: int) -> Work:
    return some_intervals(k).to_frame


@grows("inference.Interval.intersect", "number of intervals", first=10_000, largest=MANY)
def _(k: int) -> Work:
    interval, other = some_intervals(k), some_intervals(k)
    return lambda: interval.intersect(other)


@grows("inference.Event", "number of events", first=10_000, largest=MANY)
def _(k: int) -> Work:
    numbers, index = floats(k), np.arange(k)
    return lambda: inference.Event(("claim", numbers), index).digest


# Classes of hypotheses.


@grows("bounds.finite_class", "N objectives", first=20_000, largest=MANY)
def _(n: int) -> Work:
    sizes = np.arange(100, 100 + n)
    return lambda: bounds.finite_class(sizes, n_hypotheses=100, delta=0.05)


@grows("bounds.label_lower_bound", "D cells", first=20_000, largest=2_560_000)
def _(d: int) -> Work:
    cells = {"marginals": np.full((2, d), 1.0 / d), "blocks": np.arange(d) % 4, "weights": [0.5, 0.5]}
    return lambda: bounds.label_lower_bound(100, **cells)


@grows("bounds.impurity_probability", "n examples", first=1 << 12, largest=1 << 22)
def _(n: int) -> Work:
    return lambda: bounds.impurity_probability(n, gap=1e-6)


@grows("bounds.finite_prior", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    prior = np.full(h, 0.5 / h)
    return lambda: bounds.finite_prior(1000, prior=prior, delta=0.05)


@grows("bounds.vc", "N objectives", first=20_000, largest=MANY)
def _(n: int) -> Work:
    sizes = np.arange(100, 100 + n)
    return lambda: bounds.vc(sizes, dimension=3, delta=0.05)


@grows("bounds.rademacher", "N objectives", first=1_000)
def _(n: int) -> Work:
    complexity = 0.01 + 0.01 * floats(n)
    return lambda: bounds.rademacher(np.full(n, 1000), complexity=complexity, delta=0.05)


@grows("bounds.linear_class", "N objectives", first=1_000)
def _(n: int) -> Work:
    sizes = np.full(n, 1000)
    return lambda: bounds.linear_class(sizes, lipschitz=1.0, weight_norm=1.0, input_norm=1.0, delta=0.05)


@grows("bounds.lipschitz_class", "N objectives", first=20, largest=320)
def _(n: int) -> Work:
    sizes = np.arange(100, 100 + n)
    return lambda: bounds.lipschitz_class(sizes, lipschitz=1.0, dimension=2, delta=0.05)


@grows("bounds.multi_output_class", "N objectives", first=1_000)
def _(n: int) -> Work:
    sizes, scale = np.full(n, 1000), {"lipschitz": 1.0, "weight_norm": 1.0, "input_norm": 1.0}
    return lambda: bounds.multi_output_class(sizes, n_outputs=3, delta=0.05, **scale)


@grows("bounds.margin_class", "G margins", first=100, largest=6_400)
def _(g: int) -> Work:
    margins = np.linspace(0.1, 0.5, g)
    return lambda: bounds.margin_class(1000, margin=margins, weight_norm=1.0, input_norm=1.0, delta=0.05)


@grows("bounds.fat_shattering_class", "G margins", first=100, largest=6_400)
def _(g: int) -> Work:
    dimensions = np.arange(g) % 20
    return lambda: bounds.fat_shattering_class(1000, dimension=dimensions, delta=0.05)


@grows("bounds.margin_limits", "n examples of 20 classifiers", first=5_000, largest=640_000)
def _(n: int) -> Work:
    scores = floats(n, 20)
    return lambda: bounds.margin_limits(scores, margin=[0.1, 0.5], weight_norm=1.0, input_norm=1.0, delta=0.05)


@grows("bounds.linear_metric_entropy", "G resolutions", first=10_000, largest=MANY)
def _(g: int) -> Work:
    eps = 0.1 + floats(g)
    return lambda: bounds.linear_metric_entropy(eps, weight_norm=1.0, input_norm=1.0, dimension=5)


@grows("bounds.lipschitz_metric_entropy", "G resolutions", first=2_000, largest=256_000)
def _(g: int) -> Work:
    eps = 0.1 + floats(g)
    return lambda: bounds.lipschitz_metric_entropy(eps, lipschitz=1.0, dimension=5)


@grows("bounds.regularized_sum", "K rows of weights", first=20_000, largest=1 << 20)
def _(k: int) -> Work:
    weights = floats(k, 2)
    return lambda: bounds.regularized_sum(1000, weights=weights, penalty=0.1, lipschitz=1.0, delta=0.05)


@grows("bounds.uniform_stability", "K rows of weights", first=20_000, largest=1 << 20)
def _(k: int) -> Work:
    weights = floats(k, 2)
    return lambda: bounds.uniform_stability(1000, weights=weights, penalty=0.1, lipschitz=1.0)


@grows("bounds.bernstein_class", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    variances = 0.2 * floats(h)
    return lambda: bounds.bernstein_class(variances, 1000, delta=0.05)


@grows("bounds.kl_class", "H hypotheses", first=10_000, largest=MANY)
def _(h: int) -> Work:
    risks = floats(h)
    return lambda: bounds.kl_class(risks, 1000, delta=0.05)


@grows("bounds.shell_class", "H hypotheses", first=10_000, largest=MANY)
def _(h: int) -> Work:
    errors = np.random.default_rng(0).integers(300, 700, h)
    return lambda: bounds.shell_class(errors, 1000, delta=0.05)


@grows("bounds.shell_class", "n examples", first=5_000, largest=MANY)
def _(n: int) -> Work:
    errors = np.random.default_rng(0).integers(0, n, 1000)
    return lambda: bounds.shell_class(errors, n, delta=0.05)


@grows("bounds.pac_bayes_kl", "number of posteriors", first=10_000, largest=MANY)
def _(k: int) -> Work:
    risks = floats(k, 2)
    return lambda: bounds.pac_bayes_kl(risks, 1000, divergence=5.0, delta=0.05)


@grows("bounds.pac_bayes_empirical_bernstein", "number of posteriors", first=10_000, largest=MANY)
def _(k: int) -> Work:
    risks = floats(k, 2)
    return lambda: bounds.pac_bayes_empirical_bernstein(risks, risks * (1 - risks), 1000, divergence=5.0, delta=0.05)


@grows("bounds.pac_bayes_unexpected_bernstein", "number of posteriors", first=10_000, largest=MANY)
def _(k: int) -> Work:
    risks = floats(k, 2)
    return lambda: bounds.pac_bayes_unexpected_bernstein(risks, risks, 1000, divergence=5.0, delta=0.05)


@grows("bounds.pac_bayes_split_kl", "number of posteriors", first=10_000, largest=MANY)
def _(k: int) -> Work:
    parts = np.stack([floats(k, 2), floats(k, 2, seed=1)]) / 2.0
    return lambda: bounds.pac_bayes_split_kl(parts, 1000, divergence=5.0, delta=0.05)


@grows("bounds.gibbs_bound", "n examples of 20 hypotheses", first=1_000, largest=128_000)
def _(n: int) -> Work:
    losses = floats(n, 20, 2)
    return lambda: bounds.gibbs_bound(losses, np.full(20, 0.05), delta=0.05, method="split-kl")


@grows("bounds.gaussian_posterior", "n examples", first=500, largest=32_000)
def _(n: int) -> Work:
    inputs = floats(n, 5) - 0.5
    return lambda: bounds.gaussian_posterior(inputs, inputs[:, 0] > 0.1, delta=0.05)


@grows("bounds.agnostic_class", "number of mixtures", first=10_000, largest=MANY)
def _(k: int) -> Work:
    mixtures = floats(k, 3)
    mixtures /= mixtures.sum(axis=1, keepdims=True)
    return lambda: bounds.agnostic_class(100, mixtures, n_hypotheses=10, delta=0.05)


@grows("bounds.conditional_rate", "number of counts", first=20_000, largest=MANY)
def _(k: int) -> Work:
    counts = np.arange(k)
    return lambda: bounds.conditional_rate(counts, n_hypotheses=10, delta=0.05)


@grows("bounds.joint_widths", "N objectives, equal shares", first=500)
def _(n: int) -> Work:
    sizes = list(range(100, 100 + n))
    return lambda: bounds.joint_widths(sizes, n_hypotheses=100, delta=0.05)


@grows("bounds.joint_widths", "N objectives, optimal shares", first=2, time=3, memory=2, largest=128)
def _(n: int) -> Work:
    sizes = [100 * (1 + i) for i in range(n)]
    chosen = WeightedSum(np.full(n, 1 / n))
    return lambda: bounds.joint_widths(sizes, n_hypotheses=100, delta=0.05, split="optimal", scalarization=chosen)


@grows("bounds.mixture_bounds", "N objectives", first=20_000, largest=MANY)
def _(n: int) -> Work:
    complexities = floats(n)
    return lambda: bounds.mixture_bounds(1000, n_objectives=n, delta=0.05, complexities=complexities)


# Rademacher complexities.


@grows("bounds.rademacher_complexity", "n examples, 0/1", first=1_000)
def _(n: int) -> Work:
    losses = bits(n, 500)
    return lambda: bounds.rademacher_complexity(losses, rng=0, delta=0.01, draws=64)


@grows("bounds.rademacher_complexity", "H hypotheses, 0/1", first=500)
def _(h: int) -> Work:
    losses = bits(1000, h)
    return lambda: bounds.rademacher_complexity(losses, rng=0, delta=0.01, draws=64)


@grows("bounds.rademacher_complexity", "n examples, floats", first=500, largest=32_000)
def _(n: int) -> Work:
    losses = floats(n, 200)
    return lambda: bounds.rademacher_complexity(losses, rng=0, delta=0.01, draws=64)


@grows("bounds.rademacher_complexity", "draws D, floats", first=100)
def _(draws: int) -> Work:
    losses = floats(500, 200)
    return lambda: bounds.rademacher_complexity(losses, rng=0, delta=0.01, draws=draws)


@grows("bounds.rademacher_complexity", "2^n sign vectors, exact", first=1 << 12, largest=1 << 18)
def _(count: int) -> Work:
    losses = floats(count.bit_length() - 1, 20)
    return lambda: bounds.rademacher_complexity(losses, method="exact")


@grows("bounds.rademacher_complexity", "n examples, Massart", first=2_000, time=1.1, memory=1, largest=64_000)
def _(n: int) -> Work:
    losses = floats(n, 100)
    return lambda: bounds.rademacher_complexity(losses, method="massart")


@grows("bounds.linear_complexity", "n inputs, closed form", first=10_000)
def _(n: int) -> Work:
    inputs = floats(n, 10)
    return lambda: bounds.linear_complexity(inputs, weight_norm=1.0)


@grows("bounds.linear_complexity", "n inputs, simulated", first=2_000, largest=256_000)
def _(n: int) -> Work:
    inputs = floats(n, 10)
    return lambda: bounds.linear_complexity(inputs, weight_norm=1.0, method="monte-carlo", rng=0, delta=0.05)


# Consequences for fronts.


@grows("bounds.certified_members", "H hypotheses, two objectives", first=100, time=2, memory=1, largest=12_800)
def _(h: int) -> Work:
    points = front(h, 2)
    return lambda: bounds.certified_members(points - 0.01, points + 0.01)


@grows("bounds.slack_pruned", "H hypotheses, two objectives", first=100, time=2, memory=1, largest=12_800)
def _(h: int) -> Work:
    points = front(h, 2)
    return lambda: bounds.slack_pruned(points, [0.01, 0.01], t=0.1)


@grows("bounds.a_posteriori_excess", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    lower = floats(h, 2)
    return lambda: bounds.a_posteriori_excess(lower, lower + 0.1, scalarization=SUM)


@grows("bounds.hypervolume_sandwich", "H hypotheses, two objectives", first=5_000, largest=MANY)
def _(h: int) -> Work:
    points = front(h, 2)
    return lambda: bounds.hypervolume_sandwich(points, [0.1, 0.1], reference=[1.0, 1.0])


@grows("bounds.boundary", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.boundary(given)


@grows("bounds.forward", "rows of widths", first=800_000, largest=1 << 24)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.forward(given)


@grows("bounds.weak_converse", "rows of widths", first=800_000, largest=1 << 24)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.weak_converse(given)


@grows("bounds.constrained_excess", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given, constraint = widths(k), EpsilonConstraint([np.inf, 0.5])
    return lambda: bounds.constrained_excess(given, constraint=constraint)


@grows("bounds.hypervolume_loss", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.hypervolume_loss(given, reference=[1.0, 1.0])


@grows("bounds.interior_weights", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.interior_weights(given, weights=[0.5, 0.5])


@grows("bounds.two_stage_excess", "rows of tasks", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.two_stage_excess(given, weights=[0.5, 0.5], covariance_error=0.1, conflict=1.0)


@grows("bounds.p_norm_purity", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given, u = widths(k), PNorm([0.5, 0.5], 2.0)
    return lambda: bounds.p_norm_purity(given, scalarization=u, value=0.5)


@grows("bounds.scalarized", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.scalarized(given, scalarization=SUM)


@grows("bounds.scalarized_excess", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.scalarized_excess(given, scalarization=SUM)


@grows("bounds.strong_convexity", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.strong_convexity(given, moduli=[1.0, 1.0])


@grows("bounds.strongly_monotone", "rows of widths", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.strongly_monotone(given, scalarization=CHEBYSHEV)


@grows("bounds.slack_guarantee", "N objectives", first=50_000, largest=MANY)
def _(n: int) -> Work:
    given = floats(n)
    return lambda: bounds.slack_guarantee(given, t=0.25, loss_range=1.0)


# Half-widths and statements that depend on the hypothesis.


@grows("bounds.relative_deviation_class", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    risks = floats(h, 2)
    return lambda: bounds.relative_deviation_class(risks, 1000, delta=0.05)


@grows("bounds.relative_deviation_vc", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    risks = floats(h, 2)
    return lambda: bounds.relative_deviation_vc(risks, 1000, dimension=5, delta=0.05)


@grows("bounds.localized_rademacher", "H hypotheses", first=5_000, largest=1 << 18)
def _(h: int) -> Work:
    risks = floats(h, 2)
    return lambda: bounds.localized_rademacher(risks, 1000, local_complexity=lambda r: 0.1 * r, delta=0.05)


@grows("bounds.local_complexity", "k radii", first=20_000, largest=MANY)
def _(k: int) -> Work:
    radii = floats(k)
    return lambda: bounds.local_complexity(radii, 1000, n_hypotheses=50)


@grows("bounds.nonuniform_forward", "H hypotheses", time=2, first=50)
def _(h: int) -> Work:
    given, risks = widths(h), floats(h, 2)
    return lambda: bounds.nonuniform_forward(given, risks=risks)


@grows("bounds.nonuniform_weak_converse", "H hypotheses", time=2, first=50)
def _(h: int) -> Work:
    given, risks = widths(h), floats(h, 2)
    return lambda: bounds.nonuniform_weak_converse(given, risks=risks)


@grows("bounds.nonuniform_scalarized_excess", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    given, risks = widths(h), floats(h, 2)
    return lambda: bounds.nonuniform_scalarized_excess(given, scalarization=SUM, risks=risks)


@grows("bounds.relative_excess", "rows of scales", first=50_000, largest=MANY)
def _(k: int) -> Work:
    given = widths(k)
    return lambda: bounds.relative_excess(given, scalarization=SUM, best=0.1)


def some_bound(h: int) -> bounds.Bound:
    return bounds.finite_prior(1000, prior=np.full(h, 0.5 / h), delta=0.05)


@grows("bounds.Bound.to_json", "H hypotheses", first=1_000)
def _(h: int) -> Work:
    return some_bound(h).to_json


@grows("bounds.Bound.from_json", "H hypotheses", first=1_000)
def _(h: int) -> Work:
    text = some_bound(h).to_json()
    return lambda: bounds.Bound.from_json(text)


@grows("bounds.Bound.to_frame", "H hypotheses", first=1_000)
def _(h: int) -> Work:
    return some_bound(h).to_frame


@grows("bounds.Bound.combine", "H hypotheses", first=10_000, largest=MANY)
def _(h: int) -> Work:
    bound, other = some_bound(h), some_bound(h)
    return lambda: bound.combine(other)
