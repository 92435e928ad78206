"""NPY and NPZ files: arrays of losses, read a block of examples at a time."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._places import first_repeated
from moltheory._core._reading import check_unpacked
from moltheory._core._text import few, quoted, visible
from moltheory._core._validation import check_names
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation._compressed import first_bytes, starts_with
from moltheory.evaluation._label_column import distinct_hashes
from moltheory.evaluation._reader import Reader, Request, reading
from moltheory.evaluation._requests import outside_range
from moltheory.evaluation._source import (
    CELLS_PER_BLOCK,
    Block,
    Codes,
    Losses,
    LossRange,
    LossSource,
    by_cluster,
    check_models,
    check_objectives,
    check_ranges,
    first_outside,
    refuse_unsorted,
    whole_clusters,
)
from moltheory.evaluation._tabular import MOST_COLUMNS, brief

__all__ = ["ARRAYS", "ArraySource"]

_NAMES = ("models", "names", "objectives", "cluster")
_GROUPS = ("clusters", "group", "groups")
_NPY, _NPZ = "be an NPY file", "be an NPZ archive of plain arrays"
# Bytes of a label that still may be a name.
_LONGEST_LABEL = 1 << 16
_LONGEST_HEADER = 10_000
# Bytes that a compressed array of any size may stand for.
_LOSSES_FREELY, _LABELS_FREELY = 1 << 30, 1 << 28
_ZIP, _ARRAY = b"PK", b"\x93NUMPY"


@document
class ArraySource(LossSource):
    """Losses ``(n, M, N)``, or ``(n, M)`` for one objective, in an NPY file or in an NPZ archive.

    An archive holds the losses as ``losses`` (or as its only other array), optionally ``models`` (or ``names``, the
    word of `certify`) and ``objectives`` (names), and clusters ``(n,)``.

    Parameters
    ----------
    path : pathlib.Path
    objectives, models : sequence of str or None
        Objectives and models whose losses are checked.
    ignore : sequence of str
        Models whose losses are not checked.
    cluster : str or None
        Array of clusters in the archive; by default ``cluster`` if there is one.
    {possible_losses}
    most_in_memory : int
        Largest number of losses of a file whose clusters are not contiguous, or that is compressed in Fortran order.
    """

    def __init__(
        self,
        path: Path,
        *,
        objectives: Sequence[str] | None,
        models: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        cluster: str | None,
        loss_range: LossRange,
        most_in_memory: int,
    ) -> None:
        self._path = path
        self.name = visible(path.name)
        self._member: str | None = None
        model_names = objective_names = clusters = None
        if not _is_archive(path):
            if cluster is not None:
                raise InvalidInputError(
                    f"`clusters` must name an array of an NPZ archive, got {cluster!r} with {path.name!r}; save losses "
                    f"and clusters together as NPZ."
                )
            self._shape, self._dtype, self._by_columns, self._begin = self._header()
        else:
            self._member, model_names, objective_names, clusters = self._archive(cluster)
        if len(self._shape) not in (2, 3) or 0 in self._shape:
            raise self._refusal("hold losses of shape (n, M, N) or (n, M)", f"shape {self._shape}")
        if self._dtype.kind not in "biuf":
            raise self._refusal("hold real numbers", f"dtype {self._dtype}")
        n, n_models, n_objectives = *self._shape, *([1] if len(self._shape) == 2 else [])
        if n_models * n_objectives > MOST_COLUMNS:
            raise TooLargeError(
                f"`{self.name}` must hold at most {MOST_COLUMNS:,} losses per example, got shape {self._shape}."
            )
        one = ("loss",) if n_objectives == 1 else None
        self.model_names = check_names(f"{self.name}: models", model_names, length=n_models, stem="model")
        self.objective_names = check_names(
            f"{self.name}: objectives", objective_names or one, length=n_objectives, stem="objective"
        )
        wanted = self.objective_names if objectives is None else check_objectives(objectives, self.objective_names)
        low, high = check_ranges(loss_range, self.objective_names, wanted)
        # Per model and objective; what is not read is not checked.
        self._low, self._high = (np.tile(ends, (n_models, 1)) for ends in (low, high))
        kept = set(self.model_names if models is None else check_models(models, self.model_names))
        if models is None:
            kept -= set(ignore)
        left = [name not in kept for name in self.model_names]
        self._low[left], self._high[left] = -np.inf, np.inf
        self.has_clusters = clusters is not None
        self._clusters: Codes | None = None
        self._step = max(CELLS_PER_BLOCK // (n_models * n_objectives), 1)
        if clusters is not None:
            if clusters.shape != (n,):
                raise self._refusal(f"hold one cluster per example, ({n},)", f"shape {clusters.shape}")
            none = np.flatnonzero(_is_missing(clusters))
            if none.size:
                raise self._refusal("hold a cluster for every example", f"none for example {int(none[0]) + 1}")
            with reading(self.name, "hold clusters that can be compared"):
                self._clusters = np.unique(clusters, return_inverse=True)[1].astype(np.int64)
            changes = np.flatnonzero(np.diff(self._clusters)) + 1
            self._contiguous = distinct_hashes([self._clusters[[0, *changes.tolist()]]])
            if not self._contiguous:
                refuse_unsorted(self.name, n * n_models * n_objectives, most_in_memory, "cluster")
        if self._member is not None and self._by_columns:
            refuse_unsorted(self.name, n * n_models * n_objectives, most_in_memory, "example (C order)")

    def blocks(self) -> Iterator[Block]:
        """Yield consecutive examples; clusters that are not contiguous are brought together in memory."""
        if self._clusters is None:
            for losses, _ in self._pieces():
                yield losses, None
        elif self._contiguous:
            yield from whole_clusters(self._pieces())
        else:
            yield from by_cluster(self._pieces(), self._step)

    def _pieces(self) -> Iterator[tuple[Losses, Codes]]:
        # Half precision is too coarse for sums; integers and bools keep their type, for exact counts.
        kind = np.dtype(np.float32) if self._dtype == np.float16 else self._dtype.newbyteorder("=")
        shape = (len(self.model_names), len(self.objective_names))
        first = 0
        for piece in self._raw():
            with np.errstate(invalid="ignore"):
                losses = piece.astype(kind).reshape(len(piece), *shape)
                if kind.kind == "f" and np.isnan(losses.min(initial=0.0)):
                    # One kind of NaN: processors complain about others.
                    losses[np.isnan(losses)] = np.nan
            bad = first_outside(losses, self._low, self._high)
            if bad is not None:
                row, model, objective = (int(place) for place in np.unravel_index(bad, losses.shape))
                where = f"example {first + row + 1} of model {quoted(self.model_names[model])}"
                of = f" for objective {quoted(self.objective_names[objective])}" if shape[1] > 1 else ""
                found = f"{losses[row, model, objective]:.6g} at {where}{of}"
                low, high = self._low[model, objective], self._high[model, objective]
                refusal = self._refusal(f"hold losses in [{low:g}, {high:g}]", found)
                raise outside_range(refusal, self.objective_names[objective], losses[row, model, objective])
            codes = np.zeros(len(piece), np.int64)
            yield losses, codes if self._clusters is None else self._clusters[first : first + len(piece)]
            first += len(piece)

    def _raw(self) -> Iterator[npt.NDArray[Any]]:
        n = self._shape[0]
        if self._member is None:
            self._check_unchanged(self._header()[:3])
            order: Any = "F" if self._by_columns else "C"
            for start in range(0, n, self._step):
                # A new memory map per block, so that pages of earlier blocks are released.
                with reading(self.name, _NPY):
                    mapped = np.memmap(self._path, self._dtype, "r", self._begin, self._shape, order)
                yield mapped[start : start + self._step]
            return
        with reading(self.name, _NPZ), zipfile.ZipFile(self._path) as archive, archive.open(self._member) as member:
            shape, by_columns, dtype = _read_header(member)
            self._check_unchanged((shape, dtype, by_columns))
            if self._by_columns:
                content = member.read()
                if len(content) != math.prod(shape) * dtype.itemsize:
                    raise self._refusal(f"hold {n} examples as its header says", "another number")
                whole = np.frombuffer(content, dtype).reshape(shape, order="F")
                yield from (whole[start : start + self._step] for start in range(0, n, self._step))
                return
            size = math.prod(self._shape[1:]) * self._dtype.itemsize
            for start in range(0, n, self._step):
                rows = min(self._step, n - start)
                content = member.read(rows * size)
                if len(content) < rows * size:
                    raise self._refusal(
                        f"hold {n} examples as its header says", f"an end after {start} of them or more"
                    )
                yield np.frombuffer(content, self._dtype).reshape(rows, *self._shape[1:])
            # Read to its end, the archive checks its sum.
            if member.read(1):
                raise self._refusal(f"hold {n} examples as its header says", "more")

    def _check_unchanged(self, found: tuple[tuple[int, ...], np.dtype[Any], bool]) -> None:
        if found != (self._shape, self._dtype, self._by_columns):
            raise self._refusal("stay as it is while it is read", "another header")

    def _header(self) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
        with reading(self.name, _NPY), self._path.open("rb") as handle:
            shape, by_columns, dtype = _read_header(handle)
            begin = handle.tell()
        wanted, size = begin + math.prod(shape) * dtype.itemsize, self._path.stat().st_size
        if not dtype.hasobject and size != wanted:
            raise self._refusal(f"hold the {wanted:,} bytes that its header says", f"{size:,}")
        return shape, dtype, by_columns, begin

    def _archive(self, cluster: str | None) -> tuple[str, Any, Any, npt.NDArray[Any] | None]:
        wanted = cluster or "cluster"
        with reading(self.name, _NPZ), zipfile.ZipFile(self._path) as archive:
            members = archive.namelist()
            names = [name.removesuffix(".npy") for name in members]
            twice = first_repeated(names)
            if twice is not None:
                raise self._refusal("hold each array once", f"{twice!r} twice")
            if cluster is not None and cluster not in names:
                raise self._refusal(f"hold an array {cluster!r}", few(names) or "none")
            extra = [name for name in names if name not in (*_NAMES, wanted)]
            if "losses" in extra:
                losses = "losses"
                others = [name for name in extra if name != losses]
                if wanted not in names and any(name in _GROUPS for name in others):
                    group = next(name for name in others if name in _GROUPS)
                    raise self._refusal(
                        "hold clusters as 'cluster'", f"{group!r}: give clusters={group!r}, or leave it out"
                    )
                if others:
                    self.notes = (
                        f"Arrays of {self.name} other than losses, names and clusters are left out: {few(others)}.",
                    )
            elif len(extra) == 1:
                losses = extra[0]
            else:
                raise self._refusal("hold an array 'losses'", few(names) or "none")
            member = members[names.index(losses)]
            self._shape, self._by_columns, self._dtype = self._member_header(archive, member, freely=_LOSSES_FREELY)
            # Other arrays are short: their headers are looked at before they are read.
            found = {}
            for name in (*_NAMES, wanted):
                if name in names:
                    place = members[names.index(name)]
                    shape, _, dtype = self._member_header(archive, place, freely=_LABELS_FREELY)
                    if math.prod(shape) > max(math.prod(self._shape), 1) or dtype.itemsize > _LONGEST_LABEL:
                        raise self._refusal(
                            f"hold one name per model, objective or example in {quoted(name)}", f"{shape}"
                        )
                    with archive.open(place) as content, warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        found[name] = np.lib.format.read_array(content, allow_pickle=False)
        models = found.get("models", found.get("names"))
        texts = [None if labels is None else self._texts(labels) for labels in (models, found.get("objectives"))]
        return member, texts[0], texts[1], found.get(wanted)

    def _member_header(
        self, archive: zipfile.ZipFile, member: str, *, freely: int
    ) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        """Return the header of an array in an archive, whose size is the one that the archive says."""
        info = archive.getinfo(member)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others are unpacked without a limit on what comes out.
            raise self._refusal("be stored or deflated, as numpy writes archives", f"{member!r} in another compression")
        end, size = info.header_offset + info.compress_size, self._path.stat().st_size
        if end > size:
            raise self._refusal(f"hold the {end:,} bytes that its directory says", f"{size:,}")
        with archive.open(member) as content:
            shape, by_columns, dtype = _read_header(content)
            wanted = content.tell() + math.prod(shape) * dtype.itemsize
        if not dtype.hasobject and info.file_size != wanted:
            raise self._refusal(f"hold the {wanted:,} bytes that the header of {member!r} says", f"{info.file_size:,}")
        check_unpacked(self.name, info.compress_size, wanted, freely=freely)
        return shape, by_columns, dtype

    def _texts(self, labels: npt.NDArray[Any]) -> list[str]:
        """Return names as text, bytes by UTF-8."""
        if labels.dtype.kind == "S":
            with reading(self.name, "hold names in UTF-8"):
                return [label.decode("utf-8") for label in labels.ravel().tolist()]
        with reading(self.name, "hold names in Unicode"):
            return [str(name) for name in labels.ravel()]

    def _refusal(self, rule: str, found: str) -> InvalidInputError:
        return InvalidInputError(f"`{self.name}` must {brief(rule)}, got {brief(found)}.")


def _read_header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(handle)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the NPY format is not one of plain arrays")
    # Its length is known before it is read.
    start = handle.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(start, "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes")
    header = io.BytesIO(start + handle.read(length))
    with warnings.catch_warnings():
        # Of headers of Python 2, and of what is no header.
        warnings.simplefilter("ignore")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(header)
    if any(side < 0 for side in shape):
        raise ValueError(f"shape {shape}")
    return tuple(int(side) for side in shape), by_columns, dtype


def _is_missing(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which labels are NaN, NaT or empty."""
    if labels.dtype.kind in "fc":
        return np.asarray(np.isnan(labels))
    if labels.dtype.kind in "mM":
        return np.asarray(np.isnat(labels))
    return np.asarray(labels == labels.dtype.type()) if labels.dtype.kind in "US" else np.zeros(labels.shape, bool)


