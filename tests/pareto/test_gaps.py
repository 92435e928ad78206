"""Coverage and purity: by hand, against the definition, and by what must hold of any directed distance."""

from __future__ import annotations

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import moltheory.pareto._gaps as gaps
from moltheory.errors import InvalidInputError
from moltheory.pareto import (
    additive_epsilon,
    coverage_error,
    errors_of_selections,
    nondominated,
    purity_error,
)
from tests.pareto._oracles import slow_directed

VALUES = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0])


def sets_of(m):
    return hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(m)), elements=VALUES)


two_sets = st.integers(1, 3).flatmap(lambda m: st.tuples(sets_of(m), sets_of(m)))

# Two coins, mirrored decoys: true risks and what an unlucky sample selects.
GOLDEN = [
    # (selected, truth, coverage, purity)
    ([[0.5, 0.0]], [[0.5, 0.0], [0.5, 1.0], [0.5, 1.0]], 0.0, 0.0),
    ([[0.5, 0.0], [0.5, 1.0]], [[0.5, 0.0], [0.5, 1.0], [0.5, 1.0]], 0.0, 1.0),
    ([[0.3, 0.3]], [[0.1, 0.5], [0.3, 0.3], [0.4, 0.2], [0.5, 0.3]], 0.2, 0.0),
    ([[0.5, 0.3]], [[0.1, 0.5], [0.3, 0.3], [0.4, 0.2], [0.5, 0.3]], 0.4, 0.1),
    # A true point far inside the dominated region must not make an impure selection look pure.
    ([[2.0, 2.0]], [[0.0, 0.0], [2.0, 2.0]], 2.0, 2.0),
    # Selected points beyond the truth: both errors are 0, not negative.
    ([[-1.0, -1.0]], [[0.0, 0.0]], 0.0, 0.0),
]


@pytest.mark.parametrize(("selected", "truth", "coverage", "purity"), GOLDEN)
def test_golden(selected, truth, coverage, purity):
    assert coverage_error(selected, truth) == pytest.approx(coverage, abs=1e-15)
    assert purity_error(selected, truth) == pytest.approx(purity, abs=1e-15)


@given(two_sets)
@settings(max_examples=150, deadline=None)
def test_against_the_definition(pair):
    selected, truth = pair
    assert (coverage_error(selected, truth), purity_error(selected, truth)) == slow_directed(selected, truth)


@given(two_sets)
@settings(max_examples=100, deadline=None)
def test_laws(pair):
    selected, truth = pair
    front = truth[nondominated(truth)]
    coverage, purity = coverage_error(selected, truth), purity_error(selected, truth)
    # Nothing is missing from the front, nor from a set that holds it; nothing is impure in a part of it.
    assert coverage_error(front, truth) == 0.0
    assert coverage_error(np.concatenate([front, selected]), truth) == 0.0
    assert purity_error(front[::2], truth) == 0.0
    # More is never worse for coverage, never better for purity.
    assert coverage_error(np.concatenate([selected, truth]), truth) <= coverage
    assert purity_error(np.concatenate([selected, truth]), truth) >= purity
    # Moving everything selected by t costs at most t.
    assert coverage_error(selected + 0.25, truth) <= coverage + 0.25
    assert purity_error(selected + 0.25, truth) <= purity + 0.25
    # What nobody selected can only be dominated: dominated rows of the truth do not matter.
    assert coverage == coverage_error(selected, front)
    assert purity == purity_error(selected, front)
    # Maximisation is minimisation upside down.
    assert coverage == coverage_error(-selected, -truth, maximise=True)
    assert purity == purity_error(-selected, -truth, maximise=True)


@given(two_sets)
@settings(max_examples=60, deadline=None)
def test_agreement_with_moocore(pair):
    selected, truth = pair
    front = truth[nondominated(truth)]
    expected = max(0.0, float(moocore.epsilon_additive(selected, ref=front)))
    assert coverage_error(selected, truth) == expected
    assert coverage_error(selected, truth) == max(0.0, additive_epsilon(selected, front))


def test_scale():
    rng = np.random.default_rng(1)
    selected, truth, scale = rng.random((20, 3)), rng.random((30, 3)), np.array([2.0, 0.5, 8.0])
    for error in (coverage_error, purity_error):
        plain = error(selected, truth)
        # Powers of two scale exactly.
        assert error(selected * scale, truth * scale, scale=scale) == plain
        assert error(selected, truth, scale=[2.0, 2.0, 2.0]) == plain / 2
    both = (coverage_error(selected, truth, scale=scale), purity_error(selected, truth, scale=scale))
    assert both == slow_directed(selected, truth, scale)


