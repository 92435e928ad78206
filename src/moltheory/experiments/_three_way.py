"""Descent with dynamic weights: optimization, generalization and conflict avoidance, each measured against the truth."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_vector
from moltheory.errors import InvalidInputError
from moltheory.experiments._multi_gradient import Descent, least_norm_weights
from moltheory.experiments._replicates import check_problem, check_sizes, run_sizes
from moltheory.problems import MultiTaskLeastSquares
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["three_way_trade_off"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 25
# Of the columns.
_ROW_BYTES = 72
_MEASURED = ("optimization", "generalization", "population", "stability", "conflict")


@document
def three_way_trade_off(
    problem: MultiTaskLeastSquares,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    learning_rates: Sequence[float] = (0.01,),
    weight_rates: Sequence[float] = (0.0, 0.01, math.inf),
    steps: Sequence[int] = (100, 1000),
    weights: npt.ArrayLike | None = None,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    r"""Simulate stochastic multi-gradient descent, and measure the errors that its step sizes trade.

    The MoDo algorithm: from three examples of each task per step,
    :math:`\lambda_{t+1} = \Pi(\lambda_t - \gamma\, \nabla F_{z_1}(\theta_t)' \nabla F_{z_2}(\theta_t) \lambda_t)`,
    projected onto the simplex, and :math:`\theta_{t+1} = \theta_t - \alpha \nabla F_{z_3}(\theta_t) \lambda_{t+1}`. Weights
    are static for gamma = 0; for gamma = inf they minimise the norm of the combined empirical gradient in every step
    (MGDA, with sampled steps).

    Parameters
    ----------
    problem : MultiTaskLeastSquares
        Losses are squares; an example is one of every task.
    sizes : iterable of int
        Examples of each task, distinct and >= 1.
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for any `n_jobs`, with a `store` or without.
    learning_rates : sequence of float, default (0.01,)
        Step sizes alpha > 0 of the parameters.
    weight_rates : sequence of float, default (0, 0.01, inf)
        Step sizes gamma >= 0 of the weights.
    steps : sequence of int, default (100, 1000)
        Numbers of steps after which the errors are measured, increasing and >= 1.
    weights : (N,) array_like, optional
        First weights, on the simplex; equal by default.
    {n_jobs}
    store : path or URL, optional
        As in `asymmetry`.

    Returns
    -------
    pandas.DataFrame
        One row per sample, pair of rates and number of steps: ``size``, ``replicate``, ``learning_rate``,
        ``weight_rate``, ``steps``; ``optimization``, the least norm :math:`\min_\lambda \|\nabla \hat L(\theta) \lambda\|`
        over the simplex, how far the iterate is from being Pareto stationary on the sample; ``population``, the same
        for the true risks, exact; ``generalization``, population - optimization; ``stability``, the distance
        between the iterates of the sample and of a neighbor with one example replaced, for the same choices of
        examples; ``conflict``, the mean over the steps of
        :math:`\|\nabla \hat L(\theta_t)(\lambda_{t+1} - \lambda^*(\theta_t))\|^2`, the squared distance of the combined
        gradient from that of least norm.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or `store` holds anything else than this run.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.
    SolverError
        If the iterates diverge: the learning rate is too large for the features.

    Notes
    -----
    Descent starts at 0. All rates see the same samples and examples. With gamma = inf the conflict is 0. The paper's
    uniform stability is a supremum over neighbors of an expectation over the choices; here one random neighbor is
    drawn for each sample. Least norms are found over all faces of the simplex.

    Complexity: O(R C T) steps for R samples and C pairs of rates; each takes O(N d^2 + 2^N N^3).

    References
    ----------
    L. Chen, H. Fernando, Y. Ying and T. Chen (2023), Three-way trade-off in multi-objective learning: optimization,
    generalization and conflict-avoidance, NeurIPS, arXiv 2305.20057. The problems here are the project's own choice.

    Examples
    --------
    >>> problem = MultiTaskLeastSquares([np.eye(2), 4 * np.eye(2)], [[1, 0], [0, 1]], [0.2, 0.2])
    >>> given = {"learning_rates": [0.003], "weight_rates": [0.0, 0.001, 0.1], "steps": [100]}
    >>> table = three_way_trade_off(problem, sizes=[20], replicates=20, rng=0, **given)
    >>> means = table.groupby("weight_rate")[["stability", "conflict"]].mean()
    >>> bool(means["stability"].is_monotonic_increasing), float(means["conflict"].idxmin())
    (True, 0.001)
    """
    import pandas as pd

    check_problem(problem, MultiTaskLeastSquares)
    chosen, rows = check_sizes(sizes), check_count("replicates", replicates)
    rates = check_vector("learning_rates", learning_rates, low=0.0, strict=True)
    gammas = check_vector("weight_rates", weight_rates, low=0.0, finite=False)
    stops = _check_steps(steps)
    start = _check_start(weights, problem.n_tasks)
    pairs = list(itertools.product(rates.tolist(), gammas.tolist()))
    columns = ["learning_rate", "weight_rate", "steps"]
    parts = run_sizes(
        _simulate_block,
        problem,
        (pairs, stops, start),
        experiment="three_way_trade_off",
        parameters={
            # JSON has no infinity.
            "rates": [[alpha, str(gamma)] for alpha, gamma in pairs],
            "steps": stops,
            "weights": start.tolist(),
        },
        sizes=chosen,
        replicates=rows,
        block=_BLOCK,
        row_bytes=_ROW_BYTES * len(pairs) * len(stops),
        block_bytes=8.0
        * _BLOCK
        * (problem.n_tasks * problem.dimension * (2 * max(chosen) + 60 * len(pairs)) + 3 * stops[-1]),
        rng=rng,
        n_jobs=n_jobs,
        store=store,
    )
    frames = []
    for size, part in zip(chosen, parts, strict=True):
        index = [
            (r, alpha, gamma, stop) for r in range(rows) for (alpha, gamma), stop in itertools.product(pairs, stops)
        ]
        frame = pd.DataFrame(index, columns=["replicate", *columns])
        frame.insert(0, "size", size)
        for name in _MEASURED:
            frame[name] = part[name]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _check_steps(steps: Sequence[int]) -> list[int]:
    values = [check_count("steps", value) for value in (steps if isinstance(steps, Iterable) else [steps])]
    if not values or sorted(set(values)) != values:
        raise InvalidInputError(f"`steps` must be increasing and not empty, got {values}.")
    return values


def _check_start(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    if weights is None:
        return np.full(n, 1.0 / n)
    start = check_vector("weights", weights, length=n, low=0.0)
    if abs(start.sum() - 1.0) > 1e-9:
        raise InvalidInputError(f"`weights` must sum to 1, got {start.sum():g}.")
    return start


def _simulate_block(
    problem: MultiTaskLeastSquares,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    pairs: list[tuple[float, float]],
    stops: list[int],
    start: FloatArray,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, f"three_way_trade_off {problem.name}", size, block)
    roots = np.linalg.cholesky(problem.covariances)
    # One example more, which replaces the first one in the neighbor.
    x = rng.standard_normal((length, problem.n_tasks, size + 1, problem.dimension)) @ np.swapaxes(roots, -1, -2)
    noise = problem.noise[:, None] * rng.standard_normal(x.shape[:-1])
    y = np.einsum("rknd,kd->rkn", x, problem.targets) + noise
    examples = rng.integers(0, size, size=(stops[-1], 3, length))
    descent = Descent(x[:, :, :-1], y[:, :, :-1], x[:, :, -1], y[:, :, -1], examples)
    alpha, gamma = np.array(pairs).T
    with np.errstate(over="ignore", invalid="ignore"):
        found = descent.run(alpha, gamma, start, stops)
    measured: dict[str, list[FloatArray]] = {name: [] for name in _MEASURED}
    for theta, conflict in found:
        here = theta[:, :, 0]
        sample = _least_norm(descent.gradients(theta)[:, :, 0])
        true = 2.0 * (problem.covariances @ (here[..., None, :] - problem.targets)[..., None])[..., 0]
        truth = _least_norm(true)
        values = (sample, truth - sample, truth, np.linalg.norm(here - theta[:, :, 1], axis=-1), conflict)
        for name, value in zip(_MEASURED, values, strict=True):
            measured[name].append(value)
    return {name: np.stack(values, axis=-1).reshape(-1) for name, values in measured.items()}


def _least_norm(gradients: FloatArray) -> FloatArray:
    """Least norms (...) of combinations of gradients (..., N, d)."""
    weights = least_norm_weights(gradients)
    found: FloatArray = np.linalg.norm((weights[..., None, :] @ gradients)[..., 0, :], axis=-1)
    return found
