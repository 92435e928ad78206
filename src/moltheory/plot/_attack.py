"""What a search for a violation found: the risks that violate a statement, or come nearest to it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._docs import document
from moltheory._core._numbers import count_text, number_text
from moltheory.plot._axes import drawing, refused
from moltheory.plot._witness import blank, draw_level, draw_quadratics, draw_risks
from moltheory.plotting import LITERAL, headline, note
from moltheory.theorems import Attack, Theorem, ledger

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attack"]


@document
def attack(attack: Attack, *, theorem: Theorem | None = None, ax: Axes | None = None, theme: str | None = None) -> Axes:
    """Return axes with the witness of an attack: true and empirical risks, and by how much the statement fails.

    Where nothing was found: the risks with the smallest slack seen, and how many were tried.

    Parameters
    ----------
    attack : Attack
        As `moltheory.theorems.falsify` returns it.
    theorem : Theorem, optional
        The one attacked, for its statement; by default the one of that id in the ledger.
    {new_axes}
    {theme}

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InvalidInputError
        If `attack` or `theorem` is something else.

    Notes
    -----
    Complexity: O(H N) marks for a witness of H hypotheses and N objectives.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import moltheory as mt
    >>> forward = mt.theorems.ledger()["forward"]
    >>> halved = replace(
    ...     forward, source="a mistake", provenance="conjecture", proof="",
    ...     violation=lambda t, e, c: forward.violation(t, e, 0.5 * c))
    >>> ax = mt.plot.attack(mt.theorems.falsify(halved, budget=500), theorem=halved)
    >>> ax.get_title("left").startswith("forward: violated by")
    True
    """
    if not isinstance(attack, Attack):
        raise refused("attack", attack, "an Attack, which moltheory.theorems.falsify returns")
    if theorem is not None and not isinstance(theorem, Theorem):
        raise refused("theorem", theorem, "a Theorem, an entry of moltheory.theorems.ledger()")
    stated = theorem or ledger().get(attack.theorem)
    with drawing(ax, theme) as drawn:
        headline(drawn, _statement(attack))
        _draw(drawn, attack)
        if stated is not None:
            _state(drawn, stated.statement)
        return drawn


def _draw(ax: Axes, attack: Attack) -> None:
    witness = attack.witness
    if "world" in witness:
        draw_level(ax, witness["world"], witness["n"], witness["delta"], witness["failure"])
    elif isinstance(witness.get("true"), np.ndarray):
        draw_risks(ax, witness["true"], witness["empirical"], np.asarray(witness["widths"], dtype=np.float64))
    elif hasattr(witness.get("true"), "front"):
        draw_quadratics(ax, witness["true"], witness["empirical"], int(witness.get("row", 0)))
    else:
        blank(ax)
        note(ax, "no witness to draw", at=(0.5, 0.5), ha="center")


def _state(ax: Axes, statement: str) -> None:
    """Write the statement below the horizontal axis, wrapped to the width of the panel."""
    label = ax.xaxis.label
    letters = max(24, int(ax.bbox.width * 72.0 / ax.figure.dpi / (0.58 * float(label.get_fontsize()))))
    lines = textwrap.wrap(f"Statement: {statement}", letters, max_lines=3, placeholder=" ...")
    ax.set_xlabel("\n".join([label.get_text(), *lines]).lstrip("\n"), **LITERAL)


def _statement(attack: Attack) -> str:
    tried = f"{count_text(attack.tried)} tries"
    if attack.falsified:
        return f"{attack.theorem}: violated by {number_text(attack.worst, 2)} (found within {tried})"
    if not np.isfinite(attack.worst):
        return f"{attack.theorem}: nothing found in {tried}; it applied to none of them"
    return f"{attack.theorem}: nothing found in {tried}; smallest slack {number_text(max(-attack.worst, 0.0), 2)}"
