"""The report page in a real browser: nothing missing, nothing broken, readable on a desk and on a phone."""

import shutil
from pathlib import Path

import pytest

from moltheory.figures import Settings, figure_names, reproduce

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return reproduce(tmp_path_factory.mktemp("report"), settings=Settings(quick=True)).page


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium and its driver are not installed, so the page cannot be opened")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def _open(browser, page: Path, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700},
    )
    browser.get(page.as_uri())


@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_whole_and_readable(browser, page, width):
    _open(browser, page, width)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return window.innerWidth") == width
    images = browser.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.naturalHeight, i.clientWidth, i.alt])"
    )
    assert len(images) == len(figure_names())
    for complete, natural_width, natural_height, shown, alt in images:
        assert complete
        assert natural_width > 600
        assert (850 if width == 1280 else 0.9 * width - 20) <= shown <= width
        assert alt
        # a phone gets panels below one another, a desk side by side
        assert (natural_height > natural_width) == (width == 400)
    # nothing makes the page scroll sideways, and text is not tiny
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('p, h1, h2, summary, dd')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 14


def test_every_link_and_table_works(browser, page):
    _open(browser, page, 1280)
    targets = browser.execute_script(
        "return [...document.querySelectorAll('nav a')].map(a => document.querySelector(a.getAttribute('href')) !== null)"
    )
    assert targets == [True] * len(figure_names())
    rows = browser.execute_script(
        "document.querySelectorAll('details').forEach(d => d.open = true);"
        "return [...document.querySelectorAll('table')].map(t => [t.rows.length, t.getBoundingClientRect().height])"
    )
    assert rows
    assert all(count > 1 and height > 20 for count, height in rows)


def test_no_request_leaves_the_page(browser, page):
    _open(browser, page, 1280)
    names = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in names if not name.startswith("data:")] == []
