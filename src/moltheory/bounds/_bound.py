"""Result type of the bounds: half-widths with failure probability, event, method, source and assumptions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._deprecation import DeprecatedAlias
from moltheory._core._html_repr import Printed
from moltheory._core._serialization import floats, integer, number, optional, read_json, string, strings, write_json
from moltheory._core._validation import FloatArray, as_readonly, check_choice, check_fits, check_fraction, real_array
from moltheory.bounds._array_like import ArrayLike
from moltheory.bounds._cards import bound_card, vacuous_note
from moltheory.bounds._scope import SCOPES, joint_scope, known_scope
from moltheory.errors import InvalidInputError
from moltheory.inference._events import Event, read_event

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNIFORM", "Bound"]

# The event most bounds speak about, in words.
UNIFORM = "for all hypotheses and objectives at once: |true risk - empirical risk| <= width"
_ARRAYS = ("width", "loss_range", "lower", "upper", "shares")
_READERS = {
    "width": floats,
    "loss_range": floats,
    "delta": number,
    "method": string,
    "source": string,
    "assumptions": strings,
    "event": string,
    "lower": optional(floats),
    "upper": optional(floats),
    "shares": optional(floats),
    "identity": optional(read_event),
    "scope": string,
}
# Of the JSON text; the first had neither a version nor a scope.
_VERSION = 2
# Fields that earlier versions did not write.
_LATER = ("lower", "upper", "shares", "identity", "scope")


@dataclass(frozen=True, eq=False, repr=False)
class Bound(Printed, ArrayLike):
    """Half-widths C with P(all hypotheses, all i: |true risk i - empirical risk i| <= C_i) >= 1 - delta.

    Attributes
    ----------
    width : (..., N) ndarray
        One half-width per objective, >= 0; 0 for data-independent objectives; inf where there is no example.
        A leading axis, where there is one, is over hypotheses.
    loss_range : (N,) ndarray
        Length of each objective's range of losses; a half-width of at least that is vacuous.
    delta : float
        Total failure probability of the event.
    method, source : str
        The bound and its reference.
    assumptions : tuple of str
        What must hold for the event to have its probability.
    event : str
        The event in words.
    lower, upper : (..., N) ndarray or None
        Limits of the true risks on the same event, where they are sharper than empirical risk -+ width;
        known only to bounds that have seen the empirical risks.
    shares : (N,) ndarray or None
        Failure probability spent on each objective, 0 where none is needed; None where it is delta over the
        number of data-dependent objectives.
    identity : Event
        The event itself: equal only for bounds made from the same numbers. ``dataclasses.replace`` keeps it, for
        consequences of one event; by default each bound has an event of its own.
    scope : {"uniform", "per hypothesis", "learned", "posterior", "margin", "excess", "other"}
        What the event is about: all hypotheses at once, with the same half-widths or each with its own; learned
        hypotheses only; averages under a posterior; error rates against empirical margins; an excess. Functions of
        half-widths, such as `moltheory.bounds.forward`, refuse bounds from which their statement does not follow. By
        default ``"uniform"``, for an event of one's own ``"other"``.

    Notes
    -----
    Complexity: every method takes O(H N) time and memory for H hypotheses.

    Examples
    --------
    >>> from moltheory.bounds import finite_class
    >>> bound = finite_class(1000, n_hypotheses=100, delta=0.05)
    >>> bound
    Bound(width=[0.064397], delta=0.05, method='finite class')
    >>> float(bound), bool(bound.vacuous.any()), bound.confidence
    (0.0643..., False, 0.95)
    """

    width: FloatArray
    loss_range: FloatArray
    delta: float
    method: str
    source: str
    assumptions: tuple[str, ...]
    event: str = UNIFORM
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    shares: FloatArray | None = None
    identity: Event | None = None
    scope: str = ""
    level = DeprecatedAlias[float]("confidence")

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                array = real_array(name, value, shape="(..., N)", min_ndim=0, finite=False)
                object.__setattr__(self, name, as_readonly(array))
                check_fits(name, array, self.width.shape, of="width")
        if (self.width < 0).any():
            raise InvalidInputError(f"`width` must be >= 0 everywhere, got {self.width.min():g}.")
        object.__setattr__(self, "delta", check_fraction("delta", self.delta))
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        stated = self.scope or ("uniform" if self.event == UNIFORM else "other")
        object.__setattr__(self, "scope", check_choice("scope", stated, tuple(SCOPES)))
        if self.identity is None:
            arrays = tuple(getattr(self, name) for name in _ARRAYS)
            content = (self.event, self.method, self.source, self.delta, *arrays)
            object.__setattr__(self, "identity", Event(content, 0))

    @property
    def confidence(self) -> float:
        """Lower bound 1 - delta on the probability of the event."""
        return 1.0 - self.delta

    @property
    def vacuous(self) -> npt.NDArray[np.bool_]:
        """Whether each half-width is at least the range of the loss, the trivial bound, (..., N)."""
        return (self.width > 0) & (self.width >= self.loss_range)

    def combine(self, other: Bound) -> Bound:
        """Return the bound on the objectives of both: both events are needed, so their deltas add up.

        Parameters
        ----------
        other : Bound
            A bound on further objectives; its data may be the same, overlap or be independent.

        Returns
        -------
        Bound
            Its width has the objectives of `self` followed by those of `other`; its delta is the sum.

        Raises
        ------
        InvalidInputError
            If the two deltas add up to 1 or more, or the leading shapes do not broadcast.

        Examples
        --------
        >>> from moltheory.bounds import finite_class, vc
        >>> finite_class(1000, n_hypotheses=5, delta=0.02).combine(vc(10**5, dimension=3, delta=0.03))
        Bound(width=[0.055..., 0.05...], delta=0.05, method='finite class & VC dimension')
        """
        both = self._merged(other, " & ")
        widths = _joined("other", self.width, other.width)
        shares = np.concatenate([self._spent(), other._spent()])
        ranges = np.concatenate([self._ranges(), other._ranges()])
        return replace(
            both,
            width=widths,
            loss_range=ranges,
            lower=_joined("other", self.lower, other.lower),
            upper=_joined("other", self.upper, other.upper),
            shares=shares,
            identity=None,
        )

    def tightest(self, other: Bound, *, same_event: bool = False) -> Bound:
        """Return the smaller of two half-widths per entry: both events are needed, so their deltas add up.

        Parameters
        ----------
        other : Bound
            A bound on the same hypotheses, objectives and losses.
        same_event : bool, default False
            Both bounds follow from one and the same event, which is spent once: their `identity` and deltas must
            agree.

        Returns
        -------
        Bound
            Its delta is the sum of both (or the common one), whichever half-width is smaller.

        Raises
        ------
        InvalidInputError
            If shapes, ranges of losses or what is bounded (`scope`) differ, the deltas add up to 1 or more, or
            `same_event` is set for bounds whose events or deltas differ.

        Examples
        --------
        >>> from moltheory.bounds import finite_class, vc
        >>> finite_class(10**5, n_hypotheses=10**9, delta=0.025).tightest(vc(10**5, dimension=3, delta=0.025))
        Bound(width=[0.0112...], delta=0.05, method='tightest of finite class, VC dimension')
        """
        self._merged(other, ", ", delta=self.delta)
        if self.width.shape != other.width.shape:
            raise InvalidInputError(
                f"`other` must be about as many objectives, got shapes {self.width.shape} and {other.width.shape}."
            )
        if self.scope != other.scope and joint_scope((self.scope, other.scope)) == "other":
            raise InvalidInputError(
                f"`other` must be about the same quantities, of scope {self.scope!r}, got one of scope {other.scope!r}."
            )
        if not np.array_equal(self._ranges(), other._ranges()):
            raise InvalidInputError("`other` must be about losses of the same ranges, got different ones.")
        if same_event and (self.identity, self.delta) != (other.identity, other.delta):
            raise InvalidInputError("`same_event` must be left out for bounds of different events or deltas, got True.")
        both = self._merged(other, ", ", delta=self.delta if same_event else None)
        lower = self.lower if other.lower is None else other.lower
        upper = self.upper if other.upper is None else other.upper
        if self.lower is not None and other.lower is not None:
            lower = np.maximum(self.lower, other.lower)
        if self.upper is not None and other.upper is not None:
            upper = np.minimum(self.upper, other.upper)
        shares = self.shares if same_event else self._spent() + other._spent()
        return replace(
            both,
            width=np.minimum(self.width, other.width),
            method=f"tightest of {both.method}",
            lower=lower,
            upper=upper,
            shares=shares,
            identity=self.identity if same_event else None,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per half-width: hypothesis (if there is that axis), objective, width, range, confidence, method."""
        import pandas as pd

        widths = np.atleast_1d(self.width)
        rows = widths.reshape(-1, widths.shape[-1])
        hypothesis, objective = np.indices(rows.shape)
        columns: dict[str, Any] = {} if widths.ndim == 1 else {"hypothesis": hypothesis.ravel()}
        columns |= {
            "objective": objective.ravel(),
            "width": rows.ravel(),
            "loss_range": np.broadcast_to(self.loss_range, widths.shape).ravel(),
            "vacuous": np.atleast_1d(self.vacuous).ravel(),
        }
        for name in ("lower", "upper"):
            if getattr(self, name) is not None:
                columns[name] = np.atleast_1d(getattr(self, name)).ravel()
        if self.shares is not None:
            columns["share"] = np.broadcast_to(self.shares, widths.shape).ravel()
        columns |= {"delta": self.delta, "confidence": self.confidence, "method": self.method}
        return pd.DataFrame(columns)

    def to_latex(self, *, caption: str = "") -> str:
        r"""Return the event, its probability, assumptions, source and a table of the half-widths in LaTeX.

        Parameters
        ----------
        caption : str, optional
            Of the table, which then floats.

        Examples
        --------
        >>> from moltheory.bounds import finite_class
        >>> print(finite_class(1000, n_hypotheses=100, delta=0.05).to_latex().splitlines()[0])
        With probability at least $1 - \delta$, $\delta = 0.05$, for all hypotheses and objectives at once: ...
        """
        from moltheory.bounds._bound_latex import bound_latex

        return bound_latex(self, caption=caption)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return the half-widths, so that a bound can be used as an array."""
        return np.array(self.width, dtype=dtype)

    def __float__(self) -> float:
        """Return the only width; refused if there are several."""
        if self.width.size != 1:
            raise InvalidInputError(f"`width` must hold one entry to be read as a number, got {self.width.size}.")
        return float(self.width.item())

    def _line(self) -> str:
        widths = np.array2string(self.width, precision=6, separator=", ", threshold=8, edgeitems=3)
        about = "" if self.scope == "uniform" else f", scope={self.scope!r}"
        return f"Bound(width={widths}, delta={self.delta:g}, method={self.method!r}{about}{vacuous_note(self)})"

    def to_json(self) -> str:
        """Return the bound as JSON, with the version of its form; `from_json` restores it exactly."""
        identity = None if self.identity is None else self.identity.written()
        fields = {name: getattr(self, name) for name in _READERS}
        return write_json({"version": _VERSION, **fields, "identity": identity})

    @classmethod
    def from_json(cls, text: str) -> Bound:
        """Return the bound that `to_json` wrote, with its event.

        Texts of earlier versions, which do not state the `scope`, have that of the function that made the bound.

        Raises
        ------
        InvalidInputError
            If `text` is not what `to_json` writes, or of a later version.
        """
        readers = {"version": integer, **_READERS}
        return read_json("Bound", text, _rebuilt, readers, left_out=("version", *_LATER))

    def _merged(self, other: Bound, separator: str, *, delta: float | None = None) -> Bound:
        """Texts and delta of two bounds taken together; the arrays are those of `self`."""
        if not isinstance(other, Bound):
            raise InvalidInputError(f"`other` must be a Bound, got {type(other).__name__}.")
        total = self.delta + other.delta if delta is None else delta
        if not total < 1.0:
            raise InvalidInputError(f"`other` must leave the sum of both deltas below 1, got {total:g}.")
        same = self.event == other.event
        return replace(
            self,
            delta=total,
            method=self.method if self.method == other.method else f"{self.method}{separator}{other.method}",
            source=self.source if self.source == other.source else f"{self.source}; {other.source}",
            assumptions=tuple(dict.fromkeys(self.assumptions + other.assumptions)),
            event=self.event if same else f"({self.event}) and ({other.event})",
            scope=joint_scope((self.scope, other.scope)),
        )

    def _ranges(self) -> FloatArray:
        return np.broadcast_to(self.loss_range, np.atleast_1d(self.width).shape[-1:])

    def _spent(self) -> FloatArray:
        """Failure probability per objective, (N,): an equal share of delta where the width is not 0."""
        if self.shares is not None:
            return np.broadcast_to(self.shares, np.atleast_1d(self.width).shape[-1:])
        widths = np.atleast_1d(self.width)
        counted = (widths > 0).reshape(-1, widths.shape[-1]).any(axis=0)
        return np.where(counted, self.delta / max(int(counted.sum()), 1), 0.0)

    def _card(self) -> Card:
        return bound_card(self)


def _rebuilt(*, version: int = 1, **fields: Any) -> Bound:
    """Return the bound with fields that were read; the scope of a text without one follows from its words."""
    if not 1 <= version <= _VERSION:
        raise InvalidInputError(f"`version` must be at most {_VERSION}, got {version}: read it with a newer moltheory.")
    if "scope" not in fields:
        fields["scope"] = known_scope(fields.get("event", UNIFORM), fields["method"], uniform=UNIFORM)
    return Bound(**fields)


@overload
def _joined(name: str, first: FloatArray, second: FloatArray) -> FloatArray: ...
@overload
def _joined(name: str, first: FloatArray | None, second: FloatArray | None) -> FloatArray | None: ...
def _joined(name: str, first: FloatArray | None, second: FloatArray | None) -> FloatArray | None:
    """Concatenate along the objectives; None where either is not there."""
    if first is None or second is None:
        return None
    a, b = np.atleast_1d(first), np.atleast_1d(second)
    try:
        leading = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    except ValueError:
        raise InvalidInputError(f"`{name}` must have matching leading axes, got {a.shape} and {b.shape}.") from None
    joined: FloatArray = np.concatenate(
        [np.broadcast_to(a, leading + a.shape[-1:]), np.broadcast_to(b, leading + b.shape[-1:])], axis=-1
    )
    return joined
