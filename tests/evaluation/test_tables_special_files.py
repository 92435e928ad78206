"""Pipes, devices, sockets, links and files that change: read as a stream or refused at once, never waited on for ever."""

import os
import pathlib
import socket
import sys
import tempfile
import threading

import numpy as np
import pandas as pd
import pytest

from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.evaluation import open_losses, read_costs
from moltheory.evaluation._standard_input import spooled

from ._tables import FORMATS

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes among files")
TABLE = b"a,b\n0,1\n1,1\n"


def _write(path, *parts):
    """Write into a pipe from a thread; it is opened as soon as somebody reads."""

    def write():
        with path.open("wb") as pipe:
            for part in parts:
                pipe.write(part)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_pipe_is_read_as_standard_input_is(tmp_path, kept):
    pipe = tmp_path / "losses.csv"
    os.mkfifo(pipe)
    thread = _write(pipe, *[TABLE, b"0,0\n" * 50_000])
    table = open_losses(pipe)
    assert sum(len(block) for block, _ in table.blocks()) == 50_002
    assert table.name == "losses.csv"
    thread.join(10)
    del table
    assert not list(kept.iterdir())


def test_the_pipe_of_a_process_substitution_is_read(kept):
    read, write = os.pipe()
    os.write(write, TABLE)
    os.close(write)
    table = open_losses(f"/dev/fd/{read}")
    assert table.losses.shape == (2, 2, 1)
    assert table.name == f"pipe {read}"
    os.close(read)


def test_a_pipe_without_a_writer_is_refused(tmp_path, kept, refuses, monkeypatch):
    monkeypatch.setattr("moltheory._core._reading._PATIENCE", 0.05)
    for name in ("a.csv", "a.npz", "a"):
        os.mkfifo(tmp_path / name)
    for name in ("a.csv", "a.npz"):
        assert "without a writer" in refuses(name, open_losses, tmp_path / name)
    assert "without a writer" in refuses("pipe a", open_losses, tmp_path / "a")
    (tmp_path / "b.csv").write_bytes(TABLE)
    refuses("a.csv", open_losses, [tmp_path / "b.csv", tmp_path / "a.csv"])
    os.rename(tmp_path / "a.csv", tmp_path / "costs.csv")
    refuses("costs.csv", read_costs, tmp_path / "costs.csv", models=["a"])
    assert not list(kept.iterdir())


def test_a_pipe_of_more_than_the_limit_is_refused(tmp_path, kept):
    pipe = tmp_path / "losses.csv"
    os.mkfifo(pipe)
    thread = _write(pipe, bytes(100))
    with pytest.raises(TooLargeError, match=r"^`losses.csv` must hold at most 10 bytes"):
        spooled(pipe, most=10)
    thread.join(10)
    assert not list(kept.iterdir())


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null", "/dev/random"])
def test_devices_are_refused(device, refuses):
    assert "a device" in refuses(device[5:], open_losses, device)


def test_sockets_and_links_to_nothing_are_refused(tmp_path, monkeypatch, refuses):
    monkeypatch.chdir(tmp_path)
    server = socket.socket(socket.AF_UNIX)
    server.bind("s.csv")
    refuses("s.csv", open_losses, "s.csv")
    server.close()
    os.symlink("none.csv", "broken.csv")
    os.symlink("around.csv", "around.csv")
    for name in ("broken.csv", "around.csv"):
        refuses(name, open_losses, name)
        refuses(name, read_costs, name, models=["a"])


@pytest.mark.parametrize("what", ["broken", "pipe", "loop"])
def test_a_folder_with_a_part_that_cannot_be_read_is_refused(what, tmp_path, refuses):
    folder = FORMATS["folder"](pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]}), tmp_path)
    path = folder / "part-1.parquet"
    if what == "pipe":
        os.mkfifo(path)
    else:
        os.symlink(tmp_path / "none" if what == "broken" else folder, path if what == "broken" else folder / "again")
    refuses(folder.name if what == "loop" else path.name, open_losses, folder)


def test_a_folder_in_a_folder_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    folder = FORMATS["folder"](pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]}), tmp_path)
    (folder / "secret").mkdir()
    scan = os.scandir

    def scandir(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InvalidInputError, match="Permission denied"):
        open_losses(folder)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.npy"])
def test_a_file_that_may_not_be_read_is_refused(name, tmp_path, monkeypatch, refuses):
    path = tmp_path / name
    path.write_bytes(TABLE)
    real = pathlib.Path.open

    def opened(self, *args, **options):
        if self.name == name:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **options)

    monkeypatch.setattr(pathlib.Path, "open", opened)
    assert "Permission denied" in refuses(name, open_losses, path)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet", "arrow", "npy", "npz"])
@pytest.mark.parametrize("change", ["deleted", "emptied", "cut", "another", "folder"])
def test_a_file_that_changes_after_it_was_opened_is_refused(kind, change, tmp_path):
    frame = pd.DataFrame({"a": [0.0, 1.0] * 100, "b": [1.0, 0.0] * 100})

    def write(columns):
        if kind in ("npy", "npz"):
            path = tmp_path / f"a.{kind}"
            array = (
                frame[columns]
                .to_numpy()
                .repeat(2 if columns == ["b"] else 1, axis=1)[: 99 if len(columns) < 2 else 200]
            )
            np.save(path, array) if kind == "npy" else np.savez(path, losses=array)
            return path
        return FORMATS[kind](frame[columns].rename(columns={"b": "c"} if columns == ["b"] else {}), tmp_path)

    path = write(["a", "b"])
    table = open_losses(path)
    if change == "another":
        write(["b"])
    elif change in ("emptied", "cut"):
        path.write_bytes(path.read_bytes()[: 0 if change == "emptied" else -30])
    else:
        path.unlink()
        if change == "folder":
            path.mkdir()
    with pytest.raises(InvalidInputError, match=r"^`"):
        list(table.blocks())


def test_names_of_files_are_shown_not_sent(tmp_path, refuses):
    for name in ("a\x1b[31m\n.csv", "a\u202e.csv", *(["a\udcff.csv"] if sys.platform == "linux" else [])):
        path = tmp_path / name
        for call in (open_losses, lambda path: read_costs(path, models=["a"])):
            with pytest.raises(InvalidInputError) as error:
                call(path)
            assert str(error.value).isprintable()
        path.write_bytes(b"a,b\n0,x\n")
        with pytest.raises(InvalidInputError) as error:
            list(open_losses(path).blocks())
        assert str(error.value).isprintable()
