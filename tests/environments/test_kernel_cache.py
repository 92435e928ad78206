"""The cache of kernels: processes at once, one that is killed, damage of every kind, and a kernel that changed."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled or cached")

_ROOT = Path(__file__).parents[2]
_KERNEL = '''
from moltheory._core._numba import compiled


@compiled
def total(values):
    """Sum of the values."""
    found = values[0] * 0
    for k in range(values.shape[0]):
        found += values[k]
    return found
'''
_SUM = 499_500
_CALL = """
import sys
import numpy as np
from kernel import total
print(total(np.arange(1000, dtype=sys.argv[1])))
"""


def _module(path):
    found = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path, monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    # Python takes a module that is written again within a second, and is as long as before, from its bytecode.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "kernel.py").write_text(_KERNEL)
    (tmp_path / "call.py").write_text(_CALL)
    return tmp_path


@pytest.fixture
def fresh(folder):
    """Calls the kernel as a new process does: its answer, and how often it was taken from the disk."""
    module = _module(folder / "kernel.py")

    def call(kind="float64"):
        from moltheory._core._numba import compiled

        kernel = compiled(module.total.py_func)
        return kernel(np.arange(1000, dtype=kind)), sum(kernel.stats.cache_hits.values())

    return call


def _start(folder, kind="float64"):
    paths = os.pathsep.join([str(folder), str(_ROOT)])
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(folder / "call.py"), kind],
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder / "cache")},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(process):
    out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    return float(out)


def _files(folder, kind):
    found = sorted((folder / "cache").rglob(f"*.{kind}"))
    assert len(found) >= 1
    return found


def _empty(path):
    path.write_bytes(b"")


def _cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _garbage(path):
    path.write_bytes(bytes(range(256)) * 40)


def _flipped(path):
    # Machine code with one other bit still looks like a kernel.
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    path.write_bytes(content)


def _absent(path):
    path.unlink()


_MENDED = [(kind, damage) for kind in ("nbi", "nbc") for damage in (_empty, _cut, _garbage, _flipped, _absent)]


@pytest.mark.parametrize(("kind", "damage"), _MENDED, ids=lambda value: getattr(value, "__name__", value))
def test_damage_costs_a_compilation_and_the_cache_is_mended(kind, damage, folder, fresh):
    assert [fresh(), fresh()] == [(_SUM, 0), (_SUM, 1)]
    for path in _files(folder, kind):
        damage(path)
    answer, hits = fresh()
    assert answer == _SUM
    # In an index one other bit may not matter.
    assert hits == 0 or (kind, damage) == ("nbi", _flipped)
    assert fresh() == (_SUM, 1)


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_what_stands_in_the_way_is_left_alone(kind, folder, fresh):
    fresh()
    (path,) = _files(folder, kind)
    path.unlink()
    path.mkdir()
    assert [fresh(), fresh()] == [(_SUM, 0), (_SUM, 0)]
    assert path.is_dir()
    # Nor are there remains of what could not be put there.
    assert not [name for name in path.parent.iterdir() if "tmp" in name.name]


def test_a_full_disk_and_a_folder_that_is_gone_are_no_errors(folder, fresh, monkeypatch):
    import shutil

    import numba.core.caching

    fresh()
    shutil.rmtree(folder / "cache")
    assert [fresh(), fresh()] == [(_SUM, 0), (_SUM, 1)]

    def full(*_):
        raise OSError(28, "No space left on device")

    for path in _files(folder, "nbi"):
        path.unlink()
    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "_save_index", full)
    assert [fresh(), fresh()] == [(_SUM, 0), (_SUM, 0)]


def test_code_that_stands_under_the_name_of_other_types_is_not_run(folder, fresh):
    # Two processes that compile for different types at once may both take the first free name.
    for kind in ("float64", "int64"):
        fresh(kind)
    first, second = _files(folder, "nbc")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    for kind in ("float64", "int64"):
        assert [fresh(kind), fresh(kind)] == [(_SUM, 0), (_SUM, 1)]


def test_a_kernel_is_compiled_again_where_what_it_is_made_of_has_changed(folder):
    (folder / "caller.py").write_text(
        "from moltheory._core._numba import compiled\nimport helper\nhelped, SHIFT = helper.helped, helper.SHIFT\n\n"
        "@compiled\ndef calling(x):\n    return helped(x) + SHIFT\n"
    )

    def answer(factor, shift):
        helper = (
            f"from moltheory._core._numba import compiled\nSHIFT = {shift}\n\n"
            f"@compiled\ndef helped(x):\n    return {factor} * x\n"
        )
        if not (folder / "helper.py").exists() or (folder / "helper.py").read_text() != helper:
            (folder / "helper.py").write_text(helper)  # written again, it is another file for older versions of numba
        sys.modules["helper"] = _module(folder / "helper.py")
        try:
            kernel = _module(folder / "caller.py").calling
        finally:
            del sys.modules["helper"]
        return kernel(2.0), sum(kernel.stats.cache_hits.values())

    assert [answer(3, 1), answer(3, 1)] == [(7.0, 0), (7.0, 1)]
    # The text of the caller stays the same, and as long as before is that of the helper.
    assert [answer(5, 1), answer(5, 2)] == [(11.0, 0), (12.0, 0)]


@pytest.mark.parametrize("count", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_compile_at_once_all_have_the_answer(count, folder):
    started = [_start(folder, kind) for kind in ("float64", "int64") * (count // 2)]
    assert [_answer(process) for process in started] == [_SUM] * count


@pytest.mark.slow
def test_processes_killed_while_they_compile_leave_a_cache_that_works(folder, fresh):
    seconds = time.perf_counter()
    _answer(_start(folder))
    seconds = time.perf_counter() - seconds
    for k in range(40 if os.environ.get("MOLTHEORY_FULL") else 6):
        for path in (folder / "cache").rglob("*.nb?"):
            path.unlink()
        started = [_start(folder) for _ in range(2)]
        time.sleep(seconds * (0.6 + 0.1 * (k % 10)))
        started[0].send_signal(signal.SIGKILL)
        started[0].communicate()
        assert _answer(started[1]) == _SUM
        assert fresh()[0] == _SUM
