"""Enumerations, ranges and counts: nothing is lost, and nothing is said twice."""

import pytest

from moltheory._core._text import few, joined, plural, shortened, span


@pytest.mark.parametrize("count", range(5))
def test_an_enumeration_names_everything_once(count):
    items = [f"item{k}" for k in range(count)]
    text = joined(items)
    assert text.replace(" and ", ", ").split(", ") == (items or [""])
    assert text.count(" and ") == (count > 1)
    assert joined(iter(items)) == text
    assert joined(items, last=", ") == ", ".join(items)


def test_items_of_an_enumeration_may_be_numbers():
    assert joined([0.1, 0.25, 1.0], ".2f") == "0.10, 0.25 and 1.00"
    assert joined([0]) == "0"


@pytest.mark.parametrize("count", range(8))
@pytest.mark.parametrize("most", [1, 3])
def test_few_account_for_all(count, most):
    text = few(range(count), most)
    named = min(count, most)
    assert text.startswith(", ".join(map(str, range(named))))
    assert text.endswith(f" and {count - most} more") == (count > most)


def test_what_is_named_can_be_described():
    assert few(["b", "a"], 1, describe=str.upper) == "B and 1 more"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.1, 0.1, "0.1"), (0.1, 0.14, "0.1"), (0.1, 0.16, "0.1 to 0.2"), (-1.0, 2.0, "-1.0 to 2.0")],
)
def test_a_range_whose_ends_look_alike_is_one_number(low, high, text):
    assert span(low, high, ".1f") == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_counts_agree_with_their_nouns(count, text):
    assert plural(count, "row") == text


def test_a_shortened_text_is_never_longer():
    for length in range(3, 12):
        found = shortened("abcdefghij", length)
        assert len(found) <= max(length, 3)
        assert found == "abcdefghij" if length >= 10 else found == "abcdefghij"[: length - 3] + "..."
