"""The explorer's page in a browser: mouse, touch, keyboard, samples; numbers read back and compared with the library."""

import time

import numpy as np
import pytest

import moltheory as mt
from moltheory.explorer import explorer_page
from tests.browser import headless_browser, open_page
from tests.browser_checks import WIDTHS, wrong
from tests.explorer._page_state import assert_state_is_the_library_s, state_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WORLDS = (mt.problems.mirrored_decoys, mt.problems.two_coins, mt.problems.reference_world)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(explorer_page(), encoding="utf-8")
    return path


def _place(browser, h):
    """Return the middle of a handle in the window, scrolled into view."""
    return browser.execute_script(
        "const e = document.querySelectorAll('.mte-handle')[arguments[0]]; e.scrollIntoView({block: 'center'});"
        "const b = e.querySelector('.mte-mark').getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2];",
        h,
    )


def _choose(browser, world):
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element("css selector", ".mte-top select")).select_by_value(str(world))


def _mouse(browser, kind, x, y, buttons):
    browser.execute_cdp_cmd(
        "Input.dispatchMouseEvent",
        {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1, "pointerType": "mouse"},
    )


def _drag(browser, h, dx, dy, steps=12):
    x, y = _place(browser, h)
    _mouse(browser, "mousePressed", x, y, 1)
    for step in range(1, steps + 1):
        _mouse(browser, "mouseMoved", x + dx * step / steps, y + dy * step / steps, 1)
    _mouse(browser, "mouseReleased", x + dx, y + dy, 0)


def _severe(browser):
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def test_a_drag_by_mouse_moves_the_world_within_50_ms(browser, page):
    open_page(browser, page, 1280)
    _choose(browser, 2)
    world = mt.problems.reference_world()
    before = state_of(browser)
    assert_state_is_the_library_s(before, world)
    _drag(browser, 1, 60, -45, steps=40)
    after = state_of(browser)
    x, y = np.array(after["true_risks"][1]) - before["true_risks"][1]
    assert 0.08 < x < 0.18
    assert 0.08 < y < 0.18
    assert [after["true_risks"][h] for h in (0, 2, 3)] == [before["true_risks"][h] for h in (0, 2, 3)]
    assert after["counts"] == before["counts"], "a drag keeps the sample's outcomes"
    assert_state_is_the_library_s(after, world)
    frames = browser.execute_script("return document.querySelector('.mte').explorer.frames")
    assert len(frames) >= 8
    assert np.median(frames) < 50, f"a drag is seen after {np.median(frames):.0f} ms"
    assert _severe(browser) == []


def test_a_drag_by_touch_on_a_phone(browser, page):
    open_page(browser, page, 390)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 1})
    try:
        world = mt.problems.mirrored_decoys()
        before = state_of(browser)
        x, y = _place(browser, 0)
        # A thumb hits beside the mark: 15 pixels off.
        touch = lambda kind, points: browser.execute_cdp_cmd(  # noqa: E731
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
        )
        touch("touchStart", [{"x": x + 10, "y": y - 11}])
        for step in range(1, 11):
            touch("touchMove", [{"x": x + 10 - 6 * step, "y": y - 11 - 8 * step}])
        touch("touchEnd", [])
        after = state_of(browser)
        assert after["true_risks"][0][0] < before["true_risks"][0][0] - 0.1
        assert after["true_risks"][0][1] > 0.15
        assert after["true_risks"][1:] == before["true_risks"][1:]
        assert_state_is_the_library_s(after, world)
        areas = browser.execute_script(
            "return [...document.querySelectorAll('.mte-touch, .mte-sample-button, .mte-reset, .mte select')].map("
            "e => { const b = e.getBoundingClientRect(); return Math.min(b.width, b.height); });"
        )
        assert min(areas) >= 44
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        # What is shown first: plane, button and both histograms.
        browser.execute_script("scrollTo(0, 0)")
        bottom = browser.execute_script("return document.querySelector('.mte-purity').getBoundingClientRect().bottom")
        assert bottom < 844
        assert _severe(browser) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_the_keyboard_moves_points_and_samples(browser, page):
    from selenium.webdriver.common.keys import Keys

    open_page(browser, page, 1280)
    _choose(browser, 1)
    world = mt.problems.two_coins()
    handle = browser.find_elements("css selector", ".mte-handle")[1]
    browser.execute_script("arguments[0].focus()", handle)
    active = browser.switch_to.active_element
    active.send_keys(Keys.ARROW_LEFT)
    assert state_of(browser)["true_risks"][1] == [0.49, 1.0]
    active.send_keys(Keys.SHIFT + Keys.ARROW_DOWN)
    state = state_of(browser)
    assert state["true_risks"][1] == [0.49, 0.95]
    assert_state_is_the_library_s(state, world)
    live = browser.find_element("css selector", ".mte-live")
    assert live.text == "h1: error 0.49, cost 0.95; on the true front."
    assert handle.get_attribute("aria-valuetext") == "error 0.49, cost 0.95"
    active.send_keys(Keys.HOME)
    assert state_of(browser)["true_risks"][1] == [0.5, 1.0]
    button = browser.find_element("css selector", ".mte-sample-button")
    drawn = state_of(browser)["results"]["drawn"]
    button.send_keys(Keys.SPACE)
    button.send_keys(Keys.ENTER)
    state = state_of(browser)
    assert state["results"]["drawn"] == drawn + 2
    assert live.text.startswith(f"Sample {drawn + 2}: coverage error ")
    order = []
    browser.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(12):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        order.append(
            browser.execute_script("return document.activeElement.className.baseVal ?? document.activeElement.tagName")
        )
    assert "mte-handle mte-decoy" in order
    assert "BUTTON" in order
    assert order.count("INPUT") >= 4


