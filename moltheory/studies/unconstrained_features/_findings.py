"""What was found, in sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._text import joined
from moltheory.studies.unconstrained_features._panels import GAINS, reached

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.unconstrained_features._result import UnconstrainedResult

__all__ = ["caption", "findings"]


def caption(result: UnconstrainedResult) -> str:
    """Return what to see, in 60 words at most."""
    below = int((result.sweep["gap"] < -1e-12).sum())
    row = result.reach[result.reach["depth"] == result.depth].iloc[0]
    return (
        f"Of {len(result.sweep)} trained networks {below or 'none'} {'are' if below > 1 else 'is'} below the closed-form "
        f"optimum of collapse. Its scale jumps to zero at the critical factor, so that the front of collapsed networks is "
        f"not convex: weighted sums return {int(row['missed_returned'])} of the "
        f"{int(row['points'] - row['supported'])} points in its hole, an ε-constraint returns "
        f"{_all(int(row['epsilon_constraint']), int(row['points']))} of the front."
    )


def _all(count: int, total: int) -> str:
    return "every point" if count == total else f"{count} of {total} points"


def findings(result: UnconstrainedResult) -> tuple[str, ...]:
    """Return the findings; whatever is not a theorem of the paper is marked as derived or measured."""
    return (
        *_optimum(result),
        _collapse(result),
        *_threshold(result),
        _reach(result),
        _budgets(result),
        *_iterates(result),
        _points(result),
    )


def _optimum(result: UnconstrainedResult) -> tuple[str, str]:
    below = result.sweep[result.sweep["ratio"] < 1]
    best = below.groupby(["depth", "ratio"])["gap"].min()
    near = int((best.abs() <= 1e-12).sum())
    shares = ", ".join(
        f"{int(part['is_optimal'].sum())} of {len(part)} at L = {depth}" for depth, part in below.groupby("depth")
    )
    counts = {code: int((below["learned"] == code).sum()) for code in (1, 0, -1)}
    lowest = float(result.sweep["gap"].min())
    below_it = "No network is below it" if lowest >= -1e-12 else f"SOME network is below it, by {-lowest:.0e}"
    first = (
        f"Below the critical factor the best of the seeds is within 1e-12 of the closed form F(a*) at {near} of "
        f"{len(best)} settings of depth and factor after L-BFGS. {below_it}, above or below the critical factor, as the "
        f"theorem for two classes says."
    )
    descent = below[below["is_optimal"]]["gap_descent"]
    exact = int((below.loc[below["is_optimal"], "gap"] <= 1e-12).sum())
    gap = (
        f", {exact} of {len(descent)} to 1e-12 and the rest to {below.loc[below['is_optimal'], 'gap'].max():.0e} "
        f"(L-BFGS stops at kinks of ReLU). After gradient descent alone their median gap is {descent.median():.0e}"
        if len(descent)
        else ""
    )
    second = (
        f"Not every start gets there: {shares} reach the optimum{gap}. The others end with exactly the loss of a network "
        f"that learned one class (derived: (1/2 + F)/2; {counts[1]}), at zero ({counts[0]}) or elsewhere "
        f"({counts[-1]}). The paper reports that gradient descent agrees with the theory; at this scale, from these random "
        f"starts, local minima are common."
    )
    return first, second


def _collapse(result: UnconstrainedResult) -> str:
    rows = [(depth, reached(result.sweep, depth)) for depth in result.depths]
    found = [(depth, part) for depth, part in rows if len(part)]
    if not found:
        return "No network reached an optimum other than zero, so nothing is said about collapse."
    total = sum(len(part) for _, part in found)
    nc1 = max(float(part["nc1"].max()) for _, part in found)
    spread = max(float(part["spread"].max()) for _, part in found)
    behind = max(_condition(part, range(1, depth)) for depth, part in found)
    features = max(_condition(part, range(1)) for _, part in found)
    return (
        f"All {total} networks that reached a nonzero optimum are collapsed in every layer: NC1 at most {nc1:.0e}, "
        f"condition number of the class means behind every ReLU at most 1 + {behind:.0e}, factors times squared norms "
        f"equal up to a share of {spread:.0e}. The means of the features H_1 themselves had condition numbers up to "
        f"{features:.3g}: the optimum does not fix them (derived: cosines down to -1/(K-1) before the first ReLU cost "
        f"nothing)."
    )


def _threshold(result: UnconstrainedResult) -> tuple[str, ...]:
    above = result.sweep[result.sweep["ratio"] > 1]
    if above.empty:
        return ()
    ends = {depth: (depth + 1) / 4 ** (depth / (depth + 1)) for depth in result.depths}
    zero = int((above["learned"] == 0).sum())
    stuck = above[above["learned"] != 0]
    beyond = int(sum((stuck["ratio"] > stuck["depth"].map(ends)).astype(int)))
    spans = ", ".join(f"{end:.2f} at L = {depth}" for depth, end in ends.items())
    jumps = ", ".join(f"{(depth - 1) / depth:.3f}" for depth in result.depths)
    high = f", with losses up to {stuck['loss'].max():.3f} against 1/2" if len(stuck) else ""
    return (
        f"At the critical factor the optimal scale jumps from (L - 1)/L ({jumps}) to 0. Above it {zero} of "
        f"{len(above)} networks end at zero, the optimum; {len(stuck)} stay in local minima{high}. Derived: such minima "
        f"of collapsed networks exist up to (L + 1)/4^(L/(L+1)) times the critical factor ({spans}). Beyond that, "
        f"{beyond} of the networks are in one.",
    )


def _reach(result: UnconstrainedResult) -> str:
    reach = result.reach
    everything = bool(reach[["epsilon_constraint", "chebyshev"]].eq(reach["points"], axis=0).all(axis=None))
    exact = bool((reach["weighted_sum"] == reach["supported"]).all() and (reach["missed_returned"] == 0).all())
    error = float((reach["largest_gap"] - reach["closed_gap"]).abs().max())
    gap = "(L-1)/L, as in closed form" if error <= 1e-12 else f"(L-1)/L up to {error:.0e}"
    row = reach[reach["depth"] == result.depth].iloc[0]
    missed = result.missed
    return (
        f"The front of collapsed networks, f2 = C (1 - sqrt(2 f1))^(2/(L+1)), is not convex. Weighted sums return "
        f"{'exactly its supported points' if exact else 'another set than its supported points'} and "
        f"{int(reach['missed_returned'].sum())} of the {int(reach['missed'].sum())} grid points with 0 < a < (L-1)/L; "
        f"ε-constraint and Chebyshev return {'every point' if everything else 'not every point'}. The largest gap "
        f"between scales returned is {gap}. At L = {result.depth} the hole reaches from fit "
        f"{missed.fit[0]:.4f} to {missed.fit[1]:g} and {missed.height:.4f} above its chord, and adds a hypervolume of "
        f"{row['volume_missed']:.4f} on the grid, {row['closed_volume']:.4f} in closed form."
    )


def _budgets(result: UnconstrainedResult) -> str:
    budgets, end = result.budgets, result.missed.scales[1]
    hole = budgets[budgets["budget_scale"] < end]
    kept = hole[hole["start"] == "collapsed"].groupby("budget_scale")["gain"].agg(lambda gain: gain.abs().max())
    stays = kept.index[kept <= GAINS].tolist()
    best = hole.groupby("budget_scale")["gain"].max()
    beaten = best.index[best > GAINS].tolist()
    parts = [
        f"With the norms as a budget (ε-constraint on the networks themselves, L = {result.depth}), training from a "
        f"noisy collapsed network stays on the collapsed front at "
        f"{'scale ' + joined(stays, 'g', last=', ') if stays else 'none of the scales tried'} inside the hole, where "
        f"no weighted sum has its minimum."
    ]
    if beaten:
        parts.append(
            f"At scale {joined(beaten, 'g', last=', ')} networks from some start dominate the collapsed one, with up to "
            f"{best.max():.4f} less fit error for the same norms."
        )
    higher = result.separated[result.separated_gain > GAINS, 1]
    if len(higher):
        parts.append(
            f"Derived, on a grid of scales: below {higher.max() / result.front[:, 1].max():.0%} of the norms of a "
            f"perfect fit, unequal scales of the classes dominate equal ones (one class first). So collapse is what "
            f"weighted sums have as their optimum, not a property of the whole front."
        )
    return " ".join(parts)


def _iterates(result: UnconstrainedResult) -> tuple[str, ...]:
    checked = int(result.sweep["checked"].sum())
    if not checked:
        return ("No iterate fitted well enough for the bound on the product of norms to apply.",)
    lowest = float(result.sweep["product_ratio"].min())
    verdict = "held at" if lowest >= 1.0 - 1e-9 else "FAILED at some of"
    return (
        f"The bound ||H_1||^2 prod ||W_l||^2 >= n 2^(L+1) (1 - sqrt(2 f1))^2 for fits up to 1/(2 L^2), derived from the "
        f"theorem, {verdict} all {checked} logged iterates in its reach (smallest ratio {lowest:.9f}).",
    )


def _points(result: UnconstrainedResult) -> str:
    rows = result.objectives
    share = rows["nondominated"].sum() / rows["networks"].sum()
    volumes = (rows["volume_trained"] / rows["volume_closed"]).to_numpy()
    front = (rows["volume_trained"] / rows["volume_front"]).to_numpy()
    one = rows["share_nondominated_1"].dropna()
    half = (
        f" By the theorem networks with one class learned are optimal for no weights; yet of those found "
        f"{one.mean():.0%} (mean over depths) are dominated by no trained network."
        if len(one)
        else ""
    )
    why = " (above 1: local minima fill the hole)" if volumes.max() > 1.0 + 1e-6 else ""
    return (
        f"In fit and the L + 1 squared norms {share:.0%} of the trained networks are non-dominated.{half} In fit and "
        f"total norm their hypervolume is {volumes.min():.4f} to {volumes.max():.4f} times that of the closed-form "
        f"optima at the same factors{why} and {front.min():.4f} to {front.max():.4f} times that of the whole collapsed "
        f"front, by depth."
    )


def _condition(part: pd.DataFrame, layers: range) -> float:
    worst = float(part[[f"condition_{k}" for k in layers]].max().max())
    return worst - 1.0 if layers.start else worst
