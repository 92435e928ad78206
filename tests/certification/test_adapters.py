"""Adapters: long tables, per-sample logs and fitted estimators give the losses that loops over them give."""

import json

import numpy as np
import pandas as pd
import pytest

import moltheory as mt
from moltheory.evaluation import EvaluatedModels
from moltheory.evaluation._estimators import from_estimators
from moltheory.evaluation._frames import from_long_table
from moltheory.evaluation._lm_eval import from_harness_logs
from moltheory.evaluation._model_cost import prediction_seconds, stored_numbers
from moltheory.evaluation._predictions import from_predictions


def _long(losses, rng, share=1.0):
    """Rows of a long table in random order, some left out; and the losses with NaN where they are."""
    kept = np.where(rng.random(losses.shape) < share, losses, np.nan)
    rows = [
        {"model": f"m{j}", "example": f"x{i}", "objective": f"o{k}", "loss": kept[i, j, k], "patient": f"p{i // 3}"}
        for i, j, k in np.ndindex(losses.shape)
        if np.isfinite(kept[i, j, k])
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=int(rng.integers(1000))), kept


def _ordered(models):
    """The losses with examples, models and objectives in the order of their numbers."""
    order = [np.argsort([int(name[1:]) for name in names]) for names in _names(models)]
    return models.losses[np.ix_(*order)]


