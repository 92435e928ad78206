"""All representations on one page in a real browser: contrast, width, and the buttons of the ledger."""

import pytest

from tests.browser import headless_browser, open_page
from tests.reprs._page import notebook_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Contrast of every text with what is behind it, by the formula of WCAG 2; signs beside words need 3, texts 4.5.
_CONTRAST = """
const parse = (text) => {
  const numbers = text.match(/[\\d.e-]+/g).map(Number);
  if (text.startsWith('color(')) return [...numbers.slice(0, 3).map((x) => 255 * x), numbers[3] ?? 1];
  return [...numbers.slice(0, 3), numbers[3] ?? 1];
};
const over = (top, below) => [0, 1, 2].map((k) => top[3] * top[k] + (1 - top[3]) * below[k]);
const light = (rgb) => {
  const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) => {
  const chain = [];
  for (let one = node; one; one = one.parentElement) chain.push(parse(getComputedStyle(one).backgroundColor));
  return chain.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const found = [];
for (const details of document.querySelectorAll('details')) details.open = true;
const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const holder = node.parentElement;
  if (!node.data.trim() || holder.tagName === 'STYLE') continue;
  const back = behind(holder);
  const [one, other] = [light(over(parse(getComputedStyle(holder).color), back)), light(back)].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  if (ratio < (holder.getAttribute('aria-hidden') ? 3 : 4.5)) found.push([node.data.slice(0, 40), ratio]);
}
return found;
"""
_WIDE = """
return [...document.querySelectorAll('.moltheory-repr')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length;
"""
_ROWS = """
const shown = [...arguments[0].querySelectorAll('tr.t')].filter((one) => one.offsetParent);
return shown.map((one) => one.querySelector('th').innerText);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_texts_are_readable(browser, tmp_path, theme, width):
    page = tmp_path / "page.html"
    page.write_text(notebook_page(theme), encoding="utf-8")
    open_page(browser, page, width)
    assert browser.execute_script("return document.querySelectorAll('.moltheory-repr').length") > 100
    assert browser.execute_script(_CONTRAST) == []
    assert browser.execute_script(_WIDE) == 0
    assert browser.get_log("browser") == []


def test_the_check_of_contrast_can_fail(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<main><p style='color:#aaa'>pale</p></main>", encoding="utf-8")
    open_page(browser, page, 400)
    assert [text for text, _ in browser.execute_script(_CONTRAST)] == ["pale"]


def test_buttons_leave_rows_out_without_a_script(browser, tmp_path):
    from collections import Counter

    from selenium.webdriver.common.by import By

    from moltheory.theorems import ledger

    page = tmp_path / "page.html"
    text = ledger()._repr_html_()
    page.write_text(f"<!DOCTYPE html><meta charset='utf-8'><title>two</title>{text}{text}", encoding="utf-8")
    open_page(browser, page, 1280)
    first, second = browser.find_elements(By.CLASS_NAME, "moltheory-repr")
    everything = list(ledger())
    assert browser.execute_script(_ROWS, first) == everything
    for provenance in Counter(one.provenance for one in ledger().values()):
        (label,) = [one for one in first.find_elements(By.TAG_NAME, "label") if one.text.startswith(f"{provenance} (")]
        label.click()
        expected = [key for key, one in ledger().items() if one.provenance == provenance]
        assert browser.execute_script(_ROWS, first) == expected
        # Another output of the same ledger is not touched.
        assert browser.execute_script(_ROWS, second) == everything
    (label,) = [one for one in first.find_elements(By.TAG_NAME, "label") if one.text.startswith("holds with")]
    label.click()
    expected = [key for key, one in ledger().items() if one.provenance == provenance and not one.deterministic]
    assert browser.execute_script(_ROWS, first) == expected
    assert browser.current_url == page.as_uri()
