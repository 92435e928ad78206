"""Growth of `moltheory.images`: files and arrays by the number of images."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np

from moltheory import images

from ._case import Work, grows
from ._inputs import folder


def pictures(n: int, *shape: int) -> Any:
    """Draw images of bytes, and labels 0 to 9 in turn."""
    return np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8), np.arange(n) % 10


def idx(array: Any) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


def records(n: int) -> bytes:
    pixels, labels = pictures(n, 3072)
    return bytes(np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1).tobytes())


@grows("images.as_rows", "images of 28 x 28 pixels", first=2000)
def _(n: int) -> Work:
    pixels, _ = pictures(n, 1, 28, 28)
    return lambda: images.as_rows(pixels)


@grows("images.balanced", "labels of 10 classes", first=50_000)
def _(n: int) -> Work:
    labels = np.arange(n) % 10
    return lambda: images.balanced(labels, 100, 0)


@grows("images.cluttered", "digits", first=1000)
def _(n: int) -> Work:
    digits, _ = pictures(n, 8, 8)
    return lambda: images.cluttered(digits, others=digits[:100], rng=np.random.default_rng(0))


@grows("images.ImageData", "images of 28 x 28 pixels, which may be written to", first=2000)
def _(n: int) -> Work:
    pixels, labels = pictures(n, 1, 28, 28)
    return lambda: images.ImageData("random", pixels, labels, pixels[:10], labels[:10])


@grows("images.read_idx", "images of 28 x 28 pixels, compressed", first=1000)
def _(n: int) -> Work:
    path = folder() / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(pictures(n, 28, 28)[0]), 1))
    return lambda: images.read_idx(path)


@grows("images.load_mnist", "images of 28 x 28 pixels", first=2000)
def _(n: int) -> Work:
    place = folder()
    for part, count in (("train", n), ("t10k", 20)):
        pixels, labels = pictures(count, 28, 28)
        (place / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels))
        (place / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels.astype(np.uint8)))
    return lambda: images.load_mnist(place)


@grows("images.load_cifar10", "images of a subset", first=500)
def _(n: int) -> Work:
    place = folder()
    (place / "train.bin").write_bytes(records(n))
    (place / "test.bin").write_bytes(records(20))
    return lambda: images.load_cifar10(place)


@grows("images.load_images", "pictures of 32 x 32 pixels in 2 subfolders", first=100)
def _(n: int) -> Work:
    from PIL import Image

    place = folder()
    for name in ("a", "b"):
        (place / name).mkdir()
        for i, pixels in enumerate(pictures(n // 2, 32, 32, 3)[0]):
            Image.fromarray(pixels).save(place / name / f"{i}.png")
    return lambda: images.load_images(place)
