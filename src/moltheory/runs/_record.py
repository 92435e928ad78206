"""The record of a run: what is computed, from which seed, with what, and whether it is finished."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._reading import distinct_keys
from moltheory._core._text import shortened
from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._block_result import KEY, Columns, load_part, part_name
from moltheory.runs._cards import record_card, record_line
from moltheory.runs._places import Location, Place, as_place, open_file
from moltheory.runs._remedies import refusal
from moltheory.runs._versions import BLAS, VERSION, Versions, deciding, show_versions

__all__ = ["RECORD_NAME", "RunRecord", "make_record", "read_record"]

RECORD_NAME = "record.json"
_SCHEMA = 2
# A block takes about 150 bytes.
_MOST_BYTES = 1 << 28
_DIGEST = re.compile("[0-9a-f]{64}")
_RESERVED = {"seed", "processor", "schema", "blocks"}


@dataclass(frozen=True, repr=False)
class RunRecord(Printed):
    """Record of a run: parameters, seed, versions, finished blocks.

    Attributes
    ----------
    folder : pathlib.Path or a place in object storage
        Where it lies; `str` gives the path or the URL.
    parameters : dict
        What is computed, in JSON's types.
    entropy : int or list of int
    spawn_key : tuple of int
        Both are the seed, those of a `numpy.random.SeedSequence`.
    keys : tuple of str
        One per block, in the order of the rows.
    versions : Versions
        Of Python and the packages; its processor and BLAS kernels decide the last bits of sums.
    seconds : float or None
        Computing time of all blocks together, over all calls and processes; None until the run is finished.
    checksums : dict of str to str
        Of the content of each part; empty until the run is finished.
    """

    folder: Place
    parameters: dict[str, Any]
    entropy: int | list[int]
    spawn_key: tuple[int, ...]
    keys: tuple[str, ...]
    versions: Versions
    seconds: float | None = None
    checksums: dict[str, str] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether every block was computed."""
        return self.seconds is not None

    @property
    def finished_keys(self) -> tuple[str, ...]:
        """Keys of the blocks whose parts are there now, in order; they are not read."""
        folder = self.folder
        if not isinstance(folder, Path):
            # One list in place of a question for each.
            there = folder.entries()
            return tuple(key for key in self.keys if part_name(key) in there)
        return tuple(key for key in self.keys if os.path.exists(folder / part_name(key)))

    @property
    def identity(self) -> dict[str, Any]:
        """Everything two runs must agree on to share a folder."""
        return {
            **self.parameters,
            "seed": {"entropy": self.entropy, "spawn_key": list(self.spawn_key)},
            **deciding(self.versions),
            "schema": _SCHEMA,
            "blocks": list(self.keys),
        }

    @property
    def run(self) -> str:
        """Digest of the identity; every part carries it."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    def columns(self) -> Columns:
        """Read the finished parts and put them together.

        Returns
        -------
        dict of str to ndarray
            The rows of the finished blocks in the order of `keys`; empty if none is finished.

        Raises
        ------
        InvalidInputError
            If a part is truncated, altered or of another run, or the parts differ in their columns.
        """
        found = [load_part(self.folder, self.run, key, argument="folder") for key in self.keys]
        parts = [part.columns for part in found if part is not None]
        if len({tuple(columns) for columns in parts}) > 1:
            raise InvalidInputError(f"`folder` must hold parts of equal columns, got {str(self.folder)!r}.")
        return {name: np.concatenate([columns[name] for columns in parts]) for name in (parts[0] if parts else ())}

    def finished(self, *, seconds: float, checksums: Mapping[str, str]) -> RunRecord:
        """Return the record of the finished run."""
        return replace(self, seconds=seconds, checksums=dict(checksums))

    def to_json(self) -> str:
        """Return the text of record.json."""
        content = {
            "schema": _SCHEMA,
            "run": self.run,
            "parameters": self.parameters,
            "seed": {"entropy": self.entropy, "spawn_key": list(self.spawn_key)},
            "versions": asdict(self.versions),
            "finished": self.is_finished,
            "seconds": self.seconds,
            "keys": list(self.keys),
            "checksums": self.checksums,
        }
        return json.dumps(content, indent=2) + "\n"

    def _line(self) -> str:
        return record_line(self)

    def _card(self) -> Card:
        return record_card(self)


def make_record(
    folder: Place, *, parameters: Mapping[str, Any], seed: np.random.SeedSequence, keys: tuple[str, ...]
) -> RunRecord:
    """Return the record of a run that starts here and now.

    Raises
    ------
    InvalidInputError
        If the parameters are not JSON: strings, finite numbers, bools, None, lists and dicts of these.
    """
    try:
        plain = json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"`parameters` must be plain JSON, got a value that is not ({error}).") from None
    if plain != dict(parameters):
        raise InvalidInputError("`parameters` must be plain JSON, with lists for tuples and strings for keys.")
    reserved = [name for name in plain if name in _RESERVED or name.startswith((VERSION, BLAS))]
    if reserved:
        raise InvalidInputError(f"`parameters` must not use names of the record itself, got {reserved[0]!r}.")
    entropy = seed.entropy
    if entropy is None:
        raise InvalidInputError("`rng` must hold entropy, got a SeedSequence without.")
    return RunRecord(
        folder=folder,
        parameters=plain,
        entropy=[int(word) for word in entropy] if isinstance(entropy, Iterable) else int(entropy),
        spawn_key=tuple(int(entry) for entry in seed.spawn_key),
        keys=keys,
        versions=show_versions(),
    )


def read_record(folder: Location, *, argument: str = "folder") -> RunRecord:
    """Return the record of a run folder, finished or not.

    Parameters
    ----------
    folder : path
        What was given as `store`.
    argument : str, default "folder"
        The caller's name of the folder, for the message.

    Returns
    -------
    RunRecord
        ``record.columns()`` reads the finished blocks.

    Raises
    ------
    InvalidInputError
        If there is no record, or it is not one that this version wrote.

    Notes
    -----
    Complexity: O(B) time and memory for B blocks; `columns` reads every file once.

    Examples
    --------
    >>> import tempfile
    >>> from moltheory.runs import RunFolder, run_blocks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunFolder.open(folder, parameters={"what": "squares"}, rng=0, keys=["a", "b"])
    ...     done = run_blocks(dict, [({"x": [1, 4]},), ({"x": [9]},)], store=store)
    ...     record = read_record(folder)
    ...     record.is_finished, record.parameters, record.columns()
    (True, {'what': 'squares'}, {'x': array([1, 4, 9])})
    """
    place = as_place(folder, argument=argument)
    path = place / RECORD_NAME
    try:
        with open_file(path, most=_MOST_BYTES) as file:
            # Known before it is read: what took the place of a record may be of any size.
            if file.seek(0, os.SEEK_END) > _MOST_BYTES:
                raise _not_a_record(argument, path)
            file.seek(0)
            content = json.loads(file.read(), object_pairs_hook=distinct_keys, parse_constant=_no_number)
        schema = content["schema"]
    except OutputError:
        # Of object storage, in words of its own.
        raise
    except OSError as error:
        rule = f"`{argument}` must hold a run's {RECORD_NAME}, got {str(path)!r}"
        raise InvalidInputError(refusal(rule, error, otherwise="use the folder of a run")) from None
    except InvalidInputError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _not_a_record(argument, path) from None
    if schema != _SCHEMA:
        found = f"schema {schema}" if type(schema) is int else "another schema"
        raise InvalidInputError(
            f"`{argument}` must hold a record of schema {_SCHEMA}, got {str(path)!r} of {shortened(found)}: use the "
            "version of moltheory that wrote it, or a new folder."
        )
    try:
        record = RunRecord(
            folder=place,
            parameters=dict(content["parameters"]),
            entropy=content["seed"]["entropy"],
            spawn_key=tuple(content["seed"]["spawn_key"]),
            keys=tuple(content["keys"]),
            versions=Versions(**content["versions"]),
            seconds=None if content["seconds"] is None else float(content["seconds"]),
            checksums=dict(content["checksums"]),
        )
        if not all(isinstance(key, str) and KEY.fullmatch(key) for key in record.keys):
            # Such a key could lead out of the folder.
            raise _not_a_record(argument, path)
        # As text: 1, 1.0 and true are equal as values.
        again = json.loads(record.to_json())
        whole = json.dumps(again, sort_keys=True) == json.dumps(content, sort_keys=True) and _is_possible(record)
    except InvalidInputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError):
        raise _not_a_record(argument, path) from None
    if not whole:
        raise InvalidInputError(
            f"`{argument}` must hold a run's record as it was written, got {str(path)!r}, altered: restore it, or use "
            "a new folder."
        )
    return record


def _is_possible(record: RunRecord) -> bool:
    """Whether what the digest of a run does not cover can be true: its time, checksums and some versions."""
    versions = record.versions
    if not all(isinstance(text, str) for text in (versions.platform, *versions.packages.values())):
        return False
    if not record.is_finished:
        return not record.checksums
    return (
        record.seconds is not None
        and 0.0 <= record.seconds < math.inf
        and set(record.checksums) == set(record.keys)
        and all(isinstance(text, str) and _DIGEST.fullmatch(text) for text in record.checksums.values())
    )


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _not_a_record(argument: str, path: Place) -> InvalidInputError:
    return InvalidInputError(
        f"`{argument}` must hold a run's record, got {str(path)!r}, which is not one: restore it, or use a new folder."
    )
