"""The door for data in memory: types are kept, missing is NaN, and no number or label becomes another in silence."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from moltheory._core._inputs import labels_in, missing_entries, numbers_in, rows_of
from moltheory._core._labels import aligned_labels, axis_labels
from moltheory._core._validation import real_array, real_or_missing
from moltheory.errors import InvalidInputError

_NAN = np.nan


def _points(value):
    return real_array("points", value, shape="(n, m)", min_ndim=1, keep_integers=True)


@pytest.mark.parametrize(
    ("value", "dtype", "right"),
    [
        ([True, False], "bool", [1, 0]),
        (pd.Series([1, None], dtype="Int64"), "float64", [1, _NAN]),
        (pd.Series([1, 2], dtype="UInt8"), "uint8", [1, 2]),
        (pd.Series([1.5, None], dtype="float32"), "float32", [1.5, _NAN]),
        (pd.array([True, None], dtype="boolean"), "float64", [1, _NAN]),
        (pd.Series([True, None, pd.NA, 2], dtype=object), "float64", [1, _NAN, _NAN, 2]),
        (pd.Series([3, 4]).astype("category"), "int64", [3, 4]),
        (pd.Series(pd.arrays.SparseArray([0, 1])), "int64", [0, 1]),
        (pl.Series([1, None]), "float64", [1, _NAN]),
        (pl.Series([Decimal("0.1"), None]), "float64", [0.1, _NAN]),
        (pa.array([True, None]), "float64", [1, _NAN]),
        (pa.array([1, 0, 1]).dictionary_encode(), "int64", [1, 0, 1]),
        ([Fraction(1, 2), None, Decimal("NaN")], "float64", [0.5, _NAN, _NAN]),
        ([np.ma.array([1, 0], mask=[True, False])] * 2, "float64", [[_NAN, 0]] * 2),
        (np.ma.array([1, 0], mask=[True, False]), "float64", [_NAN, 0]),
        (np.ma.array([1, 0]), "int64", [1, 0]),
        ([np.ma.masked, 1.0], "float64", [_NAN, 1]),
        ([pl.Series([1, None]), pl.Series([0, 1])], "float64", [[1, _NAN], [0, 1]]),
        (np.array([1, 2], dtype=">i2"), "int16", [1, 2]),
        (np.array([0.5], dtype="float16"), "float16", [0.5]),
        (np.array([0.5], dtype="longdouble"), "float64", [0.5]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers(value, dtype, right):
    found = real_or_missing("x", value)
    assert type(found) is np.ndarray
    assert found.dtype == dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, right)


def test_tensors_are_read_without_their_gradient():
    torch = pytest.importorskip("torch")
    assert numbers_in("x", torch.tensor([0.5], requires_grad=True)).dtype == np.float32
    assert numbers_in("x", [torch.tensor(0.5, requires_grad=True), torch.tensor(1.0)]).tolist() == [0.5, 1.0]
    assert numbers_in("x", torch.tensor([0.5], dtype=torch.bfloat16)).tolist() == [0.5]
    assert numbers_in("x", torch.tensor([True])).dtype == np.bool_


_LARGE = 2**53 + 1


@pytest.mark.parametrize(
    "value",
    [
        [[_LARGE, 0.5]],
        pd.DataFrame({"a": [_LARGE], "b": [0.5]}),
        pd.DataFrame({"a": pd.Series([_LARGE], dtype="Int64"), "b": [0.5]}),
        pl.DataFrame({"a": [_LARGE], "b": [0.5]}),
        pa.table({"a": [_LARGE], "b": [0.5]}),
        [[2**64 + 1, 0]],
        np.array([[np.longdouble("0.1"), 0]]) if np.finfo(np.longdouble).nmant > 52 else [[_LARGE, 0.5]],
    ],
    ids=lambda value: type(value).__module__.split(".")[0],
)
def test_numbers_that_floats_would_merge_are_refused(value, refuses):
    refuses("points", _points, value)


@pytest.mark.parametrize("wrap", [np.array, pd.DataFrame, lambda x: pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}), list])
def test_large_integers_stay_integers(wrap):
    values = np.array([[_LARGE, 0], [_LARGE - 1, 0]])
    assert _points(wrap(values)).tolist() == values.tolist()


def test_large_integers_beside_missing_ones_are_refused(refuses):
    for value in (pd.Series([_LARGE, None], dtype="Int64"), pa.array([_LARGE, None])):
        refuses("x", real_or_missing, "x", value)


@pytest.mark.parametrize(
    "value",
    [
        *("x", b"x", ["1"], [["x", 1]], [1j], {1, 2}, {"a": 1}, object(), [object()], [[1], [1, 2]], len),
        *(pd.Series(["1"]), pd.Series(["1", 2], dtype=object), pl.Series(["1"]), pl.Series([[1], [2]])),
        *(pd.Series(pd.to_datetime(["2020"])), pd.Series(pd.period_range("2020", periods=1))),
        *(np.array([(1, 2.0)], dtype="i,f"), np.array(["2020"], dtype="M8[D]")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_refused(value, refuses):
    refuses("x", real_or_missing, "x", value)


@pytest.mark.parametrize(
    ("value", "kind", "right"),
    [
        (["a", "b"], "U", ["a", "b"]),
        ([1, "1"], "O", [1, "1"]),
        (["a", None], "O", ["a", None]),
        ([True, "True"], "O", [True, "True"]),
        ([b"a", "a"], "O", [b"a", "a"]),
        (["a\0", "a"], "O", ["a\0", "a"]),
        (pd.Series(["a", "b"]), "U", ["a", "b"]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), "U", ["a", "b"]),
        (pa.array(["a", "b"]), "U", ["a", "b"]),
        (pd.Series(["a", "b"]).astype("category"), "U", ["a", "b"]),
        (pd.Series([1, 0]).astype("category"), "i", [1, 0]),
        (pd.Series([1, 0], dtype=object), "i", [1, 0]),
        (pd.Series([True, False], dtype="boolean"), "b", [True, False]),
        (pd.Series([1, None], dtype="Int64"), "O", [1, None]),
        ([Decimal(1), Decimal(0)], "f", [1, 0]),
        ([2**70, 1], "O", [2**70, 1]),
        (np.ma.array([1, 2], mask=[True, False]), "O", [None, 2]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels(value, kind, right):
    found = labels_in("x", value)
    assert found.dtype.kind == kind
    assert found.tolist() == right
    assert missing_entries(found).tolist() == [entry is None for entry in right]


def test_missing_labels_are_seen():
    for value in (["a", _NAN], [1.0, _NAN], pd.Series(["a", pd.NA]), np.array(["NaT", "2020"], dtype="M8[D]")):
        assert missing_entries(labels_in("x", value)).sum() == 1


def test_rows_of_features():
    from scipy import sparse

    for features in (
        np.eye(3),
        sparse.csr_array(np.eye(3)),
        pd.DataFrame(np.eye(3)),
        [[1]] * 3,
        pa.table({"a": [1, 2, 3]}),
    ):
        assert rows_of("x", features) == 3
    for features in ("abc", 3, np.float64(1)):
        with pytest.raises(InvalidInputError, match="`x` must hold one row"):
            rows_of("x", features)


def test_labels_of_axes():
    import xarray as xr

    held = xr.DataArray([[1]], dims=("e", "m"), coords={"e": ["x"], "m": ["A"]})
    assert (axis_labels(held), axis_labels(held, 1)) == (["x"], ["A"])
    for numbered in (pd.Series([1, 2]), pd.Series([1, 2], index=[0, 1]), np.eye(2), [1], "text", pl.Series([1]), None):
        assert axis_labels(numbered) is None
    assert axis_labels(pd.Series([1, 2], index=[1, 0])) == [1, 0]
    assert axis_labels({"a": 1}) == ["a"]
    for frame in (
        pd.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [1]}),
        pa.table({"a": [1]}),
        pa.record_batch({"a": [1]}),
    ):
        assert axis_labels(frame, 1) == ["a"]


def test_matching_of_odd_labels(refuses):
    def match(labels, rows):
        return aligned_labels("x", pd.Series([10, 20], index=labels), rows, 2, of="losses").tolist()

    assert match([1, "1"], ["1", 1]) == [20, 10]
    assert match([_NAN, "a"], ["a", _NAN]) == [20, 10]
    assert match(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), [("b", 2), ("a", 1)]) == [20, 10]
    # Names are text: numbers match their texts where nothing else does.
    assert match([7, 8], ["8", "7"]) == [20, 10]
    assert match([7, 8], None) == [10, 20]
    refuses("x", match, ["7", 9], ["8", "7"])
