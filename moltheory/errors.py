"""The exceptions that moltheory raises on purpose.

Each message is one sentence that names the argument, the rule it broke and what was found, so that a
caller can act on it without reading a traceback.
"""

from __future__ import annotations

__all__ = [
    "InvalidInputError",
    "MoltheoryError",
    "NotDeclaredError",
    "OutputError",
    "SolverError",
    "TooLargeError",
]


class MoltheoryError(Exception):
    """Base class of every error that moltheory raises on purpose."""


class InvalidInputError(MoltheoryError, ValueError):
    """An argument breaks a stated rule; refused before any work starts."""


class NotDeclaredError(InvalidInputError, NotImplementedError):
    """An object does not define what is asked of it, for example a problem without widths."""


class TooLargeError(MoltheoryError, ValueError):
    """The request is well formed but larger than a stated limit, for example an exact enumeration."""


class OutputError(MoltheoryError, OSError):
    """A result cannot be written where it was asked to go; nothing half-written is left there."""


class SolverError(MoltheoryError, RuntimeError):
    """A scalarized problem has no minimiser, or none was found to the accuracy asked for."""
