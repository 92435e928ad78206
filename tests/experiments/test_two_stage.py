"""Two stages against direct regularization: the estimators by their optimality conditions, and who wins where."""

import math
import os

import numpy as np
import pytest

from moltheory.experiments import two_stage
from moltheory.experiments._two_stage import _estimates, _lassos
from moltheory.problems import MultiTaskLeastSquares, sparse_multi_task

_SMALL = sparse_multi_task(12, sparsity=2)


def test_the_tasks_are_sparse_and_the_trade_off_is_not():
    for design in ("toeplitz", "factor"):
        problem = sparse_multi_task(60, sparsity=3, n_tasks=3, design=design)
        assert np.array_equal(np.diagonal(problem.covariances, axis1=1, axis2=2), np.ones((3, 60)))
        assert ((problem.targets != 0).sum(axis=0) <= 1).all()
        assert ((problem.targets != 0).sum(axis=1) == 3).all()
        theta = problem.true_solutions([[0.4, 0.3, 0.3]])[0]
        assert (np.abs(theta) > 1e-3).sum() > 30


def test_uncorrelated_features_keep_the_trade_off_sparse():
    theta = sparse_multi_task(20, sparsity=2, correlation=0.0).true_solutions([[0.25, 0.75]])[0]
    assert sorted(theta[theta != 0].round(12)) == [0.25, 0.25, 0.75, 0.75]


def test_lassos_are_soft_thresholds_on_an_orthogonal_design(rng):
    x = np.sqrt(30) * np.linalg.qr(rng.standard_normal((30, 5)))[0]
    y = rng.standard_normal(30)
    b = x.T @ y / 30
    penalties = [0.05, 0.3, 0.01]
    expected = np.sign(b) * np.maximum(np.abs(b) - np.array(penalties)[:, None], 0.0)
    assert np.allclose(_lassos(x, y, penalties), expected, atol=1e-8)


def test_lassos_meet_their_optimality_conditions(rng):
    for n, d in ((50, 10), (20, 40)):
        x = rng.standard_normal((n, d))
        y = x[:, 0] + rng.standard_normal(n)
        for penalty in (0.02, 0.2):
            theta = _lassos(x, y, [penalty])[0]
            slope = x.T @ (y - x @ theta) / n
            used = theta != 0
            assert used.any()
            assert np.allclose(slope[used], penalty * np.sign(theta[used]), atol=1e-4)
            assert np.abs(slope).max() <= penalty + 1e-4


def _data(problem, n, seed):
    """The sample that `_estimates` draws first."""
    rng = np.random.default_rng(seed)
    roots = np.linalg.cholesky(problem.covariances)
    d = problem.dimension
    x = [rng.standard_normal((n, d)) @ root.T for root in roots]
    noise = [sigma * rng.standard_normal(n) for sigma in problem.noise]
    return x, [one @ beta + e for one, beta, e in zip(x, problem.targets, noise, strict=True)]


def test_estimators_from_their_definitions():
    problem, n, w = _SMALL, 60, np.array([[0.3, 0.7], [1.0, 0.0]])
    x, y = _data(problem, n, 3)
    direct, plain, stages, known = _estimates(problem, n, np.random.default_rng(3), w, [0, math.inf], [1.0])
    rate = math.sqrt(math.log(12) / n)
    for row, theta, least in zip(w, direct, plain, strict=True):
        slopes = [x[k].T @ (y[k] - x[k] @ theta) / n for k in range(2)]
        slope, penalty = row @ slopes, rate * math.sqrt((row**2).sum())
        assert np.allclose(slope[theta != 0], penalty * np.sign(theta[theta != 0]), atol=1e-5)
        assert np.abs(slope).max() <= penalty + 1e-5
        assert np.allclose(row @ [x[k].T @ (y[k] - x[k] @ least) / n for k in range(2)], 0.0, atol=1e-10)
    first = [_lassos(x[k], y[k], [rate])[0] for k in range(2)]
    for moments, found in (([one.T @ one / n for one in x], stages), (problem.covariances, known)):
        total = 0.3 * moments[0] + 0.7 * moments[1]
        combined = np.linalg.solve(total, 0.3 * moments[0] @ first[0] + 0.7 * moments[1] @ first[1])
        assert np.allclose(found[0], combined, atol=1e-8)
        # At a unit weight nothing is to be combined.
        assert np.allclose(found[1], first[0], atol=1e-8)
    assert np.allclose(direct[1], first[0], atol=1e-4)


def test_excess_is_that_of_the_true_risks():
    table = two_stage(_SMALL, sizes=[30], replicates=2, rng=0, constants=[1.0], weights=[[0.5, 0.5], [0.9, 0.1]])
    assert list(table.columns[:4]) == ["size", "replicate", "weight_1", "weight_2"]
    assert len(table) == 2 * 3 * 2
    assert (table["excess"] >= 0).all()
    assert table["n_nonzero"].between(0, 12).all()
    from moltheory.runs import as_seed_sequence, block_stream

    rng = block_stream(as_seed_sequence(0), f"two_stage {_SMALL.name}", 30, 0)
    w = np.array([[0.5, 0.5], [0.9, 0.1]])
    estimates = _estimates(_SMALL, 30, rng, w, [0], [1.0])
    best = (_SMALL.true.risks(_SMALL.true_solutions(w)) * w).sum(axis=1)
    expected = (_SMALL.true.risks(estimates.reshape(-1, 12)).reshape(3, 2, 2) * w).sum(axis=2) - best
    assert np.allclose(table["excess"][:6], expected.ravel(), atol=1e-12)
    assert table["method"][:6].tolist() == ["direct"] * 2 + ["unregularized"] * 2 + ["two-stage"] * 2


