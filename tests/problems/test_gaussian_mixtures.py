"""Gaussian mixtures: closed forms against integrals, simulated attacks and optima known by hand."""

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import norm

import moltheory as mt
from moltheory.experiments import asymmetry
from moltheory.problems import (
    GaussianMixture,
    GaussianMixtureClassifiers,
    linear_classifier_grid,
    linear_classifier_objectives,
    robust_classifiers,
)
from moltheory.scalarization import Chebyshev


def _mixture(seed=0, d=2, k=4):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((k, d, d))
    labels, groups = np.arange(k) % 2, ["a", "a", "b", "c"][:k]
    return GaussianMixture(
        rng.uniform(0.5, 2.0, k),
        rng.standard_normal((k, d)),
        roots @ roots.transpose(0, 2, 1) + np.eye(d),
        labels,
        groups,
    )


def test_error_against_an_integral_over_the_plane():
    mixture, (w1, w2, b) = _mixture(1), (0.7, -1.3, 0.4)

    def below(x1, k, bound):
        """P(w'x + b <= bound | x1) times the density of x1."""
        mean, s = mixture.means[k], mixture.covariances[k]
        center = mean[1] + s[0, 1] / s[0, 0] * (x1 - mean[0])
        spread = np.sqrt(s[1, 1] - s[0, 1] ** 2 / s[0, 0])
        upper = norm.sf((bound - b - w1 * x1) / w2, center, spread)  # w2 < 0
        return upper * norm.pdf(x1, mean[0], np.sqrt(s[0, 0]))

    expected = 0.0
    for k in range(4):
        p = integrate.quad(below, -40, 40, args=(k, 0.0), epsabs=1e-12, limit=300)[0]
        expected += mixture.weights[k] * (p if mixture.labels[k] > 0 else 1 - p)
    assert mixture.errors([[w1, w2, b]])[0] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_fisher_is_the_best_of_all_linear_classifiers(d, share, rng):
    root = rng.standard_normal((d, d))
    s, means = root @ root.T + np.eye(d), rng.standard_normal((2, d))
    mixture = GaussianMixture([share, 1 - share], means, s, [1, 0])
    best = mixture.best_classifier()
    gap = means[0] - means[1]
    delta = np.sqrt(gap @ np.linalg.solve(s, gap))
    odds = np.log(share / (1 - share))
    expected = share * norm.cdf(-delta / 2 - odds / delta) + (1 - share) * norm.cdf(-delta / 2 + odds / delta)
    assert mixture.errors(best[None])[0] == pytest.approx(expected, abs=1e-14)
    if share == 0.5:
        assert expected == pytest.approx(norm.cdf(-delta / 2), abs=1e-15)
    others = rng.standard_normal((2000, d + 1))
    near = best + 1e-3 * rng.standard_normal((2000, d + 1))
    assert mixture.errors(np.concatenate([others, near])).min() >= expected - 1e-15


@pytest.mark.parametrize("attack", ["l2", "linf"])
def test_robust_error_is_that_of_the_worst_perturbation(attack, rng):
    mixture, classifier, epsilon, n = _mixture(2, d=3), np.array([[0.5, -1.0, 0.2, 0.3]]), 0.4, 200_000
    w, b = classifier[0, :-1], classifier[0, -1]
    x, component = mixture.draw(n, 1, rng)
    y = mixture.labels[component[0]]
    worst = -epsilon * (w / np.linalg.norm(w) if attack == "l2" else np.sign(w))
    wrong = y * ((x[0] + y[:, None] * worst) @ w + b) <= 0
    found = mixture.errors(classifier, epsilon=epsilon, norm=attack)[0]
    assert abs(wrong.mean() - found) <= 4 * np.sqrt(found * (1 - found) / n)
    other = rng.standard_normal((n, 3))
    other *= epsilon / np.linalg.norm(other, axis=1, ord=2 if attack == "l2" else np.inf)[:, None]
    assert (wrong | ~(y * ((x[0] + other) @ w + b) <= 0)).all()


