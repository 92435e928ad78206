"""How many further examples would decide the undecided pairs of models: a plan from the data at hand."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._frames import frame_with_names
from moltheory._core._memory_estimate import require_memory
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_names, check_real, real_array
from moltheory.certification._pair_views import PairView, View, decided, simulated_growths
from moltheory.errors import InvalidInputError
from moltheory.inference._pairs import PairCounts, PairMoments

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "OUTCOMES",
    "cheaper_of",
    "further_of",
    "more_examples",
    "outcome_of",
    "present_of",
]

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

# Share of 1 - power that `bound_high` leaves to bad runs; the rest, .16 of .2, is for overestimated gaps.
_RUNS = 0.2
OUTCOMES = ("model dominates", "rival dominates", "neither dominates", "no difference observed")


@document
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
    """Return the numbers of further examples that would decide each pair of models, by simulation and by a bound.

    A pair is decided when one model is shown to be better in every objective with data and no worse in any cost, or
    when each is shown to be better than the other in some objective (then neither dominates). A model is shown to be
    better in an objective if the one-sided paired test passes at `level`: exact McNemar for 0/1 losses; for others bets
    toward the level, by an approximation, in simulations, and empirical Bernstein, which needs more, in bounds.

    This is a plan, **not a guarantee**: all columns but ``bound_high`` treat the observed rates as the true ones.
    ``bound_low`` shows how the plan changes if every gap is one standard error larger, ``bound_high`` if every gap is at
    the lower end of a confidence interval.

    Parameters
    ----------
    pairs : sequence of PairCounts or PairMoments
        One per objective with data.
    level : float
        Level of each one-sided test, in (0, 1), for example delta / (M (M-1) N).
    costs : (M, k) array_like, optional
        Known costs, minimised.
    {model_names}
    loss_span : float, default 1
        Length of the range of the losses of `PairMoments`.
    which : (p, 2) array_like of int, optional
        The pairs of interest; by default every pair that the tests leave undecided.
    power : float, default 0.8
        Probability with which the size of the bound suffices, in (0, 1).
    replicates : int, default 100
        Simulated continuations per pair.
    simulate : int, default 200
        Largest number of pairs that are simulated, those with the smallest bounds; the others get NaN.
    factor : float, default 1000
        Continuations end at this multiple of the present number of examples, > 1.
    rng : int or numpy.random.Generator, default 0
        Seed of the simulation.

    Returns
    -------
    pandas.DataFrame
        One row per pair, sorted by ``bound``, with these columns:

        * ``model``, ``rival``;
        * ``examples``: present number of common examples, in the objective with most of them;
        * ``outcome``: what the observed gaps suggest;
        * ``more``: expected number of further examples by simulation, which decides about half of the runs. Runs that
          are undecided at the end count as decided there, so the number is then a lower bound; it is infinite if no run
          is decided;
        * ``more_error``: standard error of ``more``;
        * ``more_low``, ``more_high``: 10 % and 90 % quantiles of the runs;
        * ``unsettled``: share of runs that are undecided at the end;
        * ``bound``: further examples that suffice with probability `power` in each objective that is needed, at the
          observed rates; **infinite if such an objective shows no gap**;
        * ``bound_low``: the same with gaps one standard error larger;
        * ``bound_high``: the same with lower confidence limits of the gaps and a fifth of the failure probability;
          infinite if equal models are not ruled out. It is finite and insufficient with probability at most
          1 - `power`, whatever the true rates: see the notes.

    Raises
    ------
    InvalidInputError
        If shapes disagree or an argument is out of its range.
    TooLargeError
        If the table of so many pairs does not fit in the memory that is available.

    Notes
    -----
    Continuations start from the present counts and add multinomial counts of the paired outcomes at their observed
    rates (for other losses, normal sums with the observed mean and variance of the differences), independently over
    objectives and in the same proportion in all of them. The number of further examples grows by 20 % from look to
    look, and is rounded up to the next look. Each number is for **one** test on all examples together at `level`; for
    repeated looks use `CertificateStream`.

    Complexity: O(M^2 N) time for the bounds, O(`simulate` x `replicates` x N log `factor`) for the simulation; memory of
    about 300 + 50 N bytes for each of M (M - 1) / 2 pairs, or of `which`.

    ``bound_high`` uses lower confidence limits of the gaps. All together are wrong with probability at most four fifths
    of 1 - `power` (.16 by default); the remaining fifth is for a bad run in each objective that is needed. N objectives
    share the .16 in N + 1 parts (derived; proof: planned-sizes), so the limit is 1.41 standard errors below the gap for
    one objective, 1.61 for two. For 0/1 losses, equal models get a finite number with at most this probability,
    exactly; for unequal ones the normal approximation is used. For other losses it is Student's t, which is unreliable
    while the two models differ on a few examples only.

    References
    ----------
    Bounds: derived (proof: planned-sizes), see `planned_sizes` and `bernstein_size`. Limits for 0/1 losses: C. J.
    Clopper and E. S. Pearson (1934), doi 10.1093/biomet/26.4.404, given the number of disagreements.

    Examples
    --------
    >>> counts = PairCounts(2)
    >>> counts.update([[1, 1]] * 180 + [[1, 0]] * 20 + [[0, 1]] * 35 + [[0, 0]] * 765)
    >>> plan = more_examples([counts], level=0.001)
    >>> plan[["examples", "outcome", "more", "bound"]].to_dict("records")
    [{'examples': 1000.0, 'outcome': 'model dominates', 'more': 1654.0, 'bound': 8124.0}]
    """
    objectives = _read(pairs)
    size = objectives[0].n_models
    test = check_fraction("level", level)
    check_fraction("power", power)
    check_count("replicates", replicates, low=2)
    check_count("simulate", simulate, low=0)
    check_real("factor", factor, low=1.0, strict=True)
    span = 2.0 * check_real("loss_span", loss_span, low=0.0, strict=True)
    labels = check_names("names", names, length=size, stem="model")
    known = np.zeros((size, 0)) if costs is None else real_array("costs", costs, shape="(M, k)", min_ndim=2, max_ndim=2)
    if known.shape[0] != size:
        raise InvalidInputError(f"`costs` must have one row per model, {size}, got {known.shape[0]}.")
    of_interest = size * (size - 1) // 2 if which is None else len(np.atleast_1d(np.asarray(which)))
    require_memory(
        (290.0 + 50.0 * len(objectives)) * of_interest,
        f"`which` must hold fewer than {of_interest:,} pairs",
        "choose the pairs of interest, or use `Certificate.plan`, which reports one rival of each model",
    )
    first, second = _chosen(which, size).T
    views = [PairView.of(entry, first, second, span=span) for entry in objectives]
    if which is None:
        now = np.stack([view.decides(view.state, test) for view in views])
        rows = np.flatnonzero(~decided(now, cheaper_of(known, first, second)))
        first, second, views = first[rows], second[rows], [view.take(rows) for view in views]
    return _plan_pairs(
        views,
        first,
        second,
        costs=known,
        names=labels,
        level=test,
        power=power,
        overestimated=(1.0 - _RUNS) * (1.0 - power),
        replicates=replicates,
        simulate=simulate,
        factor=factor,
        rng=rng,
    )


def _plan_pairs(
    views: Sequence[PairView],
    first: Indices,
    second: Indices,
    *,
    costs: FloatArray,
    names: Sequence[str],
    level: float,
    power: float,
    overestimated: float,
    replicates: int,
    simulate: int,
    factor: float,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Return the plan of `more_examples` for pairs (p,) of models, from one view per objective.

    `overestimated` is the probability with which ``bound_high`` may overestimate a gap, over all objectives.
    """
    labels = np.array(names, dtype=object)
    cheaper = cheaper_of(costs, first, second)
    present = present_of(views)
    totals = {
        name: _total_of(views, cheaper, present, level=level, shift=shift, power=chance)
        for name, (shift, chance) in _margins(len(views), power, overestimated).items()
    }
    columns: dict[str, npt.NDArray[np.generic]] = {
        "model": labels[first],
        "rival": labels[second],
        "examples": present,
        "outcome": np.array(OUTCOMES, dtype=object)[outcome_of(views, cheaper)],
    }
    columns |= _simulated(views, cheaper, present, totals["bound"], simulate, level, replicates, factor, rng)
    columns |= {name: further_of(total, present) for name, total in totals.items()}
    frame = frame_with_names(columns)
    return frame.iloc[np.argsort(totals["bound"], kind="stable")].reset_index(drop=True)


