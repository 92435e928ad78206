"""A folder with the original files of a data set, whichever it is."""

from __future__ import annotations

import os

from moltheory.errors import InvalidInputError
from moltheory.studies.fully_connected._cifar import find_cifar10, load_cifar10
from moltheory.studies.fully_connected._idx import find_mnist, load_mnist
from moltheory.studies.fully_connected._images import ImageData

__all__ = ["check_folder", "load_folder"]


def load_folder(folder: str | os.PathLike[str], /) -> ImageData:
    """Load the original files of CIFAR-10 or MNIST from a folder, whichever is there.

    Parameters
    ----------
    folder : path
        Holds, itself or in a folder in it, the Python or binary version of CIFAR-10 (see `load_cifar10`) or the idx
        files of MNIST (see `load_mnist`).

    Returns
    -------
    ImageData

    Raises
    ------
    InvalidInputError
        If neither is there, or a file is truncated or something else.
    """
    check_folder(folder)
    return load_mnist(folder) if find_cifar10(folder) is None else load_cifar10(folder)


def check_folder(folder: str | os.PathLike[str], /, argument: str = "folder") -> None:
    """Refuse a folder without such files, before anything is read; `argument` is the caller's name of it."""
    if find_cifar10(folder) is None and find_mnist(folder) is None:
        raise InvalidInputError(
            f"`{argument}` must hold the unpacked files of CIFAR-10 (data_batch_1 ... or data_batch_1.bin ...) or MNIST "
            f"(train-images-idx3-ubyte ...), got {os.fspath(folder)!r}."
        )
