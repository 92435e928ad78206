"""How many more examples would settle the pairs of models that are undecided: a plan from the data at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count, check_fraction, check_names, check_real, real_array
from moltheory.certification._sample_size import bernstein_size, critical_counts, mcnemar_size
from moltheory.errors import InvalidInputError
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["more_examples"]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

_State = tuple[FloatArray, FloatArray, FloatArray]

# Looks of a simulated run: after this share of the present examples more, and this factor more further ones each time.
_FIRST_STEP, _STEP = 0.02, 1.2
# Share of 1 - power that `bound_high` leaves to bad runs: the rest, .16 of .2, is that of a gap beyond a standard error.
_RUNS = 0.2
_OUTCOMES = ("model dominates", "rival dominates", "neither dominates", "no difference observed")


def more_examples(
    pairs: Sequence[PairCounts | PairMoments],
    /,
    *,
    level: float,
    costs: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    loss_span: float = 1.0,
    which: npt.ArrayLike | None = None,
    power: float = 0.8,
    replicates: int = 100,
    simulate: int = 200,
    factor: float = 1000.0,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    r"""Plan how many further examples settle each pair of models, by simulation from the data and by a bound.

    A pair is settled when one model is shown to be better in every objective with data and no worse in any cost, or
    when each is shown to be better than the other somewhere (then neither dominates). Shown means: the one-sided
    paired test of that objective passes at `level`, exact McNemar for 0/1 losses, empirical Bernstein for others.

    This is a plan, **not a guarantee**: all but ``bound_high`` takes the observed rates for the true ones. ``bound_low``
    and ``bound_high`` tell how far it moves if every gap is one standard error larger or smaller.

    Parameters
    ----------
    pairs : sequence of PairCounts or PairMoments
        One per objective with data.
    level : float
        Level of each one-sided test, in (0, 1), for example delta / (M (M-1) N).
    costs : (M, k) array_like, optional
        Known costs, minimised.
    names : sequence of str, optional
        Of the M models; by default ``model_1`` and so on.
    loss_span : float, default 1
        Length of the range of the losses of `PairMoments`.
    which : (p, 2) array_like of int, optional
        The pairs of interest; by default every pair that the tests have not settled yet.
    power : float, default 0.8
        Probability with which the bound's size suffices, in (0, 1).
    replicates : int, default 100
        Simulated continuations per pair.
    simulate : int, default 200
        Largest number of pairs that are simulated, those with the smallest bounds; the others get NaN.
    factor : float, default 1000
        Continuations stop when the examples have become this many times as many, > 1.
    rng : int or numpy.random.Generator, default 0
        Seed of the simulation.

    Returns
    -------
    pandas.DataFrame
        One row per pair, fewest examples first. ``model``, ``rival``; ``examples``, the common ones now, in the
        objective that has most; ``outcome``, what the observed gaps point to; ``more``, the expected number of further
        examples by simulation, runs not settled at the end counted as if settled there (then a lower bound; infinite if
        no run is settled), which settle about half of the runs; ``more_error``, its standard error; ``more_low``,
        ``more_high``, the 10 and 90 % quantiles of the runs; ``unsettled``, the share of runs not settled; ``bound``,
        further examples that suffice with probability `power` in each objective needed if the observed rates are the
        true ones, **infinite if an objective that is needed shows no gap**; ``bound_low``, the same with gaps one
        standard error larger; ``bound_high``, the same with gaps one standard error smaller and a fifth of the
        failures: for the default `power` it is finite and not enough with probability at most .2 in each objective
        needed, whatever the true rates (.16 is the probability that a gap is overestimated by more than that, by the
        normal approximation).

    Raises
    ------
    InvalidInputError
        If shapes disagree or an argument is out of its range.

    Notes
    -----
    Continuations start from the present counts and add multinomial counts of the paired outcomes at their observed
    rates (for other losses, normal sums with the observed mean and variance of the differences), independently over
    objectives, in the same proportion in all of them; the number of further examples grows by 20 % from look to look, and
    is rounded up to the next look. Each number is
    for **one** test on all examples together at `level`; looking again and again is what `CertificateStream` is for.
    O(M^2 N) for the bounds, O(`simulate` x `replicates` x N log `factor`) for the simulation.

    References
    ----------
    Bounds: derived, see `planned_sizes` and `bernstein_size`.

    Examples
    --------
    >>> counts = PairCounts(2)
    >>> counts.update([[1, 1]] * 180 + [[1, 0]] * 20 + [[0, 1]] * 35 + [[0, 0]] * 765)
    >>> plan = more_examples([counts], level=0.001)
    >>> plan[["examples", "outcome", "more", "bound"]].to_dict("records")
    [{'examples': 1000.0, 'outcome': 'model dominates', 'more': 1654.0, 'bound': 8124.0}]
    """
    import pandas as pd

    objectives = _read(pairs)
    size = objectives[0].n_models
    test = check_fraction("level", level)
    check_fraction("power", power)
    check_count("replicates", replicates, low=2)
    check_count("simulate", simulate, low=0)
    check_real("factor", factor, low=1.0, strict=True)
    span = 2.0 * check_real("loss_span", loss_span, low=0.0, strict=True)
    labels = np.array(check_names("names", names, length=size, stem="model"), dtype=object)
    known = np.zeros((size, 0)) if costs is None else real_array("costs", costs, shape="(M, k)", min_ndim=2, max_ndim=2)
    if known.shape[0] != size:
        raise InvalidInputError(f"`costs` must have one row per model, {size}, got {known.shape[0]}.")
    chosen = _chosen(which, size)
    first, second = chosen.T
    # Which of the two is cheaper somewhere; axis 0: the first is, the second is.
    cheaper = np.stack([(known[first] < known[second]).any(axis=1), (known[second] < known[first]).any(axis=1)])
    views = [_view(entry, first, second, span) for entry in objectives]
    now = [view.shown(view.n, view.lost, view.won, test) for view in views]
    if which is None:
        open_pairs = ~_settled(np.stack(now), cheaper)
        first, second, cheaper = first[open_pairs], second[open_pairs], cheaper[:, open_pairs]
        views = [_view(entry, first, second, span) for entry in objectives]
    n = np.stack([view.n for view in views])
    present = n.max(axis=0)
    safe = 1.0 - _RUNS * (1.0 - power)
    totals = {
        name: _combine(np.stack([view.sizes(shift, test, chance) for view in views]), n, cheaper)
        for name, shift, chance in (("bound", 0.0, power), ("bound_low", 1.0, power), ("bound_high", -1.0, safe))
    }
    columns: dict[str, npt.NDArray[np.generic]] = {
        "model": labels[first],
        "rival": labels[second],
        "examples": present,
        "outcome": np.array(_OUTCOMES, dtype=object)[_outcome(np.stack([view.gap for view in views]), cheaper)],
    }
    runs = np.argsort(totals["bound"], kind="stable")[:simulate]
    simulated = {
        name: np.full(first.size, np.nan) for name in ("more", "more_error", "more_low", "more_high", "unsettled")
    }
    if runs.size:
        growth = _simulate([view.take(runs) for view in views], cheaper[:, runs], test, replicates, factor, rng)
        simulated_runs = _summary(growth, present[runs], factor)
        for name, values in simulated_runs.items():
            simulated[name][runs] = values
    columns |= simulated
    columns |= {
        name: np.where(np.isnan(total), total, np.maximum(total - present, 0.0)) for name, total in totals.items()
    }
    frame = pd.DataFrame(columns)
    return frame.iloc[np.argsort(totals["bound"], kind="stable")].reset_index(drop=True)


@dataclass(frozen=True)
class _View:
    """One objective seen by pairs (p,).

    For 0/1 losses `lost` and `won` count the examples on which only the first, only the second errs; else `won` is the
    sum of differences, second minus first, and `lost` is 0. `gap` is their mean and `spread` the rate of disagreement,
    or the variance of the differences.
    """

    binary: bool
    span: float
    n: FloatArray
    lost: FloatArray
    won: FloatArray
    gap: FloatArray
    spread: FloatArray

    def take(self, rows: Indices) -> _View:
        """Return the same objective for some of the pairs."""
        parts = (self.n, self.lost, self.won, self.gap, self.spread)
        return _View(self.binary, self.span, *(part[rows] for part in parts))

    def shown(self, n: FloatArray, lost: FloatArray, won: FloatArray, level: float) -> Bools:
        """Whether the first, and the second, is shown to be better: (2, p)."""
        if self.binary:
            total = won + lost
            critical = critical_counts(np.maximum(total, 1.0), level)
            return np.stack([(total > 0) & (lost <= critical), (total > 0) & (won <= critical)])
        budget = math.log(2.0 / level)
        enough = np.maximum(n, 2.0)
        margin = np.sqrt(2.0 * self.spread * budget * enough)
        margin = margin + 7.0 * self.span * budget * enough / (3.0 * (enough - 1.0))
        return np.stack([(n >= 2) & (won > margin), (n >= 2) & (-won > margin)])

    def sizes(self, shift: float, level: float, power: float) -> FloatArray:
        """Closed-form sizes (2, p) that show the first, and the second, better, if the gap is `shift` errors larger."""
        variance = np.maximum(self.spread - self.gap**2, 0.0) if self.binary else self.spread
        error = np.sqrt(variance / np.maximum(self.n, 1.0))
        gap = np.maximum(np.abs(self.gap) + shift * error, 0.0)
        if self.binary:
            gap = np.minimum(gap, 1.0)
            size = mcnemar_size(gap, np.maximum(self.spread, gap), level=level, power=power)
        else:
            size = bernstein_size(gap, self.spread, span=self.span, level=level, power=power)
        # No observed gap points nowhere: both directions stay infinite.
        return np.stack([np.where(self.gap > 0, size, np.inf), np.where(self.gap < 0, size, np.inf)])

    def extend(self, state: _State, new: FloatArray, rng: np.random.Generator) -> _State:
        """Add `new` simulated examples (p,) at the observed rates."""
        n, lost, won = state
        if self.binary:
            disagree = rng.binomial(new.astype(np.int64), self.spread)
            more = rng.binomial(disagree, np.clip(0.5 + 0.5 * self.gap / np.maximum(self.spread, 1e-300), 0.0, 1.0))
            return n + new, lost + (disagree - more), won + more
        return n + new, lost, won + self.gap * new + rng.standard_normal(new.shape) * np.sqrt(self.spread * new)


def _view(source: PairCounts | PairMoments, first: Indices, second: Indices, span: float) -> _View:
    """Return what one objective says about the pairs."""
    n = source.common[first, second].astype(np.float64)
    some = np.maximum(n, 1.0)
    if isinstance(source, PairCounts):
        one_sided = source.only_first
        lost, won = one_sided[first, second].astype(np.float64), one_sided[second, first].astype(np.float64)
        return _View(True, span, n, lost, won, (won - lost) / some, (won + lost) / some)
    won = source.sum_diff[second, first]
    squares = source.sum_sq_diff[first, second] - won**2 / some
    return _View(False, span, n, np.zeros_like(won), won, won / some, np.maximum(squares, 0.0) / np.maximum(n - 1, 1.0))


def _settled(shown: Bools, cheaper: Bools) -> Bools:
    """Whether a pair is settled, from the claims (N, 2, ...) and who is cheaper somewhere (2, ...)."""
    everywhere, somewhere = shown.all(axis=0), shown.any(axis=0) | cheaper
    dominated = (everywhere & ~cheaper[::-1]).any(axis=0)
    return np.asarray(dominated | somewhere.all(axis=0))


def _combine(sizes: FloatArray, n: FloatArray, cheaper: Bools) -> FloatArray:
    """Total size that settles each pair: all objectives for dominance, one each way for neither; the smaller.

    `sizes` is (N, 2, p) in examples of each objective; they grow in proportion to the present numbers `n` (N, p).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(n[:, None, :] > 0, sizes / n[:, None, :], np.inf)
    dominance = np.where(cheaper[::-1], np.inf, growth.max(axis=0)).min(axis=0)
    apart = np.where(cheaper, 0.0, growth.min(axis=0)).max(axis=0)
    total: FloatArray = np.minimum(dominance, apart)
    present = np.maximum(n.max(axis=0), 1.0)
    rounded: FloatArray = np.ceil(total * present)
    return rounded


