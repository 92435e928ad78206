"""Proofs of the statements, as Markdown with LaTeX: one file for each, and one with the notation and two lemmas."""

from __future__ import annotations

from importlib import resources

__all__ = ["proof_of", "proof_setting"]


def proof_of(name: str) -> str:
    """Return the proof of a statement of the ledger, or nothing where it has none."""
    file = resources.files(__package__) / "proofs" / f"{name}.md"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def proof_setting() -> str:
    """Return the notation of the proofs of the ledger, and the two lemmas that they use.

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
