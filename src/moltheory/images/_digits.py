"""Digits bundled with scikit-learn as images, plain or in random clutter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._html_repr import Shown
from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.images._data import ImageData, Images
from moltheory.runs import block_stream

__all__ = ["DATA_SETS", "Clutter", "cluttered", "digit_images"]

DATA_SETS = ("digits", "cluttered digits")

_POOL = 1000
_SIDE = 8


@dataclass(frozen=True, repr=False)
class Clutter(Shown):
    """How digits are hidden: a canvas, squares cut from other digits, and normal noise as a share of the full scale.

    Attributes
    ----------
    side : int
        Of the canvas, at least 8; the digit of side 8 stands anywhere on it.
    pieces : int
        How many squares of other digits there are on each canvas.
    piece : int
        Side of these squares, at most 8.
    noise : float
        Standard deviation of normal noise on every pixel, as a share of the full scale.

    Notes
    -----
    The defaults were chosen on the plain network alone, before any comparison at them: 28 % test error at 500 labels,
    where a canvas of 16 with four pieces of side 4 had left it near chance.

    Complexity: constant.

    Examples
    --------
    >>> Clutter(side=16).pieces
    2
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
    """Return digits at random places of larger canvases, with pieces of other digits and noise.

    Parameters
    ----------
    digits : numpy.ndarray of uint8, shape (n, 8, 8)
    others : numpy.ndarray of uint8, shape (k, 8, 8)
        From which pieces are cut.
    rng : numpy.random.Generator
    clutter : Clutter, optional

    Returns
    -------
    numpy.ndarray of uint8, shape (n, side, side)

    Raises
    ------
    InvalidInputError
        If images have another shape or type.

    Notes
    -----
    Complexity: O(n (s^2 + p)) time and memory for canvases of side s and p pieces on each.

    Examples
    --------
    >>> import numpy as np
    >>> digits = np.full((3, 8, 8), 200, dtype=np.uint8)
    >>> cluttered(digits, others=digits, rng=np.random.default_rng(0)).shape
    (3, 12, 12)
    """
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

    Parameters
    ----------
    name : {"digits", "cluttered digits"}
    root : numpy.random.SeedSequence
        Decides the split and the clutter of the test images.
    seed : int
        Decides, with `root`, the clutter of the pool: networks of one seed learn from the same images.
    clutter : Clutter, optional

    Returns
    -------
    ImageData
        Pieces of clutter come from the pool, so that test images are independent given the pool.

    Raises
    ------
    InvalidInputError
        If the name is another one.

    Notes
    -----
    Complexity: constant, 1797 images.

    References
    ----------
    E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, doi 10.24432/C50P49.

    Examples
    --------
    >>> import numpy as np
    >>> digit_images("digits", root=np.random.SeedSequence(0)).description
    'digits (1,000 images to train on, 797 to test on; from scikit-learn)'
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
    return ImageData(
        name, pool[:, None], labels[:_POOL], test[:, None], labels[_POOL:], tuple("0123456789"), "from scikit-learn"
    )


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
