"""What was found, in sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import percent_text
from moltheory._core._text import span
from moltheory.studies.low_rank_bias._experiment import (
    COLLAPSED,
    DEPTH,
    FACTOR,
    MARGIN,
    N_CLASSES,
    RANK_TOLERANCE,
    WIDTH,
)

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.low_rank_bias._result import LowRankResult

__all__ = ["caption", "findings"]


def caption(result: LowRankResult) -> str:
    """Return what to see, in 60 words at most."""
    here = result.costs[(result.costs["n_classes"] == N_CLASSES) & (result.costs["depth"] == DEPTH)].iloc[0]
    rows = result.main[result.main["method"] == "L-BFGS"]
    best = result.optima["loss"].min()
    return (
        f"With {N_CLASSES} classes and {DEPTH} layers, networks of lower rank need {percent_text(here['graph'])} (graph) "
        f"and {percent_text(here['triangles'])} (triangles) of the norms of collapse at the same fit, so that they "
        f"dominate it. Training by L-BFGS ends below collapse in {int((rows['end'] == 'below').sum())} of {len(rows)} "
        f"runs, and below the triangles in {int((rows['loss'] < best - MARGIN).sum())}."
    )


def findings(result: LowRankResult) -> tuple[str, ...]:
    """Return the findings; whatever is not in the paper is marked as derived or measured."""
    return (
        _costs(result),
        _domination(result),
        *_main(result),
        _near(result),
        _ranks(result),
        _widths(result),
        _volumes(result),
    )


def _costs(result: LowRankResult) -> str:
    costs = result.costs
    cheap = costs.groupby("depth")["graph_shrinks"].agg(["sum", "size"])
    counts = ", ".join(f"{row['sum']} of {row['size']} at L = {depth}" for depth, row in cheap.iterrows())
    triangles = costs.dropna(subset="triangles")
    lower = int((triangles["triangles"] < triangles["graph"]).sum())
    here = costs[(costs["n_classes"] == N_CLASSES) & (costs["depth"] == DEPTH)].iloc[0]
    three = triangles[triangles["depth"] == 3]["triangles"]
    return (
        f"Classes as edges of a complete graph (the paper's construction): the cost, as a share of collapse, is below "
        f"1 for {counts} of the numbers of classes tried, {costs['n_classes'].min()} to {costs['n_classes'].max()} "
        f"(decided in integers). The explicit tensors agree with the closed form within {costs['error'].max():.0e}. "
        f"Derived: telling triangles apart in the last hidden layer costs less than this in {lower} of "
        f"{len(triangles)} cases with ten or more classes, and less than "
        f"collapse at L = 3 too ({three.max():.4f} to {three.min():.4f}), where the graph's network does not. With "
        f"{N_CLASSES} classes and L = {DEPTH} the costs are {here['graph']:.4f} and {here['triangles']:.4f}."
    )


def _domination(result: LowRankResult) -> str:
    table = result.domination
    pairs = table.iloc[:-1]
    beaten = bool((pairs["dominated_by_next"] == pairs["points"]).all())
    collapse = table.iloc[0]
    returned = int(collapse["weighted_sum"] + collapse["chebyshev"])
    tried = int(table[["weighted_sum", "chebyshev"]].to_numpy().sum())
    optima = result.optima
    losses = ", ".join(f"{row['network']} {row['loss']:.7f}" for _, row in optima.iterrows())
    return (
        f"At equal fit every squared norm shrinks by the cost, so in the fit and all {DEPTH + 1} squared norms "
        f"{'every' if beaten else 'NOT every'} collapsed point of {collapse['points']} is dominated by the graph's, and "
        f"every one of the graph's by the triangles'. So {collapse['nondominated']} collapsed points are non-dominated, and "
        f"{returned} of {tried} weighted sums and Chebyshev scalarizations return one. The best losses at λ = {FACTOR:g}: "
        f"{losses} (tensors agree within {optima['error'].max():.0e})."
    )


def _main(result: LowRankResult) -> tuple[str, ...]:
    main = result.main
    optima = result.optima.set_index("network")["loss"]
    parts = []
    for method in ("L-BFGS", "gradient descent"):
        rows = main[main["method"] == method]
        below, collapsed = rows[rows["end"] == "below"], int((rows["end"] == "collapsed").sum())
        gains = f" by {below['gain'].min():.2g} to {below['gain'].max():.2g}" if len(below) else ""
        parts.append(
            f"By {method}, {len(below)} of {len(rows)} end below collapse{gains}, and {collapsed} are collapsed"
        )
    first = (
        f"Trained networks (ten classes, L = {DEPTH}, width {WIDTH}, λ = {FACTOR:g}, Gaussian starts), compared with the "
        f"unrounded loss of collapse by a margin of {MARGIN:g}. {'. '.join(parts)}."
    )
    lower = {name: int((main["loss"] < optima[name] - MARGIN).sum()) for name in ("graph", "triangles")}
    counts = main[main["end"] == "below"]["rank"].value_counts().sort_index()
    ranks = ", ".join(f"{rank} ({count} of them)" for rank, count in counts.items())
    features = f" The features of those below collapse have rank {ranks}." if len(counts) else ""
    second = (
        f"The lowest loss is {main['loss'].min():.6f}; {lower['graph']} of {len(main)} networks are below the graph's "
        f"optimum and {lower['triangles']} below the triangles'.{features} Training is not a search for the global "
        f"optimum: it ends in many local minima, collapse among them."
    )
    return first, second


def _near(result: LowRankResult) -> str:
    networks, optima = result.networks, result.optima.set_index("network")["loss"]
    parts = []
    for name in optima.index:
        rows = networks[networks["method"] == f"L-BFGS near {name}"]
        parts.append(
            f"{span(rows['loss'].min(), rows['loss'].max(), '.6f')} from {name} (written down: {optima[name]:.6f})"
        )
    low = networks[networks["method"].isin(["L-BFGS near graph", "L-BFGS near triangles"])]
    left = low["loss"].min() < optima["triangles"] - MARGIN
    tail = (
        " So neither low-rank network written down is a minimum: with equal ranks there are cheaper ones nearby, not "
        "known in closed form here."
        if left
        else ""
    )
    return f"L-BFGS from the networks written down, with 5% noise, ends at losses of {', '.join(parts)}.{tail}"


def _ranks(result: LowRankResult) -> str:
    from scipy.stats import spearmanr

    rows = result.networks[result.networks["method"] == "L-BFGS"]
    live = rows[rows["fit"] < 0.5 * (1.0 - 1e-6)]
    means = ", ".join(f"{part['rank'].mean():.1f} at {factor:g}" for factor, part in rows.groupby("factor"))
    sign = float(spearmanr(live["factor"], live["rank"]).statistic) if _varies(live) else np.nan
    full = rows.groupby("factor")["end"].agg(lambda end: int((end == "below").sum()))
    size = rows.groupby("factor")["end"].size()
    below = ", ".join(f"{full[factor]}/{size[factor]} at {factor:g}" for factor in full.index)
    trend = "falls with" if sign < -0.3 else "rises with" if sign > 0.3 else "shows no clear trend in"
    spoken = "" if np.isnan(sign) else f" It {trend} λ (Spearman {sign:.2f} over single networks)."
    missing = rows[rows["rank_" + str(DEPTH - 1)] < N_CLASSES]
    lost = (
        f" Classes were given up by {len(missing)} of {len(rows)}: a last hidden layer of rank below {N_CLASSES}."
        if len(missing)
        else ""
    )
    share = rows["loss"] / rows["collapse"]
    best = rows.iloc[int(np.argmin(share.to_numpy()))]
    lower = int((rows["loss"] < rows["triangles"] - MARGIN).sum())
    return (
        f"Mean rank of the features after L-BFGS (singular values above {RANK_TOLERANCE:.0%}), by λ: {means}.{spoken} "
        f"Below collapse: {below}.{lost} The lowest share of the loss of collapse is {share.min():.3f}, at λ = "
        f"{best['factor']:g} ({best['triangles'] / best['collapse']:.3f} for the triangles); {lower} of {len(rows)} "
        f"networks are below the triangles' optimum."
    )


def _varies(rows: pd.DataFrame) -> bool:
    return rows["factor"].nunique() > 1 and rows["rank"].nunique() > 1


def _widths(result: LowRankResult) -> str:
    widths = result.widths
    counts = zip(widths["width"], widths["collapsed"], widths["networks"], strict=True)
    shares = ", ".join(f"{collapsed} of {networks} at {width}" for width, collapsed, networks in counts)
    first, last = widths.iloc[0], widths.iloc[-1]
    monotone = bool((np.diff(widths["share"]) >= 0).all())
    if not widths["collapsed"].any():
        verdict = "So nothing is said about how it depends on width"
    elif last["low"] > first["high"]:
        verdict = "It grows with width, as the paper reports"
        verdict += "" if monotone else " (not at every step)"
    elif last["share"] > first["share"]:
        verdict = "It is larger at the largest width, but the intervals overlap"
    else:
        verdict = "It does not grow with width at this scale, unlike what the paper reports"
    other = int(widths["other"].sum())
    kept = result.networks[(result.networks["method"] == "gradient descent") & (result.networks["end"] == "collapsed")]
    gap = f" Those counted are at most {-kept['gain'].min():.1g} above its best loss." if len(kept) else ""
    left = (
        f" Of all {int(widths['networks'].sum())}, {other} end above collapse without being it (condition numbers above "
        f"{COLLAPSED:g}, or classes given up)."
        if other
        else ""
    )
    return (
        f"Networks that gradient descent leaves collapsed, by width: {shares}. {verdict} (95% Clopper-Pearson "
        f"intervals: {first['low']:.2f} to {first['high']:.2f} at width {first['width']:g}, {last['low']:.2f} to "
        f"{last['high']:.2f} at {last['width']:g}).{gap}{left}"
    )


def _volumes(result: LowRankResult) -> str:
    table = result.volumes
    base = float(table["volume_so_far"].iloc[-1])
    shares = ", ".join(f"{row['volume'] / base:.3f} ({row['group']})" for _, row in table.iterrows())
    trained = table[table["group"].str.startswith("trained")]
    best = ", ".join(f"{row['nondominated']} of {row['points']} ({row['group']})" for _, row in table.iterrows())
    return (
        f"In (fit, sum of squared norms, sum of ranks) the hypervolumes, as shares of that of all together, are: "
        f"{shares}. Non-dominated among all are: {best}. "
        f"In the fit and all {DEPTH + 1} squared norms at once, {int(trained['dominate_equal_fit'].sum())} of "
        f"{int(trained['points'].sum())} trained networks dominate the collapsed network of their own fit, and "
        f"{int(trained['dominate_collapse'].sum())} of them the best collapsed one."
    )
