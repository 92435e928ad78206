"""Check that a measure, or a tail, is what it declares."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from moltheory._core._declared import definers, owner
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.evaluation import Tail
from moltheory.evaluation._tails import check_tail, has_own_test
from moltheory.objectives import Measure
from moltheory.objectives._measure_contract import (
    check_definitions,
    forms_of,
    increases,
    interval_at,
    value_at,
    width_at,
)
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

    Of a `Measure`: that it has cells, of one shape, or declares `Measure.is_exact`; that value, interval and width are
    defined together, in its class, depend on nothing but their arguments and leave these alone; that the interval holds
    every value that means in the cells' intervals can give, and shrinks to the value; that the half-width bounds how
    far the value moves; where `Measure.is_increasing` is declared, that it does increase in every cell; and, where
    `Measure.linear_forms` are, that the value is the largest of them. Of a `Tail`: that value and interval are defined
    together, that the order of the losses is of no account, that the interval holds the value of the population often
    enough, and, where `Tail.paired_p_values` is defined there too, that it is small for equal models seldom enough.

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

    Complexity: O(n H) time and memory for the cells, and `draws` evaluations.

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
    try:
        if isinstance(measure, Tail):
            check_tail("measure", measure)
            _check_tail(measure, loss_range, draws, generator)
        elif isinstance(measure, Measure):
            check_definitions("measure", measure)
            _check_measure(measure, loss_range, draws, generator)
        else:
            raise ContractError(f"a measure must be a Measure or a Tail, got {type(measure).__name__}")
    except InvalidInputError as error:
        raise ContractError(str(error)) from None


def _check_measure(
    measure: Measure, loss_range: tuple[float, float], draws: int, generator: np.random.Generator
) -> None:
    kind = type(measure).__name__
    cells = measure.cells
    if not cells:
        _check_exact(measure)
        return
    if len({cell.losses.shape for cell in cells}) > 1:
        raise ContractError(f"{kind}.cells must have losses of one shape (n, H)")
    if measure.is_increasing and not increases(measure):
        declarer = owner(type(measure), "is_increasing")
        anew = next(one for one in definers(type(measure), "value") if one not in declarer.__mro__)
        raise ContractError(
            f"{kind} inherits is_increasing from {declarer.__name__}, and {anew.__name__} defines value anew: declare "
            "is_increasing in a class below both"
        )
    low, high = loss_range
    if measure.loss_range is not None:
        low, high = max(low, measure.loss_range[0]), min(high, measure.loss_range[1])
    shape = (len(cells), cells[0].losses.shape[1])
    forms = forms_of("measure", measure)
    for _ in range(draws):
        ends = np.sort(generator.uniform(low, high, (2, *shape)) * generator.choice([0.0, 1.0], (2, 1, 1)), axis=0)
        bottom, top = np.clip(ends, low, high)
        _check_interval(measure, bottom, top, generator)
        _check_width(measure, bottom, top, generator)
        if measure.is_increasing:
            _check_increase(measure, bottom, top)
        if forms is not None:
            _check_forms(measure, forms, bottom, top, generator)


def _check_exact(measure: Measure) -> None:
    kind = type(measure).__name__
    known = np.asarray(measure.value([]))
    if known.ndim != 1 or known.dtype.kind not in "biuf" or not np.isfinite(known).all():
        raise ContractError(f"{kind}.value([]) must be known values, one per model, got shape {known.shape}")
    ends = interval_at("measure", kind, measure, [], [], known.size)
    width = width_at("measure", kind, measure, [], known.size)
    if any((end != known).any() for end in ends) or width.any():
        raise ContractError(f"{kind} declares is_exact, so its interval must be its values, and its width 0")


def _value(measure: Measure, means: FloatArray) -> FloatArray:
    """Return the value at means (K, H); refused if it changes them, or differs at a second call."""
    kind, n_models = type(measure).__name__, means.shape[1]
    _leaves_alone(measure, "value", means)
    first = value_at("measure", kind, measure, list(means), n_models)
    if not np.isfinite(first).all():
        raise ContractError(f"{kind}.value must be finite for finite means, got {first} at {means.tolist()}")
    if not np.array_equal(first, value_at("measure", kind, measure, list(means), n_models)):
        raise ContractError(f"{kind}.value must be the same at every call")
    return first


def _leaves_alone(measure: Measure, method: str, *arguments: FloatArray) -> None:
    given = [[row.copy() for row in rows] for rows in arguments]
    getattr(measure, method)(*given)
    for after, before in zip(given, arguments, strict=True):
        if len(after) != len(before) or not np.array_equal(after, before):
            raise ContractError(f"{type(measure).__name__}.{method} must not change its arguments")


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
    kind, n_models = type(measure).__name__, bottom.shape[1]
    _leaves_alone(measure, "interval", bottom, top)
    lower, upper = interval_at("measure", kind, measure, list(bottom), list(top), n_models)
    for means in _corners(bottom, top, generator):
        value = _value(measure, means)
        slack = 1e-9 * np.maximum(1.0, np.abs(value))
        if (value < lower - slack).any() or (value > upper + slack).any():
            raise ContractError(
                f"{kind}.interval must hold the value of all means in the cells' intervals, got {value} outside "
                f"[{lower}, {upper}] at means {means.tolist()}"
            )
        ends = interval_at("measure", kind, measure, list(means), list(means), n_models)
        if any((np.abs(end - value) > slack).any() for end in ends):
            raise ContractError(
                f"{kind}.interval must shrink to the value where the cells' intervals shrink to their means, got {ends} "
                f"for {value} at means {means.tolist()}"
            )


def _check_width(measure: Measure, bottom: FloatArray, top: FloatArray, generator: np.random.Generator) -> None:
    kind = type(measure).__name__
    center, reach = 0.5 * (bottom + top), 0.5 * (top - bottom)
    _leaves_alone(measure, "width", reach)
    width = width_at("measure", kind, measure, list(reach), reach.shape[1])
    middle = _value(measure, center)
    for means in _corners(bottom, top, generator):
        moved = np.abs(_value(measure, means) - middle)
        if (moved > width + 1e-9 * np.maximum(1.0, np.abs(middle))).any():
            raise ContractError(
                f"{kind}.width must bound how far the value moves, got {width} where it moves by {moved}, from means "
                f"{center.tolist()} to {means.tolist()}"
            )


def _check_increase(measure: Measure, bottom: FloatArray, top: FloatArray) -> None:
    """Raise all means together, then one cell's at a time."""
    kind = type(measure).__name__
    below = _value(measure, bottom)
    higher = (bottom + 1e-6 < top).all(axis=0)
    cells = np.arange(len(bottom))[:, None]
    for raised in (top, *(np.where(cells == k, top, bottom) for k in range(len(bottom)))):
        above = _value(measure, raised)
        if (below > above + 1e-12).any() or (raised is top and (below >= above)[higher].any()):
            raise ContractError(
                f"{kind} declares is_increasing, which it is not: {below} at {bottom.tolist()} and {above} at the larger "
                f"{raised.tolist()}"
            )


