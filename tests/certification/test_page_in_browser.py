"""The certificate's page in a real browser: sorted by a click, printed whole, readable in light and dark."""

import base64
import re
import zlib

import pytest

from moltheory.certification._words import STATUSES
from tests.browser import headless_browser, open_page
from tests.browser_checks import wrong
from tests.certification._page_worlds import certificate_of_kind, page_of_kind

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Text with less contrast to what is behind it than AA asks for, outside the figure.
CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(channel);
  return .2126 * r + .7152 * g + .0722 * b; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (c.startsWith("rgb(")) return c; } return "rgb(255, 255, 255)"; };
return [...document.querySelectorAll("main *")].filter(e => !e.closest("svg") && e.getClientRects().length &&
  [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())).map(e => {
  const a = light(getComputedStyle(e).color), b = light(behind(e)), size = parseFloat(getComputedStyle(e).fontSize);
  return [e.tagName, e.textContent.slice(0, 30), (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size];
}).filter(([, , ratio]) => ratio < 4.5);
"""
COLUMN = "return [...document.querySelectorAll('#models tbody tr')].map(r => r.cells[arguments[0]].textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture(scope="module")
def shown(browser, tmp_path_factory):
    """Open the page of a kind of certificate."""
    folder = tmp_path_factory.mktemp("pages")

    def show(kind, width=1280, *, scheme="light", media=""):
        path = folder / f"{kind}.html"
        if not path.exists():
            path.write_text(page_of_kind(kind), encoding="utf-8")
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        open_page(browser, path, width)
        return certificate_of_kind(kind)

    return show


def test_a_click_on_a_title_sorts_the_table(shown, browser):
    certificate = shown("thirty with a cost")
    heads = browser.find_elements("css selector", "#models th")
    titles = [re.sub(r"\W+$", "", head.text) for head in heads]
    place = titles.index("price in")
    prices = {name: certificate.estimates[h, 1] for h, name in enumerate(certificate.names)}
    assert heads[0].get_attribute("aria-sort") == "ascending"
    button = heads[place].find_element("css selector", "button")
    for order, turn in (("ascending", 1), ("descending", -1)):
        button.click()
        names = browser.execute_script(COLUMN, titles.index("model"))
        assert names == sorted(certificate.names, key=lambda name, turn=turn: turn * prices[name])
        assert [head.get_attribute("aria-sort") for head in heads] == [
            order if k == place else None for k in range(len(heads))
        ]
    # From the keyboard, and back to the order of the numbers.
    heads[0].find_element("css selector", "button").send_keys("\n")
    assert browser.execute_script(COLUMN, 0) == [f"{k + 1}" for k in range(len(certificate))]
    assert browser.get_log("browser") == []


def test_verdicts_and_gaps_are_sorted_in_their_own_order(shown, browser):
    certificate = shown("three objectives")
    titles = browser.execute_script("return [...document.querySelectorAll('#models th')].map(h => h.textContent)")
    for title in ("verdict", "use instead"):
        browser.find_elements("css selector", "#models th button")[titles.index(title)].click()
        cells = browser.execute_script(COLUMN, titles.index(title))
        # Empty cells last.
        assert cells == [cell for cell in cells if cell] + [""] * cells.count("")
        if title == "verdict":
            status = browser.execute_script(
                "return [...document.querySelectorAll('#models tbody tr')].map(r => r.className)"
            )
            assert status == sorted(certificate.status, key=STATUSES.index)


def test_an_objective_to_be_maximised_starts_with_its_largest_value(shown, browser):
    certificate = shown("maximised")
    browser.find_elements("css selector", "#models th button")[-1].click()
    names = browser.execute_script(COLUMN, 1)
    assert names[0] == certificate.names[certificate.estimates[:, 0].argmax()]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (768, "light"), (400, "light"), (1280, "dark")])
@pytest.mark.parametrize("kind", ["thirty with a cost", "three objectives", "nothing decided", "tolerance"])
def test_pages_are_readable(kind, width, scheme, shown, browser):
    shown(kind, width, scheme=scheme)
    assert browser.execute_script("return document.querySelectorAll('details:not([open])').length") >= 1
    assert {what: found for what, found in wrong(browser).items() if found} == {}
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script(CONTRAST) == []
    body, paper = browser.execute_script(
        "return [document.body, document.querySelector('#front figure')].map(e => getComputedStyle(e).backgroundColor)"
    )
    # The figure follows the page: no white block in the dark.
    assert paper == body
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    ink = "return getComputedStyle(document.querySelector('#front svg .fill-ink')).fill"
    assert browser.execute_script(ink) == ("rgb(34, 34, 34)" if scheme == "light" else "rgb(232, 232, 232)")
    # Cards neither overlap nor lose a word.
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('.card, .next, #front figure')].map(e => { const b ="
        " e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom, e.scrollWidth - e.clientWidth]; })"
    )
    assert max(box[4] for box in boxes) <= 0
    for k, (left, top, right, bottom, _) in enumerate(boxes):
        for other in boxes[:k]:
            assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom


def test_what_can_be_done_is_on_the_first_screen(shown, browser):
    for kind, lowest in (("three models", 900), ("three objectives", 900)):
        shown(kind)
        steps, figure = browser.execute_script(
            "return ['.cards', '#front figure'].map(s => document.querySelector(s).getBoundingClientRect())"
        )
        assert steps["bottom"] <= lowest
        assert figure["top"] <= lowest


def test_paper_shows_what_is_folded_and_no_table_is_cut(shown, browser):
    shown("three objectives", 718, scheme="dark", media="print")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script("return document.querySelectorAll('details:not([open])').length") == 0
    found = browser.execute_script(
        "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
        " document.documentElement.scrollWidth,"
        " [...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)]"
    )
    assert found[:2] == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert found[2] <= 718
    assert max(found[3]) <= 0
    # The wide figure, and not the one for phones.
    assert browser.execute_script(
        "return ['.wide', '.narrow'].map(s => document.querySelector('#front div' + s).getClientRects().length)"
    ) == [1, 0]
    assert browser.execute_script(CONTRAST) == []
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script("return document.querySelectorAll('details:not([open])').length") >= 1


def test_folds_are_printed_without_the_script_too(shown, browser, tmp_path):
    shown("three models")
    heights = []
    for rule in (True, False):
        text = browser.execute_script("return document.documentElement.outerHTML")
        path = tmp_path / f"{rule}.html"
        policy = re.search(r'<meta http-equiv="Content-Security-Policy".*?>', text).group()
        text = re.sub(r"<script>.*?</script>", "", text.replace(policy, ""), flags=re.DOTALL)
        path.write_text(text if rule else text.replace("details-content", "nothing"), encoding="utf-8")
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        open_page(browser, path, 718)
        heights.append(browser.execute_script("return document.documentElement.scrollHeight"))
        shown("three models")
    assert heights[0] > heights[1] + 300


def test_a_page_without_its_script_shows_the_same_table(shown, browser):
    certificate = shown("three objectives")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.refresh()
        assert browser.find_elements("css selector", "th button") == []
        assert [cell.text for cell in browser.find_elements("css selector", "#models tbody td:nth-child(1)")] == [
            f"{k + 1}" for k in range(len(certificate))
        ]
        assert "a click on a title sorts" not in browser.find_element("css selector", "#models").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_printed_page_is_a_few_sheets(shown, browser):
    shown("three models")
    printed = base64.b64decode(
        browser.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"]
    )
    content = b"".join(
        zlib.decompressobj().decompress(part) for part in re.findall(rb"stream\r?\n(x.*?)endstream", printed, re.DOTALL)
    )
    pages = len(re.findall(rb"/Type /Page\b(?!s)", printed + content))
    assert 1 <= pages <= 4
