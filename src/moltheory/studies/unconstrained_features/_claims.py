"""The claims of the paper's abstract, and what this study finds about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory.studies._claims import AGREES, DIFFERS, Claim
from moltheory.studies._over_seeds import median_text, share_text
from moltheory.studies.unconstrained_features._certified import last_nc1
from moltheory.studies.unconstrained_features._experiment import NEAR
from moltheory.studies.unconstrained_features._networks import FEATURES, WEIGHTS, layer_columns
from moltheory.studies.unconstrained_features._panels import reached
from moltheory.studies.unconstrained_features._widths import CLOSE, GROUPS

if TYPE_CHECKING:
    import pandas as pd

    from moltheory.studies.unconstrained_features._result import UnconstrainedResult

__all__ = ["claims"]

# The rules, fixed before the runs whose numbers they judge.
_EXACT = 1e-12
_COLLAPSED = 1e-6
_MOST_STARTS = 0.9
_GAP = 0.1
_LAST_NC1 = 0.01


def claims(result: UnconstrainedResult) -> tuple[Claim, ...]:
    """Return the claims of the abstract, each with its rule, its numbers and a verdict."""
    return (_optimum(result), _descent(result), _features(result), _weights(result), _layers(result))


def _optimum(result: UnconstrainedResult) -> Claim:
    exact, sweep = result.exact, result.sweep
    off = float(exact[["error", "gradient", "nc1", "condition", "outside"]].max().max())
    lowest = float(min(sweep["gap"].min(), result.widths["gap"].min()))
    ends = [reached(sweep, depth) for depth in result.depths]
    count = sum(len(part) for part in ends)
    nc1 = max((float(part["nc1"].max()) for part in ends if len(part)), default=0.0)
    total = len(sweep) + len(result.widths)
    nc3 = max((float(part["outside"].max()) for part in ends if len(part)), default=0.0)
    fine = off <= _EXACT and lowest >= -_EXACT and count > 0 and max(nc1, nc3) <= _COLLAPSED
    below = f"none of {total:,} trained networks is below F(a*)" if lowest >= -_EXACT else "a trained network is below"
    return Claim(
        "With two classes, the unique global optimum of the deep unconstrained features model has all properties of "
        "deep neural collapse.",
        "abstract",
        "exact value",
        "Agrees if collapsed networks written as matrices have loss F(a*) and no gradient, no trained network is lower "
        "(both to 1e-12), and L-BFGS ends there only in collapse (NC1, NC3 up to 1e-6).",
        f"Matrices for L = 2 to {int(exact['depth'].max())}: off by {number_text(off, 1)} at most; {below}; "
        f"at width 8 {count} ended at the optimum, with NC1 up to {number_text(nc1, 1)} and weights "
        f"outside the class means up to {number_text(nc3, 1)}.",
        AGREES if fine else DIFFERS,
        "Uniqueness is the paper's theorem; runs can only contradict it."
        if fine
        else "See the numbers: a rule of the check is broken.",
    )


def _descent(result: UnconstrainedResult) -> Claim:
    part = result.shares[result.shares["factors"] == GROUPS[0]].groupby("width")[["reached", "starts"]].sum()
    texts = [f"width {width}: {share_text(int(row['reached']), int(row['starts']))}" for width, row in part.iterrows()]
    widest = part.iloc[-1]
    fine = widest["reached"] >= _MOST_STARTS * widest["starts"]
    return Claim(
        "Optimized by gradient descent, deep unconstrained features agree well with the theory.",
        "abstract, (i)",
        "experiment",
        f"Random starts, factors up to half the critical one, L = {joined(result.depths, 'd')}. Agrees if at the "
        f"largest width {_MOST_STARTS:.0%} of starts end within {CLOSE:.0%} of F(a*).",
        f"{'; '.join(texts)}.",
        AGREES if fine else DIFFERS,
        "" if fine else "Narrow networks and few steps: other starts end in local minima, with one class learned.",
    )


def _features(result: UnconstrainedResult) -> Claim:
    rows = result.networks[(result.networks["kind"] == FEATURES) & (result.networks["nominal"] < 1)]
    fine = _fits(rows)
    first = rows[rows["nominal"] == rows["nominal"].min()]
    off = float((rows["scale"] - rows["predicted_scale"]).abs().max())
    return Claim(
        "Trained networks recover the unconstrained features suitable for deep neural collapse.",
        "abstract, (ii)",
        "experiment",
        f"Trunk and head, features regularized as in the model, {_where(result)}. Agrees if at every factor the median "
        f"gap to F(a*) is at most {_GAP:.0%}, and NC1 in the last hidden layer at most {_LAST_NC1:g}.",
        f"Gap at the smallest factor {median_text(first['gap'], digits=2)}, largest of all "
        f"{number_text(rows['gap'].max(), 2)}; NC1 at most {number_text(last_nc1(rows).max(), 1)}; outputs within "
        f"{number_text(off, 1)} of a*.",
        AGREES if fine else DIFFERS,
        "" if fine else "A small trunk, trained briefly, has not reached the optimum of free features.",
    )


def _weights(result: UnconstrainedResult) -> Claim:
    rows = result.networks[result.networks["kind"] == WEIGHTS]
    deepest = rows[rows["trunk"] == rows["trunk"].max()]
    fine = _fits(deepest)
    gaps = [f"{trunk} hidden: {number_text(part['gap'].median(), 2)}" for trunk, part in rows.groupby("trunk")]
    return Claim(
        "The same, with weight decay on all layers, as networks are trained.",
        "abstract, (ii)",
        "experiment",
        f"Same data and rule, for the deepest trunk; the features' factor is fitted from norms, the gap is a prediction. "
        f"Hidden layers of the trunk: {joined(sorted(rows['trunk'].unique()), 'd')}.",
        f"Gap {median_text(deepest['gap'], digits=2)}; by trunk: {', '.join(gaps)}. NC1 falls by layer, "
        f"{_by_layer(deepest, 'nc1')}; cosine of class means behind the trunk "
        f"{number_text(deepest['cosine_0'].median(), 2)}.",
        AGREES if fine else DIFFERS,
        _depth_note(rows)
        if fine
        else "Size: a small trunk leaves class means correlated, since turning them apart costs weight; compare the "
        "depths.",
    )


def _layers(result: UnconstrainedResult) -> Claim:
    exact = result.exact
    off = float(exact[["error", "gradient", "nc1", "condition", "spread"]].max().max())
    below = result.sweep[result.sweep["ratio"] < 1]
    best = below.groupby("depth")["gap"].min()
    fine = off <= _EXACT and bool((best <= NEAR).all())
    return Claim(
        "The unconstrained features model extends to multiple nonlinear layers.",
        "abstract",
        "exact value",
        f"Explicit optima for every L tried. Agrees if loss, gradient, NC1, conditioning behind ReLU and equal norms hold "
        f"to 1e-12, and training ends within {NEAR:g} of F(a*) at each depth.",
        f"L = {joined(exact['depth'], 'd', last=', ')}: all errors at most {number_text(off, 1)}; best trained loss "
        f"within {number_text(max(float(best.max()), 0.0), 1)} of F(a*) for L = {joined(best.index, 'd', last=', ')}.",
        AGREES if fine else DIFFERS,
        "" if fine else "See the numbers: a rule of the check is broken.",
    )


def _fits(rows: pd.DataFrame) -> bool:
    gaps = rows.groupby("nominal")["gap"].median()
    nc1 = rows.assign(last=last_nc1(rows)).groupby("nominal")["last"].median()
    return bool((gaps <= _GAP).all() and (nc1 <= _LAST_NC1).all())


def _depth_note(rows: pd.DataFrame) -> str:
    """Which trunks miss the rule that the deepest one keeps, and how that one was chosen."""
    missed = [str(trunk) for trunk, part in rows.groupby("trunk") if not _fits(part)]
    others = f"Trunks of depth {joined(missed)} miss the rule. " if missed else ""
    return f"{others}The deepest trunk of the full run was added after an exploratory run of one seed."


def _by_layer(rows: pd.DataFrame, name: str) -> str:
    columns = layer_columns(rows, name)
    return ", ".join(number_text(float(rows[one].median()), 1) for one in columns)


def _where(result: UnconstrainedResult) -> str:
    n = int(result.networks["per_class"].iloc[0])
    return f"{result.data} classes {result.classes[0]} and {result.classes[1]}, {n} images each"
