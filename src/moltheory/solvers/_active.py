"""What is held equal at an approximate minimiser of a convex program, and the optimality conditions there.

All is for one entry: points are (1, 1, d), and what is returned has their coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex import ConvexPart
from moltheory.scalarization import Form
from moltheory.solvers._smooth_objective import Part

__all__ = ["Active", "Conditions", "Equation"]

_EPS = np.finfo(np.float64).eps


class Equation(NamedTuple):
    """One equation: a limit i, or term of a maximum; residual i of objective k; a sphere; parameter i is 0."""

    kind: str
    k: int
    i: int


@dataclass(frozen=True)
class Active:
    """A guess of what is equal."""

    limits: tuple[int, ...]
    """Bounds that are met, or terms of the maximum that equal the one of `base`."""
    base: int
    signs: dict[int, FloatArray]
    """Signs of the residuals of absolute losses, 0 for those that vanish."""
    sphere: bool = False
    """Whether the boundary of an l2 ball is met."""
    face: FloatArray | None = None
    """Signs (d,) of the parameters on the boundary of an l1 ball, 0 for those that vanish."""

    @property
    def key(self) -> bytes:
        """The same for equal guesses."""
        arrays = [*self.signs.values(), *([] if self.face is None else [self.face])]
        return repr((self.limits, self.base, self.sphere)).encode() + b"".join(a.tobytes() for a in arrays)

    @classmethod
    def near(cls, part: Part, form: Form, theta: FloatArray, close: float) -> Active:
        """Return what is equal at a point up to a share of its size."""
        values = part.values(theta)[0, 0]
        limits, base = form.near(values, close)
        signs, face, sphere, data = {}, None, False, part.examples
        if data is not None:
            for k in _absolute(data):
                signs[k] = np.where(data.near_kinks(k, theta, close), 0.0, np.sign(_residuals(data, k, theta)))
            if part.ball is not None:
                parameters = part.parameters(theta)[0, 0]
                met = bool(part.ball.size(parameters) >= (1.0 - close) * part.ball.radius)
                sphere = met and part.ball.norm == "l2"
                if met and part.ball.norm == "l1":
                    # In units of the features, as a small parameter of a large one counts too.
                    size = np.abs(parameters) * (1.0 if part.frame is None else part.frame.scale[0])
                    face = np.where(size <= close * data.extent(theta), 0.0, np.sign(parameters))
        return cls(limits, base, signs, sphere, face)

    def with_violated(self, part: Part, form: Form, theta: FloatArray) -> Active | None:
        """Return the same with all that is violated at a point held equal too, None where nothing is."""
        values = part.values(theta)[0, 0]
        limits, signs = set(self.limits), {k: sign.copy() for k, sign in self.signs.items()}
        limits |= form.violated(values, self.base)
        sphere, face = self.sphere, None if self.face is None else self.face.copy()
        if (data := part.examples) is not None:
            for k, sign in signs.items():
                sign[_residuals(data, k, theta) * sign < 0.0] = 0.0
            if part.ball is not None:
                parameters = part.parameters(theta)[0, 0]
                if face is not None:
                    face[face * parameters < 0.0] = 0.0
                elif part.ball.size(parameters) > part.ball.radius:
                    sphere = part.ball.norm == "l2"
                    face = None if sphere else np.sign(parameters)
        found = replace(self, limits=tuple(sorted(limits)), signs=signs, sphere=sphere, face=face)
        return None if found.key == self.key else found

    def without(self, equation: Equation, multiplier: float) -> Active:
        """Return the same without one equation; residual and parameter move against their multipliers' bounds."""
        if equation.kind == "limit":
            return replace(self, limits=tuple(i for i in self.limits if i != equation.i))
        if equation.kind == "kink":
            signs = {k: sign.copy() for k, sign in self.signs.items()}
            signs[equation.k][equation.i] = np.sign(multiplier)
            return replace(self, signs=signs)
        if equation.kind == "zero" and self.face is not None:
            face = self.face.copy()
            face[equation.i] = np.sign(multiplier)
            return replace(self, face=face)
        return replace(self, sphere=False, face=None)


