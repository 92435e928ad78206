"""Check that a measure, or a tail, is what it declares."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from moltheory._core._declared import owner, stands
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation import Tail
from moltheory.objectives import Cell, Measure
from moltheory.objectives._measures import check_definitions
from moltheory.testing._errors import ContractError

__all__ = ["check_measure"]

# Beyond this many cells corners of boxes are drawn at random.
_CELLS = 6
_DELTA = 0.2
# A valid interval is refused with at most this probability.
_LEVEL = 1e-9


def check_measure(
    measure: Measure | Tail,
    /,
    *,
    loss_range: tuple[float, float] = (0.0, 1.0),
    draws: int = 200,
    rng: int = 0,
) -> None:
    """Raise an error that names what is wrong with a measure or a tail, if something is.

    Of a `Measure`: that its cells have one shape; that value, interval and width are defined together, depend on
    nothing but their arguments and leave these alone; that the interval holds every value that means in the cells'
    intervals can give, and shrinks to the value; that the half-width bounds how far the value moves; and, where
    `Measure.is_increasing` is declared, that it does increase. Of a `Tail`: that the order of the losses is of no
    account, and that the interval holds the value of the population often enough.

    Parameters
    ----------
    measure : Measure or Tail
    loss_range : (float, float), default (0, 1)
        Range of the losses.
    draws : int, default 200
        Random points that are tried.
    rng : int, default 0
        Seed.

    Raises
    ------
    ContractError
        If the contract is broken, at the first point where it is.

    Notes
    -----
    A measure that keeps the contract passes; one that breaks it somewhere between the points that are tried may pass
    too. Coverage of tails is tested at delta = 0.2 by exact binomial tests at level 1e-9.

    Examples
    --------
    >>> from moltheory.objectives import Mean, Measure
    >>> check_measure(Mean([[0, 1], [1, 1]]))
    >>> class Accuracy(Mean):
    ...     def value(self, means):
    ...         return 1.0 - means[0]
    >>> check_measure(Accuracy([[0, 1], [1, 1]]))
    Traceback (most recent call last):
        ...
    moltheory.testing._errors.ContractError: ...Accuracy, which defines value and inherits interval...
    """
    check_count("draws", draws)
    generator = np.random.default_rng(rng)
    if isinstance(measure, Tail):
        _check_tail(measure, loss_range, draws, generator)
    elif isinstance(measure, Measure):
        _check_measure(measure, loss_range, draws, generator)
    else:
        raise ContractError(f"a measure must be a Measure or a Tail, got {type(measure).__name__}")


def _check_measure(
    measure: Measure, loss_range: tuple[float, float], draws: int, generator: np.random.Generator
) -> None:
    kind = type(measure).__name__
    try:
        check_definitions("measure", measure)
    except InvalidInputError as error:
        raise ContractError(str(error)) from None
    cells = measure.cells
    if not isinstance(cells, tuple) or not all(isinstance(cell, Cell) for cell in cells):
        raise ContractError(f"{kind}.cells must be a tuple of Cell, got {cells!r}")
    if not cells:
        known = np.asarray(measure.value([]))
        if known.ndim != 1 or not np.isfinite(known).all():
            raise ContractError(f"{kind}.value([]) must be known values, one per model, got shape {known.shape}")
        return
    if len({cell.losses.shape for cell in cells}) > 1:
        raise ContractError(f"{kind}.cells must have losses of one shape (n, H)")
    if measure.is_increasing and not stands(type(measure), "is_increasing", "value"):
        raise ContractError(
            f"{kind} inherits is_increasing from {owner(type(measure), 'is_increasing').__name__} and defines value "
            "anew: declare is_increasing beside it"
        )
    low, high = loss_range
    shape = (len(cells), cells[0].losses.shape[1])
    for _ in range(draws):
        ends = np.sort(generator.uniform(low, high, (2, *shape)) * generator.choice([0.0, 1.0], (2, 1, 1)), axis=0)
        bottom, top = np.clip(ends, low, high)
        _check_interval(measure, bottom, top, generator)
        _check_width(measure, bottom, top, generator)
        if measure.is_increasing:
            _check_increase(measure, bottom, top)


def _value(measure: Measure, means: FloatArray) -> FloatArray:
    """Return the value at means (K, H); refused if it changes them, or differs at a second call."""
    kind = type(measure).__name__
    kept = means.copy()
    first = np.asarray(measure.value(list(means)), dtype=np.float64)
    if not np.array_equal(means, kept):
        raise ContractError(f"{kind}.value must not change its arguments")
    if first.shape not in ((), means.shape[1:]):
        raise ContractError(f"{kind}.value must return one risk per model, {means.shape[1:]}, got shape {first.shape}")
    if not np.isfinite(first).all():
        raise ContractError(f"{kind}.value must be finite for finite means, got {first} at {means.tolist()}")
    if not np.array_equal(first, np.asarray(measure.value(list(means)))):
        raise ContractError(f"{kind}.value must be the same at every call")
    return np.broadcast_to(first, means.shape[1:])


def _corners(bottom: FloatArray, top: FloatArray, generator: np.random.Generator) -> list[FloatArray]:
    """Return corners and inner points of the box of means."""
    count = bottom.shape[0]
    choices: Sequence[tuple[bool, ...]] = (
        list(itertools.product((False, True), repeat=count))
        if count <= _CELLS
        else [tuple(row) for row in (generator.random((2**_CELLS, count)) < 0.5).tolist()]
    )
    corners = [np.where(np.array(choice)[:, None], top, bottom) for choice in choices]
    return [*corners, *(bottom + generator.random(bottom.shape) * (top - bottom) for _ in range(3))]


def _check_interval(measure: Measure, bottom: FloatArray, top: FloatArray, generator: np.random.Generator) -> None:
    kind = type(measure).__name__
    lower, upper = (np.asarray(end, dtype=np.float64) for end in measure.interval(list(bottom), list(top)))
    for means in _corners(bottom, top, generator):
        value = _value(measure, means)
        slack = 1e-9 * np.maximum(1.0, np.abs(value))
        if (value < lower - slack).any() or (value > upper + slack).any():
            raise ContractError(
                f"{kind}.interval must hold the value of all means in the cells' intervals, got {value} outside "
                f"[{lower}, {upper}] at means {means.tolist()}"
            )
        ends = [np.asarray(end, dtype=np.float64) for end in measure.interval(list(means), list(means))]
        if any((np.abs(end - value) > slack).any() for end in ends):
            raise ContractError(
                f"{kind}.interval must shrink to the value where the cells' intervals shrink to their means, got {ends} "
                f"for {value} at means {means.tolist()}"
            )


def _check_width(measure: Measure, bottom: FloatArray, top: FloatArray, generator: np.random.Generator) -> None:
    kind = type(measure).__name__
    center, reach = 0.5 * (bottom + top), 0.5 * (top - bottom)
    width = np.asarray(measure.width(list(reach)), dtype=np.float64)
    middle = _value(measure, center)
    for means in _corners(bottom, top, generator):
        moved = np.abs(_value(measure, means) - middle)
        if (moved > width + 1e-9 * np.maximum(1.0, np.abs(middle))).any():
            raise ContractError(
                f"{kind}.width must bound how far the value moves, got {width} where it moves by {moved}, from means "
                f"{center.tolist()} to {means.tolist()}"
            )


def _check_increase(measure: Measure, bottom: FloatArray, top: FloatArray) -> None:
    kind = type(measure).__name__
    below, above = _value(measure, bottom), _value(measure, top)
    higher = (bottom + 1e-6 < top).all(axis=0)
    if (below > above + 1e-12).any() or (below >= above)[higher].any():
        raise ContractError(
            f"{kind} declares is_increasing, which it is not: {below} at {bottom.tolist()} and {above} at the larger "
            f"{top.tolist()}"
        )


def _check_tail(tail: Tail, loss_range: tuple[float, float], draws: int, generator: np.random.Generator) -> None:
    from scipy.stats import binomtest

    kind = type(tail).__name__
    low, high = loss_range
    populations = {
        "two values": np.array([low] * 9 + [high]),
        "many values": low + (high - low) * np.linspace(0.0, 1.0, 41),
        "mostly one value": np.array([0.5 * (low + high)] * 38 + [low, high]),
    }
    for name, population in populations.items():
        truth = _one(tail.value, population, kind)
        if _one(tail.value, generator.permutation(population), kind) != truth:
            raise ContractError(f"{kind}.value must not depend on the order of the losses, got another for {name}")
        for n in (1, 20, 200):
            missed = 0
            for _ in range(draws):
                losses = generator.choice(population, n)
                lower, upper = tail.interval(losses.copy(), delta=_DELTA, loss_range=loss_range)
                found = _one(tail.value, losses, kind)
                if not low <= lower <= found <= upper <= high:
                    raise ContractError(
                        f"{kind}.interval must hold the estimate and lie in the range, got [{lower}, {upper}] for {found}"
                    )
                missed += not lower - 1e-12 <= truth <= upper + 1e-12
            if missed and binomtest(missed, draws, _DELTA, alternative="greater").pvalue < _LEVEL:
                raise ContractError(
                    f"{kind}.interval must miss with probability at most {_DELTA}, got {missed} misses in {draws} samples "
                    f"of {n} losses ({name})"
                )


def _one(value: Callable[[FloatArray], float], losses: FloatArray, kind: str) -> float:
    found = value(losses.copy())
    if np.ndim(found) or not np.isfinite(found):
        raise ContractError(f"{kind}.value must be one finite number, got {found!r}")
    return float(found)
