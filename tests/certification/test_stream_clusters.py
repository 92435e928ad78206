"""Clusters that arrive at a stream: exact levels over all sequences, agreement with sums by hand, and what is refused."""

import itertools
import math

import numpy as np
import pytest

from moltheory import CertificateStream
from moltheory.certification._stream_objective import StreamObjective
from moltheory.inference._anytime import mean_ends, mixture_of_bets
from moltheory.inference._anytime_ratio import RatioSums, ratio_ends

# (total loss, size) of a cluster and its probability; skewed, rare, and of one size.
_WORLDS = {
    "flat": [((0, 1), 0.25), ((1, 1), 0.25), ((1, 3), 0.25), ((3, 3), 0.25)],
    "rare": [((0, 1), 0.55), ((0, 3), 0.4), ((3, 3), 0.05)],
    "large ones err": [((0, 1), 0.7), ((3, 3), 0.3)],
    "one size": [((0, 3), 0.6), ((3, 3), 0.4)],
    "inside": [((0.5, 1), 0.5), ((0.3, 3), 0.3), ((2.4, 2), 0.2)],
}
_LARGEST = 3


def _probability_of_a_miss(world, horizon, ends, mean):
    """That (lower, upper) ever misses the mean within the horizon: over all sequences, by counts of the outcomes."""
    outcomes = [outcome for outcome, _ in world]
    chances = [chance for _, chance in world]
    counts = [c for c in itertools.product(range(horizon + 1), repeat=len(world)) if 0 < sum(c) <= horizon]
    table = np.array(counts, dtype=float)
    lower, upper = ends(table, outcomes)
    missed = dict(zip(counts, ((lower > mean) | (upper < mean)).tolist(), strict=True))
    alive, failed = {(0,) * len(world): 1.0}, 0.0
    for _ in range(horizon):
        later = {}
        for state, chance in alive.items():
            for k, step in enumerate(chances):
                to = (*state[:k], state[k] + 1, *state[k + 1 :])
                later[to] = later.get(to, 0.0) + chance * step
        failed += sum(chance for state, chance in later.items() if missed[state])
        alive = {state: chance for state, chance in later.items() if not missed[state]}
    return failed


def _by_size(delta):
    def ends(counts, outcomes):
        t, q = np.array(outcomes, dtype=float).T / _LARGEST
        sums = RatioSums(counts.sum(axis=1), *(counts @ of for of in (q, q * q, t, t * t, t * q)))
        return ratio_ends(sums, -math.log(delta))

    return ends


def _examples_as_units(delta):
    """The wrong variant: clusters are ignored."""

    def ends(counts, outcomes):
        totals, sizes = np.array(outcomes, dtype=float).T
        n, total, squares = counts @ sizes, counts @ totals, counts @ (totals**2 / sizes)
        return mean_ends(n, total, squares, -math.log(delta))

    return ends


@pytest.mark.parametrize("world", _WORLDS)
@pytest.mark.parametrize("delta", [0.5, 0.05])
def test_probability_that_the_box_ever_misses_is_exact_and_at_most_delta(world, delta):
    cases = _WORLDS[world]
    mean = sum(t * p for (t, _), p in cases) / sum(s * p for (_, s), p in cases)
    assert _probability_of_a_miss(cases, 24 if len(cases) < 4 else 14, _by_size(delta), mean) <= delta


def test_clusters_that_are_ignored_break_the_box():
    assert _probability_of_a_miss(_WORLDS["one size"], 40, _by_size(0.3), 0.4) <= 0.3
    assert _probability_of_a_miss(_WORLDS["one size"], 40, _examples_as_units(0.3), 0.4) > 0.3


def _ever_rejects(level, size_of_shift, horizon=60):
    """Probability of ever rejecting L(a) >= L(b) + 0.6, an equality, in clusters of one example of three at most."""
    d = (np.array([-1.0, 0.0]) + 0.6 * size_of_shift) / _LARGEST

    def ends(counts, _):
        logs = mixture_of_bets(counts @ d, counts @ (d * d)) - math.log(2.0)
        rejected = np.where(logs >= -math.log(level), 1.0, 0.0)
        return rejected, np.ones_like(rejected)

    return _probability_of_a_miss([("a errs", 0.6), ("none", 0.4)], horizon, ends, 0.5)


def test_a_tolerance_counts_once_for_each_example():
    assert _ever_rejects(0.5, 1.0) <= 0.5
    # The wrong variant: once for each cluster, as if all were the largest.
    assert _ever_rejects(0.5, float(_LARGEST)) > 0.5


