"""How long `import moltheory` takes beside `import numpy`, and `moltheory reproduce --quick` in all."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from ._protocol import Benchmark, Budget, Main, Part, Table, Times, compared, seconds_of, times_in_turn


def _run(*command: str) -> None:
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


def imports(budget: Budget) -> Part:
    codes = ("pass", "import numpy", "import moltheory")
    works = {code: lambda c=code: _run("-c", c) for code in codes}
    times, _ = times_in_turn(works, budget.pick(15, 7, 1), clock=time.perf_counter)
    ours = times["import moltheory"]
    rows = [[f"python -c '{code}'", times[code], compared(ours, times[code])] for code in codes]
    main = [Main("import in a new process", "–", ours.median, "import numpy", times["import numpy"].median)]
    notes = ["Whole processes, wall time. Target: at most 2 x `import numpy`."]
    return Part([Table(["command", "time", "times `import moltheory`"], rows, notes, main=main)])


def reproduce(budget: Budget) -> Part:
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "moltheory", *budget.pick(["reproduce", "--quick", "--out", folder], ["--version"])]
        seconds, _ = seconds_of(lambda: _run(*command), clock=time.perf_counter)
    rows = [[" ".join(["moltheory", *command[2:4]]).partition(" --out")[0], Times((seconds,))]]
    return Part([Table(["command", "time"], rows, ["Wall time, once. Target of `reproduce --quick`: 60 s."])])


BENCHMARK = Benchmark(
    name="startup",
    title="Startup",
    compares="How long `import moltheory` takes beside `import numpy`, and the whole quick report.",
    parts={"imports": imports, "reproduce": reproduce},
    seconds=(60, 3),
)
