r"""Why the radius of constant noise must not be claimed where the noise follows the input: exact counterexamples.

Constant noise certifies :math:`\sigma \Phi^{-1}(p_A)`. Methods that let :math:`\sigma` depend on x without a proof claim
:math:`\sigma(x) \Phi^{-1}(p_A)`. Here the classifier has two pieces, the other class sits on a ball, and
:math:`\sigma(z) = \sigma_0 \exp(r (d(z) - d(x)))` with the distance d to a single training point: k = 1, r-semi-elastic.
On the way from x straight to that point sigma falls by exp(-r a), all probabilities are known, and the prediction
changes before the claimed radius.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.studies.smoothing._certificates import certified_radius

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["INTERVAL_RATE", "ball_example", "counterexamples", "interval_probability"]

INTERVAL_RATE = 0.5
_START, _DEVIATION = 2.0, 2.0
# Dimension, deviation at the point, rate, probability of the other class there.
_BALLS = ((784, 0.5, 0.01, 0.01), (784, 0.5, 0.1, 0.01), (3072, 0.5, 0.01, 0.01))
_HALVINGS = 60


def interval_probability(distance: npt.ArrayLike, /, *, rate: float = INTERVAL_RATE) -> FloatArray:
    """Return the probability of the other class at 2 - distance on the line, under deviation 2 exp(-r distance).

    The other class is the interval (-1, 1), the point is 2 and the training point 0: three normal probabilities.
    """
    from scipy.special import ndtr

    a = np.asarray(distance, dtype=np.float64)
    x, sigma = _START - a, _DEVIATION * np.exp(rate * (np.abs(_START - a) - _START))
    return np.asarray(ndtr((1.0 - x) / sigma) - ndtr((-1.0 - x) / sigma))


@functools.cache
def ball_example(dimension: int, sigma: float, rate: float, p_other: float) -> tuple[float, float]:
    """Return how far the center of a ball is from the point, towards the training point, and its squared radius.

    The ball has probability `p_other` under the noise at the point, and is the worst one for what is certified.
    """
    from scipy.stats import ncx2

    certified = float(certified_radius(p_other, sigma=sigma, rate=rate, dimension=dimension))
    center = certified / -np.expm1(-2.0 * rate * certified)
    return center, float(sigma**2 * ncx2.ppf(p_other, dimension, (center / sigma) ** 2))


def counterexamples() -> pd.DataFrame:
    """Return one row per counterexample: what is claimed, what is certified, and where the prediction changes.

    Columns ``classifier``, ``dimension``, ``sigma``, ``rate``, ``p_other``; ``claimed``, the radius of constant noise;
    ``certified``, that of `certified_radius`; ``changes``, the distance at which the other class reaches 1/2 on the way
    to the training point; ``p_at_claim``, its probability at the claimed radius, above 1/2.
    """
    import pandas as pd
    from scipy.special import ndtri
    from scipy.stats import ncx2

    def at(example: tuple[int, float, float, float], a: float) -> float:
        n, sigma, rate, _ = example
        center, square = ball_example(*example)
        there = sigma * np.exp(-rate * a)
        return float(ncx2.cdf(square / there**2, n, ((center - a) / there) ** 2))

    rows: list[tuple[str, int, float, float, float, Callable[[float], float]]] = [
        ("interval", 1, _DEVIATION, INTERVAL_RATE, float(interval_probability(0.0)), _on_the_line),
        *(("ball", *example, functools.partial(at, example)) for example in _BALLS),
    ]
    found = []
    for classifier, n, sigma, rate, p_other, probability in rows:
        claimed = -sigma * float(ndtri(p_other))
        low, high = 0.0, claimed
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if probability(middle) > 0.5 else (middle, high)
        found.append(
            {
                "classifier": classifier,
                "dimension": n,
                "sigma": sigma,
                "rate": rate,
                "p_other": p_other,
                "claimed": claimed,
                "certified": float(certified_radius(p_other, sigma=sigma, rate=rate, dimension=n)),
                "changes": high,
                "p_at_claim": probability(claimed),
            }
        )
    return pd.DataFrame(found)


def _on_the_line(distance: float) -> float:
    return float(interval_probability(distance))
