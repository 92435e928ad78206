"""The main job: every figure of the asymmetry, and further ones if wanted, on one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from moltheory.errors import InvalidInputError
from moltheory.figures._catalog import figure_names, get_figure
from moltheory.figures._curves import overview_table
from moltheory.reports import Figure, Opening, Reproduction, Settings, write_report

__all__ = ["reproduce"]

_INTRODUCTION = (
    "Learning with several objectives gives an <em>empirical</em> Pareto front, from finite data. How far is it "
    "from the true one? Two questions, two answers. <strong>Coverage error</strong>: how far is each truly "
    "optimal model from the nearest one on the empirical front? It is at most twice the largest deviation between "
    "true and empirical risks, in every sample. <strong>Purity error</strong>: how far is each model on the "
    "empirical front from the nearest truly optimal one? It can stay large for every number of examples. All "
    "distances are in true risks; everything is minimised. The asymmetry is due to P. Súkeník and C. H. Lampert, "
    '"Generalization in multi-objective machine learning", arXiv 2208.13499.'
)
_OPENING = Opening("Which part of an empirical Pareto front is real?", _INTRODUCTION)


def reproduce(
    out: str | os.PathLike[str],
    *,
    only: Sequence[str] | None = None,
    further: Sequence[Figure[Any]] = (),
    settings: Settings | None = None,
    report: Callable[[str], None] | None = None,
) -> Reproduction:
    """Compute figures and write them to a folder with their tables and a report page.

    Long simulations keep their finished blocks in a folder ``runs`` inside `out`: after a kill, the same call goes
    on where it stopped.

    Parameters
    ----------
    out : path
        Folder, made if it is missing; files of the same names are replaced.
    only : sequence of str, optional
        Names of the figures wanted, see `figure_names`; all by default.
    further : sequence of Figure, optional
        Such as studies, see `moltheory.studies`; they follow under a heading of their own.
    settings : Settings, optional
        Budget, seed and processes.
    report : callable, optional
        Called with one line per finished figure.

    Returns
    -------
    Reproduction

    Raises
    ------
    InvalidInputError
        If a name is unknown or repeated.
    OutputError
        If the folder cannot be written to; found out before any work starts.
    """
    names = figure_names() if only is None else tuple(only)
    if not names or len(set(names)) != len(names):
        raise InvalidInputError(f"`only` must hold distinct names of figures, got {list(names)}.")
    figures = [get_figure(name) for name in names]
    return write_report(
        out,
        {"": figures, "Case studies": further},
        _OPENING,
        settings=settings or Settings(),
        report=report,
        overview=overview_table,
    )
