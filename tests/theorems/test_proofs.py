"""Every claim that is this project's own has a proof, named where the claim stands, and every proof is one document."""

import ast
import re
import string
from pathlib import Path
from pkgutil import resolve_name

import pytest

import moltheory as mt
from moltheory.theorems import Proofs, ledger, proof_setting, proofs
from moltheory.theorems._proof_book import LEDGER

SOURCE = Path(mt.__file__).parent
FOLDER = SOURCE / "theorems" / "proofs"
NAMED = re.compile(r"[(;]\s*proof:\s+((?:[a-z0-9]+-)*[a-z0-9]+(?:,\s+(?:[a-z0-9]+-)*[a-z0-9]+)*)")
# Statements of the ledger have proofs by their id.
NOT_SCANNED = ("theorems",)


def claims():
    """Yield (file, paragraph) for every paragraph of a string in the source that speaks of something derived."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in NOT_SCANNED:
            text = path.read_text(encoding="utf-8")
            if "erived" in text:
                yield from ((path.name, part) for part in paragraphs(ast.parse(text)))


def paragraphs(tree):
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    parts = (part for text in texts for part in re.split(r"\n\s*\n", text))
    return [part for part in parts if re.search(r"\bderived\b", part, re.IGNORECASE)]


def names_in(paragraph):
    return [name for found in NAMED.findall(paragraph) for name in re.split(r",\s+", found)]


def test_whatever_is_derived_names_its_proof():
    silent = [f"{file}: {part.strip()[-120:]}" for file, part in claims() if not names_in(part)]
    assert not silent, "\n".join(silent) + "\nwrite (proof: NAME) there, and the proof: see CONTRIBUTING.md"


def test_the_scan_finds_what_it_should():
    tree = ast.parse(
        '"""One.\n\nDerived, from X.\n"""\nf(source="derived, after Y (proof: one-two)")\ng("is derivedly")'
    )
    assert [names_in(part) for part in paragraphs(tree)] == [[], ["one-two"]]
    assert names_in("Derived (proof: a,\n    b-2), after") == ["a", "b-2"]
    assert len(list(claims())) > 140
    assert {"_closed_forms.py", "_findings.py", "_claims.py"} <= {file for file, _ in claims()}  # studies too


def test_every_proof_that_is_named_exists_and_every_proof_is_named():
    named = {name for path in SOURCE.rglob("*.py") for name in names_in(path.read_text(encoding="utf-8"))}
    assert named <= set(proofs())
    outside = {path.stem for path in FOLDER.glob("*.md")} - set(ledger()) - {"setting"}
    # Some serve other proofs, or are cited by what the package prints.
    cited = {name for proof in proofs().values() for name in re.findall(r"\*([a-z0-9-]+)\*", proof.text)}
    assert outside <= named | cited
    assert outside == {proof.id for proof in proofs().values() if proof.part != LEDGER}


def test_a_statement_that_is_not_a_papers_has_a_proof():
    for theorem in ledger().values():
        assert theorem.provenance in ("paper", "conjecture") or "\\square" in theorem.proof, theorem.id


def test_proofs_are_numbered_in_the_order_of_the_contents():
    parts, place = [], 0
    for proof in proofs().values():
        part, number = map(int, proof.number.split("."))
        place = place + 1 if parts and proof.part == parts[-1] else 1
        parts += [] if parts and proof.part == parts[-1] else [proof.part]
        assert (part, number) == (len(parts), place)
    assert parts[0] == LEDGER
    assert "Further claims" not in parts, "add the name to contents.txt"
    assert list(proofs())[: len(ledger())] == list(ledger())


@pytest.mark.parametrize("name", list(proofs()))
def test_a_proof_is_whole(name):
    proof = proofs()[name]
    assert "\\square" in proof.text
    assert "**Proof.**" in proof.text
    assert proof.claim
    assert len(proof.version) == 8
    for used in proof.used_by:
        assert resolve_name(f"moltheory.{used}") is not None
    assert proof.used_by or proof.part == LEDGER
    # What it leans on is there: other claims in italics, and the lemmas of the setting.
    for number in re.findall(r"Lemma (\d)", proof.text):
        assert f"**Lemma {number}.**" in proof_setting()
    for other in re.findall(r"\*([a-z]+(?:-[a-z]+)+)\*", proof.text):
        assert other in proofs(), other


@pytest.mark.parametrize("name", [*proofs(), "setting"])
def test_proofs_are_markdown_of_the_known_kind(name):
    text = proof_setting() if name == "setting" else proofs()[name].text
    # Mathematics between pairs of dollars; braces that match; nothing that a page would read as HTML or as a table.
    displays = text.split("$$")
    assert len(displays) % 2 == 1
    for number, part in enumerate(displays):
        assert part.count("$") % 2 == 0
        formulas = [part] if number % 2 else part.split("$")[1::2]
        for formula in formulas:
            plain = formula.replace("\\{", "").replace("\\}", "")
            assert plain.count("{") == plain.count("}"), formula
            assert formula.count("\\left") == formula.count("\\right")
    outside = " ".join(re.sub(r"\$[^$]*\$", "", part) for part in displays[::2])
    assert not re.search(r"^\s*(\||#)|</?[a-z]|\]\(", outside, re.MULTILINE)


def test_versions_change_with_the_text():
    assert len({proof.version for proof in proofs().values()}) == len(proofs())


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="did you mean forward"):
        proofs()["forwards"]
    assert isinstance(proofs(), Proofs)
    assert "Proofs" in repr(proofs())
    assert "joint" in repr(proofs())


def test_the_document_of_all_proofs_is_balanced():
    text = proofs().to_latex()
    assert text.count("\\begin{document}") == text.count("\\end{document}") == 1
    for kind in ("itemize", "enumerate", "pmatrix"):
        assert text.count(f"\\begin{{{kind}}}") == text.count(f"\\end{{{kind}}}")
    assert text.count("\\[\n") == text.count("\n\\]")
    assert set(text) <= set(string.printable), "names are written in LaTeX's own way"
    for proof in proofs().values():
        assert proof.to_latex() in text
    single = proofs()["forward"].to_latex(standalone=True)
    assert single.startswith("\\documentclass")
    assert "\\textbf{Setting.}" in single
