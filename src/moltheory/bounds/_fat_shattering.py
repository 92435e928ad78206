r"""Half-widths between error rates and fractions of margins, from the fat-shattering dimension of any class of scores.

At one margin every classifier says "wrong", "right by the margin" or nothing of an example. Such partial answers on 2n
examples are completed, by the halving algorithm, to few total ones: their number is what the half-width pays for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction, check_vector, numbers_or_one
from moltheory.bounds._bound import Bound
from moltheory.bounds._relative import log_growth
from moltheory.bounds._sizes import IID, count_of, sample_sizes
from moltheory.errors import InvalidInputError

__all__ = ["fat_shattering_class", "log_completions"]


@document
def fat_shattering_class(
    n: int | npt.ArrayLike, *, dimension: int | npt.ArrayLike, delta: float, n_objectives: int = 1
) -> Bound:
    r"""Half-width between error rates and fractions of small margins, for a class of known fat-shattering dimension.

    With probability at least 1 - delta, for all classifiers sign(f) of the class, :math:`\hat P(m \le -\gamma) - C \le
    P(m \le 0) \le \hat P(m < \gamma) + C` for the margins m = y f(x), all objectives, and all of G values of
    :math:`\gamma`, where :math:`C = \sqrt{2 \log S/n} + \sqrt{\log(2 G N'/\delta)/(2n)}`, :math:`S = \sum_{j \le k}
    \binom{2n}{j}` and :math:`k = \lfloor \log_2 \sum_{j \le d} \binom{2n}{j} \rfloor`.

    Parameters
    ----------
    {sizes}
    dimension : int or (G,) array_like of int
        Fat-shattering dimension d >= 0 of the scores f **at half the margin**, or an upper bound of it; one for each of
        G margins that were fixed before the data, of which the best may be chosen afterwards.
    {delta}
    {n_objectives}

    Returns
    -------
    Bound
        Its width has shape (N,), or (G, N) for several dimensions. It is added to the fraction of margins below gamma,
        not to the empirical error rate.

    {raises}

    Notes
    -----
    Of order :math:`\sqrt{d/n}\,\log(n/d)`: up to about n = 70 d it says nothing. For linear functions of bounded norm,
    where d is at most :math:`4W^2X^2/\gamma^2`, `margin_class` is smaller, by factors of 10; this one asks for nothing but
    the dimension. Where k jumps the half-width grows a little with n.

    Complexity: O(G N k) time and O(k) memory, at most a million terms.

    References
    ----------
    Derived (proof: fat-shattering-class). Margins and this dimension: P. Bartlett (1998), "The sample complexity of pattern
    classification with neural networks"; completing partial answers: N. Alon, S. Hanneke, R. Holzman and S. Moran (2021),
    arXiv 2107.08444.

    Examples
    --------
    >>> from moltheory.bounds import fat_shattering_dimension
    >>> margins = [0.5, 1.0]
    >>> d = [fat_shattering_dimension(gamma / 2, weight_norm=1.0, input_norm=1.0) for gamma in margins]
    >>> d, fat_shattering_class(100_000, dimension=d, delta=0.05).width[:, 0].round(4)
    ([16, 4], array([0.196 , 0.1128]))
    """
    sizes = sample_sizes(n, n_objectives)
    one = check_count("dimension", dimension, low=0) if np.ndim(dimension) == 0 else dimension
    numbers = check_vector("dimension", numbers_or_one("dimension", one), low=0.0)
    if (numbers != np.rint(numbers)).any():
        raise InvalidInputError(f"`dimension` must hold integers, got {numbers.tolist()}.")
    budget = math.log(2.0 * numbers.size * count_of(sizes)) - math.log(check_fraction("delta", delta))
    width: FloatArray = np.array([[_width(size, int(d), budget) for size in sizes.tolist()] for d in numbers.tolist()])
    return Bound(
        width=width if np.ndim(one) else width[0],
        loss_range=np.ones(sizes.size),
        delta=float(delta),
        method="fat-shattering dimension",
        source="derived (proof: fat-shattering-class), after Bartlett 1998; Alon, Hanneke, Holzman and Moran 2021",
        assumptions=(
            f"scores of fat-shattering dimension {', '.join(f'{int(d)}' for d in numbers)} at half the margin",
            "margins fixed before the data",
            IID,
        ),
        event="for all hypotheses, objectives and margins at once: fraction of margins <= -gamma, less the width, <= true "
        "error rate <= fraction of margins below gamma + width",
        scope="margin",
    )


def log_completions(points: int, dimension: int) -> float:
    """Return the logarithm of the number of total answers that complete all partial ones on so many points."""
    # The largest number of mistakes of the halving algorithm; rounded up where the last digits are not known.
    mistakes = math.floor(log_growth(points, dimension) / math.log(2.0) * (1.0 + 1e-12) + 1e-9)
    return log_growth(points, mistakes)


def _width(size: float, dimension: int, budget: float) -> float:
    if math.isinf(size):
        return 0.0
    return math.sqrt(2.0 * log_completions(int(2 * size), dimension) / size) + math.sqrt(budget / (2.0 * size))
