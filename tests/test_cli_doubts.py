"""What the command says where an option was probably forgotten or a name misspelled: notes on stderr, and remedies."""

import json

import numpy as np
import pandas as pd
import pytest

from moltheory.cli import main

_DIRECTION = "moltheory: note: Read as losses: 1 is wrong, smaller is better. If 1 means right, give --maximise loss.\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    right = pd.DataFrame((rng.random((200, 3)) < [0.9, 0.7, 0.5]).astype(int), columns=list("abc"))
    right.to_csv("right.csv", index=False)
    right.assign(difficulty=rng.random(200)).to_csv("extra.csv", index=False)
    (100 * right).to_csv("percent.csv", index=False)
    for kind in ("accuracy", "loss"):
        right.rename(columns=lambda name, kind=kind: f"{name}/{kind}").to_csv(f"{kind}.csv", index=False)
    tasks = pd.concat([right.add_suffix("/arc/acc"), right.add_suffix("/boolq/acc")], axis=1)
    tasks.to_csv("tasks.csv", index=False)
    return tmp_path


def _certified(capsys, *arguments):
    assert main(["certify", *arguments, "--json"]) == 0
    out, error = capsys.readouterr()
    return json.loads(out), error


def _refused(capsys, *arguments):
    assert main(["certify", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    return error


def test_a_table_of_right_answers_is_not_read_as_losses_without_a_word(folder, capsys):
    found, error = _certified(capsys, "right.csv")
    assert error == _DIRECTION
    assert found["notes"] == [_DIRECTION.removeprefix("moltheory: note: ").strip()]
    for option in ("--maximise", "--minimise"):
        assert _certified(capsys, "right.csv", option, "loss", "--require-direction")[1] == ""
    # The names of the columns say that they are losses.
    assert "Read as losses" not in _certified(capsys, "loss.csv")[1]
    assert "--minimise loss if it means wrong" in _refused(capsys, "right.csv", "--require-direction")


def test_a_column_of_another_kind_is_named(folder, capsys):
    note = "Every column is read as a model, also 'difficulty' with values of another kind"
    assert note in _certified(capsys, "extra.csv")[1]
    assert _certified(capsys, "extra.csv", "--ignore", "difficulty")[1] == _DIRECTION
    assert note not in _certified(capsys, "extra.csv", "--models", "a,difficulty")[1]


def test_an_exact_cost_that_sounds_measured_is_doubted(folder, capsys):
    (folder / "costs.csv").write_text("model,latency_s,size\na,1,1\nb,2,1\nc,3,1\n")
    found, _ = _certified(capsys, "right.csv", "--maximise", "loss", "--costs", "costs.csv")
    assert found["warnings"] == [
        "'latency_s' sounds measured, and is compared as known exactly: give its values per example, or latency_s_low and "
        "latency_s_high with --cost-delta."
    ]
    (folder / "costs.csv").write_text("model,latency_s,latency_s_low,latency_s_high\na,1,0,2\nb,2,1,3\nc,3,2,4\n")
    options = ["right.csv", "--maximise", "loss", "--costs", "costs.csv", "--cost-delta", "latency_s=0.01"]
    assert _certified(capsys, *options)[0]["warnings"] == []


@pytest.mark.parametrize(
    ("delta", "said"), [("0.95", "for 95% write --delta 0.05"), ("0.9", "for 90% write --delta 0.1")]
)
def test_a_confidence_given_as_delta_is_doubted(delta, said, folder, capsys):
    found, error = _certified(capsys, "right.csv", "--maximise", "loss", "--delta", delta)
    assert found["warnings"] == [f"delta is the failure probability: {said}."]
    assert said in error
    assert _certified(capsys, "right.csv", "--maximise", "loss", "--delta", "0.5")[1] == ""


def test_a_metric_stands_for_all_its_objectives(folder, capsys):
    assert main(["certify", "tasks.csv", "--json", "--wide", "--maximise", "loss"]) == 0
    capsys.readouterr()
    log = pd.DataFrame(
        [
            {"model": model, "example": i, "objective": f"{task}/acc", "loss": (i + k) % (2 + k)}
            for i in range(60)
            for k, model in enumerate("ab")
            for task in ("arc", "boolq")
        ]
    )
    log["loss"] = log["loss"].clip(upper=1)
    log.to_csv("long.csv", index=False)
    found, error = _certified(capsys, "long.csv", "--maximise", "acc", "--epsilon", "acc=0.25")
    assert (found["maximise"], found["epsilon"], error) == ([True, True], [0.25, 0.25], "")
    assert _certified(capsys, "long.csv", "--minimise", "acc")[1] == ""
    assert "must be one of arc/acc, boolq/acc, got 'accc'" in _refused(capsys, "long.csv", "--maximise", "accc")


def test_the_plan_says_which_examples_to_certify(folder, capsys):
    rng = np.random.default_rng(1)
    pd.DataFrame((rng.random((60, 2)) < 0.4).astype(int), columns=["a", "b"]).to_csv("open.csv", index=False)
    said = "Certify the new examples alone: testing again with the old ones voids the guarantee."
    assert main(["certify", "open.csv", "--plan"]) == 0
    assert said in capsys.readouterr().out
    assert main(["certify", "open.csv"]) == 0
    assert said not in capsys.readouterr().out


def test_percentages_get_their_range_first(folder, capsys):
    error = _refused(capsys, "percent.csv")
    first = (
        "if these are percentages, give --loss-range 0 100 (and --maximise for accuracies), otherwise give --loss-range"
    )
    assert first in error
    assert main(["certify", "percent.csv", "--loss-range", "0", "100"]) == 0
    assert "Read as losses" not in capsys.readouterr().err
    (400 * pd.read_csv("right.csv")).to_csv("more.csv", index=False)
    assert "percentages" not in _refused(capsys, "more.csv")


def test_averages_per_model_are_refused_with_what_is_needed(folder, capsys):
    (folder / "leaderboard.csv").write_text("model,accuracy\na,0.8\nb,0.7\n")
    assert "one row per model and example is needed" in _refused(capsys, "leaderboard.csv", "--maximise", "accuracy")


def test_a_model_of_another_name_is_shown(folder, capsys):
    (folder / "costs.csv").write_text("model,size\nA,1\nb,1\nc,1\n")
    error = _refused(capsys, "right.csv", "--costs", "costs.csv")
    assert "got none for 'a'; the file has 'A', 'b', 'c': did you mean A." in error
    rows = [{"model": m, "example": i, "objective": "acc", "loss": i % 2} for i in range(40) for m in ("a", "Beta")]
    rows += [{"model": m, "example": i, "objective": "s", "loss": i} for i in range(40) for m in ("a", "beta")]
    pd.DataFrame(rows).to_csv("long.csv", index=False)
    error = _refused(capsys, "long.csv", "--quantile", "s=0.5", "--loss-range", "acc", "0", "1")
    assert "got no value of 'acc' for model 'beta'" in error


def test_a_misspelled_column_of_a_quantile_gets_a_suggestion(folder, capsys):
    rows = [{"model": m, "prompt": i, "latency_s": i, "right": i % 2} for i in range(40) for m in "ab"]
    pd.DataFrame(rows).to_csv("tidy.csv", index=False)
    options = ["tidy.csv", "--model", "model", "--example", "prompt", "--metrics", "right,latency_s"]
    error = _refused(capsys, *options, "--quantile", "latency=0.95")
    assert "`quantile` must be one of latency_s, right, got 'latency': did you mean latency_s." in error


def test_logs_and_a_table_are_refused_as_what_they_are(folder, capsys):
    from pathlib import Path

    logs = Path(__file__).parents[1] / "data" / "examples" / "lm_eval"
    error = _refused(capsys, str(logs), "right.csv")
    assert "logs and a table cannot be given together" in error
    (folder / "nothing.bin").write_bytes(b"\0\1\2")
    assert "of a known format" in _refused(capsys, "right.csv", "nothing.bin")


def test_missing_documents_are_said_once(folder, capsys, monkeypatch):
    import warnings

    from moltheory.errors import DataWarning
    from moltheory.evaluation import open_losses

    def noted(*arguments, **options):
        table = open_losses(*arguments, **options)
        table.notes = ("Model 'a' lacks an example.", "An older run was left out.")
        warnings.warn("Model 'a' lacks an example.", DataWarning, stacklevel=1)
        return table

    monkeypatch.setattr("moltheory.evaluation.open_losses", noted)
    found, error = _certified(capsys, "right.csv", "--maximise", "loss")
    assert error.count("lacks an example") == 1
    assert (found["notes"], found["warnings"]) == (["An older run was left out."], ["Model 'a' lacks an example."])


def test_the_remedy_for_commas_stands_where_names_are_the_matter(folder, capsys):
    from pathlib import Path

    logs = str(Path(__file__).parents[1] / "data" / "examples" / "lm_eval")
    error = _refused(capsys, logs, "--pooled", "--objectives", "arc_easy/acc,boolq/acc")
    assert "metrics without a task where tasks are pooled" in error
    assert "names that hold commas" not in error
    assert "names that hold commas" in _refused(capsys, logs, "--tasks", "boolq,nothing")
    assert "names that hold commas" in _refused(capsys, logs, "--models", "birch,nothing")