def _names(models):
    return models.examples, models.model_names, models.objective_names


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_long_table_against_a_loop(rng, share):
    losses = rng.random((12, 4, 3))
    frame, kept = _long(losses, rng, share)
    before = frame.copy()
    models = from_long_table(frame, cluster="patient")
    pd.testing.assert_frame_equal(frame, before)
    np.testing.assert_array_equal(_ordered(models), kept)
    for name, cluster in zip(models.examples, models.clusters, strict=True):
        same = {other for other, code in zip(models.examples, models.clusters, strict=True) if code == cluster}
        assert same == {f"x{i}" for i in range(12) if i // 3 == int(name[1:]) // 3}
    assert not models.losses.flags.writeable


def test_a_long_table_of_one_objective_with_other_names():
    frame = pd.DataFrame({"who": [1, 2, 2], "row": [0, 0, 1], "brier": [0.5, 0.25, 0.0]})
    models = from_long_table(frame, model="who", example="row", objective=None, loss="brier")
    assert _names(models) == (("0", "1"), ("1", "2"), ("brier",))
    np.testing.assert_array_equal(models.losses[..., 0], [[0.5, 0.25], [np.nan, 0.0]])
    (block,) = models.blocks()
    assert block[0] is models.losses
    assert block[1] is None


def test_bools_and_nullable_numbers_are_losses():
    frame = pd.DataFrame({"model": list("ab"), "example": [0, 0], "loss": [True, False]})
    assert from_long_table(frame, objective=None).losses[0, :, 0].tolist() == [1, 0]
    frame["loss"] = pd.array([1, 0], dtype="Int64")
    assert from_long_table(frame, objective=None).losses[0, :, 0].tolist() == [1, 0]


def test_blocks_keep_clusters_together():
    models = EvaluatedModels(np.arange(8.0).reshape(4, 2, 1) / 8, ["a", "b"], ["error"], clusters=[5, 3, 5, 3])
    ((losses, clusters),) = models.blocks()
    assert clusters.tolist() == [3, 3, 5, 5]
    np.testing.assert_array_equal(losses, models.losses[[1, 3, 0, 2]])
    assert repr(models) == "LossTable(2 models, 4 examples, 2 clusters: error)"


def test_refusals_of_a_long_table(rng, refuses):
    frame, _ = _long(rng.random((4, 2, 1)), rng)
    assert "7 such rows" not in refuses("frame", from_long_table, pd.concat([frame, frame.iloc[[0]]]))
    assert "(8 such rows)" in refuses("frame", from_long_table, pd.concat([frame, frame]))
    assert "among model, example" in refuses("model", from_long_table, frame, model="name")
    refuses("cluster", from_long_table, frame, cluster="clinic")
    refuses("frame", from_long_table, frame.iloc[:0])
    refuses("frame", from_long_table, {"model": ["a"]})
    assert "leave out the rows" in refuses("frame", from_long_table, frame.assign(loss=np.nan))
    assert "numbers in column 'loss'" in refuses("frame", from_long_table, frame.assign(loss="high"))
    assert "in row 2" in refuses("frame", from_long_table, frame.assign(model=["m0", "m1", None, *frame["model"][3:]]))
    assert "into one cluster" in refuses("frame", from_long_table, frame.assign(p=range(8)), cluster="p")


def _write_logs(folder, answers, *, filters=("none",), task="gsm8k"):
    """Write logs as lm-evaluation-harness does: one folder per model, one line per document and filter."""
    for model, table in answers.items():
        (folder / model).mkdir(exist_ok=True)
        lines = [
            json.dumps(
                {
                    "doc_id": doc,
                    "doc": {"question": f"{task} {doc}?", "story": f"s{doc // 2}", "weight": float("nan")},
                    "target": "42",
                    "arguments": {"gen_args_0": {"arg_0": "…"}},
                    "resps": [["42"]],
                    "filtered_resps": ["42"],
                    "filter": answer,
                    "metrics": ["exact_match"],
                    "doc_hash": f"hash of {task} {doc}",
                    "exact_match": float(table[doc][f]),
                }
            )
            for f, answer in enumerate(filters)
            for doc in range(len(table))
        ]
        (folder / model / f"samples_{task}_2025-03-01T10-11-12.345678.jsonl").write_text("\n".join(lines) + "\n")


def test_harness_logs_against_what_was_written(tmp_path, rng):
    gsm = {model: rng.integers(0, 2, (6, 2)) for model in ("org__small", "org__large")}
    arc = {model: rng.integers(0, 2, (4, 1)) for model in ("org__small", "org__large")}
    _write_logs(tmp_path, gsm, filters=("strict-match", "flexible-extract"))
    _write_logs(tmp_path, arc, task="arc_easy")
    for f, answer in enumerate(("strict-match", "flexible-extract")):
        models = from_harness_logs(tmp_path, metrics=["exact_match"], filter_name=answer)
        assert models.objective_names == ("arc_easy/exact_match", "gsm8k/exact_match")
        assert models.maximise == (True, True)
        assert models.losses.shape == (10, 2, 2)
        for j, model in enumerate(models.model_names):
            for i, example in enumerate(models.examples):
                task, doc = example.split("/")
                own = gsm[model][int(doc)][f] if task == "gsm8k" else arc[model][int(doc)][0]
                k = int(task == "gsm8k")
                assert models.losses[i, j, k] == own
                assert np.isnan(models.losses[i, j, 1 - k])
    pooled = from_harness_logs(tmp_path, metrics=["exact_match"], filter_name="strict-match", per_task=False)
    assert pooled.objective_names == ("exact_match",)
    assert np.isfinite(pooled.losses).all()


def test_several_filters_must_be_chosen_from(tmp_path, refuses):
    _write_logs(tmp_path, {"a": [[0, 1]], "b": [[1, 1]]}, filters=("strict-match", "flexible-extract"))
    message = refuses("filter_name", from_harness_logs, tmp_path, metrics=["exact_match"])
    assert "flexible-extract, strict-match for task 'gsm8k'" in message
    refuses("filter_name", from_harness_logs, tmp_path, metrics=["exact_match"], filter_name="other")


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [("task", [0] * 6), ("doc.story", [0, 0, 1, 1, 2, 2]), (lambda task, doc: int(doc) % 2, [0, 1] * 3)],
)
def test_clusters_of_documents(tmp_path, cluster, expected):
    _write_logs(tmp_path, {"a": [[0]] * 6, "b": [[1]] * 6})
    assert from_harness_logs(tmp_path, metrics=["exact_match"], cluster=cluster).clusters.tolist() == expected


def test_plain_json_lines_with_models_in_the_lines_or_in_a_mapping(tmp_path):
    rows = [{"doc_id": f"q{i}", "acc": i > 1, "cost": i / 4} for i in range(3)]
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text("\n\n".join(json.dumps(row) for row in rows))
    both = [{**row, "model": name} for name in ("one", "two") for row in rows]
    (tmp_path / "both.json").write_text("\n".join(json.dumps(row) for row in both))
    for logs in (
        {"one": tmp_path / "one.jsonl", "two": [tmp_path / "two.jsonl"]},
        tmp_path / "both.json",
        [str(tmp_path / "both.json")],
    ):
        models = from_harness_logs(logs, metrics=["acc", "cost"], maximise=[True, False])
        assert _names(models) == (("q0", "q1", "q2"), ("one", "two"), ("acc", "cost"))
        assert models.maximise == (True, False)
        assert models.losses[:, 1].tolist() == [[0, 0], [0, 0.25], [1, 0.5]]


