"""Names as cells of CSV and as names of files: a spreadsheet sees texts, and no file leaves its folder."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from moltheory._core._file_names import file_stem
from moltheory.reports import Figure, Opening, Settings, write_report
from moltheory.reports._csv import csv_text, read_csv
from moltheory.reports._html import anchors
from tests.names._hostile import FORMULAS, hostile_names

NAMES = hostile_names()
# What is left of lone surrogates in UTF-8.
WRITTEN = [name.encode("utf-8", "backslashreplace").decode("utf-8") for name in NAMES]


def test_a_spreadsheet_takes_every_name_for_text(rng):
    table = pd.DataFrame({"model": pd.Series(NAMES, dtype=object), "value": rng.normal(size=len(NAMES))})
    text = csv_text(table)
    text.encode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {2}
    assert len(rows) == 501
    for row in rows[1:]:
        assert not row[0].startswith((*FORMULAS, "\n", "＝", "＋", "－", "＠")), ascii(row[0])
    # Numbers stay numbers, also negative ones.
    assert [float(row[1]) for row in rows[1:]] == table["value"].tolist()
    again = read_csv(text)
    assert again["model"].tolist() == WRITTEN
    assert again["value"].tolist() == table["value"].tolist()


def test_titles_of_columns_are_texts_too():
    table = pd.DataFrame(np.ones((1, len(NAMES))), columns=pd.Index(NAMES, dtype=object))
    head = next(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert not [title for title in head if title.startswith(tuple(FORMULAS))]
    assert list(read_csv(csv_text(table)).columns) == WRITTEN


def test_tables_without_such_names_are_what_pandas_writes(rng):
    table = pd.DataFrame(
        {
            "n": [1, 2],
            "x": rng.normal(size=2),
            "gone": [np.nan, -np.inf],
            "yes": [True, False],
            "text": ["a, b", 'say "x"'],
            "mixed": ["a", None],
            "kind": pd.Categorical(["u", "v"]),
        }
    )
    assert csv_text(table) == table.to_csv(index=False, float_format="%.17g")
    assert csv_text(table.head(0)) == table.head(0).to_csv(index=False)


@pytest.mark.parametrize("text", ["'", "''a", "a=1", " =1", "'=1", "''''-1", "-", "\t", "\r\n=1", "＝1", "-1.5"])
def test_texts_are_read_back_exactly(text):
    assert read_csv(csv_text(pd.DataFrame({"a": [text, "x"]})))["a"].tolist() == [text, "x"]


def test_names_of_files_are_safe_and_different():
    stems = [file_stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    for stem in stems:
        assert not set("/\\:\0\n\r\x1b") & set(stem)
        assert not stem.startswith((".", "-", "~", " "))
        assert not stem.endswith((".", " "))
        assert 0 < len(stem.encode("utf-8")) <= 112
        assert stem.upper().split(".")[0] not in ("CON", "NUL", "AUX")
    for name in ("near_tie", "weight-decay", "A1", "three objectives", "café"):
        assert file_stem(name) == name


def test_anchors_are_unique_and_need_no_escape():
    found = anchors([*NAMES, *NAMES], taken=["record"])
    assert len(set(found)) == 1000
    assert all(anchor and anchor.isascii() and not set(anchor) & set(" \t\n\"'<>&%#") for anchor in found)


class _Hostile(Figure):
    """A figure of a user with names of every kind."""

    title = "<script>alert(1)</script> \ud800"
    n_panels = 1

    def __init__(self, name):
        self.name = name

    def compute(self, settings):
        assert settings.store_for(self.name, "../../x").parent == settings.store
        return pd.DataFrame({"model": pd.Series(NAMES[:50], dtype=object), "-1": np.arange(50.0)})

    def draw(self, result, axes):
        axes[0].plot(result["-1"])
        return axes

    def caption(self, result):
        return "\ud800 </p><script>alert(1)</script>"

    def tables(self, result):
        return {"=1/../..": result}


def test_figures_of_users_stay_in_their_folder(tmp_path):
    out = tmp_path / "inside" / "out"
    figures = [_Hostile("../../../escaped"), _Hostile("/tmp/\ud800\n")]
    done = write_report(out, {"<b>": figures}, Opening("a", "b"), settings=Settings(quick=True))
    assert {path.parent for path in done.files} == {out}
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert [path.name for path in (tmp_path / "inside").iterdir()] == ["out"]
    tables = [path for path in done.files if path.suffix == ".csv"]
    assert len(tables) == 2
    page = done.page.read_text(encoding="utf-8")
    for path in tables:
        assert read_csv(path.read_bytes().decode("utf-8"))["model"].tolist() == WRITTEN[:50]
        with path.open(encoding="utf-8", newline="") as file:
            assert not [row for row in csv.reader(file) if row[0].startswith(tuple(FORMULAS))]
    assert "<script" not in page
    assert "\\ud800" in page