def test_robust_error_grows_with_the_perturbation_and_linf_is_worse():
    mixture, grid = _mixture(3), linear_classifier_grid(_mixture(3))
    plain = mixture.errors(grid)
    l2, linf = (mixture.errors(grid, epsilon=0.3, norm=name) for name in ("l2", "linf"))
    assert (plain <= l2).all()
    assert (l2 <= linf + 1e-15).all()


def test_constant_classifiers():
    mixture = GaussianMixture([1, 3], [[0.0], [1.0]], np.eye(1), [0, 1])
    # sign(b) for everybody; at b = 0 the margin is 0, an error for both classes.
    assert mixture.errors([[0.0, 1.0], [0.0, -1.0], [0.0, 0.0]]).tolist() == [0.25, 0.75, 1.0]
    assert mixture.errors([[0.0, 1.0]], epsilon=5.0).tolist() == [0.25]


_ALL = [
    "error",
    "robust_error",
    "false_positive_rate",
    "false_negative_rate",
    "group_error:a",
    "group_error:b",
    "worst_group_error",
    "gap",
    "n_features",
]


def _problem(**given):
    mixture = _mixture(4)
    rows = np.random.default_rng(0).standard_normal((6, 3))
    rows[0, 1] = 0.0
    return GaussianMixtureClassifiers(mixture, rows, objectives=_ALL, epsilon=0.2, **given)


def test_true_risks_from_their_definitions():
    problem = _problem()
    mixture, rows = problem.mixture, problem.classifiers
    risks = dict(zip(_ALL, problem.true.risks().T, strict=True))
    groups = mixture.group_errors(rows)
    assert np.array_equal(groups.max(axis=1), risks["worst_group_error"])
    # Probabilities: a few roundings of arguments of order 1, whatever the order of their sums.
    assert np.allclose(groups.max(axis=1) - groups.min(axis=1), risks["gap"], rtol=0.0, atol=1e-14)
    assert np.allclose(risks["group_error:b"], groups[:, 1], rtol=0.0, atol=1e-14)
    p = mixture.weights
    both = p[[0, 2]].sum() * risks["false_positive_rate"] + p[[1, 3]].sum() * risks["false_negative_rate"]
    assert np.allclose(both, risks["error"], rtol=0.0, atol=1e-14)
    assert risks["n_features"].tolist() == [1, 2, 2, 2, 2, 2]
    assert np.allclose(risks["robust_error"], mixture.errors(rows, epsilon=0.2), rtol=0.0, atol=1e-14)
    assert np.allclose(risks["error"], mixture.errors(rows), rtol=0.0, atol=1e-14)


def test_samples_from_their_definitions():
    problem, n, r = _problem(), 40, 3
    risks = problem.sample(n, replicates=r, rng=7).risks()
    x, component = problem.mixture.draw(n, r, np.random.default_rng(np.random.SeedSequence(7)))
    shift = 0.2 * np.linalg.norm(problem.classifiers[:, :2], axis=1)
    group = np.array([0, 0, 1, 2])[component]
    for i in range(r):
        y = problem.mixture.labels[component[i]][:, None]
        margins = y * (x[i] @ problem.classifiers[:, :2].T + problem.classifiers[:, 2])
        wrong = margins <= 0
        rates = np.stack([wrong[group[i] == g].mean(axis=0) for g in range(3)])
        expected = [
            wrong.mean(axis=0),
            (margins <= shift).mean(axis=0),
            wrong[y[:, 0] < 0].mean(axis=0),
            wrong[y[:, 0] > 0].mean(axis=0),
            rates[0],
            rates[1],
            rates.max(axis=0),
            rates.max(axis=0) - rates.min(axis=0),
        ]
        assert np.allclose(risks[i, :, :-1].T, expected, rtol=0.0, atol=1e-14)


