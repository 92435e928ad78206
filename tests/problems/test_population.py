"""Finite populations: sampling against brute force, ties, undefined rates, widths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import moltheory as mt
from moltheory.objectives import Gap, Known, Mean, Rate, Worst
from moltheory.problems import FinitePopulation, FiniteWorld, from_dataset, from_predictions, mirrored_decoys


@given(st.data())
def test_true_risks_equal_fractions(data):
    s, h = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    weights = data.draw(st.lists(st.integers(1, 9), min_size=s, max_size=s))
    losses = data.draw(st.lists(st.lists(st.integers(0, 6), min_size=h, max_size=h), min_size=s, max_size=s))
    scale = data.draw(st.sampled_from([1, 3, 7, 10]))
    p = [Fraction(w, sum(weights)) for w in weights]
    table = np.array(losses) / scale
    problem = FinitePopulation(p, [Mean(table)])
    expected = [float(sum(p[z] * Fraction(losses[z][k], scale) for z in range(s))) for k in range(h)]
    assert problem.true.risks()[:, 0].tolist() == expected
    assert problem.is_lattice


def test_true_risks_of_large_denominators_are_still_exact():
    p = [Fraction(1, 10**15 + 37), 1 - Fraction(1, 10**15 + 37)]
    world = FiniteWorld(p, [[[1], [0]], [[0], [1]]])
    assert world.true_risks[:, 0].tolist() == [float(p[0]), float(p[1])]


@pytest.mark.parametrize("n", [1, 3, 49])
def test_equal_empirical_risks_are_equal_floats(n):
    """Two hypotheses that make the same number of errors on different examples tie bitwise."""
    rng = np.random.default_rng(n)
    losses = rng.integers(0, 4, size=(12, 9, 2)) / 3
    world = FiniteWorld.from_examples(losses)
    assert world.is_lattice
    risks = world.sample_risks(n, replicates=200, rng=1)
    counts = np.rint(risks * 3 * n)
    assert np.array_equal(counts / (3 * n), risks)


def test_sample_matches_an_explicit_loop_over_rows(rng):
    losses = rng.integers(0, 2, size=(6, 3, 2))
    p = np.array([0.1, 0.1, 0.2, 0.2, 0.2, 0.2])
    world = FiniteWorld(p, losses)
    found = world.sample_risks(7, replicates=5, rng=42)
    counts = np.random.default_rng(np.random.SeedSequence(42)).multinomial(7, p, size=5)
    for row, count in zip(found, counts, strict=True):
        assert row == pytest.approx(np.repeat(losses, count, axis=0).mean(axis=0), abs=1e-15)


def test_rates_gaps_and_worst_on_drawn_rows(rng):
    """Measures of a sample equal those computed from the drawn rows one by one."""
    n, h = 40, 6
    predictions, target, group = rng.integers(0, 2, (n, h)), rng.integers(0, 2, n), rng.integers(0, 2, n)
    names = [
        "error",
        "false_negative_rate",
        "false_positive_rate",
        "demographic_parity_gap",
        "equal_opportunity_gap",
        "worst_group_error",
        "worst_class_error",
    ]
    problem = from_predictions(predictions, target, group=group, objectives=names, costs={"size": range(h)})
    found = problem.sample(60, replicates=8, rng=5)
    counts = np.random.default_rng(np.random.SeedSequence(5)).multinomial(60, np.full(n, 1 / n), size=8)
    for risks, count in zip(found.risks(), counts, strict=True):
        rows = np.repeat(np.arange(n), count)
        y, g = target[rows], group[rows]
        for k in range(h):
            guess = predictions[rows, k]
            wrong = guess != y
            expected = [
                wrong.mean(),
                wrong[y == 1].mean(),
                wrong[y == 0].mean(),
                abs(guess[g == 0].mean() - guess[g == 1].mean()),
                abs(guess[(g == 0) & (y == 1)].mean() - guess[(g == 1) & (y == 1)].mean()),
                max(wrong[g == 0].mean(), wrong[g == 1].mean()),
                max(wrong[y == 0].mean(), wrong[y == 1].mean()),
                k,
            ]
            assert risks[k] == pytest.approx(expected, abs=1e-14)
    assert problem.true.data_dependent.tolist() == [True] * 7 + [False]


def test_empty_groups_make_no_claim():
    losses = np.array([[1.0, 0], [0, 1], [1, 1]])
    rare = np.array([True, False, False])
    problem = FinitePopulation([0.1, 0.4, 0.5], [Rate(losses, rare), Mean(losses)])
    sample = problem.sample(5, replicates=400, rng=0)
    empty = sample.cell_sizes[:, 0] == 0
    assert 0.4 < empty.mean() < 0.8
    assert np.array_equal(sample.undefined, empty)
    assert np.isnan(sample.risks()[empty, :, 0]).all()
    assert not np.isnan(sample.risks()[:, :, 1]).any()
    assert np.isinf(problem.widths(sample, delta=0.1)[empty, 0]).all()


def test_independent_samples_per_objective(rng):
    losses = rng.integers(0, 2, size=(8, 3, 2))
    world = FiniteWorld.from_examples(losses)
    shared = world.sample(50, replicates=4000, rng=1).risks() - world.true_risks
    apart = world.sample((50, 200), replicates=4000, rng=1)
    deviations = apart.risks() - world.true_risks
    assert apart.cell_sizes[0].tolist() == [50, 200]
    assert deviations[..., 0].std() == pytest.approx(2 * deviations[..., 1].std(), rel=0.4)

    def correlation(x):
        return np.abs([np.corrcoef(x[:, k, 0], x[:, k, 1])[0, 1] for k in range(3)])

    assert correlation(deviations).max() < 0.06
    assert correlation(shared).max() > 0.1


def test_widths_of_measures(rng):
    losses = rng.integers(0, 2, size=(30, 5)).astype(float)
    a = np.arange(30) < 12
    problem = FinitePopulation(
        [Fraction(1, 30)] * 30,
        [
            Mean(losses),
            Gap(Rate(losses, a), Rate(losses, ~a)),
            Worst([Rate(losses, a), Rate(losses, ~a)]),
            Known(range(5)),
        ],
    )
    sample = problem.sample(100, rng=2)
    n_a = sample.cell_sizes[1]
    width = problem.widths(sample, delta=0.05)
    one = lambda n, parts: np.sqrt(np.log(2 * 5 * 3 * parts / 0.05) / (2 * n))  # noqa: E731
    assert width == pytest.approx(
        [one(100, 1), one(n_a, 2) + one(100 - n_a, 2), max(one(n_a, 2), one(100 - n_a, 2)), 0]
    )


def test_widths_hold_at_their_level_for_random_denominators():
    """Monte Carlo: the joint event fails in at most delta of the samples (binomial tail above 1e-6)."""
    from scipy.stats import binom

    rng = np.random.default_rng(7)
    predictions, target, group = rng.integers(0, 2, (50, 4)), rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    problem = from_predictions(predictions, target, group=group, objectives=["error", "demographic_parity_gap"])
    sample = problem.sample(30, replicates=20_000, rng=8)
    for delta in (0.05, 0.5):
        outside = np.abs(sample.risks() - problem.true.risks()) > problem.widths(sample, delta=delta)[:, None, :]
        misses = int(outside[~sample.undefined].any(axis=(1, 2)).sum())
        assert binom.sf(misses - 1, 20_000, delta) > 1e-6


def test_constant_objectives_are_data_independent():
    world = mirrored_decoys()
    assert world.true.data_dependent.tolist() == [True, False]
    assert np.array_equal(world.sample(7, rng=0).risks()[:, 1], world.true_risks[:, 1])
    # a loss that differs only on an outcome of probability zero is constant too
    world = FiniteWorld([0.5, 0.5, 0], [[[0, 1]], [[1, 1]], [[0, 9]]])
    assert world.true.data_dependent.tolist() == [True, False]
    assert world.risk_limits.tolist() == [1, 1]


def test_single_sample_has_no_batch_axis():
    world = mirrored_decoys()
    assert world.sample(5, rng=1).batch_shape == ()
    assert world.sample(5, replicates=1, rng=1).batch_shape == (1,)
    assert np.array_equal(world.sample(5, rng=1).risks(), world.sample(5, replicates=1, rng=1).risks()[0])
    assert world.sample_losses(4, rng=0).shape == (4, 3, 2)


def test_from_examples_is_the_uniform_world(rng):
    losses = rng.integers(0, 2, size=(7, 3, 2))
    world = FiniteWorld.from_examples(losses)
    assert world.true_risks == pytest.approx(losses.mean(axis=0), rel=1e-15)
    assert world.probabilities == (Fraction(1, 7),) * 7


def test_breast_cancer_is_fixed_and_multi_objective():
    problem = from_dataset("breast_cancer")
    again = from_dataset("breast_cancer")
    assert np.array_equal(problem.true.risks(), again.true.risks())
    assert problem.true.risks().shape == (300, 3)
    assert len(problem.probabilities) == 285
    assert 3 < len(problem.true_front()) < 150
    assert problem.true.data_dependent.tolist() == [True, True, False]
    assert problem.is_lattice
    assert mt.nondominated(problem.true.risks()).sum() == len(problem.true_front())


def test_refusals(refuses):
    losses = [[[0, 1], [1, 0]], [[1, 0], [0, 1]]]
    refuses("probabilities", FiniteWorld, [0.5, 0.4], losses)
    refuses("losses", FiniteWorld, [0.5, 0.5], [[[0, np.nan]], [[1, 0]]])
    refuses("losses", FiniteWorld, [0.5, 0.5], [[0, 1], [1, 0]])
    refuses("losses", FiniteWorld, [0.2, 0.3, 0.5], losses)
    refuses("losses", FiniteWorld, [0.5, 0.5], [[[1, 1]], [[1, 1]]])
    refuses("losses", FiniteWorld, [], np.empty((0, 2, 2)))
    refuses("losses", FiniteWorld, [0.5, 0.5], [[["a", 1]], [[1, 1]]])
    refuses("objective_names", FiniteWorld, [0.5, 0.5], losses, objective_names=["x"])
    world = FiniteWorld([0.5, 0.5], losses)
    refuses("n", world.sample, -3)
    refuses("n", world.sample, (5, 5, 5))
    refuses("n", world.sample, (5, 0))
    refuses("n", world.exact, 2.5)
    refuses("n", world.sample, 2**53)
    refuses("replicates", world.sample, 5, replicates=0)
    refuses("rng", world.sample, 5, rng="seed")
    refuses("n_points", world.true_front, n_points=0)
    refuses("sample_or_n", world.widths, world.true, delta=0.1)
    refuses("delta", world.widths, world.sample(5, rng=0), delta=1.0)
    refuses("name", from_dataset, "iris")
    refuses("measures", FinitePopulation, [1], [Known([1])])
    refuses("measures", FinitePopulation, [0.5, 0.5], [Mean([[1.0]])])
    refuses("measures", FinitePopulation, [1], [Mean([[1.0]]), Known([1, 2])])
    table, y = [[0, 1], [1, 1]], [0, 1]
    refuses("predictions", from_predictions, [0, 1], y, objectives=["error"])
    refuses("target", from_predictions, table, [0, 1, 1], objectives=["error"])
    refuses("target", from_predictions, table, [0, np.nan], objectives=["error"])
    refuses("objectives", from_predictions, table, y, objectives=["accuracy"])
    refuses("objectives", from_predictions, table, y, objectives="error")
    refuses("objectives", from_predictions, table, y, objectives=[])
    refuses("group", from_predictions, table, y, objectives=["worst_group_error"])
    refuses("group", from_predictions, table, y, group=[1, 1], objectives=["demographic_parity_gap"])
    refuses("target", from_predictions, table, [0, 2], objectives=["false_negative_rate"])
    refuses("target", from_predictions, table, [0, 0], objectives=["false_negative_rate"])
    refuses("costs", from_predictions, table, y, objectives=["error"], costs={"error": [1, 2]})
