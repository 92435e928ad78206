"""What was found, in short sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory.studies._over_seeds import mean_text, share_text
from moltheory.studies.unconstrained_features._experiment import WIDTH
from moltheory.studies.unconstrained_features._network_panels import kinds_of
from moltheory.studies.unconstrained_features._networks import FEATURES, WEIGHTS, layer_columns
from moltheory.studies.unconstrained_features._panels import GAINS, reached
from moltheory.studies.unconstrained_features._widths import CLOSE, GROUPS

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.unconstrained_features._result import UnconstrainedResult

__all__ = ["caption", "findings"]

# Seeds on which settings were tried before the runs; said with the findings.
_TRIED = 3


def caption(result: UnconstrainedResult) -> str:
    """Return what to see, in 60 words at most."""
    total = len(result.sweep) + len(result.widths)
    below = int((result.sweep["gap"] < -1e-12).sum()) + int((result.widths["gap"] < -1e-12).sum())
    rows = result.networks[(result.networks["kind"] == FEATURES) & (result.networks["nominal"] < 1)]
    row = result.reach[result.reach["depth"] == result.depth].iloc[0]
    return (
        f"Of {total} networks with free features {below or 'none'} {'are' if below > 1 else 'is'} below the optimum of "
        f"collapse; wide ones reach it. Networks on {result.data} follow its scale, within "
        f"{number_text((rows['scale'] - rows['predicted_scale']).abs().max(), 1)}, up to the jump to zero. Weighted sums "
        f"return {int(row['missed_returned'])} of {int(row['points'] - row['supported'])} points in the hole of the front."
    )


def findings(result: UnconstrainedResult) -> tuple[str, ...]:
    """Return the findings; whatever is not a theorem of the paper names its proof or is measured."""
    return (
        *_optimum(result),
        *_widths(result),
        *_collapse(result),
        *_threshold(result),
        *_images(result),
        _certificate(result),
        *_reach(result),
        *_budgets(result),
        _iterates(result),
        *_points(result),
    )


def _optimum(result: UnconstrainedResult) -> tuple[str, ...]:
    below = result.sweep[result.sweep["ratio"] < 1]
    best = below.groupby(["depth", "ratio"])["gap"].min()
    near = int((best.abs() <= 1e-12).sum())
    lowest = float(min(result.sweep["gap"].min(), result.widths["gap"].min()))
    total = len(result.sweep) + len(result.widths)
    no = "No" if lowest >= -1e-12 else f"SOME (by {-lowest:.0e})"
    counts = {code: int((below["learned"] == code).sum()) for code in (2, 1, 0, -1)}
    return (
        f"{no} network of {total} is below the closed form F(a*).",
        f"At width {WIDTH} the best seed is within 1e-12 of F(a*) at {near} of {len(best)} settings of depth and factor, "
        f"after L-BFGS.",
        f"Of all {len(below)} such networks below the critical factor {counts[2]} end with both classes learned, "
        f"{counts[1]} with one (loss (1/2 + F)/2, derived; proof: study-separated-networks), "
        f"{counts[0]} at zero, {counts[-1]} elsewhere.",
    )


def _widths(result: UnconstrainedResult) -> tuple[str, ...]:
    totals = result.shares.groupby(["factors", "width"])[["reached", "starts"]].sum()
    found = []
    for factors in GROUPS:
        if factors not in totals.index.get_level_values(0):
            continue
        # The widths between are in the claims and in the table.
        part = totals.loc[factors].iloc[[0, -1]]
        texts = [
            f"{share_text(int(a), int(b))} at width {w}" for w, (a, b) in zip(part.index, part.values, strict=True)
        ]
        found.append(
            f"Gradient descent within {CLOSE:.0%} of F(a*), {factors} the critical factor: {'; '.join(texts)}."
        )
    first, last = (totals.groupby("width").sum().iloc[k] for k in (0, -1))
    if last["reached"] / last["starts"] > first["reached"] / first["starts"]:
        found.append(f"So the local minima of width {WIDTH} are an effect of width: wide networks rarely end in them.")
    return tuple(found)


def _collapse(result: UnconstrainedResult) -> tuple[str, ...]:
    found = [(depth, part) for depth in result.depths if len(part := reached(result.sweep, depth))]
    if not found:
        return ("No network reached an optimum other than zero, so nothing is said about collapse.",)
    total = sum(len(part) for _, part in found)
    nc1 = max(float(part["nc1"].max()) for _, part in found)
    spread = max(float(part["spread"].max()) for _, part in found)
    outside = max(float(part["outside"].max()) for _, part in found)
    behind = max(_condition(part, range(1, depth)) for depth, part in found)
    features = max(_condition(part, range(1)) for _, part in found)
    return (
        f"All {total} networks of width {WIDTH} that reached the optimum are collapsed: NC1 at most {nc1:.0e}, condition "
        f"numbers behind ReLU at most 1 + {behind:.0e}.",
        f"Their layers' norms are equal to {spread:.0e}, and at most {outside:.0e} of a layer's squared norm is outside the "
        f"class means (NC3).",
        f"Class means of the features H_1 had condition numbers up to {features:.3g}: cosines down to -1/(K-1) before "
        f"the first ReLU cost nothing (derived; proof: study-separated-networks).",
    )


def _threshold(result: UnconstrainedResult) -> tuple[str, ...]:
    above = result.sweep[result.sweep["ratio"] > 1]
    jumps = ", ".join(f"{(depth - 1) / depth:.3f}" for depth in result.depths)
    first = f"At the critical factor the optimal scale jumps from (L - 1)/L ({jumps}) to 0."
    if above.empty:
        return (first,)
    ends = {depth: (depth + 1) / 4 ** (depth / (depth + 1)) for depth in result.depths}
    zero = int((above["learned"] == 0).sum())
    stuck = above[above["learned"] != 0]
    beyond = int((stuck["ratio"] > stuck["depth"].map(ends)).sum())
    spans = ", ".join(f"{end:.2f}" for end in ends.values())
    return (
        first,
        f"Above it {zero} of {len(above)} networks end at zero, the optimum; {len(stuck)} stay in local minima.",
        f"Derived (proof: study-separated-networks): such minima exist up to (L + 1)/4^(L/(L+1)) times the critical factor "
        f"({spans}); {beyond} networks are in one beyond.",
    )


def _images(result: UnconstrainedResult) -> tuple[str, ...]:
    rows = result.networks
    n, (first, second) = int(rows["per_class"].iloc[0]), result.classes
    found = [
        f"Images: classes {first} and {second} of {result.data}, whose means are nearest, {n} each. The recipe is ours, not "
        f"the paper's.",
        f"It was settled on {_TRIED} seeds: rates .03 and .05, three initial scales; without pretraining a 4-layer trunk "
        f"merged the classes.",
    ]
    model = rows[(rows["kind"] == FEATURES) & (rows["nominal"] < 1)]
    smallest = model[model["nominal"] == model["nominal"].min()]
    found.append(
        f"With the model's regularization, trunks compute what is free there: loss above F(a*) by a share of "
        f"{mean_text(smallest['gap'], digits=2)}, at larger factors at most "
        f"{number_text(model.loc[model['nominal'] > model['nominal'].min(), 'gap'].max(), 1)}."
    )
    beyond = rows[(rows["kind"] == FEATURES) & (rows["nominal"] > 1)]
    texts = [
        f"{part['scale'].mean():.3f} at {nominal:g} (predicted {part['predicted_scale'].mean():.3f})"
        for nominal, part in beyond.groupby("nominal")
    ]
    if texts:
        found.append(
            f"Past the critical factor they stay on the model's local minimum while it exists: scale {', '.join(texts)}."
        )
    for name, part in kinds_of(rows[rows["kind"] == WEIGHTS]):
        found.append(
            f"With {name} (features' factor fitted from norms) the loss exceeds F(a*) by "
            f"{mean_text(part['gap'], digits=2)}; class means behind the trunk: cosine {part['cosine_0'].mean():.2f}."
        )
    for name, part in kinds_of(rows[rows["nominal"] == rows["nominal"].min()]):
        columns = layer_columns(part, "nc1")
        values = ", ".join(number_text(float(part[one].median()), 1) for one in columns)
        falls = bool((part[columns].diff(axis=1).iloc[:, 1:] < 0).all(axis=None))
        found.append(
            f"NC1 by layer, {name}: {values}; it {'falls' if falls else 'does not always fall'} from layer to layer."
        )
    return tuple(found)


def _certificate(result: UnconstrainedResult) -> str:
    one = result.certificate
    count = len(one.names)
    best = int(one.sure.sum())
    part = result.networks.iloc[result.certified]
    low = part["test_error"].to_numpy()[one.sure] if best else None
    errors = f", with test errors {low.min():.1%} to {low.max():.1%}" if low is not None else ""
    return (
        f"Of {count} trained networks {best} are certainly on the front of (test error, NC1, norm){errors}, "
        f"{int(one.excluded.sum())} certainly not: {result.n_test:,} test images, confidence {1 - one.delta:.0%}."
    )


def _reach(result: UnconstrainedResult) -> tuple[str, ...]:
    reach = result.reach
    everything = bool(reach[["epsilon_constraint", "chebyshev"]].eq(reach["points"], axis=0).all(axis=None))
    exact = bool((reach["weighted_sum"] == reach["supported"]).all() and (reach["missed_returned"] == 0).all())
    row = reach[reach["depth"] == result.depth].iloc[0]
    missed = result.missed
    return (
        f"The collapsed front f2 = C (1 - sqrt(2 f1))^(2/(L+1)) is not convex: weighted sums return "
        f"{int(reach['missed_returned'].sum())} of the {int(reach['missed'].sum()):,} grid points with 0 < a < (L-1)/L.",
        f"At all {len(reach)} depths weighted sums return {'exactly the' if exact else 'other than the'} supported points, "
        f"ε-constraint and Chebyshev {'every point' if everything else 'not every point'}.",
        f"At L = {result.depth} the hole reaches from fit {missed.fit[0]:.4f} to {missed.fit[1]:g}, {missed.height:.4f} "
        f"above its chord, with hypervolume {row['closed_volume']:.4f} ({row['volume_missed']:.4f} on the grid).",
    )


def _budgets(result: UnconstrainedResult) -> tuple[str, ...]:
    budgets, end = result.budgets, result.missed.scales[1]
    hole = budgets[budgets["budget_scale"] < end]
    kept = hole[hole["start"] == "collapsed"].groupby("budget_scale")["gain"].agg(lambda gain: gain.abs().max())
    stays = kept.index[kept <= GAINS].tolist()
    best = hole.groupby("budget_scale")["gain"].max()
    beaten = best.index[best > GAINS].tolist()
    found = [
        f"With the norms as a budget, noisy collapsed networks stay on the front inside the hole at "
        f"{'scales ' + joined(stays, 'g', last=', ') if stays else 'none of the scales tried'}."
    ]
    if beaten:
        found.append(
            f"At scales {joined(beaten, 'g', last=', ')} networks from some start dominate the collapsed one, by up to "
            f"{best.max():.4f} in fit."
        )
    higher = result.separated[result.separated_gain > GAINS, 1]
    if len(higher):
        found.append(
            f"By the closed form, on a grid: below {higher.max() / result.front[:, 1].max():.0%} of the norms of a perfect "
            f"fit, learning one class first dominates collapse."
        )
    return tuple(found)


def _iterates(result: UnconstrainedResult) -> str:
    checked = int(result.sweep["checked"].sum())
    if not checked:
        return "No iterate fitted well enough for the bound on the product of norms to apply."
    lowest = float(result.sweep["product_ratio"].min())
    verdict = "held at" if lowest >= 1.0 - 1e-9 else "FAILED at some of"
    return (
        f"The bound ||H_1||^2 prod ||W_l||^2 >= n 2^(L+1) (1 - sqrt(2 f1))^2 (f1 <= 1/(2 L^2), derived; "
        f"proof: study-norm-product) {verdict} all "
        f"{checked:,} logged iterates in reach."
    )


def _points(result: UnconstrainedResult) -> tuple[str, ...]:
    rows = result.objectives
    share = rows["nondominated"].sum() / rows["networks"].sum()
    volumes = (rows["volume_trained"] / rows["volume_closed"]).to_numpy()
    one = rows["share_nondominated_1"].dropna()
    why = " (above 1: local minima fill the hole)" if volumes.max() > 1.0 + 1e-6 else ""
    found = [
        f"In fit and the L + 1 squared norms {share:.0%} of the networks of width {WIDTH} are non-dominated.",
        f"In fit and total norm their hypervolume is {volumes.min():.4f} to {volumes.max():.4f} times that of the "
        f"optima, by depth{why}.",
    ]
    if len(one):
        found.append(
            f"Networks with one class learned are optimal for no weights; yet {one.mean():.0%} of them are dominated by "
            f"no trained network."
        )
    return tuple(found)


def _condition(part: pd.DataFrame, layers: range) -> float:
    worst = float(part[[f"condition_{k}" for k in layers]].max().max())
    return worst - 1.0 if layers.start else worst