def _margins(n_objectives: int, power: float, overestimated: float) -> dict[str, tuple[float, float]]:
    """Return, for each size of a plan, by how many standard errors gaps are larger, and the power of each test."""
    from scipy.special import ndtri

    # If a pair gets too small a size, one of N + 1 limits is wrong: suppose that the second model needs at least as much
    # to be better somewhere as the first. Then either one of the N limits in its favor is wrong, or the first is said
    # to dominate, and the limit in the objective in which that is hardest is wrong; or the same with the models swapped.
    lower = float(ndtri(overestimated / (n_objectives + 1)))
    return {"bound": (0.0, power), "bound_low": (1.0, power), "bound_high": (lower, 1.0 - _RUNS * (1.0 - power))}


def present_of(views: Sequence[View]) -> FloatArray:
    """Return the numbers of common examples of pairs, in the objective with most of them."""
    return functools.reduce(np.maximum, [view.n for view in views])


def _total_of(
    views: Sequence[View], cheaper: Bools, present: FloatArray, *, level: float, shift: float, power: float
) -> FloatArray:
    """Return the total sizes (p,) that decide pairs, if gaps are `shift` standard errors larger."""
    return _combine(np.stack([view.growths(shift, level, power) for view in views]), present, cheaper)


def further_of(total: FloatArray, present: FloatArray) -> FloatArray:
    """Return what total sizes add to the present ones."""
    return np.where(np.isnan(total), total, np.maximum(total - present, 0.0))


