"""Every number in a caption is one of the result, and every caption is a paragraph of whole sentences."""

import re

import pytest

from moltheory.figures import figure_names, get_figure
from tests.figures import _quoted


@pytest.fixture(scope="module", params=figure_names())
def shown(request, results):
    figure = get_figure(request.param)
    result = results[request.param]
    return figure, result, figure.caption(result)


@pytest.mark.slow
def test_captions_quote_the_numbers_of_the_result_and_no_others(shown):
    figure, result, caption = shown
    phrases = getattr(_quoted, figure.name)(figure.tables(result), result)
    text = f"{caption}\n{figure.details(result)}"
    missing = [phrase for phrase in phrases if phrase not in text]
    assert not missing, text
    rest = text
    for phrase in sorted(phrases, key=len, reverse=True):
        rest = rest.replace(phrase, " … ")
    assert re.findall(r"[^ ]* ?[^ ]*\d[^ ]*", rest) == []


def test_captions_are_whole_sentences(shown):
    figure, _, caption = shown
    assert caption.endswith(".")
    assert "  " not in caption
    assert len(caption.split()) <= 60
    assert not re.search(r"\bnan\b|\binf\b|[{}\n]", caption)
    for sentence in re.split(r"(?<=[a-z)%\d])\. ", caption):
        first = sentence.lstrip("(")[0]
        assert first.isupper() or first.isdigit(), sentence
    assert caption.count("(") == caption.count(")")
    assert not figure.title.endswith(".")
    # Words of the field: models are things, and no interval has opinions.
    assert not re.search(r"\b(told|beats?|beaten|nobody|whoever|wins)\b", f"{caption} {figure.title}")


def test_tables_hold_the_numbers_behind_a_figure(shown):
    figure, result, _ = shown
    tables = figure.tables(result)
    assert tables
    for table in tables.values():
        assert len(table)
        assert table.select_dtypes("number").notna().all().all()
