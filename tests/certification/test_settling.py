"""Plans against exact powers, closed forms and simulations of their own."""

import math

import numpy as np
import pytest
from scipy.stats import binom, multinomial, norm

from moltheory.bounds import paired_dominance
from moltheory.certification import more_examples, planned_sizes
from moltheory.certification._pair_views import PairView
from moltheory.certification._sample_size import bernstein_size, critical_counts, mcnemar_power, mcnemar_size
from moltheory.inference._pairs import PairCounts, PairMoments


def _counts(both, only_first, only_second, neither):
    counts = PairCounts(2)
    outcomes = [[1, 1]] * both + [[1, 0]] * only_first + [[0, 1]] * only_second + [[0, 0]] * neither
    counts.update(np.array(outcomes))
    return counts


@pytest.mark.parametrize("level", [0.3, 0.05, 1e-3, 2e-7])
def test_critical_counts_are_the_largest_that_pass(level):
    totals = np.arange(1.0, 300.0)
    critical = critical_counts(totals, level)
    for total, k in zip(totals, critical, strict=True):
        assert k == -1 or binom.cdf(k, total, 0.5) <= level
        assert binom.cdf(k + 1, total, 0.5) > level


@pytest.mark.parametrize(("n", "gap", "rate", "level"), [(12, 0.3, 0.5, 0.1), (9, 0.2, 0.2, 0.25), (15, 0.1, 0.6, 0.3)])
def test_power_is_that_of_enumeration(n, gap, rate, level):
    won, lost = 0.5 * (rate + gap), 0.5 * (rate - gap)
    power = sum(
        multinomial.pmf([a, b, n - a - b], n, [lost, won, 1.0 - rate])
        for a in range(n + 1)
        for b in range(n + 1 - a)
        if paired_dominance([a], [b]) <= level
    )
    assert mcnemar_power(n, gap, rate, level=level) == pytest.approx(power, abs=1e-8)


