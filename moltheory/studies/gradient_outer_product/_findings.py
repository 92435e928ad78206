"""The findings: sentences with numbers taken from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text, percent_text
from moltheory._core._text import span
from moltheory.studies.gradient_outer_product._tables import DELTA, geometric_mean

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.gradient_outer_product._result import GradientOuterProductResult

__all__ = ["caption", "findings"]


def caption(result: GradientOuterProductResult) -> str:
    """Return what to see, in 60 words at most."""
    ours, identity = (_of(result.ratios, "relu", matrix) for matrix in ("gradients", "identity"))
    errors = _of(result.models, "relu", "gradients").groupby("depth")["test_error"].mean()
    counts = result.fronts[["models", "sure", "excluded"]].sum().astype(int)
    return (
        f"With M, the outer product of gradients, NC1 (variation within classes relative to that between them) goes from "
        f"{number_text(geometric_mean(ours['first']), 2)} to {number_text(geometric_mean(ours['last']), 2)} in "
        f"{int(ours['layers'].iloc[0])} layers; with M = I it ends at {number_text(geometric_mean(identity['last']), 2)}. "
        f"Test error goes from {percent_text(errors.iloc[0], 1)} to {percent_text(errors.iloc[-1], 1)}. Of "
        f"{counts['models']} models {counts['sure']} are certainly on the front, {counts['excluded']} certainly not."
    )


def findings(result: GradientOuterProductResult) -> tuple[str, ...]:
    """Return the findings."""
    return (
        _relu(result),
        _controls(result),
        *_bandwidths(result),
        _errors(result),
        _halves(result),
        _correlations(result),
        *_front(result),
    )


def _relu(result: GradientOuterProductResult) -> str:
    rows = _of(result.ratios, "relu", "gradients")
    layers, lowered, undone = (int(rows[name].sum()) for name in ("layers", "lowered", "undone"))
    phi = geometric_mean(rows["map_ratio"])
    verdict = "raises it slightly again" if 1.0 < phi < 1.5 else "raises it again" if phi > 1.0 else "lowers it too"
    divided = phi > 1.0 and lowered == layers
    last = _of(result.layers, "relu", "gradients").groupby("seed")["test_nc1_phi"].last()
    ranks = _of(result.models, "relu", "gradients").groupby("depth")["rank"].mean()
    return (
        f"With ReLU features train NC1 goes from {geometric_mean(rows['first']):.3g} to {geometric_mean(rows['last']):.3g} "
        f"over {int(rows['layers'].iloc[0])} layers (geometric means of {len(rows)} seeds, lower at the end in "
        f"{(rows['last'] < rows['first']).sum()} of them), test NC1 to {geometric_mean(last):.3g}, and the mean rank of the "
        f"features from {ranks.iloc[0]:.0f} to {ranks.iloc[-1]:.0f}. M^(1/2) lowers train NC1 in {lowered} of {layers} "
        f"layers, by a factor of {geometric_mean(rows['matrix_ratio']):.3f} (geometric mean; seeds "
        f"{_range(rows['matrix_ratio'])}); the random map {verdict}, by a factor of {phi:.3f} (higher in {undone} of "
        f"{layers} layers). That {'is' if divided else 'differs from'} the paper's division of labor."
    )


def _controls(result: GradientOuterProductResult) -> str:
    parts, decayed = [], 0
    for feature_map, label in (("relu", "ReLU"), ("fourier", "Fourier")):
        for matrix, name in (("identity", "M = I"), ("random", "a random M of the same spectrum")):
            rows = _of(result.ratios, feature_map, matrix)
            down = int((rows["last"] < rows["first"]).sum())
            decayed += down
            end = geometric_mean(rows["last"])
            parts.append(
                f"{end:.3g} ({label} features, {name}; lower than at the start in {down} of {len(rows)} seeds)"
            )
    verdict = (
        f"{decayed} control runs DO decay, which differs from the paper"
        if decayed
        else "no control decays: the directions of M collapse the classes, not its spectrum"
    )
    return f"NC1 of the controls ends at {', '.join(parts)}. So {verdict}."


def _bandwidths(result: GradientOuterProductResult) -> tuple[str, ...]:
    rows = _of(result.ratios, "fourier", "gradients")
    table = {float(str(b)): part for b, part in rows.groupby("bandwidth")}
    curve = ", ".join(
        f"{b:g}: {geometric_mean(part['matrix_ratio']):.3f} x {geometric_mean(part['map_ratio']):.3f}"
        for b, part in table.items()
    )
    ends = {b: geometric_mean(part["last"]) / geometric_mean(part["first"]) for b, part in table.items()}
    failed = [f"{b:g}" for b, end in ends.items() if end >= 1.0]
    best = min(ends, key=lambda b: ends[b])
    lost = f"; there is no collapse at {', '.join(failed)}" if failed else "; NC1 falls at all of them"
    first = (
        f"With random Fourier features collapse depends on the bandwidth (in units of the root mean square length of "
        f"M^(1/2)x, our choice). Factors of M^(1/2) and of the map per layer: {curve}. Over all layers NC1 falls most "
        f"at bandwidth {best:g}, to {ends[best]:.1e} of its start{lost}."
    )
    low = [b for b, part in table.items() if geometric_mean(part["matrix_ratio"]) < 0.5]
    undo = [f"{b:g}" for b in low if geometric_mean(table[b]["map_ratio"]) > 2.0]
    if not undo:
        return (first,)
    return (
        first,
        f"At bandwidth {', '.join(undo)}, M^(1/2) more than halves NC1 but the map more than doubles it "
        f"again: the claim that the map undoes only little does not hold at every bandwidth.",
    )


def _errors(result: GradientOuterProductResult) -> str:
    fourier = _of(result.ratios, "fourier", "gradients").groupby("bandwidth")["last"].apply(geometric_mean)
    best = float(str(fourier.idxmin()))
    parts = []
    for feature_map, bandwidth, label in (
        ("relu", 0.0, "ReLU features"),
        ("fourier", best, f"Fourier features of bandwidth {best:g}"),
    ):
        rows = _of(result.models, feature_map, "gradients")
        errors = rows[rows["bandwidth"] == bandwidth].pivot_table(index="depth", columns="seed", values="test_error")
        means, change = errors.mean(axis=1), errors.iloc[-1] - errors.iloc[0]
        parts.append(
            f"{label} from {means.iloc[0]:.2%} without layers to {means.iloc[-1]:.2%} at depth {means.index.max()} "
            f"(higher in {(change > 0).sum()}, lower in {(change < 0).sum()} of {len(change)} seeds; best mean "
            f"{means.min():.2%} at depth {means.idxmin()})"
        )
    plain = _of(result.models, "relu", "identity").groupby("depth")["test_error"].mean()
    costs = ", so random features cost accuracy without collapse too" if plain.iloc[-1] > plain.iloc[0] else ""
    return (
        f"Collapse and accuracy differ. Mean test error changes, with {'; with '.join(parts)}. ReLU features with M = I, "
        f"which do not collapse, end at {plain.iloc[-1]:.2%}{costs}."
    )


def _halves(result: GradientOuterProductResult) -> str:
    parts = []
    for decay, rows in result.shares.groupby("decay"):
        share = rows["share"].dropna()
        quoted = (
            f"S V' carries {share.mean():.0%} of the drop of its logarithm ({share.min():.0%} to {share.max():.0%})"
            if len(share)
            else "there is no drop"
        )
        parts.append(
            f"At decay {decay:g} NC1 goes from {geometric_mean(rows['first']):.3g} to "
            f"{geometric_mean(rows['last']):.3g} over the hidden layers and {quoted}; per layer the factors "
            f"are {geometric_mean(rows['half_ratio']):.3f} by S V' and {geometric_mean(rows['relu_ratio']):.3f} by ReLU."
        )
    agrees = (
        "S V' carries most of the drop of NC1, as the paper reports"
        if result.shares["share"].min() > 0.5
        else "S V' does NOT always carry most of the drop of NC1, which differs from what the paper reports"
    )
    shallow = result.shares["last"].min() > _of(result.ratios, "relu", "gradients")["last"].max()
    end = " None is collapsed as far as deep recursive features with ReLU are." if shallow else ""
    train, test = result.shares["train_error"].mean(), result.shares["test_error"].mean()
    return f"In trained networks (train error {train:.1%}, test error {test:.1%}) {agrees}. {' '.join(parts)}{end}"


def _correlations(result: GradientOuterProductResult) -> str:
    hidden = result.networks[result.networks["nc1_x"].notna()]
    columns = ["correlation", "start_correlation", "off_diagonal", "start_off_diagonal"]
    parts = []
    for decay, rows in hidden.groupby("decay"):
        means = rows.groupby("layer")[columns].mean()
        grown = int((means["correlation"] > means["start_correlation"]).sum())
        grown_off = int((means["off_diagonal"] > means["start_off_diagonal"]).sum())
        parts.append(
            f"{_range(means['correlation'])} by hidden layer at decay {decay:g} (higher than before training in {grown} "
            f"of {len(means)}; off the diagonal {_range(means['off_diagonal'])}, higher in {grown_off})"
        )
    start = hidden.groupby("layer")[columns].mean()
    return (
        f"W'W and M^(1/2) correlate with {'; '.join(parts)}. Random weights before training have "
        f"{_range(start['start_correlation'])} already (off the diagonal {_range(start['start_off_diagonal'])}), so the "
        f"correlation alone says little without that control."
    )


def _range(values: pd.Series) -> str:
    return span(values.min(), values.max(), ".3f")


def _front(result: GradientOuterProductResult) -> tuple[str, str]:
    fronts, compared = result.fronts, result.compared
    total = fronts[["models", "front", "supported", "front_3", "sure_of_front", "excluded_of_front"]].sum()
    settled = fronts[["sure", "excluded", "undecided"]].sum()
    shallow = compared[compared["on_front"]]
    deepest = compared["depth"].max()
    first = (
        f"Over depth and bandwidth, {int(total['front'])} of {int(total['models'])} models ({len(fronts)} seeds) are on "
        f"the empirical front of train NC1, test NC1, test error and rank, {int((shallow['depth'] == 0).sum())} without "
        f"any layer and {int((shallow['depth'] == deepest).sum())} of full depth; weighted sums find "
        f"{int(total['supported'])} of them. In log train NC1 and test error ReLU features have "
        f"{(fronts['volume_relu'] / fronts['volume_both']).mean():.0%} of the hypervolume of both, Fourier features "
        f"{(fronts['volume_fourier'] / fronts['volume_both']).mean():.0%}."
    )
    second = (
        f"In test error, train NC1 and rank, of which only the first is uncertain, {int(total['front_3'])} models are on "
        f"the empirical fronts; with confidence {1 - DELTA:.0%} per seed {int(total['sure_of_front'])} of them are real, "
        f"{int(total['excluded_of_front'])} are not, and "
        f"{int(total['front_3'] - total['sure_of_front'] - total['excluded_of_front'])} are undecided; of all models "
        f"{int(settled['sure'])} are sure, {int(settled['excluded'])} excluded and {int(settled['undecided'])} "
        f"undecided. Test NC1 is not a mean over examples and carries no certificate."
    )
    return first, second


def _of(table: pd.DataFrame, feature_map: str, matrix: str) -> pd.DataFrame:
    keep = np.asarray((table["feature_map"] == feature_map) & (table["matrix"] == matrix))
    return table[keep]
