"""Pseudo-labels against labels only: exact excess, learners by their definitions, the separation and where it ends."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from moltheory.bounds import label_lower_bound, pseudo_label_excess
from moltheory.experiments import semi_supervised
from moltheory.experiments._semi_supervised import _common, _mean, _predictions
from moltheory.problems import CellTasks, cell_tasks
from moltheory.runs import fingerprint
from moltheory.testing import check_problem

_SMALL = cell_tasks(12, n_blocks=2)
_RUN = {"sizes": [20, 40], "replicates": 45, "rng": 3, "unlabeled": [50, math.inf]}


@pytest.mark.parametrize("loss", ["square", "log"])
def test_the_minimiser_and_the_excess_of_every_bregman_loss(loss):
    """By minimising the risk in each cell: the mean is the best prediction, and the excess the divergence from it."""
    w, problem = np.array([0.3, 0.7]), _SMALL
    point = {"square": lambda f, t: f * (1 - t) ** 2 + (1 - f) * t**2}.get(
        loss, lambda f, t: -f * np.log(t) - (1 - f) * np.log1p(-t)
    )
    rng = np.random.default_rng(0)
    predictions, total = rng.uniform(0.05, 0.95, 12), 0.0
    for x in range(12):

        def risk(t, x=x):
            return float((w * problem.marginals[:, x] * point(problem.bayes[:, x], t)).sum())

        best = minimize_scalar(risk, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-10})
        assert best.x == pytest.approx(problem.minimiser(w)[x], abs=1e-5)
        total += risk(predictions[x]) - best.fun
    assert float(problem.excess(predictions, w, loss=loss)) == pytest.approx(total, rel=1e-8)
    assert float(problem.excess(problem.minimiser(w), w, loss=loss)) == 0.0
    assert (problem.risks(problem.minimiser(w)) @ w) <= (problem.risks(predictions) @ w)


def test_learners_from_their_definitions():
    w, n = np.array([0.5, 0.5]), 30
    found = _predictions(_SMALL, n, 4, np.random.default_rng(1), w, [200, math.inf])
    rng = np.random.default_rng(1)
    labels = np.stack([rng.multinomial(n, row / row.sum(), size=4) for row in _SMALL.marginals], axis=1)
    ones = rng.binomial(labels, _SMALL.bayes)
    np.testing.assert_allclose(found[0], (ones.mean(axis=1) + 0.5) / (labels.mean(axis=1) + 1.0))
    for k in range(2):
        for b in range(2):
            m, s = labels[0, k, _SMALL.blocks == b].sum(), ones[0, k, _SMALL.blocks == b].sum()
            assert _mean(np.array([s]), np.array([m]))[0] == pytest.approx((s + m**0.5 / 2) / (m + m**0.5))
    assert _mean(np.array([0]), np.array([0]))[0] == 0.5
    assert _common(np.zeros((1, 2, 3)), np.ones((1, 2, 3))).tolist() == [[0.5] * 3]
    # With all marginals known, the weighted mean of the two estimates.
    small = np.zeros((2, 12))
    for k in range(2):
        for b in range(2):
            where = _SMALL.blocks == b
            small[k, where] = _mean(ones[0, k, where].sum(keepdims=True), labels[0, k, where].sum(keepdims=True))
    known = (_SMALL.marginals * small).sum(axis=0) / _SMALL.marginals.sum(axis=0)
    np.testing.assert_allclose(found[3][0], known)


def test_between_the_bounds_and_far_from_labels_only():
    cells = cell_tasks(60, n_blocks=4)
    problem = CellTasks(cells.marginals, cells.blocks, [[0.1, 0.9] * 2, [0.5] * 4])
    table = semi_supervised(problem, sizes=[50, 200], replicates=400, rng=0, unlabeled=[2000, math.inf])
    means = table.fillna({"unlabeled": 0.0}).groupby(["learner", "unlabeled", "size"])["excess"].agg(["mean", "std"])
    for size in (50, 200):
        lower = label_lower_bound(size, marginals=problem.marginals, blocks=problem.blocks, weights=[0.5, 0.5])
        for count in (2000.0, math.inf):
            mean, spread = means.loc[("pseudo-labels", count, size)]
            error = 5 * spread / 20
            assert lower <= mean + error
            if count < math.inf:
                assert mean <= pseudo_label_excess(size, n_parameters=4, n_unlabeled=2000, n_cells=60) + error
        # Without small classes nothing is gained: labels only, or the same with unlabeled examples.
        alone = means.loc[("supervised", 0.0, size), "mean"]
        large = means.loc[("pseudo-labels without small classes", math.inf, size), "mean"]
        assert 0.6 < large / alone < 1.4
        assert alone > 4 * means.loc[("pseudo-labels", math.inf, size), "mean"]
    # The logarithmic loss orders them alike.
    logs = table[table["size"] == 200].groupby("learner")["log_excess"].mean()
    assert logs["pseudo-labels"] < 0.3 * logs["supervised"]


def test_a_bound_without_unlabeled_examples_is_wrong():
    """r / (4 (n + 1)) alone, as if the marginals were known: few unlabeled examples cost more than that."""
    problem, n = cell_tasks(60, n_blocks=1), 2000
    table = semi_supervised(problem, sizes=[n], replicates=200, rng=0, unlabeled=[100])
    mean = table[table["learner"] == "pseudo-labels"]["excess"].mean()
    assert mean > 10 / (4 * (n + 1))
    assert mean < pseudo_label_excess(n, n_parameters=1, n_unlabeled=100, n_cells=60)


def test_the_same_for_any_number_of_processes_and_from_a_store(tmp_path):
    first = semi_supervised(_SMALL, **_RUN)
    assert first.equals(semi_supervised(_SMALL, **_RUN, n_jobs=2))
    assert first.equals(semi_supervised(_SMALL, **_RUN, store=tmp_path / "run"))
    assert first.equals(semi_supervised(_SMALL, **_RUN, store=tmp_path / "run"))
    assert first.groupby(["size", "replicate"]).size().eq(5).all()
    assert (first["excess"] >= 0).all()
    assert np.isfinite(first["log_excess"]).all()


def test_it_is_a_problem_like_others():
    check_problem(_SMALL)
    predictions = np.linspace(0.1, 0.9, 12)
    np.testing.assert_allclose(_SMALL.true.risks(predictions[None])[0], _SMALL.risks(predictions))
    np.testing.assert_allclose(_SMALL.true.minimisers(np.array([[0.3, 0.7]]))[0], _SMALL.minimiser([0.3, 0.7]))
    assert fingerprint(_SMALL) == fingerprint(cell_tasks(12, n_blocks=2))


def test_refusals(refuses):
    refuses("problem", semi_supervised, 3, sizes=[5], replicates=2, rng=0)
    refuses("sizes", semi_supervised, _SMALL, sizes=[0], replicates=2, rng=0)
    refuses("unlabeled", semi_supervised, _SMALL, sizes=[5], replicates=2, rng=0, unlabeled=[])
    refuses("unlabeled", semi_supervised, _SMALL, sizes=[5], replicates=2, rng=0, unlabeled=[5, 4])
    refuses("weights", semi_supervised, _SMALL, sizes=[5], replicates=2, rng=0, weights=[0.5, 0.6])
    refuses("means", CellTasks, [[1.0]], [0], [[1.5]])
    refuses("means", CellTasks, [[1.0]], [0], [[0.5, 0.5]])
    refuses("n_cells", cell_tasks, 7)
    refuses("predictions", _SMALL.excess, np.full(12, 1.5), [0.5, 0.5])
    refuses("loss", _SMALL.excess, np.full(12, 0.5), [0.5, 0.5], loss="hinge")
