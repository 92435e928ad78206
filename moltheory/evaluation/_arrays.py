"""NPY and NPZ files: arrays of losses, read a block of examples at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_names
from moltheory.errors import InvalidInputError
from moltheory.evaluation._label_column import distinct_hashes
from moltheory.evaluation._source import (
    CELLS_PER_BLOCK,
    Block,
    Codes,
    Losses,
    LossRange,
    LossSource,
    by_cluster,
    check_ranges,
    first_outside,
    refuse_unsorted,
    whole_clusters,
)

__all__ = ["ArraySource"]

_NAMES = ("models", "names", "objectives", "cluster")


@document
class ArraySource(LossSource):
    """Losses ``(n, M, N)``, or ``(n, M)`` for one objective, in an NPY file or in an NPZ archive.

    An archive holds the losses as ``losses`` (or as its only other array), optionally ``models`` (or ``names``, the
    word of `certify`) and ``objectives`` (names), and clusters ``(n,)``.

    Parameters
    ----------
    path : pathlib.Path
    objectives : sequence of str or None
        Objectives whose losses are checked.
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
        cluster: str | None,
        loss_range: LossRange,
        most_in_memory: int,
    ) -> None:
        self._path = path
        self.name = path.name
        self._member: str | None = None
        models = objectives = clusters = None
        if path.suffix.lower() == ".npy":
            if cluster is not None:
                raise InvalidInputError(
                    f"`clusters` must name an array of an NPZ archive, got {cluster!r} with {path.name!r}; save losses "
                    f"and clusters together as NPZ."
                )
            self._shape, self._dtype, self._by_columns = self._header()
        else:
            self._member, models, objectives, clusters = self._archive(cluster)
        if len(self._shape) not in (2, 3) or 0 in self._shape:
            raise self._refusal("hold losses of shape (n, M, N) or (n, M)", f"shape {self._shape}")
        if self._dtype.kind not in "biuf":
            raise self._refusal("hold real numbers", f"dtype {self._dtype}")
        n, n_models, n_objectives = *self._shape, *([1] if len(self._shape) == 2 else [])
        one = ("loss",) if n_objectives == 1 else None
        self.model_names = check_names(f"{self.name}: models", models, length=n_models, stem="model")
        self.objective_names = check_names(
            f"{self.name}: objectives", objectives or one, length=n_objectives, stem="objective"
        )
        self._low, self._high = check_ranges(loss_range, self.objective_names, objectives)
        self.has_clusters = clusters is not None
        self._clusters: Codes | None = None
        self._step = max(CELLS_PER_BLOCK // (n_models * n_objectives), 1)
        if clusters is not None:
            if clusters.shape != (n,):
                raise self._refusal(f"hold one cluster per example, ({n},)", f"shape {clusters.shape}")
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
            losses = piece.astype(kind).reshape(len(piece), *shape)
            bad = first_outside(losses, self._low, self._high)
            if bad is not None:
                row, model, objective = (int(place) for place in np.unravel_index(bad, losses.shape))
                where = f"example {first + row + 1} of model {self.model_names[model]!r}"
                of = f" for objective {self.objective_names[objective]!r}" if shape[1] > 1 else ""
                found = f"{losses[row, model, objective]:.6g} at {where}{of}"
                low, high = self._low[objective], self._high[objective]
                raise self._refusal(f"hold losses in [{low:g}, {high:g}]", found)
            codes = np.zeros(len(piece), np.int64)
            yield losses, codes if self._clusters is None else self._clusters[first : first + len(piece)]
            first += len(piece)

    def _raw(self) -> Iterator[npt.NDArray[Any]]:
        n = self._shape[0]
        if self._member is None:
            for start in range(0, n, self._step):
                # A new memory map per block, so that pages of earlier blocks are released.
                yield np.load(self._path, mmap_mode="r", allow_pickle=False)[start : start + self._step]
            return
        with zipfile.ZipFile(self._path) as archive, archive.open(self._member) as member:
            if self._by_columns:
                whole = np.lib.format.read_array(member, allow_pickle=False)
                yield from (whole[start : start + self._step] for start in range(0, n, self._step))
                return
            _read_header(member)
            size = int(np.prod(self._shape[1:]))
            for start in range(0, n, self._step):
                rows = min(self._step, n - start)
                content = member.read(rows * size * self._dtype.itemsize)
                if len(content) < rows * size * self._dtype.itemsize:
                    raise self._refusal(
                        f"hold {n} examples as its header says", f"an end after {start} of them or more"
                    )
                yield np.frombuffer(content, self._dtype).reshape(rows, *self._shape[1:])

    def _header(self) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
        try:
            with self._path.open("rb") as handle:
                shape, by_columns, dtype = _read_header(handle)
                begin = handle.tell()
        except ValueError as error:
            raise self._refusal("be an NPY file", str(error).split("\n")[0].rstrip(".")) from None
        wanted, size = begin + int(np.prod(shape)) * dtype.itemsize, self._path.stat().st_size
        if not dtype.hasobject and size < wanted:
            raise self._refusal(f"hold the {wanted:,} bytes that its header says", f"{size:,}")
        return shape, dtype, by_columns

    def _archive(self, cluster: str | None) -> tuple[str, Any, Any, npt.NDArray[Any] | None]:
        wanted = cluster or "cluster"
        try:
            with np.load(self._path, allow_pickle=False) as archive:
                names = list(archive.files)
                if cluster is not None and cluster not in names:
                    raise self._refusal(f"hold an array {cluster!r}", f"{names}")
                extra = [name for name in names if name not in (*_NAMES, wanted)]
                if "losses" in extra:
                    losses = "losses"
                elif len(extra) == 1:
                    losses = extra[0]
                else:
                    raise self._refusal("hold an array 'losses'", f"{names}")
                models, objectives = (
                    [str(name) for name in archive[key].ravel()] if key in names else None
                    for key in ("models" if "models" in names else "names", "objectives")
                )
                clusters = archive[wanted] if wanted in names else None
            with zipfile.ZipFile(self._path) as members, members.open(f"{losses}.npy") as member:
                self._shape, self._by_columns, self._dtype = _read_header(member)
        except (ValueError, OSError, zipfile.BadZipFile, KeyError) as error:
            if isinstance(error, InvalidInputError):
                raise
            raise self._refusal("be an NPZ archive of plain arrays", str(error).split("\n")[0].rstrip(".")) from None
        return f"{losses}.npy", models, objectives, clusters

    def _refusal(self, rule: str, found: str) -> InvalidInputError:
        return InvalidInputError(f"`{self.name}` must {rule}, got {found}.")


def _read_header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(handle)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(handle)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(handle)
    raise ValueError(f"version {version} of the NPY format is not one of plain arrays")
