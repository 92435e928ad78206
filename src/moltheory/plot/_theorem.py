"""A statement checked at several sample sizes: its failure probability against its level, and its slack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._numbers import number_text
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.errors import InvalidInputError
from moltheory.plot._axes import drawing_pair, refused
from moltheory.plot._zeros import with_zeros
from moltheory.plotting import colors_of, headline, label_lines, log_sizes, note, plain_powers
from moltheory.runs import RandomSource
from moltheory.theorems import CheckResult, Theorem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["theorem"]

# That of the intervals of `moltheory.theorems.check`.
_CONFIDENCE = "99.9999%"


def theorem(
    theorem: Theorem,
    world: Any,
    sizes: Iterable[int],
    *,
    delta: float = 0.05,
    method: str = "auto",
    replicates: int = 2000,
    rng: RandomSource = 0,
    ax: Sequence[Axes] | None = None,
    theme: str | None = None,
) -> list[Axes]:
    """Return two axes: the failure probability of a statement against its level delta, and its slack, for each n.

    Parameters
    ----------
    theorem : Theorem
        An entry of `moltheory.theorems.ledger`, or one of your own.
    world : problem
        As `moltheory.theorems.check` takes it: a world small enough is enumerated, so that probabilities are exact.
    sizes : iterable of int
        Sample sizes, >= 1.
    delta : float, default 0.05
        Failure probability for which the half-widths are stated.
    method : {"auto", "exact", "monte-carlo"}
        As in `moltheory.theorems.check`, as are `replicates` and `rng`.
    replicates : int, default 2000
        Number of samples where they are drawn.
    rng : int, SeedSequence, Generator or None, default 0
        Source of randomness where samples are drawn.
    ax : pair of matplotlib.axes.Axes, optional
        Two new ones by default.
    theme : {"light", "dark"}, optional
        Of new axes; see `moltheory.plotting.styled`.

    Returns
    -------
    list of matplotlib.axes.Axes
        A panel says so in words where the statement has no such quantity. Estimates have 99.9999% intervals; one of 0 is
        shown by its upper limit.

    Raises
    ------
    InvalidInputError
        If `theorem` is something else, or a size is not a positive integer.
    NotApplicableError
        If the statement is not about such a problem.

    Notes
    -----
    Complexity: one `moltheory.theorems.check` for each size.

    Examples
    --------
    >>> import moltheory as mt
    >>> world = mt.problems.two_coins()
    >>> left, right = mt.plot.theorem(mt.theorems.ledger()["forward"], world, [3, 10, 30], delta=0.1)
    >>> right.get_ylabel()
    'slack of the statement'
    """
    if not isinstance(theorem, Theorem):
        raise refused("theorem", theorem, "a Theorem, an entry of moltheory.theorems.ledger()")
    if not isinstance(sizes, Iterable):
        raise refused("sizes", sizes, "an iterable of sample sizes")
    chosen = sorted({check_count("sizes", n) for n in sizes})
    if not chosen:
        raise InvalidInputError("`sizes` must hold one sample size or more, got none.")
    level = check_fraction("delta", delta)
    options: dict[str, Any] = {"delta": level, "method": method, "replicates": replicates, "rng": rng}
    found = [theorem.check(world, n=n, **options) for n in chosen]
    with drawing_pair(ax, theme) as axes:
        _failures(axes[0], found, level)
        _slacks(axes[1], theorem, found)
        drawn: list[Axes] = axes
    return drawn


def _failures(ax: Axes, found: list[CheckResult], delta: float) -> None:
    colors = colors_of(ax)
    known = [(one.n, one.event_failure) for one in found if one.event_failure is not None]
    log_sizes(ax)
    ax.set_ylabel("← better     failure probability")
    if not known:
        ax.set_xlim(found[0].n, max(found[-1].n, found[0].n + 1))
        ax.set_yticks([])
        note(ax, "no half-widths are stated here,\nso none can fail", at=(0.5, 0.5), ha="center")
        headline(ax, "No level to check")
        return
    sizes = np.array([n for n, _ in known], dtype=np.float64)
    values, low, high = (np.array([getattr(one, name) for _, one in known]) for name in ("probability", "low", "high"))
    exact = np.array([one.method == "exact" for one in found if one.event_failure is not None])
    ax.set_yscale("log", nonpositive="mask")
    label = with_zeros("exact probability", sizes, values) if exact.all() else _estimated(values, high, exact)
    lines = [
        ax.plot(sizes, values, "s-", color=colors["purity"], label=label)[0],
        ax.plot(
            sizes, np.full(sizes.size, delta), "--", color=colors["bound"], label=f"level δ = {number_text(delta)}"
        )[0],
    ]
    # An estimate of 0 is shown by its upper limit.
    visible = np.where(values > 0.0, values, high)
    bottom = min(float(visible[visible > 0.0].min(initial=delta)), delta) / 3.0
    ax.set_ylim(bottom, max(float(high.max()), delta) * 3.0)
    if not exact.all():
        _intervals(ax, sizes[~exact], low[~exact], high[~exact], bottom)
    headline(ax, _verdict(low, high, delta, bool(exact.all()), sum(one.violations for one in found)))
    label_lines(ax, lines)
    plain_powers(ax)


def _estimated(values: FloatArray, high: FloatArray, exact: npt.NDArray[np.bool_]) -> str:
    """Return the label of probabilities of which some are estimates: none of these is exactly 0."""
    label = f"estimated probability,\n{_CONFIDENCE} interval"
    if exact.any():
        label = f"probability; estimates\nwith {_CONFIDENCE} interval"
    zero = (values == 0.0) & ~exact
    return f"{label};\n0 failures: at most\n{number_text(float(high[zero].max()))}" if zero.any() else label


def _intervals(ax: Axes, sizes: FloatArray, low: FloatArray, high: FloatArray, bottom: float) -> None:
    """Draw intervals of estimates with a mark at the upper end, and an arrow where they go on to 0."""
    tone = colors_of(ax)["purity"]
    ax.vlines(sizes, np.maximum(low, bottom), high, color=tone, linewidth=1.2)
    ax.plot(sizes, high, "_", color=tone, markersize=10, markeredgewidth=1.6, label="_upper limit")
    beyond = sizes[low < bottom]
    ax.scatter(beyond, np.full(beyond.size, bottom), marker=7, color=tone, s=30, clip_on=False)


def _verdict(low: FloatArray, high: FloatArray, delta: float, exact: bool, violations: int) -> str:
    """Return what the probabilities say about the level, at the confidence that they have."""
    largest = float(high.max())
    limit = f"at most {number_text(largest / delta, 2)} δ" if largest > 0.0 else "exactly 0"
    if not exact:
        limit = f"{limit} with {_CONFIDENCE} confidence"
    subject = "Failure probability of the widths" if violations else "Failure probability"
    if (low > delta).any():
        level = f"{subject} above its level: {limit}"
    elif largest <= delta:
        level = f"{subject} {'keeps' if violations else 'within'} its level: {limit}"
    else:
        level = f"{subject} not shown to exceed its level: {limit}"
    return f"{level}; but the statement is violated" if violations else level


def _slacks(ax: Axes, theorem: Theorem, found: list[CheckResult]) -> None:
    colors = colors_of(ax)
    known = [(one.n, one.slack) for one in found if one.slack is not None]
    log_sizes(ax)
    ax.set_ylabel("slack of the statement")
    if not known:
        ax.set_xlim(found[0].n, max(found[-1].n, found[0].n + 1))
        ax.set_yticks([])
        note(
            ax, "the statement is about a probability:\nit has no slack in a single sample", at=(0.5, 0.5), ha="center"
        )
        headline(ax, "No slack to measure")
        return
    sizes = np.array([n for n, _ in known], dtype=np.float64)
    smallest = np.array([slack.smallest for _, slack in known])
    typical = np.array([slack.quantile(0.5) for _, slack in known])
    violated = sum(one.violations for one in found)
    logarithmic = bool((smallest >= 0.0).all() and (typical > 0.0).any())
    if logarithmic:
        ax.set_yscale("log", nonpositive="mask")
    shown = np.where(smallest <= 1e-12, 0.0, smallest) if logarithmic else smallest
    lines = [
        ax.plot(
            sizes,
            typical,
            "o-",
            color=colors["coverage"],
            label=with_zeros("median", sizes, typical) if logarithmic else "median",
        )[0],
        ax.plot(sizes, shown, "v--", color=colors["deviation"], label=with_zeros("smallest", sizes, shown))[0],
    ]
    if not logarithmic:
        ax.axhline(0.0, color=colors["bound"], linewidth=1.0, label="_zero")
    attained = max(slack.attained_share for _, slack in known)
    if violated:
        headline(ax, f"Violated in {violated:,} cases, by up to {number_text(-float(smallest.min()), 2)}")
    elif attained > 0.0:
        headline(ax, f"{theorem.id}: holds in every sample, and is attained (slack 0)")
    else:
        headline(ax, f"{theorem.id}: holds in every sample, with slack to spare")
    label_lines(ax, lines)
    plain_powers(ax)
