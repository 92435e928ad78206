"""Original files of CIFAR-10 (Python and binary version) and MNIST (idx, plain or compressed) in a folder.

The Python version of CIFAR-10 consists of pickles, which can run any code when they are read; here a reader accepts
arrays of bytes, bytes and plain containers only.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import pickle
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.studies.fully_connected._images import ImageData

__all__ = ["check_folder", "load_cifar10", "load_folder", "load_mnist", "read_idx"]

_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
_PIXELS = 3 * 32 * 32
_FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin")
# Far above any data set in the format idx; a header that asks for more bytes is damaged.
_MOST = 2**31

_Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def load_folder(folder: str | os.PathLike[str], /) -> ImageData:
    """Return the images of CIFAR-10 or MNIST from a folder, whichever is there; see `load_cifar10` and `load_mnist`."""
    check_folder(folder)
    return load_mnist(folder) if _find_cifar10(folder) is None else load_cifar10(folder)


def check_folder(folder: str | os.PathLike[str], /, argument: str = "folder") -> None:
    """Refuse a folder without such files, before anything is read; `argument` is the caller's name of it."""
    if _find_cifar10(folder) is None and _find_idx(folder, "train", "images", 3) is None:
        raise InvalidInputError(
            f"`{argument}` must hold the unpacked files of CIFAR-10 (data_batch_1 ... or data_batch_1.bin ...) or MNIST "
            f"(train-images-idx3-ubyte ...), got {os.fspath(folder)!r}."
        )


def load_cifar10(folder: str | os.PathLike[str], /) -> ImageData:
    """Return CIFAR-10 (A. Krizhevsky, 2009) from the files that its author published, the five batches as the pool.

    The folder holds, itself or in ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, the files ``data_batch_1`` to
    ``data_batch_5`` and ``test_batch``, without a suffix (pickles of Python) or with ``.bin``. A file that is missing,
    truncated or something else is refused. All batches must have the same number of images, as the originals have, so
    that a loss of whole images is noticed too.
    """
    found = _find_cifar10(folder)
    if found is None:
        raise InvalidInputError(
            f"`folder` must hold data_batch_1 to data_batch_5 and test_batch, as pickles or with .bin, got "
            f"{os.fspath(folder)!r}."
        )
    place, suffix = found
    parts: list[_Part] = []
    for name in _BATCHES:
        file = place / f"{name}{suffix}"
        if not file.is_file():
            raise InvalidInputError(f"`folder` must hold all six batches, got {str(place)!r} without {file.name}.")
        parts.append(_cifar_part(file, *(_read_binary(file) if suffix else _read_pickle(file))))
        if len(parts[-1][1]) != len(parts[0][1]):
            raise InvalidInputError(
                f"`folder` must hold batches of the same number of images, got {len(parts[-1][1])} in {file.name} and "
                f"{len(parts[0][1])} in {_BATCHES[0]}{suffix}."
            )
    pool, labels = (np.concatenate(columns) for columns in zip(*parts[:-1], strict=True))
    return ImageData("CIFAR-10", pool, labels, *parts[-1])


def load_mnist(folder: str | os.PathLike[str], /) -> ImageData:
    """Return MNIST (Y. LeCun et al., 1998), or any data set in its format, the training part as the pool.

    The folder holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
    ``t10k-labels-idx1-ubyte``, each plain or with ``.gz``; a dot for the second hyphen is accepted.
    """
    arrays: list[npt.NDArray[np.uint8]] = []
    for part in ("train", "t10k"):
        for kind, dimensions in (("images", 3), ("labels", 1)):
            file = _find_idx(folder, part, kind, dimensions)
            if file is None:
                raise InvalidInputError(
                    f"`folder` must hold the four files of MNIST, got {os.fspath(folder)!r} without "
                    f"{part}-{kind}-idx{dimensions}-ubyte or its .gz."
                )
            arrays.append(read_idx(file, dimensions=dimensions, argument="folder"))
        if len(arrays[-1]) != len(arrays[-2]):
            raise InvalidInputError(
                f"`folder` must hold a label per image, got {len(arrays[-1])} labels and {len(arrays[-2])} images in "
                f"the part {part!r}."
            )
    pool, pool_labels, test, test_labels = arrays
    return ImageData("MNIST", pool[:, None], pool_labels.astype(np.int64), test[:, None], test_labels.astype(np.int64))


