"""Expected errors of linear classes and of pseudo-labels: exact by enumeration, attained, above all learners tried."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from moltheory.bounds import (
    coverage_lower_bound,
    expected_coverage,
    expected_linear_excess,
    finite_class,
    label_lower_bound,
    linear_excess_lower_bound,
    pseudo_label_excess,
)
from moltheory.bounds._lower_linear import vote_error
from moltheory.experiments import exact_errors
from moltheory.problems import cell_tasks, mirrored_decoys, reference_world, two_coins


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("cells", [1, 3])
def test_votes_by_enumeration(n, cells):
    g = Fraction(1, 8)
    total = Fraction(0)
    for m in range(n + 1):
        here = math.comb(n, m) * Fraction(1, cells) ** m * Fraction(cells - 1, cells) ** (n - m)
        for wrong in range(m + 1):
            chance = math.comb(m, wrong) * (Fraction(1, 2) - g) ** wrong * (Fraction(1, 2) + g) ** (m - wrong)
            total += here * chance * (Fraction(1) if 2 * wrong > m else Fraction(1, 2) if 2 * wrong == m else 0)
    assert vote_error(0.125, n, cells) == pytest.approx(float(total), rel=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_map_from_samples_to_predictors_does_better(n):
    """One objective, two coordinates: the best value for every sample, found by brute force, averaged over signs."""
    advantage, size = 0.2, 1 / math.sqrt(2)
    grid = np.linspace(-1.0, 1.0, 41)
    risks = {}
    signs = list(itertools.product((-1, 1), repeat=2))
    samples = list(itertools.product(itertools.product(range(2), (-1, 1)), repeat=n))
    points = [(a, b) for a in grid for b in grid if a * a + b * b <= 1 + 1e-12] + [
        (size * a, size * b) for a, b in signs
    ]
    table = np.array(points)
    for s in signs:
        loss = sum(
            0.5
            * (
                (0.5 + advantage) * np.abs(table[:, j] - size * s[j])
                + (0.5 - advantage) * np.abs(table[:, j] + size * s[j])
            )
            for j in range(2)
        )
        risks[s] = loss - (1 - 2 * advantage) * size
    best = 0.0
    for sample in samples:
        chances = {
            s: math.prod(0.5 * (0.5 + advantage if y == s[j] else 0.5 - advantage) for j, y in sample) for s in signs
        }
        best += min(sum(0.25 * chances[s] * risks[s] for s in signs))
    assert best == pytest.approx(4 * advantage * size * vote_error(advantage, n, 2), rel=1e-9)
    bound = linear_excess_lower_bound(n, lipschitz=1.0, weight_norm=1.0, dimension=2)
    assert bound >= best * (1 - 1e-9)  # the best advantage, not this one


def test_linear_bounds_meet_in_order():
    for n in (10, 1000, 10**6):
        upper = expected_linear_excess(n, lipschitz=2.0, weight_norm=3.0, input_norm=0.5)
        lower = linear_excess_lower_bound(n, lipschitz=2.0, weight_norm=3.0, input_norm=0.5)
        assert upper == pytest.approx(6.0 / math.sqrt(n))
        assert lower < upper < 6.2 * lower
        several = linear_excess_lower_bound(n, lipschitz=2.0, weight_norm=3.0, input_norm=0.5, n_objectives=4)
        assert several == pytest.approx(lower / 2, rel=1e-6)
    assert linear_excess_lower_bound(10**6, lipschitz=1.0, weight_norm=1.0) == pytest.approx(2 * 0.169971e-3, rel=1e-3)
    # A larger dimension does not change the order while examples suffice.
    wide = linear_excess_lower_bound(100_000, lipschitz=1.0, weight_norm=1.0, dimension=50)
    assert wide == pytest.approx(2 * 0.169971 / math.sqrt(100_000), rel=0.05)


@pytest.mark.parametrize("world", [reference_world, two_coins, mirrored_decoys])
@pytest.mark.parametrize("n", [1, 4, 9])
def test_expected_coverage_holds_exactly(world, n):
    problem = world()
    count = int(problem.true.data_dependent.sum())
    mean = float(exact_errors(problem, sizes=[n])["coverage_error"].iloc[0])
    upper = expected_coverage(n, n_hypotheses=problem.n_hypotheses, n_objectives=count)
    assert mean <= upper
    assert upper < 2 * finite_class(n, n_hypotheses=problem.n_hypotheses, n_objectives=count, delta=0.5).width.max()
    assert coverage_lower_bound(n, n_hypotheses=2 * problem.n_hypotheses).expected <= expected_coverage(
        n, n_hypotheses=2 * problem.n_hypotheses
    )


def test_expected_coverage_needs_its_factor():
    """One fair coin against its mirror and both sides deviating: half of the bound is too little for many hypotheses."""
    assert expected_coverage(7, n_hypotheses=1) == 0.0
    assert expected_coverage(50, n_hypotheses=8, n_objectives=3, loss_range=2.0) == pytest.approx(
        4 * math.sqrt(math.log(24) / 100)
    )


def test_label_bounds_by_hand():
    problem = cell_tasks(8, n_blocks=2)
    w, n = [0.25, 0.75], 36
    by_hand = 0.0
    for k in range(2):
        for b in range(2):
            cells = range(4 * b, 4 * b + 4)
            mass = sum(problem.marginals[k, x] for x in cells)
            share = sum(
                (w[k] * problem.marginals[k, x]) ** 2 / sum(w[j] * problem.marginals[j, x] for j in range(2))
                for x in cells
            )
            by_hand += share / (4 * (1 + math.sqrt(n * mass)) ** 2)
    found = label_lower_bound(n, marginals=problem.marginals, blocks=problem.blocks, weights=w)
    assert found == pytest.approx(by_hand, rel=1e-13)
    assert found <= pseudo_label_excess(n, n_parameters=2, n_unlabeled=10**9, n_cells=8)
    # One task and one block: the minimax risk of a mean, known since Hodges and Lehmann.
    assert label_lower_bound(25, marginals=[[1.0]], blocks=[0], weights=[1.0]) == pytest.approx(1 / (4 * 36))


def test_refusals(refuses):
    linear = {"lipschitz": 1.0, "weight_norm": 1.0}
    refuses("n", expected_coverage, 0, n_hypotheses=2)
    refuses("n_hypotheses", expected_coverage, 5, n_hypotheses=0)
    refuses("loss_range", expected_coverage, 5, n_hypotheses=2, loss_range=0.0)
    refuses("lipschitz", expected_linear_excess, 5, lipschitz=0.0, weight_norm=1.0)
    refuses("weight_norm", expected_linear_excess, 5, lipschitz=1.0, weight_norm=float("inf"))
    refuses("input_norm", linear_excess_lower_bound, 5, **linear, input_norm=-1.0)
    refuses("dimension", linear_excess_lower_bound, 5, **linear, n_objectives=2, dimension=3)
    refuses("n", linear_excess_lower_bound, True, **linear)
    refuses("lipschitz", linear_excess_lower_bound, 5, lipschitz=1e300, weight_norm=1e300)
    refuses("n_cells", pseudo_label_excess, 5, n_parameters=4, n_unlabeled=5, n_cells=3)
    refuses("n_unlabeled", pseudo_label_excess, 5, n_parameters=1, n_unlabeled=0, n_cells=3)
    cells = {"marginals": [[0.5, 0.5]], "blocks": [0, 1], "weights": [1.0]}
    refuses("marginals", label_lower_bound, 5, **(cells | {"marginals": [[0.5, 0.6]]}))
    refuses("blocks", label_lower_bound, 5, **(cells | {"blocks": [0, 2]}))
    refuses("blocks", label_lower_bound, 5, **(cells | {"blocks": [0]}))
    refuses("weights", label_lower_bound, 5, **(cells | {"weights": [0.5]}))
