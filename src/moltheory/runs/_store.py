"""A run folder: finished blocks are kept, so that a killed run goes on where it stopped.

The folder holds ``record.json`` (`RunRecord`) and one ``part-<key>.npz`` per finished block, each written
atomically by the process that computed it. What is in a part depends on the record alone; so processes that
share a folder can at worst do the same work twice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import few, shortened
from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs._block_result import KEY, Part, load_part, part_name
from moltheory.runs._cards import folder_card, folder_line
from moltheory.runs._files import prepare_folder, remove_empty, remove_leftovers, write_atomically
from moltheory.runs._record import RECORD_NAME, RunRecord, make_record, read_record
from moltheory.runs._remedies import refusal
from moltheory.runs._seeds import RandomSource, as_seed_sequence

__all__ = ["RunFolder", "check_recordable"]


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
    path : pathlib.Path
    record : RunRecord
        As it was when the folder was opened.

    Notes
    -----
    Complexity: one file for each of B blocks; opening checks O(B) names, finishing reads every file once.
    """

    path: Path
    record: RunRecord

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        *,
        parameters: Mapping[str, Any],
        rng: RandomSource,
        keys: Sequence[str],
    ) -> RunFolder:
        """Create a run folder, or open the one of the same run; any other folder is refused and left as it is.

        Parameters
        ----------
        folder : path
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
        try:
            path = Path(folder)
        except TypeError:
            raise InvalidInputError(f"`store` must be a path, got {type(folder).__name__}.") from None
        wanted = make_record(path, parameters=parameters, seed=seed, keys=names)
        if not os.path.lexists(path / RECORD_NAME):
            _refuse_foreign(path, set())
            _create(path, wanted)
        found = read_record(path, argument="store")
        _refuse_other(path, found, wanted)
        _refuse_foreign(path, {RECORD_NAME, *map(part_name, names)})
        if not found.is_finished or len(found.finished_keys) < len(names):
            prepare_folder(path, argument="store")
        remove_leftovers(path)
        return cls(path, found)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return self.record.keys

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
        record = self.record.finished(
            seconds=sum(part.seconds for part in parts.values()),
            checksums={key: parts[key].checksum for key in self.keys},
        )
        write_atomically(self.path / RECORD_NAME, record.to_json())
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


def _create(path: Path, record: RunRecord) -> None:
    created = [entry for entry in (path, *path.parents) if not os.path.exists(entry)]
    try:
        prepare_folder(path, argument="store")
        # Never over the record of a process that came first: whose it is, is compared afterwards.
        write_atomically(path / RECORD_NAME, record.to_json(), overwrite=False)
    except OutputError:
        remove_empty(created)
        raise


def _refuse_foreign(path: Path, known: set[str]) -> None:
    try:
        foreign = sorted({entry.name for entry in path.iterdir() if not entry.name.startswith(".")} - known)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        rule = f"`store` must be a folder that can be written to, got {str(path)!r}"
        raise OutputError(refusal(rule, error)) from None
    # Between two looks at the folder another process may have begun the same run in it.
    if foreign and (known or RECORD_NAME not in foreign):
        raise InvalidInputError(
            f"`store` must be a new or empty folder or that of the same run, got {str(path)!r}, which holds "
            f"{foreign[0]!r}."
        )


def _refuse_other(path: Path, found: RunRecord, wanted: RunRecord) -> None:
    here, there = wanted.identity, found.identity
    differing = [name for name in {**here, **there} if here.get(name, "absent") != there.get(name, "absent")]
    if not differing:
        return
    # What the blocks are called follows from the other parameters.
    named = [name for name in differing if name != "blocks"] or differing
    differences = few(named, describe=lambda name: _difference(str(name), there, here))
    raise InvalidInputError(
        f"`store` must be a new folder or that of the same run, got {str(path)!r}, where {differences}."
    )


def _difference(name: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    theirs, ours = _short(there, name), _short(here, name)
    return f"{name} is {theirs} and not {ours}" if theirs != ours else f"{name} is another than {ours}"


def _short(identity: Mapping[str, Any], name: str) -> str:
    value = identity.get(name, "absent")
    if name == "seed" and isinstance(value, dict) and not value["spawn_key"]:
        value = value["entropy"]
    return shortened(str(value))
