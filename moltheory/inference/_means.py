"""Intervals for the mean of bounded losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError
from moltheory.inference._binomial import both_ends
from moltheory.inference._concentration import ASSUMPTIONS, SOURCES, check_delta, event_text
from moltheory.inference._inspection import kept_levels
from moltheory.inference._interval import SIDES, Interval, fingerprint
from moltheory.inference._unit_losses import UnitLosses, read_losses

__all__ = ["mean_interval"]

# Above this many examples "auto" leaves betting for reasons of cost alone: some 70 passes over the losses (about
# 20 ms per mean at 100,000) instead of two. Measured there, empirical Bernstein is 1.3 to 1.9 times as wide.
_LARGE = 100_000
# Largest share of the capital at stake in one bet; Waudby-Smith and Ramdas suggest 1/2 or 3/4.
_CAP = 0.75
# Losses turned into contiguous rows at a time.
_BLOCK = 1 << 22


def mean_interval(
    losses: npt.ArrayLike,
    /,
    *,
    method: str = "auto",
    delta: float | npt.ArrayLike,
    side: str = "both",
    loss_range: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 1.0),
    axis: int = 0,
) -> Interval:
    r"""Interval for the mean of losses in a known range, one for each column.

    Parameters
    ----------
    losses : (n, ...) array_like
        n independent examples along `axis`; all other axes are means of their own.
    method : str, default "auto"
        ``"hoeffding"``, ``"kl"`` (Chernoff), ``"clopper-pearson"`` (losses at the two ends of the range only),
        ``"empirical-bernstein"`` (Maurer-Pontil with the unbiased variance; the whole range at n = 1),
        ``"hoeffding-bentkus"``, ``"betting"`` (hedged capital, predictable plug-in; uses the order of the
        examples), or ``"auto"``: for each mean Clopper-Pearson where every loss is exactly an end of the range,
        else betting up to n = 100,000 and empirical Bernstein above. Widths are never compared.
    delta : float or (...) array_like
        Failure probability **per mean**, in (0, 1); divide it yourself for a simultaneous statement. A two-sided
        interval spends half on each side.
    side : {"both", "lower", "upper"}, default "both"
        Which ends to claim; the other one is the end of the range.
    loss_range : pair, default (0, 1)
        Ends of the range, numbers or one per mean; fixed before the data.
    axis : int, default 0
        Axis of the examples.

    Returns
    -------
    Interval
        Of the shape of `losses` without `axis`, rounded outward; `Interval.method` says what was used.

    Raises
    ------
    InvalidInputError
        If a loss is NaN or outside the range, Clopper-Pearson meets a loss inside it, or another argument
        breaks its rule.

    Notes
    -----
    "auto" looks at the data once, to see whether they are binary. Bools, and integers in a range of length one, can be
    nothing else, and keep all of delta. Other losses pay for the look: 95 % of delta is left where no loss, or more than
    a few, lie inside the range, 5 % where a few do, so that both ways to fail together have probability at most delta
    (derived; the proof is in ``moltheory.inference._inspection``). Naming the method costs nothing.

    O(n) per mean; betting takes one bisection, some 35 passes per side. The capital of a bet against "the mean
    is at most m" falls as m grows, so what a bisection finds rejected is rejected with everything below it.

    References
    ----------
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830; A. Maurer and M. Pontil (2009), arXiv 0907.3740;
    V. Bentkus (2004), doi 10.1214/009117904000000360; S. Bates et al. (2021), arXiv 2101.02703;
    I. Waudby-Smith and A. Ramdas (2024), doi 10.1093/jrsssb/qkad009, arXiv 2010.09686.

    Examples
    --------
    >>> losses = np.column_stack([[0, 0, 1, 0] * 25, [0.2, 0.3, 0.1, 0.2] * 25])
    >>> interval = mean_interval(losses, delta=0.05)
    >>> interval.method.tolist()
    ['clopper-pearson', 'betting']
    >>> interval.upper.round(3)
    array([0.348, 0.241])
    """
    check_choice("method", method, {*SOURCES, "auto"})
    check_choice("side", side, SIDES)
    units = read_losses(losses, loss_range, axis)
    levels = check_delta(delta, units.shape)
    n, m = units.x.shape
    binary = units.binary()
    methods = np.full(m, method)
    if method == "auto":
        methods = np.where(binary, "clopper-pearson", "betting" if n <= _LARGE else "empirical-bernstein")
    elif method == "clopper-pearson" and not binary.all():
        inside = units.x[(units.x != 0.0) & (units.x != 1.0)]
        raise InvalidInputError(
            "`losses` must all be an end of `loss_range` for clopper-pearson, "
            f"got one {float(inside[0]):.6g} of the way between."
        )
    used = np.unique(methods).tolist()
    lower, upper = np.zeros(m), np.ones(m)
    each = np.broadcast_to(levels, units.shape).ravel()
    if method == "auto" and not units.of_two_values:
        each = kept_levels(units.inside(), n, each)
    for name in used:
        where = methods == name
        part = units if where.all() else UnitLosses(units.x[:, where], (), units.low, units.high)
        if name == "betting":
            lower[where], upper[where] = _betting(part.x, each[where], side)
        else:
            lower[where], upper[where] = both_ends(part.summary(binary[where]), each[where], name, side)
    lower, upper = units.back(lower, upper, units.shape)
    label: str | npt.NDArray[np.str_] = used[0] if len(used) == 1 else methods.reshape(units.shape)
    return Interval(
        lower=lower,
        upper=upper,
        range=units.range,
        delta=levels,
        event=event_text("each mean", label, side, fingerprint(lower, upper, levels)),
        method=label,
        source="; ".join(SOURCES[name] for name in used),
        assumptions=tuple(dict.fromkeys(text for name in used for text in ASSUMPTIONS[name])),
        side=side,
    )


def _betting(x: FloatArray, delta: FloatArray, side: str) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the hedged capital interval of each column."""
    from moltheory.inference._kernels import tightest_lower

    n, m = x.shape
    log_level = -np.log(delta) + (np.log(2.0) if side == "both" else 0.0)
    lower, upper = np.zeros(m), np.ones(m)
    step = max(1, _BLOCK // n)
    for start in range(0, m, step):
        part = slice(start, start + step)
        rows = np.ascontiguousarray(x[:, part].T)
        if side != "upper":
            tightest_lower(rows, log_level[part], float(n), _CAP, lower[part])
        if side != "lower":
            tightest_lower(1.0 - rows, log_level[part], float(n), _CAP, upper[part])
            upper[part] = 1.0 - upper[part]
    return lower, np.minimum(upper * (1.0 + 2.0**-52), 1.0)
