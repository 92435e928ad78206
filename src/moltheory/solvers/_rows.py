"""The scalarizations of a sweep with the forms that they declare; many weighted sums are one array of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.scalarization import Form, LinearForm, MaximumForm, Scalarization, WeightedSum

__all__ = ["Rows", "rows_of"]


class Rows:
    """Scalarizations, their forms (None where values suffice) and the kinds of the forms (empty where there is none)."""

    def __init__(self, scalarizations: Sequence[Scalarization], forms: Sequence[Form | None]) -> None:
        self.scalarizations, self._forms = scalarizations, forms
        self.kinds = ["" if form is None else str(form.kind) for form in forms]

    @property
    def sizes(self) -> set[int]:
        """Numbers of objectives."""
        return {u.n_objectives for u in self.scalarizations}

    @property
    def forms(self) -> Sequence[Form]:
        """The forms; each is there."""
        return cast(Sequence[Form], self._forms)

    @property
    def weights(self) -> FloatArray:
        """Weights (K, N) of weighted sums or maxima."""
        return np.array([form.weights for form in cast(Sequence[LinearForm | MaximumForm], self._forms)])

    @property
    def maxima(self) -> Sequence[MaximumForm]:
        """The forms of maxima."""
        return cast(Sequence[MaximumForm], self._forms)

    def first(self, kind: str) -> tuple[Scalarization, Form | None]:
        """Return the first scalarization with a form of this kind."""
        j = self.kinds.index(kind)
        return self.scalarizations[j], self._forms[j]

    def take(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        if len(rows) == len(self.kinds):
            return self
        return Rows([self.scalarizations[j] for j in rows], [self._forms[j] for j in rows])


class _Sums(Rows):
    """Weighted sums of our own class, of which thousands are solved at once: no form of each is made unless needed."""

    def __init__(self, scalarizations: Sequence[WeightedSum]) -> None:
        self.scalarizations, self.kinds = scalarizations, ["linear"] * len(scalarizations)
        self._weights = [u.weights for u in scalarizations]

    @property
    def sizes(self) -> set[int]:
        return set(map(len, self._weights))

    @property
    def forms(self) -> Sequence[Form]:
        return [LinearForm(weights) for weights in self._weights]

    @property
    def weights(self) -> FloatArray:
        return np.array(self._weights)

    def first(self, kind: str) -> tuple[Scalarization, Form | None]:
        return self.scalarizations[0], LinearForm(self._weights[0])

    def take(self, rows: Sequence[int]) -> Rows:
        return self if len(rows) == len(self.kinds) else Rows(self.scalarizations, self.forms).take(rows)


def rows_of(scalarizations: Sequence[Scalarization], form: Callable[[Scalarization], Form | None] | None) -> Rows:
    """Return the rows of a sweep; `form` finds the form of each, None where values suffice."""
    if form is None:
        return Rows(scalarizations, [None] * len(scalarizations))
    # The class itself, and objects that hold nothing but weights: there is no subclass and no patch to look for.
    if set(map(type, scalarizations)) == {WeightedSum} and sum(map(len, map(vars, scalarizations))) == len(
        scalarizations
    ):
        return _Sums(cast(Sequence[WeightedSum], scalarizations))
    return Rows(scalarizations, [form(u) for u in scalarizations])
