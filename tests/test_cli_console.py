"""The command line on any console: every encoding, controls in names, closed pipes, full disks, interrupts."""

import html
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from moltheory._cli._console import aligned, fitting, say
from moltheory._core._text import visible
from moltheory.certification import Certificate, certify
from moltheory.certification._format import directions_text
from moltheory.certification._plot import certificate_image
from moltheory.cli import main
from moltheory.evaluation import Measured

COMMANDS = [
    ["certify", "losses.csv", "--plan"],
    ["certify", "losses.csv", "--json"],
    ["certify", "--help"],
    ["theorems"],
    ["theorems", "--json"],
    ["study", "--list"],
    ["reproduce", "--list"],
    ["bound", "--n", "100", "--errors", "10"],
    ["completion", "bash"],
    ["--help"],
]
# Dollars, commas, slashes, quotes, line breaks, controls, both directions of writing, wide letters, joined emoji.
STRANGE = [
    *("Ba$$in", "$\\frac$", "a,b", "a/b", '"q"', "two\nlines", "carriage\rreturn", "\x1b[31mred\x1b[0m", "tab\there"),
    *("modèle Ω", "שלום", "\u202eback", "模型", "\U0001f468\u200d\U0001f4bb", "nul\x00", "\x85", "\u2028"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "losses.csv").write_text("modèle Ω,b\n" + "0,1\n1,1\n0,0\n" * 30, encoding="utf-8")
    return tmp_path


def _console(encoding, errors="strict"):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp037", "shift_jis", "utf-16", "utf-8"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_prints_in_every_encoding(command, encoding, folder, monkeypatch):
    out, err = _console(encoding), _console(encoding)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    if command[-1] == "--help":
        with pytest.raises(SystemExit, match=r"^0$"):
            main(command)
    else:
        assert main(command) == 0
    text = out.buffer.getvalue().decode(encoding)
    assert text.strip()
    if "--json" in command:
        assert json.loads(text)
    elif command[0] == "certify" and "losses.csv" in command:
        assert visible("modèle Ω").encode(encoding, "backslashreplace").decode(encoding) in text


def test_errors_are_shown_in_every_encoding(folder, monkeypatch):
    err = _console("ascii")
    monkeypatch.setattr("sys.stderr", err)
    assert main(["certify", "Ω\n.csv"]) == 2
    text = err.buffer.getvalue().decode("ascii")
    assert "\\u03a9" in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_no_control_character_reaches_the_console_and_names_stay_whole_in_json(name, folder, capsys):
    pd.DataFrame({name: [0, 1, 0] * 20, "b": [1, 1, 0] * 20}).to_parquet("strange.parquet")
    options = ["--wide"] if "/" in name else []
    files = ["--html", "page.html", "--plot", "figure.svg"]
    assert main(["certify", "strange.parquet", *options, *files]) == 0
    out, err = capsys.readouterr()
    assert visible(name) in out
    assert all(letter.isprintable() or letter in "\n\u200d" for letter in out + err)
    assert visible(name) in html.unescape((folder / "page.html").read_text(encoding="utf-8"))
    assert (folder / "figure.svg").read_bytes().startswith(b"<?xml")
    assert main(["certify", "strange.parquet", *options, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert Certificate.from_json(out).names == (name, "b")


def test_lone_surrogates_are_text_too(folder, capsys):
    np.savez("s.npz", losses=np.tile([[0, 1], [1, 1]], (30, 1)), models=np.array(["\ud800", "b"]))
    assert main(["certify", "s.npz", "--plan", "--html", "s.html", "--plot", "s.pdf"]) == 0
    assert "\\ud800" in capsys.readouterr().out
    assert "\\ud800" in (folder / "s.html").read_text(encoding="utf-8")
    assert main(["certify", "s.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["names"][0] == "\ud800"


def test_columns_stand_under_each_other_in_wide_letters_and_escapes(monkeypatch):
    assert aligned(["模型", "x"], [["a", "y"], ["bcdef", "z"]]) == ["模型   x", "a      y", "bcdef  z"]
    monkeypatch.setattr("sys.stdout", _console("ascii"))
    assert aligned(["é", "x"], [["a", "y"]]) == ["\\xe9  x", "a     y"]


def test_an_unknown_encoding_is_shown_as_ascii():
    class _Stream(io.StringIO):
        encoding = "no-such-code"

    assert fitting("σ", _Stream()) == "\\u03c3"
    assert fitting("σ", io.StringIO()) == "σ"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_console_that_was_closed_is_nobody(stream, folder, monkeypatch, capsys):
    monkeypatch.setattr(f"sys.{stream}", None)
    assert main(["certify", "losses.csv"]) == 0
    assert main(["certify", "none.csv"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes of POSIX")
@pytest.mark.parametrize(
    "command", [["theorems"], ["certify", "losses.csv", "--minimise", "loss"], ["certify", "--help"]]
)
def test_a_closed_pipe_ends_every_command_quietly(command, folder):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "moltheory", *command], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_in_every_command(folder):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "moltheory", "--help"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.decode() == "moltheory: standard output cannot be written (No space left on device).\n"


def test_console_of_a_process_that_is_not_utf_8(folder):
    found = subprocess.run(
        [sys.executable, "-m", "moltheory", "certify", "losses.csv", "--minimise", "loss"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict"},
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"mod\\xe8le \\u03a9" in found.stdout


@pytest.mark.parametrize("command", [["certify", "losses.csv"], ["theorems", "--check"]])
def test_an_interrupt_is_one_line(command, folder, monkeypatch, capsys):
    # A shell's job in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("moltheory.certification.certify", interrupted)
    monkeypatch.setattr("moltheory.theorems.check_all", interrupted)
    try:
        assert main(command) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_lines_are_escaped_one_by_one(capsys):
    say("a\nb\x07", "c")
    assert capsys.readouterr().out == "a\nb\\x07\nc\n"


def test_too_little_memory_is_one_sentence(folder, monkeypatch, capsys):
    def exhausted(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("moltheory.certification.certify", exhausted)
    assert main(["certify", "losses.csv"]) == 2
    assert capsys.readouterr().err.startswith("moltheory: the input must fit into memory")


@pytest.mark.parametrize("objectives", [1, 2])
def test_intervals_without_an_end_are_drawn(objectives, rng):
    losses = (rng.random((40, 2, objectives)) < 0.4).astype(np.uint8)
    price = Measured([1, 2], [-np.inf, 1], [3, np.inf], delta=0.01)
    certificate = certify(losses, costs={"$": price}, names=["\x07", "\ud800"])
    assert certificate_image(certificate, "svg").startswith(b"<?xml")
    assert "Measured, with the intervals given: $." in directions_text(certificate)
