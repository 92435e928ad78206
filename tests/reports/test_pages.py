"""Pages show names as they are, whatever characters these have, and every link on them leads somewhere."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from moltheory._core._text import visible
from moltheory.certification import certificate_page, certify, further_examples
from moltheory.plotting import name_text, panels, to_bytes
from moltheory.reports import Opening, Section
from moltheory.reports._html import anchors, render_page
from moltheory.reports._report_page import report_page

NASTY = (
    "<script>alert(1)</script>",
    "a & b &amp; c",
    "say \"hi\" or 'hi'",
    "two\nlines",
    "$x^2$ and $",
    r"\frac{$a",
    "{{ 7 * 7 }} {% raw %} {# gone #}",
    "</td></table><b>",
    "café ≤ 3 ∞",
)


class Page(HTMLParser):
    """Cells, texts, identifiers, links, titles of images and names of tags of a page, as a browser reads them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.links, self.labels, self.alts, self.cells = [], [], [], [], [], []
        self.inside, self.text = False, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        for name, found in (("id", self.ids), ("href", self.links), ("data-label", self.labels), ("alt", self.alts)):
            if name in values:
                found.append(values[name])
        # Text after an inner tag, such as <em>, belongs to `text` only.
        self.inside = tag in ("a", "td", "th", "h1", "h2", "h3", "dt", "dd", "p", "summary", "title", "strong", "code")
        if self.inside:
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.text += data
        if self.inside:
            self.cells[-1] += data


def _image():
    canvas, _ = panels(1)
    return to_bytes(canvas, "png")


@pytest.fixture(scope="module")
def sections():
    image = _image()
    rows = {name: [f"{name}!", 0.123456, k] for k, name in enumerate(NASTY)}
    table = pd.DataFrame(rows, index=["text", "number", "count"]).T.reset_index(drop=True)
    return [
        Section(
            name=name,
            title=f"Title of {name}",
            caption=f"Caption of {name}.\nA second paragraph.",
            wide=image,
            narrow=image,
            tables={f"table of {name}": table.astype({"number": float})},
            seconds=1.0,
            part=f"Part {NASTY[5 * (k // 5)]}",
            details=f"Further {name}.",
            alt=f"Seen: {name}",
        )
        for k, name in enumerate(NASTY)
    ]


def test_a_report_shows_every_name_as_it_is(sections):
    record = {"seed": 3, "versions": {"<b>": "1 & 2"}, "parameters": {"quick": True}}
    text = report_page(sections, record, Opening(NASTY[0], "An <em>introduction</em> &amp; more."))
    page = Page(text)
    for name in NASTY:
        assert f"Title of {name}" in page.cells
        assert page.cells.count(f"Title of {name}") == 1
        # In the contents the name stands for it.
        assert visible(name).replace("_", " ") in page.cells
        assert f"Seen: {name}" in page.alts
        assert [line for line in f"Further {name}.".splitlines() if line not in page.cells] == []
        assert any(cell == f"{visible(name)}!" for cell in page.cells)
        assert f"Numbers: table of {name}" in page.cells
        # As in one paragraph per line.
        assert [line for line in f"Caption of {name}.".splitlines() if line not in page.cells] == []
    assert page.alts == [f"Seen: {name}" for name in NASTY]
    assert page.cells.count("0.1235") == len(NASTY) ** 2
    assert NASTY[0] in page.cells
    assert "<b> 1 & 2" in page.cells
    assert "An introduction & more." in page.text
    assert {"script", "b"}.isdisjoint(page.tags)
    # The chapters: once in the contents, once as a heading.
    parts = [f"Part {NASTY[0]}", f"Part {NASTY[5]}"]
    assert [cell for cell in page.cells if cell.startswith("Part ")] == parts * 2


