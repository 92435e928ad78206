"""The memory that a simulation is said to need, against the peak that it has in a fresh process."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc"),
]

_CODE = """
import numpy as np
from pathlib import Path
from moltheory.experiments import asymmetry, excess
from moltheory.problems import FiniteWorld, MultiTaskLeastSquares, reference_world
from moltheory.runs import _memory
from moltheory.scalarization import WeightedSum

squares = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
many = FiniteWorld.from_examples(np.random.default_rng(0).random((50, 1000, 2)).round(2))
runs = {
    "many rows": lambda rows: asymmetry(reference_world(), sizes=[50], replicates=200 * rows, rng=0),
    "many models": lambda rows: asymmetry(many, sizes=[50], replicates=rows, rng=0),
    "weights": lambda rows: asymmetry(squares, sizes=[5000], replicates=rows // 5, rng=0),
}
needed = []
_memory.require_memory = lambda most, *_: needed.append(most)

def memory(which):
    return 1024 * int(Path("/proc/self/status").read_text().split(which)[1].split()[0])

run = runs[RUN]
run(5)
before = memory("VmRSS:")
run(500)
print(needed[-1] / (memory("VmHWM:") - before))
"""


@pytest.mark.parametrize("run", ["many rows", "many models", "weights"])
def test_the_estimate_is_within_a_factor_of_the_peak(run):
    code = _CODE.replace("RUN", repr(run))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # When written: 1.0, 1.1 and 1.0.
    assert 1 / 1.5 < float(done.stdout) < 1.5
