"""Proofs as files: Markdown with LaTeX, one for each claim, and one with the notation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib import resources

__all__ = ["proof_names", "proof_of", "proof_setting", "read_proof", "version_of"]

_UNLISTED = "Further claims"
_USED_BY = re.compile(r"Used by: (.+?)\.\s*$", re.DOTALL)


def proof_of(name: str) -> str:
    """Return the text of a proof from its claim on, or nothing where there is none of this name."""
    return read_proof(name)[2]


def read_proof(name: str) -> tuple[str, tuple[str, ...], str]:
    """Return title, public names and the rest of a file."""
    file = resources.files(__package__) / "proofs" / f"{name}.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    title, used_by = name.replace("-", " "), ""
    if text.startswith("# "):
        head, _, text = text.partition("\n")
        title, text = head[2:].strip(), text.lstrip("\n")
    if text.startswith("Used by:"):
        used_by, _, text = text.partition("\n\n")
    found = _USED_BY.match(used_by)
    return title, tuple(re.findall(r"`([^`]+)`", found[1])) if found else (), text.lstrip("\n")


def proof_names(ledger: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the claims outside the ledger, by parts, in order; those that no part lists come last."""
    folder = resources.files(__package__) / "proofs"
    files = {file.name.removesuffix(".md") for file in folder.iterdir() if file.name.endswith(".md")}
    parts: dict[str, list[str]] = {}
    names: list[str] = []
    for line in (folder / "contents.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            names = parts.setdefault(line[2:].strip(), [])
        elif line.strip():
            names.append(line.strip())
    listed = {name for part in parts.values() for name in part}
    left = sorted(files - listed - {"setting", *ledger})
    return parts | ({_UNLISTED: left} if left else {})


def version_of(text: str) -> str:
    """Return eight digits that change with every change of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def proof_setting() -> str:
    """Return the notation of the proofs, and the two lemmas that they use.

    Returns
    -------
    str
        Markdown with LaTeX between dollars.

    Notes
    -----
    Complexity: one small file is read.

    Examples
    --------
    >>> print(proof_setting().splitlines()[0][:12])
    **Setting.**
    """
    return proof_of("setting")
