"""The figure on the page of a certificate: drawn as everywhere else, inside the page, with details on hover."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._text import joined, named, plural
from moltheory.certification._explain import explained
from moltheory.certification._format import confidence_text, number_text
from moltheory.certification._plot import draw_certificate, figure_size
from moltheory.certification._plot_band import has_boxes
from moltheory.certification._plot_rows import plot_rows
from moltheory.certification._plot_style import MOST_COLUMNS, MOST_NAMED, places
from moltheory.certification._svg import inline_svg
from moltheory.certification._words import STATUSES, model_numbers, reading_order, verdict_words
from moltheory.plotting import styled, to_bytes

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from moltheory.certification._certificate import Certificate

__all__ = ["figure_alt", "figure_caption", "page_figure"]

_WIDE, _NARROW = 10.6, 4.3  # inches; a page shows 72 pixels per inch or more
# Objectives side by side on a phone; the others follow below.
_NARROW_COLUMNS = 2
_SPOKEN = 4
# Models at one place of which the details are told.
_MOST_DETAILS = 6
# Of the light theme: hooks for a style sheet.
_COLORS = {
    "#222222": "ink",
    "#e4e4e4": "grid",
    "#ffffff": "paper",
    "#0072b2": "sure",
    "#6e6e6e": "excluded",
    # Marks, and texts in a darker shade that can be read.
    "#d55e00": "undecided",
    "#c05500": "undecided",
}


def page_figure(certificate: Certificate, *, numbers: npt.ArrayLike | None = None, narrow: bool = False) -> Markup:
    """Return the figure as HTML: an element ``svg`` with details on hover, or an image where models are many.

    Parameters
    ----------
    certificate : Certificate
    numbers : (M,) array_like, optional
        Not used: the numbers beside the markers are those of `model_numbers`.
    narrow : bool, default False
        For a phone.
    """
    from markupsafe import Markup

    alt = figure_alt(certificate)
    figure = _drawn(certificate, narrow=narrow)
    if len(certificate) <= MOST_NAMED:
        # Effects turn texts into paths; their rims are attributes here.
        for text in figure.findobj(lambda artist: artist.get_gid() == "name"):
            text.set_path_effects([])
    place = "narrow" if narrow else "wide"
    width, height = (round(72.0 * inches) for inches in figure.get_size_inches())
    if len(certificate) > MOST_NAMED:
        data = base64.b64encode(to_bytes(figure, "webp")).decode("ascii")
        return Markup('<img class="{}" src="data:image/webp;base64,{}" alt="{}" width="{}" height="{}">').format(
            place, data, alt, width, height
        )
    titles, classes = _details(certificate)
    return Markup(
        inline_svg(figure, prefix=f"figure-{place}", label=alt, titles=titles, classes=classes, colors=_COLORS)
    )


def figure_alt(certificate: Certificate) -> str:
    """Return in words what the figure shows.

    Examples
    --------
    >>> import moltheory as mt
    >>> print(figure_alt(mt.certify([[0, 1], [1, 0]], names=["a", "b"], objectives=["error"])))
    2 models by error, smaller is better. cannot tell yet: a (error 0.5), b (error 0.5).
    """
    words, status = verdict_words(certificate), certificate.status
    axes = joined(
        f"{named(name)}, {'larger' if up else 'smaller'} is better"
        for name, up in zip(certificate.objectives, certificate.maximise, strict=True)
    )
    order = reading_order(certificate)
    parts = [f"{plural(len(certificate), 'model')} by {axes}."]
    for name in STATUSES:
        found = [h for h in order if status[h] == name]
        if found:
            rest = len(found) - _SPOKEN
            texts = [_with_values(certificate, h) for h in found[:_SPOKEN]]
            if rest > 0:
                texts.append(f"and {rest:,} more")
            parts.append(f"{words[name]}: {', '.join(texts)}.")
    return " ".join(parts)


def figure_caption(certificate: Certificate) -> str:
    """Return what the marks, lines and shaded parts of the figure mean, and what is promised about them."""
    m = len(certificate.objectives)
    confidence = confidence_text(certificate.delta)
    held = (
        f"With probability {confidence} or more"
        if certificate.engine == "exact"
        else (f"As the sample grows, with probability {confidence}")
    )
    said = ["Each mark is a model at its estimates; its number is that of its row in the table."]
    if m != 2:
        said = ["Each row is a model, each mark its estimate; numbers are those of the table."]
    if has_boxes(certificate):
        said.append("Lines through the marks are intervals: they hold all true values at once.")
        if m == 1:
            said.append(f"{held}, the best true value lies in the shaded part.")
        elif m == 2:
            said.append(
                f"The stepped line joins the best estimates. {held}, the true front runs inside the shaded band."
            )
    if m > MOST_COLUMNS:
        said.append(f"The first {MOST_COLUMNS} of {m} objectives are shown.")
    return " ".join(said)


def _drawn(certificate: Certificate, *, narrow: bool) -> Figure:
    """Return the figure at the width of a page or of a phone."""
    m = len(certificate.objectives)
    width = _NARROW if narrow else _WIDE
    with styled("light"):
        from matplotlib.figure import Figure

        if narrow and m > _NARROW_COLUMNS:
            shown = min(m, MOST_COLUMNS)
            count = -(-shown // _NARROW_COLUMNS)
            columns = _NARROW_COLUMNS
            blocks = [range(first, min(first + columns, shown)) for first in range(0, shown, columns)]
            height = figure_size(certificate)[1] - 0.3
            figure = Figure(figsize=(width, height * count), layout="constrained")
            for k, (ax, block) in enumerate(zip(figure.subplots(count, squeeze=False)[:, 0], blocks, strict=True)):
                plot_rows(certificate, ax, numbered=True, objectives=block, title=k == 0)
            return figure
        height = (4.9 if narrow else 5.6) if m == 2 else figure_size(certificate)[1]
        figure = Figure(figsize=(width, height), layout="constrained")
        draw_certificate(certificate, figure.subplots(), numbered=True)
    return figure


def _details(certificate: Certificate) -> tuple[dict[str, str], dict[str, str]]:
    """Return the details and the classes of all marks, by their ids."""
    numbers, status, m = model_numbers(certificate), np.array(certificate.status), len(certificate.objectives)
    titles: dict[str, str] = {}
    if m == 2:
        for group in places(certificate.estimates, status):
            members = sorted(group.tolist(), key=lambda h: int(numbers[h]))
            tag = "-".join(str(numbers[h]) for h in members)
            texts = [
                "\n".join(
                    [
                        _heading(certificate, h),
                        *(_value(certificate, h, i) for i in range(m)),
                        explained(certificate, h),
                    ]
                )
                for h in members[:_MOST_DETAILS]
            ]
            titles[f"{status[members[0]]}-{tag}"] = "\n\n".join(texts)
    else:
        words = verdict_words(certificate)
        for h in range(len(certificate)):
            # In every column the whole would be too long; the first says why.
            said = explained(certificate, h), words[status[h]]
            for i in range(min(m, MOST_COLUMNS)):
                lines = [_heading(certificate, h), _value(certificate, h, i), said[min(i, 1)]]
                titles[f"{status[h]}-{numbers[h]}-{i}"] = "\n".join(lines)
    return titles, {tag: f"model {tag.partition('-')[0]}" for tag in titles}


def _heading(certificate: Certificate, h: int) -> str:
    return f"{model_numbers(certificate)[h]}  {named(certificate.names[h])}"


def _value(certificate: Certificate, h: int, i: int) -> str:
    """Return an objective of a model with its interval."""
    text = f"{named(certificate.objectives[i])}: {number_text(float(certificate.estimates[h, i]))}"
    if certificate.data_dependent[i]:
        low, high = (float(end) for end in certificate.boxes[h, i])
        text += f" [{number_text(low, toward=-1)}, {number_text(high, toward=1)}]"
    return text


def _with_values(certificate: Certificate, h: int) -> str:
    values = ", ".join(
        f"{named(name)} {number_text(float(value))}"
        for name, value in zip(certificate.objectives, certificate.estimates[h], strict=True)
    )
    return f"{named(certificate.names[h])} ({values})"
