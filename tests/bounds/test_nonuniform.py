"""Half-widths that depend on the hypothesis: the uniform case, both half-widths in their places, data against truth."""

import itertools
import math

import numpy as np
import pytest

from moltheory.bounds import (
    a_posteriori_excess,
    forward,
    kl_class,
    nonuniform_forward,
    nonuniform_scalarized_excess,
    nonuniform_weak_converse,
    relative_deviation_class,
    relative_excess,
    relative_scales,
    scalarized_excess,
    weak_converse,
)
from moltheory.errors import InvalidInputError
from moltheory.pareto import coverage_error, nondominated
from moltheory.scalarization import Chebyshev, EpsilonConstraint, PNorm, SmoothChebyshev, WeightedSum

_RULES = [
    WeightedSum([0.25, 0.75]),
    PNorm([0.25, 0.75], 3.0),
    Chebyshev([0.25, 0.75]),
    Chebyshev([0.25, 0.75], augmentation=0.5),
]


def _tables(rng, count, size=4):
    """True risks, empirical ones and valid half-widths on a lattice, where ties are common."""
    true, risks = (rng.integers(0, 9, (count, size, 2)) / 8 for _ in range(2))
    return true, risks, np.abs(true - risks) + rng.integers(0, 2, true.shape) / 8


def test_equal_rows_are_the_uniform_case():
    rng = np.random.default_rng(0)
    _, risks, _ = _tables(rng, 50)
    uniform = rng.integers(0, 4, (50, 1, 2)) / 8
    widths = np.broadcast_to(uniform, risks.shape)
    front = nondominated(risks)
    assert (nonuniform_forward(widths, risks=risks) == forward(widths)).all()
    assert (nonuniform_weak_converse(widths, risks=risks)[front] == weak_converse(widths)[front]).all()
    for u in [*_RULES, SmoothChebyshev([0.25, 0.75], 0.1)]:
        value = u(risks)
        excess = nonuniform_scalarized_excess(widths, scalarization=u, risks=risks)
        regret = value - value.min(axis=-1, keepdims=True)
        assert excess == pytest.approx(scalarized_excess(widths, scalarization=u) + regret, abs=1e-15)


def test_they_hold_whatever_the_truth_is():
    rng = np.random.default_rng(1)
    for true, risks, widths in zip(*_tables(rng, 300), strict=True):
        front = np.flatnonzero(nondominated(risks))
        allowed = nonuniform_forward(widths, risks=risks)
        for h in range(4):
            assert any((true[g] <= true[h] + allowed[h] + 1e-12).all() for g in front)
        assert coverage_error(true[front], true) <= allowed.max() + 1e-12
        margin = nonuniform_weak_converse(widths, risks=risks)
        assert np.isinf(np.delete(margin, front, axis=0)).all()
        for g, h in itertools.product(front, range(4)):
            gap = true[h] - (true[g] - margin[g])
            assert not ((gap <= 0).all() and (gap < 0).any())
        for u in _RULES:
            excess = nonuniform_scalarized_excess(widths, scalarization=u, risks=risks)
            assert (u(true) - u(true).min() <= excess + 1e-12).all()
            boxes = a_posteriori_excess(np.maximum(risks - widths, 0), risks + widths, scalarization=u)
            assert (boxes <= excess + 1e-12).all()


def test_bad_hypotheses_do_not_widen_what_concerns_good_ones():
    """One clearly worse hypothesis with a large half-width: the uniform statements pay for it, these do not."""
    risks, widths = np.array([[0.1, 0.0], [0.1, 0.1], [0.9, 0.0]]), np.array([[0.05, 0.0]] * 2 + [[0.3, 0.0]])
    assert nonuniform_weak_converse(widths, risks=risks)[0, 0] == pytest.approx(0.1)
    assert nonuniform_scalarized_excess(widths, scalarization=WeightedSum([1, 0]), risks=risks)[0] == pytest.approx(0.1)
    assert weak_converse(widths.max(axis=0))[0] == pytest.approx(0.6)
    # Coverage of the bad one itself is what it must be: its own half-width and that of the member that covers it.
    assert nonuniform_forward(widths, risks=risks)[2, 0] == pytest.approx(0.35)


