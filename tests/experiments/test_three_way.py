"""Descent with dynamic weights: the algorithm step by step, least norms by brute force, and who trades what."""

import math

import numpy as np
import pytest

from moltheory.errors import SolverError
from moltheory.experiments import three_way_trade_off
from moltheory.experiments._multi_gradient import Descent, least_norm_weights, onto_simplex
from moltheory.experiments._three_way import _least_norm
from moltheory.problems import MultiTaskLeastSquares
from moltheory.scalarization import simplex_grid

_PROBLEM = MultiTaskLeastSquares([np.eye(3), 4 * np.eye(3)], [[1, 0, 0], [0, 0, 1]], [0.2, 0.2])


def test_projections_are_nearest_points(rng):
    for n in (1, 2, 3, 5):
        points = 2 * rng.standard_normal((50, n))
        found = onto_simplex(points)
        assert np.allclose(found.sum(axis=1), 1)
        assert (found >= 0).all()
        # No vertex lies beyond: (point - projection)(vertex - projection) <= 0.
        slope = (points - found)[:, None] @ (np.eye(n) - found[:, None]).transpose(0, 2, 1)
        assert slope.max() <= 1e-12
    assert np.array_equal(onto_simplex(np.array([0.25, 0.75])), [0.25, 0.75])


@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 1), (2, 3), (3, 2), (3, 5), (4, 3)])
def test_least_norms_by_their_optimality_and_a_grid(n, d, rng):
    cases = [*rng.standard_normal((60, n, d)), np.zeros((n, d)), np.ones((n, d)), np.eye(n, d), -np.eye(n, d)]
    cases += [np.concatenate([g[:1], g[:-1]]) for g in cases[:10]] if n > 1 else []
    gradients = np.stack(cases)
    weights = least_norm_weights(gradients)
    assert np.allclose(weights.sum(axis=1), 1)
    assert (weights >= 0).all()
    norms = _least_norm(gradients)
    combined = (weights[:, None] @ gradients)[:, 0]
    # Optimal: no gradient has a smaller product with the combination than the combination itself.
    assert ((gradients @ combined[..., None])[..., 0] >= (norms**2)[:, None] - 1e-9).all()
    grid = np.linalg.norm(simplex_grid(n, 12) @ gradients, axis=-1).min(axis=1) if n > 1 else norms
    assert (norms <= grid + 1e-12).all()


def _descent(rng, n_samples=2, n=4, n_tasks=3, d=2, steps=12):
    draw = rng.standard_normal
    examples = rng.integers(0, n, (steps, 3, n_samples))
    shapes = ((n_samples, n_tasks, n, d), (n_samples, n_tasks, n), (n_samples, n_tasks, d), (n_samples, n_tasks))
    return Descent(*(draw(shape) for shape in shapes), examples)


