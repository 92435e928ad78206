"""Folders with one subfolder of pictures per class, as Caltech-101 and many collections of one's own come."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moltheory._core._numbers import percent_text
from moltheory._core._text import few, quoted
from moltheory._core._validation import check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.images._checked import Part, checked_data, folder_name
from moltheory.images._data import ImageData, Images
from moltheory.runs import block_stream

__all__ = ["SIDE", "TEST_SHARE", "ClassFolders", "find_class_folders", "read_class_folders"]

SIDE = 32
TEST_SHARE = 0.2

_ENDINGS = (".png", ".jpg", ".jpeg")
_TRAIN, _TEST = "train", ("test", "val")
_PART_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation"}
# What a picture may have; one with more is damaged or made to fill the memory.
_MOST_PIXELS = 100_000_000
# With more bits per pixel, or none for a color, values would be cut.
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}


@dataclass(frozen=True)
class ClassFolders:
    """A folder of classes, or one for training and one to test on; None for the half that is missing."""

    place: Path
    train: Path | None
    test: Path | None

    @property
    def is_split(self) -> bool:
        """Whether there is a part of its own to test on."""
        return self.train != self.place


def find_class_folders(folder: Path) -> ClassFolders | None:
    """Return the classes in a folder, by the names in it; None if there are fewer than two."""
    train = folder / _TRAIN if _classes(folder / _TRAIN, most=1) else None
    test = next((folder / name for name in _TEST if _classes(folder / name, most=1)), None)
    if train or test:
        return ClassFolders(folder, train, test)
    return ClassFolders(folder, folder, None) if len(_classes(folder, most=2)) == 2 else None


def read_class_folders(
    found: ClassFolders, /, *, side: int = SIDE, test_share: float = TEST_SHARE, seed: int = 0, argument: str
) -> ImageData:
    """Return the pictures as RGB images of one side; without a part to test on, a share of each class is drawn.

    The largest square in the middle of a picture is kept, after the turn that a camera asks for, and resized.
    """
    check_count("side", side)
    check_fraction("test_share", test_share)
    check_count("seed", seed, low=0)
    if found.is_split:
        return _read_parts(found, side, argument)
    names = _class_names(found.place, argument)
    if set(map(str.lower, names)) <= _PART_NAMES:
        raise InvalidInputError(
            f"`{argument}` must hold one subfolder per class, got {few(names)} in {str(found.place)!r}: sort the images "
            "in each by class."
        )
    parts: tuple[list[tuple[Path, int]], list[tuple[Path, int]]] = ([], [])
    root = np.random.SeedSequence(seed)
    for label, name in enumerate(names):
        files = _pictures(found.place / name)
        if len(files) < 2:
            raise InvalidInputError(
                f"`{argument}` must hold at least two images of each class, one to train on and one to test on, got "
                f"{len(files)} in {name!r}."
            )
        n_test = min(max(round(test_share * len(files)), 1), len(files) - 1)
        order = block_stream(root, f"split of {name}").permutation(len(files))
        for part, places in zip(parts, (np.sort(order[n_test:]), np.sort(order[:n_test])), strict=True):
            part.extend((files[i], label) for i in places)
    pool, test = (_read(part, side, argument) for part in parts)
    note = f"{percent_text(test_share)} of each class drawn for the test with seed {seed}, {_resized(side)}"
    return checked_data(folder_name(found.place), pool, test, argument=argument, class_names=_decoded(names), note=note)


def _read_parts(found: ClassFolders, side: int, argument: str) -> ImageData:
    if found.train is None or found.test is None:
        there, missing = (_TEST[0], _TRAIN) if found.train is None else (_TRAIN, _TEST[0])
        raise InvalidInputError(
            f"`{argument}` must hold a folder {missing!r} beside {there!r}, got {str(found.place)!r} without: give "
            f"{there!r} itself to have it split."
        )
    names, others = _class_names(found.train, argument), _class_names(found.test, argument)
    if names != others:
        raise InvalidInputError(
            f"`{argument}` must hold the same classes in {found.train.name!r} and {found.test.name!r}, got "
            f"{few(sorted(set(names) ^ set(others)))} in one of them."
        )
    pool, test = (
        _read([(file, label) for label, name in enumerate(names) for file in _pictures(part / name)], side, argument)
        for part in (found.train, found.test)
    )
    return checked_data(
        folder_name(found.place), pool, test, argument=argument, class_names=_decoded(names), note=_resized(side)
    )


def _resized(side: int) -> str:
    return f"resized to {side} x {side}"


def _class_names(folder: Path, argument: str) -> list[str]:
    """Names of all subfolders, sorted; one without a picture is refused."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    empty = [name for name in names if not _has_picture(folder / name)]
    if empty:
        raise InvalidInputError(
            f"`{argument}` must hold PNG or JPEG images in every subfolder of {str(folder)!r}, got none in {few(empty)}."
        )
    return names


