"""Comparisons of the networks: paired differences over seeds, certificates over test images, the path of the gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice, check_fraction
from moltheory.certification import certify
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import nondominated
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front
from moltheory.studies.fully_connected._model import METHODS
from moltheory.studies.fully_connected._result import CertifiedNetworks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["certified_networks", "gate_path", "network_objectives", "paired_differences"]

_COSTS: Mapping[str, tuple[str, ...]] = {
    "to use": ("inference_parameters", "labels"),
    "to train and use": ("inference_parameters", "labels", "training_cost"),
}
"""Known costs beside the test error: those of using a network, and those of training it too."""

_CONFIDENCE = 0.95


def paired_differences(networks: pd.DataFrame, /, *, baseline: str = "plain") -> pd.DataFrame:
    """Return the differences of test errors between each method and the baseline of the same seed, of two seeds or more.

    One row per data, budget and method: ``seeds``, ``error`` and ``baseline_error`` (means), ``difference`` (mean,
    negative: better than the baseline), ``low`` and ``high``, its 95 % interval by Student's t over seeds; ``low_all``
    and ``high_all``, the same for all rows at once (Bonferroni).
    """
    import pandas as pd
    from scipy.stats import t

    check_choice("baseline", baseline, set(networks["method"]))
    table = networks.pivot_table(index=["data", "labels", "seed"], columns="method", values="test_error")
    others = [method for method in METHODS if method in table.columns and method != baseline]
    rows: list[dict[str, Any]] = []
    for (name, labels), part in table.groupby(level=["data", "labels"], sort=False):
        for method in others:
            gaps = (part[method] - part[baseline]).to_numpy()
            if len(gaps) < 2 or np.isnan(gaps).any():
                raise InvalidInputError("`networks` must hold the same two or more seeds of every method, got others.")
            rows.append(
                {
                    "data": name,
                    "labels": labels,
                    "method": method,
                    "seeds": len(gaps),
                    "error": float(part[method].mean()),
                    "baseline_error": float(part[baseline].mean()),
                    "difference": float(gaps.mean()),
                    "spread": float(gaps.std(ddof=1) / np.sqrt(len(gaps))),
                }
            )
    for row in rows:
        spread = row.pop("spread")
        for end, miss in (("", 1 - _CONFIDENCE), ("_all", (1 - _CONFIDENCE) / len(rows))):
            half = float(t.ppf(1 - miss / 2, row["seeds"] - 1)) * spread
            row |= {f"low{end}": row["difference"] - half, f"high{end}": row["difference"] + half}
    return pd.DataFrame(rows)


def network_objectives(networks: pd.DataFrame, /, *, data: str) -> tuple[pd.DataFrame, FiniteObjectives]:
    """Return methods, gates and budgets as points, and as a problem of which only the test error depends on data.

    One row per method or gate and budget: mean test error over seeds, inference parameters, training cost, labels, and
    ``on_front``.
    """
    check_choice("data", data, set(networks["data"]))
    columns = ["test_error", "inference_parameters", "training_cost", "labels"]
    rows = networks[networks["data"] == data]
    points = rows.groupby(["method", "labels"])[columns[:3]].mean().reset_index()
    objectives = FiniteObjectives(
        points[columns].to_numpy(np.float64), names=columns, data_dependent=[True, False, False, False]
    )
    points["on_front"] = nondominated(objectives.risks())
    points.insert(0, "data", data)
    return points, objectives


def certified_networks(
    networks: pd.DataFrame,
    wrong: Mapping[tuple[str, str, int, int], npt.NDArray[np.bool_]],
    /,
    *,
    data: str,
    delta: float = 0.05,
) -> CertifiedNetworks:
    """Certify the front of all methods, gates and budgets from the 0/1 losses on the test images, at `delta` each.

    The statement is about these networks on further images of the same kind, not about other seeds.
    """
    import pandas as pd

    check_choice("data", data, set(networks["data"]))
    check_fraction("delta", delta)
    rows = networks[networks["data"] == data]
    seeds = sorted(set(rows["seed"]))
    models = [
        (str(method), int(labels)) for labels, method in sorted(set(zip(rows["labels"], rows["method"], strict=True)))
    ]
    one = rows[rows["seed"] == seeds[0]].set_index(["method", "labels"], drop=False)
    losses = {
        seed: np.stack([wrong[data, method, labels, seed] for method, labels in models], axis=1) for seed in seeds
    }
    averages: FloatArray = np.mean([losses[seed] for seed in seeds], axis=0)
    statuses: list[dict[str, Any]] = []
    duels: list[dict[str, Any]] = []
    names = [f"{method}, {labels}" for method, labels in models]
    first = None
    for kind, columns in _COSTS.items():
        costs = pd.DataFrame({column: [float(one.loc[model, column]) for model in models] for column in columns})
        for seed, table in (*losses.items(), (-1, averages)):
            found = certify(
                table[:, :, None].astype(np.float64),
                costs=costs,
                names=names,
                objectives=["test_error"],
                delta=delta,
                # Nothing is read from the boxes of the average network.
                method="paired" if seed < 0 else "auto",
            )
            first = found if first is None else first
            about = {"data": data, "costs": kind, "seed": seed}
            for h, (method, labels) in enumerate(models):
                statuses.append({**about, "method": method, "labels": labels, "status": found.status[h]})
                if method != "plain":
                    rival = models.index(("plain", labels))
                    ends = {
                        "dominates": bool(found.dominates[h, rival]),
                        "is_dominated": bool(found.dominates[rival, h]),
                    }
                    duels.append({**about, "method": method, "labels": labels, **ends})
    if first is None:
        raise InvalidInputError("`networks` must hold at least one seed, got none.")
    further = first.plan()
    further.insert(0, "data", data)
    return CertifiedNetworks(first, pd.DataFrame(statuses), pd.DataFrame(duels), further)


def gate_path(sweep: pd.DataFrame, /) -> pd.DataFrame:
    """Return the sweep of the gate g as a path of a problem with two tasks, the losses of refiner and plain head.

    The trunk follows grad CE_refiner + g grad CE_plain, the gradient of a weighted sum with weights (1, g) / (1 + g);
    each head has its own weights and follows its own loss, so for g > 0 the stationary points of training are those of
    that weighted sum. One row per gate, means over seeds: ``weight_plain`` (g / (1 + g)), test errors, test and
    training losses of both heads; ``on_front`` in the two test losses; ``own_minimum``, whether of the gates trained
    this one has the smallest weighted sum of training losses at its own weights.
    """
    path = sweep.drop(columns=["data", "seed"], errors="ignore").groupby("gate").mean().reset_index()
    gates = path["gate"].to_numpy(np.float64)
    path.insert(1, "weight_plain", gates / (1 + gates))
    path["on_front"] = nondominated(path[["loss_refiner", "loss_plain"]].to_numpy())
    objectives = FiniteObjectives(
        path[["train_loss_refiner", "train_loss_plain"]].to_numpy(), names=["refiner", "plain"]
    )
    solved = solve_front(objectives, scalarizations=[WeightedSum([1 / (1 + g), g / (1 + g)]) for g in gates])
    path["own_minimum"] = np.asarray(solved.solutions).reshape(-1).astype(int) == np.arange(len(gates))
    return path
