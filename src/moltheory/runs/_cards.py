"""How run folders, records and versions are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from moltheory._core._card import MOST_ROWS, Card, Fold, Table
from moltheory._core._numbers import number_text

if TYPE_CHECKING:
    from moltheory.runs._record import RunRecord
    from moltheory.runs._store import RunFolder
    from moltheory.runs._versions import Versions

__all__ = ["folder_card", "folder_line", "record_card", "record_line", "versions_card"]

# Parts are looked for one by one.
_MOST_BLOCKS = 10_000


def record_line(record: RunRecord) -> str:
    """Return folder and progress."""
    return f"RunRecord({str(record.folder)!r}, {_progress(record)})"


def folder_line(folder: RunFolder) -> str:
    """Return path and progress."""
    return f"RunFolder({str(folder.path)!r}, {_progress(folder.record)})"


def record_card(record: RunRecord) -> Card:
    """Return progress, parameters, seed and versions."""
    return Card("RunRecord", _progress(record), _facts(record), folds=_folds(record))


def folder_card(folder: RunFolder) -> Card:
    """Return progress, parameters, seed and versions."""
    return Card("RunFolder", _progress(folder.record), _facts(folder.record), folds=_folds(folder.record))


def versions_card(versions: Versions) -> Card:
    """Return one row per version."""
    rows = [("python", versions.python), *versions.packages.items()]
    facts: list[tuple[str, Any]] = [("platform", versions.platform), ("processor", versions.processor)]
    facts += [(f"BLAS of {package}", found) for package, found in versions.blas.items()]
    return Card("Versions", "", facts, [Table(["package", "version"], rows, len(rows))])


def _progress(record: RunRecord) -> str:
    if record.is_finished:
        return f"finished, {len(record.keys):,} blocks in {number_text(float(record.seconds or 0.0))} s"
    # No question goes over a network for what is shown.
    if len(record.keys) > _MOST_BLOCKS or not isinstance(record.folder, Path):
        return f"not finished, {len(record.keys):,} blocks"
    return f"{len(record.finished_keys):,} of {len(record.keys):,} blocks finished"


def _facts(record: RunRecord) -> list[tuple[str, Any]]:
    seed = f"{record.entropy}" + (f", spawn key {record.spawn_key}" if record.spawn_key else "")
    shown = list(record.parameters.items())[:MOST_ROWS]
    return [
        ("folder", record.folder if isinstance(record.folder, Path) else str(record.folder)),
        ("seed", seed),
        *shown,
    ]


def _folds(record: RunRecord) -> list[Fold]:
    card = versions_card(record.versions)
    return [Fold("Versions", [f"{label}: {text}" for label, text in card.facts], card.tables[0])]
