"""Files beside that of the losses: costs, options and names are read whole or refused, and no name is taken twice."""

import json
import os
import subprocess
import sys
import threading

import pytest

from moltheory import cli

LOSSES = "a,b\n" + "0,1\n1,1\n" * 20
OPTIONS = {"costs": ("costs.json", "--costs"), "config": ("o.toml", "--config"), "names": ("n.json", "--columns-file")}


def _refused(capsys, *arguments):
    """The sentence that refuses a command."""
    assert cli.main(["certify", "losses.csv", *arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].isprintable()
    assert lines[0].endswith(".")
    assert len(lines[0]) < 1_000
    return lines[0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "losses.csv").write_text(LOSSES)
    monkeypatch.setattr("moltheory._core._reading._PATIENCE", 0.05)
    return tmp_path


@pytest.mark.parametrize("what", OPTIONS)
@pytest.mark.parametrize("how", ["none", "folder", "pipe", "device", "huge", "bytes", "deep", "broken"])
def test_side_files_that_cannot_be_read_are_refused(what, how, folder, capsys):
    name, option = OPTIONS[what]
    path = folder / name
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "device":
        os.symlink("/dev/zero", path)
    elif how == "broken":
        os.symlink("nothing", path)
    elif how == "huge":
        with path.open("wb") as file:
            file.truncate(4 << 30)
    elif how == "bytes":
        path.write_bytes(b"\xff\xfe\xed\xa0\x80")
    elif how == "deep":
        path.write_text(("a = " if what == "config" else "") + "[" * 50_000)
    _refused(capsys, option, name)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("costs", '{"a": {"size": 1, "size": 2}, "b": {"size": 3}}'),
        ("costs", '{"a": {"size": 1}, "a": {"size": 2}, "b": {"size": 3}}'),
        ("costs", '[{"model": "a", "size": 1, "x": {"y": 1, "y": 2}}]'),
        ("config", "delta = 0.1\ndelta = 0.2"),
        ("names", '{"objectives": ["loss"], "objectives": ["b"]}'),
    ],
)
def test_a_key_twice_is_refused(what, text, folder, capsys):
    name, option = OPTIONS[what]
    (folder / name).write_text(text)
    _refused(capsys, option, name)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"size": 1e400}, "b": {"size": 1}}',
        '{"a": {"size": NaN}, "b": {"size": 1}}',
        '{"a": {"size": -Infinity}, "b": {"size": 1}}',
        '{"a": {"size": 1' + "0" * 400 + '}, "b": {"size": 1}}',
        '{"a": {"size": 1' + "0" * 5_000 + '}, "b": {"size": 1}}',
        '{"a": {"size": "1_000"}, "b": {"size": 1}}',
        '{"a": {"size": [1]}, "b": {"size": 1}}',
        '{"a": {"size": "' + "x" * 5_000 + '"}, "b": {"size": 1}}',
        '{"a": {"size": 1, "model": "b"}, "b": {"size": 1}}',
        '[{"model": ["a"], "size": 1}]',
        '[{"model": null, "size": 1}]',
        '[{"model": true, "size": 1}]',
        '{"' + "a" * 10_000 + '": {"size": 1}}',
        '{"\\ud800": {"size": 1}}',
    ],
    ids=range(14),
)
def test_costs_that_are_no_costs_are_refused(text, folder, capsys):
    (folder / "costs.json").write_text(text)
    _refused(capsys, "--costs", "costs.json")


def test_costs_at_the_ends_of_the_range_are_costs(folder, capsys):
    (folder / "costs.json").write_text('{"a": {"\\ud800": 1e308}, "b": {"\\ud800": -1e308}}')
    assert cli.main(["certify", "losses.csv", "--costs", "costs.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_an_object_of_many_keys_and_one_twice_is_refused_at_once(folder, capsys):
    (folder / "costs.json").write_text("{" + ", ".join(f'"{i}": 1' for i in range(50_000)) + ', "49999": 2}')
    assert "'49999' twice" in _refused(capsys, "--costs", "costs.json")


@pytest.mark.parametrize("text", ["x" * 10_000, json.dumps(["\ud800"]), json.dumps({"y" * 9_000: ["a"]}), "\x1b[31m"])
def test_names_that_are_not_known_are_shown_in_short(text, folder, capsys):
    (folder / "n.json").write_text(text)
    _refused(capsys, "--columns-file", "n.json")


@pytest.mark.parametrize("what", ["config", "names"])
def test_side_files_may_come_through_a_pipe(what, folder, capsys):
    name, option = OPTIONS[what]
    os.mkfifo(folder / name)
    text = "delta = 0.1" if what == "config" else "loss"
    thread = threading.Thread(target=(folder / name).write_text, args=(text,), daemon=True)
    thread.start()
    assert cli.main(["certify", "losses.csv", option, name, "--json"]) == 0
    thread.join(10)


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="a system without this shell")
def test_process_substitution_is_read_with_lists_of_names(folder):
    """Lists of names are tried in several ways, each of which reads the file."""
    command = f"'{sys.executable}' -m moltheory certify <(cat losses.csv) --models a,b"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
