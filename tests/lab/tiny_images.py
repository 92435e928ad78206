"""Small data sets in the formats of the real ones, whose classes can be learned: enlarged digits of scikit-learn.

Every function makes the folder, writes the same bytes for the same arguments, and returns the arrays that it wrote:
(training images, training labels, test images, test labels), images (n, channels, height, width) of uint8.
"""

import functools
import gzip
import pickle
from pathlib import Path

import numpy as np

# The loader recognizes MNIST and Fashion-MNIST by their first test labels.
FIRST_LABELS = {
    "MNIST": (7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6, 9, 0, 1, 5, 9, 7, 3, 4),
    "Fashion-MNIST": (9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1, 2, 4, 8, 0),
}
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def write_mnist(folder, n_train=200, n_test=100, side=28, seed=0, compressed=True, separator="-", like="MNIST"):
    """Write the four idx files; their first 20 test labels are those of the data set `like`, or any if it is None."""
    arrays = tiny_images(n_train, n_test, side=side, channels=1, seed=seed, first=FIRST_LABELS.get(like, ()))
    names = [f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images", "labels")]
    for name, array in zip(names, arrays, strict=True):
        plain = array[:, 0] if name.endswith("images") else array.astype(np.uint8)
        content = idx_bytes(plain)
        file = _made(folder) / f"{name}{separator}idx{plain.ndim}-ubyte{'.gz' if compressed else ''}"
        # No time of day in the compressed file: the same bytes each time.
        file.write_bytes(gzip.compress(content, 1, mtime=0) if compressed else content)
    return arrays


def write_cifar10_binary(folder, n_per_batch=40, seed=0):
    """Write data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt; all batches of one size."""
    arrays = tiny_images(5 * n_per_batch, n_per_batch, side=32, channels=3, seed=seed)
    for name, images, labels in _batches(arrays, n_per_batch):
        (_made(folder) / f"{name}.bin").write_bytes(record_bytes(images, labels))
    (Path(folder) / "batches.meta.txt").write_text("\n".join(CIFAR10_CLASSES) + "\n\n", encoding="ascii")
    return arrays


def write_cifar10_python(folder, n_per_batch=40, seed=0):
    """Write data_batch_1 to data_batch_5, test_batch and batches.meta, pickles as the original ones are."""
    arrays = tiny_images(5 * n_per_batch, n_per_batch, side=32, channels=3, seed=seed)
    for name, images, labels in _batches(arrays, n_per_batch):
        content = {
            b"batch_label": name.encode(),
            b"labels": labels.tolist(),
            b"data": images.reshape(len(images), -1),
            b"filenames": [b"a.png"] * len(labels),
        }
        (_made(folder) / name).write_bytes(old_pickle(content))
    meta = {b"num_cases_per_batch": n_per_batch, b"label_names": [name.encode() for name in CIFAR10_CLASSES]}
    (Path(folder) / "batches.meta").write_bytes(old_pickle({**meta, b"num_vis": 3072}))
    return arrays


def write_cifar10_subset(folder, n_train=200, n_test=100, seed=0):
    """Write train_subset.bin and test_subset.bin, records as in CIFAR-10's binary version."""
    arrays = tiny_images(n_train, n_test, side=32, channels=3, seed=seed)
    for part, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        (_made(folder) / f"{part}_subset.bin").write_bytes(record_bytes(images, labels))
    return arrays


def write_cifar100(folder, n_train=200, n_test=100, seed=0, python=False):
    """Write train.bin, test.bin and the names, or the pickles train, test and meta; of the 100 classes the first ten."""
    arrays = tiny_images(n_train, n_test, side=32, channels=3, seed=seed)
    fine = [f"fine_{i}" for i in range(100)]
    coarse = [f"coarse_{i}" for i in range(20)]
    for part, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        if python:
            content = {
                b"filenames": [b"a.png"] * len(labels),
                b"batch_label": b"batch 1 of 1",
                b"fine_labels": labels.tolist(),
                b"coarse_labels": (labels // 5).tolist(),
                b"data": images.reshape(len(images), -1),
            }
            (_made(folder) / part).write_bytes(old_pickle(content))
        else:
            (_made(folder) / f"{part}.bin").write_bytes(record_bytes(images, labels // 5, labels))
    if python:
        meta = {b"fine_label_names": [n.encode() for n in fine], b"coarse_label_names": [n.encode() for n in coarse]}
        (Path(folder) / "meta").write_bytes(old_pickle(meta))
    else:
        (Path(folder) / "fine_label_names.txt").write_text("\n".join(fine) + "\n", encoding="ascii")
        (Path(folder) / "coarse_label_names.txt").write_text("\n".join(coarse) + "\n", encoding="ascii")
    return arrays


def write_class_folders(
    folder, classes=("ant", "bee", "cat"), n_per_class=12, side=24, seed=0, split=False, kind="png"
):
    """Write one subfolder of RGB images per class, or train/ and test/ with such subfolders (two thirds and the rest)."""
    from PIL import Image

    images, labels, _, _ = tiny_images(10 * n_per_class, 10, side=side, channels=3, seed=seed)
    for label, name in enumerate(classes):
        of_class = images[labels == label % 10][:n_per_class]
        for i, image in enumerate(of_class):
            part = ("train" if i < (2 * n_per_class + 2) // 3 else "test") if split else ""
            place = _made(Path(folder) / part / name)
            Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(place / f"image_{i:04d}.{kind}")


def tiny_images(n_train, n_test, *, side, channels, seed, first=()):
    """Return digits enlarged to a side with slight noise, each class in colors of its own; classes of equal size, mixed."""
    pixels, target = _digits()
    rng = np.random.default_rng([seed, n_train, n_test, side, channels])
    tints = np.random.default_rng(11).uniform(0.5, 1.0, size=(10, channels))
    arrays = []
    # No digit is in both parts.
    for parity, n in enumerate((n_train, n_test)):
        labels = rng.permutation(np.arange(n) % 10)
        if parity:
            labels = _led_by(labels, first)
        own = np.arange(len(target)) % 3 == 2
        own = own if parity else ~own
        chosen = np.array([rng.choice(np.flatnonzero(own & (target == label))) for label in labels])
        places = np.arange(side) * 8 // side
        large = pixels[chosen][:, places][:, :, places]
        colored = large[:, None] * (tints[labels][:, :, None, None] if channels > 1 else 1.0)
        noisy = colored + rng.normal(scale=12.0, size=colored.shape)
        arrays += [np.rint(noisy.clip(0.0, 255.0)).astype(np.uint8), labels.astype(np.int64)]
    return tuple(arrays)


def _led_by(labels, first):
    """Return labels that begin with the given ones; the rest are those left, so that classes keep their sizes."""
    rest = labels.tolist()
    for label in first[: len(labels)]:
        rest.remove(label if label in rest else rest[-1])
    return np.array([*first[: len(labels)], *rest], dtype=labels.dtype)


def idx_bytes(array):
    """Return an array of unsigned bytes in the format idx."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


def record_bytes(images, *labels):
    """Return records of the binary version of CIFAR: one byte for each kind of label, then the pixels."""
    columns = [np.asarray(one, dtype=np.uint8)[:, None] for one in labels]
    return np.concatenate([*columns, images.reshape(len(images), -1)], axis=1).tobytes()


def old_pickle(content):
    """Return a pickle as the original files have them: protocol 2, with the module names of older NumPy."""
    return pickle.dumps(content, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def _batches(arrays, n_per_batch):
    for i in range(5):
        part = slice(i * n_per_batch, (i + 1) * n_per_batch)
        yield f"data_batch_{i + 1}", arrays[0][part], arrays[1][part]
    yield "test_batch", *arrays[2:]


def _made(folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


@functools.cache
def _digits():
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images * (255.0 / 16.0), found.target
