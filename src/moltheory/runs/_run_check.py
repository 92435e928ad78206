"""Every byte of a run read again, part by part."""

from __future__ import annotations

from moltheory.errors import InvalidInputError
from moltheory.runs._block_result import load_part, part_name
from moltheory.runs._places import Location, names_in
from moltheory.runs._record import RECORD_NAME, read_record

__all__ = ["check_run"]


def check_run(folder: Location) -> list[str]:
    """Return what is wrong with a run, one sentence each; none if every part is as it was written.

    Parameters
    ----------
    folder : path or URL
        That of one run. The blocks that an unfinished run has not computed yet are not wrong; those that a finished one
        lacks are, and so is a file that is none of the run's. Hidden files are ignored.

    Returns
    -------
    list of str

    Raises
    ------
    InvalidInputError
        If there is no record that can be read.
    OutputError
        If object storage does not answer.

    Notes
    -----
    Of each part the digest of its bytes, the run and the block that it names, and for a finished run the digest of its
    columns are compared with the record.

    Complexity: O(b) time for b bytes; the memory of the largest part.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from moltheory.runs import RunFolder, run_blocks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunFolder.open(folder, parameters={}, rng=0, keys=["a"])
    ...     done = run_blocks(dict, [({"x": [1, 4]},)], store=store)
    ...     before = check_run(folder)
    ...     pathlib.Path(folder, "part-a.npz").unlink()
    ...     before, len(check_run(folder))
    ([], 1)
    """
    record = read_record(folder)
    wrong: list[str] = []
    for key in record.keys:
        path = str(record.folder / part_name(key))
        try:
            part = load_part(record.folder, record.run, key, argument="folder")
        except InvalidInputError as error:
            wrong.append(str(error))
            continue
        if part is None:
            if record.is_finished:
                wrong.append(
                    f"`folder` must hold every part of a finished run, got no {path!r}: run it again to have its block "
                    "computed."
                )
        elif record.checksums.get(key, part.checksum) != part.checksum:
            wrong.append(
                f"`folder` must hold the parts its record lists, got {path!r} with checksum {part.checksum[:12]} and not "
                f"{record.checksums[key][:12]}: delete this file to have its block computed again."
            )
    known = {RECORD_NAME, *map(part_name, record.keys)}
    foreign = sorted(name for name in names_in(record.folder, argument="folder") - known if not name.startswith("."))
    wrong += [
        f"`folder` must hold the files of one run, got {str(record.folder / name)!r}, which is none of them: move it away."
        for name in foreign
    ]
    return wrong
