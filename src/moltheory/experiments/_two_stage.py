r"""Sparse tasks with trade-offs that are not sparse: regularize the trade-off, or the tasks and combine afterwards.

With :math:`L_k(\theta) = \|S_k^{1/2}(\theta - \beta_k)\|^2 + \sigma_k^2` and every beta_k sparse, the trade-off
:math:`\theta(w) = (\sum_k w_k S_k)^{-1} \sum_k w_k S_k \beta_k` is in general not sparse. Three estimators of it:

* *direct*: minimise :math:`\frac12 \sum_k w_k \hat L_k(\theta) + \lambda_w \|\theta\|_1`, for each w;
* *two-stage*: estimate each beta_k by the lasso, minimising :math:`\frac12 \hat L_k(\theta) + \lambda_k \|\theta\|_1`,
  and each S_k by the mean of xx' over the task's inputs, unlabeled ones included; put both into the formula of theta(w);
* *unregularized*: minimise :math:`\sum_k w_k \hat L_k`, the solution of smallest norm where it is not unique.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._shared_state import warnings_as
from moltheory._core._validation import FloatArray, as_readonly, check_count, check_vector, real_array
from moltheory.errors import InvalidInputError, SolverError
from moltheory.experiments._replicates import check_problem, check_sizes, run_sizes
from moltheory.objectives import QuadraticObjectives
from moltheory.problems import MultiTaskLeastSquares
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["two_stage"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 10
# Of the records of which the table is made, and of its columns.
_ROW_BYTES = 70
# Duality gap of the lasso, relative to the mean square of the targets.
_TOLERANCE = 1e-9
_STEPS = 100_000


@document
def two_stage(
    problem: MultiTaskLeastSquares,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    weights: npt.ArrayLike | None = None,
    unlabeled: Sequence[float] = (0,),
    constants: Sequence[float] = (0.5, 1.0, 2.0),
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    r"""Compare direct l1 regularization of a trade-off with two stages, by simulation.

    Parameters
    ----------
    problem : MultiTaskLeastSquares
        With features of unit variance, as the penalties presume; for example `moltheory.problems.sparse_multi_task`.
    sizes : iterable of int
        Labeled examples of each task, distinct and >= 1.
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for any `n_jobs`, with a `store` or without.
    weights : (K, N) array_like, optional
        Nonnegative rows that sum to 1; by default, for two tasks, first weights 0, .1, .25, .5, .75, .9 and 1, and
        otherwise the unit vectors and the center.
    unlabeled : sequence of int or inf, default (0,)
        Numbers of further inputs of each task without labels, which only the two-stage estimator uses; ``inf`` gives it
        the true covariances. The inputs of a larger number hold those of a smaller one.
    constants : sequence of float, default (0.5, 1.0, 2.0)
        Factors c > 0 of the penalties; every one is reported, none is chosen.
    {n_jobs}
    store : path or URL, optional
        As in `asymmetry`.

    Returns
    -------
    pandas.DataFrame
        One row per sample, weights and estimator: ``size``, ``replicate``, ``weight_1`` and so on, ``method``
        (``"direct"``, ``"two-stage"``, ``"unregularized"``), ``constant`` and ``unlabeled`` (NaN where without
        meaning); ``excess``, the excess of the weighted true risk, :math:`\sum_k w_k L_k(\hat\theta) - \min_\theta
        \sum_k w_k L_k(\theta)`, exact for the estimate; ``n_nonzero``, entries of the estimate that are not 0.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or `store` holds anything else than this run.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.
    SolverError
        If a lasso does not reach its duality gap.

    Notes
    -----
    The penalties are :math:`\lambda = c\,\tau \sqrt{\log d / n}`, tau being sigma_k for task k and
    :math:`(\sum_k w_k^2 \sigma_k^2)^{1/2}` for the direct estimator: the standard deviation of an entry of the noise's
    part in the gradient is :math:`\tau / \sqrt n`. The rule knows the noise, not the truth, and no constant is tuned in
    hindsight. It leaves out that at theta(w) the residuals also hold x'(beta_k - theta(w)). At unit weights direct and
    two-stage agree whenever the estimated covariance is nonsingular. If the estimated covariances leave theta(w)
    undetermined (few inputs), the solution of smallest norm is taken, and near that threshold, n + unlabeled = d / N,
    it is unstable. Each lasso is solved by coordinate descent (scikit-learn) to a relative duality gap of 1e-9.

    With the true covariances (``inf``) the excess of the two-stage estimator is at most the weighted sum of the excesses
    that the lassos have in their own tasks; `moltheory.bounds.two_stage_excess` bounds it for estimated ones too.

    Complexity: O(R) lassos of d features for each size, times weights and constants.

    References
    ----------
    T. Wegel, F. Kovačević, A. Ţifrea and F. Yang (2025), Learning Pareto manifolds in high dimensions: how can
    regularization help?, AISTATS, arXiv 2503.08849. The penalties and designs here are the project's own choice.

    Examples
    --------
    >>> from moltheory.problems import sparse_multi_task
    >>> table = two_stage(sparse_multi_task(20, sparsity=2), sizes=[100], replicates=4, rng=0, unlabeled=[0, 1000])
    >>> trade_offs = table[table["weight_1"] == 0.5]
    >>> best = trade_offs[trade_offs["constant"].isin([1.0])].groupby(["method", "unlabeled"], dropna=False)["excess"]
    >>> best.mean().idxmin()[0]
    'two-stage'
    """
    import pandas as pd

    check_problem(problem, MultiTaskLeastSquares)
    if problem.noise.min() == 0.0:
        raise InvalidInputError("`problem` must have noise in every task, as the penalties are proportional to it.")
    chosen, rows = check_sizes(sizes), check_count("replicates", replicates)
    w = _check_weights(weights, problem.n_tasks)
    inputs, factors = _check_unlabeled(unlabeled), check_vector("constants", constants, low=0.0, strict=True).tolist()
    parts = run_sizes(
        _simulate_block,
        problem,
        (w, inputs, factors),
        experiment="two_stage",
        parameters={
            "weights": w.tolist(),
            # JSON has no infinity.
            "unlabeled": [str(count) for count in inputs],
            "constants": factors,
        },
        sizes=chosen,
        replicates=rows,
        block=_BLOCK,
        row_bytes=_ROW_BYTES * len(w) * (len(factors) * (1 + len(inputs)) + 1),
        block_bytes=64.0 * max(chosen) * problem.n_tasks * problem.dimension,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
    )
    methods = [
        *(("direct", c, math.nan) for c in factors),
        ("unregularized", math.nan, math.nan),
        *(("two-stage", c, float(m)) for m, c in itertools.product(inputs, factors)),
    ]
    frames = []
    for size, part in zip(chosen, parts, strict=True):
        index = itertools.product(range(rows), methods, w.tolist())
        records = [(size, r, *row, *method) for r, method, row in index]
        names = ["size", "replicate", *(f"weight_{k + 1}" for k in range(problem.n_tasks))]
        frame = pd.DataFrame(records, columns=[*names, "method", "constant", "unlabeled"])
        for column in ("excess", "n_nonzero"):
            frame[column] = part[column]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _check_weights(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    if weights is None:
        if n == 2:
            first = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
            return as_readonly(np.stack([first, 1.0 - first], axis=1))
        return as_readonly(np.concatenate([np.eye(n), np.full((1, n), 1.0 / n)]))
    w = real_array("weights", weights, shape=f"(K, {n})", min_ndim=2, max_ndim=2)
    if w.shape[1] != n or w.min() < 0.0 or np.abs(w.sum(axis=1) - 1.0).max() > 1e-9:
        raise InvalidInputError(f"`weights` must be nonnegative rows of {n} that sum to 1, got shape {w.shape}.")
    return as_readonly(w)


def _check_unlabeled(unlabeled: Sequence[float]) -> list[float]:
    values = list(unlabeled) if isinstance(unlabeled, Iterable) else [unlabeled]
    found: list[float] = [value if value == math.inf else check_count("unlabeled", value, low=0) for value in values]
    if not found or sorted(set(found)) != found:
        raise InvalidInputError(f"`unlabeled` must be increasing and not empty, got {values}.")
    return found


def _simulate_block(
    problem: MultiTaskLeastSquares,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    w: FloatArray,
    unlabeled: list[float],
    constants: list[float],
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, f"two_stage {problem.name}", size, block)
    total = np.einsum("kn,nij->kij", w, problem.covariances)
    best = problem.true_solutions(w)
    excess, nonzero = [], []
    for _ in range(length):
        found = _estimates(problem, size, rng, w, unlabeled, constants)
        off = found - best
        excess.append(np.einsum("mki,kij,mkj->mk", off, total, off, optimize=True).ravel())
        nonzero.append((found != 0.0).sum(axis=-1).ravel())
    return {"excess": np.concatenate(excess), "n_nonzero": np.concatenate(nonzero)}


def _estimates(
    problem: MultiTaskLeastSquares,
    n: int,
    rng: np.random.Generator,
    w: FloatArray,
    unlabeled: list[float],
    constants: list[float],
) -> FloatArray:
    """Estimates (methods, K, d) from one sample."""
    tasks, d = problem.n_tasks, problem.dimension
    roots = np.linalg.cholesky(problem.covariances)
    x = [rng.standard_normal((n, d)) @ root.T for root in roots]
    y = [x[k] @ problem.targets[k] + problem.noise[k] * rng.standard_normal(n) for k in range(tasks)]
    rate = math.sqrt(math.log(max(d, 2)) / n)
    direct = []
    for row in w:
        kept = np.flatnonzero(row)
        # Scaled so that the mean square over all rows is the weighted sum of those of the tasks.
        scale = np.sqrt(row * kept.size)
        noise = math.sqrt(float((row**2 * problem.noise**2).sum()))
        direct.append(
            _lassos(
                np.concatenate([scale[k] * x[k] for k in kept]),
                np.concatenate([scale[k] * y[k] for k in kept]),
                [c * noise * rate for c in constants],
            )
        )
    lassos = [_lassos(x[k], y[k], [c * problem.noise[k] * rate for c in constants]) for k in range(tasks)]
    gram = np.stack([one.T @ one for one in x])
    linear = np.stack([one.T @ target for one, target in zip(x, y, strict=True)])
    square = np.array([target @ target for target in y])
    plain = QuadraticObjectives.from_expansion(gram / n, linear / n, square / n)
    results, seen = [*np.stack(direct, axis=1), plain.minimisers(w, minimum_norm=True)], 0
    for count in unlabeled:
        if count == math.inf:
            moments = problem.covariances
        else:
            for k, root in enumerate(roots):
                more = rng.standard_normal((int(count) - seen, d)) @ root.T
                gram[k] += more.T @ more
            seen = int(count)
            moments = gram / (n + seen)
        for centers in np.stack(lassos, axis=1):
            combined = QuadraticObjectives(moments, centers, np.zeros(tasks))
            results.append(combined.minimisers(w, minimum_norm=True))
    return np.stack(results)


def _lassos(x: FloatArray, y: FloatArray, penalties: list[float]) -> FloatArray:
    """Minimise half the mean squared error plus each penalty times the l1 norm, (penalties, d)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lasso_path

    with warnings_as("error", ConvergenceWarning):
        try:
            # From the largest penalty down, each from the solution before it.
            order = np.argsort(penalties)[::-1]
            found: Any = lasso_path(
                np.asfortranarray(x), y, alphas=np.array(penalties)[order], tol=_TOLERANCE, max_iter=_STEPS
            )
        except ConvergenceWarning as error:
            raise SolverError(f"a lasso did not reach its duality gap within {_STEPS} steps: {error}") from None
    coefficients = np.empty((len(penalties), x.shape[1]))
    coefficients[order] = found[1].T
    return coefficients