def test_sample_means_agree_with_the_truth():
    problem, r, n = _problem(), 1500, 100
    unbiased = [0, 1, 2, 3, 4, 5]
    deviation = problem.sample(n, replicates=r, rng=1).risks()[..., unbiased] - problem.true.risks()[..., unbiased]
    assert (np.abs(deviation.mean(axis=0)) <= 4.5 * deviation.std(axis=0) / np.sqrt(r)).all()
    large = problem.sample(100_000, replicates=2, rng=1).risks()
    assert np.abs(large - problem.true.risks()).max() < 0.02


def test_equal_empirical_risks_are_bitwise_equal():
    problem = _problem()
    sample = problem.sample(60, replicates=200, rng=2)
    risks = sample.risks()
    counts = risks[..., 0] * 60
    assert np.array_equal(np.rint(counts) / 60, risks[..., 0])
    # Gaps: equal as fractions iff equal as floats.
    gaps = risks[..., _ALL.index("gap")].ravel()
    merged = np.unique(gaps)
    assert (np.diff(merged) > 1e-9).all()


def test_an_empty_group_makes_no_claim():
    sample = _problem().sample(3, replicates=400, rng=0)
    assert sample.undefined.any()
    some = sample.risks()[sample.undefined][0]
    assert not np.isnan(some[:, 0]).any()


def test_sizes_per_objective_and_chunks(monkeypatch):
    problem = _problem()
    sample = problem.sample((5, 6, 50, 50, 50, 50, 50, 50, 1), rng=0)
    assert np.allclose(sample.risks()[:, 0] * 5, np.rint(sample.risks()[:, 0] * 5))
    assert np.allclose(sample.risks()[:, 1] * 6, np.rint(sample.risks()[:, 1] * 6))
    monkeypatch.setattr("moltheory.problems._mixture_classifiers._CHUNK", 1)
    assert np.isfinite(problem.sample(2000, replicates=3, rng=0).risks()).all()


def test_widths_follow_from_those_of_the_groups():
    problem = _problem()
    widths = problem.widths(problem.sample(300, replicates=4, rng=0), delta=0.05)
    assert (widths[:, -1] == 0).all()
    assert (widths[:, _ALL.index("gap")] > widths[:, _ALL.index("worst_group_error")]).all()


def test_the_asymmetry():
    grid = linear_classifier_grid(_mixture(5), n_directions=10, n_offsets=7)
    problem = GaussianMixtureClassifiers(_mixture(5), grid, objectives=["robust_error", "gap"], epsilon=0.5)
    table = asymmetry(problem, sizes=[30, 300], replicates=40, rng=0)
    claims = table[~table["undefined"]]
    assert (claims["coverage_error"] <= 2 * claims["uniform_deviation"] + 1e-12).all()
    assert (claims["coverage_error"] <= claims["bound"]).all()


def test_the_robust_front_is_not_dominated(rng):
    mean, epsilon = np.array([2.0, 1.0, 0.3]), 0.6
    mixture = GaussianMixture([1, 1], [-mean, mean], np.eye(3), [-1, 1])
    front = robust_classifiers(mean, epsilon=epsilon, n_points=50)

    def risks(rows):
        return np.stack([mixture.errors(rows), mixture.errors(rows, epsilon=epsilon, norm="linf")], axis=1)

    truth = risks(front)
    assert truth[0, 0] == pytest.approx(norm.cdf(-np.linalg.norm(mean)), abs=1e-15)
    soft = np.maximum(mean - epsilon, 0.0)
    assert truth[-1, 1] == pytest.approx(norm.cdf(-np.linalg.norm(soft)), abs=1e-15)
    assert (np.diff(truth[:, 0]) > 0).all()
    assert (np.diff(truth[:, 1]) < 0).all()
    near = front[rng.integers(50, size=4000)] + 0.05 * rng.standard_normal((4000, 4))
    others = risks(np.concatenate([rng.standard_normal((4000, 4)), near]))
    # No other point is below the front by more than the rounding.
    below = (others[:, None] <= truth[None] - 1e-12).all(axis=2)
    assert not below.any()


