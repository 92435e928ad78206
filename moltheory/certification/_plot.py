"""Plots of a certificate: Axes in, Axes out; status by color and marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory.plotting import COLORS, panels, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from moltheory.certification._certificate import Certificate

__all__ = ["plot_certificate"]

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
    ax.set_title(f"{len(certificate)} models, confidence {1.0 - certificate.delta:g}")
    ax.legend()
    return ax


def _styles(certificate: Certificate) -> tuple[tuple[str, str, str, str], ...]:
    """Return status, color, marker and label; with a tolerance, sure means on the front to within it."""
    if not certificate.epsilon.any():
        return _STYLES
    *others, (status, color, marker, _) = _STYLES
    return (*others, (status, color, marker, "on the front to within the tolerance"))


def _labels(certificate: Certificate) -> list[str]:
    return [
        f"{plain_text(name)}     better →" if flag else f"← better     {plain_text(name)}"
        for name, flag in zip(certificate.objectives, certificate.maximise, strict=True)
    ]


def _one(certificate: Certificate, ax: Axes) -> None:
    value, box = certificate.estimates[:, 0], certificate.boxes[:, 0]
    place = np.empty(len(certificate))
    order = np.argsort(value if certificate.maximise[0] else -value, kind="stable")
    place[order] = np.arange(len(certificate))
    for status, color, marker, text in _styles(certificate):
        rows = getattr(certificate, status)
        if rows.any():
            ax.hlines(place[rows], box[rows, 0], box[rows, 1], color=color, linewidth=1.2, alpha=0.8)
            ax.plot(value[rows], place[rows], marker, color=color, label=text)
    if len(certificate) <= 30:
        ax.set_yticks(place, [plain_text(name) for name in certificate.names])
    else:
        ax.set_yticks([])
    ax.set_xlabel(_labels(certificate)[0])


def _two(certificate: Certificate, ax: Axes) -> None:
    (x, y), boxes = certificate.estimates.T, certificate.boxes
    for status, color, marker, text in _styles(certificate):
        rows = getattr(certificate, status)
        if rows.any():
            alpha = 0.35 if status == "excluded" else 0.85
            ax.hlines(y[rows], boxes[rows, 0, 0], boxes[rows, 0, 1], color=color, linewidth=1.0, alpha=alpha)
            ax.vlines(x[rows], boxes[rows, 1, 0], boxes[rows, 1, 1], color=color, linewidth=1.0, alpha=alpha)
            ax.plot(x[rows], y[rows], marker, color=color, alpha=alpha, label=text)
    if len(certificate) <= 12:
        for name, at in zip(certificate.names, certificate.estimates, strict=True):
            ax.annotate(plain_text(name), at, xytext=(4, 4), textcoords="offset points", fontsize=8)
    horizontal, vertical = _labels(certificate)
    ax.set_xlabel(horizontal)
    ax.set_ylabel(vertical)


def _many(certificate: Certificate, ax: Axes) -> None:
    low, high = certificate.boxes[:, :, 0].min(axis=0), certificate.boxes[:, :, 1].max(axis=0)
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
    ax.set_xticks(places, [plain_text(name) for name in certificate.objectives])
    ax.set_yticks([])
    ax.set_ylabel("← better     scaled to the range of the boxes")
