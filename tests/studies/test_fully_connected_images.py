"""Images for the study of fully-connected layers: original files, whole or not, digits in clutter; all without torch."""

import gzip
import pickle
import subprocess
import sys

import numpy as np
import pytest

from moltheory.cli import main
from moltheory.studies.fully_connected import (
    Clutter,
    ImageData,
    TorchMissingError,
    cluttered,
    digit_images,
    feature_refiner,
    load_cifar10,
    load_folder,
    load_mnist,
    n_refiner_parameters,
    read_idx,
    train_on_folder,
)

_NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
ROOT = np.random.SeedSequence(5)


@pytest.fixture
def batches(rng):
    return {
        name: (rng.integers(256, size=(4, 3072), dtype=np.uint8), rng.integers(10, size=4).tolist()) for name in _NAMES
    }


def as_pickle(content):
    """Bytes as the original files have them: protocol 2, with the module names of older NumPy."""
    return pickle.dumps(content, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def write_cifar(folder, batches, *, binary):
    folder.mkdir(exist_ok=True)
    for name, (pixels, labels) in batches.items():
        if binary:
            records = np.concatenate([np.array(labels, dtype=np.uint8)[:, None], pixels], axis=1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            content = {
                b"batch_label": b"training batch",
                b"labels": labels,
                b"data": pixels,
                b"filenames": [b"a.png"] * 4,
            }
            (folder / name).write_bytes(as_pickle(content))
    return folder


@pytest.mark.parametrize("binary", [False, True], ids=["pickles", "binary"])
@pytest.mark.parametrize("inner", [False, True], ids=["itself", "inner"])
def test_cifar10(tmp_path, batches, binary, inner):
    place = tmp_path / ("cifar-10-batches-bin" if binary else "cifar-10-batches-py") if inner else tmp_path
    write_cifar(place, batches, binary=binary)
    data = load_folder(tmp_path)
    assert (data.name, data.shape, len(data.pool), len(data.test)) == ("CIFAR-10", (3, 32, 32), 20, 4)
    assert np.array_equal(data.pool, np.concatenate([batches[name][0] for name in _NAMES[:5]]).reshape(-1, 3, 32, 32))
    assert data.pool_labels.tolist() == [label for name in _NAMES[:5] for label in batches[name][1]]
    assert np.array_equal(data.test.reshape(4, -1), batches["test_batch"][0])
    assert not data.pool.flags.writeable


def test_both_versions_of_cifar10_agree(tmp_path, batches):
    one = load_cifar10(write_cifar(tmp_path / "py", batches, binary=False))
    two = load_cifar10(write_cifar(tmp_path / "bin", batches, binary=True))
    assert np.array_equal(one.pool, two.pool)
    assert np.array_equal(one.test_labels, two.test_labels)


def test_binary_batches_that_are_not_whole_are_refused(tmp_path, batches, refuses):
    folder = write_cifar(tmp_path / "data", batches, binary=True)
    file = folder / "data_batch_3.bin"
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    assert "not a multiple of 3073" in refuses("folder", load_cifar10, folder)
    file.write_bytes(whole[: 3 * 3073])  # cut between two images
    assert "same number of images" in refuses("folder", load_cifar10, folder)
    file.write_bytes(b"")
    refuses("folder", load_cifar10, folder)
    file.write_bytes(b"\x0b" + whole[1:])
    assert "labels 0 to 9" in refuses("folder", load_cifar10, folder)
    file.unlink()
    assert "data_batch_3.bin" in refuses("folder", load_cifar10, folder)


class _Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


def test_pickles_that_are_not_whole_or_not_plain_are_refused(tmp_path, batches, refuses):
    folder = write_cifar(tmp_path / "data", batches, binary=False)
    file = folder / "data_batch_1"
    whole, (pixels, labels) = file.read_bytes(), batches["data_batch_1"]
    for content in (whole[:-1], whole[: len(whole) // 2], b"", b"hello", whole[:50] + b"\0" * 9 + whole[59:]):
        file.write_bytes(content)
        assert "data_batch_1" in refuses("folder", load_cifar10, folder)
    for wrong in (
        {b"data": pixels, b"labels": labels, b"more": _Trap()},
        {b"data": pixels.astype(float), b"labels": labels},
        {b"data": pixels.astype(object), b"labels": labels},
        {b"data": pixels[:, :-1], b"labels": labels},
        {b"data": pixels, b"labels": labels[:-1]},
        {b"data": pixels, b"labels": [*labels[:-1], 10]},
        {b"data": pixels, b"labels": np.array(labels)},
        {b"labels": labels},
        [1, 2],
    ):
        file.write_bytes(as_pickle(wrong))
        refuses("folder", load_cifar10, folder)
    file.write_bytes(as_pickle({b"x": _Trap()}))
    assert "exec" in refuses("folder", load_cifar10, folder)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


def write_mnist(folder, rng, *, compressed, separator="-", sizes=(7, 3)):
    folder.mkdir(exist_ok=True)
    arrays = {}
    for part, n in zip(("train", "t10k"), sizes, strict=True):
        arrays[part] = rng.integers(256, size=(n, 28, 28), dtype=np.uint8), rng.integers(10, size=n, dtype=np.uint8)
        for (kind, dimensions), array in zip((("images", 3), ("labels", 1)), arrays[part], strict=True):
            name = f"{part}-{kind}{separator}idx{dimensions}-ubyte"
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return arrays


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("separator", ["-", "."])
def test_mnist(tmp_path, rng, compressed, separator):
    arrays = write_mnist(tmp_path, rng, compressed=compressed, separator=separator)
    data = load_folder(tmp_path)
    assert (data.name, data.shape) == ("MNIST", (1, 28, 28))
    assert np.array_equal(data.pool[:, 0], arrays["train"][0])
    assert np.array_equal(data.pool_labels, arrays["train"][1])
    assert np.array_equal(data.test[:, 0], arrays["t10k"][0])
    assert np.array_equal(data.test_labels, arrays["t10k"][1])


def test_idx_files_that_are_not_whole_are_refused(tmp_path, rng, refuses):
    array = rng.integers(256, size=(3, 4, 5), dtype=np.uint8)
    whole, file, packed = idx(array), tmp_path / "x", tmp_path / "x.gz"
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
    file.write_bytes(whole)
    assert "3 axes and not 1" in refuses("path", read_idx, file, dimensions=1)


def test_mnist_folders_that_do_not_fit_are_refused(tmp_path, rng, refuses):
    arrays = write_mnist(tmp_path, rng, compressed=False)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(arrays["train"][1]))
    assert "a label per image" in refuses("folder", load_mnist, tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert "t10k-labels-idx1-ubyte" in refuses("folder", load_folder, tmp_path)
    (tmp_path / "empty").mkdir()
    assert "CIFAR-10" in refuses("folder", load_folder, tmp_path / "empty")
    refuses("folder", load_cifar10, tmp_path / "empty")


def test_digits_are_split_once_and_cluttered_by_seed():
    plain = digit_images("digits", root=ROOT)
    assert (plain.shape, len(plain.pool), len(plain.test), plain.n_classes) == ((1, 8, 8), 1000, 797, 10)
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


def test_images_are_checked(refuses, rng):
    refuses("name", digit_images, "letters", root=ROOT)
    refuses("digits", cluttered, np.zeros((2, 7, 7), np.uint8), others=np.zeros((2, 8, 8), np.uint8), rng=rng)
    refuses("others", cluttered, np.zeros((2, 8, 8), np.uint8), others=np.zeros((2, 8, 8)), rng=rng)
    refuses("side", Clutter, side=7)
    refuses("piece", Clutter, piece=9)
    good, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
    refuses("pool", ImageData, "x", good[0], labels, good, labels)
    refuses("pool_labels", ImageData, "x", good, labels[:1], good, labels)
    refuses("test", ImageData, "x", good, labels, np.zeros((2, 1, 9, 8), np.uint8), labels)


def test_without_torch_one_sentence_says_how_to_install_it(monkeypatch, tmp_path, batches, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    folder = write_cifar(tmp_path / "data", batches, binary=True)
    monkeypatch.chdir(tmp_path)
    for call in (
        lambda: feature_refiner(512, width=64, n_classes=10),
        lambda: train_on_folder(folder, labels=(5,)),
    ):
        with pytest.raises(TorchMissingError, match="python -m pip install torch --index-url") as caught:
            call()
        message = str(caught.value)
        assert message.startswith("`torch` must be installed")
        assert message.endswith(".")
        assert "\n" not in message
        # The line can be copied: no period sticks to its end.
        assert "download.pytorch.org/whl/cpu)" in message
    assert main(["study", "fully-connected", "--quick", "--n-jobs", "1"]) == 2
    assert capsys.readouterr().err == f"moltheory: {message}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert n_refiner_parameters(512, width=64, n_classes=10) == 42_058


def test_everything_imports_without_torch():
    code = (
        "import sys, pkgutil, importlib\n"
        "sys.modules['torch'] = None\n"
        "import moltheory.studies.fully_connected as room\n"
        "for info in pkgutil.iter_modules(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(info.name)\n"
        "from moltheory.studies import get_study\n"
        "print(get_study('fully-connected').n_panels)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "6"


def test_importing_the_study_does_not_load_torch():
    code = "import sys, moltheory.studies.fully_connected; print('torch' in sys.modules, 'sklearn' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