def test_known_inputs_and_little_noise_leave_no_excess():
    problem = sparse_multi_task(12, sparsity=2, noise=1e-4)
    table = two_stage(problem, sizes=[100], replicates=2, rng=0, unlabeled=[math.inf])
    stages = table[(table["method"] == "two-stage") & (table["weight_1"] == 0.5)]
    assert (stages["excess"] < 1e-6).all()
    # The trade-off itself, estimated directly, still has the sampling error of the inputs.
    plain = table[(table["method"] == "unregularized") & (table["weight_1"] == 0.5)]
    assert (plain["excess"] > 1e-3).all()


_RUN = {"sizes": [20, 40], "replicates": 12, "rng": 1, "constants": [1.0], "unlabeled": [0, 100]}


def test_a_store_gives_the_same_table(tmp_path):
    first = two_stage(_SMALL, **_RUN)
    assert first.equals(two_stage(_SMALL, store=tmp_path / "run", **_RUN))
    assert first.equals(two_stage(_SMALL, store=tmp_path / "run", **_RUN))
    assert first.groupby(["size", "replicate"]).size().eq(7 * 4).all()


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same_table():
    assert two_stage(_SMALL, **_RUN).equals(two_stage(_SMALL, n_jobs=2, **_RUN))


def test_three_tasks():
    problem = sparse_multi_task(12, sparsity=1, n_tasks=3)
    table = two_stage(problem, sizes=[50], replicates=1, rng=0)
    assert set(table["weight_3"]) == {0.0, 1.0, 1 / 3}


def _score(table, n, constant, unlabeled, w=0.5):
    """Mean paired difference of the excess, direct minus two-stage, in standard errors."""
    rows = table[(table["size"] == n) & (table["weight_1"] == w) & (table["constant"] == constant)]
    direct = rows[rows["method"] == "direct"].sort_values("replicate")["excess"].to_numpy()
    stages = rows[(rows["method"] == "two-stage") & (rows["unlabeled"] == unlabeled)]
    difference = direct - stages.sort_values("replicate")["excess"].to_numpy()
    return difference.mean() / (difference.std() / math.sqrt(difference.size))


_REPLICATES = 200 if os.environ.get("MOLTHEORY_FULL") else 50


@pytest.mark.slow
def test_who_wins_where_trade_offs_are_far_from_sparse():
    """Recorded as measured."""
    problem = sparse_multi_task(60, sparsity=3)
    weights = [[0.5, 0.5], [0.9, 0.1]]
    table = two_stage(
        problem, sizes=[25, 100, 400], replicates=_REPLICATES, rng=7, unlabeled=[0, 2000], weights=weights
    )
    # With many unlabeled inputs two stages win, at every size and constant.
    for n in (25, 100, 400):
        for constant in (0.5, 1.0, 2.0):
            assert _score(table, n, constant, 2000.0) > 4
    # Without them, and with fewer inputs than features, direct regularization wins.
    assert _score(table, 25, 0.5, 0.0) < -4
    assert _score(table, 25, 1.0, 0.0, w=0.9) < -4
    # Without them but with several inputs for each feature, two stages win again.
    assert _score(table, 400, 1.0, 0.0, w=0.9) > 4


@pytest.mark.slow
def test_who_wins_where_trade_offs_are_nearly_sparse():
    """Recorded as measured: two stages need the unlabeled inputs, and a small enough penalty."""
    problem = sparse_multi_task(60, sparsity=3, design="factor")
    table = two_stage(
        problem, sizes=[50, 400], replicates=_REPLICATES, rng=8, unlabeled=[0, 2000], weights=[[0.5, 0.5]]
    )
    for n in (50, 400):
        for constant in (0.5, 1.0, 2.0):
            assert _score(table, n, constant, 0.0) < -4
        assert _score(table, n, 2.0, 2000.0) < -4
        assert _score(table, n, 0.5, 2000.0) > 4


def test_refusals(refuses):
    given = {"sizes": [10], "replicates": 1, "rng": 0}
    refuses("problem", two_stage, np.eye(2), **given)
    silent = MultiTaskLeastSquares([np.eye(2)] * 2, np.eye(2), [1.0, 0.0])
    refuses("problem", two_stage, silent, **given)
    refuses("sizes", two_stage, _SMALL, **{**given, "sizes": []})
    refuses("replicates", two_stage, _SMALL, **{**given, "replicates": 0})
    refuses("weights", two_stage, _SMALL, **given, weights=[[0.5, 0.6]])
    refuses("unlabeled", two_stage, _SMALL, **given, unlabeled=[5, 1])
    refuses("unlabeled", two_stage, _SMALL, **given, unlabeled=[0.5])
    refuses("constants", two_stage, _SMALL, **given, constants=[0.0])
    refuses("n_jobs", two_stage, _SMALL, **given, n_jobs=0)
    refuses("dimension", sparse_multi_task, 3, sparsity=2)
    refuses("correlation", sparse_multi_task, 9, sparsity=2, correlation=1.0)
    refuses("design", sparse_multi_task, 9, sparsity=2, design="random")
