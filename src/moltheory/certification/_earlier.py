"""Earlier certificates of a file that grew: read, and recognized by their fingerprints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moltheory._core._text import quoted
from moltheory._core._warn_outside import warn_outside
from moltheory.certification._certificate import Certificate
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._scan import Scan

__all__ = ["read_earlier", "warn_of_growth"]

GREW = "`earlier` has a certificate of the first"


def read_earlier(earlier: Any) -> Certificate | None:
    """Return an earlier certificate, given as such or as its file; None if there is none.

    Raises
    ------
    InvalidInputError
        If it is neither, or has no fingerprint.
    """
    if earlier is None:
        return None
    if isinstance(earlier, str | os.PathLike):
        earlier = _in_file(os.fspath(earlier))
    if not isinstance(earlier, Certificate):
        raise InvalidInputError(f"`earlier` must be a certificate or a file of one, got {type(earlier).__name__}.")
    if not earlier.fingerprint:
        raise InvalidInputError(
            "`earlier` must be a certificate of losses with a fingerprint, got one without: streams have none and need "
            "none; certificates of tails alone, and those made before 0.2, have none."
        )
    return earlier


def _in_file(path: Any) -> Certificate:
    rule = "`earlier` must be a file with the JSON text of a certificate"
    called = quoted(str(path))
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError, TypeError):
        raise InvalidInputError(f"{rule}, got {called}, which cannot be read.") from None
    try:
        return Certificate.from_json(text)
    except InvalidInputError as error:
        reason = str(error).rpartition(", got ")[2].rstrip(".") if text.strip() else "nothing in it"
        raise InvalidInputError(f"{rule}, got {called} with {reason}.") from None


def warn_of_growth(scan: Scan, earlier: Certificate | None) -> None:
    """Warn if the losses begin with those of the earlier certificate, and go on.

    Models and objectives are matched by name, and those that both have are compared.
    """
    if earlier is None:
        return
    prints = earlier.fingerprint
    models = _in_common(earlier.names, scan.model_names)
    if len(models) < min(2, len(earlier.names), len(scan.model_names)):
        return
    estimated = [
        name
        for name, data, own in zip(earlier.objectives, earlier.data_dependent, earlier.measured, strict=True)
        if data and not own
    ]
    names = [column.name for column in scan.columns]
    if len(estimated) == len(prints):
        columns = _in_common(estimated, names)
    else:
        # Some objectives are of several columns, which have no names of their own.
        columns = [(k, k) for k in range(len(names))] if len(names) == len(prints) else []
    if columns and scan.prints.extend(prints, columns, models):
        then = max(prints[k][0] for k, _ in columns)
        warn_outside(
            f"{GREW} {then:,} of these examples: if it had a part in the decision to go on, the two are not valid together "
            f"at this delta; give each half of delta, or use `CertificateStream`, which allows any number of looks",
            DataWarning,
        )


def _in_common(earlier: Sequence[str], names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of names that both have; places that agree if as many are all called otherwise."""
    places = {name: place for place, name in enumerate(names)}
    found = [(place, places[name]) for place, name in enumerate(earlier) if name in places]
    return [(k, k) for k in range(len(names))] if not found and len(earlier) == len(names) else found
