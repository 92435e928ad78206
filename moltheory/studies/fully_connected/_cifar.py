"""The original files of CIFAR-10, in the Python and in the binary version.

The Python version is made of pickles, which can run any code when they are read; here they are read by a reader that
knows arrays, bytes and plain containers only.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.studies.fully_connected._images import ImageData

__all__ = ["find_cifar10", "load_cifar10"]

_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin")

_Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def load_cifar10(folder: str | os.PathLike[str], /) -> ImageData:
    """Load CIFAR-10 (A. Krizhevsky, 2009) as its author published it.

    Parameters
    ----------
    folder : path
        Holds, itself or in ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, the files ``data_batch_1`` to
        ``data_batch_5`` and ``test_batch``, without a suffix (pickles of Python) or with ``.bin``.

    Returns
    -------
    ImageData
        The five batches as the pool, in their order.

    Raises
    ------
    InvalidInputError
        If a file is missing, truncated or something else. All batches must have the same number of images, as the
        originals have, so that a loss of whole images is noticed too.
    """
    found = find_cifar10(folder)
    if found is None:
        raise InvalidInputError(
            f"`folder` must hold data_batch_1 to data_batch_5 and test_batch, as pickles or with .bin, got "
            f"{os.fspath(folder)!r}."
        )
    place, suffix = found
    read: Callable[[Path], _Part] = _read_binary if suffix else _read_pickle
    parts: list[_Part] = []
    for name in _BATCHES:
        file = place / f"{name}{suffix}"
        if not file.is_file():
            raise InvalidInputError(f"`folder` must hold all six batches, got {str(place)!r} without {file.name}.")
        images, labels = read(file)
        if parts and len(labels) != len(parts[0][1]):
            raise InvalidInputError(
                f"`folder` must hold batches of the same number of images, got {len(labels)} in {file.name} and "
                f"{len(parts[0][1])} in {_BATCHES[0]}{suffix}."
            )
        parts.append((images, labels))
    pool, labels = (np.concatenate(columns) for columns in zip(*parts[:-1], strict=True))
    return ImageData("CIFAR-10", pool, labels, *parts[-1])


def find_cifar10(folder: str | os.PathLike[str], /) -> tuple[Path, str] | None:
    """Return where the first batch is and the suffix of the batches, or None."""
    for inner in _FOLDERS:
        for suffix in ("", ".bin"):
            if (Path(folder) / inner / f"{_BATCHES[0]}{suffix}").is_file():
                return Path(folder) / inner, suffix
    return None


def _read_binary(file: Path) -> _Part:
    """Records of one byte for the label and 3072 for the pixels."""
    content = file.read_bytes()
    if not content or len(content) % (_PIXELS + 1):
        raise InvalidInputError(
            f"`folder` must hold whole files, got {file.name} of {len(content)} bytes, not a multiple of {_PIXELS + 1}."
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, _PIXELS + 1)
    return _part(file, records[:, 1:].copy(), records[:, 0])


def _read_pickle(file: Path) -> _Part:
    try:
        content = _PlainUnpickler(io.BytesIO(file.read_bytes()), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can make the reader raise anything
        reason = str(error) if isinstance(error, pickle.UnpicklingError) else type(error).__name__
        raise InvalidInputError(
            f"`folder` must hold whole pickles of arrays, got {file.name}, which cannot be read ({reason})."
        ) from None
    if not isinstance(content, dict):
        raise InvalidInputError(f"`folder` must hold pickles of a dict, got {type(content).__name__} in {file.name}.")
    data, labels = (content.get(key.encode(), content.get(key)) for key in ("data", "labels"))
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != _PIXELS:
        raise InvalidInputError(
            f"`folder` must hold batches with data of shape (n, {_PIXELS}) and uint8, got others in {file.name}."
        )
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise InvalidInputError(f"`folder` must hold batches with a list of labels, got others in {file.name}.")
    return _part(file, data, np.array(labels))


def _part(file: Path, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> _Part:
    if len(labels) != len(pixels) or not len(labels):
        raise InvalidInputError(
            f"`folder` must hold batches with a label per image, got {len(labels)} labels and {len(pixels)} images in "
            f"{file.name}."
        )
    if labels.min() < 0 or labels.max() > 9:
        raise InvalidInputError(
            f"`folder` must hold labels 0 to 9, got {int(labels.min())} to {int(labels.max())} in {file.name}."
        )
    return pixels.reshape(-1, *_SHAPE), labels.astype(np.int64)


class _PlainUnpickler(pickle.Unpickler):
    """Reads arrays, bytes and plain containers; refuses every other name, so that no code can run."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _empty_array
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return _plain_dtype
        if (module, name) == ("_codecs", "encode"):
            return _latin_bytes
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _empty_array(kind: Any, shape: Any, code: Any) -> npt.NDArray[np.uint8]:
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("it holds an array of an unknown kind")
    return np.ndarray((0,), dtype=np.uint8)


def _plain_dtype(code: Any, *flags: Any) -> np.dtype[Any]:
    # Anything but bytes, and objects above all, has no place in an image.
    if code not in ("u1", b"u1"):
        raise pickle.UnpicklingError("it holds an array that is not of uint8")
    return np.dtype(np.uint8)


def _latin_bytes(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("it holds text of an unknown kind")
    return text.encode("latin1")
