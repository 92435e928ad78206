"""Evolutionary search: seeded, silent, never better than what is certified to be possible, and integers are whole."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.objectives import BlackBoxObjectives, QuadraticObjectives
from moltheory.scalarization import Chebyshev, EpsilonConstraint, WeightedSum
from moltheory.solvers import Status, refine_front
from moltheory.solvers._evolutionary import ALGORITHMS
from tests.solvers._samples import convex, quadratics, weight_path

_BUDGET = {"population": 12, "generations": 8}


@pytest.mark.parametrize("method", ALGORITHMS)
def test_no_search_beats_the_certified_outer_approximation(rng, capsys, method):
    exact = quadratics(rng, d=2)
    box = BlackBoxObjectives(exact.risks, [-2, -2], [2, 2], n_objectives=2)
    chosen = [WeightedSum(w) for w in weight_path(9)] + [Chebyshev([1.0, 1.0])]
    runs = [mt.solve_front(box, scalarizations=chosen, method=method, rng=seed, options=_BUDGET) for seed in (5, 5, 6)]
    assert np.array_equal(runs[0].solutions, runs[1].solutions)
    assert not np.array_equal(runs[0].solutions, runs[2].solutions)
    assert (runs[0].status == Status.HEURISTIC).all()
    assert runs[0].method == f"{method}: as asked"
    refined = refine_front(exact, tolerance=1e-3)
    assert refined.rigorous
    assert refined.outside(runs[0].points).max() <= 1e-12
    # The outer approximation does see what is too good to be true.
    assert refined.outside(runs[0].points - 2.0 * np.ptp(refined.points, axis=0)).min() > 0.0
    best = mt.solve_front(exact, scalarizations=chosen)
    assert (runs[0].values >= best.values - best.gap - 1e-13).all()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ""


@pytest.mark.parametrize("method", ["nsga3", "moead", "smsemoa", "spea2"])
def test_three_objectives_and_budgets_that_are_no_simplex_number(rng, method):
    exact = QuadraticObjectives(np.tile(np.eye(2), (3, 1, 1)), rng.standard_normal((3, 2)), np.zeros(3))
    box = BlackBoxObjectives(exact.risks, [-3, -3], [3, 3], n_objectives=3)
    chosen = [WeightedSum(w) for w in rng.dirichlet(np.ones(3), 4)]
    options = {"population": 13, "generations": 25}
    sweep = mt.solve_front(box, scalarizations=chosen, method=method, options=options)
    best = mt.solve_front(exact, scalarizations=chosen)
    assert (sweep.values >= best.values - 1e-12).all()
    assert sweep.values == pytest.approx(best.values, abs=0.5)
    refined = refine_front(exact, tolerance=0.2)
    assert refined.rigorous
    assert refined.outside(sweep.points).max() <= 1e-12
    assert refined.outside(sweep.points - 2.0 * np.ptp(refined.points, axis=0)).min() > 0.0


def test_no_search_beats_certified_logistic_losses(rng):
    objectives = convex(rng, d=2, ridge=0.1)
    box = BlackBoxObjectives(objectives.risks, [-3, -3], [3, 3], n_objectives=2)
    chosen = [WeightedSum(w) for w in weight_path(9)] + [Chebyshev([1.0, 1.0])]
    found = mt.solve_front(box, scalarizations=chosen, options={"population": 20, "generations": 30})
    refined = refine_front(objectives, tolerance=1e-3)
    assert refined.rigorous
    assert refined.outside(found.points).max() <= 1e-12
    best = mt.solve_front(objectives, scalarizations=chosen)
    assert (found.values >= best.values - best.gap - 1e-13).all()
    assert found.values == pytest.approx(best.values, abs=0.01)


def test_feature_subset_tree_depth_and_threshold_together(rng):
    """Mixed choices: which of four features a tree sees, how deep it is, and the score from which it says 1."""
    from sklearn.tree import DecisionTreeClassifier

    x = rng.integers(0, 4, (200, 4)).astype(float)
    y = (x[:, 0] + (x[:, 1] > 1) > 2).astype(int)
    cost = np.array([3.0, 2.0, 1.0, 1.0])
    kept = {}

    def one(row):
        key = tuple(row[:5].astype(int))
        if key not in kept:
            used = np.flatnonzero(row[:4])
            tree = DecisionTreeClassifier(max_depth=key[4], random_state=0)
            kept[key] = tree.fit(x[:, used], y).predict_proba(x[:, used])[:, 1] if used.size else np.full(200, y.mean())
        wrong = (kept[key] >= row[5]).astype(int) != y
        return [wrong.mean(), row[:4] @ cost, row[4]]

    def risks(points):
        assert np.array_equal(points[:, :5], np.round(points[:, :5]))
        return np.array([one(row) for row in points])

    box = BlackBoxObjectives(
        risks, [0, 0, 0, 0, 1, 0.05], [1, 1, 1, 1, 4, 0.95], n_objectives=3, integer=[True] * 5 + [False]
    )
    budgets = [EpsilonConstraint([np.inf, b, np.inf]) for b in (0.0, 2.0, 5.0)]
    sweep = mt.solve_front(box, scalarizations=budgets, options={"population": 24, "generations": 12}, rng=1)
    assert set(sweep.methods) == {"nsga2"}
    assert (sweep.points[:, 1] <= [0.0, 2.0, 5.0]).all()
    assert (np.diff(sweep.values) <= 0.0).all()
    # Two features decide the labels, and a tree of depth 3 finds the rule.
    assert sweep.values[0] == pytest.approx(min(y.mean(), 1 - y.mean()))
    assert sweep.values[2] == 0.0
    assert sweep.solutions[2, :4].tolist() == [1, 1, 0, 0]
    assert ((sweep.solutions[:, 5] > 0.0) & (sweep.solutions[:, 5] < 1.0)).all()


def test_bad_budgets_are_refused_before_work_starts(refuses):
    def never(points):
        raise AssertionError("evaluated")

    box = BlackBoxObjectives(never, [0.0], [1.0], n_objectives=2)
    chosen = [WeightedSum([1, 1])]
    for name, value in (("population", 3), ("population", 2.5), ("generations", 0), ("generations", True)):
        refuses(name, mt.solve_front, box, scalarizations=chosen, options={name: value})
    refuses("options", mt.solve_front, box, scalarizations=chosen, options={"solver": "SCS"})
    refuses("method", mt.solve_front, box, scalarizations=chosen, method="newton")
    single = BlackBoxObjectives(never, [0.0], [1.0], n_objectives=1)
    for method in ("nsga3", "moead"):
        refuses("method", mt.solve_front, single, scalarizations=[WeightedSum([1.0])], method=method)


def test_nsga2_is_determined_by_its_seed_and_never_beats_the_certified_value():
    curvature, center = np.array([np.eye(2), np.diag([2.0, 1.0])]), np.array([[0.0, 0.0], [1.0, 1.0]])
    exact = QuadraticObjectives(curvature, center, [0.0, 0.0])
    box = BlackBoxObjectives(exact.risks, [-1, -1], [2, 2], n_objectives=2)
    options = {"population": 20, "generations": 15}
    scalarizations = [WeightedSum(w) for w in weight_path(5)] + [Chebyshev([1.0, 1.0])]
    runs = [mt.solve_front(box, scalarizations=scalarizations, rng=seed, options=options) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0].solutions, runs[1].solutions)
    assert not np.array_equal(runs[0].solutions, runs[2].solutions)
    assert (runs[0].status == Status.HEURISTIC).all()
    assert np.isnan(runs[0].gap).all()
    assert not runs[0].rigorous.any()
    best = mt.solve_front(exact, scalarizations=scalarizations)
    assert (runs[0].values >= best.values - best.gap - 1e-13).all()
    assert runs[0].values == pytest.approx(best.values, abs=0.05)


def test_integer_variables_take_whole_numbers_and_find_a_small_front():
    cost = np.array([1.0, 2.0, 4.0])

    def risks(x):
        assert np.array_equal(x, np.round(x))
        return np.stack([x @ cost, (1 - x) @ cost], axis=1)

    objectives = BlackBoxObjectives(risks, [0] * 3, [1] * 3, n_objectives=2, integer=True)
    sweep = mt.solve_front(
        objectives,
        scalarizations=[EpsilonConstraint([b, np.inf], objective=1) for b in range(8)],
        options={"generations": 5},
    )
    assert sweep.points.tolist() == [[b, 7 - b] for b in range(8)]
    assert len(sweep.front()) == 8
