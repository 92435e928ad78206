"""Labelled images: digits, digits in random clutter, or any others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import as_readonly, check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.runs import block_stream

__all__ = ["DATA_SETS", "Clutter", "ImageData", "cluttered", "digit_images"]

Images = npt.NDArray[np.uint8]

DATA_SETS = ("digits", "cluttered digits")

_POOL = 1000
_SIDE = 8


@dataclass(frozen=True, eq=False)
class ImageData:
    """A pool of labelled images, of which a budget is used, and images to test on: (n, channels, height, width) of uint8."""

    name: str
    pool: Images
    pool_labels: npt.NDArray[np.int64]
    test: Images
    test_labels: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        for kind in ("pool", "test"):
            images, labels = np.asarray(getattr(self, kind)), np.asarray(getattr(self, f"{kind}_labels"))
            if images.dtype != np.uint8 or images.ndim != 4 or images.size == 0:
                raise InvalidInputError(
                    f"`{kind}` must be a (n, channels, height, width) array of uint8, got {images.dtype} "
                    f"{images.shape}."
                )
            if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or labels.min() < 0:
                raise InvalidInputError(f"`{kind}_labels` must be {len(images)} integers >= 0, got others.")
            object.__setattr__(self, kind, as_readonly(images))
            object.__setattr__(self, f"{kind}_labels", as_readonly(labels.astype(np.int64)))
        if self.pool.shape[1:] != self.test.shape[1:]:
            raise InvalidInputError(f"`test` must hold images of shape {self.pool.shape[1:]}, got others.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image: (channels, height, width)."""
        channels, height, width = self.pool.shape[1:]
        return channels, height, width

    @property
    def n_classes(self) -> int:
        """Largest label plus 1."""
        return int(max(self.pool_labels.max(), self.test_labels.max())) + 1


@dataclass(frozen=True)
class Clutter:
    """How digits are hidden: a canvas, squares cut from other digits, and normal noise as a share of the full scale.

    The digit of side 8 stands anywhere on a canvas of side 8 or more; pieces have a side of at most 8. The defaults
    were chosen on the plain network alone, before any comparison at them: 28 % test error at 500 labels, where a
    canvas of 16 with four pieces of side 4 had left it near chance.
    """

    side: int = 12
    pieces: int = 2
    piece: int = 3
    noise: float = 0.1

    def __post_init__(self) -> None:
        check_count("side", self.side, low=_SIDE)
        check_count("pieces", self.pieces, low=0)
        if check_count("piece", self.piece) > _SIDE:
            raise InvalidInputError(f"`piece` must be at most {_SIDE}, got {self.piece}.")
        check_real("noise", self.noise, low=0.0)


def cluttered(digits: Images, /, *, others: Images, rng: np.random.Generator, clutter: Clutter | None = None) -> Images:
    """Return digits (n, 8, 8) at random places of larger canvases (n, side, side), with pieces of `others` and noise."""
    how = Clutter() if clutter is None else clutter
    for name, value in (("digits", digits), ("others", others)):
        if value.dtype != np.uint8 or value.ndim != 3 or value.shape[1:] != (_SIDE, _SIDE) or not len(value):
            raise InvalidInputError(
                f"`{name}` must be a (n, {_SIDE}, {_SIDE}) array of uint8, got {value.dtype} {value.shape}."
            )
    canvas = np.zeros((len(digits), how.side, how.side), dtype=np.float64)
    for _ in range(how.pieces):
        corner = rng.integers(_SIDE - how.piece + 1, size=(2, len(digits)))
        down, right = _square(corner, how.piece)
        _paste(canvas, others[rng.integers(len(others), size=len(digits))[:, None, None], down, right], rng)
    _paste(canvas, digits, rng)
    canvas += rng.normal(scale=how.noise * 255.0, size=canvas.shape)
    found: Images = np.rint(canvas.clip(0.0, 255.0)).astype(np.uint8)
    return found


def digit_images(
    name: str, /, *, root: np.random.SeedSequence, seed: int = 0, clutter: Clutter | None = None
) -> ImageData:
    """Return the digits bundled with scikit-learn, 1000 in the pool and 797 to test on, plain or in clutter.

    `root` decides the split and the clutter of the test images, with `seed` also the clutter of the pool: networks of
    one seed learn from the same images. Pieces of clutter come from the pool, so that test images are independent
    given the pool. Source of the digits: E. Alpaydin and C. Kaynak (1998), doi 10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    check_choice("name", name, DATA_SETS)
    found = load_digits()
    pixels = np.rint(found.images * (255.0 / 16.0)).astype(np.uint8)
    order = block_stream(root, "split of digits").permutation(len(pixels))
    pool, test = pixels[order[:_POOL]], pixels[order[_POOL:]]
    labels = found.target[order].astype(np.int64)
    if name == "cluttered digits":
        streams = block_stream(root, "clutter of the pool", seed), block_stream(root, "clutter of the test images")
        pool, test = (
            cluttered(images, others=pool, rng=rng, clutter=clutter)
            for images, rng in zip((pool, test), streams, strict=True)
        )
    return ImageData(name, pool[:, None], labels[:_POOL], test[:, None], labels[_POOL:])


def _square(corners: npt.NDArray[np.int64], size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns (n, size, 1) and (n, 1, size) of squares with these corners (2, n)."""
    steps = np.arange(size)
    return corners[0][:, None, None] + steps[:, None], corners[1][:, None, None] + steps


def _paste(canvas: npt.NDArray[np.float64], patches: Images, rng: np.random.Generator) -> None:
    """Put a patch at a random place of each image; of two pixels the brighter one is kept."""
    n, size = patches.shape[:2]
    down, right = _square(rng.integers(canvas.shape[1] - size + 1, size=(2, n)), size)
    place = (np.arange(n)[:, None, None], down, right)
    canvas[place] = np.maximum(canvas[place], patches)
