"""The converse in infinite classes: what its statements promise, checked with realized deviations."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count
from moltheory.bounds import interior_weights, strong_convexity
from moltheory.experiments._fronts import Objectives, risks_of
from moltheory.experiments._replicates import Columns, check_sizes, run_sizes
from moltheory.problems import InfiniteProblem, ProblemLike
from moltheory.problems._protocol import as_infinite
from moltheory.runs import RandomSource, block_stream
from moltheory.scalarization import Chebyshev, WeightedSum, simplex_grid
from moltheory.solvers import solve_front

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_converse"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 20
_BLOCK_BYTES = 64e6
_COLUMNS = (
    "size",
    "replicate",
    "improvement",
    "interior_slack",
    "squared_distance",
    "convexity_bound",
    "convexity_slack",
    "uniform_deviation",
)


@document
def check_converse(
    problem: ProblemLike,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    n_points: int = 10,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    r"""Check statements *interior-weights* and *strong-convexity* on samples of an infinite class.

    For every member :math:`\hat h` of the empirical front at a grid of positive weights, truly optimal
    :math:`h^*` with :math:`L(h^*) \le L(\hat h)` are found by Chebyshev scalarizations with reference point
    :math:`L(\hat h)`, one for each of N + 1 weight vectors. C is the realized deviation: of each objective, the largest
    over the members, those h*, and the midpoints that the proof of strong-convexity uses.

    Parameters
    ----------
    problem : ProblemLike
        Any object with `true` objectives of parameters and ``sample(n, *, replicates, rng)``: one of the package's, or your
        own.
    {sample_sizes}
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for the same seed and any `n_jobs`. With a `store` it must be an int or a
        SeedSequence.
    n_points : int, default 10
        Largest number of weight vectors, those with a zero not counted; >= 1.
    {n_jobs}
    store : path or URL, optional
        Folder where finished blocks are kept; as in `asymmetry`.
    progress : bool, default False
        Show a bar with the time left.

    Returns
    -------
    pandas.DataFrame
        One row per sample: ``size``, ``replicate``; ``improvement``, the largest :math:`L_i(\hat h) - L_i(h^*)`;
        ``interior_slack``, the smallest difference between what *interior-weights* allows and an improvement;
        ``squared_distance``, the largest :math:`\|\hat h - h^*\|^2`; ``convexity_bound``, what *strong-convexity*
        allows, infinite where a modulus is 0; ``convexity_slack``, the smallest difference of the two;
        ``uniform_deviation``, the largest entry of C. What solvers leave open is on the side of what is allowed, so a
        negative slack contradicts a statement (where certificates are rigorous).

    {raises}
    SolverError
        If a scalarization has no minimiser.

    Notes
    -----
    With gap g of :math:`\hat h` and L(h*) above L(hhat) by at most o, interior-weights allows
    :math:`(2 \sum_j w_j C_j + g + o \sum_j w_j) / w_i` and strong-convexity
    :math:`\max_i (16 C_i + 8 g / \sum_j w_j + 4 o) / \mu_i`. Derived (proof: realized-converse).

    Complexity: O(R k N) solves for R samples and k weights.

    Examples
    --------
    >>> from moltheory.problems import MultiTaskLeastSquares
    >>> problem = MultiTaskLeastSquares([np.eye(2), np.eye(2)], [[1, 0], [0, 1]], [0.5, 0.5])
    >>> table = check_converse(problem, sizes=[20, 200], replicates=5, rng=0)
    >>> bool((table[["interior_slack", "convexity_slack"]] >= 0).all(axis=None))
    True
    """
    import pandas as pd

    problem = as_infinite(problem, needed_by="check_converse")
    chosen, count = check_sizes(sizes), check_count("replicates", replicates)
    wanted = check_count("n_points", n_points)
    weights = _positive_weights(problem.n_tasks, wanted)
    parts = run_sizes(
        _converse_block,
        problem,
        (weights, problem.true_moduli),
        experiment="check_converse",
        parameters={"n_points": wanted},
        sizes=chosen,
        replicates=count,
        block=_BLOCK,
        row_bytes=8.0 * len(_COLUMNS),
        block_bytes=_BLOCK_BYTES,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
        progress=progress,
    )
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS})


def _converse_block(
    problem: InfiniteProblem,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    weights: FloatArray,
    mu: FloatArray,
) -> Columns:
    stream = block_stream(root, problem.name, size, block)
    rows = []
    for replicate in range(length):
        checked = _checked(problem.true, problem.sample(size, rng=stream), weights, mu)
        rows.append({"size": size, "replicate": block * _BLOCK + replicate, **checked})
    return {name: np.array([row[name] for row in rows]) for name in _COLUMNS}


def _positive_weights(n: int, n_points: int) -> FloatArray:
    """Return the positive rows of the finest lattice on the simplex with at most `n_points` of them."""
    if n == 1:
        return np.ones((1, 1))
    divisions = n
    while math.comb(divisions, n - 1) <= n_points:
        divisions += 1
    grid = simplex_grid(n, divisions)
    return np.asarray(grid[(grid > 0.0).all(axis=1)])


def _checked(
    true: Objectives, sample: Objectives, weights: FloatArray, mu: FloatArray
) -> dict[str, float | npt.NDArray[np.float64]]:
    found = solve_front(sample, scalarizations=[WeightedSum(w) for w in weights])
    members = np.asarray(found.solutions, dtype=np.float64)
    risks = risks_of(true, members)
    n = weights.shape[1]
    # Equal weights, and for each objective weights that press hardest on it.
    presses = np.concatenate([np.full((1, n), 1.0), 1.0 + 9.0 * np.eye(n)])
    rules = [Chebyshev(w, ideal=point) for point in risks for w in presses]
    better = solve_front(true, scalarizations=rules)
    shape = (len(members), len(presses))
    optimal = np.asarray(better.solutions, dtype=np.float64).reshape(*shape, -1)
    reached = better.points.reshape(*shape, n)
    over = np.maximum((reached - risks[:, None]).max(axis=-1), 0.0)
    middle = 0.5 * (optimal + members[:, None])
    everywhere = np.concatenate([members, optimal.reshape(-1, members.shape[1]), middle.reshape(-1, members.shape[1])])
    widths = np.abs(sample.risks(everywhere) - true.risks(everywhere)).max(axis=0)
    allowed = np.stack([interior_weights(widths, weights=w) for w in weights])
    total = weights.sum(axis=1)
    open_ = found.gap[:, None] + over * total[:, None]
    improvement = risks[:, None] - reached
    slack = allowed[:, None] + open_[..., None] / weights[:, None] - improvement
    square = ((members[:, None] - optimal) ** 2).sum(axis=-1)
    bound, further = np.inf, np.zeros(shape)
    if mu.min() > 0.0:
        bound = float(strong_convexity(widths, moduli=mu))
        further = (8.0 * (found.gap / total)[:, None] + 4.0 * over) / mu.min()
    return {
        "improvement": float(improvement.max()),
        "interior_slack": float(slack.min()),
        "squared_distance": float(square.max()),
        "convexity_bound": bound,
        "convexity_slack": float((bound + further - square).min()),
        "uniform_deviation": float(widths.max()),
    }
