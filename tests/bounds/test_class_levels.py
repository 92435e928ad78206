"""How often the bounds of a class fail: exactly where hypotheses are independent, by simulation otherwise.

Where the width of a hypothesis depends on its own error count only, H hypotheses with independent Bernoulli losses
fail with probability 1 - prod (1 - q_h), q_h a sum of binomial probabilities. A simulation fails a bound only where
its misses have a binomial tail below 1e-6 at the promised level; beside each stands a wrong variant that is caught.
"""

import math
from functools import partial

import numpy as np
import pytest
from scipy.special import betainccinv
from scipy.stats import binom

from moltheory.bounds import (
    finite_class,
    finite_prior,
    linear_class,
    linear_complexity,
    mixture_bounds,
    pac_bayes_kl,
    rademacher,
    rademacher_complexity,
    shell_class,
    vc,
)
from tests.bounds._classes import OF_ONE

_GRID = np.unique(np.concatenate([np.linspace(0, 1, 101), np.logspace(-6, -1, 26), 1 - np.logspace(-6, -1, 26)]))
_ROUNDING = 1e-12


def believable(misses: int, runs: int, delta: float) -> bool:
    return bool(binom.sf(misses - 1, runs, delta) >= 1e-6)


def failure(bound_of, n):
    """Exact failure probability of one hypothesis at every p of the grid; `bound_of(k)` is its bound after k errors."""
    limits = []
    for k in range(n + 1):
        bound = bound_of(k)
        width = float(bound)
        known = bound.lower is not None
        limits.append((bound.lower.item(), bound.upper.item()) if known else (k / n - width, k / n + width))
    lower, upper = np.array(limits).T
    outside = (lower > _GRID[:, None]) | (upper < _GRID[:, None])
    return (binom.pmf(np.arange(n + 1), n, _GRID[:, None]) * outside).sum(axis=1)


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("n", [2, 5, 30, 100])
@pytest.mark.parametrize(("delta", "n_hypotheses"), [(0.5, 1), (0.05, 1), (0.05, 8), (0.3, 20)])
def test_bounds_fail_at_most_at_their_level_exactly(name, n, delta, n_hypotheses):
    q = failure(partial(OF_ONE[name], n=n, delta=delta, n_hypotheses=n_hypotheses), n)
    assert (1 - (1 - q) ** n_hypotheses <= delta + _ROUNDING).all()


@pytest.mark.parametrize("name", ["finite", "kl"])
def test_a_class_treated_as_one_hypothesis_is_caught(name):
    q = failure(partial(OF_ONE[name], n=100, delta=0.05, n_hypotheses=1), 100)
    assert (1 - (1 - q) ** 40).max() > 0.05


def test_priors_fail_at_most_at_their_level_exactly():
    """Even with the worst p for each hypothesis separately."""
    prior = np.array([0.6, 0.3, 0.05, 0.05])
    for n in (1, 10, 50):
        for delta in (0.5, 0.05):
            width = finite_prior(n, prior=prior, delta=delta).width[:, 0]
            q = [failure(lambda k, w=w, n=n, delta=delta: _fixed(w, n, delta), n).max() for w in width]
            assert 1 - np.prod(1 - np.array(q)) <= delta


def _fixed(width, n, delta):
    import dataclasses

    return dataclasses.replace(finite_class(n, n_hypotheses=1, delta=delta), width=np.array([width]))


def _means_of_signed_axes(n, d, runs, seed):
    """Length of the mean of n examples uniform on the 2d vectors +-e_j: sup over the unit ball of |L - Lhat|."""
    counts = np.random.default_rng(seed).multinomial(n, np.full(2 * d, 1 / (2 * d)), size=runs)
    return np.linalg.norm(counts[:, :d] - counts[:, d:], axis=1) / n


@pytest.mark.parametrize("n", [10, 400])
@pytest.mark.parametrize("d", [1, 6])
@pytest.mark.parametrize("delta", [0.1, 0.001])
def test_linear_class_by_simulation(n, d, delta):
    runs = 20_000
    deviation = _means_of_signed_axes(n, d, runs, seed=1)
    scale = {"lipschitz": 1.0, "weight_norm": 1.0, "input_norm": 1.0, "loss_range": 2.0}
    assert believable(int((deviation > float(linear_class(n, delta=delta, **scale))).sum()), runs, delta)
    if d == 1 and delta == 0.001:  # twice the complexity alone, the deviation term forgotten
        assert not believable(int((deviation > 2 / math.sqrt(n)).sum()), runs, delta)
    # the complexity not doubled
    assert not believable(int((deviation > 0.8 / math.sqrt(n)).sum()), runs, delta)


