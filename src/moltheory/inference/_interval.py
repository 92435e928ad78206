"""Result type of the intervals: lower and upper ends with failure probability, event, method, source, assumptions."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._deprecation import DeprecatedAlias
from moltheory._core._html_repr import Printed
from moltheory._core._serialization import floats, read_json, string, strings, words, write_json
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_fits, real_array
from moltheory.errors import InvalidInputError
from moltheory.inference._cards import interval_card
from moltheory.inference._events import Event, read_event

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SIDES", "Interval", "checksum"]

SIDES = ("both", "lower", "upper")
_AND = " AND "


@dataclass(frozen=True, eq=False, repr=False)
class Interval(Printed):
    """Confidence intervals [lower, upper], each of which contains its target with probability at least 1 - delta.

    Attributes
    ----------
    lower, upper : (...) ndarray
        The ends, inside `range`. ``lower > upper`` marks an empty intersection: the event did not occur, or an
        assumption is violated.
    range : (2,) or (2, ...) ndarray
        Interval that contains the target in any case.
    delta : float or (...) ndarray
        Failure probability of each interval, not corrected for their number.
    event : str
        The statement in words, with a checksum of the numbers.
    method : str or (...) ndarray of str
        The method, one per interval where they differ.
    source : str
    assumptions : tuple of str
    side : {"both", "lower", "upper"}
        Which ends are claimed; the other one is an end of the range.
    identity : tuple of Event
        The events on which the intervals hold, entry by entry: equal only for the same entry of the same call, or of
        one confidence sequence over time. By default each interval has an event of its own.

    Notes
    -----
    Complexity: every method takes O(k) time and memory for k intervals.

    Examples
    --------
    >>> from moltheory.bounds import binomial_interval
    >>> interval = binomial_interval([0, 10], 100, delta=0.05)
    >>> interval
    Interval(lower=[0.      , 0.049005], upper=[0.036217, 0.176223], delta=0.05, method='clopper-pearson')
    >>> interval.intersect(binomial_interval([0, 10], 100, method="kl", delta=0.01)).delta
    0.06...
    """

    lower: FloatArray
    upper: FloatArray
    range: FloatArray
    delta: float | FloatArray
    event: str
    method: str | npt.NDArray[np.str_]
    source: str
    assumptions: tuple[str, ...]
    side: str = "both"
    identity: tuple[Event, ...] = ()
    width = DeprecatedAlias[FloatArray]("length")

    def __post_init__(self) -> None:
        check_choice("side", self.side, SIDES)
        shape = np.shape(self.lower)
        if np.shape(self.upper) != shape:
            raise InvalidInputError(f"`upper` must have the shape {shape} of `lower`, got {np.shape(self.upper)}.")
        for name in ("lower", "upper", "range"):
            array = real_array(name, getattr(self, name), shape="(...)", min_ndim=0)
            object.__setattr__(self, name, as_readonly(array))
        low, high = self.range
        if (self.lower < low).any() or (self.upper > high).any():
            raise InvalidInputError("`range` must hold both ends, got an interval that leaves it.")
        delta = np.asarray(self.delta, dtype=np.float64)
        object.__setattr__(self, "delta", float(delta) if delta.ndim == 0 else as_readonly(delta))
        if not isinstance(self.method, str):
            methods = np.asarray(self.method, dtype=np.str_)
            object.__setattr__(self, "method", str(methods) if methods.ndim == 0 else as_readonly(methods))
        for name in ("delta", "method"):
            check_fits(name, getattr(self, name), shape, of="lower")
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        if not self.identity:
            content = (self.event, self.side, self.lower, self.upper, np.asarray(self.delta))
            object.__setattr__(self, "identity", (Event(content, np.arange(self.lower.size).reshape(shape)),))
        if any(event.index.shape != shape for event in self.identity):
            raise InvalidInputError(f"`identity` must have the shape {shape} of `lower`, got another one.")

    @property
    def length(self) -> FloatArray:
        """Upper minus lower end of each interval, (...); 0 where it is empty."""
        return np.maximum(self.upper - self.lower, 0.0)

    @property
    def half_width(self) -> FloatArray:
        """Half of `length`, (...): comparable with `Bound.width`."""
        return 0.5 * self.length

    @property
    def vacuous(self) -> npt.NDArray[np.bool_]:
        """Whether each interval is no shorter than the range of the loss, (...)."""
        low, high = self.range
        return np.asarray((self.lower <= low) & (self.upper >= high))

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Whether each interval is empty, (...): possible only if its event did not occur."""
        return np.asarray(self.lower > self.upper)

    def __getitem__(self, index: Any) -> Interval:
        """Return some of the intervals, with their events."""
        shape = self.lower.shape

        def pick(value: Any) -> Any:
            return np.broadcast_to(value, shape)[index] if np.ndim(value) else value

        spread = self.range if self.range.ndim == 1 else np.stack([pick(end) for end in self.range])
        return Interval(
            self.lower[index],
            self.upper[index],
            spread,
            pick(self.delta),
            self.event,
            pick(self.method),
            self.source,
            self.assumptions,
            self.side,
            tuple(event[index] for event in self.identity),
        )

    def intersect(self, other: Interval) -> Interval:
        """Return the intersection of two arrays of intervals for the same targets.

        The failure probabilities of different events add up; intervals of one event count it once. Two slices of one
        call are different events, since they may belong to different samples; two times of one sequence are the same
        event. If two intersections share one of several events, its share of their deltas is unknown and the deltas
        add up, which is conservative.

        Parameters
        ----------
        other : Interval
            Intervals for the same targets, of the same shape and range.

        Returns
        -------
        Interval
            With ``lower > upper`` where they are disjoint: see `empty`.

        Raises
        ------
        InvalidInputError
            If shapes or ranges differ.
        """
        if not isinstance(other, Interval):
            raise InvalidInputError(f"`other` must be an Interval, got {type(other).__name__}.")
        if other.lower.shape != self.lower.shape:
            raise InvalidInputError(f"`other` must have shape {self.lower.shape}, got {other.lower.shape}.")
        mine_range, their_range = _aligned(self.range, other.range)
        if not (mine_range == their_range).all():
            raise InvalidInputError("`other` must have the same range, got another one.")
        theirs, mine = _within(other.identity, self.identity), _within(self.identity, other.identity)
        total = np.minimum(np.add(self.delta, other.delta), 1.0)
        delta = np.where(theirs, self.delta, np.where(mine, other.delta, total))
        texts = [*self.event.split(_AND), *other.event.split(_AND)]
        event = self.event if theirs.all() else other.event if mine.all() else _AND.join(dict.fromkeys(texts))
        identity = self.identity if theirs.all() else other.identity if mine.all() else self.identity + other.identity
        same = np.array_equal(self.method, other.method)
        return Interval(
            np.maximum(self.lower, other.lower),
            np.minimum(self.upper, other.upper),
            self.range,
            delta if np.ndim(self.delta) or np.ndim(other.delta) or np.ptp(delta) > 0.0 else float(delta.flat[0]),
            event,
            self.method if same else _paired(self.method, other.method),
            self.source if self.source == other.source else f"{self.source}; {other.source}",
            tuple(dict.fromkeys([*self.assumptions, *other.assumptions])),
            self.side if self.side == other.side else "both",
            identity,
        )

    def _line(self) -> str:
        """Return ends, delta and method; vacuous and empty intervals are marked."""
        lower, upper = (
            np.array2string(end, precision=6, separator=", ", threshold=8) for end in (self.lower, self.upper)
        )
        methods = self.method if isinstance(self.method, str) else "/".join(np.unique(self.method).tolist())
        delta = f"{self.delta:g}" if isinstance(self.delta, float) else f"up to {self.delta.max(initial=0.0):g}"
        side = "" if self.side == "both" else f", side={self.side!r}"
        notes = ", says nothing" if self.vacuous.any() else ""
        notes += ", empty" if self.empty.any() else ""
        return f"Interval(lower={lower}, upper={upper}, delta={delta}, method={methods!r}{side}{notes})"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per interval, in C order, with its index in columns ``axis_0``, ``axis_1``, ..."""
        import pandas as pd

        shape = self.lower.shape
        low, high = self.range
        columns: dict[str, Any] = {
            f"axis_{axis}": index.ravel() for axis, index in enumerate(np.indices(shape)) if len(shape) > 0
        }
        columns |= {"lower": self.lower, "upper": self.upper, "length": self.length, "range_low": low}
        columns |= {"range_high": high, "delta": self.delta, "method": self.method, "vacuous": self.vacuous}
        return pd.DataFrame({name: np.broadcast_to(value, shape).ravel() if not name.startswith("axis_") else value
                             for name, value in columns.items()}).assign(side=self.side, event=self.event)  # fmt: skip

    def to_json(self) -> str:
        """Return the intervals as JSON; `from_json` restores them exactly."""
        identity = [event.written() for event in self.identity]
        return write_json({name: getattr(self, name) for name in _READERS} | {"identity": identity})

    @classmethod
    def from_json(cls, text: str) -> Interval:
        """Return the intervals that `to_json` wrote, with their events.

        Raises
        ------
        InvalidInputError
            If `text` is not what `to_json` writes.
        """
        return read_json("Interval", text, cls, _READERS, left_out=("identity",))

    def _card(self) -> Card:
        return interval_card(self)


def _read_events(written: list[Any]) -> tuple[Event, ...]:
    return tuple(read_event(entry) for entry in written)


_READERS = {
    "lower": floats,
    "upper": floats,
    "range": floats,
    "delta": floats,
    "event": string,
    "method": words,
    "source": string,
    "assumptions": strings,
    "side": string,
    "identity": _read_events,
}


def checksum(*arrays: FloatArray) -> str:
    """Return the CRC-32 of each array as text, so that events about different numbers differ in words too."""
    return "".join(f"{zlib.crc32(array.tobytes()):08x}" for array in arrays)


def _within(some: tuple[Event, ...], others: tuple[Event, ...]) -> npt.NDArray[np.bool_]:
    """Return where each of some events is among others, (...)."""
    found = [np.any([one.same(other) for other in others], axis=0) for one in some]
    return np.asarray(np.all(found, axis=0))


def _aligned(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both ranges with as many dimensions, so that (2,) compares with (2, ...)."""
    most = max(first.ndim, second.ndim)
    one, two = (r.reshape(r.shape + (1,) * (most - r.ndim)) if r.ndim == 1 else r for r in (first, second))
    return one, two


def _paired(first: Any, second: Any) -> Any:
    """Return the methods of an intersection, joined interval by interval."""
    return np.strings.add(np.strings.add(first, " and "), second)