def _decoded(names: list[str]) -> tuple[str, ...]:
    return tuple(os.fsencode(name).decode("utf-8", "backslashreplace") for name in names)


def _classes(folder: Path, *, most: int) -> list[Path]:
    """The first subfolders that hold pictures themselves."""
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir() and not entry.name.startswith(".") and _has_picture(Path(entry.path)):
                    found.append(Path(entry.path))
                if len(found) == most:
                    break
    except OSError:
        # Not there, or nothing that may be read.
        return []
    return found


def _is_picture(entry: os.DirEntry[str]) -> bool:
    # A leading dot marks what other systems keep beside a file.
    return entry.name.lower().endswith(_ENDINGS) and not entry.name.startswith(".") and entry.is_file()


def _has_picture(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(map(_is_picture, entries))
    except OSError:
        return False


def _pictures(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if _is_picture(entry))


def _read(files: list[tuple[Path, int]], side: int, argument: str) -> Part:
    images = np.empty((len(files), 3, side, side), dtype=np.uint8)
    with warnings.catch_warnings():
        # Of odd but harmless notes in a file, such as a camera's.
        warnings.simplefilter("ignore")
        for i, (file, _) in enumerate(files):
            images[i] = _picture(file, side, argument)
    images.flags.writeable = False
    return images, np.array([label for _, label in files], dtype=np.int64)


def _picture(file: Path, side: int, argument: str) -> Images:
    from PIL import Image, ImageOps

    def refusal(found: str) -> InvalidInputError:
        place = quoted(f"{file.parent.name}/{file.name}")
        return InvalidInputError(f"`{argument}` must hold whole PNG or JPEG images, got {place}, {found}.")

    def opened() -> Any:
        return Image.open(file, formats=("PNG", "JPEG"))

    try:
        with opened() as image:
            if image.width * image.height > _MOST_PIXELS:
                raise refusal(f"which has {image.width} x {image.height} pixels")
            if image.mode not in _MODES:
                raise refusal(f"whose pixels are of kind {image.mode}, not 8 bits for each color")
            if image.format == "PNG":
                # Against the check sums in the file, which decoding does not look at.
                image.verify()
        with opened() as image:
            # A JPEG can be decoded at a fraction of its size.
            image.draft("RGB", (2 * side, 2 * side))
            turned = ImageOps.exif_transpose(image).convert("RGB")
            edge = min(turned.size)
            left, top = ((length - edge) // 2 for length in turned.size)
            # Cut before it is resized, so that nothing from outside shines in.
            square = turned.crop((left, top, left + edge, top + edge))
            fitted = square.resize((side, side), Image.Resampling.BILINEAR)
            return np.asarray(fitted, dtype=np.uint8).transpose(2, 0, 1)
    except InvalidInputError:
        raise
    except Exception as error:  # a damaged picture can make the decoder raise anything
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise refusal(f"which cannot be read ({reason})") from None
