"""Which data set of a folder is taken, without reading any of them; and refusals that say what to do."""

import gzip
import os

import pytest

from moltheory.images import ImageSource, load_images
from moltheory.images import _cifar as cifar_module
from moltheory.images import _find as find_module
from moltheory.images._find import check_folder, load_folder
from tests.lab.tiny_images import (
    write_cifar10_binary,
    write_cifar10_python,
    write_cifar10_subset,
    write_cifar100,
    write_class_folders,
    write_mnist,
)


@pytest.fixture
def several(tmp_path):
    write_mnist(tmp_path / "digits in files", 60, 30)
    write_mnist(tmp_path / "clothes" / "raw", 60, 30, like="Fashion-MNIST")
    write_cifar10_subset(tmp_path / "c10", 60, 30)
    write_cifar100(tmp_path / "c100" / "cifar-100-python", 60, 30, python=True)
    write_class_folders(tmp_path / "animals")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["MNIST", "Fashion-MNIST", "CIFAR-10", "CIFAR-100", "animals"])
def test_one_of_several_is_taken_by_name(several, name):
    assert load_images(several, prefer=["SVHN", name, "MNIST"]).name == name
    assert ImageSource.of(several, prefer=(name,)).load().name == name


def test_several_are_refused_with_their_names_and_places(several, refuses):
    for prefer in ((), ("SVHN",)):
        message = refuses("folder", load_images, several, prefer=prefer)
        for name in (
            "MNIST in ",
            "Fashion-MNIST in ",
            "CIFAR-10 in ",
            "CIFAR-100 in ",
            "animals in ",
            "give the folder of",
        ):
            assert name in message
    assert "`data`" in refuses("data", ImageSource.of, several)
    write_mnist(several / "again", 60, 30)
    assert "again" in refuses("folder", load_images, several, prefer=("MNIST",))


def test_nothing_is_read_to_find_out(several, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("read")

    for name in ("read_cifar", "load_mnist", "read_class_folders"):
        monkeypatch.setattr(find_module, name, forbidden)
    monkeypatch.setattr(cifar_module, "read_plain_pickle", forbidden)
    check_folder(several, prefer=("CIFAR-10",))
    with pytest.raises(AssertionError, match="read"):
        load_images(several, prefer=("CIFAR-10",))


def test_the_folder_itself_comes_first(tmp_path):
    write_mnist(tmp_path, 60, 30)
    write_cifar10_subset(tmp_path / "c10", 60, 30)
    assert load_images(tmp_path, prefer=("CIFAR-10",)).name == "MNIST"


def test_two_data_sets_among_the_same_files(tmp_path, refuses):
    write_mnist(tmp_path, 60, 30)
    write_cifar10_binary(tmp_path, 20)
    assert "MNIST in " in refuses("folder", load_images, tmp_path)
    assert load_images(tmp_path, prefer=("CIFAR-10",)).name == "CIFAR-10"
    # Of both versions of one data set in one place, the first is taken.
    write_cifar10_python(tmp_path, 20)
    assert load_images(tmp_path, prefer=("CIFAR-10",)).name == "CIFAR-10"


def test_where_there_is_nothing_it_is_said_what_is_accepted(tmp_path, refuses):
    (tmp_path / "a" / "b").mkdir(parents=True)
    message = refuses("folder", load_images, tmp_path)
    for word in ("MNIST", "CIFAR-10", "CIFAR-100", "train*.bin", "one subfolder", repr(str(tmp_path))):
        assert word in message
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(gzip.compress(b"x"))
    assert "unpack cifar-10-python.tar.gz first" in refuses("folder", load_images, tmp_path)
    refuses("folder", load_images, tmp_path / "missing")
    # Not the working folder.
    refuses("folder", load_images, "")
    refuses("folder", load_images, tmp_path / "cifar-10-python.tar.gz")
    refuses("data", ImageSource.of, tmp_path / "missing")
    refuses("data", ImageSource.of, tmp_path)
    refuses("data", ImageSource.of, 5)
    refuses("prefer", load_images, tmp_path, prefer="MNIST")
    refuses("folder", load_folder, tmp_path)


def test_what_vanishes_while_it_is_read_is_refused(tmp_path, monkeypatch, refuses):
    def gone(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "train.bin")

    write_cifar10_subset(tmp_path, 60, 30)
    monkeypatch.setattr(find_module, "read_cifar", gone)
    assert "'train.bin' (No such file" in refuses("folder", load_images, tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs folders that may not be read")
def test_folders_that_may_not_be_read_are_passed_over(tmp_path, refuses):
    write_mnist(tmp_path / "mnist", 60, 30)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        assert load_images(tmp_path).name == "MNIST"
        refuses("folder", load_images, closed)
    finally:
        closed.chmod(0o700)


def test_names_of_folders_that_are_no_text(tmp_path):
    if os.name != "posix":
        pytest.skip("names of files are text here")
    place = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    write_mnist(place, 60, 30, like=None)
    name = load_images(place).name
    assert name == "caf\ufffd"
    assert name.encode()
