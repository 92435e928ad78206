"""The site as it is built: every name, every link, every width of a window, and nothing from elsewhere."""

import functools
import http.server
import importlib.util
import inspect
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import moltheory
from tests.browser import headless_browser
from tests.browser_checks import accessibility

_ROOT = Path(__file__).parents[2]
_SITE = _ROOT / "docs" / "_build" / "html"
# Pages of every kind, each opened on a desktop and on a phone.
_PAGES = (
    "index.html",
    "404.html",
    "tour/practitioner.html",
    "tour/theorist.html",
    "howto/index.html",
    "howto/lm_evaluation_harness.html",
    "howto/long_runs.html",
    "explanation/asymmetry.html",
    "explanation/certificates.html",
    "explanation/which_bound.html",
    "explanation/architecture.html",
    "gallery/index.html",
    "ledger.html",
    "proofs.html",
    "notebooks.html",
    "notebooks/01_asymmetry.html",
    "notebooks/04_certify.html",
    "notebooks/study_low_rank_bias.html",
    "reference/index.html",
    "reference/generated/moltheory.html",
    "reference/generated/moltheory.evaluation.html",
    "reference/generated/moltheory.certify.html",
    "reference/generated/moltheory.Certificate.html",
    "reference/generated/moltheory.bounds.vc.html",
    "reference/generated/command_line.html",
    "bibliography.html",
    "benchmarks.html",
    "studies.html",
    "glossary.html",
    "development/contributing.html",
    "development/changelog.html",
)


def _check_site():
    """Return the module that checks a site, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("check_site", _ROOT / "docs" / "_ext" / "check_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site():
    """Build what changed since the last build, every warning an error, as `make docs` does."""
    for name in ("sphinx", "pydata_sphinx_theme", "myst_nb", "numpydoc", "sphinx_gallery", "sphinxcontrib.bibtex"):
        pytest.importorskip(name, reason="the site needs the extra [docs]")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html", "docs", str(_SITE)]
    unset = {name: value for name, value in os.environ.items() if name != "MOLTHEORY_DOCS"}
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, env=unset)
    assert done.returncode == 0, done.stderr
    return _SITE


def _public():
    """Yield every public name with its value, and the paths by which it can be reached."""
    paths = {}
    for module in [moltheory, *(getattr(moltheory, name) for name in moltheory.__all__)]:
        if not inspect.ismodule(module):
            continue
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value) and not name.startswith("__"):
                is_object = inspect.isclass(value) or inspect.isroutine(value)
                key = id(value) if is_object else (module.__name__, name)
                paths.setdefault(key, (value, []))[1].append(f"{module.__name__}.{name}")
    return list(paths.values())


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site):
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    described = {
        name: entry.uri
        for kind, entries in inventory.items()
        if kind.startswith("py:")
        for name, entry in entries.items()
    }
    public = _public()
    assert len(public) > 250
    missing, twice = [], []
    for value, paths in public:
        shortest = min(paths, key=lambda path: (path.count("."), len(path), path))
        if shortest not in described:
            missing.append(shortest)
        # Another path is another name of the same place, if it is there at all.
        twice += [path for path in paths if described.get(path, described.get(shortest)) != described.get(shortest)]
        for name in dir(value) if inspect.isclass(value) and value.__module__.startswith("moltheory") else ():
            member = inspect.getattr_static(value, name)
            owner = next((base for base in value.__mro__ if name in vars(base)), object)  # else of a metaclass
            if not name.startswith("_") and owner.__module__.startswith("moltheory") and inspect.getdoc(member):
                is_documented = isinstance(member, property | staticmethod | classmethod) or inspect.isfunction(member)
                if is_documented and f"{shortest}.{name}" not in described:
                    missing.append(f"{shortest}.{name}")
    assert (missing, twice) == ([], [])
    modules = {f"moltheory.{name}" for name in moltheory.__all__ if inspect.ismodule(getattr(moltheory, name))}
    assert modules <= described.keys()


@pytest.mark.slow
def test_names_link_to_their_source(site):
    page = (site / "reference" / "generated" / "moltheory.bounds.vc.html").read_text(encoding="utf-8")
    lines, first = inspect.getsourcelines(inspect.unwrap(moltheory.bounds.vc))
    address = "https://github.com/moltheory/moltheory/blob/main/src/moltheory/bounds/_uniform.py"
    assert f"{address}#L{first}-L{first + len(lines) - 1}" in page


@pytest.mark.slow
def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    assert _check_site().problems(site) == []


@pytest.mark.slow
def test_every_statement_is_in_the_ledger(site):
    page = (site / "ledger.html").read_text(encoding="utf-8")
    for theorem in moltheory.theorems.ledger().values():
        assert f'id="statement-{theorem.id}"' in page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Print nothing."""


@pytest.fixture(scope="module")
def address(site):
    """Serve the site on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def _open(browser, address, page, width):
    browser.get_log("browser")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700},
    )
    browser.get(f"{address}/{page}")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_into_the_window(browser, address, width):
    wrong = []
    for page in _PAGES:
        _open(browser, address, page, width)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        errors = [message for message in errors if "favicon.ico" not in message]
        if wide > width or errors:
            wrong.append((page, wide, errors))
    assert wrong == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "pages"), [("light", _PAGES), ("dark", _PAGES[::4])])
def test_pages_are_accessible(browser, address, scheme, pages):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    wrong = {}
    for page in pages:
        _open(browser, address, page, 1280)
        wrong[page] = accessibility(browser)
    assert {page: found for page, found in wrong.items() if found} == {}


@pytest.mark.slow
@pytest.mark.browser
def test_search_finds_certify(browser, address):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    _open(browser, address, "search.html?q=certify", 1280)
    found = WebDriverWait(browser, 20).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#search-results li a"))
    assert any("moltheory.certify.html" in one.get_attribute("href") for one in found)


def _write(folder, **pages):
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)


def test_wrong_links_are_found(tmp_path):
    problems = _check_site().problems
    _write(tmp_path, index='<a href="other.html#here">x</a><a href="#top">y</a>', other='<p id="here"></p>')
    assert problems(tmp_path.resolve()) == []
    wrong = {
        '<a href="gone.html">x</a>': "no such file",
        '<a href="other.html#gone">x</a>': "no such place",
        '<a href="#gone">x</a>': "no such place",
        '<img src="gone.png">': "no such file",
        '<script src="https://elsewhere.example/a.js"></script>': "loads",
        '<link rel="stylesheet" href="//elsewhere.example/a.css">': "loads",
    }
    for text, reason in wrong.items():
        _write(tmp_path, index=text)
        found = problems(tmp_path.resolve())
        assert len(found) == 1, (text, found)
        assert reason in found[0]
    _write(tmp_path, index="")
    (tmp_path / "a.css").write_text("@font-face { src: url('https://elsewhere.example/a.woff') }")
    assert len(problems(tmp_path.resolve())) == 1
