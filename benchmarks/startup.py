"""How long `import moltheory` takes beside `import numpy`, and `moltheory reproduce --quick` in all.

Run ``python benchmarks/startup.py`` from the root of the repository; ``--write`` keeps the table.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_RUNS = 15


def _seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/startup.md")
    options = parser.parse_args()
    times: dict[str, list[float]] = {"pass": [], "import numpy": [], "import moltheory": []}
    for _ in range(_RUNS):  # in turn, so that a drift of the machine's speed meets all alike
        for code in times:
            times[code].append(_seconds("-c", code))
    medians = {code: statistics.median(values) for code, values in times.items()}
    with tempfile.TemporaryDirectory() as folder:
        quick = _seconds("-m", "moltheory", "reproduce", "--quick", "--out", folder)
    ratio = medians["import moltheory"] / medians["import numpy"]
    lines = [
        f"# Startup\n\nPython {platform.python_version()}, medians of {_RUNS} whole processes, in turn.\n",
        "| command | seconds |",
        "| --- | --- |",
        *(f"| `python -c '{code}'` | {value:.3f} |" for code, value in medians.items()),
        f"| `moltheory reproduce --quick` (once) | {quick:.1f} |",
        f"\n`import moltheory` takes {ratio:.2f} x `import numpy` (target: at most 2); "
        "`reproduce --quick` should take less than 60 s.\n",
    ]
    print("\n".join(lines))
    if options.write:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "startup.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
