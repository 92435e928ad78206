"""What a benchmark ran on.

The environment alone emulates a processor without AVX-512 on one that has it:

    OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" NUMBA_CPU_NAME=znver2 NUMBA_CPU_FEATURES=

and one without AVX2: Prescott, "X86_V3 X86_V4 AVX512_ICL", nehalem. (NumPy's names of features are those of 2.4; an
empty NUMBA_CPU_FEATURES means those of the named processor.)
"""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["conditions", "is_busy", "kind_of_processor", "load", "versions"]

_EMULATING = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME")
ROOT = Path(__file__).parents[1]


def simd() -> list[str]:
    """Return the instruction sets that NumPy dispatches to here, beyond its baseline."""
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")  # not public, and there is no other place
    return [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]


def model_of_processor() -> str:
    """Return the name that the maker gives the processor, or its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def instructions() -> str:
    """Return processor, kernels of BLAS, SIMD of NumPy and numba's processor in one line."""
    import llvmlite.binding  # type: ignore[import-untyped]
    import scipy.linalg  # loads its own BLAS  # noqa: F401
    import threadpoolctl

    pools = threadpoolctl.threadpool_info()
    blas = {f"{pool['internal_api']} {pool.get('architecture')}" for pool in pools if pool["user_api"] == "blas"}
    compiled_for = os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()
    return (
        f"{model_of_processor()} ({platform.machine()}); BLAS {', '.join(sorted(blas))}; "
        f"NumPy SIMD {' '.join(simd()) or 'baseline'}; numba {compiled_for}"
    )


def kind_of_processor() -> str:
    """Return the kind of processor in words."""
    found = set(simd())
    if platform.machine().lower() not in ("x86_64", "amd64"):
        name = f"of kind {platform.machine()}"
    elif any(one.startswith(("AVX512", "X86_V4")) for one in found):
        name = "with AVX-512"
    else:
        name = "without AVX-512" if found & {"AVX2", "X86_V3"} else "without AVX2"
    return name + (" (emulated)" if any(os.environ.get(name) for name in _EMULATING) else "")


def versions(peers: Iterable[str] = ()) -> dict[str, str]:
    """Return versions of what is measured and of its peers; "missing" for what is not installed."""
    import moltheory

    found = {"Python": platform.python_version(), "moltheory": moltheory.__version__}
    for name in ("numpy", "scipy", "numba", *peers):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def load() -> float | None:
    """Return how many processes ran in the last minute, on average; None where the system does not say."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def conditions(peers: Iterable[str], before: float | None) -> dict[str, Any]:
    """Return what a part ran on, and when."""
    return {
        "date": datetime.date.today().isoformat(),
        "commit": _commit(),
        "versions": versions(peers),
        "processor": instructions(),
        "kind": kind_of_processor(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", 1)),
        "cores": os.cpu_count(),
        "load before": before,
        "load after": load(),
    }


def is_busy(found: dict[str, Any]) -> bool:
    """Return whether other programs ran beside: more than half a process more than the benchmark's own."""
    loads = [one for one in (found["load before"], found["load after"]) if one is not None]
    return bool(loads) and max(loads) > found["threads"] + 0.5


def _commit() -> str:
    """Return the commit, with a mark if the package differs from it; nothing outside of a clone."""
    try:
        run = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        name = subprocess.run(run, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
        run = ["git", "-C", str(ROOT), "diff", "--quiet", "HEAD", "--", "src"]
        changed = subprocess.run(run, capture_output=True, check=False, timeout=10).returncode
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{name} with changes" if changed else name
