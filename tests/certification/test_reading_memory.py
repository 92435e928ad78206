"""Large files are read, and certified, in memory that does not grow with them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc"),
]

_CODE = """
import sys
from moltheory.certification import certify, open_losses
source = open_losses(sys.argv[1])
if sys.argv[2] == "certify":
    assert certify(source).n_examples == int(sys.argv[3])
else:
    assert sum(len(losses) for losses, _ in source.blocks()) == int(sys.argv[3])
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
"""


def _peak(path, what, n):
    """Peak memory in MB of a fresh process; resource.getrusage would count its parent's."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE, str(path), what, str(n)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) / 1024


def test_a_million_examples_of_200_models_are_certified(tmp_path):
    n, n_models, step = 1_000_000, 200, 50_000
    path = tmp_path / "losses.npy"
    losses = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, n_models))
    rng = np.random.default_rng(0)
    skill = np.linspace(0.1, 0.4, n_models, dtype=np.float32)
    for start in range(0, n, step):
        shared = rng.random((step, 1), dtype=np.float32)
        losses[start : start + step] = 0.7 * shared + 0.3 * rng.random((step, n_models), dtype=np.float32) < skill
    losses.flush()
    del losses
    assert _peak(path, "certify", n) < 400  # 222 MB when written; as floats the losses are 1.6 GB


def test_a_wide_table_takes_no_more_memory_when_it_grows(tmp_path):
    names = [f"model-{i}" for i in range(200)]
    peaks = []
    for n in (20_000, 120_000):
        path = tmp_path / f"{n}.parquet"
        schema = pa.schema([(name, pa.uint8()) for name in names])
        with parquet.ParquetWriter(path, schema) as writer:
            for start in range(0, n, 10_000):
                rows = np.arange(start, start + 10_000)
                columns = [pa.array(((rows + i) % 7 == 0).astype(np.uint8)) for i in range(200)]
                writer.write_table(pa.table(columns, schema=schema))
        peaks.append(_peak(path, "certify", n))
    # The larger table has 20 million more losses: 160 MB as floats.
    assert peaks[1] - peaks[0] < 60


def test_a_long_table_takes_no_more_memory_when_it_grows(tmp_path):
    n_models = 200
    names = pa.array([f"model-{i}" for i in range(n_models)])
    peaks = []
    for n in (15_000, 75_000):
        path = tmp_path / f"{n}.parquet"
        kinds = pa.dictionary(pa.int32(), pa.string())
        schema = pa.schema([("example", pa.int64()), ("model", kinds), ("loss", pa.uint8())])
        with parquet.ParquetWriter(path, schema) as writer:
            for start in range(0, n, 5_000):
                model = pa.DictionaryArray.from_arrays(
                    pa.array(np.tile(np.arange(n_models, dtype=np.int32), 5_000)), names
                )
                example = pa.array(np.repeat(np.arange(start, start + 5_000), n_models))
                loss = pa.array((np.arange(5_000 * n_models) % 7 == 0).astype(np.uint8))
                writer.write_table(pa.table([example, model, loss], schema=schema))
        peaks.append(_peak(path, "read", n))
    # The larger table has 12 million more rows: 96 MB of losses alone.
    assert peaks[1] - peaks[0] < 60
