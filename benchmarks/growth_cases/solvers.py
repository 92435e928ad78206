"""Growth of `moltheory.scalarization`, `moltheory.objectives` and `moltheory.solvers`."""

from __future__ import annotations

from typing import Any

import numpy as np

from moltheory import objectives, scalarization, solvers
from moltheory.scalarization import Chebyshev, WeightedSum, simplex_grid

from ._case import Work, grows
from ._inputs import bits, floats, front, normals

MANY = 1 << 21

# Scalarizations: values of K points.

SCALARIZATIONS = {
    "WeightedSum": WeightedSum([0.5, 0.5]),
    "PNorm": scalarization.PNorm([0.5, 0.5], 3),
    "Chebyshev": Chebyshev([0.5, 0.5]),
    "SmoothChebyshev": scalarization.SmoothChebyshev([0.5, 0.5], 0.1),
    "EpsilonConstraint": scalarization.EpsilonConstraint([np.inf, 0.5]),
}
for _name, _chosen in SCALARIZATIONS.items():

    @grows(f"scalarization.{_name}", "K points", first=20_000, largest=MANY)
    def _(k: int, chosen: Any = _chosen) -> Work:
        points = floats(k, 2)
        return lambda: chosen(points)


@grows("scalarization.simplex_grid", "divisions, two weights", first=20_000, largest=MANY)
def _(k: int) -> Work:
    return lambda: simplex_grid(2, k)


# Objectives.


@grows("objectives.FiniteObjectives", "H hypotheses", first=50_000, largest=MANY)
def _(h: int) -> Work:
    risks = floats(h, 2)
    return lambda: objectives.FiniteObjectives(risks).risks()


def quadratics(replicates: int, dimension: int = 3, n: int = 2) -> Any:
    root = normals(replicates, n, dimension, dimension)
    curvature = root @ root.swapaxes(-1, -2) + np.eye(dimension)
    return curvature, normals(replicates, n, dimension), np.zeros((replicates, n))


@grows("objectives.QuadraticObjectives", "replicates", first=5_000)
def _(r: int) -> Work:
    parts = quadratics(r)
    return lambda: objectives.QuadraticObjectives(*parts)


@grows("objectives.QuadraticObjectives.minimisers", "dimension d", first=16, time=3, memory=2, largest=512)
def _(d: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(1, d))
    return lambda: found.minimisers(simplex_grid(2, 20))


@grows("objectives.QuadraticObjectives.front", "K weights, two objectives", first=500, largest=256_000)
def _(k: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(1))
    return lambda: found.front(simplex_grid(2, k))


@grows("objectives.QuadraticObjectives.risks", "K points", first=10_000, largest=MANY)
def _(k: int) -> Work:
    found, points = objectives.QuadraticObjectives(*(part[0] for part in quadratics(1))), normals(k, 3)
    return lambda: found.risks(points)


@grows("objectives.discretization_error", "K weights, two objectives", first=500, largest=256_000)
def _(k: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(1))
    return lambda: objectives.discretization_error(found, simplex_grid(2, k))


@grows("objectives.discretization_error", "K weights, three objectives", first=45, time=2, largest=2_880)
def _(k: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(1, 3, 3))
    return lambda: objectives.discretization_error(found, simplex_grid(3, round((2 * k) ** 0.5) - 1))


def convex(n: int, dimension: int = 5) -> Any:
    x, y = normals(n, dimension), bits(n).astype(int)
    return objectives.ConvexObjectives([x, x], [y, normals(n)], losses=["logistic", "squared"], ridge=0.1)


@grows("objectives.ConvexObjectives", "n examples", first=10_000, largest=640_000)
def _(n: int) -> Work:
    x, y = normals(n, 5), bits(n).astype(int)
    return lambda: objectives.ConvexObjectives([x, x], [y, y], losses="logistic", ridge=0.1)


@grows("objectives.ConvexObjectives.risks", "n examples", first=10_000, largest=640_000)
def _(n: int) -> Work:
    found = convex(n)
    return lambda: found.risks(np.zeros((3, 5)))


