"""How fronts and surfaces are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._card import MOST_ROWS, Card, Table
from moltheory._core._text import plural

if TYPE_CHECKING:
    from moltheory.pareto._attainment import AttainmentSurfaces
    from moltheory.pareto._fronts import Front

__all__ = ["directions", "front_card", "front_line", "surfaces_card"]


# The ideal point of a larger front is a time that is felt.
_MOST_COMPARED = 100_000


def front_line(front: Front) -> str:
    """Return sizes and directions."""
    return f"Front({len(front)} points, {len(front.maximise)} objectives, {directions(front.maximise)})"


def front_card(front: Front) -> Card:
    """Return the first points, with the rows of the set they are from."""
    names = [f"objective {i}{' ↑' if up else ''}" for i, up in enumerate(front.maximise)]
    shown = zip(front.members[:MOST_ROWS].tolist(), front.points[:MOST_ROWS].tolist(), strict=True)
    return Card(
        "Front",
        f"{plural(len(front), 'point')} in {plural(len(names), 'objective')}; {directions(front.maximise)}",
        [("ideal", front.ideal), ("nadir", front.nadir)] if len(front) <= _MOST_COMPARED else [],
        [Table(["member", *names], [[member, *point] for member, point in shown], total=len(front), unit="point")],
    )


def directions(maximise: tuple[bool, ...]) -> str:
    """Return in words which direction is better.

    Examples
    --------
    >>> directions((False, False)), directions((True, True)), directions((False, True))
    ('smaller is better', 'larger is better', 'smaller is better, except where marked ↑')
    """
    if not any(maximise):
        return "smaller is better"
    return "larger is better" if all(maximise) else "smaller is better, except where marked ↑"


def surfaces_card(surfaces: AttainmentSurfaces) -> Card:
    """Return how many points each surface has."""
    rows = [[f"{p:g}%", int((surfaces.levels == p).sum())] for p in surfaces.percentiles[:MOST_ROWS]]
    return Card(
        "AttainmentSurfaces",
        f"{plural(len(surfaces.percentiles), 'surface')} of {plural(surfaces.n_sets, 'set')}",
        tables=[Table(["attained by", "points"], rows, total=len(surfaces.percentiles), unit="surface")],
    )
