"""NPY and NPZ: the array comes back, in blocks; clusters stay whole; broken archives are refused."""

import itertools

import numpy as np
import pytest

from moltheory.evaluation import open_losses


@pytest.fixture(params=[4_000_000, 60], ids=["one block", "small blocks"])
def block(request, monkeypatch):
    monkeypatch.setattr("moltheory.evaluation._arrays.CELLS_PER_BLOCK", request.param)
    return request.param


def _read(source):
    return np.concatenate([losses for losses, _ in source.blocks()])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("kind", ["npy", "npz", "compressed"])
def test_arrays_come_back(dtype, order, kind, block, tmp_path, rng):
    losses = np.asarray((rng.random((91, 4, 3)) < 0.4), dtype=dtype, order=order)
    path = tmp_path / ("losses.npy" if kind == "npy" else "losses.npz")
    if kind == "npy":
        np.save(path, losses)
    else:
        (np.savez if kind == "npz" else np.savez_compressed)(path, losses=losses)
    source = open_losses(path)
    assert source.model_names == ("model_1", "model_2", "model_3", "model_4")
    assert source.objective_names == ("objective_1", "objective_2", "objective_3")
    for _ in range(2):
        found = _read(source)
        np.testing.assert_array_equal(found, losses)
    assert found.dtype == (np.float32 if dtype == np.float16 else dtype)
    assert (len(list(source.blocks())) > 1) == (block == 60)


def test_names_and_nan(tmp_path):
    losses = np.array([[0.5, np.nan], [1.0, 0.0]])
    path = tmp_path / "losses.npz"
    np.savez(path, losses=losses, models=np.array(["a", "b"]), objectives=np.array(["error"]))
    source = open_losses(path)
    assert (source.model_names, source.objective_names) == (("a", "b"), ("error",))
    np.testing.assert_array_equal(_read(source)[:, :, 0], losses)


@pytest.mark.parametrize("contiguous", [True, False])
def test_clusters_stay_whole(contiguous, block, tmp_path, rng, refuses):
    clusters = rng.choice(["P1", "P2", "P3", "P4", "P5"], 80)
    if contiguous:
        clusters = np.sort(clusters)
    losses = rng.random((80, 2, 2))
    path = tmp_path / "losses.npz"
    np.savez(path, losses=losses, patient=clusters)
    source = open_losses(path, clusters="patient")
    blocks = list(source.blocks())
    labels = list(dict.fromkeys(clusters.tolist()))
    rows = np.concatenate([np.flatnonzero(clusters == label) for label in labels])
    np.testing.assert_array_equal(np.concatenate([part for part, _ in blocks]), losses[rows])
    assert all(before[-1] != after[0] for (_, before), (_, after) in itertools.pairwise(blocks))
    if not contiguous:
        assert "sort the file by cluster" in refuses(
            "losses.npz", open_losses, path, clusters="patient", most_in_memory=100
        )


def test_refusals(tmp_path, refuses, rng):
    npy, npz = tmp_path / "losses.npy", tmp_path / "losses.npz"

    def refused(path, array=None, **options):
        if array is not None:
            np.save(path, array)
        return refuses(path.name, lambda: list(open_losses(path, **options).blocks()))

    assert "shape (3,)" in refused(npy, np.zeros(3))
    assert "shape (0, 3)" in refused(npy, np.zeros((0, 3)))
    assert "dtype" in refused(npy, np.full((3, 2), "x"))
    assert "dtype" in refused(npy, np.array([[None, {}]], dtype=object))
    assert "got 2 at example 3 of model 'model_2'" in refused(npy, np.array([[0, 1], [0, 1], [0, 2.0]]))
    three = np.zeros((2, 2, 2))
    three[1, 0, 1] = -0.5
    assert "got -0.5 at example 2 of model 'model_1' for objective 'objective_2'" in refused(npy, three)
    np.save(npy, rng.random((50, 3)))
    npy.write_bytes(npy.read_bytes()[:-9])
    assert "bytes that its header says" in refused(npy)
    npy.write_bytes(b"nonsense")
    refused(npy)
    np.save(npy, np.zeros((3, 2)))
    assert "NPZ" in refuses("clusters", open_losses, npy, clusters="patient")
    npz.write_bytes(b"nonsense")
    refused(npz)
    np.savez(npz, a=np.zeros((3, 2)), b=np.zeros((3, 2)))
    assert "an array 'losses'" in refused(npz)
    np.savez(npz, losses=np.zeros((3, 2)), cluster=np.zeros(4))
    assert "one cluster per example" in refused(npz)
    np.savez(npz, losses=np.zeros((3, 2)))
    assert "an array 'patient'" in refused(npz, clusters="patient")
    np.savez(npz, losses=np.zeros((3, 2)), models=np.array(["a", "a"]))
    refuses("losses.npz: models", open_losses, npz)
    np.savez_compressed(npz, losses=np.zeros((3, 2), order="F"))
    assert "C order" in refused(npz, most_in_memory=5)


def test_models_of_an_archive_may_be_called_names(tmp_path):
    path = tmp_path / "losses.npz"
    np.savez(path, losses=np.eye(2), names=["a", "b"])
    assert open_losses(path).model_names == ("a", "b")
