"""The trained networks as points: which are on the front, what weights return them, and which are certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification import certify
from moltheory.errors import InvalidInputError
from moltheory.objectives import FiniteObjectives
from moltheory.pareto import hypervolume, nondominated
from moltheory.scalarization import WeightedSum
from moltheory.solvers import solve_front
from moltheory.studies.weight_decay._experiment import MOMENTUM
from moltheory.studies.weight_decay._model import momentum_rate
from moltheory.studies.weight_decay._result import main_sweep

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.certification import Certificate
    from moltheory.studies.weight_decay._result import DecaySweep

__all__ = [
    "DELTA",
    "INDEPENDENT",
    "balance_rates",
    "certified_front",
    "five_objectives",
    "networks_by_setting",
    "own_weights",
    "rank_correlation",
    "rank_correlations",
]

DELTA = 0.05
# Class means with a larger condition number count as linearly dependent: a direction of the classes is lost.
INDEPENDENT = 1e6
# Further down, batches and finite steps keep imbalance up: that is no decay to measure.
_LOWEST = 0.1
_NAMES = ("fit", "norm", "imbalance", "nc1", "test_error")


def five_objectives(networks: pd.DataFrame, /) -> tuple[FiniteObjectives, npt.NDArray[np.intp]]:
    """Return fit, norm, imbalance, NC1 and test error of the networks that have two linear layers, and their rows.

    Only the test error is estimated from data that stand for more than themselves.
    """
    members = np.flatnonzero(networks["linear"] > 1)
    if not len(members):
        raise InvalidInputError("`networks` must hold one with at least two linear layers, got none.")
    table = networks.iloc[members][list(_NAMES)].to_numpy(dtype=np.float64)
    return FiniteObjectives(table, names=_NAMES, data_dependent=[False] * 4 + [True]), members


def networks_by_setting(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Return one row per number of linear layers and decay: medians over seeds, and how many are on fronts.

    ``front_five`` counts those non-dominated in the five objectives (0 where the imbalance is not defined),
    ``front_four`` those without the imbalance.
    """
    import pandas as pd

    objectives, members = five_objectives(networks)
    table = networks.drop(columns=["main", "rates", "firsts", "relus"], errors="ignore")
    five = np.zeros(len(table), dtype=np.int64)
    five[members] = nondominated(objectives.risks())
    table["front_five"] = five
    table["front_four"] = nondominated(_without_imbalance(networks)).astype(np.int64)
    keys = ["linear", "decay"]
    counts = table.groupby(keys)[["front_five", "front_four"]].sum()
    medians = table.groupby(keys).median(numeric_only=True).drop(columns=["front_five", "front_four", "seed"])
    sizes = table.groupby(keys).size().rename("networks")
    # Hypervolume in fit and norm, in shares of the box up to the worst network.
    points = table[["fit", "norm"]].to_numpy()
    worst = points.max(axis=0)
    volumes = {
        key: hypervolume(table.loc[rows, ["fit", "norm"]].to_numpy() / worst, reference=(1.0, 1.0))
        for key, rows in table.groupby(keys).groups.items()
    }
    found: pd.DataFrame = medians.assign(networks=sizes, **counts, volume=pd.Series(volumes)).reset_index()
    return found


