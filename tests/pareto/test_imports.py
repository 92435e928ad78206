"""What importing the room, and small work in it, must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "('numba', 'moocore', 'scipy')"


@pytest.mark.parametrize(
    "work",
    [
        "",
        "room.nondominated([[1, 2], [2, 1]])",
        "room.pareto_front([[1, 2, 3], [2, 1, 3]])",
        "room.coverage_error([[1, 2]], [[2, 1]]), room.purity_error([[1, 2]], [[2, 1]])",
    ],
)
def test_no_heavy_import(work):
    code = (
        "import sys, moltheory.pareto as room\n"
        f"{work}\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "raise SystemExit(', '.join(loaded))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.stderr.strip() == ""
