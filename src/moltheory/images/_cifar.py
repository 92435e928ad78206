"""CIFAR-10 and CIFAR-100: the Python and the binary version, whole or subsets in the same records."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._text import few
from moltheory.errors import InvalidInputError
from moltheory.images._checked import Part, checked_data
from moltheory.images._data import ImageData, Images
from moltheory.images._plain_pickle import array_in, read_plain_pickle

__all__ = ["find_cifar", "load_cifar10", "read_cifar"]

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_TEN, _HUNDRED = "CIFAR-10", "CIFAR-100"
# Bytes of labels before the pixels of a record: the class alone, or its group and the class.
_LABEL_BYTES = {_TEN: 1, _HUNDRED: 2}
_LAST_CLASS = {_TEN: 9, _HUNDRED: 99}
_BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
_FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin")
_NAMES_OF_TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class CifarFiles:
    """The files of one data set, without a look inside: of the pool, and to test on; some may be missing."""

    name: str
    pool: tuple[Path, ...]
    test: tuple[Path, ...]
    binary: bool
    batches: bool = False


def load_cifar10(folder: str | os.PathLike[str], /, *, argument: str = "folder") -> ImageData:
    """Return CIFAR-10 from the files that its author published, the five batches as the pool, or a subset of it.

    The folder holds, itself or in ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, the files ``data_batch_1`` to
    ``data_batch_5`` and ``test_batch``, without a suffix (pickles of Python, of which arrays of bytes are read and
    nothing is run) or with ``.bin``. A subset is one file ``train*.bin`` and one ``test*.bin`` of the same records: one
    byte for the class, then 3,072 for the pixels.

    Parameters
    ----------
    folder : path
    argument : str
        The caller's name of `folder`, for errors.

    Returns
    -------
    ImageData
        With the names of the classes.

    Raises
    ------
    InvalidInputError
        If a file is missing, truncated or something else, a class has no image to learn from, or the batches do not all
        have the same number of images, as the originals have: a loss of whole images is noticed too.

    Notes
    -----
    Complexity: O(n) time and memory for n images; the peak is about twice the arrays.

    References
    ----------
    A. Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, technical report, University of Toronto.

    Examples
    --------
    >>> load_cifar10("data/cifar-10-batches-bin")  # doctest: +SKIP
    ImageData(CIFAR-10 (50,000 images to train on, 10,000 to test on))
    """
    for inner in _FOLDERS:
        files = find_cifar(Path(folder) / inner)
        if files is not None and files.name == _TEN:
            return read_cifar(files, argument=argument)
    raise InvalidInputError(
        f"`{argument}` must hold data_batch_1 to data_batch_5 and test_batch, as pickles or with .bin, or a subset in "
        f"train*.bin and test*.bin, got {os.fspath(folder)!r}."
    )


def find_cifar(folder: Path) -> CifarFiles | None:
    """Return the files of CIFAR-10 or CIFAR-100 in a folder, by their names and sizes; None if there are none."""
    for suffix in ("", ".bin"):
        pool, test = tuple(folder / f"{name}{suffix}" for name in _BATCHES), folder / f"test_batch{suffix}"
        if any(file.is_file() for file in (*pool, test)):
            return CifarFiles(_TEN, pool, (test,), bool(suffix), True)
    pool, others = _records(folder, "train"), _records(folder, "test")
    if pool or others:
        return CifarFiles(_kind_of((*pool, *others)), pool, others, True)
    python = [(folder / name).is_file() for name in ("train", "test", "meta")]
    if python[0] or (python[1] and python[2]):
        return CifarFiles(_HUNDRED, (folder / "train",), (folder / "test",), False)
    return None


def read_cifar(files: CifarFiles, /, *, argument: str) -> ImageData:
    """Return the images of files; one that is missing, damaged or something else is refused."""
    if not files.batches:
        for part, found in (("train", files.pool), ("test", files.test)):
            if len(found) != 1:
                place = (*files.pool, *files.test)[0].parent
                raise InvalidInputError(
                    f"`{argument}` must hold one file {part}*.bin, got {few([one.name for one in found]) or 'none'} in "
                    f"{str(place)!r}."
                )
    for file in (*files.pool, *files.test):
        if not file.is_file():
            raise InvalidInputError(
                f"`{argument}` must hold all files of {files.name}, got {str(file.parent)!r} without {file.name}."
            )
    reader = _read_records if files.binary else _read_pickles
    pool, test = reader(files.pool, files.name, argument), reader(files.test, files.name, argument)
    if files.batches and len(pool[1]) != len(files.pool) * len(test[1]):
        raise InvalidInputError(
            f"`{argument}` must hold batches of the same number of images, got {len(test[1])} in {files.test[0].name} and "
            f"{len(pool[1])} in the five others."
        )
    names = _NAMES_OF_TEN if files.name == _TEN else _names_of_hundred(files, argument)
    return checked_data(files.name, pool, test, argument=argument, class_names=names)


def _records(folder: Path, part: str) -> tuple[Path, ...]:
    return tuple(sorted(file for file in folder.glob(f"{part}*.bin") if file.is_file()))


def _kind_of(files: tuple[Path, ...]) -> str:
    """CIFAR-100 if all files consist of its records and not all of those of CIFAR-10."""
    fits = {
        name: all(file.stat().st_size % (_PIXELS + count) == 0 for file in files)
        for name, count in _LABEL_BYTES.items()
    }
    return _HUNDRED if fits[_HUNDRED] and not fits[_TEN] else _TEN


def _read_records(files: tuple[Path, ...], name: str, argument: str) -> Part:
    """Records of one or two bytes for labels, the class last, and 3072 for the pixels."""
    n_labels = _LABEL_BYTES[name]
    length = _PIXELS + n_labels
    counts = []
    for file in files:
        size = file.stat().st_size
        if not size or size % length:
            raise InvalidInputError(
                f"`{argument}` must hold whole files, got {file.name} of {size} bytes, not a multiple of {length}."
            )
        counts.append(size // length)
    _check_equal(files, counts, argument)
    images, labels = np.empty((sum(counts), *_SHAPE), dtype=np.uint8), np.empty(sum(counts), dtype=np.int64)
    start = 0
    for file, count in zip(files, counts, strict=True):
        try:
            records = np.fromfile(file, dtype=np.uint8, count=count * length).reshape(count, length)
        except (OSError, ValueError) as error:
            raise InvalidInputError(
                f"`{argument}` must hold files that can be read, got {file.name} ({error})."
            ) from None
        part = slice(start, start + count)
        images[part] = records[:, n_labels:].reshape(count, *_SHAPE)
        labels[part] = _checked_labels(records[:, n_labels - 1], name, file, argument)
        start += count
    return _kept(images, labels)


def _read_pickles(files: tuple[Path, ...], name: str, argument: str) -> Part:
    parts = [_read_pickle(file, name, argument) for file in files]
    _check_equal(files, [len(labels) for _, labels in parts], argument)
    images, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return _kept(images, labels)


def _read_pickle(file: Path, name: str, argument: str) -> tuple[Images, npt.NDArray[np.int64]]:
    content = read_plain_pickle(file, argument=argument)
    pixels, labels = array_in(content.get("data")), content.get("labels" if name == _TEN else "fine_labels")
    if pixels is None or pixels.ndim != 2 or pixels.shape[1] != _PIXELS or not len(pixels):
        raise InvalidInputError(
            f"`{argument}` must hold batches with data of shape (n, {_PIXELS}) and uint8, got others in {file.name}."
        )
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise InvalidInputError(f"`{argument}` must hold batches with a list of labels, got others in {file.name}.")
    if len(labels) != len(pixels):
        raise InvalidInputError(
            f"`{argument}` must hold batches with a label per image, got {len(labels)} labels and {len(pixels)} images "
            f"in {file.name}."
        )
    return pixels.reshape(-1, *_SHAPE), _checked_labels(labels, name, file, argument)


def _checked_labels(labels: Any, name: str, file: Path, argument: str) -> npt.NDArray[np.int64]:
    low, high = int(min(labels)), int(max(labels))
    if low < 0 or high > _LAST_CLASS[name]:
        raise InvalidInputError(
            f"`{argument}` must hold labels 0 to {_LAST_CLASS[name]}, got {low} to {high} in {file.name}."
        )
    return np.asarray(labels, dtype=np.int64)


def _check_equal(files: tuple[Path, ...], counts: list[int], argument: str) -> None:
    for file, count in zip(files, counts, strict=True):
        if count != counts[0]:
            raise InvalidInputError(
                f"`{argument}` must hold batches of the same number of images, got {count} in {file.name} and "
                f"{counts[0]} in {files[0].name}."
            )


def _kept(images: Images, labels: npt.NDArray[np.int64]) -> Part:
    """Read-only, so that they are kept without a copy."""
    images.flags.writeable = False
    return images, labels


def _names_of_hundred(files: CifarFiles, argument: str) -> tuple[str, ...]:
    """The names of the classes, from the file beside the images; none if it is not there."""
    place = files.pool[0].parent
    if files.binary:
        file = place / "fine_label_names.txt"
        if not file.is_file():
            return ()
        names: Any = file.read_text("utf-8", "replace").split()
    else:
        file = place / "meta"
        if not file.is_file():
            return ()
        names = read_plain_pickle(file, argument=argument).get("fine_label_names")
        if isinstance(names, list):
            names = [one.decode("latin1") if isinstance(one, bytes) else one for one in names]
    whole = isinstance(names, list) and all(isinstance(one, str) and one for one in names)
    if not whole or len(names) != 100 or len(set(names)) != 100:
        raise InvalidInputError(f"`{argument}` must hold 100 different names of classes in {file.name}, got others.")
    return tuple(names)
