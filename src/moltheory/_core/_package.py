"""The version of the package, which the build takes from the tag of the release."""

from __future__ import annotations

__all__ = ["__version__"]

try:
    from moltheory._core._version import __version__
except ModuleNotFoundError:  # sources that no build has seen
    __version__ = "0+unknown"
