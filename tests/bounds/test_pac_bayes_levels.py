"""How often PAC-Bayes bounds fail when the posterior is chosen after the data, knowing the truth.

Losses take the values 0, 1/2 and 1. For posteriors at single hypotheses the probability is exact: all counts of one
hypothesis are enumerated, and H independent ones fail with probability 1 - (1 - q)^H. Spread posteriors are simulated.
Not caught by any level: the union over the few rates of a grid, which costs less than what an exponential inequality
gives away.
"""

import math
import os
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from moltheory.bounds import (
    pac_bayes_empirical_bernstein,
    pac_bayes_kl,
    pac_bayes_split_kl,
    pac_bayes_unexpected_bernstein,
)
from tests.bounds.test_class_levels import believable

# Probabilities of the losses 0, 1/2, 1.
WORLDS = {
    "flat": (1 / 3, 1 / 3, 1 / 3),
    "skewed": (0.1, 0.2, 0.7),
    "rare": (0.97, 0.0, 0.03),
    "tied": (0.05, 0.9, 0.05),
    "coin": (0.5, 0.0, 0.5),
}
VALUES = np.array([0.0, 0.5, 1.0])


def statistics(counts, n):
    """Mean, unbiased variance, second moments about 0 and 1/2, and the parts at 1/2, of counts (..., 3)."""
    mean = counts @ VALUES / n
    second = counts @ VALUES**2 / n
    centered = counts @ (VALUES - 0.5) ** 2 / n
    parts = np.stack([(counts[..., 1] + counts[..., 2]) / 2, counts[..., 2] / 2]) / n
    return {
        "mean": mean,
        "variance": np.maximum((second - mean**2) * n / (n - 1), 0.0),
        "second": second,
        "centered": centered,
        "low part": parts[0],
        "high part": parts[1],
    }


# From statistics with an axis of objectives last.
BOUNDS = {
    "kl": lambda s, n, **given: pac_bayes_kl(s["mean"], n, **given),
    "empirical": lambda s, n, **given: pac_bayes_empirical_bernstein(s["mean"], s["variance"], n, **given),
    "unexpected": lambda s, n, **given: pac_bayes_unexpected_bernstein(s["mean"], s["second"], n, **given),
    "centered": lambda s, n, **given: pac_bayes_unexpected_bernstein(s["mean"], s["centered"], n, center=0.5, **given),
    "split": lambda s, n, **given: pac_bayes_split_kl(np.stack([s["low part"], s["high part"]]), n, **given),
}


def failure(bound_of, world, n):
    """Exact probability that the bound of one hypothesis misses its true risk."""
    counts = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
    found = bound_of({name: value[:, None] for name, value in statistics(counts, n).items()}, n)
    true = float(np.dot(world, VALUES))
    outside = (found.lower[:, 0] > true) | (found.upper[:, 0] < true)
    return float(multinomial.pmf(counts, n, world)[outside].sum())


def any_of(q, size):
    return -math.expm1(size * math.log1p(-q))


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("world", WORLDS)
def test_single_hypotheses_chosen_after_the_data_exactly(name, world):
    """The worst of H independent hypotheses is at a point, which costs log H."""
    for n, delta in ((4, 0.5), (25, 0.3), (25, 0.01)):
        for size in (1, 10**3, 10**12):
            bound = partial(BOUNDS[name], divergence=math.log(size), delta=delta)
            assert any_of(failure(bound, WORLDS[world], n), size) <= delta + 1e-9


# So many independent hypotheses, or objectives, that tails are as thin as the inequalities say.
_MANY = 10**30


def failure_of_bits(bound_of, p, n=4000):
    """The same for losses 0 and 1."""
    k = np.arange(n + 1)
    counts = np.stack([n - k, 0 * k, k], axis=-1)
    found = bound_of({name: value[:, None] for name, value in statistics(counts, n).items()}, n)
    return float(binom.pmf(k, n, p)[(found.lower[:, 0] > p) | (found.upper[:, 0] < p)].sum())


@pytest.mark.parametrize("name", BOUNDS)
def test_half_the_divergence_is_caught_exactly(name):
    for share, p in ((1.0, 0.5), (1.0, 0.05), (0.5, 0.05 if name == "unexpected" else 0.5)):
        bound = partial(BOUNDS[name], divergence=share * math.log(_MANY), delta=0.05)
        level = any_of(failure_of_bits(bound, p), _MANY)
        assert level <= 0.05 if share == 1.0 else level > 0.99


@pytest.mark.parametrize("name", BOUNDS)
def test_half_the_union_over_objectives_is_caught_exactly(name):
    """10^30 objectives, each with its own losses, counted as 10^15."""
    for count, p in ((_MANY, 0.5), (10**15, 0.05 if name == "unexpected" else 0.5)):
        q = failure_of_bits(partial(BOUNDS[name], divergence=0.0, delta=0.3 / count), p)
        assert any_of(q, _MANY) <= 0.3 if count == _MANY else any_of(q, _MANY) > 0.99


def test_an_empirical_variance_taken_for_the_true_one_is_caught_exactly():
    def bold(s, n):
        cost = math.log(_MANY) + math.log(27 / 0.05)
        rates = 0.5 ** np.arange(9)
        width = ((np.expm1(rates) - rates) / rates * s["variance"] + cost / (rates * n)).min(axis=-1, keepdims=True)
        return SimpleNamespace(lower=s["mean"] - width, upper=s["mean"] + width)

    assert any_of(failure_of_bits(bold, 0.05), _MANY) > 0.99


def _misses(name, world, *, runs, n, n_hypotheses, delta, rng):
    """Runs in which some Gibbs posterior, at some temperature, has its risk in some of two objectives outside."""
    p = np.array(WORLDS[world])
    true = float(p @ VALUES)
    counts = rng.multinomial(n, p, size=(runs, n_hypotheses, 2))
    found = statistics(counts, n)
    heat = np.concatenate([-np.logspace(-1, 1, 7), [0.0], np.logspace(-1, 1, 7)]) * n
    # The adversary weighs hypotheses by how far the first objective misleads.
    score = heat[:, None, None] * (found["mean"][..., 0] - true)
    weights = np.exp(score - score.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    logs = np.log(np.maximum(weights, 1e-300) * n_hypotheses)
    divergence = np.maximum((weights * logs).sum(axis=-1), 0.0)[..., None]
    mixed = {key: np.einsum("trh,rhi->tri", weights, value) for key, value in found.items()}
    mixed["mean"] = np.minimum(mixed["mean"], 1.0)
    bound = BOUNDS[name](mixed, n, divergence=divergence, delta=delta)
    outside = (bound.lower > true + 1e-12) | (bound.upper < true - 1e-12)
    return int(outside.any(axis=(0, 2)).sum())


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("world", ["flat", "rare", "tied"])
def test_gibbs_posteriors_of_all_temperatures(name, world):
    size = {"runs": 60, "n": 40, "n_hypotheses": 400, "delta": 0.1}
    assert believable(_misses(name, world, rng=np.random.default_rng(3), **size), 60, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("world", WORLDS)
def test_gibbs_posteriors_at_length(name, world):
    runs = 5000 if os.environ.get("MOLTHEORY_FULL") else 500
    for n, delta in ((15, 0.5), (200, 0.05)):
        rng = np.random.default_rng(4)
        assert believable(_misses(name, world, runs=runs, n=n, n_hypotheses=100, delta=delta, rng=rng), runs, delta)
