"""Fronts of infinite classes by `solve_front`, against the loops people write: scikit-learn, cvxpy, SLSQP.

Every contestant solves the same problem; "front error" is the largest difference of its risks from ours solved
to a gap of 1e-14. cvxpy, SLSQP and the loops over replicates solve a few rows; their time is extrapolated.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Any

import numpy as np

import moltheory as mt
from moltheory.objectives import ConvexObjectives, NormBall, QuadraticObjectives
from moltheory.scalarization import Chebyshev, WeightedSum

from ._protocol import Benchmark, Budget, Main, Part, Table, Times, compared, times_in_turn
from ._solver_loops import DIMENSION, RIDGE, Cvxpy, sklearn_loop, slsqp_loop

HEAD = ("contestant", "time", "times ours", "front error")


def data(n, seed=0, batch=(), d=DIMENSION):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((2, d)) / 2
    x = [rng.standard_normal((*batch, n, d)) for _ in range(2)]
    y = [(rng.random(a.shape[:-1]) < 1 / (1 + np.exp(-a @ t))).astype(float) for a, t in zip(x, truth, strict=True)]
    return x, y


def path(k):
    t = np.linspace(0, 1, k)
    return np.stack([t, 1 - t], axis=1)


def some(k: int, count: int) -> Any:
    """Return the rows that slow contestants solve."""
    return np.linspace(0, k - 1, min(count, k)).astype(int)


def table(what: str, size: str, ours: tuple[str, Times, float], others: Sequence[tuple[str, Times, float]], note: str):
    """Return a part with one table, ours first."""
    label, base, error = ours
    rows = [[label, base, "1", f"{error:.1e}"]]
    rows += [[name, times, compared(base, times), f"{one:.1e}"] for name, times, one in others]
    main = [Main(what, size, base.median, name, times.median) for name, times, _ in others]
    return Part([Table(HEAD, rows, [f"{size}. {note}".strip()], main=main)])


def sizes(budget: Budget) -> tuple[int, int]:
    return budget.pick((2000, 100), (500, 20), (100, 5))


def gap_note(sweep) -> str:
    return f"Largest certified gap {sweep.gap.max():.1e}; rigorous everywhere: {bool(sweep.rigorous.all())}."


def logistic(budget: Budget) -> Part:
    n, k = sizes(budget)
    x, y = data(n)
    objectives, w = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE), path(k)
    chosen, rows = [WeightedSum(one) for one in w], some(k, 3)
    reference = mt.solve_front(objectives, scalarizations=chosen, tolerance=3e-14).points
    program = Cvxpy(x, y, ridge=RIDGE)
    times, found = times_in_turn(
        {
            "ours": lambda: mt.solve_front(objectives, scalarizations=chosen),
            "1e-4": lambda: sklearn_loop(x, y, w, 1e-4),
            "1e-11": lambda: sklearn_loop(x, y, w, 1e-11),
            "cvxpy": lambda: program.solved(w[rows]),
        },
        budget.pick(3, 1),
        of={"cvxpy": len(rows) / k},
        inner={"ours": 5},
    )
    others = [
        (
            f"scikit-learn newton-cholesky loop, tol {tol}",
            times[tol],
            np.abs(objectives.risks(found[tol]) - reference).max(),
        )
        for tol in ("1e-4", "1e-11")
    ]
    error = np.abs(objectives.risks(found["cvxpy"]) - reference[rows]).max()
    others.append((f"cvxpy DPP, Clarabel, {len(rows)} weights", times["cvxpy"], error))
    ours = "moltheory, newton", times["ours"], np.abs(found["ours"].points - reference).max()
    size = f"n = {n:,} per task, d = {DIMENSION}, ridge {RIDGE}, {k} weights"
    return table("front of two logistic losses", size, ours, others, gap_note(found["ours"]))


def chebyshev(budget: Budget) -> Part:
    n, k = sizes(budget)
    x, y = data(n)
    objectives, inner = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE), path(k)[1:-1]
    maxima, rows = [Chebyshev(one) for one in inner], some(len(inner), 10)
    times, found = times_in_turn(
        {
            "ours": lambda: mt.solve_front(objectives, scalarizations=maxima),
            "slsqp": lambda: slsqp_loop(objectives, inner[rows]),
        },
        budget.pick(3, 1),
        of={"slsqp": len(rows) / len(inner)},
        inner={"ours": 2},
    )
    sweep = found["ours"]
    above = max(
        float(maxima[j](objectives.risks(t[None])[0]) - sweep.values[j])
        for j, t in zip(rows, found["slsqp"], strict=True)
    )
    others = [(f"SLSQP, epigraph, analytic gradients, {len(rows)} weights", times["slsqp"], above)]
    size = f"n = {n:,} per task, d = {DIMENSION}, {len(inner)} weights"
    note = f"The error is the largest value above ours. {gap_note(sweep)}"
    return table(
        "Chebyshev front of two logistic losses", size, ("moltheory, newton", times["ours"], 0.0), others, note
    )


def quadratic(budget: Budget) -> Part:
    n, k = sizes(budget)
    rng = np.random.default_rng(3)
    x = [rng.standard_normal((n, DIMENSION)) for _ in range(2)]
    y = [a @ rng.standard_normal(DIMENSION) + rng.standard_normal(n) for a in x]
    w, rows = path(k), some(k, 10)
    chosen = [WeightedSum(one) for one in w]

    def ours():
        curvature = [a.T @ a / n for a in x]
        linear = [a.T @ b / n for a, b in zip(x, y, strict=True)]
        made = QuadraticObjectives.from_expansion(curvature, linear, [b @ b / n for b in y])
        return made, mt.solve_front(made, scalarizations=chosen)

    program = Cvxpy(x, y, squared=True)
    times, found = times_in_turn(
        {"ours": ours, "cvxpy": lambda: program.solved(w[rows])},
        budget.pick(9, 3, 1),
        of={"cvxpy": len(rows) / k},
        inner={"ours": 25},
    )
    made, sweep = found["ours"]
    error = np.abs(made.risks(found["cvxpy"]) - sweep.points[rows]).max()
    others = [(f"cvxpy DPP on the QR factors, {len(rows)} weights", times["cvxpy"], error)]
    size = f"n = {n:,}, d = {DIMENSION}, {k} weights"
    return table("front of two quadratic losses", size, ("moltheory, closed form", times["ours"], 0.0), others, "")


def ball(budget: Budget) -> Part:
    (n, k), radius = sizes(budget), 0.5
    x, y = data(n)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE, ball=NormBall(radius))
    w, rows = path(k), some(k, 3)
    chosen = [WeightedSum(one) for one in w]
    program = Cvxpy(x, y, ridge=RIDGE, radius=radius)
    times, found = times_in_turn(
        {
            "ours": lambda: mt.solve_front(objectives, scalarizations=chosen),
            "cvxpy": lambda: program.solved(w[rows]),
        },
        budget.pick(3, 1),
        of={"cvxpy": len(rows) / k},
        inner={"ours": 3},
    )
    error = np.abs(objectives.risks(found["cvxpy"]) - found["ours"].points[rows]).max()
    others = [(f"cvxpy DPP, Clarabel, {len(rows)} weights", times["cvxpy"], error)]
    size = f"n = {n:,} per task, d = {DIMENSION}, radius {radius}, {k} weights"
    ours = "moltheory, newton", times["ours"], 0.0
    return table("front of two logistic losses in a ball", size, ours, others, gap_note(found["ours"]))


def replicates(budget: Budget) -> Part:
    total, k, n = budget.pick((1000, 50, 500), (20, 50, 500), (6, 5, 50))
    x, y = data(n, batch=(total,))
    objectives, w = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE), path(k)
    count, rows, chosen = 3, some(k, 4), [WeightedSum(one) for one in w]
    entries = [([a[r] for a in x], [b[r] for b in y]) for r in range(count)]
    programs = [Cvxpy(a, b, ridge=RIDGE) for a, b in entries]
    times, found = times_in_turn(
        {
            "ours": lambda: mt.solve_front(objectives, scalarizations=chosen),
            "loop": lambda: np.array([sklearn_loop(a, b, w, 1e-11) for a, b in entries]),
            "cvxpy": lambda: np.array([program.solved(w[rows]) for program in programs]),
        },
        budget.pick(3, 1),
        of={"loop": count / total, "cvxpy": count / total * len(rows) / k},
    )
    few = ConvexObjectives([a[:count] for a in x], [b[:count] for b in y], losses="logistic", ridge=RIDGE)
    sweep = found["ours"]
    error = np.abs(few.risks(found["loop"]) - sweep.points[:count]).max()
    others = [(f"scikit-learn newton-cholesky loop, {count} replicates", times["loop"], error)]
    error = np.abs(few.risks(found["cvxpy"]) - sweep.points[:count, rows]).max()
    others.append((f"cvxpy DPP, {len(rows)} weights of each of {count} replicates", times["cvxpy"], error))
    size = f"{total:,} replicates x {k} weights, n = {n}, d = {DIMENSION}"
    ours = "moltheory, newton", times["ours"], 0.0
    return table("fronts of two logistic losses, many samples", size, ours, others, gap_note(sweep))


def growth(budget: Budget) -> Part:
    chosen, rows = [WeightedSum(one) for one in path(10)], []
    for total in budget.pick((1000, 10_000, 100_000), (1000, 2000), (1000,)):
        spent = 0.0
        for block in range(total // 1000):
            x, y = data(50, seed=block, batch=(1000,), d=5)
            objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
            work = {"ours": lambda o=objectives: mt.solve_front(o, scalarizations=chosen)}
            spent += times_in_turn(work, 1, warm=())[0]["ours"].median
        rows.append([f"{total:,}", Times((spent,)), Times((spent,), total)])
    in_replicates = Table(
        ["replicates", "time of solving", "time per replicate"],
        rows,
        title="Replicates: n = 50, d = 5, 10 weights, drawn and solved 1,000 at a time",
    )
    rows, (x, y) = [], data(50, batch=(100,), d=5)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    for k in budget.pick((100, 1000, 10_000), (100, 1000), (10,)):
        weights = [WeightedSum(one) for one in path(k)]
        work = {"ours": lambda c=weights: mt.solve_front(objectives, scalarizations=c)}
        spent = times_in_turn(work, 3, warm=())[0]["ours"].median
        rows.append([f"{k:,}", Times((spent,)), Times((spent,), 100 * k)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    in_weights = Table(
        ["weights", "time of solving", "time per weight and replicate"],
        rows,
        [f"Peak memory of both tables {peak:.0f} MB."],
        title="Weights: n = 50, d = 5, 100 replicates",
    )
    return Part([in_replicates, in_weights])


BENCHMARK = Benchmark(
    name="solvers",
    title="Solvers: fronts of infinite classes",
    compares="Fronts with a certified gap beside loops over scikit-learn, cvxpy with parameters, and SLSQP.",
    # First what moltheory does alone, so that the peak memory up to there is its own.
    parts={
        "growth": growth,
        "logistic": logistic,
        "chebyshev": chebyshev,
        "quadratic": quadratic,
        "ball": ball,
        "replicates": replicates,
    },
    seconds=(80, 12),
    peers=("scikit-learn", "cvxpy", "scipy"),
)