@pytest.mark.parametrize("n", [30, 2000])
def test_vc_of_thresholds_by_simulation(n):
    """Errors of all thresholds on uniform inputs, VC dimension 1: the Kolmogorov-Smirnov distance."""
    runs, delta = 400, 0.05
    points = np.sort(np.random.default_rng(9).random((runs, n)), axis=1)
    steps = np.arange(n + 1) / n
    deviation = np.maximum((steps[1:] - points).max(axis=1), (points - steps[:-1]).max(axis=1))
    width = float(vc(n, dimension=1, delta=delta))
    assert believable(int((deviation > width).sum()), runs, delta)
    # the growth function forgotten and a one-sided constant
    assert not believable(int((deviation > math.sqrt(math.log(1 / delta) / (2 * n)) * 0.9).sum()), runs, delta)


def test_l1_ball_by_simulation():
    """Sup over the l1 ball is the largest coordinate of the mean; inputs are independent signs."""
    runs, n, d = 20_000, 100, 50
    means = (2 * np.random.default_rng(2).binomial(n, 0.5, size=(runs, d)) - n) / n
    deviation = np.abs(means).max(axis=1)
    scale = {"lipschitz": 1.0, "weight_norm": 1.0, "input_norm": 1.0, "loss_range": 2.0}
    for delta in (0.1, 0.001):
        width = float(linear_class(n, delta=delta, norm="l1", dimension=d, **scale))
        assert believable(int((deviation > width).sum()), runs, delta)
    l2 = float(linear_class(n, delta=0.1, norm="l2", **scale))
    assert l2 < width  # inputs of sup-norm 1 have a Euclidean norm of up to sqrt(d): the wrong ball would be bold


@pytest.mark.parametrize("delta", [0.3, 0.02])
def test_empirical_rademacher_of_linear_functions_by_simulation(delta):
    runs, n, d = 300, 60, 4
    rng = np.random.default_rng(3)
    misses = 0
    for _ in range(runs):
        rows = np.zeros((n, d))
        rows[np.arange(n), rng.integers(0, d, n)] = rng.choice([-1.0, 1.0], n)
        found = linear_complexity(rows, weight_norm=1.0, method="monte-carlo", rng=rng, delta=delta / 4, draws=30)
        bound = rademacher(n, complexity=found, empirical=True, delta=delta, loss_range=2.0)
        misses += np.linalg.norm(rows.mean(axis=0)) > float(bound)
    assert believable(misses, runs, delta)


@pytest.mark.slow
def test_empirical_rademacher_of_a_finite_class_by_simulation():
    runs, n, n_hypotheses, delta = 200, 80, 100, 0.1
    rng = np.random.default_rng(4)
    p = rng.random(n_hypotheses)
    misses = wrong = 0
    for _ in range(runs):
        losses = (rng.random((n, n_hypotheses)) < p).astype(np.uint8)
        deviation = np.abs(losses.mean(axis=0) - p).max()
        found = rademacher_complexity(losses, rng=rng, delta=0.02, draws=50)
        misses += deviation > float(rademacher(n, complexity=found, empirical=True, delta=delta))
        wrong += deviation > found.upper / 2
    assert believable(misses, runs, delta)
    assert not believable(wrong, runs, delta)


@pytest.mark.parametrize("rates", ["equal", "spread", "rare"])
def test_shells_by_simulation(rates):
    runs, n, n_hypotheses, delta = 60, 40, 2000, 0.1
    rng = np.random.default_rng(5)
    p = {
        "equal": np.full(n_hypotheses, 0.3),
        "spread": np.linspace(0, 1, n_hypotheses),
        "rare": np.concatenate([[0.02] * 20, np.full(n_hypotheses - 20, 0.5)]),
    }[rates]
    misses = single = 0
    for _ in range(runs):
        errors = rng.binomial(n, p)
        misses += (shell_class(errors, n, delta=delta).upper[:, 0] < p).any()
        limits = np.where(errors < n, betainccinv(errors + 1.0, np.maximum(n - errors, 1), delta), 1.0)
        single += (limits < p).any()
    assert believable(misses, runs, delta)
    assert not believable(single, runs, delta)


