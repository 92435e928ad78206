"""Formulas as MathML, which browsers draw themselves: no script, no fonts, nothing loaded from elsewhere."""

import html
import re
import xml.etree.ElementTree as ET

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)
_MATHML = "http://www.w3.org/1998/Math/MathML"
_ACCENTS = {"ˆ", "ˉ", "˜", "˙", "¯", "^", "~"}


def to_mathml(node: nodes.Node, *, as_block: bool) -> str:
    """Return the MathML of a formula; what cannot be converted is a warning, and shown as it was written."""
    text = with_known_commands(node.astext().strip())
    if as_block and re.search(r"\\\\|&", text) and r"\begin" not in text:
        text = rf"\begin{{align}}{text}\end{{align}}"
    try:
        return subscripts_beside(tex2mathml(text, as_block=as_block))
    except (MathError, SyntaxError, KeyError, IndexError, AttributeError) as error:
        LOGGER.warning("a formula cannot be converted: %s: %s", text, error, location=node)
        return f"<code>{nodes.unescape(text)}</code>"


def with_known_commands(text: str) -> str:
    r"""Return a formula in terms of what the converter knows: ``\ldots``, big bars with a side, fractions with braces."""
    text = re.sub(r"\\dots(?![a-zA-Z])", r"\\ldots", text)
    text = re.sub(r"\\([bB]igg?)(?![a-zA-Z])", r"\\\1l", text)
    return re.sub(r"\\([td]?frac)(\d)(\d)", r"\\\1{\2}{\3}", text)


def subscripts_beside(mathml: str) -> str:
    r"""Return MathML with the subscript of an accented letter at its side; the converter puts that of ``\hat L_i`` below."""
    ET.register_namespace("", _MATHML)
    root = ET.fromstring(re.sub(r"&(?!lt;|gt;|amp;)\w+;", lambda entity: html.unescape(entity[0]), mathml))
    for element in root.iter(f"{{{_MATHML}}}munderover"):
        base, below, above = element
        if above.text in _ACCENTS:
            accented = ET.Element(f"{{{_MATHML}}}mover", {"accent": "true"})
            accented.extend([base, above])
            element.tag = f"{{{_MATHML}}}msub"
            element[:] = [accented, below]
    return ET.tostring(root, encoding="unicode")


def visit_inline(self, node):
    """Write a formula within a line."""
    self.body.append(to_mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_block(self, node):
    """Write a formula on its own lines, which scrolls where it is wider than the page."""
    self.body.append(self.starttag(node, "div", CLASS="math formula"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append(to_mathml(node, as_block=True))
    self.body.append("</div>")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer and make it the one that is used."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
