"""Non-dominated and weakly optimal rows: every path against the definition, and the laws of dominance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import moltheory.pareto._bulk as bulk
from moltheory.errors import InvalidInputError
from moltheory.pareto import nondominated, pareto_front, pareto_rank
from moltheory.pareto._bulk import bulk_masks
from moltheory.pareto._delegation import as_doubles, delegated_mask
from moltheory.pareto._small import small_masks
from tests.pareto._oracles import KINDS, oracle, sample, slow_nondominated, slow_rank


def by_delegation(sets, flags, *, weak):
    return np.stack([delegated_mask(rows, weak=weak) for rows in sets])


def by_numpy(sets, flags, *, weak):
    return small_masks(sets, weak=weak)


def by_single_passes(sets, flags, *, weak):
    return np.concatenate([bulk_masks(rows[None], flags, weak=weak) for rows in sets])


PATHS = {"numpy": by_numpy, "batch": bulk_masks, "single": by_single_passes, "moocore": by_delegation}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("m", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weak", [False, True])
def test_every_path_agrees_with_the_definition(path, m, kind, weak):
    rng = np.random.default_rng([m, KINDS.index(kind)])
    for n in (2, 7, 60, 300):
        sets = np.stack([sample(kind, n, m, rng) for _ in range(3)])
        expected = np.stack([oracle(rows, weak=weak) for rows in sets])
        np.testing.assert_array_equal(path(sets, (False,) * m, weak=weak), expected)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
@pytest.mark.parametrize("weak", [False, True])
def test_every_path_agrees_on_integers(path, dtype, weak):
    rng = np.random.default_rng(3)
    for m in (2, 3):
        sets = rng.integers(0, 12, (3, 150, m)).astype(dtype)
        expected = np.stack([oracle(rows, weak=weak) for rows in sets])
        np.testing.assert_array_equal(path(sets, (False,) * m, weak=weak), expected)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("weak", [False, True])
def test_a_full_archive_is_made_good_by_exact_code(monkeypatch, m, weak):
    monkeypatch.setattr(bulk, "_CAPACITY", 4)
    monkeypatch.setattr(bulk, "_PATIENCE", 10**6)
    rng = np.random.default_rng(5)
    for kind in KINDS:
        sets = np.stack([sample(kind, 400, m, rng) for _ in range(2)])
        expected = np.stack([oracle(rows, weak=weak) for rows in sets])
        np.testing.assert_array_equal(bulk_masks(sets, (False,) * m, weak=weak), expected)
        np.testing.assert_array_equal(bulk_masks(sets[:1], (False,) * m, weak=weak), expected[:1])


@pytest.mark.parametrize("weak", [False, True])
def test_blocks_change_nothing(monkeypatch, weak):
    monkeypatch.setattr(bulk, "_BLOCK", 37)
    rng = np.random.default_rng(6)
    for m, kind in itertools.product((2, 3), KINDS):
        sets = np.stack([sample(kind, 200, m, rng) for _ in range(3)])
        flags = (True,) + (False,) * (m - 1)
        expected = np.stack([oracle(rows * np.where(flags, -1, 1), weak=weak) for rows in sets])
        np.testing.assert_array_equal(bulk_masks(sets, flags, weak=weak), expected)
        np.testing.assert_array_equal(bulk_masks(sets[:1], flags, weak=weak), expected[:1])


@pytest.mark.parametrize("m", [1, 2, 3, 4])
@pytest.mark.parametrize("weak", [False, True])
def test_all_orientations(m, weak):
    rng = np.random.default_rng(m)
    for flags in itertools.product([False, True], repeat=m):
        points = rng.integers(0, 4, (25, m))
        expected = slow_nondominated(points, flags, weak=weak)
        for typed in (points, points.astype(float), points.astype(np.uint8)):
            np.testing.assert_array_equal(nondominated(typed, maximise=flags, weak=weak), expected)
            repeated = np.tile(typed, (1700, 1))
            np.testing.assert_array_equal(nondominated(repeated, maximise=flags, weak=weak), np.tile(expected, 1700))
    same = nondominated(points, maximise=True, weak=weak)
    np.testing.assert_array_equal(same, nondominated(points, maximise=[True] * m, weak=weak))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
def test_the_extreme_integers_do_not_overflow(dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    points = np.array([[low, high], [high, low], [high, high], [low, low], [low + 1, high - 1]], dtype=dtype)
    for flags in itertools.product([False, True], repeat=2):
        expected = slow_nondominated(points, flags)
        np.testing.assert_array_equal(nondominated(points, maximise=flags), expected)
        if dtype in (np.int64, np.uint8):  # the large path, compiled once for each dtype
            many = np.tile(points, (5000, 1))
            np.testing.assert_array_equal(nondominated(many, maximise=flags), np.tile(expected, 5000))
        np.testing.assert_array_equal(pareto_rank(points, maximise=flags) == 0, expected)


def test_neighbouring_large_integers_are_told_apart():
    # 2**53 and 2**53 + 1 are one double.
    points = np.array([[2**53, 2**53 + 1, 0], [2**53 + 1, 2**53, 0], [2**53 + 1, 2**53 + 1, 0]])
    expected = [True, True, False]
    assert nondominated(points).tolist() == expected
    assert delegated_mask(points, weak=False).tolist() == expected
    assert pareto_rank(points).tolist() == [0, 0, 1]
    assert nondominated(np.tile(points, (8000, 1))).tolist() == expected * 8000


def test_sets_of_one_point():
    assert nondominated(np.zeros((7, 1, 3))).all()


def test_infinities_reach_moocore_as_ranks():
    doubles = as_doubles(np.array([[np.inf, 1.0], [-np.inf, 2.0], [0.0, 2.0]]))
    assert doubles.tolist() == [[2, 0], [0, 1], [1, 1]]


@pytest.mark.slow
@pytest.mark.parametrize("m", [1, 2, 3, 5])
@pytest.mark.parametrize("weak", [False, True])
def test_a_batch_is_its_sets(m, weak):
    rng = np.random.default_rng(8)
    sets = rng.integers(0, 9, (4, 3, 50, m))
    found = nondominated(sets, weak=weak)
    assert found.shape == (4, 3, 50)
    for where in np.ndindex(4, 3):
        np.testing.assert_array_equal(found[where], nondominated(sets[where], weak=weak))
    if m > 1:
        large = rng.random((70, 400, m))
        np.testing.assert_array_equal(
            nondominated(large, weak=weak), np.stack([oracle(rows, weak=weak) for rows in large])
        )


@pytest.mark.parametrize("order", ["F", "reversed", "strided"])
def test_memory_layout_is_no_matter(order):
    rng = np.random.default_rng(9)
    base = rng.random((90_000, 3))
    points = {"F": np.asfortranarray(base), "reversed": base[::-1, ::-1], "strided": base[::3]}[order]
    assert not points.flags.c_contiguous
    expected = nondominated(np.ascontiguousarray(points))
    np.testing.assert_array_equal(nondominated(points), expected)


points_of_any_size = st.tuples(st.integers(1, 30), st.integers(1, 4)).flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf])
    )
)


@given(points=points_of_any_size, seed=st.integers(0, 99), weak=st.booleans())
@settings(max_examples=80, deadline=None)
def test_laws(points, seed, weak):
    kept = nondominated(points, weak=weak)
    assert kept.any()
    order = np.random.default_rng(seed).permutation(len(points))
    np.testing.assert_array_equal(nondominated(points[order], weak=weak), kept[order])
    # Taking the front of the front changes nothing.
    assert nondominated(points[kept], weak=weak).all()
    # An increasing transform of each objective changes nothing; nor does turning it twice.
    np.testing.assert_array_equal(nondominated(np.arctan(points) * 3 + 1, weak=weak), kept)
    np.testing.assert_array_equal(nondominated(-points, maximise=True, weak=weak), kept)
    # Copies of rows stand or fall together.
    np.testing.assert_array_equal(nondominated(np.tile(points, (2, 1)), weak=weak), np.tile(kept, 2))
    if weak:
        assert kept[nondominated(points)].all()


def test_adversarial_orders_of_a_large_set():
    rng = np.random.default_rng(10)
    base = rng.random((60_000, 2))
    base[:30_000] += 1.0
    base = np.concatenate([base, base[rng.integers(0, 60_000, 500)]])
    kept = delegated_mask(base, weak=False)
    for order in (np.argsort(base.sum(axis=1)), np.argsort(-base.sum(axis=1)), np.argsort(base[:, 0])):
        np.testing.assert_array_equal(nondominated(base[order]), kept[order])


def test_inputs_are_left_alone(unchanged):
    rng = np.random.default_rng(11)
    for shape in ((40, 2), (40, 3), (30_000, 2), (30_000, 4), (100, 300, 2), (100, 300, 3)):
        floats = unchanged(rng.random(shape))
        counts = unchanged(rng.integers(0, 50, shape).astype(np.int32))
        for points, maximise, weak in itertools.product((floats, counts), (False, True), (False, True)):
            nondominated(points, maximise=maximise, weak=weak)
    pareto_rank(unchanged(rng.random((20, 3))), maximise=[True, False, True])


@pytest.mark.parametrize("shape", [(3, 2), (70_000, 2), (70_000, 1), (50_000, 3), (300, 300, 2), (300, 300, 3)])
@pytest.mark.parametrize("where", [0, 1, -1])
@pytest.mark.parametrize("weak", [False, True])
def test_nan_is_found_wherever_it_is(shape, where, weak):
    rng = np.random.default_rng(12)
    points = rng.random(shape) + 1.0
    points.reshape(-1, shape[-1])[where, -1] = np.nan
    with pytest.raises(InvalidInputError, match="`points` must not contain NaN"):
        nondominated(points, weak=weak)
    dense = np.linspace(0.0, 1.0, shape[-2])[:, None] * np.where(np.arange(shape[-1]) % 2, -1.0, 1.0)
    dense = np.broadcast_to(dense, shape).copy()
    dense.reshape(-1, shape[-1])[where, 0] = np.nan
    with pytest.raises(InvalidInputError, match="`points` must not contain NaN"):
        nondominated(dense, weak=weak)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        ([], {}, r"`points` must have shape \(..., n, m\), got shape \(0,\)"),
        (np.empty((0, 2)), {}, "`points` must not be empty"),
        (np.empty((3, 0)), {}, "`points` must not be empty"),
        ([1.0, 2.0], {}, "`points` must have shape"),
        ([[1.0], [1.0, 2.0]], {}, "`points` must be an array of shape .* ragged"),
        ([["a", "b"]], {}, "`points` must be real numbers"),
        ([[1.0, 2.0]], {"maximise": [True]}, r"`maximise` must hold one bool per objective \(2\), got 1"),
        ([[1.0, 2.0]], {"maximise": 1}, "`maximise` must be a bool or one bool per objective, got 1"),
        ([[1.0, 2.0]], {"maximise": [0, 1]}, "`maximise` must be a bool or one bool per objective"),
    ],
)
def test_refusals(points, options, message):
    for function in (nondominated, pareto_rank):
        with pytest.raises(InvalidInputError, match=message):
            function(points, **options)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_ranks(m):
    rng = np.random.default_rng(m)
    sets = rng.integers(0, 5, (2, 3, 40, m))
    ranks = pareto_rank(sets)
    assert ranks.dtype == np.int64
    for where in np.ndindex(2, 3):
        np.testing.assert_array_equal(ranks[where], slow_rank(sets[where]))
    np.testing.assert_array_equal(pareto_rank(-sets.astype(float), maximise=True), ranks)
    np.testing.assert_array_equal(ranks == 0, nondominated(sets))


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_ranks_and_fronts_take_infinities(rng, m):
    for _ in range(20):
        points = rng.choice([-np.inf, 0.0, 1.0, np.inf], size=(9, m))
        left, ranks, rank = np.arange(9), np.full(9, -1), 0
        while left.size:
            best = nondominated(points[left])
            ranks[left[best]], left, rank = rank, left[~best], rank + 1
        assert pareto_rank(points).tolist() == ranks.tolist()
        assert sorted(pareto_front(points).members) == np.flatnonzero(ranks == 0).tolist()
    assert pareto_rank([[-np.inf, 0], [-np.inf, 1], [0, np.inf]], maximise=[False, True]).tolist() == [1, 0, 0]


@pytest.mark.parametrize("shape", [(3, 2), (100_000, 2)])
def test_masked_entries_are_refused(shape):
    points = np.ma.array(np.random.default_rng(0).random(shape), mask=False)
    plain = nondominated(points.data)
    np.testing.assert_array_equal(nondominated(points), plain)
    points[1, 1] = np.ma.masked
    for function in (nondominated, pareto_rank):
        with pytest.raises(InvalidInputError, match=r"^`points` must not hold masked entries, got 1 of them\.$"):
            function(points)
