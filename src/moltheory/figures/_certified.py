"""Which models of a real comparison are on the front: certified, by boxes alone, and by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification import Certificate, certify
from moltheory.certification._plot_two import plot_two
from moltheory.certification._words import verdict_words
from moltheory.figures._certified_claims import DELTA, METHODS, Budget, claims_table
from moltheory.figures._zoo import model_zoo
from moltheory.pareto import nondominated
from moltheory.plotting import colors_of, label_lines, log_sizes, note
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Certified"]

# Images that a team could label, and a difference in error that it would not mind. They were chosen after counts of verdicts
# at several sizes had been seen; the sample that is certified has a stream of its own, first drawn after the choice.
_EXAMPLES, _TOLERANCE = 10_000, 0.005
_STYLES = {
    "certify": ("coverage", "o", "-"),
    "boxes, Clopper-Pearson": ("deviation", "s", "--"),
    "boxes, Hoeffding": ("bound", "^", ":"),
    "bootstrap": ("purity", "D", "-."),
}
_LABELS = {
    "certify": "certify",
    "boxes, Clopper-Pearson": "boxes\n(Clopper-\nPearson)",
    "boxes, Hoeffding": "boxes\n(Hoeffding)",
    "bootstrap": "bootstrap",
}
_BUDGET = Budget((100, 300, 1000, 3000, 10_000), 300, 200)
_QUICK = Budget((100, 1000), 20, 50)


@dataclass(frozen=True)
class CertifiedResult:
    """A certificate of a large sample, its verdicts against the truth, and claims for samples of many sizes."""

    certificate: Certificate
    models: pd.DataFrame
    claims: pd.DataFrame
    n_images: int


class Certified(Figure[CertifiedResult]):
    """About 150 classifiers of digits: the verdict on each, how much n examples decide, and how often that is wrong."""

    name = "certified"
    title = "Comparing models on the same examples decides most of them, and the decisions hold"
    n_panels = 3
    chapter = "Certificates"

    def compute(self, settings: Settings) -> CertifiedResult:
        """Take the test set as the population, so that the truth is known, and certify samples of it."""
        import pandas as pd

        zoo = model_zoo("digits", quick=settings.quick)
        sizes, wrong = zoo.size_in_bytes, zoo.wrong.astype(bool)
        errors = zoo.wrong.sum(axis=0).astype(np.int64)
        rng = block_stream(as_seed_sequence(settings.seed), "certified figure, the certificate", 0)
        rows = rng.integers(len(wrong), size=_EXAMPLES)
        kib = {"size in KiB": sizes / 1024.0}
        certificate = certify(
            wrong[rows][:, :, None],
            delta=DELTA,
            costs=kib,
            names=zoo.model_names,
            objectives=["error"],
            epsilon=_TOLERANCE,
        )
        observed = certify(wrong[:, :, None], delta=DELTA, costs=kib, names=zoo.model_names, objectives=["error"])
        models = pd.DataFrame(
            {
                "model": zoo.model_names,
                "family": zoo.families,
                "error": certificate.estimates[:, 0],
                "true_error": errors / len(wrong),
                "size_in_bytes": sizes,
                "verdict": certificate.status,
                "on_true_front": nondominated(np.column_stack([errors, sizes])),
                "on_true_front_to_tolerance": _within(errors, sizes, _TOLERANCE * len(wrong)),
                "verdict_from_test_set": observed.status,
            }
        )
        budget = _QUICK if settings.quick else _BUDGET
        claims = claims_table(
            wrong, sizes, budget, seed=settings.seed, n_jobs=settings.n_jobs, progress=settings.progress
        )
        return CertifiedResult(certificate, models, claims, len(wrong))

    def draw(self, result: CertifiedResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the certificate; then, per method, how much it decides and how often it is wrong."""
        _draw_certificate(axes[0], result.certificate)
        _draw_decided(axes[1], result.claims)
        _draw_failed(axes[2], result.claims)
        return axes

    def caption(self, result: CertifiedResult) -> str:
        """Quote what one certificate decides, and how often claims were false."""
        decided = int((result.models["verdict"] != "undecided").sum())
        claims = result.claims
        sums = claims.groupby("method")[["failed", "samples"]].sum()
        first = claims[(claims["method"] == "bootstrap") & (claims["n"] == claims["n"].min())].iloc[0]
        failed, samples = int(sums["failed"]["certify"]), int(sums["samples"]["certify"])
        return (
            f"{len(result.models)} classifiers of digits. From {_EXAMPLES:,} images, certify decides {decided} of them "
            f"(confidence {1 - DELTA:.0%}, tolerance {100 * _TOLERANCE:g} percentage points, fixed before this sample was "
            f"drawn). It decides more than boxes alone, and {failed} of {samples:,} samples had a false claim; bootstrap "
            f"claims were false in {first['failed_share']:.0%} of samples of {int(first['n'])}."
        )

    def details(self, result: CertifiedResult) -> str:
        """Say what was drawn from what, which verdicts are true, and what zero failures prove."""
        models, claims = result.models, result.claims
        count, before = models["verdict"].value_counts(), models["verdict_from_test_set"].value_counts()
        false = int(
            ((models["verdict"] == "sure") & ~models["on_true_front_to_tolerance"]).sum()
            + ((models["verdict"] == "excluded") & models["on_true_front"]).sum()
        )
        mine = claims[claims["method"] == "certify"]
        worst = float(mine["failed_upper"].max())
        last = claims[claims["n"] == claims["n"].max()].set_index("method")
        decided = ", ".join(f"{method} {last['decided_share'][method]:.0%}" for method in METHODS)
        return "\n".join(
            [
                f"Trees, forests, boosting, neighbors, linear models, support-vector machines, networks and others, "
                f"trained on one half of the data; the {result.n_images} images of the other half are the population, so "
                f"the truth is known. Samples are drawn from it with replacement.",
                f"First panel: {count.get('sure', 0)} models are on the front to within the tolerance, "
                f"{count.get('excluded', 0)} are not on the front, {count.get('undecided', 0)} cannot be told yet; "
                f"{false} of these verdicts are false. The {result.n_images} images alone, without a tolerance, put "
                f"{before.get('sure', 0)} on the front and {before.get('excluded', 0)} not on it: "
                f"{before.get('undecided', 0)} cannot be told yet.",
                f"Second and third panel, without a tolerance: {int(mine['samples'].iloc[0])} samples per n. Bars of the "
                f"third end at the one-sided 95% Clopper-Pearson limit of the probability of a false claim: at most "
                f"{worst:.1%} for certify at every n (rule of three: no failure in m samples proves 3/m). Decided at "
                f"n = {int(claims['n'].max()):,}: {decided}.",
                f"The bootstrap takes for true what happens in {1 - DELTA:.0%} of resamples, and guarantees nothing.",
            ]
        )

    def tables(self, result: CertifiedResult) -> Mapping[str, pd.DataFrame]:
        """Return the models with their verdicts, and the claims by size and method."""
        return {"models": result.models, "claims": result.claims}


