"""The two-stage bound: in every sample of the experiment, in random quadratics, and its wrong variants."""

import math

import numpy as np
import pytest

from moltheory.bounds import two_stage_excess
from moltheory.experiments import two_stage
from moltheory.problems import sparse_multi_task


def test_it_holds_in_every_sample_of_the_experiment():
    problem = sparse_multi_task(20, sparsity=2)
    w = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.2, 0.8]]
    table = two_stage(problem, sizes=[30, 100], replicates=6, rng=0, weights=w, unlabeled=[math.inf])
    stages = table[table["method"] == "two-stage"]
    excess = stages.pivot(index=["size", "replicate", "constant"], columns="weight_1", values="excess").to_numpy()
    weight = sorted({row[0] for row in w})
    own = excess[:, [weight.index(1.0), weight.index(0.0)]]
    for first in (0.5, 0.2):
        allowed = two_stage_excess(own, weights=[first, 1 - first])
        assert (excess[:, weight.index(first)] <= allowed * (1 + 1e-9)).all()
        assert (excess[:, weight.index(first)] > 0.2 * allowed).any()


def _case(rng, error, d=3, tasks=3):
    """Random quadratics with covariances that are wrong by a relative error, and the excess of the combination."""
    w = rng.dirichlet(np.ones(tasks))
    roots = rng.standard_normal((tasks, d, d)) * 2.0 ** rng.integers(-3, 3, (tasks, 1, 1))
    true = roots @ roots.transpose(0, 2, 1)
    base = np.linalg.cholesky(true)
    turn = np.linalg.qr(rng.standard_normal((tasks, d, d)))[0]
    change = turn @ (error * rng.choice([-1.0, 1.0], (tasks, d, 1)) * turn.transpose(0, 2, 1))
    seen = true + base @ change @ base.transpose(0, 2, 1)
    beta = rng.standard_normal((tasks, d))
    found = beta + rng.standard_normal((tasks, d)) * rng.choice([0.0, 0.01, 1.0])

    def combined(s, b):
        return np.linalg.solve(np.einsum("k,kij->ij", w, s), np.einsum("k,kij,kj->i", w, s, b))

    best = combined(true, beta)
    off = combined(seen, found) - best
    own = np.einsum("ki,kij,kj->k", found - beta, true, found - beta)
    conflict = w @ np.einsum("ki,kij,kj->k", beta - best, true, beta - best)
    return w, own, conflict, off @ np.einsum("k,kij->ij", w, true) @ off


@pytest.mark.parametrize("error", [0.0, 0.1, 0.6])
def test_random_quadratics(error):
    rng, ratios, without = np.random.default_rng(0), [], []
    for _ in range(600):
        w, own, conflict, excess = _case(rng, error)
        bound = float(two_stage_excess(own, weights=w, covariance_error=error, conflict=conflict))
        assert excess <= bound * (1 + 1e-6) + 1e-12
        if bound > 1e-9:
            ratios.append(excess / bound)
            without.append(excess - float(w @ own))
    assert max(ratios) > 0.2
    # As if the covariances were known: wrong as soon as they are not.
    assert (max(without) > 1e-6) == (error > 0.0)


def test_a_factor_of_the_root_is_needed():
    """One task, one dimension: nothing is lost, and less than the excess of the task is wrong."""
    assert float(two_stage_excess([0.3], weights=[1.0])) == 0.3
    rng = np.random.default_rng(1)
    half = [excess - 0.5 * float(w @ own) for w, own, _, excess in (_case(rng, 0.0) for _ in range(200))]
    assert max(half) > 0


def test_refusals(refuses):
    refuses("weights", two_stage_excess, [0.1, 0.1], weights=[0.5, 0.6])
    refuses("task_excess", two_stage_excess, [0.1], weights=[0.5, 0.5])
    refuses("task_excess", two_stage_excess, [-0.1, 0.1], weights=[0.5, 0.5])
    refuses("covariance_error", two_stage_excess, [0.1, 0.1], weights=[0.5, 0.5], covariance_error=1.0)
    refuses("conflict", two_stage_excess, [0.1, 0.1], weights=[0.5, 0.5], conflict=-1.0)
