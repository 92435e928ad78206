"""What the proofs of the case studies say that their other tests do not: limits, and where a claim ends."""

import numpy as np
import pytest
from scipy.special import ndtri

from moltheory.studies.gradient_outer_product import linearized_features, linearized_rate
from moltheory.studies.smoothing import approximate_radius, certified_radius
from moltheory.studies.unconstrained_features import least_norm_product


def last_ratio(noise, floor, n_classes, per_class):
    labels = np.repeat(np.arange(n_classes), per_class)
    x = np.random.default_rng(0).normal(size=(len(labels), 4 * len(labels)))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = linearized_features(x @ x.T, labels, kernel_identity=noise, map_identity=floor, depth=16)
    limit = linearized_rate(len(labels), n_classes, kernel_identity=noise, map_identity=floor)
    return found.tangents[-1] / found.tangents[-2], limit


def test_two_classes_need_no_condition_for_the_rate():
    ratio, limit = last_ratio(50.0, 0.02, 2, 4)
    assert ratio == pytest.approx(limit, rel=2e-3)


def test_beyond_eight_times_the_floor_eigenvalues_can_stay_apart():
    ratio, limit = last_ratio(50.0, 0.02, 5, 2)
    assert ratio > limit + 0.004


def test_the_approximate_radius_is_the_limit_of_many_dimensions():
    # N r^2 sigma^2 stays the same: sqrt(1 + 2 N r^2 sigma^2) is the root of 2.
    errors = []
    for dimension in (10, 1_000, 100_000):
        rate = 1.0 / (0.5 * np.sqrt(2.0 * dimension))
        radius = float(certified_radius(0.1, sigma=0.5, rate=rate, dimension=dimension))
        near = float(approximate_radius(0.1, sigma=0.5, rate=rate, dimension=dimension))
        assert near == pytest.approx(-0.5 * ndtri(0.1) / np.sqrt(2.0), rel=1e-12)
        errors.append(abs(radius / near - 1.0))
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2]
    assert errors[-1] < 1e-3


def test_one_class_can_need_less_where_the_bound_is_refused():
    # Scale b for one class, nothing for the other: fit (1 + (1 - b)^2) / 4, product b^2.
    b, depth = 0.1, 3
    fit = (1.0 + (1.0 - b) ** 2) / 4.0
    assert b**2 < 2.0 ** (depth + 1) * (1.0 - np.sqrt(2.0 * fit)) ** 2
    with pytest.raises(ValueError, match="fit"):
        least_norm_product(fit, depth=depth, per_class=1)
