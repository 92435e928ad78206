"""A Pareto front as a value: its points, where they came from, and the box they span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._card import Card
from moltheory._core._docs import document
from moltheory._core._html_repr import Printed
from moltheory._core._serialization import booleans, exactly, integers, numbers, read_json, string, write_json
from moltheory._core._validation import Maximise, as_readonly, real_array
from moltheory.errors import InvalidInputError
from moltheory.pareto._cards import front_card, front_line
from moltheory.pareto._dominance import nondominated
from moltheory.pareto._orientation import check_maximise

__all__ = ["Front", "pareto_front"]

_KIND = "moltheory.Front"
_READERS = {
    "kind": exactly(_KIND),
    "dtype": string,
    "points": numbers,
    "members": integers,
    "maximise": booleans,
}


@dataclass(frozen=True, eq=False, repr=False)
class Front(Printed):
    """The non-dominated points of a finite set, in the caller's orientation.

    Attributes
    ----------
    points : numpy.ndarray, shape (k, m)
        The points, sorted lexicographically; equal points all appear. Read-only.
    members : numpy.ndarray of int64, shape (k,)
        Row of the original set that each point stood in. Read-only.
    maximise : tuple of bool
        Whether each of the m objectives is maximised.

    Raises
    ------
    InvalidInputError
        If the parts do not fit together or a point holds NaN.

    Notes
    -----
    Complexity: O(k m) time and memory of each attribute and method, JSON included.

    Examples
    --------
    >>> front = pareto_front([[3, 1], [2, 2], [3, 3], [1, 4]])
    >>> front.points
    array([[1, 4],
           [2, 2],
           [3, 1]])
    >>> front.members
    array([3, 1, 0])
    >>> front == Front.from_json(front.to_json())
    True
    """

    points: npt.NDArray[Any]
    members: npt.NDArray[np.int64]
    maximise: tuple[bool, ...]

    def __post_init__(self) -> None:
        points = real_array(
            "points", self.points, shape="(k, m)", min_ndim=2, max_ndim=2, finite=False, keep_integers=True
        )
        members = np.asarray(self.members)
        if members.dtype.kind not in "iu" or members.shape != points.shape[:1] or members.min() < 0:
            raise InvalidInputError(
                f"`members` must be {points.shape[0]} row numbers, got dtype {members.dtype} and shape {members.shape}."
            )
        object.__setattr__(self, "points", as_readonly(points))
        object.__setattr__(self, "members", as_readonly(members.astype(np.int64)))
        object.__setattr__(self, "maximise", check_maximise(self.maximise, points.shape[1]))

    def __len__(self) -> int:
        return int(self.points.shape[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Front):
            return NotImplemented
        return (
            self.maximise == other.maximise
            and self.points.dtype == other.points.dtype
            and np.array_equal(self.points, other.points)
            and np.array_equal(self.members, other.members)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def ideal(self) -> npt.NDArray[Any]:
        """The best value of each objective on the front, shape (m,)."""
        return as_readonly(np.where(self.maximise, self.points.max(axis=0), self.points.min(axis=0)))

    @property
    def nadir(self) -> npt.NDArray[Any]:
        """The worst value of each objective on the front, shape (m,)."""
        return as_readonly(np.where(self.maximise, self.points.min(axis=0), self.points.max(axis=0)))

    def to_json(self) -> str:
        """Return the front as JSON text; `from_json` gives back an equal front, bit for bit."""
        content = {"kind": _KIND, "dtype": self.points.dtype.name}
        return write_json(content | {name: getattr(self, name) for name in ("points", "members", "maximise")})

    @classmethod
    def from_json(cls, text: str, /) -> Front:
        """Return the front that `to_json` wrote.

        Raises
        ------
        InvalidInputError
            If `text` is not such a front.
        """

        def build(kind: str, dtype: str, points: npt.NDArray[Any], members: npt.NDArray[Any], maximise: Any) -> Front:
            array = points.astype(dtype)
            if array.dtype.kind not in "iuf" or (array.dtype.kind != "f" and (array != points).any()):
                raise InvalidInputError(f"`points` must be numbers of their dtype, got dtype {dtype} for others.")
            return cls(array, members, maximise)

        return read_json("Front", text, build, _READERS)

    def _line(self) -> str:
        return front_line(self)

    def _card(self) -> Card:
        return front_card(self)


@document
def pareto_front(points: npt.ArrayLike, /, *, maximise: Maximise = False) -> Front:
    """Return the front of `points`, of shape (n, m): its non-dominated rows, sorted, with their indices.

    Parameters
    ----------
    points : array_like, shape (n, m)
        Points as in `nondominated`: infinities are allowed, NaN is not, integers stay integers.
    {maximise}

    Returns
    -------
    Front
        Equal points are all kept, in the order of their indices.

    Raises
    ------
    InvalidInputError
        If `points` is not one non-empty set of points without NaN, or if `maximise` does not fit.

    Notes
    -----
    Complexity: that of `nondominated`, and O(k m log k) time to sort a front of k points; O(n m) memory.

    Examples
    --------
    >>> front = pareto_front([[0.9, 5.0], [0.7, 2.0], [0.6, 4.0]], maximise=[True, False])
    >>> front.members, front.ideal, front.nadir
    (array([1, 0]), array([0.9, 2. ]), array([0.7, 5. ]))
    """
    array = real_array("points", points, shape="(n, m)", min_ndim=2, max_ndim=2, finite=False, keep_integers=True)
    flags = check_maximise(maximise, array.shape[1])
    members = np.flatnonzero(nondominated(array, maximise=flags))
    rows = array[members]
    order = np.lexsort(rows.T[::-1])
    return Front(rows[order], members[order], flags)
