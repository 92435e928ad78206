"""About 150 scikit-learn models of many kinds on digits and breast cancer: which are really on the front?

Trains them on one half, records on the other half 0/1 losses per example, worst-class error, size and prediction
time, and certifies. Run ``python benchmarks/model_zoo.py`` from the root of the repository; ``--quick`` takes every
fourth model, ``--write`` keeps the table, ``--out FOLDER`` writes ``DATASET.parquet`` and ``DATASET_costs.csv`` for
``moltheory certify``.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd

from moltheory.certification import Certificate, from_estimators
from moltheory.figures._zoo import Zoo, model_zoo
from moltheory.pareto import nondominated

_OBJECTIVES = ["error", "worst_class_error"]
_COST_SETS = {
    "size": ["size_in_bytes"],
    "size and parameters": ["size_in_bytes", "n_parameters"],
}


def _row(zoo: Zoo, objectives: list[str], costs: str, seconds: float, certificate: Certificate) -> str:
    front = nondominated(certificate.estimates)
    cells = [
        zoo.name.replace("_", " "),
        " + ".join(objectives),
        costs,
        f"{len(certificate)}",
        f"{certificate.n_examples}",
        f"{front.sum()}",
        f"{certificate.sure.sum()}",
        f"{certificate.excluded.sum()}",
        f"{certificate.undecided.sum()}",
        f"{(front & certificate.undecided).sum()}",
        f"{seconds:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _write_files(zoo: Zoo, folder: Path) -> None:
    """Write the losses in long form, sorted by example, and the costs."""
    folder.mkdir(parents=True, exist_ok=True)
    n, m = zoo.wrong.shape
    long = pd.DataFrame(
        {
            "model": np.tile(np.array(zoo.model_names), n),
            "example": np.repeat(np.arange(n), m),
            "objective": "error",
            "loss": zoo.wrong.ravel(),
        }
    )
    long.to_parquet(folder / f"{zoo.name}.parquet", index=False)
    costs = pd.DataFrame({"model": zoo.model_names, "size_in_bytes": zoo.size_in_bytes})
    costs.to_csv(folder / f"{zoo.name}_costs.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every fourth model")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/model_zoo.md")
    parser.add_argument("--out", type=Path, help="folder for files that `moltheory certify` reads")
    options = parser.parse_args()
    lines = [
        f"# A model zoo, certified\n\nPython {platform.python_version()}, confidence 95 % for all statements of a row "
        "together; both costs are known exactly.\n",
        "| data | estimated | known | models | examples | empirical front | sure | excluded | undecided | "
        "undecided on the empirical front | CPU s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    training = []
    for name in ("digits", "breast_cancer"):
        start = time.process_time()
        zoo = model_zoo(name, quick=options.quick)
        trained = time.process_time() - start
        for objectives in (["error"], _OBJECTIVES):
            models = from_estimators(
                zoo.estimators, zoo.features, zoo.target, objectives=objectives, costs=list(_COST_SETS.values())[-1]
            )
            known = dict(zip(models.cost_names, models.costs.T, strict=True))
            for label, costs in _COST_SETS.items():
                start = time.process_time()
                certificate = models.certify(costs={cost: known[cost] for cost in costs})
                lines.append(_row(zoo, objectives, label, time.process_time() - start, certificate))
        training.append(f"{name.replace('_', ' ')} {trained:.1f} s")
        if options.out:
            _write_files(zoo, options.out)
    lines.append(f"\nCPU time of training and evaluation: {', '.join(training)}.\n")
    print("\n".join(lines))
    if options.write:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "model_zoo.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
