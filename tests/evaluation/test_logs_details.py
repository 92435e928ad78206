"""What single formats say besides losses: grades, failed requests, perturbations, older logs, measurements."""

import json
import zipfile

import numpy as np
import pytest

from moltheory.errors import DataWarning
from moltheory.evaluation import open_losses
from tests.evaluation._log_files import (
    deepeval,
    evalplus,
    helm,
    helm_stat,
    inspect,
    inspect_archive,
    inspect_header,
    inspect_sample,
    log_of,
    mlflow,
    openai_evals,
    promptfoo,
    write,
)

_RIGHT = np.ones((4, 2, 1), bool)


def _inspect(folder, values, **more):
    for model in ("a", "b"):
        samples = [inspect_sample(i, 1, {"judge": value}, **more) for i, value in enumerate(values)]
        inspect_archive(folder / f"{model}.eval", inspect_header(model), samples)


@pytest.mark.parametrize(
    ("values", "losses"),
    [
        (["C", "I", "P", "N"], [1, 0, 0.5, 0]),
        ([True, False, True], [1, 0, 1]),
        (["yes", "No", "TRUE", "false"], [1, 0, 1, 0]),
        (["C", True, "no"], [1, 1, 0]),
    ],
)
def test_grades_and_answers_are_better_when_larger(tmp_path, values, losses):
    _inspect(tmp_path, values)
    table = open_losses(tmp_path)
    assert table.maximise == (True,)
    assert table.losses[:, 0, 0].tolist() == losses


@pytest.mark.parametrize("values", [[1, 0], [0.5, "C"], ["1", "0"]])
def test_the_direction_of_numbers_must_be_stated(tmp_path, refuses, values):
    _inspect(tmp_path, values)
    assert "'judge'" in refuses("maximise", open_losses, tmp_path)
    assert open_losses(tmp_path, maximise=["judge"]).maximise == (True,)


def test_scores_by_key_time_and_tokens(tmp_path):
    usage = {"a": {"input_tokens": 3, "output_tokens": 2}, "grader": {"input_tokens": 1, "output_tokens": 1}}
    _inspect(tmp_path, [{"tone": "C", "length": 7}, {"tone": "I", "length": 9}], total_time=1.5, model_usage=usage)
    names = ["judge/tone", "total_time", "output_tokens"]
    table = open_losses(tmp_path, objectives=names, loss_range={"total_time": (0, 9), "output_tokens": (0, 9)})
    assert table.objective_names == tuple(f"capitals/{name}" for name in names)
    assert table.maximise == (True, False, False)
    assert table.losses[:, 0].tolist() == [[1, 1.5, 3], [0, 1.5, 3]]


def test_samples_that_failed_are_said_and_no_zeros(tmp_path):
    samples = [inspect_sample(0, 1, {"judge": "C"}), inspect_sample(1, 1, {}, error={"message": "timeout"})]
    inspect_archive(tmp_path / "a.eval", inspect_header("a"), samples)
    samples = [inspect_sample(0, 1, {"judge": "C"}), inspect_sample(1, 1, {"judge": "I"}, limit={"type": "token"})]
    inspect_archive(tmp_path / "b.eval", inspect_header("b"), samples)
    with pytest.warns(DataWarning):
        table = open_losses(tmp_path)
    np.testing.assert_array_equal(table.losses[:, :, 0], [[1, 1], [np.nan, 0]])
    assert any("ended with an error" in note for note in table.notes)
    assert any("hit a limit" in note for note in table.notes)


@pytest.mark.parametrize("status", ["error", "cancelled", "started"])
def test_incomplete_evaluations_are_refused_unless_repeated(tmp_path, refuses, status):
    inspect(tmp_path, _RIGHT)
    samples = [inspect_sample(i, 1, {"match": "I"}) for i in range(4)]
    inspect_archive(tmp_path / "z.eval", inspect_header("m2", status=status), samples)
    assert status in refuses("path", open_losses, tmp_path)
    inspect_archive(tmp_path / "z.eval", inspect_header("m1", status=status, created="2027"), samples)
    table = open_losses(tmp_path)
    assert table.losses.all()
    assert table.notes == ("An incomplete log of 'm1' on task 'capitals' is left out: z.eval.",)
    inspect_archive(tmp_path / "z.eval", inspect_header("m1", created="2025"), samples)
    assert open_losses(tmp_path).notes == ("An older log of 'm1' on task 'capitals' is left out: z.eval.",)


def test_other_inputs_under_the_same_id_are_refused(tmp_path, refuses):
    inspect(tmp_path, _RIGHT)
    samples = [inspect_sample(i, 1, {"match": "C"}) | {"input": "another"} for i in range(4)]
    inspect_archive(tmp_path / "m1.eval", inspect_header("m1"), samples)
    assert "another input" in refuses("path", open_losses, tmp_path)


def test_stored_and_compressed_archives_are_the_same(tmp_path):
    samples = [inspect_sample(i, 1, {"match": "C"}) for i in range(3)]
    inspect_archive(tmp_path / "a.eval", inspect_header("a"), samples, kind=zipfile.ZIP_STORED)
    inspect_archive(tmp_path / "b.eval", inspect_header("b"), samples, kind=zipfile.ZIP_BZIP2)
    assert open_losses(tmp_path).losses.all()


