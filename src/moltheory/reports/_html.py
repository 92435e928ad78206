"""Pages from templates: one self-contained HTML file each, readable on a desk and on a phone.

Templates are files of jinja2 beside the code (``templates/*.html.j2``). What they are given is text: it is escaped, and a
name that a template does not get is an error.

A page loads nothing, and runs only static scripts of the package: its Content-Security-Policy admits images inside the page,
its one style sheet and these scripts, by digest. So templates have no ``on...`` and no ``style`` attributes, a ``<script>``
in one includes a whole file ``templates/*.js``, and values reach a script as data, by `data_block`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moltheory._core._text import plural

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

__all__ = ["Marks", "anchors", "data_block", "render_page"]

_POLICY = "default-src 'none'; style-src {style}; {script}img-src data:; base-uri 'none'; form-action 'none'"
_PLACE = "the policy of this page"
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def render_page(
    template: str, /, *, package: str = "moltheory.reports", scripts: Sequence[str] = (), **values: Any
) -> str:
    """Return a page as HTML without any reference to other files.

    Parameters
    ----------
    template : str
        A file in the folder ``templates`` of the package, or of `moltheory.reports`.
    package : str, default "moltheory.reports"
    scripts : sequence of str
        Static scripts of the package, never text that holds a value; each runs as a module when the page has been read.
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
    elements = _script_elements(scripts)
    page = _environment(package).get_template(template).render(values | {"policy": _PLACE, "scripts": elements})
    # The first style sheet is the only one: what comes before it is escaped.
    found = _STYLE.search(page)
    own = _scripts_of(package)
    known = [*scripts, *(text for text in _SCRIPT.findall(page) if text.strip() in own)]
    admitted = " ".join(dict.fromkeys(map(_digest, known)))
    policy = _POLICY.format(
        style=_digest(found.group(1) if found else ""), script=f"script-src {admitted}; " if admitted else ""
    )
    # A lone surrogate has no form in UTF-8.
    return page.replace(_PLACE, policy, 1).encode("utf-8", "backslashreplace").decode("utf-8")


def _digest(text: str) -> str:
    """Return the source of a policy that admits this text, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def data_block(name: str, value: object) -> Markup:
    r"""Return values as JSON inside a page, where a script finds them by ``id`` and nothing of them can run.

    Parameters
    ----------
    name : str
        The ``id``: letters, digits, ``-`` and ``_``.
    value : object
        What JSON can hold, without NaN and infinities.

    Returns
    -------
    markupsafe.Markup

    Examples
    --------
    >>> print(data_block("names", ["</script>", "é"]))
    <script type="application/json" id="names">["\u003c/script\u003e", "\u00e9"]</script>
    """
    from markupsafe import Markup

    text = json.dumps(value, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup('<script type="application/json" id="{}">{}</script>').format(name, Markup(text))


def _script_elements(scripts: Sequence[str]) -> Markup:
    from markupsafe import Markup

    for script in scripts:
        if re.search(r"</script|<!--|\r", script, re.IGNORECASE):
            raise ValueError(
                "a script must hold neither an end of a script, nor a comment of HTML, nor a carriage return"
            )
    return Markup("\n").join(Markup(f'<script type="module">{script}</script>') for script in scripts)


@functools.cache
def _scripts_of(package: str) -> frozenset[str]:
    """Return the texts of all scripts beside the templates: a ``<script>`` that is none of these never runs."""
    environment = _environment(package)
    loader = environment.loader
    names = environment.list_templates(extensions=["js"]) if loader else []
    return frozenset(loader.get_source(environment, name)[0].strip() for name in names if loader)


class Marks:
    """How names are written where they occur in a text, as HTML, for the filter ``marked`` of templates.

    A name that was cut has its whole as the title, which browsers show on hover, and one that is written from right to
    left keeps its direction to itself.

    Parameters
    ----------
    names : mapping of str to str
        The whole names, by what is shown of each.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        from markupsafe import Markup

        self._found: dict[str, Markup] = {}
        for shown, whole in names.items():
            title = Markup("") if shown == whole else Markup(' title="{}"').format(whole)
            if title or any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in shown):
                self._found[shown] = Markup("<bdi{}>{}</bdi>").format(title, shown)
        # The longest first: a name may be a part of another one.
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._found, key=len, reverse=True))))

    def __call__(self, text: str) -> str:
        """Return the text, as HTML where it holds such a name."""
        from markupsafe import Markup, escape

        if not self._found:
            return text
        parts, last = [], 0
        for match in self._pattern.finditer(text):
            parts += [escape(text[last : match.start()]), self._found[match.group()]]
            last = match.end()
        return Markup("").join([*parts, escape(text[last:])]) if parts else text


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
    environment.filters.update(data_uri=_data_uri, marked=_marked, thousands="{:,}".format, plural=plural)
    return environment


def _marked(text: str, marks: Marks | None) -> str:
    return text if marks is None else marks(text)


def _data_uri(image: bytes) -> str:
    """Return an image as the address that holds it: PNG, WebP or SVG by its first bytes."""
    kind = "png" if image[:4] == b"\x89PNG" else "webp" if image[:4] == b"RIFF" else "svg+xml"
    return f"data:image/{kind};base64," + base64.b64encode(image).decode("ascii")
