"""What a figure is: something computed, then drawn, then described by a caption that quotes the numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from moltheory._core._file_names import file_stem
from moltheory._core._validation import check_count
from moltheory.runs import check_jobs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Figure", "Settings"]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Settings:
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
    store : pathlib.Path, optional
        Folder under which long simulations keep their finished blocks, so that a killed run goes on.
    """

    quick: bool = False
    seed: int = 0
    n_jobs: int = 1
    progress: bool = False
    store: Path | None = None

    def store_for(self, *names: str) -> Path | None:
        """Return the run folder of one simulation, or None if nothing is stored."""
        if self.store is None:
            return None
        return self.store.joinpath(
            "-".join((*map(file_stem, names), "quick" if self.quick else "full", f"seed{self.seed}"))
        )

    def __post_init__(self) -> None:
        check_count("seed", self.seed, low=0)
        check_jobs(self.n_jobs)


class Figure(ABC, Generic[ResultT]):
    """One figure of the report.

    Attributes
    ----------
    name : str
        File name and name on the command line.
    title : str
        What it shows, as a statement.
    n_panels : int
    """

    name: str
    title: str
    n_panels: int

    @abstractmethod
    def compute(self, settings: Settings) -> ResultT:
        """Return everything that is drawn or reported."""

    @abstractmethod
    def draw(self, result: ResultT, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw on `n_panels` axes and return them."""

    @abstractmethod
    def caption(self, result: ResultT) -> str:
        """Return one paragraph of what to see, with numbers taken from the result."""

    def summaries(self, result: ResultT) -> Mapping[str, pd.DataFrame]:
        """Return the errors per size of each problem simulated, as `summarize` gives them; none by default."""
        return {}

    @abstractmethod
    def tables(self, result: ResultT) -> Mapping[str, pd.DataFrame]:
        """Return the numbers behind the figure, by name of table."""
