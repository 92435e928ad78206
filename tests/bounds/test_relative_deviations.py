"""Relative deviations: values recomputed from the formulas, never wider than promised, and levels on VC classes."""

import math

import mpmath
import numpy as np
import pytest
from scipy.stats import binom

from moltheory.bounds import (
    applicable_bounds,
    bernstein_class,
    finite_class,
    kl_class,
    local_complexity,
    localized_rademacher,
    relative_deviation_class,
    relative_deviation_vc,
    relative_scales,
    vc,
)
from moltheory.problems import FinitePopulation, from_dataset

_RISKS = np.linspace(0, 1, 101)


def believable(misses: int, runs: int, delta: float) -> bool:
    return bool(binom.sf(misses - 1, runs, delta) >= 1e-6)


def test_values_from_the_formulas():
    """The largest L with L - Lhat <= sqrt(c L), found by mpmath without the closed form."""
    n, delta, dimension = 2000, mpmath.mpf("0.05"), 3
    finite = 2 * mpmath.log(2 * 40 * 3 / delta) / n
    growth = mpmath.log(sum(mpmath.binomial(2 * n, k) for k in range(dimension + 1)))
    infinite = 4 * (growth + mpmath.log(8 * 3 / (delta * mpmath.mpf("0.75")))) / n
    for c, bound in (
        (finite, lambda r: relative_deviation_class([[r] * 3], n, n_hypotheses=40, delta=0.05)),
        (infinite, lambda r: relative_deviation_vc([[r] * 3], n, dimension=dimension, delta=0.05, uniform_share=0.25)),
    ):
        for risk in ("0", "0.01", "0.04"):
            r = mpmath.mpf(risk)
            top = mpmath.findroot(lambda x, r=r, c=c: x - r - mpmath.sqrt(c * x), r + 2 * c)
            found = bound(float(r))
            assert found.upper[0, 0] == pytest.approx(float(top), rel=1e-12)
            assert found.lower[0, 0] == pytest.approx(float(max(r - mpmath.sqrt(c * r), 0)), abs=1e-12)


@pytest.mark.parametrize("n", [3, 30, 1000, 10**6])
@pytest.mark.parametrize("delta", [0.9, 0.05, 1e-9])
def test_never_wider_than_promised(n, delta):
    hoeffding = float(finite_class(n, n_hypotheses=_RISKS.size, delta=delta))
    relative = relative_deviation_class(_RISKS, n, delta=delta)
    assert relative.width.max() <= hoeffding * (1 + 1e-12)
    # Relative entropy says more than either.
    kl = kl_class(_RISKS, n, delta=delta)
    assert (kl.upper <= relative.upper + 1e-12).all()
    assert (kl.lower >= relative.lower - 1e-12).all()
    variances = _RISKS * (1 - _RISKS) * n / (n - 1)
    for share in (0.5, 0.1):
        factor = math.sqrt(1 + math.log(1 / share) / math.log(2 * _RISKS.size / delta))
        either = bernstein_class(variances, n, delta=delta, uniform_share=share).width
        assert either.max() <= factor * hoeffding * (1 + 1e-12)
        uniform = float(vc(n, dimension=3, delta=delta))
        widths = relative_deviation_vc(_RISKS, n, dimension=3, delta=delta, uniform_share=share).width
        assert widths.max() <= math.sqrt(1 + math.log(1 / share) / math.log(8 * math.e)) * uniform


def test_the_constant_is_needed_and_the_gain_is_real():
    share = relative_deviation_vc([1.0], 1, dimension=1, delta=0.999, uniform_share=0.5)
    assert share.width > 1.05 * float(vc(1, dimension=1, delta=0.999))
    assert relative_deviation_class([0.0], 3000, n_hypotheses=300, delta=0.05).width < 0.2 * float(
        finite_class(3000, n_hypotheses=300, delta=0.05)
    )
    assert relative_deviation_vc([0.0], 3000, dimension=3, delta=0.05).width < 0.2 * float(
        vc(3000, dimension=3, delta=0.05)
    )
    assert relative_deviation_vc([0.1], 4, dimension=3, delta=0.05).vacuous.all()


def _limits(rates, c):
    """What |L - Lhat| <= sqrt(c max(L, Lhat)) leaves for L."""
    return rates - np.sqrt(c * rates), rates + c / 2 + np.sqrt(c**2 / 4 + c * rates)


def _failures(limits, points, atoms):
    """In how many samples some threshold t on uniform inputs, L(t) = t, is outside of the limits of its error rate."""
    lower, upper = limits
    if atoms is None:  # any t in [0, 1]: the extreme ones are just before and at an example
        return int(((points > upper[:-1]).any(axis=1) | (points < lower[1:]).any(axis=1)).sum())
    levels = np.arange(1, atoms + 1) / atoms
    counts = np.array([np.searchsorted(row, levels + 1e-9) for row in points])
    return int(((levels < lower[counts] - 1e-12) | (levels > upper[counts] + 1e-12)).any(axis=1).sum())