@pytest.mark.parametrize("gamma", [0.0, 0.3, math.inf])
def test_steps_are_those_of_the_paper(gamma, rng):
    """One sample and one pair of rates at a time, in plain loops; the neighbor is a sample with other data."""
    descent, alpha, start = _descent(rng), 0.05, np.array([0.5, 0.3, 0.2])
    found = descent.run(np.array([0.01, alpha]), np.array([0.1, gamma]), start, [5, 12])
    for r, side in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = descent.features[r].copy(), descent.targets[r].copy()
        if side:
            x[:, 0], y[:, 0] = descent.other_features[r], descent.other_targets[r]

        def slopes(theta, i, x=x, y=y):
            return np.array([2 * (a[i] @ theta - b[i]) * a[i] for a, b in zip(x, y, strict=True)])

        theta, weights, apart = np.zeros(2), start, []
        for step in range(12):
            i, j, k = descent.examples[step, :, r]
            whole = np.mean([slopes(theta, e) for e in range(4)], axis=0)
            least = least_norm_weights(whole)
            if math.isinf(gamma):
                weights = least
            else:
                weights = onto_simplex(weights - gamma * slopes(theta, i) @ (slopes(theta, j).T @ weights))
            apart.append(((whole.T @ (weights - least)) ** 2).sum())
            theta = theta - alpha * slopes(theta, k).T @ weights
            if step in (4, 11):
                iterates, conflict = found[step // 11]
                assert np.allclose(iterates[r, 1, side], theta, rtol=1e-10)
                if side == 0:
                    assert conflict[r, 1] == pytest.approx(np.mean(apart), rel=1e-8, abs=1e-20)
                assert np.allclose(
                    descent.gradients(iterates)[r, 1, side], np.mean([slopes(theta, e) for e in range(4)], 0)
                )


def test_one_task_of_weight_one_is_plain_descent_and_static_weights_stay(rng):
    descent = _descent(rng)
    ((theta, _),) = descent.run(np.array([0.05]), np.array([0.0]), np.array([0.0, 1.0, 0.0]), [12])
    plain = np.zeros(2)
    for step in range(12):
        e = descent.examples[step, 2, 0]
        a, b = descent.features[0, 1, e], descent.targets[0, 1, e]
        plain = plain - 0.05 * 2 * (a @ plain - b) * a
    assert np.allclose(theta[0, 0, 0], plain)


_RUN = {"sizes": [20], "replicates": 30, "rng": 0, "learning_rates": [0.003]}


def test_the_three_errors_are_traded():
    rates = [0.0, 1e-3, 0.1, math.inf]
    table = three_way_trade_off(_PROBLEM, weight_rates=rates, steps=[30, 200], **(_RUN | {"replicates": 20}))
    assert list(table.columns[:5]) == ["size", "replicate", "learning_rate", "weight_rate", "steps"]
    assert len(table) == 20 * 4 * 2
    assert np.allclose(table["population"], table["optimization"] + table["generalization"])
    means = table.groupby(["steps", "weight_rate"]).mean()
    early, late = means.loc[30], means.loc[200]
    # More steps optimize, and are paid for in generalization and stability.
    assert (late["optimization"] < early["optimization"] / 3).all()
    assert (late["generalization"] > early["generalization"]).all()
    assert (late["stability"] > early["stability"]).all()
    # Moving the weights avoids conflicts up to a rate; beyond it their noise makes new ones. It costs stability.
    assert late["conflict"].loc[1e-3] < late["conflict"].loc[0.0] / 1.5 < late["conflict"].loc[0.1]
    assert (table.loc[table["weight_rate"] == math.inf, "conflict"] == 0).all()
    assert late["stability"].loc[1e-3] > 1.3 * late["stability"].loc[0.0]


def test_truth_is_the_gradient_of_the_true_risks():
    """At many examples of noiseless tasks the sample is the truth, and gradients are those of differences."""
    problem = MultiTaskLeastSquares(_PROBLEM.covariances, _PROBLEM.targets, [0.0, 0.0])
    run = {**_RUN, "sizes": [30_000], "replicates": 1, "steps": [40]}
    row = three_way_trade_off(problem, weight_rates=[0.0], **run).iloc[0]
    assert abs(row["generalization"]) < 0.05 * row["population"]
    theta, h = np.array([[0.3, -0.2, 0.5]]), 1e-6
    slopes = [(problem.true.risks(theta + h * e) - problem.true.risks(theta - h * e))[0] / (2 * h) for e in np.eye(3)]
    true = 2 * (problem.covariances @ (theta[:, None] - problem.targets)[..., None])[..., 0]
    assert np.allclose(np.transpose(slopes), true[0], atol=1e-6)


def test_stability_falls_with_the_sample():
    table = three_way_trade_off(_PROBLEM, weight_rates=[0.0], steps=[100], **(_RUN | {"sizes": [15, 60]}))
    means = table.groupby("size")["stability"].mean()
    assert 2 < means.loc[15] / means.loc[60] < 8


@pytest.mark.slow
def test_results_do_not_depend_on_processes():
    run = {**_RUN, "replicates": 60, "steps": [3, 40]}
    assert three_way_trade_off(_PROBLEM, **run).equals(three_way_trade_off(_PROBLEM, n_jobs=2, **run))


def test_results_do_not_depend_on_stores(tmp_path):
    run = {**_RUN, "replicates": 30, "steps": [3, 7], "weight_rates": [0.0, 0.01, math.inf]}
    table = three_way_trade_off(_PROBLEM, **run)
    for _ in range(2):
        assert table.equals(three_way_trade_off(_PROBLEM, store=tmp_path / "run", **run))
    # What else is measured changes nothing.
    alone = three_way_trade_off(_PROBLEM, **(run | {"weight_rates": [0.01]}))
    part = table[table["weight_rate"] == 0.01].reset_index(drop=True)
    assert np.allclose(alone.to_numpy(), part.to_numpy())


def test_refusals(refuses):
    with pytest.raises(SolverError, match="steps at the learning rate 50"):
        three_way_trade_off(_PROBLEM, **(_RUN | {"learning_rates": [0.001, 50.0]}), steps=[300])
    for name, values in {
        "learning_rates": ([], [0.0], [-1.0], [math.inf], [math.nan], "x"),
        "weight_rates": ([], [-1.0], [math.nan], "x"),
        "steps": ([], [0], [3, 3], [5, 2], [1.5], [True]),
        "weights": ([0.5, 0.6], [1.5, -0.5], [1.0], [math.nan, 1.0]),
        "sizes": ([], [0]),
        "replicates": (0, 1.5),
    }.items():
        for value in values:
            refuses(name, three_way_trade_off, _PROBLEM, **(_RUN | {name: value}))
    refuses("problem", three_way_trade_off, object(), **_RUN)
