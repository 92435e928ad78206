"""The ledger and the proofs as pages, written from the objects: what is added to them is added here."""

import re
from urllib.parse import quote

from public_names import ROOT, shortest

MARK = "% the statements"
PROOFS = "% the proofs"
_ADDRESS = re.compile(r"(arXiv (\d{4}\.\d{4,5})|doi (10\.\d{4,}/[^\s;,]+[\w)]))")


def linked(text: str) -> str:
    """Return a source with its arXiv numbers and DOIs as links."""

    def link(found: re.Match[str]) -> str:
        address = f"https://arxiv.org/abs/{found[2]}" if found[2] else f"https://doi.org/{quote(found[3])}"
        return f"[{found[1]}]({address})"

    return _ADDRESS.sub(link, escaped(text))


def escaped(text: str) -> str:
    """Return a text whose characters mean nothing in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>|$#~])", r"\\\1", text)


def entry(theorem) -> str:
    """Return the part of the page about one statement."""
    lines = [f"({_anchor(theorem.id)})=", f"## {theorem.id}", ""]
    formula = getattr(theorem, "latex", None)
    lines += [f"$$\n{formula}\n$$" if formula else f":::{{div}} statement\n{escaped(theorem.statement)}\n:::", ""]
    assumptions = "; ".join(escaped(one.text) for one in theorem.assumptions) or "nothing else"
    facts = {
        "Assumes": assumptions,
        "Provenance": f"{theorem.provenance}. {linked(theorem.source)}"
        if theorem.source != theorem.provenance
        else theorem.provenance,
    }
    if theorem.function:
        path = shortest(f"moltheory.{theorem.function}")
        facts["Evaluated by"] = f"{{obj}}`{path}`" if path else f"`{theorem.function}`"
    if theorem.figure:
        facts["Figure"] = f"`{theorem.figure}` of `moltheory reproduce`"
    for name, text in facts.items():
        lines += [name, f": {text}", ""]
    proof = getattr(theorem, "proof", None)
    if proof:
        lines += [f":::{{dropdown}} Proof{_numbered(theorem.id)}", str(proof), ":::", ""]
    return "\n".join(lines)


def _anchor(name: str) -> str:
    return f"statement-{name}"


def _numbered(name: str) -> str:
    """Return number and version of a proof of the package."""
    from moltheory.theorems import proofs

    known = proofs().get(name)
    return f" {known.number}, version {known.version}" if known else ""


def proof_entry(proof) -> str:
    """Return the part of the page about one claim outside the ledger."""
    paths = [(name, shortest(f"moltheory.{name}")) for name in proof.used_by]
    used = ", ".join(f"{{obj}}`{path}`" if path else f"`{name}`" for name, path in paths)
    facts = f"`{proof.id}`, version {proof.version}" + (f"; used by {used}." if used else ".")
    return "\n\n".join([f"(proof-{proof.id})=\n### {proof.number}. {proof.title}", facts, proof.text])


def all_proofs() -> str:
    """Return all proofs as Markdown, in the order of their numbers; those of the ledger are links."""
    from moltheory.theorems import ledger, proofs

    known, parts = ledger(), {}
    for proof in proofs().values():
        parts.setdefault(proof.part, []).append(proof)
    lines = []
    for number, (part, members) in enumerate(parts.items(), start=1):
        lines.append(f"## {number}. {part}")
        if members[0].id in known:
            rows = [f"| {one.number} | [{one.id}](#{_anchor(one.id)}) | {one.version} |" for one in members]
            lines.append("\n".join(["| number | statement | version |", "| --- | --- | --- |", *rows]))
        else:
            lines += map(proof_entry, members)
    return "\n\n".join(lines)


def statements() -> str:
    """Return all statements as Markdown, in the order of the ledger."""
    from moltheory.theorems import ledger, proof_setting

    known = ledger()
    table = ["| statement | provenance |", "| --- | --- |"]
    table += [f"| [{one.id}](#{_anchor(one.id)}) | {one.provenance} |" for one in known.values()]
    notation = f"(notation-of-the-proofs)=\n## Notation of the proofs\n\n{proof_setting()}"
    return "\n\n".join(["\n".join(table), notation, *(entry(one) for one in known.values())])


def read_source(app, name, content):
    """Put the statements, or the proofs, in the place of the mark."""
    if name in ("ledger", "proofs"):
        folder = ROOT / "src" / "moltheory" / "theorems"
        for file in [*folder.glob("*.py"), *(folder / "proofs").iterdir()]:
            app.env.note_dependency(file)
        written = statements() if name == "ledger" else all_proofs()
        content[0] = content[0].replace(MARK if name == "ledger" else PROOFS, written)


def setup(app):
    """Connect to the reading of pages."""
    app.connect("source-read", read_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
