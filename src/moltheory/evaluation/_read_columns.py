"""Parquet files and folders, and Arrow files: columns with types."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from moltheory._core._reading import check_unpacked
from moltheory._core._text import quoted, visible
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._compressed import starts_with
from moltheory.evaluation._form import FORM_REQUESTS, table_source
from moltheory.evaluation._reader import Reader, Request, reading
from moltheory.evaluation._source import LossSource
from moltheory.evaluation._tabular import Batches, Rows, batch_of, brief, check_columns, is_numeric

__all__ = ["ARROW", "PARQUET", "ParquetRows"]

# Prefix of columns in which pandas stores an index without a name.
_INDEX = "__index_level_"
_NUMBER = re.compile(r"([0-9]+)")
_SUFFIXES = (".parquet", ".pq")
# Bytes of losses that a file of any size may stand for; bytes of labels in one row group, and of each where they are more.
_UNPACKED_FREELY = 1 << 30
_LABELS_FREELY, _LONGEST_LABEL = 1 << 26, 1 << 12


class _TypedRows(Rows):
    """A table whose columns have types of pyarrow."""

    _rule: str

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(self.name, self._rule):
            self._schema = self._read_schema()
            names = list(self._schema.names)
        self.columns = tuple(name for name in names if not name.startswith(_INDEX))
        self.notes = tuple(
            f"Column {quoted(name)} of {self.name} was left out: it is an index of pandas."
            for name in names
            if name.startswith(_INDEX)
        )
        if not self.columns:
            raise self.refuse("have columns and rows", "no column")
        self._check_header()
        check_columns(self, len(self.columns))

    def batches(self, keys: Sequence[str], numbers: Sequence[str], *, rows: int) -> Batches:
        """Yield batches of at most `rows` rows."""
        place = {name: i for i, name in enumerate(self._schema.names)}
        for name in numbers:
            kind = self._schema.field(place[name]).type
            if not is_numeric(kind):
                raise self.refuse(f"hold numbers in column {quoted(name)}", f"values of type {kind}{self.hint}")
        self._check_labels(keys)
        with reading(self.name, self._rule):
            for batch in self._read([*keys, *numbers], rows):
                if batch.num_rows:
                    yield batch_of(batch, keys, numbers)

    def place(self, row: int) -> str:
        """Return the row's number, from 1."""
        return f"row {row + 1}"

    def head(self, rows: int) -> Mapping[str, Sequence[Any]]:
        """Return the first values of each column of numbers; texts may be long, and are no losses."""
        known = set(self.columns)
        with reading(self.name, self._rule):
            columns = [field.name for field in self._schema if field.name in known and is_numeric(field.type)]
            for batch in self._read(columns, rows) if columns else ():
                if batch.num_rows:
                    names = batch.schema.names
                    columns = batch.slice(0, rows).columns
                    return {name: column.to_pylist() for name, column in zip(names, columns, strict=True)}
        return {}

    def _check_labels(self, keys: Sequence[str]) -> None:
        """Refuse labels that are too long to be read, where the file tells their size before."""

    @abstractmethod
    def _read_schema(self) -> Any:
        """Return the schema of pyarrow."""

    @abstractmethod
    def _read(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """Yield batches of some columns."""


class ParquetRows(_TypedRows):
    """A Parquet file, read row group by row group."""

    _rule = "be a Parquet file"

    def _open(self) -> Any:
        from pyarrow import parquet

        # Buffered streams keep a row group of any size out of memory; a memory map would count as ours.
        return parquet.ParquetFile(
            self.path, memory_map=False, buffer_size=1 << 16, pre_buffer=False, page_checksum_verification=True
        )

    def _read_schema(self) -> Any:
        with self._open() as file:
            # Runs of equal values take next to no room.
            losses = file.metadata.num_rows * len(file.schema_arrow.names) * 8
            check_unpacked(self.name, self.path.stat().st_size, losses, freely=_UNPACKED_FREELY)
            return file.schema_arrow

    def _check_labels(self, keys: Sequence[str]) -> None:
        with reading(self.name, self._rule), self._open() as file:
            places = {file.schema.column(i).path: i for i in range(len(file.schema))} if keys else {}
            chunks = [
                (name, file.metadata.row_group(group).column(places[name]))
                for group in range(file.num_row_groups)
                for name in keys
                if name in places
            ]
            for name, chunk in chunks:
                size = chunk.total_uncompressed_size
                if size > max(_LABELS_FREELY, _LONGEST_LABEL * chunk.num_values):
                    raise TooLargeError(
                        f"`{self.name}` must hold labels of at most {_LONGEST_LABEL:,} bytes each in column "
                        f"{brief(repr(name))}, got {size:,} bytes for {chunk.num_values:,} of them: name another column."
                    )

    def _read(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        with self._open() as file:
            yield from file.iter_batches(batch_size=rows, columns=columns)


class _ArrowRows(_TypedRows):
    """A file in Arrow's own format (Feather), read batch by batch."""

    _rule = "be an Arrow file"

    def _read_schema(self) -> Any:
        import pyarrow as pa

        with pa.ipc.open_file(self.path) as file:
            return file.schema

    def _read(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        import pyarrow as pa

        with pa.ipc.open_file(self.path) as file:
            for number in range(file.num_record_batches):
                batch = file.get_batch(number).select(list(columns))
                # A damaged one has places outside of the file, which nothing else looks at.
                batch.validate(full=True)
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)


def _parquet_files(folder: Path) -> list[Path]:
    """Return the files of a folder and its folders in order; names that start with a point or underscore are notes."""
    shown = [path for path in _parts_of(folder) if path.suffix.lower() in _SUFFIXES]
    # Numbers in names are compared as numbers: part-2 comes before part-10.
    return sorted(shown, key=lambda path: [(int(t), t) if t.isdecimal() else (-1, t) for t in _NUMBER.split(str(path))])


def _parts_of(folder: Path) -> Iterator[Path]:
    """Yield all files of a folder and its folders; links to folders are not followed, as they may lead around."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (Path(place, name) for name in files if not name.startswith((".", "_")))


def _check_parts(folder: Path, files: Sequence[Path]) -> None:
    """Refuse parts that cannot be read: a table without them would be another one."""

    def refuse(error: OSError) -> None:
        raise error

    with reading(folder.name, "be a folder that can be read"):
        for place, folders, _ in os.walk(folder, onerror=refuse):
            folders[:] = [name for name in folders if not name.startswith((".", "_"))]
            links = [Path(place, name) for name in folders if Path(place, name).is_symlink()]
            if links:
                raise InvalidInputError(
                    f"`{visible(folder.name)}` must hold files and folders, got a link to a folder, "
                    f"{visible(links[0].name)!r}: give the folder that it leads to."
                )
    for file in files:
        if not file.is_file():
            kind = "a link to nothing" if file.is_symlink() and not file.exists() else "a pipe, a device or a socket"
            raise InvalidInputError(f"`{visible(file.name)}` must be a file that can be read, got {kind}.")


def _is_parquet(paths: tuple[Path, ...]) -> bool:
    if len(paths) == 1 and paths[0].is_dir():
        return bool(_parquet_files(paths[0]))
    return all(path.suffix.lower() in _SUFFIXES or starts_with(path, b"PAR1") for path in paths)


def _open_parquet(paths: tuple[Path, ...], request: Request) -> LossSource:
    if len(paths) == 1 and paths[0].is_dir():
        files = _parquet_files(paths[0])
        _check_parts(paths[0], files)
        keys = [_partition(file.relative_to(paths[0])) for file in files]
        return table_source([ParquetRows(file) for file in files], request, constants=keys, name=paths[0].name)
    return table_source([ParquetRows(path) for path in paths], request)


def _partition(path: Path) -> dict[str, str]:
    """Return the columns that the folders above a file stand for, such as ``model=small/split=test``; as text."""
    from pyarrow import dataset

    names = {part.split("=", 1)[0]: "" for part in path.parts[:-1] if "=" in part}
    if not names:
        return {}
    import pyarrow as pa

    kinds = pa.schema([(name, pa.string()) for name in names])
    found = dataset.partitioning(kinds, flavor="hive").parse(path.as_posix())
    return {name: value or "" for name, value in dataset.get_partition_keys(found).items()}


PARQUET = Reader(
    "parquet",
    "a table, wide, long or tidy, in Parquet (.parquet, .pq), or a folder of such files, partitioned or not",
    _is_parquet,
    _open_parquet,
    FORM_REQUESTS,
)
ARROW = Reader(
    "arrow",
    "a table, wide, long or tidy, in Arrow's format (.arrow, .feather)",
    lambda paths: all(path.suffix.lower() in (".arrow", ".feather") or starts_with(path, b"ARROW1") for path in paths),
    lambda paths, request: table_source([_ArrowRows(path) for path in paths], request),
    FORM_REQUESTS,
)
