"""Multi-task least squares: batched closed forms against a numpy loop and a cvxpy loop.

The three contestants draw the same data (same stream, same order) and compute, for every replicate and weight, the
minimiser of the weighted empirical risk and its risks. cvxpy solves a few replicates only; its time is extrapolated.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import numpy as np

from moltheory.problems import MultiTaskLeastSquares

from ._processor import ROOT
from ._protocol import Benchmark, Budget, Main, Part, Table, Times, compared, seconds_of, times_in_turn

N_EXAMPLES, DIMENSION, N_WEIGHTS, SEED = 500, 20, 50, 1


def make_problem() -> MultiTaskLeastSquares:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((2, DIMENSION, DIMENSION))
    covariances = factors @ factors.transpose(0, 2, 1) / DIMENSION + np.eye(DIMENSION)
    return MultiTaskLeastSquares(covariances, rng.standard_normal((2, DIMENSION)), [1.0, 0.5])


def make_weights() -> Any:
    share = np.linspace(0.0, 1.0, N_WEIGHTS)
    return np.stack([share, 1.0 - share], axis=1)


def ours(problem, weights, replicates, method="data", rng=SEED):
    sample = problem.sample(N_EXAMPLES, replicates=replicates, rng=rng, method=method)
    solutions = sample.minimisers(weights)
    return solutions, sample.risks(solutions)


def draw(problem, rng):
    """Features and responses of both tasks, from the same variates as `problem.sample`."""
    z = rng.standard_normal((2, N_EXAMPLES, DIMENSION + 1))
    x = [z[k, :, :-1] @ np.linalg.cholesky(problem.covariances[k]).T for k in range(2)]
    y = [x[k] @ problem.targets[k] + problem.noise[k] * z[k, :, -1] for k in range(2)]
    return x, y


def draw_only(replicates):
    rng = np.random.default_rng(SEED)
    for _ in range(replicates):
        rng.standard_normal((2, N_EXAMPLES, DIMENSION + 1))


def numpy_loop(problem, weights, replicates):
    rng = np.random.default_rng(np.random.SeedSequence(SEED))
    solutions = np.empty((replicates, len(weights), DIMENSION))
    risks = np.empty((replicates, len(weights), 2))
    for r in range(replicates):
        x, y = draw(problem, rng)
        a = [x[k].T @ x[k] / N_EXAMPLES for k in range(2)]
        b = [x[k].T @ y[k] / N_EXAMPLES for k in range(2)]
        c = [y[k] @ y[k] / N_EXAMPLES for k in range(2)]
        for j, w in enumerate(weights):
            solutions[r, j] = np.linalg.solve(w[0] * a[0] + w[1] * a[1], w[0] * b[0] + w[1] * b[1])
        for k in range(2):
            risks[r, :, k] = ((solutions[r] @ a[k] - 2.0 * b[k]) * solutions[r]).sum(axis=1) + c[k]
    return solutions, risks


def cvxpy_loop(problem, weights, replicates):
    import cvxpy as cp

    rng = np.random.default_rng(np.random.SeedSequence(SEED))
    solutions = np.empty((replicates, len(weights), DIMENSION))
    for r in range(replicates):
        x, y = draw(problem, rng)
        theta, share = cp.Variable(DIMENSION), cp.Parameter(2, nonneg=True)
        losses = [cp.sum_squares(x[k] @ theta - y[k]) / N_EXAMPLES for k in range(2)]
        program = cp.Problem(cp.Minimize(share[0] * losses[0] + share[1] * losses[1]))
        for j, w in enumerate(weights):
            share.value = w
            program.solve(solver=cp.CLARABEL)
            solutions[r, j] = theta.value
    return solutions


def loops(budget: Budget) -> Part:
    replicates, few = budget.pick((1000, 3), (200, 1), (20, 1))
    problem, weights = make_problem(), make_weights()
    if budget.name == "smoke":
        weights = weights[::10]
    times, found = times_in_turn(
        {
            "data": lambda: ours(problem, weights, replicates),
            "wishart": lambda: ours(problem, weights, replicates, "wishart"),
            "loop": lambda: numpy_loop(problem, weights, replicates),
            "drawing": lambda: draw_only(replicates),
        },
        budget.pick(7, 3, 1),
    )
    spent, by_cvxpy = seconds_of(lambda: cvxpy_loop(problem, weights, few))
    slow = Times((spent,), few / replicates)
    (solutions, risks), (expected, expected_risks) = found["data"], found["loop"]
    gap = max(np.abs(solutions - expected).max(), np.abs(risks - expected_risks).max())
    base = times["data"]
    rows = [
        ["moltheory, data drawn", base, "1", "-"],
        ["moltheory, Wishart", times["wishart"], compared(base, times["wishart"]), "other draws"],
        ["numpy loop, np.linalg.solve", times["loop"], compared(base, times["loop"]), f"{gap:.1e}"],
        [
            f"cvxpy loop, Clarabel, from {few} replicates",
            slow,
            compared(base, slow),
            f"{np.abs(by_cvxpy - solutions[:few]).max():.1e}",
        ],
    ]
    size = f"{replicates:,} replicates, n = {N_EXAMPLES} per task, d = {DIMENSION}, {len(weights)} weights"
    notes = [
        f"{size}.",
        f"Drawing the normal variates alone takes {times['drawing']}: no contestant that draws data can be faster.",
    ]
    main = [
        Main("fronts of multi-task least squares", size, base.median, "numpy loop", times["loop"].median),
        Main("fronts of multi-task least squares", size, base.median, "cvxpy loop", slow.median),
    ]
    return Part([Table(["contestant", "time", "times ours", "largest difference"], rows, notes, main=main)])


def long_runs(budget: Budget) -> Part:
    """Run many replicates in blocks of 1,000, each run in a process of its own: seconds and peak memory."""
    rows = []
    for method in ("data", "wishart"):
        for length in budget.pick((10_000, 100_000), (2_000, 4_000), (1_000,)):
            command = [sys.executable, "-m", "benchmarks.least_squares", str(length), method]
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            elapsed, peak = (float(word) for word in run.stdout.split())
            rows.append([method, f"{length:,}", Times((elapsed,)), Times((elapsed,), length), f"{peak:.0f}"])
    columns = ["long run, blocks of 1,000", "replicates", "time", "time per replicate", "peak memory, MB"]
    return Part([Table(columns, rows)])


def measure_blocks(replicates, method):
    from moltheory.runs import as_seed_sequence, block_stream

    problem, weights = make_problem(), make_weights()
    total = np.zeros((N_WEIGHTS, 2))

    def run():
        for block in range(replicates // 1000):
            rng = block_stream(as_seed_sequence(SEED), problem.name, N_EXAMPLES, block)
            solutions, _ = ours(problem, weights, 1000, method, rng)
            total[:] += problem.true.risks(solutions).sum(axis=0)

    print(seconds_of(run)[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


BENCHMARK = Benchmark(
    name="least_squares",
    title="Multi-task least squares",
    compares="Batched closed forms of least squares beside a numpy loop and a cvxpy loop on the same data.",
    parts={"loops": loops, "long runs": long_runs},
    seconds=(150, 9),
    peers=("numpy", "cvxpy"),
)

if __name__ == "__main__":
    measure_blocks(int(sys.argv[1]), sys.argv[2])
