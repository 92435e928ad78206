"""The parts of a run as one table in a file, written part by part."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from moltheory.errors import InvalidInputError
from moltheory.runs._block_result import Columns, load_part, part_name
from moltheory.runs._files import atomic_file
from moltheory.runs._places import Location
from moltheory.runs._record import RunRecord, read_record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export_run"]

# Small parts are put together before they are written: a Parquet file of many small groups is slow to read.
_BUFFER = 8 << 20
# Of one column with several numbers per row.
_MOST_COLUMNS = 1000
_BLOCK = "block"


def export_run(
    folder: Location,
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    partial: bool = False,
) -> int:
    """Write the rows of a run into one CSV or Parquet file, and return how many there are.

    Parameters
    ----------
    folder : path or URL
        That of one run.
    path : path
        A local file, replaced as a whole at the end: ``.csv``, or ``.parquet``.
    columns : sequence of str, optional
        Those to write; all by default.
    partial : bool, default False
        Write the blocks that are there, though the run is not finished.

    Returns
    -------
    int
        The number of rows: those of the blocks in the order of their names, numbers in names by their value. A first
        column ``block`` holds the name. A column with several numbers per row becomes ``name_0``, ``name_1`` and so on;
        one number per block makes a block a row.

    Raises
    ------
    InvalidInputError
        If a part is missing, damaged or has other columns than the first, the lengths of columns differ within a part,
        or the suffix is another.
    OutputError
        If the file cannot be written.

    Notes
    -----
    A CSV file holds numbers with as many digits as restore them exactly.

    Complexity: O(b) time for b bytes; memory for the largest part and 8 MB, whatever the number of parts.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from moltheory.runs import RunFolder, run_blocks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunFolder.open(folder + "/run", parameters={}, rng=0, keys=["a", "b"])
    ...     done = run_blocks(dict, [({"x": [1, 4]},), ({"x": [9]},)], store=store)
    ...     export_run(folder + "/run", folder + "/table.csv")
    ...     print(pathlib.Path(folder, "table.csv").read_text())
    3
    block,x
    a,1
    a,4
    b,9
    <BLANKLINE>
    """
    target = Path(path)
    writers = {".csv": _csv, ".parquet": _parquet}
    if target.suffix.lower() not in writers:
        raise InvalidInputError(f"`path` must end in .csv or .parquet, got {str(target)!r}.")
    record = read_record(folder)
    if not (partial or record.is_finished):
        raise InvalidInputError(
            f"`folder` must hold a finished run, got {str(record.folder)!r}, of which {len(record.finished_keys):,} of "
            f"{len(record.keys):,} blocks are there: finish it, or export what is there with `partial` (in a shell, "
            "--partial)."
        )
    with atomic_file(target) as file:
        return writers[target.suffix.lower()](_batches(record, columns, partial), file)


def _batches(record: RunRecord, columns: Sequence[str] | None, partial: bool) -> Iterator[pd.DataFrame]:
    """Yield the rows of some parts at a time, of all of which the columns are the same."""
    held: list[dict[str, Any]] = []
    names: list[str] = []
    size = 0
    for key in sorted(record.keys, key=_natural):
        part = load_part(record.folder, record.run, key, argument="folder")
        place = str(record.folder / part_name(key))
        if part is None:
            if partial:
                continue
            raise InvalidInputError(
                f"`folder` must hold every part of a finished run, got no {place!r}: run it again to have its block "
                "computed."
            )
        if part.checksum != record.checksums.get(key, part.checksum):
            raise InvalidInputError(
                f"`folder` must hold the parts its record lists, got {place!r} with another checksum: delete this file "
                "to have its block computed again."
            )
        rows = _flat(key, part.columns, columns, place)
        names = names or list(rows)
        if list(rows) != names:
            raise InvalidInputError(f"`folder` must hold parts of equal columns, got others in {place!r}.")
        held.append(rows)
        size += sum(array.nbytes for array in rows.values())
        if size >= _BUFFER:
            yield _joined(held)
            held, size = [], 0
    if not names:
        raise InvalidInputError(f"`folder` must hold a finished block at least, got none in {str(record.folder)!r}.")
    if held:
        yield _joined(held)


def _joined(parts: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _flat(key: str, part: Columns, columns: Sequence[str] | None, place: str) -> dict[str, Any]:
    """Return columns of one number per row, the name of the block first."""
    missing = [name for name in columns or () if name not in part]
    if missing:
        raise InvalidInputError(f"`columns` must be among {', '.join(map(repr, part))}, got {missing[0]!r}.")
    chosen = {name: np.atleast_1d(part[name]) for name in (part if columns is None else columns)}
    lengths = {len(array): name for name, array in chosen.items()}
    if len(lengths) > 1:
        (one, first), (other, second) = list(lengths.items())[:2]
        raise InvalidInputError(
            f"`folder` must hold columns of equal lengths, got {one} rows in {first!r} and {other} in {second!r} of "
            f"{place!r}: choose some with `columns`."
        )
    rows = next(iter(lengths), 0)
    found: dict[str, Any] = {} if _BLOCK in chosen else {_BLOCK: np.full(rows, key)}
    for name, array in chosen.items():
        if array.ndim == 1:
            found[name] = array
            continue
        wide = array.reshape(rows, int(np.prod(array.shape[1:])))
        if wide.shape[1] > _MOST_COLUMNS:
            raise InvalidInputError(
                f"`folder` must hold at most {_MOST_COLUMNS} numbers per row, got {wide.shape[1]:,} in {name!r} of "
                f"{place!r}: leave it out with `columns`."
            )
        found |= {f"{name}_{k}": wide[:, k] for k in range(wide.shape[1])}
    return found


def _csv(batches: Iterator[pd.DataFrame], file: IO[bytes]) -> int:
    rows = 0
    for frame in batches:
        file.write(frame.to_csv(index=False, header=rows == 0, lineterminator="\n").encode())
        rows += len(frame)
    return rows


def _parquet(batches: Iterator[pd.DataFrame], file: IO[bytes]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, writer = 0, None
    try:
        for frame in batches:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
            rows += len(frame)
    except pa.ArrowException as error:
        raise InvalidInputError(
            f"`folder` must hold columns that a Parquet file can hold, got others ({error}): use a CSV file."
        ) from None
    finally:
        if writer is not None:
            writer.close()
    return rows


def _natural(key: str) -> list[tuple[int, str]]:
    """Return what sorts names with numbers by value."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", key)]
