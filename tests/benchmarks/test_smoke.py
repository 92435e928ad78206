"""Every benchmark runs, with sizes that take seconds; what it finds then is no result."""

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import NAMES, RESULTS, benchmark_of, main, missing_peers
from benchmarks._processor import ROOT
from benchmarks.tracked import operations


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_part_runs(name, tmp_path):
    benchmark = benchmark_of(name)
    parts = [part for part in benchmark.parts if part != "training" or "torch" not in missing_peers(benchmark)]
    asked = [f"{name}/{part}" for part in parts]
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--out", str(tmp_path), "--only", *asked]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    record = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert {key.partition(" @ ")[0] for key in record["parts"]} - {"summary"} == set(parts)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Startup", "Pareto", "Bounds", "Certify", "Fronts", "Experiments"])
def test_every_operation_that_asv_follows_runs(name):
    """asv builds environments of its own; here the operations are called as it calls them."""
    one = getattr(operations, name)()
    getattr(one, "setup", lambda: None)()
    called = [method for method in dir(one) if method.startswith(("time_", "peakmem_"))]
    assert called
    for method in called:
        getattr(one, method)()


def test_quick_results_never_land_in_the_folder_of_full_ones(capsys):
    with pytest.raises(SystemExit):
        main(["--quick", "--out", str(RESULTS)])
    assert "must be another folder" in capsys.readouterr().err
