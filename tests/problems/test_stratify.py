"""Stratified samples: unbiased, never undefined, at their level, and the plain problem for one stratum."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from moltheory.objectives import Gap, Known, Mean, Rate, Worst
from moltheory.problems import FinitePopulation, FiniteWorld, from_predictions
from moltheory.problems._strata import StratifiedAverages, allocate


def _groups(rng, n=60, h=5, **kwargs):
    predictions, target = rng.integers(0, 2, (n, h)), rng.integers(0, 2, n)
    group = rng.choice(["a", "b", "c"], n, p=[0.1, 0.3, 0.6])
    names = ["error", "false_negative_rate", "demographic_parity_gap", "equal_opportunity_gap", "worst_group_error"]
    return from_predictions(predictions, target, group=group, objectives=names, **kwargs)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 60))
def test_allocation_is_proportional_up_to_rounding(sizes, extra):
    shares = [Fraction(size, sum(sizes)) for size in sizes]
    n = len(sizes) + extra
    counts = allocate(n, shares)
    assert sum(counts) == n
    assert min(counts) >= 1
    quotas = [n * share for share in shares]
    if min(quotas) >= 1:
        # largest remainders: floor or ceiling of the quota
        assert all(abs(count - quota) < 1 for count, quota in zip(counts, quotas, strict=True))
    assert all(count == 1 or count <= quota + 1 for count, quota in zip(counts, quotas, strict=True))
    if n % sum(sizes) == 0:
        assert counts == quotas


def test_allocation_by_hand():
    thirds = [Fraction(5, 10), Fraction(3, 10), Fraction(2, 10)]
    assert allocate(10, thirds) == [5, 3, 2]
    assert allocate(7, thirds) == [4, 2, 1]  # quotas 3.5, 2.1, 1.4
    assert allocate(4, [Fraction(98, 100), Fraction(1, 100), Fraction(1, 100)]) == [2, 1, 1]


def _all_samples(strata, counts):
    """Every ordered stratified sample with its probability, for equally likely outcomes within strata."""
    draws = [list(itertools.product(rows, repeat=count)) for rows, count in zip(strata, counts, strict=True)]
    share = Fraction(1)
    for found in draws:
        share /= len(found)
    for parts in itertools.product(*draws):
        yield parts, share


def test_means_over_strata_are_exactly_unbiased(rng):
    """Enumeration in rationals: the post-stratified estimator has the true risk as its expectation."""
    strata, n = [[0], [1, 2, 3], [4, 5]], 5
    shares = [Fraction(1, 6), Fraction(1, 2), Fraction(1, 3)]
    counts = allocate(n, shares)
    assert counts != [n * share for share in shares]
    losses = rng.integers(0, 2, (6, 3))
    union = [1, 2]
    mass = sum(shares[g] for g in union)
    expected = [Fraction(0)] * 3
    for parts, probability in _all_samples(strata, counts):
        for h in range(3):
            mean = sum(shares[g] / mass * Fraction(int(sum(losses[z, h] for z in parts[g])), counts[g]) for g in union)
            expected[h] += probability * mean
    assert expected == [Fraction(int(losses[1:, h].sum()), 5) for h in range(3)]


def test_samples_follow_the_formula(rng):
    """Each drawn risk is the weighted mean of stratum means, rebuilt from the same stream."""
    losses = rng.integers(0, 2, (12, 4)).astype(float)
    a = np.arange(12) < 5
    b = np.arange(12) % 3 == 0
    problem = FinitePopulation(
        [Fraction(1, 12)] * 12, [Mean(losses), Rate(losses, a), Gap(Rate(losses, b), Rate(losses, ~b))], stratify=True
    )
    atoms = [a & b, a & ~b, ~a & ~b, ~a & b]  # in order of first appearance
    assert problem.n_strata == 4
    found = problem.sample(9, replicates=6, rng=11).risks()
    stream = np.random.default_rng(np.random.SeedSequence(11))
    shares = [Fraction(int(atom.sum()), 12) for atom in atoms]
    counts = allocate(9, shares)
    drawn = [
        stream.multinomial(count, np.full(atom.sum(), 1 / atom.sum()), size=6)
        for count, atom in zip(counts, atoms, strict=True)
    ]
    means = [draw @ losses[atom] / count for draw, atom, count in zip(drawn, atoms, counts, strict=True)]

    def over(*strata):
        mass = sum(shares[g] for g in strata)
        return sum(float(shares[g] / mass) * means[g] for g in strata)

    expected = np.stack([over(0, 1, 2, 3), over(0, 1), np.abs(over(0, 3) - over(1, 2))], axis=-1)
    assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("n", [7, 20, 61])
def test_means_are_unbiased_by_monte_carlo(rng, n):
    problem = _groups(rng, stratify=True)
    risks = problem.sample(n, replicates=20_000, rng=3).risks()
    for i in (0, 1):  # averages; gaps and maxima are biased, stratified or not
        error = risks[..., i].mean(axis=0) - problem.true.risks()[:, i]
        spread = risks[..., i].std(axis=0) / np.sqrt(20_000)
        assert (np.abs(error) < 5 * spread).all()


def test_no_rate_is_ever_undefined(rng):
    plain, stratified = _groups(np.random.default_rng(1)), _groups(np.random.default_rng(1), stratify=True)
    assert stratified.n_strata == 6
    assert plain.sample(8, replicates=500, rng=0).undefined.mean() > 0.3
    sample = stratified.sample(8, replicates=500, rng=0)
    assert not sample.undefined.any()
    assert np.isfinite(stratified.widths(sample, delta=0.1)).all()
    assert np.array_equal(plain.true.risks(), stratified.true.risks())
    assert plain.n_strata is None


@pytest.mark.parametrize("n", [6, 11, 40])
def test_widths_hold_at_their_level(n):
    """Monte Carlo: the joint event fails in at most delta of the samples (binomial tail above 1e-6)."""
    problem = _groups(np.random.default_rng(2), stratify=True)
    sample = problem.sample(n, replicates=20_000, rng=8)
    for delta in (0.05, 0.5):
        outside = np.abs(sample.risks() - problem.true.risks()) > problem.widths(sample, delta=delta)[:, None, :]
        assert binom.sf(int(outside.any(axis=(1, 2)).sum()) - 1, 20_000, delta) > 1e-6


def test_the_width_of_one_mean_is_tight_enough_to_fail():
    """One hypothesis, one mean, a skewed allocation: a width from n instead of the effective size would miss."""
    rows = 100
    rare = np.arange(rows) < 2
    losses = (np.arange(rows) % 2).astype(float)[:, None]
    problem = FinitePopulation([Fraction(1, rows)] * rows, [Mean(losses), Worst([Rate(losses, rare)])], stratify=True)
    sample = problem.sample(2, rng=0)
    # one example each: the rare stratum weighs 1/50
    assert sample.cell_sizes[0] == pytest.approx(1 / (0.98**2 + 0.02**2))
    width = problem.widths(sample, delta=0.1)
    assert width[0] == pytest.approx(np.sqrt(np.log(2 * 2 / 0.1) / 2 * (0.98**2 + 0.02**2)))
    # at eta = .8 a width from n = 2 would be .47 < .49 = the deviation of every sample
    assert np.sqrt(np.log(2 / 0.8) / (2 * 2)) < 0.49 < np.sqrt(np.log(2 / 0.8) / 2 * (0.98**2 + 0.02**2))


def test_proportional_allocation_has_the_usual_width(rng):
    losses = rng.integers(0, 2, (20, 3)).astype(float)
    a = np.arange(20) < 5
    measures = [Mean(losses), Rate(losses, a)]
    problem = FinitePopulation([Fraction(1, 20)] * 20, measures, stratify=True)
    sample = problem.sample(40, rng=0)
    assert sample.cell_sizes.tolist() == [40, 10]
    plain = FinitePopulation([Fraction(1, 20)] * 20, measures)
    assert problem.widths(sample, delta=0.1) == pytest.approx(plain.widths(sample, delta=0.1), rel=1e-14)


def test_one_stratum_is_the_plain_problem(rng):
    losses = rng.integers(0, 3, (15, 4)) / 2
    p = [Fraction(1, 15)] * 15
    measures = [Mean(losses), Mean(1 - losses), Known(range(4))]
    plain, stratified = FinitePopulation(p, measures), FinitePopulation(p, measures, stratify=True)
    assert stratified.n_strata == 1
    assert stratified.is_lattice
    one, other = plain.sample(23, replicates=50, rng=4), stratified.sample(23, replicates=50, rng=4)
    assert np.array_equal(one.risks(), other.risks())
    assert np.array_equal(one.cell_sizes, other.cell_sizes)
    assert plain.widths(one, delta=0.1) == pytest.approx(stratified.widths(other, delta=0.1), rel=1e-14)


@pytest.mark.parametrize("n", [2, 7, 50, 4000])
def test_ties_within_single_strata_are_bitwise(n):
    rng = np.random.default_rng(n)
    target = rng.integers(0, 2, 40)
    problem = from_predictions(
        rng.integers(0, 2, (40, 9)), target, objectives=["false_negative_rate", "false_positive_rate"], stratify=True
    )
    assert problem.is_lattice
    sample = problem.sample(n, replicates=100, rng=1)
    counts = np.rint(sample.risks() * sample.cell_sizes[:, None, :])
    assert np.array_equal(counts / sample.cell_sizes[:, None, :], sample.risks())


def test_ties_over_several_strata(rng):
    """With a proportional allocation the mean over all is a count over n; the promise is not made for every n."""
    problem = _groups(rng, n=60, stratify=True)
    assert not problem.is_lattice
    risks = problem.sample(120, replicates=200, rng=1).risks()[..., 0]
    assert np.array_equal(np.rint(risks * 120) / 120, risks)
    # large incommensurable counts fall back to floats
    losses = rng.random((4, 2))
    wheres = [np.arange(4) < k for k in (1, 2, 3, 4)]
    averages = StratifiedAverages([Rate(losses, where).cells[0] for where in wheres], (Fraction(1, 4),) * 4)
    means, _ = averages.sample(4, 3, rng)
    assert means[3] == pytest.approx(np.broadcast_to(losses.mean(axis=0), (3, 2)))


def test_independent_samples_per_objective(rng):
    problem = _groups(rng, stratify=True)
    sample = problem.sample((10, 20, 30, 40, 50), replicates=300, rng=0)
    assert sample.risks().shape == (300, 5, 5)
    assert problem.sample(10, rng=0).batch_shape == ()
    with pytest.raises(ValueError, match="at least 6"):
        problem.sample((10, 20, 30, 40, 5), rng=0)


def test_outcomes_of_probability_zero_are_never_drawn(rng):
    losses = np.array([[0.0], [1.0], [1.0]])
    problem = FinitePopulation([0.5, 0, 0.5], [Mean(losses), Rate(losses, [True, True, False])], stratify=True)
    assert problem.n_strata == 2
    assert (problem.sample(20, replicates=50, rng=0).risks()[..., 1] == 0).all()


def test_refusals(refuses, rng):
    problem = _groups(rng, stratify=True)
    refuses("n", problem.sample, 5)
    refuses("stratify", problem.exact, 6)
    refuses("sample_or_n", problem.widths, problem.true, delta=0.1)
    refuses("delta", problem.widths, problem.sample(6, rng=0), delta=0.0)
    losses = [[0.0], [1.0]]
    refuses("stratify", FinitePopulation, [0.5, 0.5], [Mean(losses)], stratify="yes")
    refuses("hypothesis_names", FinitePopulation, [0.5, 0.5], [Mean(losses)], hypothesis_names=["a", "b"])
    refuses("stratify", FinitePopulation, [1, 0], [Rate(losses, [False, True])], stratify=True)
    assert FiniteWorld([0.5, 0.5], [[[0]], [[1]]]).hypothesis_names == ("h0",)
