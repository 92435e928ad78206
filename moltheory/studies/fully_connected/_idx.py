"""The original files of MNIST: idx, plain or compressed."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.studies.fully_connected._images import ImageData

__all__ = ["find_mnist", "load_mnist", "read_idx"]

_PARTS = ("train", "t10k")
_UNSIGNED_BYTES = 0x08
# Far above any data set in this format; a header that asks for more is damaged.
_MOST = 2**31


def load_mnist(folder: str | os.PathLike[str], /) -> ImageData:
    """Load MNIST (Y. LeCun et al., 1998), or any data set in its format, as published.

    Parameters
    ----------
    folder : path
        Holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, each plain or with ``.gz``; a dot for the second hyphen will do.

    Returns
    -------
    ImageData
        The training part as the pool.

    Raises
    ------
    InvalidInputError
        If a file is missing, truncated or something else.
    """
    arrays: list[npt.NDArray[np.uint8]] = []
    for part in _PARTS:
        for kind, dimensions in (("images", 3), ("labels", 1)):
            file = _find(Path(folder), part, kind, dimensions)
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


def find_mnist(folder: str | os.PathLike[str], /) -> Path | None:
    """Return the file of the training images, or None."""
    return _find(Path(folder), "train", "images", 3)


def read_idx(
    path: str | os.PathLike[str], /, *, dimensions: int | None = None, argument: str = "path"
) -> npt.NDArray[np.uint8]:
    """Read an idx file of unsigned bytes.

    Parameters
    ----------
    path : path
        Plain, or compressed if it ends in ``.gz``.
    dimensions : int, optional
        Refuse another number of axes.
    argument : str, default "path"
        The caller's name of it, for the message.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    InvalidInputError
        If it is truncated, longer than its header says, or something else.
    """
    file = Path(path)

    def refusal(found: str) -> InvalidInputError:
        return InvalidInputError(f"`{argument}` must hold whole idx files, got {file.name}, {found}.")

    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            head = _exactly(stream, 4)
            if head[:2] != b"\0\0" or head[2] != _UNSIGNED_BYTES or not head[3]:
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


def _find(folder: Path, part: str, kind: str, dimensions: int) -> Path | None:
    for separator in ("-", "."):
        for suffix in ("", ".gz"):
            file = folder / f"{part}-{kind}{separator}idx{dimensions}-ubyte{suffix}"
            if file.is_file():
                return file
    return None
