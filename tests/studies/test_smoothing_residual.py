"""The larger run of smoothing, with residual networks of torch: a few steps on tiny images."""

from dataclasses import replace

import numpy as np
import pytest

from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence
from moltheory.studies import get_study
from moltheory.studies._augmentation import Augmentation
from moltheory.studies._machine import Machine
from moltheory.studies.smoothing import Residual, residual_votes, smoothed_sweep, train_residual
from moltheory.studies.smoothing._residual import clean_classes, work_of
from moltheory.studies.smoothing._study import LARGE
from tests.lab.tiny_images import tiny_images, write_mnist

torch = pytest.importorskip("torch", reason="torch is an optional extra: pip install torch")
RECIPE = Residual("tiny", epochs=4, batch=20)


@pytest.fixture(scope="module")
def trained():
    x, y, test, _ = tiny_images(200, 40, side=8, channels=3, seed=0)
    parts = train_residual(
        x,
        y.astype(np.int64),
        0.1,
        recipe=RECIPE,
        augmentation=Augmentation(1, False),
        n_classes=10,
        root=as_seed_sequence(1),
        machine=Machine(),
    )
    return parts, x, y.astype(np.int64), test


def votes_of(parts, images, deviations, sizes=(20, 60), stream=1, batch=1000):
    return residual_votes(
        parts,
        images,
        np.asarray(deviations),
        recipe=RECIPE,
        n_classes=10,
        sizes=sizes,
        root=as_seed_sequence(2),
        stream=stream,
        machine=Machine(),
        batch=batch,
    )


def test_training_learns_and_repeats(trained):
    parts, x, y, _ = trained
    classes = clean_classes(parts, x, recipe=RECIPE, n_classes=10, machine=Machine())
    assert (classes == y).mean() > 0.2
    again = train_residual(
        x,
        y,
        0.1,
        recipe=RECIPE,
        augmentation=Augmentation(1, False),
        n_classes=10,
        root=as_seed_sequence(1),
        machine=Machine(),
    )
    for name, one in parts.items():
        np.testing.assert_array_equal(one, again[name])


def test_votes_share_the_noise_and_have_a_stream_for_each_image(trained):
    parts, _, _, test = trained
    votes = votes_of(parts, test[:3], [[0.1] * 3, [0.5, 0.1, 0.2]])
    assert votes.shape == (2, 3, 2, 10)
    assert (votes.sum(axis=3) == [20, 60]).all()
    np.testing.assert_array_equal(votes[0, 1], votes[1, 1])
    np.testing.assert_array_equal(votes_of(parts, test[:1], [[0.1]])[0, 0], votes[0, 0])
    # Without noise all votes are those of the clean image.
    still = votes_of(parts, test[:3], [[1e-9] * 3])[0, :, 1]
    clean = clean_classes(parts, test[:3], recipe=RECIPE, n_classes=10, machine=Machine())
    assert (still[np.arange(3), clean] == 60).all()


def test_multiplications_of_a_network_written_out():
    # Stem, three blocks with shortcuts of one pixel, and the linear layer, at 8 x 8 without a first halving.
    stem = 64 * 3 * 9 * 8
    first = 64 * 2 * 8 * 8 * 9
    second = 16 * (8 * 16 * 9 + 16 * 16 * 9 + 8 * 16)
    third = 4 * (16 * 32 * 9 + 32 * 32 * 9 + 16 * 32)
    assert work_of(RECIPE, (3, 8, 8), 10) == stem + first + second + third + 320


def test_a_few_steps_of_the_large_run(tmp_path):
    write_mnist(tmp_path / "data", n_train=60, n_test=30, side=8)
    study = get_study("smoothing", tmp_path / "data", large=True)
    assert study.budget(Settings()) == LARGE
    assert study.needs_torch
    assert study.budget(Settings(quick=True)).residual == Residual("tiny", epochs=2)
    small = replace(
        LARGE, levels=(0.25,), rates=(0.01,), sizes=(20,), guesses=10, n_test=6, n_train=60, held_out=25,
        residual=replace(RECIPE, epochs=1),
    )  # fmt: skip
    sweep = smoothed_sweep(small, Settings(store=tmp_path / "store"), source=study.source, machine=study.machine)
    assert sweep.classes.shape == (1, 3, 1, 6)
    assert np.isfinite(sweep.radii).all()


def test_refusals(refuses):
    refuses("trunk", Residual, "none")
    refuses("batch", Residual, batch=1)
    refuses("rate", Residual, rate=0.0)
