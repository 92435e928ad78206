"""Pages with hostile names: nothing runs, nothing is loaded, nothing overflows, and every name can be read."""

import base64
import functools
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from moltheory import certification
from moltheory._core._text import named, visible
from moltheory.certification import certificate_page
from moltheory.reports import Opening, Section
from moltheory.reports._html import render_page
from moltheory.reports._report_page import report_page
from tests.browser import headless_browser, open_page
from tests.names._hostile import KINDS, MARKER, hostile_names
from tests.names.test_names_in_texts import certificate_of

NAMES = hostile_names()
LONG = "<b>" * 3_000
STATE = """return {
  title: document.title, scripted: window.scripted, scripts: document.scripts.length,
  handlers: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on|^style$/.test(a.name))).length,
  loaded: performance.getEntriesByType('resource').map(e => e.name).filter(name => !name.startsWith('data:')),
  inner: document.documentElement.scrollWidth, outer: document.documentElement.clientWidth,
  ids: [...document.querySelectorAll('[id]')].map(e => e.id),
  cells: [...document.querySelectorAll('#models tbody tr')].map(r => r.cells[1].textContent),
  titles: [...document.querySelectorAll('#models tbody tr')].map(r => r.cells[1].querySelector('[title]')?.title),
  directions: [...document.querySelectorAll('#models tbody td')].every(c => c.dir == 'auto'),
  widths: [...document.images].map(i => [i.naturalWidth, i.clientWidth]),
  style: getComputedStyle(document.body).backgroundColor,
};"""


class _Elements(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@functools.cache
def _page(name):
    """Return a certificate and its page: of all names, or of those at the ends of what is drawn."""
    few = [*KINDS["directions"], *KINDS["long"], *KINDS["pages"]][:30]
    if name == "all":
        certificate = certificate_of(NAMES, NAMES[:2], n=200)
        return certificate, certificate_page(certificate, title=LONG, further=certificate.plan(simulate=0))
    objectives = [LONG] if name == "one" else [LONG, few[0], "\u05d0" * 300]
    certificate = certificate_of(few, objectives, n=30)
    return certificate, certificate_page(certificate, title=few[-1])


def _digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_pages_admit_one_style_sheet_and_the_script_of_the_template():
    own = (Path(certification.__file__).parent / "templates" / "sort.js").read_text(encoding="utf-8")
    pages = [(_page("three")[1], own), (report_page([], {"seed": 0, "<script>": MARKER}, Opening("a", "b")), None)]
    pages.append((render_page("page.html.j2", title="<script>"), None))
    for page, script in pages:
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        elements = _Elements(page).found
        (policy,) = [values for tag, values in elements if values.get("http-equiv")]
        admitted = f"script-src {_digest(script)}; " if script else ""
        assert policy == {
            "http-equiv": "Content-Security-Policy",
            "content": f"default-src 'none'; style-src {_digest(style)}; {admitted}img-src data:; base-uri 'none'; "
            "form-action 'none'",
        }
        assert re.findall(r"<script>(.*?)</script>", page, re.DOTALL) == ([script] if script else [])
        # The policy comes before everything that it is about.
        assert page.index("Content-Security-Policy") < page.index("<link") < page.index("<style>")
        tags = [tag for tag, _ in elements]
        assert tags.count("script") == bool(script)
        assert set(tags).isdisjoint(
            {"iframe", "object", "embed", "base", "form", "input", "plaintext", "foreignobject"}
        )
        for _, values in elements:
            assert not [name for name in values if name.startswith("on") or name == "style"]
            for name in ("src", "href", "srcset", "xlink:href"):
                assert re.match(r"data:|#", values.get(name) or "#")
        page.encode("utf-8")


def test_long_names_are_cut_and_whole_in_the_title():
    certificate, page = _page("three")
    titles = {values["title"] for _, values in _Elements(page).found if "title" in values}
    long = {visible(name) for name in certificate.names if len(visible(name)) > 80}
    assert len(long) >= len(KINDS["long"])
    assert titles == long | {visible(name) for name in certificate.objectives if len(name) > 80}
    # What is shown of a name is short, wherever it stands.
    assert max(map(len, re.findall(r">([^<]*)<", page.partition("</style>")[2]))) < 3_000


def test_a_name_from_right_to_left_keeps_its_direction_to_itself():
    _, page = _page("three")
    assert "<bdi>שלום</bdi>" in page
    assert "<bdi>abc שלום 12</bdi>" in page
    assert f'<bdi title="{"א" * 300}">' in page


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [pytest.param("all", marks=pytest.mark.slow), "one", "three"])
def test_nothing_runs_and_nothing_overflows(name, width, browser, tmp_path):
    certificate, page = _page(name)
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    open_page(browser, path, width)
    # An alert that was open would end this with an exception.
    found = browser.execute_script(STATE)
    assert browser.get_log("browser") == []
    assert found["title"].startswith("Which models are really on the front?")
    assert (found["scripted"], found["scripts"], found["handlers"], found["loaded"]) == (None, 1, 0, [])
    assert found["inner"] <= found["outer"] <= width
    assert found["directions"]
    assert len(set(found["ids"])) == len(found["ids"])
    # Every name can be read: none is blank, and those that are cut are whole in the title.
    order = {named(text): text for text in certificate.names}
    assert len(order) == len(certificate)
    assert len(set(found["cells"])) == min(len(certificate), 300)
    for cell, title in zip(found["cells"], found["titles"], strict=True):
        assert cell.strip()
        whole = visible(order[cell])
        assert title == (whole if whole != cell else None)
    # The style sheet is in force, and images are as wide as they should be.
    assert found["style"] == "rgb(255, 255, 255)"
    for natural, shown in found["widths"]:
        assert natural > 600
        assert shown <= width


@pytest.mark.browser
def test_a_script_that_got_into_a_page_would_not_run(browser, tmp_path):
    """The last line of defence: pages hold even where a text was not escaped."""
    _, page = _page("one")
    inserted = f"<script>{MARKER}</script><img src=x onerror={MARKER!r}><p style='color:red'>x</p>"
    inserted += "<iframe src=data:,x></iframe>"
    path = tmp_path / "page.html"
    path.write_text(page.replace("<h1>", inserted + "<h1>"), encoding="utf-8")
    open_page(browser, path, 1280)
    assert browser.execute_script("return window.scripted") is None
    refused = [
        entry["message"] for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]
    ]
    assert len(refused) >= 3


@pytest.mark.browser
def test_the_report_page_holds_hostile_tables(browser, tmp_path):
    import pandas as pd

    from moltheory.plotting import panels, to_bytes

    image = to_bytes(panels(1)[0], "png")
    names = [name[:300] for name in NAMES[:60]]
    table = pd.DataFrame({"model": pd.Series(names, dtype=object), MARKER: range(60)})
    sections = [
        Section(name=name, title=name, caption=name, wide=image, narrow=image, tables={name: table}, seconds=0.0)
        for name in [*KINDS["pages"], *KINDS["directions"], *KINDS["no characters"]]
    ]
    path = tmp_path / "page.html"
    path.write_text(report_page(sections, {MARKER: NAMES[0]}, Opening("a", "b")), encoding="utf-8")
    for width in (1280, 390):
        open_page(browser, path, width)
        found = browser.execute_script(STATE)
        assert browser.get_log("browser") == []
        assert found["title"] == "moltheory: a"
        assert (found["scripted"], found["scripts"], found["handlers"], found["loaded"]) == (None, 0, 0, [])
        assert found["inner"] <= found["outer"]
        assert len(set(found["ids"])) == len(found["ids"])
