"""Names of a study's modules as attributes of its package, loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose modules hold further names.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        Module, relative to the package, and the names that it holds, separated by blanks.

    Examples
    --------
    >>> from moltheory.studies import unconstrained_features
    >>> unconstrained_features.ReducedLoss(2, 3, 1.0).exponent
    0.5
    """
    table = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{table[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *table})

    return load, names
