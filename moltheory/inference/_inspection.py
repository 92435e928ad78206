r"""What it costs that the losses themselves tell whether they are treated as 0/1.

Intervals for 0/1 losses (Clopper-Pearson) are used where every loss seen is an end of its range, those for bounded losses
elsewhere. If the type of the losses leaves nothing else (bools; integers in a range of length one), that is no choice.
Otherwise it is one between two valid procedures, made by looking, and may fail twice: once where no loss inside the
range is seen, once where some are. So a level a is split (derived).

* The interval for 0/1 losses is valid for any losses in [0, 1], as long as none was seen inside: with U uniform,
  1{U <= x} has the mean of x, and is x itself where x is 0 or 1.
* Let k of n losses lie inside, k ~ Bin(n, q), and K the least number with P(Bin(n, q) > K) <= s for every q with
  (1 - q)^n > s; s is tiny against a. Of the cases k = 0 and k > K one has probability at most s, whatever q is.
* So these two may share the same :math:`(1 - \gamma)(a - s)`, and :math:`\gamma (a - s)` is left for 0 < k <= K:
  together at most s + (1 - gamma)(a - s) + gamma (a - s) = a.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray

__all__ = ["FEW", "GIVEN_UP", "kept_levels", "most_of_few"]

# Share of a level for the case of few losses inside the range, and of what is given up altogether.
FEW = 0.05
GIVEN_UP = 1e-5


def kept_levels(inside: npt.NDArray[np.int64], n: int, delta: FloatArray) -> FloatArray:
    """Return the levels that remain of `delta` once it was seen how many of n losses lie inside their range."""
    most = {level: most_of_few(n, -math.log(level) - math.log(GIVEN_UP)) for level in np.unique(delta).tolist()}
    few = (inside > 0) & (inside <= np.vectorize(most.__getitem__, otypes=[np.int64])(delta))
    return np.where(few, FEW, 1.0 - FEW) * (1.0 - GIVEN_UP) * delta


def most_of_few(n: int, log_spent: float) -> int:
    """Return K for n units, with s = exp(-log_spent)."""
    from scipy.special import bdtrc

    # (1 - q)^n = s; the mean n q is at most log(1/s), beyond five times of which Chernoff's bound is s^4.
    q = -math.expm1(-log_spent / n)
    numbers = np.arange(min(n, math.ceil(5.0 * log_spent)) + 1)
    return int(np.argmax(bdtrc(numbers, n, q) <= 0.999 * math.exp(-log_spent)))