def test_every_link_leads_to_one_place(sections):
    page = Page(report_page(sections, {"seed": 0}, Opening("Heading", "Introduction.")))
    assert len(set(page.ids)) == len(page.ids)
    targets = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    # Every figure and both chapters from the contents, and the contents from the end of each chapter.
    assert targets.count("contents") == 2
    assert len(set(targets)) == len(sections) + 3
    assert set(targets) < set(page.ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", anchor) for anchor in page.ids)


def test_anchors_of_plain_names_are_the_names():
    assert anchors(["near_tie", "weight-decay", "A1"]) == ["near_tie", "weight-decay", "A1"]
    found = anchors(["a b", "a-b", "a b", "a-b-2", "", "<", "record"], taken=["record"])
    assert len(set(found)) == 7
    assert "record" not in found
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", anchor) for anchor in found)


def test_a_leading_table_stands_between_the_title_and_the_picture():
    texts = {"the paper says": [f"{name} says" for name in NASTY], "verdict": [f"as {name}" for name in NASTY]}
    section = Section("one", "Title", "Caption.", _image(), _image(), {}, 0.0, lead=pd.DataFrame(texts), alt="Seen")
    text = report_page([section], {"seed": 0}, Opening("Heading", "Introduction."))
    page = Page(text)
    for name in NASTY:
        assert f"{visible(name)} says" in page.cells
        assert f"as {visible(name)}" in page.cells
    assert text.index(">Title<") < text.index("the paper says") < text.index('alt="Seen"')
    assert {"script", "b"}.isdisjoint(page.tags)


def test_long_tables_say_how_many_rows_are_left(sections):
    table = pd.DataFrame({"n_models": range(2061)})
    section = Section("a<b", "Title", "Caption.", _image(), _image(), {"all": table}, 0.0)
    page = Page(report_page([section], {"seed": 0}, Opening("Heading", "Introduction.")))
    assert "2,001 more rows in " in page.text
    assert "a<b_all.csv" in page.cells
    assert "n models" in page.cells


def test_a_template_that_lacks_a_value_is_an_error():
    import jinja2

    with pytest.raises(jinja2.UndefinedError, match="title"):
        render_page("page.html.j2")
    with pytest.raises(jinja2.TemplateNotFound):
        render_page("certificate.html.j2")  # it belongs to another subpackage


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
def test_a_certificate_shows_every_name_as_it_is(n_objectives, rng):
    rates = np.linspace(0.1, 0.5, len(NASTY))
    losses = (rng.random((300, len(NASTY), n_objectives)) < rates[:, None]).astype(float)
    objectives = NASTY[:n_objectives]
    certificate = certify(losses, names=NASTY, objectives=objectives)
    text = certificate_page(certificate, title=NASTY[0], further=further_examples(losses, certificate))
    page = Page(text)
    # A line break in a name is shown, not made.
    shown = {visible(name) for name in NASTY}
    assert {cell for cell in page.cells if cell in shown} == shown
    assert set(page.labels) >= set(map(visible, objectives))
    assert f"Which models are really on the front? {NASTY[0]}" in page.cells
    assert NASTY[0] in page.text
    # The one of the template, which sorts tables.
    assert page.tags.count("script") == text.count("<script>") == 1
    assert page.tags.count("table") == page.tags.count("tbody") >= 2
    # Nothing was taken for a template, and nothing was escaped twice.
    assert "49" not in [cell.strip() for cell in page.cells]
    assert "&lt;" not in page.text


def test_names_are_drawn_as_they_are(rng):
    losses = (rng.random((300, len(NASTY), 2)) < 0.3).astype(float)
    certificate = certify(losses, names=NASTY, objectives=("cost in $", "$x$"))
    ax = panels(1)[1][0]
    certificate.plot(ax)
    ax.figure.canvas.draw()
    # A name that has no place is a number, explained under the axis.
    drawn = [text for text in ax.texts if text.get_gid() in ("name", "key")]
    said = " ".join(text.get_text() for text in drawn).replace("\n", " ")
    for name in np.array(NASTY)[~certificate.excluded].tolist():
        # The middle of a long one may be left out.
        assert name_text(name)[:8] in said
        assert name_text(name)[-6:] in said
    for text in drawn:
        shown, is_formula = text._preprocess_math(text.get_text())
        assert (shown, bool(is_formula)) == (text.get_text(), False)
        assert visible(text.get_text().replace("\n", " ")) == text.get_text().replace("\n", " ")
