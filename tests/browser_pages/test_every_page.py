"""The report, the page of a certificate and the explorer as a reader has them: on a desk, on a tablet and on a phone."""

import base64

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification import certificate_page
from moltheory.explorer import explorer_page
from moltheory.figures import Settings, reproduce
from tests import browser_checks
from tests.browser import headless_browser, open_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


def _certificate():
    rng = np.random.default_rng(7)
    errors = np.linspace(0.1, 0.4, 12)
    losses = (rng.random((800, 12)) < errors).astype(float)
    names = [f"model {letter}, of some length" for letter in "ABCDEFGHIJKL"]
    sizes = {"size": np.geomspace(1, 5_000, 12)[::-1]}
    certificate = mt.certify(losses, names=names, costs=sizes, objectives=["error"])
    return certificate_page(certificate, title="Twelve models", further=certificate.plan(simulate=0))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    done = reproduce(folder / "report", only=["mechanism", "price", "weight_cells"], settings=Settings(quick=True))
    found = {"report": done.page}
    for name, text in (("certificate", _certificate()), ("explorer", explorer_page())):
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("width", browser_checks.WIDTHS)
@pytest.mark.parametrize("name", ["report", "certificate", "explorer"])
def test_nothing_is_wrong_with_a_page(browser, pages, name, width):
    open_page(browser, pages[name], width)
    assert browser_checks.wrong(browser) == {}
    assert browser_checks.small_text(browser, least=9 if name == "certificate" else 12) == []
    top, bottom = browser_checks.first_picture(browser)
    # A certificate opens with what to do, in words: its picture comes after these.
    assert top < {"report": 620, "certificate": 2_000, "explorer": 450}[name]
    assert bottom - top > 150


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["report", "certificate"])
def test_nothing_is_wrong_with_open_folds(browser, pages, name, width):
    open_page(browser, pages[name], width)
    browser_checks.open_folds(browser)
    assert browser_checks.wrong(browser) == {}


_BAD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>bad</title><link rel="icon" href="data:,">
<style>body {{ margin: 0; }} p {{ margin: 0; }}</style></head><body><main><h1>A page</h1>{}</main></body></html>"""


@pytest.mark.parametrize(
    ("check", "body"),
    [
        ("overlapping labels", '<p style="position:absolute;top:9px">A text over the heading of the page</p>'),
        (
            "overlapping labels",
            '<svg role="img" aria-label="x" width="300" height="60"><text x="9" y="30">one label</text>'
            '<text x="30" y="34">another label</text></svg>',
        ),
        (
            "texts cut off",
            '<svg role="img" aria-label="x" width="60" height="60"><text x="9" y="30">a long label of a point</text></svg>',
        ),
        ("the page scrolls sideways", '<div style="width:3000px">wide</div>'),
        ("accessibility", '<p style="color:#bbb">A text that is hard to read on white</p>'),
        ("accessibility", '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'),
        ("console", "<script>console.error('no')</script>"),
    ],
)
def test_each_check_can_fail(browser, tmp_path, check, body):
    page = tmp_path / "page.html"
    page.write_text(_BAD.format("<p>A sound page.</p>"), encoding="utf-8")
    open_page(browser, page, 1280)
    assert browser_checks.wrong(browser) == {}
    page.write_text(_BAD.format(body), encoding="utf-8")
    open_page(browser, page, 1280)
    assert check in browser_checks.wrong(browser)


def test_the_first_picture_is_the_one_that_is_seen(browser, tmp_path):
    picture = "data:image/svg+xml;base64," + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200"/></svg>'
    ).decode("ascii")
    page = tmp_path / "page.html"
    hidden = f'<details><summary>a</summary><img alt="" src="{picture}"></details>'
    page.write_text(
        _BAD.format(f'{hidden}<div style="height:700px"></div><img alt="a" src="{picture}">'), encoding="utf-8"
    )
    open_page(browser, page, 1280)
    top, bottom = browser_checks.first_picture(browser)
    assert top > 700
    assert bottom - top == pytest.approx(200)
