"""Strongly convex objectives: the empirical front is near the true one in parameters, on quadratics over a ball."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import strong_convexity
from moltheory.objectives import QuadraticObjectives
from moltheory.scalarization import simplex_grid
from moltheory.theorems._assumptions import Assumption
from moltheory.theorems._columns import TIE
from moltheory.theorems._inputs import Input
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._quadratics import largest_deviations, strong_moduli
from moltheory.theorems._statement import Theorem

__all__ = ["THEOREMS"]

_DIVISIONS = {1: 1, 2: 40, 3: 12}


def distance_of_minimisers(
    true: QuadraticObjectives,
    empirical: QuadraticObjectives,
    widths: FloatArray,
    *,
    radius: float,
    constant: float = 16.0,
) -> FloatArray:
    """Largest squared distance from an empirical minimiser to a true one at least as good, beyond the bound.

    Both range over the minimisers of a grid of weighted sums, which are on the front, inside the ball.
    """
    weights = simplex_grid(true.n_objectives, _DIVISIONS.get(true.n_objectives, 6))
    found, best = empirical.minimisers(weights), true.minimisers(weights)
    limit = radius * (1.0 + TIE)
    inside = (np.linalg.norm(found, axis=-1) <= limit)[..., :, None] & (np.linalg.norm(best, axis=-1) <= limit)[
        ..., None, :
    ]
    theirs, ours = true.risks(best), true.risks(found)
    # Minimisers carry rounding; reading it as a tie moves the bound by as little.
    slack = TIE * max(1.0, float(np.abs(ours).max()))
    at_least_as_good = (theirs[..., None, :, :] <= ours[..., :, None, :] + slack).all(axis=-1)
    squared = ((found[..., :, None, :] - best[..., None, :, :]) ** 2).sum(axis=-1)
    farthest = np.where(inside & at_least_as_good, squared, -np.inf).max(axis=(-2, -1))
    moduli = np.broadcast_to(strong_moduli(true), widths.shape)
    bound = (constant / 16.0) * np.array(
        [strong_convexity(c, moduli=mu) for c, mu in zip(_rows(widths), _rows(moduli), strict=True)]
    ).reshape(widths.shape[:-1])
    excess: FloatArray = farthest - bound
    return excess


def _rows(array: FloatArray) -> FloatArray:
    return array.reshape(-1, array.shape[-1])


def _are_quadratics(true: Any) -> bool:
    return isinstance(true, QuadraticObjectives)


def _radius_cases(true: Any, limits: FloatArray) -> Sequence[Inputs]:
    # The constant is sharp on a ball that reaches no further than the minimisers.
    reach = float(limits.max())
    return ({"radius": reach}, {"radius": 2.0 * reach})


def random_quadratics(
    rng: np.random.Generator, count: int
) -> tuple[QuadraticObjectives, QuadraticObjectives, FloatArray, Inputs]:
    """Return pairs of strongly convex quadratics, and their widths.

    Nearly flat empirical ones are among them, and pairs for which the constant is nearly attained: L_1 pulls to one
    end of the ball, L_2 to its middle, and Lhat_2, nearly flat, to the other end.
    """
    d = int(rng.choice([1, 1, 1, 2]))
    n_objectives = int(rng.integers(2, 4)) if d == 1 else 2
    radius = 1.0
    shape = (count, n_objectives)
    centers = rng.integers(-4, 5, (*shape, d)) / (4.0 * np.sqrt(d))
    moved = rng.integers(-4, 5, (*shape, d)) / (4.0 * np.sqrt(d))
    stay = rng.random(shape) < 0.4
    sharp = rng.random(count) < 0.125
    centers[sharp] = 0.0
    centers[sharp, 0, 0], moved[sharp, 1] = -radius, radius * np.eye(d)[0]
    stay[sharp] = np.arange(n_objectives) != 1
    moved[stay] = centers[stay]
    scales = 2.0 ** rng.integers(-1, 4, shape)
    # The constant is sharp in the limit of flat empirical objectives.
    others = scales * rng.choice([1.0, 0.5, 0.01, 1e-4], shape)
    others[sharp, 1] = 1e-4 * scales[sharp, 1]
    others[stay] = scales[stay]
    eye = np.eye(d)
    true = QuadraticObjectives(scales[..., None, None] * eye, centers, np.zeros(shape))
    flat = QuadraticObjectives(others[..., None, None] * eye, moved, np.zeros(shape))
    # The best constant is the middle of the range of the difference, found where it is extreme.
    grid = radius * np.linspace(-1.0, 1.0, 33)[:, None] * eye[0]
    gap = true.risks(grid) - flat.risks(grid)
    offset = np.where(stay, 0.0, 0.5 * (gap.max(axis=-2) + gap.min(axis=-2)))
    empirical = QuadraticObjectives(others[..., None, None] * eye, moved, offset)
    return true, empirical, largest_deviations(true, empirical, radius=radius), {"radius": radius}


THEOREMS = (
    Theorem(
        id="strong-convexity",
        statement="on E, H convex, every L_i mu_i-strongly convex, hhat on the empirical front: "
        "|hhat - h*|^2 <= max_i 16 C_i / mu_i for every h* in P with L(h*) <= L(hhat)",
        source="derived",
        provenance="derived",
        violation=distance_of_minimisers,
        assumptions=(
            Assumption(
                "H is convex and all objectives are strongly convex on it (for checks: quadratics)",
                "true",
                ("true",),
                _are_quadratics,
            ),
            Assumption(
                "every true objective is strongly convex: mu_i > 0",
                "true",
                ("true",),
                lambda true: (strong_moduli(true) > 0.0).all(axis=-1),
            ),
            Assumption(
                "all moduli are > 0", "moduli", ("moduli",), lambda moduli: bool((np.asarray(moduli) > 0).all())
            ),
            Assumption("the radius of the ball is > 0", "radius", ("radius",), lambda radius: radius > 0.0),
            Assumption(
                "event E on the ball: |L_i - Lhat_i| <= C_i",
                "widths",
                ("true", "empirical", "widths", "radius"),
                lambda true, empirical, widths, radius: (
                    largest_deviations(true, empirical, radius=radius) <= widths * (1.0 + 1e-12) + TIE
                ).all(axis=-1),
            ),
        ),
        inputs=(
            Input("widths", "joint half-widths C on H, (..., N)", example=[0.1, 0.2]),
            Input("moduli", "mu, (N,)", example=[1.0, 2.0]),
        ),
        value=lambda widths, moduli: strong_convexity(widths, moduli=moduli),
        function="bounds.strong_convexity",
        cases=_radius_cases,
        pairs=random_quadratics,
    ),
)
