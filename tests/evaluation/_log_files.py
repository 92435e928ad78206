"""Writers of evaluation logs in the forms of the tools: from which model answered which question rightly.

Each takes a folder and an array (n, M, R) of bools, R runs on each of n examples by models m0, m1, ...
"""

import json
import zipfile

DATE = "2026-03-01T10-00-00.000000"


def names(right):
    return [f"m{m}" for m in range(right.shape[1])]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_lines(path, records):
    write(path, "".join(json.dumps(record) + "\n" for record in records))


def document(task, i, values, **more):
    """A line of `lm_eval --log_samples`."""
    return {
        "doc_id": i,
        "doc": {"question": f"{task} {i}?", "story": i // 2},
        "target": "A",
        "resps": [["A"]],
        "filter": "none",
        "metrics": list(values),
        "doc_hash": f"{task} {i}",
        "prompt_hash": f"prompt of {task} {i}",
        "target_hash": "A",
        **values,
        **more,
    }


def lm_eval(folder, right, *, task="arc", date=DATE, results=True):
    for m, model in enumerate(names(right)):
        rows = [document(task, i, {"acc": float(value)}) for i, value in enumerate(right[:, m, 0])]
        write_lines(folder / model / f"samples_{task}_{date}.jsonl", rows)
        if results:
            lm_eval_results(folder / model, model, {task: {"acc": True}}, {task: len(rows)}, date=date)


def lm_eval_results(folder, model, upward, sizes, *, date=DATE, **config):
    content = {
        "results": {task: {"alias": task} for task in upward},
        "config": {"model": "hf", "model_args": f"pretrained={model}", **config},
        "higher_is_better": upward,
        "n-samples": {task: {"original": n, "effective": n} for task, n in sizes.items()},
        "model_name": model,
    }
    write(folder / f"results_{date}.json", json.dumps(content))


def inspect_header(model, *, status="success", created="2026-03-01T10:00:00+00:00", task="capitals"):
    run = {"created": created, "task": task, "model": model, "run_id": "r", "config": {}}
    return {"version": 2, "status": status, "eval": run}


def inspect_sample(i, epoch, scores, **more):
    given = {scorer: {"value": value, "answer": "A"} for scorer, value in scores.items()}
    return {"id": i, "epoch": epoch, "input": f"question {i}", "target": "A", "scores": given, **more}


def inspect_archive(path, header, samples, *, kind=zipfile.ZIP_DEFLATED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", kind) as opened:
        for sample in samples:
            opened.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        opened.writestr("header.json", json.dumps(header))


def _inspect_samples(right, m):
    runs = range(right.shape[2])
    return [inspect_sample(i, r + 1, {"match": "IC"[int(right[i, m, r])]}) for i in range(len(right)) for r in runs]


def inspect(folder, right):
    for m, model in enumerate(names(right)):
        inspect_archive(folder / f"{model}.eval", inspect_header(model), _inspect_samples(right, m))


def inspect_json(folder, right):
    for m, model in enumerate(names(right)):
        log = inspect_header(model) | {"samples": _inspect_samples(right, m)}
        write(folder / f"{model}.json", json.dumps(log))


def helm_stat(name, value, split="test"):
    return {"name": {"name": name, "split": split}, "count": 1, "sum": value, "mean": value}


def helm(folder, right, *, more=()):
    for m, model in enumerate(names(right)):
        run = folder / f"mmlu:subject=law,model=org_{model}"
        spec = {"name": f"mmlu:subject=law,model=org_{model}", "adapter_spec": {"model": model}}
        write(run / "run_spec.json", json.dumps(spec))
        entries = [
            {"instance_id": f"id{i}", "train_trial_index": r, "stats": [helm_stat("exact_match", float(value))]}
            for i in range(len(right))
            for r, value in enumerate(right[i, m])
        ]
        write(run / "per_instance_stats.json", json.dumps([*more, *entries]))


def promptfoo(folder, right):
    for m, model in enumerate(names(right)):
        results = [
            {
                "promptIdx": 0,
                "testIdx": i,
                "vars": {"question": f"question {i}"},
                "prompt": {"raw": f"question {i}", "label": "{{question}}"},
                "provider": {"id": model, "label": ""},
                "success": bool(value),
                "score": float(value),
                "namedScores": {"tone": 0.5},
                "latencyMs": 100 + i,
                "cost": 0.25,
                "tokenUsage": {"total": 12},
            }
            for i in range(len(right))
            for value in right[i, m]
        ]
        content = {"evalId": f"eval-{model}", "results": {"version": 3, "results": results, "stats": {}}, "config": {}}
        write(folder / f"{model}.json", json.dumps(content))


def openai_evals(folder, right):
    for m, model in enumerate(names(right)):
        spec = {"completion_fns": [model], "eval_name": "sums.dev.v0", "base_eval": "sums", "run_id": "r"}
        rows = [{"spec": spec}]
        for i in range(len(right)):
            for value in right[i, m]:
                common = {"run_id": "r", "event_id": len(rows), "sample_id": f"sums.dev.{i}"}
                rows.append(common | {"type": "sampling", "data": {"prompt": "1+1", "sampled": "2"}})
                rows.append(common | {"type": "match", "data": {"correct": bool(value), "expected": "2"}})
        write_lines(folder / f"{model}.jsonl", [*rows, {"final_report": {"accuracy": 0.5}}])


def deepeval(folder, right):
    for m, model in enumerate(names(right)):
        cases = [
            {
                "name": f"test_case_{i}",
                "input": f"question {i}",
                "actualOutput": "A",
                "success": bool(value),
                "metricsData": [
                    {"name": "Correctness", "score": float(value), "success": bool(value), "threshold": 0.5}
                ],
                "completionTime": 0.5,
            }
            for i in range(len(right))
            for value in right[i, m]
        ]
        content = {"testCases": cases, "metricsScores": [], "hyperparameters": {"model": model}}
        write(folder / f"test_run_{model}.json", json.dumps(content))


def evalplus(folder, right):
    for m, model in enumerate(names(right)):
        problems = {
            f"HumanEval/{i}": [
                {"task_id": f"HumanEval/{i}", "base_status": "fail" if not value else "pass", "plus_status": None}
                for value in right[i, m]
            ]
            for i in range(len(right))
        }
        write(folder / f"{model}_eval_results.json", json.dumps({"date": "2026", "hash": "h", "eval": problems}))


def mlflow(folder, right):
    for m, model in enumerate(names(right)):
        rows = [[f"question {i}", "A", float(value)] for i, value in enumerate(right[:, m, 0])]
        content = {"columns": ["inputs", "outputs", "match/score"], "data": rows}
        write(folder / model / "eval_results_table.json", json.dumps(content))


WRITERS = {
    "lm-eval": lm_eval,
    "inspect": inspect,
    "inspect-json": inspect_json,
    "helm": helm,
    "promptfoo": promptfoo,
    "openai-evals": openai_evals,
    "deepeval": deepeval,
    "evalplus": evalplus,
    "mlflow": mlflow,
}

REPEATING = sorted(WRITERS.keys() - {"lm-eval", "mlflow"})
"""Formats with several runs on an example."""

OBJECTIVES = {
    "lm-eval": "arc/acc",
    "inspect": "capitals/match",
    "inspect-json": "capitals/match",
    "helm": "mmlu:subject=law/exact_match",
    "promptfoo": "success",
    "openai-evals": "sums.dev.v0/correct",
    "deepeval": "success",
    "evalplus": "HumanEval/base",
    "mlflow": "match/score",
}

SCORES = {
    "lm-eval": '"acc": 1.0',
    "inspect-json": '"value": "C"',
    "helm": '"mean": 1.0',
    "promptfoo": '"success": true',
    "openai-evals": '"correct": true',
    "deepeval": '"success": true',
    "evalplus": '"base_status": "pass"',
    "mlflow": '"A", 1.0',
}
"""How a right answer is written, in the formats that are text."""


def log_of(folder, model):
    """The file that holds a model's samples."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and model in str(path.relative_to(folder))]
    return next(path for path in files if not path.name.startswith(("results_", "run_spec")))
