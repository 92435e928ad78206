"""The search over pairs of tables: trivial ones, random ones with a local search, and polishing of the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray, as_readonly
from moltheory.theorems._columns import realized_widths
from moltheory.theorems._extremal_pairs import embedded, extremal_pairs
from moltheory.theorems._hunt import Hunt, relative
from moltheory.theorems._lines import along_lines
from moltheory.theorems._moves import coarse_moves, families, fine_moves, quantized, random_pairs
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._search_inputs import InputSource
from moltheory.theorems._search_space import Shape
from moltheory.theorems._trivial_pairs import padded, trivial_pairs

__all__ = ["PairSearch"]

_TRIVIAL = 64
# Pairs of a batch, at first and later; rounds of coarse moves, then of fine ones of families that share a batch.
_BATCH, _LARGE_BATCH, _GROWS_AT = 64, 128, 20_000
_COARSE, _FINE, _FAMILY = 10, 7, 8
# Pairs that a polishing round makes of one, the rounds of a visit, lines of a round, and near-violations to remember.
_CHILDREN, _ROUNDS, _LINES, _REMEMBERED = 96, 12, 32, 16
# Visits without success; starts from smaller shapes; tries of polishing for each random one; entries of a large table.
_MOST_VISITS, _EMBEDDED, _POLISHED, _LARGE = 1, 16, 1.0, 15
# Random pairs of a batch for each that a local search starts from.
_START = 3
_SHARE_LARGER, _SHARE_EMBEDDED, _SHARE_LEADING, _SHARE_INPUTS, _AGAIN = 0.15, 0.13, 0.4, 0.25, 0.5


@dataclass(eq=False)
class _Near:
    """A near-violation: a pair (2, H, N) in units of the range, what its widths are larger by, and its inputs."""

    pair: FloatArray
    extra: FloatArray
    inputs: Inputs
    promise: float
    visits: int = 0


class _Population:
    """Pairs of one shape with the same inputs, how promising they are, and moves that are kept if not for the worse."""

    def __init__(self, hunt: Hunt, stage: str, inputs: Inputs, pairs: FloatArray, extra: FloatArray) -> None:
        self._hunt, self._stage = hunt, stage
        self.inputs = inputs
        room = hunt.room(pairs.shape[1])
        self.pairs, self.extra = pairs[:, :room], extra[:room]
        self.found, self.promise = self.evaluate(self.pairs, self.extra, inputs)

    def evaluate(self, pairs: FloatArray, extra: FloatArray, inputs: Inputs) -> tuple[FloatArray, FloatArray]:
        """Return violations, and violations in units of the largest width."""
        self._hunt.spend(pairs.shape[1], self._stage, (pairs.shape[2], pairs.shape[3]))
        true, empirical, widths = _scaled(self._hunt, pairs, extra)
        found = self._hunt.violations(true, empirical, widths, inputs)
        return found, relative(found, widths)

    def try_moves(self, moved: FloatArray, extra: FloatArray, *, by_width: bool) -> None:
        """Keep moves that are not for the worse; sideways ones too, as slacks have plateaus."""
        room = self._hunt.room(moved.shape[1])
        if room < moved.shape[1]:
            self.select(slice(room))
            moved, extra = moved[:, :room], extra[:room]
        if not room:
            return
        found, promise = self.evaluate(moved, extra, self.inputs)
        better = promise >= self.promise if by_width else found >= self.found
        self.pairs[:, better], self.extra[better] = moved[:, better], extra[better]
        self.found[better], self.promise[better] = found[better], promise[better]

    def select(self, rows: Any) -> None:
        """Keep some rows, which may be repeated."""
        self.pairs, self.extra = self.pairs[:, rows], self.extra[rows]
        self.found, self.promise = self.found[rows], self.promise[rows]

    def report(self) -> None:
        """Tell the hunt about the worst pair."""
        if not self.found.size:
            return
        row = int(self.found.argmax())
        true, empirical, widths = _scaled(self._hunt, self.pairs[:, row : row + 1], self.extra[row : row + 1])
        self._hunt.report(
            float(self.found[row]),
            float(self.promise.max()),
            true=as_readonly(true[0].copy()),
            empirical=as_readonly(empirical[0].copy()),
            widths=as_readonly(widths[0].copy()),
            inputs=self.inputs,
        )


class PairSearch:
    """Trivial pairs once, then random ones and polishing in turn."""

    def __init__(self, hunt: Hunt, source: InputSource, rng: np.random.Generator) -> None:
        self._hunt, self._source, self._rng = hunt, source, rng
        self._near: list[_Near] = []
        self._given_up: list[float] = []
        self._best: dict[Shape, float] = {}

    def trivial(self) -> None:
        """Try simple pairs of every shape, the small ones first, with at most a tenth of the budget."""
        start, most = self._hunt.tried, max(256.0, self._hunt.left / 10.0)
        for shape in self._hunt.space.shapes():
            if self._hunt.over or self._hunt.tried - start >= most:
                return
            steps = int(self._rng.choice(self._hunt.space.lattice))
            pairs = trivial_pairs(self._rng, (_TRIVIAL, *shape), steps)
            if shape[0] > 1:
                pairs[:, ::2] = random_pairs(self._rng, (_TRIVIAL // 2, *shape), steps)
            pairs = quantized(pairs)
            inputs = self._draw(pairs)
            if inputs is not None:
                population = _Population(self._hunt, "trivial pairs", inputs, pairs, self._extra(pairs, 0.0))
                population.report()
                self._remember(population, 1)

    def turn(self) -> None:
        """Search from random pairs, or polish a near-violation: what has had fewer tries."""
        tries = self._hunt.stages
        if self._near and tries["polishing"] < _POLISHED * tries["random pairs"]:
            self._polish()
        else:
            self._random()

    def _draw(self, pairs: FloatArray) -> Inputs | None:
        low, high = self._hunt.space.risk_range
        limits = np.full(pairs.shape[-1], high if high > 0.0 else 1.0)
        return self._source.draw(self._rng, low + (high - low) * pairs[0], limits)

    def _extra(self, pairs: FloatArray, share: float) -> FloatArray:
        """Return by how much stated widths exceed the deviations: mostly by nothing."""
        shape = (pairs.shape[1], pairs.shape[3])
        if share == 0.0:
            return np.zeros(shape)
        size = 0.5 ** self._rng.choice([1, 2, 3, 4, 10], shape)
        size[self._rng.random(shape) < 0.4] = 0.0
        # In a half of them all widths are the largest.
        level = np.abs(pairs[0] - pairs[1]).max(axis=1)
        size = np.where(self._rng.random((shape[0], 1)) < 0.5, level.max(axis=1, keepdims=True) - level, size)
        return size * (self._rng.random((shape[0], 1)) < share)

    def _random(self) -> None:
        """One batch of random pairs of one shape, a coarse search from each of them, then a fine one from some."""
        hunt, rng = self._hunt, self._rng
        shape = self._shape()
        size = _BATCH if hunt.tried < _GROWS_AT else _small(shape, _LARGE_BATCH)
        steps = int(rng.choice(hunt.space.lattice))
        many = _START * size
        first = many // 3 if shape[0] > 1 else 0
        kinds = [(random_pairs, first), (extremal_pairs, first), (trivial_pairs, many - 2 * first)]
        pairs = np.concatenate([make(rng, (count, *shape), steps) for make, count in kinds], axis=1)
        pairs = quantized(embedded(rng, padded(rng, pairs), _SHARE_EMBEDDED * shape[1]))
        self._embed(pairs)
        known = [one.inputs for one in self._near if one.pair.shape[2] == shape[1]]
        again = known and rng.random() < _SHARE_INPUTS
        inputs = known[int(rng.integers(len(known)))] if again else self._draw(pairs)
        if inputs is None:
            # Made for other numbers of objectives: nothing was tried.
            hunt.left -= 1
            return
        larger = 0.5 if rng.random() < _SHARE_LARGER else 0.0
        population = _Population(hunt, "random pairs", inputs, pairs, self._extra(pairs, larger))
        population.report()
        if hunt.over or population.pairs.shape[1] < many:
            return
        population.select(self._start(population, size))
        for _ in range(_COARSE):
            if hunt.left <= 0:
                break
            population.try_moves(coarse_moves(rng, population.pairs, 1.0 / steps), population.extra, by_width=False)
        population.report()
        if hunt.over or population.pairs.shape[1] < size:
            return
        count = size // _FAMILY
        population.select(np.repeat(families(rng, population.promise, count), _FAMILY))
        for k in range(_FINE):
            if hunt.over:
                break
            population.try_moves(fine_moves(rng, population.pairs, 4 + k), population.extra, by_width=True)
            population.report()
            if population.pairs.shape[1] < size:
                return
            # Each family goes on from the best of its members.
            best = population.promise.reshape(count, -1).argmax(axis=1)
            population.select(np.repeat(best + np.arange(0, size, _FAMILY), _FAMILY))
        self._remember(population, 2)

    def _shape(self) -> Shape:
        """Return a random shape, often one of those in which a violation came nearest, mostly of few hypotheses."""
        hunt, rng = self._hunt, self._rng
        shape = hunt.space.draw(rng, hunt.tried)
        top = max(self._best.values(), default=-np.inf)
        if rng.random() >= _SHARE_LEADING or not np.isfinite(top):
            return shape
        leading = sorted(one for one, best in self._best.items() if best >= top - 1e-9 * max(1.0, abs(top)))
        shares = 1.0 / np.array([h for h, _ in leading])
        return leading[int(rng.choice(len(leading), p=shares / shares.sum()))]

    def _start(self, population: _Population, size: int) -> Any:
        """Return which of many random pairs a local search starts from: the best by two measures, and others."""
        by_width = np.argsort(-population.promise, kind="stable")[: size // 4]
        by_value = np.argsort(-population.found, kind="stable")[: size // 4]
        others = self._rng.choice(population.found.size, size - by_width.size - by_value.size, replace=False)
        return np.concatenate([by_width, by_value, others])

    def _embed(self, pairs: FloatArray) -> None:
        """Start some pairs from near-violations of fewer hypotheses or objectives, with copies and constants added."""
        h, n = pairs.shape[2:]
        smaller = [one.pair for one in self._near if one.pair.shape[1] <= h and one.pair.shape[2] <= n]
        if not smaller or self._rng.random() < 0.5:
            return
        some = min(_EMBEDDED, pairs.shape[1] // 4)
        for row in range(some):
            pair = smaller[int(self._rng.integers(len(smaller)))]
            rows = [*range(pair.shape[1]), *self._rng.integers(pair.shape[1], size=h - pair.shape[1]).tolist()]
            pairs[:, row, :, : pair.shape[2]] = pair[:, rows]
            pairs[:, row, :, pair.shape[2] :] = self._rng.choice([0.0, 0.5, 1.0])

    def _remember(self, population: _Population, count: int) -> None:
        """Keep the most promising pairs, at most a few of one shape."""
        shape, top = population.pairs.shape[2:], float(population.promise.max(initial=-np.inf))
        self._best[shape] = max(top, self._best.get(shape, -np.inf))
        for row in np.argsort(-population.promise, kind="stable")[::_FAMILY][:count].tolist():
            promise = float(population.promise[row])
            # One that is as near as what polishing has given up is as good as that.
            known = any(abs(promise - old) <= 1e-9 for old in self._given_up)
            if np.isfinite(promise) and (not known or self._rng.random() < _AGAIN):
                pair, extra = population.pairs[:, row].copy(), population.extra[row].copy()
                self._near.append(_Near(pair, extra, population.inputs, promise))
        # Of those that are equally near, the ones of few hypotheses: their polishing is quick.
        self._near.sort(key=lambda one: (-round(one.promise, 9), one.pair.shape[1]))
        kept: list[_Near] = []
        for one in self._near:
            same = sum(_shape(other) == _shape(one) for other in kept)
            n = one.pair.shape[2]
            level = sum(abs(other.promise - one.promise) <= 1e-9 and other.pair.shape[2] == n for other in kept)
            if same < 3 and level < 3 and len(kept) < _REMEMBERED:
                kept.append(one)
        self._near = kept

    def _polish(self) -> None:
        """Move one near-violation: coordinates, patterns, widths and inputs, in finer and finer steps."""
        hunt, rng = self._hunt, self._rng
        which = int(
            min(rng.geometric(0.3) - 1, len(self._near) - 1) if rng.random() < 0.5 else rng.integers(len(self._near))
        )
        near = self._near[which]
        by_width = rng.random() < 0.75
        before, direction = near.promise, np.zeros_like(near.pair)
        population = _Population(hunt, "polishing", near.inputs, near.pair[:, None], near.extra[None])
        best = float((population.promise if by_width else population.found)[0]) if population.found.size else -np.inf
        for k in range(_ROUNDS):
            if hunt.over:
                break
            if k % 2:
                best = self._ridge(near, best, 3 + (12 * k) // _ROUNDS, by_width=by_width)
                continue
            pairs, extra = self._children(near, direction, 4 + (16 * k) // _ROUNDS)
            moved = self._moved_inputs(near) if k % 4 == 2 else None
            inputs = near.inputs if moved is None else moved
            population = _Population(hunt, "polishing", inputs, pairs, extra)
            population.report()
            values = population.promise if by_width else population.found
            if not values.size:
                break
            row = int(values.argmax())
            if values[row] >= best:
                best = float(values[row])
                direction = population.pairs[:, row] - near.pair
                near.pair, near.extra = population.pairs[:, row].copy(), population.extra[row].copy()
                near.inputs, near.promise = inputs, float(population.promise[row])
        near.visits = 0 if near.promise > before + 1e-9 * max(1.0, abs(before)) else near.visits + 1
        if near.visits >= _MOST_VISITS or not np.isfinite(near.promise):
            # A restart: others have their turn.
            self._near.remove(near)
            self._given_up.append(near.promise)

    def _ridge(self, near: _Near, best: float, finest: int, *, by_width: bool) -> float:
        """Move a near-violation, then along a line to where the violation is largest; return the best value so far."""
        hunt = self._hunt
        bases = np.repeat(near.pair[:, None], _small(_shape(near), _LINES), axis=1)
        bases[:, 1:] = fine_moves(self._rng, bases[:, 1:], finest)

        def evaluate(moved: FloatArray) -> FloatArray | None:
            if hunt.over or hunt.room(moved.shape[1]) < moved.shape[1]:
                return None
            extra = np.repeat(near.extra[None], moved.shape[1], axis=0)
            population = _Population(hunt, "polishing", near.inputs, moved, extra)
            population.report()
            return population.promise if by_width else population.found

        found = along_lines(self._rng, bases, evaluate)
        if found is None:
            return best
        row = int(found[1].argmax())
        if found[1][row] >= best and not hunt.over:
            best, near.pair = float(found[1][row]), found[0][:, row].copy()
            again = _Population(hunt, "polishing", near.inputs, near.pair[:, None], near.extra[None])
            near.promise = float(again.promise[0])
        return best

    def _children(self, near: _Near, direction: FloatArray, finest: int) -> tuple[FloatArray, FloatArray]:
        rng = self._rng
        pairs = np.repeat(near.pair[:, None], _CHILDREN, axis=1)
        pairs = fine_moves(rng, pairs, finest)
        pairs[:, ::2] = fine_moves(rng, pairs[:, ::2], finest)
        if direction.any():
            # The last improvement again, smaller and larger.
            sizes = np.array([0.5, 1.0, 2.0, 4.0])[:, None, None]
            pairs[:, 1:5] = quantized(near.pair[:, None] + sizes * direction[:, None])
        if near.pair.shape[1] > 1:
            one, other = rng.integers(near.pair.shape[1], size=2)
            pairs[:, 5, one] = pairs[:, 5, other]
        pairs[:, 0] = near.pair
        extra = np.repeat(near.extra[None], _CHILDREN, axis=0)
        if near.extra.any():
            step = rng.standard_normal(extra.shape) * 0.5 ** rng.integers(3, finest + 1, extra.shape)
            changed = rng.random(extra.shape) < 0.3
            extra = np.maximum(np.where(changed, quantized(np.abs(extra + step)), extra), 0.0)
            extra[rng.random(extra.shape) < 0.1] = 0.0
        return pairs, extra

    def _moved_inputs(self, near: _Near) -> Inputs | None:
        moved = self._source.moved(self._rng, near.inputs, near.pair.shape[-1])
        if moved is None or self._rng.random() < 0.2:
            return self._draw(near.pair[:, None])
        return moved


def _shape(near: _Near) -> Shape:
    return near.pair.shape[1], near.pair.shape[2]


def _small(shape: Shape, count: int) -> int:
    """Return a number of pairs, a multiple of what shares a batch, that is smaller for large tables."""
    return max(_FAMILY, int(count * min(1.0, _LARGE / (shape[0] * shape[1]))) // _FAMILY * _FAMILY)


def _scaled(hunt: Hunt, pairs: FloatArray, extra: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return true and empirical risks and widths in the range of risks, the batch last in memory, where it is quick."""
    low, unit = hunt.space.risk_range[0], hunt.space.unit
    inner = np.ascontiguousarray(np.moveaxis(pairs, 1, -1))
    risks = np.moveaxis(inner if (low, unit) == (0.0, 1.0) else low + unit * inner, -1, 1)
    return risks[0], risks[1], realized_widths(risks[0], risks[1]) + unit * extra
