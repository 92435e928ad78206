"""The ledger: searched, tabulated and filtered."""

import re

import pytest

import moltheory as mt
from moltheory.theorems import ledger
from tests.reprs.test_every_class import checked


def test_search_finds_all_words_in_any_part():
    every = ledger()
    assert list(every.search("FORWARD")) == ["forward", "nonuniform-forward"]
    assert list(every.search("")) == list(every)
    for text in ("front monotone", "reproduction hat", "Súkeník", "weights are"):
        words = text.casefold().split()
        expected = [
            key
            for key, one in every.items()
            if all(
                any(
                    word in part.casefold()
                    for part in (one.id, one.statement, one.source, *(a.text for a in one.assumptions))
                )
                for word in words
            )
        ]
        assert list(every.search(text)) == expected
    assert len(every.search("no such words")) == 0
    assert isinstance(every.search("hypervolume").search("front"), mt.theorems.Ledger)
    with pytest.raises(mt.InvalidInputError, match="`text` must be a string"):
        every.search(1)


def test_the_frame_holds_all():
    frame = ledger().to_frame()
    assert frame["id"].tolist() == list(ledger())
    assert frame["statement"].tolist() == [one.statement for one in ledger().values()]
    assert frame.loc[frame["id"] == "forward", "inputs"].item() == "widths"
    assert ledger().search("no such words").to_frame().shape[0] == 0


def test_the_table_has_all_statements_and_a_button_for_each_provenance():
    text = ledger()._repr_html_()
    shown = "".join(checked(text).text)
    for one in ledger().values():
        assert one.id in shown
        assert one.statement in shown
    counts = {}
    for one in ledger().values():
        counts[one.provenance] = counts.get(one.provenance, 0) + 1
    for provenance, count in counts.items():
        assert f"{provenance} ({count})" in shown
    # Every rule that hides rows belongs to a button, and every row to a class that is named in a rule.
    buttons = set(re.findall(r'class="(b\d-\d)"', text))
    assert buttons == {f"b{k}" for k in re.findall(r":has\(\.b(\d-\d):checked\)", text)} | {"b0-0", "b1-0"}
    assert text.count("<details>") == len(ledger())
    assert '<form method="dialog">' in text


def test_a_ledger_of_many_is_cut():
    one = ledger()["forward"]
    from dataclasses import replace

    many = mt.theorems.Ledger(replace(one, id=f"t{k}") for k in range(300))
    text = many._repr_html_()
    assert len(text) <= 40_000
    assert "... and 260 more" in text
    assert len(many) == 300
