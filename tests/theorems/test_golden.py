"""Numbers that were known before the code: exact failure probabilities, the attained factor, certificates."""

import math

import numpy as np
import pytest

from moltheory import bounds
from moltheory.bounds import holm, interior_weights, paired_dominance
from moltheory.problems import FiniteWorld, mirrored_decoys, reference_world, two_coins
from moltheory.theorems import check, check_all, check_pair, ledger
from moltheory.theorems._check import stated_widths
from moltheory.theorems._columns import realized_widths
from tests.golden import exact


def test_reference_world_fails_with_hoeffding_exactly():
    result = check(ledger()["joint"], reference_world(), n=5, delta=0.1)
    assert result.event_failure.probability == pytest.approx(33 / 100000, rel=1e-14)
    world = reference_world()
    widths = stated_widths(world, 5, 0.1)
    fails = world.exact(5).probability(
        lambda risks: (realized_widths(world.true_risks, risks) > widths).any(axis=-1), rational=True
    )
    assert str(fails) == "33/100000"


@pytest.mark.skipif(not hasattr(bounds, "binomial_interval"), reason="bounds.binomial_interval does not exist yet")
@pytest.mark.parametrize("method", ["kl", "clopper-pearson"])
def test_reference_world_fails_with_tight_intervals_exactly(method):
    world = reference_world()
    interval = bounds.binomial_interval(np.arange(6), 5, method=method, delta=0.1 / 8)
    lower, upper = np.asarray(interval.lower), np.asarray(interval.upper)

    def misses(risks):
        counts = np.rint(5 * risks).astype(int)
        inside = (lower[counts] <= world.true_risks) & (world.true_risks <= upper[counts])
        return ~inside.all(axis=(1, 2))

    assert (
        world.exact(5).probability(misses, rational=True)
        == 321 * world.exact(5).probability(lambda risks: np.ones(len(risks), bool), rational=True) / 100000
    )


def test_factor_two_is_attained():
    forward = ledger()["forward"]
    result = check_pair(forward, [[20, 0], [0, 1]], [[10, 0], [10, 1]], [10, 0])
    assert result.holds
    assert result.worst == 0.0


def test_interior_weights_certificate_becomes_informative():
    world = mirrored_decoys()
    first = int(exact("mirrored_decoys.weights_.9_.1.interior_weights.informative_from_n"))

    def bound(n):
        return interior_weights(stated_widths(world, n, 0.05), weights=[0.9, 0.1])[1]

    assert bound(first) < 1 <= bound(first - 1)


def test_paired_dominance():
    assert float(paired_dominance([20], [50])) == pytest.approx(2.2014e-4, abs=5e-9)
    for m in (1, 2, 7, 40):
        k = np.arange(m + 1)
        slow = [sum(math.comb(m, j) for j in range(int(i) + 1)) / 2**m for i in k]
        np.testing.assert_allclose(paired_dominance(k[:, None], (m - k)[:, None]), slow, rtol=1e-12)
    assert float(paired_dominance([0, 5], [9, 5])) == float(paired_dominance([5], [5]))
    assert float(paired_dominance([0], [0])) == 1.0


def test_holm_is_between_the_raw_and_the_bonferroni_values():
    rng = np.random.default_rng(0)
    p = rng.random((50, 4)) ** 3
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(4 * p, 1)).all()
    np.testing.assert_allclose(adjusted.min(axis=1), np.minimum(4 * p.min(axis=1), 1))


@pytest.mark.parametrize("n", [1, 4, 15])
@pytest.mark.parametrize("delta", [0.5, 0.1])
def test_paired_level_by_three_outcome_multinomials(n, delta):
    """One objective, equal errors: P(p <= delta) summed over (n10, n01, rest) by hand."""
    q = 0.25
    world = FiniteWorld([q, q, 1 - 2 * q], [[[1], [0]], [[0], [1]], [[0], [0]]])
    total = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            if float(paired_dominance([a], [b])) <= delta:
                ways = math.comb(n, a) * math.comb(n - a, b)
                total += ways * q ** (a + b) * (1 - 2 * q) ** (n - a - b)
    result = check(ledger()["paired-dominance"], world, n=n, delta=delta)
    assert result.event_failure.probability == pytest.approx(total, rel=1e-12)
    assert result.holds


@pytest.mark.parametrize("world", [reference_world(), two_coins(), mirrored_decoys()], ids=lambda w: w.name)
@pytest.mark.parametrize("n", [1, 2, 9])
def test_every_theorem_holds_on_the_worlds(world, n):
    results = check_all(world, n=n, delta=0.1)
    assert list(results) == list(ledger())
    silent = {name for name, result in results.items() if not result.applicable}
    assert silent <= {"strong-convexity", "paired-dominance", "impurity", "coverage-minimax"}
    for result in results.values():
        assert result.holds or not result.applicable, result
        assert result.to_frame().shape[0] == 1


@pytest.mark.parametrize("delta", [0.1, 0.9])
def test_the_certificate_errs_less_often_than_its_event(delta):
    """With the stated widths: exact P(some status is wrong) <= P(E fails) <= delta."""
    world = reference_world()
    widths, theorem = stated_widths(world, 12, delta), ledger()["front-certificate"]
    wrong = world.exact(12).probability(
        lambda risks: (
            theorem.violation(
                world.true_risks, risks, np.broadcast_to(widths, (len(risks), 2)), reference=world.risk_limits
            )
            > 1e-12
        )
    )
    level = check(theorem, world, n=12, delta=delta).event_failure.probability
    assert wrong <= level * (1 + 1e-12) <= delta


def test_holm_controls_all_false_claims_exactly():
    """Two models of equal error, both directions tested: P(any claim) over all three-outcome samples."""
    n, q, delta = 12, 0.3, 0.1
    total = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            p = [float(paired_dominance([a], [b])), float(paired_dominance([b], [a]))]
            if holm(p).min() <= delta:
                total += math.comb(n, a) * math.comb(n - a, b) * q ** (a + b) * (1 - 2 * q) ** (n - a - b)
    assert 0 < total <= delta
