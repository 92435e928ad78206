"""Growth of the readers of `moltheory.evaluation`: files by rows and by columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moltheory import evaluation
from moltheory.evaluation import open_losses, read_costs

from ._case import Work, grows
from ._inputs import bits, folder, long_frame, names


def read_all(path: Path | Sequence[Path], **options: Any) -> Work:
    """Return the work of opening a file and reading every block."""

    def work() -> int:
        return sum(len(losses) for losses, _ in open_losses(path, **options).blocks())

    return work


def wide_csv(rows: int, columns: int) -> Path:
    path = folder() / "losses.csv"
    losses = bits(rows, columns).astype(np.uint8)
    header = ",".join(["example", *names(columns)])
    path.write_text(header + "\n" + "".join(f"x{i}," + ",".join(map(str, row)) + "\n" for i, row in enumerate(losses)))
    return path


@grows(
    "evaluation.open_losses",
    "rows of a wide CSV, beyond a block",
    first=512_000,
    memory=0,
    largest=2_048_000,
    seconds=4.0,
)
def _(rows: int) -> Work:
    return read_all(wide_csv(rows, 5))


@grows("evaluation.open_losses", "columns of a wide CSV", first=250, largest=64_000)
def _(columns: int) -> Work:
    return read_all(wide_csv(5, columns))


@grows("evaluation.open_losses", "columns of a wide CSV, one objective each", first=250, largest=64_000)
def _(columns: int) -> Work:
    path = folder() / "losses.csv"
    header = ",".join(f"m/o{i}" for i in range(columns))
    path.write_text(header + "\n" + "\n".join([",".join("01"[i % 2] for i in range(columns))] * 3) + "\n")
    return read_all(path)


@grows("evaluation.open_losses", "models chosen of a wide CSV", first=250, largest=32_000)
def _(columns: int) -> Work:
    return read_all(wide_csv(3, columns), models=names(columns)[::-1])


@grows("evaluation.open_losses", "models left out of a wide CSV", first=250, largest=32_000)
def _(columns: int) -> Work:
    return read_all(wide_csv(3, columns), ignore=names(columns)[::2])


@grows("evaluation.open_losses", "rows of a long CSV", first=2_000, largest=256_000)
def _(rows: int) -> Work:
    path = folder() / "losses.csv"
    long_frame(rows).to_csv(path, index=False)
    return read_all(path)


@grows("evaluation.open_losses", "M models of a long CSV, of three examples", first=250, largest=32_000)
def _(m: int) -> Work:
    path = folder() / "losses.csv"
    long_frame(3 * m, m).to_csv(path, index=False)
    return read_all(path)


@grows("evaluation.open_losses", "rows of a long CSV in random order", first=2_000, largest=256_000)
def _(rows: int) -> Work:
    path = folder() / "losses.csv"
    long_frame(rows).sample(frac=1, random_state=0).to_csv(path, index=False)
    return read_all(path)


@grows("evaluation.open_losses", "columns of a tidy CSV", first=250, largest=32_000)
def _(columns: int) -> Work:
    path = folder() / "losses.csv"
    header = ",".join(["model", "example", *names(columns, "loss")])
    row = ",".join("01"[i % 2] for i in range(columns))
    path.write_text("\n".join([header, *(f"{m},{x},{row}" for x in "xyz" for m in "ab")]) + "\n")
    return read_all(path, objectives=names(columns, "loss"))


def parquet(rows: int, columns: int, suffix: str = "parquet") -> Path:
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet

    table = pa.table({name: bits(rows, seed=i) for i, name in enumerate(names(columns))})
    path = folder() / f"losses.{suffix}"
    if suffix == "parquet":
        pa.parquet.write_table(table, path)
    else:
        pa.feather.write_feather(table, str(path))
    return path


@grows(
    "evaluation.open_losses",
    "rows of a Parquet file, beyond a block",
    first=5_000_000,
    memory=0,
    largest=20_000_000,
    seconds=4.0,
)
def _(rows: int) -> Work:
    return read_all(parquet(rows, 5))


@grows("evaluation.open_losses", "columns of a Parquet file", first=250, largest=32_000)
def _(columns: int) -> Work:
    return read_all(parquet(5, columns))


@grows("evaluation.open_losses", "columns of an Arrow file", first=250, largest=32_000)
def _(columns: int) -> Work:
    return read_all(parquet(5, columns, "arrow"))


def json_lines(rows: int, columns: int) -> Path:
    path = folder() / "losses.jsonl"
    line = {name: i % 2 for i, name in enumerate(names(columns))}
    path.write_text("".join(json.dumps({"example": f"x{i}", **line}) + "\n" for i in range(rows)))
    return path


@grows(
    "evaluation.open_losses",
    "rows of JSON lines, beyond a block",
    first=128_000,
    memory=0,
    largest=512_000,
    seconds=8.0,
)
def _(rows: int) -> Work:
    return read_all(json_lines(rows, 5))


@grows("evaluation.open_losses", "columns of JSON lines", first=250, largest=64_000)
def _(columns: int) -> Work:
    return read_all(json_lines(5, columns))


@grows(
    "evaluation.open_losses",
    "rows of an NPY file, beyond a block",
    first=6_400_000,
    memory=0,
    largest=25_600_000,
    seconds=4.0,
)
def _(rows: int) -> Work:
    path = folder() / "losses.npy"
    np.save(path, np.zeros((rows, 5), bool))
    return read_all(path)


@grows("evaluation.open_losses", "models of an NPZ file, with names", first=1_000, largest=128_000)
def _(m: int) -> Work:
    path = folder() / "losses.npz"
    np.savez(path, losses=bits(5, m), models=np.array(names(m)))
    return read_all(path)


@grows("evaluation.open_losses", "number of files", first=4, largest=512)
def _(k: int) -> Work:
    paths = []
    for i in range(k):
        path = folder() / f"part_{i:04d}.csv"
        path.write_text(f"example,a,b\nx{i},0,1\ny{i},1,1\n")
        paths.append(path)
    return read_all(paths)


def logs(models: int, tasks: int, documents: int) -> Path:
    top = folder()
    for model in range(models):
        (top / f"m{model}").mkdir()
        for task in range(tasks):
            lines = (
                {"doc_id": i, "acc": float((i * 7 + model) % 3 > 0), "filter": "none", "doc_hash": f"h{i}"}
                for i in range(documents)
            )
            path = top / f"m{model}" / f"samples_task{task}_2024-01-01T00-00-00.000000.jsonl"
            path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return top


@grows("evaluation.from_harness_logs", "documents", first=500, largest=64_000)
def _(documents: int) -> Work:
    top = logs(2, 1, documents)
    return lambda: evaluation.from_harness_logs(top, metrics=["acc"])


@grows("evaluation.from_harness_logs", "models of ten documents", first=20, largest=2_560)
def _(models: int) -> Work:
    top = logs(models, 1, 10)
    return lambda: evaluation.from_harness_logs(top, metrics=["acc"])


@grows("evaluation.from_harness_logs", "tasks of one document", first=16, time=2, memory=2, largest=1_024)
def _(tasks: int) -> Work:
    top = logs(1, tasks, 1)
    return lambda: evaluation.from_harness_logs(top, metrics=["acc"])


@grows("evaluation.open_losses", "documents of harness logs", first=500, largest=64_000)
def _(documents: int) -> Work:
    return read_all(logs(2, 1, documents))


@grows("evaluation.read_costs", "M models, CSV", first=1_000, largest=256_000)
def _(m: int) -> Work:
    path = folder() / "costs.csv"
    path.write_text("model,size\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names(m))))
    return lambda: read_costs(path, models=names(m)[::-1])


@grows("evaluation.read_costs", "M models, JSON", first=1_000, largest=256_000)
def _(m: int) -> Work:
    path = folder() / "costs.json"
    path.write_text(json.dumps({name: {"size": i} for i, name in enumerate(names(m))}))
    return lambda: read_costs(path, models=names(m)[::-1])


@grows("evaluation.read_costs", "k costs, CSV", first=250, largest=64_000)
def _(k: int) -> Work:
    path = folder() / "costs.csv"
    rows = [",".join(["model", *names(k, "cost")]), *(f"{model}," + ",".join(["1"] * k) for model in "ab")]
    path.write_text("\n".join(rows) + "\n")
    return lambda: read_costs(path, models=["a", "b"])
