"""Check malformed files in one child process, which a hang, a crash or a growth of memory cannot take down unseen.

``python -m tests.malformed._run NUMBER FOLDER`` writes malformed file NUMBER and says what is wrong with how it is read;
``python -m tests.malformed._run --all START COUNT`` checks many. Numbers below 0 stand for the files of `_whole`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple


def _slowness() -> float:
    """Return how many times as long as where the limit was found this processor takes, within 1 and 3."""
    start, total = time.process_time(), 0
    for k in range(3_000_000):
        total += k * k % 7
    return min(max((time.process_time() - start) / 0.115, 1.0), 3.0)


SECONDS = round(10 * _slowness())
"""Longest time of the processor for one file; what waits may do so six times as long, on a machine with much to do."""
BYTES = 10**9
"""Most memory for one file, above that of the libraries."""

_ROOT = Path(__file__).parents[2]


def check(start: int, count: int, *, planted: bool = False, seconds: int = SECONDS) -> list[str]:
    """Return what is wrong with how malformed files `start` to ``start + count`` are read; empty if nothing is.

    With `planted`, reading file k does what fault k of `_planted` is: it is found if this check is worth anything.
    """
    faults: list[str] = []
    end = start + count
    while start < end:
        reached, reported = _one_child(start, end - start, planted, seconds)
        faults += reported
        start = reached + 1
    return faults


def _one_child(start: int, count: int, planted: bool, seconds: int) -> tuple[int, list[str]]:
    """Run files in one process; return the last one that was begun, and what is wrong."""
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
    }
    command = [
        sys.executable,
        "-m",
        "tests.malformed._run",
        "--child",
        str(start),
        str(count),
        str(seconds),
        str(int(planted)),
    ]
    number, faults, lines = start - 1, [], b""
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        os.set_blocking(child.stderr.fileno(), False)
        with selectors.DefaultSelector() as ready:
            ready.register(child.stdout, selectors.EVENT_READ)
            # Imports take time too.
            while ready.select(timeout=12 * SECONDS):
                piece = os.read(child.stdout.fileno(), 1 << 16)
                if not piece:
                    break
                *whole, lines = (lines + piece).split(b"\n")
                for line in whole:
                    kind, _, text = line.decode("utf-8", "replace").partition(" ")
                    if kind == "begin":
                        number = int(text)
                    elif kind == "fault":
                        faults.append(text.replace("\x1e", "\n"))
                    elif kind == "slow":
                        print(text, file=sys.stderr)
                    elif kind == "done":
                        number = start + count - 1
            else:
                child.kill()
                faults.append(f"file {number} hangs in a library, for more than {12 * SECONDS} s")
        status = child.wait()
        errors = (child.stderr.read() or b"").decode("utf-8", "replace")[-500:]
    if number < start:
        raise RuntimeError(f"the process that checks did not begin: {errors}")
    if status != 0 and number < start + count - 1:
        faults.append(f"file {number} ends the process with status {status}: {errors}")
    return number, faults


def _child(start: int, count: int, seconds: int, planted: int) -> None:
    from tests.malformed._check import Hang, faults_of
    from tests.malformed._planted import plant

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGPROF, stop)
    _warm_up()
    # Far more is refused by the system, for the sake of all others.
    address = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (address + 3 * BYTES, resource.RLIM_INFINITY))
    out = os.fdopen(os.dup(1), "w", buffering=1)
    for number in range(start, start + count):
        print("begin", number, file=out)
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
            job = _job(number, Path(folder))
            if planted:
                plant(number)
            tempfile.tempdir = temporary
            base = _most_memory(begin=True)
            begun = time.process_time()
            signal.setitimer(signal.ITIMER_REAL, 6 * seconds)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                _, faults = faults_of(
                    Path(folder), job.given, job.options, job.side, Path(temporary), page=number % 11 == 0
                )
            except Hang:
                faults = [f"a hang of more than {seconds} s\n{traceback.format_exc()[-600:]}"]
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.setitimer(signal.ITIMER_PROF, 0)
                tempfile.tempdir = None
        taken = time.process_time() - begun
        if taken > 2:
            print(f"slow {number} {taken:.1f} s: {job.title}", file=out)
        if (most := _most_memory() - base) > BYTES:
            faults.append(f"{most / 1e9:.2f} GB of memory")
        for fault in faults:
            print("fault", f"{job.title}: {fault}".replace("\n", "\x1e"), file=out)
    print("done", file=out)
    out.flush()
    os._exit(0)


class _Job(NamedTuple):
    title: str
    given: Sequence[str]
    options: dict[str, list[str] | str]
    side: Sequence[str]


def _job(number: int, folder: Path) -> _Job:
    """Write the files of a number into a folder, and return how they are read."""
    from tests.malformed._mutations import described, malformed, write_case
    from tests.malformed._whole import WHOLE, write_whole

    if number < 0:
        name = list(WHOLE)[number]
        given, side = write_whole(name, folder)
        return _Job(f"file {number} ({name})", given, {}, side)
    case = malformed(number)
    write_case(case, folder)
    specimen = case.specimen
    return _Job(described(number, case), specimen.given, specimen.options, specimen.side)


def _most_memory(*, begin: bool = False) -> int:
    """Return the largest memory of this process so far, in bytes, since the last call with `begin`."""
    if begin:
        # The making of a file takes memory too. Elsewhere the largest one of all counts.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


def _warm_up() -> None:
    """Import all that a file may need, so that neither time nor memory counts for the first one."""
    from tests.malformed._check import faults_of
    from tests.malformed._mutations import Case, write_case
    from tests.malformed._valid import specimens

    for specimen in specimens():
        # What a library keeps open, it keeps open once.
        for attempt in range(2):
            with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
                write_case(Case(specimen, specimen.files[specimen.target]), Path(folder))
                files = (Path(folder), specimen.given, specimen.options, specimen.side)
                status, wrong = faults_of(*files, Path(temporary), page=specimen.name == "csv wide")
            if status == 0 and not wrong:
                break
            if attempt:
                raise RuntimeError(f"{specimen.name}, which is valid, ends with {status}: {wrong}")


def _again(number: int, folder: Path) -> None:
    from tests.malformed._check import faults_of

    folder.mkdir(parents=True, exist_ok=True)
    job = _job(number, folder)
    print(job.title, "in", folder)
    with tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary
        status, faults = faults_of(folder, job.given, job.options, job.side, Path(temporary), page=False)
        print(f"exit status {status}", *faults, sep="\n")


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        _child(*map(int, sys.argv[2:]))
    elif sys.argv[1] == "--all":
        print(*check(int(sys.argv[2]), int(sys.argv[3])), sep="\n")
    else:
        _again(int(sys.argv[1]), Path(sys.argv[2]))