def read_idx(
    path: str | os.PathLike[str], /, *, dimensions: int | None = None, argument: str = "path"
) -> npt.NDArray[np.uint8]:
    """Return the array of an idx file of unsigned bytes, compressed if its name ends in ``.gz``.

    A file of another number of `dimensions`, or one that is truncated, longer than its header says or something else,
    is refused; `argument` is the caller's name of it.
    """
    file = Path(path)

    def refusal(found: str) -> InvalidInputError:
        return InvalidInputError(f"`{argument}` must hold whole idx files, got {file.name}, {found}.")

    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            head = _exactly(stream, 4)
            # The third byte is the type, 8 for unsigned bytes.
            if head[:3] != b"\0\0\x08" or not head[3]:
                raise refusal("which is no idx file of unsigned bytes")
            if dimensions is not None and head[3] != dimensions:
                raise refusal(f"which has {head[3]} axes and not {dimensions}")
            shape = tuple(np.frombuffer(_exactly(stream, 4 * head[3]), dtype=">u4").tolist())
            size = math.prod(shape)
            if not 0 < size <= _MOST:
                raise refusal(f"whose header says shape {shape}")
            content = _exactly(stream, size)
            if stream.read(1):
                raise refusal(f"which is longer than its header says, {size} bytes")
    except (EOFError, zlib.error):
        raise refusal("which is truncated or damaged") from None
    except InvalidInputError:
        raise
    except OSError as error:
        raise refusal(f"which cannot be read ({error})") from None
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _exactly(stream: IO[bytes] | Any, size: int) -> bytes:
    content = bytes(stream.read(size))
    if len(content) != size:
        raise EOFError
    return content


def _find_idx(folder: str | os.PathLike[str], part: str, kind: str, dimensions: int) -> Path | None:
    names = (f"{part}-{kind}{mark}idx{dimensions}-ubyte{suffix}" for mark in ("-", ".") for suffix in ("", ".gz"))
    return next((Path(folder) / name for name in names if (Path(folder) / name).is_file()), None)


def _find_cifar10(folder: str | os.PathLike[str]) -> tuple[Path, str] | None:
    """Where the first batch is and the suffix of the batches, or None."""
    for inner in _FOLDERS:
        for suffix in ("", ".bin"):
            if (Path(folder) / inner / f"{_BATCHES[0]}{suffix}").is_file():
                return Path(folder) / inner, suffix
    return None


def _cifar_part(file: Path, pixels: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> _Part:
    if len(labels) != len(pixels) or not len(labels):
        raise InvalidInputError(
            f"`folder` must hold batches with a label per image, got {len(labels)} labels and {len(pixels)} images in "
            f"{file.name}."
        )
    if labels.min() < 0 or labels.max() > 9:
        raise InvalidInputError(
            f"`folder` must hold labels 0 to 9, got {int(labels.min())} to {int(labels.max())} in {file.name}."
        )
    return pixels.reshape(-1, 3, 32, 32), labels.astype(np.int64)


def _read_binary(file: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
    """Records of one byte for the label and 3072 for the pixels."""
    content = file.read_bytes()
    if not content or len(content) % (_PIXELS + 1):
        raise InvalidInputError(
            f"`folder` must hold whole files, got {file.name} of {len(content)} bytes, not a multiple of {_PIXELS + 1}."
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, _PIXELS + 1)
    return records[:, 1:].copy(), records[:, 0]


def _read_pickle(file: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
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
    return data, np.array(labels)


class _PlainUnpickler(pickle.Unpickler):
    """Reads arrays of bytes, bytes and plain containers; refuses every other name, so that no code can run."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _empty_array
        safe = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): _plain_dtype, ("_codecs", "encode"): _latin_bytes}
        if (module, name) not in safe:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return safe[module, name]


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