def _is_archive(path: Path) -> bool:
    """Return whether a file is an archive, by its first bytes, or by its name if they say neither."""
    return starts_with(path, _ZIP) or (path.suffix.lower() == ".npz" and not starts_with(path, _ARRAY))


def _open_arrays(paths: tuple[Path, ...], request: Request) -> LossSource:
    if len(paths) > 1:
        raise InvalidInputError(
            f"`path` must be one file where it holds an array, got {len(paths)}: put the arrays together by "
            "numpy.concatenate."
        )
    source = ArraySource(
        paths[0],
        objectives=request.objectives,
        models=request.models,
        ignore=request.ignore,
        cluster=request.clusters,
        loss_range=request.loss_range,
        most_in_memory=request.most_in_memory,
    )
    known = set(source.model_names)
    for name in request.ignore:
        if name not in known:
            raise InvalidInputError(f"`ignore` must name models of {source.name}, got {brief(repr(name))}.")
    return source


def _is_array(paths: tuple[Path, ...]) -> bool:
    """Whether files are called so, or start so; an archive without a suffix starts with the name of an array."""
    return all(
        path.suffix.lower() in (".npy", ".npz")
        or starts_with(path, _ARRAY)
        or (not path.suffix and starts_with(path, _ZIP) and b".npy" in first_bytes(path, 1 << 9))
        for path in paths
    )


ARRAYS = Reader(
    "numpy",
    "an array of losses (examples, models, objectives) in .npy, or in .npz with names and clusters",
    _is_array,
    _open_arrays,
    frozenset({"clusters"}),
)