def own_weights(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Test whether every network minimises the weighted sum it was trained for among those it competes with.

    Training at decay d minimises fit + d norm. Competitors are the networks of the same seed, so of the same training
    set: those with as many linear layers, trained at the other decays; and all. One row per network: ``linear``,
    ``decay``, ``seed``, ``returned`` (whether its weighted sum returns it among networks of its depth),
    ``decay_returned`` (at which decay the one returned was trained) and ``depth_returned`` (linear layers of the one
    returned among all).
    """
    import pandas as pd

    decays = np.sort(networks["decay"].unique())
    sums = [WeightedSum([1.0, decay]) for decay in decays]
    rows: list[dict[str, object]] = []
    for seed, part in networks.groupby("seed"):
        overall = part["linear"].to_numpy()[_returned(part, sums)]
        deepest = dict(zip(decays, overall, strict=True))
        for linear, own in part.groupby("linear"):
            best = own["decay"].to_numpy()[_returned(own, sums)]
            rows.extend(
                {
                    "linear": linear,
                    "decay": decay,
                    "seed": seed,
                    "returned": bool(found == decay),
                    "decay_returned": float(found),
                    "depth_returned": int(deepest[decay]),
                }
                for decay, found in zip(decays, best, strict=True)
            )
    return pd.DataFrame(rows)


def certified_front(sweep: DecaySweep, /) -> tuple[Certificate, Certificate]:
    """Return what the test set proves about the fronts of the networks, at a total failure probability of .05 each.

    First in test error and norm, of all networks of the main sweep; then in the five objectives, of those with two
    linear layers or more, where all but the test error are known costs. The test images were seen in no training, so
    the networks are fixed models and their test losses a fresh sample.
    """
    networks = main_sweep(sweep.networks)
    _, members = five_objectives(networks)
    names = [f"L2={n.linear} decay={n.decay:g} seed={n.seed}" for n in networks.itertuples()]
    losses = sweep.test_losses[:, networks.index, None]
    two = certify(losses, delta=DELTA, objectives=["test_error"], names=names, costs=networks[["norm"]].to_numpy())
    costs = networks.iloc[members][list(_NAMES[:-1])].to_numpy()
    chosen = [names[i] for i in members]
    five = certify(losses[:, members], delta=DELTA, objectives=["test_error"], names=chosen, costs=costs)
    return two, five


def rank_correlation(x: npt.ArrayLike, y: npt.ArrayLike, /) -> float:
    """Return Spearman's correlation over the entries where both columns are numbers; NaN where a column does not vary."""
    from scipy.stats import spearmanr

    table = np.asarray([x, y], dtype=np.float64)
    table = table[:, ~np.isnan(table).any(axis=0)]
    if table.shape[1] < 2 or np.ptp(table, axis=1).min() == 0:
        return float("nan")
    return float(spearmanr(*table).statistic)


def rank_correlations(networks: pd.DataFrame, /) -> pd.DataFrame:
    """Return Spearman's correlation of the number of linear layers with NC1, NC2 and NC3, one row per decay.

    ``kept`` is how many networks have linearly independent class means (NC2 below 1e6), and ``nc2_kept`` the
    correlation over those. NaN where a measure does not vary.
    """
    import pandas as pd

    names = ["nc1", "nc2", "nc3"]
    rows: list[dict[str, float]] = []
    for decay, part in networks.groupby("decay"):
        kept = part[part["nc2"] < INDEPENDENT]
        found = {name: rank_correlation(part["linear"], part[name]) for name in names}
        found["nc2_kept"] = rank_correlation(kept["linear"], kept["nc2"])
        rows.append({"decay": float(str(decay)), "networks": len(part), "kept": len(kept), **found})
    return pd.DataFrame(rows)


def balance_rates(iterates: pd.DataFrame, /) -> pd.DataFrame:
    """Return how fast the imbalance of linear layers decays, as a multiple of 2 times weight decay.

    One row per network with L_2 >= 2: ``ratio``, the slope of the log of the imbalance (operator norm, largest over
    pairs) in training time over -2 decay, by least squares over logged iterates after the start until it falls to a
    tenth (NaN with fewer than three of them); ``momentum``, see `momentum_rate`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for _, part in iterates[iterates["linear"] > 1].groupby("network"):
        first = part.iloc[0]
        time, gap = part["time"].to_numpy(), part["gap"].to_numpy()
        used = np.logical_and.accumulate(gap > _LOWEST * gap[0]) & (time > 0)  # False for NaN, as of a lost network.
        slope = np.polyfit(time[used], np.log(gap[used]), 1)[0] if used.sum() >= 3 else np.nan
        expected = momentum_rate(float(first["rate"]), MOMENTUM, decay=float(first["decay"]))
        row = {name: first[name] for name in ("linear", "decay", "rate", "first", "seed")}
        rows.append({**row, "ratio": float(slope / (-2.0 * first["decay"])), "momentum": expected})
    return pd.DataFrame(rows)


def _without_imbalance(networks: pd.DataFrame) -> FloatArray:
    return networks[[name for name in _NAMES if name != "imbalance"]].to_numpy(dtype=np.float64)


def _returned(part: pd.DataFrame, sums: list[WeightedSum]) -> npt.NDArray[np.intp]:
    objectives = FiniteObjectives(part[["fit", "norm"]].to_numpy(), names=("fit", "norm"), data_dependent=[False] * 2)
    return np.asarray(solve_front(objectives, scalarizations=sums).solutions, dtype=np.intp)
