"""Pages from templates: one self-contained HTML file each, readable on a desk and on a phone.

Templates are files of jinja2 beside the code (``templates/*.html.j2``). What they are given is text: it is escaped, and a
name that a template does not get is an error.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from moltheory._core._text import plural

if TYPE_CHECKING:
    import jinja2

__all__ = ["anchors", "render_page"]


def render_page(template: str, /, *, package: str = "moltheory.reports", **values: Any) -> str:
    """Return a page as HTML without any reference to other files.

    Parameters
    ----------
    template : str
        A file in the folder ``templates`` of the package, or of `moltheory.reports`.
    package : str, default "moltheory.reports"
    **values
        What the template shows. Text is escaped; ``markupsafe.Markup`` is HTML.

    Returns
    -------
    str

    Examples
    --------
    >>> render_page("page.html.j2", title="A < B").count("A &lt; B")
    1
    """
    return _environment(package).get_template(template).render(values)


def anchors(names: Iterable[str], *, taken: Sequence[str] = ()) -> list[str]:
    """Return for each name an ``id`` that is unique on a page and needs no escape; names that are one stay as they are.

    Examples
    --------
    >>> anchors(["near_tie", "a b", "a<b", "record"], taken=["record"])
    ['near_tie', 'a-b', 'a-b-2', 'record-2']
    """
    used, found = set(taken), []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
        anchor, count = stem, 1
        while anchor in used or not anchor:
            count += 1
            anchor = f"{stem}-{count}"
        used.add(anchor)
        found.append(anchor)
    return found


@functools.cache
def _environment(package: str) -> jinja2.Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "moltheory.reports"))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(data_uri=_data_uri, css_width=_css_width, thousands="{:,}".format, plural=plural)
    return environment


def _css_width(png: bytes) -> int:
    """Return the width at which the text of a figure is about as large as that of the page."""
    pixels = int.from_bytes(png[16:20], "big")  # the header chunk begins with the width
    return round(pixels / 1.6)


def _data_uri(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