def test_mixed_orientation():
    rng = np.random.default_rng(2)
    selected, truth = rng.random((9, 2)), rng.random((11, 2))
    turn = np.array([1.0, -1.0])
    for error in (coverage_error, purity_error):
        assert error(selected * turn, truth * turn, maximise=[False, True]) == error(selected, truth)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    angle = rng.random(300) * np.pi / 2
    truth = 1.0 - np.stack([np.cos(angle), np.sin(angle)], axis=1)
    selected = truth[:170] + 0.1 * rng.random((170, 2))
    expected = coverage_error(selected, truth), purity_error(selected, truth)
    assert expected == slow_directed(selected, truth)
    for chunk in (1, 7, 1000):
        monkeypatch.setattr(gaps, "_CHUNK", chunk)
        assert (coverage_error(selected, truth), purity_error(selected, truth)) == expected


def test_differences_beyond_the_largest_double_are_infinite():
    huge = np.finfo(float).max
    assert coverage_error([[huge]], [[-huge]]) == np.inf
    assert purity_error([[-huge]], [[huge]]) == 0.0


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("maximise", [False, True])
def test_many_selections_are_single_ones(m, maximise, unchanged):
    rng = np.random.default_rng(m)
    risks = unchanged(rng.integers(0, 10, (40, m)) / 8.0)
    masks = rng.random((300, 40)) < rng.choice([0.02, 0.2, 0.9], (300, 1))
    masks[np.arange(300), rng.integers(0, 40, 300)] = True
    coverage, purity = errors_of_selections(risks, unchanged(masks), maximise=maximise)
    assert coverage.shape == purity.shape == (300,)
    for mask, first, second in zip(masks, coverage, purity, strict=True):
        assert first == coverage_error(risks[mask], risks, maximise=maximise)
        assert second == purity_error(risks[mask], risks, maximise=maximise)


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        ([[True, False], [False, False]], "`selected` must select something in every row, got nothing in row 1"),
        ([[1, 0]], r"`selected` must be bool of shape \(R, 2\), got dtype int64"),
        ([[True]], r"`selected` must be bool of shape \(R, 2\), got dtype bool and shape \(1, 1\)"),
        (np.zeros((0, 2), dtype=bool), r"`selected` must be bool of shape \(R, 2\)"),
    ],
)
def test_selections_that_are_refused(selected, message):
    with pytest.raises(InvalidInputError, match=message):
        errors_of_selections([[0.0, 1.0], [1.0, 0.0]], selected)


@pytest.mark.parametrize(
    ("selected", "truth", "options", "message"),
    [
        ([], [[1.0]], {}, "`selected` must have shape"),
        (np.empty((0, 2)), [[1.0, 1.0]], {}, "`selected` must not be empty"),
        ([[1.0, 1.0]], np.empty((0, 2)), {}, "`truth` must not be empty"),
        ([[1.0]], [[1.0, 2.0]], {}, "`selected` must have 2 objectives, got 1"),
        ([[np.nan]], [[1.0]], {}, "`selected` must be finite, got NaN"),
        ([[1.0]], [[np.inf]], {}, "`truth` must be finite, got an infinity"),
        ([[1.0]], [[1.0]], {"scale": [0.0]}, "`scale` must be > 0 everywhere, got 0"),
        ([[1.0]], [[1.0]], {"scale": [1.0, 1.0]}, "`scale` must have 1 entries, got 2"),
        ([[1.0]], [[1.0]], {"scale": 2.0}, r"`scale` must have shape \(m,\), got shape \(\)"),
        ([[1.0]], [[1.0]], {"maximise": "yes"}, "`maximise` must be a bool"),
    ],
)
def test_refusals(selected, truth, options, message):
    for error in (coverage_error, purity_error):
        with pytest.raises(InvalidInputError, match=message):
            error(selected, truth, **options)


def test_inputs_are_left_alone(unchanged):
    rng = np.random.default_rng(4)
    selected, truth, scale = (unchanged(rng.random(shape)) for shape in ((5, 2), (9, 2), (2,)))
    for error in (coverage_error, purity_error):
        error(selected, truth, scale=scale, maximise=[True, False])
