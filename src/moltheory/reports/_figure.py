"""What a figure is: something computed, then drawn, then described by a caption that quotes the numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from moltheory._core._file_names import file_stem
from moltheory._core._html_repr import Shown
from moltheory._core._validation import check_count
from moltheory.plotting import panels, plain_powers, styled
from moltheory.runs import check_jobs
from moltheory.runs._objects import is_url
from moltheory.runs._places import as_place

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from moltheory.plotting._shown_axes import AxesList

__all__ = ["Figure", "Settings"]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Settings(Shown):
    """How a figure is computed.

    Attributes
    ----------
    quick : bool
        A small budget: the same figure from fewer samples and smaller sizes.
    seed : int
        Seed of all random streams, >= 0.
    n_jobs : int
        Number of processes; does not change the result.
    progress : bool
        Show progress bars.
    store : path or URL, optional
        Folder, also in object storage, under which long simulations keep their finished blocks, so that a killed run goes
        on; it is never cleaned up.
    keep_runs : bool, default False
        Without a store, finished blocks are kept in a folder ``runs`` beside the report until it is written; with this
        also afterwards.
    """

    quick: bool = False
    seed: int = 0
    n_jobs: int = 1
    progress: bool = False
    store: Path | str | None = None
    keep_runs: bool = False

    def store_for(self, *names: str) -> Path | str | None:
        """Return the run folder of one simulation, or None if nothing is stored."""
        if self.store is None:
            return None
        name = "-".join((*map(file_stem, names), "quick" if self.quick else "full", f"seed{self.seed}"))
        if isinstance(self.store, str) and is_url(self.store):
            return f"{self.store.rstrip('/')}/{name}"
        return Path(self.store, name)

    def __post_init__(self) -> None:
        check_count("seed", self.seed, low=0)
        check_jobs(self.n_jobs)
        if self.store is not None:
            # Refused before any work starts.
            as_place(self.store, argument="store")


class Figure(Shown, ABC, Generic[ResultT]):
    """One figure of the report.

    Attributes
    ----------
    name : str
        File name and name on the command line.
    title : str
        What it shows, as a statement.
    n_panels : int
    chapter : str
        Heading of the part of the report to which it belongs; none by default.
    """

    name: str
    title: str
    n_panels: int
    chapter: str = ""

    _shown = ("name", "title", "chapter")

    @abstractmethod
    def compute(self, settings: Settings) -> ResultT:
        """Return everything that is drawn or reported."""

    @abstractmethod
    def draw(self, result: ResultT, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw on `n_panels` axes and return them."""

    def plot(self, result: ResultT, *, theme: str | None = None) -> AxesList:
        """Return new axes with the figure on them; as the last value of a notebook's cell they are its picture.

        Parameters
        ----------
        result : object
            What `compute` returned.
        theme : {"light", "dark"}, optional
            See `moltheory.plotting.styled`.
        """
        from moltheory.plotting._shown_axes import AxesList

        with styled(theme):
            _, axes = panels(self.n_panels, theme=theme)
            return AxesList(plain_powers(ax) for ax in self.draw(result, axes))

    @abstractmethod
    def caption(self, result: ResultT) -> str:
        """Return one paragraph of what to see, with numbers taken from the result: 60 words at most."""

    def details(self, result: ResultT) -> str:
        """Return what a reader may ask next, one paragraph per line; shown in a fold. None by default."""
        return ""

    def lead(self, result: ResultT) -> pd.DataFrame | None:
        """Return a table of texts that is shown above the picture; none by default."""
        return None

    def alt(self, result: ResultT) -> str:
        """Return what is seen, in words, for readers without the picture; title and caption by default."""
        return f"{self.title}. {self.caption(result)}"

    def summaries(self, result: ResultT) -> Mapping[str, pd.DataFrame]:
        """Return the errors per size of each problem simulated, as `summarize` gives them; none by default."""
        return {}

    @abstractmethod
    def tables(self, result: ResultT) -> Mapping[str, pd.DataFrame]:
        """Return the numbers behind the figure, by name of table."""
