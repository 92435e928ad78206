"""The same losses in every form and format of tables; what a format cannot hold is not written."""

import bz2
import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import dataset, feather, parquet

MODELS = ("small", "org/large", "tree-4.1", "tree-4")
OBJECTIVES = ("error", "seconds")
RANGES = {"seconds": (0.0, 60.0)}


def losses_of(rng, n=40):
    """Losses (n, 4, 2), one objective of 0 and 1, one in [0, 60]; some are missing."""
    losses = np.stack([rng.random((n, 4)) < [0.1, 0.3, 0.5, 0.9], np.round(60 * rng.random((n, 4)), 3)], axis=2)
    losses[rng.random(losses.shape) < 0.05] = np.nan
    losses[np.isnan(losses).all((1, 2)), 0, 0] = 0.0
    return losses


def wide(losses, clusters):
    """One column per model and objective."""
    columns = {f"{m}/{o}": losses[:, i, j] for i, m in enumerate(MODELS) for j, o in enumerate(OBJECTIVES)}
    return pd.DataFrame({"example": [f"e{i}" for i in range(len(losses))], **columns, "cluster": clusters})


def tidy(losses, clusters):
    """One row per model and example, one column per objective; and columns that are neither."""
    frame = pd.DataFrame(
        [
            {"prompt": f"e{e}", "model": model, "answer": f'"{model}",\nof {e}', "cluster": clusters[e]}
            | dict(zip(OBJECTIVES, losses[e, m], strict=True))
            for e in range(len(losses))
            for m, model in enumerate(MODELS)
        ]
    )
    return frame[["answer", "prompt", "model", "error", "cluster", "seconds"]]


def long(losses, clusters):
    """One row per model, example and objective."""
    rows = [(f"e{e}", MODELS[m], OBJECTIVES[o], losses[e, m, o], clusters[e]) for e, m, o in np.ndindex(losses.shape)]
    return pd.DataFrame(rows, columns=["example", "model", "objective", "loss", "cluster"])


def _text(frame, path, compress, **options):
    path.write_bytes(compress(frame.to_csv(index=False, **options).encode()))
    return path


def _plain(content):
    return content


def _zst(content):
    return pa.Codec("zstd").compress(content, asbytes=True)


def _json_lines(frame, path, compress=_plain):
    rows = [{key: value for key, value in row.items() if value == value} for row in frame.to_dict("records")]
    path.write_bytes(compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


def _parquet(frame, path):
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=7)
    return path


def _folder(frame, path):
    path.mkdir()
    for number, start in enumerate(range(0, len(frame), 17)):
        _parquet(frame[start : start + 17], path / f"part-{number}.parquet")
    (path / "_SUCCESS").write_text("")
    return path


def _partitioned(frame, path):
    """A folder per cluster, whose names are the only place of the labels."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    dataset.write_dataset(table, path, format="parquet", partitioning=["cluster"], partitioning_flavor="hive")
    return path


FORMATS = {
    "csv": lambda frame, path: _text(frame, path / "losses.csv", _plain),
    "tsv": lambda frame, path: _text(frame, path / "losses.tsv", _plain, sep="\t"),
    "csv.gz": lambda frame, path: _text(frame, path / "losses.csv.gz", gzip.compress),
    "csv.zst": lambda frame, path: _text(frame, path / "losses.csv.zst", _zst),
    "csv.bz2": lambda frame, path: _text(frame, path / "losses.csv.bz2", bz2.compress),
    "semicolons": lambda frame, path: _text(frame, path / "losses.csv", _plain, sep=";"),
    "jsonl": lambda frame, path: _json_lines(frame, path / "losses.jsonl"),
    "jsonl.gz": lambda frame, path: _json_lines(frame, path / "losses.jsonl.gz", gzip.compress),
    "parquet": lambda frame, path: _parquet(frame, path / "losses.parquet"),
    "folder": lambda frame, path: _folder(frame, path / "losses"),
    "partitions": lambda frame, path: _partitioned(frame, path / "losses"),
    "arrow": lambda frame, path: feather.write_feather(frame, path / "losses.feather") or path / "losses.feather",
}
FORMS = {"wide": (wide, {}), "long": (long, {}), "tidy": (tidy, {"example": "prompt", "objectives": list(OBJECTIVES)})}
