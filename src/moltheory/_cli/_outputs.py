"""The files that `certify` writes: checked before the work, rendered after it, written when all else has succeeded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from moltheory.errors import InvalidInputError, OutputError

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate

__all__ = ["Outputs"]

_KINDS = ("png", "pdf", "svg")


class Outputs:
    """The report page and the figure, where they are asked for.

    Raises
    ------
    InvalidInputError, OutputError
        If a file cannot be written where it is asked to go, or would replace the input.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        inputs = [*options.file, options.costs, options.config, options.columns_file]
        self.page = _place("html", options.html, inputs)
        self.figure = _place("plot", options.plot, [*inputs, options.html])
        taken = [*inputs, options.html, options.plot]
        self.texts = {"summary": _place("summary", options.summary, taken)}
        self.texts["junit"] = _place("junit", options.junit, [*taken, options.summary])
        self._kind = "" if self.figure is None else self.figure.suffix.lower().removeprefix(".")
        if self.figure is not None and self._kind not in _KINDS:
            raise InvalidInputError(f"`plot` must end in .png, .pdf or .svg, got {self.figure.suffix!r}.")

    @property
    def paths(self) -> dict[str, str]:
        """Kinds and paths of the files."""
        places = {"html": self.page, "plot": self.figure, **self.texts}
        return {kind: str(path) for kind, path in places.items() if path is not None}

    def write(
        self,
        certificate: Certificate,
        *,
        title: str,
        plan: pd.DataFrame | None,
        texts: Mapping[str, Callable[[Certificate], str]],
    ) -> None:
        """Render all files, then write each under a temporary name and rename it."""
        from moltheory.certification import certificate_page
        from moltheory.certification._plot import certificate_image
        from moltheory.runs import write_atomically

        contents: list[tuple[Path, bytes]] = []
        if self.page is not None:
            page = certificate_page(certificate, title=title, further=plan)
            contents.append((self.page, page.encode("utf-8", "backslashreplace")))
        if self.figure is not None:
            contents.append((self.figure, certificate_image(certificate, self._kind)))
        for kind, place in self.texts.items():
            if place is not None:
                contents.append((place, texts[kind](certificate).encode("utf-8", "backslashreplace")))
        for path, content in contents:
            write_atomically(path, content)


def _place(argument: str, path: str | None, others: list[str | None]) -> Path | None:
    """Return where a file goes; refused before any work starts if it cannot be written there."""
    if path is None:
        return None
    if "\0" in path:
        raise InvalidInputError(f"`{argument}` must be a path, which holds no NUL, got {path!r}.")
    place = Path(path)
    for other in others:
        if other is not None and _same(place, Path(other)):
            raise InvalidInputError(
                f"`{argument}` must be another file than the input and other results, got {str(place)!r}."
            )
    # Not pathlib's questions: where a folder may not be looked into, some Pythons raise and some answer.
    if os.path.exists(place) and not os.path.isfile(place) and not os.path.isdir(place):
        # A finished file takes the place of what is there: a device would be gone.
        raise OutputError(f"`{argument}` must be an ordinary file, got {str(place)!r}.")
    if os.path.isdir(place) or not os.access(place.parent, os.W_OK | os.X_OK) or not os.path.isdir(place.parent):
        raise OutputError(f"`{argument}` must be a file in a folder that can be written to, got {str(place)!r}.")
    return place


def _same(one: Path, other: Path) -> bool:
    there = os.path.exists(one) and os.path.exists(other)
    return one.samefile(other) if there else one.absolute() == other.absolute()
