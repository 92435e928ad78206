"""`mt.certify` with many models: time and peak memory from 500 to 5,000 of them on 10,000 examples, and what follows.

Usage: python benchmarks/certify_growth.py [--quick] [--write]

Each row is a process of its own, with whatever threads the libraries take; wall time, and the peak memory of the process
(losses included). Losses are 0 or 1 unless the row says otherwise; error rates are uniform between .1 and .3, and hard
examples are hard for all. "plan" is `Certificate.plan`, "groups" `indistinguishable_groups`, "page" the HTML report,
"frame" `to_frame` and `repr`, "JSON" `to_json`, with one pair per claim of dominance.
`--quick` takes a fifth of the models; `--write` also writes the table to results/certify_growth.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _processor import kind_of_processor, run_on, write_sections

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "certify_growth.md"
EXAMPLES = 10_000
CASES = (
    (500, 2, "cost"),
    (1500, 2, "cost"),
    (5000, 2, "cost"),
    (5000, 1, "cost"),
    (5000, 2, ""),
    (5000, 1, ""),
    (5000, 2, "10 % missing"),
    (5000, 2, "cost, tolerance"),
    (5000, 1, "between 0 and 1"),
    (5000, 1, "equal rates"),
)


def losses_of(models: int, objectives: int, kind: str) -> Any:
    """Draw losses (10000, models, objectives)."""
    rng = np.random.default_rng(1)
    floats = "between" in kind or "missing" in kind
    losses: Any = np.empty((EXAMPLES, models, objectives), np.float32 if floats else np.bool_)
    rates = rng.uniform(0.1, 0.3, (models, objectives)).astype(np.float32)
    if "equal" in kind:
        rates[:] = 0.2
    for start in range(0, EXAMPLES, 500):
        part = losses[start : start + 500]
        hard = rng.random((len(part), 1, 1), dtype=np.float32)
        drawn = 0.5 * hard + 0.5 * rng.random(part.shape, dtype=np.float32)
        part[:] = drawn * (0.5 + rates) if "between" in kind else drawn < rates
        if "missing" in kind:
            part[rng.random(part.shape, dtype=np.float32) < 0.1] = np.nan
    return losses


def one(models: int, objectives: int, kind: str) -> dict[str, float]:
    """Time one certificate and what follows from it, in this process."""
    import moltheory as mt
    from moltheory.certification import certificate_page, indistinguishable_groups

    options: dict[str, Any] = {}
    if "cost" in kind:
        options["costs"] = np.random.default_rng(2).integers(0, 50, (models, 1)).astype(float)
    if "tolerance" in kind:
        options["epsilon"] = [0.02] * objectives + [0.0]
    losses = losses_of(models, objectives, kind)
    found: dict[str, float] = {}

    def timed(name: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        found[name] = time.perf_counter() - start
        return result

    certificate = timed("certify", lambda: mt.certify(losses, **options))
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    plan = timed("plan", certificate.plan)
    timed("frame", lambda: (repr(certificate), certificate.to_frame()))
    timed("groups", lambda: indistinguishable_groups(certificate))
    page = timed("page", lambda: certificate_page(certificate, further=plan))
    text = timed("json", certificate.to_json)
    found |= {"page size": len(page) / 1e6, "json size": len(text) / 1e6, "undecided": int(certificate.undecided.sum())}
    return found


def growth(quick: bool) -> Iterator[str]:
    """Yield the table."""
    yield f"{run_on()}. {EXAMPLES} examples."
    yield ""
    yield (
        "| models | objectives | beside | certify, s | peak memory, GB | undecided | plan, s | frame, s | groups, s | "
        "page, s | page, MB | JSON, s | JSON, MB |"
    )
    yield "|" + " --- |" * 13
    for models, objectives, kind in CASES:
        size = models // 5 if quick else models
        command = [sys.executable, __file__, "--one", json.dumps([size, objectives, kind])]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield (
            f"| {size} | {objectives} | {kind} | {found['certify']:.1f} | {found['memory']:.2f} | "
            f"{found['undecided']} | {found['plan']:.1f} | {found['frame']:.1f} | {found['groups']:.1f} | "
            f"{found['page']:.1f} | {found['page size']:.1f} | {found['json']:.1f} | {found['json size']:.0f} |"
        )
    yield ""
    yield "Target: certify in under 60 s and 4 GB for 5000 models of 0/1 losses, on two cores."


def main() -> None:
    """Print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the models")
    parser.add_argument("--write", action="store_true", help=f"also write {RESULTS.name}")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(*json.loads(options.one))))
        return
    heading = f"Many models, processor {kind_of_processor()}"
    lines = []
    print(f"## {heading}\n", flush=True)
    for line in growth(options.quick):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        write_sections(RESULTS, "`mt.certify` with many models", {heading: lines})


if __name__ == "__main__":
    main()
