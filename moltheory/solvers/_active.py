"""What is held equal at an approximate minimiser of a convex program, and the optimality conditions there.

All is for one entry: points are (1, 1, d), and what is returned has their coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.objectives._convex import ConvexPart
from moltheory.scalarization import EpsilonConstraint, Scalarization
from moltheory.solvers._outer import is_maximum, slope_and_bend, terms_of_maximum
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
    def near(cls, part: Part, u: Scalarization, theta: FloatArray, close: float) -> Active:
        """Return what is equal at a point up to a share of its size."""
        values = part.values(theta)[0, 0]
        limits, base = _limits(u, values, close)
        signs, face, sphere = {}, None, False
        if isinstance(part, ConvexPart):
            for k in _absolute(part):
                signs[k] = np.where(part.near_kinks(k, theta, close), 0.0, np.sign(_residuals(part, k, theta)))
            if part.ball is not None:
                parameters = part.parameters(theta)[0, 0]
                met = bool(part.ball.size(parameters) >= (1.0 - close) * part.ball.radius)
                sphere = met and part.ball.norm == "l2"
                if met and part.ball.norm == "l1":
                    # In units of the features, as a small parameter of a large one counts too.
                    size = np.abs(parameters) * (1.0 if part.frame is None else part.frame.scale[0])
                    face = np.where(size <= close * part.extent(theta), 0.0, np.sign(parameters))
        return cls(limits, base, signs, sphere, face)

    def with_violated(self, part: Part, u: Scalarization, theta: FloatArray) -> Active | None:
        """Return the same with all that is violated at a point held equal too, None where nothing is."""
        values = part.values(theta)[0, 0]
        limits, signs = set(self.limits), {k: sign.copy() for k, sign in self.signs.items()}
        if isinstance(u, EpsilonConstraint):
            limits |= {i for i, b in enumerate(u.bounds) if values[i] > b and i != u.objective}
        elif is_maximum(u):
            w, z, _ = terms_of_maximum(u)
            terms = w * (values - z)
            spare = 1e-12 * max(1.0, abs(float(terms[self.base])))
            limits |= {i for i in np.flatnonzero(w > 0.0).tolist() if terms[i] > terms[self.base] + spare}
        sphere, face = self.sphere, None if self.face is None else self.face.copy()
        if isinstance(part, ConvexPart):
            for k, sign in signs.items():
                sign[_residuals(part, k, theta) * sign < 0.0] = 0.0
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
    """Slopes and values at a point: of what is minimised, and of what is held equal.

    Attributes
    ----------
    slope : (d,) ndarray
        Of what is minimised.
    rows, rest : (m, d) and (m,) ndarrays
        Slopes and values of the equations.
    equations : list of m Equation
    """

    def __init__(self, part: Part, u: Scalarization, theta: FloatArray, active: Active, spare: FloatArray) -> None:
        self._part, self._u, self._theta, self._active = part, u, theta, active
        values, self._slopes = part.values(theta)[0, 0], part.gradients(theta)[0, 0]
        self.equations: list[Equation] = []
        rows: list[FloatArray] = []
        rest: list[float] = []

        def add(equation: Equation, row: FloatArray, value: float) -> None:
            self.equations.append(equation)
            rows.append(row)
            rest.append(float(value))

        if isinstance(part, ConvexPart):
            for k, signs in active.signs.items():
                self._slopes[k] = part.subgradient(k, theta, signs)
        n, d = values.size, theta.shape[-1]
        self._bend: FloatArray | None = None
        if isinstance(u, EpsilonConstraint):
            self._weights = (np.arange(n) == u.objective).astype(np.float64)
            error = part.evaluated(theta).value_error[0, 0]
            for i in active.limits:
                # Rounded inwards: the bound holds however the risk is evaluated.
                add(Equation("limit", 0, i), self._slopes[i], values[i] - (u.bounds[i] - 3.0 * error[i] - spare[i]))
        elif is_maximum(u):
            w, z, rho = terms_of_maximum(u)
            b, terms = active.base, w * (values - z)
            self._weights = np.where(np.arange(n) == b, w, 0.0) + rho
            for i in active.limits:
                add(Equation("limit", 0, i), w[i] * self._slopes[i] - w[b] * self._slopes[b], terms[i] - terms[b])
        else:
            self._weights, self._bend = slope_and_bend(u, values)
        self.slope: FloatArray = self._weights @ self._slopes
        if isinstance(part, ConvexPart):
            for k, signs in active.signs.items():
                residuals = _residuals(part, k, theta)
                for i in np.flatnonzero((signs == 0.0) & (part.shares[k][0] > 0.0)).tolist():
                    add(Equation("kink", k, i), part.x[k][0][i], residuals[i])
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
        worst, found = 1e-9, None
        for equation, value in zip(self.equations, multipliers.tolist(), strict=True):
            low, high = 0.0, np.inf
            if equation.kind == "kink" and isinstance(self._part, ConvexPart):
                high = float(total[equation.k] * self._part.shares[equation.k][0][equation.i])
                low = -high
            elif equation.kind == "zero":
                high = self._price(multipliers)
                low = -high
            beyond = max(low - value, value - high) / (abs(high) if 0.0 < abs(high) < np.inf else 1.0)
            if beyond > worst:
                worst, found = beyond, (equation, value)
        if found is None and is_maximum(self._u):
            shares = [m for e, m in zip(self.equations, multipliers, strict=True) if e.kind == "limit"]
            if shares and 1.0 - sum(shares) < -1e-9:
                return Equation("base", 0, self._active.base), 1.0 - sum(shares)
        return found

    def prices(self, multipliers: FloatArray) -> FloatArray:
        """Return the multipliers (N,) of bounds, or of the terms of a maximum."""
        found = np.zeros(self._u.n_objectives)
        for equation, value in zip(self.equations, multipliers, strict=True):
            if equation.kind == "limit":
                found[equation.i] = max(float(value), 0.0)
        if is_maximum(self._u):
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
            if equation.kind == "limit" and isinstance(self._u, EpsilonConstraint):
                total[equation.i] += value
            elif equation.kind == "limit":
                w, _, _ = terms_of_maximum(self._u)
                total[equation.i] += value * w[equation.i]
                total[self._active.base] -= value * w[self._active.base]
        return total


def _limits(u: Scalarization, values: FloatArray, close: float) -> tuple[tuple[int, ...], int]:
    """Return which bounds are met, or which terms equal the largest one, and that one."""
    if isinstance(u, EpsilonConstraint):
        near = [b - close * max(1.0, abs(b)) if np.isfinite(b) else np.inf for b in u.bounds]
        return tuple(i for i, value in enumerate(values) if value >= near[i] and i != u.objective), 0
    if not is_maximum(u):
        return (), 0
    w, z, _ = terms_of_maximum(u)
    terms = np.where(w > 0.0, w * (values - z), -np.inf)
    base = int(np.argmax(terms))
    equal = np.flatnonzero(terms >= terms[base] - close * max(1.0, abs(float(terms[base]))))
    return tuple(i for i in equal.tolist() if i != base), base


def _absolute(part: ConvexPart) -> list[int]:
    return [k for k, name in enumerate(part.losses) if name == "absolute"]


def _residuals(part: ConvexPart, k: int, theta: FloatArray) -> FloatArray:
    found: FloatArray = part.predictions(k, theta)[0, 0] - part.y[k][0]
    return found
