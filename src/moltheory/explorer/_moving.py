"""Worlds whose true risks are moved: the outcomes stay, each column of losses gets another mean."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from moltheory._core._rational import integer_scale, read_rational
from moltheory._core._validation import FloatArray, real_array
from moltheory.errors import InvalidInputError
from moltheory.problems import FiniteWorld

__all__ = ["loss_range", "with_true_risks"]


def with_true_risks(world: FiniteWorld, true_risks: npt.ArrayLike, /) -> FiniteWorld:
    r"""Return a world with the same outcomes, in which every hypothesis has the given true risk in every objective.

    Parameters
    ----------
    world : FiniteWorld
        With K outcomes, H hypotheses and N objectives.
    true_risks : (H, N) array_like
        Each within the range of the losses of its objective: [0, 1] where all losses are in it, otherwise from the least
        loss (or 0, if none is negative) to the largest one.

    Returns
    -------
    FiniteWorld
        Where a risk is that of `world`, so are the losses.

    Raises
    ------
    InvalidInputError
        If the shape does not fit, a risk is outside the range, or no loss would depend on the outcome any more.

    Notes
    -----
    Let a column of losses l in [a, b] have mean r. To get the mean r' < r, losses become a + (l - a) f with
    f = (r' - a) / (r - a); to get r' > r, b - (b - l) g with g = (b - r') / (b - r). For [0, 1] these are l r' / r and
    1 - (1 - l) (1 - r') / (1 - r). Proof: both are affine in l, so the mean is the value at l = r, which is r'; and f and g
    are in [0, 1], so losses stay between a and l, or between l and b. A loss that is the same for all outcomes becomes
    r'. All is computed in fractions and rounded once. Derived (proof: moved-risks).

    Complexity: O(K H N) time and memory.

    Examples
    --------
    >>> from moltheory.problems import two_coins
    >>> moved = with_true_risks(two_coins(), [[0.5, 0.0], [0.25, 1.0]])
    >>> moved.true_risks
    array([[0.5 , 0.  ],
           [0.25, 1.  ]])
    >>> moved.losses[:, 1, 0]
    array([0.5, 0. ])
    """
    targets = real_array("true_risks", true_risks, shape="(H, N)", min_ndim=2, max_ndim=2)
    shape = world.losses.shape[1:]
    if targets.shape != shape:
        raise InvalidInputError(f"`true_risks` must have shape {shape}, got {targets.shape}.")
    losses = world.losses.copy()
    for i in range(shape[1]):
        low, high = loss_range(world, i)
        column = targets[:, i]
        if (column < low).any() or (column > high).any():
            worst = column[np.argmax(np.maximum(low - column, column - high))]
            raise InvalidInputError(
                f"`true_risks` must be within [{low:g}, {high:g}] for objective {world.objective_names[i]!r}, got {worst:g}."
            )
        scaled = integer_scale(losses[:, :, i])
        for h in np.flatnonzero(column != world.true_risks[:, i]).tolist():
            losses[:, h, i] = _moved(world, losses[:, h, i], float(column[h]), (low, high), scaled and scaled[1])
    return FiniteWorld(world.probabilities, losses, objective_names=world.objective_names, name=world.name)


def loss_range(world: FiniteWorld, objective: int) -> tuple[float, float]:
    """Return the ends of the range of losses of an objective: [0, 1] where it holds all, else what holds them and 0."""
    losses = world.losses[:, :, objective]
    low, high = float(losses.min()), float(losses.max())
    if low >= 0.0:
        low, high = 0.0, high if high > 1.0 else 1.0
    return (low, high) if low < high else (low, low + 1.0)


def _moved(
    world: FiniteWorld, losses: FloatArray, target: float, limits: tuple[float, float], scale: int | None
) -> FloatArray:
    """Return a column (K,) with the mean `target`; losses are integers over `scale`, or decimals."""
    values, codes = np.unique(losses, return_inverse=True)
    if scale is None:
        exact = [Fraction(repr(value)) for value in values.tolist()]
    else:
        exact = [Fraction(round(value * scale), scale) for value in values.tolist()]
    mean, constant = _mean(world.probabilities, exact, codes.tolist())
    aim, low, high = read_rational(target), *map(read_rational, limits)
    if constant:
        moved = [aim] * len(exact)
    elif aim < mean:
        moved = [low + (loss - low) * (aim - low) / (mean - low) for loss in exact]
    else:
        moved = [high - (high - loss) * (high - aim) / (high - mean) for loss in exact]
    return np.array([float(loss) for loss in moved])[codes]


def _mean(probabilities: tuple[Fraction, ...], values: list[Fraction], codes: list[int]) -> tuple[Fraction, bool]:
    """Return the mean, and whether only one of the values has a positive probability."""
    common = math.lcm(*(p.denominator for p in probabilities))
    masses = [0] * len(values)
    for p, code in zip(probabilities, codes, strict=True):
        masses[code] += p.numerator * (common // p.denominator)
    total = sum((value * mass for value, mass in zip(values, masses, strict=True)), Fraction(0))
    return total / common, sum(mass > 0 for mass in masses) == 1
