"""One table in every container that people hold numbers in: each maker takes an array (n, M) and names of its columns."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xarray as xr


class OnlyArray:
    """Has ``__array__`` and nothing else."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


class OnlyDlpack:
    """Has the protocol of DLPack and nothing else."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class OnlyInterchange:
    """Has ``__dataframe__`` and nothing else."""

    def __init__(self, values):
        self.values = values

    def __dataframe__(self, *args, **options):
        return self.values.__dataframe__(*args, **options)


class OnlyArrow:
    """Has the stream of Arrow and nothing else."""

    def __init__(self, values):
        self.values = values

    def __arrow_c_stream__(self, requested_schema=None):
        return self.values.__arrow_c_stream__(requested_schema)


def _frame(values, names):
    return pd.DataFrame(values, columns=list(names))


def _whole(values):
    """The nullable type of pandas for values that are whole, or NaN."""
    return {"b": "boolean", "i": "Int64", "f": "Float64"}[values.dtype.kind]


def _nullable(values, names):
    return _frame(values, names).astype(_whole(values))


def _arrow_backed(values, names):
    return _nullable(values, names).astype(
        {"b": "bool[pyarrow]", "i": "int64[pyarrow]", "f": "double[pyarrow]"}[values.dtype.kind]
    )


def _lists(values, names):
    """Columns of Python's values, None where one is missing."""
    return {
        name: [None if entry != entry else entry for entry in column.tolist()]
        for name, column in zip(names, values.T, strict=True)
    }


def _table(values, names):
    return pa.table(_lists(values, names))


def _torch(values, names):
    torch = pytest.importorskip("torch")

    tensor = torch.from_numpy(np.ascontiguousarray(values))
    return tensor.requires_grad_() if values.dtype.kind == "f" else tensor


def _read_only(values, names):
    copy = values.copy()
    copy.flags.writeable = False
    return copy


CONTAINERS = {
    "read-only": _read_only,
    "other byte order": lambda values, names: values.astype(values.dtype.newbyteorder(">")),
    "columns of a larger array": lambda values, names: np.repeat(values, 2, axis=1)[:, ::2],
    "masked": lambda values, names: np.ma.masked_invalid(values) if values.dtype.kind == "f" else np.ma.array(values),
    "pandas": _frame,
    "pandas, nullable": _nullable,
    "pandas, of Arrow": _arrow_backed,
    "polars": lambda values, names: pl.DataFrame(_lists(values, names)),
    "pyarrow": _table,
    "record batch": lambda values, names: pa.record_batch(_lists(values, names)),
    "xarray": lambda values, names: xr.DataArray(values, dims=("example", "model"), coords={"model": list(names)}),
    "torch": _torch,
    "__array__": lambda values, names: OnlyArray(values),
    "__dlpack__": lambda values, names: OnlyDlpack(np.ascontiguousarray(values)),
    "__dataframe__": lambda values, names: OnlyInterchange(_table(values, names)),
    "__arrow_c_stream__": lambda values, names: OnlyArrow(_table(values, names)),
}
# Those that keep values and not their types: floats of the same numbers.
UNTYPED = {
    "pandas, objects": lambda values, names: _frame(values, names).astype(object),
    "decimals": lambda values, names: pd.DataFrame(_decimals(values), columns=list(names)),
    "categories": lambda values, names: _frame(values.astype(float), names).astype("category"),
}
NAMED = (
    "pandas",
    "pandas, nullable",
    "pandas, of Arrow",
    "polars",
    "pyarrow",
    "record batch",
    "xarray",
    "__dataframe__",
)


def _decimals(values):
    from decimal import Decimal

    return [[None if entry != entry else Decimal(repr(float(entry))) for entry in row] for row in values.tolist()]
