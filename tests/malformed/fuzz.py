"""Attack the reader of one format until the time is over: ``python -m tests.malformed.fuzz FORMAT [--seconds 60]``.

With atheris (``pip install atheris``), which follows the branches of Python code, its inputs are the file; without it
changes are drawn at random, anew on each run. Files with faults are written to ``--out``, for the corpus.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

import numpy as np

from tests.malformed._check import Hang, faults_of
from tests.malformed._mutations import Case, mutated, write_case
from tests.malformed._valid import Specimen, specimens


def main() -> int:
    """Return the number of files with faults."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    names = [specimen.name for specimen in specimens()]
    parser.add_argument("format", choices=names, metavar="FORMAT", help=", ".join(names))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path("fuzzed"), help="folder for files with faults")
    options = parser.parse_args()
    specimen = next(specimen for specimen in specimens() if specimen.name == options.format)
    signal.signal(signal.SIGALRM, _stop)
    with contextlib.suppress(ImportError):
        return _guided(specimen, options.seconds, options.out)
    return _random(specimen, options.seconds, options.out)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Hang


def _random(specimen: Specimen, seconds: float, out: Path) -> int:
    rng = np.random.default_rng(secrets.randbits(64))
    valid = specimen.files[specimen.target]
    kept: list[bytes] = [valid]
    end = time.monotonic() + seconds
    count = found = 0
    while time.monotonic() < end:
        content = mutated(kept[int(rng.integers(len(kept)))] if rng.random() < 0.3 else valid, specimen.layers, rng)
        status, faults = _tried(specimen, content)
        count += 1
        found += bool(faults)
        if faults:
            _keep(specimen, content, faults, out)
        elif status == 0 and len(kept) < 100 and len(content) < 10**5:
            # What is still read leads further than what is refused at once.
            with contextlib.suppress(Exception):
                mutated(content, specimen.layers, rng)
                kept.append(content)
    print(f"{count:,} files of {specimen.name}, {found:,} with faults")
    return found


def _guided(specimen: Specimen, seconds: float, out: Path) -> int:
    import atheris  # type: ignore[import-not-found]

    def one(content: bytes) -> None:
        _, faults = _tried(specimen, content)
        if faults:
            _keep(specimen, content, faults, out)
            raise AssertionError(faults[0])

    with tempfile.TemporaryDirectory() as seeds:
        Path(seeds, "valid").write_bytes(specimen.files[specimen.target])
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", "-max_len=65536", seeds], one)
        atheris.Fuzz()
    return 0


def _tried(specimen: Specimen, content: bytes) -> tuple[int | None, list[str]]:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
        write_case(Case(specimen, content), Path(folder))
        tempfile.tempdir = temporary
        signal.setitimer(signal.ITIMER_REAL, 10)
        try:
            files = (Path(folder), specimen.given, specimen.options, specimen.side)
            return faults_of(*files, Path(temporary), page=False)
        except Hang:
            return None, ["a hang of more than 10 s"]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            tempfile.tempdir = None


def _keep(specimen: Specimen, content: bytes, faults: list[str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{hashlib.sha256(content).hexdigest()[:12]}_{Path(specimen.target).name}"
    path.write_bytes(content)
    print(path, *faults, sep="\n  ")


if __name__ == "__main__":
    sys.exit(min(main(), 1))
