"""Output folders of lm-evaluation-harness: newest runs, names, filters, tasks, directions and documents."""

import warnings

import numpy as np
import pytest

from moltheory.errors import DataWarning
from moltheory.evaluation import open_losses
from moltheory.evaluation._lm_eval import from_harness_logs
from tests.evaluation._log_files import DATE, document, lm_eval, lm_eval_results, write_lines

LATER = "2026-04-01T10-00-00.000000"


@pytest.fixture
def right(rng):
    return rng.random((6, 2, 1)) < 0.5


def test_the_same_losses_as_from_harness_logs(tmp_path, right):
    lm_eval(tmp_path, right)
    lm_eval(tmp_path, ~right, task="boolq")
    old, new = from_harness_logs(tmp_path, metrics=["acc"]), open_losses(tmp_path)
    np.testing.assert_array_equal(old.losses, new.losses)
    assert old.examples == new.examples
    assert old.objective_names == new.objective_names == ("arc/acc", "boolq/acc")


def test_the_newest_run_is_read_and_the_others_are_named(tmp_path, right):
    lm_eval(tmp_path, ~right)
    lm_eval(tmp_path, right, date=LATER)
    table = open_losses(tmp_path)
    np.testing.assert_array_equal(table.losses[:, :, 0], right[:, :, 0])
    assert len(table.notes) == 2
    assert all(DATE in note and "left out" in note for note in table.notes)


def test_names_come_from_the_results_and_else_from_the_folders(tmp_path, right):
    lm_eval(tmp_path / "a", right[:, :1], results=False)
    lm_eval_results(tmp_path / "a" / "m0", "org/first", {"arc": {"acc": True}}, {"arc": 6})
    write_lines(tmp_path / "second" / f"samples_arc_{DATE}.jsonl", [document("arc", i, {"acc": 1}) for i in range(6)])
    assert open_losses(tmp_path).model_names == ("org/first", "second")


def test_two_tasks_in_two_runs_of_one_model_are_one_model(tmp_path, right):
    lm_eval(tmp_path / "one", right)
    lm_eval(tmp_path / "two", right, task="boolq")
    table = open_losses(tmp_path)
    assert table.model_names == ("m0", "m1")
    assert table.losses.shape == (12, 2, 2)


@pytest.mark.parametrize("stated", [None, {"ppl": True}])
def test_directions_come_from_the_results_unless_stated(tmp_path, stated):
    for model in ("a", "b"):
        write_lines(
            tmp_path / model / f"samples_arc_{DATE}.jsonl",
            [document("arc", i, {"acc": 1, "ppl": 0.5, "oddity": 0.1}) for i in range(3)],
        )
        lm_eval_results(tmp_path / model, model, {"arc": {"acc": True, "ppl": False, "oddity": False}}, {"arc": 3})
    table = open_losses(tmp_path, objectives=["acc", "ppl", "oddity"], maximise=stated)
    assert table.maximise == (True, stated is not None, False)


def test_a_direction_that_nobody_knows_is_asked_for(tmp_path, refuses):
    rows = [document("arc", i, {"oddity": 0.1}) for i in range(3)]
    write_lines(tmp_path / "a" / "samples_arc.jsonl", rows)
    assert "'oddity'" in refuses("maximise", open_losses, tmp_path)
    assert open_losses(tmp_path, maximise=False).maximise == (False,)


def test_results_that_disagree_on_a_direction_are_refused(tmp_path, right, refuses):
    lm_eval(tmp_path, right)
    lm_eval_results(tmp_path / "m1", "m1", {"arc": {"acc": False}}, {"arc": 6})
    assert "disagree" in refuses("maximise", open_losses, tmp_path)
    assert open_losses(tmp_path, maximise=True).maximise == (True,)


def test_metrics_are_chosen_where_tasks_have_none_in_common(tmp_path, refuses):
    for model in ("a", "b"):
        for task, metrics in (("arc", {"acc": 1, "acc_norm": 0}), ("gsm", {"em": 1})):
            write_lines(tmp_path / model / f"samples_{task}.jsonl", [document(task, i, metrics) for i in range(2)])
    assert "none common to all tasks, but 'acc', 'acc_norm' and 'em': name those" in refuses(
        "objectives", open_losses, tmp_path
    )
    assert open_losses(tmp_path, objectives=["acc", "em"]).objective_names == ("arc/acc", "gsm/em")


def test_filters_are_chosen_for_all_tasks_or_one(tmp_path, refuses):
    for model, value in (("a", 0), ("b", 1)):
        both = [document("gsm", i, {"em": value}, filter="strict") for i in range(3)]
        both += [document("gsm", i, {"em": 1}, filter="flexible") for i in range(3)]
        write_lines(tmp_path / model / "samples_gsm.jsonl", both)
        write_lines(tmp_path / model / "samples_arc.jsonl", [document("arc", i, {"em": 0}) for i in range(2)])
    assert "flexible, strict for task 'gsm', got None: name the one" in refuses("filter", open_losses, tmp_path)
    refuses("filter", open_losses, tmp_path, filter="absent")
    for options in ({"filter": "strict"}, {"tasks": ["arc", "gsm:strict"]}):
        table = open_losses(tmp_path, **options)
        assert table.objective_names == ("arc/em", "gsm/em")
        assert np.nanmean(table.losses[:, :, 1], axis=0).tolist() == [0, 1]
    both = open_losses(tmp_path, tasks=["gsm:strict", "gsm:flexible"])
    assert both.objective_names == ("gsm:strict/em", "gsm:flexible/em")
    assert np.nanmean(both.losses[:, 0], axis=0).tolist() == [0, 1]
    for tasks in (["absent"], ["gsm:absent"], ["arc", "arc"]):
        refuses("tasks", open_losses, tmp_path, tasks=tasks)
    refuses("filter", open_losses, tmp_path, tasks=["gsm"])


