"""One small valid specimen of each format that is read: tables, arrays, logs, and the files beside them."""

from __future__ import annotations

import bz2
import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

from tests.evaluation._log_files import WRITERS, log_of

LOSSES = np.random.default_rng(0).random((12, 3, 2)) < 0.4
_MODELS = ("small", "large", "tree")


@dataclass(frozen=True)
class Specimen:
    """Files by their path in a folder, which of them is changed, and how all are read."""

    name: str
    files: dict[str, bytes]
    target: str
    given: tuple[str, ...]
    """What is opened: files, ``"."`` for the folder, or ``"-"`` for standard input."""
    layers: tuple[str, ...]
    """What the target is made of, outermost first; see `_mutations`."""
    options: dict[str, list[str] | str] = field(default_factory=dict)
    side: tuple[str, ...] = ()
    """Further arguments of the command line, for files beside the table: the table itself stays valid."""


def _wide() -> pd.DataFrame:
    columns = {f"{m}/{o}": LOSSES[:, i, j] * 1.0 for i, m in enumerate(_MODELS) for j, o in enumerate("xy")}
    return pd.DataFrame({"example": [f"e{i}" for i in range(len(LOSSES))], **columns, "cluster": np.arange(12) // 2})


def _long() -> pd.DataFrame:
    rows = [(f"e{e}", _MODELS[m], "xy"[o], float(LOSSES[e, m, o]), e // 2) for e, m, o in np.ndindex(LOSSES.shape)]
    return pd.DataFrame(rows, columns=["example", "model", "objective", "loss", "cluster"])


def _tidy() -> pd.DataFrame:
    rows = [
        (f'"{m}",\nof {e}', f"e{e}", m, *LOSSES[e, i].astype(float), 0.5)
        for e in range(len(LOSSES))
        for i, m in enumerate(_MODELS)
    ]
    return pd.DataFrame(rows, columns=["answer", "prompt", "model", "x", "y", "other"])


def _csv(frame: pd.DataFrame, **options: str) -> bytes:
    return str(frame.to_csv(index=False, **options)).encode()  # type: ignore[call-overload]


def _json_lines(frame: pd.DataFrame) -> bytes:
    return str(frame.to_json(orient="records", lines=True)).encode()


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), buffer, row_group_size=5)
    return buffer.getvalue()


def _feather(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(frame, buffer)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(save: Callable[..., None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer, losses=LOSSES, models=list(_MODELS), objectives=["x", "y"], cluster=np.arange(12) // 2)
    return buffer.getvalue()


def _one(name: str, file: str, content: bytes, *layers: str, **options: list[str] | str) -> Specimen:
    return Specimen(name, {file: content}, file, (file,), layers, options)


def _tables() -> list[Specimen]:
    wide, long, tidy = _csv(_wide()), _csv(_long()), _csv(_tidy())
    named: dict[str, list[str] | str] = {"objectives": ["x", "y"], "example": "prompt"}
    parts = {f"part-{i}.parquet": _parquet(_long()[36 * i : 36 * i + 36]) for i in range(2)}
    groups = _wide().groupby("cluster")
    keyed = {f"cluster={c}/part-0.parquet": _parquet(group.drop(columns="cluster")) for c, group in groups}
    return [
        _one("csv wide", "losses.csv", wide, "text"),
        _one("csv long", "losses.csv", long, "text"),
        _one("csv tidy", "losses.csv", tidy, "text", **named),
        _one("tsv", "losses.tsv", _csv(_wide(), sep="\t"), "text"),
        _one("csv of semicolons", "losses.csv", _csv(_wide(), sep=";", decimal=","), "text", decimal=","),
        _one("csv.gz", "losses.csv.gz", gzip.compress(wide, mtime=0), "gzip", "text"),
        _one("csv.bz2", "losses.csv.bz2", bz2.compress(long), "bz2", "text"),
        _one("csv.zst", "losses.csv.zst", pa.Codec("zstd").compress(tidy, asbytes=True), "zstd", "text", **named),
        _one("jsonl wide", "losses.jsonl", _json_lines(_wide()), "lines"),
        _one("jsonl long", "losses.jsonl", _json_lines(_long()), "lines"),
        _one("jsonl.gz", "losses.jsonl.gz", gzip.compress(_json_lines(_tidy()), mtime=0), "gzip", "lines", **named),
        _one("parquet wide", "losses.parquet", _parquet(_wide()), "parquet"),
        _one("parquet long", "losses.parquet", _parquet(_long()), "parquet"),
        _one("arrow", "losses.feather", _feather(_wide()), "arrow"),
        Specimen("parquet folder", parts, "part-1.parquet", (".",), ("parquet",)),
        Specimen("parquet partitions", keyed, "cluster=3/part-0.parquet", (".",), ("parquet",)),
        _one("npy", "losses.npy", _npy(LOSSES), "npy"),
        _one("npy of two dimensions", "losses.npy", _npy(LOSSES[:, :, 0] * 0.5), "npy"),
        _one("npz", "losses.npz", _npz(np.savez), "zip", "npy"),
        _one("npz compressed", "losses.npz", _npz(np.savez_compressed), "zip", "npy"),
        Specimen("standard input", {"losses.csv": wide}, "losses.csv", ("-",), ("text",)),
    ]


def _beside() -> list[Specimen]:
    """Costs, names of columns and options, each beside a table in order."""
    table = _csv(_wide())
    costs = {model: {"size": size, "price": 0.5} for model, size in zip(_MODELS, (1, 2, 3), strict=True)}
    frame = pd.DataFrame([{"model": model, **own} for model, own in costs.items()])
    files = {
        "costs.csv": ("--costs", _csv(frame), "text"),
        "costs.json": ("--costs", str(pd.Series(costs).to_json()).encode(), "json"),
        "names.txt": ("--columns-file", b"y\nx\n", "text"),
        "names.json": ("--columns-file", b'{"objectives": ["y", "x"], "models": ["large", "tree"]}', "json"),
        "certify.toml": ("--config", b'delta = 0.1\nmodels = ["small", "tree"]\nepsilon = { x = 0.01 }\n', "text"),
    }
    return [
        Specimen(name, {"losses.csv": table, name: content}, name, ("losses.csv",), (layer,), {}, (option, name))
        for name, (option, content, layer) in files.items()
    ]


def _logs() -> list[Specimen]:
    found = []
    for name, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "runs")
            write(root, LOSSES[:6, :, :1])
            files = {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
            target = log_of(root, "m1").relative_to(root).as_posix()
        files = {path: _dateless(content) if path.endswith(".eval") else content for path, content in files.items()}
        layers = {"inspect": ("zip", "json"), "lm-eval": ("lines",), "openai-evals": ("lines",)}.get(name, ("json",))
        found.append(Specimen(name, files, target, (".",), layers))
        if name not in ("helm", "mlflow", "lm-eval"):
            found.append(Specimen(f"{name} files", files, target, (target.replace("m1", "m0"), target), layers))
        beside = [path for path in files if "m1" in path and Path(path).name.startswith(("results_", "run_spec"))]
        found += [Specimen(f"{name} results", files, path, (".",), ("json",)) for path in beside]
    return found


def _dateless(content: bytes) -> bytes:
    """An archive without the time at which it was written: the same seed gives the same file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as kept:
        for entry in given.infolist():
            kept.writestr(zipfile.ZipInfo(entry.filename), given.read(entry), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@cache
def specimens() -> tuple[Specimen, ...]:
    """Return all specimens, in a fixed order."""
    return (*_tables(), *_beside(), *_logs())
