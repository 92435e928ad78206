"""The layers of the package as a stack of boxes: the ``layers`` directive draws the table of its page."""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

_ROW = re.compile(r"^\| (\d+) \| (.+?) \|", re.MULTILINE)


class Layers(SphinxDirective):
    """Shows one row of boxes per layer, the highest first; the content is the caption."""

    has_content = True

    def run(self):
        """Return the figure: a list, so that it reflows on a phone and is read aloud like the table."""
        page = Path(self.env.doc2path(self.env.docname)).read_text(encoding="utf-8")
        if not _ROW.search(page):
            raise self.error("the page has no table of layers")
        return [nodes.raw("", drawn(page, " ".join(self.content)), format="html")]


def drawn(page, caption):
    """Return the figure of the table of a page in HTML."""
    items = "".join(f"<li>{_boxes(layer, names)}</li>" for layer, names in _ROW.findall(page))
    return f'<figure class="layers"><ol>{items}</ol><figcaption>{escape(caption)}</figcaption></figure>'


def _boxes(layer, names):
    boxes = "".join(f"<code>{escape(name)}</code>" for name in re.findall(r"`(\w+)`", names))
    return f'<span class="layer">{layer}</span><span class="boxes">{boxes}</span>'


def setup(app):
    """Add the directive."""
    app.add_directive("layers", Layers)
    return {"parallel_read_safe": True, "version": "1"}
