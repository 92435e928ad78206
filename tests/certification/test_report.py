"""The report of a certificate: right words, self-contained, and in a real browser readable on a desk and on a phone."""

import re

import numpy as np
import pandas as pd
import pytest

from moltheory._core._text import plural
from moltheory.certification import certificate_page, certify, from_predictions, further_examples
from moltheory.certification._advice_text import headline
from moltheory.certification._format import confidence_text, count_text, number_text, summary_sentence, verdict_rows
from moltheory.certification._page_figure import figure_alt
from tests.browser import headless_browser, open_page


class _Source:
    """Losses in memory as a source of blocks."""

    objective_names = ("error", "accuracy")

    def __init__(self, losses, names):
        self.losses, self.model_names = losses, names
        self.objective_names = self.objective_names[: losses.shape[2]]

    def blocks(self):
        for start in range(0, len(self.losses), 200):
            yield self.losses[start : start + 200], None


def _world(rng, n_models=9, n=700, n_objectives=1):
    """Models of different skill on examples of different difficulty; their errors are correlated."""
    difficulty = rng.random((n, 1, 1))
    skill = np.linspace(0.15, 0.5, n_models)[:, None] + 0.02 * rng.random((n_models, n_objectives))
    losses = (0.8 * difficulty + 0.2 * rng.random((n, n_models, n_objectives)) < skill).astype(float)
    losses[:, :, 1:] = 1 - losses[:, :, 1:]
    return losses, tuple(f"family <{i % 3}>/model-with-a-long-name-{i}" for i in range(n_models))


@pytest.fixture(scope="module", params=[2, 3, 5], ids=lambda m: f"{m} objectives")
def report(request, tmp_path_factory):
    rng = np.random.default_rng(4)
    n_objectives = min(request.param, 2)
    losses, names = _world(rng, n_models=14, n=400, n_objectives=n_objectives)
    costs = {f"cost {j}": rng.permutation(14) + 0.5 for j in range(request.param - n_objectives)}
    source = _Source(losses, names)
    certificate = certify(source, costs=costs or None, maximise=[False, True, False, False, False][: request.param])
    page = certificate_page(
        certificate, title="losses & more.csv", further=further_examples(source, certificate, simulate=5)
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return certificate, path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with headless_browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


def test_page_says_everything(report):
    certificate, path = report
    page = path.read_text(encoding="utf-8")
    assert "losses &amp; more.csv" in page
    assert "family <" not in page
    assert f'<p class="headline">{headline(certificate)}</p>' in page
    for name in certificate.names:
        assert name.replace("<", "&lt;").replace(">", "&gt;") in page
    for text in certificate.assumptions:
        assert text in page
    for engine, share in certificate.delta_allocation:
        assert engine in page
        assert f"{share:g} of 0.05" in page
    sections = re.findall(r'<section id="(.*?)">', page)
    assert sections[:3] == ["do", "front", "models"]
    assert set(sections) >= {"dominance", "more", "guarantee", "reading"}
    assert 30_000 < len(page.encode()) < 300_000
    assert not re.search(r'(src|href|srcset)="(?!data:|#)', page)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_whole_and_readable(browser, report, width):
    certificate, path = report
    open_page(browser, path, width)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    ((alt, shown, cut),) = browser.execute_script(
        "return [...document.querySelectorAll('#front svg, #front img')].filter(i => i.getBoundingClientRect().width)"
        ".map(i => [i.getAttribute('aria-label') || i.alt, i.getBoundingClientRect().width,"
        " i.getBoundingClientRect().right > innerWidth])"
    )
    assert alt == figure_alt(certificate)
    assert 0.5 * width - 20 <= shown <= width
    assert not cut
    names = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in names if not name.startswith("data:")] == []
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('main p, h1, h2, h3, td, th button, summary, dd, dt, li')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 14
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#models tbody tr')].map(r => [r.className, r.cells[1].innerText])"
    )
    assert [name for name, _ in rows] == sorted(certificate.status, key=("sure", "undecided", "excluded").index)
    assert sorted(name for _, name in rows) == sorted(certificate.names)
    if width == 400:
        # cards, not a table to be pushed sideways
        hidden = browser.execute_script(
            "const d = document.querySelector('#models .scroll'); return d.scrollWidth - d.clientWidth"
        )
        assert hidden <= 0


def test_rows_are_sorted_and_boxes_hold_what_they_held(report):
    certificate, _ = report
    head, rows = verdict_rows(certificate)
    assert head[:5] == ["#", "model", "verdict", "use instead", "confidence"]
    assert [row[0] for row in rows] == [f"{k + 1}" for k in range(len(certificate))]
    place = {name: h for h, name in enumerate(certificate.names)}
    first = []
    for row in (row[1:] for row in rows):
        h = place[row[0]]
        first.append((row[1], certificate.estimates[h, 0]))
        assert (row[2] != "") == certificate.excluded[h]
        # known costs alone need no confidence
        alone = certificate.sure[h] and np.isnan(certificate.decided_at[h])
        assert row[3].startswith("certain (by its cost") == alone
        assert (row[3] != "") == (not certificate.undecided[h])
        for i, cell in enumerate(row[4:]):
            found = [float(text) for text in re.findall(r"[-\d.e]+", cell.replace(",", " "))]
            if certificate.data_dependent[i]:
                assert found[1] <= certificate.boxes[h, i, 0] + 1e-9
                assert found[2] >= certificate.boxes[h, i, 1] - 1e-9
            else:
                assert found == [certificate.estimates[h, i]]
    order = ["on the front", "cannot tell yet", "not on the front"]
    assert first == sorted(first, key=lambda entry: (order.index(entry[0]), entry[1]))


