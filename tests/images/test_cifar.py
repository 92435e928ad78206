"""CIFAR-10 and CIFAR-100: both versions, subsets, names of classes, and files that are not whole or not plain."""

import pickle

import numpy as np
import pytest

from moltheory.images import load_cifar10, load_images
from tests.lab.tiny_images import (
    CIFAR10_CLASSES,
    old_pickle,
    record_bytes,
    write_cifar10_binary,
    write_cifar10_python,
    write_cifar10_subset,
    write_cifar100,
)

_BATCHES = {"py": write_cifar10_python, "bin": write_cifar10_binary}


def _same(data, written):
    for found, expected in zip((data.pool, data.pool_labels, data.test, data.test_labels), written, strict=True):
        assert np.array_equal(found, expected)
        assert not found.flags.writeable


@pytest.mark.parametrize("version", _BATCHES)
@pytest.mark.parametrize("inner", [False, True], ids=["itself", "inner"])
@pytest.mark.parametrize("load", [load_cifar10, load_images])
def test_cifar10(tmp_path, version, inner, load):
    written = _BATCHES[version](tmp_path / (f"cifar-10-batches-{version}" if inner else ""), n_per_batch=20)
    data = load(tmp_path)
    _same(data, written)
    assert (data.name, data.shape, data.class_names) == ("CIFAR-10", (3, 32, 32), CIFAR10_CLASSES)
    assert data.description == "CIFAR-10 (subset: 100 images to train on, 20 to test on)"


def test_a_subset_of_cifar10(tmp_path):
    written = write_cifar10_subset(tmp_path / "some", 60, 30)
    _same(load_images(tmp_path), written)
    _same(load_cifar10(tmp_path / "some"), written)
    data = load_images(tmp_path)
    assert (data.name, data.n_classes, data.is_subset) == ("CIFAR-10", 10, True)


def test_a_subset_may_have_some_classes_only(tmp_path):
    pixels = np.zeros((4, 3, 32, 32), np.uint8)
    for part in ("train", "test"):
        (tmp_path / f"{part}.bin").write_bytes(record_bytes(pixels, [0, 1, 2, 1]))
    data = load_images(tmp_path)
    assert (data.n_classes, data.class_names) == (3, CIFAR10_CLASSES[:3])


@pytest.mark.parametrize("python", [False, True])
@pytest.mark.parametrize("names", [False, True])
def test_cifar100(tmp_path, python, names, refuses):
    place = tmp_path / ("cifar-100-python" if python else "cifar-100-binary")
    written = write_cifar100(place, 60, 30, python=python)
    file = place / ("meta" if python else "fine_label_names.txt")
    if not names:
        file.unlink()
    data = load_images(tmp_path)
    _same(data, written)
    assert (data.name, data.shape, data.n_classes) == ("CIFAR-100", (3, 32, 32), 10)
    assert data.class_names == (tuple(f"fine_{i}" for i in range(10)) if names else ())
    file.write_bytes(old_pickle({b"fine_label_names": [b"a"] * 100}) if python else b"a b")
    assert "100 different names" in refuses("folder", load_images, tmp_path)


def test_all_versions_agree(tmp_path):
    one = load_cifar10(tmp_path) if write_cifar10_python(tmp_path, 20) else None
    write_cifar10_binary(tmp_path / "bin", 20)
    two = load_cifar10(tmp_path / "bin")
    assert np.array_equal(one.pool, two.pool)
    assert np.array_equal(one.test_labels, two.test_labels)
    for python in (False, True):
        write_cifar100(tmp_path / str(python), 60, 30, python=python)
    one, two = (load_images(tmp_path / str(python)) for python in (False, True))
    assert np.array_equal(one.test, two.test)
    assert np.array_equal(one.pool_labels, two.pool_labels)


def test_binary_batches_that_are_not_whole_are_refused(tmp_path, refuses):
    write_cifar10_binary(tmp_path, 20)
    file, last = tmp_path / "data_batch_3.bin", tmp_path / "test_batch.bin"
    whole, whole_last = file.read_bytes(), last.read_bytes()
    file.write_bytes(whole[:-5])
    assert "not a multiple of 3073" in refuses("folder", load_cifar10, tmp_path)
    file.write_bytes(whole[: 3 * 3073])  # cut between two images
    assert "same number of images" in refuses("folder", load_cifar10, tmp_path)
    file.write_bytes(b"")
    refuses("folder", load_cifar10, tmp_path)
    file.write_bytes(b"\x0b" + whole[1:])
    assert "labels 0 to 9" in refuses("folder", load_cifar10, tmp_path)
    file.write_bytes(whole)
    last.write_bytes(whole_last[:3073])
    assert "same number of images" in refuses("folder", load_cifar10, tmp_path)
    last.unlink()
    assert "test_batch.bin" in refuses("folder", load_cifar10, tmp_path)
    last.write_bytes(whole_last)
    file.unlink()
    assert "data_batch_3.bin" in refuses("folder", load_cifar10, tmp_path)