def test_sums_by_hand(rng):
    sizes = rng.integers(1, 4, 200)
    labels = np.repeat(np.arange(200), sizes)
    x = rng.random((labels.size, 2, 1)) * [[0.3], [1.0]]
    stream = CertificateStream(2, 1, 0.05, largest_cluster=3, epsilon=0.1)
    stream.update(x, clusters=labels)
    found = stream.certificate()
    assert (found.n_examples, found.n_clusters) == (labels.size, 200)
    np.testing.assert_allclose(found.estimates[:, 0], x.mean(axis=0)[:, 0])
    objective = stream._objectives[0]
    for shift, (a, b) in itertools.product((0.0, 0.1), ((0, 1), (1, 0))):
        total, squares = 0.0, 0.0
        for cluster in range(200):
            part = x[labels == cluster, :, 0]
            d = (part[:, b].sum() - part[:, a].sum() + shift * len(part)) / 3.0
            total, squares = total + d, squares + d * d
        bets = [0.9 / 2**k for k in range(11)]
        logs = [math.exp(bet * total + (math.log(1.0 - bet) + bet) * squares) / 11.0 / 2.0 for bet in bets]
        assert objective.p_values(shift)[a, b] == pytest.approx(min(1.0, 1.0 / sum(logs)), rel=1e-6)
    # The box: largest m at which half the mixture reaches the level.
    t = np.array([x[labels == c, 1, 0].sum() for c in range(200)]) / 3.0
    q = sizes / 3.0

    def mixture(m):
        bets = [0.5 / 2**k for k in range(10)]
        d = t - m * q
        return sum(math.exp(bet * d.sum() + (math.log(1.0 - bet) + bet) * (d * d).sum()) for bet in bets) / 20.0

    level = 2.0 / (0.1 * 0.05)
    low = found.boxes[1, 0, 0]
    assert mixture(low) == pytest.approx(level, rel=1e-6)
    assert mixture(low - 1e-3) > level > mixture(low + 1e-3)


def test_special_cases(rng):
    """Equal weights are streams of means of clusters; clusters of one example are examples."""
    labels = np.repeat(np.arange(40), 2)
    x = (rng.random((80, 3, 2)) < 0.4).astype(float)
    equal, means = CertificateStream(3, 2, 0.1, cluster_weights="equal"), CertificateStream(3, 2, 0.1)
    order = rng.permutation(80)
    equal.update(x[order], clusters=labels[order])
    means.update(x.reshape(40, 2, 3, 2).mean(axis=1))
    np.testing.assert_allclose(equal.certificate().boxes, means.certificate().boxes, atol=1e-9)
    assert equal.certificate().n_clusters == 40
    single, plain = CertificateStream(3, 2, 0.1, largest_cluster=1), CertificateStream(3, 2, 0.1)
    single.update(x)
    plain.update(x)
    for shift in (0.0, 0.2):
        for one, two in zip(single._objectives, plain._objectives, strict=True):
            np.testing.assert_allclose(one.p_values(shift), two.p_values(shift), rtol=1e-9)


def test_a_cluster_counts_for_models_that_were_evaluated_on_all_of_it():
    x = np.array([[[1.0], [0.0]], [[np.nan], [1.0]], [[0.0], [1.0]]])
    stream = CertificateStream(2, 1, 0.1, largest_cluster=2, epsilon=0.1)
    stream.update(x, clusters=["u", "u", "v"])
    objective: StreamObjective = stream._objectives[0]
    assert objective.count.tolist() == [1, 2]
    assert objective._sizes[1].tolist() == [[0.5, 0.5], [0.5, 1.5]]
    np.testing.assert_allclose(stream.certificate().estimates[:, 0], [0.0, 2.0 / 3.0])


def _wrong_in(rng, runs, delta, clustered):
    failures = 0
    for _ in range(runs):
        stream = CertificateStream(2, 1, delta, **({"largest_cluster": 6} if clustered else {}))
        wrong = False
        for step in range(10):
            losses = (rng.random((5, 2, 1)) < 0.5).astype(float).repeat(6, axis=0)
            labels = np.repeat(5 * step + np.arange(5), 6)
            stream.update(losses, **({"clusters": labels} if clustered else {}))
            wrong |= bool(stream.certificate().excluded.any())
        failures += wrong
    return failures / runs


@pytest.mark.slow
def test_paraphrases_that_count_as_examples_break_the_verdicts():
    """Six paraphrases of each question, answered alike, by two equal models."""
    rng = np.random.default_rng(2)
    assert _wrong_in(rng, 8, 0.2, clustered=True) <= 0.2
    assert _wrong_in(rng, 8, 0.2, clustered=False) > 0.5
