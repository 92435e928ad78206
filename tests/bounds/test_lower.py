"""Lower bounds: exact by enumeration of all samples, unbeaten by learners, within a constant of the upper bound."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import coverage_lower_bound, finite_class, impurity_probability
from moltheory.bounds._lower import solved_probability, spread_gap, spread_probability
from moltheory.errors import TooLargeError
from moltheory.pareto import coverage_error, nondominated, purity_error
from moltheory.problems import near_tie, planted_best

HALF = Fraction(1, 2)


def _best_by_hand(members: int, n_objectives: int, n: int, gap: Fraction) -> Fraction:
    """Average over all tables of losses of the largest likelihood, as fractions."""
    total = Fraction(0)
    cells = members * n_objectives
    for errors in itertools.product(range(n + 1), repeat=cells):
        ways = 1
        for count in errors:
            ways *= int(binom._pmf(count, n, 0.5) * 2**n + 0.5)
        ratio = [(1 + 2 * gap) ** (n - b) * (1 - 2 * gap) ** b for b in errors]
        largest = max(sum(ratio[m * n_objectives : (m + 1) * n_objectives]) for m in range(members))
        total += Fraction(ways, 2 ** (n * cells)) * largest
    return total / (members * n_objectives)


@pytest.mark.parametrize(
    ("members", "n_objectives", "n"), [(2, 1, 1), (2, 1, 6), (3, 1, 5), (4, 1, 3), (2, 2, 3), (3, 2, 2), (2, 3, 2)]
)
@pytest.mark.parametrize("gap", [Fraction(1, 100), Fraction(1, 4), HALF])
def test_the_best_learner_by_enumeration(members, n_objectives, n, gap):
    exact = _best_by_hand(members, n_objectives, n, gap)
    problem = planted_best(members, float(gap), n_objectives=n_objectives)
    assert problem.best_coverage_probability(n) == pytest.approx(float(exact), rel=1e-12)
    assert float(exact) <= spread_probability(float(gap), n, members, n_objectives) + 1e-12
    if n_objectives == 1:
        assert solved_probability(float(gap), n, members) == pytest.approx(float(exact), rel=1e-12)
    twice = planted_best(members, float(gap), n_objectives=n_objectives, n_groups=2)
    assert twice.best_coverage_probability(n) == pytest.approx(float(exact) ** 2, rel=1e-12)


@pytest.mark.parametrize(("n_hypotheses", "n_front", "n_objectives"), [(2, 1, 1), (64, 1, 1), (24, 4, 1), (10, 5, 50)])
@pytest.mark.parametrize("n", [1, 7, 400])
def test_the_gap_has_the_stated_probability(n_hypotheses, n_front, n_objectives, n):
    for probability in (0.05, 0.5, 0.9):
        if probability >= 1 - (n_front / n_hypotheses) ** n_front:
            continue
        bound = coverage_lower_bound(
            n, n_hypotheses=n_hypotheses, n_front=n_front, n_objectives=n_objectives, probability=probability
        )
        members = n_hypotheses // n_front
        if bound.n_active == 1:
            solved = planted_best(members, bound.gap, n_groups=n_front).best_coverage_probability(n)
        else:
            solved = spread_probability(bound.gap, n, members, n_objectives) ** n_front
        assert solved <= (1 - probability) * (1 + 1e-9)
        # As large as it can be, unless it is the largest gap of all.
        assert bound.gap == 0.5 or solved >= (1 - probability) * (1 - 1e-6)
    largest = coverage_lower_bound(n, n_hypotheses=n_hypotheses, n_front=n_front, n_objectives=n_objectives)
    for probability in (0.1, 0.3, 0.45):
        assert (
            largest.expected
            >= 0.98
            * probability
            * coverage_lower_bound(
                n, n_hypotheses=n_hypotheses, n_front=n_front, n_objectives=n_objectives, probability=probability
            ).gap
        )


def _fewest(risks, rng):
    """The hypothesis of fewest errors in any objective, ties by lot."""
    least = risks.min(axis=-1)
    return (least + 1e-9 * rng.random(least.shape)).argmin(axis=-1)


LEARNERS = {
    "fewest errors": _fewest,
    "first of the fewest": lambda risks, rng: risks.min(axis=-1).argmin(axis=-1),
    "mean": lambda risks, rng: risks.mean(axis=-1).argmin(axis=-1),
    "worst objective": lambda risks, rng: risks.max(axis=-1).argmin(axis=-1),
    "softmax": lambda risks, rng: (-40 * risks.min(axis=-1) + rng.gumbel(size=risks.shape[:-1])).argmax(axis=-1),
    "guess": lambda risks, rng: rng.integers(risks.shape[-2], size=risks.shape[:-2]),
}


@pytest.mark.parametrize(("members", "groups", "n_objectives", "n"), [(4, 2, 1, 60), (8, 1, 3, 40), (2, 1, 40, 25)])
def test_no_learner_does_better(members, groups, n_objectives, n):
    """Coverage errors of selections of one hypothesis per group, in random worlds of the family."""
    rng, worlds, runs, rho = np.random.default_rng(7), 12, 150, 0.4
    gap = coverage_lower_bound(n, n_hypotheses=members * groups, n_front=groups, probability=rho).gap
    if n_objectives > 1:
        gap = spread_gap((1 - rho) ** (1 / groups), n, members, n_objectives)
    failed = dict.fromkeys(LEARNERS, 0)
    fronts = 0
    for _ in range(worlds):
        best, objective = rng.integers(members, size=groups), rng.integers(n_objectives, size=groups)
        problem = planted_best(members, gap, n_groups=groups, n_objectives=n_objectives, best=best, objective=objective)
        true = problem.true.risks()
        truth = true[nondominated(true)]
        risks = problem.sample(n, replicates=runs, rng=rng).risks()
        grouped = risks[..., :n_objectives].reshape(runs, groups, members, n_objectives)
        for name, learner in LEARNERS.items():
            chosen = learner(grouped, rng)
            wrong = (chosen != best).any(axis=-1)
            failed[name] += int(wrong.sum())
            for row, is_wrong in zip(chosen[:4], wrong[:4], strict=True):
                error = coverage_error(true[np.arange(groups) * members + row], truth)
                assert (error >= gap * (1 - 1e-9)) == is_wrong
        kept = nondominated(risks)
        wrong = (kept != nondominated(true)).any(axis=-1)
        fronts += int(wrong.sum())
        for row, is_wrong in zip(kept[:4], wrong[:4], strict=True):
            worst = max(coverage_error(true[row], truth), purity_error(true[row], truth))
            assert (worst >= gap * (1 - 1e-9)) == is_wrong
    total = worlds * runs
    for name, count in {**failed, "empirical front": fronts}.items():
        assert binom.cdf(count, total, rho) > 1e-6, (name, count / total)
    if n_objectives == 1:
        # Fewest errors, ties by lot, is the best there is: no more often wrong than stated.
        assert binom.sf(failed["fewest errors"] - 1, total, rho) > 1e-6


@pytest.mark.parametrize("n_objectives", [1, 4, 1000])
def test_within_a_constant_of_the_upper_bound(n_objectives):
    for n in (100, 10_000):
        for n_hypotheses in (8, 10_000):
            lower = coverage_lower_bound(n, n_hypotheses=n_hypotheses, n_objectives=n_objectives, probability=0.5)
            upper = 2 * finite_class(n, n_hypotheses=n_hypotheses, n_objectives=n_objectives, delta=0.5).width.max()
            assert lower.gap <= upper
            assert lower.gap == 0.5 or upper <= 6 * lower.gap, (n, n_hypotheses)


def test_more_data_less_error_more_to_choose_from_more_error():
    base = {"n_hypotheses": 16, "probability": 0.5}
    gaps = [coverage_lower_bound(n, **base).gap for n in (10, 100, 1000, 10_000)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] * 100 == pytest.approx(gaps[-2] * 1000**0.5, rel=0.01)
    wide = [coverage_lower_bound(500, **base, n_objectives=count).gap for count in (1, 10, 10**3, 10**6)]
    assert wide == sorted(wide)
    assert wide[-1] > 1.5 * wide[0]
    sizes = [coverage_lower_bound(500, n_hypotheses=size, probability=0.4).gap for size in (2, 8, 64, 4096)]
    assert sizes == sorted(sizes)


def test_many_counts_are_put_together_on_the_right_side():
    n, members = 10**6, 64
    bound = coverage_lower_bound(n, n_hypotheses=members, probability=0.5)
    # The same sum over all counts.
    exact = planted_best(members, bound.gap).best_coverage_probability(n)
    assert 0.4985 < exact <= 0.5


@pytest.mark.parametrize("p", [0.5, 0.3, 0.05, 0.9])
@pytest.mark.parametrize("n", [1, 3, 50, 2000])
def test_impurity_is_below_the_exact_probability(p, n):
    for gap in (1e-9, 1e-3, 0.02, 0.1):
        stated = impurity_probability(n, gap=gap, error=p)
        assert 0.0 <= stated <= near_tie(p, gap).decoy_probability(n) + 1e-13
    ties = sum(float(binom.pmf(k, n, p)) ** 2 for k in range(n + 1))
    assert impurity_probability(n, gap=1e-12, error=p) == pytest.approx((1 - ties) / 2, abs=1e-9)


def test_refusals(refuses):
    refuses("n", coverage_lower_bound, 0, n_hypotheses=4)
    refuses("n_hypotheses", coverage_lower_bound, 10, n_hypotheses=1)
    refuses("n_hypotheses", coverage_lower_bound, 10, n_hypotheses=7, n_front=2)
    refuses("n_objectives", coverage_lower_bound, 10, n_hypotheses=4, n_objectives=0)
    refuses("n_front", coverage_lower_bound, 10, n_hypotheses=4, n_front=0)
    refuses("probability", coverage_lower_bound, 10, n_hypotheses=4, probability=0.75)
    refuses("probability", coverage_lower_bound, 10, n_hypotheses=4, probability=0.0)
    refuses("gap", impurity_probability, 10, gap=0.0)
    refuses("gap", impurity_probability, 10, gap=0.6)
    refuses("error", impurity_probability, 10, gap=0.1, error=1.0)
    refuses("group_size", planted_best, 1, 0.1)
    refuses("gap", planted_best, 4, 0.0)
    refuses("gap", planted_best, 4, 0.75)
    refuses("best", planted_best, 4, 0.1, best=4)
    refuses("best", planted_best, 4, 0.1, best=0.5)
    refuses("best", planted_best, 4, 0.1, n_groups=2, best=[0, 1, 2])
    refuses("objective", planted_best, 4, 0.1, objective=-1)
    with pytest.raises(TooLargeError, match="combinations"):
        planted_best(4, 0.1, n_objectives=8).best_coverage_probability(100)
