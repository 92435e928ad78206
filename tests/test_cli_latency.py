"""`moltheory certify` on latencies, tokens and prices per request: quantiles, service levels, capped means."""

import json
import pickle
import re

import numpy as np
import pytest

from moltheory.certification import Certificate, certify
from moltheory.certification._explain import tolerance_sentence
from moltheory.certification._report import certificate_page
from moltheory.cli import main
from moltheory.evaluation import CappedMean, ExceedanceRate, LossTable, Quantile, open_losses
from moltheory.evaluation._requests import NoRangeError

MODELS = ("slow", "fast", "bad")
TIDY = ("runs.csv", "--model", "model", "--example", "example", "--maximise", "correct")


@pytest.fixture
def requests(rng):
    """Slow is the most accurate and four times slower, fast nearly as good, bad worse in everything."""
    n = 400
    size = rng.lognormal(0.0, 0.5, (n, 1))
    seconds = np.round(size * rng.lognormal(0.0, 0.3, (n, 3)) * [4.0, 1.0, 4.5], 3)
    price = np.round(size * [3.0, 1.0, 3.5], 4)
    correct = (rng.random((n, 3)) < [0.95, 0.8, 0.5]).astype(float)
    return {"correct": correct, "seconds": seconds, "price": price}


@pytest.fixture
def folder(requests, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["model,example,correct,seconds,price"]
    for example in range(400):
        for m, model in enumerate(MODELS):
            values = [f"{requests[name][example, m]:g}" for name in ("correct", "seconds", "price")]
            lines.append(",".join([model, f"e{example}", *values]))
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n")
    long = [line.split(",")[:2] + line.split(",")[3:4] for line in lines[1:]]
    (tmp_path / "long.csv").write_text("\n".join(["model,example,loss", *map(",".join, long)]) + "\n")
    wide = ["slow/seconds,slow/correct,fast/seconds,fast/correct"]
    both = np.stack([requests["seconds"], requests["correct"]], axis=2)[:, :2].reshape(400, 4)
    (tmp_path / "wide.csv").write_text("\n".join([*wide, *(",".join(f"{x:g}" for x in row) for row in both)]))
    np.savez("runs.npz", losses=both.reshape(400, 2, 2), models=np.array(MODELS[:2]), objectives=["seconds", "correct"])
    return tmp_path


def _certified(capsys, *arguments):
    assert main(["certify", *arguments, "--json"]) == 0
    return Certificate.from_json(capsys.readouterr().out)


def _refused(capsys, *arguments):
    assert main(["certify", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert error.endswith(".\n")
    return error.removeprefix("moltheory: ").rstrip("\n")


def test_columns_become_objectives_without_a_range(folder, requests, capsys):
    asked = ("--quantile", "seconds=0.95", "--quantile", "seconds=0.5", "--limit", "seconds=2", "--cap", "price=10")
    found = _certified(capsys, *TIDY, "--metrics", "correct,seconds,price", *asked)
    assert found.objectives == ("correct", "seconds p95", "seconds p50", "seconds above 2", "price capped at 10")
    assert found.status == ("sure", "sure", "excluded")
    seconds = requests["seconds"]
    same = certify(
        None,
        objectives={
            "correct": LossTable(requests["correct"], MODELS, ["correct"])
            .with_objectives(limit={"correct": 0.5})
            .measures["correct above 0.5"],
            "seconds p95": Quantile(seconds, 0.95),
            "seconds p50": Quantile(seconds, 0.5),
            "seconds above 2": ExceedanceRate(seconds, 2.0),
            "price capped at 10": CappedMean(requests["price"], 10.0),
        },
        maximise=["correct"],
        names=MODELS,
    )
    np.testing.assert_allclose(found.estimates, same.estimates, rtol=1e-12)
    np.testing.assert_array_equal(found.boxes[:, 1:], same.boxes[:, 1:])
    np.testing.assert_array_equal(found.estimates[:, 1], np.sort(seconds, axis=0)[379])
    # The mean over the range of a time limit settles less.
    mean = _certified(capsys, *TIDY, "--metrics", "correct,seconds", "--loss-range", "seconds", "0", "600")
    assert mean.undecided.any()


@pytest.mark.parametrize(
    ("file", "name"), [("long.csv", "loss"), ("wide.csv", "seconds"), ("runs.npz", "seconds")], ids=lambda text: text
)
def test_every_format_is_read_without_a_range(file, name, folder, requests, capsys):
    found = _certified(capsys, file, "--quantile", f"{name}=0.9")
    place = found.objectives.index(f"{name} p90")
    slow, fast = found.names.index("slow"), found.names.index("fast")
    wanted = np.sort(requests["seconds"], axis=0)[359, :2]
    np.testing.assert_array_equal(found.estimates[[slow, fast], place], wanted)


def test_the_mean_without_a_range_is_asymptotic(folder, requests, capsys):
    ranged = (*TIDY, "--metrics", "correct,seconds", "--loss-range", "seconds", "0", "inf")
    found = _certified(capsys, *ranged, "--engine", "asymptotic")
    np.testing.assert_allclose(found.estimates[:, 1], requests["seconds"].mean(axis=0), rtol=1e-12)
    assert found.engine == "asymptotic"
    message = _refused(capsys, *ranged)
    assert "--quantile seconds=0.95, --limit seconds=L or --cap seconds=C" in message
    assert "LOW HIGH" not in message


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ((*TIDY, "--metrics", "correct,seconds"), "seconds"),
        (("long.csv",), "loss"),
        (("wide.csv",), "seconds"),
        (("runs.npz",), "seconds"),
    ],
)
def test_losses_outside_the_range_are_refused_with_options(file, name, folder, capsys):
    message = _refused(capsys, *file)
    assert re.match(r"`\w+\.\w+` must hold losses in \[0, 1\], got ", message)
    for part in (
        f"--loss-range {name} LOW HIGH",
        f"--quantile {name}=0.95",
        f"--loss-range {name} 0 inf --engine asym",
    ):
        assert part in message
    # In Python the remedies are calls.
    tidy = {"model": "model", "example": "example", "objectives": ["correct", "seconds"]} if "--model" in file else {}
    with pytest.raises(NoRangeError, match=r"with_objectives\(quantile=") as caught:
        open_losses(file[0], **tidy).certify()
    assert f"loss_range={{'{name}': (0, math.inf)}}" in str(caught.value)
    assert "--" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.objective) == (str(caught.value), name)


