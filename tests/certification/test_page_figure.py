"""The figure inside the page: whole, small, without styles of its own, its details those of the certificate."""

import base64
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from moltheory.certification._page_figure import figure_alt, figure_caption, page_figure
from moltheory.certification._words import model_numbers
from tests.browser import headless_browser, open_page
from tests.certification._pictures import certificate_of_points, spread
from tests.names._hostile import MARKER, hostile_names

SVG = "{http://www.w3.org/2000/svg}"


def certificate_of(n_models, m, **fields):
    estimates, status = spread(n_models, m, seed=n_models)
    return certificate_of_points(estimates, status=status, **fields)


def parsed(markup):
    assert markup.startswith("<svg ")
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@pytest.fixture(scope="module", params=[1, 2, 3])
def case(request):
    certificate = certificate_of(30, request.param)
    return certificate, {narrow: page_figure(certificate, narrow=narrow) for narrow in (False, True)}


def test_no_style_no_script_and_no_reference_to_elsewhere(case):
    for markup in case[1].values():
        root = parsed(markup)
        for element in root.iter():
            assert element.tag.removeprefix(SVG) not in ("style", "script", "image", "metadata", "foreignObject")
            assert "style" not in element.attrib
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                assert "href" not in name or value.startswith("#")
        assert "://" not in markup
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == figure_alt(case[0])
        # Numbers of coordinates are short, and they are numbers.
        rest = re.sub(r"<title>.*?</title>|aria-label=\"[^\"]*\"", "", markup, flags=re.DOTALL)
        assert not re.search(r"\d\.\d{4}", rest)
        assert "nan" not in rest.lower()


def test_thirty_models_take_less_than_120_kilobytes(case):
    assert max(len(markup.encode()) for markup in case[1].values()) < 120_000


def test_ids_are_unique_on_a_page_with_both(case):
    found = [
        element.attrib["id"]
        for markup in case[1].values()
        for element in parsed(markup).iter()
        if "id" in element.attrib
    ]
    assert len(found) == len(set(found))
    used = {name for markup in case[1].values() for name in re.findall(r'(?:href="|url\()#([^")]*)', markup)}
    assert used <= set(found)


def test_every_model_has_details_on_hover(case):
    certificate, pictures = case
    numbers = model_numbers(certificate)
    for markup in pictures.values():
        groups = [group for group in parsed(markup).iter(f"{SVG}g") if "model" in group.attrib.get("class", "")]
        details = {}
        for group in groups:
            text = group.find(f"{SVG}title").text
            details.setdefault(int(text.split()[0]), []).append((text, group.attrib["class"].split()[1]))
        assert sorted(details) == list(range(1, 31))
        for h in range(30):
            mine = details[numbers[h]]
            assert {status for _, status in mine} == {certificate.status[h]}
            whole = "\n".join(text for text, _ in mine)
            for i in range(len(certificate.objectives)):
                assert f"loss {i}: {certificate.estimates[h, i]:.4g}" in whole
            assert f"{numbers[h]}  {certificate.names[h]}" in whole
            verdict = {"sure": "is on the front", "excluded": "is not on the front", "undecided": ""}[
                certificate.status[h]
            ]
            assert verdict in whole


def test_models_at_one_place_are_told_together():
    certificate = certificate_of_points([[0.2, 0.5], [0.2, 0.5], [0.5, 0.2]], names=["a", "b", "c"])
    titles = [title.text for title in parsed(page_figure(certificate)).iter(f"{SVG}title")]
    assert len(titles) == 2
    assert [text.count("loss 0") for text in sorted(titles)] == [2, 1]


def test_many_models_are_an_image():
    certificate = certificate_of(320, 2)
    markup = page_figure(certificate, narrow=True)
    found = re.fullmatch(
        r'<img class="narrow" src="data:image/webp;base64,([^"]*)" alt="[^"]*" width="\d+" height="\d+">', markup
    )
    data = base64.b64decode(found.group(1))
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WEBP"
    assert len(data) < 200_000


def test_words_for_readers_who_do_not_see_it():
    certificate = certificate_of_points(
        [[0.2, 0.5], [0.3, 0.6], [0.5, 0.2]], status=["sure", "excluded", "undecided"], names=["a", "b", "c"],
        maximise=(False, True), objectives=("error", "speed"),
    )  # fmt: skip
    assert figure_alt(certificate) == (
        "3 models by error, smaller is better and speed, larger is better. on the front: a (error 0.2, speed 0.5). "
        "cannot tell yet: c (error 0.5, speed 0.2). not on the front: b (error 0.3, speed 0.6)."
    )
    assert "With probability 95% or more, the true front runs inside the shaded band." in figure_caption(certificate)
    rough = certificate_of_points([[0.2, 0.5], [0.3, 0.2]], engine="asymptotic")
    assert "As the sample grows, with probability 95%" in figure_caption(rough)
    unspent = certificate_of_points([[0.2, 0.5], [0.3, 0.2]], delta_allocation=(("verdicts", 0.05),))
    assert "shaded" not in figure_caption(unspent)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_hostile_names_are_text(m):
    names = [name for name in hostile_names() if name][: 3 * 12][m - 1 :: 3]
    estimates, status = spread(12, m)
    objectives = tuple(hostile_names(seed=3)[:m])
    certificate = certificate_of_points(estimates, status=status, names=names, objectives=objectives)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for narrow in (False, True):
            root = parsed(page_figure(certificate, narrow=narrow))
            allowed = {"svg", "g", "path", "text", "tspan", "use", "defs", "clipPath", "rect", "title"}
            assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    assert f"<script>{MARKER}" not in page_figure(certificate)


def test_the_same_certificate_gives_the_same_bytes():
    certificate = certificate_of(6, 2)
    assert page_figure(certificate) == page_figure(certificate)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("m", [1, 2, 4])
def test_a_browser_shows_it_under_a_strict_policy(m, tmp_path):
    certificate = certificate_of(20, m)
    policy = "default-src 'none'"
    with headless_browser(tmp_path / "profile") as browser:
        for narrow, width in ((False, 1280), (True, 400)):
            page, figure = tmp_path / f"page-{narrow}.html", page_figure(certificate, narrow=narrow)
            page.write_text(
                f'<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
                f'<meta name="viewport" content="width=device-width"><title>x</title>{figure}',
                encoding="utf-8",
            )
            open_page(browser, page, width)
            assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
            shown = browser.execute_script(
                "const b = document.querySelector('svg').getBoundingClientRect(); return [b.width, b.height]"
            )
            assert shown[0] >= 0.9 * width
            boxes = browser.execute_script(
                "return [...document.querySelectorAll('svg text')].map(t => { const b = t.getBoundingClientRect();"
                "return [b.left, b.top, b.right, b.bottom] })"
            )
            left, top, right, bottom = np.array(boxes).T
            assert (left >= 0).all()
            assert (right <= width).all()
            # Texts keep apart; those turned on their side are measured too.
            shrunk = np.stack([left + 1, top + 2, right - 1, bottom - 2], axis=1)
            over = [
                (a, b)
                for k, a in enumerate(shrunk)
                for b in shrunk[k + 1 :]
                if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
            ]
            assert not over
            marks = browser.execute_script("return document.querySelectorAll('svg g.model > title').length")
            assert marks == 20 * (m if m > 2 else 1)
