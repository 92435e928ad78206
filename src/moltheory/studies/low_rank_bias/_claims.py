"""The claims of the paper's abstract, each with its check and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text
from moltheory.studies._claims import AGREES, DIFFERS, Claim
from moltheory.studies._over_seeds import mean_text, median_text, share_text
from moltheory.studies.low_rank_bias._experiment import DEPTH, FACTOR, MARGIN, N_CLASSES, PER_CLASS, RATE, WIDTH

if TYPE_CHECKING:
    import pandas as pd

    from moltheory._core._validation import FloatArray
    from moltheory.studies.low_rank_bias._result import LowRankResult

__all__ = ["claims", "falling_ranks", "lower_everywhere", "open_classes"]

_SHARE_BELOW = 0.8
_SHARE_FALLING = 0.9


def claims(result: LowRankResult) -> tuple[Claim, ...]:
    """Return the four claims of the abstract; all are tested."""
    return _optimality(result), _low_rank(result), _descent(result), _images(result)


def lower_everywhere(result: LowRankResult) -> bool:
    """Return whether a network written down is cheaper than collapse for all K >= 3 with L >= 4, and for some K at L = 3."""
    table = result.reach[result.reach["n_classes"] >= 3]
    deep, three = table[table["depth"] >= 4], table[table["depth"] == 3]
    return bool(deep["below"].all() and three["below"].any())


def open_classes(result: LowRankResult) -> list[int]:
    """Return the numbers of classes from 3 for which nothing written down is cheaper at three layers."""
    table = result.reach
    rows = table[(table["n_classes"] >= 3) & (table["depth"] == 3) & ~table["below"]]
    return sorted(rows["n_classes"].tolist())


def falling_ranks(images: pd.DataFrame) -> tuple[float, float, FloatArray]:
    """Return the smallest decay, the largest one that leaves every network fitted, and how far the rank falls, by seed."""
    fitted = images.groupby("decay")["fitted"].all()
    low, high = float(images["decay"].min()), float(fitted[fitted].index.max() if fitted.any() else np.nan)
    ranks = images.pivot(index="seed", columns="decay", values="rank")
    falls = ranks[low] - ranks[high] if high > low else 0 * ranks[low]
    return low, high, falls.to_numpy(dtype=np.float64)


def _optimality(result: LowRankResult) -> Claim:
    table = result.reach
    classes, depths = table["n_classes"], table["depth"]
    deep = table[(classes >= 3) & (depths >= 4)]
    three = table[(depths == 3) & table["below"]]["n_classes"]
    at_three = f"at L = 3 for K = {', '.join(map(str, three))}" if len(three) else "at L = 3 for no K"
    left = open_classes(result)
    search = result.search[(result.search["depth"] == 3) & result.search["n_classes"].isin(left)]
    return Claim(
        "Beyond two layers or two classes, deep neural collapse stops being optimal for the deep unconstrained features "
        "model.",
        "abstract",
        "exact value",
        f"Networks written down for K = {classes.min()} to {classes.max()} classes and L = {depths.min()} to "
        f"{depths.max()} layers. Agrees if some network costs less than collapse (ρ < 1) for all K ≥ 3 with L ≥ 4 and "
        "some K at L = 3.",
        f"ρ < 1 in {int(deep['below'].sum())} of {len(deep)} cases with K ≥ 3 and L ≥ 4 (at most "
        f"{deep['rho'].max():.3f}), and {at_three}.",
        AGREES if lower_everywhere(result) else DIFFERS,
        f"Open here: L = 3 with K = {left[0]} to {left[-1]}; of {int(search['starts'].sum())} starts there, "
        f"{int(search['below'].sum())} end below collapse."
        if left and len(search)
        else "",
    )


def _low_rank(result: LowRankResult) -> Claim:
    optima = result.optima.set_index("network")
    collapse, graph, triangles = (optima.loc[name] for name in ("collapse", "graph", "triangles"))
    trials = result.main
    best = trials.iloc[int(np.argmin(trials["loss"].to_numpy()))]
    written = all(one["rho"] < 1 and one["rank"] < collapse["rank"] for one in (graph, triangles))
    trained = best["gain"] > MARGIN and best["rank"] < collapse["rank"]
    return Claim(
        "The culprit is a low-rank bias of multi-layer regularization: it leads to optimal solutions of even lower rank "
        "than neural collapse.",
        "abstract",
        "exact value",
        f"K = {N_CLASSES}, L = {DEPTH}: tensors of two networks and the lowest loss from random starts. Agrees if all "
        "three are below collapse with features of lower rank.",
        f"Squared norms at equal fit: {graph['rho']:.3f} (graph) and {triangles['rho']:.3f} (triangles, derived; "
        "proof: study-cheaper-networks) of "
        f"collapse, rank {graph['rank']:.0f} and {triangles['rank']:.0f} of {collapse['rank']:.0f}. Lowest trained loss: "
        f"{best['loss'] / best['collapse']:.3f} of collapse, rank {best['rank']:.0f}.",
        AGREES if written and trained else DIFFERS,
        "The optimum itself is not known; all cheaper networks found have lower rank."
        if written and trained
        else "The budget of training may be too small; the global optimum is not known.",
    )


def _descent(result: LowRankResult) -> Claim:
    rows = result.headline
    below = rows[(rows["end"] == "below") & (rows["rank"] < N_CLASSES)]
    agrees = len(below) >= _SHARE_BELOW * len(rows)
    ranks = f", features of rank {median_text(below['rank'])}" if len(below) > 1 else ""
    return Claim(
        "Experiments on the deep unconstrained features model show the emergence of low-rank structure in the solution "
        "found by gradient descent.",
        "abstract",
        "experiment",
        f"Figure 2's K = {N_CLASSES}, L = {DEPTH}, width {WIDTH}, λ = {FACTOR:g}, steps of {RATE:g}; {PER_CLASS} per class, "
        f"{len(rows)} seeds. Agrees if at least 8 in 10 end below collapse with features of rank below {N_CLASSES}.",
        f"{share_text(len(below), len(rows))} below collapse{ranks}; NC1 at most {number_text(rows['nc1'].max(), 2)}.",
        AGREES if agrees else DIFFERS,
        "" if agrees else "Too few steps, or starts that lead to collapse, a local optimum.",
    )


def _images(result: LowRankResult) -> Claim:
    images = result.images
    low, high, falls = falling_ranks(images)
    fitted = images[images["fitted"]]
    falling = int(fitted["nc1_falls"].sum())
    agrees = bool((falls > 0).all() and len(fitted) and falling >= _SHARE_FALLING * len(fitted))
    name, seeds = images["data"].iloc[0], images["seed"].nunique()
    return Claim(
        "Experiments on real data show the emergence of low-rank structure in the solution found by gradient descent.",
        "abstract",
        "experiment",
        f"Dense networks on {name}, {images['decay'].nunique()} decays, {seeds} seeds. Agrees if the rank of mid-layer "
        "class means falls with decay in every seed, and NC1 falls by layer in 9 of 10 fitted networks.",
        f"From decay {low:g} to {high:g} the rank falls by {_over_seeds(falls)}; NC1 falls at every layer in "
        + (f"{share_text(falling, len(fitted))}." if len(fitted) else "no network: none is fitted."),
        AGREES if agrees else DIFFERS,
        "" if agrees else "Small dense networks and few steps; the paper trains a ResNet20 with a dense head.",
    )


def _over_seeds(values: FloatArray) -> str:
    """Several seeds with an interval; where all agree there is none to give."""
    if len(values) > 1 and np.ptp(values) > 0:
        return mean_text(values)
    return f"{values[0]:g} in {'each of ' if len(values) > 1 else ''}{len(values)} seed{'s' if len(values) > 1 else ''}"
