"""Speed of solve_front against the loops people write: scikit-learn, cvxpy with parameters, SLSQP.

Prints a markdown table. Usage::

    python benchmarks/solvers.py [--quick] [--out benchmarks/results/solvers.md]

Every contestant solves the same problem; "front error" is the largest difference of its risks from ours solved
to a gap of 1e-14. cvxpy, SLSQP and the loops over replicates solve a few rows; their time is extrapolated. The
contestants of a table run in turn, several rounds of them, and the median of each is shown. Seconds are CPU time of the
process, of one thread, so that what else runs on the machine counts less.
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
from moltheory.objectives import ConvexObjectives, NormBall, QuadraticObjectives
from moltheory.scalarization import Chebyshev, WeightedSum

RIDGE, DIMENSION = 1e-3, 20


def clock(function, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return float(np.median(times)), result


def in_turn(rounds, *functions):
    """Run functions that return (seconds, result) in turn; the median seconds and last result of each."""
    found = [[function() for function in functions] for _ in range(rounds)]
    return [(float(np.median([one[k][0] for one in found])), found[-1][k][1]) for k in range(len(functions))]


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


def cvxpy_loop(x, y, weights, rows, *, squared=False, radius=None):
    """Seconds for all weights, from the median of the rows, and the solutions of the rows."""
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
    limits = [] if radius is None else [cp.norm(theta) <= radius]
    program = cp.Problem(cp.Minimize(share[0] * losses[0] + share[1] * losses[1]), limits)
    times, found = [], []
    # The first solve compiles the program and is left out.
    for j in (rows[0], *rows):
        share.value = weights[j]
        start = time.process_time()
        program.solve(solver=cp.CLARABEL)
        times.append(time.process_time() - start)
        found.append(theta.value)
    return float(np.median(times[1:])) * len(weights), np.array(found[1:])


def slsqp_loop(objectives, weights, rows):
    found, start = [], time.process_time()
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
    return (time.process_time() - start) / len(rows) * len(weights), np.array(found)


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(label, seconds, ours, error):
    return f"| {label} | {seconds:.4g} | {seconds / ours:.3g} | {error:.1e} |"


HEAD = ["| contestant | seconds | times ours | front error |", "|---|---|---|---|"]


def one_logistic(lines, quick):
    n, k = (500, 20) if quick else (2000, 100)
    x, y = data(n)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    w = path(k)
    chosen = [WeightedSum(one) for one in w]
    reference = mt.solve_front(objectives, scalarizations=chosen, tolerance=3e-14).points
    rows = np.linspace(0, k - 1, 3).astype(int)
    (seconds, sweep), *others, (slow, theta) = in_turn(
        1 if quick else 3,
        lambda: clock(lambda: mt.solve_front(objectives, scalarizations=chosen), 5),
        *[lambda tol=tol: clock(lambda: sklearn_loop(x, y, w, tol), 1) for tol in (1e-4, 1e-11)],
        lambda: cvxpy_loop(x, y, w, rows),
    )
    lines += [f"\n## Two logistic losses: n={n} per task, d={DIMENSION}, ridge {RIDGE}, {k} weights\n", *HEAD]
    lines.append(row("moltheory, newton", seconds, seconds, np.abs(sweep.points - reference).max()))
    for tol, (time_of_one, found) in zip((1e-4, 1e-11), others, strict=True):
        error = np.abs(objectives.risks(found) - reference).max()
        lines.append(row(f"scikit-learn newton-cholesky loop, tol {tol:g}", time_of_one, seconds, error))
    error = np.abs(objectives.risks(theta) - reference[rows]).max()
    lines.append(row("cvxpy DPP, Clarabel, 3 weights", slow, seconds, error))
    lines.append(f"\nLargest certified gap {sweep.gap.max():.1e}.")

    inner = w[1:-1]
    maxima = [Chebyshev(one) for one in inner]
    rows = np.linspace(0, len(inner) - 1, 3 if quick else 10).astype(int)
    (seconds, sweep), (slow, theta) = in_turn(
        1 if quick else 3,
        lambda: clock(lambda: mt.solve_front(objectives, scalarizations=maxima), 2),
        lambda: slsqp_loop(objectives, inner, rows),
    )
    lines += [f"\n## Chebyshev of the same two logistic losses, {len(inner)} weights\n"]
    lines += [HEAD[0].replace("front error", "largest value above ours"), HEAD[1]]
    lines.append(row("moltheory, newton", seconds, seconds, 0.0))
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
        curvature = [a.T @ a / n for a in x]
        linear = [a.T @ b / n for a, b in zip(x, y, strict=True)]
        made = QuadraticObjectives.from_expansion(curvature, linear, [b @ b / n for b in y])
        return made, mt.solve_front(made, scalarizations=chosen)

    rows = np.linspace(0, k - 1, 10).astype(int)
    (seconds, (made, sweep)), (slow, theta) = in_turn(
        3 if quick else 9, lambda: clock(ours, 25), lambda: cvxpy_loop(x, y, w, rows, squared=True)
    )
    lines += [f"\n## Two quadratic losses from data: n={n}, d={DIMENSION}, {k} weights\n", *HEAD]
    lines.append(row("moltheory, closed form, products included", seconds, seconds, 0.0))
    error = np.abs(made.risks(theta) - sweep.points[rows]).max()
    lines.append(row("cvxpy DPP on the QR factors, 10 weights", slow, seconds, error))


def in_a_ball(lines, quick):
    n, k, radius = (500, 20, 0.5) if quick else (2000, 100, 0.5)
    x, y = data(n)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE, ball=NormBall(radius))
    w = path(k)
    chosen = [WeightedSum(one) for one in w]
    rows = np.linspace(0, k - 1, 3).astype(int)
    (seconds, sweep), (slow, theta) = in_turn(
        1 if quick else 3,
        lambda: clock(lambda: mt.solve_front(objectives, scalarizations=chosen), 3),
        lambda: cvxpy_loop(x, y, w, rows, radius=radius),
    )
    lines += [f"\n## The same two logistic losses in the ball of radius {radius}, {k} weights\n", *HEAD]
    lines.append(row("moltheory, newton", seconds, seconds, 0.0))
    error = np.abs(objectives.risks(theta) - sweep.points[rows]).max()
    lines.append(row("cvxpy DPP, Clarabel, 3 weights", slow, seconds, error))
    lines.append(f"\nLargest certified gap {sweep.gap.max():.1e}; rigorous everywhere: {bool(sweep.rigorous.all())}.")


def replicates(lines, quick):
    total, k, n = (20, 50, 500) if quick else (1000, 50, 500)
    w = path(k)
    chosen = [WeightedSum(one) for one in w]
    x, y = data(n, batch=(total,))
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    count, rows = 3, np.linspace(0, k - 1, 4).astype(int)
    entries = [([a[r] for a in x], [b[r] for b in y]) for r in range(count)]

    def programs():
        found = [cvxpy_loop(a, b, w, rows) for a, b in entries]
        return float(np.mean([one[0] for one in found])) * total, np.array([one[1] for one in found])

    def loops():
        seconds, found = clock(lambda: [sklearn_loop(a, b, w, 1e-11) for a, b in entries], 1)
        return seconds / count * total, np.array(found)

    (seconds, sweep), (loop, first), (slow, theta) = in_turn(
        1 if quick else 3,
        lambda: clock(lambda: mt.solve_front(objectives, scalarizations=chosen), 1),
        loops,
        programs,
    )
    lines += [f"\n## {total} replicates x {k} weights, logistic, n={n}, d={DIMENSION}\n", *HEAD]
    lines.append(row("moltheory, newton", seconds, seconds, 0.0))
    few = ConvexObjectives([a[:count] for a in x], [b[:count] for b in y], losses="logistic", ridge=RIDGE)
    error = np.abs(few.risks(first) - sweep.points[:count]).max()
    lines.append(row(f"scikit-learn newton-cholesky loop, {count} replicates", loop, seconds, error))
    error = np.abs(few.risks(theta) - sweep.points[:count, rows]).max()
    lines.append(row(f"cvxpy DPP, {len(rows)} weights of each of {count} replicates", slow, seconds, error))
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
    lines += ["\n## Growth in weights (n=50, d=5, 100 replicates)\n"]
    lines += ["| weights | seconds solving | microseconds per weight and replicate |", "|---|---|---|"]
    x, y = data(50, batch=(100,), d=5)
    objectives = ConvexObjectives(x, y, losses="logistic", ridge=RIDGE)
    for k in (100, 1000) if quick else (100, 1000, 10_000):
        chosen = [WeightedSum(one) for one in path(k)]
        spent = clock(lambda c=chosen: mt.solve_front(objectives, scalarizations=c), 3)[0]
        lines.append(f"| {k} | {spent:.3g} | {1e6 * spent / (100 * k):.4g} |")
    lines.append(f"\nPeak memory of both tables on growth {peak_memory():.0f} MB, imports of all contestants included.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = ["# Solvers: fronts of infinite classes"]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # First what moltheory does alone, so that the peak memory up to there is its own.
        for part in (growth, one_logistic, one_quadratic, in_a_ball, replicates):
            part(lines, given.quick)
    lines.append(
        f"\nPeak memory of all contestants together {peak_memory():.0f} MB. Python {platform.python_version()}, numpy "
        f"{np.__version__}, scipy {scipy.__version__}, scikit-learn "
        f"{sklearn.__version__}, cvxpy {cp.__version__}; one thread, seconds of "
        f"CPU time."
    )
    text = "\n".join(lines) + "\n"
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
