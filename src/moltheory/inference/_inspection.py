r"""The price of inspecting the losses to choose between methods for 0/1 losses and for bounded losses.

Methods for 0/1 losses (McNemar, Clopper-Pearson) are used where every observed loss is an end of its range, those for
bounded losses elsewhere. If the type of the losses admits only the ends (bools; integers in a range of length one), the
data have no influence on this choice. Otherwise the data choose between two valid procedures, and each of them may
fail: the one if no loss inside the range is observed, the other if some are. So a level a is split (derived; proof:
inspection).

* The methods for 0/1 losses are valid for any losses in [0, 1], as long as none was observed inside: with U uniform, the
  same for all models, 1{U <= x} has the mean of x, and is x itself where x is 0 or 1.
* Let k of n units have a loss inside; units are independent, with probabilities q_1, ..., q_n, equal ones if all models
  are evaluated on all units. Let K be the least number with P(Bin(n, q) > K) <= s for every q with (1 - q)^n > s; s is
  tiny against a. Of the cases k = 0 and k > K one has probability at most s, whatever the q_i are (below).
* So both cases may use the same :math:`(1 - \gamma)(a - s)`, and :math:`\gamma (a - s)` remains for 0 < k <= K:
  together at most s + (1 - gamma)(a - s) + gamma (a - s) = a.

The q_i differ if models are evaluated on different units (everything is conditional on which these are). Let P(k = 0),
the product of the 1 - q_i, exceed s, and q have the same (1 - q)^n. Then P(k > K) <= P(Bin(n, q) > K) <= s: fix the
product, and all q but two, q_1 and q_2, with (1 - q_1)(1 - q_2) = c. Let X of the two units have a loss inside:
P(X >= 1) = 1 - c is fixed, and P(X = 2) = q_1 q_2 = 1 + c - (1 - q_1) - (1 - q_2) is largest where q_1 = q_2 (means).
So making the two equal makes X stochastically larger and, with the independent rest, P(k > K) no smaller. The set of
(log(1 - q_i)) with a given sum is compact; of the points where P(k > K) is largest, take the one with the least sum of
squares: no two of its entries differ, as their mean in place of both would lower the squares and not P(k > K).

For clusters of several examples there are no tests for 0/1 losses, so there is no choice; nor is there one if the
condition of a rate depends on the model, since then only the type of the losses counts.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.inference._binomial_tails import upper_tails

__all__ = ["FEW", "GIVEN_UP", "kept_after_inspection", "kept_level", "kept_levels", "most_of_few"]

# Share of a level for the case of few losses inside the range, and of what is given up altogether.
FEW = 0.05
GIVEN_UP = 1e-5


def kept_levels(inside: npt.NDArray[np.int64], n: int, delta: FloatArray) -> FloatArray:
    """Return the part of `delta` that remains after counting how many of n losses lie strictly inside their range."""
    most = {level: most_of_few(n, -math.log(level) - math.log(GIVEN_UP)) for level in np.unique(delta).tolist()}
    few = (inside > 0) & (inside <= np.vectorize(most.__getitem__, otypes=[np.int64])(delta))
    return np.where(few, FEW, 1.0 - FEW) * (1.0 - GIVEN_UP) * delta


def kept_level(n_interior: int, n_units: int, log_level: float) -> tuple[float, float]:
    """Return (share, spent): with a = exp(-log_level), tests and boxes are made at level share * (a - spent).

    `n_interior` of `n_units` units have a loss strictly inside the range. A p-value p becomes p / share + spent, valid
    for every level once `log_level` is fixed in advance.
    """
    log_spent = log_level - math.log(GIVEN_UP)
    few = 0 < n_interior <= most_of_few(n_units, log_spent)
    return (FEW if few else 1.0 - FEW), math.exp(-log_spent)


def kept_after_inspection(level: float, planned: float) -> float:
    """Return what `kept_level`, planned for another level, leaves of a level if no loss inside is observed."""
    return (1.0 - FEW) * (level - GIVEN_UP * planned)


def most_of_few(n: int, log_spent: float) -> int:
    """Return K for n units, with s = exp(-log_spent)."""
    # (1 - q)^n = s; the mean n q is at most log(1/s), beyond five times of which Chernoff's bound is s^4.
    q = -math.expm1(-log_spent / n)
    numbers = np.arange(min(n, math.ceil(5.0 * log_spent)) + 1)
    return int(np.argmax(upper_tails(numbers, n, q) <= 0.999 * math.exp(-log_spent)))
