"""Earlier certificates of a file that grew: read, and recognized by their fingerprints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from moltheory._core._text import quoted
from moltheory._core._warn_outside import warn_outside
from moltheory.certification._certificate import Certificate
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._fingerprint import Fingerprint
from moltheory.evaluation._scan import Scan

__all__ = ["fingerprint_of_earlier", "warn_of_growth"]

GREW = "`earlier` has a certificate of the first"


def fingerprint_of_earlier(earlier: Any) -> Fingerprint:
    """Return the fingerprint of an earlier certificate, or of one in a file; empty if there is none.

    Raises
    ------
    InvalidInputError
        If it is neither, or has no fingerprint.
    """
    if earlier is None:
        return ()
    if isinstance(earlier, str | os.PathLike):
        place = Path(earlier)
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InvalidInputError(
                f"`earlier` must be a file with the JSON text of a certificate, got {quoted(place.name)}, which cannot be "
                "read."
            ) from None
        earlier = Certificate.from_json(text)
    if not isinstance(earlier, Certificate):
        raise InvalidInputError(f"`earlier` must be a certificate or a file of one, got {type(earlier).__name__}.")
    if not earlier.fingerprint:
        raise InvalidInputError(
            "`earlier` must be a certificate of losses with a fingerprint, got one without: streams have none and need "
            "none, and certificates made before 0.2 have none."
        )
    return earlier.fingerprint


def warn_of_growth(scan: Scan) -> None:
    """Warn if the losses begin with those of the earlier certificate, and go on."""
    if scan.prints.extend_earlier:
        then = max(rows for rows, _ in scan.earlier)
        warn_outside(
            f"{GREW} {then:,} of these examples: if it had a part in the decision to go on, the two are not valid together "
            f"at this delta; give each half of delta, or use `CertificateStream`, which allows any number of looks",
            DataWarning,
        )
