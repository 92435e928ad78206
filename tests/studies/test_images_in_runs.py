"""Blocks of work on images: they go on where they stopped on the same images, and never mix with those on others."""

import numpy as np
import pytest

from moltheory.images import ImageSource
from moltheory.reports import Settings
from moltheory.studies._machine import Machine
from moltheory.studies._runner import run_study_blocks
from tests.lab.tiny_images import write_mnist

_CALLS = []


def _mean(source: ImageSource, label: int) -> dict[str, np.ndarray]:
    data = source.load()
    _CALLS.append(label)
    return {"mean": np.array([data.pool[data.pool_labels == label].mean()])}


def _run(source, settings, **more):
    _CALLS.clear()
    found = run_study_blocks(
        _mean,
        {f"class-{label}": (source, label) for label in range(3)},
        store=("a_study",),
        parameters={},
        settings=settings,
        source=source,
        **more,
    )
    return [float(part["mean"][0]) for part in found.values()], list(_CALLS)


@pytest.fixture
def sources(tmp_path):
    for seed, name in enumerate(("one", "two")):
        write_mnist(tmp_path / name, 60, 30, seed=seed)
    return [ImageSource.of(tmp_path / name) for name in ("one", "two")]


def test_other_images_are_another_run(tmp_path, sources):
    settings = Settings(store=tmp_path / "store")
    one, calls = _run(sources[0], settings)
    assert calls == [0, 1, 2]
    assert _run(sources[0], settings) == (one, [])
    # The same name and other images: a folder of its own.
    two, calls = _run(sources[1], settings)
    assert calls == [0, 1, 2]
    assert two != one
    assert _run(sources[0], settings) == (one, [])
    # Of another name.
    digits, calls = _run(ImageSource.of(None), settings)
    assert calls == [0, 1, 2]
    assert digits != one
    names = sorted(path.name for path in (tmp_path / "store").iterdir() if path.is_dir())
    assert any("MNIST" in name for name in names)
    assert any("digits" in name for name in names)


def test_another_machine_is_another_run(tmp_path, sources):
    settings = Settings(store=tmp_path / "store")
    one, _ = _run(sources[0], settings, machine=Machine())
    assert _run(sources[0], settings) == (one, [])
    again, calls = _run(sources[0], settings, machine=Machine(threads=2))
    assert again == one
    assert calls == [0, 1, 2]


def test_processes_read_the_files_themselves(sources):
    alone, _ = _run(sources[0], Settings())
    together, calls = _run(sources[0], Settings(n_jobs=2))
    assert together == alone
    assert calls == []