def _check_forms(
    measure: Measure, forms: FloatArray, bottom: FloatArray, top: FloatArray, generator: np.random.Generator
) -> None:
    for means in _corners(bottom, top, generator):
        value, largest = _value(measure, means), (forms @ means).max(axis=0)
        if (np.abs(value - largest) > 1e-9 * np.maximum(1.0, np.abs(value))).any():
            raise ContractError(
                f"{type(measure).__name__}.linear_forms must be forms whose largest is the value, got {largest} for {value} "
                f"at means {means.tolist()}"
            )


def _check_paired(tail: Tail, populations: dict[str, FloatArray], draws: int, generator: np.random.Generator) -> None:
    """Try the paired test, which reads the losses of the tail, on two models with one law."""
    from scipy.stats import binomtest

    kind = type(tail).__name__
    for name, population in populations.items():
        for n in (20, 200):
            found = []
            for _ in range(draws):
                sample = copy.copy(tail)
                sample.losses = generator.choice(population, (n, 2))
                p = sample.paired_p_values(0.0)
                if p is None:
                    return
                if np.shape(p) != (2, 2) or not ((np.asarray(p) >= 0.0) & (np.asarray(p) <= 1.0)).all():
                    raise ContractError(f"{kind}.paired_p_values must return (H, H) numbers in [0, 1], got {p!r}")
                found.append(float(p[0, 1]))
            small = int((np.array(found) <= _DELTA).sum())
            if small and binomtest(small, draws, _DELTA, alternative="greater").pvalue < _LEVEL:
                raise ContractError(
                    f"{kind}.paired_p_values must be at most {_DELTA} with at most that probability for equal models, got "
                    f"{small} of {draws} samples of {n} losses ({name})"
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
                ends = tail.interval(losses.copy(), delta=_DELTA, loss_range=loss_range)
                if not isinstance(ends, tuple | list) or len(ends) != 2:
                    raise ContractError(f"{kind}.interval must return a lower and an upper end, got {ends!r}")
                lower, upper = (_number(end, f"each end of {kind}.interval") for end in ends)
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
    if has_own_test(tail):
        _check_paired(tail, populations, draws, generator)


def _one(value: Callable[[FloatArray], float], losses: FloatArray, kind: str) -> float:
    return _number(value(losses.copy()), f"{kind}.value")


def _number(found: object, what: str) -> float:
    raw = np.asarray(found)
    if raw.ndim or raw.dtype.kind not in "biuf" or not np.isfinite(raw):
        raise ContractError(f"{what} must be one finite number, got {found!r}")
    return float(raw)
