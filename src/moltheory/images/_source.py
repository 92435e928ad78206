"""Where the images of an experiment come from: a folder, or the digits of scikit-learn; read once per process."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moltheory._core._html_repr import Shown
from moltheory._core._validation import check_count
from moltheory.errors import InvalidInputError
from moltheory.images._class_folders import SIDE
from moltheory.images._data import ImageData
from moltheory.images._digits import digit_images
from moltheory.images._find import check_folder, load_images
from moltheory.runs import fingerprint

__all__ = ["ImageSource"]


@dataclass(frozen=True, repr=False)
class ImageSource(Shown):
    """Where images come from: small enough to be sent to other processes, which read the files themselves.

    Attributes
    ----------
    folder : str, optional
        See `load_images`; the digits of scikit-learn if it is left out.
    prefer : tuple of str
        See `load_images`.
    seed : int
        Of the split of the digits, or of images in subfolders per class, into a pool and test images; other folders bring
        their own.
    side : int
        See `load_images`.

    Notes
    -----
    Images are kept in memory, for the last four sources of each process.

    Complexity: that of `load_images` when first asked for, nothing afterwards; `identity` passes once over all bytes.

    Examples
    --------
    >>> source = ImageSource.of(None)
    >>> source.load().description
    'digits (1,000 images to train on, 797 to test on; from scikit-learn)'
    >>> sorted(source.identity())
    ['data', 'digest']
    """

    folder: str | None = None
    prefer: tuple[str, ...] = ()
    seed: int = 0
    side: int = SIDE

    def __post_init__(self) -> None:
        check_count("seed", self.seed, low=0)
        check_count("side", self.side)
        # A list would not do as a key.
        object.__setattr__(self, "prefer", tuple(self.prefer))

    @classmethod
    def of(
        cls, data: str | os.PathLike[str] | None, /, *, prefer: tuple[str, ...] = (), seed: int = 0, side: int = SIDE
    ) -> ImageSource:
        """Return the source for the argument `data` of a caller, refused if it is no folder with one data set.

        Files are not read yet.
        """
        if data is None:
            return cls(None, prefer, seed, side)
        if not isinstance(data, str | os.PathLike):
            raise InvalidInputError(f"`data` must be a folder, got {type(data).__name__}.")
        check_folder(data, "data", prefer=prefer)
        return cls(os.fspath(Path(data).resolve()), prefer, seed, side)

    def load(self) -> ImageData:
        """Return the images."""
        return _load(self)

    def identity(self) -> dict[str, str]:
        """Return what a run record keeps of the images: their name and a digest of all of them."""
        return {"data": self.load().name, "digest": _digest(self)}


@functools.lru_cache(maxsize=4)
def _load(source: ImageSource) -> ImageData:
    if source.folder is None:
        return digit_images("digits", root=np.random.SeedSequence(source.seed))
    return load_images(source.folder, prefer=source.prefer, side=source.side, seed=source.seed, argument="data")


@functools.lru_cache(maxsize=4)
def _digest(source: ImageSource) -> str:
    data = source.load()
    return fingerprint([data.pool, data.pool_labels, data.test, data.test_labels])
