"""MNIST and its successors: the format, names by content, and files that are not whole."""

import gzip

import numpy as np
import pytest

from moltheory.images import load_images, load_mnist, read_idx
from tests.lab.tiny_images import FIRST_LABELS, idx_bytes, write_mnist

_FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("load", [load_mnist, load_images])
def test_files_are_read(tmp_path, compressed, separator, load):
    written = write_mnist(tmp_path, 60, 30, side=9, compressed=compressed, separator=separator)
    data = load(tmp_path)
    assert (data.name, data.shape, data.n_classes) == ("MNIST", (1, 9, 9), 10)
    assert data.class_names == tuple("0123456789")
    for found, expected in zip((data.pool, data.pool_labels, data.test, data.test_labels), written, strict=True):
        assert np.array_equal(found, expected)
        assert not found.flags.writeable
    assert data.description == "MNIST (subset: 60 images to train on, 30 to test on)"


@pytest.mark.parametrize("name", FIRST_LABELS)
def test_published_sets_are_known_by_their_first_test_labels(tmp_path, name):
    write_mnist(tmp_path / "any", 60, 30, like=name)
    data = load_images(tmp_path)
    assert data.name == name
    assert len(data.class_names) == 10
    assert data.is_subset
    # 19 labels could be those of something else.
    write_mnist(tmp_path / "few", 60, 19, like=name)
    assert load_images(tmp_path / "few").name == "few"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("letters", "letters"),
        ("MNIST", "MNIST (unverified)"),
        ("digits", "digits (unverified)"),
        ("KMNIST/raw", "KMNIST"),
    ],
)
def test_other_sets_have_the_name_of_their_folder(tmp_path, folder, name):
    write_mnist(tmp_path / folder, 60, 30, like=None)
    data = load_images(tmp_path / folder)
    assert (data.name, data.class_names, data.is_subset) == (name, (), False)
    assert data.description == f"{name} (60 images to train on, 30 to test on)"
    assert load_images(tmp_path).name == name


def test_idx_files_that_are_not_whole_are_refused(tmp_path, rng, refuses):
    array = rng.integers(256, size=(3, 4, 5), dtype=np.uint8)
    whole, file, packed = idx_bytes(array), tmp_path / "x", tmp_path / "x.gz"
    file.write_bytes(whole)
    assert np.array_equal(read_idx(file), array)
    big = b"\0\0\x08\x03" + b"\xff" * 12
    floats = b"\0\0\x0d\x03" + whole[4:]
    for content in (whole[:-1], whole[:10], whole[:3], b"", whole + b"\0", b"hello" * 20, big, floats, bytes(4)):
        file.write_bytes(content)
        assert "x" in refuses("path", read_idx, file)
        packed.write_bytes(gzip.compress(content))
        refuses("path", read_idx, packed)
    squeezed = gzip.compress(whole)
    for content in (squeezed[:-4], squeezed[: len(squeezed) // 2], whole, b"", squeezed[:15] + b"\0\0" + squeezed[17:]):
        packed.write_bytes(content)
        refuses("path", read_idx, packed)
    refuses("path", read_idx, tmp_path / "missing")
    refuses("path", read_idx, tmp_path)
    file.write_bytes(whole)
    assert "3 axes and not 1" in refuses("path", read_idx, file, dimensions=1)


def test_a_header_cannot_ask_for_memory_that_the_file_does_not_fill(tmp_path, refuses):
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(b"\0\0\x08\x01" + (2**31 - 1).to_bytes(4, "big") + bytes(1000)))
    assert "truncated" in refuses("path", read_idx, file)
    file.write_bytes(gzip.compress(b"\0\0\x08\xff" + (1).to_bytes(4, "big") * 255 + b"\0"))
    refuses("path", read_idx, file)
    # What compresses best is still read.
    file.write_bytes(gzip.compress(idx_bytes(np.zeros((1000, 28, 28), np.uint8))))
    assert not read_idx(file).any()


@pytest.mark.parametrize("missing", _FILES)
def test_a_missing_file_is_named(tmp_path, missing, refuses):
    write_mnist(tmp_path, 60, 30, compressed=False)
    (tmp_path / missing).unlink()
    assert missing in refuses("folder", load_images, tmp_path)
    assert missing in refuses("data", lambda: load_images(tmp_path, argument="data"))


def test_folders_that_do_not_fit_are_refused(tmp_path, refuses):
    images, labels, *_ = write_mnist(tmp_path, 60, 30, compressed=False)
    test_labels, test_images = tmp_path / "t10k-labels-idx1-ubyte", tmp_path / "t10k-images-idx3-ubyte"
    before = test_labels.read_bytes(), test_images.read_bytes()
    test_labels.write_bytes(idx_bytes(labels.astype(np.uint8)))
    assert "a label per image" in refuses("folder", load_mnist, tmp_path)
    test_labels.write_bytes(idx_bytes(np.full(30, 200, np.uint8)))
    assert "every class from 0 to 200" in refuses("folder", load_mnist, tmp_path)
    # Twenty labels make it MNIST, which has no class 10.
    test_labels.write_bytes(before[0][:-1] + bytes([10]))
    assert "labels 0 to 9" in refuses("folder", load_mnist, tmp_path)
    test_labels.write_bytes(before[0])
    test_images.write_bytes(idx_bytes(images[:30, 0, :20]))
    assert "one shape" in refuses("folder", load_mnist, tmp_path)
    test_images.write_bytes(before[1])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.ones(60, np.uint8)))
    assert "every class" in refuses("folder", load_mnist, tmp_path)
    for part, n in (("train", 60), ("t10k", 30)):
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(n, np.uint8)))
    assert "at least two classes" in refuses("folder", load_mnist, tmp_path)
    (tmp_path / "empty").mkdir()
    assert "four files of MNIST" in refuses("folder", load_mnist, tmp_path / "empty")
