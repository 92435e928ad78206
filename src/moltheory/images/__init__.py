"""Labelled images for the case studies: digits that come with scikit-learn, or the files of a folder.

`load_images` reads MNIST and Fashion-MNIST (idx), CIFAR-10 and CIFAR-100 (Python and binary version, and subsets as
binary records) and any folder with one subfolder of images per class.
"""

from moltheory._core._listing import public_names
from moltheory.images._cifar import load_cifar10
from moltheory.images._data import ImageData
from moltheory.images._digits import Clutter, cluttered, digit_images
from moltheory.images._find import load_images
from moltheory.images._idx import load_mnist, read_idx
from moltheory.images._prepare import as_rows, balanced
from moltheory.images._source import ImageSource

__all__ = [
    "Clutter",
    "ImageData",
    "ImageSource",
    "as_rows",
    "balanced",
    "cluttered",
    "digit_images",
    "load_cifar10",
    "load_images",
    "load_mnist",
    "read_idx",
]

__dir__ = public_names(__name__)
