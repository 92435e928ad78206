"""Names of a study's modules as attributes of its package, loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from moltheory._core._listing import public_names

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that maps modules to further names, separated by blanks.

    Modules are those of the package, or others by their whole name, which begins with ``moltheory.``: where a name has
    moved to. The further names may change, so they are not listed.
    """
    table = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = table[name]
        value = getattr(import_module(home if home.startswith("moltheory.") else f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load, public_names(package)
