"""The explorer as a page of its own, or as a part of one: it needs neither Python nor a server nor the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from moltheory._core._card import card_of_fields
from moltheory._core._html_repr import html_of
from moltheory.errors import InvalidInputError
from moltheory.explorer._bundle import script, style
from moltheory.explorer._description import check_objectives, check_settings, describe, preset_worlds
from moltheory.problems import FiniteWorld
from moltheory.reports._html import data_block, render_page

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["ExplorerSection", "explorer_page", "explorer_section"]


class ExplorerSection(NamedTuple):
    """An explorer for a page of `moltheory.reports`.

    Attributes
    ----------
    html : markupsafe.Markup
        Its place, and its worlds as JSON.
    script : str
        A module for the argument ``scripts`` of the page: one, however many explorers the page has.
    style : str
        For the page's style sheet.
    """

    html: Markup
    script: str
    style: str

    def __repr__(self) -> str:
        """Return the parts with their lengths; they are long."""
        return f"ExplorerSection({', '.join(f'{name}: {len(part):,} characters' for name, part in self._asdict().items())})"

    def _repr_html_(self) -> str:
        return html_of(card_of_fields(self))


def explorer_section(
    worlds: FiniteWorld | Iterable[FiniteWorld] | None = None,
    *,
    n: int = 25,
    delta: float = 0.05,
    objectives: Sequence[int] = (0, 1),
    seed: int = 0,
    name: str = "explorer",
) -> ExplorerSection:
    """Return an explorer as a part of a page: HTML, script and style.

    Parameters
    ----------
    worlds : FiniteWorld or iterable of FiniteWorld, optional
        One, or several to choose from; small worlds of the package by default.
    n : int, default 25
        Sample size, 1 to 10,000.
    delta : float, default 0.05
        Total failure probability of the boxes and of the bound, in (0, 1).
    objectives : pair of int, default (0, 1)
        The two that are drawn, of every world.
    seed : int, default 0
        Of the samples, >= 0.
    name : str, default "explorer"
        Start of the ``id`` of its elements, unique on the page.

    Returns
    -------
    ExplorerSection

    Raises
    ------
    InvalidInputError
        If an argument is out of its range.
    TooLargeError
        If there are more hypotheses, losses or examples than can be explored.

    Notes
    -----
    Complexity: O(K H) time and size of the page for K outcomes and H hypotheses.

    Examples
    --------
    >>> section = explorer_section()
    >>> section.html.count("data-moltheory-explorer")
    1
    """
    from markupsafe import Markup

    given = preset_worlds() if worlds is None else [worlds] if isinstance(worlds, FiniteWorld) else list(worlds)
    if not given:
        raise InvalidInputError("`worlds` must hold at least one FiniteWorld, got none.")
    specs = [describe(world, check_objectives(world, objectives)) for world in given]
    values = {"_worlds": specs, "preset": 0, "true_risks": [], "counts": [], "results": {}}
    values |= check_settings(n, delta, seed)
    place = Markup(
        '<div class="explorer" data-moltheory-explorer="{0}-data"><noscript>This explorer needs JavaScript.</noscript></div>'
        "\n{1}"
    ).format(name, data_block(f"{name}-data", values))
    return ExplorerSection(html=place, script=script(for_page=True), style=style())


def explorer_page(
    worlds: FiniteWorld | Iterable[FiniteWorld] | None = None,
    *,
    n: int = 25,
    delta: float = 0.05,
    objectives: Sequence[int] = (0, 1),
    seed: int = 0,
) -> str:
    """Return an explorer as one self-contained HTML page, which needs neither Python nor a server nor the network.

    Parameters
    ----------
    worlds : FiniteWorld or iterable of FiniteWorld, optional
        One, or several to choose from; small worlds of the package by default.
    n : int, default 25
        Sample size, 1 to 10,000.
    delta : float, default 0.05
        Total failure probability of the boxes and of the bound, in (0, 1).
    objectives : pair of int, default (0, 1)
        The two that are drawn, of every world.
    seed : int, default 0
        Of the samples, >= 0.

    Returns
    -------
    str
        Write it to a file with the encoding UTF-8.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range.
    TooLargeError
        If there are more hypotheses, losses or examples than can be explored.

    Notes
    -----
    Scripts of the page find the state of the explorer at ``window.moltheoryExplorer.get(name)``, with the names of the
    attributes that `moltheory.explore` describes.

    Complexity: O(K H) time and size of the page for K outcomes and H hypotheses.

    Examples
    --------
    >>> explorer_page().startswith("<!DOCTYPE html>")
    True
    """
    from markupsafe import Markup

    section = explorer_section(worlds, n=n, delta=delta, objectives=objectives, seed=seed)
    return render_page(
        "explorer.html.j2",
        title="moltheory: explorer",
        explorer=section.html,
        explorer_style=Markup(section.style),
        scripts=[section.script],
    )