def test_pooled_tasks_are_one_objective(tmp_path, right):
    lm_eval(tmp_path, right)
    lm_eval(tmp_path, ~right, task="boolq")
    table = open_losses(tmp_path, pooled=True, clusters="task")
    assert table.objective_names == ("acc",)
    assert np.isfinite(table.losses).all()
    assert table.clusters.tolist() == [0] * 6 + [1] * 6
    stories = open_losses(tmp_path, pooled=True, clusters="doc.story")
    assert stories.clusters.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_several_metrics_are_listed(tmp_path, refuses):
    write_lines(tmp_path / "a" / "samples_arc.jsonl", [document("arc", 0, {"acc": 1, "acc_norm": 0})])
    assert "'acc' and 'acc_norm'" in refuses("objectives", open_losses, tmp_path)
    write_lines(tmp_path / "a" / "samples_arc.jsonl", [document("arc", 0, {"word_perplexity": [-3.5, 12]})])
    assert "a list" in refuses("objectives", open_losses, tmp_path, objectives=["word_perplexity"])


@pytest.mark.parametrize("mark", ["doc_hash", "target_hash"])
def test_other_documents_are_refused(tmp_path, right, refuses, mark):
    lm_eval(tmp_path, right)
    path = tmp_path / "m1" / f"samples_arc_{DATE}.jsonl"
    write_lines(path, [document("arc", i, {"acc": 1}, **{mark: "another"}) for i in range(6)])
    assert mark in refuses("path", open_losses, tmp_path)


def test_other_prompts_for_the_same_documents_are_said(tmp_path, right):
    lm_eval(tmp_path, right)
    path = tmp_path / "m1" / f"samples_arc_{DATE}.jsonl"
    write_lines(path, [document("arc", i, {"acc": 1}, prompt_hash="another") for i in range(6)])
    assert any("Prompts" in note for note in open_losses(tmp_path).notes)


@pytest.mark.parametrize("kept", [0, 3])
def test_an_empty_or_truncated_log_is_refused(tmp_path, right, refuses, kept):
    lm_eval(tmp_path, right)
    path = tmp_path / "m1" / f"samples_arc_{DATE}.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:kept]))
    said = refuses("path", open_losses, tmp_path)
    assert path.name in said
    assert kept == 0 or "if the evaluation really skipped documents, correct n-samples in its results" in said


def test_a_model_with_fewer_documents_is_said(tmp_path, right):
    lm_eval(tmp_path, right, results=False)
    path = tmp_path / "m1" / f"samples_arc_{DATE}.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:4]))
    with pytest.warns(DataWarning, match="'m1' has 4 of the 6 examples") as caught:
        table = open_losses(tmp_path)
    # At the line that opens the logs, not inside of the package.
    assert [entry.filename for entry in caught] == [__file__]
    assert np.isnan(table.losses[:, 1, 0]).sum() == 2
    assert table.notes == ("Model 'm1' has 4 of the 6 examples of task 'arc'; the others count as not evaluated.",)


def test_a_model_without_a_task_is_refused(tmp_path, right, refuses):
    lm_eval(tmp_path, right)
    lm_eval(tmp_path, right[:, :1], task="boolq")
    assert "'m1'" in refuses("path", open_losses, tmp_path)
    assert open_losses(tmp_path, tasks=["arc"]).model_names == ("m0", "m1")
    assert open_losses(tmp_path, models=["m0"]).objective_names == ("arc/acc", "boolq/acc")


def test_models_on_different_documents_are_refused(tmp_path, refuses):
    for model, start in (("a", 0), ("b", 10)):
        rows = [document("arc", start + i, {"acc": 1}) for i in range(3)]
        write_lines(tmp_path / model / "samples_arc.jsonl", rows)
    assert "none in common" in refuses("path", open_losses, tmp_path)


def test_a_metric_that_one_model_lacks_is_refused_or_said(tmp_path, refuses):
    for model, values in (("a", {"acc": 1, "f1": 1}), ("b", {"acc": 1})):
        write_lines(tmp_path / model / "samples_arc.jsonl", [document("arc", i, values) for i in range(3)])
    assert "'b' lacks" in refuses("objectives", open_losses, tmp_path, objectives=["acc", "f1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_losses(tmp_path, objectives=["acc"]).model_names == ("a", "b")


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_damaged_results_are_refused(tmp_path, right, refuses, content):
    lm_eval(tmp_path, right)
    path = tmp_path / "m1" / f"results_{DATE}.json"
    path.write_text(content)
    assert path.name in refuses("path", open_losses, tmp_path)


def test_results_with_odd_fields_say_nothing(tmp_path, right):
    lm_eval(tmp_path, right)
    path = tmp_path / "m1" / f"results_{DATE}.json"
    path.write_text('{"higher_is_better": 3, "config": [], "n-samples": {"arc": 1}}')
    np.testing.assert_array_equal(open_losses(tmp_path).losses[:, :, 0], right[:, :, 0])
