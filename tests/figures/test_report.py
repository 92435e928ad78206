"""All figures, and the page that shows them, in a real browser too; computed and drawn once for all these tests."""

import re
from html import unescape

import pandas as pd
import pytest

from moltheory.figures import Settings, figure_names, get_figure, reproduce
from moltheory.figures import _report as report
from moltheory.figures._curves import summarize
from moltheory.plotting import to_bytes
from moltheory.reports import _build as writing
from tests import browser_checks
from tests.browser import headless_browser, open_page

pytestmark = pytest.mark.slow
_QUICK = Settings(quick=True)


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    def computed(name):
        figure = get_figure(name)
        figure.compute = lambda settings: results[name]
        return figure

    def written(canvas, kind):
        # The page shows no PDF files; every figure as a PDF file is a test of its own.
        return b"" if kind == "pdf" else to_bytes(canvas, kind)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "get_figure", computed)
        patch.setattr(writing, "to_bytes", written)
        return reproduce(tmp_path_factory.mktemp("report"), settings=_QUICK).page


@pytest.mark.parametrize("name", figure_names())
def test_every_figure_is_a_pdf_file(name, results):
    (document,) = writing._images(get_figure(name), results[name], False, ("pdf",))
    assert document.startswith(b"%PDF")
    assert len(document) > 5_000


def test_reach_is_that_of_the_theory(results):
    reach = results["reach"]
    assert reach.three["largest_augmentation"][1] == pytest.approx(2.857143, abs=5e-7)
    reaches = {name: 1 in rows for name, rows in reach.returned.items()}
    low, high = _augmented(reaches)
    assert not reaches["weighted sum"]
    assert not reaches[high]
    assert reaches[low]
    assert reaches["Chebyshev"]
    assert reaches["ε-constraint"]
    # a whole curve: a sum returns its supported points, Chebyshev every one, and augmentation costs from rho* on
    low, high = _augmented(reach.reached)
    assert reach.reached["weighted sum"].mean() == pytest.approx(reach.kinds["supported"].mean(), abs=0.02)
    assert reach.reached["Chebyshev"].all()
    assert reach.reached["ε-constraint"].all()
    assert reach.reached[low].all()
    assert not reach.reached[high].all()
    tolerated = reach.kinds["largest_augmentation"].to_numpy()
    assert (reach.reached[high] == (tolerated >= reach.augmentations[1])).mean() > 0.95


def _augmented(names):
    return sorted((name for name in names if name.startswith("augmented")), key=lambda name: float(name.split()[-1]))


def test_weight_cells_are_those_of_the_theory(results):
    cells = results["weight_cells"]
    assert [str(share) for share in cells.cells.exact_share] == ["1/3", "10/33", "4/11"]
    assert cells.certified.total == pytest.approx(83 / 99, abs=1e-15)
    for certified, whole in ((cells.certified, cells.cells), (cells.three_certified, cells.three)):
        assert (certified.share <= whole.share).all()
    for column in ("two_objectives", "three_objectives"):
        assert cells.shares[column].iloc[0] == 1
        assert (cells.shares[column].diff().dropna() <= 1e-15).all()


def test_certificates_of_all_solvers_cover_the_truth_and_only_seconds_change(results):
    first, again = results["solver_cost"], get_figure("solver_cost").compute(_QUICK)
    pd.testing.assert_frame_equal(first.accuracy, again.accuracy, check_exact=True)
    pd.testing.assert_frame_equal(first.logistic, again.logistic, check_exact=True)
    certified = first.accuracy[first.accuracy["rigorous"]]
    assert set(certified["solver"]) == {"closed form", "Newton", "cvxpy (Clarabel)"}
    assert (certified["excess"] <= certified["gap"] + 1e-16).all()
    assert certified["gap"].max() < 1e-10
    # a search never beats the closed form
    assert first.accuracy.loc[~first.accuracy["rigorous"], "excess"].min() > 0


def test_a_flat_direction_keeps_purity_and_curvature_ends_it(results):
    result = results["infinite_classes"]
    means = result.disk.groupby(["case", "size"])[["purity_error", "uniform_deviation"]].mean()
    flat, curved = means.loc["mu = 0 (flat)"], means.loc["mu = 1"]
    assert flat["purity_error"].to_numpy() == pytest.approx(1, abs=1e-6)
    assert curved["purity_error"].iloc[-1] < curved["purity_error"].iloc[0] / 10
    assert flat["uniform_deviation"].iloc[-1] < flat["uniform_deviation"].iloc[0] / 5
    assert summarize(result.groups)["violations"].sum() == 0
    assert (result.excess["excess"] <= result.excess["deviation"] + result.excess["gap"] + 1e-12).all()


def test_every_figure_is_drawn_and_shown(page):
    text = page.read_text()
    for name in figure_names():
        assert (page.parent / f"{name}.png").stat().st_size > 10_000
        assert (page.parent / f"{name}.pdf").exists()
        assert f'id="{name}"' in text
    assert text.count("data:image/webp;base64,") == 2 * len(figure_names())
    assert "data:image/png" not in text
    # The first picture is there at once, all others when they come near; none of them moves the text.
    images = re.findall(r"<img [^>]*>", text)
    assert ["loading=" in image for image in images] == [False] + [True] * (len(images) - 1)
    assert all(re.search(r' width="\d+" height="\d+"', image) for image in images)
    assert len(text.encode()) < 4.5e6


