"""Figures as SVG inside a page: without style sheets, small, with ids of their own and details on hover."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from moltheory._core._shared_state import one_thread
from moltheory.plotting import to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
# What says nothing, or what every element has anyway.
_DEFAULTS = {
    *(("stroke-miterlimit", "100000"), ("stroke-linecap", "butt"), ("opacity", "1"), ("stroke-linejoin", "round")),
    *(("fill-opacity", "1"), ("stroke-opacity", "1")),
}
_SIDES = re.compile(r"font-(?:size|family|weight|style)|text-anchor|fill.*|stroke.*|opacity|clip-.*")


def inline_svg(
    figure: Figure,
    *,
    prefix: str,
    label: str,
    titles: Mapping[str, str],
    classes: Mapping[str, str],
    colors: Mapping[str, str],
    halo: str = "#ffffff",
) -> str:
    """Return a figure as an element ``svg`` for a page of HTML.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    prefix : str
        Before every id, so that two figures on a page do not share one.
    label : str
        What is seen, for readers who cannot see it.
    titles : mapping of str to str
        Details that appear on hover, by the id (``gid``) of what was drawn; other ids are left out.
    classes : mapping of str to str
        Classes of the elements with these ids.
    colors : mapping of str to str
        Classes of elements by the color with which they are filled or stroked: hooks for a style sheet.
    halo : str
        Color of the rim that keeps texts with the id "name" readable over lines.

    Notes
    -----
    Style attributes, which a Content-Security-Policy forbids, become attributes of presentation. Texts stay texts.

    Complexity: linear in the size of the figure.
    """
    from matplotlib import rc_context

    with one_thread(), rc_context({"svg.fonttype": "none"}):
        root = ElementTree.fromstring(to_bytes(figure, "svg"))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
            elif child.get("id", "").startswith("name"):
                _haloed(child, halo)
    used = {name for element in root.iter() for name in _referred(element)}
    for element in root.iter():
        _presented(element)
        _identified(element, used, prefix, titles, classes)
        _hooked(element, colors)
    _unwrap(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-label": label, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    text = ElementTree.tostring(root, encoding="unicode")
    # In HTML the names of namespaces are known.
    text = text.replace(f' xmlns="{_SVG}"', "").replace(f' xmlns:xlink="{_LINK}"', "").replace("xlink:href", "href")
    return re.sub(r">\s+<", "><", text)


def _haloed(element: ElementTree.Element, color: str) -> None:
    for text in element.iter(f"{{{_SVG}}}text"):
        text.attrib |= {"stroke": color, "stroke-width": "2.2", "paint-order": "stroke"}


def _unwrap(element: ElementTree.Element) -> None:
    """Put the children of groups that say nothing in their place."""
    found: list[ElementTree.Element] = []
    for child in element:
        _unwrap(child)
        found += list(child) if child.tag == f"{{{_SVG}}}g" and not child.attrib else [child]
    element[:] = found


def _referred(element: ElementTree.Element) -> Iterator[str]:
    """Yield the ids to which an element refers."""
    for name, value in element.attrib.items():
        if name.endswith("href") and value.startswith("#"):
            yield value[1:]
        yield from _REFERENCE.findall(value)


def _presented(element: ElementTree.Element) -> None:
    """Turn a style into attributes, and round numbers of coordinates."""
    style = element.attrib.pop("style", "")
    for part in style.split(";"):
        name, _, value = part.partition(":")
        name, value = name.strip(), value.strip()
        if _SIDES.fullmatch(name) and (name, value) not in _DEFAULTS:
            element.set(name, value.replace("'", ""))
        elif name == "font":
            element.attrib |= _font(value)
    for name in (
        "d",
        "x",
        "y",
        "width",
        "height",
        "transform",
        "points",
        "stroke-width",
        "font-size",
        "stroke-dasharray",
    ):
        if name in element.attrib:
            value = _rounded(element.attrib[name], 2 if name in ("stroke-width", "transform") else 1)
            element.set(name, value)
    if element.tag == f"{{{_SVG}}}text" and element.text and "  " in element.text:
        # HTML joins blanks.
        element.text = element.text.replace("  ", "\xa0 ")


def _rounded(text: str, digits: int) -> str:
    """Return numbers in a text, such as those of a path, with fewer digits."""

    def short(match: re.Match[str]) -> str:
        return f"{float(match.group()):.{digits}f}".rstrip("0").rstrip(".")

    return " ".join(_NUMBER.sub(short, text).split()).replace("-0 ", "0 ")


def _font(value: str) -> dict[str, str]:
    """Return the attributes that the short form of a font stands for."""
    found = re.fullmatch(r"(?:(italic|oblique)\s+)?(?:(bold|\d{3})\s+)?([\d.]+)px\s+(.*)", value)
    if found is None:
        return {}
    slant, weight, size, family = found.groups()
    given = {
        "font-style": slant,
        "font-weight": weight,
        "font-size": f"{size}px",
        "font-family": family.replace("'", ""),
    }
    return {name: text for name, text in given.items() if text}


def _identified(
    element: ElementTree.Element,
    used: set[str],
    prefix: str,
    titles: Mapping[str, str],
    classes: Mapping[str, str],
) -> None:
    """Keep the ids that something refers to, and those with details; all get the prefix."""
    name = element.attrib.pop("id", "")
    if name in used or name in titles:
        element.set("id", f"{prefix}-{name}")
    if name in classes:
        element.set("class", classes[name])
    if name in titles:
        title = ElementTree.Element(f"{{{_SVG}}}title")
        title.text = titles[name]
        element.insert(0, title)
    for key, value in list(element.attrib.items()):
        if key.endswith("href") and value.startswith("#"):
            element.set(key, f"#{prefix}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _hooked(element: ElementTree.Element, colors: Mapping[str, str]) -> None:
    for name in ("fill", "stroke"):
        found = colors.get(element.get(name, "").lower())
        if found:
            element.set("class", f"{element.get('class', '')} {name}-{found}".strip())
