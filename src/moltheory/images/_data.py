"""Labelled images: a pool to learn from, and images to test on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._html_repr import Shown
from moltheory._core._numbers import count_text
from moltheory._core._text import plural
from moltheory._core._validation import as_readonly, check_names
from moltheory.errors import InvalidInputError

__all__ = ["ORIGINAL_SIZES", "ImageData", "Images"]

Images = npt.NDArray[np.uint8]
"""(n, channels, height, width)."""

ORIGINAL_SIZES = {
    "MNIST": (60_000, 10_000),
    "Fashion-MNIST": (60_000, 10_000),
    "CIFAR-10": (50_000, 10_000),
    "CIFAR-100": (50_000, 10_000),
}
"""Images to train on and to test on, as published."""

_Array = TypeVar("_Array", bound=npt.NDArray[Any])


@dataclass(frozen=True, eq=False, repr=False)
class ImageData(Shown):
    """Labelled images: a pool to learn from, of which an experiment may use a part, and images to test on.

    Attributes
    ----------
    name : str
        Of the data set.
    pool : numpy.ndarray of uint8, shape (n, channels, height, width)
        Images to train on, read-only.
    pool_labels : numpy.ndarray of int, shape (n,)
        Their classes, counted from 0.
    test : numpy.ndarray of uint8, shape (n_test, channels, height, width)
    test_labels : numpy.ndarray of int, shape (n_test,)
    class_names : tuple of str, optional
        One name for each class, or none at all.
    note : str, optional
        What else a caption must say of the images, such as how they were split.

    Raises
    ------
    InvalidInputError
        If shapes, types, labels or names do not fit together.

    Notes
    -----
    Complexity: O(n) for n labels; images are copied unless they are read-only already.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.zeros((20, 1, 28, 28), dtype=np.uint8)
    >>> data = ImageData("MNIST", images, np.arange(20) % 10, images[:10], np.arange(10))
    >>> data.description
    'MNIST (subset: 20 images to train on, 10 to test on)'
    >>> data.shape, data.n_classes
    ((1, 28, 28), 10)
    """

    name: str
    pool: Images
    pool_labels: npt.NDArray[np.int64]
    test: Images
    test_labels: npt.NDArray[np.int64]
    class_names: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInputError(f"`name` must be a text, got {self.name!r}.")
        for kind in ("pool", "test"):
            images, labels = np.asarray(getattr(self, kind)), np.asarray(getattr(self, f"{kind}_labels"))
            if images.dtype != np.uint8 or images.ndim != 4 or images.size == 0:
                raise InvalidInputError(
                    f"`{kind}` must be a (n, channels, height, width) array of uint8, got {images.dtype} "
                    f"{images.shape}."
                )
            if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or labels.min() < 0:
                raise InvalidInputError(f"`{kind}_labels` must be {len(images)} integers >= 0, got others.")
            object.__setattr__(self, kind, _frozen(images))
            object.__setattr__(self, f"{kind}_labels", _frozen(labels.astype(np.int64)))
        if self.pool.shape[1:] != self.test.shape[1:]:
            raise InvalidInputError(
                f"`test` must hold images of shape {self.pool.shape[1:]}, as the pool does, got {self.test.shape[1:]}."
            )
        if self.class_names:
            names = check_names("class_names", self.class_names, length=self.n_classes, stem="")
            object.__setattr__(self, "class_names", names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image: (channels, height, width)."""
        channels, height, width = self.pool.shape[1:]
        return channels, height, width

    @property
    def n_classes(self) -> int:
        """Largest label plus 1."""
        return int(max(self.pool_labels.max(), self.test_labels.max())) + 1

    @property
    def is_subset(self) -> bool:
        """Whether the data set was published with other numbers of images; False for one that is not known."""
        sizes = (len(self.pool), len(self.test))
        return sizes != ORIGINAL_SIZES.get(self.name, sizes)

    @property
    def description(self) -> str:
        """The name, how many images there are and the note, for captions."""
        note = f"; {self.note}" if self.note else ""
        return f"{self.name} ({'subset: ' if self.is_subset else ''}{self._sizes}{note})"

    @property
    def _sizes(self) -> str:
        return f"{count_text(len(self.pool))} images to train on, {count_text(len(self.test))} to test on"

    def _line(self) -> str:
        return f"{type(self).__name__}({self.description})"

    def _card(self) -> Card:
        channels, height, width = self.shape
        facts: list[tuple[str, Any]] = [
            ("images", self._sizes),
            ("of one image", f"{plural(channels, 'channel')}, {height} x {width} pixels"),
            ("classes", self.n_classes),
        ]
        if self.class_names:
            facts.append(("names of classes", ", ".join(self.class_names)))
        if self.note:
            facts.append(("note", self.note))
        return Card(type(self).__name__, self.name, facts, code=("as_rows(data.pool)",))


def _frozen(array: _Array) -> _Array:
    """Return a read-only array: itself, where nothing can write to its memory through the array that owns it either."""
    owner = array.base
    if not array.flags.writeable and isinstance(owner, np.ndarray) and not owner.flags.writeable and owner.base is None:
        return array
    return as_readonly(array)
