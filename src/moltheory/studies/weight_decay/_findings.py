"""What the study found, in short sentences with its numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text, percent_text
from moltheory._core._text import joined, span
from moltheory.studies.weight_decay._claims import broken_ceilings, log_ratio, medians_text, ratio_text, steadiness
from moltheory.studies.weight_decay._experiment import RATE
from moltheory.studies.weight_decay._model import cosine_floor
from moltheory.studies.weight_decay._points import DELTA, INDEPENDENT

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.weight_decay._result import WeightDecayResult

__all__ = ["caption", "findings"]

# Most settings that one sentence lists.
_NAMED = 3


def caption(result: WeightDecayResult) -> str:
    """Return what to see, in 60 words at most."""
    logged = result.logged
    first, last = result.linear[0], result.linear[-1]
    ends = result.ends
    shallow, deep = (ends.loc[ends["linear"] == one, ["nc1", "nc2"]].median() for one in (first, last))
    return (
        f"{result.data}, {result.images} images. The bound on NC1 fails at "
        f"{int((logged['nc1'] > logged['bound']).sum())} of {count_text(len(logged))} iterates. From L2 = {first} to {last} "
        f"linear layers, median NC1 goes from {number_text(shallow['nc1'], 2)} to {number_text(deep['nc1'], 2)}, NC2 from "
        f"{number_text(shallow['nc2'], 3)} to {number_text(deep['nc2'], 3)}. In test error and norm, "
        f"{int(result.two.sure.sum())} of {len(result.two)} networks are certainly on the front."
    )


def findings(result: WeightDecayResult) -> tuple[str, ...]:
    """Return what was found, short sentences, and where it differs from the paper."""
    return (
        *_setting(result),
        *_bound(result),
        *_collapse(result),
        *_conditioning(result),
        *_steps(result),
        *_wide(result),
        *_balance(result),
        *_front(result),
        *_certified(result),
        *_weights(result),
    )


def _setting(result: WeightDecayResult) -> tuple[str, ...]:
    networks = result.sweep.networks
    return (
        f"{len(networks)} networks on {result.data}: {result.images} training images, as many units in the first layer, 64 "
        f"in others; two ReLU layers, then L2 = {joined(result.linear, 'g', last=' or ')} linear ones.",
        f"{result.steps} steps of {result.images // 10} images, step size 0.2, momentum 0.9, {result.seeds} seeds "
        "(images, start and batches).",
        f"The source's figure 1 has nine layers, three of them linear, and decay 0.0018; here {joined(result.relus, 'g')} "
        f"layers with ReLU are compared before {result.depth} linear ones.",
    )


def _bound(result: WeightDecayResult) -> tuple[str, ...]:
    logged = result.logged
    broken = int((logged["nc1"] > logged["bound"]).sum()), int((logged["nc1"] > logged["sharp_bound"]).sum())
    verdict = "hold at" if broken == (0, 0) else f"FAILED at {broken[0]} and {broken[1]} of"
    ends = result.main[result.main["linear"] > 1]
    ratio = (ends["bound"] / ends["nc1"])[np.isfinite(ends["bound"])]
    tight = (
        (
            f"At the end the bound is {number_text(ratio.median(), 2)} times NC1 in the median of the main sweep, "
            f"{number_text(ratio.min(), 2)} times at best.",
        )
        if len(ratio)
        else ()
    )
    return (
        f"The bound on NC1 (derived; proof: study-within-classes) and its sharper form {verdict} all "
        f"{count_text(len(logged))} logged iterates with two or more linear layers.",
        *tight,
        f"The variant with operator norms is false: a written network breaks it {number_text(result.exact.broken, 2)}-fold, "
        f"and {int((logged['nc1'] > logged['operator_variant']).sum())} iterates do.",
    )


def _collapse(result: WeightDecayResult) -> tuple[str, ...]:
    found = [
        f"At decay {result.shown:g} with L2 = {linear}: {medians_text(part)}."
        for linear, part in result.ends.groupby("linear")
    ]
    return ("What follows are medians over seeds, with 95% intervals from six seeds on, ranges below.", *found)


def _conditioning(result: WeightDecayResult) -> tuple[str, ...]:
    first, last = result.linear[0], result.linear[-1]
    ends = result.main
    parts = [
        f"NC2 with L2 = {last} against {first}, paired by images, at decay {decay:g}: "
        f"{ratio_text(log_ratio(ends[ends['decay'] == decay], 'nc2', 'linear', first, last))}."
        for decay in result.decays
    ]
    lost = int((ends["nc2"] >= INDEPENDENT).sum())
    if lost:
        parts.append(f"{lost} networks lost a direction of the classes.")
    below = int((ends["nc3"] < cosine_floor(ends["kappa"].to_numpy())).sum())
    return (
        *parts,
        f"The floor 2k/(1 + k²) of cosines is exact for balanced networks that interpolate. NC3 of {below} of {len(ends)} "
        "networks, which do not quite, lies below it.",
    )


def _steps(result: WeightDecayResult) -> tuple[str, ...]:
    networks = result.sweep.networks
    rates = networks[networks["rates"]]
    lost = rates[rates["fit"].isna()].groupby("rate").size()
    steady = steadiness(result)
    groups = list(steady.groupby("rate"))
    text = ", ".join(f"{part['nc2'].median():.2f} at {rate:g}" for rate, part in groups)
    used = ", ".join(f"{percent_text(float(part['used'].median()))} at {rate:g}" for rate, part in groups)
    gone = "; ".join(f"{count} of {result.seeds} networks at {rate:g}" for rate, count in lost.items())
    stable, norm, count = broken_ceilings(result)
    return (
        f"Step sizes at L2 = {result.depth}, the same training time: median NC2 {text}."
        + (f" Lost, for steps too large: {gone}." if gone else ""),
        f"The curvature at the end is {used} of what steps of this size can bear (medians).",
        f"Condition numbers stay below the ceilings from features and from the norm (derived; proof: study-conditioning) at "
        f"all but {stable} and {norm} of {count_text(count)} iterates.",
    )


def _wide(result: WeightDecayResult) -> tuple[str, ...]:
    networks = result.sweep.networks
    firsts = networks[networks["firsts"] & networks["fit"].notna()].groupby("first")
    parts = [
        f"{number_text(part['fit'].median(), 2)} and {part['test_error'].median():.1%} with {first}"
        for first, part in firsts
    ]
    relus = networks[networks["relus"] & networks["fit"].notna()].groupby("relu")
    deep = [f"{part['negativity'].median():.0%} and {part['nc2'].median():.2f} with {relu}" for relu, part in relus]
    return (
        f"Median fit and test error by units of the first layer: {', '.join(parts)}.",
        f"Negative share before the last ReLU, and NC2, by layers with ReLU (medians): {', '.join(deep)}.",
    )


def _balance(result: WeightDecayResult) -> tuple[str, ...]:
    # At other step sizes there may be lost networks.
    rates = result.balancing[(result.balancing["decay"] == result.shown) & (result.balancing["rate"] == RATE)].dropna()
    ends = result.ends[result.ends["linear"] > 1]
    last = f"It ends at {span(ends['imbalance'].min(), ends['imbalance'].max(), '.2g')} (relative)."
    if rates.empty:
        return (f"Imbalance was logged too rarely to measure its rate, with 0 rates found. {last}",)
    return (
        f"Down to a tenth, imbalance decays at 2 × decay times {span(rates['ratio'].min(), rates['ratio'].max(), '.3f')} at "
        f"decay {result.shown:g}; gradient flow has exactly 1.",
        last,
    )


def _front(result: WeightDecayResult) -> tuple[str, ...]:
    table = result.settings_table
    chains = table[table["linear"] > 1]
    five = chains.groupby("linear")["front_five"].sum()
    best = table.iloc[int(table["test_error"].to_numpy().argmin())]
    least = table.iloc[int(table["nc1"].to_numpy().argmin())]
    return (
        f"In fit, norm, imbalance, NC1 and test error {int(five.sum())} of {int(chains['networks'].sum())} networks with "
        f"two or more linear layers are non-dominated ({_counts(five)}).",
        f"Least median test error: {best['test_error']:.1%} with L2 = {best['linear']:.0f} at decay {best['decay']:g}. "
        f"The most collapsed (L2 = {least['linear']:.0f}, decay {least['decay']:g}) has {least['test_error']:.1%}.",
        f"Spearman's correlation of NC1 and test error over networks is {round(result.nc1_with_error, 2) + 0.0:.2f}.",
    )


def _certified(result: WeightDecayResult) -> tuple[str, ...]:
    found = []
    for words, certificate in (("test error and norm", result.two), ("the five objectives", result.five)):
        sure, excluded = int(certificate.sure.sum()), int(certificate.excluded.sum())
        left = len(certificate.sure) - sure - excluded
        found.append(
            f"Certified in {words} on {count_text(result.sweep.test_losses.shape[0])} test images at {1 - DELTA:.0%}: "
            f"{sure} on the front, {excluded} not, {left} open."
        )
    names = Counter((one.linear, one.decay) for one in result.main[result.two.sure].itertuples())
    if names:
        most = ", ".join(f"{n} with L2 = {linear} at {decay:g}" for (linear, decay), n in names.most_common(_NAMED))
        found.append(f"Certainly on the front in test error and norm (networks by decay): {most}.")
    return (*found, "Fit, norm, imbalance and NC1 of a trained network are known, so they enter as costs, 4 of them.")


def _weights(result: WeightDecayResult) -> tuple[str, ...]:
    own = result.weights
    others = own[~own["returned"]]
    larger = int((others["decay_returned"] > others["decay"]).sum())
    missed = (
        (
            f"The {len(others)} others lose to networks trained at a larger decay in {larger} cases: their runs were too "
            "short.",
        )
        if len(others)
        else ()
    )
    return (
        f"Weight decay is a weighted sum: {percent_text(own['returned'].mean())} of networks minimise their own among those "
        "of their depth and seed.",
        *missed,
    )


def _counts(counts: pd.Series[int]) -> str:
    return ", ".join(f"{int(count)} with L2 = {linear}" for linear, count in counts.items())
