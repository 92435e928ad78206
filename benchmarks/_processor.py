"""What a benchmark ran on, and results of several processors in one file.

The environment alone emulates a processor without AVX-512 on one that has it:

    OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" NUMBA_CPU_NAME=znver2 NUMBA_CPU_FEATURES=

and one without AVX2: Prescott, "X86_V3 X86_V4 AVX512_ICL", nehalem. (NumPy's names of features are those of 2.4; an
empty NUMBA_CPU_FEATURES means those of the named processor.)
"""

from __future__ import annotations

import importlib
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["kind_of_processor", "run_on", "write_sections"]

_EMULATING = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME")


def simd() -> list[str]:
    """Return the instruction sets that NumPy dispatches to here, beyond its baseline."""
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")  # not public, and there is no other place
    return [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]


def run_on() -> str:
    """Return versions and processor in one line: kernels of BLAS, SIMD of NumPy, numba's processor."""
    import llvmlite.binding  # type: ignore[import-untyped]
    import scipy.linalg  # loads its own BLAS  # noqa: F401
    import threadpoolctl

    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy"))
    pools = threadpoolctl.threadpool_info()
    blas = {f"{pool['internal_api']} {pool.get('architecture')}" for pool in pools if pool["user_api"] == "blas"}
    compiled_for = os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()
    return (
        f"Python {platform.python_version()}, {versions}; {platform.machine()}; BLAS {', '.join(sorted(blas))}; "
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


def write_sections(path: Path, title: str, sections: dict[str, list[str]]) -> None:
    """Put each section of lines under its heading, in place of the one that stands there; keep all others."""
    parts: dict[str, str] = {}
    if path.exists():
        for part in re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            heading, _, body = part.partition("\n")
            parts[heading[3:]] = body.strip()
    parts |= {heading: "\n".join(lines).strip() for heading, lines in sections.items()}
    path.parent.mkdir(exist_ok=True)
    text = "\n\n".join([f"# {title}", *(f"## {heading}\n\n{body}" for heading, body in parts.items())])
    path.write_text(text + "\n", encoding="utf-8")
