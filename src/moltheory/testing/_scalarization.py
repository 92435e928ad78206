"""The contract of a scalarization, checked at sampled risks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.runs import RandomSource
from moltheory.runs._seeds import as_seed_sequence
from moltheory.scalarization import Scalarization
from moltheory.testing._declarations import check_declarations
from moltheory.testing._errors import ContractError

__all__ = ["check_scalarization"]

# Relative differences below this are rounding.
_REL = 1e-10


def check_scalarization(
    scalarization: Scalarization, /, *, n_objectives: int | None = None, rng: RandomSource = 0
) -> None:
    """Check that a scalarization keeps its contract, so that it can be used wherever the package's own can.

    Parameters
    ----------
    scalarization : Scalarization
        An instance; the claims of a class may depend on its parameters, so check several.
    n_objectives : int, optional
        The number of objectives that it must have.
    rng : int, SeedSequence, Generator or None, default 0
        Seed of the risks that are drawn, between 0 and a few hundred.

    Raises
    ------
    ContractError
        If a rule is broken; the message names it, and the risks at which it is.

    Notes
    -----
    Checked are: shapes, batches, purity and determinism of values and widths; `is_monotone`, `is_subadditive`,
    `is_homogeneous`, `has_reverse_triangle`, `modulus` and `optimality`, as far as they claim something; that `width`
    bounds every change; that what is declared (`form`, `program`, `multipliers`) is declared by the class that defines
    the value; that the declared form and program have the value of the call, derivatives agree with differences, and
    multipliers give lower bounds everywhere. A check at samples can miss a fault, but names none that is not there; values
    so near a maximum that floats cannot tell them apart (a p-norm with p > 1000) pass for one.

    Complexity: a fixed number of evaluations of at most O(N^2) time.

    Examples
    --------
    >>> from moltheory.scalarization import Chebyshev, WeightedSum
    >>> check_scalarization(Chebyshev([0.5, 0.5], augmentation=0.1), n_objectives=2)
    >>> class Squares(WeightedSum):
    ...     def _evaluate(self, values):
    ...         return (values**2).sum(axis=-1)
    >>> check_scalarization(Squares([0.5, 0.5]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    moltheory.testing._errors.ContractError: `Squares` must declare `form` anew, ...
    """
    if not isinstance(scalarization, Scalarization):
        raise ContractError(f"`scalarization` must be a Scalarization, got {type(scalarization).__name__}.")
    check = _Checks(scalarization, np.random.default_rng(as_seed_sequence(rng)))
    check.claims(n_objectives)
    check.calls("values", lambda v: scalarization(v))
    check.refusals()
    check_declarations(scalarization, check.risks(), check.name)
    check.monotone()
    check.sums()
    check.modulus()
    check.optimality()
    check.width()


class _Checks:
    def __init__(self, u: Scalarization, rng: np.random.Generator) -> None:
        self.u, self.rng, self.name = u, rng, type(u).__name__
        self.n = u.n_objectives

    def risks(self, size: int = 400) -> FloatArray:
        """Draw risks (size, N) over five decades, a third of the entries zero."""
        drawn = 10.0 ** self.rng.uniform(-3.0, 2.0, (size, 1)) * self.rng.uniform(0.0, 1.0, (size, self.n))
        return np.where(self.rng.random((size, self.n)) < 1 / 3, 0.0, drawn)

    def pairs(self) -> tuple[FloatArray, FloatArray]:
        """Draw (a, b) with a >= b: random pairs, and steps along one axis from far out on another."""
        b = self.risks()
        a = np.maximum(b, self.risks())
        eye = np.eye(self.n)
        low = np.concatenate([s * np.repeat(eye, self.n, axis=0) for s in (0.0, 0.1, 1.0, 10.0, 100.0)])
        high = low + np.tile(eye, (5 * self.n, 1))
        return np.concatenate([a, high]), np.concatenate([b, low])

    def value(self, points: FloatArray) -> FloatArray:
        return _called(self.name, "accept finite risks >= 0", self.u, points)

    def refuse(
        self, rule: str, bad: npt.NDArray[np.bool_], *points: FloatArray, worst: FloatArray | None = None
    ) -> None:
        """Raise if any row is bad, naming the worst."""
        if bad.any():
            row = int(np.argmax(np.where(bad, bad if worst is None else worst, -np.inf)))
            where = " and ".join(str(np.asarray(p)[row].tolist()) for p in points)
            raise ContractError(f"`{self.name}` must {rule}, which fails at {where}.")

    def claims(self, n_objectives: int | None) -> None:
        n, name = self.n, self.name
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ContractError(f"`n_objectives` of {name} must be an integer >= 1, got {n!r}.")
        if n_objectives is not None and n != check_count("n_objectives", n_objectives):
            raise ContractError(f"`n_objectives` of {name} must be {n_objectives}, got {n}.")
        for claim in ("is_monotone", "is_subadditive", "is_homogeneous", "has_reverse_triangle", "has_width"):
            if not isinstance(getattr(self.u, claim), bool):
                raise ContractError(f"`{claim}` of {name} must be a bool, got {getattr(self.u, claim)!r}.")
        if not (isinstance(self.u.modulus, float | int) and 0.0 <= self.u.modulus < math.inf):
            raise ContractError(f"`modulus` of {name} must be a finite number >= 0, got {self.u.modulus!r}.")
        if self.u.optimality not in ("pareto", "weakly-pareto"):
            raise ContractError(
                f"`optimality` of {name} must be 'pareto' or 'weakly-pareto', got {self.u.optimality!r}."
            )
        try:
            hash(self.u)
        except TypeError as error:
            raise ContractError(f"`{name}` must be hashable, as instances are values, got {error}.") from error

    def calls(self, what: str, function: Callable[[FloatArray], FloatArray]) -> None:
        """Check shapes, that rows do not depend on the batch, that the input stays, and that calls repeat."""
        rows, rule = self.risks(12), f"`{self.name}` must return {what}"
        before = rows.copy()
        found = np.asarray(_called(self.name, f"return {what} of risks >= 0", function, rows))
        if rows.tobytes() != before.tobytes():
            raise ContractError(f"`{self.name}` must not change its argument, but the {what} did.")
        if found.dtype != np.float64 or found.shape != (12,):
            raise ContractError(
                f"{rule} of shape (K,) and type float64 for (K, N), got {found.dtype} of shape {found.shape}."
            )
        again = np.asarray(function(rows))
        if found.tobytes() != again.tobytes():
            raise ContractError(f"{rule} that are the same in every call, got others for the same risks.")
        single = np.array([function(row) for row in rows])
        batch = np.asarray(function(rows.reshape(3, 4, self.n)))
        fortran = np.asarray(function(np.asfortranarray(rows)))
        if single.shape != (12,) or batch.shape != (3, 4):
            raise ContractError(
                f"{rule} of shape (...) for (..., N), got {single.shape[1:]} for (N,) and {batch.shape} for (3, 4, N)."
            )
        for other in (single, batch.reshape(-1), fortran):
            if other.tobytes() != found.tobytes():
                raise ContractError(f"{rule} that do not depend on the batch, got others for the same rows.")

    def refusals(self) -> None:
        for bad, what in ((np.zeros(self.n + 1), "another number of risks"), (np.full(self.n, np.nan), "NaN")):
            try:
                self.u(bad)
            except InvalidInputError:
                continue
            raise ContractError(f"`{self.name}` must refuse {what} with an InvalidInputError, got a value.")

    def monotone(self) -> None:
        a, b = self.pairs()
        upper, lower = self.value(a), self.value(b)
        if self.u.is_monotone:
            excess = _minus(lower, upper)
            self.refuse("be non-decreasing (is_monotone)", excess > _slack(upper, lower), b, a, worst=excess)

    def sums(self) -> None:
        a, b = self.pairs()
        a, b = np.concatenate([a, a]), np.concatenate([b, a])
        one, two = self.value(a), self.value(b)
        if self.u.is_subadditive:
            total = self.value(a + b)
            excess = _minus(total, one + two)
            bad = excess > _slack(total, one, two)
            self.refuse("satisfy U(a + b) <= U(a) + U(b) (is_subadditive)", bad, a, b, worst=excess)
        if self.u.has_reverse_triangle:
            change, limit = np.abs(_minus(one, two)), self.value(np.abs(a - b))
            bad = change > limit + _slack(one, two, limit)
            self.refuse("satisfy |U(a) - U(b)| <= U(|a - b|) (has_reverse_triangle)", bad, a, b, worst=change - limit)
        for factor in (0.1, 2.0, 7.0) if self.u.is_homogeneous else ():
            scaled = self.value(factor * a)
            error = np.abs(_minus(scaled, factor * one))
            bad = error > _slack(scaled, factor * one)
            self.refuse(f"satisfy U(t a) = t U(a) (is_homogeneous), t = {factor}", bad, a, worst=error)

    def modulus(self) -> None:
        if self.u.modulus > 0.0:
            a, b = self.pairs()
            upper, lower = self.value(a), self.value(b)
            lack = self.u.modulus * (a - b).sum(axis=-1) - _minus(upper, lower)
            bad = lack > _slack(upper, lower)
            rule = f"rise by at least {self.u.modulus:g} times the sum of the rises (modulus)"
            self.refuse(rule, bad, b, a, worst=lack)

    def optimality(self) -> None:
        a = self.risks() + 0.1
        b = 0.5 * a
        upper, lower = self.value(a), self.value(b)
        ties = np.isfinite(upper) & ~(lower < upper)
        self.refuse("be smaller where all risks are smaller (optimality 'weakly-pareto')", ties, b, a)
        if self.u.optimality == "pareto" and self.n > 1:
            self._no_ties()

    def _no_ties(self) -> None:
        """Raise if some objective may rise, almost to where it alone has the value, without changing the value."""
        eye = np.eye(self.n)
        for j, i in zip(*np.nonzero(1.0 - eye), strict=True):
            tied, rise = [], 0.0
            for s in (1e-3, 1.0, 100.0):
                base = s * eye[j]
                low, high = 0.0, 1e3 * s
                # The largest rise at which objective i alone is not worse than the base.
                for _ in range(60):
                    middle = 0.5 * (low + high)
                    alone = float(self.value(middle * eye[i])) <= float(self.value(base))
                    low, high = (middle, high) if alone else (low, middle)
                # Where i alone changes nothing, any rise of it does.
                rise = 0.99 * low
                if rise > 0.0:
                    tied.append(not float(self.value(base + rise * eye[i])) > float(self.value(base)))
            if tied and all(tied):
                raise ContractError(
                    f"`{self.name}` must have minimisers that are Pareto-optimal (optimality 'pareto'), but at "
                    f"{(100.0 * eye[j]).tolist()} it does not change if objective {i} rises by {rise:g}."
                )

    def width(self) -> None:
        if not self.u.has_width:
            try:
                self.u.width(np.ones(self.n))
            except InvalidInputError:
                return
            raise ContractError(f"`{self.name}` must refuse a width where `has_width` is False, got one.")
        self.calls("widths", lambda c: self.u.width(c))
        a, b = self.pairs()
        a, b = np.concatenate([a, self.risks(), b]), np.concatenate([b, self.risks(), a])
        change = np.abs(_minus(self.value(a), self.value(b)))
        gaps = np.abs(a - b)
        for larger in (1.0, 1.0 + self.rng.random(gaps.shape)):
            widths = np.asarray(_called(self.name, "have a width", self.u.width, gaps * larger))
            if (widths < 0.0).any() or np.isnan(widths).any():
                raise ContractError(f"`{self.name}` must have widths >= 0, got {np.nanmin(widths):g}.")
            bad = change > widths + _slack(self.value(a), self.value(b))
            excess = change - np.minimum(widths, 1e300)
            self.refuse("have a width that bounds |U(a) - U(b)| for |a - b| <= C", bad, a, b, worst=excess)


def _called(name: str, rule: str, function: Callable[[FloatArray], FloatArray], points: FloatArray) -> FloatArray:
    try:
        return function(points)
    except Exception as error:
        raise ContractError(f"`{name}` must {rule}, got {type(error).__name__}: {error}") from error


def _minus(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the difference; 0 where both are infinite."""
    both = np.isinf(one) & np.isinf(other)
    return np.where(both, 0.0, np.where(both, 0.0, one) - np.where(both, 0.0, other))


def _slack(*terms: FloatArray) -> FloatArray:
    """Return the rounding of sums of such terms; 0 for infinite ones, which are compared exactly."""
    sizes = [np.where(np.isfinite(t), np.abs(t), 0.0) for t in terms]
    return np.asarray(_REL * (1.0 + np.sum(sizes, axis=0)))
