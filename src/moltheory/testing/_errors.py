"""The error that says which part of a contract an object breaks."""

from __future__ import annotations

from moltheory.errors import MoltheoryError

__all__ = ["ContractError"]


class ContractError(MoltheoryError, AssertionError):
    """An object does not keep the contract of its kind; the message names the part, and where it fails."""
