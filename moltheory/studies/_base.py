"""What a study is: a paper's system as a multi-objective problem, with what was found told from the numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from moltheory.reports import Figure

__all__ = ["Study"]

ResultT = TypeVar("ResultT")


class Study(Figure[ResultT]):
    """One source paper at small scale: exact facts as functions, an experiment, a figure, tables and findings.

    A study is a figure of the report whose caption is its findings. `compute` keeps finished blocks under
    ``settings.store_for(name, ...)``, so that a killed run goes on, and gives the same bits for any number of
    processes.

    Attributes
    ----------
    paper : str
        Authors, year, title and arXiv number of the source.
    """

    paper: str

    @abstractmethod
    def findings(self, result: ResultT) -> tuple[str, ...]:
        """Return what was found, one sentence each with numbers taken from the result.

        They also say where the result differs from the paper.
        """

    def caption(self, result: ResultT) -> str:
        """Return the source and the findings, one paragraph each."""
        return "\n".join((f"{self.paper}.", *self.findings(result)))
