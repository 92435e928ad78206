"""How many labels and how many unlabeled examples a common predictor of several tasks needs, from both sides."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_vector, real_array
from moltheory.errors import InvalidInputError

__all__ = ["label_lower_bound", "pseudo_label_excess"]


@document
def pseudo_label_excess(n: int, *, n_parameters: int, n_unlabeled: int, n_cells: int) -> float:
    r"""Upper bound of the expected excess of pseudo-labelling: ``(sqrt(r / (4 (n + 1))) + sqrt(D / (2 (N + 1))))^2``.

    For tasks with labels in {0, 1} on D cells, such as `moltheory.problems.cell_tasks`: the Bayes predictor of each task is
    constant on r known blocks of cells, the common predictor is any function of the cell, and the excess is of the
    weighted sum of the squared-error risks. Each task has n labels; N unlabeled examples come from the tasks in the
    proportions of the weights. The large class D is paid for by unlabeled examples only.

    Parameters
    ----------
    n : int
        Labels of each task, >= 1.
    n_parameters : int
        r: number of blocks, the size of the small classes.
    n_unlabeled : int
        N >= 1.
    n_cells : int
        D >= r: the size of the common class.

    Returns
    -------
    float

    {raises}

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Derived (proof: pseudo-labels), after T. Wegel, G. So, J. Park and F. Yang (2025), arXiv 2508.17152, for this family
    and this estimator: `moltheory.experiments.semi_supervised`.

    Examples
    --------
    >>> round(pseudo_label_excess(99, n_parameters=4, n_unlabeled=9_999, n_cells=200), 4)
    0.04
    """
    size, r = check_count("n", n), check_count("n_parameters", n_parameters)
    total, cells = check_count("n_unlabeled", n_unlabeled), check_count("n_cells", n_cells)
    if cells < r:
        raise InvalidInputError(f"`n_cells` must be at least `n_parameters` ({r}), got {cells}.")
    labels, marginals = r / (4.0 * (size + 1.0)), cells / (2.0 * (total + 1.0))
    return (math.sqrt(labels) + math.sqrt(marginals)) ** 2


@document
def label_lower_bound(n: int, *, marginals: npt.ArrayLike, blocks: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    r"""Lower bound of the expected excess of all learners of n labels per task that know where the tasks' inputs lie.

    In the setting of `pseudo_label_excess`, squared error, for the worst values of the tasks' Bayes predictors:
    ``sum_(k, b) s_kb / (4 (1 + sqrt(n P_k(b)))^2)``, with ``P_k(b)`` the probability of block b in task k and ``s_kb``
    the sum of ``w_k^2 P_k(x)^2 / sum_j w_j P_j(x)`` over its cells. No number of unlabeled examples helps against it.

    Parameters
    ----------
    n : int
        Labels of each task, >= 1.
    marginals : (K, D) array_like
        Probabilities of the cells in each task; every row sums to one.
    blocks : (D,) array_like of int
        The block 0, 1, ... of each cell.
    weights : (K,) array_like
        All > 0, summing to one.

    Returns
    -------
    float

    {raises}

    Notes
    -----
    Complexity: O(K D) time and memory.

    References
    ----------
    Derived (proof: pseudo-labels).

    Examples
    --------
    >>> label_lower_bound(4, marginals=[[0.5, 0.5]], blocks=[0, 0], weights=[1.0])  # the minimax risk of one mean
    0.027777777777777776
    """
    size = check_count("n", n)
    p, block, w = read_cells(marginals, blocks, weights)
    mixture = w @ p
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(mixture > 0.0, (w[:, None] * p) ** 2 / mixture, 0.0)
    r = int(block.max()) + 1
    total = 0.0
    for k in range(w.size):
        mass = np.bincount(block, weights=p[k], minlength=r)
        share = np.bincount(block, weights=shares[k], minlength=r)
        total += math.fsum((share / (4.0 * (1.0 + np.sqrt(size * mass)) ** 2)).tolist())
    return total


def read_cells(
    marginals: npt.ArrayLike, blocks: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[FloatArray, npt.NDArray[np.int64], FloatArray]:
    """Return marginals (K, D), blocks (D,) and weights (K,), checked; equal weights where none are given."""
    p = real_array("marginals", marginals, shape="(K, D)", min_ndim=2, max_ndim=2)
    if (p < 0.0).any() or not np.allclose(p.sum(axis=1), 1.0, rtol=0.0, atol=1e-12):
        raise InvalidInputError("`marginals` must be >= 0 with rows that sum to one, got other rows.")
    given = check_vector("blocks", blocks, low=0.0)
    block = given.astype(np.int64)
    if block.size != p.shape[1] or (block != given).any() or np.bincount(block).min() == 0:
        raise InvalidInputError(f"`blocks` must name blocks 0, 1, ... of {p.shape[1]} cells, got {given.tolist()[:8]}.")
    if weights is None:
        return p, block, np.full(p.shape[0], 1.0 / p.shape[0])
    w = check_vector("weights", weights, low=0.0, strict=True)
    if w.size != p.shape[0] or abs(float(w.sum()) - 1.0) > 1e-12:
        raise InvalidInputError(f"`weights` must be {p.shape[0]} numbers that sum to one, got {w.tolist()}.")
    return p, block, w