def test_a_metric_that_only_some_documents_have(tmp_path):
    rows = [{"model": m, "doc_id": i, **({"acc": 1} if i else {}), "f1": 0.5} for m in "ab" for i in range(2)]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    models = from_harness_logs(tmp_path, metrics=["acc", "f1"])
    np.testing.assert_array_equal(models.losses[:, 0], [[np.nan, 0.5], [1, 0.5]])


def test_a_malformed_line_is_named_with_file_and_line(tmp_path, refuses):
    good = json.dumps({"model": "a", "doc_id": 0, "acc": 1})
    cases = [
        ("logs", '{"model": "a", "doc_id": 1, "acc": 1', "JSON object per line"),
        ("logs", "[1, 2]", "got list"),
        ("logs", '{"model": "a", "acc": 1}', "doc_id"),
        ("logs", '{"model": "a", "doc_id": true, "acc": 1}', "doc_id"),
        ("metrics", '{"model": "a", "doc_id": 1, "acc": "yes"}', "'yes' for 'acc'"),
        ("metrics", '{"model": "a", "doc_id": 1, "acc": [0.1, 2]}', "[0.1, 2] for 'acc'"),
        ("metrics", '{"model": "a", "doc_id": 1, "acc": NaN}', "nan for 'acc'"),
        ("metrics", '{"model": "a", "doc_id": 1, "acc": null}', "None for 'acc'"),
        ("logs", good, "again in"),
    ]
    path = tmp_path / "log.jsonl"
    for argument, line, found in cases:
        path.write_text(f"{good}\n\n{line}\n")
        message = refuses(argument, from_harness_logs, path, metrics=["acc"])
        assert found in message
        assert "log.jsonl line 3" in message
    path.write_bytes(f"{good}\n".encode() + b'{"model": "\xff"}')
    assert "log.jsonl line 2" in refuses("logs", from_harness_logs, path, metrics=["acc"])


def test_refusals_of_logs(tmp_path, refuses):
    _write_logs(tmp_path, {"a": [[0]], "b": [[1]]})
    metrics = ["exact_match"]
    assert "'acc' among doc_id" in refuses("metrics", from_harness_logs, tmp_path, metrics=["acc"])
    refuses("metrics", from_harness_logs, tmp_path, metrics="exact_match")
    refuses("metrics", from_harness_logs, tmp_path, metrics=["acc", "acc"])
    refuses("maximise", from_harness_logs, tmp_path, metrics=metrics, maximise=[True, False])
    refuses("maximise", from_harness_logs, tmp_path, metrics=metrics, maximise=1)
    refuses("logs", from_harness_logs, tmp_path / "absent", metrics=metrics)
    refuses("cluster", from_harness_logs, tmp_path, metrics=metrics, cluster="doc.absent")
    (tmp_path / "empty").mkdir()
    refuses("logs", from_harness_logs, tmp_path / "empty", metrics=metrics)
    path = next((tmp_path / "b").iterdir())
    path.write_text(path.read_text().replace("hash of gsm8k 0", "hash of another"))
    assert "another doc_hash for document 0" in refuses("logs", from_harness_logs, tmp_path, metrics=metrics)


def _values(models):
    """The measures' values at the means of their cells."""
    found = [
        measure.value([cell.losses[cell.where].mean(axis=0) for cell in measure.cells])
        for measure in models.measures.values()
    ]
    return dict(zip(models.measures, found, strict=True))


_OBJECTIVES = [
    "error",
    "worst_class_error",
    "worst_group_error",
    "false_negative_rate",
    "false_positive_rate",
    "error_gap",
    "false_negative_gap",
    "false_positive_gap",
    "demographic_parity_gap",
]