def test_relative_excess_by_its_largest_root():
    """Against a search for the largest excess that the two relative deviations allow."""
    c, best = 0.02, 0.1
    empirical = max(x for x in np.linspace(0, 1, 200_001) if x - best <= math.sqrt(c * x))
    top = max(x for x in np.linspace(0, 1, 200_001) if x - empirical <= math.sqrt(c * x))
    assert relative_excess([c], scalarization=WeightedSum([1.0]), best=best) == pytest.approx(top - best, abs=2e-5)
    for u in _RULES:
        scale = float(u([c, 0.0]))
        found = relative_excess([c, 0.0], scalarization=u, best=[0.0, best])
        assert found[0] == pytest.approx((3 + math.sqrt(5)) / 2 * scale)
        assert found[1] <= 2 * math.sqrt(scale * best) + (3 + math.sqrt(5)) / 2 * scale
    tolerant = relative_excess([0.0, 0.0], scalarization=_RULES[0], best=best, eta=0.25)
    assert tolerant == 0.25


def test_relative_excess_is_a_fast_rate():
    """Best risk 0: of order 1/n, where the uniform half-width gives 1/sqrt(n)."""
    u = WeightedSum([0.5, 0.5])
    sizes = [10**3, 10**5]
    fast = [
        float(
            relative_excess(relative_scales(n, n_hypotheses=100, delta=0.05, n_objectives=2), scalarization=u, best=0.0)
        )
        for n in sizes
    ]
    assert fast[0] / fast[1] == pytest.approx(100)


def test_scales_are_those_of_the_deviations():
    scale = relative_scales(500, n_hypotheses=7, delta=0.1, n_objectives=2)
    assert scale == pytest.approx([2 * math.log(2 * 7 * 2 / 0.1) / 500] * 2)
    zero = relative_deviation_class([[0.0, 0.0]], 500, n_hypotheses=7, delta=0.1)
    assert zero.upper[0] == pytest.approx(scale)
    mixed = relative_scales([500, math.inf], dimension=2, delta=0.1)
    assert mixed[1] == 0
    points = 1 + 1000 + 1000 * 999 / 2
    assert mixed[0] == pytest.approx(4 * (math.log(points) + math.log(8 / 0.1)) / 500)


def test_infinite_and_single(refuses):
    bound = kl_class([[0.2, 0.5]], [10, math.inf], delta=0.1)
    only = nonuniform_forward(bound, risks=[[0.2, 0.5]])
    assert (only == 2 * bound.width).all()
    widths = [[math.inf, 0.0], [0.25, 0.0]]
    risks = [[0.0, 0.0], [0.5, 0.0]]
    assert nonuniform_forward(widths, risks=risks).tolist() == [[math.inf, 0.0], [math.inf, 0.0]]
    assert nonuniform_weak_converse(widths, risks=risks)[0].tolist() == [math.inf, 0.0]
    excess = nonuniform_scalarized_excess(widths, scalarization=WeightedSum([1.0, 1.0]), risks=risks)
    assert np.isinf(excess).all()


def test_refusals(refuses):
    good = [[0.1, 0.0], [0.2, 0.0]]
    u = WeightedSum([0.5, 0.5])
    for function, more in (
        (nonuniform_forward, {}),
        (nonuniform_weak_converse, {}),
        (nonuniform_scalarized_excess, {"scalarization": u}),
    ):
        refuses("widths", function, [0.1, 0.0], risks=good, **more)
        refuses("widths", function, [[-0.1, 0.0]] * 2, risks=good, **more)
        refuses("widths", function, [[math.nan, 0.0]] * 2, risks=good, **more)
        refuses("widths", function, [[0.1, 0.0]] * 3, risks=good, **more)
        refuses("risks", function, good, risks=[[math.inf, 0.0]] * 2, **more)
    with pytest.raises(InvalidInputError):
        nonuniform_scalarized_excess(good, scalarization=EpsilonConstraint([math.inf, 0.5]), risks=good)
    refuses("scalarization", relative_excess, [0.1, 0.1], scalarization=SmoothChebyshev([0.5, 0.5], 0.1), best=0.1)
    refuses("scales", relative_excess, [0.1], scalarization=u, best=0.1)
    refuses("scales", relative_excess, [-0.1, 0.1], scalarization=u, best=0.1)
    refuses("best", relative_excess, [0.1, 0.1], scalarization=u, best=-0.1)
    refuses("best", relative_excess, [[0.1, 0.1]] * 3, scalarization=u, best=[0.1, 0.2])
    refuses("scales", relative_excess, [math.inf, 0.1], scalarization=u, best=0.1)
    refuses("eta", relative_excess, [0.1, 0.1], scalarization=u, best=0.1, eta=-1.0)
    refuses("n_hypotheses", relative_scales, 10, delta=0.1)
    refuses("n_hypotheses", relative_scales, 10, delta=0.1, n_hypotheses=2, dimension=2)
    refuses("n", relative_scales, 2, delta=0.1, dimension=3)