def test_names_are_quoted_for_the_shell(folder, capsys):
    (folder / "n.csv").write_text("model,example,loss,objective\na,1,5,it's slow\nb,1,2,it's slow\n")
    message = _refused(capsys, "n.csv")
    assert """--quantile 'it'"'"'s slow=0.95'""" in message
    found = _certified(capsys, "n.csv", "--limit", "it's slow=2")
    assert found.objectives == ("it's slow above 2",)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (
            ["--quantile", "seconds=95"],
            "`quantile` must be X=P with P in (0, 1), got 'seconds=95': write seconds=0.95.",
        ),
        (["--quantile", "seconds=1"], "`quantile` must be X=P with P in (0, 1), got 'seconds=1'."),
        (["--quantile", "seconds"], "`quantile` must be X=P, an objective and a number"),
        (["--quantile", "0.95"], "`quantile` must be X=P, an objective and a number"),
        (["--limit", "seconds=inf"], "`limit` must be X=L, an objective and a number"),
        (["--cap", "seconds=nan"], "`cap` must be X=C, an objective and a number"),
        (["--cap", "=3"], "`cap` must be X=C, an objective and a number"),
        (["--cap", "seconds=0"], "`cap` must be above the smallest possible value, 0 by `loss_range`, got 0"),
        (["--limit", "seconds=2", "--limit", "seconds=2.0"], "`limit` must be given once with each number"),
        (["--quantile", "second=0.9"], "`quantile` must be one of correct, seconds, got 'second'"),
        (
            ["--quantile", "price=0.9"],
            "`quantile` must name one of correct, seconds, got 'price': add it to --objectives.",
        ),
        (
            ["--limit", "seconds=2", "--loss-range", "0", "60"],
            "`loss-range` must be given by name, NAME LOW HIGH, beside",
        ),
        (["--limit", "seconds=2", "--loss-range", "seconds", "0", "1"], "`runs.csv` must hold losses in [0, 1]"),
        (["--limit", "seconds=2", "--minimise", "seconds"], "`minimise` must be one of correct, seconds above 2, got"),
    ],
)
def test_refusals(options, rule, folder, capsys):
    assert _refused(capsys, *TIDY, "--metrics", "correct,seconds", *options).startswith(rule)


