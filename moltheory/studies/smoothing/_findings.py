"""The findings: sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import percent_text

if TYPE_CHECKING:
    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["caption", "findings"]

# Standard errors, of the largest of some forty differences.
_AGREES = 4.0


def caption(result: SmoothingResult) -> str:
    """Return what to see, in 60 words at most."""
    p = result.curse["p_other"].max()
    rows = result.curse[result.curse["p_other"] == p]
    row = rows.iloc[(rows["dimension"] - 784).abs().argmin()]
    one, points = result.certificate, result.points
    return (
        f"In {int(row['dimension'])} dimensions nothing is certified where σ falls below "
        f"{percent_text(row['exact'], 1)} of its value (p = {p:g}): noise that follows the input may hardly change. From "
        f"{one.n_examples} digits, in error, radius and cost, {one.sure.sum()} of {len(points)} classifiers are "
        f"certainly on the front, {one.excluded.sum()} certainly not, and for {one.undecided.sum()} they cannot tell."
    )


def findings(result: SmoothingResult) -> tuple[str, ...]:
    """Return the findings; what is not a theorem of the paper is marked as derived, remembered or measured."""
    return (
        _checks(result),
        _curse(result),
        _approximation(result),
        *_digits(result),
        _front(result),
        *_certified(result),
    )


def _checks(result: SmoothingResult) -> str:
    z = max(float(result.simulated[name].abs().max()) for name in ("z", "z_here"))
    ratio = result.half_spaces["ratio"]
    unsound = int((ratio > 1.0).sum())
    verdict = "no certified radius is above the true one" if unsound == 0 else f"UNSOUND: {unsound} radii are too large"
    agrees = "agrees" if z <= _AGREES else "DISAGREES"
    return (
        f"The certificate {agrees} with simulation at {len(result.simulated)} random settings (largest difference {z:.1f} "
        f"standard errors), and on {len(ratio):,} half-spaces in dimension {result.half_spaces['dimension'].min()} to "
        f"{result.half_spaces['dimension'].max():,}, whose smoothed versions are known, {verdict} (certified "
        f"over true radius: at most {ratio.max():.4f}, median {ratio.median():.2f})."
    )


def _curse(result: SmoothingResult) -> str:
    parts = []
    for p, rows in result.curse.groupby("p_other"):
        row = rows.iloc[(rows["dimension"] - 784).abs().argmin()]
        parts.append(f"{row['exact']:.3f} at p = {p:g} (Chernoff {row['chernoff']:.3f})")
    last = result.curse[result.curse["dimension"] == result.curse["dimension"].max()].sort_values("p_other")
    ends = ", ".join(f"{value:.4f} at p = {p:g}" for p, value in zip(last["p_other"], last["exact"], strict=True))
    return (
        f"The curse of dimension: in {int(row['dimension'])} dimensions nothing is certified where sigma falls below the "
        f"following fraction of its value: {', '.join(parts)}; in {int(last['dimension'].iloc[0]):,} dimensions {ends}."
    )


def _approximation(result: SmoothingResult) -> str:
    rows = result.approximation
    error = (rows["approximate"] / rows["radius"] - 1.0).abs()
    product = rows["rate"] * rows["radius"]
    near, mid = error[product <= 0.05].max(), error[product <= 0.2].max()
    return (
        f"Derived: the radius is about that of constant noise over sqrt(1 + 2 N r^2 sigma^2), here within {near:.1%} while "
        f"r times the radius is at most 0.05 and within {mid:.1%} up to 0.2."
    )


def _digits(result: SmoothingResult) -> tuple[str, str]:
    points, most = result.points, max(result.sweep.budget.sizes)
    shown = points[points["votes"] == most]
    usual = shown[((shown["quantile"] == 0.5) & (shown["k"] == 20)) | (shown["rate"] == 0)]
    lines = []
    for sigma, part in usual.groupby("sigma"):
        rows = part.sort_values("rate")[["rate", "error", "mean_radius", "deviation"]].to_numpy()
        lines.append(f"σ_b = {sigma:g}: " + "; ".join("r = {:g} {:.3f} / {:.3f} / {:.3f}".format(*row) for row in rows))
    rates = usual[usual["rate"] > 0]
    base = usual[usual["rate"] == 0].set_index("sigma").loc[rates["sigma"]].reset_index()
    gains = rates.reset_index()[["error", "deviation", "mean_radius"]] - base[["error", "deviation", "mean_radius"]]
    return (
        f"Digits, {len(result.sweep.labels)} test points, {most:,} votes, error / mean radius / deviation of classes: "
        f"{'. '.join(lines)}.",
        f"The paper (remembered) reports modest gains of input-dependent noise in accuracy and in the balance of classes "
        f"at small rates; here, of {len(rates)} designs with the usual m and k, {(gains['error'] < 0).sum()} have a smaller "
        f"error than constant noise of the same base, {(gains['deviation'] < 0).sum()} a smaller deviation of classes and "
        f"{(gains['mean_radius'] > 0).sum()} a larger mean radius.",
    )


def _front(result: SmoothingResult) -> str:
    points = result.points
    front = points[points["front"]]
    return (
        f"Of {len(points)} points (design and number of votes) {len(front)} are non-dominated in error, minus mean radius, "
        f"deviation of classes and cost, {(front['rate'] > 0).sum()} of them with input-dependent noise; weighted sums find "
        f"{front['weighted'].sum()}. The hypervolume (normalised, derived) of all points is {result.volume_all:.3f}, that "
        f"of those with constant noise {result.volume_constant:.3f}."
    )


def _certified(result: SmoothingResult) -> tuple[str, ...]:
    one, fair, points = result.certificate, result.fair, result.points
    moving = points["rate"].to_numpy() > 0
    sure, excluded, undecided = (
        f"{mask.sum()} ({(mask & moving).sum()} with input-dependent noise)"
        for mask in (one.sure, one.excluded, one.undecided)
    )
    first = (
        f"With confidence {1 - one.delta:g} from {one.n_examples} digits, in error, lost radius and cost, of {len(points)} "
        f"points {sure} are on the true front, {excluded} are not, and {undecided} are undecided; with the error of the "
        f"worst class as one more objective {fair.sure.sum()}, {fair.excluded.sum()} and {fair.undecided.sum()}."
    )
    rows = result.further
    if rows.empty:
        return (first,)
    needed = rows["sufficient_additional"]
    finite = needed[np.isfinite(needed)]
    about = f"Further digits for the {len(rows)} undecided points"
    if finite.empty:
        return first, f"{about}: no gap to a rival is observed, so that none can be planned."
    return first, (
        f"{about}: if the observed gaps are the true ones, ten times as many digits decide "
        f"{(finite <= 9 * one.n_examples).sum()} of them, with probability 0.8 each (a plan, not a guarantee); of the "
        f"{len(finite)} with a gap the median needs {finite.median():,.0f} more and the worst {finite.max():,.0f}; "
        f"{len(rows) - len(finite)} show no gap at all."
    )
