"""What was found, in short sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import plural, span
from moltheory.studies._over_seeds import mean_text, median_text, share_text
from moltheory.studies.low_rank_bias._claims import falling_ranks, open_classes
from moltheory.studies.low_rank_bias._experiment import (
    DEPTH,
    FACTOR,
    MARGIN,
    N_CLASSES,
    PER_CLASS,
    RANK_TOLERANCE,
)
from moltheory.studies.low_rank_bias._image_networks import FITTED, LOOSE_TOLERANCE

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.low_rank_bias._result import LowRankResult

__all__ = ["caption", "findings"]


def caption(result: LowRankResult) -> str:
    """Return what to see, in 60 words at most."""
    rows, images = result.headline, result.images
    low, high, _ = falling_ranks(images)
    ranks = images.groupby("decay")["rank"].mean()
    return (
        f"Collapse is not optimal for 3 classes and 4 layers or more. With {N_CLASSES} classes, "
        f"{int((rows['end'] == 'below').sum())} of {len(rows)} gradient descents end below it, at lower rank. On "
        f"{images['data'].iloc[0]} the mean mid-layer rank goes from {ranks[low]:.1f} to {ranks.get(high, np.nan):.1f} "
        f"as weight decay grows."
    )


def findings(result: LowRankResult) -> tuple[str, ...]:
    """Return the findings; whatever is not in the paper names its proof or is measured."""
    return (
        *_written(result),
        *_search(result),
        *_domination(result),
        *_main(result),
        *_near(result),
        *_ranks(result),
        *_widths(result),
        *_volumes(result),
        *_images(result),
        *_certified(result),
    )


def _written(result: LowRankResult) -> tuple[str, ...]:
    table = result.reach[result.reach["n_classes"] >= 3]
    deep = table[table["depth"] >= 4]
    alone = deep.dropna(subset="edges")
    dear = alone[(alone["edges"] >= 1) & (alone["depth"] == 4)]["n_classes"]
    odd = deep[(deep["depth"] == 4) & deep["n_classes"].isin([7, 8, 11, 12])]
    costs = ", ".join(f"{rho:.3f} (K = {k})" for k, rho in zip(odd["n_classes"], odd["rho"], strict=True))
    error = max(result.reach["error"].max(), result.costs["error"].max())
    return (
        f"Some network written down costs less than collapse in {int(deep['below'].sum())} of {len(deep)} cases with "
        "K ≥ 3 and L ≥ 4 (derived; proof: study-cheaper-networks); adding collapsed classes keeps it so.",
        f"At L = 4, between the numbers r(r−1)/2: {costs} of the cost of collapse (derived; "
        "proof: study-cheaper-networks).",
        f"A graph with K edges alone is not cheaper than collapse at L = 4 for K = "
        f"{', '.join(map(str, dear)) if len(dear) else 'none'}; direct sums are."
        if len(dear)
        else "A graph with K edges alone is cheaper than collapse at L = 4 for all K tried.",
        f"Closed forms and the explicit tensors agree within {number_text(error, 1)}.",
    )


def _search(result: LowRankResult) -> tuple[str, ...]:
    left = open_classes(result)
    rows = result.search[(result.search["depth"] == 3) & result.search["n_classes"].isin(left)]
    known = result.search[~result.search.index.isin(rows.index)]
    found = []
    if len(rows):
        found.append(
            f"Nothing is written down for L = 3 and K = {left[0]} to {left[-1]}: of {int(rows['starts'].sum())} L-BFGS "
            f"runs there, {int(rows['below'].sum())} end below collapse."
        )
    counts = [f"{row.below}/{row.starts} (K = {row.n_classes}, L = {row.depth})" for row in known.itertuples()]
    if counts:
        found.append(f"Where one is known, the same search ends below collapse in {', '.join(counts)}.")
        if (known["below"] == 0).any():
            found.append("So such a search proves nothing: it misses networks that are there.")
    return tuple(found)


def _domination(result: LowRankResult) -> tuple[str, ...]:
    table = result.domination
    pairs, collapse = table.iloc[:-1], table.iloc[0]
    beaten = bool((pairs["dominated_by_next"] == pairs["points"]).all())
    returned = int(collapse["weighted_sum"] + collapse["chebyshev"])
    tried = int(table[["weighted_sum", "chebyshev"]].to_numpy().sum())
    losses = ", ".join(f"{row['network']} {row['loss']:.7f}" for _, row in result.optima.iterrows())
    return (
        f"In the fit and all {DEPTH + 1} squared norms, {'every' if beaten else 'NOT every'} collapsed point of "
        f"{collapse['points']} is dominated by the graph's, and each of those by the triangles'.",
        f"So {returned} of {tried} weighted sums and Chebyshev scalarizations return a collapsed network.",
        f"Best losses written down, λ = {FACTOR:g}, {PER_CLASS} examples per class: {losses}.",
    )


def _main(result: LowRankResult) -> tuple[str, ...]:
    rows, main = result.headline, result.main
    below = rows[rows["end"] == "below"]
    found = [
        f"Gradient descent at the paper's width, factor and step ends below collapse for "
        f"{share_text(len(below), len(rows))} seeds, and collapsed for {int((rows['end'] == 'collapsed').sum())}."
    ]
    if len(below) > 1:
        found.append(
            f"Their features have rank {median_text(below['rank'])} (singular values above {RANK_TOLERANCE:.0%} of the "
            f"largest); collapse has {N_CLASSES}."
        )
    found.append(
        f"Within classes they collapse all the same: NC1 is at most {number_text(rows['nc1'].max(), 2)} in any layer of "
        f"these {len(rows)} networks."
    )
    single = result.networks[result.networks["per_class"] == 1]
    if len(single):
        alone = int((single["end"] == "below").sum())
        found.append(
            f"With one example per class, {share_text(alone, len(single))} seeds of gradient descent end below."
        )
    polished = main[main["method"] == "L-BFGS"]
    if len(polished):
        found.append(
            f"L-BFGS from the same starts: {share_text(int((polished['end'] == 'below').sum()), len(polished))} below "
            "collapse."
        )
    optima = result.optima.set_index("network")["loss"]
    lower = {name: int((main["loss"] < optima[name] - MARGIN).sum()) for name in ("graph", "triangles")}
    found.append(
        f"The lowest loss is {main['loss'].min():.6f}; {lower['graph']} of {len(main)} networks are below the graph's "
        f"optimum and {lower['triangles']} below the triangles'."
    )
    return tuple(found)


def _near(result: LowRankResult) -> tuple[str, ...]:
    networks, optima = result.networks, result.optima.set_index("network")["loss"]
    parts = []
    for name in optima.index:
        rows = networks[networks["method"] == f"L-BFGS near {name}"]
        if len(rows):
            parts.append(f"{span(rows['loss'].min(), rows['loss'].max(), '.6f')} from {name}")
    low = networks[networks["method"].isin(["L-BFGS near graph", "L-BFGS near triangles"])]
    if not len(low):
        return ()
    found = [f"L-BFGS from the networks written down, with 5% noise, ends at losses of {', '.join(parts)}."]
    if low["loss"].min() < optima["triangles"] - MARGIN:
        found.append(
            "So neither low-rank network written down is a minimum: cheaper ones are near, not in closed form."
        )
    return tuple(found)


def _ranks(result: LowRankResult) -> tuple[str, ...]:
    from scipy.stats import spearmanr

    rows = result.networks[result.networks["method"] == "L-BFGS"]
    live = rows[rows["fit"] < 0.5 * (1.0 - 1e-6)]
    means = ", ".join(f"{part['rank'].mean():.1f} at {factor:g}" for factor, part in live.groupby("factor"))
    found = [f"Mean rank of the features after L-BFGS, by λ: {means}."]
    if live["factor"].nunique() > 1 and live["rank"].nunique() > 1:
        sign = float(spearmanr(live["factor"], live["rank"]).statistic)
        trend = "falls with" if sign < -0.3 else "rises with" if sign > 0.3 else "shows no clear trend in"
        found.append(f"It {trend} λ (Spearman {sign:.2f} over {len(live)} networks).")
    lost = int((rows["rank_" + str(DEPTH - 1)] < N_CLASSES).sum())
    if lost:
        found.append(
            f"Classes were given up by {lost} of {len(rows)} of them: rank below {N_CLASSES} before the output."
        )
    return tuple(found)


def _widths(result: LowRankResult) -> tuple[str, ...]:
    widths = result.widths
    counts = zip(widths["width"], widths["collapsed"], widths["networks"], strict=True)
    shares = ", ".join(f"{collapsed}/{networks} at {width}" for width, collapsed, networks in counts)
    first, last = widths.iloc[0], widths.iloc[-1]
    if not widths["collapsed"].any():
        verdict = "So nothing is said about how it depends on width"
    elif last["low"] > first["high"]:
        verdict = "It grows with width, as in the paper's figure 3"
    elif last["share"] > first["share"]:
        verdict = "It is larger at the largest width, but the intervals overlap"
    else:
        verdict = "It does not grow with width here, unlike in the paper's figure 3"
    found = [
        f"Networks that gradient descent leaves collapsed, by width: {shares}.",
        f"{verdict}: 95% {first['low']:.2f} to {first['high']:.2f} at width {first['width']:g}, {last['low']:.2f} to "
        f"{last['high']:.2f} at {last['width']:g}.",
    ]
    other = int(widths["other"].sum())
    if other:
        found.append(f"{other} of all {int(widths['networks'].sum())} end above collapse without being it.")
    return tuple(found)


def _volumes(result: LowRankResult) -> tuple[str, ...]:
    table = result.volumes
    base = float(table["volume_so_far"].iloc[-1])
    shares = ", ".join(f"{row['volume'] / base:.3f} ({row['group']})" for _, row in table.iterrows())
    trained = table[table["group"].str.startswith("trained")]
    return (
        f"Hypervolumes in (fit, norms, ranks), as shares of that of all: {shares}.",
        f"In the fit and all squared norms, {int(trained['dominate_equal_fit'].sum())} of "
        f"{int(trained['points'].sum())} trained networks dominate the collapsed network of their own fit.",
    )


def _images(result: LowRankResult) -> tuple[str, ...]:
    images = result.images
    fitted = images[images["fitted"]]
    name = images["data"].iloc[0]
    ranks = ", ".join(f"{part['rank'].mean():.1f} at {decay:g}" for decay, part in images.groupby("decay"))
    loose = images.groupby("decay")["loose_rank"].mean()
    low, high, falls = falling_ranks(images)
    found = [f"{name}: mean mid-layer rank of {images['classes'].iloc[0]} class means by weight decay: {ranks}."]
    if high > low:
        found.append(
            f"Counting singular values above {LOOSE_TOLERANCE:.0%} of the largest it goes from {loose.iloc[0]:.1f} to "
            f"{loose[high]:.1f}."
        )
        if len(falls) > 1 and np.ptp(falls) > 0:
            found.append(f"From decay {low:g} to {high:g} the rank falls by {mean_text(falls)}.")
    if len(fitted):
        found.append(
            f"NC1 falls from every hidden layer to the next in {share_text(int(fitted['nc1_falls'].sum()), len(fitted))} "
            "networks that fit."
        )
    lost = len(images) - len(fitted)
    if lost:
        found.append(f"{plural(lost, 'network')} with a training error above {FITTED:.0%} left out there.")
    errors = images.groupby("decay")["test_error"].mean()
    found.append(
        f"The mean test error is {percent_text(errors.iloc[0], 1)} at the smallest and {percent_text(errors.iloc[-1], 1)} "
        "at the largest decay."
    )
    return tuple(found)


def _certified(result: LowRankResult) -> tuple[str, ...]:
    table = result.certified
    counts = {verdict: int((table["verdict"] == verdict).sum()) for verdict in ("sure", "excluded", "undecided")}
    found = [
        f"On the front of (test error, NC1, rank), of {len(table)} networks: {counts['sure']} certainly, "
        f"{counts['excluded']} certainly not, {counts['undecided']} undecided (95%)."
    ]
    sure = table[table["verdict"] == "sure"]
    if len(sure):
        found.append(f"Certainly on it: decay {_decays(sure)}; the smallest NC1 or rank alone suffices.")
    return tuple(found)


def _decays(rows: pd.DataFrame) -> str:
    return ", ".join(f"{decay:g} ({len(part)})" for decay, part in rows.groupby("decay"))