def _simulated(
    views: Sequence[PairView],
    cheaper: Bools,
    present: FloatArray,
    total: FloatArray,
    simulate: int,
    level: float,
    replicates: int,
    factor: float,
    rng: int | np.random.Generator,
) -> dict[str, FloatArray]:
    """Return what simulations say about the pairs with the smallest totals; NaN for the others."""
    runs = np.argsort(total, kind="stable")[:simulate]
    found = {name: np.full(total.size, np.nan) for name in ("more", "more_error", "more_low", "more_high", "unsettled")}
    if runs.size:
        growth = simulated_growths(
            [view.take(runs) for view in views], cheaper[:, runs], level, replicates, factor, rng
        )
        for name, values in _summary(growth, present[runs], factor).items():
            found[name][runs] = values
    return found


def cheaper_of(costs: FloatArray, first: Indices, second: Indices) -> Bools:
    """Return whether the first, and the second, is cheaper somewhere, (2, p)."""
    return np.stack([(costs[first] < costs[second]).any(axis=1), (costs[second] < costs[first]).any(axis=1)])


def _combine(growth: FloatArray, present: FloatArray, cheaper: Bools) -> FloatArray:
    """Return the total size that decides each pair: all objectives for dominance, one each way if neither dominates.

    `growth` (N, 2, p) is the factor by which the present number of examples has to be multiplied in each objective.
    """
    dominance = np.where(cheaper[::-1], np.inf, growth.max(axis=0)).min(axis=0)
    apart = np.where(cheaper, 0.0, growth.min(axis=0)).max(axis=0)
    total: FloatArray = np.minimum(dominance, apart)
    rounded: FloatArray = np.ceil(total * np.maximum(present, 1.0))
    return rounded


def outcome_of(views: Sequence[View], cheaper: Bools) -> Indices:
    """Return the outcome that the observed gaps suggest, as an index into `OUTCOMES`."""
    gap = np.stack([view.gap for view in views])
    first, second = (gap > 0).any(axis=0) | cheaper[0], (gap < 0).any(axis=0) | cheaper[1]
    equal = (gap == 0).any(axis=0)
    kinds: Indices = np.select([first & second, equal, first, second], [2, 3, 0, 1], default=3).astype(np.intp)
    return kinds


def _summary(growth: FloatArray, present: FloatArray, factor: float) -> dict[str, FloatArray]:
    """Return the mean of the further examples, its standard error, quantiles, and the share of undecided runs."""
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
    """Return the objectives; refuse none, and objectives with different numbers of models."""
    objectives = list(pairs)
    sizes = {entry.n_models for entry in objectives}
    if len(sizes) != 1:
        raise InvalidInputError(
            f"`pairs` must hold at least one objective, all of the same models, got {len(objectives)}."
        )
    return objectives
