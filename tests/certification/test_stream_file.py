"""Streams that are saved and go on: equal bit for bit, and damaged files are refused."""

import zipfile

import numpy as np
import pytest

from moltheory import CertificateStream, Measured
from moltheory.errors import InvalidInputError, MoltheoryError


def _losses(kind, n, rng):
    losses = (rng.random((n, 3, 2)) < [[0.2, 0.3], [0.1, 0.4], [0.5, 0.5]]).astype(float)
    if kind != "binary":
        losses = losses * rng.random((n, 3, 2))
    if kind == "missing":
        losses[rng.random((n, 3, 2)) < 0.2] = np.nan
    return losses


def _stream(**options):
    return CertificateStream(["a", "b", "c"], ["x", "y"], 0.05, **options)


@pytest.mark.parametrize("kind", ["binary", "bounded", "missing"])
@pytest.mark.parametrize("options", [{}, {"epsilon": [0.01, 0.02]}, {"maximise": ["x"]}], ids=["plain", "slack", "up"])
def test_a_saved_stream_goes_on_bit_for_bit(kind, options, tmp_path):
    rng = np.random.default_rng(0)
    parts = [_losses("binary", 100, rng), _losses(kind, 300, rng), _losses(kind, 100, rng)]
    whole, stopped = _stream(**options), _stream(**options)
    for part in parts:
        whole.update(part)
        whole.certificate()
        stopped.update(part)
        stopped.certificate()
        stopped.save(tmp_path / "stream.npz")
        stopped = CertificateStream.load(tmp_path / "stream.npz")
    assert stopped.n_examples == whole.n_examples == 500
    assert stopped.certificate() == whole.certificate()


def test_costs_are_kept(tmp_path):
    costs = {
        "price": [3.0, 2.0, 1.0],
        "latency": Measured([1.0, 2.0, 3.0], [0.9, 1.9, 2.9], [1.1, 2.1, 3.1], delta=0.01),
    }
    stream = _stream(costs=costs)
    stream.update(_losses("binary", 50, np.random.default_rng(1)))
    stream.save(tmp_path / "s.npz")
    again = CertificateStream.load(tmp_path / "s.npz")
    assert again.certificate() == stream.certificate()
    assert again.certificate().objectives == ("x", "y", "price", "latency")


def test_a_stream_without_examples_and_one_that_is_replaced(tmp_path):
    path = tmp_path / "s.npz"
    _stream().save(path)
    assert CertificateStream.load(path).n_examples == 0
    other = CertificateStream(2, 1, 0.1)
    other.save(path)
    assert CertificateStream.load(path).certificate().names == ("model_1", "model_2")
    assert [one.name for one in tmp_path.iterdir()] == ["s.npz"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "s.npz"
    with pytest.raises(InvalidInputError, match="which is none"):
        CertificateStream.load(path)
    path.write_bytes(b"nothing")
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "empty.npz").write_bytes(b"")
    for other in (path, tmp_path / "one.npy", tmp_path / "empty.npz", tmp_path, 3, None, b"x", "a\0b"):
        with pytest.raises(InvalidInputError, match=r"^`path` must be .*, got [^\n]*\.$") as refusal:
            CertificateStream.load(other)
        assert "pickle" not in str(refusal.value)
        assert "context" not in str(refusal.value)
    with pytest.raises(InvalidInputError, match="`path`"):
        _stream().save(None)
    np.savez(path, x=np.ones(3))
    with pytest.raises(InvalidInputError, match="damaged or of another kind"):
        CertificateStream.load(path)
    np.savez(path, header=np.array([{"kind": 1}], dtype=object))
    with pytest.raises(InvalidInputError):
        CertificateStream.load(path)


def test_a_damaged_file_is_refused_or_the_same(tmp_path):
    stream = _stream(epsilon=[0.01, 0.0])
    stream.update(_losses("missing", 60, np.random.default_rng(2)))
    certificate = stream.certificate()
    path = tmp_path / "s.npz"
    stream.save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        try:
            found = CertificateStream.load(path)
        except MoltheoryError:
            continue
        assert found.certificate() == certificate
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidInputError):
        CertificateStream.load(path)


@pytest.mark.parametrize("missing", ["costs", "low", "0.lower", "1.counts.both", "0.counts.common.table", "header"])
def test_a_part_that_is_missing_is_noticed(missing, tmp_path):
    stream = _stream()
    stream.update(_losses("binary", 20, np.random.default_rng(4)))
    stream.update(np.where(np.arange(6).reshape(3, 2) == 2, np.nan, 1.0))
    path, less = tmp_path / "s.npz", tmp_path / "less.npz"
    stream.save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(less, "w") as new:
        for name in old.namelist():
            if name != f"{missing}.npy":
                new.writestr(name, old.read(name))
    with pytest.raises(InvalidInputError):
        CertificateStream.load(less)


@pytest.mark.parametrize("options", [{"largest_cluster": 3, "epsilon": [0.1, 0.0]}, {"cluster_weights": "equal"}])
def test_clusters_and_models_that_come_and_go_are_kept(options, tmp_path):
    rng, path = np.random.default_rng(5), tmp_path / "s.npz"
    whole, stopped = _stream(joining=0.5, **options), _stream(joining=0.5, **options)
    for step in range(4):
        n_models = 3 + (step > 1)
        losses, labels = rng.random((60, n_models, 2)), np.arange(60) // 3 + 100 * step
        for stream in (whole, stopped):
            if step == 1:
                stream.drop_models(["b"])
                stream.add_models(["d", "e"])
                assert stream.models == ("a", "c", "d", "e")
            stream.update(losses[:, : len(stream.models)] if step != 1 else losses[:, [0, 1, 2, 0]], clusters=labels)
            stream.certificate()
        stopped.save(path)
        stopped = CertificateStream.load(path)
        assert stopped.certificate() == whole.certificate()
        assert stopped.models == whole.models
    with pytest.raises(InvalidInputError, match="again"):
        stopped.update(losses, clusters=labels)


@pytest.mark.parametrize("name", ["low", "0.upper", "new"])
def test_a_part_that_was_edited_is_noticed(name, tmp_path):
    path = tmp_path / "s.npz"
    _stream().save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays[name] = np.append(arrays.get(name, np.zeros(3)), 1)[1:] / 2
    arrays["low"] = np.full(2, np.nan) if name == "low" else arrays["low"]
    np.savez(path, **arrays)
    with pytest.raises(InvalidInputError, match="damaged or of another kind"):
        CertificateStream.load(path)


def test_a_file_of_another_version_is_refused(tmp_path):
    path = tmp_path / "s.npz"
    np.savez(path, header=np.array('{"kind": "moltheory.CertificateStream 1"}'))
    with pytest.raises(InvalidInputError, match=r"must be a file of version 3, got 's\.npz' of version '?1"):
        CertificateStream.load(path)
