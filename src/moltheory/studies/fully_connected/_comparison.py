"""Comparisons of networks that fit alike: paired differences over seeds, certificates on test images, the gate's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from moltheory.studies._over_seeds import LEVEL
from moltheory.studies.fully_connected._model import METHODS
from moltheory.studies.fully_connected._result import CertifiedNetworks

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST_APART",
    "certified_networks",
    "gate_path",
    "network_objectives",
    "paired_differences",
    "trunk_differences",
]

MOST_APART = 0.05
"""Two methods are compared only if no pair of one seed differs by more than this in its training accuracy."""

_COSTS: Mapping[str, tuple[str, ...]] = {
    "to use": ("inference_parameters", "labels"),
    "to train and use": ("inference_parameters", "labels", "training_cost"),
}
"""Known costs beside the test error: those of using a network, and those of training it too."""


def paired_differences(
    networks: pd.DataFrame, /, *, baseline: str = "plain", by: Sequence[str] = ("data", "labels")
) -> pd.DataFrame:
    """Return the differences of test errors between each method and the baseline of the same seed, of two seeds or more.

    One row per group `by` and method: ``seeds``, ``error`` and ``baseline_error`` (means), ``train_accuracy`` and
    ``baseline_train_accuracy`` (means) and ``apart``, the largest difference of these in a pair. Where it is at most
    `MOST_APART`, ``compared`` is True, ``difference`` is the mean difference (negative: better than the baseline) and
    ``low`` and ``high`` its 95 % interval by Student's t over seeds; ``low_all`` and ``high_all`` are the same for all
    rows at once (Bonferroni), and ``gain``, ``gain_low`` and ``gain_high`` those of the accuracy relative to the
    baseline's. Networks that do not fit their training images alike are not compared: all of these are missing.
    """
    import pandas as pd

    check_choice("baseline", baseline, set(networks["method"]))
    tables = {
        name: networks.pivot_table(index=[*by, "seed"], columns="method", values=name, sort=False)
        for name in ("test_error", "train_accuracy")
    }
    errors, fits = tables["test_error"], tables["train_accuracy"]
    others = [method for method in METHODS if method in errors.columns and method != baseline]
    rows: list[dict[str, Any]] = []
    pairs: list[tuple[FloatArray, FloatArray]] = []
    for group, part in errors.groupby(level=list(by), sort=False):
        fit = fits.loc[part.index]
        for method in others:
            own, base = part[method].to_numpy(), part[baseline].to_numpy()
            if len(own) < 2 or np.isnan(own - base).any():
                raise InvalidInputError("`networks` must hold the same two or more seeds of every method, got others.")
            apart = float(np.abs(fit[method] - fit[baseline]).max())
            about = dict(zip(by, group if isinstance(group, tuple) else (group,), strict=True))
            rows.append(
                {
                    **about,
                    "method": method,
                    "seeds": len(own),
                    "error": float(own.mean()),
                    "baseline_error": float(base.mean()),
                    "train_accuracy": float(fit[method].mean()),
                    "baseline_train_accuracy": float(fit[baseline].mean()),
                    "apart": apart,
                    # Images are whole: a rounded share must not decide.
                    "compared": apart <= MOST_APART + 1e-9,
                }
            )
            pairs.append((own, base))
    n = sum(row["compared"] for row in rows)
    for row, (own, base) in zip(rows, pairs, strict=True):
        compared = row["compared"]
        gap = _interval(own - base, (LEVEL, 1 - (1 - LEVEL) / max(n, 1))) if compared else [np.nan] * 5
        row |= dict(zip(("difference", "low", "high", "low_all", "high_all"), gap, strict=True))
        # Accuracies of zero have no relative gain.
        gain = _interval((base - own) / (1 - base), (LEVEL,)) if compared and (base < 1).all() else [np.nan] * 3
        row |= dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))
    return pd.DataFrame(rows)


def _interval(values: FloatArray, levels: Sequence[float]) -> list[float]:
    """Mean, and for each level both ends of Student's interval."""
    from scipy.stats import t

    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    found = [mean]
    for level in levels:
        half = float(t.ppf((1 + level) / 2, len(values) - 1)) * error
        found += [mean - half, mean + half]
    return found


def trunk_differences(networks: pd.DataFrame, /, *, data: str, labels: int) -> pd.DataFrame:
    """Return the `paired_differences` of OJKD by trunk at one budget, with ``inference_parameters``, smallest first."""
    rows = networks[(networks["data"] == data) & (networks["labels"] == labels)]
    kinds = rows["method"].str.split(" ").str[0]
    named = [" ".join((kind, trunk)) for kind, trunk in zip(kinds, rows["trunk"], strict=True)]
    # The plan's own trunk has no suffix.
    own = (rows["method"] == kinds) | (rows["method"] == named)
    rows = rows[own].assign(method=kinds[own])
    rows = rows[rows["method"].isin(["plain", "OJKD"])]
    found = paired_differences(rows, by=("data", "trunk", "labels"))
    sizes = rows.groupby("trunk")["inference_parameters"].first()
    found.insert(2, "inference_parameters", [int(sizes[trunk]) for trunk in found["trunk"]])
    return found.sort_values("inference_parameters", ignore_index=True)


def network_objectives(networks: pd.DataFrame, /, *, data: str) -> tuple[pd.DataFrame, FiniteObjectives]:
    """Return methods, gates, trunks and budgets as points, and as a problem of which only the test error depends on data.

    One row per method and budget: mean test error over seeds, inference parameters, training cost, labels, and
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
    """Certify the front of all methods, gates, trunks and budgets from the 0/1 losses on test images, at `delta` each.

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
                rival = _plain_of(method, labels, models)
                if rival != h:
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


def _plain_of(method: str, labels: int, models: list[tuple[str, int]]) -> int:
    """Place of the plain network of the same trunk and budget."""
    own = f"plain {method.rsplit(' ', 1)[-1]}"
    return models.index((own if (own, labels) in models else "plain", labels))


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
