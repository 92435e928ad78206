"""Gaussian posteriors: errors and divergence by other means, the level where nothing can be learnt, and groups."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

import moltheory as mt
from moltheory.bounds import gaussian_posterior, pac_bayes_kl
from moltheory.errors import InvalidInputError
from moltheory.scalarization import Chebyshev, EpsilonConstraint, WeightedSum
from tests.bounds.test_class_levels import believable


def _data(n=300, d=4, *, seed=0, shift=1.5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    inputs = rng.normal(size=(n, d))
    inputs[:, 0] += shift * (2 * labels - 1)
    return inputs, labels


def test_errors_are_those_of_drawn_classifiers():
    inputs, labels = _data(40)
    found = gaussian_posterior(inputs, labels, delta=0.05)
    drawn = found.mean + found.scale * np.random.default_rng(1).normal(size=(200_000, 4))
    wrong = (np.sign(drawn @ inputs.T) != 2 * labels - 1).mean(axis=0)
    assert np.abs(wrong - found.error_probabilities(inputs, labels)).max() < 5 * math.sqrt(0.25 / 200_000)
    assert found.risks[0] == pytest.approx(found.error_probabilities(inputs, labels).mean(), abs=1e-12)


def test_the_divergence_is_that_of_normal_distributions_and_the_least_over_scales():
    inputs, labels = _data()
    found = gaussian_posterior(inputs, labels, delta=0.05)

    def divergence(scale):
        mean = found.mean / found.scale * scale
        return 0.5 * (4 * scale**2 - 4 - 8 * math.log(scale) + mean @ mean)

    assert found.divergence == pytest.approx(divergence(found.scale), rel=1e-12)
    assert divergence(found.scale) < min(divergence(found.scale * factor) for factor in (0.9, 0.999, 1.001, 1.1))
    assert divergence(1.0) == pytest.approx((found.mean / found.scale) @ (found.mean / found.scale) / 2)


def test_the_bound_is_that_of_its_own_risks_and_divergence():
    inputs, labels = _data()
    found = gaussian_posterior(inputs, labels, delta=0.05, group=labels, scalarization=WeightedSum([0.3, 0.7]))
    sizes = np.bincount(labels)
    again = pac_bayes_kl(found.risks, sizes, divergence=found.divergence, delta=0.05)
    assert np.array_equal(found.bound.upper, again.upper)
    assert found.value == pytest.approx([0.3, 0.7] @ again.upper)
    assert found.names == (0, 1)


def test_no_posterior_nearby_has_a_smaller_bound():
    inputs, labels = _data()
    found = gaussian_posterior(inputs, labels, delta=0.05)
    v, signed = found.mean / found.scale, inputs / np.linalg.norm(inputs, axis=1, keepdims=True)
    rng = np.random.default_rng(2)
    for step in (0.01, 0.1, 1.0):
        for _ in range(20):
            w = v + step * rng.normal(size=4)
            risk = ndtr(-(2 * labels - 1) * (signed @ w)).mean()
            other = pac_bayes_kl([risk], 300, divergence=2 * math.log1p(w @ w / 4), delta=0.05)
            assert other.upper[0] > found.value - 1e-9


def test_the_largest_of_two_bounds_is_made_small_by_making_them_equal():
    """With one group rare, weighting both groups alike leaves one bound larger than need be."""
    inputs, labels = _data(2000, shift=1.0, seed=3)
    inputs = np.column_stack([inputs, np.ones(2000)])
    keep = (labels == 0) | (np.random.default_rng(0).random(2000) < 0.2)
    given = {"delta": 0.05, "group": labels[keep]}
    worst = gaussian_posterior(inputs[keep], labels[keep], scalarization=Chebyshev([1.0, 1.0]), **given)
    mean = gaussian_posterior(inputs[keep], labels[keep], scalarization=WeightedSum([0.5, 0.5]), **given)
    assert worst.bound.upper[0] == pytest.approx(worst.bound.upper[1], abs=2e-3)
    assert worst.value < mean.bound.upper.max() - 0.005
    assert mean.value <= worst.bound.upper.mean() + 1e-6
    assert gaussian_posterior(inputs[keep], labels[keep], **given).value == worst.value


def test_labels_that_are_coins_by_simulation():
    """Every classifier then errs with probability 1/2, though the posterior fits the sample."""
    runs, n, d, delta, misses, wrong = 25, 40, 20, 0.2, 0, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        inputs, labels = rng.normal(size=(n, d)), rng.integers(0, 2, n)
        found = gaussian_posterior(inputs, labels, delta=delta)
        misses += not found.bound.lower[0] <= 0.5 <= found.bound.upper[0]
        # Least squares, without its divergence.
        v = 10 * np.linalg.lstsq(inputs, 2.0 * labels - 1, rcond=None)[0]
        margins = (2 * labels - 1) * (inputs @ v) / np.linalg.norm(inputs, axis=1)
        wrong += pac_bayes_kl([ndtr(-margins).mean()], n, divergence=0.0, delta=delta).upper[0] < 0.5
    assert believable(misses, runs, delta)
    assert not believable(wrong, runs, delta)


def test_where_nothing_can_be_learnt_the_posterior_is_the_prior():
    inputs = np.array([[1.0, 2.0], [1.0, 2.0]])
    found = gaussian_posterior(inputs, [0, 1], delta=0.5)
    assert found.divergence == 0.0
    assert found.scale == 1.0
    assert found.risks[0] == pytest.approx(0.5)


def test_codings_of_labels_and_lengths_of_inputs_do_not_matter():
    inputs, labels = _data(100)
    found = gaussian_posterior(inputs, labels, delta=0.1)
    for same in (labels.astype(bool), 2 * labels - 1, labels.astype(float)):
        assert np.array_equal(gaussian_posterior(inputs, same, delta=0.1).mean, found.mean)
    huge = gaussian_posterior(inputs * 1e200, labels, delta=0.1)
    assert huge.value == pytest.approx(found.value, abs=1e-6)
    one = gaussian_posterior([[1.0]], [1], delta=0.1)
    assert one.bound.upper[0] > 0.9
    assert one.bound.method == found.bound.method


def test_separable_data_of_high_margin_stay_finite():
    labels = np.repeat([0, 1], 5000)
    found = gaussian_posterior((2.0 * labels - 1)[:, None], labels, delta=0.05)
    assert found.risks[0] < 1e-3
    assert found.bound.upper[0] < 0.003
    assert np.isfinite(found.mean).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": [0, 2, 1]}, "`labels` must be bools"),
        ({"labels": [0, 1]}, "`labels` must have 3 entries"),
        ({"inputs": [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]}, "row of zeros"),
        ({"inputs": [[1.0], [math.nan], [1.0]]}, "`inputs` must be finite"),
        ({"group": ["a", "b"]}, "`group` must have shape"),
        ({"group": ["a", None, "b"]}, "`group` must not hold missing"),
        ({"delta": 0.0}, "`delta`"),
        ({"scalarization": WeightedSum([0.5, 0.5])}, "of 1 objectives"),
        ({"scalarization": "sum"}, "of 1 objectives"),
        ({"group": [0, 1, 1], "scalarization": EpsilonConstraint([np.inf, 0.5])}, "finite everywhere"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(given, said):
    call = {"inputs": [[1.0, 2.0], [2.0, 1.0], [-1.0, 1.0]], "labels": [0, 1, 1], "delta": 0.05, **given}
    with pytest.raises(InvalidInputError, match=said):
        gaussian_posterior(call.pop("inputs"), call.pop("labels"), **call)


def test_a_result_refuses_inputs_of_another_dimension():
    found = mt.bounds.gaussian_posterior(*_data(50), delta=0.05)
    with pytest.raises(InvalidInputError, match="`inputs` must have 4 columns"):
        found.error_probabilities(np.ones((2, 3)), [0, 1])
