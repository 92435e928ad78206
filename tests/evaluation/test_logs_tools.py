"""What is particular to the logs of each tool."""

import json
import struct
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pytest

from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation import open_losses
from tests.evaluation._log_files import (
    deepeval,
    helm,
    helm_stat,
    inspect,
    inspect_archive,
    inspect_header,
    inspect_sample,
    mlflow,
    promptfoo,
    write,
)

_RIGHT = np.ones((4, 2, 1), bool)


def _changed(path, change):
    write(path, json.dumps(change(json.loads(path.read_text()))))


def _logs(folder, scores, **more):
    """Write logs of two models with the same scores for each of three samples."""
    for model in ("m0", "m1"):
        inspect_archive(
            folder / f"{model}.eval", inspect_header(model), [inspect_sample(i, 1, scores, **more) for i in range(3)]
        )


@pytest.mark.parametrize(
    ("value", "number"),
    [("C", 1), ("P", 0.5), ("I", 0), ("N", 0), (True, 1), (0.25, 0.25), (3, 3), ("yes", 1), ("No", 0), ("0.5", 0.5)],
)
def test_scores_of_inspect_are_those_of_its_accuracy(tmp_path, value, number):
    _logs(tmp_path, {"judge": value})
    table = open_losses(tmp_path, maximise=True, loss_range=(0, 9))
    assert table.losses.tolist() == [[[number]] * 2] * 3


def test_measurements_of_inspect_are_objectives_where_asked_for(tmp_path):
    usage = {"m": {"output_tokens": 7, "total_cost": 0.5}, "judge": {"output_tokens": 3, "total_cost": 0.25}}
    _logs(tmp_path, {"f": {"a": 1, "b": "I"}}, total_time=2.5, model_usage=usage)
    with pytest.raises(InvalidInputError, match="got 'f/a' and 'f/b'"):
        open_losses(tmp_path)
    names = ["f/b", "total_time", "output_tokens", "total_cost"]
    table = open_losses(tmp_path, objectives=names, loss_range=(0, 20))
    assert table.losses[0, 0].tolist() == [0, 2.5, 10, 0.75]
    assert table.maximise == (True, False, False, False)


def test_attempts_of_inspect(tmp_path):
    inspect(tmp_path, _RIGHT)
    sample = inspect_sample(0, 1, {"match": "I"})
    failed = inspect_header("m0", status="error", created="2027-01-01T00:00:00+00:00")
    inspect_archive(tmp_path / "retried.eval", failed, [sample])
    older = inspect_header("m1", created="2025-01-01T00:00:00+00:00")
    inspect_archive(tmp_path / "older.eval", older, [sample])
    table = open_losses(tmp_path)
    assert table.losses.all()
    assert sorted(note.split(" log")[0] for note in table.notes) == ["An incomplete", "An older"]
    (tmp_path / "m0.eval").unlink()
    with pytest.raises(InvalidInputError, match=r"got status 'error' in .*retried"):
        open_losses(tmp_path)


def test_samples_of_inspect_without_a_score_are_said(tmp_path):
    inspect(tmp_path, _RIGHT)
    samples = [inspect_sample(i, 1, {"match": "C"}) for i in range(4)]
    samples[1] |= {"error": {"message": "timeout"}}
    samples[2] |= {"limit": {"type": "token", "limit": 5}}
    inspect_archive(tmp_path / "m1.eval", inspect_header("m1"), samples)
    with pytest.warns(DataWarning) as caught:
        table = open_losses(tmp_path)
    assert "1 sample of 'm1' on task 'capitals' ended with an error" in str(caught[0].message)
    assert any("1 sample of 'm1' on task 'capitals' hit a limit" in note for note in table.notes)
    assert np.isnan(table.losses[:, 1, 0]).tolist() == [False, True, False, False]
    samples[0] |= {"input": "another question"}
    inspect_archive(tmp_path / "m1.eval", inspect_header("m1"), samples)
    with pytest.raises(InvalidInputError, match="another input for document 0"):
        open_losses(tmp_path)


def _zstandard(path, contents):
    """Write an archive with compression 93, as Inspect AI does since 2026; `zipfile` writes it from Python 3.14 on."""
    body, directory = b"", b""
    for name, text in contents.items():
        data = text.encode()
        packed = pa.compress(data, "zstd", asbytes=True)
        tail = struct.pack("<HH", len(name), 0)
        common = struct.pack("<HHHHHIII", 63, 0, 93, 0, 33, zlib.crc32(data), len(packed), len(data))
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 63) + common + tail + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        )
        directory += name.encode()
        body += b"PK\x03\x04" + common + tail + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(contents), len(contents), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)


def test_archives_with_zstandard(tmp_path):
    inspect(tmp_path, _RIGHT)
    for path in sorted(tmp_path.glob("*.eval")):
        with zipfile.ZipFile(path) as opened:
            contents = {name: opened.read(name).decode() for name in opened.namelist()}
        _zstandard(path, contents)
    assert open_losses(tmp_path).losses.all()
    content = path.read_bytes()
    start = content.index(b"(\xb5/\xfd")
    path.write_bytes(content[: start + 10] + b"\0\0\0\0" + content[start + 14 :])
    with pytest.raises(InvalidInputError, match="undamaged archive"):
        open_losses(tmp_path)


