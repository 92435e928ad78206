"""Which data sets a folder holds, by names, sizes and the first bytes of files, and the one that is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moltheory._core._text import joined
from moltheory.errors import InvalidInputError
from moltheory.images._checked import folder_name
from moltheory.images._cifar import find_cifar, read_cifar
from moltheory.images._class_folders import SIDE, TEST_SHARE, find_class_folders, read_class_folders
from moltheory.images._data import ImageData
from moltheory.images._idx import idx_name, load_mnist

__all__ = ["check_folder", "load_folder", "load_images"]

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
# How data sets are stored below the folder that has their name.
_INNER = ("", "raw", "cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary")


@dataclass(frozen=True)
class _Found:
    """A data set that is there: its name, its place, and how it is read, given options and the argument's name."""

    name: str
    place: Path
    read: Callable[[int, float, int, str], ImageData]


def load_images(
    folder: str | os.PathLike[str],
    /,
    *,
    prefer: Sequence[str] = (),
    side: int = SIDE,
    test_share: float = TEST_SHARE,
    seed: int = 0,
    argument: str = "folder",
) -> ImageData:
    """Return the images of a folder, or of the one of its subfolders that holds a data set.

    Accepted are the files of MNIST, Fashion-MNIST and others in the format idx, plain or with ``.gz`` (see `load_mnist`);
    of CIFAR-10 (see `load_cifar10`) and CIFAR-100, Python or binary version, or a subset in one file ``train*.bin`` and
    one ``test*.bin`` of such records; and PNG or JPEG images in one subfolder per class, or in such subfolders of
    ``train`` and ``test`` (or ``val``).

    Parameters
    ----------
    folder : path
    prefer : sequence of str
        Names of data sets, the first one first, where subfolders hold several.
    side : int
        To which images in subfolders per class are resized: the largest square in the middle of each, in RGB.
    test_share : float
        Share of each class to test on, where images in subfolders per class have no ``test``.
    seed : int
        Which of these images are drawn; the same ones for the same names of files.
    argument : str
        The caller's name of `folder`, for errors.

    Returns
    -------
    ImageData
        Under the name of a published data set only if the files say so; else under that of the folder. Arrays are
        read-only.

    Raises
    ------
    InvalidInputError
        If there is no data set or more than one and none is preferred; if a half is missing, a file is damaged,
        truncated or something else; or if a class has no image to train on.

    Notes
    -----
    Complexity: O(b) time for b bytes of files, and memory of about twice the arrays. Which data sets there are is found
    without reading them.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-Based Learning Applied to Document Recognition. H. Xiao,
    K. Rasul, R. Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747. A. Krizhevsky (2009), Learning Multiple Layers of
    Features from Tiny Images.

    Examples
    --------
    A folder with one subfolder per class:

    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "two colors"
    >>> for color in ("red", "blue"):
    ...     (folder / color).mkdir(parents=True)
    ...     for i in range(5):
    ...         Image.new("RGB", (40, 30), color).save(folder / color / f"{i}.png")
    >>> data = load_images(folder, side=16)
    >>> data.description
    'two colors (8 images to train on, 2 to test on; 20% of each class drawn for the test with seed 0, resized to 16 x 16)'
    >>> data.class_names, data.shape
    (('blue', 'red'), (3, 16, 16))
    """
    chosen = _chosen(folder, prefer, argument)
    try:
        return chosen.read(side, test_share, seed, argument)
    except OSError as error:
        raise InvalidInputError(
            f"`{argument}` must hold files that can be read, got {str(error.filename or chosen.place)!r} "
            f"({error.strerror or type(error).__name__})."
        ) from None


def load_folder(folder: str | os.PathLike[str], /) -> ImageData:
    """Return the images of a folder, as `load_images` does; the name of earlier versions."""
    return load_images(folder)


def check_folder(folder: str | os.PathLike[str], /, argument: str = "folder", *, prefer: Sequence[str] = ()) -> None:
    """Refuse a folder without a data set, or with several of which none is preferred, before anything is read."""
    _chosen(folder, prefer, argument)


def _chosen(folder: str | os.PathLike[str], prefer: Sequence[str], argument: str) -> _Found:
    root = Path(folder)
    if not os.fspath(folder) or not os.path.isdir(root):
        raise InvalidInputError(f"`{argument}` must be a folder, got {os.fspath(folder)!r}.")
    if isinstance(prefer, str):
        raise InvalidInputError(f"`prefer` must be a sequence of names, got the text {prefer!r}.")
    found = _all_found(root, argument)
    if not found:
        raise InvalidInputError(
            f"`{argument}` must hold images as MNIST (train-images-idx3-ubyte ...), CIFAR-10 or CIFAR-100 (data_batch_1 "
            f"..., or train*.bin and test*.bin), or one subfolder of PNG or JPEG files per class, got none of these in "
            f"{os.fspath(folder)!r}{_hint(root)}."
        )
    wanted = next((name for name in prefer if any(one.name == name for one in found)), None)
    left = found if wanted is None else [one for one in found if one.name == wanted]
    if len(left) > 1:
        raise InvalidInputError(
            f"`{argument}` must hold one data set, got {joined(f'{one.name} in {str(one.place)!r}' for one in left)}: "
            "give the folder of one of them."
        )
    return left[0]


def _all_found(root: Path, argument: str) -> list[_Found]:
    """Data sets in the folder itself, or else in its subfolders."""
    found = _found_in(root)
    if not found:
        try:
            below = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        except OSError as error:
            raise InvalidInputError(
                f"`{argument}` must be a folder that can be read, got {str(root)!r} ({error.strerror})."
            ) from None
        for folder in below:
            for inner in _INNER:
                found.extend(_found_in(folder / inner))
    return found


def _found_in(place: Path) -> list[_Found]:
    """Data sets whose files are in a folder itself; a few bytes are read at most."""
    found: list[_Found] = []
    # Of pathlib, older Pythons raise where the folder above may not be looked into.
    if not os.path.isdir(place):
        return found
    try:
        name = idx_name(place)
        if name is not None:
            found.append(_Found(name, place, lambda side, share, seed, argument: load_mnist(place, argument=argument)))
        cifar = find_cifar(place)
        if cifar is not None:
            found.append(
                _Found(cifar.name, place, lambda side, share, seed, argument: read_cifar(cifar, argument=argument))
            )
    except OSError:
        # A folder that may not be looked into holds nothing.
        return found
    classes = find_class_folders(place)
    if classes is not None:
        found.append(
            _Found(
                folder_name(place),
                place,
                lambda side, share, seed, argument: read_class_folders(
                    classes, side=side, test_share=share, seed=seed, argument=argument
                ),
            )
        )
    return found


def _hint(root: Path) -> str:
    """The first archive in a folder, which has to be unpacked."""
    for entry in sorted(root.iterdir()):
        if entry.name.lower().endswith(_ARCHIVES):
            return f": unpack {entry.name} first"
    return ""