@pytest.mark.parametrize("index", [0, 1, 2])
def test_pressing_and_holding_sample_shows_the_asymmetry(browser, page, index):
    open_page(browser, page, 1280)
    _choose(browser, index)
    world = _WORLDS[index]()
    button = browser.find_element("css selector", ".mte-sample-button")
    button.click()
    state = state_of(browser)
    assert state["results"]["drawn"] == 2, "one at first, one by a press"
    x, y = browser.execute_script(
        "const b = arguments[0].getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]", button
    )
    _mouse(browser, "mousePressed", x, y, 1)
    time.sleep(1.8)
    _mouse(browser, "mouseReleased", x, y, 0)
    state = state_of(browser)
    assert_state_is_the_library_s(state, world)
    results = state["results"]
    assert results["drawn"] > 20
    time.sleep(0.3)
    assert state_of(browser)["results"]["drawn"] == results["drawn"], "nothing is drawn after the release"
    if index == 0:
        assert results["coverage_histogram"] == [results["drawn"]] + [0] * 19
        assert results["purity_histogram"] == [0] * 19 + [results["drawn"]]
        assert results["probability"]["value"] == pytest.approx(1.0, abs=1e-12)
    assert _severe(browser) == []


def test_settings_are_bounded_and_the_seed_repeats(browser, page):
    open_page(browser, page, 1280)
    _choose(browser, 2)

    def enter(label, value):
        field = browser.find_element("xpath", label)
        browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
            field,
            value,
        )
        return state_of(browser)

    n = "//input[@aria-label='sample size n, as a number']"
    first = enter(n, "60")
    assert first["n"] == 60
    assert first["results"]["drawn"] == 1
    assert_state_is_the_library_s(first, mt.problems.reference_world())
    assert enter(n, "0")["n"] == 60
    assert enter(n, "")["n"] == 60
    assert enter(n, "20000")["n"] == 60
    assert browser.find_element("xpath", n).get_attribute("value") == "60"
    delta = enter("//label[contains(., 'δ')]//input", "0.2")
    assert delta["delta"] == 0.2
    assert delta["counts"] == first["counts"]
    assert_state_is_the_library_s(delta, mt.problems.reference_world())
    other = enter("//label[contains(., 'Seed')]//input", "5")
    assert other["counts"] != first["counts"]
    assert enter("//label[contains(., 'Seed')]//input", "0")["counts"] == first["counts"]
    _drag(browser, 0, 50, -20)
    assert state_of(browser)["true_risks"] != first["true_risks"]
    browser.find_element("css selector", ".mte-reset").click()
    assert state_of(browser)["true_risks"] == first["true_risks"]


def test_a_world_of_examples_is_estimated_and_drags_in_time(browser, tmp_path, rng):
    shares = np.linspace(0.1, 0.5, 40)
    losses = np.stack([rng.random((1000, 40)) < shares, np.broadcast_to(1 - shares, (1000, 40))], axis=-1)
    world = mt.FiniteWorld.from_examples(losses.astype(float), objective_names=("error", "cost"))
    path = tmp_path / "examples.html"
    path.write_text(explorer_page(world, n=100), encoding="utf-8")
    open_page(browser, path, 1280)
    state = state_of(browser)
    assert state["results"]["probability"]["kind"] == "estimate"
    assert browser.find_element("css selector", ".mte-chip").text == "estimate"
    assert_state_is_the_library_s(state, world)
    _drag(browser, 20, 40, -40, steps=30)
    assert_state_is_the_library_s(state_of(browser), world)
    frames = browser.execute_script("return document.querySelector('.mte').explorer.frames")
    assert np.median(frames) < 50


def test_odd_worlds_are_shown(browser, tmp_path):
    one = mt.FiniteWorld([0.5, 0.5, 0.0], [[[0, 1]], [[1, 1]], [[0.5, 0]]])
    equal = mt.FiniteWorld([0.3, 0.7], [[[0, 0]] * 3, [[1, 1]] * 3])
    path = tmp_path / "odd.html"
    for world in (one, equal):
        path.write_text(explorer_page(world, n=1), encoding="utf-8")
        open_page(browser, path, 768)
        state = state_of(browser)
        assert state["results"]["probability"] == {"kind": "exact", "value": 0, "low": 0, "high": 0, "samples": None}
        assert_state_is_the_library_s(state, world)
        _drag(browser, 0, -40, -10)
        assert_state_is_the_library_s(state_of(browser), world)
    assert _severe(browser) == []


@pytest.mark.parametrize(("theme", "worlds"), [("light", (0, 2, 3)), ("dark", (1,))])
def test_nothing_overlaps_scrolls_sideways_or_is_hard_to_read(browser, page, theme, worlds):
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        for width in WIDTHS:
            open_page(browser, page, width)
            for world in worlds:
                _choose(browser, world)
                state_of(browser)
                found = {kind: entries for kind, entries in wrong(browser).items() if entries}
                assert found == {}, (theme, width, world)
        assert browser.execute_script("return document.querySelector('.mte').dataset.theme") == theme
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
