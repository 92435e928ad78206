"""Kernels: the same answers compiled and interpreted, cached on disk, and with or without a place for the cache."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

_KERNELS = '''
import numpy as np
from moltheory._core._numba import compiled, count_ones


@compiled
def ones(words):
    """Sum of the ones of words."""
    total = 0
    for k in range(words.shape[0]):
        total += np.int64(count_ones(words[k]))
    return total
'''
_CALL = """
import numpy as np
from kernels import ones
print(ones(np.array([7, 0, 2**64 - 1], np.uint64)), type(ones).__name__)
"""


def _run(folder, **environment):
    root = Path(__file__).parents[2]
    if not (folder / "kernels.py").exists():
        (folder / "kernels.py").write_text(_KERNELS)  # written again, it is another file for older versions of numba
    done = subprocess.run(
        [sys.executable, "-c", _CALL],
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_kernels_are_cached_on_disk_beside_their_module(tmp_path):
    # Where a test machine keeps its cache elsewhere, this test keeps its own beside the module.
    count, kind = _run(tmp_path, NUMBA_CACHE_DIR="", NUMBA_DISABLE_JIT="0")
    assert (int(count), kind) == (67, "CPUDispatcher")
    cached = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "__pycache__").glob("kernels.ones*.nb?")}
    assert {name.rsplit(".", 1)[1] for name in cached} == {"nbi", "nbc"}
    assert _run(tmp_path, NUMBA_CACHE_DIR="", NUMBA_DISABLE_JIT="0") == ["67", "CPUDispatcher"]
    # The second process compiled nothing.
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "__pycache__").glob("kernels.ones*.nb?")}
    assert again == cached


def test_kernels_run_where_nothing_is_compiled(tmp_path):
    assert _run(tmp_path, NUMBA_DISABLE_JIT="1") == ["67", "function"]
    assert not list(tmp_path.rglob("*.nb?"))


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled, so nothing is cached")
def test_without_a_place_for_the_cache_a_kernel_is_compiled_all_the_same():
    from moltheory._core._numba import compiled

    space = {}
    # A function without a file has no folder beside it.
    exec(compile("def halved(x):\n    return x / 2.0\n", "<nowhere>", "exec"), space)
    kernel = compiled(space["halved"])
    assert kernel(3.0) == 1.5
    assert kernel.stats.cache_path is None


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="Python divides by its own rules")
def test_the_error_model_decides_about_division_by_zero():
    from moltheory._core._numba import compiled

    # Two functions: the cache on disk knows a kernel by its function and types, not by its error model.
    def inverse(x):
        return 1.0 / x

    def inverse_or_infinity(x):
        return 1.0 / x

    with pytest.raises(ZeroDivisionError):
        compiled(inverse)(0.0)
    assert compiled(inverse_or_infinity, error_model="numpy")(0.0) == np.inf


def test_ones_of_words_are_those_of_python(rng):
    from moltheory.inference._pair_kernels import count_common

    words = rng.integers(0, 2**64, size=(5, 7), dtype=np.uint64)
    words[0] = [0, 1, 2**63, 2**64 - 1, 3, 2**32, 2**32 - 1]
    found = np.zeros((5, 5), np.int64)
    count_common(words, found)
    expected = [[sum(int(a & b).bit_count() for a, b in zip(x, y, strict=True)) for y in words] for x in words]
    np.testing.assert_array_equal(found, expected)