@pytest.mark.parametrize("groups", [2, 3])
def test_measures_of_predictions_against_pandas(rng, groups):
    y, g = rng.integers(0, 2, 200), rng.integers(0, groups, 200)
    predictions = pd.DataFrame(rng.integers(0, 2, (200, 3)), columns=list("abc"))
    before = predictions.copy()
    models = from_predictions(predictions, y, objectives=_OBJECTIVES, group=g, costs={"price": [1, 2, 3]})
    pd.testing.assert_frame_equal(predictions, before)
    assert models.model_names == ("a", "b", "c")
    assert models.cost_names == ("price",)
    values = _values(models)
    for j, name in enumerate("abc"):
        table = pd.DataFrame({"y": y, "g": g, "p": predictions[name], "wrong": predictions[name] != y})
        by = table.groupby("g")

        def spread(rates):
            return rates.max() - rates.min()

        expected = [
            table["wrong"].mean(),
            table.groupby("y")["wrong"].mean().max(),
            by["wrong"].mean().max(),
            table[table["y"] == 1]["wrong"].mean(),
            table[table["y"] == 0]["wrong"].mean(),
            spread(by["wrong"].mean()),
            spread(table[table["y"] == 1].groupby("g")["wrong"].mean()),
            spread(table[table["y"] == 0].groupby("g")["wrong"].mean()),
            spread(by["p"].mean()),
        ]
        assert [values[objective][j] for objective in _OBJECTIVES] == pytest.approx(expected, abs=1e-12)
    gap = models.measures["error_gap"]
    assert len(set(gap.cells)) == groups


@pytest.fixture(scope="module")
def fitted():
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    x = np.random.default_rng(0).normal(size=(120, 3))
    y = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    models = {
        "logistic": LogisticRegression(),
        "tree": DecisionTreeClassifier(max_depth=2, random_state=0),
        "neighbors": KNeighborsClassifier(3),
    }
    return {name: model.fit(x[:60], y[:60]) for name, model in models.items()}, x[60:], y[60:]


def test_estimators_against_a_loop(fitted):
    estimators, x, y = fitted
    models = from_estimators(estimators, x, y, costs=["n_parameters", "size_in_bytes"])
    for j, model in enumerate(estimators.values()):
        wrong = model.predict(x) != y
        assert models.losses[:, j, 0].tolist() == wrong.astype(float).tolist()
        assert _values(models)["error"][j] == wrong.mean()
        assert _values(models)["worst_class_error"][j] == max(wrong[y == "yes"].mean(), wrong[y == "no"].mean())
    assert models.cost_names == ("n_parameters", "size_in_bytes")
    assert models.costs[2, 0] >= 60 * 3
    assert (models.costs > 0).all()


def test_stored_numbers_of_models_whose_size_is_known(fitted):
    estimators, _, _ = fitted
    # Weights and bias; and the number of steps.
    assert stored_numbers(estimators["logistic"]) == 3 + 1 + 1
    # Nodes have 8 fields and the shares of 2 classes; the forest of one tree adds the number of classes.
    nodes = estimators["tree"].tree_.node_count
    assert nodes * (7 + 2) <= stored_numbers(estimators["tree"]) <= nodes * (8 + 2) + 1
    shared = np.zeros(10)
    assert stored_numbers([shared, shared, np.random.default_rng(0)]) == 10


def test_refusals_of_predictions_and_estimators(fitted, refuses):
    from sklearn.linear_model import LogisticRegression

    estimators, x, y = fitted
    refuses("objectives", from_estimators, estimators, x, y, objectives=["accuracy"])
    refuses("objectives", from_estimators, estimators, x, y, objectives="error")
    refuses("costs", from_estimators, estimators, x, y, costs=["price"])
    refuses("costs", from_estimators, estimators, x, y, costs="size_in_bytes")
    assert "measured" in refuses("costs", from_estimators, estimators, x, y, costs=["prediction_seconds"])
    refuses("estimators", from_estimators, {}, x, y)
    refuses("estimators", from_estimators, {"a": 1}, x, y)
    assert "from 'new'" in refuses("estimators", from_estimators, {"new": LogisticRegression()}, x, y)
    refuses("target", from_estimators, estimators, x, y[1:])
    refuses("target", from_estimators, estimators, x, y == "yes")
    refuses("target", from_estimators, estimators, x, y, objectives=["false_negative_rate"])
    refuses("group", from_estimators, estimators, x, y, objectives=["worst_group_error"])
    refuses("group", from_estimators, estimators, x, y, objectives=["error_gap"], group=["a"] * 60)
    refuses("group", from_predictions, [[1], [0]], [1, 0], objectives=["false_negative_gap"], group=[0, 1])
    refuses("target", from_predictions, [[1], [0]], [0, 0], objectives=["false_negative_rate"])
    refuses("predictions", from_predictions, [1, 0], [1, 0])
    refuses("predictions", from_predictions, [[np.nan], [0]], [1, 0])
    refuses("costs", from_predictions, [[1], [0]], [1, 0], costs={"price": [np.nan]})
    refuses("features", prediction_seconds, estimators, x[:0])
    refuses("repeats", prediction_seconds, estimators, x, repeats=0)


