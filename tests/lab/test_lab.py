"""JupyterLab itself, in a headless browser: completion by TAB, rich tables, the explorer drawn and dragged."""

import ast
import shutil
import time

import numpy as np
import pytest

import moltheory as mt
from tests.browser import headless_browser
from tests.explorer._page_state import assert_state_is_the_library_s
from tests.lab._server import jupyter_lab

pytestmark = [pytest.mark.slow, pytest.mark.browser]

_CELLS = (
    "import moltheory as mt\nexplorer = mt.explore(mt.problems.reference_world(), n=20)\nexplorer",
    "rng = __import__('numpy').random.default_rng(0)\n"
    "mt.certify((rng.random((400, 3)) < [0.1, 0.3, 0.6]).astype(float)[:, :, None], costs=[[3.0], [2.0], [1.0]])",
    "mt.theorems.ledger()",
    "print('STATE', dict(n=explorer.n, delta=explorer.delta, true_risks=explorer.true_risks, counts=explorer.counts,"
    " results=explorer.results))",
    "",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Yield a browser with an open notebook whose kernel is ready."""
    pytest.importorskip("jupyterlab")
    nbformat = pytest.importorskip("nbformat")
    folder = tmp_path_factory.mktemp("lab")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in _CELLS])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / "lesson.ipynb")
    profile = tmp_path_factory.mktemp("profile")
    with headless_browser(profile) as browser, jupyter_lab(folder) as address:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 1400, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.get(address("lab/tree/lesson.ipynb"))
        _until(browser, "return !!window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel", 120)
        yield browser
    shutil.rmtree(profile, ignore_errors=True)


def _until(browser, script, seconds, *arguments):
    """Run a script again and again until it returns something, and return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = browser.execute_script(script, *arguments)
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {script}")


def _run(browser, cell):
    """Run a cell and wait until it has run; returns the text of its output."""
    browser.execute_script(
        "const panel = window.jupyterapp.shell.currentWidget; panel.content.activeCellIndex = arguments[0];"
        "window.moltheoryDone = false;"
        "window.jupyterapp.commands.execute('notebook:run-cell').then(() => { window.moltheoryDone = true; });",
        cell,
    )
    _until(browser, "return window.moltheoryDone", 120)
    return _output(browser, cell).text


def _output(browser, cell):
    # Cells out of sight are not drawn.
    browser.execute_async_script(
        "const done = arguments[1]; const book = window.jupyterapp.shell.currentWidget.content;"
        "book.scrollToItem(arguments[0], 'start').then(() => setTimeout(done, 300));",
        cell,
    )
    return _until(
        browser,
        "const cell = window.jupyterapp.shell.currentWidget.content.widgets[arguments[0]].node;"
        "return cell.querySelector('.jp-Cell-outputArea');",
        30,
        cell,
    )


def _errors(browser):
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_explorer_is_drawn_dragged_and_read_back(lab):
    _run(lab, 0)
    _until(lab, "return document.querySelector('.mte .mte-handle')", 60)
    place = lab.execute_script(
        "document.querySelector('.mte').scrollIntoView();"
        "const b = document.querySelectorAll('.mte-handle')[3].querySelector('.mte-mark').getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2];"
    )
    for step in range(9):
        lab.execute_cdp_cmd(
            "Input.dispatchMouseEvent",
            {
                "type": "mousePressed" if step == 0 else "mouseReleased" if step == 8 else "mouseMoved",
                "x": place[0] - 15 * step,
                "y": place[1] + 8 * step,
                "button": "left",
                "buttons": 0 if step == 8 else 1,
                "clickCount": 1,
            },
        )
        time.sleep(0.05)
    # Arrow keys move the point, and not the selection of cells.
    from selenium.webdriver.common.keys import Keys

    lab.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    time.sleep(1.5)
    assert lab.execute_script("return document.activeElement.classList.contains('mte-handle')")
    frames = lab.execute_script("return document.querySelector('.mte').explorer.frames")
    assert np.median(frames) < 50
    text = _run(lab, 3)
    state = ast.literal_eval(text[text.index("STATE") + 5 :].strip())
    world = mt.problems.reference_world()
    moved = np.array(state["true_risks"]) - world.true_risks
    assert moved[3, 0] < -0.1
    assert moved[3, 1] < -0.05
    assert (moved[:3] == 0).all()
    assert_state_is_the_library_s(state, world)
    assert [message for message in _errors(lab) if "mte" in message or "anywidget" in message] == []


def test_python_moves_the_explorer(lab):
    lab.execute_script(
        "window.moltheoryDone = false; const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;"
        "kernel.requestExecute({code: 'explorer.n = 50; explorer.true_risks = [[.2, .5], [.3, .3], [.4, .2], [.5, .3]]'})"
        ".done.then(() => { window.moltheoryDone = true; });"
    )
    _until(lab, "return window.moltheoryDone", 30)
    found = _until(
        lab,
        "const e = document.querySelector('.mte')?.explorer;"
        "return e?.settings.n === 50 && e.world.trueRisks[0][0] === 0.2 && e.chance.kind === 'exact' ? e.state() : null",
        15,
    )
    assert_state_is_the_library_s(found, mt.problems.reference_world())


def test_the_explorer_follows_the_theme_of_the_lab(lab):
    for theme, expected in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        lab.execute_script("window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]})", theme)
        _until(lab, "return document.querySelector('.mte')?.dataset.theme === arguments[0]", 20, expected)


def test_certificates_and_the_ledger_are_rich_tables(lab):
    assert "model" in _run(lab, 1).lower()
    assert _output(lab, 1).find_elements("css selector", ".jp-RenderedHTML table")
    assert "forward" in _run(lab, 2)
    assert _output(lab, 2).find_elements("css selector", ".jp-RenderedHTML table")


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("mt.", {"certify", "explore", "plot", "problems", "reproduce"} - {"reproduce"}, {"np", "annotations"}),
        ('mt.theorems.ledger()["', {"forward"}, set()),
    ],
)
def test_tab_completes(lab, typed, offered, not_offered):
    from selenium.webdriver.common.keys import Keys

    last = len(_CELLS) - 1
    lab.execute_script(
        "const book = window.jupyterapp.shell.currentWidget.content; book.activeCellIndex = arguments[0];"
        "book.activeCell.model.sharedModel.setSource(''); book.mode = 'edit'; book.activeCell.editor.focus();",
        last,
    )
    _output(lab, last)
    lab.execute_script("window.jupyterapp.shell.currentWidget.content.activeCell.editor.focus()")
    time.sleep(0.5)
    # Quotes and brackets that the editor closes by itself are typed over.
    lab.execute_script(
        "const editor = window.jupyterapp.shell.currentWidget.content.activeCell.editor;"
        "editor.model.sharedModel.setSource(arguments[0]);"
        "editor.setCursorPosition({line: 0, column: arguments[0].length}); editor.focus();",
        typed,
    )
    names = set()
    for _ in range(4):  # the first completion of a kernel may take longer than the lab waits
        lab.switch_to.active_element.send_keys(Keys.TAB)
        time.sleep(2.5)
        names = set(
            lab.execute_script(
                "return [...document.querySelectorAll('.jp-Completer .jp-Completer-match')].map(e => e.textContent.trim())"
            )
        )
        if names:
            break
    text = "\n".join(sorted(names))
    assert all(name in text for name in offered), text[:2000]
    assert not names & not_offered
    lab.switch_to.active_element.send_keys(Keys.ESCAPE)
