"""Streams in files: an uncompressed NPZ archive of arrays and a header as JSON, without pickled objects."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._reading import reading
from moltheory._core._text import quoted, shortened, visible
from moltheory.certification._shares import Shares
from moltheory.errors import InvalidInputError
from moltheory.inference._pair_sums import part_of

if TYPE_CHECKING:
    from moltheory.certification._stream import CertificateStream

__all__ = ["read_stream", "stream_bytes", "stream_from", "write_stream"]

_KIND, _VERSION = "moltheory.CertificateStream", 3
_ARRAYS = {
    "low": "_low",
    "high": "_high",
    "epsilon": "_epsilon",
    "measured": "_measured",
    "costs": "_costs",
    "cohorts": "_cohorts",
    "active": "_active",
}
# Dtypes of the arrays of objectives, by the last part of their names.
_KINDS = "iuf"

Arrays = dict[str, npt.NDArray[Any]]


def write_stream(stream: CertificateStream, path: str | os.PathLike[str]) -> None:
    """Write a stream so that the file is the old one or the new one at every time."""
    from moltheory.runs import write_atomically

    write_atomically(_check_path(path), stream_bytes(stream))


def stream_bytes(stream: CertificateStream) -> bytes:
    """Return the content of the file of a stream."""
    header = {
        "kind": f"{_KIND} {_VERSION}",
        "models": stream._names,
        "objectives": stream._labels,
        "maximise": [bool(up) for up in stream._maximise],
        "delta": stream._delta,
        "shares": stream._shares.allocation(),
        "n_examples": stream._n,
        "n_units": stream._n_units,
        "joining": stream._joining,
        "largest_cluster": stream._largest,
        "equal_weights": stream._averaged,
        "n_objectives": len(stream._objectives),
    }
    arrays: Arrays = {name: np.asarray(getattr(stream, attribute)) for name, attribute in _ARRAYS.items()}
    arrays["ids"] = np.array(sorted(stream._ids), np.uint64)
    for k, objective in enumerate(stream._objectives):
        arrays |= {f"{k}.{name}": array for name, array in objective.state().items()}
    header["checksum"] = _checksum(header, arrays)
    content = io.BytesIO()
    np.savez(content, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def read_stream(kind: type[CertificateStream], path: str | os.PathLike[str]) -> CertificateStream:
    """Return the stream that `write_stream` wrote.

    Raises
    ------
    InvalidInputError
        If there is no such file, or it is not what `write_stream` writes.
    """
    place = _check_path(path)
    called = shortened(visible(place.name))
    if not place.is_file():
        found = "is a folder" if place.is_dir() else "is none"
        raise InvalidInputError(f"`path` must be a file that `save` wrote, got {called!r}, which {found}.")
    try:
        content = place.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"`path` must be a file that can be read, got {called!r}: {error.strerror}.") from None
    return stream_from(kind, content, called)


def stream_from(kind: type[CertificateStream], content: bytes, called: str) -> CertificateStream:
    """Return the stream whose file, of this name, has this content.

    Raises
    ------
    InvalidInputError
        If it is not what `stream_bytes` returns.
    """
    wrong = InvalidInputError(
        f"`path` must be a file that `save` wrote, got {called!r}, which is damaged or of another kind."
    )
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise wrong
    try:
        with (
            reading(called, "be a file that `save` wrote"),
            np.load(io.BytesIO(content), allow_pickle=False) as archive,
        ):
            arrays: Arrays = {name: archive[name] for name in archive.files}
    except InvalidInputError:
        raise wrong from None
    mismatched = (KeyError, TypeError, ValueError, IndexError, AttributeError)
    try:
        header = json.loads(str(arrays.pop("header")))
        name, _, version = str(header["kind"]).rpartition(" ")
    except mismatched:
        raise wrong from None
    if name != _KIND:
        raise wrong
    if version != str(_VERSION):
        raise InvalidInputError(
            f"`path` must be a file of version {_VERSION}, got {called!r} of version {shortened(visible(version))}: load it "
            f"with the moltheory that wrote it."
        )
    if header.pop("checksum", None) != _checksum(header, arrays):
        raise wrong
    try:
        return _restored(kind, header, arrays)
    except mismatched:
        raise wrong from None


def _check_path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str) or "\0" in os.fspath(path):
        raise InvalidInputError(f"`path` must be the path of a file, got {quoted(path)}.")
    return Path(path)


def _checksum(header: dict[str, Any], arrays: Arrays) -> str:
    """Return a hash of everything: the header, and the names, types, shapes and contents of all arrays."""
    found = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _restored(kind: type[CertificateStream], header: dict[str, Any], arrays: Arrays) -> CertificateStream:
    """Return a stream with these contents; ValueError, KeyError and the like where they do not fit together."""
    count, names, labels = int(header["n_objectives"]), header["models"], header["objectives"]
    stream = kind(
        names,
        labels[:count],
        header["delta"],
        joining=header["joining"],
        largest_cluster=header["largest_cluster"],
        cluster_weights="equal" if header["equal_weights"] else "size",
    )
    stream._ids = set(arrays.pop("ids").tolist())
    for name, attribute in _ARRAYS.items():
        setattr(stream, attribute, arrays.pop(name))
    stream._labels = tuple(map(str, labels))
    stream._maximise = tuple(map(bool, header["maximise"]))
    stream._with_data = (np.arange(len(labels)) < count) | stream._measured
    stream._shares = Shares.from_allocation(tuple((str(name), float(share)) for name, share in header["shares"]))
    stream._n, stream._n_units = int(header["n_examples"]), int(header["n_units"])
    n, m = len(stream._names), len(labels)
    fitting = {"_low": (count,), "_high": (count,), "_epsilon": (m,), "_measured": (m,), "_costs": (3, n, m - count)}
    fitting |= {"_cohorts": (n,), "_active": (n,)}
    if any(getattr(stream, name).shape != shape for name, shape in fitting.items()) or stream._n < 0:
        raise ValueError
    if not (stream._low < stream._high).all() or not np.isfinite([*stream._low, *stream._high, *stream._epsilon]).all():
        raise ValueError
    # Cohorts are numbered without gaps.
    found = np.unique(stream._cohorts)
    if found.tolist() != list(range(found.size)) or stream._active.dtype != np.bool_ or stream._active.sum() < 2:
        raise ValueError
    stream._cohorts = stream._cohorts.astype(np.int64)
    for k, objective in enumerate(stream._objectives):
        state = part_of(arrays, str(k))
        if any(array.dtype.kind not in _KINDS or set(array.shape) - {n, 1, 2} for array in state.values()):
            raise ValueError
        objective.restore(state)
    return stream
