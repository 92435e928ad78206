"""What a study is, a paper's system as a multi-objective problem with findings computed from the numbers; a run of one."""

from __future__ import annotations

import html
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from moltheory.errors import InvalidInputError
from moltheory.images import ImageSource
from moltheory.reports import Figure, Opening, Reproduction, Settings, write_report
from moltheory.studies._claims import Claim, claims_table
from moltheory.studies._machine import Machine

if TYPE_CHECKING:
    import pandas as pd
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
    prefers : tuple of str
        Which data set is taken, the first one first, where a folder holds several.

    has_large : bool
        Whether there is a larger run with the paper's networks.

    Parameters
    ----------
    data : path, optional
        Folder of images, see `moltheory.images.load_images`; the digits of scikit-learn by default.
    device : {"cpu", "cuda", "mps", "auto"}, default "cpu"
        Where torch trains networks.
    threads : int, default 1
        Threads of each process. Only one thread on the CPU gives the same bits in every run.
    large : bool, default False
        The networks and the recipe of the paper, on `data`: hours on a CPU, meant for a GPU.

    Raises
    ------
    InvalidInputError
        If `data` is no folder, torch does not find the device, or there is no larger run.
    """

    chapter: str = "Case studies"
    paper: str
    panels: ClassVar[Sequence[Callable[[Axes, Any], object]]] = ()
    needs_torch: ClassVar[bool] = False
    prefers: ClassVar[tuple[str, ...]] = ("MNIST", "CIFAR-10")

    has_large: ClassVar[bool] = False

    def __init__(
        self,
        data: str | os.PathLike[str] | None = None,
        *,
        device: str = "cpu",
        threads: int = 1,
        large: bool = False,
    ) -> None:
        if large and not self.has_large:
            raise InvalidInputError(f"`large` must be left out for {self.name}, which has no larger run, got True.")
        if large and data is None:
            raise InvalidInputError("`data` must name a folder of images for a large run, got None.")
        self.large = large
        self.source = ImageSource.of(data, prefer=self.prefers)
        self.machine = Machine(device, threads).resolved()

    @abstractmethod
    def claims(self, result: ResultT) -> tuple[Claim, ...]:
        """Return the claims of the paper's abstract, each with what was found here; at most one is not tested."""

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
        """Return the source, the data, where it was computed and all findings, one paragraph each."""
        return "\n".join((f"{self.paper}.", self.setting, *self.findings(result)))

    @property
    def setting(self) -> str:
        """One sentence: the data, and where it was computed."""
        return f"Data: {self.source.load().description}. Computed on {self.machine.description}."

    def lead(self, result: ResultT) -> pd.DataFrame:
        """Return the claims as a table."""
        return claims_table(self.claims(result))


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
    about = f"A case study of moltheory, after {study.paper}. {study.setting}"
    opening = Opening(study.title, html.escape(about))
    return write_report(out, {"": [study]}, opening, settings=settings or Settings())