@pytest.mark.parametrize("atoms", [None, 20, 3])
@pytest.mark.parametrize("n", [20, 500])
def test_levels_on_thresholds(n, atoms):
    """All error rates at once, rare ones and (with atoms) tied ones too; with quantiles as inputs L(t) = t still."""
    runs, delta = 1000, 0.2
    points = np.random.default_rng(9).random((runs, n))
    if atoms:  # the error of a threshold at an atom is a multiple of 1 / atoms, ties are many
        points = np.ceil(points * atoms) / atoms
    points = np.sort(points, axis=1)
    rates = np.arange(n + 1) / n
    right = relative_deviation_vc(rates, n, dimension=1, delta=delta, uniform_share=0.01)
    assert believable(_failures((right.lower[:, 0], right.upper[:, 0]), points, atoms), runs, delta)
    if atoms is None:  # the growth function forgotten: the constant of a single hypothesis, one side
        single = _limits(rates, math.log(1 / delta) / n)
        assert not believable(_failures(single, points, atoms), runs, delta)


def test_a_third_of_the_constant_is_caught_exactly():
    """One hypothesis, two-sided: with c/3 in place of c the failure probability exceeds delta."""
    n, delta = 200, 0.05
    k = np.arange(n + 1)
    p = np.linspace(0.01, 0.3, 30)[:, None]

    def failure(c):
        lower, upper = _limits(k / n, c)
        return (binom.pmf(k, n, p) * ((lower > p) | (upper < p))).sum(axis=1).max()

    right = 2 * math.log(2 / delta) / n
    assert failure(right) <= delta < failure(right / 3)


@pytest.mark.parametrize("n", [4, 25, 400])
def test_a_binomial_exceeds_its_mean_with_probability_a_quarter(n):
    """The lemma of Greenberg and Mohri on which the symmetrization rests, for p >= 1/n."""
    p = np.unique(np.concatenate([np.linspace(1 / n, 1, 2000)[:-1], np.arange(1, n) / n - 1e-9]))
    p = p[p > 1 / n]
    assert binom.sf(np.ceil(n * p) - 1, n, p).min() >= 0.25


@pytest.mark.parametrize(
    ("argument", "arguments", "options"),
    [
        ("risks", ([1.5], 10), {"dimension": 1}),
        ("risks", ([math.nan], 10), {"dimension": 1}),
        ("risks", ([], 10), {"dimension": 1}),
        ("n", ([0.5], 2), {"dimension": 3}),
        ("n", ([0.5], [10, 20]), {"dimension": 3}),
        ("dimension", ([0.5], 10), {"dimension": 0}),
        ("dimension", ([0.5], 10), {"dimension": True}),
        ("delta", ([0.5], 10), {"dimension": 1, "delta": 0.0}),
        ("uniform_share", ([0.5], 10), {"dimension": 1, "uniform_share": 0.0}),
        ("uniform_share", ([0.5], 10), {"dimension": 1, "uniform_share": 1.0}),
    ],
)
def test_refusals(refuses, argument, arguments, options):
    refuses(argument, relative_deviation_vc, *arguments, **{"delta": 0.1} | options)
    if "dimension" in options and argument in ("risks", "delta"):
        kept = {name: value for name, value in options.items() if name == "delta"}
        refuses(argument, relative_deviation_class, *arguments, **{"delta": 0.1} | kept)


def test_refusals_of_shares_and_sizes(refuses):
    refuses("uniform_share", bernstein_class, [0.1], 10, delta=0.1, uniform_share=1.0)
    refuses("uniform_share", bernstein_class, [0.1], 10, delta=0.1, uniform_share=-0.1)
    refuses("n_hypotheses", relative_deviation_class, [0.1, 0.2], 10, delta=0.1, n_hypotheses=1)
    refuses("n", relative_deviation_class, [0.1], 0, delta=0.1)


def test_limits_of_a_member_of_a_class_are_in_the_table(refuses):
    table = applicable_bounds(n=500, n_hypotheses=7, dimension=2, errors=20, n_objectives=2, delta=0.1).set_index(
        "bound"
    )
    risks = [[0.04, 0.04]]

    def complexity(radius):
        return float(local_complexity(radius, 500, dimension=2))

    for name, bound in {
        "finite class, relative entropy": kl_class(risks, 500, n_hypotheses=7, delta=0.1),
        "finite class, relative deviations": relative_deviation_class(risks, 500, n_hypotheses=7, delta=0.1),
        "VC dimension, relative deviations": relative_deviation_vc(risks, 500, dimension=2, delta=0.1),
        "VC dimension, localized complexity": localized_rademacher(risks, 500, local_complexity=complexity, delta=0.1),
    }.items():
        assert table.loc[name, "lower"] == bound.lower[0, 0]
        assert table.loc[name, "upper"] == bound.upper[0, 0]
        assert table.loc[name, "source"] == bound.source
    refuses("errors", applicable_bounds, n=10, n_hypotheses=2, errors=11)
    refuses("errors", applicable_bounds, n=10, dimension=2, errors=-1)


@pytest.mark.slow
def test_levels_on_a_data_set():
    """All 300 models and both rates of a real population, given the number of examples behind each rate."""
    world = from_dataset("breast_cancer")
    world = FinitePopulation(world.probabilities, world.measures[:2])
    truth, runs, delta = world.true.risks(), 1000, 0.5
    sample = world.sample(300, replicates=runs, rng=0)
    misses = single = 0
    for risks, sizes in zip(sample.risks(), sample.cell_sizes, strict=True):
        bound = relative_deviation_class(risks, sizes, delta=delta)
        misses += ((truth < bound.lower) | (truth > bound.upper)).any()
        # The union over models forgotten, and half of the constant.
        lower, upper = _limits(risks, relative_scales(sizes, n_hypotheses=1, delta=delta) / 2)
        single += ((truth < lower) | (truth > upper)).any()
    assert believable(int(misses), runs, delta)
    assert not believable(int(single), runs, delta)
