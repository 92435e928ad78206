"""The site's own extensions: names, links, formulas and statements, on small inputs."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest

import moltheory

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def extension(monkeypatch):
    """Return a function that imports an extension by name."""
    pytest.importorskip("sphinx", reason="the site needs the extra [docs]")
    monkeypatch.syspath_prepend(str(_ROOT / "docs" / "_ext"))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(_ROOT / "docs" / "_ext") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_every_public_name_has_one_shortest_path(extension):
    names = extension("public_names")
    for module in [moltheory, *(getattr(moltheory, name) for name in moltheory.__all__)]:
        if inspect.ismodule(module):
            for name in module.__all__:
                value = getattr(module, name)
                if not inspect.ismodule(value) and not name.startswith("__"):
                    assert names.found(names.aliases()[f"{module.__name__}.{name}"]) is value


def test_texts_find_what_they_mean(extension):
    shortest = extension("public_names").shortest
    near = ("moltheory.certification",)
    assert shortest("moltheory.certification.certify") == "moltheory.certify"
    assert shortest("certify") == "moltheory.certify"
    assert shortest("planned_sizes", near) == "moltheory.certification.planned_sizes"
    assert shortest("Certificate.plan", near) == "moltheory.Certificate.plan"
    assert shortest("Measure.is_increasing", near) == "moltheory.objectives.Measure.is_increasing"
    assert shortest("moltheory.bounds") == "moltheory.bounds"
    # A parameter, a value, a private name and what does not exist are code.
    assert shortest("certify", near, frozenset({"certify"})) is None
    for text in ("delta", "n, m", "Certificate._plan", "moltheory.nothing", "Certificate.nothing"):
        assert shortest(text, near) is None


def test_docstrings_are_read_as_they_are_meant(extension):
    names = extension("public_names")
    assert names.escaped("(*batch, K) and |a - b|") == r"(\*batch, K) and \|a - b\|"
    assert names.escaped(":math:`|a|` and ``(x) |y|``") == ":math:`|a|` and ``(x) |y|``"
    lines = ["|a - b|", "", ".. math:: |a|", "", "    (*b) + |c|", "", "(*d,)", ">>> f(*e)"]
    names.escape_docstring(None, "function", "f", None, None, lines)
    assert lines == [r"\|a - b\|", "", ".. math:: |a|", "", "    (*b) + |c|", "", r"(\*d,)", ">>> f(*e)"]
    doi = "10.1016/0020-0190(87)90114-1"
    assert names.with_links(f"doi {doi}, with") == f"doi `{doi} <https://doi.org/{doi}>`__, with"
    assert names.with_links("arXiv cs/0411099.") == "`arXiv cs/0411099 <https://arxiv.org/abs/cs/0411099>`__."


def test_links_lead_to_pages_or_to_the_repository(extension):
    rewritten = extension("repository_links").rewritten
    source = "https://github.com/moltheory/moltheory"
    page = _ROOT / "docs" / "howto" / "page.md"
    for text, expected in {
        "[a](../../CONTRIBUTING.md#x)": "[a](../development/contributing.md#x)",
        "[a](../../notebooks/01_asymmetry.ipynb)": "[a](../notebooks/01_asymmetry.ipynb)",
        "[a](../../data/examples/make.py)": f"[a]({source}/blob/main/data/examples/make.py)",
        "[a](../../data/examples)": f"[a]({source}/tree/main/data/examples)",
        "![a](../../data/asymmetry.png)": "![a](../../data/asymmetry.png)",
        "[a](https://x.org/a) [b](#b)": "[a](https://x.org/a) [b](#b)",
        "[a](../index.md)": "[a](../index.md)",
        "```text\n[a](../../README.md)\n```": "```text\n[a](../../README.md)\n```",
    }.items():
        assert rewritten(text, page, page) == expected
    # The same text on another page.
    file = _ROOT / "CONTRIBUTING.md"
    where = _ROOT / "docs" / "development" / "contributing.md"
    assert (
        rewritten("[a](docs/glossary.md) [b](docs/decisions)", file, where) == "[a](../glossary.md) [b](decisions.md)"
    )


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        (r"\hat L_i \le \tfrac12", ("<msub>", "mfrac")),
        (r"\log(N'/\delta)", ("log", "δ")),
        (r"(L_1, \dots, L_N)", ("…",)),
        (r"\sqrt{8 (d \log(2 e n_i/d)) / n_i}", ("msqrt",)),
    ],
)
def test_formulas_become_mathml(extension, formula, parts):
    nodes = importlib.import_module("docutils.nodes") if extension("mathml") else None
    written = extension("mathml").to_mathml(nodes.math("", formula), as_block=False)
    assert written.startswith("<math")
    assert all(part in written for part in parts), written


def test_every_statement_is_written_with_its_assumptions_and_proof(extension):
    page = extension("ledger_page").statements()
    for theorem in moltheory.theorems.ledger().values():
        assert f"(statement-{theorem.id})=" in page
    known = moltheory.theorems.ledger()["forward"]
    entry = extension("ledger_page").entry(known)
    assert "moltheory.bounds.forward" in entry
    assert "https://arxiv.org/abs/2208.13499" in entry
    if getattr(known, "proof", None):
        assert str(known.proof) in entry


def test_every_proof_is_written_with_its_number(extension):
    page = extension("ledger_page").all_proofs()
    for proof in moltheory.theorems.proofs().values():
        assert f"#statement-{proof.id})" in page or f"(proof-{proof.id})=\n### {proof.number}." in page
        assert proof.version in page
    assert "{obj}`moltheory.bounds.shell_class`" in page
    to_mathml, nodes = extension("mathml").to_mathml, importlib.import_module("docutils.nodes")
    # A formula that the converter does not know would be written as code.
    for proof in moltheory.theorems.proofs().values():
        for number, part in enumerate(proof.text.split("$$")):
            for formula in [part] if number % 2 else part.split("$")[1::2]:
                assert "<math" in to_mathml(nodes.math("", formula), as_block=bool(number % 2)), formula


def test_layers_are_drawn_from_their_table(extension):
    drawn = extension("layer_stack").drawn
    table = "| layer | what |\n| --- | --- |\n| 1 | `a`, `b` | x |\n| 0 | `c` | `y` |\n"
    page = drawn(table, "Down & down.")
    assert page.count("<li>") == 2
    assert page.index("a</code>") < page.index("b</code>") < page.index("c</code>")
    assert "<code>y" not in page
    assert "Down &amp; down." in page


def test_pages_are_mended_once(extension):
    module = extension("accessible_pages")
    page = "".join(before for before, _ in module._MENDED)
    assert module.mended(page) == "".join(after for _, after in module._MENDED)
    assert module.mended(module.mended(page)) == module.mended(page)
