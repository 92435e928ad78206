"""Claims about the front from samples of a population that is known: `certify`, boxes alone, and the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.bounds import binomial_interval, certified_members
from moltheory.certification import certify
from moltheory.pareto import nondominated
from moltheory.runs import as_seed_sequence, block_stream, run_blocks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DELTA", "METHODS", "Budget", "claims_table", "draw_rows"]

DELTA = 0.05
METHODS = ("certify", "boxes, Clopper-Pearson", "boxes, Hoeffding", "bootstrap")
_BLOCK = 10  # samples of one block of work

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Budget:
    """Sample sizes, samples of each, and resamples of each sample for the bootstrap."""

    sizes: tuple[int, ...]
    samples: int
    resamples: int


def draw_rows(population: int, n: int, seed: int, sample: int) -> tuple[npt.NDArray[np.int64], np.random.Generator]:
    """Return the rows of one sample, drawn with replacement, and the stream of all that is random about it."""
    rng = block_stream(as_seed_sequence(seed), f"certified figure {n}", sample)
    return rng.integers(population, size=n), rng


def claims_table(
    wrong: Flags, sizes: FloatArray, budget: Budget, *, seed: int, n_jobs: int, progress: bool
) -> pd.DataFrame:
    """Return per size and method the share of models decided, and how many samples had a false claim.

    Parameters
    ----------
    wrong : (population, M) ndarray of bool
        Whether a model errs on an example.
    sizes : (M,) ndarray
        The known cost.

    Returns
    -------
    pandas.DataFrame
        ``failed_upper`` is the one-sided 95 % Clopper-Pearson limit of the probability of a false claim.
    """
    import pandas as pd

    starts = range(0, budget.samples, _BLOCK)
    blocks = [
        (wrong, sizes, n, start, min(_BLOCK, budget.samples - start), budget.resamples, seed)
        for n in budget.sizes
        for start in starts
    ]
    found = run_blocks(_block, blocks, n_jobs=n_jobs, progress=progress, description="certified")
    rows = []
    for k, n in enumerate(budget.sizes):
        parts = np.concatenate(found[k * len(starts) : (k + 1) * len(starts)])
        rows += list(_rows(n, parts))
    return pd.DataFrame(rows)


def _rows(n: int, scores: FloatArray) -> Iterator[dict[str, float | str]]:
    """Yield the row of each method from its scores in all samples of one size, (samples, methods, 3)."""
    for method, values in zip(METHODS, np.moveaxis(scores, 1, 0), strict=True):
        failed = int(values[:, 2].sum())
        upper = binomial_interval(failed, len(values), delta=0.05, side="upper").upper
        yield {
            "n": n,
            "method": method,
            "samples": len(values),
            "decided_share": float(values[:, 0].mean()),
            "on_the_front": float(values[:, 1].mean()),
            "failed": failed,
            "failed_share": failed / len(values),
            "failed_upper": float(upper),
        }


def _block(wrong: Flags, sizes: FloatArray, n: int, start: int, samples: int, resamples: int, seed: int) -> FloatArray:
    """Return per sample and method: share decided, number claimed to be on the front, whether a claim was false."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    # Numbers of errors, not rates: ties in them are exact.
    optimal = nondominated(np.column_stack([wrong.sum(axis=0), sizes]))
    weights = wrong.astype(np.float64)
    scores = np.empty((samples, len(METHODS), 3))
    # Small matrices: more threads would wait for each other.
    with threadpool_limits(limits=1):
        for k in range(samples):
            rows, rng = draw_rows(len(wrong), n, seed, start + k)
            counts = np.bincount(rows, minlength=len(wrong))
            errors = np.rint(counts @ weights).astype(np.int64)
            certificate = certify(wrong[rows][:, :, None], delta=DELTA, costs=sizes[:, None])
            verdicts = (
                (certificate.sure, certificate.excluded),
                _by_boxes(errors, n, sizes, "clopper-pearson"),
                _by_boxes(errors, n, sizes, "hoeffding"),
                _by_bootstrap(counts, weights, sizes, resamples, rng),
            )
            for j, (sure, excluded) in enumerate(verdicts):
                failed = (sure & ~optimal).any() or (excluded & optimal).any()
                scores[k, j] = (sure | excluded).mean(), sure.sum(), failed
    return scores


def _by_boxes(errors: Counts, n: int, sizes: FloatArray, method: str) -> tuple[Flags, Flags]:
    """Certify from simultaneous intervals of the errors alone."""
    interval = binomial_interval(errors, n, method=method, delta=DELTA / errors.size)
    return certified_members(np.column_stack([interval.lower, sizes]), np.column_stack([interval.upper, sizes]))


def _by_bootstrap(
    counts: Counts, wrong: FloatArray, sizes: FloatArray, resamples: int, rng: np.random.Generator
) -> tuple[Flags, Flags]:
    """Believe what happens in most resamples of the sample; nothing guarantees that."""
    again = rng.multinomial(counts.sum(), counts / counts.sum(), size=resamples)
    errors = np.rint(again @ wrong)
    points = np.stack([errors, np.broadcast_to(sizes, errors.shape)], axis=-1)
    share = nondominated(points).mean(axis=0)
    return share >= 1 - DELTA, share <= DELTA
