"""Excess risk of empirical risk minimisation under the Bernstein condition: between 1/sqrt(n) and 1/n."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import check_count, check_fraction, check_real
from moltheory.bounds._bound import Bound
from moltheory.bounds._sizes import IID, RANGES, count_of, loss_ranges, sample_sizes

__all__ = ["bernstein_excess"]


@document
def bernstein_excess(
    n: int | npt.ArrayLike,
    *,
    n_hypotheses: int,
    constant: float,
    exponent: float = 1.0,
    delta: float,
    n_objectives: int = 1,
    loss_range: float | npt.ArrayLike = 1.0,
    eta: float = 0.0,
) -> Bound:
    r"""Excess risk of empirical risk minimisation in a finite class under the Bernstein condition.

    If :math:`Var(\ell_h - \ell_{h^*}) \le B (L(h) - L(h^*))^\beta` for all h and a best :math:`h^*`, then whatever minimises
    the empirical risk up to eta has an excess of at most the solution of
    :math:`e = \sqrt{2 B b\, e^\beta} + 2 R b/3 + \eta` with :math:`b = \log(|H| N'/\delta)/n_i` and R the range of the
    losses: of order :math:`n^{-1/(2-\beta)}`.

    Parameters
    ----------
    {sizes}
    n_hypotheses : int
        Size of the class, >= 1; fixed before the data.
    constant : float
        B >= 0.
    exponent : float, default 1
        beta, in [0, 1]: 1 for squared losses and convex classes, or for 0/1 losses with a margin; 0 assumes nothing if
        B is the largest variance of a difference.
    {delta}
    {n_objectives}
    {loss_range}
    eta : float, default 0
        Optimization error, >= 0.

    Returns
    -------
    Bound
        Its width, of shape (N,), is the excess for each objective; for a weighted sum fixed before the data, take its
        losses as those of one objective. It is vacuous from the range of the loss on.

    {raises}

    Notes
    -----
    Only the |H| differences from one fixed hypothesis are tested, on one side: compared with twice the half-width of
    `finite_class`, the log 2 goes, and for beta = 1 the root.

    Complexity: O(N) time and memory.

    References
    ----------
    P. Bartlett, O. Bousquet and S. Mendelson (2005), doi 10.1214/009053605000000282, for the condition. The constants:
    derived (proof: bernstein-excess).

    Examples
    --------
    >>> bernstein_excess(3000, n_hypotheses=100, constant=1.0, delta=0.05).width
    array([0.0080...])
    >>> bernstein_excess(3000, n_hypotheses=100, constant=1.0, exponent=0.0, delta=0.05).width
    array([0.0728...])
    """
    sizes = sample_sizes(n, n_objectives)
    ranges = loss_ranges(loss_range, sizes.size)
    scale = check_real("constant", constant, low=0.0)
    power = check_real("exponent", exponent, low=0.0, high=1.0)
    slack = check_real("eta", eta, low=0.0)
    size = check_count("n_hypotheses", n_hypotheses)
    budget = math.log(count_of(sizes)) + math.log(size) - math.log(check_fraction("delta", delta))
    per_example = budget / sizes
    width = [
        _root(math.sqrt(2.0 * scale * b), power / 2.0, 2.0 * span * b / 3.0 + slack)
        for b, span in zip(per_example.tolist(), ranges.tolist(), strict=True)
    ]
    return Bound(
        # Of a known objective nothing but the optimization error is lost.
        width=np.asarray(width, dtype=np.float64),
        loss_range=ranges,
        delta=float(delta),
        method="empirical risk minimisation, Bernstein condition",
        source="derived (proof: bernstein-excess), after Bartlett, Bousquet and Mendelson 2005",
        assumptions=(
            f"{size} hypotheses fixed before the data",
            f"Bernstein condition with constant {scale:g} and exponent {power:g}",
            IID,
            RANGES,
        ),
        event="for every objective: excess true risk of what minimises its empirical risk (up to eta) <= width",
        scope="excess",
    )


def _root(slope: float, power: float, offset: float) -> float:
    """Return the largest e with e = slope e^power + offset, 0 <= power <= 1/2, from above."""
    if power == 0.0:
        return slope + offset
    # Both terms at most half of e: e is at least the root, and Newton's steps on a convex function stay there.
    e: float = 2.0 * max(offset, (2.0 * slope) ** (1.0 / (1.0 - power)) / 2.0)
    for _ in range(100):
        raised = slope * math.pow(e, power)
        step = (e - raised - offset) / (1.0 - power * raised / e) if e > 0.0 else 0.0
        if not step > 1e-15 * e:
            break
        e -= step
    return e
