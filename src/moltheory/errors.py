"""The exceptions that moltheory raises on purpose, and the warnings about data.

Each message is one sentence that names the argument, the rule it broke and what was found, so that a
caller can act on it without reading a traceback.
"""

from __future__ import annotations

__all__ = [
    "AggregateWarning",
    "DataWarning",
    "DirectionWarning",
    "FewExamplesWarning",
    "InvalidInputError",
    "MissingDependencyError",
    "MoltheoryError",
    "NotDeclaredError",
    "OutputError",
    "SolverError",
    "TooLargeError",
    "WorkerError",
]


def __dir__() -> list[str]:
    # Not the shared function: nothing may be needed before the errors.
    return sorted(__all__)


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


class MissingDependencyError(MoltheoryError, ImportError):
    """An optional dependency is asked for and not installed; the message holds the line that installs it."""


class SolverError(MoltheoryError, RuntimeError):
    """A scalarized problem has no minimiser, or none was found to the accuracy asked for."""


class WorkerError(MoltheoryError, RuntimeError):
    """Processes of a run could not be started, or ended before their work, as when memory runs out."""


class DataWarning(UserWarning):
    """The data suggest that an option is missing or that they are not what is assumed; results are unaffected."""


class DirectionWarning(DataWarning):
    """An objective is minimised by default, and its name suggests that larger is better."""


class FewExamplesWarning(DataWarning):
    """There are so few independent examples that little can be decided."""


class AggregateWarning(DataWarning):
    """Rows look like folds or averages, which are not independent examples."""
