"""Speed of multi-task least squares: batched closed forms against a numpy loop and a cvxpy loop.

Prints a markdown table (medians of repeated runs, alternating between the contestants). Usage::

    python benchmarks/least_squares.py [--quick] [--out benchmarks/results/least_squares.md]

The three contestants draw the same data (same stream, same order) and compute, for every replicate and weight, the
minimiser of the weighted empirical risk and its risks. cvxpy solves a few replicates only; its time is extrapolated.
"""

import argparse
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import cvxpy as cp
import numpy as np
import scipy
from threadpoolctl import threadpool_limits

import moltheory
from moltheory.problems import MultiTaskLeastSquares

N_EXAMPLES, DIMENSION, N_WEIGHTS, SEED = 500, 20, 50, 1


def make_problem() -> MultiTaskLeastSquares:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((2, DIMENSION, DIMENSION))
    covariances = factors @ factors.transpose(0, 2, 1) / DIMENSION + np.eye(DIMENSION)
    return MultiTaskLeastSquares(covariances, rng.standard_normal((2, DIMENSION)), [1.0, 0.5])


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


def seconds(function, *args):
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def long_run(replicates, method):
    """Run many replicates in blocks of 1,000, in a process of its own; return seconds and peak memory in MB."""
    code = (
        "import sys; sys.path.insert(0, 'benchmarks')\n"
        "from least_squares import measure_blocks, threadpool_limits\n"
        f"with threadpool_limits(1): measure_blocks({replicates}, {method!r})"
    )
    root = Path(__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return tuple(float(word) for word in found.stdout.split())


def measure_blocks(replicates, method):
    from moltheory.runs import as_seed_sequence, block_stream

    problem, weights = make_problem(), make_weights()
    total = np.zeros((N_WEIGHTS, 2))
    start = time.perf_counter()
    for block in range(replicates // 1000):
        rng = block_stream(as_seed_sequence(SEED), problem.name, N_EXAMPLES, block)
        solutions, _ = ours(problem, weights, 1000, method, rng)
        total += problem.true.risks(solutions).sum(axis=0)
    elapsed = time.perf_counter() - start
    print(elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make_weights():
    share = np.linspace(0.0, 1.0, N_WEIGHTS)
    return np.stack([share, 1.0 - share], axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer replicates and repetitions")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    replicates, repetitions, n_cvxpy = (200, 3, 1) if options.quick else (1000, 7, 3)
    lengths = (2_000, 4_000) if options.quick else (10_000, 100_000)
    problem, weights = make_problem(), make_weights()

    ours(problem, weights, 10)
    times = {"data": [], "wishart": [], "loop": []}
    for _ in range(repetitions):
        elapsed, (solutions, risks) = seconds(ours, problem, weights, replicates)
        times["data"].append(elapsed)
        times["wishart"].append(seconds(ours, problem, weights, replicates, "wishart")[0])
        elapsed, (expected, expected_risks) = seconds(numpy_loop, problem, weights, replicates)
        times["loop"].append(elapsed)
    gap = max(np.abs(solutions - expected).max(), np.abs(risks - expected_risks).max())
    elapsed, found = seconds(cvxpy_loop, problem, weights, n_cvxpy)
    cvxpy_time = elapsed * replicates / n_cvxpy
    cvxpy_gap = np.abs(found - solutions[:n_cvxpy]).max()
    base = np.median(times["data"])

    def row(label, value, difference):
        return f"| {label} | {value:.3g} | {value / base:.3g} | {difference} |"

    drawing = np.median([seconds(draw_only, replicates)[0] for _ in range(repetitions)])
    lines = [
        f"## Multi-task least squares: {replicates} replicates, n={N_EXAMPLES} per task, d={DIMENSION}, "
        f"{N_WEIGHTS} weights",
        "",
        "| contestant | seconds | times ours | largest difference |",
        "|---|---|---|---|",
        row("moltheory, data drawn", base, "-"),
        row("moltheory, Wishart", np.median(times["wishart"]), "other draws"),
        row("numpy loop, np.linalg.solve", np.median(times["loop"]), f"{gap:.1e}"),
        row(f"cvxpy loop, from {n_cvxpy} replicates", cvxpy_time, f"{cvxpy_gap:.1e}"),
        "",
        f"Drawing the normal variates alone takes {drawing:.3g} s: no contestant that draws data can be faster.",
        "",
        "| long run, blocks of 1,000 | replicates | seconds | microseconds per replicate | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    for method in ("data", "wishart"):
        for length in lengths:
            elapsed, peak = long_run(length, method)
            lines.append(f"| {method} | {length} | {elapsed:.3g} | {1e6 * elapsed / length:.3g} | {peak:.0f} |")
    lines += [
        "",
        f"Median of {repetitions} (cvxpy and long runs: 1). Python {platform.python_version()}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, cvxpy {cp.__version__} (Clarabel, weights as parameters), "
        f"moltheory {moltheory.__version__}; one thread, {platform.machine()}.",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def draw_only(replicates):
    rng = np.random.default_rng(SEED)
    for _ in range(replicates):
        rng.standard_normal((2, N_EXAMPLES, DIMENSION + 1))


if __name__ == "__main__":
    # Matrices are small: threads inside the linear algebra slow every contestant down.
    with threadpool_limits(1):
        main()
