"""Fronts of an infinite class: the inequality in every sample, and errors against plain definitions."""

import itertools

import numpy as np
import pytest

import moltheory as mt
from moltheory.experiments import WeightedFrontComparison, asymmetry
from moltheory.problems import MultiTaskLeastSquares


def _tasks(n_tasks, d=3, seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((n_tasks, d, d))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(d)
    return MultiTaskLeastSquares(covariances, rng.standard_normal((n_tasks, d)), np.full(n_tasks, 0.5))


@pytest.mark.parametrize(("n_tasks", "replicates"), [(2, 300), (3, 1), (5, 10)])
def test_coverage_stays_within_twice_the_deviation_plus_discretization(n_tasks, replicates):
    table = asymmetry(_tasks(n_tasks), sizes=[10, 100, 10_000], replicates=replicates, rng=0)
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + table["discretization"]).all()
    assert np.isinf(table["bound"]).all()
    assert not table["undefined"].any()


def _chords(points):
    share = np.linspace(0.0, 1.0, 100)[:, None]
    return np.concatenate([(1 - share) * a + share * b for a, b in itertools.pairwise(points)])


@pytest.mark.parametrize("n_tasks", [2, 5])
def test_against_plain_definitions(n_tasks):
    problem = _tasks(n_tasks)
    compare = WeightedFrontComparison(problem, n_points=12)
    sample = problem.sample(40, replicates=5, rng=1)
    columns = compare(sample)
    found = compare.true_risks_of_fronts(sample)
    dense = problem.true_front(n_points=20_001).points if n_tasks == 2 else compare.true_points
    for r in range(5):
        # Two tasks: chords of neighbors, here as many points of each. The members themselves for five.
        reached = _chords(found[r]) if n_tasks == 2 else found[r]
        near = 1e-3 if n_tasks == 2 else 1e-12
        assert columns["coverage_error"][r] == pytest.approx(mt.coverage_error(reached, compare.true_points), abs=near)
        assert columns["purity_error"][r] == pytest.approx(mt.purity_error(found[r], dense), abs=near)
        lost = mt.hypervolume(compare.true_points, reference=compare.reference) - mt.hypervolume(
            found[r], reference=compare.reference
        )
        assert columns["hypervolume_deficit"][r] == pytest.approx(lost, abs=1e-12)


def test_chunks_do_not_matter(monkeypatch):
    problem = _tasks(2)
    compare = WeightedFrontComparison(problem, n_points=10)
    sample = problem.sample(40, replicates=7, rng=1)
    whole = compare(sample)
    monkeypatch.setattr("moltheory.experiments._weighted_fronts._CHUNK", 1)
    for name, column in compare(sample).items():
        assert np.array_equal(column, whole[name])


def test_purity_shrinks_with_n_for_strongly_convex_objectives():
    table = asymmetry(_tasks(2), sizes=[30, 3000], replicates=200, rng=3)
    means = table.groupby("size")["purity_error"].mean()
    assert means[3000] < means[30] / 5


@pytest.mark.slow
def test_bit_identical_for_any_number_of_processes():
    problem = _tasks(2)
    first = asymmetry(problem, sizes=[20, 50], replicates=600, rng=5)
    assert first.equals(asymmetry(problem, sizes=[20, 50], replicates=600, rng=5, n_jobs=2))


def test_refusals(refuses):
    problem = _tasks(2)
    refuses("n_points", WeightedFrontComparison, problem, n_points=1)
    refuses("refinement", WeightedFrontComparison, problem, refinement=0)
    compare = WeightedFrontComparison(problem, n_points=5)
    refuses("sample", compare, problem.sample(20, rng=0))
    with pytest.raises(ValueError, match="curvature"):
        compare(problem.sample(2, replicates=3, rng=0))
