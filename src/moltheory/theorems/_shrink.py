"""Making a counterexample small: fewer hypotheses and objectives, realized widths, shorter decimals."""

from __future__ import annotations

import numpy as np

from moltheory._core._validation import FloatArray, as_readonly
from moltheory.theorems._columns import realized_widths
from moltheory.theorems._hunt import Hunt, relative
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._search_inputs import InputSource

__all__ = ["shrink_pair"]

# Share of the violation that a simpler witness keeps at least, and one with fewer hypotheses or objectives.
_KEPT, _KEPT_SMALLER = 0.5, 0.05
_MOST_DIGITS = 6
_MOST_STEPS = 200
_DRAWS = 8
STAGE = "minimization"


class _Witness:
    """A violating pair, and the smaller ones that are tried in its place."""

    def __init__(self, hunt: Hunt, source: InputSource, rng: np.random.Generator) -> None:
        found = hunt.witness
        self._hunt, self._source, self._rng = hunt, source, rng
        self.pair: FloatArray = np.stack([found["true"], found["empirical"]])
        self.extra: FloatArray = np.maximum(found["widths"] - realized_widths(*self.pair), 0.0)
        self.inputs: Inputs = found["inputs"]
        self.value = hunt.worst
        self._least = 0.0
        self.keep(_KEPT)

    def keep(self, share: float) -> None:
        """Ask for some share of the violation that there is now."""
        self._least = max(share * self.value, 2.0 * self._hunt.tolerance)

    def accepts(self, pairs: FloatArray, extra: FloatArray, inputs: Inputs | None = None) -> list[int]:
        """Return which of some pairs (2, R, H, N) violate the statement by enough."""
        given = self.inputs if inputs is None else inputs
        widths = _widths(pairs) + extra
        found = self._hunt.violations(pairs[0], pairs[1], widths, given)
        self._hunt.stages[STAGE] += pairs.shape[1]
        self._values = found
        rows: list[int] = np.flatnonzero(found >= self._least).tolist()
        return rows

    def take(self, pair: FloatArray, extra: FloatArray, row: int, inputs: Inputs | None = None) -> None:
        """Go on with one that was accepted."""
        self.pair, self.extra, self.value = pair, extra, float(self._values[row])
        if inputs is not None:
            self.inputs = inputs

    def drop_hypotheses(self, fewest: int) -> None:
        """Leave out one hypothesis after the other."""
        self.keep(_KEPT_SMALLER)
        while (count := self.pair.shape[1]) > fewest:
            parts = np.stack([np.delete(self.pair, h, axis=1) for h in range(count)], axis=1)
            # The widths stay as they are where the one left out had the largest deviation.
            held = self.extra + realized_widths(*self.pair)
            for extra in (np.repeat(self.extra[None], count, axis=0), np.maximum(held - _widths(parts), 0.0)):
                rows = self.accepts(parts, extra)
                if rows:
                    row = max(rows, key=lambda k: float(self._values[k]))
                    self.take(parts[:, row], extra[row], row)
                    break
            else:
                return

    def drop_objectives(self, fewest: int) -> None:
        """Leave out one objective after the other, with inputs for those that are left."""
        self.keep(_KEPT_SMALLER)
        while (count := self.pair.shape[2]) > fewest and self._drop_one(count):
            pass

    def _drop_one(self, count: int) -> bool:
        for i in range(count):
            pair, extra = np.delete(self.pair, i, axis=2), np.delete(self.extra, i)
            for inputs in self._smaller_inputs(pair):
                rows = self.accepts(pair[:, None], extra[None], inputs)
                if rows:
                    self.take(pair, extra, 0, inputs)
                    return True
        return False

    def _smaller_inputs(self, pair: FloatArray) -> list[Inputs]:
        if self._source.is_fixed:
            return [self.inputs]
        limits = np.full(pair.shape[2], max(self._hunt.space.risk_range[1], 0.0) or 1.0)
        drawn = [self._source.draw(self._rng, pair[:1], limits) for _ in range(_DRAWS)]
        return [one for one in drawn if one is not None]

    def realize_widths(self) -> None:
        """Take the realized widths, if they will do."""
        nothing = np.zeros_like(self.extra)
        if self.extra.any() and self.accepts(self.pair[:, None], nothing[None]):
            self.take(self.pair, nothing, 0)

    def round_all(self) -> None:
        """Round all entries to as few decimals as will do."""
        self.keep(_KEPT)
        counts = range(_MOST_DIGITS + 1)
        pairs = np.stack([self._inside(np.round(self.pair, d)) for d in counts], axis=1)
        extra = np.stack([np.round(self.extra, d) for d in counts])
        rows = self.accepts(pairs, extra)
        if rows:
            self.take(pairs[:, rows[0]], extra[rows[0]], rows[0])

    def simplify_entries(self) -> None:
        """Replace one value after the other by a simpler one, in all places or in one, and make risks equal."""
        self.keep(_KEPT)
        for _ in range(_MOST_STEPS):
            here = _complexity(self.pair[:, None], self.extra[None])[0]
            options = self._options()
            if not options:
                return
            pairs = np.stack(options, axis=1)
            extra = np.repeat(self.extra[None], pairs.shape[1], axis=0)
            cost = _complexity(pairs, extra)
            simpler = np.flatnonzero(cost < here)
            if not simpler.size:
                return
            rows = self.accepts(pairs[:, simpler], extra[simpler])
            if not rows:
                return
            row = min(rows, key=lambda k: (float(cost[simpler[k]]), -float(self._values[k])))
            self.take(pairs[:, simpler[row]], self.extra, row)

    def _options(self) -> list[FloatArray]:
        options = []
        low, high = self._hunt.space.risk_range
        true, seen = self.pair
        for i in range(self.pair.shape[2]):
            column = self.pair[:, :, i]
            values = np.unique(column).tolist()
            targets = {low, high, 0.5 * (low + high), *(round(v, d) for v in values for d in range(4))}
            inside = [v for v in sorted({*targets, *values}) if low <= v <= high]
            for value in values:
                for new in inside:
                    if new != value:
                        moved = self.pair.copy()
                        moved[:, :, i] = np.where(column == value, new, column)
                        options.append(moved)
            for table, h in np.ndindex(*column.shape):
                here = float(column[table, h])
                for new in {*(round(here, d) for d in range(4)), low, high, *values}:
                    if new != here and low <= new <= high:
                        moved = self.pair.copy()
                        moved[table, h, i] = new
                        options.append(moved)
            for h in np.flatnonzero(true[:, i] != seen[:, i]).tolist():
                for table in (0, 1):
                    moved = self.pair.copy()
                    moved[table, h, i] = self.pair[1 - table, h, i]
                    options.append(moved)
        return options

    def _inside(self, pair: FloatArray) -> FloatArray:
        return np.clip(pair, *self._hunt.space.risk_range)


