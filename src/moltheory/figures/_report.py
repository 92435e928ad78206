"""The main job: every figure of the asymmetry, and further ones if wanted, on one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from moltheory.errors import InvalidInputError
from moltheory.figures._catalog import figure_names, get_figure
from moltheory.figures._curves import overview_table
from moltheory.reports import Extra, Figure, Opening, Reproduction, Settings, write_report

__all__ = ["reproduce"]

_INTRODUCTION = (
    "Learning with several objectives gives an <em>empirical</em> Pareto front, from finite data. Every truly optimal "
    "model has a close match on it (small <strong>coverage error</strong>), and enough examples guarantee that. But some of "
    "its members may be far from optimal (<strong>purity error</strong>), however many examples there are."
)
_DETAILS = (
    "Coverage error: how far is each truly optimal model from the nearest one on the empirical front? It is at most twice "
    "the largest deviation between true and empirical risks, in every sample. Purity error: how far is each model on the "
    "empirical front from the nearest truly optimal one? It can stay large for every number of examples. All distances are "
    "in true risks; everything is minimised. The asymmetry is due to P. Súkeník and C. H. Lampert, "
    '"Generalization in multi-objective machine learning", arXiv 2208.13499. Theirs are, from the abstract: generalization '
    "bounds for all objectives jointly, generalization and excess bounds uniform over scalarizations, and the approximation "
    "of every truly optimal solution, which does not hold the other way round. The worlds, the constants and the figures of "
    "this page are this project's own, since the paper's two figures are not reproduced."
)
# The order of the page.
_CHAPTERS = {
    "What happens": "Small worlds whose true front is known: what samples of growing size make of it.",
    "Why": "Near ties, weights of zero and how a front is scalarized decide which wrong models can appear.",
    "On real data": "Data sets as populations: sampled again and again, and compared with the whole.",
    "Infinite classes": "With infinitely many models, curvature decides whether the purity error goes to zero.",
    "Bounds": "What a guarantee costs in examples, and how far it is from what happens.",
    "Certificates": "What one data set can say for certain, when the truth is unknown.",
    "Case studies": "Systems from recent papers, at small scale, as problems with several objectives.",
}
_TRY = "Drag the true risks of a few models, choose the number of examples, and sample: what is on the empirical front?"
# Figures from outside that name no chapter.
_FURTHER = "Further figures"


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
    on where it stopped. When the report is written, the blocks are removed, unless ``settings.keep_runs`` is true.

    Parameters
    ----------
    out : path
        Folder, made if it is missing; files of the same names are replaced.
    only : sequence of str, optional
        Names of the figures wanted, see `figure_names`; all by default.
    further : sequence of Figure, optional
        Such as studies, see `moltheory.studies`; they follow in the chapters that they name.
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
    chapters: dict[str, list[Figure[Any]]] = {heading: [] for heading in _CHAPTERS}
    for figure in (*figures, *further):
        chapters.setdefault(figure.chapter or _FURTHER, []).append(figure)
    return write_report(
        out,
        {heading: shown for heading, shown in chapters.items() if shown},
        _opening(),
        settings=settings or Settings(),
        report=report,
        overview=overview_table,
    )


def _opening() -> Opening:
    from markupsafe import Markup

    from moltheory.explorer import explorer_section

    section = explorer_section()
    body = Markup('<p class="about">{}</p>\n').format(_TRY) + section.html
    return Opening(
        "Which part of an empirical Pareto front is real?",
        _INTRODUCTION,
        _DETAILS,
        _CHAPTERS,
        Extra("Try it", body, section.style, (section.script,)),
    )
