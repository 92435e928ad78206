"""The claims of the paper's abstract, each with a check that can fail and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moltheory._core._numbers import number_text
from moltheory._core._text import joined
from moltheory.studies._claims import AGREES, DIFFERS, NOT_TESTED, Claim
from moltheory.studies.smoothing._summary import headline, over_networks, trios

if TYPE_CHECKING:
    from moltheory.studies.smoothing._result import SmoothingResult

__all__ = ["LARGE_COMMAND", "LEAST_WATERFALL", "MOST_ERRORS", "claims"]

# A quarter of the images losing their certificates at one radius is a waterfall.
LEAST_WATERFALL = 0.25
# Standard errors, of the largest of some forty differences.
MOST_ERRORS = 4.0
LARGE_COMMAND = "moltheory study smoothing --data CIFAR10 --large --device cuda"

_GOLDEN = {0.1: 0.968, 0.01: 0.942}
_NAMES = {
    "accuracy": "accuracy",
    "mean_radius": "mean radius",
    "beyond_ceiling": "certified accuracy beyond the ceiling",
}
_SIZE = "our networks have two hidden layers, and a thousand votes"


def claims(result: SmoothingResult) -> tuple[Claim, ...]:
    """Return all claims, in the order of the abstract."""
    return (
        _waterfalls(result),
        _trade_off(result),
        _fairness(result),
        _unjustified(result),
        _curse(result),
        _framework(result),
        _mitigated_waterfall(result),
        _mitigated_rest(result),
        _cifar(result),
        _further(result),
    )


def _verdict(agrees: bool, why: str) -> tuple[str, str]:
    return (AGREES, "") if agrees else (DIFFERS, why)


def _each(result: SmoothingResult, kind: str, column: str) -> str:
    return "; ".join(f"σ {one.sigma:.3g}: {over_networks(getattr(one, kind)[column])}" for one in trios(result))


def _waterfalls(result: SmoothingResult) -> Claim:
    rows = [one.constant for one in trios(result)]
    least = min(float(one["at_ceiling"].min()) for one in rows)
    beyond = max(float(one["beyond_ceiling"].max()) for one in rows)
    return Claim(
        "Classical smoothing suffers from certified accuracy waterfalls.",
        "abstract",
        "experiment",
        f"Certified accuracy of constant noise at its ceiling, that of equal votes, and beyond, on {result.sweep.data}. "
        f"Agrees if at least {LEAST_WATERFALL:g} drops to 0 there at every σ, in every network.",
        f"at the ceiling {_each(result, 'constant', 'at_ceiling')}; beyond it {number_text(beyond)}",
        *_verdict(least >= LEAST_WATERFALL and beyond == 0.0, f"fewer images reach the ceiling; {_SIZE}"),
    )


def _trade_off(result: SmoothingResult) -> Claim:
    first, *_, last = [one.constant for one in trios(result)]
    falls = bool((last["accuracy"].to_numpy() < first["accuracy"].to_numpy()).all())
    rises = bool((last["mean_radius"].to_numpy() > first["mean_radius"].to_numpy()).all())
    return Claim(
        "Classical smoothing trades accuracy for certification.",
        "abstract",
        "experiment",
        f"Accuracy and mean radius of constant noise on {result.sweep.data}. Agrees if from the smallest to the largest σ "
        "accuracy falls and the mean radius rises, in every network.",
        f"accuracy {over_networks(first['accuracy'])} to {over_networks(last['accuracy'])}; mean radius "
        f"{over_networks(first['mean_radius'])} to {over_networks(last['mean_radius'])}",
        *_verdict(falls and rises, f"the order of accuracies or radii changes between networks; {_SIZE}"),
    )


def _fairness(result: SmoothingResult) -> Claim:
    first, *_, last = [one.constant["deviation"].to_numpy() for one in trios(result)]
    return Claim(
        "Classical smoothing has fairness issues.",
        "abstract",
        "experiment",
        f"Standard deviation of the classes' accuracies under constant noise on {result.sweep.data}. Agrees if it is "
        "larger at the largest σ than at the smallest, in every network.",
        f"{over_networks(first)} to {over_networks(last)}",
        *_verdict(bool((last > first).all()), "few images per class: the deviation is mostly chance here"),
    )


def _unjustified(result: SmoothingResult) -> Claim:
    table = result.counterexamples
    one, ball = table.iloc[0], table[table["dimension"] == 784].iloc[0]
    violated = bool(((table["changes"] < table["claimed"]) & (table["p_at_claim"] > 0.5)).all())
    sound = bool((table["certified"] <= table["changes"]).all())
    return Claim(
        "Methods with input-dependent noise before it lack guarantees: their certificates are not justified.",
        "abstract",
        "exact value",
        "The uncertified formula σ(x)Φ⁻¹(p_A) on classifiers of two pieces whose probabilities are known. Agrees if the "
        "prediction changes within every claimed radius, and not within ours.",
        f"on a line claimed {number_text(one['claimed'])}, changes at {number_text(one['changes'])}, certified "
        f"{number_text(one['certified'])}; at N = 784, r = {ball['rate']:g} claimed {number_text(ball['claimed'], 4)}, "
        f"changes at {number_text(ball['changes'], 4)}, certified {number_text(ball['certified'], 4)}",
        *_verdict(violated and sound, "a claimed radius holds, or a certified one does not"),
    )


def _curse(result: SmoothingResult) -> Claim:
    table = result.curse
    ratios = {p: float(table[(table["p_other"] == p) & (table["dimension"] == 784)]["exact"].iloc[0]) for p in _GOLDEN}
    rows = [part.sort_values("dimension")["exact"] for _, part in table.groupby("p_other")]
    grows = all(bool((np.diff(one) > 0).all()) for one in rows)
    right = all(round(ratios[p], 3) == value for p, value in _GOLDEN.items())
    last = ", ".join(f"{float(one.iloc[-1]):.4f}" for one in rows[::-1])
    return Claim(
        "The curse of dimensionality forces the variance function to have low semi-elasticity.",
        "abstract",
        "exact value",
        "Smallest ratio of σ at which anything is certified, from chi-square quantiles, by dimension N. Agrees if it rises "
        "with N and is .968 and .942 at N = 784 for p = .1 and .01.",
        f"N = 784: {ratios[0.1]:.3f} and {ratios[0.01]:.3f}; N = {int(table['dimension'].max()):,}: {last}",
        *_verdict(grows and right, "the ratios are not those of the formula"),
    )


def _framework(result: SmoothingResult) -> Claim:
    z = max(float(result.simulated[name].abs().max()) for name in ("z", "z_here"))
    ratio = result.half_spaces["ratio"]
    return Claim(
        "A framework makes input-dependent smoothing usable, under strict restrictions.",
        "abstract",
        "exact value",
        f"The certificate on {len(ratio):,} half-spaces of known radius, and against simulation. Agrees if no radius is too "
        f"large and no simulated probability is off by more than {MOST_ERRORS:g} standard errors.",
        f"certified over true radius at most {number_text(float(ratio.max()), 4)}; largest difference "
        f"{number_text(z, 2)} standard errors",
        *_verdict(bool((ratio <= 1.0).all()) and z <= MOST_ERRORS, "a certificate is too large or off"),
    )


def _mitigated_waterfall(result: SmoothingResult) -> Claim:
    names = ("beyond_ceiling", "beyond_mean_ceiling")
    failed = [each for each in trios(result) if min(float(each.moving[name].min()) for name in names) == 0.0]
    one = headline(result)
    above = ", ".join(
        f"{number_text(float(each.moving['beyond_mean_ceiling'].mean()))} at σ {each.sigma:.3g}"
        for each in trios(result)
    )
    return Claim(
        "The design mitigates some problems of classical smoothing: the waterfall.",
        "abstract",
        "experiment",
        f"Certified accuracy beyond the ceilings of constant noise of the same base and of the same mean σ, on "
        f"{result.sweep.data}. Agrees if neither is 0, at r = {one.rate:.3g}, every σ and network.",
        f"σ {one.sigma:.3g}: beyond the ceiling 0 becomes {over_networks(one.moving['beyond_ceiling'])}, same mean "
        f"{over_networks(one.matched['beyond_ceiling'])}; beyond that of the same mean {above}",
        DIFFERS if failed else AGREES,
        f"none at σ {', '.join(f'{each.sigma:.3g}' for each in failed)}: the price of changing σ, a factor "
        "√(1 + 2Nr²σ²), takes what the larger σ(x) gives"
        if failed
        else _weakest(result),
    )


def _weakest(result: SmoothingResult) -> str:
    """What the claim rests on where it is weakest."""
    each = trios(result)
    weak = min(each, key=lambda one: float(one.moving["beyond_mean_ceiling"].mean()))
    share = number_text(float(weak.moving["beyond_mean_ceiling"].mean()), 1)
    ahead = sum(
        float(one.matched["beyond_ceiling"].mean()) > float(one.moving["beyond_ceiling"].mean()) for one in each
    )
    return (
        f"At σ {weak.sigma:.3g} a share of {share} of the images is beyond the second ceiling; at the first, the same mean "
        f"certifies more at {ahead} of {len(each)} σ."
    )


def _mitigated_rest(result: SmoothingResult) -> Claim:
    one = headline(result)
    better = {
        name: all(
            bool((sign * (one.moving[name].to_numpy() - rival[name].to_numpy()) > 0).all())
            for rival in (one.constant, one.matched)
        )
        for name, sign in (("accuracy", 1.0), ("deviation", -1.0))
    }
    trio = (("input-dependent", one.moving), ("same base", one.constant), ("same mean", one.matched))
    found = "; ".join(
        f"{name} {number_text(float(rows['accuracy'].mean()))} and {number_text(float(rows['deviation'].mean()))}"
        for name, rows in trio
    )
    return Claim(
        "The design mitigates some problems of classical smoothing: accuracy or fairness.",
        "abstract",
        "experiment",
        f"Accuracy and class deviation at σ {one.sigma:.3g}, r = {one.rate:.3g} on {result.sweep.data}. Agrees if one of "
        "both is better than under both constant noises, in every network.",
        f"{found} (means of {len(one.moving)} network{'s' if len(one.moving) > 1 else ''})",
        *_verdict(
            any(better.values()),
            "m is below nearly all distances, so σ(x) is larger than σ_b nearly everywhere: more noise, not less",
        ),
    )


def _cifar(result: SmoothingResult) -> Claim:
    says, checked = (
        "The design is tested on CIFAR10, too.",
        "Certified accuracy beyond the ceiling of the same base, there.",
    )
    if not result.sweep.data.startswith("CIFAR-10") or result.sweep.budget.residual is None:
        return Claim(
            says, "abstract", "experiment", checked, "", NOT_TESTED, f"it needs a GPU and CIFAR-10: `{LARGE_COMMAND}`"
        )
    one = headline(result)
    return Claim(
        says,
        "abstract",
        "experiment",
        f"{checked} Agrees if it is not 0, at σ {one.sigma:.3g}, r = {one.rate:.3g}.",
        f"{over_networks(one.moving['beyond_ceiling'])}; same mean {over_networks(one.matched['beyond_ceiling'])}",
        *_verdict(bool((one.moving["beyond_ceiling"] > 0).all()), "no image is certified beyond the ceiling"),
    )


def _further(result: SmoothingResult) -> Claim:
    one = headline(result)
    names = ("accuracy", "mean_radius", "beyond_ceiling")
    beaten = [name for name in names if bool((one.matched[name].to_numpy() > one.moving[name].to_numpy()).all())]
    pairs = result.pairs
    row = pairs[
        (pairs["sigma"] == one.sigma)
        & (pairs["rate"] == one.rate)
        & (pairs["against"] == "same mean")
        & (pairs["quantity"] == "mean_radius")
    ].iloc[0]
    return Claim(
        "Further improvement of the design is still necessary.",
        "abstract",
        "experiment",
        f"The design against constant noise of the same mean σ, at σ {one.sigma:.3g}, r = {one.rate:.3g}. Agrees if that is "
        "better in accuracy, mean radius or certified accuracy beyond the ceiling, in every network.",
        f"constant noise of the same mean is better in {joined([_NAMES[name] for name in beaten]) or 'nothing'}; "
        "mean radius of the design less "
        f"that of the same mean {number_text(row['difference'])} (95% over images: [{number_text(row['low'])}, "
        f"{number_text(row['high'])}])",
        *_verdict(bool(beaten), "constant noise of the same mean is not better in every network"),
    )