def _within(errors: npt.NDArray[np.int64], sizes: FloatArray, slack: float) -> npt.NDArray[np.bool_]:
    """Return the models than which no other one of at most their size has an error lower by the tolerance or more."""
    better = (sizes[:, None] <= sizes) & (errors[:, None] <= errors - slack + 1e-9)
    return np.asarray(~better.any(axis=0))


def _draw_certificate(ax: Axes, certificate: Certificate) -> None:
    """Draw the certificate, with the key in the corner of large models with many errors, where none is."""
    plot_two(certificate, ax, named=False, keyed=False)
    ax.set_title(f"What {_EXAMPLES:,} examples decide")
    words, status = verdict_words(certificate), np.array(certificate.status)
    entries, within = [], f"\nto within {_TOLERANCE:g}"
    for name, text in words.items():
        mark = next((line for line in ax.lines if str(line.get_gid()).startswith(f"{name}-")), None)
        if mark is not None:
            entries.append((mark, f"{(status == name).sum()} {text}".replace(" to within the tolerance", within)))
    marks, texts = zip(*entries, strict=True)
    spacing = {"borderaxespad": 0.4, "handletextpad": 0.0, "handlelength": 1.5, "labelspacing": 0.2, "borderpad": 0.0}
    ax.legend(marks, texts, loc="upper right", frameon=False, fontsize=8.5, **spacing)
    # Small models with few errors: there are none.
    text = f"shaded: the true\nfront is in here\n({1 - DELTA:.0%} confidence);\nthin lines: intervals\nof the error"
    ax.text(0.015, 0.02, text, transform=ax.transAxes, fontsize=8.0, va="bottom")


def _draw_decided(ax: Axes, claims: pd.DataFrame) -> None:
    for method, (color, marker, line) in _STYLES.items():
        part = claims[claims["method"] == method]
        label = _LABELS[method] + (":\nno guarantee" if method == "bootstrap" else "")
        ax.plot(part["n"], part["decided_share"], f"{marker}{line}", color=colors_of(ax)[color], label=label)
    ax.set_ylim(0.0, 1.02)
    log_sizes(ax)
    _percent(ax, (0.0, 0.25, 0.5, 0.75, 1.0))
    ax.set_title("How much n examples decide")
    ax.set_ylabel("models decided, rightly or wrongly")
    label_lines(ax)


def _draw_failed(ax: Axes, claims: pd.DataFrame) -> None:
    """Draw shares of samples with a false claim, with bars up to what the number of samples leaves possible."""
    ax.set_yscale("function", functions=(_root, np.square))
    for k, (method, (color, marker, line)) in enumerate(_STYLES.items()):
        part = claims[claims["method"] == method]
        # Side by side: three methods are at zero.
        place = part["n"] * 1.12 ** (k - 1.5)
        ink = colors_of(ax)[color]
        ax.plot(
            place, part["failed_share"], f"{marker}{line}", color=ink, label=_LABELS[method], clip_on=False, zorder=4
        )
        ax.vlines(place, part["failed_share"], part["failed_upper"], color=ink, linewidth=1.6)
    ax.axhline(DELTA, color=str(ax.xaxis.label.get_color()), linewidth=1.0)
    ax.set_ylim(0.0, 1.02)
    log_sizes(ax)
    _percent(ax, (0.0, 0.01, DELTA, 0.25, 0.5, 1.0))
    ax.set_title("How often a claim is false")
    ax.set_ylabel("← better     samples with a false claim\n(square-root scale)")
    note(ax, f"promised: at most {DELTA:.0%}", at=(0.02, float(_root(DELTA)) + 0.035))
    note(
        ax,
        "bars: up to the 95%\nlimit of the probability;\nmarks of one n stand\nside by side",
        at=(0.98, 0.85),
        ha="right",
    )
    never = claims.groupby("method")["failed"].sum() == 0
    if never.drop("bootstrap").all():
        samples, upper = int(claims["samples"].iloc[0]), claims["failed_upper"].min()
        note(
            ax,
            f"certify, boxes: 0 of {samples}, so under {upper:.0%}",
            at=(0.02, 0.5 * float(_root(DELTA)) + 0.05),
        )
    label_lines(ax, [line for line in ax.lines if line.get_label() == "bootstrap"])


def _percent(ax: Axes, ticks: Sequence[float]) -> None:
    ax.set_yticks(ticks, [f"{100.0 * tick:g}%" for tick in ticks])


def _root(value: float | FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.maximum(value, 0.0)))
