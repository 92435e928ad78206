"""A process that forks runs on command, so that they can be killed without paying for imports each time.

It reads one JSON object per line: ``store`` (a folder), ``n_jobs`` and ``die`` ([name of an os function, number of
the call, "before" | "after" | "half"] or null). It answers with the pid of the run, and, once the run has ended, with
its exit status.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moltheory.experiments import asymmetry
from moltheory.problems import reference_world

SIZES = range(3, 23)
REPLICATES = 700
N_PARTS = 40


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


def _serve():
    import joblib  # noqa: F401
    import pandas  # noqa: F401

    table(sizes=[2], replicates=2)
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            status = 1
            try:
                if job["die"]:
                    die_at(*job["die"])
                table(job["store"], n_jobs=job["n_jobs"])
                status = 0
            finally:
                os._exit(status)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


class Server:
    """Starts runs in processes of their own."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def start(self, store: Path, *, n_jobs: int = 1, die=None) -> int:
        """Start a run; return its pid, which is also its process group."""
        self._process.stdin.write(json.dumps({"store": str(store), "n_jobs": n_jobs, "die": die}) + "\n")
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
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=root,
            # Killed runs cannot remove what joblib shares between processes.
            env={**os.environ, "JOBLIB_TEMP_FOLDER": scratch},
        ) as process,
    ):
        try:
            yield Server(process)
        finally:
            process.stdin.close()
            process.wait(timeout=60)


if __name__ == "__main__":
    _serve()