def test_nsga2_approximates_the_front_from_above():
    mean, epsilon = np.array([1.5, 0.5]), 0.5
    mixture = GaussianMixture([1, 1], [-mean, mean], np.eye(2), [-1, 1])
    black_box = linear_classifier_objectives(mixture, epsilon=epsilon, norm="linf", max_offset=2.0)
    truth = black_box.risks(robust_classifiers(mean, epsilon=epsilon, n_points=30))
    chosen = [Chebyshev(1 / (p - 0.9 * truth.min(axis=0))) for p in truth[::10]]
    sweep = mt.solve_front(black_box, scalarizations=chosen, options={"population": 60, "generations": 60})
    assert not (sweep.points[:, None] <= truth[None] - 1e-12).all(axis=2).any()
    assert mt.purity_error(sweep.points, truth) < 2e-3
    # The finite grid is no better either, and worse than the search.
    grid = black_box.risks(linear_classifier_grid(mixture, n_directions=40, n_offsets=11))
    assert not (grid[:, None] <= truth[None] - 1e-12).all(axis=2).any()


def test_inputs_are_left_alone_and_the_seed_decides():
    rows = np.ones((2, 3))
    problem = GaussianMixtureClassifiers(_mixture(), rows, epsilon=0.1)
    rows[:] = 0.0
    assert (problem.classifiers == 1.0).all()
    first, second = (problem.sample(20, replicates=3, rng=5).risks() for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(linear_classifier_grid(_mixture()), linear_classifier_grid(_mixture()))


def test_refusals(refuses):
    eye, means = np.eye(2), [[0.0, 0.0], [1.0, 0.0]]
    refuses("weights", GaussianMixture, [0.0, 1.0], means, eye, [0, 1])
    refuses("means", GaussianMixture, [1.0], means, eye, [0, 1])
    refuses("covariances", GaussianMixture, [1, 1], means, np.eye(3), [0, 1])
    refuses("covariances", GaussianMixture, [1, 1], means, [[1, 2], [2, 1]], [0, 1])
    refuses("covariances", GaussianMixture, [1, 1], means, [[1, 0.5], [0, 1]], [0, 1])
    refuses("labels", GaussianMixture, [1, 1], means, eye, [1, 1])
    refuses("groups", GaussianMixture, [1, 1], means, eye, [0, 1], ["a"])
    mixture = GaussianMixture([1, 1], means, eye, [0, 1])
    refuses("classifiers", mixture.errors, [[1.0, 0.0]])
    refuses("epsilon", mixture.errors, [[1.0, 0.0, 0.0]], epsilon=-1)
    refuses("norm", mixture.errors, [[1.0, 0.0, 0.0]], norm="l1")
    refuses("group", mixture.errors, [[1.0, 0.0, 0.0]], group="a")
    refuses("groups", mixture.group_errors, [[1.0, 0.0, 0.0]])
    refuses("covariances", _mixture().best_classifier)
    refuses("mixture", GaussianMixtureClassifiers, eye)
    refuses("objectives", GaussianMixtureClassifiers, mixture, objectives=["gap"])
    refuses("objectives", GaussianMixtureClassifiers, mixture, objectives=["error", "error"])
    refuses("objectives", GaussianMixtureClassifiers, mixture, objectives=["n_features"])
    refuses("n", GaussianMixtureClassifiers(mixture, epsilon=0.1).sample, (3, 4, 5))
    refuses("n_offsets", linear_classifier_grid, mixture, n_offsets=1)
    refuses("max_offset", linear_classifier_objectives, mixture, epsilon=0.1, max_offset=0.0)
    refuses("epsilon", linear_classifier_objectives, mixture)
    refuses("epsilon", GaussianMixtureClassifiers, mixture)
    refuses("epsilon", robust_classifiers, [1.0, 0.1], epsilon=1.0)
