"""A process that forks runs on command, so that they can be killed without paying for imports each time.

It reads one JSON object per line: ``store`` (a folder) and ``n_jobs``, or ``arguments`` of the command line, and ``die``
([name of an os function, number of the call, "before" | "after" | "half"] or null). It answers with the pid of the run,
and, once the run has ended, with its exit status.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moltheory.cli import main
from moltheory.experiments import asymmetry
from moltheory.figures import Settings, reproduce
from moltheory.problems import reference_world
from moltheory.reports import _build

SIZES = range(3, 23)
REPLICATES = 700
N_PARTS = 40
# The smallest image in PNG.
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
)


def table(store=None, **changes):
    """The run that is killed."""
    return asymmetry(
        reference_world(), **{"sizes": SIZES, "replicates": REPLICATES, "rng": 5, "store": store, **changes}
    )


def die_at(name, at, when):
    """Make the process kill itself at the given call of a function of os."""
    original, calls = getattr(os, name), []

    def patched(*args, **kwargs):
        calls.append(1)
        here = len(calls) == at
        if here and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if here and when == "half":
            args = (args[0], bytes(args[1])[: len(args[1]) // 2])
        result = original(*args, **kwargs)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, name, patched)


def _run(job):
    table(job["store"], n_jobs=job["n_jobs"])
    return 0


def _command(arguments):
    """The command line, without the drawing, which takes most of the time; images stand for the numbers they show."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    return main(arguments)


def _stand_ins(figure, result, narrow, kinds):
    tables = "".join(table.to_csv() for table in figure.tables(result).values())
    # What follows an image in its file is no part of the image.
    return [_PIXEL + f"{kind} {narrow} {tables}".encode() for kind in kinds]


def _serve():
    import pandas  # noqa: F401

    table(sizes=[2], replicates=2)
    with tempfile.TemporaryDirectory() as folder:
        _build._images = _stand_ins
        reproduce(folder, only=["mechanism"], settings=Settings(quick=True))
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            status = 1
            try:
                if job["die"]:
                    die_at(*job["die"])
                status = _command(job["arguments"]) if job["arguments"] else _run(job)
            finally:
                os._exit(status)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


class Server:
    """Starts runs in processes of their own."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def start(self, store: Path | None = None, *, n_jobs: int = 1, arguments=None, die=None) -> int:
        """Start a run; return its pid, which is also its process group."""
        job = {"store": str(store), "n_jobs": n_jobs, "arguments": arguments, "die": die}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> int:
        """Wait for the run's end; return its exit status, minus the signal where one killed it."""
        return os.waitstatus_to_exitcode(int(self._process.stdout.readline()))


@contextmanager
def server() -> Iterator[Server]:
    """Run a server while the block runs."""
    command = [sys.executable, "-m", "tests.runs._jobs"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root
    ) as process:
        try:
            yield Server(process)
        finally:
            process.stdin.close()
            process.wait(timeout=60)


if __name__ == "__main__":
    _serve()
