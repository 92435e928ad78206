"""Certificates as JSON text: which fields are written, and how each is read back.

JSON has no infinities: an infinite end of a box, which only measured costs have, is written as null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory._core._serialization import (
    booleans,
    exactly,
    floats,
    integer,
    integers,
    number,
    read_json,
    string,
    strings,
    write_json,
)
from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError

if TYPE_CHECKING:
    from moltheory.certification._certificate import Certificate

__all__ = ["DTYPES", "read_certificate", "write_certificate"]

_KIND = "moltheory.Certificate"
DTYPES: dict[str, type] = {
    "sure": np.bool_,
    "excluded": np.bool_,
    "excluded_by": np.int64,
    "dominates": np.bool_,
    "within_slack": np.bool_,
    "replaceable_by": np.int64,
    "data_dependent": np.bool_,
    "measured": np.bool_,
    "adjusted_p_value": np.float64,
    "estimates": np.float64,
    "boxes": np.float64,
    "epsilon": np.float64,
}
_BY_TYPE: dict[type, Callable[[Any], Any]] = {np.bool_: booleans, np.int64: integers, np.float64: floats}
# What `moltheory certify --json` adds, which follows from the fields or is about the files.
_ADDED = ("status", "summary", "plan", "notes", "warnings", "files")
# Names of fields before 0.2.
_RENAMED = {"level": "adjusted_p_value", "beats": "dominates", "spent": "delta_allocation"}

_Made = TypeVar("_Made")


def write_certificate(certificate: Certificate) -> str:
    """Return a certificate as JSON text."""
    content = {"kind": _KIND} | {name: getattr(certificate, name) for name in _READERS if name != "kind"}
    content["dominates"] = np.argwhere(certificate.dominates)
    content["adjusted_p_value"] = [None if np.isnan(p) else p for p in certificate.adjusted_p_value.tolist()]
    if not certificate.measured.any():
        del content["measured"]
    if not np.isfinite(certificate.boxes).all():
        ends = certificate.boxes.astype(object)
        ends[~np.isfinite(certificate.boxes)] = None
        content["boxes"] = ends
    return write_json(content, ascii_only=False, allow_nan=False)


def read_certificate(text: object, make: Callable[..., _Made]) -> _Made:
    """Return what `make` returns for the fields of a text written by `write_certificate` or by `moltheory certify`.

    Raises
    ------
    InvalidInputError
        If `text` is not such a text, or `make` refuses its fields.
    """

    def build(kind: str, names: tuple[str, ...], dominates: npt.NDArray[np.int64], **content: Any) -> _Made:
        pairs = dominates.reshape(-1, 2)
        if ((pairs < 0) | (pairs >= len(names))).any():
            raise InvalidInputError(
                f"`dominates` must hold pairs of the {len(names)} models, got {dominates.tolist()[:3]}."
            )
        unbounded = ~np.isfinite(content["boxes"]).all(axis=(0, 2))
        if (unbounded & ~content.get("measured", np.zeros_like(unbounded))).any():
            raise InvalidInputError("`boxes` must have infinite ends for measured costs only, got others.")
        table = np.zeros((len(names),) * 2, dtype=np.bool_)
        table[pairs[:, 0], pairs[:, 1]] = True
        fields = {name: value for name, value in content.items() if name not in _ADDED}
        return make(names=names, dominates=table, **fields)

    left_out = ("within_slack", "replaceable_by", "measured", *_ADDED)
    readers = _READERS | dict.fromkeys(_ADDED, _ignored)
    return read_json("Certificate", text, build, readers, left_out=left_out, renamed=_RENAMED)


def _ignored(written: Any) -> None:
    """Read what is not a field of a certificate."""


def _read_boxes(written: list[Any]) -> FloatArray:
    """Return boxes (M, m, 2); a null end is infinite, outward."""
    return floats(
        [
            [[end if end is not None else far for end, far in zip(box, (-np.inf, np.inf), strict=True)] for box in row]
            for row in written
        ]
    )


def _read_p_values(written: list[Any]) -> FloatArray:
    return floats([np.nan if p is None else p for p in written])


def _read_shares(written: list[Any]) -> tuple[tuple[str, float], ...]:
    return tuple((string(engine), number(share)) for engine, share in written)


def _read_flags(written: list[Any]) -> tuple[bool, ...]:
    return tuple(booleans(written).tolist())


_READERS: dict[str, Callable[[Any], Any]] = {
    "kind": exactly(_KIND),
    "names": strings,
    "objectives": strings,
    "maximise": _read_flags,
    **{name: _BY_TYPE[dtype] for name, dtype in DTYPES.items()},
    "dominates": integers,
    "adjusted_p_value": _read_p_values,
    "boxes": _read_boxes,
    "delta": number,
    "delta_allocation": _read_shares,
    "n_examples": integer,
    "methods": strings,
    "assumptions": strings,
}
