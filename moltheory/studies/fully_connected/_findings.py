"""The findings: sentences with numbers taken from the result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._text import joined, span
from moltheory.studies.fully_connected._training import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.fully_connected._result import FullyConnectedResult

__all__ = ["caption", "findings"]

# OJKD fits its images less well if its training loss is more than this multiple of the plain network's.
_SLOW = 2.0
# Training loss in nats above which the plain network has not fitted its labelled images; log 10 is chance.
_UNFITTED = 0.5

_PAPER = (
    "The paper reports for CIFAR-10 and ResNet18 accuracies of 53.70 % with the refiner against 46.18 % at 1000 "
    "labels, 70.46 % against 60.36 % at 2000, 82.27 % against 80.23 % at 5000 and 87.20 % against 87.31 % at 10,000"
)


def caption(result: FullyConnectedResult) -> str:
    """Return what to see, in 60 words at most."""
    rows, plan = result.differences, result.plan
    better, worse = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
    found = [result.certified[data].statuses.query("costs == 'to use' and seed >= 0")["status"] for data in result.data]
    counts = {name: sum(int((one == name).sum()) for one in found) for name in ("sure", "excluded")}
    return (
        f"{len(result.trained.networks)} networks at {plan.labels[0]} to {plan.labels[-1]} labels on {joined(result.data)}. "
        f"Against the plain network of the same seed, {better} of {len(rows)} differences in test error are below zero with "
        f"95% confidence and {worse} above. In error, size and labels, {counts['sure']} of {sum(map(len, found))} networks "
        f"are certainly on the front, {counts['excluded']} certainly not."
    )


def findings(result: FullyConnectedResult) -> tuple[str, ...]:
    """Return the findings: signs as they are, intervals over seeds, certificates over test images."""
    return (
        _setting(result),
        *(_differences(result, data) for data in result.data),
        _against_paper(result),
        _fit(result),
        _front(result),
        *(_certificate(result, data) for data in result.data),
        _path(result),
        _active(result),
    )


def _setting(result: FullyConnectedResult) -> str:
    plan, networks = result.plan, result.trained.networks
    sizes = networks.groupby("method")["inference_parameters"].max()
    usual = replace(plan.recipe, epochs=1, batch=1) == Recipe(epochs=1, batch=1)
    how = "with the paper's rate, momentum and weight decay, not tuned," if usual else "with a recipe of their own"
    tuned = (
        "; how strong the clutter is was chosen on the plain network alone"
        if "cluttered digits" in plan.sources
        else ""
    )
    return (
        f"{len(networks)} networks at {', '.join(map(str, plan.labels))} labels and {plan.seeds} seeds, trained {how} for "
        f"{plan.recipe.epochs} epochs (200 in the paper): at test time OJKD is the plain network "
        f"({sizes['OJKD']} parameters, the same as plain's {sizes['plain']}), the refiner has {sizes['refiner']}{tuned}."
    )


def _differences(result: FullyConnectedResult, data: str) -> str:
    rows = result.differences[result.differences["data"] == data]
    parts = []
    for method, part in rows.groupby("method", sort=False):
        values = "; ".join(
            f"{_points(difference)} [{_points(low)}, {_points(high)}] at {labels:g}"
            for difference, low, high, labels in part[["difference", "low", "high", "labels"]].to_numpy().tolist()
        )
        parts.append(f"{method} {values}")
    worse, better = int((rows["low"] > 0).sum()), int((rows["high"] < 0).sum())
    joint = int(((rows["low_all"] > 0) | (rows["high_all"] < 0)).sum())
    return (
        f"On {data}, differences in test error from the plain network of the same seed, in percentage points, with "
        f"pointwise 95 % intervals over {int(rows['seeds'].min())} seeds (Student's t): {', '.join(parts)} labels. {better} "
        f"of {len(rows)} intervals are below zero (better than plain), {worse} above (worse); {joint} exclude zero with all "
        f"comparisons of the study taken together."
    )


def _against_paper(result: FullyConnectedResult) -> str:
    rows = result.differences[(result.differences["data"] == result.data[-1])]
    kinds, shown = [], []
    for method in ("refiner", "OJKD"):
        part = rows[rows["method"] == method].sort_values("labels")
        least = part.iloc[0]
        sign = "better" if least["high"] < 0 else "worse" if least["low"] > 0 else "not told apart from plain"
        falls = part["difference"].to_numpy()
        seen = len(falls) > 1 and sign == "better" and falls[0] == falls.min() and falls[0] < falls[-1]
        shown.append(bool(seen))
        kinds.append(f"{method} is {sign} at {least['labels']} labels")
    pattern = (
        "such a gain is seen for both"
        if all(shown)
        else f"such a gain is seen for {'refiner' if shown[0] else 'OJKD'} alone"
        if any(shown)
        else "such a gain is not seen"
    )
    return (
        f"{_PAPER}: a gain that is large with little data and vanishes with more. On {result.data[-1]} and a network of "
        f"{result.trained.networks['inference_parameters'].min()} parameters, {' and '.join(kinds)}: {pattern}."
    )


def _fit(result: FullyConnectedResult) -> str:
    networks = result.trained.networks
    rows = networks[networks["data"] == result.data[-1]]
    losses = rows.groupby("method")["train_loss"].mean()
    ends = ", ".join(f"{method} {losses[method]:.3f}" for method in ("plain", "no gate", "refiner", "OJKD"))
    slow = losses["OJKD"] > _SLOW * losses["plain"]
    meaning = (
        "after so few steps not even the plain network has fitted its labelled images, so the results do not show which "
        "method generalizes better"
        if losses["plain"] > _UNFITTED
        else "with its gate closed OJKD has fitted its labelled images less well after so few steps, so the comparison "
        "concerns speed of fitting as much as generalization; the paper trains for longer and on larger trunks"
        if slow
        else "the methods fitted their labelled images about equally well"
    )
    return f"Training losses in nats on {result.data[-1]}, means over budgets and seeds: {ends}; {meaning}."


def _front(result: FullyConnectedResult) -> str:
    points = result.points
    on = points[points["on_front"]]
    counts = ", ".join(f"{method} {n}" for method, n in on.groupby("method").size().items())
    ratio = _cost_ratio(points)
    return (
        f"In mean test error, inference parameters, training cost and labels {len(on)} of {len(points)} points are "
        f"non-dominated ({counts}). Training OJKD costs {ratio:.3f} times the multiply-adds of plain, so with the training "
        f"cost as an objective it cannot dominate plain at any error; without it, it can."
    )


def _cost_ratio(points: pd.DataFrame) -> float:
    table = points.pivot_table(index=["data", "labels"], columns="method", values="training_cost")
    return float((table["OJKD"] / table["plain"]).max())


def _certificate(result: FullyConnectedResult, data: str) -> str:
    found = result.certified[data]
    use = found.statuses[found.statuses["costs"] == "to use"]
    seeds = use[use["seed"] >= 0]
    shares = {status: int((seeds["status"] == status).sum()) for status in ("sure", "excluded", "undecided")}
    duels = found.duels[found.duels["costs"] == "to use"]
    each, mean = duels[duels["seed"] >= 0], duels[duels["seed"] < 0]
    parts = []
    for method in ("OJKD", "no gate"):
        one, average = each[each["method"] == method], mean[mean["method"] == method]
        counts = [int(table[column].sum()) for table in (one, average) for column in ("dominates", "is_dominated")]
        parts.append(
            f"{method} certainly dominates plain in {counts[0]} of {len(one)} pairs of one seed (is dominated in "
            f"{counts[1]}), and on average over seeds at {counts[2]} of {len(average)} budgets (dominated at {counts[3]})"
        )
    return (
        f"Certificates on {found.first.n_examples} test images of {data} (error, inference parameters, labels; confidence "
        f"{1 - found.first.delta:g} for each seed): of {len(seeds)} networks {shares['sure']} are on the front, "
        f"{shares['excluded']} are not, {shares['undecided']} are undecided; {'; '.join(parts)}. {_further(found.further)}"
    )


def _further(further: pd.DataFrame) -> str:
    if further.empty:
        return "No network of seed 0 is undecided."
    needed = further["sufficient_additional"]
    finite = needed[np.isfinite(needed)]
    none = (
        f"; for {len(further) - len(finite)} of them no gap to a rival is observed"
        if len(finite) < len(further)
        else ""
    )
    if finite.empty:
        return f"{len(further)} networks of seed 0 are undecided{none}, so no number of images can be planned."
    return (
        f"Of the {len(further)} undecided ones of seed 0, if the observed rates are the true ones, "
        f"{span(finite.min(), finite.max(), ',.0f')} further test images decide {len(finite)}, with probability 0.8 each "
        f"(a plan, not a guarantee){none}."
    )


def _path(result: FullyConnectedResult) -> str:
    path = result.path
    first, last = path.iloc[0], path.iloc[-1]
    ones = ", ".join(f"{gate:g}" for gate in path[path["on_front"]]["gate"])
    own = int(path["own_minimum"].sum())
    change = {
        name: f"{first[name]:.3f} to {last[name]:.3f}" if "loss" in name else f"{first[name]:.1%} to {last[name]:.1%}"
        for name in ("loss_refiner", "loss_plain", "error_refiner", "error_plain")
    }
    return (
        f"The gate as a path of two tasks, on {result.data[-1]} at {result.plan.sweep_labels} labels: from g = 0 to g = 1 "
        f"the test loss of the refiner changes from {change['loss_refiner']} nats and that of the plain head from "
        f"{change['loss_plain']} (errors {change['error_refiner']} and {change['error_plain']}). Non-dominated in both "
        f"test losses: g = {ones} of {len(path)} gates. Of the gates trained, {own} of {len(path)} have the smallest "
        f"weighted sum of training losses at their own weights (1, g)/(1 + g); under exact minimisation all would."
    )


def _active(result: FullyConnectedResult) -> str:
    rows = result.trained.active
    last = rows[rows["labels"] == rows["labels"].max()]
    parts = []
    for method, part in last.groupby("method", sort=False):
        table = part.pivot_table(index="seed", columns="query", values="test_error")
        gaps = (table["entropy"] - table["random"]).to_numpy()
        parts.append(
            f"{method} {_points(float(gaps.mean()))} points with entropy queries against random ones (better in "
            f"{int((gaps < 0).sum())} of {len(gaps)} seeds)"
        )
    return f"Active learning up to {int(rows['labels'].max())} labels on {result.data[-1]}: {', '.join(parts)}."


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