def test_one_shell_is_clopper_pearson_over_the_class():
    errors = np.array([0, 3, 3, 10])
    found = shell_class(errors, 10, delta=0.1, n_shells=1).upper[:, 0]
    expected = [*betainccinv(np.array([1.0, 4, 4]), np.array([10.0, 7, 7]), 0.1 / 2 / 4), 1.0]
    assert found == pytest.approx(expected, rel=1e-12)
    two = shell_class(np.column_stack([errors, errors]), 10, delta=0.2, n_shells=1).upper
    assert two[:, 0] == pytest.approx(found, rel=1e-12)
    assert (two[:, 0] == two[:, 1]).all()


@pytest.mark.parametrize("constant", ["exact", "maurer"])
def test_pac_bayes_holds_for_all_posteriors_at_once(constant):
    """Gibbs posteriors of all temperatures on the sample itself, uniform prior."""
    runs, n, n_hypotheses, delta = 150, 50, 500, 0.2
    rng = np.random.default_rng(6)
    p = np.full(n_hypotheses, 0.3)
    temperatures = np.concatenate([[-1e4], -np.logspace(3, -1, 9), [0.0], np.logspace(-1, 3, 9), [1e4]])
    misses = wrong = 0
    for _ in range(runs):
        risks = rng.binomial(n, p) / n
        weights = np.exp(
            -temperatures[:, None] * (risks - np.where(temperatures >= 0, risks.min(), risks.max())[:, None])
        )
        posterior = weights / weights.sum(axis=1, keepdims=True)
        logs = np.log(np.maximum(posterior, 1e-300) * n_hypotheses)
        divergence = np.maximum((posterior * logs).sum(axis=1), 0)
        means, true = np.clip(posterior @ risks, 0, 1), posterior @ p
        bound = pac_bayes_kl(means[:, None], n, divergence=divergence[:, None], delta=delta, constant=constant)
        misses += ((true < bound.lower[:, 0]) | (true > bound.upper[:, 0])).any()
        free = pac_bayes_kl(means[:, None], n, divergence=0.0, delta=delta, constant=constant)
        wrong += ((true < free.lower[:, 0]) | (true > free.upper[:, 0])).any()
    assert believable(misses, runs, delta)
    assert not believable(wrong, runs, delta)


@pytest.mark.parametrize("n", [20, 1000])
def test_mixtures_exactly(n):
    """One hypothesis, N independent objectives: some mixture fails iff some objective does."""
    n_objectives, delta = 50, 0.05
    table = mixture_bounds(n, n_objectives=n_objectives, delta=delta, complexities=0.0)
    counts = np.arange(n + 1)

    def failing(width):
        q = (binom.pmf(counts, n, _GRID[:, None]) * (_GRID[:, None] - counts / n > width)).sum(axis=1)
        return (1 - (1 - q) ** n_objectives).max()

    for bound in (table.cover, table.objective_union, table.union_class):
        assert failing(bound.width) <= delta
    # The complexity of the union class cannot be left out, even where each class alone has none.
    assert failing(table.union_class.deviation) > delta


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.3, 0.05])
def test_certified_empirical_complexity_at_length(delta):
    runs, n, n_hypotheses = 5_000, 40, 500
    rng = np.random.default_rng(7)
    p = np.full(n_hypotheses, 0.5)
    misses = 0
    for _ in range(runs):
        losses = (rng.random((n, n_hypotheses)) < p).astype(np.uint8)
        found = rademacher_complexity(losses, rng=rng, delta=delta / 2, draws=10)
        bound = rademacher(n, complexity=found, empirical=True, delta=delta)
        misses += np.abs(losses.mean(axis=0) - p).max() > float(bound)
    assert believable(misses, runs, delta)


@pytest.mark.slow
def test_shells_at_length():
    runs, n, delta = 5_000, 60, 0.05
    rng = np.random.default_rng(8)
    p = np.concatenate([[0.01] * 10, [0.1] * 500, rng.random(1000)])
    misses = sum(bool((shell_class(rng.binomial(n, p), n, delta=delta).upper[:, 0] < p).any()) for _ in range(runs))
    assert believable(misses, runs, delta)
