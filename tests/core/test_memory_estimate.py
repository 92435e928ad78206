"""What is left of memory is read from the machine, control groups and limits; work that needs more is refused."""

import sys
from pathlib import Path

import pytest

from moltheory._core import _memory_estimate
from moltheory._core._memory_estimate import available_memory, require_memory
from moltheory.errors import TooLargeError

GB = 10**9


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Linux machine with 8 GiB available and no limits, in files that a test may change."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 16777216 kB\nMemAvailable: {8 * 2**20} kB\n")
    monkeypatch.setattr(_memory_estimate, "_PROC", proc)
    monkeypatch.setattr(_memory_estimate, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(_memory_estimate, "_of_address_space", list)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def _group(folder: Path, limit: str, used: int, cache: int, *, version: int) -> None:
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(limit)
    (folder / names[1]).write_text(str(used))
    (folder / "memory.stat").write_text(f"anon 5\n{'' if version == 2 else 'total_'}inactive_file {cache}\n")


def test_what_the_machine_has(machine: Path) -> None:
    assert available_memory() == 8 * 2**30


def test_the_strictest_group_above_counts(machine: Path) -> None:
    (machine / "proc" / "self" / "cgroup").write_text("0::/job/step\n")
    _group(machine / "groups" / "job", str(4 * GB), 2 * GB, GB // 2, version=2)
    _group(machine / "groups" / "job" / "step", "max", GB, 0, version=2)
    assert available_memory() == 2.5 * GB


def test_groups_of_version_1_and_of_a_host(machine: Path) -> None:
    (machine / "proc" / "self" / "cgroup").write_text("4:cpu,memory:/docker/abc\n1:cpu:/x\n")
    _group(machine / "groups" / "memory", str(3 * GB), GB, 0, version=1)
    assert available_memory() == 2 * GB


def test_a_full_group_leaves_nothing(machine: Path) -> None:
    (machine / "proc" / "self" / "cgroup").write_text("0::/\n")
    _group(machine / "groups", str(GB), 2 * GB, 0, version=2)
    assert available_memory() == 0


def test_the_limit_on_address_space() -> None:
    resource = pytest.importorskip("resource")
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**46 if hard == resource.RLIM_INFINITY else hard, hard))
    try:
        assert 0 < _memory_estimate._of_address_space()[0] < 2**46
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_nothing_known_refuses_nothing(machine: Path) -> None:
    (machine / "proc" / "meminfo").unlink()
    assert available_memory() is None
    require_memory(1e18, "`losses` must be small", "take fewer")


def test_refusals_say_how_much_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory_estimate, "available_memory", lambda: 2 * GB)
    require_memory(1.9 * GB, "`losses` must hold fewer than 9 models", "take fewer")
    with pytest.raises(TooLargeError, match=r"^`losses` must hold fewer than 9 models: this needs about 3 GB of "):
        require_memory(3 * GB, "`losses` must hold fewer than 9 models", "take fewer")
    # Less is free by the time that it is asked for.
    monkeypatch.setattr(_memory_estimate, "available_memory", lambda: 0)
    require_memory(10**6, "`losses`", "take fewer")
