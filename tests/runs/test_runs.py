"""Seeds, blocks and files."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.runs import (
    as_seed_sequence,
    block_lengths,
    block_stream,
    prepare_folder,
    run_blocks,
    write_atomically,
)


def test_streams_are_reproducible_and_distinct():
    root = as_seed_sequence(5)
    paths = [("a", 1, 0), ("a", 0, 1), ("b", 1, 0), ("a", 1, 1), ("a", 2**32, 0), ("a", 0), ("a",)]
    draws = [block_stream(root, *path).random(4).tobytes() for path in paths]
    assert len(set(draws)) == len(paths)
    assert draws == [block_stream(as_seed_sequence(5), *path).random(4).tobytes() for path in paths]
    assert block_stream(as_seed_sequence(6), "a", 1, 0).random() != block_stream(root, "a", 1, 0).random()


def test_streams_do_not_change_between_versions():
    # Recorded once: a change of the streams changes every published number.
    assert block_stream(as_seed_sequence(0), "two_coins", 100, 0).integers(2**32, size=3).tolist() == EXPECTED


EXPECTED = [949976923, 3021674306, 4021596144]


def test_every_kind_of_source():
    assert as_seed_sequence(3).entropy == 3
    sequence = np.random.SeedSequence(9, spawn_key=(4,))
    assert as_seed_sequence(sequence) is sequence
    assert block_stream(sequence, "x").random() != block_stream(np.random.SeedSequence(9), "x").random()
    first = as_seed_sequence(np.random.default_rng(1)).entropy
    assert first == as_seed_sequence(np.random.default_rng(1)).entropy
    generator = np.random.default_rng(1)
    assert as_seed_sequence(generator).entropy != as_seed_sequence(generator).entropy
    assert as_seed_sequence(None).entropy != as_seed_sequence(None).entropy


@pytest.mark.parametrize("bad", [-1, 1.5, "seed", True])
def test_bad_sources_are_refused(bad, refuses):
    refuses("rng", as_seed_sequence, bad)


def test_global_state_is_untouched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    block_stream(as_seed_sequence(None), "x", 1).random(100)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_blocks():
    assert block_lengths(7, 7) == [7]
    assert sum(block_lengths(1001, 500)) == 1001
    serial = run_blocks(pow, [(2, k) for k in range(20)])
    assert serial == [2**k for k in range(20)] == run_blocks(pow, [(2, k) for k in range(20)], n_jobs=2)
    assert run_blocks(pow, [(2, 3)], progress=True) == [8]
    for bad in (0, -2, 1.5):
        with pytest.raises(InvalidInputError, match="`n_jobs` must be"):
            run_blocks(pow, [(2, 3)], n_jobs=bad)


def test_files_are_whole_or_absent(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    write_atomically(target, "old")
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) & stat.S_IRUSR

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match="cannot be written \\(No space left on device\\)"):
        write_atomically(target, "half")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_are_proved_before_work(tmp_path):
    assert prepare_folder(tmp_path / "x" / "y").is_dir()
    file = tmp_path / "file"
    file.write_text("")
    for bad in (file, file / "below"):
        with pytest.raises(OutputError, match="`out` must be a folder that can be written to"):
            prepare_folder(bad)
    assert list(Path(tmp_path / "x" / "y").iterdir()) == []
