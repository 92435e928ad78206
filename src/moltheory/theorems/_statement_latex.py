"""Statements and the ledger in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moltheory._core._latex import document, escaped, table
from moltheory._core._latex_markdown import latex_of
from moltheory.theorems._proofs import proof_of, proof_setting, version_of

if TYPE_CHECKING:
    from moltheory.theorems._statement import Theorem

__all__ = ["ledger_latex", "statement_bibtex", "statement_latex"]


def statement_latex(theorem: Theorem, *, standalone: bool = False) -> str:
    """Return id, statement, assumptions, origin and proof."""
    parts = [rf"\subsection*{{{escaped(theorem.id)}}}"]
    # A proof of the ledger begins with the statement, in formulas.
    if not theorem.proof.startswith("**Statement.**"):
        parts.append(rf"\textbf{{Statement.}} {escaped(theorem.statement)}")
    origin = f"{theorem.provenance}: {theorem.source}" if theorem.source != theorem.provenance else theorem.provenance
    parts.append(rf"\textbf{{Provenance.}} {escaped(origin)}.")
    if theorem.assumptions:
        items = "\n".join(rf"\item {escaped(one.text)}" for one in theorem.assumptions)
        parts.append(f"\\textbf{{Assumptions.}}\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}")
    if theorem.proof:
        parts.append(latex_of(theorem.proof))
    body = "\n\n".join(parts)
    if not standalone:
        return body
    return document(f"{latex_of(proof_setting())}\n\n{body}" if theorem.proof else body, title=theorem.id)


def statement_bibtex(theorem: Theorem) -> str:
    """Return an entry of the package at its version, with the origin of the statement in the note."""
    from moltheory._core._package import __version__

    # A statement of one's own may have the id of one of the package.
    ours = bool(theorem.proof) and proof_of(theorem.id) == theorem.proof
    notes = [f"{theorem.provenance}: {theorem.source}" if theorem.source != theorem.provenance else theorem.provenance]
    if theorem.proof:
        notes.append(f"version {version_of(theorem.proof)} of its proof")
    key = re.sub(r"[^A-Za-z0-9]+", "-", theorem.id).strip("-") or "statement"
    fields = {
        "author": "{The moltheory developers}",
        "title": rf"Statement \texttt{{{escaped(theorem.id)}}}{' of the ledger of moltheory' if ours else ''}",
        "howpublished": f"moltheory {escaped(__version__)}",
        "note": escaped("; ".join(notes)),
    }
    return "\n".join([f"@misc{{moltheory-{key},", *(f"  {name} = {{{text}}}," for name, text in fields.items()), "}"])


def ledger_latex(theorems: Sequence[Theorem], *, caption: str = "") -> str:
    """Return a table of ids, statements, provenance and sources."""
    rows = [(one.id, one.statement, one.provenance, one.source) for one in theorems]
    columns = r"lp{0.45\linewidth}lp{0.2\linewidth}"
    return table(("id", "statement", "provenance", "source"), rows, columns=columns, caption=caption)
