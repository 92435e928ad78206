"""Certificates as JSON text: which fields are written, and how each is read back.

JSON has no infinities: an infinite end of a box, which only measured costs have, is written as null.

A table of pairs of M models, such as `dominates`, is a list of the pairs ``[b, h]`` that it marks. Where these are more
than 10,000, and the following is shorter, it is an object ``{"shape": [M, M], "packed_bits": text}``: the text is base64
(RFC 4648) of the rows one after the other, each as ceil(M / 8) bytes whose highest bit is its first model, as
`numpy.packbits` makes them. Then ``numpy.unpackbits(rows, axis=1, count=M)`` is the table. Both forms are read.
"""

from __future__ import annotations

import base64
import binascii
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
from moltheory.certification._baseline_json import read_comparison_fields, written_comparison
from moltheory.certification._words import verdicts_of
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
    "decided_at": np.float64,
    "leaning": np.int64,
    "open_rivals": np.bool_,
}
# Tables written as pairs of models; numbers of which some are NaN, written as null; what older texts lack.
_PAIRS = ("dominates", "open_rivals")
_WITH_GAPS = ("adjusted_p_value", "decided_at")
_LATER = (
    *("within_slack", "replaceable_by", "measured", "decided_at", "leaning", "open_rivals"),
    *("error", "dependence", "verdicts", "engine", "n_clusters", "baseline", "fingerprint"),
)
_BY_TYPE: dict[type, Callable[[Any], Any]] = {np.bool_: booleans, np.int64: integers, np.float64: floats}
# What follows from the fields, or is about the files; all but the first two are added by `moltheory certify --json`.
_ADDED = (
    *("promise", "verdict", "status", "advice", "summary", "undecided_models", "statements", "plan"),
    *("limits", "choice", "failing", "notes", "warnings", "files"),
)
# Number of pairs up to which they are always listed, and characters that a listed pair takes, about.
_LISTED = 10_000
_PAIR_LENGTH = 12
# Names of fields before 0.2.
_RENAMED = {"level": "adjusted_p_value", "beats": "dominates", "spent": "delta_allocation"}

_Made = TypeVar("_Made")


def write_certificate(certificate: Certificate) -> str:
    """Return a certificate as JSON text."""
    content: dict[str, Any] = {"kind": _KIND, "promise": certificate.promise}
    content |= {name: getattr(certificate, name) for name in _READERS if name != "kind"}
    for name in _PAIRS:
        content[name] = _written_table(getattr(certificate, name))
    for name in _WITH_GAPS:
        content[name] = [None if np.isnan(p) else p for p in getattr(certificate, name).tolist()]
    content["verdict"] = verdicts_of(certificate)
    if not certificate.measured.any():
        del content["measured"]
    if certificate.baseline is None:
        del content["baseline"]
    else:
        content["baseline"] = written_comparison(certificate.baseline)
    if not certificate.fingerprint:
        del content["fingerprint"]
    if not certificate.n_clusters:
        del content["n_clusters"]
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

    def build(kind: str, names: tuple[str, ...], **content: Any) -> _Made:
        tables = {name: _table_of(name, content.pop(name), len(names)) for name in _PAIRS if name in content}
        unbounded = ~np.isfinite(content["boxes"]).all(axis=(0, 2))
        # Measured costs, and quantiles of losses without a range.
        if (unbounded & ~content["data_dependent"]).any():
            raise InvalidInputError("`boxes` must have infinite ends for estimated objectives only, got others.")
        fields = {name: value for name, value in content.items() if name not in _ADDED}
        return make(names=names, **tables, **fields)

    left_out = (*_LATER, *_ADDED)
    readers = _READERS | dict.fromkeys(_ADDED, _ignored)
    return read_json("Certificate", text, build, readers, left_out=left_out, renamed=_RENAMED)


def _written_table(table: npt.NDArray[np.bool_]) -> object:
    """Return a table of pairs as it is written."""
    marked, (rows, columns) = int(np.count_nonzero(table)), table.shape
    if marked <= _LISTED or marked * _PAIR_LENGTH <= rows * -(-columns // 8) * 4 // 3:
        return np.argwhere(table)
    return {
        "shape": [rows, columns],
        "packed_bits": base64.b64encode(np.packbits(table, axis=1).tobytes()).decode("ascii"),
    }


def _read_table(written: Any) -> npt.NDArray[Any]:
    """Return the pairs (k, 2) of a list, or the table of packed bits."""
    if not isinstance(written, dict):
        return integers(written).reshape(-1, 2)
    rows, columns = map(integer, written["shape"])
    if set(written) != {"shape", "packed_bits"} or min(rows, columns) < 1:
        raise ValueError
    try:
        content = base64.b64decode(string(written["packed_bits"]), validate=True)
    except binascii.Error:
        raise ValueError from None
    packed = np.frombuffer(content, np.uint8).reshape(rows, -(-columns // 8))
    bits = np.unpackbits(packed, axis=1)
    if bits[:, columns:].any():
        raise ValueError
    return bits[:, :columns].astype(np.bool_)


def _table_of(name: str, found: npt.NDArray[Any], n_models: int) -> npt.NDArray[np.bool_]:
    """Return the (M, M) table that was written."""
    if found.dtype == np.bool_:
        return found
    if ((found < 0) | (found >= n_models)).any():
        raise InvalidInputError(f"`{name}` must hold pairs of the {n_models} models, got {found.tolist()[:3]}.")
    table = np.zeros((n_models,) * 2, dtype=np.bool_)
    table[found[:, 0], found[:, 1]] = True
    return table


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


def _read_fingerprint(written: list[Any]) -> tuple[tuple[int, str], ...]:
    return tuple((integer(rows), string(digest)) for rows, digest in written)


def _read_flags(written: list[Any]) -> tuple[bool, ...]:
    return tuple(booleans(written).tolist())


_READERS: dict[str, Callable[[Any], Any]] = {
    "kind": exactly(_KIND),
    "names": strings,
    "objectives": strings,
    "maximise": _read_flags,
    **{name: _BY_TYPE[dtype] for name, dtype in DTYPES.items()},
    **dict.fromkeys(_PAIRS, _read_table),
    **dict.fromkeys(_WITH_GAPS, _read_p_values),
    **dict.fromkeys(("error", "dependence", "verdicts", "engine"), string),
    "boxes": _read_boxes,
    "delta": number,
    "delta_allocation": _read_shares,
    "n_examples": integer,
    "n_clusters": integer,
    "methods": strings,
    "assumptions": strings,
    "baseline": read_comparison_fields,
    "fingerprint": _read_fingerprint,
}
