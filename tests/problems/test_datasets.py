"""Bundled data sets: fixed definitions, known truth, the asymmetry."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.problems import from_dataset

_EXPECTED = {
    # models, population, objectives, data-dependent
    "breast_cancer": (300, 285, ("false_negative_rate", "false_positive_rate", "share_of_features"), 2),
    "diabetes": (216, 221, ("squared_error", "worst_group_squared_error", "share_of_features"), 2),
    "digits": (179, 899, ("error", "worst_class_error", "model_size"), 2),
    "wine": (80, 89, ("error", "worst_class_error", "share_of_features"), 2),
}


@pytest.fixture(scope="module")
def problems():
    return {name: from_dataset(name) for name in _EXPECTED}


@pytest.mark.parametrize("name", _EXPECTED)
def test_definition(problems, name):
    problem = problems[name]
    models, rows, objectives, dependent = _EXPECTED[name]
    assert problem.name == name
    assert problem.n_hypotheses == models == len(set(problem.hypothesis_names))
    assert len(problem.probabilities) == rows
    assert problem.objective_names == objectives
    assert problem.true.data_dependent.sum() == dependent
    assert problem.is_exact
    assert problem.is_lattice
    truth = problem.true.risks()
    assert np.isfinite(truth).all()
    assert (truth >= 0).all()
    assert (truth <= problem.risk_limits).all()
    assert truth[:, -1].max() == 1
    # a real trade-off, not one best model, nor everything optimal
    front = problem.true_front()
    assert 10 < len(front) < models / 2
    assert mt.nondominated(truth).sum() == len(front)
    # the models learned something
    assert truth[:, 0].min() < 0.5 * truth[:, 0].max()


@pytest.mark.parametrize("name", _EXPECTED)
def test_same_problem_every_time(problems, name):
    again = from_dataset(name)
    assert np.array_equal(again.true.risks(), problems[name].true.risks())
    assert again.hypothesis_names == problems[name].hypothesis_names


@pytest.mark.parametrize("name", _EXPECTED)
def test_the_asymmetry(problems, name):
    table = mt.experiments.asymmetry(problems[name], sizes=[30, 300, 3000], replicates=100, rng=0)
    claims = table[~table["undefined"]]
    assert (claims["coverage_error"] <= 2 * claims["uniform_deviation"] + 1e-12).all()
    assert (claims["coverage_error"] <= claims["bound"]).mean() >= 0.95
    means = claims.groupby("size")["coverage_error"].mean()
    assert means[3000] < 0.5 * means[30]


def test_equal_empirical_risks_are_equal_floats_for_regressions(problems):
    """Losses lie on a grid of a millionth, so every mean is one division of integers."""
    problem = problems["diabetes"]
    n = 137
    risks = problem.sample(n, replicates=20, rng=0).risks()[..., 0]
    assert np.array_equal(np.rint(risks * n * 10**6) / (n * 10**6), risks)


def test_stratified_draws_miss_no_class(problems):
    plain, stratified = problems["digits"], from_dataset("digits", stratify=True)
    assert stratified.n_strata == 10
    assert np.array_equal(plain.true.risks(), stratified.true.risks())
    assert plain.sample(12, replicates=200, rng=0).undefined.mean() > 0.9
    assert not stratified.sample(12, replicates=200, rng=0).undefined.any()


def test_unknown_names_are_refused_with_the_known_ones(refuses):
    refuses("name", from_dataset, "iris")
    with pytest.raises(ValueError, match="breast_cancer, diabetes, digits, wine"):
        from_dataset("iris")
    refuses("stratify", from_dataset, "wine", stratify=1)