class Conditions:
    """Slope (d,) of what is minimised at a point, slopes `rows` (m, d) and values `rest` (m,) of the `equations`."""

    def __init__(self, part: Part, form: Form, theta: FloatArray, active: Active, spare: FloatArray) -> None:
        self._part, self._form, self._theta, self._active = part, form, theta, active
        values, self._slopes = part.values(theta)[0, 0], part.gradients(theta)[0, 0]
        self.equations: list[Equation] = []
        rows: list[FloatArray] = []
        rest: list[float] = []

        def add(equation: Equation, row: FloatArray, value: float) -> None:
            self.equations.append(equation)
            rows.append(row)
            rest.append(float(value))

        data, d = part.examples, theta.shape[-1]
        if data is not None:
            for k, signs in active.signs.items():
                self._slopes[k] = data.subgradient(k, theta, signs)
        self._weights, self._bend, limits = form.equations(
            values, self._slopes, lambda: part.evaluated(theta).value_error[0, 0], spare, active.limits, active.base
        )
        for i, row, value in limits:
            add(Equation("limit", 0, i), row, value)
        self.slope: FloatArray = self._weights @ self._slopes
        if data is not None:
            for k, signs in active.signs.items():
                residuals = _residuals(data, k, theta)
                for i in np.flatnonzero((signs == 0.0) & (data.shares[k][0] > 0.0)).tolist():
                    add(Equation("kink", k, i), data.x[k][0][i], residuals[i])
            if part.ball is not None and (active.sphere or active.face is not None):
                parameters = part.parameters(theta)[0, 0]
                # As far inside as a point stays when it is rounded into the ball.
                r = part.ball.radius * (1.0 - (2 * d + 20) * _EPS)
                if active.face is None:
                    add(Equation("sphere", 0, 0), self._root[0].T @ parameters, 0.5 * (parameters @ parameters - r * r))
                else:
                    add(Equation("sphere", 0, 0), self._root[0].T @ active.face, active.face @ parameters - r)
                    for i in np.flatnonzero(active.face == 0.0).tolist():
                        add(Equation("zero", 0, i), self._root[0][i], parameters[i])
        self.rows, self.rest = np.array(rows).reshape(-1, d), np.array(rest)

    @property
    def _root(self) -> FloatArray:
        """Parameters of points, (1, d, d)."""
        found: FloatArray = np.eye(self._theta.shape[-1])[None]
        return found if self._part.frame is None else self._part.frame.inverse

    def curvature(self, multipliers: FloatArray) -> FloatArray:
        """Return the curvature (d, d) of the Lagrangian."""
        total = np.maximum(self._lagrangian(multipliers), 0.0)
        found = self._part.derivatives(self._theta, total[None, None])[1][0, 0]
        if self._bend is not None:
            found = found + self._slopes.T @ self._bend @ self._slopes
        if self._active.sphere:
            found = found + max(self._price(multipliers), 0.0) * self._root[0].T @ self._root[0]
        return np.asarray(found)

    def wrong(self, multipliers: FloatArray) -> tuple[Equation, float] | None:
        """Return the equation whose multiplier is the farthest beyond what it may be, and that multiplier."""
        total = self._lagrangian(multipliers)
        worst, found, data = 1e-9, None, self._part.examples
        for equation, value in zip(self.equations, multipliers.tolist(), strict=True):
            low, high = 0.0, np.inf
            if equation.kind == "kink" and data is not None:
                high = float(total[equation.k] * data.shares[equation.k][0][equation.i])
                low = -high
            elif equation.kind == "zero":
                high = self._price(multipliers)
                low = -high
            beyond = max(low - value, value - high) / (abs(high) if 0.0 < abs(high) < np.inf else 1.0)
            if beyond > worst:
                worst, found = beyond, (equation, value)
        if found is None and self._form.exchanges_base:
            shares = [m for e, m in zip(self.equations, multipliers, strict=True) if e.kind == "limit"]
            if shares and 1.0 - sum(shares) < -1e-9:
                return Equation("base", 0, self._active.base), 1.0 - sum(shares)
        return found

    def prices(self, multipliers: FloatArray) -> FloatArray:
        """Return the multipliers (N,) of bounds, or of the terms of a maximum."""
        found = np.zeros(self._form.n_objectives)
        for equation, value in zip(self.equations, multipliers, strict=True):
            if equation.kind == "limit":
                found[equation.i] = max(float(value), 0.0)
        if self._form.exchanges_base:
            found[self._active.base] = max(1.0 - found.sum(), 0.0)
        return found

    def _price(self, multipliers: FloatArray) -> float:
        """Multiplier of the ball."""
        found = [m for e, m in zip(self.equations, multipliers.tolist(), strict=True) if e.kind == "sphere"]
        return found[0] if found else 0.0

    def _lagrangian(self, multipliers: FloatArray) -> FloatArray:
        """Weights (N,) of the risks in the Lagrangian."""
        total: FloatArray = self._weights.copy()
        for equation, value in zip(self.equations, multipliers, strict=True):
            if equation.kind == "limit":
                self._form.add_price(total, equation.i, float(value), self._active.base)
        return total


def _absolute(part: ConvexPart) -> list[int]:
    return [k for k, name in enumerate(part.losses) if name == "absolute"]


def _residuals(part: ConvexPart, k: int, theta: FloatArray) -> FloatArray:
    found: FloatArray = part.predictions(k, theta)[0, 0] - part.y[k][0]
    return found
