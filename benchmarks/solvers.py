"""Speed of solve_front against the loops people write: scikit-learn, cvxpy with parameters, SLSQP.

Prints a markdown table. Usage::

    python benchmarks/solvers.py [--quick] [--out benchmarks/results/solvers.md]

Every contestant solves the same problem; "front error" is the largest difference of its risks from ours solved
to a gap of 1e-14. cvxpy, SLSQP and the loops over replicates solve a few rows; their time is extrapolated.
"""

import argparse
import platform
import resource
import time
import warnings
from pathlib import Path

import cvxpy as cp
import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import moltheory as mt
from moltheory.objectives import ConvexObjectives, QuadraticObjectives
from moltheory.scalarization import Chebyshev, WeightedSum

RIDGE, DIMENSION = 1e-3, 20


def clock(function, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def data(n, seed=0, batch=(), d=DIMENSION):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((2, d)) / 2
    x = [rng.standard_normal((*batch, n, d)) for _ in range(2)]
    y = [(rng.random(a.shape[:-1]) < 1 / (1 + np.exp(-a @ t))).astype(float) for a, t in zip(x, truth, strict=True)]
    return x, y


def path(k):
    t = np.linspace(0, 1, k)
    return np.stack([t, 1 - t], axis=1)


def sklearn_loop(x, y, weights, tol):
    stacked, labels = np.concatenate(x), np.concatenate(y)
    found = []
    for w in weights:
        share = np.repeat(w / len(x[0]), len(x[0]))
        model = LogisticRegression(C=1 / RIDGE, fit_intercept=False, solver="newton-cholesky", tol=tol, max_iter=100)
        found.append(model.fit(stacked, labels, sample_weight=share).coef_[0])
    return np.array(found)


def cvxpy_loop(x, y, weights, rows, *, squared=False):
    theta, share = cp.Variable(DIMENSION), cp.Parameter(2, nonneg=True)
    if squared:
        # The factors of a QR decomposition carry all that the data say.
        losses = []
        for a, b in zip(x, y, strict=True):
            q, r = np.linalg.qr(a)
            rest = (b @ b - np.sum((q.T @ b) ** 2)) / len(b)
            losses.append(cp.sum_squares(r @ theta - q.T @ b) / len(b) + rest)
    else:
        losses = [
            cp.sum(cp.logistic(cp.multiply(1 - 2 * b, a @ theta))) / len(b) + RIDGE / 2 * cp.sum_squares(theta)
            for a, b in zip(x, y, strict=True)
        ]
    program = cp.Problem(cp.Minimize(share[0] * losses[0] + share[1] * losses[1]))
    times, found = [], []
    for j in rows:
        share.value = weights[j]
        start = time.perf_counter()
        program.solve(solver=cp.CLARABEL)
        times.append(time.perf_counter() - start)
        found.append(theta.value)
    # The first solve compiles the program and is left out.
    return float(np.median(times[1:])) * len(weights), np.array(found)


def slsqp_loop(objectives, weights, rows):
    found, start = [], time.perf_counter()
    part = objectives.part(slice(None))
    for j in rows:
        w = weights[j]
        limits = {
            "type": "ineq",
            "fun": lambda v, w=w: v[-1] - w * part.values(v[None, None, :-1])[0, 0],
            "jac": lambda v, w=w: np.c_[-w[:, None] * part.gradients(v[None, None, :-1])[0, 0], np.ones(2)],
        }
        goal = np.eye(DIMENSION + 1)[-1]
        first = np.r_[np.zeros(DIMENSION), 1.0]
        result = minimize(
            lambda v: v[-1],
            first,
            jac=lambda v, g=goal: g,
            constraints=[limits],
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        found.append(result.x[:-1])
    return (time.perf_counter() - start) / len(rows) * len(weights), np.array(found)


def row(label, seconds, ours, error):
    return f"| {label} | {seconds:.4g} | {seconds / ours:.3g} | {error:.1e} |"


HEAD = ["| contestant | seconds | times ours | front error |", "|---|---|---|---|"]


def one_logistic(lines, quick):
    n, k = (500, 20) if quick else (2000, 100)
    x, y = data(n)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    w = path(k)
    chosen = [WeightedSum(one) for one in w]
    seconds, sweep = clock(lambda: mt.solve_front(objectives, scalarizations=chosen), 3 if quick else 7)
    reference = mt.solve_front(objectives, scalarizations=chosen, tolerance=1e-14).points
    lines += [f"\n## Two logistic losses: n={n} per task, d={DIMENSION}, ridge {RIDGE}, {k} weights\n", *HEAD]
    lines.append(row("moltheory, newton", seconds, seconds, np.abs(sweep.points - reference).max()))
    for tol in (1e-4, 1e-11):
        slow, theta = clock(lambda tol=tol: sklearn_loop(x, y, w, tol), 1 if quick else 3)
        error = np.abs(objectives.risks(theta) - reference).max()
        lines.append(row(f"scikit-learn newton-cholesky loop, tol {tol:g}", slow, seconds, error))
    rows = np.linspace(0, k - 1, 4).astype(int)
    slow, theta = cvxpy_loop(x, y, w, rows)
    lines.append(
        row("cvxpy DPP, Clarabel, 3 weights", slow, seconds, np.abs(objectives.risks(theta) - reference[rows]).max())
    )
    lines.append(f"\nLargest certified gap {sweep.gap.max():.1e}.")

    inner = w[1:-1]
    maxima = [Chebyshev(one) for one in inner]
    seconds, sweep = clock(lambda: mt.solve_front(objectives, scalarizations=maxima), 3)
    lines += [f"\n## Chebyshev of the same two logistic losses, {len(inner)} weights\n"]
    lines += [HEAD[0].replace("front error", "largest value above ours"), HEAD[1]]
    lines.append(row("moltheory, newton", seconds, seconds, 0.0))
    rows = np.linspace(0, len(inner) - 1, 3 if quick else 10).astype(int)
    slow, theta = slsqp_loop(objectives, inner, rows)
    above = max(
        float(maxima[j](objectives.risks(t[None])[0]) - sweep.values[j]) for j, t in zip(rows, theta, strict=True)
    )
    lines.append(row(f"SLSQP, epigraph, analytic gradients, {len(rows)} weights", slow, seconds, above))
    lines.append(f"\nLargest certified gap {sweep.gap.max():.1e}.")


def one_quadratic(lines, quick):
    n, k = (500, 20) if quick else (2000, 100)
    rng = np.random.default_rng(3)
    x = [rng.standard_normal((n, DIMENSION)) for _ in range(2)]
    y = [a @ rng.standard_normal(DIMENSION) + rng.standard_normal(n) for a in x]
    w = path(k)
    chosen = [WeightedSum(one) for one in w]

    def ours():
        curvature = np.stack([a.T @ a / n for a in x])
        linear = np.stack([a.T @ b / n for a, b in zip(x, y, strict=True)])
        made = QuadraticObjectives.from_expansion(curvature, linear, [b @ b / n for b in y])
        return made, mt.solve_front(made, scalarizations=chosen)

    seconds, (made, sweep) = clock(ours, 25)
    lines += [f"\n## Two quadratic losses from data: n={n}, d={DIMENSION}, {k} weights\n", *HEAD]
    lines.append(row("moltheory, closed form, products included", seconds, seconds, 0.0))
    rows = np.linspace(0, k - 1, 11).astype(int)
    slow, theta = cvxpy_loop(x, y, w, rows, squared=True)
    lines.append(
        row(
            "cvxpy DPP on the QR factors, 10 weights",
            slow,
            seconds,
            np.abs(made.risks(theta) - sweep.points[rows]).max(),
        )
    )


def replicates(lines, quick):
    total, k, n = (20, 50, 500) if quick else (1000, 50, 500)
    w = path(k)
    chosen = [WeightedSum(one) for one in w]
    x, y = data(n, batch=(total,))
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    seconds, sweep = clock(lambda: mt.solve_front(objectives, scalarizations=chosen), 1)
    lines += [f"\n## {total} replicates x {k} weights, logistic, n={n}, d={DIMENSION}\n", *HEAD]
    lines.append(row("moltheory, newton", seconds, seconds, 0.0))
    count = 1 if quick else 3
    slow, theta = clock(lambda: [sklearn_loop([a[r] for a in x], [b[r] for b in y], w, 1e-11) for r in range(count)], 1)
    first = ConvexObjectives([a[:count] for a in x], [b[:count] for b in y], losses="logistic", ridge=RIDGE)
    error = np.abs(first.risks(np.array(theta)) - sweep.points[:count]).max()
    lines.append(row(f"scikit-learn newton-cholesky loop, {count} replicates", slow / count * total, seconds, error))
    rows = np.linspace(0, k - 1, 4).astype(int)
    slow, theta = cvxpy_loop([a[0] for a in x], [b[0] for b in y], w, rows)
    one = ConvexObjectives([a[0] for a in x], [b[0] for b in y], losses="logistic", ridge=RIDGE)
    error = np.abs(one.risks(theta) - sweep.points[0, rows]).max()
    lines.append(row("cvxpy DPP, 3 weights of 1 replicate", slow * total, seconds, error))
    lines.append(f"\nLargest certified gap {sweep.gap.max():.1e}; rigorous everywhere: {bool(sweep.rigorous.all())}.")


def growth(lines, quick):
    lines += ["\n## Growth in replicates (n=50, d=5, 10 weights, drawn and solved 1,000 at a time)\n"]
    lines += ["| replicates | seconds solving | microseconds per replicate |", "|---|---|---|"]
    chosen = [WeightedSum(one) for one in path(10)]
    for total in (1000, 2000) if quick else (1000, 10_000, 100_000):
        spent = 0.0
        for block in range(total // 1000):
            x, y = data(50, seed=block, batch=(1000,), d=5)
            objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
            spent += clock(lambda o=objectives: mt.solve_front(o, scalarizations=chosen), 1)[0]
        lines.append(f"| {total} | {spent:.3g} | {1e6 * spent / total:.4g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = ["# Solvers: fronts of infinite classes"]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in (one_logistic, one_quadratic, replicates, growth):
            part(lines, given.quick)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines.append(
        f"\nPeak memory of all contestants together {peak:.0f} MB. Python {platform.python_version()}, numpy "
        f"{np.__version__}, scipy {scipy.__version__}, scikit-learn "
        f"{sklearn.__version__}, cvxpy {cp.__version__}; one thread."
    )
    text = "\n".join(lines) + "\n"
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