def _outcome(gap: FloatArray, cheaper: Bools) -> Indices:
    """What the observed gaps (N, p) point to, as an index of the outcomes."""
    first, second = (gap > 0).any(axis=0) | cheaper[0], (gap < 0).any(axis=0) | cheaper[1]
    equal = (gap == 0).any(axis=0)
    kinds: Indices = np.select([first & second, equal, first, second], [2, 3, 0, 1], default=3).astype(np.intp)
    return kinds


def _simulate(
    views: list[_View], cheaper: Bools, level: float, replicates: int, factor: float, rng: int | np.random.Generator
) -> FloatArray:
    """Growth factors (p, replicates) at which simulated continuations are settled; infinite if never."""
    generator = np.random.default_rng(rng)
    found = np.full(cheaper.shape[1] * replicates, np.inf)
    runs = np.arange(found.size)
    pairs = runs // replicates
    views = [view.take(pairs) for view in views]
    states: list[_State] = [(view.n, view.lost, view.won) for view in views]
    growth, added = 1.0, _FIRST_STEP
    while growth < factor and runs.size:
        step = min(1.0 + added, factor)
        # Whole examples in all, however small a step.
        fresh = [np.round(view.n * step) - np.round(view.n * growth) for view in views]
        moved = zip(views, states, fresh, strict=True)
        states = [view.extend(state, new, generator) for view, state, new in moved]
        shown = np.stack([view.shown(*state, level) for view, state in zip(views, states, strict=True)])
        done = _settled(shown, cheaper[:, pairs])
        found[runs[done]] = step
        left = np.flatnonzero(~done)
        runs, pairs = runs[left], pairs[left]
        views = [view.take(left) for view in views]
        states = [(n[left], lost[left], won[left]) for n, lost, won in states]
        growth, added = step, added * _STEP
    return found.reshape(-1, replicates)