def test_perturbations_and_splits_of_helm(tmp_path):
    perturbed = {"instance_id": "id0", "perturbation": {"name": "typos"}, "stats": [helm_stat("exact_match", 0.0)]}
    other = {"instance_id": "id9", "stats": [helm_stat("exact_match", 0.0, "valid")]}
    helm(tmp_path, _RIGHT, more=[perturbed, other])
    table = open_losses(tmp_path)
    assert table.losses.tolist() == [[[1], [1]]] * 4
    assert "valid" in table.notes[0]
    assert "2 entries of typos" in table.notes[-1]
    assert open_losses(tmp_path, filter="typos").losses.tolist() == [[[0], [0]]]


def test_several_prompts_of_promptfoo_are_models(tmp_path):
    promptfoo(tmp_path, _RIGHT)
    path = tmp_path / "m0.json"

    def second(content):
        for result in list(content["results"]["results"]):
            again = result | {"promptIdx": 1, "prompt": {"label": "brief"}, "success": False}
            content["results"]["results"].append(again)
        return content

    _changed(path, second)
    table = open_losses(
        tmp_path, objectives=["success", "latencyMs", "tone"], maximise=["success"], loss_range=(0, 999)
    )
    assert table.model_names == ("m0 [{{question}}]", "m0 [brief]", "m1")
    assert table.losses[:, :, 0].tolist() == [[1, 0, 1]] * 4
    assert table.losses[1, 0].tolist() == [1, 101, 0.5]


def test_failed_requests_of_promptfoo_are_said(tmp_path):
    promptfoo(tmp_path, _RIGHT)

    def failing(content):
        content["results"]["results"][2] |= {"failureReason": 2, "success": False}
        return content

    _changed(tmp_path / "m1.json", failing)
    with pytest.warns(DataWarning, match="1 request of 'm1' in m1.json ended with an error"):
        table = open_losses(tmp_path)
    assert np.isnan(table.losses[2, 1, 0])


def test_metrics_of_deepeval_turn_between_versions(tmp_path):
    deepeval(tmp_path, _RIGHT)
    assert open_losses(tmp_path, objectives=["Correctness"]).maximise == (True,)
    for path in tmp_path.iterdir():
        path.write_text(path.read_text().replace("Correctness", "Toxicity"))
    with pytest.raises(InvalidInputError, match="`maximise` must say whether larger is better for 'Toxicity'"):
        open_losses(tmp_path, objectives=["Toxicity"])


def test_both_forms_of_evalplus(tmp_path):
    older = {"nfiles": 2, "base": [["pass", []], ["pass", []]], "plus": [["pass", []], ["fail", [True]]]}
    newer = [{"base_status": "pass", "plus_status": s} for s in ("pass", "timeout")]
    for model, results in (("old", older), ("new", newer)):
        write(tmp_path / f"{model}_eval_results.json", json.dumps({"hash": "h", "eval": {"Mbpp/2": results}}))
    table = open_losses(tmp_path, objectives=["plus", "base"])
    assert table.losses.tolist() == [[[1, 1]] * 2, [[0, 1]] * 2]
    assert table.clusters.tolist() == [0, 0]


def test_runs_of_mlflow_have_their_names(tmp_path):
    mlflow(tmp_path, _RIGHT)
    for model in ("m0", "m1"):
        run = tmp_path / "1" / f"id{model}"
        write(run / "tags" / "mlflow.runName", f"run {model}")
        (run / "artifacts").mkdir()
        (tmp_path / model / "eval_results_table.json").rename(run / "artifacts" / "eval_results_table.json")
    assert open_losses(tmp_path).model_names == ("run m0", "run m1")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of the tool
def test_logs_that_inspect_ai_writes(tmp_path, rng):
    inspect_ai = pytest.importorskip("inspect_ai")
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ModelOutput, get_model
    from inspect_ai.scorer import match
    from inspect_ai.solver import solver

    right = rng.random((8, 2)) < 0.5

    @solver
    def fixed(m):
        async def solve(state, generate):
            i = int(state.sample_id)
            state.output = ModelOutput.from_content("mock", str(i) if right[i, m] else "none")
            return state

        return solve

    for form in ("eval", "json"):
        for m in range(2):
            data = MemoryDataset([Sample(input=f"say {i}", target=str(i), id=i) for i in range(8)])
            task = inspect_ai.Task(name="say", dataset=data, solver=fixed(m), scorer=match(), epochs=2)
            inspect_ai.eval(
                task, get_model(f"mockllm/m{m}"), log_dir=str(tmp_path / form), log_format=form, display="none"
            )
        table = open_losses(tmp_path / form)
        assert table.objective_names == ("say/match",)
        order = [table.model_names.index(f"mockllm/m{m}") for m in range(2)]
        np.testing.assert_array_equal(table.losses[:, order, 0], np.tile(right, (2, 1)))
        assert table.clusters.tolist() == [*range(8)] * 2
