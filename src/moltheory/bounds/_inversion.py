"""Sample sizes: the smallest n at which twice the half-width is at most a given excess.

Twice the width is what empirical risk minimisation can lose, and what separates a true Pareto-optimal hypothesis
from the empirical one that covers it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.bounds._bound import Bound
from moltheory.bounds._finite import finite_class
from moltheory.bounds._uniform import linear_class, vc
from moltheory.errors import InvalidInputError
from moltheory.inference import Interval

__all__ = ["required_sample_size", "required_sample_size_linear", "required_sample_size_vc", "smallest_size"]

# Larger sample sizes are not exact as floats.
_LARGEST = 2**53


def required_sample_size(
    *, excess: float, n_hypotheses: int, delta: float, n_objectives: int = 1, loss_range: float = 1.0
) -> int:
    r"""Smallest sample size n with 2C <= excess for a finite class.

    :math:`n \ge 2 B^2 \log(2 N' |H| / \delta) / \epsilon^2`.

    Parameters
    ----------
    excess : float
        Target for the excess 2C, > 0, in units of the loss.
    n_hypotheses, delta, n_objectives, loss_range
        As in `finite_class`.

    Returns
    -------
    int
        Sample size of every data-dependent objective.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or more than 2^53 examples would be needed.

    References
    ----------
    Derived (proof: sample-size), from W. Hoeffding (1963), doi 10.1080/01621459.1963.10500830.

    Examples
    --------
    >>> required_sample_size(excess=0.1, n_hypotheses=100, delta=0.05, n_objectives=3)
    1879
    """
    check_real("loss_range", loss_range, low=0.0)
    return smallest_size(
        excess,
        lambda n: finite_class(
            n, n_hypotheses=n_hypotheses, delta=delta, n_objectives=n_objectives, loss_range=loss_range
        ),
    )


def required_sample_size_vc(*, excess: float, dimension: int, delta: float, n_objectives: int = 1) -> int:
    """Smallest sample size n >= d with 2C <= excess for a class of finite VC dimension.

    Parameters
    ----------
    excess : float
        The wanted excess, > 0.
    dimension, delta, n_objectives
        As in `vc`.

    Returns
    -------
    int
        Sample size of every data-dependent objective.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or more than 2^53 examples would be needed.

    References
    ----------
    Derived (proof: sample-size), from V. Vapnik and A. Chervonenkis (1971), doi 10.1137/1116025.

    Examples
    --------
    >>> n = required_sample_size_vc(excess=0.1, dimension=3, delta=0.05)
    >>> n, 2 * float(vc(n, dimension=3, delta=0.05)) <= 0.1 < 2 * float(vc(n - 1, dimension=3, delta=0.05))
    (132992, True)
    """
    low = check_count("dimension", dimension)
    # For n >= d the width falls: the derivative of its budget in log n is d, and the budget exceeds d.
    return smallest_size(excess, lambda n: vc(n, dimension=dimension, delta=delta, n_objectives=n_objectives), low=low)


def required_sample_size_linear(
    *,
    excess: float,
    lipschitz: float,
    weight_norm: float,
    input_norm: float,
    delta: float,
    n_objectives: int = 1,
    loss_range: float = 1.0,
    norm: Literal["l2", "l1"] = "l2",
    dimension: int | None = None,
) -> int:
    """Smallest sample size n with 2C <= excess for linear functions of bounded norm.

    Parameters
    ----------
    excess : float
        Target for the excess 2C, > 0, in units of the loss.
    lipschitz, weight_norm, input_norm, delta, n_objectives, loss_range, norm, dimension
        As in `linear_class`.

    Returns
    -------
    int
        Sample size of every data-dependent objective.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or more than 2^53 examples would be needed.

    References
    ----------
    Derived (proof: sample-size), from S. Kakade, K. Sridharan and A. Tewari, NeurIPS 2008.

    Examples
    --------
    >>> required_sample_size_linear(excess=0.1, lipschitz=1.0, weight_norm=1.0, input_norm=1.0, delta=0.05)
    4511
    """
    check_real("lipschitz", lipschitz, low=0.0)
    check_real("loss_range", loss_range, low=0.0)
    check_choice("norm", norm, ("l2", "l1"))
    return smallest_size(
        excess,
        lambda n: linear_class(
            n,
            lipschitz=lipschitz,
            weight_norm=weight_norm,
            input_norm=input_norm,
            delta=delta,
            n_objectives=n_objectives,
            loss_range=loss_range,
            norm=norm,
            dimension=dimension,
        ),
    )


def smallest_size(excess: float, bound: Callable[[int], Bound | Interval], *, low: int = 1) -> int:
    """Return the smallest n >= low at which twice the (decreasing) width is at most `excess`."""
    check_real("excess", excess, low=0.0)
    if excess == 0.0:
        raise InvalidInputError("`excess` must be > 0, got 0.")

    def enough(n: int) -> bool:
        return 2.0 * float(bound(n).width.max()) <= excess

    if enough(low):
        return low
    high = 2 * low
    while not enough(high):
        low, high = high, 2 * high
        if high > _LARGEST:
            raise InvalidInputError(f"`excess` must be large enough for 2^53 examples to suffice, got {excess:g}.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
