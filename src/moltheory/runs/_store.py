"""A run folder: finished blocks are kept, so that a killed run goes on where it stopped.

The folder holds ``record.json`` (`RunRecord`) and one ``part-<key>.npz`` per finished block, each written
atomically by the process that computed it. What is in a part depends on the record alone; so processes that
share a folder can at worst do the same work twice.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import few, shortened
from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._block_result import KEY, Part, load_part, part_name
from moltheory.runs._cards import folder_card, folder_line
from moltheory.runs._files import remove_empty
from moltheory.runs._places import Location, Place, as_place, exists, names_in, prepare_place, tidy, write_file
from moltheory.runs._record import RECORD_NAME, RunRecord, make_record, read_record
from moltheory.runs._seeds import RandomSource, as_seed_sequence

__all__ = ["RunFolder", "check_recordable", "open_record"]


_Task = TypeVar("_Task")


def check_recordable(rng: RandomSource) -> np.random.SeedSequence:
    """Return a seed that can be written down: an int or a seed sequence.

    Raises
    ------
    InvalidInputError
        If `rng` is a Generator or None (their state is gone after a kill), or no source of randomness at all.
    """
    if rng is None or isinstance(rng, np.random.Generator):
        found = "None" if rng is None else "a Generator"
        raise InvalidInputError(f"`rng` must be an int or a SeedSequence where results are stored, got {found}.")
    return as_seed_sequence(rng)


@dataclass(frozen=True, repr=False)
class RunFolder(Printed):
    """An open run folder; make one with `RunFolder.open`.

    Attributes
    ----------
    path : pathlib.Path or a place in object storage
        The folder; `str` gives the path or the URL.
    record : RunRecord
        As it was when the folder was opened.
    is_joined : bool
        Whether the run was there and not finished: another process may be at work on it.

    Notes
    -----
    Complexity: one file for each of B blocks; opening checks O(B) names, finishing reads every file once.
    """

    path: Place
    record: RunRecord
    is_joined: bool = False

    @classmethod
    def open(
        cls,
        folder: Location,
        *,
        parameters: Mapping[str, Any],
        rng: RandomSource,
        keys: Sequence[str],
    ) -> RunFolder:
        """Create a run folder, or open the one of the same run; any other folder is refused and left as it is.

        Parameters
        ----------
        folder : path or URL
            New, empty, or holding the same run. Hidden files are ignored.
        parameters : mapping
            Everything the results depend on besides the seed, as plain JSON; digests of data by `fingerprint`.
        rng : int or SeedSequence
            The seed.
        keys : sequence of str
            One distinct name per block, of letters, digits, ``_``, ``.`` and ``-``.

        Returns
        -------
        RunFolder

        Raises
        ------
        InvalidInputError
            If the folder holds something else, or a run with other parameters, another seed, other versions,
            another processor or other BLAS kernels: the same bits are promised on one machine and one set of
            versions.
        OutputError
            If it cannot be written to, or the disk is full.

        Notes
        -----
        Temporary files of killed processes are removed, those of living ones never.
        """
        names = _check_keys(keys)
        seed = check_recordable(rng)
        path = as_place(folder, argument="store")
        wanted = make_record(path, parameters=parameters, seed=seed, keys=names)
        found, created = open_record(path, wanted)
        return cls(path, found, is_joined=not created and not found.is_finished)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return self.record.keys

    def in_order(self, tasks: Sequence[_Task]) -> list[_Task]:
        """Return what is to be computed in the order to start it: as given in a run that is new.

        In one that was there it is a random order, so that several processes at work on it seldom do the same. No result
        depends on it.
        """
        chosen = list(tasks)
        if self.is_joined:
            secrets.SystemRandom().shuffle(chosen)
        return chosen

    def load(self, key: str) -> Part | None:
        """Return the verified part of a block, or None if it is not finished.

        Raises
        ------
        InvalidInputError
            If a byte of it is missing or altered, or it belongs to another run.
        """
        part = load_part(self.path, self.record.run, key, argument="store")
        if part is not None:
            self._compare(key, part.checksum)
        return part

    def finish(self, parts: Mapping[str, Part]) -> RunRecord:
        """Write the checksums and the computing time of all parts into the record.

        Raises
        ------
        InvalidInputError
            If the record already holds another checksum for a part, or was replaced since the folder was opened.
        OutputError
            If it cannot be written.
        """
        for key, part in parts.items():
            self._compare(key, part.checksum)
        if self.record.is_finished:
            return self.record
        if read_record(self.path, argument="store").run != self.record.run:
            raise InvalidInputError(
                f"`store` must hold one run until its end, got {str(self.path)!r}, which holds another by now: run it "
                "again in a new folder."
            )
        return self.close(
            seconds=sum(part.seconds for part in parts.values()),
            checksums={key: parts[key].checksum for key in self.keys},
        )

    def close(self, *, seconds: float, checksums: Mapping[str, str]) -> RunRecord:
        """Write computing time and checksums of all parts into the record, and return it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        record = self.record.finished(seconds=seconds, checksums=checksums)
        write_file(self.path / RECORD_NAME, record.to_json())
        return record

    def _compare(self, key: str, checksum: str) -> None:
        expected = self.record.checksums.get(key, checksum)
        if checksum != expected:
            raise InvalidInputError(
                f"`store` must hold the parts its record lists, got {str(self.path / part_name(key))!r} with "
                f"checksum {checksum[:12]} and not {expected[:12]}."
            )

    def _line(self) -> str:
        return folder_line(self)

    def _card(self) -> Card:
        return folder_card(self)


