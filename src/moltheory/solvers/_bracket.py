"""A front in the making between its inner and outer approximation: what is solved, and the gap it certifies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.errors import InvalidInputError
from moltheory.solvers._sandwich import game, games_of_two, pieces_of_simplex, small_games
from moltheory.solvers._weighted_solves import Solved

__all__ = ["Bracket"]

# A member below the bound of another weight by more than this, relative, is no rounding.
_ROUNDING = 1e-8
# Largest number of objectives for which games of the corners' own members are solved by enumeration.
_SMALL = 4
# Largest number of weighted sums held at once.
_BLOCK = 1 << 18


class Bracket:
    """Weights, members and lower values in units of the scale, with the pieces and gaps they certify."""

    def __init__(self, n: int, unit: FloatArray) -> None:
        self.unit = unit
        self.rigorous = True
        self._solutions: list[npt.NDArray[Any]] = []
        self.weights, self.points, self.lower = np.empty((0, n)), np.empty((0, n)), np.empty(0)
        self.pieces: npt.NDArray[np.intp] = np.empty((0, n), dtype=np.intp)
        # Value, mixture of corners and number of members considered; more members can only lower the value.
        self._games: dict[tuple[int, ...], tuple[float, FloatArray, int]] = {}

    @property
    def solutions(self) -> npt.NDArray[Any] | None:
        """Hypotheses of the members, where the solves name them."""
        return np.concatenate(self._solutions) if self._solutions else None

    def add(self, weights: FloatArray, solve: Callable[[FloatArray], Solved]) -> None:
        """Solve for weights in units of the scale."""
        original = weights / self.unit
        original /= original.sum(axis=1, keepdims=True)
        found = solve(original)
        self.rigorous &= found.rigorous
        if found.solutions is not None:
            self._solutions.append(found.solutions)
        self.include(original, found.points, found.lower, name="problem")

    def include(self, original: FloatArray, values: FloatArray, lower: FloatArray | None, *, name: str) -> None:
        """Take in weights on the simplex with their members."""
        total = (original * self.unit).sum(axis=1)
        weights, points = original * self.unit / total[:, None], values / self.unit
        reached = (weights * points).sum(axis=1)
        self.weights = np.concatenate([self.weights, weights])
        self.points = np.concatenate([self.points, points])
        self.lower = np.concatenate([self.lower, reached if lower is None else lower / total])
        sums = self._smallest_sums()
        excess = float((self.lower - sums).max())
        if excess > _ROUNDING * float(np.abs(self.points).max()):
            raise InvalidInputError(
                f"`{name}` must minimise the weighted sums up to the lower values, got a member {excess:.1e} below one."
            )
        changed = np.flatnonzero(self.lower > sums)
        if changed.size:
            self.lower = np.minimum(self.lower, sums)
            stale = set(changed.tolist())
            self._games = {piece: kept for piece, kept in self._games.items() if stale.isdisjoint(piece)}
        self.pieces = pieces_of_simplex(self.weights, self.lower)

    def gaps(self, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """Return a certified gap of each piece and the weights at which it is; exact games where it is largest."""
        if self.weights.shape[1] == 2:
            payoffs = np.einsum("fcn,fmn->fmc", self.weights[self.pieces], self.points[self.pieces])
            values, mixtures = games_of_two(payoffs - self.lower[self.pieces][:, None, :])
            return np.maximum(values, 0.0), np.einsum("fc,fcn->fn", mixtures, self.weights[self.pieces])
        keys = [tuple(piece) for piece in self.pieces.tolist()]
        # Pieces that are gone may come back only with the members of today.
        self._games = {key: self._games[key] for key in keys if key in self._games}
        self._start([key for key in keys if key not in self._games])
        while True:
            values = np.array([self._games[key][0] for key in keys])
            worst = keys[int(values.argmax())]
            if self._games[worst][2] == len(self.points) or values.max() <= tolerance:
                break
            self._games[worst] = self._game(worst)
        mixtures = np.array([self._games[key][1] for key in keys])
        return np.maximum(values, 0.0), np.einsum("fc,fcn->fn", mixtures, self.weights[self.pieces])

    def floors(self) -> FloatArray:
        """Return, for each piece, the largest gap at its corners, which no cut of the piece can remove."""
        own: FloatArray = self._smallest_sums() - self.lower
        largest: FloatArray = own[self.pieces].max(axis=1)
        return largest

    def _smallest_sums(self) -> FloatArray:
        """Return the smallest weighted sum of the members for each row of weights, in bounded memory."""
        step = max(1, _BLOCK // len(self.points))
        starts = range(0, len(self.weights), step)
        return np.concatenate([(self.weights[k : k + step] @ self.points.T).min(axis=1) for k in starts])

    def is_new(self, weights: FloatArray) -> bool:
        """Tell whether weights differ from all that were solved for."""
        return bool(np.abs(self.weights - weights).max(axis=1).min() > 1e-12)

    def _start(self, pieces: list[tuple[int, ...]]) -> None:
        """Bound new pieces by the members of their corners alone, which is quick."""
        if not pieces:
            return
        rows = np.array(pieces)
        if rows.shape[1] > _SMALL:
            self._games |= {key: self._game(key) for key in pieces}
            return
        payoffs = np.einsum("fcn,fmn->fmc", self.weights[rows], self.points[rows])
        values, mixtures = small_games(payoffs - self.lower[rows][:, None, :])
        for key, value, mixture in zip(pieces, values.tolist(), mixtures, strict=True):
            self._games[key] = (value, mixture, 0)

    def _game(self, piece: tuple[int, ...]) -> tuple[float, FloatArray, int]:
        corners = list(piece)
        value, mixture = game(self.points @ self.weights[corners].T - self.lower[corners])
        # Shares at the level of rounding would cut off pieces without an area.
        mixture = np.where(mixture < 1e-9, 0.0, mixture)
        return value, mixture / mixture.sum(), len(self.points)
