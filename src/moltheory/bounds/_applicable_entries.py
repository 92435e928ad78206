"""The bounds of `applicable_bounds`, a row each: what must be given, and the bound or interval made from it.

A row may use every quantity of `applicable_bounds` by its name, and ``g.common`` for delta and the number of objectives. A
quantity that is new here becomes a parameter there, with its description, and a line of `QUANTITIES` in `_cli/_bounds.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from moltheory._core._validation import check_count, check_real
from moltheory.bounds._applicable_numbers import NUMBERS, Number
from moltheory.bounds._bernstein_condition import bernstein_excess
from moltheory.bounds._bound import Bound
from moltheory.bounds._covering import lipschitz_class
from moltheory.bounds._fast_rates import bernstein_class, kl_class
from moltheory.bounds._fat_shattering import fat_shattering_class
from moltheory.bounds._finite import finite_class, finite_prior
from moltheory.bounds._localized import local_complexity, localized_rademacher
from moltheory.bounds._margin import margin_class
from moltheory.bounds._pac_bayes import pac_bayes_kl
from moltheory.bounds._pac_bayes_variance import pac_bayes_empirical_bernstein, pac_bayes_unexpected_bernstein
from moltheory.bounds._relative import relative_deviation_class, relative_deviation_vc
from moltheory.bounds._stability import regularized_sum
from moltheory.bounds._uniform import linear_class, vc
from moltheory.bounds._vector_contraction import multi_output_class
from moltheory.errors import InvalidInputError
from moltheory.inference import Interval, binomial_interval, interval_methods

__all__ = ["Entry", "Given", "entries"]


class Given(SimpleNamespace):
    """The quantities of a call by name, None where one is not given."""

    @property
    def common(self) -> dict[str, Any]:
        """What every bound of a class takes."""
        return {"delta": self.delta, "n_objectives": self.n_objectives}

    def words(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """Return needs by the names that were given: a number of errors is a risk."""
        return tuple("errors" if name == "risk" and self.risk is None else name for name in needs)


class Entry(NamedTuple):
    """A bound by the quantities it needs."""

    name: str
    # The row applies where all of these are given; `n` besides, unless only a sample size is wanted.
    needs: tuple[str, ...]
    # From the quantities and a sample size.
    at: Callable[[Given, int], Bound | Interval | Number | None]
    # Smallest sample size allowed; None where the width does not decrease in it, or nothing is to be planned.
    low: Callable[[Given], int] | None = None
    # Examples without which there is no such row.
    least: int = 1
    # Whether the row is beside others with the same needs, and never asked for alone.
    beside: bool = False

    def needs_are_met(self, given: Given) -> bool:
        """Return whether all that the row needs is given."""
        return all(getattr(given, name) is not None for name in given.words(self.needs))


def _one(_: Given) -> int:
    return 1


def _linear(g: Given) -> dict[str, Any]:
    return {"weight_norm": g.weight_norm, "input_norm": g.input_norm, **g.common}


def _average(g: Given) -> list[float]:
    return [1.0 / g.n_objectives] * g.n_objectives


def _rates(g: Given, n: int) -> list[list[float]]:
    """Return the empirical risk of one member of a class, the same for every objective."""
    if g.errors is None:
        return [[check_real("risk", g.risk, low=0.0, high=1.0)] * g.n_objectives]
    if check_count("errors", g.errors, low=0) > n:
        raise InvalidInputError(f"`errors` must be at most n = {n}, got {g.errors}.")
    return [[g.errors / n] * g.n_objectives]


def _variances(g: Given, n: int) -> list[list[float]]:
    """Return the sample variance that is given, or the largest one of losses in [0, 1], which is that of errors."""
    risk = _rates(g, n)[0][0]
    largest = risk * (1.0 - risk) * n / (n - 1)
    variance = largest if g.variance is None else check_real("variance", g.variance, low=0.0)
    if variance > largest * (1.0 + 1e-9):
        raise InvalidInputError(f"`variance` must be at most {largest:g} at a risk of {risk:g}, got {variance:g}.")
    return [[variance] * g.n_objectives]


def _weight(g: Given) -> float:
    weight = check_real("prior", g.prior, low=0.0, high=1.0)
    if weight == 0.0:
        raise InvalidInputError("`prior` must be > 0, got 0.")
    return weight


def _localized(g: Given, n: int) -> Bound:
    def complexity(radius: float) -> float:
        return float(local_complexity(radius, n, dimension=g.dimension))

    return localized_rademacher(_rates(g, n), n, local_complexity=complexity, delta=g.delta)


_CLASSES = (
    Entry(
        "finite class",
        ("n_hypotheses",),
        lambda g, n: finite_class(n, n_hypotheses=g.n_hypotheses, **g.common),
        _one,
    ),
    Entry("VC dimension", ("dimension",), lambda g, n: vc(n, dimension=g.dimension, **g.common), lambda g: g.dimension),
    Entry(
        "linear class",
        ("weight_norm",),
        lambda g, n: linear_class(n, lipschitz=g.lipschitz, **_linear(g)),
        _one,
    ),
    Entry(
        "fat-shattering dimension",
        ("fat_dimension",),
        lambda g, n: fat_shattering_class(
            n, dimension=check_count("fat_dimension", g.fat_dimension, low=0), **g.common
        ),
    ),
    Entry("prior weight", ("prior",), lambda g, n: finite_prior(n, prior=[_weight(g)], **g.common), _one),
    Entry(
        "margin of linear classifiers",
        ("weight_norm", "margin"),
        lambda g, n: margin_class(n, margin=g.margin, **_linear(g)),
        _one,
    ),
    Entry(
        "several linear outputs",
        ("weight_norm", "n_outputs"),
        lambda g, n: multi_output_class(n, n_outputs=g.n_outputs, lipschitz=g.lipschitz, **_linear(g)),
        _one,
    ),
    Entry(
        "Lipschitz class",
        ("input_dimension",),
        lambda g, n: lipschitz_class(
            n, lipschitz=g.lipschitz, dimension=check_count("input_dimension", g.input_dimension), **g.common
        ),
        _one,
    ),
    Entry(
        "Bernstein condition",
        ("n_hypotheses", "bernstein_constant"),
        lambda g, n: bernstein_excess(
            n,
            n_hypotheses=g.n_hypotheses,
            constant=check_real("bernstein_constant", g.bernstein_constant, low=0.0),
            **g.common,
        ),
    ),
    Entry(
        "regularized average",
        ("penalty",),
        lambda g, n: regularized_sum(n, weights=_average(g), penalty=g.penalty, lipschitz=g.lipschitz, delta=g.delta),
        _one,
    ),
)

# Half-widths of the member of a class with this risk: they hold for all members at once.
_MEMBERS = (
    Entry(
        "finite class, relative entropy",
        ("n_hypotheses", "risk"),
        lambda g, n: kl_class(_rates(g, n), n, n_hypotheses=g.n_hypotheses, delta=g.delta),
    ),
    Entry(
        "finite class, empirical Bernstein",
        ("n_hypotheses", "risk"),
        lambda g, n: bernstein_class(_variances(g, n), n, n_hypotheses=g.n_hypotheses, delta=g.delta),
        least=2,
    ),
    Entry(
        "finite class, relative deviations",
        ("n_hypotheses", "risk"),
        lambda g, n: relative_deviation_class(_rates(g, n), n, n_hypotheses=g.n_hypotheses, delta=g.delta),
    ),
    Entry(
        "VC dimension, relative deviations",
        ("dimension", "risk"),
        lambda g, n: relative_deviation_vc(_rates(g, n), n, dimension=g.dimension, delta=g.delta),
    ),
    Entry("VC dimension, localized complexity", ("dimension", "risk"), _localized),
    Entry(
        "PAC-Bayes-kl",
        ("divergence", "risk"),
        lambda g, n: pac_bayes_kl(_rates(g, n)[0], n, divergence=g.divergence, delta=g.delta),
    ),
    Entry(
        "PAC-Bayes, empirical Bernstein",
        ("divergence", "risk"),
        lambda g, n: pac_bayes_empirical_bernstein(
            _rates(g, n)[0], _variances(g, n)[0], n, divergence=g.divergence, delta=g.delta
        ),
        least=2,
    ),
    # The mean square of losses in [0, 1] is at most their mean.
    Entry(
        "PAC-Bayes, unexpected Bernstein",
        ("divergence", "risk"),
        lambda g, n: pac_bayes_unexpected_bernstein(
            _rates(g, n)[0], _rates(g, n)[0], n, divergence=g.divergence, delta=g.delta
        ),
    ),
)


def _interval(g: Given, n: int, *, method: str) -> Interval:
    return binomial_interval(g.errors, n, method=method, delta=g.delta)


def entries() -> tuple[Entry, ...]:
    """Return all rows: half-widths of classes, intervals for one mean, then expected errors from both sides."""
    methods = interval_methods(from_counts=True)
    return (
        *_CLASSES,
        *_MEMBERS,
        *(Entry(name, ("errors",), partial(_interval, method=name)) for name in methods),
        *(Entry(one.name, one.needs, one.at, beside=True) for one in NUMBERS),
    )
