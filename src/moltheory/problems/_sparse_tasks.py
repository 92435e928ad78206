"""Regression tasks that are sparse one by one, while the trade-offs between them are not."""

from __future__ import annotations

from typing import Literal

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import check_choice, check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.problems._least_squares import MultiTaskLeastSquares

__all__ = ["sparse_multi_task"]


@document
def sparse_multi_task(
    dimension: int,
    *,
    sparsity: int,
    n_tasks: int = 2,
    correlation: float = 0.7,
    noise: float = 1.0,
    design: Literal["toeplitz", "factor"] = "toeplitz",
    name: str | None = None,
) -> MultiTaskLeastSquares:
    r"""Return tasks with s coefficients of 1 each, on disjoint supports, whose features are correlated differently.

    The optimal trade-off :math:`\theta(w) = (\sum_k w_k S_k)^{-1} \sum_k w_k S_k \beta_k` is then not sparse: with
    ``"toeplitz"`` features its entries fall off geometrically away from the supports; with ``"factor"`` it is sparse
    plus a few dense directions of small entries.

    Parameters
    ----------
    dimension : int
        d, at least `n_tasks` times `sparsity`.
    sparsity : int
        s >= 1. The supports are spread evenly over the features, the tasks taking turns.
    n_tasks : int, default 2
        N >= 2.
    correlation : float, default 0.7
        rho in [0, 1).
    noise : float, default 1
        Standard deviation sigma >= 0, the same for all tasks.
    design : {"toeplitz", "factor"}
        Covariances, all with unit variances and made from signs :math:`v_{kj} = (-1)^{\lfloor j k / N' \rfloor}`,
        k = 0, ..., N - 1, N' = N - 1: ``"toeplitz"`` :math:`v_{ki} v_{kj} \rho^{|i - j|}`; ``"factor"``
        :math:`(1 - \rho) 1_{i = j} + \rho v_{ki} v_{kj}`, one common factor with signs. For two tasks the signs are all
        plus, and alternating.
    name : str, optional
        By default made of the arguments.

    Returns
    -------
    MultiTaskLeastSquares

    {raises}

    Notes
    -----
    Complexity: O(N d^3) time and O(N d^2) memory.

    References
    ----------
    The situation is that of T. Wegel, F. Kovačević, A. Ţifrea and F. Yang (2025), arXiv 2503.08849; these designs are
    the project's own.

    Examples
    --------
    >>> problem = sparse_multi_task(40, sparsity=2)
    >>> (problem.targets != 0).sum(axis=1)
    array([2, 2])
    >>> int((abs(problem.true_solutions([[0.5, 0.5]])) > 0.01).sum())
    11
    """
    s, n = check_count("sparsity", sparsity), check_count("n_tasks", n_tasks, low=2)
    d = check_count("dimension", dimension)
    if d < n * s:
        raise InvalidInputError(f"`dimension` must be at least n_tasks * sparsity = {n * s}, got {d}.")
    rho = check_real("correlation", correlation, low=0.0, high=1.0)
    if rho == 1.0:
        raise InvalidInputError("`correlation` must lie in [0, 1), got 1.0.")
    check_choice("design", design, ("toeplitz", "factor"))
    sigma = check_real("noise", noise, low=0.0)
    at = np.arange(d)
    signs = np.array([(-1.0) ** (at * k // (n - 1)) for k in range(n)])
    base = rho ** np.abs(np.subtract.outer(at, at)) if design == "toeplitz" else rho + (1.0 - rho) * np.eye(d)
    covariances = signs[:, :, None] * signs[:, None, :] * base
    places = (np.arange(n * s) * d) // (n * s)
    targets = np.zeros((n, d))
    for k in range(n):
        targets[k, places[k::n]] = 1.0
    label = f"sparse tasks, {design}, d={d}, s={s}, N={n}, rho={rho:g}" if name is None else name
    return MultiTaskLeastSquares(covariances, targets, np.full(n, sigma), name=label)
