"""Confidence intervals for the mean of bounded losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_choice
from moltheory.errors import InvalidInputError
from moltheory.inference._concentration import check_delta, event_text
from moltheory.inference._inspection import kept_levels
from moltheory.inference._interval import SIDES, Interval, checksum
from moltheory.inference._methods import METHODS, described
from moltheory.inference._unit_losses import UnitLosses, read_losses

__all__ = ["mean_interval"]

# Above this many examples "auto" leaves betting for reasons of cost alone: some 70 passes over the losses (about
# 20 ms per mean at 100,000) instead of two. Measured there, empirical Bernstein is 1.3 to 1.9 times as wide.
_LARGE = 100_000


@document(
    method=described(
        default="auto",
        more=' ``"auto"`` takes, for each mean, Clopper-Pearson where every loss is exactly an end of the range, else '
        "betting up to n = 100,000 and empirical Bernstein above; it never compares widths.",
    )
)
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
    r"""Confidence interval for the mean of losses in a known range, one for each column.

    Parameters
    ----------
    losses : (n, ...) array_like
        n independent examples along `axis`; all other axes are means of their own.
    {method}
    {delta_per_mean}
    {side}
    {loss_ends}
    {axis}

    Returns
    -------
    Interval
        Of the shape of `losses` without `axis`, rounded outward; `Interval.method` names the method of each.

    Raises
    ------
    InvalidInputError
        If a loss is NaN or outside the range, Clopper-Pearson meets a loss inside it, or another argument
        breaks its rule.

    Notes
    -----
    ``"auto"`` inspects the data once, to see whether they are binary. Bools, and integers in a range of length one, can
    be nothing else, and keep all of delta. Other losses pay for the inspection: 95 % of delta remains where no loss, or
    more than a few, lie inside the range, 5 % where a few do, so that the interval fails with probability at most delta
    whichever method is taken (derived; proof: inspection). A method given by name
    costs nothing.

    Complexity: O(n) time and memory per mean; betting takes one bisection, some 35 passes per side. The capital of a bet
    against "the mean is at most m" falls as m grows, so what a bisection finds rejected is rejected with everything
    below it. For that the bets are the same for every m: they aim at the end that the past predicts, and ask for what is
    missing there in the examples left (STaR-Bets by Voracek and Orabona aim at each m itself).

    References
    ----------
    W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830; A. Maurer and M. Pontil (2009), arXiv 0907.3740;
    V. Bentkus (2004), doi 10.1214/009117904000000360; S. Bates et al. (2021), arXiv 2101.02703;
    I. Waudby-Smith and A. Ramdas (2024), doi 10.1093/jrsssb/qkad009, arXiv 2010.09686;
    V. Voracek and F. Orabona (2025), arXiv 2505.22422.

    Examples
    --------
    >>> losses = np.column_stack([[0, 0, 1, 0] * 25, [0.2, 0.3, 0.1, 0.2] * 25])
    >>> interval = mean_interval(losses, delta=0.05)
    >>> interval.method.tolist()
    ['clopper-pearson', 'betting']
    >>> interval.upper.round(3)
    array([0.348, 0.241])
    """
    check_choice("method", method, {*METHODS, "auto"})
    check_choice("side", side, SIDES)
    units = read_losses(losses, loss_range, axis)
    levels = check_delta(delta, units.shape)
    n, m = units.x.shape
    binary = units.binary()
    methods = np.full(m, method)
    if method == "auto":
        methods = np.where(binary, "clopper-pearson", "betting" if n <= _LARGE else "empirical-bernstein")
    elif METHODS[method].two_valued and not binary.all():
        inside = units.x[(units.x != 0.0) & (units.x != 1.0)]
        raise InvalidInputError(
            f"`losses` must all be an end of `loss_range` for {method}, "
            f"got one {float(inside[0]):.6g} of the way between."
        )
    used = np.unique(methods).tolist()
    lower, upper = np.zeros(m), np.ones(m)
    each = np.broadcast_to(levels, units.shape).ravel()
    if method == "auto" and not units.of_two_values:
        each = kept_levels(units.n_interior(), n, each)
    for name in used:
        where = methods == name
        part = units if where.all() else UnitLosses(units.x[:, where], (), units.low, units.high)
        found = part.x if METHODS[name].in_order else part.summary(binary[where])
        lower[where], upper[where] = METHODS[name].ends(found, each[where], side)
    lower, upper = units.to_original_units(lower, upper, units.shape)
    label: str | npt.NDArray[np.str_] = used[0] if len(used) == 1 else methods.reshape(units.shape)
    return Interval(
        lower=lower,
        upper=upper,
        range=units.range,
        delta=levels,
        event=event_text("each mean", label, side, checksum(lower, upper, levels)),
        method=label,
        source="; ".join(METHODS[name].source for name in used),
        assumptions=tuple(dict.fromkeys(text for name in used for text in METHODS[name].assumptions)),
        side=side,
    )
