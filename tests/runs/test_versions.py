"""Versions, processor and BLAS kernels: named beside results, and not mixed in one run folder."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from moltheory.runs import show_versions

_RESUME = """
import sys
from moltheory.errors import InvalidInputError
from moltheory.runs import RunFolder, show_versions
try:
    RunFolder.open(sys.argv[1], parameters={"what": "squares"}, rng=0, keys=["a"])
except InvalidInputError as error:
    print(error)
print(*show_versions().blas.values(), show_versions().processor, sep="\\n")
"""


def _elsewhere(code, *arguments, **environment):
    """Run code in a process of its own and return the lines it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_versions():
    versions = show_versions()
    assert versions.packages["numpy"] == np.__version__
    assert versions.processor.startswith(platform.machine())
    assert set(versions.blas) == {"numpy", "scipy"}
    lines = repr(versions).splitlines()
    assert f"numpy         {np.__version__}" in lines
    assert f"processor     {versions.processor}" in lines
    assert f"BLAS of scipy {versions.blas['scipy']}" in lines


@pytest.mark.slow
def test_kernels_do_not_hang_on_what_else_was_imported():
    told = "from moltheory.runs import show_versions\nprint(show_versions().blas)"
    assert _elsewhere(told) == _elsewhere(f"import sklearn.linear_model, cvxpy, scs\n{told}")


@pytest.mark.parametrize("kernel", ["Haswell", "Prescott"])
def test_another_kernel_does_not_resume_a_run(tmp_path, kernel):
    store = tmp_path / "run"
    blas = show_versions().blas
    there = _elsewhere(_RESUME, store, OPENBLAS_CORETYPE=kernel)
    if there[0] == blas["numpy"]:  # OpenBLAS has several names for one kernel, so only a change can be seen
        pytest.skip(f"numpy's kernel here is {blas['numpy']}; OPENBLAS_CORETYPE={kernel} does not change it")
    message, *here = _elsewhere(_RESUME, store)
    assert here[:2] == [blas["numpy"], blas["scipy"]]
    assert message.startswith("`store` must be a new folder or that of the same run, got ")
    assert f"BLAS of numpy is {there[0]} and not {blas['numpy']}" in message
    assert message.endswith(".")
    # Under the kernel that began it, the run goes on.
    assert _elsewhere(_RESUME, store, OPENBLAS_CORETYPE=kernel) == there
