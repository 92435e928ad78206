"""`moltheory runs`: text and JSON, exit status, nothing removed without a word."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from moltheory._cli._runs import _duration, _size
from moltheory.cli import main
from moltheory.experiments import asymmetry
from moltheory.problems import reference_world
from moltheory.runs import RunFolder, read_record


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        asymmetry(reference_world(), sizes=[3, 40], replicates=600, rng=seed, store=f"runs/{seed}")
    return tmp_path


def _run(capsys, *arguments, status=0):
    assert main(["runs", *arguments]) == status
    return capsys.readouterr()


def test_list(place, capsys):
    lines = _run(capsys, "list", "runs").out.splitlines()
    assert lines[0].split() == ["run", "what", "problem", "seed", "blocks", "state", "computing", "size", "versions"]
    assert lines[1].split()[:8] == ["runs/1", "asymmetry", "reference_world", "1", "4", "of", "4", "finished"]
    assert _run(capsys, "list").out.count("finished") == 2
    rows = json.loads(_run(capsys, "list", "runs", "--json").out)
    assert [row["place"] for row in rows] == ["runs/1", "runs/2"]
    assert rows[0]["seconds"] == pytest.approx(read_record("runs/1").seconds, rel=1e-12)
    os.mkdir("empty")
    assert _run(capsys, "list", "empty").out == "No run in empty.\n"
    assert json.loads(_run(capsys, "list", "empty", "--json").out) == []
    RunFolder.open("runs/3", parameters={}, rng=0, keys=["a"])
    assert json.loads(_run(capsys, "list", "runs/3", "--json").out)[0]["seconds"] is None
    assert " -  " in _run(capsys, "list", "runs/3").out


def test_check(place, capsys):
    assert _run(capsys, "check", "runs").out == "whole: runs/1 (4 of 4 blocks)\nwhole: runs/2 (4 of 4 blocks)\n"
    (place / "runs" / "2" / "part-size-3-block-0.npz").write_bytes(b"mine")
    lines = _run(capsys, "check", "runs/1", "runs/2", status=1).out.splitlines()
    assert lines[1] == "damaged: runs/2 (4 of 4 blocks)"
    assert "delete this file" in lines[2]
    (place / "runs" / "1" / "record.json").write_text("{}")
    found = json.loads(_run(capsys, "check", "runs", "--json", status=1).out)
    assert [len(entry["wrong"]) for entry in found] == [1, 1]
    os.mkdir("empty")
    for arguments in (["runs", "empty"], ["none"]):
        error = _run(capsys, "check", *arguments, status=2).err
        assert error.startswith("moltheory: `")
        assert error.count("\n") == 1


def test_export(place, capsys):
    assert _run(capsys, "export", "runs/1", "t.csv").out == "1,200 rows in t.csv\n"
    assert next(iter(pd.read_csv("t.csv"))) == "block"
    assert json.loads(_run(capsys, "export", "runs/1", "t.parquet", "--columns", "size, n_front", "--json").out) == {
        "file": "t.parquet",
        "rows": 1200,
    }
    assert list(pd.read_parquet("t.parquet")) == ["block", "size", "n_front"]
    assert "`path` must end in" in _run(capsys, "export", "runs/1", "t.txt", status=2).err
    (place / "runs" / "1" / "part-size-3-block-0.npz").unlink()
    assert "run it again" in _run(capsys, "export", "runs/1", "t.csv", status=2).err
    assert _run(capsys, "export", "runs/1", "t.csv", "--partial").out == "700 rows in t.csv\n"
    RunFolder.open("runs/3", parameters={}, rng=0, keys=["a"])
    assert "(in a shell, --partial)" in _run(capsys, "export", "runs/3", "t.csv", status=2).err


def test_merge(place, capsys):
    assert _run(capsys, "merge", "runs/1", "runs/2", "--into", "both").out == "8 of 8 blocks in both\n"
    found = json.loads(_run(capsys, "merge", "runs/1", "runs/2", "--into", "both", "--json").out)
    assert found == {"place": "both", "blocks": 8, "of": 8, "finished": True}
    assert _run(capsys, "export", "both", "t.csv").out == "2,400 rows in t.csv\n"
    assert "`folders` must be two at least" in _run(capsys, "merge", "runs/1", "--into", "x", status=2).err
    assert "2 merged" in _run(capsys, "list", "both").out


def test_clean(place, capsys):
    assert _run(capsys, "clean").out == "Nothing to remove.\n"
    store = RunFolder.open("runs/3", parameters={}, rng=0, keys=["a"])
    dead = store.path / ".part-a.npz.0123456789abcdef.tmp"
    dead.write_bytes(b"half")
    first = _run(capsys, "clean")
    assert first.out.splitlines()[1].split() == ["leftover", str(dead), "1", "4", "B"]
    assert "--yes removes" in first.err
    assert dead.exists()
    assert "unfinished run" not in _run(capsys, "clean", "--unfinished").out
    assert "unfinished run" in _run(capsys, "clean", "--unfinished", "--hours", "0").out
    assert json.loads(_run(capsys, "clean", "--json").out)["removed"] is False
    assert _run(capsys, "clean", "--yes").out.splitlines()[-1] == "Removed."
    assert not dead.exists()
    assert store.path.exists()
    found = json.loads(_run(capsys, "clean", "--unfinished", "--hours", "0", "--yes", "--json").out)
    assert [entry["kind"] for entry in found["found"]] == ["unfinished run"]
    assert sorted(os.listdir("runs")) == ["1", "2"]
    assert "`unfinished_after` must be" in _run(capsys, "clean", "--unfinished", "--hours", "-1", status=2).err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "ACTION"),
        (["chek"], "did you mean check?"),
        (["list", "--jsn"], "did you mean --json?"),
        (["merge", "a", "b"], "--into"),
        (["clean", "--hours", "x"], "invalid float"),
    ],
)
def test_misspelled(arguments, hint, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["runs", *arguments])
    assert caught.value.code == 2
    assert hint in capsys.readouterr().err


def test_completion_knows_the_actions(capsys):
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        assert "unfinished" in capsys.readouterr().out
    assert main(["completion", "bash"]) == 0
    assert "list check export merge clean" in capsys.readouterr().out


def test_durations_and_sizes():
    found = [_duration(seconds) for seconds in (np.nan, 0.0, 1.4, 119.4, 121.0, 7199.0, 36000.0)]
    assert found == ["-", "< 1 min", "< 1 min", "2 min", "2 min", "120 min", "10.0 h"]
    assert [_size(count) for count in (0, 999, 1000, 43_910, 12e9, 3e15)] == [
        *("0 B", "999 B", "1.0 kB", "44 kB", "12 GB", "3000 TB")
    ]


def test_settings_name_places_below_a_folder_or_url(capsys, tmp_path):
    from moltheory.figures import Settings

    assert Settings(store=tmp_path).store_for("x") == tmp_path / "x-full-seed0"
    assert Settings(store="a").store_for("x").name == "x-full-seed0"
    arguments = ["reproduce", "--quick", "--only", "mechanism", "--out", str(tmp_path / "report")]
    assert main([*arguments, "--store", "s3://key:hidden@host/b"]) == 2
    error = capsys.readouterr().err
    assert "`store` must be a URL without credentials" in error
    assert "hidden" not in error
    assert not (tmp_path / "report").exists()
    assert main([*arguments[:-1], "s3://bucket/report"]) == 2
    assert "`out` must be a local folder" in capsys.readouterr().err
    pytest.importorskip("fsspec")
    assert Settings(store="memory://a/").store_for("x") == "memory://a/x-full-seed0"


@pytest.mark.slow
@pytest.mark.parametrize("store", ["kept", "memory://reports"])
def test_reports_keep_their_blocks_where_they_are_told(store, tmp_path, monkeypatch, capsys):
    if store != "kept":
        pytest.importorskip("fsspec")
    monkeypatch.chdir(tmp_path)
    arguments = ["reproduce", "--quick", "--only", "mechanism", "--n-jobs", "1", "--out", "report", "--store", store]
    assert main(arguments) == 0
    capsys.readouterr()
    rows = json.loads(_run(capsys, "list", store, "--json").out)
    assert [row["state"] for row in rows] == ["finished"]
