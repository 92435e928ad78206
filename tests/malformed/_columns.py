"""Changes of columns with types, in Parquet and Arrow: other types, names and sizes, and bytes below them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather, parquet

from tests.malformed._bytes import BYTES, changed

_COLUMNS: tuple[Callable[[int], Any], ...] = (
    lambda n: pa.array([[0.0]] * n),
    lambda n: pa.array([{"x": 1, "y": [2]}] * n),
    lambda n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    lambda n: pa.array([[1.0, 2.0]] * n, pa.list_(pa.float64(), 2)),
    lambda n: pa.array(["a"] * n),
    lambda n: pa.array([""] * n),
    lambda n: pa.array([None] * n, pa.string()),
    lambda n: pa.array(["a\0b\x1b[31m\u202e"] * n, pa.large_string()),
    lambda n: pa.array(["x" * 10_000] * n, pa.string_view()),
    lambda n: pa.array([b"\xff\xfe"] * n),
    lambda n: pa.array([b"\xff\xfe"] * n, pa.binary(2)),
    lambda n: _not_utf8(n),
    lambda n: pa.array([True, None] * n)[:n],
    lambda n: pa.array([0.0, np.nan, np.inf, -np.inf] * n)[:n],
    lambda n: pa.array([2**63] * n, pa.uint64()),
    lambda n: pa.array([-1] * n, pa.int8()),
    lambda n: pa.array([1e308] * n),
    lambda n: pa.array(np.full(n, 0.5, np.float16)),
    lambda n: pa.array([Decimal("0.5")] * n, pa.decimal128(38, 18)),
    lambda n: pa.array([Decimal("9" * 60)] * n, pa.decimal256(76, 0)),
    lambda n: pa.array([date(2026, 1, 1)] * n),
    lambda n: pa.array([time(1)] * n),
    lambda n: pa.array([2**62] * n, pa.timestamp("s")),
    lambda n: pa.array([0] * n, pa.timestamp("ns", "UTC")),
    lambda n: pa.array([0] * n, pa.timestamp("ns", "no/zone")),
    lambda n: pa.array([2**62] * n, pa.duration("s")),
    lambda n: pa.nulls(n),
    lambda n: pa.array(["a", None] * n)[:n].dictionary_encode(),
    lambda n: pa.DictionaryArray.from_arrays(pa.array([0, None] * n, pa.int8())[:n], pa.array([[1.0]])),
    lambda n: pa.DictionaryArray.from_arrays(pa.array([0, 1] * n, pa.int8())[:n], pa.array(["a", "a"])),
)
_ARROW_ONLY: tuple[Callable[[int], Any], ...] = (
    lambda n: pa.array([pa.MonthDayNano([1, 2, 3])] * n),
    lambda n: pa.UnionArray.from_sparse(pa.array([0] * n, pa.int8()), [pa.array([1.0] * n)]),
    lambda n: pa.RunEndEncodedArray.from_arrays(pa.array([n], pa.int32()), pa.array([0.5])),
    lambda n: pa.DictionaryArray.from_arrays(pa.array([0, 99] * n, pa.int8())[:n], pa.array(["a"]), safe=False),
)
_NAMES = (
    "",
    " ",
    "a\0b",
    "\x1b[31m",
    "\u202e",
    "model",
    "example",
    "loss",
    "objective",
    "cluster",
    "small/x",
    "a" * 10_000,
    "$x^2$",
)
_BAD_METADATA = (b"{bad", b"[]", b"null", b'{"index_columns": ["x"]}', b'{"columns": 3}', b"\xff", b"[" * 5000)


def _not_utf8(n: int) -> Any:
    places = np.arange(n + 1, dtype=np.int32) * 2
    return pa.StringArray.from_buffers(n, pa.py_buffer(places.tobytes()), pa.py_buffer(b"\xff\xc3" * n))


def _write_parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, row_group_size=5)
    return buffer.getvalue()


def _write_arrow(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return buffer.getvalue()


def columns_changed(content: bytes, rng: np.random.Generator, *, arrow: bool) -> bytes:
    """Return a table with a column of another type, name or number, or with changed bytes."""
    kind = int(rng.integers(9))
    if kind <= 2:
        return changed(content, rng, BYTES)
    table = feather.read_table(io.BytesIO(content)) if arrow else parquet.read_table(io.BytesIO(content))
    place, rows = int(rng.integers(table.num_columns)), table.num_rows
    kinds = (*_COLUMNS, *_ARROW_ONLY) if arrow else _COLUMNS
    name = _NAMES[int(rng.integers(len(_NAMES)))]
    if kind <= 5:
        own = table.schema.names[place]
        table = table.set_column(place, own, kinds[int(rng.integers(len(kinds)))](rows))
    elif kind == 6:
        names = list(table.schema.names)
        names[place] = name if rng.random() < 0.7 else names[0]
        table = table.rename_columns(names)
    elif kind == 7:
        sizes = (
            table.slice(0, 0),
            table.select([]),
            table.remove_column(place),
            pa.concat_tables([table] * 40),
            table.slice(0, 1),
        )
        table = sizes[int(rng.integers(len(sizes)))]
    else:
        table = table.replace_schema_metadata({b"pandas": _BAD_METADATA[int(rng.integers(len(_BAD_METADATA)))]})
    try:
        return (_write_arrow if arrow else _write_parquet)(table)
    except (pa.ArrowException, ValueError):
        # What the writer refuses.
        return changed(content, rng, BYTES)
