"""Which models of a real comparison are on the front: certified, by boxes alone, and by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval, certified_members
from moltheory.certification import certify
from moltheory.figures._zoo import model_zoo
from moltheory.pareto import nondominated
from moltheory.plotting import COLORS, axis_labels, log_sizes, staircase
from moltheory.reports import Figure, Settings
from moltheory.runs import as_seed_sequence, block_stream

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Certified"]

_DELTA = 0.05
_METHODS = {
    "certify": ("coverage", "o", "-"),
    "boxes, Clopper-Pearson": ("deviation", "s", "--"),
    "boxes, Hoeffding": ("bound", "^", ":"),
    "bootstrap": ("purity", "D", "-."),
}

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Budget:
    """Samples of each size: certified; given to the other methods; and resamples of each for the bootstrap."""

    certified: int
    samples: int
    resamples: int


@dataclass(frozen=True)
class CertifiedResult:
    """The certificate of the whole test set, and claims against the truth for samples of many sizes."""

    models: pd.DataFrame
    claims: pd.DataFrame
    n_examples: int


class Certified(Figure[CertifiedResult]):
    """About 150 classifiers of digits: the status of each, and how much of it n examples can decide."""

    name = "certified"
    title = "Which models are really on the front: comparing on the same examples decides most, with a guarantee"
    n_panels = 3

    def compute(self, settings: Settings) -> CertifiedResult:
        """Certify the test set; then take it as the population, and draw samples from it."""
        import pandas as pd
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

        zoo = model_zoo("digits", quick=settings.quick)
        sizes = zoo.size_in_bytes
        certificate = certify(zoo.wrong[:, :, None], delta=_DELTA, costs=sizes[:, None], names=zoo.model_names)
        # Numbers of errors, not rates: ties in them are exact.
        errors = zoo.wrong.sum(axis=0)
        models = pd.DataFrame(
            {
                "model": zoo.model_names,
                "family": zoo.families,
                "error": errors / len(zoo.wrong),
                "size_in_bytes": sizes,
                "on_empirical_front": nondominated(np.column_stack([errors, sizes])),
                "status": np.select([certificate.sure, certificate.excluded], ["sure", "excluded"], "undecided"),
            }
        )
        draws = [100, 300, 1000, 3000] if settings.quick else [100, 300, 1000, 3000, 10_000, 30_000]
        budget = Budget(6, 25, 100) if settings.quick else Budget(15, 120, 400)
        # Small matrices: more threads would wait for each other.
        with threadpool_limits(limits=1):
            rows = [
                {"n": n, "method": method, **scores}
                for n in draws
                for method, scores in _claims(zoo.wrong, sizes, n, budget, settings.seed).items()
            ]
        return CertifiedResult(models, pd.DataFrame(rows), len(zoo.wrong))

    def draw(self, result: CertifiedResult, axes: Sequence[Axes]) -> Sequence[Axes]:
        """Draw the models by status; then, per method, how much it decides and how often it is wrong."""
        _draw_models(axes[0], result)
        _draw_claims(axes[1], result.claims, "settled")
        axes[1].set_title("How much n examples decide")
        axes[1].set_ylabel("share of models decided     better →")
        _draw_claims(axes[2], result.claims, "failed_share")
        axes[2].axhline(_DELTA, color=COLORS["truth"], linewidth=1.0)
        axes[2].set_title(f"How often a claim is false (line: {_DELTA:.0%})")
        axes[2].set_ylabel("← better     share of samples")
        return axes

    def caption(self, result: CertifiedResult) -> str:
        """Quote the statuses, the largest n, and how often each method was wrong."""
        models, claims = result.models, result.claims
        count = models["status"].value_counts()
        front = models["on_empirical_front"]
        last = claims[claims["n"] == claims["n"].max()].set_index("method")
        boot = claims[claims["method"] == "bootstrap"]
        worst = boot.iloc[int(boot["failed_share"].to_numpy().argmax())]
        sums = claims.groupby("method")[["failed", "samples"]].sum()
        settled = "; ".join(f"{method} {last['settled'][method]:.0%}" for method in _METHODS)
        failed = "; ".join(
            f"{method} {int(sums['failed'][method])} of {int(sums['samples'][method]):,}" for method in _METHODS
        )
        return (
            f"{len(models)} classifiers of handwritten digits (trees, forests, boosting, neighbors, linear models, "
            f"support-vector machines, networks and others), trained on one half of the data. First panel: 0/1 error "
            f"on the {result.n_examples} images of the other half, and size when stored. The empirical front (line) "
            f"has {int(front.sum())} members; with confidence {1 - _DELTA:.0%} for all statements together, "
            f"{int(count.get('sure', 0))} models are surely on the true front, {int(count.get('excluded', 0))} surely "
            f"not, and {int(count.get('undecided', 0))} stay undecided, among them "
            f"{int((front & (models['status'] == 'undecided')).sum())} of the empirical front. Second and third "
            f"panel: the {result.n_examples} images as a population, so that the truth is known; samples of size n "
            f"drawn with replacement. Share of models decided at n = {int(claims['n'].max()):,}: {settled}. The "
            f"bootstrap (on the front in at least {1 - _DELTA:.0%} of resamples: on it; in at most {_DELTA:.0%}: not "
            f"on it) decides most and guarantees nothing: at n = {int(worst['n']):,} at least one of its claims was "
            f"false in {int(worst['failed'])} of {int(worst['samples'])} samples. Samples with a false claim, over "
            f"all n: {failed}."
        )

    def tables(self, result: CertifiedResult) -> Mapping[str, pd.DataFrame]:
        """Return the models with their status, and the claims by size and method."""
        return {"models": result.models, "claims": result.claims}


def _claims(wrong: FloatArray, sizes: FloatArray, n: int, budget: Budget, seed: int) -> dict[str, dict[str, float]]:
    """Return, per method, the mean share decided and number sure, and in how many samples a claim was false."""
    optimal = nondominated(np.column_stack([wrong.sum(axis=0), sizes]))
    rng = block_stream(as_seed_sequence(seed), "certified figure", n)
    scores: dict[str, list[tuple[float, float, float]]] = {method: [] for method in _METHODS}
    for sample in range(budget.samples):
        rows = rng.integers(len(wrong), size=n)
        counts = np.bincount(rows, minlength=len(wrong))
        errors = np.rint(counts @ wrong).astype(np.int64)
        found = {
            "boxes, Clopper-Pearson": _by_boxes(errors, n, sizes, "clopper-pearson"),
            "boxes, Hoeffding": _by_boxes(errors, n, sizes, "hoeffding"),
            "bootstrap": _by_bootstrap(counts, wrong, sizes, budget.resamples, rng),
        }
        if sample < budget.certified:
            certificate = certify(wrong[rows][:, :, None], delta=_DELTA, costs=sizes[:, None])
            found["certify"] = certificate.sure, certificate.excluded
        for method, (sure, excluded) in found.items():
            failed = (sure & ~optimal).any() or (excluded & optimal).any()
            scores[method].append((float((sure | excluded).mean()), float(sure.sum()), float(failed)))
    table = {method: np.array(values) for method, values in scores.items()}
    return {
        method: {
            "samples": len(values),
            "settled": values[:, 0].mean(),
            "sure": values[:, 1].mean(),
            "failed": int(values[:, 2].sum()),
            "failed_share": values[:, 2].mean(),
        }
        for method, values in table.items()
    }


def _by_boxes(errors: npt.NDArray[np.int64], n: int, sizes: FloatArray, method: str) -> tuple[Flags, Flags]:
    """Certify from simultaneous intervals of the errors alone."""
    interval = binomial_interval(errors, n, method=method, delta=_DELTA / errors.size)
    return certified_members(np.column_stack([interval.lower, sizes]), np.column_stack([interval.upper, sizes]))


def _by_bootstrap(
    counts: npt.NDArray[np.int64], wrong: FloatArray, sizes: FloatArray, resamples: int, rng: np.random.Generator
) -> tuple[Flags, Flags]:
    """Believe what happens in most resamples of the sample; nothing guarantees that."""
    again = rng.multinomial(counts.sum(), counts / counts.sum(), size=resamples)
    errors = np.rint(again @ wrong)
    points = np.stack([errors, np.broadcast_to(sizes, errors.shape)], axis=-1)
    share = nondominated(points).mean(axis=0)
    return share >= 1 - _DELTA, share <= _DELTA


def _draw_models(ax: Axes, result: CertifiedResult) -> None:
    models = result.models
    points = models[["error", "size_in_bytes"]].to_numpy(dtype=np.float64) / [1.0, 1024.0]
    status = models["status"].to_numpy()
    groups = (
        ("excluded", "excluded", "x", 5, COLORS["bound"], COLORS["bound"]),
        ("undecided", "undecided", "s", 6, "white", COLORS["purity"]),
        ("sure", "sure", "o", 8, COLORS["coverage"], "white"),
    )
    for label, text, marker, size, face, edge in groups:
        mask = status == label
        ax.plot(
            points[mask, 0],
            points[mask, 1],
            marker,
            color=face,
            markeredgecolor=edge,
            markersize=size,
            label=f"{text} ({int(mask.sum())})",
        )
    ax.set_yscale("log")
    # Models that know almost nothing would stretch the axis.
    right = 0.2
    outside = int((points[:, 0] > right).sum())
    ax.set_xlim(0, right)
    ax.set_ylim(points[:, 1].min() / 1.5, points[:, 1].max() * 1.5)
    staircase(ax, points, color=COLORS["truth"], linewidth=1.0, zorder=1, label="empirical front")
    ax.set_title(f"n = {result.n_examples}; {outside} models lie outside")
    axis_labels(ax, "error", "size in KiB")
    ax.legend(loc="upper right")


def _draw_claims(ax: Axes, claims: pd.DataFrame, column: str) -> None:
    for method, (color, marker, line) in _METHODS.items():
        part = claims[claims["method"] == method]
        ax.plot(part["n"], part[column], f"{marker}{line}", color=COLORS[color], label=method)
    # Room for the legend above the curves, which fill the panel.
    ax.set_ylim(-0.03, 1.3)
    ax.set_yticks(np.linspace(0, 1, 6))
    log_sizes(ax)
    ax.legend(loc="upper center", ncols=2, fontsize=8.5, columnspacing=1.0)
