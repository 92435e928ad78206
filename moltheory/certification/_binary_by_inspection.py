r"""What it costs that the losses themselves tell whether a column is treated as 0/1.

The tests for 0/1 losses (McNemar, Clopper-Pearson) are used where every loss seen is an end of its range, those for
bounded losses elsewhere. If the type of the losses leaves nothing else (bools; integers in a range of length one),
that is no choice. Otherwise it is one between two valid procedures, made by looking, and may fail twice: once where
no loss inside the range is seen, once where some are. So a level a is split (derived).

* The tests for 0/1 losses are valid for any losses in [0, 1], as long as none was seen inside: with U uniform, the
  same for all models, 1{U <= x} has the mean of x, and is x itself where x is 0 or 1.
* Let k of n units show a loss inside; units are independent, with probabilities q_1, ..., q_n, equal ones if all models
  are evaluated on all units. Let K be the least number with P(Bin(n, q) > K) <= s for every q with (1 - q)^n > s; s is
  tiny against a. Of the cases k = 0 and k > K one has probability at most s, whatever the q_i are (below).
* So these two may share the same :math:`(1 - \gamma)(a - s)`, and :math:`\gamma (a - s)` is left for 0 < k <= K:
  together at most s + (1 - gamma)(a - s) + gamma (a - s) = a.

The q_i differ where models are evaluated on different units (all is given who is evaluated where). Let P(k = 0), the
product of the 1 - q_i, exceed s, and q have the same (1 - q)^n. Then P(k > K) <= P(Bin(n, q) > K) <= s: hold the
product fixed, and all q but two, q_1 and q_2, with (1 - q_1)(1 - q_2) = c. Of the two, X units show a loss inside:
P(X >= 1) = 1 - c is fixed, and P(X = 2) = q_1 q_2 = 1 + c - (1 - q_1) - (1 - q_2) is largest where q_1 = q_2 (means).
So to make the two equal makes X stochastically larger, and with the independent rest P(k > K) no smaller. The set of
(log(1 - q_i)) with a given sum is compact; of the points where P(k > K) is largest, take the one with the least sum of
squares: no two of its entries differ, as their mean in place of both would lower the squares and not P(k > K).

Clusters of several examples have no tests for 0/1 losses, so nothing is chosen there.
"""

from __future__ import annotations

import math

from moltheory.certification._inputs import Column
from moltheory.inference._inspection import FEW, GIVEN_UP, most_of_few

__all__ = ["kept_by_looks", "kept_level"]


def kept_level(column: Column, log_level: float) -> tuple[float, float]:
    """Return (share, spent): with a = exp(-log_level), tests and boxes of a column are to be made at share * (a - spent).

    For p-values p that is p / share + spent, valid for every level once `log_level` is fixed in advance.
    """
    if column.whole or column.clustered:
        return 1.0, 0.0
    log_spent = log_level - math.log(GIVEN_UP)
    few = 0 < column.inside <= most_of_few(column.n_units, log_spent)
    return (FEW if few else 1.0 - FEW), math.exp(-log_spent)


def kept_by_looks(level: float, planned: float) -> float:
    """Return what `kept_level`, planned for another level, leaves of a level where no loss inside the range is seen."""
    return (1.0 - FEW) * (level - GIVEN_UP * planned)
