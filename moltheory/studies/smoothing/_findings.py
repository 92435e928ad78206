"""What was found, in sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.smoothing._study import SmoothingResult

__all__ = ["sentences"]

# Standard errors, of the largest of some forty differences.
_AGREES = 4.0


def sentences(result: SmoothingResult) -> tuple[str, ...]:
    """Return the findings; what is not a theorem of the paper is said to be derived, remembered or measured."""
    return (_checks(result), _curse(result), _approximation(result), *_digits(result), _front(result), *_real(result))


def _checks(result: SmoothingResult) -> str:
    z = max(float(result.simulated[name].abs().max()) for name in ("z", "z_here"))
    ratio = result.half_spaces["ratio"]
    unsound = int((ratio > 1.0).sum())
    verdict = "no certified radius is above the true one" if unsound == 0 else f"UNSOUND: {unsound} radii are too large"
    agrees = "agrees" if z <= _AGREES else "DISAGREES"
    return (
        f"The certificate {agrees} with simulation at {len(result.simulated)} random settings (largest difference {z:.1f} "
        f"standard errors), and on {len(ratio):,} half-spaces in dimension {result.half_spaces['dimension'].min()} to "
        f"{result.half_spaces['dimension'].max():,}, whose smoothed versions are known, {verdict} (largest share of it "
        f"{ratio.max():.4f}, median {ratio.median():.2f})."
    )


def _curse(result: SmoothingResult) -> str:
    parts = []
    for p, rows in result.curse.groupby("p_other"):
        row = rows.iloc[(rows["dimension"] - 784).abs().argmin()]
        parts.append(f"{row['exact']:.3f} at p = {p:g} (Chernoff {row['chernoff']:.3f})")
    last = result.curse[result.curse["dimension"] == result.curse["dimension"].max()].sort_values("p_other")
    ends = ", ".join(f"{value:.4f} at p = {p:g}" for p, value in zip(last["p_other"], last["exact"], strict=True))
    return (
        f"The curse of dimension: in {int(row['dimension'])} dimensions nothing is certified where sigma falls below "
        f"this share of itself: {', '.join(parts)}; in {int(last['dimension'].iloc[0]):,} dimensions {ends}."
    )


def _approximation(result: SmoothingResult) -> str:
    rows = result.approximation
    error = (rows["approximate"] / rows["radius"] - 1.0).abs()
    product = rows["rate"] * rows["radius"]
    near, mid = error[product <= 0.05].max(), error[product <= 0.2].max()
    return (
        f"Derived: the radius is about that of constant noise over sqrt(1 + 2 N r^2 sigma^2), here within {near:.1%} while "
        f"r times the radius is at most 0.05 and {mid:.1%} up to 0.2."
    )


def _digits(result: SmoothingResult) -> tuple[str, ...]:
    points, most = result.points, max(result.sweep.budget.sizes)
    shown = points[points["votes"] == most]
    usual = shown[((shown["quantile"] == 0.5) & (shown["k"] == 20)) | (shown["rate"] == 0)]
    lines = []
    for sigma, part in usual.groupby("sigma"):
        constant = part[part["rate"] == 0].iloc[0]
        others = part[part["rate"] > 0].sort_values("rate")
        lines.append(f"σ_b = {sigma:g}: {_row(constant)}; " + "; ".join(_row(row) for _, row in others.iterrows()))
    rates = usual[usual["rate"] > 0]
    base = usual[usual["rate"] == 0].set_index("sigma")
    radius_up = int((rates["mean_radius"] > rates["sigma"].map(base["mean_radius"])).sum())
    fair = int((rates["deviation"] < rates["sigma"].map(base["deviation"])).sum())
    error = int((rates["error"] < rates["sigma"].map(base["error"])).sum())
    first = (
        f"Digits, {len(result.sweep.labels)} test points, {most:,} votes, error / mean radius / deviation of classes: "
        f"{'. '.join(lines)}."
    )
    second = (
        f"The paper (remembered) reports modest gains of input-dependent noise in accuracy and in the balance of classes "
        f"at small rates; here, of {len(rates)} designs with the usual m and k, the error is smaller than under constant "
        f"noise of the same base in {error}, the deviation of classes in {fair}, and the mean radius larger in "
        f"{radius_up}."
    )
    return first, second


def _row(row: pd.Series) -> str:
    return f"r = {row['rate']:g} {row['error']:.3f} / {row['mean_radius']:.3f} / {row['deviation']:.3f}"


def _front(result: SmoothingResult) -> str:
    points = result.points
    front = points[points["front"]]
    moving = int((front["rate"] > 0).sum())
    return (
        f"Of {len(points)} points (design and number of votes) {len(front)} are non-dominated in error, minus mean radius, "
        f"deviation of classes and cost, {moving} of them with input-dependent noise; weighted sums reach "
        f"{int(front['weighted'].sum())}. Hypervolume (normalised, derived) of all points {result.volume_all:.3f}, of "
        f"those with constant noise {result.volume_constant:.3f}."
    )


def _real(result: SmoothingResult) -> tuple[str, ...]:
    one, fair, points = result.certificate, result.fair, result.points
    moving = points["rate"].to_numpy() > 0
    first = (
        f"Certified at confidence {1 - one.delta:g} from {one.n_examples} digits, in error, lost radius and cost, of "
        f"{len(points)} points: on the true front for sure {int(one.sure.sum())} "
        f"({int((one.sure & moving).sum())} with input-dependent noise), not on it for sure {int(one.excluded.sum())} "
        f"({int((one.excluded & moving).sum())}), undecided {int(one.undecided.sum())} "
        f"({int((one.undecided & moving).sum())}); with the error of the worst class as one more objective "
        f"{int(fair.sure.sum())}, {int(fair.excluded.sum())} and {int(fair.undecided.sum())}."
    )
    rows = result.further
    finite = rows[np.isfinite(rows["bound"])]
    if rows.empty:
        return (first,)
    if finite.empty:
        more = "for none of them do the observed gaps tell how many more digits would"
    else:
        soon = int((finite["bound"] <= 9 * one.n_examples).sum())
        middle, worst = finite["bound"].median(), finite["bound"].max()
        more = (
            f"by the observed gaps (with probability 0.8 each; a plan, no guarantee) ten times as many digits settle "
            f"{soon} of them; of the {len(finite)} with a gap the median takes {middle:,.0f} more and the worst "
            f"{worst:,.0f}; {len(rows) - len(finite)} show no gap at all"
        )
    return first, f"What would settle the {len(rows)} undecided points: {more}."
