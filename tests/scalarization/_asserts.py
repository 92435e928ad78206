"""One function per property of a scalarization; each tests a claim and, where it is negative, its negation."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_less

from moltheory.scalarization import Scalarization

from ._samplers import axis_pairs, ordered_pairs, risks

_REL = 1e-12  # rounding of a handful of operations, with room


def _slack(*terms: np.ndarray) -> np.ndarray:
    return _REL * (1.0 + sum(np.abs(term) for term in terms))


def assert_monotone(u: Scalarization, rng: np.random.Generator) -> None:
    a, b = ordered_pairs(u.n_objectives, rng)
    upper, lower = u(a), u(b)
    finite = np.isfinite(upper)
    assert (lower[finite] <= upper[finite] + _slack(upper[finite])).all()


def _subadditivity_excess(u: Scalarization, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total, parts = u(a + b), u(a) + u(b)
    both = np.isfinite(total) & np.isfinite(parts)
    excess = np.where(np.isfinite(parts), np.inf, -np.inf)  # inf <= inf holds, inf <= finite does not
    tolerance = _slack(total[both], u(a)[both], u(b)[both])
    excess[both] = total[both] - parts[both] - tolerance
    return excess


def assert_subadditive(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    a, b = risks(n, rng), risks(n, rng)
    assert (_subadditivity_excess(u, a, b) <= 0.0).all()
    assert (_subadditivity_excess(u, a, a) <= 0.0).all()


def assert_not_subadditive(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    # The witnesses of the proofs: twice the same multiple of an axis; random ones for the constraint.
    witnesses = [s * np.eye(n) for s in (0.0, 0.1, 0.75, 1.5, 100.0)] + [rng.uniform(0.0, 1.0, (200, n))]
    worst = max(_subadditivity_excess(u, a, a).max() for a in witnesses)
    assert worst > 0.0


def assert_homogeneous(u: Scalarization, rng: np.random.Generator) -> None:
    v = risks(u.n_objectives, rng)
    for t in (0.1, 2.0, 37.0):
        np.testing.assert_allclose(u(t * v), t * u(v), rtol=1e-12, atol=1e-12)


def assert_not_homogeneous(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    v = np.concatenate([s * np.eye(n) for s in (0.0, 0.75, 1.5, 100.0)] + [rng.uniform(0.0, 1.0, (200, n))])
    twice, doubled = u(2.0 * v), 2.0 * u(v)
    assert (~np.isclose(twice, doubled, rtol=1e-9, atol=1e-9)).any()


def _triangle_excess(u: Scalarization, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    left, right = np.abs(u(a) - u(b)), u(np.abs(a - b))
    return left - right - _slack(u(a), u(b), right)


def assert_reverse_triangle(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    assert (_triangle_excess(u, risks(n, rng), risks(n, rng)) <= 0.0).all()


def assert_not_reverse_triangle(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    # The converse direction of the equivalence: the pair (a + b, b) with a = b a multiple of an axis.
    b = np.concatenate([s * np.eye(n) for s in (0.0, 0.1, 1.0, 100.0)])
    assert (_triangle_excess(u, 2.0 * b, b) > 0.0).any()


def assert_modulus_is_lower_bound(u: Scalarization, rng: np.random.Generator) -> None:
    a, b = ordered_pairs(u.n_objectives, rng)
    gain = u(a) - u(b)
    assert (gain >= u.modulus * (a - b).sum(axis=-1) - _slack(u(a), u(b))).all()


def assert_modulus_is_tight(u: Scalarization) -> None:
    """Some pairs of the sequence b = s e_j, a = b + e_i have ratios that fall to the modulus as s grows."""
    ratios = []
    for s in (1.0, 1e2, 1e4, 1e6):
        a, b = axis_pairs(u.n_objectives, s, 1.0)
        ratios.append(float((u(a) - u(b)).min()))
    excess = np.array(ratios) - u.modulus
    assert (excess >= -1e-8).all()
    assert (np.diff(excess) <= 1e-8).all()
    assert excess[-1] <= 1e-2  # p = 1.5 falls like s^(-1/2)


def assert_width_bounds_change(u: Scalarization, rng: np.random.Generator) -> None:
    n = u.n_objectives
    a, b = risks(n, rng), risks(n, rng)
    change, width = np.abs(u(a) - u(b)), u.width(np.abs(a - b))
    assert_array_less(change, width + _slack(u(a), u(b)))
    larger = u.width(np.abs(a - b) * rng.uniform(1.0, 2.0, a.shape))
    assert (larger >= width * (1.0 - _REL)).all()


def assert_width_is_tight(u: Scalarization, rng: np.random.Generator) -> None:
    """For every C there are risks whose values differ by the width, up to rounding or a limit.

    From a point at which the maximum is far from a tie (term j dominates by far) the change along C is
    ``w_j C_j`` plus the augmented term; sums and norms attain their width from the origin.
    """
    n = u.n_objectives
    c = rng.uniform(0.1, 1.0, n)
    origins = np.concatenate([np.zeros((1, n)), 1e4 * np.eye(n)])
    reached = np.abs(u(origins + c) - u(origins)).max()
    np.testing.assert_allclose(reached, u.width(c), rtol=1e-6)
