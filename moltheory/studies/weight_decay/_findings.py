"""What the study found, in sentences with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._text import joined, span
from moltheory.studies.weight_decay._model import cosine_floor
from moltheory.studies.weight_decay._points import DELTA, INDEPENDENT

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.weight_decay._result import WeightDecayResult

__all__ = ["caption", "findings"]

# What the study set out to see: Spearman's correlation of linear layers and NC2 at most this.
_EXPECTED = -0.9


def caption(result: WeightDecayResult) -> str:
    """Return what to see, in 60 words at most."""
    logged = result.sweep.iterates.query("linear > 1")
    ends = result.sweep.networks.query("linear > 1")
    ratio = (ends["bound"] / ends["nc1"])[np.isfinite(ends["bound"])]
    least = result.settings_table.groupby("linear")["nc1"].min()
    first, last = result.linear[0], result.linear[-1]
    times = f" and is {number_text(ratio.median(), 2)} times NC1 at the end" if len(ratio) else ""
    return (
        f"The bound on NC1, the variation within classes relative to that between them, fails at "
        f"{int((logged['nc1'] > logged['bound']).sum())} of {len(logged):,} iterates{times}. Its least median goes from "
        f"{number_text(least[first], 2)} with {_layers(first)} to {number_text(least[last], 2)} with {last}. In test error "
        f"and norm, {int(result.two.sure.sum())} of {len(result.two)} networks are certainly on the front, "
        f"{int(result.two.excluded.sum())} certainly not."
    )


def _layers(count: int) -> str:
    return f"{count} linear layer{'s' if count > 1 else ''}"


def findings(result: WeightDecayResult) -> tuple[str, ...]:
    """Return what was found, one or two sentences each, and where it differs from the paper."""
    return (
        _setting(result),
        _bound(result),
        _collapse(result),
        _conditioning(result),
        _alignment(result),
        _balance(result),
        _front(result),
        _certified(result),
        _weights(result),
    )


def _setting(result: WeightDecayResult) -> str:
    networks = result.sweep.networks
    return (
        f"{len(networks)} networks of two ReLU layers of 32 units and {joined(result.linear, 'g')} linear layers (L2), "
        f"trained on 300 digits for {result.steps} steps of gradient descent with momentum at {len(result.decays)} factors "
        f"of weight decay, {result.seeds} seeds each (training set and start): far smaller than the paper's networks, "
        f"and no statement with its constants is tested."
    )


def _bound(result: WeightDecayResult) -> str:
    logged = result.sweep.iterates.query("linear > 1")
    broken = int((logged["nc1"] > logged["bound"]).sum()), int((logged["nc1"] > logged["sharp_bound"]).sum())
    verdict = "held at" if broken == (0, 0) else f"FAILED at {broken[0]} and {broken[1]} of"
    below = int((logged["bound"] < 1).sum())
    false = int((logged["nc1"] > logged["operator_variant"]).sum())
    ends = result.sweep.networks.query("linear > 1")
    ratio = (ends["bound"] / ends["nc1"])[np.isfinite(ends["bound"])]
    sharp = (ends["sharp_bound"] / ends["nc1"])[np.isfinite(ends["sharp_bound"])]
    tight = (
        f"; at the end it is {ratio.median():.3g} times NC1 in the median and {ratio.min():.3g} times at best "
        f"({sharp.median():.3g} and {sharp.min():.3g} in the sharper form)"
        if len(ratio)
        else ""
    )
    return (
        f"The bound on NC1 from training error and balance (derived) and its sharper form {verdict} all {len(logged)} "
        f"logged iterates with L2 >= 2. It is below 1 at {below} of them{tight}. The variant with operator norms was "
        f"broken by {false} iterates."
    )


def _collapse(result: WeightDecayResult) -> str:
    table = result.settings_table
    parts = []
    for linear in result.linear:
        rows = table[table["linear"] == linear]
        best = rows.iloc[int(rows["nc1"].to_numpy().argmin())]
        parts.append(f"{best['nc1']:.2g} at decay {best['decay']:g} for L2 = {linear}")
    low, high = result.decays[0], result.decays[-1]
    deep = table[table["linear"] == result.linear[-1]].sort_values("decay")
    fit, unbalanced = deep["fit"].to_numpy(), deep["imbalance"].to_numpy()
    return (
        f"The least median NC1 is {'; '.join(parts)}. Training error and balance compete: for L2 = {result.linear[-1]} "
        f"from decay {low:g} to {high:g} the median fit goes from {fit[0]:.2g} to "
        f"{fit[-1]:.2g} and the relative imbalance from {unbalanced[0]:.2g} to "
        f"{unbalanced[-1]:.2g}, so NC1 does not reach 0 at any decay."
    )


def _conditioning(result: WeightDecayResult) -> str:
    table = result.correlations
    text = ", ".join(f"{row.nc2:.2f} at decay {row.decay:g}" for row in table.itertuples())
    missed = table[~(table["nc2"] <= _EXPECTED)]
    verdict = (
        "at every decay"
        if missed.empty
        else f"at none of the {len(table)} decays"
        if len(missed) == len(table)
        else f"at {len(table) - len(missed)} of {len(table)} decays (not at {joined(missed['decay'], 'g')})"
    )
    ends = result.sweep.networks
    lost = ends[ends["nc2"] >= INDEPENDENT]
    also = ""
    if len(lost):
        cells = lost.groupby(["linear", "decay"]).size().reset_index(name="count")
        where = ", ".join(
            f"{row.count_} with L2 = {row.linear} at decay {row.decay:g}"
            for row in cells.rename(columns={"count": "count_"}).itertuples()
        )
        rest = table[table["kept"] < table["networks"]]
        values = ", ".join(f"{row.nc2_kept:.2f} at decay {row.decay:g}" for row in rest.itertuples())
        also = (
            f" Some networks have linearly dependent class means ({where}): there depth and decay drop a direction of "
            f"the classes, and conditioning gets worse, not better. Without them the correlation is {values}."
        )
    return (
        f"Spearman's correlation of L2 and NC2 (condition number of the class means) over networks is {text}. It is at most "
        f"{_EXPECTED:g}, as expected, {verdict}.{also}"
    )


def _alignment(result: WeightDecayResult) -> str:
    ends = result.sweep.networks
    chains = ends[(ends["linear"] > 1) & np.isfinite(ends["kappa_root"]) & np.isfinite(ends["kappa"])]
    parts = []
    for decay in result.decays:
        part = chains[chains["decay"] == decay]
        if len(part):
            off = float((part["kappa"] / part["kappa_root"] - 1.0).abs().max())
            parts.append(f"{off:.1g} at decay {decay:g}")
    below = int((ends["nc3"] < cosine_floor(ends["kappa"].to_numpy())).sum())
    floors = (
        f"The floor 2k/(1 + k^2) of the cosines of features and rows (exact if the network interpolates too, and none "
        f"does) lies above NC3 for {below} of {len(ends)} networks."
    )
    return (
        f"The condition number k of the last layer is the L2-th root of that of the product of the linear layers, as "
        f"in balanced chains, up to a share of {', '.join(parts)}. {floors}"
    )


def _balance(result: WeightDecayResult) -> str:
    rates = result.rates.dropna()
    if rates.empty:
        return "No network was logged long enough to measure how fast layers become balanced, with 0 rates found."
    text = ", ".join(
        f"{span(part['ratio'].min(), part['ratio'].max(), '.3f')} at decay {decay:g} ({part['momentum'].iloc[0]:.3f})"
        for decay, part in rates.groupby("decay")
    )
    chains = result.sweep.iterates.query("linear > 1").groupby("network")
    decay, end = chains["decay"].first(), float(result.sweep.iterates["time"].max())
    left = chains["gap"].last() / chains["gap"].first()
    stalled = left > 10.0 * np.exp(-2.0 * decay * end)
    stall = (
        f" Later it stalls: {int(stalled.sum())} networks (at decay {joined(np.unique(decay[stalled]), 'g')}) end more than "
        f"ten times above the flow, with {left[stalled].median():.0e} of the start left in the median."
        if stalled.any()
        else ""
    )
    return (
        f"Down to a thousandth of its start, the imbalance (operator norm) decays at a rate of 2 x decay times a factor of "
        f"{text}. Gradient flow has exactly 1, whatever the data; in brackets what the momentum of these steps makes of "
        f"it near a stationary point (derived; time = rate x steps / (1 - momentum)).{stall}"
    )


def _front(result: WeightDecayResult) -> str:
    table = result.settings_table
    chains = table[table["linear"] > 1]
    five = chains.groupby("linear")["front_five"].sum()
    counts = chains.groupby("linear")["networks"].sum()
    four = table.groupby("linear")["front_four"].sum()
    best = table.iloc[int(table["test_error"].to_numpy().argmin())]
    least = table.iloc[int(table["nc1"].to_numpy().argmin())]
    return (
        f"In fit, norm, imbalance, NC1 and test error {int(five.sum())} of {int(counts.sum())} networks with L2 >= 2 "
        f"are non-dominated ({_counts(five)}). Without the imbalance {int(four.sum())} of all networks are "
        f"({_counts(four)}). The setting of least median test error (L2 = {best['linear']:.0f}, decay "
        f"{best['decay']:g}: {best['test_error']:.3f}) "
        + (
            "is also the most collapsed one."
            if best.name == least.name
            else f"is not the most collapsed one (L2 = {least['linear']:.0f}, decay {least['decay']:g}: "
            f"{least['test_error']:.3f}): over networks Spearman's correlation of NC1 and test error is "
            f"{round(result.nc1_with_error, 2) + 0.0:.2f}."
        )
    )


def _certified(result: WeightDecayResult) -> str:
    parts = []
    for words, certificate in (("test error and norm", result.two), ("the five objectives", result.five)):
        sure, excluded = int(certificate.sure.sum()), int(certificate.excluded.sum())
        left = len(certificate.sure) - sure - excluded
        parts.append(f"{sure}, {excluded} and {left} in {words}")
    return (
        f"With {result.sweep.test_losses.shape[0]} test images and confidence {1 - DELTA:.0%} each, the numbers of "
        f"networks certainly on the front, certainly not, and undecided are {'; '.join(parts)}. "
        f"Fit, norm, imbalance and NC1 are known without error for a trained network."
    )


def _weights(result: WeightDecayResult) -> str:
    own = result.weights
    share = own["returned"].mean()
    by = own.groupby("decay")["returned"].mean()
    missed = by.index[by < 1].tolist()
    others = own[~own["returned"]]
    larger = int((others["decay_returned"] > others["decay"]).sum())
    where = (
        f". Those at decay {joined(missed, 'g')} do not always: a network trained at a larger decay does better in {larger} "
        f"of {len(others)} cases, so these runs were not long enough for their own sum"
        if missed
        else ""
    )
    depths = own.drop_duplicates(["decay", "seed"])["depth_returned"].value_counts().sort_index()
    text = ", ".join(f"L2 = {depth} {count} times" for depth, count in depths.items())
    return (
        f"Weight decay is a weighted sum of fit and norm: {share:.0%} of the networks minimise the sum they were trained "
        f"for among networks of their depth and seed{where}. "
        f"Among all depths these sums return {text}."
    )


def _counts(counts: pd.Series[int]) -> str:
    return ", ".join(f"{int(count)} with L2 = {linear}" for linear, count in counts.items())
