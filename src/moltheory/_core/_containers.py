"""Frames, series, tables of Arrow, tensors and arrays of other libraries as arrays of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._floats import Asked, exact_floats, first_line, floats_of_objects, type_of
from moltheory._core._places import first_repeated
from moltheory.errors import InvalidInputError

__all__ = ["pandas_frame", "read_container"]

_Array = npt.NDArray[Any]

# What frames and series have, of which arrays have none.
_OF_FRAMES = (
    *("__dataframe__", "__arrow_c_stream__", "__arrow_c_array__", "__narwhals_dataframe__"),
    *("to_numpy", "to_native", "columns", "collect"),
)


def read_container(asked: Asked, value: Any) -> _Array:
    """Return a frame, a series, a tensor or another library's array as an array."""
    name, kind = asked.name, type(value)
    _refuse_sparse(name, value)
    _refuse_levels(name, value)
    if hasattr(value, "detach") and hasattr(value, "device"):
        return _of_tensor(name, value)
    plain = _simple(value, mixed=not asked.exact)
    if plain is not None:
        return plain
    if not any(hasattr(kind, attribute) for attribute in _OF_FRAMES):
        return _of_protocol(name, value)
    import narwhals as nw

    if _is_arrow(value):
        value = _table_of_arrow(name, value)
    try:
        frame: Any = nw.from_native(value, pass_through=True, allow_series=True)
    except Exception as error:
        # Such as two columns of one name.
        columns = [str(column) for column in getattr(value, "columns", ())]
        twice = first_repeated(columns)
        if twice is not None:
            raise InvalidInputError(
                f"`{name}` must have distinct column names, got {twice!r} twice: rename one."
            ) from None
        raise InvalidInputError(f"`{name}` must be a readable frame, got {first_line(error)}.") from None
    if isinstance(frame, nw.LazyFrame):
        raise InvalidInputError(
            f"`{name}` must be data in memory, got {type(value).__module__}.{type(value).__name__}, which is lazy: "
            f"collect it first."
        )
    if isinstance(frame, nw.DataFrame):
        return _of_frame(asked, frame)
    if isinstance(frame, nw.Series):
        return _of_series(asked, frame)
    return _of_protocol(name, value)


def pandas_frame(name: str, value: Any) -> Any:
    """Return a frame of any library as one of pandas; one of pandas is not copied.

    Raises
    ------
    InvalidInputError
        If it is no frame in memory.
    """
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        _refuse_levels(name, value)
        return value
    if _is_arrow(value):
        value = _table_of_arrow(name, value)
    import narwhals as nw

    frame: Any = nw.from_native(value, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        found = (
            f"{type_of(value)}, which is lazy: collect it first" if isinstance(frame, nw.LazyFrame) else type_of(value)
        )
        raise InvalidInputError(f"`{name}` must be a data frame, got {found}.")
    return frame.to_pandas()


def _is_arrow(value: Any) -> bool:
    """Whether only the Arrow or the interchange protocol tells what the value is."""
    module = type(value).__module__.split(".")[0]
    if module in ("pandas", "polars", "modin", "cudf", "narwhals") or (
        hasattr(value, "to_numpy") and module != "pyarrow"
    ):
        return False
    return any(hasattr(value, f"__{way}__") for way in ("arrow_c_stream", "arrow_c_array", "dataframe"))


def _table_of_arrow(name: str, value: Any) -> Any:
    import pyarrow as pa

    if isinstance(value, pa.Table | pa.ChunkedArray):
        return value
    if isinstance(value, pa.Array):
        return pa.chunked_array([value])
    try:
        if hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__"):
            try:
                return pa.table(value)
            except (TypeError, ValueError, pa.ArrowException):
                return pa.chunked_array(value)
        from pyarrow.interchange import from_dataframe

        return from_dataframe(value)
    except Exception as error:
        raise InvalidInputError(
            f"`{name}` must be a readable table, got {type(value).__name__}, for which pyarrow says: "
            f"{first_line(error)}."
        ) from None


def _simple(value: Any, *, mixed: bool) -> _Array | None:
    """Return a frame, series or array of numpy's numbers as it is, without a copy; integers beside floats if `mixed`."""
    if not hasattr(type(value), "__array__"):
        return None
    types = getattr(getattr(value, "dtypes", None), "array", None)
    dtypes = [getattr(value, "dtype", None)] if types is None else list(types)
    kinds = {dtype.kind if isinstance(dtype, np.dtype) else "" for dtype in dtypes}
    if not (kinds <= set("iuf" if mixed else "iu") or kinds in ({"b"}, {"f"})) or not kinds:
        return None
    found = np.asarray(value)
    return found if found.dtype.isnative else found.astype(found.dtype.newbyteorder("="))


def _of_frame(asked: Asked, frame: Any) -> _Array:
    columns = [_of_series(asked, column) for column in frame.iter_columns()]
    if not columns:
        return np.empty((len(frame), 0))
    if not asked.numbers:
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) > 1 and not kinds <= set("biuf"):
            columns = [column.astype(object) for column in columns]
    elif asked.exact and any(column.dtype.kind == "f" for column in columns):
        columns = [exact_floats(asked.name, one) if one.dtype.kind in "iu" else one for one in columns]
    return np.column_stack(columns)


