r"""Few labels and many unlabeled examples: learn every task in its small class, then the common predictor.

Three learners of one predictor for several tasks, any function of the cell, from n labels for each task:

* *supervised*: minimise the weighted sum of the empirical risks over all functions, smoothed by half a label;
* *pseudo-labels*: estimate each task's Bayes predictor in its small class, label unlabeled examples with it, and minimise
  the weighted sum of the risks on these, over all functions;
* *pseudo-labels without small classes*: the same, with a small class as large as the common one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count
from moltheory.errors import InvalidInputError
from moltheory.experiments._replicates import check_problem, check_sizes, run_sizes
from moltheory.problems import CellTasks
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["semi_supervised"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 20
_ROW_BYTES = 120
_SMALL, _LARGE = "pseudo-labels", "pseudo-labels without small classes"


@document
def semi_supervised(
    problem: CellTasks,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    weights: npt.ArrayLike | None = None,
    unlabeled: Sequence[float] = (10_000,),
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    r"""Compare learning from labels only with pseudo-labelling, by simulation with exact excess risks.

    Parameters
    ----------
    problem : CellTasks
        For example `moltheory.problems.cell_tasks`.
    sizes : iterable of int
        Labels of each task, distinct and >= 1.
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for any `n_jobs`, with a `store` or without.
    weights : (K,) array_like, optional
        All > 0, summing to one; equal by default.
    unlabeled : sequence of int or inf, default (10000,)
        Increasing numbers N >= 1 of unlabeled examples of all tasks together, in the proportions of the weights, each of
        a known task; ``inf`` gives the true marginals.
    {n_jobs}
    store : path or URL, optional
        As in `asymmetry`.
    progress : bool, default False
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per sample, learner and N: ``size``, ``replicate``, ``learner`` (``"supervised"``, ``"pseudo-labels"``,
        ``"pseudo-labels without small classes"``), ``unlabeled`` (NaN for the first), ``excess`` of the weighted mean
        squared error and ``log_excess`` of the weighted logarithmic loss, both exact for the predictor.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or `store` holds anything else than this run.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.

    Notes
    -----
    The predictors are the same for both losses, as the mean minimises the expected value of any Bregman loss. A mean of m
    labels is estimated by ``(sum + sqrt(m) / 2) / (m + sqrt(m))``, whose squared error does not depend on the truth. The
    expected ``excess`` of pseudo-labelling is at most `moltheory.bounds.pseudo_label_excess`, and no learner of as many
    labels does better than `moltheory.bounds.label_lower_bound` for all means.

    Complexity: O(R K D) time for each size and each number of unlabeled examples.

    References
    ----------
    T. Wegel, G. So, J. Park and F. Yang (2025), On the sample complexity of semi-supervised multi-objective learning,
    arXiv 2508.17152, whose algorithm is pseudo-labelling; this family of problems and the estimators are the project's
    own (proof: pseudo-labels).

    Examples
    --------
    >>> from moltheory.problems import cell_tasks
    >>> table = semi_supervised(cell_tasks(), sizes=[100], replicates=20, rng=0)
    >>> table.groupby("learner")["excess"].mean().idxmin()
    'pseudo-labels'
    """
    import pandas as pd

    check_problem(problem, CellTasks)
    chosen, rows = check_sizes(sizes), check_count("replicates", replicates)
    w, _ = problem.mixture(weights)
    counts = _check_unlabeled(unlabeled)
    parts = run_sizes(
        _simulate_block,
        problem,
        (w, counts),
        experiment="semi_supervised",
        # JSON has no infinity.
        parameters={"weights": w.tolist(), "unlabeled": [str(count) for count in counts]},
        sizes=chosen,
        replicates=rows,
        block=_BLOCK,
        row_bytes=_ROW_BYTES * (1 + 2 * len(counts)),
        block_bytes=64.0 * _BLOCK * problem.n_tasks * problem.n_cells,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
        progress=progress,
    )
    learners = [("supervised", math.nan), *((name, float(m)) for m in counts for name in (_SMALL, _LARGE))]
    frames = []
    for size, part in zip(chosen, parts, strict=True):
        index = [(size, r, *learner) for r in range(rows) for learner in learners]
        frame = pd.DataFrame(index, columns=["size", "replicate", "learner", "unlabeled"])
        for column in ("excess", "log_excess"):
            frame[column] = part[column]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _check_unlabeled(unlabeled: Any) -> list[float]:
    values = list(unlabeled) if isinstance(unlabeled, Iterable) and not isinstance(unlabeled, str) else [unlabeled]
    found: list[float] = [value if value == math.inf else check_count("unlabeled", value) for value in values]
    if not found or sorted(set(found)) != found:
        raise InvalidInputError(f"`unlabeled` must be increasing and not empty, got {values}.")
    return found


def _simulate_block(
    problem: CellTasks,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    w: FloatArray,
    unlabeled: list[float],
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, f"semi_supervised {problem.name}", size, block)
    found = np.stack(_predictions(problem, size, length, rng, w, unlabeled), axis=1)
    return {
        "excess": problem.excess(found, w).ravel(),
        "log_excess": problem.excess(found, w, loss="log").ravel(),
    }


def _predictions(
    problem: CellTasks, n: int, rows: int, rng: np.random.Generator, w: FloatArray, unlabeled: list[float]
) -> list[FloatArray]:
    """Return the predictors (rows, D) of all learners."""
    k, d = problem.marginals.shape
    # Rows of probabilities that sum to one to the last bit, as the generator asks.
    p = problem.marginals / problem.marginals.sum(axis=1, keepdims=True)
    labels = np.stack([rng.multinomial(n, row, size=rows) for row in p], axis=1)
    ones = rng.binomial(labels, problem.bayes)
    total = (w[:, None] * labels).sum(axis=1)
    supervised = ((w[:, None] * ones).sum(axis=1) + 0.5) / (total + 1.0)
    member = np.zeros((d, int(problem.blocks.max()) + 1))
    member[np.arange(d), problem.blocks] = 1.0
    small = _mean(ones @ member, labels @ member)[..., problem.blocks]
    large = _mean(ones, labels)
    results = [supervised]
    joint = (w[:, None] * p).ravel()
    for count in unlabeled:
        if count == math.inf:
            shares = np.broadcast_to(joint.reshape(k, d), (rows, k, d))
        else:
            shares = rng.multinomial(int(count), joint / joint.sum(), size=rows).reshape(rows, k, d).astype(np.float64)
        results += [_common(shares, small), _common(shares, large)]
    return results


def _mean(ones: npt.NDArray[Any], labels: npt.NDArray[Any]) -> FloatArray:
    """Return estimates of means from sums and numbers of labels; 1/2 without labels."""
    m = labels.astype(np.float64)
    root = np.sqrt(m)
    result: FloatArray = (ones + 0.5 * root) / np.where(m > 0.0, m + root, 1.0)
    return np.where(m > 0.0, result, 0.5)


def _common(shares: FloatArray, predictions: FloatArray) -> FloatArray:
    """Return the mean of the tasks' predictions in every cell by numbers of unlabeled examples; 1/2 without any."""
    total = shares.sum(axis=1)
    mean = (shares * predictions).sum(axis=1) / np.where(total > 0.0, total, 1.0)
    return np.where(total > 0.0, mean, 0.5)