def _summary(growth: FloatArray, present: FloatArray, factor: float) -> dict[str, FloatArray]:
    """Expected number of further examples with its standard error, quantiles, and the share of runs not settled."""
    unsettled = np.isinf(growth).mean(axis=1)
    further = (np.minimum(growth, factor) - 1.0) * present[:, None]
    mean = np.where(unsettled == 1.0, np.inf, further.mean(axis=1))
    error = np.where(unsettled == 1.0, np.nan, further.std(axis=1, ddof=1) / math.sqrt(growth.shape[1]))
    runs = np.where(np.isinf(growth), np.inf, further)
    low, high = np.quantile(runs, [0.1, 0.9], axis=1, method="higher")
    return {
        "more": np.ceil(mean),
        "more_error": error,
        "more_low": np.ceil(low),
        "more_high": np.ceil(high),
        "unsettled": unsettled,
    }


def _chosen(which: npt.ArrayLike | None, size: int) -> Indices:
    """Return the pairs of interest as (p, 2) indices."""
    if which is None:
        return np.stack(np.triu_indices(size, 1), axis=1)
    chosen = np.asarray(which)
    inside = chosen.ndim == 2 and chosen.shape[-1] == 2 and chosen.dtype.kind in "iu"
    if not inside or (chosen < 0).any() or (chosen >= size).any() or (chosen[:, 0] == chosen[:, 1]).any():
        raise InvalidInputError(f"`which` must hold pairs of different models 0 to {size - 1}, got {which!r}.")
    return chosen.astype(np.intp)


def _read(pairs: Sequence[PairCounts | PairMoments]) -> list[PairCounts | PairMoments]:
    """Return the objectives, refused if there is none or they are of different models."""
    objectives = list(pairs)
    sizes = {entry.n_models for entry in objectives}
    if len(sizes) != 1:
        raise InvalidInputError(
            f"`pairs` must hold at least one objective, all of the same models, got {len(objectives)}."
        )
    return objectives
