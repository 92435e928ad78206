"""The findings: short sentences with numbers taken from the result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text
from moltheory._core._text import joined, plural, span
from moltheory.studies.fully_connected._claims import apart_text, parameters_text, points_text, records, size_text
from moltheory.studies.fully_connected._comparison import MOST_APART
from moltheory.studies.fully_connected._training import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.fully_connected._result import FullyConnectedResult

__all__ = ["caption", "findings"]

# A network fits its images if it is right on at least this share of them.
_FITTED = 0.95
# Names in one sentence.
_NAMED = 5


def caption(result: FullyConnectedResult) -> str:
    """Return what to see, in 60 words at most."""
    rows, plan = result.differences, result.plan
    known = rows[rows["compared"]]
    better, worse = int((known["high"] < 0).sum()), int((known["low"] > 0).sum())
    found = [result.certified[data].statuses.query("costs == 'to use' and seed >= 0")["status"] for data in result.data]
    counts = {name: sum(int((one == name).sum()) for one in found) for name in ("sure", "excluded")}
    return (
        f"{len(result.trained.networks)} networks at {plan.labels[0]} to {plan.labels[-1]} labels on {joined(result.data)}. "
        f"Of {len(known)} differences to plain, {better} are below zero with 95% confidence and {worse} above. In error, "
        f"size and labels, {counts['sure']} of {sum(map(len, found))} networks are certainly on the front, "
        f"{counts['excluded']} certainly not."
    )


def findings(result: FullyConnectedResult) -> tuple[str, ...]:
    """Return the findings: signs as they are, intervals over seeds, certificates over test images."""
    return (
        *_setting(result),
        *_fit(result),
        *(text for data in result.data for text in _differences(result, data)),
        _paper(),
        *_trunks(result),
        *_front(result),
        *(text for data in result.data for text in _certificate(result, data)),
        *_path(result),
        *_active(result),
    )


def _setting(result: FullyConnectedResult) -> tuple[str, ...]:
    plan = result.plan
    usual = replace(plan.recipe, epochs=1, batch=1) == Recipe(epochs=1, batch=1)
    recipe = "The paper's rate .1, momentum .9, weight decay and drop" if usual else "A recipe of its own"
    augmented = "crops (and mirror images of photographs)" if plan.augment else "no augmentation"
    return (
        f"{len(result.trained.networks)} networks on {joined(result.data)}: {plan.seeds} seeds, "
        f"{joined(plan.labels)} labels, main trunk of {size_text(result)} parameters.",
        f"{recipe}; {plan.recipe.epochs} epochs of batches of {plan.recipe.batch} (200 and 100 in the paper), with "
        f"{augmented}.",
    )


def _fit(result: FullyConnectedResult) -> tuple[str, ...]:
    networks = result.trained.networks
    own = networks[networks["data"] == result.data[-1]]
    own = own[own["method"].isin(["plain", "refiner", "OJKD", "no gate"])]
    means = own.groupby("method")["train_accuracy"].mean()
    parts = joined(
        [f"{method} {means[method]:.1%}" for method in ("plain", "no gate", "refiner", "OJKD") if method in means]
    )
    fitted = float((own["train_accuracy"] >= _FITTED).mean())
    rows = result.differences
    left = int((~rows["compared"]).sum())
    return (
        f"Mean training accuracies on {result.data[-1]}: {parts}; {fitted:.0%} of these networks reach {_FITTED:.0%}.",
        f"Methods are compared where training accuracies of every pair differ by at most {MOST_APART:.0%}: "
        f"{len(rows) - left} of {len(rows)} comparisons, {left} left out.",
    )


def _differences(result: FullyConnectedResult, data: str) -> list[str]:
    rows = result.differences[result.differences["data"] == data]
    found = []
    for method, part in rows.groupby("method", sort=False):
        known = part[part["compared"]].sort_values("labels")
        found += [
            f"{data}, {method} at {count_text(row['labels'])} labels: not compared, {apart_text(row)}."
            for row in records(part[~part["compared"]].sort_values("labels"))
        ]
        if len(known):
            values = joined(
                [
                    f"{points_text(r['difference'], r['low'], r['high'])} at {count_text(r['labels'])}"
                    for r in records(known)
                ],
                last="; ",
            )
            found.append(f"{data}, {method}: test error {values} labels, in points against plain (95 % over seeds).")
    return found


def _paper() -> str:
    return (
        "The paper: ResNet18 on CIFAR-10, accuracy 46.18 to 53.70 % at 1,000 labels, 60.36 to 70.46 % at 2,000, "
        "87.31 to 87.20 % at 10,000."
    )


def _trunks(result: FullyConnectedResult) -> tuple[str, ...]:
    rows = result.trunks
    if len(rows) < 2:
        return ()
    parts = [
        f"{points_text(row['difference'], row['low'], row['high'])} with {parameters_text(row['inference_parameters'])}"
        if row["compared"]
        else f"not compared with {parameters_text(row['inference_parameters'])}"
        for row in records(rows)
    ]
    known = rows[rows["compared"]]
    text = (
        f"OJKD by size of the trunk, {count_text(result.plan.labels[0])} labels: {joined(parts, last='; ')} parameters."
    )
    if len(known) < 2:
        return (text,)
    first, last = known.iloc[0], known.iloc[-1]
    grows = last["difference"] < first["difference"]
    apart = last["high"] < first["low"] or first["high"] < last["low"]
    return (
        text,
        f"OJKD does {'better' if grows else 'no better'} against plain with the largest of these trunks than with the "
        f"smallest"
        f"{'' if apart else ', within the spread of the seeds'}.",
    )


def _front(result: FullyConnectedResult) -> tuple[str, ...]:
    points = result.points
    on = points[points["on_front"]]
    return (
        f"In mean test error, inference parameters, training cost and labels {len(on)} of {len(points)} points are "
        f"non-dominated.",
        f"Training OJKD costs {_cost_ratio(points):.3f} times the multiply-adds of plain: with training cost as an "
        f"objective it cannot dominate plain, without it can.",
    )


def _cost_ratio(points: pd.DataFrame) -> float:
    table = points.pivot_table(index=["data", "labels"], columns="method", values="training_cost")
    return float((table["OJKD"] / table["plain"]).max())


def _certificate(result: FullyConnectedResult, data: str) -> tuple[str, ...]:
    found = result.certified[data]
    use = found.statuses[found.statuses["costs"] == "to use"]
    seeds = use[use["seed"] >= 0]
    shares = {status: int((seeds["status"] == status).sum()) for status in ("sure", "excluded", "undecided")}
    duels = found.duels[(found.duels["costs"] == "to use") & (found.duels["method"] == "OJKD")]
    each, mean = duels[duels["seed"] >= 0], duels[duels["seed"] < 0]
    pairs = (
        f"{data}: OJKD certainly dominates plain in {int(each['dominates'].sum())} of {len(each)} pairs (is dominated in "
        f"{int(each['is_dominated'].sum())}), on average over seeds at {int(mean['dominates'].sum())} of "
        f"{plural(len(mean), 'budget')}."
    )
    return (
        f"{data}, {count_text(found.first.n_examples)} test images, error, parameters and labels: of {len(seeds)} networks "
        f"{shares['sure']} certainly on the front, {shares['excluded']} certainly not, {shares['undecided']} undecided "
        f"({1 - found.first.delta:.0%} per seed).",
        _surely(seeds, data),
        pairs,
        *_further(found.further),
    )


def _surely(seeds: pd.DataFrame, data: str) -> str:
    """Which networks are certainly on the front in every seed."""
    every = seeds.assign(sure=seeds["status"] == "sure").groupby(["labels", "method"])["sure"].all()
    names = [f"{row['method']} at {count_text(row['labels'])}" for row in records(every.reset_index()) if row["sure"]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    text = (joined(names[:_NAMED]) if not more else ", ".join(names[:_NAMED])) if names else "none"
    return f"{data}, certainly on the front in every seed: {text}{more} of {len(every)}."


def _further(further: pd.DataFrame) -> tuple[str, ...]:
    needed = further["sufficient_additional"] if len(further) else np.empty(0)
    finite = needed[np.isfinite(needed)]
    if not len(finite):
        return ()
    return (
        f"{span(finite.min(), finite.max(), ',.0f')} further test images decide {len(finite)} of the {len(further)} "
        f"undecided ones of seed 0, if observed rates are true (probability 0.8 each).",
    )


def _path(result: FullyConnectedResult) -> tuple[str, ...]:
    path = result.path
    if len(path) < 2:
        return ()
    first, last = path.iloc[0], path.iloc[-1]
    ones = joined([f"{gate:g}" for gate in path[path["on_front"]]["gate"]])
    return (
        f"The gate from 0 to 1 at {count_text(result.plan.sweep_labels)} labels: test loss of the refiner "
        f"{first['loss_refiner']:.3f} to {last['loss_refiner']:.3f}, of the plain head {first['loss_plain']:.3f} to "
        f"{last['loss_plain']:.3f} nats.",
        f"Non-dominated in both losses: g = {ones}; {int(path['own_minimum'].sum())} of {len(path)} gates minimize the "
        f"weighted sum of training losses at their own weights.",
    )


def _active(result: FullyConnectedResult) -> list[str]:
    rows = result.trained.active
    if rows.empty:
        return ["Active learning was not run."]
    most = rows["labels"].max()
    last = rows[rows["labels"] == most]
    found = []
    for method, part in last.groupby("method", sort=False):
        means = part.groupby("query", sort=False)["test_error"].mean().sort_values()
        text = joined([f"{query} {error:.1%}" for query, error in means.items()])
        found.append(f"Active learning, {method}, mean errors at {count_text(most)} labels: {text}.")
    for row in records(result.queries):
        how = (
            f"{points_text(row['difference'], row['low'], row['high'])} points against plain"
            if row["compared"]
            else f"not compared, {apart_text(row)}"
        )
        found.append(f"Active learning with {row['query']} queries, OJKD: {how}.")
    return found
