"""The claims of the paper's abstract, each by a rule that was fixed before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._numbers import count_text
from moltheory._core._text import joined, plural
from moltheory.studies._claims import AGREES, DIFFERS, NOT_TESTED, Claim
from moltheory.studies.fully_connected._comparison import MOST_APART

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.fully_connected._result import FullyConnectedResult

__all__ = ["PAPER_GAIN", "apart_text", "claims", "parameters_text", "points_text", "records", "size_text"]

PAPER_GAIN = (53.70 - 46.18) / 46.18
"""Relative gain in accuracy that the paper reports for ResNet18 at 1,000 labels of CIFAR-10: 16.3 %."""

_ABSTRACT = "abstract"
_RULE = "the 95 % interval over seeds of error minus plain's, at the smallest comparable budget"


def claims(result: FullyConnectedResult) -> tuple[Claim, ...]:
    """Return the five claims."""
    return (
        _gain(
            result,
            "refiner",
            "Augmenting a CNN with fully-connected layers has a massive impact with little data: it generalizes better.",
        ),
        _weights(result),
        _gain(result, "OJKD", "Online joint knowledge-distillation improves the generalization of the CNN itself."),
        _breadth(result),
        _relative(result),
    )


def points_text(difference: float, low: float, high: float) -> str:
    """A difference of errors in percentage points with its interval."""
    return f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]".replace("-", "−")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as dicts."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def size_text(result: FullyConnectedResult) -> str:
    """The trunk of the main comparison, such as "trunk of 1.2M parameters"."""
    networks = result.trained.networks
    own = networks[(networks["data"] == result.data[-1]) & (networks["method"] == "plain")]
    return parameters_text(int(own["inference_parameters"].iloc[0]))


def parameters_text(count: int) -> str:
    """Parameters in thousands or millions."""
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:.0f}k"


def _rows(result: FullyConnectedResult, method: str) -> pd.DataFrame:
    rows = result.differences
    return rows[(rows["data"] == result.data[-1]) & (rows["method"] == method)].sort_values("labels")


def _setting(result: FullyConnectedResult) -> str:
    return (
        f"{result.data[-1]}, {joined(result.plan.labels)} labels, {result.plan.seeds} seeds, trunk of {size_text(result)} "
        "parameters"
    )


def apart_text(row: dict[str, Any]) -> str:
    """Why the networks of a row are not compared."""
    return (
        f"training accuracy {row['train_accuracy']:.1%} against {row['baseline_train_accuracy']:.1%}, up to "
        f"{row['apart']:.1%} apart in a pair"
    )


def _apart(row: dict[str, Any]) -> str:
    return f"Not comparable: {apart_text(row)} at {count_text(row['labels'])} labels; {MOST_APART:.0%} is allowed."


def _why(result: FullyConnectedResult, row: dict[str, Any]) -> str:
    plan = result.plan
    side = "covers zero" if row["low"] <= 0 <= row["high"] else "is above zero"
    return (
        f"The interval {side}: not decided by {plan.seeds} seeds and a trunk of {size_text(result)} parameters at "
        f"{plan.recipe.epochs} epochs. The paper has ResNet18 (11.2M) and 200 epochs; `--large` runs that."
    )


def _gain(result: FullyConnectedResult, method: str, says: str) -> Claim:
    rows = records(_rows(result, method))
    known = [row for row in rows if row["compared"]]
    checked = f"{method} against plain; {_setting(result)}. Agrees if {_RULE}, is below zero."
    about: dict[str, Any] = {"says": says, "where": _ABSTRACT, "check": "experiment", "checked": checked}
    if not known:
        return Claim(**about, found="", verdict=NOT_TESTED, why=_apart(rows[0]))
    least = known[0]
    parts = [
        f"{points_text(row['difference'], row['low'], row['high'])} points at {count_text(row['labels'])}"
        if row["compared"]
        else f"not compared at {count_text(row['labels'])}"
        for row in rows
    ]
    agrees = bool(least["high"] < 0)
    return Claim(
        **about,
        found=f"{joined(parts, last='; ')} labels.",
        verdict=AGREES if agrees else DIFFERS,
        why="" if agrees else _why(result, least),
    )


def _weights(result: FullyConnectedResult) -> Claim:
    networks = result.trained.networks
    own = networks[networks["trunk"] == networks[networks["method"] == "plain"]["trunk"].iloc[0]]
    own = own[own["data"] == result.data[-1]]
    sizes = own.groupby("method")["inference_parameters"].first()
    table = networks.groupby(["data", "trunk", "method"])["inference_parameters"].first().reset_index()
    kinds = table["method"].str.split(" ").str[0]
    both = table.assign(kind=kinds).pivot_table(index=["data", "trunk"], columns="kind", values="inference_parameters")
    same = bool((both["OJKD"] == both["plain"]).all())
    return Claim(
        says="The extra layers are used in training only: no increase in the number of weights at test time.",
        where=_ABSTRACT,
        check="exact value",
        checked="Parameters of the networks used at test time, by trunk; tests show the same graph and outputs. Agrees if "
        "all counts are equal.",
        found=f"OJKD {count_text(sizes['OJKD'])}, plain {count_text(sizes['plain'])}; with the refiner "
        f"{count_text(sizes['refiner'])}; the same holds on {plural(len(both) - 1, 'other trunk')}."
        if same
        else f"OJKD {count_text(sizes['OJKD'])}, plain {count_text(sizes['plain'])}.",
        verdict=AGREES if same else DIFFERS,
        why="" if same else "A head was left in the network: a defect of this study.",
    )


def _breadth(result: FullyConnectedResult) -> Claim:
    trunks, queries = result.trunks, result.queries
    rows = [
        *((f"trunk {parameters_text(row['inference_parameters'])}", row) for row in records(trunks)),
        *((f"{row['query']} queries", row) for row in records(queries)),
    ]
    compared = [(name, row) for name, row in rows if row["compared"]]
    better = [name for name, row in compared if row["error"] < row["baseline_error"]]
    cases = f"{plural(len(trunks), 'trunk')} at {count_text(result.plan.labels[0])} labels"
    if len(queries):
        cases += f", active learning with {plural(len(queries), 'query', 'queries')}"
    else:
        cases += ", no active learning"
    checked = (
        f"OJKD against plain on {result.data[-1]}: {cases}. Agrees if OJKD's mean error is smaller in all comparable "
        "cases."
    )
    about: dict[str, Any] = {
        "says": "In supervised and active learning, for many backbones and data sets, networks with these layers "
        "outperform those without.",
        "where": _ABSTRACT,
        "check": "experiment",
        "checked": checked,
    }
    if not compared:
        return Claim(**about, found="", verdict=NOT_TESTED, why="Not comparable: no pair fits its images alike.")
    sure = sum(bool(row["high"] < 0) for _, row in compared)
    agrees = len(better) == len(compared)
    rest = [name for name, _ in compared if name not in better]
    return Claim(
        **about,
        found=f"OJKD's mean error is smaller in {len(better)} of {len(compared)} comparable cases ({len(rows)} in all), "
        f"with 95 % confidence in {sure}.",
        verdict=AGREES if agrees else DIFFERS,
        why=""
        if agrees
        else f"Not smaller: {joined(rest)}. Small trunks and {result.plan.seeds} seeds; one data set per run.",
    )


def _relative(result: FullyConnectedResult) -> Claim:
    rows = _rows(result, "OJKD")
    checked = (
        f"Relative gain in accuracy of OJKD over plain; {_setting(result)}. Agrees if at the budget of the largest gain the "
        "interval is above zero and reaches 16 %."
    )
    about: dict[str, Any] = {
        "says": "Up to 16 % relative improvement in accuracy without extra parameters at inference (ResNet18, 1,000 labels "
        "of CIFAR-10: 46.18 to 53.70).",
        "where": _ABSTRACT,
        "check": "experiment",
        "checked": checked,
    }
    known = rows[rows["compared"] & np.isfinite(rows["gain"])]
    if known.empty:
        return Claim(**about, found="", verdict=NOT_TESTED, why=_apart(records(rows)[0]))
    best = known.loc[known["gain"].idxmax()]
    agrees = bool(best["gain_low"] > 0 and best["gain_high"] >= 0.16)
    low, high = (f"{100 * best[name]:+.1f}".replace("-", "−") for name in ("gain_low", "gain_high"))
    gain = f"{100 * best['gain']:+.1f}".replace("-", "−")
    return Claim(
        **about,
        found=f"{gain} % [{low}, {high}] at {count_text(best['labels'])} labels.",
        verdict=AGREES if agrees else DIFFERS,
        why=""
        if agrees
        else f"A trunk of {size_text(result)} parameters at {result.plan.recipe.epochs} epochs; the paper has ResNet18 "
        "(11.2M) and 200 epochs. `--large` runs that.",
    )
