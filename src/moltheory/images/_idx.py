"""Files in the format idx, of MNIST and its successors, plain or compressed."""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moltheory.errors import InvalidInputError
from moltheory.images._checked import Part, checked_data, folder_name
from moltheory.images._data import ImageData

__all__ = ["idx_name", "load_mnist", "read_idx"]

# Far above any data set in the format idx; a header that asks for more bytes is damaged.
_MOST = 2**31
# No compressed file yields more bytes for one of its own (zlib's own limit).
_MOST_PACKED = 1040
_PARTS = ("train", "t10k")
_KINDS = (("images", 3), ("labels", 1))

# The first test labels, as published, tell data sets of one format apart: H. Xiao et al. made theirs to replace MNIST.
_FIRST_LABELS = {
    "MNIST": (7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6, 9, 0, 1, 5, 9, 7, 3, 4),
    "Fashion-MNIST": (9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1, 2, 4, 8, 0),
}
_CLASS_NAMES = {
    "MNIST": tuple("0123456789"),
    "Fashion-MNIST": (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}


def load_mnist(folder: str | os.PathLike[str], /, *, argument: str = "folder") -> ImageData:
    """Return MNIST, Fashion-MNIST or another data set in their format, the training part as the pool.

    The folder holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
    ``t10k-labels-idx1-ubyte``, each plain or with ``.gz``; a dot for the second hyphen is accepted.

    Parameters
    ----------
    folder : path
    argument : str
        The caller's name of `folder`, for errors.

    Returns
    -------
    ImageData
        MNIST and Fashion-MNIST are recognized by their first 20 test labels; any other data set has the name of its
        folder.

    Raises
    ------
    InvalidInputError
        If a file is missing, damaged, truncated or something else, or a class has no image to learn from.

    Notes
    -----
    Complexity: O(n d) time and memory for n images of d pixels; the peak is little more than the arrays.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-Based Learning Applied to Document Recognition,
    Proceedings of the IEEE 86. H. Xiao, K. Rasul, R. Vollgraf (2017), Fashion-MNIST: a Novel Image Dataset for
    Benchmarking Machine Learning Algorithms, arXiv:1708.07747.

    Examples
    --------
    >>> load_mnist("data/mnist")  # doctest: +SKIP
    ImageData(MNIST (60,000 images to train on, 10,000 to test on))
    """
    parts: list[Part] = []
    for part in _PARTS:
        arrays = []
        for kind, dimensions in _KINDS:
            file = _found(folder, part, kind, dimensions)
            if file is None:
                raise InvalidInputError(
                    f"`{argument}` must hold the four files of MNIST, got {os.fspath(folder)!r} without "
                    f"{part}-{kind}-idx{dimensions}-ubyte or its .gz."
                )
            arrays.append(read_idx(file, dimensions=dimensions, argument=argument))
        images, labels = arrays
        if len(labels) != len(images):
            raise InvalidInputError(
                f"`{argument}` must hold a label per image, got {len(labels)} labels and {len(images)} images in the "
                f"part {part!r}."
            )
        parts.append((images[:, None], labels.astype(np.int64)))
    name = _known(tuple(parts[1][1][:20].tolist())) or folder_name(Path(folder))
    return checked_data(name, *parts, argument=argument, class_names=_CLASS_NAMES.get(name, ()))


def idx_name(folder: Path) -> str | None:
    """Return the name of the data set in idx files, by reading a few bytes; None if there is no such file."""
    if not any(_found(folder, part, kind, dimensions) for part in _PARTS for kind, dimensions in _KINDS):
        return None
    file = _found(folder, "t10k", "labels", 1)
    try:
        with _opened(file) if file else open(os.devnull, "rb") as stream:
            first = tuple(stream.read(28)[8:])
    except (EOFError, OSError, zlib.error):
        # Whoever reads the whole file says what is wrong with it.
        first = ()
    return _known(first) or folder_name(folder)


def read_idx(
    path: str | os.PathLike[str], /, *, dimensions: int | None = None, argument: str = "path"
) -> npt.NDArray[np.uint8]:
    """Return the array of an idx file of unsigned bytes, compressed if its name ends in ``.gz``.

    Parameters
    ----------
    path : path
    dimensions : int, optional
        How many axes the array must have; any number by default.
    argument : str
        The caller's name of `path`, for errors.

    Returns
    -------
    numpy.ndarray of uint8
        Read-only.

    Raises
    ------
    InvalidInputError
        If the file has another number of axes, is truncated, longer than its header says, or something else.

    Notes
    -----
    The format: two bytes 0, the type (8 for unsigned bytes), the number of axes, the length of each axis in four bytes,
    the most significant one first, and the entries in C order.

    Complexity: O(b) time and memory for b entries.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "three-idx1-ubyte"
    >>> _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    >>> read_idx(file)
    array([5, 0, 4], dtype=uint8)
    """
    file = Path(path)

    def refusal(found: str) -> InvalidInputError:
        return InvalidInputError(f"`{argument}` must hold whole idx files, got {file.name}, {found}.")

    try:
        stored = file.stat().st_size
        with _opened(file) as stream:
            head = stream.read(4)
            # The third byte is the type, 8 for unsigned bytes.
            if len(head) < 4 or head[:3] != b"\0\0\x08" or not head[3]:
                raise refusal("which is no idx file of unsigned bytes")
            if dimensions is not None and head[3] != dimensions:
                raise refusal(f"which has {head[3]} axes and not {dimensions}")
            sizes = stream.read(4 * head[3])
            if len(sizes) < 4 * head[3]:
                raise EOFError
            shape = tuple(np.frombuffer(sizes, dtype=">u4").tolist())
            size = math.prod(shape)
            if not 0 < size <= _MOST or head[3] > 32:
                raise refusal(f"whose header says shape {shape}")
            if size > stored * (_MOST_PACKED if file.suffix == ".gz" else 1):
                raise EOFError
            content = np.empty(shape, dtype=np.uint8)
            _fill(stream, content)
            if stream.read(1):
                raise refusal(f"which is longer than its header says, {size} bytes")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise refusal("which is truncated or damaged") from None
    except OSError as error:
        raise refusal(f"which cannot be read ({error.strerror or error})") from None
    content.flags.writeable = False
    return content


def _opened(file: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _fill(stream: gzip.GzipFile | io.BufferedReader, array: npt.NDArray[np.uint8]) -> None:
    """Read an array's bytes, without a second copy."""
    left = array.reshape(-1).data
    while len(left):
        # In pieces: a compressed stream makes bytes of what is asked for first.
        count = stream.readinto(left[: 2**20])
        if not count:
            raise EOFError
        left = left[count:]


def _known(first: tuple[int, ...]) -> str | None:
    return next((name for name, labels in _FIRST_LABELS.items() if first == labels), None)


def _found(folder: str | os.PathLike[str], part: str, kind: str, dimensions: int) -> Path | None:
    names = (f"{part}-{kind}{mark}idx{dimensions}-ubyte{suffix}" for mark in ("-", ".") for suffix in ("", ".gz"))
    return next((Path(folder) / name for name in names if (Path(folder) / name).is_file()), None)
