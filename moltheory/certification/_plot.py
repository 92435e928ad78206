"""Plots of a certificate: Axes in, Axes out; status by color and marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.plotting import COLORS, LITERAL, name_text, panels, styled, to_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["certificate_image", "plot_certificate"]

# In this order, so that sure models are drawn on top.
_STYLES = (
    ("excluded", COLORS["bound"], "x", "excluded"),
    ("undecided", COLORS["purity"], "s", "undecided"),
    ("sure", COLORS["coverage"], "o", "on the front for sure"),
)


def plot_certificate(certificate: Certificate, ax: Axes | None) -> Axes:
    """Return the axes, new ones by default, with the boxes of all models drawn on them."""
    if ax is None:
        ax = panels(1)[1][0]
    m = len(certificate.objectives)
    (_one if m == 1 else _two if m == 2 else _many)(certificate, ax)
    ax.set_title(f"{len(certificate)} models, {_promised(certificate)}", **LITERAL)
    for text in ax.legend().get_texts():
        text.set_usetex(False)
    return ax


def certificate_image(certificate: Certificate, kind: str) -> bytes:
    """Return the plot as the bytes of a file of its own: "png", "pdf" or "svg"."""
    # Names of models stand beside their intervals, where there is one objective.
    height = min(max(4.8, 0.24 * len(certificate)), 12.0) if len(certificate.objectives) == 1 else 4.8
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.6, height), layout="constrained")
        plot_certificate(certificate, figure.subplots())
        return to_bytes(figure, kind)


def _promised(certificate: Certificate) -> str:
    """Return the promise in a few words."""
    if certificate.error == "share":
        text = f"at most {100.0 * certificate.delta:g}% of verdicts wrong on average"
    else:
        text = f"confidence {1.0 - certificate.delta:g}" + (", one error allowed" if certificate.error == "one" else "")
    return text if certificate.engine == "exact" else f"{text} (asymptotic)"


def _styles(certificate: Certificate) -> tuple[tuple[str, str, str, str], ...]:
    """Return status, color, marker and label; with a tolerance, sure means on the front to within it."""
    plain = certificate.error == "any" and certificate.engine == "exact"
    if plain and not certificate.epsilon.any():
        return _STYLES
    *others, (status, color, marker, _) = _STYLES
    words = "on the front to within the tolerance" if certificate.epsilon.any() else "on the front"
    return (*others, (status, color, marker, words))


def _drawable(certificate: Certificate) -> FloatArray:
    """Return the boxes; infinite ends, which only measured costs have, lie just beyond all that is finite."""
    boxes = certificate.boxes
    if np.isfinite(boxes).all():
        return boxes
    points = np.concatenate([boxes, certificate.estimates[:, :, None]], axis=2)
    low = np.where(np.isfinite(points), points, np.inf).min(axis=(0, 2))
    high = np.where(np.isfinite(points), points, -np.inf).max(axis=(0, 2))
    beyond = np.where(high > low, high - low, 1.0)
    drawn: FloatArray = np.clip(boxes, (low - beyond)[:, None], (high + beyond)[:, None])
    return drawn


def _labels(certificate: Certificate, ax: Axes, share: float) -> list[str]:
    """Return the labels of one axis or two; long names are cut to a share of its length."""
    labels = []
    for name, flag, length in zip(certificate.objectives, certificate.maximise, _lengths(ax), strict=False):
        text = name_text(name, widest=share * length - 8.0)
        labels.append(f"{text}     better →" if flag else f"← better     {text}")
    return labels


def _lengths(ax: Axes) -> tuple[float, float]:
    """Return the lengths of the two axes in multiples of the size of their labels, before anything is drawn."""
    scale = 72.0 / (ax.figure.dpi * float(ax.xaxis.label.get_fontsize()))
    return ax.bbox.width * scale, ax.bbox.height * scale


def _one(certificate: Certificate, ax: Axes) -> None:
    value, box = certificate.estimates[:, 0], _drawable(certificate)[:, 0]
    place = np.empty(len(certificate))
    order = np.argsort(value if certificate.maximise[0] else -value, kind="stable")
    place[order] = np.arange(len(certificate))
    for status, color, marker, text in _styles(certificate):
        rows = getattr(certificate, status)
        if rows.any():
            ax.hlines(place[rows], box[rows, 0], box[rows, 1], color=color, linewidth=1.2, alpha=0.8)
            ax.plot(value[rows], place[rows], marker, color=color, label=text)
    if len(certificate) <= 30:
        ax.set_yticks(place, [name_text(name, widest=0.55 * _lengths(ax)[0]) for name in certificate.names], **LITERAL)
    else:
        ax.set_yticks([])
    ax.set_xlabel(_labels(certificate, ax, 0.7)[0], **LITERAL)


def _two(certificate: Certificate, ax: Axes) -> None:
    (x, y), boxes = certificate.estimates.T, _drawable(certificate)
    for status, color, marker, text in _styles(certificate):
        rows = getattr(certificate, status)
        if rows.any():
            alpha = 0.35 if status == "excluded" else 0.85
            ax.hlines(y[rows], boxes[rows, 0, 0], boxes[rows, 0, 1], color=color, linewidth=1.0, alpha=alpha)
            ax.vlines(x[rows], boxes[rows, 1, 0], boxes[rows, 1, 1], color=color, linewidth=1.0, alpha=alpha)
            ax.plot(x[rows], y[rows], marker, color=color, alpha=alpha, label=text)
    if len(certificate) <= 12:
        # In a smaller font.
        room = _lengths(ax)[0]
        for name, at in zip(certificate.names, certificate.estimates, strict=True):
            text = name_text(name, widest=room)
            ax.annotate(text, at, xytext=(4, 4), textcoords="offset points", fontsize=8, **LITERAL)
    horizontal, vertical = _labels(certificate, ax, 0.9)
    ax.set_xlabel(horizontal, **LITERAL)
    ax.set_ylabel(vertical, **LITERAL)


def _many(certificate: Certificate, ax: Axes) -> None:
    boxes = _drawable(certificate)
    low, high = boxes[:, :, 0].min(axis=0), boxes[:, :, 1].max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    # Better is down in every objective.
    scaled = (certificate.estimates - low) / span
    scaled = np.where(certificate.maximise, 1.0 - scaled, scaled)
    places = np.arange(len(certificate.objectives))
    for status, color, marker, text in _styles(certificate):
        rows = getattr(certificate, status)
        if rows.any():
            alpha = 0.25 if status == "excluded" else 0.8
            lines = ax.plot(places, scaled[rows].T, marker=marker, color=color, linewidth=1.0, alpha=alpha)
            lines[0].set_label(text)
    room = _lengths(ax)[0] / len(places)
    ax.set_xticks(places, [name_text(name, widest=room) for name in certificate.objectives], **LITERAL)
    ax.set_yticks([])
    ax.set_ylabel("← better     scaled to the range of the boxes", **LITERAL)
