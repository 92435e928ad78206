"""Confidence sequences: intervals for a mean that hold simultaneously after every example."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice, check_count
from moltheory.inference._concentration import check_delta, event_text, log_levels
from moltheory.inference._events import Event
from moltheory.inference._interval import SIDES, Interval, checksum
from moltheory.inference._methods import METHODS
from moltheory.inference._unit_losses import read_losses

__all__ = ["confidence_sequence"]

_SOURCES = {
    "hoeffding": "Howard, Ramdas, McAuliffe and Sekhon 2021, doi 10.1214/20-AOS1991, one-sided normal mixture",
    "empirical-bernstein": "Waudby-Smith and Ramdas 2024, arXiv 2010.09686, theorem 2",
    "betting": "Waudby-Smith and Ramdas 2024, arXiv 2010.09686, theorem 3",
}
# Largest bets, fixed in advance.
_CAP_BERNSTEIN = 0.5
_CAP_BETTING = 0.75
# Ends of the betting sequence are rounded outward by at most this share of their distance from the average.
_RATIO = 1.005
_ROUNDING = 2.0**-44


@document
def confidence_sequence(
    losses: npt.ArrayLike,
    /,
    *,
    method: str = "betting",
    delta: float | npt.ArrayLike,
    side: str = "both",
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    axis: int = 0,
    tuned_for: int = 1000,
) -> Interval:
    r"""Confidence sequence for the mean of losses: one interval after each example, valid for all times at once.

    With probability at least 1 - delta per mean, the mean lies in the t-th interval for **every** t, so the
    stopping time may depend on the data. Each interval is the intersection of all earlier ones, and depends on the
    first t examples only, up to rounding.

    Parameters
    ----------
    losses : (n, ...) array_like
        Examples in the order of their arrival along `axis`; all other axes are means of their own.
    method : {"betting", "empirical-bernstein", "hoeffding"}, default "betting"
        Hedged capital; predictable plug-in empirical Bernstein; the one-sided normal mixture of Hoeffding's
        sub-Gaussian bound.
    delta : float or (...) array_like
        Failure probability per mean and over all times, in (0, 1); half on each side if both are claimed.
    {side}
    {loss_ends}
    {axis}
    tuned_for : int, default 1000
        Number of examples near which ``"hoeffding"`` is tightest, >= 1; fix it before the data. Not used by the
        other methods.

    Returns
    -------
    Interval
        Of shape (n, ...), time first; `Interval.empty` where the event has failed.

    Raises
    ------
    InvalidInputError
        If a loss is NaN or outside the range, or another argument breaks its rule.

    Notes
    -----
    Complexity: O(n) time and memory per mean; betting uses a fixed number of candidate means per decade of width,
    rounded outward by less than 1 % of the distance between end and average. No setting depends on n, which would
    invalidate optional stopping.

    References
    ----------
    S. R. Howard, A. Ramdas, J. McAuliffe and J. Sekhon (2021), doi 10.1214/20-AOS1991, arXiv 1810.08240;
    I. Waudby-Smith and A. Ramdas (2024), doi 10.1093/jrsssb/qkad009, arXiv 2010.09686.

    Examples
    --------
    >>> sequence = confidence_sequence([0.2, 0.4, 0.3, 0.3] * 100, delta=0.05)
    >>> sequence.upper[[0, 9, 399]].round(2)
    array([1.  , 0.56, 0.31])
    """
    check_choice("method", method, _SOURCES)
    check_choice("side", side, SIDES)
    check_count("tuned_for", tuned_for)
    units = read_losses(losses, loss_range, axis)
    levels = check_delta(delta, units.shape)
    n, m = units.x.shape
    log_level = np.broadcast_to(log_levels(levels, side), units.shape).ravel()
    find: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
        "hoeffding": lambda x, level: _hoeffding(x, level, tuned_for),
        "empirical-bernstein": _empirical_bernstein,
        "betting": _betting,
    }
    lower, upper = np.zeros((n, m)), np.ones((n, m))
    if side != "upper":
        lower = find[method](units.x, log_level)
    if side != "lower":
        upper = np.minimum((1.0 - find[method](1.0 - units.x, log_level)) * (1.0 + 2.0**-52), 1.0)
    lower, upper = units.to_original_units(lower, upper, (n, *units.shape))
    # All times are one event.
    places = np.broadcast_to(np.arange(m).reshape(units.shape), lower.shape)
    return Interval(
        lower=lower,
        upper=upper,
        range=units.range,
        delta=levels,
        event=event_text("each mean, at all times,", method, side, checksum(lower, upper, levels)),
        method=method,
        source=_SOURCES[method],
        assumptions=(*METHODS[method].assumptions, "settings fixed before the data"),
        side=side,
        identity=(Event(("sequence", method, side, lower, upper, levels), places),),
    )


def _best_so_far(ends: FloatArray, error: float) -> FloatArray:
    """Return the running intersection of lower ends (n, m), clipped and rounded outward."""
    best: FloatArray = np.maximum.accumulate(np.clip(ends - error, 0.0, 1.0), axis=0)
    return best


def _hoeffding(x: FloatArray, log_level: FloatArray, tuned_for: int) -> FloatArray:
    """Lower ends: S_t - t m <= sqrt(2 (v + r) log(1 + sqrt((v + r) / r) / (2 a))) for all t, v = t / 4."""
    n = x.shape[0]
    t = np.arange(1.0, n + 1.0)[:, None]
    # Any r > 0 is valid; this one is near the best at `tuned_for`.
    r = 0.25 * tuned_for / (2.0 * log_level + np.log1p(2.0 * log_level) + 0.1)
    v = 0.25 * t
    # log(1 + exp(z)), with z = log of the ratio, does not overflow at the smallest levels.
    growth = np.logaddexp(0.0, 0.5 * np.log1p(v / r) + log_level - np.log(2.0))
    margin = np.sqrt(2.0 * (v + r) * growth) / t
    return _best_so_far(np.cumsum(x, axis=0) / t - margin, _ROUNDING + n * 2.0**-52)


def _empirical_bernstein(x: FloatArray, log_level: FloatArray) -> FloatArray:
    """Lower ends of the predictable plug-in: bets and centers use earlier examples only."""
    n, m = x.shape
    t = np.arange(1.0, n + 1.0)[:, None]
    means = (0.5 + np.cumsum(x, axis=0)) / (t + 1.0)
    variances = (0.25 + np.cumsum((x - means) ** 2, axis=0)) / (t + 1.0)
    before = np.vstack([np.full((1, m), 0.25), variances[:-1]])
    centers = np.vstack([np.full((1, m), 0.5), means[:-1]])
    bets = np.minimum(np.sqrt(2.0 * log_level / (before * t * np.log1p(t))), _CAP_BERNSTEIN)
    # (-log(1 - b) - b) / 4 times 4 (x - center)^2
    price = (-np.log1p(-bets) - bets) * (x - centers) ** 2
    stake = np.cumsum(bets, axis=0)
    ends = (np.cumsum(bets * x, axis=0) - log_level - np.cumsum(price, axis=0)) / stake
    return _best_so_far(ends, _ROUNDING + n * 2.0**-50)


def _betting(x: FloatArray, log_level: FloatArray) -> FloatArray:
    """Lower ends of the capital process; see the compiled kernel."""
    from moltheory.inference._kernels import lower_sequences

    rows = np.ascontiguousarray(x.T)
    out = np.empty_like(rows)
    lower_sequences(rows, np.ascontiguousarray(log_level), _CAP_BETTING, _RATIO, out)
    return out.T
