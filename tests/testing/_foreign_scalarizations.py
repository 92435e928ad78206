"""Scalarizations from outside the package: some keep the contract, some break one rule each."""

from __future__ import annotations

import math

import cvxpy as cp
import numpy as np

from moltheory.scalarization import LinearForm, MaximumForm, Scalarization, WeightedScalarization, WeightedSum


class Squares(WeightedScalarization):
    """Sum of w v^2, known through its values only; not Lipschitz, so every width but 0 is infinite."""

    is_subadditive = False
    is_homogeneous = False
    modulus = 0.0

    def __init__(self, weights):
        object.__setattr__(self, "weights", tuple(map(float, weights)))

    @property
    def optimality(self):
        return "pareto" if min(self.weights) > 0.0 else "weakly-pareto"

    def _evaluate(self, values):
        return (np.array(self.weights) * values**2).sum(axis=-1)

    def _width(self, widths):
        return np.where((np.array(self.weights) * widths > 0.0).any(axis=-1), np.inf, 0.0)


class SquaresWithProgram(Squares):
    def _evaluate(self, values):
        return super()._evaluate(values)

    def program(self, risks):
        return cp.sum(cp.multiply(np.array(self.weights), cp.square(risks)))


class CertifiedSquares(SquaresWithProgram):
    def multipliers(self, values, duals):
        return 2.0 * np.array(self.weights) * values, float(self(values))


class TwoLargest(Scalarization):
    """Mean of the two largest risks: nonsmooth, with the multipliers of the solver as a guess."""

    is_monotone = is_subadditive = is_homogeneous = True
    modulus = 0.0
    optimality = "weakly-pareto"

    def __repr__(self) -> str:
        return "TwoLargest()"

    def __init__(self, n):
        self.n = n

    @property
    def n_objectives(self):
        return self.n

    def _evaluate(self, values):
        return np.sort(values, axis=-1)[:, -2:].mean(axis=-1)

    def _width(self, widths):
        return self._evaluate(widths)

    def program(self, risks):
        return cp.sum_largest(risks, 2) / 2.0

    def multipliers(self, values, duals):
        # The support of the subdifferential at 0: 0 <= lambda <= 1/2, sum 1; water-filled from the duals.
        share = np.minimum(duals, 0.5)
        for i in np.argsort(-values):
            share[i] += max(0.0, min(0.5 - share[i], 1.0 - share.sum()))
        share /= max(1.0, share.sum())
        return share, float(share @ values)


class Normalised(WeightedScalarization):
    """A weighted mean, declared as a linear form: it takes the fast methods."""

    is_subadditive = is_homogeneous = True
    optimality = "pareto"

    def __init__(self, weights):
        object.__setattr__(self, "weights", tuple(map(float, weights)))

    @property
    def _shares(self):
        return np.array(self.weights) / math.fsum(self.weights)

    @property
    def modulus(self):
        return float(self._shares.min())

    def _evaluate(self, values):
        return (values * self._shares).sum(axis=-1)

    def _width(self, widths):
        return self._evaluate(widths)

    def form(self):
        return LinearForm(tuple(self._shares.tolist()))


GOOD = [
    Squares([0.3, 0.7]),
    SquaresWithProgram([1.0, 2.0]),
    CertifiedSquares([0.3, 0.7]),
    CertifiedSquares([1.0, 0.0, 5.0]),
    TwoLargest(2),
    TwoLargest(3),
    Normalised([1.0, 3.0]),
    # Lists the parents of the parent: what it does not change, it may inherit.
    type("Renamed", (WeightedSum,), {"__repr__": lambda self: "renamed"})([0.5, 0.5]),
]


class ChangedSum(WeightedSum):
    def _evaluate(self, values):
        return (np.array(self.weights) * values**2).sum(axis=-1)


class ChangedCall(WeightedSum):
    def __call__(self, values, /):
        return super().__call__(values) ** 2


class _Mixin:
    def _evaluate(self, values):
        return (values**2).sum(axis=-1)


class MixedIn(_Mixin, WeightedSum):
    pass


class ChangedAfterProgram(CertifiedSquares):
    def _evaluate(self, values):
        return super()._evaluate(values) * 2.0


class StaleMultipliers(CertifiedSquares):
    """The program is declared anew, the multipliers are the parent's."""

    def _evaluate(self, values):
        return super()._evaluate(values) * 2.0

    def program(self, risks):
        return 2.0 * super().program(risks)


class WrongForm(Squares):
    def form(self):
        return LinearForm(self.weights)

    def _evaluate(self, values):
        return super()._evaluate(values)


class WrongObjectives(Normalised):
    def form(self):
        return LinearForm((*self.weights, 1.0))


class WrongMaximum(Squares):
    def _evaluate(self, values):
        return (np.array(self.weights) * values).max(axis=-1) + 1.0

    def form(self):
        return MaximumForm(self.weights, (0.0,) * len(self.weights))


class NotMonotone(Squares):
    def _evaluate(self, values):
        return ((values - 1.0) ** 2).sum(axis=-1)


class NotSubadditive(Squares):
    is_subadditive = True


class NotHomogeneous(Squares):
    is_homogeneous = True