def _of_series(asked: Asked, series: Any) -> _Array:
    """Return a column by its declared type; categories, decimals and objects as what they hold."""
    import narwhals as nw

    dtype = series.dtype
    if dtype.is_integer() or dtype == nw.Boolean:
        missing = np.asarray(series.is_null().to_numpy(), dtype=np.bool_)
        whole = series.fill_null(value=0 if dtype.is_integer() else False) if missing.any() else series
        filled = np.asarray(whole.to_numpy())
        if filled.dtype.kind == "O":
            filled = filled.astype(np.bool_ if dtype == nw.Boolean else np.int64)
        if not missing.any():
            return filled
        if not asked.numbers:
            objects = filled.astype(object)
            objects[missing] = None
            return objects
        floats = exact_floats(asked.name, filled)
        floats[missing] = np.nan
        return floats
    found = np.asarray(series.to_numpy())
    if not asked.numbers or found.dtype.kind in "biuf":
        return found
    where = f" in column {series.name!r}" if series.name not in (None, "") else ""
    if found.dtype.kind != "O":
        raise InvalidInputError(f"`{asked.name}` must be real numbers, got {dtype}{where}.")
    return floats_of_objects(asked.name, found, where)


def _of_tensor(name: str, tensor: Any) -> _Array:
    """Return a tensor of torch; its gradient says nothing about its values."""
    kind = getattr(tensor.device, "type", str(tensor.device))
    if kind != "cpu":
        raise InvalidInputError(
            f"`{name}` must be in the memory of the CPU, got a tensor on {tensor.device}: call .cpu()."
        )
    if getattr(tensor, "is_sparse", False) or "strided" not in str(getattr(tensor, "layout", "strided")):
        raise InvalidInputError(f"`{name}` must be dense, got a sparse tensor: call .to_dense().")
    plain = tensor.detach()
    if "bfloat16" in str(getattr(plain, "dtype", "")):
        plain = plain.float()
    try:
        return np.asarray(plain.resolve_conj().resolve_neg().numpy() if hasattr(plain, "resolve_neg") else plain)
    except (TypeError, RuntimeError, ValueError) as error:
        raise InvalidInputError(
            f"`{name}` must be real numbers, got a tensor of {plain.dtype}: {first_line(error)}."
        ) from None


def _of_protocol(name: str, value: Any) -> _Array:
    """Return what only ``__array__``, or only ``__dlpack__``, can read; anything else as one object."""
    if hasattr(type(value), "data_vars"):
        raise InvalidInputError(f"`{name}` must be one array, got {type_of(value)}: call .to_dataarray().")
    try:
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.asarray(np.from_dlpack(value))
        found = np.asarray(value)
    except InvalidInputError:
        raise
    except Exception as error:
        # A foreign object may raise anything.
        raise InvalidInputError(
            f"`{name}` must be an array, got {type_of(value)}, which numpy cannot read ({first_line(error)})."
        ) from None
    if type(found) is not np.ndarray:
        found = np.asarray(found)
    return found if found.dtype.isnative else found.astype(found.dtype.newbyteorder("="))


def _refuse_levels(name: str, value: Any) -> None:
    """Refuse columns with several levels of names, which flattened would be models of their own."""
    # To ask a lazy frame may compute it.
    columns: Any = None if hasattr(type(value), "collect") else getattr(value, "columns", None)
    levels = getattr(columns, "nlevels", 1)
    if isinstance(levels, int) and levels > 1:
        raise InvalidInputError(
            f"`{name}` must have one name for each column, got {levels} levels of names such as {columns[0]!r}: stack the "
            f"tables of objectives into an array (n, M, N), or give a long table to `from_long_table`."
        )


def _refuse_sparse(name: str, value: Any) -> None:
    if hasattr(value, "tocsr") and hasattr(value, "toarray"):
        raise InvalidInputError(f"`{name}` must be a dense array, got {type_of(value)}: call .toarray().")
