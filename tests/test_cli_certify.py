"""`moltheory certify` as a person meets it: a table, JSON or a page; refused in one sentence with nothing written."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from moltheory.certification import Certificate, certify
from moltheory.cli import main
from moltheory.evaluation._source import MOST_IN_MEMORY

NAMES = ("slow", "fast", "bad", "twin")


@pytest.fixture
def losses(rng):
    """Slow errs least, fast is nearly as good, bad is beaten by both, twin errs with fast but for a few examples."""
    table = np.zeros((1200, 4))
    table[:150, 0] = table[100:300, 1] = table[:500, 2] = table[102:305, 3] = 1
    return table


@pytest.fixture
def folder(losses, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(losses.astype(int), columns=list(NAMES))
    frame.to_csv("losses.csv", index_label="example")
    frame.to_parquet("losses.parquet")
    long = frame.reset_index(names="example").melt("example", var_name="model", value_name="loss")
    long.sort_values("example", kind="stable").to_csv("long.csv", index=False)
    np.savez("losses.npz", losses=losses.astype(np.uint8), models=np.array(NAMES))
    np.save("losses.npy", losses[:, :, None].astype(np.float32))
    (tmp_path / "costs.csv").write_text("model,seconds\nslow,9\nfast,2\nbad,5\ntwin,2\n")
    return tmp_path


@pytest.mark.parametrize("file", ["losses.csv", "losses.parquet", "long.csv", "losses.npz"])
def test_every_format_gives_the_certificate_of_the_array(file, folder, losses, capsys):
    assert main(["certify", file, "--costs", "costs.csv", "--json"]) == 0
    found = Certificate.from_json(capsys.readouterr().out)
    # Arrays keep their type, and integers 0/1 are known to be nothing else; tables are read as real numbers.
    array = losses.astype(np.uint8) if file.endswith(".npz") else losses
    expected = certify(array, costs={"seconds": [9.0, 2, 5, 2]}, names=NAMES, objectives=["loss"])
    assert found.names == expected.names
    assert found.objectives == ("loss", "seconds")
    for name in ("sure", "excluded", "excluded_by", "boxes", "estimates", "adjusted_p_value"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_table_and_summary(folder, capsys):
    assert main(["certify", "losses.csv", "--costs", "costs.csv", "--plan"]) == 0
    text = capsys.readouterr().out
    opening, table, *_ = text.split("\n\n")
    assert opening.startswith("What you can safely do\n")
    lines = table.splitlines()
    assert lines[0].split()[:5] == ["#", "model", "verdict", "use", "instead"]
    assert lines[1].split()[:2] == ["1", "slow"]
    bad = next(line for line in lines if line.split()[1] == "bad")
    assert "not on the front" in bad
    assert "fast" in bad
    assert "99.99%" in bad
    assert "With probability at least 95%" in text
    assert "Additional examples that would decide the open models" in text
    assert "twin" in text.split("Additional examples")[1]


def test_the_old_spelling_of_plan_works_and_says_so(folder, capsys):
    assert main(["certify", "losses.csv", "--minimise", "loss", "--plan"]) == 0
    expected, error = capsys.readouterr()
    assert error == ""
    assert main(["certify", "losses.csv", "--minimise", "loss", "--more"]) == 0
    found, error = capsys.readouterr()
    assert found == expected
    assert error == "moltheory: --more is deprecated and will be removed in 0.4; use --plan.\n"
    with pytest.raises(SystemExit):
        main(["certify", "--help"])
    assert "--more" not in capsys.readouterr().out


def test_options_reach_the_certificate(folder, losses, capsys):
    scores = pd.DataFrame(
        np.concatenate([1 - losses, 40 * losses], axis=1),
        columns=[f"{m}/{o}" for o in ("accuracy", "seconds") for m in NAMES],
    )
    scores["patient"] = np.arange(len(scores)) // 4
    scores.to_csv("scores.csv", index=False)
    options = ["--maximise", "accuracy", "--clusters", "patient", "--loss-range", "seconds", "0", "50"]
    more = ["--epsilon", "0.01", "--epsilon", "seconds=2", "--delta", "0.1", "--method", "boxes", "--json"]
    assert main(["certify", "scores.csv", *options, *more]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["objectives"] == ["accuracy", "seconds"]
    assert found["maximise"] == [True, False]
    assert found["epsilon"] == [0.01, 2]
    assert found["delta"] == 0.1
    assert found["delta_allocation"] == [["simultaneous boxes", 0.1]]
    assert any("clusters" in text for text in found["assumptions"])
    assert main(["certify", "scores.csv", *options, "--objectives", "seconds, accuracy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["maximise"] == [False, True]
    chosen = ["--objectives", "accuracy", "--maximise", "accuracy", "--clusters", "patient", "--loss-range", "-1", "1"]
    assert main(["certify", "scores.csv", *chosen, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["objectives"] == ["accuracy"]


def test_report_is_written_whole(folder, capsys):
    assert main(["certify", "losses.csv", "--html", "report.html"]) == 0
    assert "Report: report.html" in capsys.readouterr().out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert "losses.csv" in page
    assert "What more data would decide" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "`none.csv` must be a file that can be read"),
        (["losses.txt"], "`losses.txt` must be a file that can be read"),
        (["broken.csv"], "got 'x' in line 3"),
        (["outside.csv"], "losses in [0, 1], got 7 in column 'b' in line 3"),
        (["single.csv"], "at least two models"),
        (["twice.csv"], "every example once, got 'x' in line 2 and line 4"),
        (["twice_long.csv"], "model 'a' twice for the example in line 2 and line 4"),
        (["empty.csv"], "`losses` must hold losses in objective 'loss', got NaN only"),
        (["never.csv"], "`losses` must hold losses in objective 'y', got NaN only"),
        (["never_one.csv"], "must evaluate every model in objective 'y' on some example"),
        (["losses.csv", "--delta", "0"], "`delta` must lie in (0, 1)"),
        (["losses.csv", "--delta", "2"], "`delta` must lie in (0, 1)"),
        (["losses.csv", "--objectives", "price"], "`objectives` must be one of"),
        (["losses.csv", "--maximise", "price"], "`maximise` must be one of"),
        (["losses.csv", "--clusters", "patient"], "`clusters` must be a column"),
        (["losses.csv", "--costs", "none.csv"], "`none.csv` must be a file"),
        (["losses.csv", "--epsilon", "-1"], "`epsilon` must be >= 0"),
        (["losses.csv", "--epsilon", "some"], "`epsilon` must be a number, got 'some'"),
        (["losses.csv", "--epsilon", "price=1"], "`epsilon` must be one of"),
        (["losses.csv", "--loss-range", "1", "0"], "`loss_range` must be an interval"),
        (["losses.csv", "--loss-range", "0"], "`loss-range` must be LOW HIGH"),
        (["losses.csv", "--loss-range", "0", "high"], "`loss-range` must be a number, got 'high'"),
        (["losses.csv", "--loss-range", "price", "0", "1"], "`loss_range` must be one of loss"),
        (["losses.csv", "--method", "guess"], "`method` must be one of"),
        (["losses.csv", "--html", "losses.csv"], "`html` must be another file"),
    ],
)
def test_refuses_in_one_sentence_and_writes_nothing(arguments, message, folder, capsys):
    (folder / "broken.csv").write_text("a,b\n0,1\nx,1\n")
    (folder / "outside.csv").write_text("a,b\n0,1\n1,7\n")
    (folder / "single.csv").write_text("a\n0\n1\n")
    (folder / "twice.csv").write_text("example,a,b\nx,0,1\ny,1,0\nx,0,1\n")
    (folder / "twice_long.csv").write_text("model,example,loss\na,x,0\nb,x,1\na,x,1\n")
    (folder / "empty.csv").write_text("a,b\n,\n,\n")
    (folder / "never.csv").write_text("a/x,b/x,a/y,b/y\n0,1,,\n1,0,,\n")
    (folder / "never_one.csv").write_text("a/x,b/x,a/y,b/y\n0,1,0,\n1,0,1,\n")
    before = sorted(os.listdir(folder))
    content = (folder / "losses.csv").read_bytes()
    html = [] if "--html" in arguments else ["--html", "report.html"]
    assert main(["certify", *arguments, *html]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("moltheory: ")
    assert message in error
    assert error.count("\n") == 1
    assert sorted(os.listdir(folder)) == before
    assert (folder / "losses.csv").read_bytes() == content


@pytest.mark.parametrize("page", ["no/such/folder/report.html", "."])
def test_a_report_that_cannot_be_written_is_refused_before_the_work(page, folder, capsys, monkeypatch):
    monkeypatch.setattr("moltheory.certification.open_losses", lambda *args, **kwargs: pytest.fail("work began"))
    assert main(["certify", "losses.csv", "--html", page]) == 2
    assert "`html` must be a file in a folder" in capsys.readouterr().err


def test_help_names_forms_and_options(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["certify", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    for words in ("wide table", "long table", "--clusters", "--html", "model/objective", "exit status"):
        assert words in text
    assert f"up to {MOST_IN_MEMORY // 10**6} million losses" in text
    assert "latency or price measured per request is an objective" in " ".join(text.split()).lower()
    for group in ("input:", "objectives:", "statistics:", "output:"):
        assert f"\n{group}\n" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_direction_and_the_slack_are_said(folder, capsys):
    assert main(["certify", "losses.csv", "--costs", "costs.csv"]) == 0
    assert (
        "Smaller is better in every objective. Known exactly, without an interval: seconds." in capsys.readouterr().out
    )
    assert main(["certify", "losses.csv", "--costs", "costs.csv", "--epsilon", "0.2"]) == 0
    text = capsys.readouterr().out
    assert "on the front to within the tolerance" in text
    assert "replaceable by" in text.split("\n\n")[1].splitlines()[0]


class _Output:
    """A standard output that takes nothing."""

    def __init__(self, error, path):
        self._error, self._file = error, path.open("w")

    def write(self, text):
        raise self._error

    def flush(self):
        pass

    def fileno(self):
        return self._file.fileno()


def test_a_reader_that_left_is_no_error_and_a_full_disk_is_one(folder, capsys, monkeypatch):
    for error, status, words in ((BrokenPipeError(), 0, ""), (OSError(28, "No space left"), 2, "cannot be written")):
        output = _Output(error, folder / "out.txt")
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", output)
            assert main(["certify", "losses.csv"]) == status
        output._file.close()
        assert words in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_report_never_replaces_a_device(folder, capsys):
    os.mkfifo("pipe")
    assert main(["certify", "losses.csv", "--html", "pipe"]) == 2
    assert "`html` must be an ordinary file" in capsys.readouterr().err


def test_swapped_axes_and_identical_models_get_advice(folder, capsys):
    np.save("swapped.npy", np.load("losses.npy")[:, :, 0].T)
    assert main(["certify", "swapped.npy"]) == 0
    assert "moltheory: note: There are more models than examples" in capsys.readouterr().err
    np.save("same.npy", np.repeat(np.load("losses.npy")[:, :1], 2, axis=1))
    assert main(["certify", "same.npy", "--plan"]) == 0
    text, error = capsys.readouterr()
    assert "consider allowing a tolerance with --epsilon" in text
    assert "more models than examples" not in error
