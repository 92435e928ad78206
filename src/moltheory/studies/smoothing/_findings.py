"""The findings: short sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import count_text, interval_text, number_text, percent_text
from moltheory.studies.smoothing._claims import MOST_ERRORS
from moltheory.studies.smoothing._designs import CONSTANT, MATCHED, MOVING
from moltheory.studies.smoothing._summary import headline, over_networks, trios

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["caption", "findings"]


def caption(result: SmoothingResult) -> str:
    """Return what to see, in 60 words at most."""
    one, certificate, points = headline(result), result.certificate, result.points
    beyond = (number_text(float(rows["beyond_ceiling"].mean())) for rows in (one.moving, one.matched))
    return (
        "{}, σ {:.3g}: beyond the ceiling of constant noise certified accuracy is 0, with noise that follows the input {}, "
        "with constant noise of the same mean {}. From {} images, {} of {} classifiers are certainly on the front of "
        "error, radius and cost, {} certainly not.".format(
            result.sweep.data,
            one.sigma,
            *beyond,
            count_text(certificate.n_examples),
            certificate.sure.sum(),
            len(points),
            certificate.excluded.sum(),
        )
    )


def findings(result: SmoothingResult) -> tuple[str, ...]:
    """Return the findings; what is not a theorem of the paper names its proof or is measured."""
    return (
        *_checks(result),
        *_counterexamples(result),
        *_curse(result),
        _approximation(result),
        *_networks(result),
        *_waterfall(result),
        *_baselines(result),
        _classes(result),
        _naive(result),
        *_front(result),
        *_certified(result),
    )


def _checks(result: SmoothingResult) -> tuple[str, str]:
    z = max(float(result.simulated[name].abs().max()) for name in ("z", "z_here"))
    ratio = result.half_spaces["ratio"]
    unsound = int((ratio > 1.0).sum())
    verdict = "no certified radius is above the true one" if unsound == 0 else f"UNSOUND: {unsound} radii are too large"
    agrees = "agrees" if z <= MOST_ERRORS else "DISAGREES"
    return (
        f"The certificate {agrees} with simulation at {len(result.simulated)} random settings: the largest difference is "
        f"{z:.1f} standard errors.",
        f"On {len(ratio):,} half-spaces {verdict} (ratio at most {ratio.max():.4f}, median {ratio.median():.2f}).",
    )


def _counterexamples(result: SmoothingResult) -> tuple[str, ...]:
    table = result.counterexamples
    one, ball = table.iloc[0], table[table["dimension"] == 784].iloc[0]
    return (
        f"Exact, on a line: the uncertified formula claims {one['claimed']:.3f}, and the prediction changes at "
        f"{one['changes']:.3f}; certified is {one['certified']:.3f}.",
        f"Exact, a ball in 784 dimensions, r = {ball['rate']:g}: claimed {ball['claimed']:.4f}, changes at "
        f"{ball['changes']:.4f}; the other class has probability {ball['p_at_claim']:.3f} at the claimed radius.",
    )


def _curse(result: SmoothingResult) -> tuple[str, str]:
    table = result.curse
    lines = []
    for n, digits in ((784, 3), (int(table["dimension"].max()), 4)):
        rows = table[table["dimension"] == n].sort_values("p_other", ascending=False)
        shares = " and ".join(f"{row.exact:.{digits}f} (p = {row.p_other:g})" for row in rows.itertuples())
        lines.append(f"In {n:,} dimensions nothing is certified where σ falls below {shares} of its value.")
    return lines[0], lines[1]


def _approximation(result: SmoothingResult) -> str:
    rows = result.approximation
    error = (rows["approximate"] / rows["radius"] - 1.0).abs()
    product = rows["rate"] * rows["radius"]
    near, mid = error[product <= 0.05].max(), error[product <= 0.2].max()
    return (
        "Derived for large N (proof: study-noise-balls): the radius is constant noise's over √(1 + 2Nr²σ²), within "
        f"{near:.1%} for r times the radius up to 0.05, {mid:.1%} up to 0.2."
    )


def _networks(result: SmoothingResult) -> tuple[str, str]:
    sweep, points = result.sweep, result.points
    levels = points.groupby("sigma")["base_accuracy"].first()
    moving = points[points["kind"] == MOVING].groupby("sigma")["mean_sigma"].max()
    parts = ", ".join(f"{value:.3f} (σ {sigma:.3g})" for sigma, value in levels.items())
    means = ", ".join(f"{value:.4f} for {sigma:.3g}" for sigma, value in moving.items())
    center = max(one.center for one in sweep.designs)
    rates = " and ".join(f"{rate:.3g}" for rate in sorted({one.rate for one in sweep.designs} - {0.0}))
    return (
        f"Measured on {sweep.data}, {count_text(len(sweep.labels))} test images, {sweep.budget.networks} networks per σ: "
        f"accuracy without noise {parts}.",
        f"The design: m = {center:.3g}, k = {sweep.designs[0].k}, r = {rates}; mean σ(x) at the largest r: {means}.",
    )


def _waterfall(result: SmoothingResult) -> tuple[str, ...]:
    lines = []
    for one in trios(result):
        at = float(one.constant["at_ceiling"].mean())
        lines.append(
            f"σ {one.sigma:.3g}, ceiling {float(one.constant['ceiling'].iloc[0]):.3f}: constant noise falls from "
            f"{number_text(at)} to 0; input-dependent noise keeps {over_networks(one.moving['beyond_ceiling'])}, the same "
            f"mean {_mean(one.matched, 'beyond_ceiling')}."
        )
    above = ", ".join(f"{_mean(one.moving, 'beyond_mean_ceiling')} at σ {one.sigma:.3g}" for one in trios(result))
    lines.append(f"Beyond the ceiling of the same mean, where that has 0, input-dependent noise keeps {above}.")
    for votes in result.sweep.budget.sizes[-2:-1]:
        one = headline(result, votes)
        lines.append(
            f"With {count_text(votes)} votes, σ {one.sigma:.3g}: beyond the ceiling {_mean(one.moving, 'beyond_ceiling')}, "
            f"same mean {_mean(one.matched, 'beyond_ceiling')}."
        )
    return tuple(lines)


def _baselines(result: SmoothingResult) -> tuple[str, ...]:
    one, pairs = headline(result), result.pairs
    rows = pairs[(pairs["sigma"] == one.sigma) & (pairs["rate"] == one.rate)]
    lines = [
        f"Mean radius, σ {one.sigma:.3g}: constant {over_networks(one.constant['mean_radius'])}, input-dependent "
        f"{_mean(one.moving, 'mean_radius')}, same mean {_mean(one.matched, 'mean_radius')}; accuracy "
        f"{_mean(one.constant, 'accuracy')}, {_mean(one.moving, 'accuracy')}, {_mean(one.matched, 'accuracy')}."
    ]
    for against, name in ((CONSTANT, "the same base"), (MATCHED, "the same mean")):
        part = rows[rows["against"] == against].set_index("quantity")
        texts = [
            f"{quantity.replace('_', ' ')} differs by {number_text(float(part['difference'][quantity]))} "
            f"({interval_text(float(part['low'][quantity]), float(part['high'][quantity]))})"
            for quantity in ("accuracy", "mean_radius")
        ]
        lines.append(f"Against constant noise of {name}, σ {one.sigma:.3g}: {', '.join(texts)}; 95 % over images.")
    return tuple(lines)


def _classes(result: SmoothingResult) -> str:
    one = headline(result)
    return (
        f"Class deviation, σ {one.sigma:.3g}: constant {over_networks(one.constant['deviation'])}, input-dependent "
        f"{_mean(one.moving, 'deviation')}, same mean {_mean(one.matched, 'deviation')}."
    )


def _naive(result: SmoothingResult) -> str:
    one = headline(result)
    return (
        f"The uncertified formula would claim a mean radius of {_mean(one.moving, 'naive_radius', 4)} "
        f"here, where {_mean(one.moving, 'mean_radius', 4)} is certified."
    )


def _front(result: SmoothingResult) -> tuple[str, str]:
    points = result.points
    front = points[points["front"]]
    return (
        f"Of {len(points)} classifiers {len(front)} are non-dominated in error, minus mean radius, class deviation and "
        f"cost, {(front['kind'] == MOVING).sum()} of them input-dependent; weighted sums find {front['weighted'].sum()}.",
        f"The hypervolume (normalized) of all is {result.volume_all:.3f}, of constant noise of the base deviations alone "
        f"{result.volume_constant:.3f}.",
    )


def _certified(result: SmoothingResult) -> tuple[str, ...]:
    one, fair, points = result.certificate, result.fair, result.points
    moving = points["kind"].to_numpy() == MOVING
    sure, excluded, undecided = (
        f"{mask.sum()} ({(mask & moving).sum()} input-dependent)" for mask in (one.sure, one.excluded, one.undecided)
    )
    lines = (
        f"With confidence {percent_text(1 - one.delta)} from {count_text(one.n_examples)} images, in error, lost radius "
        f"and cost {sure} are on the front, {excluded} are not, {undecided} are undecided.",
        f"With the gap between classes as one more objective these are {fair.sure.sum()}, {fair.excluded.sum()} and "
        f"{fair.undecided.sum()}.",
    )
    rows = result.further
    if rows.empty:
        return lines
    needed = rows["sufficient_additional"]
    finite = needed[np.isfinite(needed)]
    if finite.empty:
        return *lines, f"For the {len(rows)} undecided no gap to a rival is observed: no number can be planned."
    return *lines, (
        f"If the observed gaps are true, ten times as many images decide {(finite <= 9 * one.n_examples).sum()} of the "
        f"{len(rows)} undecided, each with probability 0.8; {len(rows) - len(finite)} show no gap."
    )


def _mean(rows: pd.DataFrame, column: str, digits: int = 3) -> str:
    return number_text(float(rows[column].mean()), digits)
