"""The registry of readers: one for each file format, chosen by its name or by what the files look like."""

from __future__ import annotations

from pathlib import Path

from moltheory._core._text import few, joined, quoted, visible
from moltheory.errors import InvalidInputError
from moltheory.evaluation._arrays import ARRAYS
from moltheory.evaluation._logs_deepeval import DEEPEVAL
from moltheory.evaluation._logs_evalplus import EVALPLUS
from moltheory.evaluation._logs_helm import HELM
from moltheory.evaluation._logs_inspect import INSPECT
from moltheory.evaluation._logs_lm_eval import LM_EVAL
from moltheory.evaluation._logs_mlflow import MLFLOW
from moltheory.evaluation._logs_openai_evals import OPENAI_EVALS
from moltheory.evaluation._logs_promptfoo import PROMPTFOO
from moltheory.evaluation._read_columns import ARROW, PARQUET
from moltheory.evaluation._read_json_lines import JSON_LINES
from moltheory.evaluation._read_text import TEXT
from moltheory.evaluation._reader import Reader

__all__ = ["READERS", "chosen_reader", "readers", "register_reader"]

# To add a format, write its reader in a file of its own and add it here: logs come first, whose files may be called like
# tables (`samples_arc.jsonl`).
_TABLES: tuple[Reader, ...] = (TEXT, PARQUET, ARROW, JSON_LINES, ARRAYS)
READERS: tuple[Reader, ...] = (
    *(LM_EVAL, INSPECT, HELM, PROMPTFOO, OPENAI_EVALS, DEEPEVAL, EVALPLUS, MLFLOW),
    *_TABLES,
)

_REGISTERED: list[Reader] = []


def readers() -> tuple[Reader, ...]:
    """Return all readers of files, those of `register_reader` first; the first that recognizes files reads them.

    Returns
    -------
    tuple of Reader

    Examples
    --------
    >>> [reader.name for reader in readers() if reader.name in ("csv", "parquet")]
    ['csv', 'parquet']
    """
    return (*_REGISTERED, *READERS)


def register_reader(reader: Reader, /) -> Reader:
    """Return a reader after `open_losses` has learned its format, for this process.

    Parameters
    ----------
    reader : Reader

    Returns
    -------
    Reader
        The same one.

    Raises
    ------
    InvalidInputError
        If it is no reader, or another one has its name.

    Examples
    --------
    >>> from moltheory.evaluation import Reader
    >>> def sniff(paths):
    ...     return all(path.suffix == ".pipe" for path in paths)
    >>> def open_pipes(paths, request): ...
    >>> register_reader(Reader("pipes", "losses separated by pipes", sniff, open_pipes)).name
    'pipes'
    """
    if not isinstance(reader, Reader):
        raise InvalidInputError(f"`reader` must be a Reader, got {type(reader).__name__}.")
    if any(known.name == reader.name for known in readers()):
        raise InvalidInputError(
            f"`reader` must have a name that no other reader has, got {quoted(reader.name)}: choose another name."
        )
    _REGISTERED.append(reader)
    return reader


def chosen_reader(paths: tuple[Path, ...], format: str | None, shown: str) -> Reader:
    """Return the reader of a format, or the first one that recognizes the files.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    known = readers()
    names = joined([reader.name for reader in known], last=" or ")
    if format is not None:
        for reader in known:
            if reader.name == format:
                return reader
        raise InvalidInputError(f"`format` must be {names}, got {format!r}.")
    for reader in known:
        if reader.sniff(paths):
            return reader
    each = [next((reader for reader in known if reader.sniff((path,))), None) for path in paths]
    if len({reader in _TABLES for reader in each if reader is not None}) > 1:
        shown = few([visible(path.name) for path in paths], describe=str)
        raise InvalidInputError(
            f"`path` must be either logs or tables, got some of each, {shown}: logs and a table cannot be given together, "
            "so put both into one long table, which has rows for what was measured."
        )
    raise InvalidInputError(
        f"`{shown}` must be of a known format, got a {'folder' if paths[0].is_dir() else 'file'} of none of them: name "
        f"one by `format` ({names}), or convert the file to CSV."
    )
