"""Hypervolumes of many sets are those of each, and all of them are volumes: counted, additive, monotone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.pareto import hypervolume, hypervolumes_of_selections
from moltheory.pareto._hypervolume import volumes_of_columns


def test_hypervolume_golden():
    assert hypervolume([[1.0, 1.0]], reference=[3.0, 4.0]) == 6.0
    # Two boxes less their overlap.
    assert hypervolume([[0.0, 2.0], [1.0, 0.0]], reference=[3.0, 3.0]) == 3 * 1 + 2 * 3 - 2 * 1
    assert hypervolume([[5.0, 5.0]], reference=[3.0, 3.0]) == 0.0
    assert hypervolume([[2.0], [1.0]], reference=[4.0]) == 3.0
    assert hypervolume([[0.0, 0.0, 0.0]], reference=[1.0, 2.0, 3.0]) == 6.0


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_hypervolume_counts_the_cells_of_a_lattice(m):
    rng = np.random.default_rng(m)
    for _ in range(10):
        points = rng.integers(0, 5, (6, m))
        cells = np.array(list(itertools.product(range(4), repeat=m)))
        expected = (points[:, None] <= cells[None]).all(axis=2).any(axis=0).sum()
        assert hypervolume(points, reference=[4] * m) == expected
        assert hypervolume(-points, reference=[-4] * m, maximise=True) == expected
        turn = np.where(np.arange(m) == 0, -1, 1)
        mixed = [True] + [False] * (m - 1)
        assert hypervolume(points * turn, reference=4 * turn, maximise=mixed) == expected
        assert volumes_of_columns(points.T[..., None] * 1.0, np.full((m, 1), 4.0)).tolist() == [expected]


def test_hypervolume_is_additive_over_a_cut():
    rng = np.random.default_rng(1)
    points = rng.random((40, 3))
    whole = hypervolume(points, reference=[1.0, 1.0, 1.0])
    below = hypervolume(points, reference=[0.5, 1.0, 1.0])
    above = hypervolume(np.maximum(points, [0.5, 0.0, 0.0]), reference=[1.0, 1.0, 1.0])
    assert whole == pytest.approx(below + above, rel=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("limit", [1.25, 0.875])
def test_many_selections_are_single_ones(m, maximise, limit, unchanged):
    rng = np.random.default_rng(m)
    risks = unchanged(rng.integers(0, 12, (30, m)) / 8.0)
    masks = rng.random((200, 30)) < rng.choice([0.03, 0.3], (200, 1))
    masks[np.arange(200), rng.integers(0, 30, 200)] = True
    reference = unchanged(np.full(m, 1.5 - limit if maximise else limit))
    found = hypervolumes_of_selections(risks, unchanged(masks), reference=reference, maximise=maximise)
    expected = [hypervolume(risks[mask], reference=reference, maximise=maximise) for mask in masks]
    # Multiples of 1/8 add up exactly, in any order.
    np.testing.assert_array_equal(found, expected)


def test_many_selections_beyond_the_reference():
    masks = np.array([[True, False], [True, True]])
    assert hypervolumes_of_selections([[2.0, 0.0], [0.0, 2.0]], masks, reference=[1.0, 1.0]).tolist() == [0, 0]
    with pytest.raises(InvalidInputError, match="`selected` must select something in every row"):
        hypervolumes_of_selections([[2.0, 0.0], [0.0, 2.0]], ~masks, reference=[1.0, 1.0])


def test_many_selections_do_not_hang_on_the_cut_into_chunks(monkeypatch, rng):
    from moltheory.pareto import _hypervolume

    risks, masks = rng.random((9, 2)), rng.random((500, 9)) < 0.4
    masks[:, 0] = True
    whole = hypervolumes_of_selections(risks, masks, reference=[1.0, 1.0])
    monkeypatch.setattr(_hypervolume, "_CHUNK", 64)
    np.testing.assert_allclose(hypervolumes_of_selections(risks, masks, reference=[1.0, 1.0]), whole, rtol=1e-14)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(), (50,), (5, 7)])
@pytest.mark.parametrize("selecting", [False, True])
def test_batches_are_single_sets(m, shape, selecting, rng):
    points = rng.integers(0, 12, (m, 6, *shape)) / 8.0
    reference = rng.integers(6, 14, (m, *shape)) / 8.0
    selected = rng.random((6, *shape)) < 0.5 if selecting else None
    found = volumes_of_columns(points, reference, selected)
    assert found.shape == shape
    for index in np.ndindex(*shape):
        chosen = points[(slice(None), slice(None), *index)].T
        if selected is not None:
            chosen = chosen[selected[(slice(None), *index)]]
        expected = hypervolume(chosen, reference=reference[(slice(None), *index)]) if len(chosen) else 0.0
        assert found[index] == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_axes_of_length_one_are_broadcast(m, rng):
    points, reference = rng.random((m, 5, 8)), np.full((m, 1), 0.8)
    one = volumes_of_columns(points, reference)
    np.testing.assert_array_equal(one, volumes_of_columns(points, np.repeat(reference, 8, axis=1)))
    selected = rng.random((5, 8)) < 0.5
    of_one = volumes_of_columns(points[:, :, :1], reference, selected)
    repeated = volumes_of_columns(np.repeat(points[:, :, :1], 8, axis=2), reference, selected)
    np.testing.assert_allclose(of_one, repeated, atol=1e-15)
    corners = 0.5 + rng.random((m, 8))
    of_one = volumes_of_columns(points[:, :, :1], corners)
    np.testing.assert_allclose(of_one, volumes_of_columns(np.repeat(points[:, :, :1], 8, axis=2), corners), atol=1e-15)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_volumes_grow_with_the_set_and_with_the_reference(m, rng):
    points, reference = rng.normal(size=(m, 7, 300)), np.full((m, 1), 0.5)
    few = rng.random((7, 300)) < 0.4
    more = few | (rng.random((7, 300)) < 0.4)
    assert (volumes_of_columns(points, reference, few) <= volumes_of_columns(points, reference, more) + 1e-12).all()
    assert (volumes_of_columns(points, reference, more) <= volumes_of_columns(points, reference) + 1e-12).all()
    assert (volumes_of_columns(points, reference) <= volumes_of_columns(points, reference + 0.1) + 1e-12).all()
    assert (volumes_of_columns(points, np.full((m, 1), -9.0)) == 0.0).all()
    assert (volumes_of_columns(points, reference, np.zeros((7, 300), bool)) == 0.0).all()
