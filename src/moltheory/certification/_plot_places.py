"""Which mark a text belongs to: places close to it, and texts and lines that would point at another one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.certification._plot_style import background
from moltheory.plotting import LITERAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["beside", "leader_of", "leaders", "misleads"]

# In points: half a mark, and how far the ends of a line may be from what it joins.
_MARK, _CLOSE = 5.0, 12.0
# Places close to a mark, in points; first those off the lines through it.
_SIDES: tuple[tuple[tuple[float, float], Any, Any], ...] = (
    ((5.0, 3.0), "left", "bottom"),
    ((5.0, -3.0), "left", "top"),
    ((-5.0, 3.0), "right", "bottom"),
    ((-5.0, -3.0), "right", "top"),
    ((8.0, 0.0), "left", "center"),
    ((-8.0, 0.0), "right", "center"),
    ((0.0, 7.0), "center", "bottom"),
    ((0.0, -7.0), "center", "top"),
)


def leaders(ax: Axes, collections: Iterable[Any]) -> list[FloatArray]:
    """Take the thin lines between texts and marks from the axes: each is drawn anew with the text that it serves."""
    found: list[FloatArray] = []
    for collection in collections:
        found += [np.asarray(path.vertices) for path in collection.get_paths()]
        collection.remove()
    return found


def leader_of(ax: Axes, text: Any, place: FloatArray, leaders: Sequence[FloatArray]) -> FloatArray | None:
    """Return the line that joins a text and its mark, None where it has none."""
    at = ax.transData.transform(place)
    for line in leaders:
        ends = ax.transData.transform(line)
        from_mark, from_text = np.linalg.norm(ends - at, axis=1), _distances(text, ends)
        if min(from_mark[0] + from_text[-1], from_mark[-1] + from_text[0]) < _CLOSE * float(ax.figure.dpi) / 72.0:
            return line
    return None


def misleads(ax: Axes, text: Any, place: FloatArray, taken: FloatArray, leader: FloatArray | None) -> bool:
    """Whether a text stands nearer to another mark than to its own, or its line crosses another mark."""
    marks, at = ax.transData.transform(taken), ax.transData.transform(place)
    others = marks[np.linalg.norm(marks - at, axis=1) > 1e-6]
    if not len(others):
        return False
    if _distances(text, others).min() <= _distances(text, at[None])[0]:
        return True
    if leader is None:
        return False
    ends = ax.transData.transform(leader)
    along = ends[-1] - ends[0]
    share = np.clip((others - ends[0]) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    apart = np.linalg.norm(others - ends[0] - share[:, None] * along, axis=1)
    return bool(apart.min() < _MARK * float(ax.figure.dpi) / 72.0)


def _distances(text: Any, points: FloatArray) -> FloatArray:
    """Return how far points are from the box of a text, in pixels."""
    box = text.get_window_extent()
    low, high = np.array([box.x0, box.y0]), np.array([box.x1, box.y1])
    found: FloatArray = np.linalg.norm(points - np.clip(points, low, high), axis=1)
    return found


def beside(
    ax: Axes,
    text: str,
    place: FloatArray,
    taken: FloatArray,
    texts: Sequence[Any],
    lines: Sequence[FloatArray],
    **look: Any,
) -> Any:
    """Write a text close to its mark where it hides no mark, text or line; None where it has no place."""
    from matplotlib.patheffects import withStroke

    marks = ax.transData.transform(taken)
    dots = [marks, *(_dense(ax.transData.transform(line)) for line in lines)]
    boxes = [other.get_window_extent() for other in texts if other is not None]
    boxes += [other.get_window_extent() for other in ax.texts if other.get_gid() == "name"]
    found = ax.annotate(
        text,
        (float(place[0]), float(place[1])),
        textcoords="offset points",
        xytext=(0, 0),
        gid="name",
        **look,
        **LITERAL,
    )
    for (x, y), across, along in _SIDES:
        found.set(position=(x, y), ha=across, va=along)
        box = found.get_window_extent()
        inside = box.x0 >= ax.bbox.x0 and box.x1 <= ax.bbox.x1 and box.y0 >= ax.bbox.y0 and box.y1 <= ax.bbox.y1
        free = not any(box.padded(1.0).overlaps(other) for other in boxes)
        half = 0.5 * _MARK * float(ax.figure.dpi) / 72.0
        apart = _distances(found, marks).min() > half and _distances(found, np.concatenate(dots)).min() > 1.0
        if inside and free and apart and not misleads(ax, found, place, taken, None):
            found.set_path_effects([withStroke(linewidth=2.2, foreground=background(ax), alpha=0.85)])
            return found
    found.remove()
    return None


def _dense(path: FloatArray) -> FloatArray:
    """Return points on a path, at most four pixels apart."""
    parts = [np.linspace(a, b, max(int(np.abs(b - a).max() // 4.0), 1) + 1) for a, b in itertools.pairwise(path)]
    return np.concatenate([path[:1], *parts])