def _check_keys(keys: Sequence[str]) -> tuple[str, ...]:
    names = tuple(keys)
    bad = [key for key in names if not isinstance(key, str) or not KEY.fullmatch(key)]
    # Some file systems do not tell upper from lower case.
    if bad or not names or len({key.lower() for key in names}) != len(names):
        raise InvalidInputError(
            f"`keys` must be distinct names of letters, digits, '_', '.' and '-', got {(bad or names)[:5]}."
        )
    return names


def open_record(path: Place, wanted: RunRecord, *, argument: str = "store") -> tuple[RunRecord, bool]:
    """Return the record of a run in a folder and whether it was created now; any other folder is refused."""
    created = False
    if not exists(path / RECORD_NAME):
        _refuse_foreign(path, set(), argument)
        created = _create(path, wanted, argument)
    found = read_record(path, argument=argument)
    _refuse_other(path, found, wanted, argument)
    _refuse_foreign(path, {RECORD_NAME, *map(part_name, wanted.keys)}, argument)
    if not found.is_finished or len(found.finished_keys) < len(wanted.keys):
        prepare_place(path, argument=argument)
    tidy(path)
    return found, created


def _create(path: Place, record: RunRecord, argument: str) -> bool:
    local = path if isinstance(path, Path) else None
    created = [] if local is None else [entry for entry in (local, *local.parents) if not os.path.exists(entry)]
    try:
        if local is not None:
            prepare_place(path, argument=argument)
        # Never over the record of a process that came first: whose it is, is compared afterwards.
        return write_file(path / RECORD_NAME, record.to_json(), overwrite=False)
    except OutputError:
        remove_empty(created)
        raise


def _refuse_foreign(path: Place, known: set[str], argument: str) -> None:
    foreign = sorted({name for name in names_in(path, argument=argument) if not name.startswith(".")} - known)
    # Between two looks at the folder another process may have begun the same run in it.
    if foreign and (known or RECORD_NAME not in foreign):
        raise InvalidInputError(
            f"`{argument}` must be a new or empty folder or that of the same run, got {str(path)!r}, which holds "
            f"{foreign[0]!r}."
        )


def _refuse_other(path: Place, found: RunRecord, wanted: RunRecord, argument: str) -> None:
    here, there = wanted.identity, found.identity
    differing = [name for name in {**here, **there} if here.get(name, "absent") != there.get(name, "absent")]
    if not differing:
        return
    # What the blocks are called follows from the other parameters.
    named = [name for name in differing if name != "blocks"] or differing
    differences = few(named, describe=lambda name: _difference(str(name), there, here))
    raise InvalidInputError(
        f"`{argument}` must be a new folder or that of the same run, got {str(path)!r}, where {differences}."
    )


def _difference(name: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    theirs, ours = _short(there, name), _short(here, name)
    return f"{name} is {theirs} and not {ours}" if theirs != ours else f"{name} is another than {ours}"


def _short(identity: Mapping[str, Any], name: str) -> str:
    value = identity.get(name, "absent")
    if name == "seed" and isinstance(value, dict) and not value["spawn_key"]:
        value = value["entropy"]
    return shortened(str(value))
