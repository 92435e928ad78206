"""The records: labelled images, digits plain and in clutter, a few of each class, pixels as rows, and where images are."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from moltheory.errors import InvalidInputError
from moltheory.images import Clutter, ImageData, ImageSource, as_rows, balanced, cluttered, digit_images, load_images
from moltheory.images._data import ORIGINAL_SIZES
from tests.lab.tiny_images import tiny_images, write_mnist

ROOT = np.random.SeedSequence(5)


def _data(n_pool, n_test, name="MNIST", **more):
    images = np.zeros((max(n_pool, n_test), 1, 1, 1), np.uint8)
    labels = np.arange(len(images)) % 10
    return ImageData(name, images[:n_pool], labels[:n_pool], images[:n_test], labels[:n_test], **more)


@pytest.mark.parametrize("name", ORIGINAL_SIZES)
def test_a_caption_says_subset_unless_all_images_are_there(name):
    n_pool, n_test = ORIGINAL_SIZES[name]
    whole = _data(n_pool, n_test, name)
    assert not whole.is_subset
    assert whole.description == f"{name} ({n_pool:,} images to train on, 10,000 to test on)"
    assert _data(n_pool - 1, n_test, name).description.startswith(f"{name} (subset: ")
    assert _data(n_pool, n_test - 1, name).is_subset
    assert not _data(100, 100, "other").is_subset


def test_images_are_checked(refuses):
    good, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
    refuses("pool", ImageData, "x", good[0], labels, good, labels)
    refuses("pool", ImageData, "x", good.astype(float), labels, good, labels)
    refuses("test", ImageData, "x", good, labels, good[:0], labels[:0])
    refuses("pool_labels", ImageData, "x", good, labels[:1], good, labels)
    refuses("pool_labels", ImageData, "x", good, labels - 1, good, labels)
    refuses("test_labels", ImageData, "x", good, labels, good, labels / 2)
    refuses("test", ImageData, "x", good, labels, np.zeros((2, 1, 9, 8), np.uint8), labels)
    refuses("name", ImageData, "", good, labels, good, labels)
    refuses("class_names", ImageData, "x", good, labels, good, labels, ("a",))
    refuses("class_names", ImageData, "x", good, labels, good, labels, ("a", "a"))
    assert ImageData("x", good, labels, good, labels, ["a", "b"]).class_names == ("a", "b")


def test_nobody_writes_to_the_images_afterwards():
    images, labels, test, test_labels = tiny_images(20, 10, side=8, channels=1, seed=0)
    data = ImageData("x", images, labels, test, test_labels)
    before = data.pool.copy()
    images[:] = 0
    view = test[:]
    view.flags.writeable = False
    other = ImageData("x", view, test_labels, view, test_labels)
    test[:] = 0
    assert np.array_equal(data.pool, before)
    assert other.pool.any()
    with pytest.raises(ValueError, match="read-only"):
        data.pool[0] = 0
    # What cannot be written to is not copied.
    again = ImageData("x", data.pool[:, :, ::2], data.pool_labels, data.test[:, :, ::2], data.test_labels)
    assert np.shares_memory(again.pool, data.pool)


def test_digits_are_split_once_and_cluttered_by_seed():
    plain = digit_images("digits", root=ROOT)
    assert (plain.shape, len(plain.pool), len(plain.test), plain.n_classes) == ((1, 8, 8), 1000, 797, 10)
    assert plain.description == "digits (1,000 images to train on, 797 to test on; from scikit-learn)"
    assert np.array_equal(plain.pool, digit_images("digits", root=ROOT, seed=3).pool)
    a, b = (digit_images("cluttered digits", root=ROOT, seed=seed) for seed in (0, 1))
    assert np.array_equal(a.test, b.test)
    assert not np.array_equal(a.pool, b.pool)
    assert np.array_equal(a.pool, digit_images("cluttered digits", root=ROOT, seed=0).pool)
    assert np.array_equal(a.pool_labels, plain.pool_labels)
    other = digit_images("cluttered digits", root=np.random.SeedSequence(6))
    assert not np.array_equal(a.test_labels, other.test_labels)


def test_without_clutter_and_noise_the_digit_is_there_whole(rng):
    digits = rng.integers(1, 256, size=(5, 8, 8), dtype=np.uint8)
    before = digits.copy()
    for image, digit in zip(
        cluttered(digits, others=digits, rng=rng, clutter=Clutter(side=13, pieces=0, noise=0.0)), digits, strict=True
    ):
        rows, columns = np.nonzero(image)
        assert np.array_equal(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], digit)
    # Pieces only add ink.
    same = [np.random.default_rng(1) for _ in range(2)]
    full = cluttered(digits, others=digits, rng=same[0], clutter=Clutter(side=8, pieces=3, noise=0.0))
    assert (full >= digits).all()
    assert np.array_equal(digits, before)


def test_digits_are_checked(refuses, rng):
    refuses("name", digit_images, "letters", root=ROOT)
    refuses("digits", cluttered, np.zeros((2, 7, 7), np.uint8), others=np.zeros((2, 8, 8), np.uint8), rng=rng)
    refuses("others", cluttered, np.zeros((2, 8, 8), np.uint8), others=np.zeros((2, 8, 8)), rng=rng)
    refuses("side", Clutter, side=7)
    refuses("piece", Clutter, piece=9)


def test_a_few_of_each_class(rng, refuses):
    labels = rng.permutation(np.repeat([0, 2, 5], [7, 9, 4]))
    chosen = balanced(labels, 4, 0)
    assert labels[chosen].tolist() == [0] * 4 + [2] * 4 + [5] * 4
    assert len(set(chosen.tolist())) == 12
    assert np.array_equal(chosen, balanced(labels, 4, np.random.SeedSequence(0)))
    assert set(chosen[-4:]) == set(np.flatnonzero(labels == 5))
    # A generator goes on, a seed does not.
    assert not np.array_equal(balanced(labels, 4, rng), balanced(labels, 4, rng))
    # Every example is as likely as any other of its class.
    counts = np.bincount(np.concatenate([balanced(labels, 2, rng) for _ in range(3000)]), minlength=20)
    share = counts / 3000
    expected = 2 / np.bincount(labels)[labels]
    assert (abs(share - expected) < 5 * np.sqrt(expected / 3000)).all()
    assert "4 examples of class 5" in refuses("per_class", balanced, labels, 5, 0)
    refuses("per_class", balanced, labels, 0, 0)
    refuses("labels", balanced, labels / 2, 1, 0)
    refuses("labels", balanced, [], 1, 0)
    refuses("rng", balanced, labels, 1, "seed")


def test_pixels_as_rows(rng, refuses):
    images = rng.integers(256, size=(4, 3, 5, 2), dtype=np.uint8)
    rows = as_rows(images)
    assert rows.shape == (4, 30)
    assert rows.dtype == np.float64
    assert np.array_equal(np.rint(255 * rows).astype(np.uint8).reshape(images.shape), images)
    assert as_rows(np.array([[0, 255]], np.uint8)).tolist() == [[0.0, 1.0]]
    refuses("images", as_rows, images / 255)
    refuses("images", as_rows, images[0, 0, 0])
    refuses("images", as_rows, images[:0])


def test_a_source_is_small_and_loads_once_per_process(tmp_path):
    write_mnist(tmp_path / "mnist", 60, 30)
    source = ImageSource.of(tmp_path / "mnist", prefer=["MNIST"])
    assert len(pickle.dumps(source)) < 1000
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    assert again.load() is source.load()
    assert source.load().name == "MNIST"
    assert np.array_equal(source.load().pool, load_images(tmp_path).pool)
    digits = ImageSource.of(None)
    assert digits.load().name == "digits"
    assert not np.array_equal(digits.load().test, ImageSource(seed=1).load().test)
    with pytest.raises(InvalidInputError):
        ImageSource(seed=-1)
    with pytest.raises(InvalidInputError):
        ImageSource(side=0)


def test_an_identity_tells_images_apart(tmp_path):
    write_mnist(tmp_path / "one", 60, 30)
    write_mnist(tmp_path / "two", 60, 30, seed=1)
    write_mnist(tmp_path / "three", 60, 30, compressed=False)
    one, two, three = (ImageSource.of(tmp_path / name).identity() for name in ("one", "two", "three"))
    assert one == three
    assert one["data"] == two["data"]
    assert one["digest"] != two["digest"]
    assert len(one["digest"]) == 64


def test_importing_images_loads_neither_pillow_nor_learners():
    heavy = ("PIL", "sklearn", "torch", "pandas", "scipy", "matplotlib")
    code = f"import sys, moltheory.images; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