def test_records_that_are_not_whole_or_half_are_refused(tmp_path, refuses):
    write_cifar10_subset(tmp_path, 60, 30)
    train, test = tmp_path / "train_subset.bin", tmp_path / "test_subset.bin"
    whole = train.read_bytes()
    train.write_bytes(whole[:-1])
    assert "train_subset.bin" in refuses("folder", load_images, tmp_path)
    train.write_bytes(b"\x0b" + whole[1:])
    assert "labels 0 to 9" in refuses("folder", load_images, tmp_path)
    (tmp_path / "train_other.bin").write_bytes(whole)
    assert "one file train*.bin" in refuses("folder", load_images, tmp_path)
    train.unlink()
    test.unlink()
    assert "one file test*.bin, got none" in refuses("folder", load_images, tmp_path)
    refuses("folder", load_cifar10, tmp_path / "nothing")


def test_labels_of_a_hundred_classes_are_checked(tmp_path, refuses):
    write_cifar100(tmp_path / "bin", 60, 30)
    file = tmp_path / "bin" / "test.bin"
    whole = file.read_bytes()
    file.write_bytes(whole[:1] + b"\x64" + whole[2:])
    assert "labels 0 to 99" in refuses("folder", load_images, tmp_path)
    file.unlink()
    assert "one file test*.bin" in refuses("folder", load_images, tmp_path)
    write_cifar100(tmp_path / "py", 60, 30, python=True)
    (tmp_path / "py" / "test").unlink()
    assert "without test" in refuses("folder", load_images, tmp_path / "py")


class _Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


def _pixels_and_labels(file):
    content = pickle.loads(file.read_bytes(), encoding="bytes")
    return content[b"data"], content[b"labels"]


def test_pickles_that_are_not_whole_or_not_plain_are_refused(tmp_path, refuses):
    write_cifar10_python(tmp_path, 20)
    file = tmp_path / "data_batch_1"
    whole = file.read_bytes()
    pixels, labels = _pixels_and_labels(file)
    for content in (
        whole[:-1],
        whole[: len(whole) // 2],
        b"",
        b"hello",
        whole[:50] + b"\0" * 9 + whole[59:],
        whole * 2,
    ):
        file.write_bytes(content)
        assert "data_batch_1" in refuses("folder", load_cifar10, tmp_path)
    for wrong in (
        {b"data": pixels, b"labels": labels, b"more": _Trap()},
        {b"data": pixels.astype(float), b"labels": labels},
        {b"data": pixels.astype(object), b"labels": labels},
        {b"data": pixels[:, :-1], b"labels": labels},
        {b"data": pixels.reshape(20, 3, 1024), b"labels": labels},
        {b"data": pixels[:0], b"labels": []},
        {b"data": np.asfortranarray(pixels), b"labels": labels},
        {b"data": pixels.tobytes(), b"labels": labels},
        {b"data": pixels, b"labels": labels[:-1]},
        {b"data": pixels, b"labels": [*labels[:-1], 10]},
        {b"data": pixels, b"labels": [*labels[:-1], 10**30]},
        {b"data": pixels, b"labels": [*labels[:-1], True]},
        {b"data": pixels, b"labels": np.array(labels)},
        {b"labels": labels},
        [1, 2],
    ):
        file.write_bytes(old_pickle(wrong))
        refuses("folder", load_cifar10, tmp_path)
    file.write_bytes(old_pickle({b"x": _Trap()}))
    assert "exec" in refuses("folder", load_cifar10, tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_of_newer_versions_are_read_too(tmp_path, protocol):
    written = write_cifar10_python(tmp_path, 20)
    for i, file in enumerate(sorted(tmp_path.glob("data_batch_*"))):
        pixels, labels = _pixels_and_labels(file)
        key = (lambda name: name) if i % 2 else str.encode
        file.write_bytes(pickle.dumps({key("data"): pixels, key("labels"): labels}, protocol=protocol))
    _same(load_cifar10(tmp_path), written)


@pytest.mark.parametrize(
    "content",
    [
        # A number of a stored object that asks for 64 GiB; a change to a function; arrays made in other ways.
        b"\x80\x02}r\xff\xff\xff\xff.",
        b"\x80\x02}q\x00X\x01\x00\x00\x00ac_codecs\nencode\n}X\x01\x00\x00\x00aK\x01sbs.",
        b"\x80\x02cnumpy\nndarray\n(K\x01tR.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(c_codecs\nencode\nK\x00\x85U\x01btR.",
        b"\x80\x02cbuiltins\ngetattr\n.",
        b"\x80\x02cnumpy\ndtype\n(U\x01OK\x00K\x01tR.",
        b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93)\x81.",
    ],
)
def test_odd_programs_in_a_pickle_are_refused(tmp_path, content, refuses):
    write_cifar10_python(tmp_path, 20)
    (tmp_path / "data_batch_2").write_bytes(content)
    assert "data_batch_2" in refuses("folder", load_cifar10, tmp_path)
