"""Trunks with exact counts of parameters, and the augmentation of training images."""

import pickle

import numpy as np
import pytest

from moltheory.images import ImageData
from moltheory.studies._augmentation import Augmentation, augmentation_of

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

from moltheory.studies._backbones import BACKBONES, backbone, backbone_maker, residual_backbone  # noqa: E402
from moltheory.studies._torch import repeatable, seeded  # noqa: E402

_ROOT = np.random.SeedSequence(5)
# Name -> features, parameters for 3 and for 1 channel.
_SIZES = {
    "tiny": (32, 19_528, 19_384),
    "small": (128, 307_088, 306_800),
    "medium": (256, 1_225_616, 1_225_328),
    "resnet20": (64, 269_072, 268_784),
    "resnet18": (512, 11_168_832, 11_167_680),
    "vgg11": (512, 9_225_984, 9_224_832),
}


def _count(module):
    return sum(one.numel() for one in module.parameters())


def test_all_trunks_are_here():
    assert list(_SIZES) == list(BACKBONES)


@pytest.mark.parametrize("name", _SIZES)
def test_counts_and_features(name):
    features, colored, gray = _SIZES[name]
    for channels, expected in ((3, colored), (1, gray)):
        with seeded(_ROOT, "trunk"):
            trunk, d = backbone(name, (channels, 8, 8))
        assert (d, _count(trunk)) == (features, expected)


def test_the_paper_s_network_has_as_many_parameters_as_known():
    """ResNet18 for 32 x 32 with its last layer for ten classes: 11,173,962; ResNet20: 269,722; VGG11: 9,231,114."""
    for name, total in (("resnet18", 11_173_962), ("resnet20", 269_722), ("vgg11", 9_231_114)):
        features, colored, _ = _SIZES[name]
        assert colored + (features + 1) * 10 == total


@pytest.mark.parametrize("name", ["tiny", "small", "medium", "resnet20", "vgg11"])
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8), (1, 5, 7)])
def test_images_of_any_side_become_features(name, shape):
    with repeatable(), torch.no_grad():
        trunk, d = backbone(name, shape)
        assert trunk.eval()(torch.zeros(2, *shape)).shape == (2, d)


@pytest.mark.slow
def test_a_resnet18_becomes_features():
    with repeatable(), torch.no_grad():
        trunk, d = backbone("resnet18", (3, 32, 32))
        assert trunk.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, d)


def test_a_shortcut_of_zeros_keeps_every_second_pixel_between_zeros():
    trunk, _ = backbone("resnet20", (3, 8, 8))
    widened = [block.shortcut for block in trunk if type(getattr(block, "shortcut", None)).__name__ == "Widened"]
    assert len(widened) == 2
    x = torch.arange(2 * 16 * 4 * 4.0).reshape(2, 16, 4, 4)
    y = widened[0](x)
    assert y.shape == (2, 32, 2, 2)
    assert torch.equal(y[:, 8:24], x[:, :, ::2, ::2])
    assert not y[:, :8].any()
    assert not y[:, 24:].any()


def test_makers_travel_and_start_alike_from_one_stream():
    with seeded(_ROOT, "one"):
        one, _ = backbone("small", (3, 8, 8))
    with seeded(_ROOT, "one"):
        other, _ = pickle.loads(pickle.dumps(backbone_maker("small")))((3, 8, 8))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_wrong_trunks_are_refused(refuses):
    refuses("name", backbone, "huge", (3, 8, 8))
    for one in ("tiny", "resnet20", "resnet18", "vgg11"):
        refuses("shape", backbone, one, (3, 3, 8))
        refuses("shape", backbone, one, (8, 8))
    refuses("widths", residual_backbone, (3, 8, 8), widths=())


# Augmentation


def _images(rng, n=40, channels=3, height=8, width=6):
    return rng.integers(1, 256, size=(n, channels, height, width), dtype=np.uint8)


def test_every_augmented_image_is_a_window_of_the_padded_one(rng):
    images = _images(rng)
    found = Augmentation(pad=2)(images, np.random.default_rng(1))
    assert found.shape == images.shape
    assert found.dtype == np.uint8
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    kinds = set()
    for i, one in enumerate(found):
        places = [
            (down, right, mirrored)
            for down in range(5)
            for right in range(5)
            for mirrored in (False, True)
            if np.array_equal(one, padded[i, :, down : down + 8, right : right + 6][:, :, :: -1 if mirrored else 1])
        ]
        assert len(places) == 1
        kinds |= set(places)
    assert len(kinds) > 20
    assert {mirrored for _, _, mirrored in kinds} == {False, True}


def test_augmentation_repeats_and_leaves_its_input_alone(rng):
    images = _images(rng)
    before = images.copy()
    one, other = (Augmentation()(images, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(Augmentation(0, False)(images, np.random.default_rng(3)), images)
    mirrored = Augmentation(0, True)(images, np.random.default_rng(3))
    same = (mirrored == images).all(axis=(1, 2, 3))
    turned = (mirrored == images[:, :, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ turned).all()
    assert 5 < same.sum() < 35


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        ("CIFAR-10", 32, Augmentation(4, True)),
        ("CIFAR-10 subset", 32, Augmentation(4, True)),
        ("Fashion-MNIST", 28, Augmentation(3, True)),
        ("MNIST", 28, Augmentation(3, False)),
        ("digits", 8, Augmentation(1, False)),
        ("cluttered digits", 12, Augmentation(1, False)),
    ],
)
def test_digits_are_not_mirrored(name, side, expected):
    images = np.zeros((2, 1, side, side), dtype=np.uint8)
    data = ImageData(name, images, np.array([0, 1]), images, np.array([0, 1]))
    assert augmentation_of(data) == expected


def test_what_is_done_is_described():
    assert Augmentation(4, True).description == "crops padded by 4, mirrored"
    assert Augmentation(1, False).description == "crops padded by 1"
    assert Augmentation(0, False).description == "no augmentation"


def test_wrong_augmentations_are_refused(refuses):
    refuses("pad", Augmentation, -1)
    refuses("images", Augmentation(), np.zeros((2, 8, 8), dtype=np.uint8), np.random.default_rng(0))
