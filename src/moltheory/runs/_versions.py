"""Versions of Python and of the dependencies, recorded with every result."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from moltheory import __version__
from moltheory._core._card import Card
from moltheory._core._html_repr import Shown
from moltheory.runs._cards import versions_card

__all__ = ["BLAS", "HARMLESS", "VERSION", "Versions", "deciding", "show_versions"]

VERSION, BLAS = "version of ", "BLAS of "
# These lay out, draw or distribute results; no number depends on them.
HARMLESS = {"matplotlib", "tqdm", "joblib", "cloudpickle"}

_PACKAGES = (
    "numpy",
    "scipy",
    "matplotlib",
    "moocore",
    "pandas",
    "joblib",
    "cloudpickle",
    "threadpoolctl",
    "tqdm",
    "numba",
    "scikit-learn",
    "cvxpy",
    "pymoo",
)


@dataclass(frozen=True, repr=False)
class Versions(Shown):
    """Versions of Python, the packages moltheory stands on, and what decides the last bits of their sums.

    Attributes
    ----------
    python, platform : str
    packages : dict of str to str
        ``"absent"`` where a package is not installed.
    processor : str
        Architecture and the vector instructions that numpy uses.
    blas : dict of str to str
        Library, version and kernel of the linear algebra of numpy and of scipy.
    """

    python: str
    platform: str
    packages: dict[str, str]
    processor: str
    blas: dict[str, str]

    def _line(self) -> str:
        """Lay one version out per line."""
        rows = {"python": self.python, "platform": self.platform, "processor": self.processor, **self.packages}
        rows |= {f"BLAS of {package}": found for package, found in self.blas.items()}
        return "\n".join(f"{name:<14}{found}" for name, found in rows.items())

    def _card(self) -> Card:
        return versions_card(self)


def show_versions() -> Versions:
    """Return the versions to quote in a report of a bug or beside a result; they print one per line.

    Returns
    -------
    Versions

    Examples
    --------
    >>> show_versions().packages["moltheory"] == __import__("moltheory").__version__
    True
    """
    # Not from the metadata, which an installation in place does not renew.
    packages = {"moltheory": __version__}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "absent"
    return Versions(platform.python_version(), platform.platform(), packages, _processor(), _blas())


def _processor() -> str:
    found = _configuration(np).get("SIMD Extensions", {}).get("found", [])
    return " ".join([platform.machine(), *found])


def _blas() -> dict[str, str]:
    """Return what numpy and scipy multiply matrices with; the same whatever else this process has imported."""
    import scipy
    import scipy.linalg  # brings linear algebra of its own, which must be there to be found
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped,unused-ignore]

    loaded = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {package.__name__: _blas_of(package, loaded) for package in (np, scipy)}


def _blas_of(package: ModuleType, loaded: Sequence[dict[str, Any]]) -> str:
    """Return the library that comes with a package, or that of the system, or the one it was built for."""
    site = Path(str(package.__file__)).resolve().parents[1]
    own, shared = set(), set()
    for library in loaded:
        text = " ".join(str(library[key]) for key in ("internal_api", "version", "architecture") if library.get(key))
        path = Path(library["filepath"])
        if not path.is_relative_to(site):
            shared.add(text)
        # Wheels keep it in numpy.libs or numpy/.dylibs; those of other packages lie in folders of theirs.
        elif path.relative_to(site).parts[0].partition(".")[0] == package.__name__:
            own.add(text)
    if own or shared:
        return ", ".join(sorted(own or shared))
    # Some, such as Apple's Accelerate, do not report what they run on.
    built = _configuration(package).get("Build Dependencies", {}).get("blas", {})
    return f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()


def _configuration(package: Any) -> dict[str, Any]:
    return package.show_config(mode="dicts") or {}


def deciding(versions: Versions) -> dict[str, str]:
    """Return what the last bits of a result depend on, by names for messages."""
    return {
        f"{VERSION}python": versions.python,
        **{VERSION + name: found for name, found in versions.packages.items() if name not in HARMLESS},
        "processor": versions.processor,
        **{BLAS + name: found for name, found in versions.blas.items()},
    }
