"""Counts and moments of pairs against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moltheory.errors import InvalidInputError
from moltheory.inference import _pairs
from moltheory.inference._pairs import PairCounts, PairMoments


def _slow(x):
    """Common examples, sums of differences and of their squares, and one-sided errors by loops over pairs."""
    m = x.shape[1]
    common, diff, square, only = (np.zeros((m, m)) for _ in range(4))
    for i in range(m):
        for j in range(m):
            here = ~np.isnan(x[:, i]) & ~np.isnan(x[:, j])
            gap = x[here, i] - x[here, j]
            common[i, j], diff[i, j], square[i, j] = here.sum(), gap.sum(), (gap**2).sum()
            only[i, j] = ((x[here, i] == 1) & (x[here, j] == 0)).sum()
    return common, diff, square, only


def _draw(rng, n, m, missing, binary=True):
    x = (rng.random((n, m)) < rng.random(m)).astype(float) if binary else rng.random((n, m))
    x[rng.random((n, m)) < missing] = np.nan
    return x


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_counts_are_those_of_the_loop(rng, monkeypatch, compiled, missing, dtype):
    monkeypatch.setattr(_pairs, "_COMPILE_FROM", 0 if compiled else 10**18)
    monkeypatch.setattr(_pairs, "_ROWS", 100)
    x = _draw(rng, 331, 7, missing)
    common, _, _, only = _slow(x)
    counts = PairCounts(7)
    given_rows = x.astype(dtype)
    for part in np.split(given_rows, [1, 65, 65, 200]):
        counts.update(part)
    np.testing.assert_array_equal(counts.common, common)
    np.testing.assert_array_equal(counts.only_first, only)
    np.testing.assert_array_equal(counts.count, (~np.isnan(x)).sum(axis=0))
    np.testing.assert_array_equal(counts.errors, np.nansum(x, axis=0))
    assert counts.common.dtype == counts.only_first.dtype == counts.errors.dtype == np.int64
    np.testing.assert_array_equal(given_rows, x.astype(dtype))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64])
def test_bools_and_integers_count_like_floats(rng, monkeypatch, compiled, dtype):
    monkeypatch.setattr(_pairs, "_COMPILE_FROM", 0 if compiled else 10**18)
    x = _draw(rng, 130, 5, 0.0)
    counts = PairCounts(5)
    counts.update(x.astype(dtype))
    np.testing.assert_array_equal(counts.only_first, _slow(x)[3])


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 300), m=st.integers(1, 9), missing=st.sampled_from([0.0, 0.1, 0.9]))
def test_both_paths_agree_on_strided_blocks(seed, n, m, missing):
    rng = np.random.default_rng(seed)
    x = np.stack([_draw(rng, n, m, missing)] * 2, axis=2)[:, :, 1]
    fast, plain = PairCounts(m), PairCounts(m)
    fast._work = 10**18
    fast.update(x)
    plain.update(x)
    for name in ("common", "only_first", "count", "errors"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(plain, name))
    np.testing.assert_array_equal(plain.only_first + plain.only_first.T <= plain.common, True)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_moments_are_those_of_the_loop(rng, monkeypatch, missing):
    monkeypatch.setattr(_pairs, "_ROWS", 50)
    x = _draw(rng, 173, 6, missing, binary=False)
    common, diff, square, _ = _slow(x)
    before = x.copy()
    moments = PairMoments(6)
    for part in np.split(x, [3, 90]):
        moments.update(part)
    np.testing.assert_array_equal(moments.common, common)
    np.testing.assert_allclose(moments.sum_diff, diff, atol=1e-12)
    np.testing.assert_allclose(moments.sum_sq_diff, square, atol=1e-12)
    np.testing.assert_allclose(moments.sum, np.nansum(x, axis=0))
    np.testing.assert_allclose(moments.sum_sq, np.nansum(x**2, axis=0))
    np.testing.assert_array_equal(x, before)


def test_what_models_have_in_common_does_not_cancel(rng):
    hard = rng.random((5000, 1)) * 1000.0
    x = hard + 1e-6 * rng.random((5000, 4))
    _, diff, square, _ = _slow(x)
    moments = PairMoments(4)
    moments.update(x)
    np.testing.assert_allclose(moments.sum_sq_diff, square, rtol=1e-6)
    np.testing.assert_allclose(moments.sum_diff, diff, rtol=1e-5, atol=1e-9)


def test_rounding_is_covered(rng):
    x = rng.random((20000, 3))
    x[:, 1] = x[:, 0] + 1e-9
    exact = ((x[:, 0].astype(np.longdouble) - x[:, 1].astype(np.longdouble)) ** 2).sum()
    moments = PairMoments(3)
    moments.update(x)
    assert abs(float(moments.sum_sq_diff[0, 1] - exact)) <= moments.rounding[0, 1]
    assert moments.rounding[0, 1] < 1e-6


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, np.inf])
def test_other_losses_are_refused_and_nothing_is_added(refuses, monkeypatch, compiled, value):
    monkeypatch.setattr(_pairs, "_COMPILE_FROM", 0 if compiled else 10**18)
    monkeypatch.setattr(_pairs, "_ROWS", 4)
    x = np.zeros((10, 2))
    x[7, 1] = value
    counts = PairCounts(2)
    refuses("block", counts.update, x)
    assert counts.common.sum() == counts.only_first.sum() == 0
    if np.isfinite(value) and value == int(value):
        refuses("block", counts.update, x.astype(np.int64))


def test_bad_blocks_are_refused(refuses):
    for kind in (PairCounts, PairMoments):
        refuses("block", kind(2).update, [[0.0]])
        refuses("block", kind(1).update, [["a"]])
        with pytest.raises(InvalidInputError):
            kind(0)
    refuses("block", PairMoments(1).update, [[np.inf]])