@grows("objectives.BlackBoxObjectives", "K points", first=20_000, largest=MANY)
def _(k: int) -> Work:
    found = objectives.BlackBoxObjectives(lambda x: np.c_[x[:, 0] ** 2, (x[:, 0] - 2) ** 2], [0], [4], n_objectives=2)
    points = floats(k, 1)
    return lambda: found.risks(points)


def cosh(dimension: int = 2) -> Any:
    center = np.stack([np.zeros(dimension), np.ones(dimension)])
    return objectives.SmoothObjectives(
        lambda x: np.cosh(x[:, None] - center).sum(axis=-1),
        lambda x: np.sinh(x[:, None] - center),
        lambda x: np.cosh(x[:, None] - center)[..., None] * np.eye(dimension),
        n_objectives=2,
        dimension=dimension,
        strong_convexity=1.0,
    )


@grows("objectives.SmoothObjectives", "K points", first=5_000, largest=640_000)
def _(k: int) -> Work:
    found, points = cosh(), floats(k, 2)
    return lambda: found.risks(points)


@grows("objectives.NormBall", "K points", first=20_000, largest=MANY)
def _(k: int) -> Work:
    ball, points = objectives.NormBall(2.0, norm="l1"), normals(k, 5)
    return lambda: ball.width(points)


@grows("objectives.Mean", "n examples", first=20_000, largest=MANY)
def _(n: int) -> Work:
    losses = floats(n, 5)
    return lambda: objectives.Mean(losses)


@grows("objectives.Cell", "n examples", first=20_000, largest=MANY)
def _(n: int) -> Work:
    losses, where = floats(n, 5), np.arange(n) % 2 == 0
    return lambda: objectives.Cell(losses, where)


@grows("objectives.Rate", "n examples", first=20_000, largest=MANY)
def _(n: int) -> Work:
    losses, where = floats(n, 5), np.arange(n) % 2 == 0
    return lambda: objectives.Rate(losses, where)


@grows("objectives.F1Error", "n examples", first=20_000, largest=MANY)
def _(n: int) -> Work:
    predicted, positive = bits(n, 5), bits(n, seed=1)
    return lambda: objectives.F1Error(predicted, positive)


@grows("objectives.Known", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    values = floats(h)
    return lambda: objectives.Known(values).value([])


@grows("objectives.Gap", "H hypotheses", first=20_000, largest=MANY)
def _(h: int) -> Work:
    rates = [objectives.Rate(np.ones((2, h)), where) for where in ([True, False], [False, True])]
    gap, low = objectives.Gap(*rates), [floats(h), floats(h, seed=1)]
    return lambda: gap.interval(low, [part + 0.1 for part in low])


for _kind in (objectives.Average, objectives.Spread, objectives.Worst):

    @grows(f"objectives.{_kind.__name__}", "number of groups", first=50, largest=6_400)
    def _(k: int, kind: Any = _kind) -> Work:
        losses = floats(k, 20)
        rates = [objectives.Rate(losses, np.arange(k) == group) for group in range(k)]
        means = list(floats(k, 20))

        def work() -> object:
            whole = kind(rates)
            return whole.value(means), whole.interval(means, [mean + 0.1 for mean in means])

        return work


# Solvers.


@grows("solvers.solve_front", "H hypotheses", first=10_000, largest=MANY)
def _(h: int) -> Work:
    found = objectives.FiniteObjectives(floats(h, 2))
    return lambda: solvers.solve_front(found, scalarizations=[WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5])])


@grows("solvers.solve_front", "K scalarizations, finite class", first=50, largest=12_800)
def _(k: int) -> Work:
    found = objectives.FiniteObjectives(floats(200, 2))
    chosen = [WeightedSum(row) for row in simplex_grid(2, k)]
    return lambda: solvers.solve_front(found, scalarizations=chosen)


@grows("solvers.solve_front", "replicates, quadratics", first=200, largest=51_200)
def _(r: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(r))
    chosen = [WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5])]
    return lambda: solvers.solve_front(found, scalarizations=chosen)


