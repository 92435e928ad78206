"""Metrics of neural collapse: against their definitions by loops, their laws, and what they refuse."""

import numpy as np
import pytest

import moltheory.studies as collapse
from moltheory.studies._collapse import outside_means

_RNG = np.random.default_rng(7)
_LABELS = np.array([2, 0, 1, 1, 0, 2, 2, 1, 0, 0])
_FEATURES = _RNG.normal(size=(3, 10, 5))


def test_variability_is_its_definition():
    for z, found in zip(_FEATURES, collapse.variability(_FEATURES, _LABELS), strict=True):
        means = {c: z[c == _LABELS].mean(axis=0) for c in range(3)}
        within = sum(float(((row - means[c]) ** 2).sum()) for row, c in zip(z, _LABELS, strict=True)) / 10
        between = sum(float(((mean - z.mean(axis=0)) ** 2).sum()) for mean in means.values()) / 3
        assert found == pytest.approx(within / between, rel=1e-13)


def test_variability_forgets_rotation_shift_and_scale():
    q = np.linalg.qr(_RNG.normal(size=(5, 5)))[0]
    moved = 3.0 * _FEATURES @ q + 11.0
    np.testing.assert_allclose(collapse.variability(moved, _LABELS), collapse.variability(_FEATURES, _LABELS))


def test_collapsed_orthogonal_features():
    z = 2.0 * np.eye(3, 5)[_LABELS]
    assert collapse.variability(z, _LABELS) == 0
    assert collapse.mean_condition_number(z, _LABELS) == pytest.approx(1)
    balanced = np.repeat(np.arange(3), 4)
    assert collapse.etf_deviation(np.eye(3, 5)[balanced], balanced) == pytest.approx(0, abs=1e-25)
    assert collapse.alignment(z, _LABELS, np.eye(3, 5)) == pytest.approx(1)
    assert collapse.numerical_rank(z) == 3


def test_degenerate_features_are_infinitely_bad_not_nan():
    same = np.ones((10, 5))
    assert collapse.variability(same, _LABELS) == np.inf
    assert collapse.etf_deviation(same, _LABELS) == np.inf
    assert collapse.mean_condition_number(_FEATURES[0, :, :2], _LABELS) == np.inf
    assert collapse.numerical_rank(np.zeros((2, 2))) == 0


def test_balanced_chain_has_no_imbalance():
    u, s, vt = np.linalg.svd(_RNG.normal(size=(3, 4)), full_matrices=False)
    after, before = u * np.sqrt(s), np.sqrt(s)[:, None] * vt
    assert collapse.imbalance(after, before) < 1e-14
    assert collapse.imbalance(2 * after, before) == pytest.approx(3)


def test_inputs_are_left_alone():
    before = _FEATURES.copy(), _LABELS.copy()
    for metric in (collapse.class_means, collapse.variability, collapse.etf_deviation, collapse.mean_condition_number):
        metric(_FEATURES, _LABELS)
    assert (before[0] == _FEATURES).all()
    assert (before[1] == _LABELS).all()


def test_refusals(refuses):
    refuses("labels", collapse.variability, _FEATURES, _LABELS[:-1])
    refuses("labels", collapse.variability, _FEATURES, np.zeros(10))
    refuses("features", collapse.variability, np.full((10, 2), np.nan), _LABELS)
    refuses("weights", collapse.alignment, _FEATURES, _LABELS, np.eye(3))
    refuses("features", collapse.alignment, np.zeros((10, 3)), _LABELS, np.eye(3))
    refuses("before", collapse.imbalance, np.eye(3), np.zeros((3, 3)))
    refuses("before", collapse.imbalance, np.eye(3), np.eye(2))
    refuses("tolerance", collapse.numerical_rank, np.eye(3), tolerance=0.0)


def test_weights_outside_the_class_means_are_those_of_the_residual():
    weights = _RNG.normal(size=(3, 4, 5))
    means = collapse.class_means(_FEATURES, _LABELS)
    for rows, span, found in zip(weights, means, outside_means(weights, _FEATURES, _LABELS), strict=True):
        residual = rows - (np.linalg.lstsq(span.T, rows.T, rcond=None)[0].T @ span)
        assert found == pytest.approx(np.square(residual).sum() / np.square(rows).sum(), rel=1e-10)


def test_combinations_of_class_means_are_inside_and_zero_is_nowhere(refuses):
    means = collapse.class_means(_FEATURES, _LABELS)
    inside = _RNG.normal(size=(3, 4, 3)) @ means
    assert outside_means(inside, _FEATURES, _LABELS).max() < 1e-14
    # Equal means span one direction only.
    flat = np.ones((10, 5))
    assert float(outside_means(np.eye(5), flat, _LABELS)) == pytest.approx(0.8, abs=1e-12)
    assert np.isnan(outside_means(np.zeros((2, 5)), flat, _LABELS))
    refuses("weights", outside_means, np.eye(4), flat, _LABELS)
