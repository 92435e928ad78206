"""The claims of the paper's abstract, each with what was found here and a verdict by a rule fixed before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, number_text
from moltheory._core._text import joined
from moltheory.studies._claims import AGREES, DIFFERS, Claim
from moltheory.studies._over_seeds import mean_interval_of, median_text
from moltheory.studies.weight_decay._conditioning import stable_curvature
from moltheory.studies.weight_decay._experiment import MOMENTUM

if TYPE_CHECKING:
    import pandas as pd

    from moltheory._core._validation import FloatArray
    from moltheory.studies.weight_decay._result import WeightDecayResult

__all__ = ["broken_ceilings", "claims", "log_ratio", "medians_text", "ratio_text", "steadiness"]

_METRICS = (("nc1", 2), ("nc2", 3), ("nc3", 3))
# Exact equalities hold up to rounding.
_ROUNDING = 1e-7
# Balanced: relative imbalance at most a tenth (it starts near 1). Fitted: 1 % of the training images at most are missed.
_BALANCED, _FITTED = 0.1, 0.01
# Collapsed: variability at most a twentieth, class means with condition number 3 at most, cosine .9 at least. Fixed after
# pilots of single networks, before any full run.
_VARIABILITY, _CONDITION, _COSINE = 0.05, 3.0, 0.9


def claims(result: WeightDecayResult) -> tuple[Claim, ...]:
    """Return the claims."""
    return (
        _within_class(result),
        _between_classes(result),
        _wide(result),
        _conditioned(result),
        _end_to_end(result),
        _depth(result),
        _non_linear(result),
    )


def log_ratio(part: pd.DataFrame, name: str, by: str, before: float, after: float) -> FloatArray:
    """Return log of a measure at one value of `by` over that at another, paired by seed: the same training set."""
    table = part.pivot_table(index="seed", columns=by, values=name)
    if not {before, after} <= set(table.columns):
        return np.empty(0)
    found = np.log(table[[after, before]].dropna().to_numpy(dtype=np.float64))
    return np.asarray(found[:, 0] - found[:, 1])


def ratio_text(logs: FloatArray) -> str:
    """Return the geometric mean of ratios over seeds with its 95 % interval, from two seeds on."""
    if len(logs) < 2:
        return "not measured"
    mean, low, high = np.exp(mean_interval_of(logs))
    return f"× {number_text(mean, 3)} (95%: [{number_text(low, 3)}, {number_text(high, 3)}], {len(logs)} seeds)"


def medians_text(part: pd.DataFrame) -> str:
    """Return medians of NC1, NC2 and NC3 over networks, with intervals, from two networks on."""
    if len(part) < 2:
        return "no networks left"
    texts = [f"{name.upper()} {median_text(part[name], digits=digits)}" for name, digits in _METRICS]
    return ", ".join(texts)


def _highest(logs: FloatArray) -> float:
    """The upper end of the interval of a mean over seeds, infinity below two."""
    return mean_interval_of(logs)[2] if len(logs) > 1 else np.inf


def broken_ceilings(result: WeightDecayResult) -> tuple[int, int, int]:
    """Return how many logged iterates have a condition number above each of its two ceilings, and how many there are."""
    logged = result.sweep.iterates
    logged = logged[logged["nc1"].notna()]
    slack = 1.0 + _ROUNDING
    return (
        int((logged["kappa"] > logged["stable_ceiling"] * slack).sum()),
        int((logged["kappa_root"] > logged["norm_ceiling"] * slack).sum()),
        len(logged),
    )


def steadiness(result: WeightDecayResult) -> pd.DataFrame:
    """Return one row per network of the sweep of step sizes that was not lost, ``used``: curvature over the stable one."""
    networks = result.sweep.networks
    rates = networks[networks["rates"] & networks["fit"].notna()]
    limits = np.array([stable_curvature(rate, MOMENTUM) for rate in rates["rate"]])
    return rates.assign(used=rates["curvature"] / limits)


def _within_class(result: WeightDecayResult) -> Claim:
    logged, exact = result.logged, result.exact
    broken = int((logged["nc1"] > logged["sharp_bound"]).sum())
    holds = broken == 0 and exact.kept <= 1.0 < exact.broken and exact.nc1 < _ROUNDING
    ends = result.ends[result.ends["linear"] > 1]
    ratio = (ends["bound"] / ends["nc1"])[np.isfinite(ends["bound"])]
    tight = f" At the end it is {number_text(ratio.median(), 2)} times NC1 (median)." if len(ratio) else ""
    return Claim(
        says="Low training error and balanced linear layers give collapse of the variability within classes (NC1).",
        where="abstract",
        check="proof",
        checked="An explicit bound (derived; proof: study-within-classes) at every logged iterate. Agrees if none breaks "
        "it, and if a written network breaks the same bound with operator norms.",
        found=f"Above the bound: {broken} of {count_text(len(logged))} iterates; it is below 1 at "
        f"{count_text(int((logged['bound'] < 1).sum()))}.{tight} An explicit network exceeds "
        f"the false bound {number_text(exact.broken, 2)}-fold.",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else "A bound with a proof must hold: this is an error here, not in the paper.",
    )


def _between_classes(result: WeightDecayResult) -> Claim:
    exact, ends = result.exact, result.ends[result.ends["linear"] > 1]
    holds = max(exact.nc2_off, exact.cosine_off) < _ROUNDING < exact.nc2_other
    off = (ends["nc2"] / ends["kappa_root"] - 1.0).abs().median()
    return Claim(
        says="Bounded conditioning of the features before the linear part gives orthogonal class means (NC2), aligned "
        "with the weights (NC3).",
        where="abstract",
        check="exact value",
        checked="Random balanced chains that interpolate: NC2 = κ^(1/L2), cosines at least 2k/(1 + k²) with k = NC2. "
        "Agrees if both hold to rounding and the exponent 1/(L2 + 1) does not.",
        found=f"{exact.chains} chains: NC2 differs from κ^(1/L2) by {number_text(exact.nc2_off, 1)} at most, cosines are "
        f"{number_text(exact.cosine_off, 1)} below their limit; the other exponent is off by "
        f"{number_text(exact.nc2_other, 1)} or more. Trained networks: {off:.0%} off (median).",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else "An identity with a proof must hold: this is an error here, not in the paper.",
    )


def _wide(result: WeightDecayResult) -> Claim:
    ends = result.ends[result.ends["linear"] > 1]
    fitted, balanced = float(ends["train_error"].max()), float(ends["imbalance"].max())
    holds = fitted <= _FITTED and balanced <= _BALANCED and not result.lost
    firsts = result.sweep.networks[result.sweep.networks["firsts"]]
    logs = log_ratio(firsts, "fit", "first", result.firsts[0], result.firsts[-1])
    return Claim(
        says="Gradient descent with weight decay brings networks with a wide first layer to low training error and "
        "balanced linear layers.",
        where="abstract (i)",
        check="experiment",
        checked=f"First layer as wide as images ({result.images}), L2 of 2 and more, decay {result.shown:g}. Agrees if "
        f"every network misses at most {_FITTED:.0%} of its training images, imbalance at most {_BALANCED:g}.",
        found=f"At most {fitted:.1%} misclassified, imbalance at most {number_text(balanced, 2)} (near 1 at the start). "
        f"Training loss with {result.firsts[-1]} units against {result.firsts[0]}: {ratio_text(logs)}.",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else f"{result.steps} steps are short: imbalance falls as exp(−2 decay × time) at best.",
    )


def _conditioned(result: WeightDecayResult) -> Claim:
    steady = steadiness(result)
    stable, norm, count = broken_ceilings(result)
    most = float(steady["used"].max())
    holds = stable == norm == 0 and most <= 1.0
    whole = steady.groupby("rate").size()
    # The largest step size at which no network is lost, against the smallest.
    rates = [rate for rate in result.rates if whole.get(rate, 0) == result.seeds] or list(result.rates)
    logs = log_ratio(steady, "nc2", "rate", rates[0], rates[-1])
    trend = f" NC2 at step size {rates[-1]:g} against {rates[0]:g}: {ratio_text(logs)}."
    return Claim(
        says="Nearly optimal solutions, and those stable under large learning rates, have bounded conditioning.",
        where="abstract (ii)",
        check="experiment",
        checked="Two ceilings on κ (derived; proof: study-conditioning), from features and from the norm, at every iterate; "
        "curvature × step size at the ends. Agrees if no κ is above its ceiling and no curvature above the stable one.",
        found=f"κ above its ceilings at {stable} and {norm} of {count_text(count)} iterates. Curvature at most "
        f"{number_text(most, 2)} of the stable one.{trend}",
        verdict=AGREES if holds else DIFFERS,
        why="The ceilings are theorems, and no step size tried is near the edge of stability."
        if holds and most < 0.5
        else ""
        if holds
        else "Steps that see batches may sit beyond what is stable for all images.",
    )


def _end_to_end(result: WeightDecayResult) -> Claim:
    ends = result.ends[result.ends["linear"] > 1]
    good = (ends["nc1"] <= _VARIABILITY) & (ends["nc2"] <= _CONDITION) & (ends["nc3"] >= _COSINE)
    own = ends[ends["linear"] == result.depth]
    holds = bool(good.all()) and not result.lost
    missed = joined(sorted(ends.loc[~good, "linear"].unique())) or "other decays (lost)"
    return Claim(
        says="Neural collapse appears in end-to-end training of deep networks.",
        where="abstract",
        check="experiment",
        checked=f"All networks with L2 of 2 and more at decay {result.shown:g}. Agrees if every one ends with NC1 at most "
        f"{_VARIABILITY:g}, NC2 at most {_CONDITION:g}, NC3 at least {_COSINE:g}.",
        found=f"{int(good.sum())} of {len(good)} do. L2 = {result.depth}: {medians_text(own)}.",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else f"Those with L2 = {missed} miss it: {result.images} images and {result.steps} steps only.",
    )


def _depth(result: WeightDecayResult) -> Claim:
    first, last = result.linear[0], result.linear[-1]
    logs = {name: log_ratio(result.ends, name, "linear", first, last) for name in ("nc1", "nc2")}
    holds = _highest(logs["nc2"]) < 0.0
    return Claim(
        says="NC2 is more prominent as the linear part gets deeper.",
        where="experiments",
        check="experiment",
        checked=f"Condition number of class means, L2 = {last} against {first}, same images, decay {result.shown:g}. Agrees "
        "if the 95 % interval of their ratio is below 1.",
        found=f"NC2 {ratio_text(logs['nc2'])}; NC1 {ratio_text(logs['nc1'])}.",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else f"{len(logs['nc2'])} seeds and {result.steps} steps do not show it.",
    )


def _non_linear(result: WeightDecayResult) -> Claim:
    relus = result.sweep.networks[result.sweep.networks["relus"]]
    first, last = result.relus[0], result.relus[-1]
    logs = {name: log_ratio(relus, name, "relu", first, last) for name in ("negativity", "relu_imbalance")}
    highs = {name: _highest(one) for name, one in logs.items()}
    holds = max(highs.values()) < 0.0
    missed = " and ".join(
        words
        for name, words in (("negativity", "non-linearity"), ("relu_imbalance", "imbalance"))
        if not highs[name] < 0.0
    )
    return Claim(
        says="As the non-linear part gets deeper, its layers become less non-linear and more balanced.",
        where="experiments",
        check="experiment",
        checked=f"Last layer with ReLU, {last} such layers against {first} before {result.depth} linear ones: negative "
        "share of its norm, imbalance with the next. Agrees if both 95 % intervals of ratios are below 1.",
        found=f"Negative share {ratio_text(logs['negativity'])}; imbalance {ratio_text(logs['relu_imbalance'])}.",
        verdict=AGREES if holds else DIFFERS,
        why="" if holds else f"For {missed} it does not show; a width of 64 and {result.steps} steps may be too small.",
    )
