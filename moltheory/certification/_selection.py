r"""What it costs that the losses themselves tell whether a column is treated as 0/1.

The tests for 0/1 losses (McNemar, Clopper-Pearson) are used where every loss seen is an end of its range, those for
bounded losses elsewhere. If the type of the losses leaves nothing else (bools; integers in a range of length one),
that is no choice. Otherwise it is one between two valid procedures, made by looking, and may fail twice: once where
no loss inside the range is seen, once where some are. So a level a is split (derived).

* The tests for 0/1 losses are valid for any losses in [0, 1], as long as none was seen inside: with U uniform, the
  same for all models, 1{U <= x} has the mean of x, and is x itself where x is 0 or 1.
* Let k of n units show a loss inside, k ~ Bin(n, q), and K the least number with P(Bin(n, q) > K) <= s for every q
  with (1 - q)^n > s; s is tiny against a. Of the cases k = 0 and k > K one has probability at most s, whatever q is.
* So these two may share the same :math:`(1 - \gamma)(a - s)`, and :math:`\gamma (a - s)` is left for 0 < k <= K:
  together at most s + (1 - gamma)(a - s) + gamma (a - s) = a.

Clusters of several examples have no tests for 0/1 losses, so nothing is chosen there.
"""

from __future__ import annotations

import math

import numpy as np

from moltheory.certification._inputs import Column

__all__ = ["FEW", "kept_level", "most_of_few"]

# Share of a level for the case of few losses inside the range, and of what is given up altogether.
FEW = 0.05
_GIVEN_UP = 1e-5


def kept_level(column: Column, log_level: float) -> tuple[float, float]:
    """Return (share, spent): with a = exp(-log_level), tests and boxes of a column are to be made at share * (a - spent).

    For p-values p that is p / share + spent, valid for every level once `log_level` is fixed in advance.
    """
    if column.whole or column.largest > 1:
        return 1.0, 0.0
    log_spent = log_level - math.log(_GIVEN_UP)
    few = 0 < column.inside <= most_of_few(column.n_units, log_spent)
    return (FEW if few else 1.0 - FEW), math.exp(-log_spent)


def most_of_few(n: int, log_spent: float) -> int:
    """Return K for n units, with s = exp(-log_spent)."""
    from scipy.special import bdtrc

    # (1 - q)^n = s; the mean n q is at most log(1/s), beyond five times of which Chernoff's bound is s^4.
    q = -math.expm1(-log_spent / n)
    numbers = np.arange(min(n, math.ceil(5.0 * log_spent)) + 1)
    return int(np.argmax(bdtrc(numbers, n, q) <= 0.999 * math.exp(-log_spent)))