@grows("solvers.solve_front", "dimension d, quadratics", first=16, time=3, memory=2, largest=512)
def _(d: int) -> Work:
    found = objectives.QuadraticObjectives(*quadratics(1, d))
    chosen = [WeightedSum([0.5, 0.5]), Chebyshev([0.5, 0.5])]
    return lambda: solvers.solve_front(found, scalarizations=chosen)


@grows("solvers.solve_front", "n examples, Newton", first=2_000, largest=256_000)
def _(n: int) -> Work:
    found = convex(n)
    return lambda: solvers.solve_front(found, scalarizations=[WeightedSum([0.5, 0.5])])


@grows("solvers.solve_front", "K scalarizations, Newton", first=8, largest=2_048)
def _(k: int) -> Work:
    found = convex(500)
    chosen = [WeightedSum(row) for row in simplex_grid(2, k)]
    return lambda: solvers.solve_front(found, scalarizations=chosen)


@grows("solvers.Sweep.front", "K scalarizations", first=200, largest=51_200)
def _(k: int) -> Work:
    found = objectives.FiniteObjectives(front(k, 2))
    sweep = solvers.solve_front(found, scalarizations=[WeightedSum(row) for row in simplex_grid(2, k)])
    return sweep.front


@grows("solvers.refine_front", "members, two objectives", first=25, time=2, memory=1, largest=3_200)
def _(k: int) -> Work:
    found = objectives.QuadraticObjectives(*(part[0] for part in quadratics(1)))
    return lambda: solvers.refine_front(found, tolerance=1e-12, max_points=k)


@grows("solvers.sandwich_gap", "K weights, two objectives", first=50, time=2, largest=12_800)
def _(k: int) -> Work:
    found = objectives.QuadraticObjectives(*(part[0] for part in quadratics(1))).front(simplex_grid(2, k))
    return lambda: solvers.sandwich_gap(found.weights, found.points)


@grows("solvers.weight_cells", "n points, 2 objectives, all on the front", first=200, largest=51_200)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.weight_cells(points)


@grows("solvers.weight_cells", "n points, 3 objectives, all on the front", first=10, time=2, memory=1, largest=640)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: solvers.weight_cells(points)


@grows("solvers.certified_cells", "n points, 2 objectives, all on the front", first=50, time=2, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.certified_cells(points, widths=1e-9)


@grows("solvers.certified_share", "n points, 2 objectives, all on the front", first=50, time=2, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.certified_share(points, widths=1e-9)


@grows("solvers.cell_members", "n points", first=2_000, largest=512_000)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.cell_members(points, weights=[[0.7, 0.3], [0.5, 0.5]])


@grows("solvers.cell_members", "K weights", first=500, largest=128_000)
def _(k: int) -> Work:
    points, weights = front(50, 2), simplex_grid(2, k)
    return lambda: solvers.cell_members(points, weights=weights)


@grows("solvers.support_kinds", "n points, 2 objectives, all on the front", first=200, largest=51_200)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.support_kinds(points)


@grows("solvers.support_kinds", "n points, 3 objectives, all on the front", first=10, time=2, memory=1, largest=640)
def _(n: int) -> Work:
    points = front(n, 3)
    return lambda: solvers.support_kinds(points)


@grows("solvers.support_kinds", "n points, 4 objectives, all on the front", first=10, time=2, memory=2, largest=640)
def _(n: int) -> Work:
    points = front(n, 4)
    return lambda: solvers.support_kinds(points)


@grows("solvers.supported", "n points, 2 objectives, all on the front", first=200, largest=51_200)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.supported(points)


@grows("solvers.geoffrion_constants", "n points", first=100, time=2, memory=1, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.geoffrion_constants(points)


@grows("solvers.largest_augmentation", "n points", first=100, time=2, memory=1, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.largest_augmentation(points, ideal=[-0.1, -0.1])


@grows("solvers.reachability", "n points, two objectives", first=100, time=2, memory=1, largest=12_800)
def _(n: int) -> Work:
    points = front(n, 2)
    return lambda: solvers.reachability(points, ideal=[-0.1, -0.1])
