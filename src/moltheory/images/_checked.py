"""What every reader of a folder does at its end: its name where nothing better is known, and checks of the whole."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moltheory._core._text import few
from moltheory.errors import InvalidInputError
from moltheory.images._data import ORIGINAL_SIZES, ImageData, Images
from moltheory.images._digits import DATA_SETS

__all__ = ["Part", "checked_data", "folder_name"]

Part = tuple[Images, npt.NDArray[np.int64]]
"""Images and their labels."""

# Folders that only say how the files are stored; the one above them has the name.
_PACKING = ("raw", "cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary")


def folder_name(place: Path) -> str:
    """Return the name of a folder for a data set that is not known; never that of one that is."""
    path = place.resolve()
    name = (path.parent if path.name in _PACKING else path).name
    # Bytes of file names that are no text have no place in a caption.
    text = os.fsencode(name).decode("utf-8", "replace") or "images"
    return f"{text} (unverified)" if text in (*ORIGINAL_SIZES, *DATA_SETS) else text


def checked_data(
    name: str, pool: Part, test: Part, *, argument: str, class_names: tuple[str, ...] = (), note: str = ""
) -> ImageData:
    """Return the data set, if both parts hold images of one shape, and classes 0, 1, ... are all there to learn from."""
    if pool[0].shape[1:] != test[0].shape[1:]:
        raise InvalidInputError(
            f"`{argument}` must hold images of one shape, got {pool[0].shape[1:]} to train on and {test[0].shape[1:]} to "
            f"test on in {name!r}."
        )
    found = np.unique(pool[1])
    n_classes = int(max(pool[1].max(), test[1].max())) + 1
    if n_classes < 2:
        raise InvalidInputError(f"`{argument}` must hold at least two classes, got one in {name!r}.")
    if class_names and n_classes > len(class_names):
        raise InvalidInputError(
            f"`{argument}` must hold labels 0 to {len(class_names) - 1}, as {name} has, got {n_classes - 1}."
        )
    missing = np.setdiff1d(np.arange(n_classes), found)
    if len(missing):
        raise InvalidInputError(
            f"`{argument}` must hold training images of every class from 0 to {n_classes - 1}, got none of "
            f"{few(missing.tolist())} in {name!r}."
        )
    return ImageData(name, *pool, *test, class_names=class_names[:n_classes], note=note)
