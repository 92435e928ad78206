"""The front as lines of text: intervals of one objective, or a scatter of two, with the status of every model."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._text import shortened, visible
from moltheory._core._validation import FloatArray
from moltheory.certification._certificate import Certificate
from moltheory.certification._format import number_text
from moltheory.certification._words import verdict_words

__all__ = ["PLAIN", "RICH", "Marks", "front_lines"]

_WIDTH, _HEIGHT = 64, 14
_NAME = 16
# Models beyond this number are not named one by one.
_NAMED = 40


@dataclass(frozen=True)
class Marks:
    """Characters: of the three states, of an interval and its ends, and of the frame (vertical, corner, horizontal)."""

    sure: str
    undecided: str
    excluded: str
    interval: tuple[str, str, str]
    frame: tuple[str, str, str]

    def characters(self) -> str:
        """Return all of them."""
        return "".join((self.sure, self.undecided, self.excluded, *self.interval, *self.frame))


RICH = Marks("●", "○", "×", ("├", "─", "┤"), ("│", "└", "─"))
PLAIN = Marks("O", "?", "x", ("[", "-", "]"), ("|", "+", "-"))


def front_lines(certificate: Certificate, marks: Marks = RICH) -> list[str]:
    r"""Return a drawing of the models: one objective as sorted intervals, more as a scatter of two.

    Of more than two objectives the first is drawn against the last known cost, or else against the second.

    Examples
    --------
    >>> import numpy as np
    >>> import moltheory as mt
    >>> losses = np.zeros((1000, 2), dtype=bool)
    >>> losses[:200, 0] = losses[:400, 1] = True
    >>> print(*front_lines(mt.certify(losses, names=["a", "b"], objectives=["error"]), PLAIN), sep="\n")
      error (smaller is better)
    O a  [-------O--------]
    x b                                           [----------x---------]
         0.1633                                                   0.4479
      O on the front   x not on the front
    """
    m = len(certificate.objectives)
    if m == 1:
        lines = _intervals(certificate, marks)
    else:
        known = np.flatnonzero(~certificate.data_dependent[1:]) + 1
        lines = _scatter(certificate, (int(known[-1]) if known.size else 1), marks)
    words, found = verdict_words(certificate), set(certificate.status)
    there = [status for status in words if status in found]
    return [*lines, "  " + "   ".join(f"{getattr(marks, status)} {words[status]}" for status in there)]


def _intervals(certificate: Certificate, marks: Marks) -> list[str]:
    """Return one line per model, the best estimate first."""
    up = certificate.maximise[0]
    values, boxes = certificate.estimates[:, 0], _finite(certificate.boxes[:, 0], certificate.estimates[:, 0])
    order = np.argsort(-values if up else values, kind="stable")[:_NAMED]
    names = [_name(certificate, h, marks) for h in order.tolist()]
    pad = max(len(name) for name in names)
    low, high = float(boxes.min()), float(boxes.max())
    width = _WIDTH - pad
    (start, line, end), status = marks.interval, certificate.status
    rows = [f"  {visible(certificate.objectives[0])} ({'larger' if up else 'smaller'} is better)"]
    for h, name in zip(order.tolist(), names, strict=True):
        first, last, at = (_places(x, low, high, width) for x in (boxes[h, 0], boxes[h, 1], values[h]))
        cells = [" "] * width
        cells[first : last + 1] = line * (last + 1 - first)
        cells[first], cells[last] = start, end
        mark = getattr(marks, status[h])
        cells[at] = mark
        rows.append(f"{mark} {name:<{pad}}  {''.join(cells)}".rstrip())
    ends = number_text(low), number_text(high)
    rows.append(" " * (pad + 4) + ends[0] + ends[1].rjust(width - len(ends[0])))
    if len(certificate) > len(order):
        rows.append(f"  and {len(certificate) - len(order):,} models behind these")
    return rows


def _scatter(certificate: Certificate, across: int, marks: Marks) -> list[str]:
    """Return a scatter of the first objective (up) and another one (across); names where there is room."""
    y, x = certificate.estimates[:, 0], certificate.estimates[:, across]
    left, right, low, high = (float(end) for end in (x.min(), x.max(), y.min(), y.max()))
    # Right of the frame there is room for the names of marks that have none inside.
    grid = np.full((_HEIGHT, _WIDTH + _NAME + 1), " ", dtype="<U1")
    columns = np.array([_places(v, left, right, _WIDTH) for v in x.tolist()])
    rows = _HEIGHT - 1 - np.array([_places(v, low, high, _HEIGHT) for v in y.tolist()])
    status, rank = certificate.status, {"sure": 0, "undecided": 1, "excluded": 2}
    order = sorted(range(len(certificate)), key=lambda h: rank[status[h]])
    # The most important last, so that it is seen where several share a place.
    for h in reversed(order):
        grid[rows[h], columns[h]] = getattr(marks, status[h])
    for h in order[:_NAMED]:
        _write_name(grid, int(rows[h]), int(columns[h]), _name(certificate, h, marks))
    wall, corner, floor = marks.frame
    tops = [number_text(high), number_text(low)]
    pad = max(map(len, tops))
    margins = [tops[0], *[""] * (_HEIGHT - 2), tops[1]]
    lines = [f"  {_axis(certificate, 0)}, up"]
    lines += [f"{text:>{pad}} {wall}{''.join(row)}".rstrip() for text, row in zip(margins, grid.tolist(), strict=True)]
    ends = number_text(left), number_text(right)
    lines.append(f"{'':>{pad}} {corner}{floor * _WIDTH}")
    lines.append(f"{'':>{pad}}  {ends[0]}{ends[1].rjust(_WIDTH - len(ends[0]))}")
    lines.append(f"  {_axis(certificate, across)}, across")
    return lines


def _write_name(grid: npt.NDArray[np.str_], row: int, column: int, name: str) -> None:
    """Write a name right of its mark, or left of it, or right of it beyond the frame, or not at all."""
    for first, end in ((column + 2, _WIDTH), (column - 1 - len(name), _WIDTH), (column + 2, grid.shape[1])):
        # A name keeps a blank on both sides.
        room = grid[row, max(first - (first < column), 0) : first + len(name) + (first > column)]
        if first >= 0 and first + len(name) <= end and (room == " ").all():
            grid[row, first : first + len(name)] = list(name)
            return


def _places(value: float, low: float, high: float, size: int) -> int:
    """Return the place of a value among `size` ones from `low` to `high`."""
    return round((value - low) / (high - low) * (size - 1)) if high > low else size // 2


def _finite(boxes: FloatArray, values: FloatArray) -> FloatArray:
    """Return intervals (M, 2); infinite ends, which only measured costs have, lie at the outermost finite value."""
    finite = np.concatenate([boxes[np.isfinite(boxes)], values])
    drawn: FloatArray = np.clip(boxes, finite.min(), finite.max())
    return drawn


def _axis(certificate: Certificate, i: int) -> str:
    better = "larger" if certificate.maximise[i] else "smaller"
    return f"{visible(certificate.objectives[i])} ({better} is better)"


def _name(certificate: Certificate, h: int, marks: Marks) -> str:
    """Return a name as characters that each take one place."""
    name = visible(certificate.names[h])
    if marks is PLAIN:
        return shortened(name.encode("ascii", "replace").decode(), _NAME)
    return shortened("".join(letter if _is_narrow(letter) else "?" for letter in name), _NAME)


def _is_narrow(letter: str) -> bool:
    return letter.isascii() or not (
        unicodedata.combining(letter)
        or unicodedata.category(letter) == "Cf"
        or unicodedata.east_asian_width(letter) in "WF"
    )