def test_perturbations_of_helm_are_filters(tmp_path, refuses):
    typos = {"perturbation": {"name": "typos"}, "instance_id": "id0", "stats": [helm_stat("exact_match", 0.0)]}
    helm(tmp_path, _RIGHT, more=[typos])
    table = open_losses(tmp_path)
    assert table.losses.shape == (4, 2, 1)
    assert table.losses.all()
    assert any("typos" in note for note in table.notes)
    assert not open_losses(tmp_path, filter="typos").losses.any()


def test_only_the_test_split_of_helm_counts(tmp_path):
    other = {"instance_id": "v0", "stats": [helm_stat("exact_match", 0.0, "valid")]}
    helm(tmp_path, _RIGHT, more=[other])
    table = open_losses(tmp_path)
    assert table.losses.shape == (4, 2, 1)
    assert any("valid" in note for note in table.notes)


def test_measurements_and_named_scores_of_promptfoo(tmp_path):
    promptfoo(tmp_path, _RIGHT)
    names = ["success", "latencyMs", "cost", "tokens"]
    table = open_losses(tmp_path, objectives=names, loss_range={"latencyMs": (0, 200), "tokens": (0, 99)})
    assert table.maximise == (True, False, False, False)
    assert table.losses[1, 0].tolist() == [1, 101, 0.25, 12]
    assert open_losses(tmp_path, objectives=["tone"], maximise=True).losses[0, 0, 0] == 0.5


def test_requests_that_failed_are_said(tmp_path):
    promptfoo(tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    content = json.loads(path.read_text())
    content["results"]["results"][2] |= {"failureReason": 2, "success": False, "error": "429"}
    write(path, json.dumps(content))
    with pytest.warns(DataWarning, match="1 request of 'm1'"):
        table = open_losses(tmp_path)
    np.testing.assert_array_equal(table.losses[:, 1, 0], [1, 1, np.nan, 1])


def test_several_prompts_are_several_models(tmp_path):
    promptfoo(tmp_path, _RIGHT[:, :1])
    path = log_of(tmp_path, "m0")
    content = json.loads(path.read_text())
    rows = content["results"]["results"]
    rows += [{**row, "promptIdx": 1, "prompt": {"label": "short"}, "success": False} for row in rows]
    write(path, json.dumps(content))
    table = open_losses(tmp_path)
    assert table.model_names == ("m0 [{{question}}]", "m0 [short]")
    assert table.losses[:, :, 0].mean(axis=0).tolist() == [1, 0]


def test_an_interrupted_run_of_openai_evals_is_refused(tmp_path, refuses):
    openai_evals(tmp_path, _RIGHT)
    path = log_of(tmp_path, "m1")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert "no final_report" in refuses("path", open_losses, tmp_path)


def test_metrics_of_deepeval_by_name(tmp_path):
    deepeval(tmp_path, _RIGHT)
    table = open_losses(tmp_path, objectives=["Correctness", "completionTime"])
    assert table.maximise == (True, False)
    assert table.losses[0, 0].tolist() == [1, 0.5]


def test_plus_of_evalplus_needs_base_too(tmp_path):
    evalplus(tmp_path, _RIGHT)
    for path in tmp_path.glob("*.json"):
        content = json.loads(path.read_text())
        rows = [("pass", "pass"), ("pass", "fail"), ("fail", "pass"), ("fail", "timeout")]
        for (base, plus), (runs,) in zip(rows, content["eval"].values(), strict=True):
            runs |= {"base_status": base, "plus_status": plus}
        write(path, json.dumps(content))
    table = open_losses(tmp_path, objectives=["base", "plus"])
    assert table.losses[:, 0].tolist() == [[1, 1], [1, 0], [0, 0], [0, 0]]


def test_columns_and_run_names_of_mlflow(tmp_path, refuses):
    mlflow(tmp_path / "1" / "m0" / "artifacts", _RIGHT[:, :1])
    (tmp_path / "1" / "m0" / "artifacts" / "m0" / "eval_results_table.json").rename(
        tmp_path / "1" / "m0" / "artifacts" / "eval_results_table.json"
    )
    write(tmp_path / "1" / "m0" / "tags" / "mlflow.runName", "bold-crab-1")
    assert open_losses(tmp_path).model_names == ("bold-crab-1",)
    refuses("example", open_losses, tmp_path, example="absent")
    assert open_losses(tmp_path, example="inputs").examples[0] == "question 0"
    refuses("objectives", open_losses, tmp_path, objectives=["outputs"])


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_logs_that_inspect_ai_writes(tmp_path, suffix):
    log = pytest.importorskip("inspect_ai.log")
    scorer = pytest.importorskip("inspect_ai.scorer")
    for model, grades in (("a", "CCI"), ("b", "ICI")):
        spec = log.EvalSpec(
            created="2026-03-01T10:00:00+00:00",
            task="t",
            model=model,
            dataset=log.EvalDataset(),
            config=log.EvalConfig(),
        )
        samples = [
            log.EvalSample(id=i, epoch=epoch, input=f"q{i}", target="A", scores={"match": scorer.Score(value=grade)})
            for epoch in (1, 2)
            for i, grade in enumerate(grades)
        ]
        written = log.EvalLog(eval=spec, status="success", samples=samples)
        log.write_eval_log(written, str(tmp_path / f"{model}.{suffix}"))
    table = open_losses(tmp_path)
    assert table.maximise == (True,)
    assert table.losses[:, :, 0].tolist() == [[1, 0], [1, 1], [0, 0]] * 2
    assert table.clusters.tolist() == [0, 1, 2] * 2