class TooLargeModulus(Squares):
    modulus = 0.5


class NotPareto(Squares):
    """A maximum, which ties."""

    optimality = "pareto"

    def _evaluate(self, values):
        return (np.array(self.weights) * values).max(axis=-1)

    def _width(self, widths):
        return (np.array(self.weights) * widths).max(axis=-1)


class NotWeaklyPareto(Squares):
    def _evaluate(self, values):
        return np.minimum((np.array(self.weights) * values).sum(axis=-1), 3.0)

    def _width(self, widths):
        return (np.array(self.weights) * widths).sum(axis=-1)


class TooSmallWidth(Squares):
    def _width(self, widths):
        return (np.array(self.weights) * widths).sum(axis=-1)


class NegativeWidth(Squares):
    def _width(self, widths):
        return -np.ones(len(widths))


class WidthAnyway(Squares):
    has_width = False


class WrongProgram(CertifiedSquares):
    def program(self, risks):
        return cp.sum(cp.multiply(np.array(self.weights), cp.square(risks))) + 1.0


class ConcaveProgram(CertifiedSquares):
    def program(self, risks):
        return cp.sum(cp.sqrt(risks))


class NoProgram(CertifiedSquares):
    def program(self, risks):
        return "sum of squares"


class TooSteep(CertifiedSquares):
    """The height of the value with slopes that are 1 % too large: above the value nearby."""

    def multipliers(self, values, duals):
        return 2.02 * np.array(self.weights) * values, float(self(values))


class TooHigh(CertifiedSquares):
    def multipliers(self, values, duals):
        return 2.0 * np.array(self.weights) * values, float(self(values)) + 1e-3


class NegativeMultipliers(CertifiedSquares):
    def multipliers(self, values, duals):
        return -np.ones(len(values)), float(self(values)) - 1e9


class OneNumber(CertifiedSquares):
    def multipliers(self, values, duals):
        return 2.0 * np.array(self.weights) * values


class Mutating(Squares):
    def _evaluate(self, values):
        values *= 1.5
        return (np.array(self.weights) * values**2).sum(axis=-1)


class Random(Squares):
    def _evaluate(self, values):
        return np.random.default_rng().random(len(values))


class Batch(Squares):
    def _evaluate(self, values):
        return (np.array(self.weights) * values**2).sum(axis=-1) + values.mean()


class WrongShape(Squares):
    def _evaluate(self, values):
        return (np.array(self.weights) * values**2).sum()[None]


class Unhashable(Squares):
    __hash__ = None  # type: ignore[assignment]


LYING = [
    (ChangedSum([0.5, 0.5]), "must declare `form` anew, because it changes the value for which WeightedSum"),
    (ChangedCall([0.5, 0.5]), "must declare `form` anew, because it changes the value for which WeightedSum"),
    (MixedIn([0.5, 0.5]), "must declare `form` anew, because it changes the value for which WeightedSum"),
    (ChangedAfterProgram([0.5, 0.5]), "must declare `program` anew, because it changes the value for which"),
    (StaleMultipliers([0.5, 0.5]), "must declare `multipliers` anew, because it changes the value for which"),
    (WrongForm([0.5, 0.5]), "`form` of WrongForm must have the values of the scalarization"),
    (WrongMaximum([0.5, 0.5]), "`form` of WrongMaximum must have the values of the scalarization"),
    (WrongObjectives([0.5, 0.5]), "`form` of WrongObjectives must return a form of 2 objectives"),
    (NotMonotone([0.5, 0.5]), "be non-decreasing"),
    (NotSubadditive([0.5, 0.5]), "is_subadditive"),
    (NotHomogeneous([0.5, 0.5]), "is_homogeneous"),
    (TooLargeModulus([0.5, 0.5]), "modulus"),
    (NotPareto([0.5, 0.5]), "optimality 'pareto'"),
    (NotWeaklyPareto([0.5, 0.5]), "optimality 'weakly-pareto'"),
    (TooSmallWidth([0.5, 0.5]), "have a width that bounds"),
    (NegativeWidth([0.5, 0.5]), "widths >= 0"),
    (WidthAnyway([0.5, 0.5]), "must refuse a width where `has_width` is False"),
    (WrongProgram([0.5, 0.5]), "`program` of WrongProgram must have the value of the call"),
    (ConcaveProgram([0.5, 0.5]), "must return a convex"),
    (NoProgram([0.5, 0.5]), "must return a convex"),
    (TooSteep([0.5, 0.5]), "`multipliers` of TooSteep must give a lower bound"),
    (TooHigh([0.5, 0.5]), "`multipliers` of TooHigh must give a lower bound"),
    (NegativeMultipliers([0.5, 0.5]), "2 finite multipliers >= 0"),
    (OneNumber([0.5, 0.5]), "a pair"),
    (Mutating([0.5, 0.5]), "must not change its argument|do not depend on the batch|the same in every call"),
    (Random([0.5, 0.5]), "the same in every call"),
    (Batch([0.5, 0.5]), "do not depend on the batch"),
    (WrongShape([0.5, 0.5]), "must return values of risks"),
    (Unhashable([0.5, 0.5]), "must be hashable"),
]
