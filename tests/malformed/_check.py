"""What one malformed file may do: be read, or be refused with one sentence, and leave nothing behind."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.cli import main
from moltheory.errors import DataWarning, MoltheoryError
from moltheory.evaluation import open_losses

_LONGEST = 4000


class Hang(BaseException):
    """Raised by the alarm of the process that checks."""


def faults_of(
    folder: Path,
    given: Sequence[str],
    options: dict[str, Any],
    side: Sequence[str],
    temporary: Path,
    *,
    page: bool,
) -> tuple[int | None, list[str]]:
    """Return the exit status, and what is wrong with how the files in a folder are read by library and command line."""
    before = _listing(folder)
    faults: list[str] = []
    handles = _handles()
    accepted = None
    if "-" not in given and not side:
        accepted = _by_library([folder / name for name in given], options, faults)
    status = _by_command(folder, given, options, side, faults, page=page)
    if accepted is not None and status in (0, 2) and accepted != (status == 0):
        faults.append(f"the library {'reads' if accepted else 'refuses'} it, and the command ends with {status}")
    if _listing(folder) != before:
        faults.append(f"files changed or were left: {sorted(_listing(folder).keys() ^ before.keys())[:3]}")
    if _handles() > handles or any(temporary.iterdir()):
        gc.collect()
    if _handles() > handles:
        faults.append("a file was left open")
    if left := [path.name for path in temporary.iterdir()]:
        faults.append(f"temporary files were left: {left[:3]}")
    return status, faults


def _by_library(paths: list[Path], options: dict[str, Any], faults: list[str]) -> bool | None:
    with _no_warnings(faults):
        try:
            table = open_losses(paths if len(paths) > 1 else paths[0], **options)
            for losses, _ in table.blocks():
                if not losses.size or np.isinf(losses).any():
                    faults.append("a block without losses, or with infinite ones")
            mt.certify(table)
        except MoltheoryError as error:
            faults.extend(_wrong_with(str(error)))
            return False
        except Exception:
            faults.append(f"the library raised\n{_short_traceback()}")
            return None
    return True


def _by_command(
    folder: Path, given: Sequence[str], options: dict[str, Any], side: Sequence[str], faults: list[str], *, page: bool
) -> int | None:
    out, err = io.StringIO(), io.StringIO()
    words = [f"--{name}={value if isinstance(value, str) else ','.join(value)}" for name, value in options.items()]
    words += [str(folder / word) if not word.startswith("--") else word for word in side]
    target = folder / "page.html"
    if page:
        words.append(f"--html={target}")
    files = ["-" if name == "-" else str(folder / name) for name in given]
    with _no_warnings(faults), _standard_input(folder / "losses.csv" if "-" in given else None):
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main(["certify", *files, "--json", *words])
        except SystemExit as stop:
            status = int(stop.code or 0)
        except Exception:
            faults.append(f"the command raised\n{_short_traceback()}")
            return None
    lines = err.getvalue().splitlines()
    if status == 2:
        if out.getvalue() or len(lines) != 1 or not lines[0].startswith("moltheory: "):
            faults.append(f"refused with {len(out.getvalue())} letters of output and {len(lines)} lines: {lines[:3]}")
        faults.extend(_wrong_with(lines[0].removeprefix("moltheory: ")) if lines else ())
    elif status == 0:
        if not all(line.startswith(("moltheory: note: ", "moltheory: warning: ")) for line in lines):
            faults.append(f"other lines on standard error: {lines[:3]}")
        try:
            json.loads(out.getvalue(), parse_constant=_refuse)
        except ValueError as error:
            faults.append(f"no strict JSON: {error}")
    else:
        faults.append(f"exit status {status}")
    if page:
        if target.exists() != (status == 0):
            faults.append("a page without success, or success without a page")
        elif status == 0 and not target.read_text("utf-8").rstrip().endswith("</html>"):
            faults.append("a page that is not whole")
        target.unlink(missing_ok=True)
    return status


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _wrong_with(message: str) -> list[str]:
    """Return what keeps a message from being one sentence that names the argument or the file."""
    rules = {
        "does not start with what it is about": message.startswith("`"),
        "does not end with a full stop": message.endswith("."),
        "has characters that are not seen": message.isprintable(),
        f"has {len(message)} letters": len(message) <= _LONGEST,
    }
    return [f"the message {rule}: {message[:300]!r}" for rule, kept in rules.items() if not kept]


@contextlib.contextmanager
def _no_warnings(faults: list[str]) -> Iterator[None]:
    """Note warnings of libraries; those about the data are ours."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    faults += [f"a warning: {entry.message}" for entry in caught if not issubclass(entry.category, DataWarning)]


@contextlib.contextmanager
def _standard_input(path: Path | None) -> Iterator[None]:
    kept = sys.stdin
    if path is None:
        yield
        return
    with path.open("r", encoding="latin-1") as stream:
        sys.stdin = stream
        try:
            yield
        finally:
            sys.stdin = kept


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = ((path, path.lstat()) for path in folder.rglob("*"))
    return {str(path.relative_to(folder)): (entry.st_size, entry.st_mtime_ns) for path, entry in found}


def _handles() -> int:
    """Number of open files, 0 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def _short_traceback() -> str:
    lines = traceback.format_exc().splitlines()
    return "\n".join(["  ..."] * (len(lines) > 9) + [line[:300] for line in lines[-9:]])
