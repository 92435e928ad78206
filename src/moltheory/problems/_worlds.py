"""Small worlds that show one thing each; golden values are in ``data/golden.json``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from moltheory._core._validation import check_choice, check_count
from moltheory.problems._world import FiniteWorld

__all__ = ["mirrored_decoys", "reference_world", "small_world", "tilted_line", "two_coins"]


def two_coins() -> FiniteWorld:
    r"""Two hypotheses with equal true error, one of which costs more.

    z is uniform on {0, 1}; h0 errs iff z = 1, h1 errs iff z = 0; the second objective is (0, 1). The true front
    is {h0}. P(h1 on the empirical front) = 1/2 for odd n and :math:`(1 - \binom{n}{n/2} 2^{-n}) / 2` for even n.

    Returns
    -------
    FiniteWorld

    References
    ----------
    Derived (proof: worlds).

    Examples
    --------
    >>> two_coins().exact(10).probability(lambda risks: risks[:, 1, 0] < risks[:, 0, 0])
    0.376953125
    """
    losses = [[[0, 0], [1, 1]], [[1, 0], [0, 1]]]
    return FiniteWorld([Fraction(1, 2)] * 2, losses, objective_names=("error", "cost"), name="two_coins")


def mirrored_decoys() -> FiniteWorld:
    r"""One good hypothesis and two decoys, one of which looks better in almost every sample.

    z is uniform on {-1, +1}; the losses in the first objective are 1/2, (1 + z)/2 and (1 - z)/2, in the second
    0, 1 and 1. The true front is {h0}, yet the probability that a decoy is empirically Pareto-optimal is 1 for
    odd n and :math:`1 - \binom{n}{n/2} 2^{-n}` for even n; on that event the coverage error is 0 and the purity
    error is 1, although the largest deviation of any risk tends to 0.

    Returns
    -------
    FiniteWorld

    References
    ----------
    Derived (proof: worlds); an instance of the asymmetry of P. Súkeník and C. H. Lampert, arXiv 2208.13499.

    Examples
    --------
    >>> import moltheory as mt
    >>> world = mirrored_decoys()
    >>> world.exact(10).probability(lambda risks: mt.nondominated(risks)[:, 1:].any(axis=1))
    0.75390625
    """
    losses = [[[0.5, 0.0], [0.0, 1.0], [1.0, 1.0]], [[0.5, 0.0], [1.0, 1.0], [0.0, 1.0]]]
    return FiniteWorld([Fraction(1, 2)] * 2, losses, objective_names=("error", "cost"), name="mirrored_decoys")


def tilted_line(n_points: int = 101) -> FiniteWorld:
    """A whole segment of hypotheses of which only one end is truly Pareto-optimal.

    h lies on a grid of [0, 1]; the first loss is 1/2 + h z / 2 with z uniform on {-1, +1}, the second risk is h.
    The true front is {0}; the empirical one is the whole segment whenever the mean of z is negative. Linearity
    of the losses does not help.

    Parameters
    ----------
    n_points : int, default 101
        Number of hypotheses, >= 2.

    Returns
    -------
    FiniteWorld

    Notes
    -----
    Complexity: O(H) time and memory for H hypotheses.

    References
    ----------
    Derived (proof: worlds).

    Examples
    --------
    >>> import moltheory as mt
    >>> world = tilted_line(11)
    >>> world.exact(3).probability(lambda risks: mt.nondominated(risks).all(axis=1))
    0.5
    """
    last = check_count("n_points", n_points, low=2) - 1
    steps = np.arange(last + 1)
    second = steps / last
    # One division per entry, so that equal losses are equal floats.
    losses = np.array([np.stack([(last + sign * steps) / (2 * last), second], axis=1) for sign in (-1, 1)])
    return FiniteWorld([Fraction(1, 2)] * 2, losses, objective_names=("error", "cost"), name="tilted_line")


def reference_world() -> FiniteWorld:
    """Four outcomes, four hypotheses, two 0/1 losses: the world of the exact golden values.

    The true risks are (.1, .5), (.3, .3), (.4, .2) and (.5, .3); the true front is {0, 1, 2}.

    Returns
    -------
    FiniteWorld

    References
    ----------
    Derived (proof: worlds).

    Examples
    --------
    >>> import moltheory as mt
    >>> world = reference_world()
    >>> world.exact(5).probability(lambda risks: mt.nondominated(risks)[:, 3], rational=True)
    Fraction(241, 3125)
    """
    first = ("0001", "0100", "1000", "1001")
    second = ("0110", "0100", "0010", "0100")
    losses: list[list[list[int]]] = [
        [[int(a[z]), int(b[z])] for a, b in zip(first, second, strict=True)] for z in range(4)
    ]
    return FiniteWorld([0.4, 0.3, 0.2, 0.1], losses, name="reference_world")


def small_world(name: str) -> FiniteWorld:
    """Return one of the small worlds by name.

    Parameters
    ----------
    name : {"mirrored_decoys", "reference_world", "tilted_line", "two_coins"}

    Returns
    -------
    FiniteWorld

    Raises
    ------
    InvalidInputError
        If there is no world of that name; the message lists them.

    Examples
    --------
    >>> small_world("two_coins").n_hypotheses
    2
    """
    worlds = {
        "mirrored_decoys": mirrored_decoys,
        "reference_world": reference_world,
        "tilted_line": tilted_line,
        "two_coins": two_coins,
    }
    return worlds[check_choice("world", name, worlds)]()
