"""One word per verdict, the same in the table of a page, in figures, frames, JSON, sentences and on the command line."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import moltheory as mt
from moltheory._cli._texts import as_json, opening_lines, undecided_lines, verdict_lines
from moltheory.certification._explain import described
from moltheory.certification._format import examples_text, summary_sentence
from moltheory.certification._words import STATUSES, VERDICTS, model_numbers, verdict_words, verdicts_of
from tests.certification._page_worlds import KINDS, certificate_of_kind, page_of_kind

# Words of other times, and of the fields, that readers of texts never meet.
_OLD = re.compile(r"\b(undecided|not on it|excluded|for sure)\b")


class Page(HTMLParser):
    """Rows of tables by the id of their section, and all text that is shown."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.section, self.rows, self.text, self.cards = "", {}, "", {}
        self._cell = self._card = self._hidden = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "section":
            self.section = values["id"]
        elif tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        elif tag in ("td", "th"):
            self.rows[self.section][-1].append("")
            self._cell = True
        elif tag == "li" and values.get("class", "").startswith("card"):
            self._card = values["class"].split()[1]
            self.cards[self._card] = ""
        elif tag in ("script", "style"):
            self._hidden = True
        elif tag in ("p", "div", "details", "summary") and self._card:
            self.cards[self._card] += " "

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "ul":
            self._card = None
        elif tag == "summary" and self._card:
            self.cards[self._card] += " "
        elif tag in ("script", "style"):
            self._hidden = None

    def handle_data(self, data):
        if self._hidden:
            return
        self.text += data
        if self._cell:
            self.rows[self.section][-1][-1] += data
        if self._card:
            self.cards[self._card] += data


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def certificate(kind):
    return certificate_of_kind(kind)


@pytest.fixture(scope="module")
def page(kind):
    return Page(page_of_kind(kind))


def _expected(certificate):
    """The words, from the fields alone."""
    within = " to within the tolerance" if certificate.epsilon.any() else ""
    return [
        f"on the front{within}" if sure else "not on the front" if out else "cannot tell yet"
        for sure, out in zip(certificate.sure, certificate.excluded, strict=True)
    ]


def test_words_are_those_of_the_fields(certificate):
    assert list(verdicts_of(certificate)) == _expected(certificate)
    assert tuple(verdict_words(certificate)) == STATUSES == tuple(VERDICTS)


def test_the_page_and_its_figure_use_them(certificate, page):
    head, *rows = page.rows["models"]
    found = {row[head.index("model")]: row[head.index("verdict")] for row in rows}
    assert found == dict(zip(certificate.names, _expected(certificate), strict=True))
    numbers = {row[head.index("model")]: row[0] for row in rows}
    assert numbers == {name: str(k) for name, k in zip(certificate.names, model_numbers(certificate), strict=True)}
    assert not _OLD.search(page.text)
    drawn = page.text.partition("The front")[2].partition("All models")[0]
    for word in set(_expected(certificate)):
        assert word in drawn


def test_frames_and_json_use_them(certificate):
    assert certificate.to_frame()["verdict"].tolist() == _expected(certificate)
    text = certificate.to_json()
    content = json.loads(text)
    assert content["verdict"] == _expected(certificate)
    assert mt.Certificate.from_json(text) == certificate
    printed = json.loads(as_json(certificate, None, notes=[], warnings=[], files={}))
    assert printed["verdict"] == _expected(certificate)
    assert printed["status"] == list(certificate.status)
    assert mt.Certificate.from_json(json.dumps(printed)) == certificate
    for entry in printed["undecided_models"]:
        assert "cannot tell yet" in entry["text"]
        assert entry["leans_to"] in ("on the front", "not on the front", None)


def test_the_command_line_uses_them(certificate):
    lines = verdict_lines(certificate, draw=True)
    for name, word in zip(certificate.names, _expected(certificate), strict=True):
        (row,) = [line for line in lines if re.match(rf"\d+ +{re.escape(name)} ", line)]
        assert re.match(rf"\d+ +{re.escape(name)} +{word}( |$)", row)
    text = "\n".join([*opening_lines(certificate, None), *lines, *undecided_lines(certificate)])
    assert not _OLD.search(text)
    legend = next(line for line in lines if re.match(r"  [●○×O?x] [a-z]", line))
    others = legend.replace(VERDICTS["excluded"], "")
    assert (VERDICTS["sure"] in others) == certificate.sure.any()
    assert (VERDICTS["undecided"] in others) == certificate.undecided.any()
    assert ("not on the front" in legend) == certificate.excluded.any()


def test_sentences_use_them(certificate):
    words = verdict_words(certificate)
    for h, word in enumerate(_expected(certificate)):
        assert word in certificate.explain(h)
    for text in (summary_sentence(certificate), described(certificate)):
        assert not _OLD.search(text)
        assert examples_text(certificate) in text
    for status, mask in zip(STATUSES, (certificate.sure, certificate.undecided, certificate.excluded), strict=True):
        assert f"{words[status]} ({mask.sum()})" in described(certificate)


def test_no_status_without_models_is_counted_as_none_of_them(certificate):
    text = summary_sentence(certificate)
    assert not re.search(r"\b0 (are|is)\b", text)
    if not certificate.sure.any():
        assert "none is certain to be on the front" in text
    if not certificate.excluded.any():
        assert "none is ruled out" in text


def test_examples_and_clusters_are_counted():
    found = certificate_of_kind("clusters")
    assert (found.n_examples, found.n_clusters) == (1200, 80)
    assert examples_text(found) == "1,200 examples in 80 clusters"
    assert "6 models, 1,200 examples in 80 clusters, compared in" in Page(page_of_kind("clusters")).text
    assert certificate_of_kind("ties").n_clusters == 0
    assert "n_clusters" not in json.loads(certificate_of_kind("ties").to_json())
    assert mt.Certificate.from_json(found.to_json()).n_clusters == 80
    # Clusters of one example each are examples.
    losses = np.random.default_rng(0).random((50, 2)) < 0.3
    assert mt.certify(losses, clusters=np.arange(50)).n_clusters == 0
