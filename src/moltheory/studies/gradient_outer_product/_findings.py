"""The findings: short sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import joined
from moltheory.studies._over_seeds import mean_text, median_text
from moltheory.studies.gradient_outer_product._tables import DELTA, geometric_mean

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult

__all__ = ["caption", "findings"]


def caption(result: GradientOuterProductResult) -> str:
    """Return what to see, in 60 words at most."""
    ours, identity = (_of(result.ratios, "relu", matrix) for matrix in ("gradients", "identity"))
    errors = _of(result.models, "relu", "gradients").groupby("depth")["test_error"].mean()
    counts = result.fronts[["models", "sure", "excluded"]].sum().astype(int)
    return (
        f"{result.data}: with M, the outer product of gradients, NC1 (spread within classes over that between them) "
        f"goes from {number_text(geometric_mean(ours['first']), 2)} to {number_text(geometric_mean(ours['last']), 2)} in "
        f"{int(ours['layers'].iloc[0])} layers, with M = I to {number_text(geometric_mean(identity['last']), 2)}. "
        f"Test error: {percent_text(errors.iloc[0], 1)} to {percent_text(errors.iloc[-1], 1)}. "
        f"{counts['sure']} of {counts['models']} models are certainly on the front, {counts['excluded']} certainly not."
    )


def findings(result: GradientOuterProductResult) -> tuple[str, ...]:
    """Return the findings."""
    return (
        *_relu(result),
        _controls(result),
        *_bandwidths(result),
        *_errors(result),
        *_theory(result),
        *_networks(result),
        *_correlations(result),
        *_front(result),
    )


def _relu(result: GradientOuterProductResult) -> tuple[str, ...]:
    rows = _of(result.ratios, "relu", "gradients")
    layers, lowered, undone = (int(rows[name].sum()) for name in ("layers", "lowered", "undone"))
    last = _of(result.layers, "relu", "gradients").groupby("seed")["test_nc1_phi"].last()
    ranks = _of(result.models, "relu", "gradients").groupby("depth")["rank"].mean()
    return (
        f"ReLU features: train NC1 goes from {number_text(geometric_mean(rows['first']))} to {median_text(rows['last'])} "
        f"in {int(rows['layers'].iloc[0])} layers, test NC1 to {number_text(geometric_mean(last))}.",
        f"Per layer √M multiplies train NC1 by {mean_text(rows['matrix_ratio'])}; the random map by "
        f"{mean_text(rows['map_ratio'])}.",
        f"√M lowers NC1 in {lowered} of {layers} layers; the map raises it in {undone}. The rank goes from "
        f"{ranks.iloc[0]:.0f} to {ranks.iloc[-1]:.0f}.",
    )


def _controls(result: GradientOuterProductResult) -> str:
    parts, decayed, runs = [], 0, 0
    for feature_map, label in (("relu", "ReLU"), ("fourier", "Fourier")):
        ends = []
        for matrix in ("identity", "random"):
            rows = _of(result.ratios, feature_map, matrix)
            decayed, runs = decayed + int((rows["last"] < rows["first"]).sum()), runs + len(rows)
            ends.append(number_text(geometric_mean(rows["last"])))
        parts.append(f"{' and '.join(ends)} ({label})")
    verdict = f"{decayed} of {runs} control runs DO fall" if decayed else f"none of {runs} control runs falls"
    return f"With M = I and a random M of the same spectrum NC1 ends at {', '.join(parts)}: {verdict}."


def _bandwidths(result: GradientOuterProductResult) -> tuple[str, ...]:
    rows = _of(result.ratios, "fourier", "gradients")
    table = {float(str(b)): part for b, part in rows.groupby("bandwidth")}
    ends = {b: geometric_mean(part["last"]) / geometric_mean(part["first"]) for b, part in table.items()}
    failed = [f"{b:g}" for b, end in ends.items() if end >= 1.0]
    best = min(ends, key=lambda b: ends[b])
    lost = f"; it does not fall at {joined(failed)}" if failed else "; it falls at all of them"
    first = (
        f"Fourier features: NC1 falls most at bandwidth {best:g}, to {number_text(ends[best], 2)} of its start{lost}. "
        "The unit of the bandwidth is ours."
    )
    low = [b for b, part in table.items() if geometric_mean(part["matrix_ratio"]) < 0.5]
    undo = [f"{b:g}" for b in low if geometric_mean(table[b]["map_ratio"]) > 2.0]
    if not undo:
        return (first,)
    return (
        first,
        f"At bandwidth {joined(undo)}, √M more than halves NC1 per layer, but the map more than doubles it again.",
    )


def _errors(result: GradientOuterProductResult) -> tuple[str, ...]:
    ours, plain = (
        _of(result.models, "relu", matrix).pivot_table(index="depth", columns="seed", values="test_error")
        for matrix in ("gradients", "identity")
    )
    change = ours.iloc[-1] - ours.iloc[0]
    return (
        f"Test error with ReLU features: {percent_text(ours.iloc[0].mean(), 1)} without layers, "
        f"{percent_text(ours.iloc[-1].mean(), 1)} at depth {ours.index.max()} (change {mean_text(change)}).",
        f"With M = I, without collapse, it ends at {percent_text(plain.iloc[-1].mean(), 1)}: collapse and accuracy "
        "are different things.",
    )


def _theory(result: GradientOuterProductResult) -> tuple[str, ...]:
    table = result.linearized
    ratios = [one["tangent"].iloc[-1] / one["tangent"].iloc[-2] for _, one in table.groupby("seed")]
    gaps = result.sizes.groupby("dimension")["gap"].mean()
    real = _of(result.layers, "relu", "gradients")
    falls = [
        (one["nc1_mixed"].iloc[-1] / one["nc1_mixed"].iloc[0]) ** (1 / (len(one) - 1))
        for _, one in real.groupby("seed")
        if len(one) > 1
    ]
    beside = [
        f"Real layers multiply NC1 behind √M by {number_text(geometric_mean(falls))}, linear ones by "
        f"{number_text(float(table['limit'].iloc[0]) ** 2)} in the limit: collapsed examples are not nearly orthogonal, "
        "as those assume."
        for _ in falls[:1]
    ]
    held = int((table["tangent"] <= table["bound"] * (1.0 + 1e-9)).sum())
    return (
        f"Linearized recursion: the tangent's last factor is {number_text(float(np.mean(ratios)), 4)}, its limit "
        f"{number_text(float(table['limit'].iloc[0]), 4)}; the proven bound holds in {held} of {len(table)} layers.",
        f"Behind the random map the identity keeps NC1 at {number_text(_last(table, 'nc1_phi'), 2)}, however deep; "
        f"behind √M it is {number_text(_last(table, 'nc1'), 2)}.",
        *beside,
        "Real first layers come closer with the dimension: log NC1 differs by "
        f"{joined([f'{number_text(gap, 2)} at {d}' for d, gap in gaps.items()])}.",
    )


def _networks(result: GradientOuterProductResult) -> tuple[str, ...]:
    parts = []
    for gain, rows in result.shares.groupby("gain"):
        share = rows["share"].dropna()
        quoted = f"S Vᵀ has {mean_text(share)} of the drop" if len(share) > 1 else "there is no drop"
        parts.append(
            f"Networks from gain {gain:g}: NC1 goes from {number_text(geometric_mean(rows['first']))} to "
            f"{number_text(geometric_mean(rows['last']), 2)}; {quoted} of its logarithm."
        )
    hidden = result.networks[result.networks["nc1_x"].notna()]
    for gain, rows in hidden.groupby("gain"):
        by_layer = rows.groupby("layer")
        half = [number_text(geometric_mean(one["nc1_half"] / one["nc1_x"]), 2) for _, one in by_layer]
        relu = [number_text(geometric_mean(one["nc1_relu"] / one["nc1_half"]), 2) for _, one in by_layer]
        parts.append(f"By layer at gain {gain:g} S Vᵀ multiplies NC1 by {', '.join(half)}; ReLU by {', '.join(relu)}.")
    errors = [
        f"{percent_text(rows['train_error'].mean(), 1)} and {percent_text(rows['test_error'].mean(), 1)} at gain {gain:g}"
        for gain, rows in result.shares.groupby("gain")
    ]
    return (*parts, f"Their train and test errors are {joined(errors)}.")


def _correlations(result: GradientOuterProductResult) -> tuple[str, ...]:
    parts = []
    for gain, rows in result.shares.groupby("gain"):
        parts.append(
            f"WᵀW and √M at gain {gain:g}, mean over hidden layers: {mean_text(rows['correlation'])}, before training "
            f"{number_text(float(rows['start_correlation'].mean()))}."
        )
        parts.append(
            f"Off the diagonal: {mean_text(rows['off_diagonal'])}, before "
            f"{number_text(float(rows['start_off_diagonal'].mean()))}."
        )
    hidden = result.networks[result.networks["nc1_x"].notna()]
    small = hidden[np.asarray(hidden["gain"] == hidden["gain"].min())].groupby("layer")["correlation"].mean()
    return (*parts, f"By hidden layer at the smallest gain: {', '.join(number_text(v, 2) for v in small)}.")


def _front(result: GradientOuterProductResult) -> tuple[str, ...]:
    fronts = result.fronts
    names = [
        "models",
        "front",
        "supported",
        "front_3",
        "sure_of_front",
        "excluded_of_front",
        "sure",
        "excluded",
        "undecided",
    ]
    total = fronts[names].sum().astype(int)
    return (
        f"On the empirical fronts of train NC1, test NC1, error and rank are {total['front']} of {total['models']} models "
        f"({len(fronts)} seeds); weighted sums find {total['supported']}.",
        f"In error, train NC1 and rank {total['front_3']} are: {total['sure_of_front']} certainly at "
        f"{1 - DELTA:.0%} per seed, {total['excluded_of_front']} certainly not.",
        f"Of all models {total['sure']} are certain, {total['excluded']} excluded, {total['undecided']} undecided. Test "
        "NC1 is no mean over examples, so no certificate covers it.",
    )


def _last(table: pd.DataFrame, name: str) -> float:
    return float(table.groupby("seed")[name].last().mean())


def _of(table: pd.DataFrame, feature_map: str, matrix: str) -> pd.DataFrame:
    return table[np.asarray((table["feature_map"] == feature_map) & (table["matrix"] == matrix))]
