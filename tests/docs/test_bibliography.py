"""The bibliography: every entry can be found, every citation has an entry, every source in the code too."""

import re
from collections import Counter
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_BIB = (_ROOT / "docs" / "references.bib").read_text(encoding="utf-8")
_ENTRIES = {
    key: dict(re.findall(r"^  (\w+) = \{(.*)\},$", fields, re.MULTILINE))
    for key, fields in re.findall(r"^@\w+\{(\S+),\n(.*?)^\}$", _BIB, re.MULTILINE | re.DOTALL)
}
_DOI = re.compile(r"(?<![\w/.])10\.\d{4,9}/[^\s;,`\"'\\]*\w(?:\(\d+\)[^\s;,`\"']*\w)?")
_ARXIV = re.compile(r"\barXiv[ :](\d{4}\.\d{4,5}|[a-z]+/\d{7})\b")


def _sources(text):
    """Return the DOIs and arXiv numbers of a text."""
    return {one.rstrip(")") if "(" not in one else one for one in _DOI.findall(text)} | set(_ARXIV.findall(text))


def test_every_entry_has_an_address_and_a_key_of_its_own():
    assert len(_ENTRIES) == _BIB.count("\n@") + _BIB.startswith("@")
    assert [
        key
        for key, entry in _ENTRIES.items()
        if not ({"doi", "eprint"} & entry.keys() or {"journal", "volume", "pages"} <= entry.keys())
    ] == []
    assert [key for key, entry in _ENTRIES.items() if not {"author", "title", "year"} <= entry.keys()] == []
    addresses = Counter(entry[field] for entry in _ENTRIES.values() for field in ("doi", "eprint") if field in entry)
    assert [address for address, count in addresses.items() if count > 1] == []
    assert [key for key, entry in _ENTRIES.items() if not re.match(rf"[a-z]+{entry['year']}[a-z]*$", key)] == []


def test_every_source_in_the_code_is_in_the_bibliography():
    known = {entry[field] for entry in _ENTRIES.values() for field in ("doi", "eprint") if field in entry}
    missing = {}
    for file in sorted((_ROOT / "src" / "moltheory").rglob("*.py")):
        unknown = _sources(file.read_text(encoding="utf-8")) - known
        if unknown:
            missing[file.name] = unknown
    assert missing == {}


@pytest.mark.parametrize("text", ["doi 10.1016/0020-0190(87)90114-1, with", "(see doi 10.1016/0020-0190(87)90114-1)."])
def test_dois_are_read_with_their_parentheses(text):
    assert _sources(text) == {"10.1016/0020-0190(87)90114-1"}


def test_every_citation_has_an_entry():
    pages = [file for file in (_ROOT / "docs").rglob("*.md") if "_build" not in file.parts]
    text = "\n".join(file.read_text(encoding="utf-8") for file in [*pages, *(_ROOT / "examples").rglob("*.py")])
    cited = {
        key.strip()
        for keys in re.findall(r"(?:\{cite(?::\w+)?\}|:cite(?::\w+)?:)`([^`]+)`", text)
        for key in keys.split(",")
    }
    assert cited - _ENTRIES.keys() == set()
    assert "sukenik2025" in cited