def test_certifying_passes_on_everything_known(tmp_path, rng):
    losses = rng.integers(0, 2, (60, 3, 2)).astype(float)
    frame, _ = _long(losses, rng)
    models = from_long_table(frame, cluster="patient")
    expected = mt.certify(
        models.losses, names=models.model_names, objectives=models.objective_names, clusters=models.clusters
    )
    assert models.certify() == expected
    # As a source of blocks, the same verdict.
    assert (mt.certify(models).boxes == expected.boxes).all()

    _write_logs(tmp_path, {"weak": [[0]] * 30 + [[1]] * 10, "strong": [[1]] * 40})
    certificate = from_harness_logs(tmp_path, metrics=["exact_match"]).certify(
        costs={"price": {"weak": 2, "strong": 1}}
    )
    assert certificate.maximise == (True, False)
    assert dict(zip(certificate.names, certificate.status, strict=True)) == {"strong": "sure", "weak": "excluded"}


def test_certifying_measures_uses_costs_and_options(fitted):
    estimators, x, y = fitted
    models = from_estimators(estimators, x, y, costs=["n_parameters"])
    certificate = models.certify(delta=0.1, method="boxes")
    assert certificate.objectives == ("error", "worst_class_error", "n_parameters")
    assert certificate.delta == 0.1
    np.testing.assert_allclose(certificate.estimates[:, 0], models.losses[:, :, 0].mean(axis=0), rtol=1e-12)
    assert models.certify(costs=None).objectives == ("error", "worst_class_error")


def test_certify_takes_all_that_evaluated_models_know(rng, tmp_path):
    models = EvaluatedModels(
        rng.integers(0, 2, (300, 3, 1)),
        "abc",
        ["accuracy"],
        maximise=[True],
        costs=[[1.0], [2.0], [3.0]],
        cost_names=["size"],
        clusters=[f"patient {i // 2}" for i in range(300)],
    )
    assert models.certify().maximise == (True, False)
    assert mt.certify(models, delta=0.1) == models.certify(delta=0.1)
    # Costs given here come in place of the known ones; directions stay.
    other = mt.certify(models, costs={"price": [3, 2, 1]})
    assert (other.objectives, other.maximise) == (("accuracy", "price"), (True, False))
    assert mt.certify(models, maximise=False).maximise == (False, False)
    audited = from_predictions([[0, 1], [1, 1], [1, 0]], [0, 1, 1])
    assert mt.certify(audited) == audited.certify()
    assert audited.certify(names=["x", "y"]).objectives == ("error", "worst_class_error")


def test_clusters_may_be_names(refuses):
    clusters = ["p2", "p1", "p2"]
    models = EvaluatedModels(np.zeros((3, 2, 1)), "ab", ["error"], clusters=clusters)
    assert models.clusters.tolist() == [1, 0, 1]
    assert EvaluatedModels(np.zeros((3, 2, 1)), "ab", ["error"], clusters=np.array(clusters, object)).has_clusters
    for wrong in (["p1", None, "p2"], [0.5, 1, 2], ["p1"]):
        refuses("clusters", EvaluatedModels, np.zeros((3, 2, 1)), "ab", ["error"], clusters=wrong)


def test_a_long_table_without_objective_has_one():
    frame = pd.DataFrame({"model": ["a", "b"], "example": ["x", "x"], "wrong": [0, 1]})
    assert from_long_table(frame, loss="wrong").objective_names == ("wrong",)


def test_a_filter_that_no_log_has_is_refused(tmp_path, refuses):
    for model in "ab":
        (tmp_path / f"{model}.jsonl").write_text(json.dumps({"model": model, "doc_id": 0, "filter": "none", "acc": 1}))
    assert "none, got 'strict'" in refuses(
        "filter_name", from_harness_logs, tmp_path, metrics=["acc"], filter_name="strict"
    )
    assert from_harness_logs(tmp_path, metrics=["acc"], filter_name="none").model_names == ("a", "b")
