"""What the figures of a certificate share: looks of the verdicts, texts, scales and limits of axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import plural
from moltheory._core._validation import FloatArray
from moltheory.certification._format import confidence_text
from moltheory.plotting import colors_of, name_text, scale_axis
from moltheory.plotting._labels import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = [
    "LOOKS",
    "MOST_COLUMNS",
    "MOST_NAMED",
    "Look",
    "background",
    "color_of",
    "drawn_boxes",
    "length_in_ems",
    "limits",
    "objective_label",
    "places",
    "promised",
    "set_scale",
    "title_of",
]

# With more models, marks are drawn in one piece per verdict, without a name of their own.
MOST_NAMED = 250
# Objectives with a column of their own.
MOST_COLUMNS = 8
# How far beyond all estimates an axis shows boxes, as a share of the range of the estimates.
_BEYOND = 0.5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Look:
    """Color, by its name, marker and size of one verdict; a filled marker or an open one."""

    color: str
    marker: str
    size: float
    filled: bool


# Differ in color, in shape and in being filled.
LOOKS = {
    "sure": Look("coverage", "o", 8.0, True),
    "undecided": Look("purity", "s", 7.0, False),
    "excluded": Look("bound", "x", 5.0, False),
}


def color_of(ax: Axes, status: str) -> str:
    """Return the color of a verdict on the background of some axes."""
    return colors_of(ax)[LOOKS[status].color]


def background(ax: Axes) -> str:
    """Return the color behind some axes, which fills open markers and makes the rims of filled ones."""
    from matplotlib.colors import to_hex

    face: Any = ax.get_facecolor()
    figure = figure_of(ax)
    return str(to_hex(figure.get_facecolor() if face[3] < 0.5 and figure is not None else face))


def promised(certificate: Certificate) -> str:
    """Return the promise in a few words."""
    if certificate.error == "share":
        text = f"at most {100.0 * certificate.delta:g}% of verdicts wrong on average"
    else:
        text = f"confidence {confidence_text(certificate.delta)}"
        text += ", one error allowed" if certificate.error == "one" else ""
    return text if certificate.engine == "exact" else f"{text} (asymptotic)"


def drawn_boxes(certificate: Certificate) -> FloatArray:
    """Return the boxes; infinite ends, which only measured costs have, lie beyond all that is finite."""
    boxes = certificate.boxes
    if np.isfinite(boxes).all():
        return boxes
    points = np.concatenate([boxes, certificate.estimates[:, :, None]], axis=2)
    low = np.where(np.isfinite(points), points, np.inf).min(axis=(0, 2))
    high = np.where(np.isfinite(points), points, -np.inf).max(axis=(0, 2))
    beyond = np.where(high > low, 3.0 * (high - low), 1.0)
    drawn: FloatArray = np.clip(boxes, (low - beyond)[:, None], (high + beyond)[:, None])
    return drawn


def set_scale(ax: Axes, axis: str, certificate: Certificate, i: int, *, ticks: int = 8) -> bool:
    """Make an axis logarithmic if the estimates of an objective span decades; return whether it is.

    Of means, all intervals must be positive too: one that reaches zero has no place there.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    estimates = certificate.estimates[:, i]
    if certificate.data_dependent[i] and not certificate.measured[i] and not (certificate.boxes[:, i] > 0.0).all():
        return False
    scale_axis(ax, axis, estimates)
    one = ax.xaxis if axis == "x" else ax.yaxis
    if one.get_scale() != "log":
        return False
    decades = float(np.log10(estimates.max() / estimates.min()))
    subs = (1.0, 3.0) if decades < 2.0 and ticks > 3 else (1.0,)
    one.set_major_locator(LogLocator(subs=subs, numticks=ticks))
    one.set_major_formatter(FuncFormatter(_plain_number))
    one.set_minor_formatter(NullFormatter())
    return True


def _plain_number(value: float, place: int | None = None) -> str:
    """Return 0.1 and 1,000 as such, and 10⁻⁷ as a power."""
    if 1e-4 <= value < 1e6:
        return f"{value:,.0f}" if value >= 1.0 else f"{value:g}"
    power = int(np.floor(np.log10(value) + 1e-9))
    lead = value / 10.0**power
    text = "10" + str(power).translate(_SUPERSCRIPTS)
    return text if abs(lead - 1.0) < 1e-6 else f"{lead:g}·{text}"


def limits(estimates: FloatArray, boxes: FloatArray, *, log: bool, pad: float = 0.05) -> tuple[float, float]:
    """Return limits of an axis that hold all estimates, and boxes as far as they do not dwarf these.

    Parameters
    ----------
    estimates : (M,) ndarray
    boxes : (k, 2) ndarray
        Of the models that matter.
    log : bool
        Whether the axis is logarithmic; all estimates are positive then.
    pad : float, default 0.05
        Share of the axis that stays empty on each side.
    """
    least = float(estimates.min()) * 1e-3 if log else -np.inf
    with np.errstate(divide="ignore"):
        values, ends = (np.log10(v) if log else v for v in (estimates, np.maximum(boxes, least)))
    low, high = float(values.min()), float(values.max())
    bottom, top = (float(ends.min()), float(ends.max())) if ends.size else (low, high)
    beyond = _BEYOND * (high - low) if high > low else np.inf
    low, high = max(min(low, bottom), low - beyond), min(max(high, top), high + beyond)
    if not high > low:
        apart = 0.3 if log else 0.1 * max(abs(low), 1e-3)
        low, high = low - apart, high + apart
    edge = pad * (high - low)
    low, high = low - edge, high + edge
    return (10.0**low, 10.0**high) if log else (low, high)


def objective_label(certificate: Certificate, i: int, *, length: float) -> str:
    """Return the label of the axis of an objective, with the direction of better, in two lines where one is too short.

    `length` is that of the axis in multiples of the size of the font; longer names are cut.
    """
    text, up = name_text(certificate.objectives[i], widest=0.98 * length), certificate.maximise[i]
    if 0.62 * len(text) > 0.98 * length - 7.0:
        return f"{text}\nbetter →" if up else f"{text}\n← better"
    return f"{text}     better →" if up else f"← better     {text}"


def length_in_ems(ax: Axes) -> tuple[float, float]:
    """Return the lengths of the two axes in multiples of the size of their labels, before anything is drawn."""
    scale = 72.0 / (ax.figure.dpi * float(ax.xaxis.label.get_fontsize()))
    return ax.bbox.width * scale, ax.bbox.height * scale


def title_of(certificate: Certificate, columns: int = MOST_COLUMNS) -> str:
    """Return how many models are shown and what is promised; of very many objectives, how many are shown."""
    m = len(certificate.objectives)
    shown = f"; the first {columns} of {m} objectives" if m > max(columns, 2) else ""
    shown = f"; the first of {m} objectives" if m > 2 and columns == 1 else shown
    return f"{plural(len(certificate), 'model')}, {promised(certificate)}{shown}"


def places(points: FloatArray, status: npt.NDArray[np.str_]) -> list[npt.NDArray[np.int64]]:
    """Return the models by place and verdict: models with equal estimates and one verdict share a mark."""
    order = np.lexsort((status, *points.T[::-1]))
    same = (points[order][1:] == points[order][:-1]).all(axis=1) & (status[order][1:] == status[order][:-1])
    return [np.sort(group) for group in np.split(order, np.flatnonzero(~same) + 1)]
