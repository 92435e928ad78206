"""The real files, where they are: names, counts, classes, time and memory."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from moltheory.images import ImageSource, load_images

_DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def folder():
    if not (_DATA / "mnist").is_dir():
        pytest.skip(f"MNIST and a subset of CIFAR-10 are not at {_DATA}; they are not part of the package")
    return _DATA


def test_mnist_as_published(folder):
    start = time.perf_counter()
    data = load_images(folder / "mnist")
    seconds = time.perf_counter() - start
    assert data.description == "MNIST (60,000 images to train on, 10,000 to test on)"
    # Counts of each digit as published with the data set.
    assert np.bincount(data.pool_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # Mean and standard deviation that everybody normalizes with.
    assert round(float(data.pool.mean()) / 255, 4) == 0.1307
    assert round(float(data.pool.std()) / 255, 4) == 0.3081
    # A third of a second on an idle core.
    assert seconds < 10


def test_a_subset_of_cifar10(folder):
    data = load_images(folder / "cifar10")
    assert data.description == "CIFAR-10 (subset: 5,000 images to train on, 3,000 to test on)"
    assert np.bincount(data.pool_labels).tolist() == [500] * 10
    assert np.bincount(data.test_labels).tolist() == [300] * 10
    # Sea and sky are bluer than frogs.
    ships, frogs = (data.pool[data.pool_labels == data.class_names.index(name)] for name in ("ship", "frog"))
    assert (ships[:, 2].mean() - ships[:, 0].mean()) > 10 > (frogs[:, 2].mean() - frogs[:, 0].mean())


def test_one_of_both_is_preferred(folder, refuses):
    assert ImageSource.of(folder, prefer=("CIFAR-10",)).load().name == "CIFAR-10"
    assert "MNIST in " in refuses("data", ImageSource.of, folder)


def test_memory(folder):
    resource = pytest.importorskip("resource", reason="peak memory is counted on POSIX only")
    code = (
        "import resource, sys, numpy, moltheory.images as images\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = images.load_images(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, data.pool.nbytes + data.test.nbytes)"
    )
    assert resource
    found = subprocess.run(
        [sys.executable, "-c", code, str(folder / "mnist")], capture_output=True, text=True, check=True
    )
    peak, size = map(int, found.stdout.split())
    assert peak * (1 if sys.platform == "darwin" else 1024) < 2.5 * size