@pytest.mark.parametrize(("value", "rule"), [("inf", "`losses` must be finite"), ("-1", "`loss_range` must state the")])
def test_values_that_cannot_be_capped_are_refused(value, rule, folder, capsys):
    (folder / "n.csv").write_text(f"model,example,loss\na,1,{value}\nb,1,2\n")
    assert _refused(capsys, "n.csv", "--cap", "loss=60").startswith(rule)
    if value == "-1":
        found = _certified(capsys, "n.csv", "--cap", "loss=60", "--loss-range", "loss", "-2", "inf")
        assert found.boxes.min() == -2.0


def test_a_range_for_another_objective_stays(folder, capsys):
    ranges = ("--loss-range", "price", "0", "500")
    found = _certified(capsys, *TIDY, "--metrics", "price,seconds,correct", "--limit", "seconds=2", *ranges)
    assert found.objectives == ("price", "seconds above 2", "correct")
    message = _refused(capsys, *TIDY, "--metrics", "price,seconds,correct", "--limit", "seconds=2")
    assert "in column 'price'" in message


@pytest.mark.parametrize(
    "text",
    [
        'quantile = "seconds=0.95"\nlimit = ["seconds=2", "seconds=5"]\n',
        "quantile = {seconds = 0.95}\n[limit]\nseconds = [2, 5]\n",
    ],
)
def test_a_file_of_options(text, folder, capsys):
    (folder / "c.toml").write_text('metrics = ["correct", "seconds"]\n' + text)
    found = _certified(capsys, *TIDY, "--config", "c.toml")
    assert found.objectives == ("correct", "seconds p95", "seconds above 2", "seconds above 5")


def test_a_file_of_options_is_refused(folder, capsys):
    (folder / "c.toml").write_text("[quantile]\nseconds = ['0.95']\n")
    assert _refused(capsys, *TIDY, "--config", "c.toml").startswith(
        "`quantile` must be a number in the file of options"
    )


def test_the_page_the_plan_and_the_notes(folder, capsys):
    options = ("--quantile", "seconds=0.95", "--plan", "--html", "r.html", "--plot", "f.png")
    assert main(["certify", "wide.csv", *options]) == 0
    out, error = capsys.readouterr()
    assert "seconds p95" in out.split("\n\n")[1].splitlines()[0]
    assert "read as MODEL/OBJECTIVE" in error
    assert "seconds p95" in (folder / "r.html").read_text()
    content_of = ("wide.csv", "--quantile", "seconds=0.95", "--json")
    assert main(["certify", *content_of]) == 0
    assert "read as MODEL/OBJECTIVE" in " ".join(json.loads(capsys.readouterr().out)["notes"])


def test_tolerances_are_about_objectives_with_a_range():
    rng = np.random.default_rng(3)
    losses = (rng.random((200, 3)) < 0.3).astype(float)
    table = LossTable(np.stack([losses, 5.0 * rng.random((200, 3))], axis=2), None, ["wrong", "seconds"])
    found = table.with_objectives(quantile={"seconds": 0.5}).certify()
    assert found.undecided.any()
    sentence = tolerance_sentence(found)
    assert "more than X% of the range in wrong, whatever its seconds p50, with" in sentence
    assert sentence[sentence.index("no other model") :] in certificate_page(found)
    means = table.with_objectives(limit={"seconds": 2.0}).certify()
    assert "in every estimated objective, with" in tolerance_sentence(means)


def test_completion_and_help_know_the_options(capsys):
    assert main(["completion", "bash"]) == 0
    assert {"--quantile", "--limit", "--cap"} <= set(capsys.readouterr().out.replace('"', " ").split())
    with pytest.raises(SystemExit):
        main(["certify", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--quantile X=P" in text
    assert "--limit X=L" in text
    assert "--cap X=C" in text
