"""The contract of readers: what is asked of a file format, and what it must say of itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from moltheory._core._html_repr import Shown
from moltheory._core._reading import reading
from moltheory._core._text import joined
from moltheory.errors import InvalidInputError
from moltheory.evaluation._source import MOST_IN_MEMORY, LossRange, LossSource

__all__ = ["ClusterRule", "Reader", "Request", "reading"]

ClusterRule = str | Callable[[str, str], Hashable]


@dataclass(frozen=True)
class Request(Shown):
    """What is asked of a reader, the same for all formats; None and the empty tuple leave the choice to the file.

    Attributes
    ----------
    objectives : tuple of str or None
        Objectives (of tidy tables and logs: metrics) to read, in this order.
    models : tuple of str or None
        Models to read, in this order.
    ignore : tuple of str
        Columns or models to leave out.
    model, example, clusters : str or None
        Columns (of logs: fields) with the names of models and examples, and of what dependent examples share.
    cluster_rule : callable or None
        Instead of `clusters`, a function of the task and the example's name.
    wide : bool or None
        Whether every column is a model, whatever slashes its name holds.
    separator, decimal : str or None
        Of the fields of a text file, and of the fraction of a number.
    filter : str or None
        Filter of the answers to score.
    tasks : tuple of str or None
        Tasks to read; ``task:filter`` chooses a filter for one.
    pooled : bool or None
        Whether a metric is one objective over the examples of all tasks.
    maximise : bool, sequence of str, mapping of str to bool, or None
        Objectives that are better when larger.
    loss_range : pair of floats, or mapping of str to pairs
    most_in_memory : int
    """

    objectives: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    model: str | None = None
    example: str | None = None
    clusters: str | None = None
    cluster_rule: Callable[[str, str], Hashable] | None = None
    wide: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    filter: str | None = None
    tasks: tuple[str, ...] | None = None
    pooled: bool | None = None
    maximise: bool | Sequence[str] | Sequence[bool] | Mapping[str, bool] | None = None
    loss_range: LossRange = (0.0, 1.0)
    most_in_memory: int = MOST_IN_MEMORY


_ALWAYS = frozenset({"objectives", "models", "ignore", "maximise", "loss_range", "most_in_memory"})
"""What every reader understands, or what is done for it by `open_losses`."""


@dataclass(frozen=True)
class Reader(Shown):
    """A format: how its files are recognized, which requests it understands, and how they are opened.

    Attributes
    ----------
    name : str
        Name for `open_losses(format=...)`, for example ``"lm-eval"``.
    description : str
        One line for the help: what the files are and hold.
    sniff : callable
        Whether given files (or one folder) are of this format: looks at names and at the first bytes only, and never
        raises.
    open : callable
        Takes the files and the `Request`; returns a source of blocks or a table.
    accepts : frozenset of str
        Fields of `Request` that it understands; others are refused. What it does not list of objectives, models and
        maximise is applied by `open_losses` to what was opened; ignore, loss_range and most_in_memory are always given.
    """

    name: str
    description: str
    sniff: Callable[[tuple[Path, ...]], bool]
    open: Callable[[tuple[Path, ...], Request], LossSource]
    accepts: frozenset[str] = frozenset()

    def check(self, request: Request) -> None:
        """Refuse a request that this format does not understand.

        Raises
        ------
        InvalidInputError
        """
        default: dict[str, Any] = {field.name: field.default for field in fields(Request)}
        for name in default.keys() - self.accepts - _ALWAYS:
            if getattr(request, name) != default[name]:
                if name == "cluster_rule" and "clusters" in self.accepts:
                    raise InvalidInputError(
                        f"`clusters` must be the name of a column for files of format {self.name}, got a function."
                    )
                shown = "clusters" if name == "cluster_rule" else name
                known = joined(sorted(self.accepts - {"cluster_rule"})) or "none of its kind"
                raise InvalidInputError(
                    f"`{shown}` must be left out for files of format {self.name}, got {getattr(request, name)!r}; "
                    f"it understands {known}."
                )
