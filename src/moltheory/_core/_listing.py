"""What `dir` and completion list of a public module: its public names, and nothing it is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["public_names"]


def public_names(module: str) -> Callable[[], list[str]]:
    """Return the ``__dir__`` of a module (PEP 562): its ``__all__``, sorted.

    Examples
    --------
    >>> import moltheory.pareto
    >>> dir(moltheory.pareto) == sorted(moltheory.pareto.__all__)
    True
    """

    def __dir__() -> list[str]:
        return sorted(sys.modules[module].__all__)

    return __dir__
