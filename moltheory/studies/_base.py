"""What a study is, a paper's system as a multi-objective problem with findings computed from the numbers; a run of one."""

from __future__ import annotations

import html
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from moltheory.reports import Figure, Opening, Reproduction, Settings, write_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Study", "run_study"]

ResultT = TypeVar("ResultT")
_MOST_WORDS = 60


class Study(Figure[ResultT]):
    """One source paper at small scale: exact facts as functions, an experiment, a figure, tables and findings.

    A study is a figure of the report whose details are its findings. `compute` keeps finished blocks under
    ``settings.store_for(name, ...)``, so that a killed run continues, and gives the same bits for any number of
    processes.

    Attributes
    ----------
    paper : str
        Authors, year, title and arXiv number of the source.
    panels : sequence of callable
        Functions ``(axes, result)``, one for each panel; a study whose panels depend on the result overrides `draw`.
    needs_torch : bool
        Whether `compute` needs the optional extra torch; the command asks for it before it makes a folder.
    """

    chapter: str = "Case studies"
    paper: str
    panels: ClassVar[Sequence[Callable[[Axes, Any], object]]] = ()
    needs_torch: ClassVar[bool] = False

    @abstractmethod
    def findings(self, result: ResultT) -> tuple[str, ...]:
        """Return the findings, one sentence each with numbers taken from the result.

        They also say where the result differs from the paper.
        """

    def draw(self, result: ResultT, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw `panels`, one on each of the given axes."""
        for ax, panel in zip(axes, self.panels, strict=True):
            panel(ax, result)
        return axes

    def caption(self, result: ResultT) -> str:
        """Return the first findings, as many as make 60 words at most: one paragraph."""
        chosen: list[str] = []
        for sentence in self.findings(result):
            if len(" ".join([*chosen, sentence]).split()) > _MOST_WORDS:
                break
            chosen.append(sentence)
        return " ".join(chosen)

    def details(self, result: ResultT) -> str:
        """Return the source and all findings, one paragraph each."""
        return "\n".join((f"{self.paper}.", *self.findings(result)))


def run_study(study: Study[Any], out: str | os.PathLike[str], *, settings: Settings | None = None) -> Reproduction:
    """Compute a study and write its figure, tables and page to a folder.

    The folder is made if it is missing; files of the same names are replaced. While the call runs, finished blocks are
    kept in a folder ``runs`` inside it: after a kill, the same call continues where it stopped. With
    ``settings.keep_runs`` they stay.

    Raises
    ------
    OutputError
        If the folder cannot be written to; this is found out before any work starts.
    """
    opening = Opening(study.title, f"A case study of moltheory, after {html.escape(study.paper)}.")
    return write_report(out, {"": [study]}, opening, settings=settings or Settings())