def test_further_examples_of_the_undecided(rng):
    losses, names = _world(rng, n_models=6, n=400)
    source = _Source(losses, names)
    costs = [[6.0], [5], [4], [3], [2], [1]]
    certificate = certify(source, costs=costs)
    plan = further_examples(source, certificate, simulate=2)
    undecided = [name for name, flag in zip(names, certificate.undecided, strict=True) if flag]
    assert set(plan["model"]) <= set(undecided)
    assert plan["bound"].is_monotonic_increasing
    assert (plan["bound_low"] <= plan["bound"]).all()
    assert (plan["bound"] <= plan["bound_high"]).all()
    assert (plan["hardest"] != plan["model"]).all()
    assert not plan["more"].isna().any()
    # maximising 1 - loss is minimising the loss
    flipped = _Source(1 - losses, names)
    other = certify(flipped, costs=costs, maximise=[True, False])
    np.testing.assert_array_equal(other.undecided, certificate.undecided)
    assert further_examples(flipped, other, simulate=2).equals(plan)


def test_slack_is_told(rng):
    losses, names = _world(rng, n_models=5, n=40)
    source = _Source(losses, names)
    certificate = certify(source, epsilon=0.1)
    assert certificate.undecided.any()
    page = certificate_page(certificate, further=further_examples(source, certificate, simulate=4))
    assert "tolerance 0.1 in error: on the front then means that no model is better by at least that much" in page
    assert (
        '<dt>on the front to within the tolerance</dt><dd dir="auto">No other model is better by the tolerance' in page
    )
    assert '<p class="verdict">on the front to within the tolerance</p>' in page
    assert f"Keep {plural(int(certificate.sure.sum()), 'model')}" in page
    assert "The tolerance is taken into account by the simulation, not by the last column." in page
    unsimulated = certificate_page(certificate, further=further_examples(source, certificate, simulate=0))
    assert "The tolerance is not taken into account." in unsimulated


def test_nothing_is_left_to_buy(rng):
    losses = np.zeros((500, 2, 1))
    losses[:100, 0] = losses[:300, 1] = 1
    source = _Source(losses, ("a", "b"))
    certificate = certify(source)
    assert not certificate.undecided.any()
    assert len(further_examples(source, certificate)) == 0
    assert "every model is decided" in certificate_page(certificate)


def test_further_examples_refuses_another_source(rng, refuses):
    losses, names = _world(rng, n_models=3, n=50)
    certificate = certify(_Source(losses, names))
    refuses("source", further_examples, _Source(losses, ("a", "b", "c")), certificate)


@pytest.mark.parametrize(
    ("delta", "text"), [(0.05, "95%"), (0.1, "90%"), (0.01, "99%"), (0.0174, "98%"), (0.0005, "99.95%"), (0.7, "30%")]
)
def test_confidence_is_rounded_down(delta, text):
    assert confidence_text(delta) == text


def test_numbers_are_rounded_outward(rng):
    for value in np.concatenate([rng.normal(0, 10.0 ** rng.integers(-6, 7, 300)), [0.5, 0.125, 1e4, 0.1, -3]]):
        down, near, up = (float(number_text(float(value), toward=t).replace(",", "")) for t in (-1, 0, 1))
        slack = 2e-12 * abs(value)
        assert down - slack <= value <= up + slack
        assert down <= near <= up
        assert up - down <= 2e-3 * abs(value) + 1e-12
    assert [number_text(v, toward=1) for v in (0.0, 0.5, 1.0, 12345.0)] == ["0", "0.5", "1", "12,345"]
    assert [count_text(v) for v in (7, 123, 98_765, np.inf, np.nan)] == ["7", "130", "99,000", "no end in sight", ""]


def test_a_cheaper_model_within_the_slack_is_named():
    losses = np.zeros((1000, 2))
    losses[:200, 0] = losses[:201, 1] = 1
    costs = {"size": [2, 1]}
    certificate = certify(losses, costs=costs, names=["big", "small"], epsilon=0.1)
    assert "on the front to within the tolerance (2): big, small" in repr(certificate)
    page = certificate_page(certificate)
    assert "2 are on the front to within the tolerance" in summary_sentence(certificate)
    assert '<th scope="col">replaceable by</th>' in page
    assert "One of all models can be replaced by a cheaper one within the tolerance" in page
    assert "<dt>replaceable by</dt>" in page
    assert "replaceable by" not in certificate_page(certify(losses, costs=costs, names=["big", "small"]))


def test_identical_models_have_no_range_of_sizes(rng):
    losses = np.repeat(rng.integers(0, 2, (200, 1)), 2, axis=1)
    certificate = certify(losses)
    page = certificate_page(certificate, further=further_examples(losses, certificate, simulate=2))
    assert "no end in sight" in page
    assert "no end in sight to no end in sight" not in page


def test_further_examples_reads_an_array_as_a_source(rng):
    losses, names = _world(rng, n_models=3, n=40)
    certificate = certify(losses, names=names)
    from_array = further_examples(losses, certificate, simulate=2)
    pd.testing.assert_frame_equal(from_array, further_examples(_Source(losses, names), certificate, simulate=2))


def test_further_examples_refuses_other_objectives(refuses):
    models = from_predictions([[0, 1], [1, 1], [1, 0]], [0, 1, 1], objectives=["error", "worst_class_error"])
    certificate = models.certify()
    assert "2 estimated objectives" in refuses("source", further_examples, models.losses, certificate)


@pytest.mark.parametrize(("delta", "text"), [(0.9999, "0.01%"), (0.5, "50%"), (0.95, "5%"), (0.001, "99.9%")])
def test_confidence_is_never_rounded_to_nothing(delta, text):
    assert confidence_text(delta) == text
