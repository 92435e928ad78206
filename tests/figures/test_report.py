"""All figures, and the page that shows them, in a real browser too; computed and drawn once for all these tests."""

import pandas as pd
import pytest

from moltheory.figures import Settings, figure_names, get_figure, reproduce
from moltheory.figures import _report as report
from moltheory.figures._curves import summarize
from moltheory.plotting import to_bytes
from moltheory.reports import _build as writing
from tests.browser import headless_browser, open_page

_QUICK = Settings(quick=True)


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    def computed(name):
        figure = get_figure(name)
        figure.compute = lambda settings: results[name]
        return figure

    def written(canvas, kind):
        # The page shows PNG files only; every figure as a PDF file is a test of its own.
        return b"" if kind == "pdf" else to_bytes(canvas, kind)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "get_figure", computed)
        patch.setattr(writing, "to_bytes", written)
        return reproduce(tmp_path_factory.mktemp("report"), settings=_QUICK).page


@pytest.mark.slow
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
    assert text.count("data:image/png;base64,") == 2 * len(figure_names())


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_whole_and_readable(browser, page, width):
    open_page(browser, page, width)
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


@pytest.mark.browser
def test_every_link_and_table_works(browser, page):
    open_page(browser, page, 1280)
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


@pytest.mark.browser
def test_no_request_leaves_the_page(browser, page):
    open_page(browser, page, 1280)
    names = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in names if not name.startswith("data:")] == []