def shrink_pair(hunt: Hunt, source: InputSource, rng: np.random.Generator) -> None:
    """Replace the witness of a hunt by a smaller one: of fewer hypotheses and objectives, then of shorter decimals."""
    one = _Witness(hunt, source, rng)
    fewest_h, fewest_n = hunt.space.n_hypotheses[0], hunt.space.n_objectives[0]
    one.drop_hypotheses(fewest_h)
    one.realize_widths()
    one.round_all()
    one.drop_objectives(fewest_n)
    one.simplify_entries()
    one.drop_hypotheses(fewest_h)
    one.drop_objectives(fewest_n)
    one.realize_widths()
    one.simplify_entries()
    pair = one.pair[:, None]
    widths = _widths(pair) + one.extra
    value = hunt.violations(pair[0], pair[1], widths, one.inputs)
    if not value[0] > hunt.tolerance:
        return
    hunt.worst = float(value[0])
    hunt.nearest = float(relative(value, widths)[0])
    hunt.witness = {
        "true": as_readonly(one.pair[0].copy()),
        "empirical": as_readonly(one.pair[1].copy()),
        "widths": as_readonly(widths[0].copy()),
        "inputs": one.inputs,
    }


def _widths(pairs: FloatArray) -> FloatArray:
    """Return realized widths, as the decimals that differences of decimals are, where rounding alone keeps them away."""
    widths = realized_widths(pairs[0], pairs[1])
    tidy = np.round(widths, 2 * _MOST_DIGITS)
    result: FloatArray = np.where(np.abs(tidy - widths) <= 4.0 * np.spacing(np.abs(pairs).max()), tidy, widths)
    return result


def _complexity(pairs: FloatArray, extra: FloatArray) -> FloatArray:
    """Return how complicated pairs (2, R, H, N) are: digits, distinct values, and entries that deviate."""
    cost: FloatArray = np.zeros(pairs.shape[1])
    for part in (np.moveaxis(pairs, 1, 0).reshape(pairs.shape[1], -1), extra):
        for digits in range(_MOST_DIGITS + 1):
            cost += (np.abs(np.round(part, digits) - part) > 1e-12).sum(axis=1)
        cost += 0.25 * (part != 0.0).sum(axis=1) + 0.125 * (np.abs(part) != np.rint(np.abs(part))).sum(axis=1)
    cost += 0.5 * (pairs[0] != pairs[1]).sum(axis=(-2, -1))
    ordered = np.sort(np.concatenate([pairs[0], pairs[1]], axis=1), axis=1)
    cost += 0.5 * (np.diff(ordered, axis=1) != 0.0).sum(axis=(-2, -1))
    return cost
