"""One subfolder of pictures per class: the split, the resizing, the order, and pictures that are not whole."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moltheory.images import ImageSource, load_images
from tests.lab.tiny_images import write_class_folders


def _flat(folder, colors=("red", "blue"), n=10, size=(12, 12)):
    """Pictures of one gray level each, so that each can be recognized, in one folder per class."""
    for label, color in enumerate(colors):
        (folder / color).mkdir(parents=True)
        for i in range(n):
            Image.new("RGB", size, (100 * label + i,) * 3).save(folder / color / f"{i:02d}.png")
    return folder


def test_a_share_of_each_class_is_drawn_with_a_seed(tmp_path):
    folder = _flat(tmp_path / "two")
    data = load_images(folder)
    assert (data.name, data.shape, data.class_names) == ("two", (3, 32, 32), ("blue", "red"))
    assert np.bincount(data.pool_labels).tolist() == [8, 8]
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    assert data.description == (
        "two (16 images to train on, 4 to test on; 20% of each class drawn for the test with seed 0, resized to 32 x 32)"
    )
    levels = [set(images[:, 0, 0, 0].tolist()) for images in (data.pool, data.test)]
    assert not levels[0] & levels[1]
    assert levels[0] | levels[1] == {*range(10), *range(100, 110)}
    # "blue" was made second.
    assert (data.pool[data.pool_labels == 0] >= 100).all()
    assert np.array_equal(load_images(folder).test, data.test)
    other = load_images(folder, seed=1, test_share=0.5, side=8)
    assert (len(other.test), other.shape) == (10, (3, 8, 8))
    assert "50% of each class drawn for the test with seed 1, resized to 8 x 8" in other.description
    # A class more leaves the others as they are.
    _flat(folder, colors=("green",))
    assert np.array_equal(load_images(folder).test[[0, 1, 4, 5]], data.test)
    assert load_images(folder).n_classes == 3


def test_where_there_is_a_part_to_test_on_nothing_is_drawn(tmp_path):
    write_class_folders(tmp_path / "parts", n_per_class=9, split=True)
    data = load_images(tmp_path)
    assert data.description == "parts (18 images to train on, 9 to test on; resized to 32 x 32)"
    assert data.class_names == ("ant", "bee", "cat")
    assert np.array_equal(load_images(tmp_path, seed=5).test, data.test)
    (tmp_path / "parts" / "test").rename(tmp_path / "parts" / "val")
    assert np.array_equal(load_images(tmp_path).test, data.test)


@pytest.mark.parametrize("kind", ["png", "jpg", "JPEG"])
def test_pictures_are_read_as_they_look(tmp_path, kind):
    write_class_folders(tmp_path / "small", side=32, kind=kind)
    data = load_images(tmp_path / "small", side=32)
    first = sorted((tmp_path / "small" / "ant").iterdir())
    seen = {np.asarray(Image.open(file)).transpose(2, 0, 1).tobytes() for file in first}
    assert {image.tobytes() for image in data.pool[data.pool_labels == 0]} <= seen


def test_the_largest_square_in_the_middle_is_kept(tmp_path):
    for name, size, box in (("wide", (60, 20), (20, 0, 40, 20)), ("tall", (20, 60), (0, 20, 20, 40))):
        picture = Image.new("RGB", size, "red")
        picture.paste((0, 0, 255), box)
        for i in range(2):
            (tmp_path / name).mkdir(exist_ok=True)
            picture.save(tmp_path / name / f"{i}.png")
    data = load_images(tmp_path, side=10)
    assert (data.pool == np.array([0, 0, 255], np.uint8)[:, None, None]).all()


def test_a_picture_is_turned_as_the_camera_says(tmp_path):
    picture = Image.new("RGB", (20, 20), "black")
    picture.paste((255, 255, 255), (0, 0, 10, 20))
    turned = Image.Exif()
    turned[0x0112] = 3
    for name, exif in (("a", None), ("b", turned)):
        (tmp_path / name).mkdir()
        for i in range(2):
            picture.save(tmp_path / name / f"{i}.png", **({"exif": exif} if exif else {}))
    data = load_images(tmp_path, side=20)
    upright, upside = (data.pool[data.pool_labels == label][0] for label in (0, 1))
    assert np.array_equal(upright, upside[:, ::-1, ::-1])
    assert upright[0, 0, 0] == 255
    assert upside[0, 0, 0] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_colors_of_every_kind_become_three_bytes(tmp_path, mode):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            Image.new("RGB", (9, 9), "white").convert(mode).save(tmp_path / name / f"{i}.png")
    data = load_images(tmp_path)
    assert data.shape == (3, 32, 32)
    assert (data.pool == 255).all()


def test_what_is_not_a_picture_is_left_alone_and_hidden_files_too(tmp_path):
    folder = _flat(tmp_path / "two")
    (folder / "red" / "notes.txt").write_text("not a picture")
    (folder / "red" / "._00.png").write_bytes(b"what another system keeps")
    (folder / ".cache").mkdir()
    (folder / "README").write_text("about")
    assert len(load_images(folder).pool) == 16


def test_deep_pictures_and_huge_ones_are_refused(tmp_path, refuses):
    folder = _flat(tmp_path / "two")
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(folder / "red" / "00.png")
    assert "8 bits" in refuses("folder", load_images, folder)

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0))
    (folder / "red" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    assert "red/00.png" in refuses("folder", load_images, folder)


def test_pictures_that_are_not_whole_are_refused(tmp_path, refuses):
    folder = _flat(tmp_path / "two", size=(40, 40))
    file = folder / "blue" / "03.png"
    whole = file.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-20], whole[:50] + b"\xff" + whole[51:]):
        file.write_bytes(content)
        assert "blue/03.png" in refuses("folder", load_images, folder)
    file.unlink()
    photo = folder / "blue" / "03.jpg"
    Image.new("RGB", (40, 40), "green").save(photo)
    photo.write_bytes(photo.read_bytes()[:200])
    assert "blue/03.jpg" in refuses("folder", load_images, folder)
    # The ending does not decide what a file is, and other formats are not tried.
    Image.new("RGB", (40, 40), "green").save(photo, format="GIF")
    refuses("folder", load_images, folder)
    Image.new("RGB", (40, 40), "green").save(photo, format="PNG")
    assert len(load_images(folder).pool) == 16


def test_names_of_files_do_not_break_a_sentence(tmp_path, refuses):
    folder = _flat(tmp_path / "two")
    try:
        (folder / "blue" / "a\nb.png").write_bytes(b"x")
    except OSError:
        pytest.skip("names of files are lines here")
    refuses("folder", load_images, folder)


def test_folders_that_do_not_fit_are_refused(tmp_path, refuses):
    folder = _flat(tmp_path / "two")
    (folder / "green").mkdir()
    assert "'green'" in refuses("folder", load_images, folder)
    shutil.copy(folder / "red" / "00.png", folder / "green" / "00.png")
    assert "at least two images" in refuses("folder", load_images, folder)
    one = _flat(tmp_path / "one", colors=("red",))
    assert "none of these" in refuses("folder", load_images, one)
    assert "sort the images" in refuses("folder", load_images, _flat(tmp_path / "parts", colors=("train", "test")))
    for name in ("side", "test_share", "seed"):
        refuses(name, lambda name=name: load_images(tmp_path / "parts", **{name: -1}))


def test_halves_are_refused(tmp_path, refuses):
    write_class_folders(tmp_path / "a", split=True)
    shutil.rmtree(tmp_path / "a" / "test")
    assert "a folder 'test' beside 'train'" in refuses("folder", load_images, tmp_path / "a")
    assert len(load_images(tmp_path / "a" / "train").class_names) == 3
    write_class_folders(tmp_path / "b", split=True)
    shutil.rmtree(tmp_path / "b" / "train" / "ant")
    assert "the same classes" in refuses("folder", load_images, tmp_path / "b")
    shutil.rmtree(tmp_path / "b" / "train")
    assert "a folder 'train' beside 'test'" in refuses("folder", load_images, tmp_path / "b")


def test_a_source_says_how_large(tmp_path):
    folder = _flat(tmp_path / "two")
    data = ImageSource.of(folder, side=16, seed=3).load()
    assert data.shape == (3, 16, 16)
    assert "seed 3" in data.description
    assert Path(ImageSource.of(folder).folder).is_absolute()
