"""Confidence intervals for error probabilities from integer counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_choice
from moltheory.errors import InvalidInputError
from moltheory.inference._concentration import Summary, check_delta, event_text
from moltheory.inference._interval import SIDES, Interval, checksum
from moltheory.inference._methods import METHODS, described, interval_methods

__all__ = ["binomial_interval"]

Counts = npt.NDArray[np.int64]


@document(method=described(default="clopper-pearson", from_counts=True))
def binomial_interval(
    errors: npt.ArrayLike,
    n: npt.ArrayLike,
    /,
    *,
    method: str = "clopper-pearson",
    delta: float | npt.ArrayLike,
    side: str = "both",
) -> Interval:
    """Confidence interval for a probability, from the number of errors in n independent trials.

    Parameters
    ----------
    errors : (...) array_like of int
        Counts, 0 <= errors <= n. Rates are refused, since rounding ``n * rate`` can be off by one.
    n : (...) array_like of int
        Numbers of trials, >= 1; broadcast against `errors`.
    {method}
    {delta_per_mean}
    {side}

    Returns
    -------
    Interval
        Of the broadcast shape, in [0, 1], rounded outward.

    Raises
    ------
    InvalidInputError
        If counts are not integers, above n or negative, or another argument breaks its rule.

    Notes
    -----
    With one `n` and one `delta` for more than n counts, the n + 1 possible intervals are computed once and
    looked up: O(n + size). No loop over counts in any case.

    Complexity: O(k) time and memory for k counts, n + 1 intervals at most for one n and delta.

    References
    ----------
    C. J. Clopper and E. S. Pearson (1934), doi 10.1093/biomet/26.4.404; W. Hoeffding (1963), doi
    10.1080/01621459.1963.10500830; V. Bentkus (2004), doi 10.1214/009117904000000360; S. Bates et al. (2021),
    arXiv 2101.02703; A. Maurer and M. Pontil (2009), arXiv 0907.3740.

    Examples
    --------
    >>> binomial_interval(10, 100, delta=0.05, side="upper")
    Interval(lower=0., upper=0.163718, delta=0.05, method='clopper-pearson', side='upper')
    >>> bool(binomial_interval(0, 1, method="empirical-bernstein", delta=0.05).vacuous)
    True
    """
    check_choice("method", method, interval_methods(from_counts=True))
    check_choice("side", side, SIDES)
    counts, sizes = _counts("errors", errors, low=0), _counts("n", n, low=1)
    try:
        shape = np.broadcast_shapes(counts.shape, sizes.shape)
    except ValueError:
        raise InvalidInputError(
            f"`n` must broadcast with `errors` of shape {counts.shape}, got {sizes.shape}."
        ) from None
    if (counts > sizes).any():
        worst = np.unravel_index(int(np.argmax(counts - sizes)), shape)
        pair = (int(np.broadcast_to(array, shape)[worst]) for array in (counts, sizes))
        raise InvalidInputError("`errors` must not exceed `n`, got {} errors in {} trials.".format(*pair))
    levels = check_delta(delta, shape)
    if sizes.size == 1 and levels.ndim == 0 and counts.size > sizes.item() + 1:
        table = count_ends(np.arange(sizes.item() + 1), sizes.ravel(), levels, method, side)
        places = np.broadcast_to(counts, shape)
        lower, upper = (end[places] for end in table)
    else:
        lower, upper = (np.broadcast_to(end, shape) for end in count_ends(counts, sizes, levels, method, side))
    return Interval(
        lower=lower,
        upper=upper,
        range=np.array([0.0, 1.0]),
        delta=levels,
        event=event_text("each probability", method, side, checksum(lower, upper, levels)),
        method=method,
        source=METHODS[method].source,
        assumptions=("independent trials with one probability of error each", "numbers of trials fixed in advance"),
        side=side,
    )


def count_ends(
    counts: npt.NDArray[np.int64], n: npt.NDArray[np.int64], delta: FloatArray, method: str, side: str
) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper ends for checked counts; arrays broadcast."""
    k, size = counts.astype(np.float64), n.astype(np.float64)
    mean, rest = k / size, (size - k) / size
    variance = mean * ((size - k) / np.maximum(size - 1.0, 1.0))
    summary = Summary(size, mean, rest, k, size - k, variance, 0.0)
    return METHODS[method].ends(summary, delta, side)


def _counts(name: str, value: npt.ArrayLike, *, low: int) -> Counts:
    """Return an int64 array of at least `low`; floats and bools are refused."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidInputError(f"`{name}` must be an array of integers, got ragged nested sequences.") from None
    if array.dtype.kind not in "iu":
        raise InvalidInputError(f"`{name}` must be integer counts, got dtype {array.dtype}.")
    if array.size == 0:
        raise InvalidInputError(f"`{name}` must not be empty, got shape {array.shape}.")
    if int(array.max()) > 2**53 or int(array.min()) < low:
        found = int(array.min()) if int(array.min()) < low else int(array.max())
        raise InvalidInputError(f"`{name}` must be integers from {low} to 2^53, got {found}.")
    return array.astype(np.int64)
