"""Which versions of what produced a result."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Versions", "show_versions"]

_PACKAGES = (
    "moltheory",
    "numpy",
    "scipy",
    "matplotlib",
    "moocore",
    "pandas",
    "joblib",
    "tqdm",
    "numba",
    "scikit-learn",
    "cvxpy",
    "pymoo",
)


@dataclass(frozen=True)
class Versions:
    """Versions of Python, the platform and the packages moltheory stands on.

    Attributes
    ----------
    python, platform : str
    packages : dict of str to str
        ``"absent"`` where a package is not installed.
    """

    python: str
    platform: str
    packages: dict[str, str]

    def __repr__(self) -> str:
        """Lay one version out per line."""
        rows = {"python": self.python, "platform": self.platform, **self.packages}
        return "\n".join(f"{name:<14}{found}" for name, found in rows.items())


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
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "absent"
    return Versions(platform.python_version(), platform.platform(), packages)
