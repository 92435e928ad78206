r"""Test martingales that need sums only, so that claims hold after every example at once and nothing is stored.

Each process below starts at 1, is at most a product of factors with conditional mean at most 1 under its hypothesis,
and so reaches 1/alpha ever with probability at most alpha (Ville's inequality). Settings are fixed in advance.

* **Paired 0/1 losses**: w wins and l losses among the disagreements; the mixture over q uniform on (1/2, 1) of
  :math:`(2q)^w (2(1-q))^l`, a partial beta integral.
* **Paired losses in a range**: with differences :math:`d_t \ge -1`, sum S and sum of squares V, a mixture over fixed
  :math:`\lambda` of :math:`\exp(\lambda S - \psi(\lambda) V)`, :math:`\psi(\lambda) = -\log(1-\lambda) - \lambda`,
  because :math:`\exp(\lambda d - \psi(\lambda) d^2) \le 1 + \lambda d` (Fan, Grama and Liu 2015, doi
  10.1214/EJP.v20-3496).
* **One mean m in (0, 1)**: the beta mixture of :math:`(q/m)^S ((1-q)/(1-m))^{n-S}`, valid for losses in [0, 1] too,
  since each factor is at most :math:`x q/m + (1-x)(1-q)/(1-m)` (weighted means); averaged with the process above for
  the differences x - m, and m - x.

The average of two processes is one, so neither has to be chosen after seeing the data. (Derived from these sources;
proof: sum-martingales.)
"""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray

__all__ = ["mean_ends", "mixture_of_bets", "sign_mixture"]

# Fixed bets; in the box the largest is 1/2, up to which the process falls as m approaches the average from below.
_PAIR_BETS = 0.9 * 2.0 ** -np.arange(11.0)
_MEAN_BETS = 0.5 * 2.0 ** -np.arange(10.0)
_BISECTIONS = 48


def sign_mixture(won: FloatArray, lost: FloatArray) -> FloatArray:
    """Return the log of the mixture against "at each disagreement a win has probability at most 1/2", rounded down."""
    from scipy.special import betainc, betaln

    total = won + lost
    tail = betainc(lost + 1.0, won + 1.0, 0.5)
    rounding = 1e-12 * (total + 1.0)
    with np.errstate(divide="ignore"):  # no evidence at all where the tail underflows
        evidence = np.log(tail) + (total + 1.0) * np.log(2.0) + betaln(won + 1.0, lost + 1.0) - rounding
    return np.asarray(evidence, dtype=np.float64)


def mixture_of_bets(total: FloatArray, squares: FloatArray) -> FloatArray:
    """Return the log of the mixture against "differences of at least -1 have mean at most 0", from their two sums."""
    best: FloatArray = np.full(np.broadcast_shapes(total.shape, squares.shape), -np.log(_PAIR_BETS.size))
    prices = -np.log1p(-_PAIR_BETS) - _PAIR_BETS
    logs = np.full(best.shape, -np.inf)
    for bet, price in zip(_PAIR_BETS, prices, strict=True):
        np.logaddexp(logs, bet * total - price * squares, out=logs)
    best += logs
    return best


def mean_ends(
    n: FloatArray, total: FloatArray, squares: FloatArray, log_level: float | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the present ends of the confidence sequences of means, with failure probability exp(-log_level) over all times.

    `n`, `total` and `squares` (M,) are numbers of losses in [0, 1], their sums and sums of squares.
    """
    both = _lower_ends(
        np.stack([n, n]),
        np.stack([total, n - total]),
        np.stack([squares, n - 2.0 * total + squares]),
        log_level,
    )
    lower = both[0]
    upper = np.minimum((1.0 - both[1]) * (1.0 + 2.0**-52), 1.0)
    return lower, np.maximum(upper, lower)


def _lower_ends(n: FloatArray, total: FloatArray, squares: FloatArray, log_level: float | FloatArray) -> FloatArray:
    """Return the largest mean found below which all are rejected; at most 2^-48 below the exact one, 0 if none is."""
    from scipy.special import betaln

    total = np.clip(total, 0.0, n)
    rest = n - total
    evidence = betaln(total + 0.5, rest + 0.5) - betaln(0.5, 0.5) - 1e-12 * (n + 1.0) - np.log(2.0)
    bets = _MEAN_BETS.reshape(-1, *(1,) * n.ndim)
    prices = -np.log1p(-bets) - bets
    # The exponent bet (total - n m) - price (squares - 2 m total + n m^2), by powers of m; a quarter of all the weight.
    slack = 1e-12 * (n + 1.0)  # rounding
    constant = bets * total - prices * squares - np.log(4.0 * bets.size) - slack
    linear, square = 2.0 * prices * total - bets * n, -prices * n
    low, high = np.zeros(n.shape), np.where(n > 0.0, total / np.maximum(n, 1.0), 0.0)
    for _ in range(_BISECTIONS):
        mean = 0.5 * (low + high)
        inside = np.clip(mean, 1e-300, 1.0 - 2.0**-53)
        signs = evidence - total * np.log(inside) - rest * np.log1p(-inside)
        exponents = constant + mean * (linear + mean * square)
        # Capped where e^600 times over the level is as good as any more.
        found = np.exp(np.minimum(signs - log_level, 600.0))
        found = found + np.exp(np.minimum(exponents - log_level, 600.0)).sum(axis=0)
        rejected = found >= 1.0
        low, high = np.where(rejected, mean, low), np.where(rejected, high, mean)
    return low
