"""All proofs as one book: numbered by parts, versioned, and as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from moltheory._core._card import Card, Table
from moltheory._core._html_repr import Printed
from moltheory._core._latex import document
from moltheory._core._latex_markdown import latex_of
from moltheory._core._text import did_you_mean, few, named, plural
from moltheory.theorems._ledger import ledger
from moltheory.theorems._proofs import proof_names, proof_setting, read_proof, version_of

__all__ = ["LEDGER", "Proof", "Proofs", "proofs"]

LEDGER = "Statements of the ledger"


@dataclass(frozen=True, repr=False)
class Proof(Printed):
    """A claim of the package with its proof.

    Attributes
    ----------
    id : str
        Of the statement, for those of the ledger; otherwise the name by which docstrings and sources of bounds refer
        to it, as in "derived (proof: slack-tests)".
    number : str
        Of its part and its place there, such as "3.2". New claims are added at the end of a part.
    part, title : str
    claim : str
        What is proved, with all assumptions: Markdown with LaTeX between dollars.
    used_by : tuple of str
        Public names below `moltheory` that rely on it.
    text : str
        Claim and proof, in the notation of `proof_setting`.
    version : str
        Eight digits that change with every change of `text`; cite them with the number and the package's version.
    """

    id: str
    number: str
    part: str
    title: str
    claim: str
    used_by: tuple[str, ...]
    text: str
    version: str

    def to_latex(self, *, standalone: bool = False) -> str:
        r"""Return number, title, claim and proof in LaTeX.

        Parameters
        ----------
        standalone : bool, default False
            Return a whole document, with the notation, rather than a section to be put into one; it needs
            amsmath and amssymb.

        Examples
        --------
        >>> print(proofs()["joint"].to_latex().splitlines()[0])
        \subsection*{1.1. joint}
        """
        title = f"# {self.number}. {self.title}"
        origin = f"Version {self.version}. " + (f"Used by {_listed(self.used_by)}." if self.used_by else "")
        body = latex_of(f"{title}\n\n{origin}\n\n{self.text}", heading="subsection*")
        if not standalone:
            return body
        return document(f"{latex_of(proof_setting())}\n\n{body}", title=f"{self.number}. {self.title}")

    def _line(self) -> str:
        return f"Proof({self.number}, {named(self.id)!r}, version={self.version!r})"

    def _card(self) -> Card:
        facts = [
            ("part", self.part),
            ("used by", ", ".join(self.used_by) or "nothing public"),
            ("version", self.version),
            ("text", "in `.text`, as Markdown with LaTeX; `.to_latex()`"),
        ]
        return Card("Proof", f"{self.number} {self.title}", facts)


class Proofs(Printed, Mapping[str, Proof]):
    """An immutable mapping from names to proofs, in the order of their numbers."""

    def __init__(self, known: Mapping[str, Proof]) -> None:
        self._known = dict(known)

    def __getitem__(self, key: str) -> Proof:
        """Return a proof by name."""
        try:
            return self._known[key]
        except KeyError:
            near = did_you_mean(key, list(self._known)) if isinstance(key, str) else ""
            raise KeyError(f"no proof {key!r}{near or '; there are ' + ', '.join(self._known)}") from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over names."""
        return iter(self._known)

    def __len__(self) -> int:
        """Return the number of proofs."""
        return len(self._known)

    def to_latex(self) -> str:
        r"""Return one document with the notation and all proofs, which needs amsmath and amssymb.

        Examples
        --------
        >>> print(proofs().to_latex().splitlines()[0])
        \documentclass{article}
        """
        from moltheory._core._package import __version__

        parts, last = [latex_of("# Notation\n\n" + proof_setting())], ""
        for proof in self.values():
            if proof.part != last:
                last = proof.part
                parts.append(latex_of(f"# {proof.number.partition('.')[0]}. {last}"))
            parts.append(proof.to_latex())
        return document("\n\n".join(parts), title=f"Proofs of the claims of moltheory {__version__}")

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._known)

    def _line(self) -> str:
        return f"Proofs({few(list(self._known), describe=str)})"

    def _card(self) -> Card:
        # Too many for a table: parts, each with some of its names.
        parts: dict[str, list[str]] = {}
        for one in self.values():
            parts.setdefault(one.part, []).append(one.id)
        rows = [[k, part, few(names, describe=str)] for k, (part, names) in enumerate(parts.items(), start=1)]
        tables = [Table(["number", "part", "proofs"], rows, len(rows))] if rows else []
        return Card("Proofs", plural(len(self), "claim"), tables=tables, code=['proofs()["forward"]', "list(proofs())"])


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@cache
def proofs() -> Proofs:
    """Return the proofs of all claims that stand in no other source: of the ledger, and of everything else.

    Returns
    -------
    Proofs
        A mapping from names to `Proof`; ``to_latex`` makes one document of all.

    Notes
    -----
    Complexity: all files are read once, some hundred kilobytes.

    Examples
    --------
    >>> proof = proofs()["forward"]
    >>> proof.part, proof.title, proof.used_by
    ('Statements of the ledger', 'forward', ('bounds.forward',))
    """
    functions = {theorem.id: theorem.function for theorem in ledger().values()}
    found: dict[str, Proof] = {}
    for number, (part, names) in enumerate(({LEDGER: list(functions)} | proof_names(functions)).items(), start=1):
        for place, name in enumerate(names, start=1):
            title, used_by, text = read_proof(name)
            if part == LEDGER:
                title, used_by = name, (functions[name].split("(")[0],) if functions[name] else ()
            claim = re.sub(r"\A\*\*(Claim|Statement)\.\*\*\s*", "", text.partition("**Proof.**")[0]).strip()
            found[name] = Proof(name, f"{number}.{place}", part, title, claim, used_by, text, version_of(text))
    return Proofs(found)
