"""Bytes changed or lost at random: refused with one sentence, or read as what they are, and nothing else ever happens."""

import gzip
import zlib

import numpy as np
import pytest

from moltheory.errors import MoltheoryError
from moltheory.images import load_images
from tests.lab import tiny_images as tiny

# By format: how a folder is written, and whether check sums or a strict reader leave only the right images.
_FORMATS = {
    "idx": (lambda folder: tiny.write_mnist(folder, 40, 20, side=4, compressed=False), False),
    "idx.gz": (lambda folder: tiny.write_mnist(folder, 40, 20, side=4), True),
    "batches": (lambda folder: tiny.write_cifar10_binary(folder, 10), False),
    "pickles": (lambda folder: tiny.write_cifar10_python(folder, 10), False),
    "records": (lambda folder: tiny.write_cifar10_subset(folder, 20, 10), False),
    "hundred": (lambda folder: tiny.write_cifar100(folder, 20, 10), False),
    "hundred pickles": (lambda folder: tiny.write_cifar100(folder, 20, 10, python=True), False),
    "png": (lambda folder: tiny.write_class_folders(folder, n_per_class=3, side=8), True),
    "jpg": (lambda folder: tiny.write_class_folders(folder, n_per_class=3, side=8, kind="jpg"), False),
}


def _damaged(content, rng):
    """A file after one accident: cut, bytes changed, a piece lost, doubled, or replaced by something else."""
    kind, at = rng.integers(6), int(rng.integers(len(content)))
    # Most of what decides stands at the beginning.
    near = int(rng.integers(min(len(content), 200)))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:near] + bytes([content[near] ^ (1 << int(rng.integers(8)))]) + content[near + 1 :]
    if kind == 2:
        return content[:at] + rng.bytes(4) + content[at + 4 :]
    if kind == 3:
        return content[:near] + content[near + int(rng.integers(1, 9)) :]
    if kind == 4:
        return content + content[at:]
    return rng.bytes(int(rng.integers(300)))


@pytest.mark.parametrize("kind", _FORMATS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_damaged_files(tmp_path, kind, seed):
    write, is_certain = _FORMATS[kind]
    write(tmp_path)
    whole = load_images(tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    rng = np.random.default_rng([seed, *kind.encode()])
    refusals = []
    for _ in range(1500 if seed else 60):
        file = files[rng.integers(len(files))]
        before = file.read_bytes()
        file.write_bytes(_damaged(before, rng))
        try:
            found = load_images(tmp_path)
        except MoltheoryError as error:
            refusals.append(str(error))
        else:
            assert found.shape[0] in (1, 3)
            assert len(found.pool) == len(found.pool_labels)
            if is_certain:
                assert np.array_equal(found.pool, whole.pool)
                assert np.array_equal(found.test_labels, whole.test_labels)
        file.write_bytes(before)
    assert len(refusals) > 10
    for sentence in refusals:
        assert sentence.startswith("`folder` must hold ")
        assert sentence.endswith(".")
        assert "\n" not in sentence
    assert np.array_equal(load_images(tmp_path).pool, whole.pool)


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_every_cut_of_an_idx_file_is_refused(tmp_path, kind, refuses):
    tiny.write_mnist(tmp_path, 20, 20, side=2, compressed=kind == "packed")
    (file,) = tmp_path.glob("train-images*")
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert "train-images" in refuses("folder", load_images, tmp_path)


def test_compressed_files_that_grow_without_end_are_not_unpacked(tmp_path, refuses):
    tiny.write_mnist(tmp_path, 20, 20, side=2)
    (file,) = tmp_path.glob("train-images*")
    head = gzip.decompress(file.read_bytes())[:16]
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = packer.compress(head) + b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    file.write_bytes(content)
    assert "longer than its header says" in refuses("folder", load_images, tmp_path)
