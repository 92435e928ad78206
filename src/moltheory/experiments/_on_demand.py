r"""The smallest worst risk over several distributions: examples on demand against equally many of each.

Two players repeat a game. The learner weighs hypotheses by :math:`p_h \propto e^{-\eta A_h}`, A the sum of the losses
seen, the adversary weighs distributions by :math:`q_i \propto e^{-\gamma G_i}`, G the sum of the gains missed. In each of
S rounds q stays fixed while the learner takes r steps, each with one example of a distribution drawn from q; then one
example of every distribution shows the adversary how well the learner's mean weights of the round do. The mean of all p is
a randomised hypothesis; another one has the smallest worst empirical risk on the examples that were drawn.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.bounds._on_demand import Rounds, best_rounds, uniform_excess
from moltheory.errors import InvalidInputError, SolverError
from moltheory.experiments._replicates import check_problem, check_sizes, computed_once, run_sizes
from moltheory.problems import FiniteWorld
from moltheory.runs import RandomSource, block_stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["on_demand_sampling"]

# Fixed, so that the random streams do not depend on the number of processes.
_BLOCK = 20
_METHODS = ("on-demand", "refit", "uniform")
# Losses of one piece of the learner's steps in a round.
_PIECE = 500_000


@document
def on_demand_sampling(
    world: FiniteWorld,
    *,
    sizes: Iterable[int],
    replicates: int,
    rng: RandomSource,
    delta: float = 0.05,
    n_jobs: int | None = None,
    store: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    r"""Minimise the worst of N risks from a budget of examples, on demand and uniformly, by simulation.

    Parameters
    ----------
    world : FiniteWorld
        With losses in [0, 1]; objective i is the risk under distribution i, and an example of it shows the losses of all
        hypotheses in this objective only.
    sizes : iterable of int
        Examples in all, distinct and > N; see `moltheory.bounds.required_sample_size_minimax`.
    {replicates}
    rng : int, SeedSequence, Generator or None
        Seed; the result is bit-identical for any `n_jobs`, with a `store` or without.
    {delta_default}
    {n_jobs}
    store : path or URL, optional
        As in `asymmetry`.

    Returns
    -------
    pandas.DataFrame
        One row per sample and method: ``size``, ``replicate``, ``method`` (``"on-demand"``, ``"refit"``, ``"uniform"``);
        ``excess``, by how much the worst true risk of the result exceeds the smallest that any mixture of hypotheses has;
        ``bound``, what is promised: excess <= bound with probability at least 1 - delta, for each method; ``examples_1``
        to ``examples_N``, what was drawn of each distribution.

    Raises
    ------
    InvalidInputError
        If an argument is out of its range, or `store` holds anything else than this run.
    TooLargeError
        If the table or the blocks would not fit into memory; refused before any work starts.
    SolverError
        If a linear program is not solved.

    Notes
    -----
    Step sizes are :math:`\eta = \sqrt{8\log|H|/(rS)}` and :math:`\gamma = \sqrt{8\log N/S}`; S and r are the pair that the
    budget pays for with the smallest promise. ``"refit"`` takes the examples that were drawn on demand and minimises the
    worst empirical risk over mixtures, a linear program; its promise is
    :math:`\max_i\, (\sqrt{\log(2N|H|n_i(n_i+1)/\delta)} + \sqrt{\log(2Nn_i(n_i+1)/\delta)})/\sqrt{2n_i}`, valid for numbers
    :math:`n_i` that depend on what was seen. ``"uniform"`` does the same with equally many examples of each distribution;
    what is left over from a division by N is not drawn. Derived (proof: on-demand-sampling).

    True risks and their smallest maximum are exact, the latter from below by duality, so that ``excess`` errs upwards, by
    rounding.

    Complexity: for each sample O(n H) time for n examples, and two linear programs in H variables.

    References
    ----------
    N. Haghtalab, M. I. Jordan and E. Zhao, "On-demand sampling: learning optimally from multiple distributions",
    NeurIPS 2022, arXiv 2210.12529. Rounds, step sizes, the refit and the constants are not theirs.

    Examples
    --------
    >>> from moltheory.problems import reference_world
    >>> table = on_demand_sampling(reference_world(), sizes=[2000], replicates=5, rng=0)
    >>> table.groupby("method")[["excess", "bound"]].max().round(3)
               excess  bound
    method
    on-demand   0.026  0.232
    refit       0.010  0.210
    uniform     0.019  0.101
    """
    import pandas as pd

    check_problem(world, FiniteWorld)
    if world.losses.min() < 0.0 or world.losses.max() > 1.0:
        raise InvalidInputError(
            f"`world` must have losses in [0, 1], got values from {world.losses.min():g} to {world.losses.max():g}."
        )
    chosen, rows = check_sizes(sizes), check_count("replicates", replicates)
    level = check_fraction("delta", delta)
    n_hypotheses, n_objectives = world.true_risks.shape
    if min(chosen) <= n_objectives:
        raise InvalidInputError(f"`sizes` must be larger than the {n_objectives} objectives, got {min(chosen)}.")
    parts = run_sizes(
        _simulate_block,
        world,
        (computed_once(_smallest_worst, world.true_risks), level),
        experiment="on_demand_sampling",
        parameters={"delta": level},
        sizes=chosen,
        replicates=rows,
        block=_BLOCK,
        row_bytes=len(_METHODS) * (40 + 8 * n_objectives),
        block_bytes=8.0 * (3 * _PIECE + _BLOCK * (4 * n_hypotheses + n_objectives * len(world.losses)))
        + world.losses.nbytes,
        rng=rng,
        n_jobs=n_jobs,
        store=store,
    )
    frames = []
    for size, part in zip(chosen, parts, strict=True):
        columns = {
            "size": size,
            "replicate": np.repeat(np.arange(rows), len(_METHODS)),
            "method": list(_METHODS) * rows,
            "excess": part["excess"].ravel(),
            "bound": part["bound"].ravel(),
        }
        columns |= {f"examples_{i + 1}": part["examples"][:, :, i].ravel() for i in range(n_objectives)}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _simulate_block(
    world: FiniteWorld,
    size: int,
    block: int,
    length: int,
    root: np.random.SeedSequence,
    smallest: float,
    delta: float,
) -> dict[str, npt.NDArray[np.generic]]:
    rng = block_stream(root, f"on_demand_sampling {world.name}", size, block)
    risks = world.true_risks
    n_hypotheses, n_objectives = risks.shape
    # One table of losses for each distribution, (N, s, H), and its outcomes by their cumulated probabilities.
    losses = np.ascontiguousarray(world.losses.transpose(2, 0, 1))
    chances = np.array([float(p) for p in world.probabilities])
    outcomes = np.cumsum(chances)
    plan = best_rounds(size, n_hypotheses, n_objectives, delta)
    mixed, counts = _play(losses, outcomes, plan, length, rng)
    each = size // n_objectives
    mixtures, examples = np.empty((length, 3, n_hypotheses)), np.empty((length, 3, n_objectives), dtype=np.int64)
    mixtures[:, 0], examples[:, :2], examples[:, 2] = mixed, counts.sum(axis=2)[:, None], each
    for k in range(length):
        fresh = np.stack([rng.multinomial(each, chances) for _ in range(n_objectives)])
        for j, count in ((1, counts[k]), (2, fresh)):
            empirical = np.stack([c @ table for c, table in zip(count, losses, strict=True)], axis=1) / examples[k, j]
            mixtures[k, j] = _minimax(empirical)[0]
    bound = np.empty((length, 3))
    bound[:, 0], bound[:, 2] = plan.excess, uniform_excess(each, n_hypotheses, n_objectives, delta)
    bound[:, 1] = _refit_excess(examples[:, 1], n_hypotheses, delta)
    return {"excess": (mixtures @ risks).max(axis=-1) - smallest, "bound": bound, "examples": examples}


def _refit_excess(examples: npt.NDArray[np.int64], n_hypotheses: int, delta: float) -> FloatArray:
    """What numbers of examples (..., N) promise that may depend on what was seen."""
    n = examples.astype(np.float64)
    comparator = np.log(2.0 * n.shape[-1] * n * (n + 1.0) / delta)
    promise = (np.sqrt(comparator + math.log(n_hypotheses)) + np.sqrt(comparator)) / np.sqrt(2.0 * n)
    worst: FloatArray = promise.max(axis=-1)
    return worst


def _play(
    losses: FloatArray, outcomes: FloatArray, plan: Rounds, replicates: int, rng: np.random.Generator
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Mean weights of the learner, (replicates, H), and how often each outcome was drawn, (replicates, N, s)."""
    n_objectives, n_outcomes, n_hypotheses = losses.shape
    last = n_outcomes - 1
    eta = math.sqrt(8.0 * math.log(n_hypotheses) / (plan.rounds * plan.steps))
    gamma = math.sqrt(8.0 * math.log(n_objectives) / plan.rounds)
    seen, missed = np.zeros((replicates, n_hypotheses)), np.zeros((replicates, n_objectives))
    total = np.zeros((replicates, n_hypotheses))
    counts = np.zeros((replicates, n_objectives, n_outcomes), dtype=np.int64)
    piece = max(_PIECE // (replicates * n_hypotheses), 1)
    everyone, every = np.arange(replicates)[:, None], np.arange(n_objectives)
    for _ in range(plan.rounds):
        ends = np.cumsum(_weights(-gamma * missed), axis=1)
        of_round = np.zeros((replicates, n_hypotheses))
        for start in range(0, plan.steps, piece):
            shape = (replicates, min(piece, plan.steps - start))
            # Rounding may leave the last end a little below 1.
            i = np.minimum((rng.random(shape)[..., None] > ends[:, None]).sum(axis=-1), n_objectives - 1)
            z = np.minimum(np.searchsorted(outcomes, rng.random(shape), side="right"), last)
            np.add.at(counts, (everyone, i, z), 1)
            # Sums before each step, and after the last.
            sums = np.concatenate([seen[:, None], losses[i, z]], axis=1).cumsum(axis=1)
            of_round += _weights(-eta * sums[:, :-1]).sum(axis=1)
            seen = sums[:, -1]
        total += of_round
        z = np.minimum(np.searchsorted(outcomes, rng.random((replicates, n_objectives)), side="right"), last)
        np.add.at(counts, (everyone, every, z), 1)
        missed += 1.0 - np.einsum("rih,rh->ri", losses[every, z], of_round / plan.steps)
    return total / (plan.rounds * plan.steps), counts


def _weights(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return weights


def _smallest_worst(risks: FloatArray) -> float:
    """A lower bound, exact but for rounding, of the smallest maximum over objectives of a mixture's risks."""
    return float((risks @ _minimax(risks)[1]).min())


def _minimax(risks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights of hypotheses with the smallest worst risk, and weights of objectives that prove it, for (H, N)."""
    from scipy.optimize import linprog

    n_hypotheses, n_objectives = risks.shape
    found = linprog(
        np.append(np.zeros(n_hypotheses), 1.0),
        A_ub=np.hstack([risks.T, -np.ones((n_objectives, 1))]),
        b_ub=np.zeros(n_objectives),
        A_eq=np.append(np.ones(n_hypotheses), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * n_hypotheses + [(None, None)],
        method="highs-ds",
    )
    if not found.success:
        raise SolverError(f"the linear program of the smallest worst risk was not solved: {found.message}")
    weights, prices = np.maximum(found.x[:-1], 0.0), np.maximum(-found.ineqlin.marginals, 0.0)
    return weights / weights.sum(), prices / prices.sum()
