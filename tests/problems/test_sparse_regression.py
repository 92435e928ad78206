"""Sparse regression: all supports by recursion against one at a time, ties, closed-form laws, the l1 surrogate."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2, kstest

import moltheory as mt
from moltheory.experiments import asymmetry
from moltheory.problems import SparseRegression, least_squares_in_l1_balls, rows_of_moments
from moltheory.problems._supports import residuals_exactly, residuals_of_supports, support_masks


def _toeplitz(d, rho=0.5):
    return rho ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))


@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_recursion_against_least_squares_of_each_support(d, rng):
    x, y = rng.standard_normal((3, 20, d)), rng.standard_normal((3, 20))
    whole = np.concatenate([x, y[..., None]], axis=-1)
    moments = whole.transpose(0, 2, 1) @ whole
    found = residuals_of_supports(moments)
    for r in range(3):
        for h, mask in enumerate(support_masks(d)):
            theta = np.linalg.lstsq(x[r][:, mask], y[r], rcond=None)[0]
            assert found[r, h] == pytest.approx(((y[r] - x[r][:, mask] @ theta) ** 2).sum(), abs=1e-10)


def test_exact_recursion_agrees_with_the_float_one(rng):
    x = np.round(rng.standard_normal((9, 6)), 2)
    moments = np.round(x.T @ x, 4)
    exact = residuals_exactly([[Fraction(repr(float(v))) for v in row] for row in moments])
    assert np.allclose(residuals_of_supports(moments[None])[0], [float(v) for v in exact], rtol=1e-10)


def test_a_repeated_feature_adds_nothing(rng):
    x = rng.standard_normal((30, 2))
    whole = np.concatenate([x, x[:, :1], rng.standard_normal((30, 1))], axis=1)
    found = residuals_of_supports((whole.T @ whole)[None])[0]
    assert found[0b101] == pytest.approx(found[0b001], rel=1e-12)
    assert found[0b111] == pytest.approx(found[0b011], rel=1e-12)


def test_true_risks_and_front_by_hand():
    problem = SparseRegression([[2.0, 1.0], [1.0, 2.0]], [1.0, 0.0], 0.5)
    # L of nothing: 1/4 + 2; of the second alone: 2.25 - 1 / 2; of the first: 1/4, as with both.
    assert problem.true.risks().tolist() == [[2.25, 0.0], [0.25, 1.0], [1.75, 1.0], [0.25, 2.0]]
    assert problem.true_front().points.tolist() == [[0.25, 1.0], [2.25, 0.0]]


def test_useless_features_make_exact_ties():
    """In floats, the risks of supports that only add useless features would differ in the last digits."""
    problem = SparseRegression(_toeplitz(9, 0.3), [0, 0.1, 0, 0.7, 0, 0, 0.3, 0, 0], 0.1)
    risks = problem.true.risks()
    enough = problem.supports[:, [1, 3, 6]].all(axis=1)
    assert enough.sum() == 64
    assert np.unique(risks[enough, 0]).tolist() == [0.01]
    assert len(problem.true_front().points) == 4


def test_true_risks_against_linear_algebra(rng):
    root = rng.standard_normal((6, 6))
    s, beta = root @ root.T + np.eye(6), rng.standard_normal(6)
    problem = SparseRegression(s, beta, 0.7)
    for mask, risk in zip(problem.supports, problem.true.risks()[:, 0], strict=True):
        out = s[np.ix_(~mask, ~mask)] - s[np.ix_(~mask, mask)] @ np.linalg.solve(
            s[np.ix_(mask, mask)], s[np.ix_(mask, ~mask)]
        )
        assert risk == pytest.approx(0.49 + beta[~mask] @ out @ beta[~mask], rel=1e-10)


def test_expectations_in_closed_form():
    problem, n, r = SparseRegression(_toeplitz(4), [1.0, 0.0, 0.5, 0.0], 1.0), 15, 4000
    fitted = problem.fits(n, replicates=r, rng=3)
    for found, expected in (
        (fitted.empirical.risks()[..., 0], problem.expected_training_errors(n)),
        (fitted.true.risks()[..., 0], problem.expected_fitted_risks(n)),
    ):
        assert (np.abs(found.mean(axis=0) - expected) <= 4 * found.std(axis=0) / np.sqrt(r) + 1e-12).all()
    assert (problem.expected_fitted_risks(3)[problem.supports.sum(axis=1) >= 2] == np.inf).all()
    assert (problem.expected_training_errors(3)[-1]) == 0.0


def test_training_errors_are_chi_square_variables():
    problem, n = SparseRegression(_toeplitz(3), [1.0, 0.0, 0.5], 1.0), 12
    errors = problem.sample(n, replicates=5000, rng=4).risks()[..., 0]
    for h in (0, 3, 7):
        scaled = n * errors[:, h] / problem.true.risks()[h, 0]
        assert kstest(scaled, chi2(n - problem.supports[h].sum()).cdf).pvalue > 1e-4


def test_fitted_coefficients_attain_the_training_error_and_no_less():
    problem = SparseRegression(_toeplitz(5), [1.0, 0.0, 0.5, 0.0, 0.0], 1.0)
    fitted = problem.fits(30, replicates=3, rng=5)
    assert np.array_equal(fitted.empirical.risks(), problem.sample(30, replicates=3, rng=5).risks())
    assert (fitted.coefficients[:, ~problem.supports] == 0).all()
    assert (fitted.true.risks()[..., 0] >= problem.true.risks()[:, 0]).all()
    # The training error is a minimum: that of a support is at most that of a smaller one.
    errors = fitted.empirical.risks()[..., 0]
    masks = problem.supports
    inside = (~masks[:, None] | masks[None]).all(axis=2)
    below, above = np.nonzero(inside)
    assert (errors[:, above] <= errors[:, below] * (1 + 1e-12)).all()


def test_fewer_examples_than_features_and_no_noise():
    problem = SparseRegression(_toeplitz(5), [1.0, 0.0, 0.5, 0.0, 0.0], 1.0)
    errors = problem.sample(3, replicates=10, rng=0).risks()
    sizes = problem.supports.sum(axis=1)
    assert (errors[:, sizes >= 3, 0] == 0).all()
    assert (errors[:, sizes < 3, 0] > 0).all()
    front = mt.nondominated(errors)
    assert (front[:, sizes == 3]).all()
    assert not front[:, sizes > 3].any()
    silent = SparseRegression(_toeplitz(5), [1.0, 0.0, 0.5, 0.0, 0.0], 0.0)
    errors = silent.sample(20, replicates=10, rng=0).risks()
    assert (errors[:, (silent.supports[:, 0] & silent.supports[:, 2]), 0] == 0).all()
    assert silent.true.risks()[-1, 0] == 0


def test_the_full_support_is_spurious_for_every_n():
    """Training error falls with every feature, so features that are useless in truth are on every empirical front."""
    problem = SparseRegression(_toeplitz(6), [1.0, 0.5, 0, 0, 0, 0], 1.0)
    table = asymmetry(problem, sizes=[10, 1000], replicates=100, rng=0)
    assert (table["coverage_error"] <= 2 * table["uniform_deviation"] + 1e-12).all()
    assert (table["purity_error"] >= 4.0).all()
    assert np.isinf(table["bound"]).all()
    assert table.groupby("size")["coverage_error"].mean()[1000] < 0.01
    assert not table["undefined"].any()


def test_a_limit_on_the_number_of_features():
    whole = SparseRegression(_toeplitz(5), [1.0, 0.0, 0.5, 0.0, 0.0], 1.0)
    problem = SparseRegression(_toeplitz(5), [1.0, 0.0, 0.5, 0.0, 0.0], 1.0, max_features=2)
    kept = whole.supports.sum(axis=1) <= 2
    assert problem.n_hypotheses == 16 == kept.sum()
    assert np.array_equal(problem.true.risks(), whole.true.risks()[kept])
    assert np.array_equal(problem.sample(9, rng=1).risks(), whole.sample(9, rng=1).risks()[kept])
    assert problem.fits(2, rng=1).coefficients.shape == (1, 16, 5)


def test_the_l1_path_finds_the_best_subsets_of_an_orthogonal_design():
    """Golden: soft thresholds at t, the amount that brings the l1 norm to the radius."""
    beta = np.array([3.0, -2.0, 1.0, 0.5])
    problem = SparseRegression(np.eye(4), beta, 1.0)
    thresholds = np.array([2.5, 1.5, 0.75, 0.25])
    expected = np.sign(beta) * np.maximum(np.abs(beta) - thresholds[:, None], 0.0)
    path = least_squares_in_l1_balls(*rows_of_moments(np.eye(4), beta, 1.0), radii=np.abs(expected).sum(axis=1))
    assert np.allclose(path.coefficients, expected, atol=1e-5)
    assert np.allclose(path.errors, 1 + ((expected - beta) ** 2).sum(axis=1), atol=1e-7)
    assert (path.gap <= 1e-7).all()
    risks = problem.true.risks()
    for k, support in enumerate(path.supports(), start=1):
        of_size = np.flatnonzero(risks[:, 1] == k)
        best = of_size[risks[of_size, 0].argmin()]
        assert np.array_equal(problem.supports[best], support)
        # The shrinkage is the price: the same features, a larger error.
        assert path.errors[k - 1] > risks[best, 0]


def test_the_l1_path_against_least_angle_regression(rng):
    from sklearn.linear_model import lars_path

    x, beta = rng.standard_normal((40, 5)), np.array([2.0, -1.0, 0.0, 0.0, 0.5])
    y = x @ beta + rng.standard_normal(40)
    _, _, knots = lars_path(x, y, method="lasso")
    radii = np.abs(knots).sum(axis=0)[1:-1]
    path = least_squares_in_l1_balls(x, y, radii=radii)
    assert np.allclose(path.coefficients, knots.T[1:-1], atol=1e-4)
    # Never better than the best subset of as many features.
    whole = np.concatenate([x, y[:, None]], axis=1)
    best = residuals_of_supports((whole.T @ whole / 40)[None])[0]
    sizes = support_masks(5).sum(axis=1)
    for error, support in zip(path.errors, path.supports(), strict=True):
        assert error >= best[sizes <= support.sum()].min() - 1e-9


def test_refusals(refuses):
    eye = np.eye(2)
    refuses("covariance", SparseRegression, np.ones((2, 3)), [1, 1], 1.0)
    refuses("covariance", SparseRegression, np.ones((2, 2)), [1, 1], 1.0)
    refuses("covariance", SparseRegression, np.eye(15), np.ones(15), 1.0)
    refuses("coefficients", SparseRegression, eye, [1.0], 1.0)
    refuses("noise", SparseRegression, eye, [1.0, 0.0], -1.0)
    refuses("max_features", SparseRegression, eye, [1.0, 0.0], 1.0, max_features=3)
    problem = SparseRegression(eye, [1.0, 0.0], 1.0)
    refuses("n", problem.fits, 1)
    refuses("n", problem.sample, 0)
    refuses("sample_or_n", problem.widths, problem.true, delta=0.1)
    refuses("radii", least_squares_in_l1_balls, eye, [1.0, 0.0], radii=[0.0])
    refuses("y", least_squares_in_l1_balls, eye, [1.0], radii=[1.0])
    refuses("threshold", least_squares_in_l1_balls(eye, [1.0, 0.5], radii=[1.0]).supports, threshold=0.0)
    refuses("covariance", rows_of_moments, np.ones((2, 3)), [1.0, 0.0], 1.0)