@pytest.mark.parametrize("gap", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_the_closed_form_suffices(gap, rate):
    for level, power in ((0.05, 0.8), (1e-6, 0.95)):
        size = int(mcnemar_size(gap, rate, level=level, power=power))
        assert mcnemar_power(size, gap, rate, level=level) >= power


def test_bernstein_size_suffices(rng):
    level, power, n_runs = 1e-3, 0.8, 400
    size = int(bernstein_size(0.1, 0.05, span=2.0, level=level, power=power))
    passed = 0
    low, high = 0.1 - math.sqrt(0.05), 0.1 + math.sqrt(0.05)
    for _ in range(n_runs):
        d = rng.choice([low, high], size)
        budget = math.log(2.0 / level)
        margin = math.sqrt(2.0 * d.var(ddof=1) * budget / size) + 7.0 * 2.0 * budget / (3.0 * (size - 1))
        passed += d.mean() > margin
    assert passed / n_runs >= power


def test_no_gap_takes_forever():
    assert np.isinf(mcnemar_size([0.0, -0.1], 0.2, level=0.05, power=0.8)).all()
    assert np.isinf(bernstein_size(0.0, 0.1, span=2.0, level=0.05, power=0.8))


def test_planned_sizes_have_their_power_and_barely_so():
    table = planned_sizes([0.02, 0.1], n_models=20, n_objectives=3, disagreement=[0.05, 0.2])
    assert len(table) == 3
    assert table["level"].iloc[0] == pytest.approx(0.95 * 0.85 * 0.05 / (20 * 19), rel=1e-4)
    free = planned_sizes(0.02, n_models=20, n_objectives=3, disagreement=0.05, losses="bool")
    assert free["level"].iloc[0] == pytest.approx(0.85 * 0.05 / (20 * 19))
    assert free["paired"].iloc[0] < table["paired"].iloc[0]
    for row in table.itertuples():
        assert row.power >= 0.8
        assert row.power == pytest.approx(mcnemar_power(int(row.paired), row.gap, row.disagreement, level=row.level))
        assert mcnemar_power(int(0.98 * row.paired) - 2, row.gap, row.disagreement, level=row.level) < 0.8
        assert row.paired <= row.paired_bound <= 3.5 * row.paired
        assert row.ratio == row.boxes / row.paired > 2
    # Fewer disagreements, fewer examples.
    assert table["paired"].is_monotonic_increasing is False
    assert table["paired"].iloc[0] < table["paired"].iloc[1]


def test_planned_sizes_refuse(refuses):
    refuses("gaps", planned_sizes, 0.0, n_models=2)
    refuses("gaps", planned_sizes, [], n_models=2)
    refuses("disagreement", planned_sizes, 0.3, n_models=2)
    refuses("disagreement", planned_sizes, 0.3, n_models=2, disagreement=1.5)
    refuses("n_models", planned_sizes, 0.1, n_models=1)
    refuses("n_objectives", planned_sizes, 0.1, n_models=2, n_objectives=0)
    refuses("delta", planned_sizes, 0.1, n_models=2, delta=0.0)
    refuses("power", planned_sizes, 0.1, n_models=2, power=1.0)
    refuses("losses", planned_sizes, 0.1, n_models=2, losses="float")


def test_simulation_agrees_with_fresh_data():
    """Continue the data by hand, look at the same times, and average."""
    counts = _counts(180, 20, 35, 765)
    plan = more_examples([counts], level=0.001, replicates=400, rng=1).iloc[0]
    rng = np.random.default_rng(2)
    ends = []
    for _ in range(400):
        lost, won, added, before = 20, 35, 20.0, 0
        while True:
            new = round(added) - before
            a, b, _rest = rng.multinomial(new, [0.02, 0.035, 0.945])
            lost, won, before = lost + a, won + b, before + new
            if paired_dominance([lost], [won]) <= 0.001:
                break
            added *= 1.2
        ends.append(before)
    error = math.hypot(plan["more_error"], np.std(ends, ddof=1) / 20.0)
    assert abs(plan["more"] - np.mean(ends)) < 4.0 * error
    assert plan["outcome"] == "model dominates"
    assert plan["more_low"] <= plan["more"] <= plan["more_high"]
    assert plan["unsettled"] == 0.0
    assert plan["bound_low"] <= plan["bound"] <= plan["bound_high"]
    # The bound asks for a power of 0.8, so for more than the average run.
    assert plan["bound"] > plan["more"]


def test_same_seed_same_plan():
    counts = _counts(10, 20, 35, 100)
    first, second = (more_examples([counts], level=1e-4, rng=5) for _ in range(2))
    assert first.equals(second)


def test_no_observed_gap_is_said():
    plan = more_examples([_counts(10, 20, 20, 50)], level=0.01, factor=5.0).iloc[0]
    assert plan["outcome"] == "no difference observed"
    assert plan["bound"] == plan["bound_low"] == plan["bound_high"] == math.inf
    same = more_examples([_counts(10, 0, 0, 50)], level=0.01, factor=5.0).iloc[0]
    assert same["more"] == math.inf
    assert same["unsettled"] == 1.0


@pytest.mark.parametrize("miss", [0.03, 0.08, 0.3])
def test_equal_models_get_a_finite_bound_exactly_as_seldom_as_said(miss):
    """Given d disagreements, those of one model are binomial(d, 1/2)."""
    for total in (1, 2, 3, 8, 11, 25, 60):
        won = np.arange(total + 1.0)
        n = np.full(total + 1, 60.0)
        view = PairView(True, 2.0, n, total - won, won, (2.0 * won - total) / n, np.full(total + 1, total / n[0]))
        finite = np.isfinite(view.growths(float(norm.ppf(miss)), 1e-3, 0.96)).any(axis=0)
        assert binom.pmf(won, total, 0.5) @ finite <= 2.0 * miss
        assert (view.growths(-1.0, 1e-3, 0.8) >= view.growths(0.0, 1e-3, 0.8)).all()
    # One standard error would not do.
    assert binom.pmf(won, total, 0.5) @ (np.abs(view.gap) > np.sqrt((view.spread - view.gap**2) / n)) > 0.3


def test_the_high_bound_is_that_of_the_lower_limit():
    gap, rate, n = 0.015, 0.055, 1000
    plan = more_examples([_counts(180, 20, 35, 765)], level=0.001, simulate=0).iloc[0]
    limit = gap + norm.ppf(0.08) * math.sqrt((rate - gap**2) / n)
    limit = min(limit, (2.0 * _least_share(35, 55, 0.08) - 1.0) * rate)
    assert plan["bound_high"] == mcnemar_size(limit, rate, level=0.001, power=0.96) - n
    # A second objective shares the failure probability, so the limit is lower.
    two = more_examples([_counts(180, 20, 35, 765)] * 2, level=0.001, simulate=0).iloc[0]
    assert two["bound"] == plan["bound"]
    assert two["bound_high"] > plan["bound_high"]


def _least_share(won, total, miss):
    """The share for which at least `won` of `total` have probability `miss`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if binom.sf(won - 1, total, middle) < miss else (low, middle)
    return low


def test_settled_pairs_need_nothing_and_costs_decide():
    counts = _counts(10, 5, 80, 100)
    assert more_examples([counts], level=0.01).empty
    # The second is cheaper, so the first cannot dominate, and each is better somewhere: settled as well.
    assert more_examples([counts], level=0.01, costs=[[2.0], [1.0]]).empty
    open_pair = _counts(10, 20, 35, 800)
    apart = more_examples([open_pair], level=0.001, costs=[[2.0], [1.0]]).iloc[0]
    assert apart["outcome"] == "neither dominates"
    better = more_examples([open_pair], level=0.001, costs=[[1.0], [2.0]]).iloc[0]
    assert better["outcome"] == "model dominates"
    assert apart["bound"] == better["bound"]
    # Equal losses and another cost: the cheaper one cannot be shown to be no worse.
    equal = more_examples([_counts(10, 20, 20, 50)], level=0.01, costs=[[1.0], [2.0]], factor=2.0).iloc[0]
    assert equal["outcome"] == "no difference observed"


def test_dominance_takes_the_hardest_objective_and_neither_the_easiest_ways():
    easy, hard = _counts(0, 10, 30, 900), _counts(0, 20, 25, 895)
    plan = {
        name: more_examples(list(objectives), level=1e-4, simulate=0).iloc[0]
        for name, objectives in {"easy": (easy,), "hard": (hard,), "both": (easy, hard)}.items()
    }
    assert plan["both"]["bound"] == max(plan["easy"]["bound"], plan["hard"]["bound"]) == plan["hard"]["bound"]
    turned = _counts(0, 30, 10, 900)
    neither = more_examples([hard, turned, easy], level=1e-4, simulate=0).iloc[0]
    assert neither["outcome"] == "neither dominates"
    assert neither["bound"] == plan["easy"]["bound"]
    assert math.isnan(neither["more"])


def test_bounded_losses_and_unequal_numbers(rng):
    x = np.stack([rng.random(300) * 0.5, rng.random(300) * 0.5 + 0.1], axis=1)
    small, large = PairMoments(2), PairMoments(2)
    small.update(x[:60])
    large.update(x)
    plan = more_examples([small, large], level=1e-4, which=[[0, 1]]).iloc[0]
    assert plan["examples"] == 300
    assert plan["outcome"] == "model dominates"
    assert 0 < plan["more"] < math.inf
    assert plan["more"] < plan["bound"]


def test_never_evaluated_together():
    counts = PairCounts(2)
    counts.update([[1, np.nan], [np.nan, 0]])
    plan = more_examples([counts], level=0.1).iloc[0]
    assert plan["examples"] == 0
    assert plan["bound"] == math.inf
    assert plan["more"] == math.inf or math.isnan(plan["more"])


def test_many_models_are_sorted_and_partly_simulated(rng):
    counts = [PairCounts(30) for _ in range(2)]
    rates = rng.uniform(0.1, 0.3, (30, 2))
    for k, entry in enumerate(counts):
        entry.update(rng.random((400, 30)) < rates[:, k])
    plan = more_examples(counts, level=1e-5, simulate=10, replicates=20, names=[f"m{i}" for i in range(30)])
    assert plan["more"].notna().sum() == 10
    assert plan["more"].notna().iloc[:10].all()
    assert (plan["examples"] == 400).all()
    assert set(plan["model"]) <= {f"m{i}" for i in range(30)}


def test_bad_arguments_are_refused(refuses):
    counts = _counts(1, 2, 3, 4)
    refuses("pairs", more_examples, [], level=0.1)
    refuses("pairs", more_examples, [counts, PairCounts(3)], level=0.1)
    refuses("level", more_examples, [counts], level=1.0)
    refuses("costs", more_examples, [counts], level=0.1, costs=[[1.0]])
    refuses("which", more_examples, [counts], level=0.1, which=[[0, 0]])
    refuses("which", more_examples, [counts], level=0.1, which=[[0, 2]])
    refuses("factor", more_examples, [counts], level=0.1, factor=1.0)
    refuses("names", more_examples, [counts], level=0.1, names=["a"])
    refuses("replicates", more_examples, [counts], level=0.1, replicates=1)
