"""Logistic losses of groups on a population of rows: definitions, independent minimisation, sampling, widths."""

import numpy as np
import pytest
from scipy.optimize import minimize

import moltheory as mt
from moltheory.experiments import WeightedFrontComparison
from moltheory.objectives import NormBall
from moltheory.problems import LogisticGroups, logistic_groups


def _problem(n=60, d=2, seed=0, **given):
    rng = np.random.default_rng(seed)
    x, group = rng.standard_normal((n, d)), np.where(np.arange(n) < n // 3, "few", "many")
    y = rng.random(n) < 1 / (1 + np.exp(-x[:, 0] * np.where(group == "few", 2.0, -1.0)))
    return LogisticGroups(x, y, group, **{"ridge": 0.05, **given})


def _risks(problem, theta):
    """Plain definition, for the rows in their order."""
    x, y = problem.features, problem.target
    loss = np.log1p(np.exp(-y * (x @ theta)))
    return np.array([loss[:20].mean(), loss[20:].mean()]) + 0.5 * problem.ridge * theta @ theta


def test_true_risks_from_their_definition(rng):
    problem = _problem()
    assert problem.group_names == ("few", "many")
    assert problem.features[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert problem.features[:, :2].std(axis=0) == pytest.approx([1, 1])
    for theta in rng.standard_normal((5, 3)):
        assert problem.true.risks(theta[None])[0] == pytest.approx(_risks(problem, theta), abs=1e-14)


@pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
def test_minimisers_against_a_general_optimiser(w):
    problem = _problem()
    weights = np.array([w, 1 - w])
    found = minimize(lambda theta: weights @ _risks(problem, theta), np.zeros(3), tol=1e-12)
    theta = problem.true_solutions(weights[None])[0]
    assert theta == pytest.approx(found.x, abs=1e-5)
    assert weights @ _risks(problem, theta) <= found.fun + 1e-12


def test_certificates_are_rigorous_and_the_front_is_a_trade_off():
    problem = _problem()
    sweep = problem.solve(problem.sample(30, replicates=4, rng=0), problem.front_weights(11))
    assert sweep.points.shape == (4, 11, 2)
    assert sweep.rigorous.all()
    assert sweep.gap.max() < 1e-8
    front = problem.true_front(n_points=30).points
    assert len(front) == 30
    assert (np.diff(front[:, 0]) > 0).all()
    assert (np.diff(front[:, 1]) < 0).all()


@pytest.mark.parametrize("sizes", [10, 200, (5, 500)])
def test_sample_risks_are_unbiased(sizes):
    """Below the size of a group rows are drawn, above it their multiplicities."""
    problem, theta = _problem(), np.array([[0.5, -1.0, 0.3]])
    r = 3000
    found = problem.sample(sizes, replicates=r, rng=3).risks(theta)[:, 0]
    assert (np.abs(found.mean(axis=0) - problem.true.risks(theta)[0]) <= 4 * found.std(axis=0) / np.sqrt(r)).all()
    n = np.broadcast_to(sizes, 2)
    losses = [np.log1p(np.exp(-(problem.target * (problem.features @ theta[0]))[part])) for part in _parts()]
    expected = np.array([one.std() for one in losses]) / np.sqrt(n)
    assert found.std(axis=0) == pytest.approx(expected, rel=0.08)
    assert problem.sample(sizes, rng=0).batch_shape == ()


def _parts():
    return slice(0, 20), slice(20, 60)


def test_the_two_ways_to_draw_give_valid_averages():
    problem, theta = _problem(), np.array([[0.5, -1.0, 0.3]])
    loss = np.log1p(np.exp(-problem.target * (problem.features @ theta[0])))
    ridge = 0.5 * problem.ridge * (theta**2).sum()
    risks = problem.sample((1, 500), replicates=50, rng=0).risks(theta)[:, 0] - ridge
    assert np.abs(risks[:, :1] - loss[:20]).min(axis=1).max() < 1e-12
    assert (risks[:, 1] < loss[20:].max()).all()


def test_fronts_of_samples_against_the_truth():
    problem = _problem(n=300)
    compare = WeightedFrontComparison(problem, n_points=8, refinement=4)
    worst = []
    for n in (30, 3000):
        columns = compare(problem.sample(n, replicates=20, rng=1))
        assert (columns["coverage_error"] <= 2 * columns["uniform_deviation"] + columns["discretization"]).all()
        worst.append(columns["purity_error"].mean())
    # Strong convexity: the converse comes back.
    assert worst[1] < worst[0] / 4


def test_strong_convexity_bounds_the_distance_of_minimisers():
    problem = _problem()
    weights = problem.front_weights(9)
    truth = problem.true_solutions(weights)
    sample = problem.sample(50, replicates=30, rng=2)
    found = np.asarray(problem.solve(sample, weights).solutions)
    deviation = np.maximum(
        np.abs(sample.risks(found) - problem.true.risks(found.reshape(-1, 3)).reshape((*found.shape[:2], 2))),
        np.abs(sample.risks(truth) - problem.true.risks(truth)),
    ).max(axis=-1)
    # Of one weighted sum: ridge / 2 |difference|^2 <= its true excess <= 2 deviations.
    assert (((found - truth) ** 2).sum(axis=-1) <= 4 * deviation / problem.ridge + 1e-12).all()


def test_widths_of_a_ball():
    problem = _problem(ball=NormBall(1.0))
    points = np.random.default_rng(0).standard_normal((200, 3))
    inside = problem.ball.inside(points)
    sample = problem.sample(100, replicates=200, rng=0)
    deviation = np.abs(sample.risks(inside) - problem.true.risks(inside)).max(axis=(0, 1))
    width = problem.widths(100, delta=0.05)
    largest = np.linalg.norm(problem.features, axis=1).max()
    expected = 2 * largest / 10 + largest * np.sqrt(np.log(4 / 0.05) / 200)
    assert width == pytest.approx([expected] * 2, rel=1e-12)
    assert (deviation < width).all()
    assert (_problem(ball=NormBall(1.0, norm="l1")).widths((100, 400), delta=0.05) > 0).all()
    assert np.isinf(_problem().widths(100, delta=0.05)).all()
    solutions = problem.true_solutions([[0.5, 0.5]])
    assert problem.ball.size(solutions)[0] <= 1.0


def test_groups_of_one_class_are_separable_and_solved_with_ridge():
    x, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    problem = LogisticGroups(x, y, y, ridge=0.1)
    assert problem.group_names == ("0", "1")
    front = problem.true_front(n_points=5).points
    assert (front < np.log(2)).any(axis=1).all()
    # At an end only one class counts: the intercept and the slope push the other aside.
    assert front[0, 1] > np.log(2)


def test_identical_groups_have_one_optimum():
    x, y = np.array([[0.0], [1.0], [2.0]] * 2), [0, 1, 0] * 2
    problem = LogisticGroups(x, y, ["a"] * 3 + ["b"] * 3, ridge=0.1)
    solutions = problem.true_solutions(problem.front_weights(5))
    assert np.abs(solutions - solutions[0]).max() < 1e-8


@pytest.mark.parametrize(
    ("name", "group", "dimension", "sizes"),
    [
        ("breast_cancer", None, 31, "'high': 284, 'low': 285"),
        ("breast_cancer", "class", 31, "'negative': 357, 'positive': 212"),
        ("digits", None, 62, "'high': 896, 'low': 901"),
        ("wine", "proline", 14, "'high': 89, 'low': 89"),
    ],
)
def test_data_sets(name, group, dimension, sizes):
    problem = logistic_groups(name, group=group)
    assert problem.dimension == dimension
    assert sizes in repr(problem)
    middle = problem.true.risks(problem.true_solutions([[0.5, 0.5]]))[0]
    assert (middle < np.log(2)).all()


def test_fewer_features_are_the_best_of_them():
    problem = logistic_groups("wine", n_features=2)
    assert problem.dimension == 3
    assert mt.nondominated(problem.true_front(n_points=5).points).all()


def test_refusals(refuses):
    x, y, group = np.arange(4.0)[:, None], [0, 1, 0, 1], list("aabb")
    refuses("features", LogisticGroups, np.ones((4, 1)), y, group)
    refuses("target", LogisticGroups, x, [0, 1, 2, 1], group)
    refuses("target", LogisticGroups, x, [1, 1, 1, 1], group)
    refuses("target", LogisticGroups, x, [0, 1], group)
    refuses("group", LogisticGroups, x, y, list("aaaa"))
    refuses("ridge", LogisticGroups, x, y, group, ridge=0.0)
    refuses("ball", LogisticGroups, x, y, group, ball=1.0)
    problem = LogisticGroups(x, y, group)
    refuses("n", problem.sample, 0)
    refuses("n", problem.sample, (1, 2, 3))
    refuses("weights", problem.solve, problem.true, [[-1.0, 2.0]])
    refuses("n_points", problem.front_weights, 1)
    refuses("name", logistic_groups, "diabetes")
    refuses("group", logistic_groups, "wine", group="color")
    refuses("n_features", logistic_groups, "wine", n_features=14)


def test_asymmetry_takes_it_and_knows_the_width_of_a_ball():
    free = logistic_groups("wine", n_features=2)
    table = mt.experiments.asymmetry(free, sizes=[40], replicates=6, rng=0)
    bound = 2.0 * table["uniform_deviation"] + table["discretization"]
    assert (table["coverage_error"] <= bound).all()
    assert np.isinf(table["bound"]).all()
    small = LogisticGroups(free.features, free.target, np.arange(len(free.target)) % 2, ball=NormBall(1.0))
    one = mt.experiments.asymmetry(small, sizes=[50], replicates=1, rng=0)
    assert one["bound"][0] == pytest.approx(2.0 * small.widths(50, delta=0.05).max())
