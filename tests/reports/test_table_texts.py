"""Numbers on pages: one form, and never one that misleads."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltheory._core._numbers import bound_text, interval_text, number_text, percent_text
from moltheory.reports._report_page import _overview
from moltheory.reports._table_texts import cell_text, head_texts, row_texts, text_columns

_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _value(text):
    """Read a number back as a person does."""
    plain = text.replace("−", "-").replace(",", "")
    found = re.fullmatch(r"(-?[\d.]*?)×?(10)([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", plain)
    if not found:
        return float(plain)
    return (float(found[1] + "1") if found[1] in ("", "-") else float(found[1])) * 10.0 ** int(
        found[3].translate(_POWERS)
    )


@given(st.floats(-1e300, 1e300).filter(lambda x: abs(x) > 1e-300), st.integers(1, 6))
def test_numbers_are_right_to_their_digits(value, digits):
    text = number_text(value, digits)
    assert "e" not in text
    assert _value(text) == pytest.approx(value, rel=0.5000001 * 10 ** (1 - digits))


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.0, "0"), (0.99999, "1"), (1e-4, "10⁻⁴"), (0.001, "0.001")])
def test_numbers_at_the_edges(value, text):
    assert number_text(value) == text


@given(st.floats(0, 1))
def test_shares_never_look_like_none_or_all_unless_they_are(share):
    text = percent_text(share)
    assert (text == "0%") == (share == 0.0)
    assert (text == "100%") == (share == 1.0)
    assert " " not in text.removeprefix("under ").removeprefix("over ")


def test_a_bound_that_says_nothing_says_so():
    assert bound_text(1.2) == "above 1: says nothing"
    assert bound_text(0.999) == "0.999"
    assert bound_text(3.0, largest=4.0) == "3"
    assert interval_text(-1e-7, math.inf) == "[−10⁻⁷, ∞]"


def test_columns_of_every_kind():
    table = pd.DataFrame(
        {
            "size": [30_000, 3],
            "name_of": ["a_b", None],
            "bound": [2.5, 0.25],
            "vacuous": [True, False],
            "share": [1e-5, np.nan],
            "is_exact": [True, False],
        }
    )
    assert head_texts(table) == ["size", "name of", "bound", "share", "is exact"]
    assert row_texts(table) == [
        ["30,000", "a_b", "above 1: says nothing", "10⁻⁵", "yes"],
        ["3", "–", "0.25", "–", "no"],
    ]
    assert text_columns(table) == [False, True, False, False, False]
    assert cell_text(np.int64(1_000_000)) == "1,000,000"
    # The files keep what the page leaves out.
    assert list(table.columns) == ["size", "name_of", "bound", "vacuous", "share", "is_exact"]


def test_the_overview_has_words_for_what_is_not_there():
    table = pd.DataFrame(
        {
            "problem": ["a", "b", "c"],
            "n": [30_000.0, math.nan, 100.0],
            "purity_error": [0.123456, math.nan, 0.5],
            "bound": [1.5, math.nan, math.inf],
            "vacuous": [True, False, True],
            "samples": [12_000, 5, 7],
            "violations": [0, 0, 0],
        }
    )
    assert _overview(table)["rows"] == [
        ("a", "30,000", "0.123", "above 1: says nothing", "12,000", "0"),
        ("b", "not reached", "", "", "5", "0"),
        ("c", "100", "0.5", "no bound", "7", "0"),
    ]