def test_figures_stand_in_chapters(page):
    text = re.sub(r"data:image/webp;base64,[^\"]*", "", page.read_text())
    body = text.partition("</header>")[2]
    found = re.findall(r'<h2 id="[^"]*">([^<]*)</h2>|<section id="([^"]*)">', body)
    shown, chapter = {}, ""
    for heading, section in found:
        chapter = heading or chapter
        if section in figure_names():
            shown.setdefault(chapter, []).append(section)
    # A catalog in another order than the chapters would be a list that contradicts the page.
    assert [name for names in shown.values() for name in names] == list(figure_names())
    assert list(shown) == [
        *("What happens", "Why", "On real data", "Infinite classes", "Bounds", "Certificates"),
    ]
    assert shown["What happens"] == ["mechanism", "worlds", "tilted_line"]
    assert all(get_figure(name).chapter == heading for heading, names in shown.items() for name in names)
    introductions = re.findall(r'</h2>\s*<p class="about">([^<]*)</p>', body)
    assert len(introductions) == len(shown) + 2  # and those of the explorer and of the table of all problems
    assert all(text.endswith((".", "?")) and len(text.split()) <= 35 for text in introductions)
    contents = re.findall(r'<a href="#([^"]*)">', text.partition("<nav")[2].partition("</nav>")[0])
    assert set(figure_names()) < set(contents)


def test_captions_are_seen_and_details_are_in_folds(page, results):
    text = page.read_text()
    for name in figure_names():
        figure, result = get_figure(name), results[name]
        section = text.partition(f'<section id="{name}">')[2].partition("</section>")[0]
        caption = unescape(re.sub("<[^>]*>", "", section.partition("<figcaption>")[2].partition("</figcaption>")[0]))
        assert caption == figure.caption(result)
        assert len(caption.split()) <= 60, name
        assert unescape(re.search(r' alt="([^"]*)"', section)[1]) == figure.alt(result)
        details = section.partition("<summary>Details</summary>")[2].partition("</details>")[0]
        assert unescape(re.sub("<[^>]*>", "", details)) == "".join(figure.details(result).splitlines())


def test_numbers_have_one_form_everywhere(page):
    text = re.sub(r"data:image/webp;base64,[^\"]*", "", page.read_text())
    # The record holds versions of libraries.
    text = unescape(re.sub("<[^>]*>", "\n", text.partition("<body>")[2].partition('<details id="record">')[0]))
    assert re.findall(r".*\d[eE][-+]?\d.*", text) == []
    assert re.findall(r".*\d %.*", text) == []
    assert re.findall(r"(?m)^(?:nan|inf|-inf|True|False|None)$", text) == []
    assert re.findall(r"(?<![\d.,#])\d{5,}(?![\d.])", text) == []
    assert "above 1: says nothing" in text
    assert "vacuous" not in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.mark.browser
@pytest.mark.parametrize("width", browser_checks.WIDTHS)
def test_page_is_whole_and_readable(browser, page, width):
    open_page(browser, page, width)
    assert browser.execute_script("return window.innerWidth") == width
    assert browser_checks.wrong(browser) == {}
    assert browser_checks.small_text(browser, least=12) == []
    # The first picture begins on the first screen, and shows enough of itself there to say what it is.
    top, bottom = browser_checks.first_picture(browser)
    assert top < (480 if width == 1280 else 620)
    assert min(bottom, 900) - top > min(250, 0.95 * (bottom - top))
    browser_checks.load_pictures(browser)
    images = browser.execute_script(
        "return [...document.images].map(i => [i.naturalWidth, i.naturalHeight, i.clientWidth, i.clientHeight, i.alt])"
    )
    assert len(images) == len(figure_names())
    for natural_width, natural_height, shown_width, shown_height, alt in images:
        assert natural_width > 600
        assert 0.9 * min(width, 800) - 40 <= shown_width <= width
        assert alt
        # The place that is kept free is that of the picture.
        assert shown_height == pytest.approx(shown_width * natural_height / natural_width, abs=2)
        # a phone gets panels below one another, a desk side by side
        assert (natural_height > natural_width) == (width == 400) or natural_height > 0.8 * natural_width


@pytest.mark.browser
def test_open_folds_and_their_tables_are_readable_too(browser, page):
    for width in (1280, 400):
        open_page(browser, page, width)
        browser_checks.open_folds(browser)
        assert browser_checks.wrong(browser, selector="#mechanism") == {}


@pytest.mark.browser
def test_nothing_moves_while_pictures_come(browser, page):
    open_page(browser, page, 400)
    before = browser.execute_script("return document.documentElement.scrollHeight")
    browser_checks.load_pictures(browser)
    assert browser.execute_script("return document.documentElement.scrollHeight") == before


@pytest.mark.browser
def test_every_link_and_table_works(browser, page):
    open_page(browser, page, 1280)
    targets = browser.execute_script(
        "return [...document.querySelectorAll('nav a')].map(a => document.querySelector(a.getAttribute('href')) !== null)"
    )
    assert set(targets) == {True}
    assert len(targets) > len(figure_names())
    rows = browser.execute_script(
        "document.querySelectorAll('details').forEach(d => d.open = true);"
        "return [...document.querySelectorAll('table')].map(t => [t.rows.length, t.getBoundingClientRect().height])"
    )
    assert rows
    assert all(count > 1 and height > 20 for count, height in rows)


@pytest.mark.browser
def test_no_request_leaves_the_page(browser, page):
    open_page(browser, page, 1280)
    names = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in names if not name.startswith("data:")] == []
