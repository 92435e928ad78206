"""Writes the example inputs beside it, with invented models: the forms of the tools, no results of anybody.

Run `python data/examples/make.py`; the files are the same every time.
"""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
MODELS = {"aster": 0.81, "birch": 0.79, "cedar": 0.62, "dahlia": 0.48}
DATE = "2026-03-01T10-00-00.000000"
STAMP = (2026, 3, 1, 10, 0, 0)


def write(path: Path, text: str) -> None:
    """Write a file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def answers(rng: np.random.Generator, n: int, spread: float = 0.25) -> dict[str, np.ndarray]:
    """Return which model answers which of n questions rightly: hard questions are hard for all."""
    hardness = rng.normal(0.0, spread, n)
    return {model: rng.random(n) < np.clip(skill + hardness, 0.0, 1.0) for model, skill in MODELS.items()}


def lm_eval(rng: np.random.Generator) -> None:
    """The output folder of `lm_eval --log_samples` of two tasks."""
    for task, n in (("arc_easy", 500), ("boolq", 400)):
        for model, right in answers(rng, n).items():
            lines = [
                json.dumps({"doc_id": i, "target": "A", "acc": float(value), "doc_hash": f"{task}{i:05d}"})
                for i, value in enumerate(right)
            ]
            write(FOLDER / "lm_eval" / model / f"samples_{task}_{DATE}.jsonl", "\n".join(lines) + "\n")
    for model in MODELS:
        results = {"model_name": model, "higher_is_better": {"arc_easy": {"acc": True}, "boolq": {"acc": True}}}
        write(FOLDER / "lm_eval" / model / f"results_{DATE}.json", json.dumps(results) + "\n")


def inspect(rng: np.random.Generator) -> None:
    """Logs of `inspect eval`: 150 samples of two epochs, one archive per model."""
    chances = answers(rng, 150, spread=0.3)
    for model, right in chances.items():
        header = {
            "version": 2,
            "status": "success",
            "eval": {
                "created": "2026-03-01T10:00:00+00:00",
                "task": "capitals",
                "model": model,
                "dataset": {"samples": 150, "sample_ids": list(range(1, 151))},
                "config": {"epochs": 2},
            },
            "results": {"total_samples": 300, "completed_samples": 300},
        }
        path = FOLDER / "inspect" / f"capitals_{model}.eval"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("header.json", STAMP), json.dumps(header))
            for epoch in (1, 2):
                for i, value in enumerate(right, start=1):
                    kept = value if rng.random() < 0.9 else not value
                    sample = {"id": i, "epoch": epoch, "scores": {"match": {"value": "C" if kept else "I"}}}
                    archive.writestr(zipfile.ZipInfo(f"samples/{i}_epoch_{epoch}.json", STAMP), json.dumps(sample))


def tidy(rng: np.random.Generator) -> None:
    """One row per model and prompt, with several metrics."""
    seconds = {"aster": 2.4, "birch": 1.1, "cedar": 0.9, "dahlia": 0.4}
    found = answers(rng, 400)
    waits = {model: np.minimum(rng.lognormal(np.log(seconds[model]), 0.4, 400), 60.0) for model in MODELS}
    with (FOLDER / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["prompt_id", "model", "correct", "latency_s"])
        for i in range(400):
            for model in MODELS:
                writer.writerow([f"p{i:03d}", model, int(found[model][i]), f"{waits[model][i]:.3f}"])


if __name__ == "__main__":
    lm_eval(np.random.default_rng(1))
    inspect(np.random.default_rng(2))
    tidy(np.random.default_rng(3))
