"""What samples of a problem must have in common with its truth, for `check_problem`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from moltheory._core._validation import FloatArray
from moltheory.bounds import Bound
from moltheory.errors import InvalidInputError
from moltheory.problems import FiniteProblem, InfiniteProblem
from moltheory.testing._derivatives import check_convexity, check_derivatives
from moltheory.testing._errors import ContractError
from moltheory.testing._sizes import check_size_tuples

__all__ = ["Samples", "check_samples"]

# A valid problem is refused by one test with at most this probability.
_LEVEL = 1e-9
_DELTAS = (0.5, 0.1, 0.01, 1e-4)
# Sample types that are enumerated at most, and numbers of a batch of replicates.
_MOST_TYPES, _ENTRIES = 20_000, 1 << 22
# Floats this close to each other, in units in the last place, are one number written twice.
_CLOSE = 4.0


@dataclass(frozen=True)
class Samples:
    """A problem, its true risks (k, N) at the points (k, d) or of all hypotheses, and how often to sample it."""

    problem: Any
    kind: str
    truth: FloatArray
    points: FloatArray | None
    replicates: int
    seed: int

    def risks(self, sample: Any) -> FloatArray:
        """Return the empirical risks (*batch, k, N) at the points, or of all hypotheses."""
        return np.asarray(sample.risks(self.points), dtype=np.float64)

    def fail(self, text: str) -> ContractError:
        """Return the error that says what is wrong."""
        return ContractError(f"{self.kind}.{text}")


def check_samples(samples: Samples, sizes: Sequence[int]) -> None:
    """Refuse samples that do not fit the truth, or do not fit each other."""
    tried: list[int] = []
    for size in sizes:
        try:
            samples.problem.sample(size, rng=samples.seed)
        except InvalidInputError as reason:
            refused = reason
            continue
        tried.append(size)
        _check_shapes(samples, size)
        _check_objectives(samples, size)
        _check_seeds(samples, size)
        _check_lattice(samples, size)
        risks, widths = _drawn(samples, size)
        _check_means(samples, size, risks)
        _check_law(samples, size, risks)
        for delta, bounds in widths.items():
            _check_level(samples, size, delta, risks, bounds)
        _check_widths(samples, size)
        _check_exact(samples, size)
    if not tried:
        raise samples.fail(f"sample must accept some of the sizes {tuple(sizes)}, got: {refused}")
    _check_size_matters(samples, tried)
    check_size_tuples(samples, (tried[0], tried[-1] if tried[-1] != tried[0] else 2 * tried[0]))


def _check_shapes(samples: Samples, size: int) -> None:
    problem, true = samples.problem, samples.problem.true
    for replicates, lead in ((None, ()), (3, (3,))):
        sample = problem.sample(size, replicates=replicates, rng=samples.seed)
        if tuple(sample.batch_shape) != lead:
            raise samples.fail(
                f"sample with replicates={replicates} must have batch shape {lead}, got {sample.batch_shape}"
            )
        if tuple(sample.names) != tuple(true.names):
            raise samples.fail(f"sample must have the names of `true`, got {sample.names}")
        if not np.array_equal(sample.data_dependent, true.data_dependent):
            raise samples.fail(
                f"sample must declare the objectives data-dependent that `true` does, got {sample.data_dependent}"
            )
        risks = samples.risks(sample)
        if risks.shape != (*lead, *samples.truth.shape):
            raise samples.fail(f"sample must have risks of shape {(*lead, *samples.truth.shape)}, got {risks.shape}")
        if np.isinf(risks).any() or (samples.points is not None and np.isnan(risks).any()):
            raise samples.fail("sample must have finite risks, or NaN where a finite class makes no claim")
        known = ~np.asarray(true.data_dependent)
        fixed = samples.truth[:, known]
        if not np.allclose(risks[..., known], fixed, rtol=1e-12, atol=0.0):
            raise samples.fail("sample must have the true values of data-independent objectives")


def _check_objectives(samples: Samples, size: int) -> None:
    """Hold samples of parameters against what they declare: derivatives and convexity."""
    if samples.points is None:
        return
    sample = samples.problem.sample(size, rng=samples.seed)
    check_derivatives(sample, f"the sample of {samples.kind}")
    zeros = np.zeros(samples.truth.shape[1])
    check_convexity(sample, samples.points, zeros, f"the sample of {samples.kind}", "strong_convexity")


def _limits(problem: Any) -> FloatArray | None:
    """Return the largest risks that a problem states, None where it leaves them to what reads it."""
    limits = getattr(getattr(problem, "given", problem), "risk_limits", None)
    return None if limits is None else np.asarray(limits, dtype=np.float64)


def _check_seeds(samples: Samples, size: int) -> None:
    problem = samples.problem
    first, again = (samples.risks(problem.sample(size, replicates=5, rng=samples.seed)) for _ in range(2))
    if not np.array_equal(first, again, equal_nan=True):
        raise samples.fail("sample must repeat its bits for the same seed")
    single, only = (samples.risks(problem.sample(size, replicates=r, rng=samples.seed)) for r in (None, 1))
    if not np.array_equal(single, only[0], equal_nan=True):
        raise samples.fail("sample without replicates must be the one of replicates=1, for the same seed")
    others = np.stack([samples.risks(problem.sample(size, rng=samples.seed + 1 + r)) for r in range(30)])
    varies = not np.array_equal(others, np.broadcast_to(others[0], others.shape), equal_nan=True)
    together = samples.risks(problem.sample(size, replicates=60, rng=samples.seed))
    if varies and np.array_equal(together, np.broadcast_to(together[0], together.shape), equal_nan=True):
        raise samples.fail("sample must draw replicates independently, got copies of one sample")
    generator = np.random.default_rng(samples.seed)
    runs = np.stack([samples.risks(problem.sample(size, rng=generator)) for _ in range(60)])
    if varies and np.array_equal(runs, np.broadcast_to(runs[0], runs.shape), equal_nan=True):
        raise samples.fail("sample must advance the generator that it is given, got the same sample again and again")


def _check_lattice(samples: Samples, size: int) -> None:
    if samples.points is not None or not samples.problem.is_lattice:
        return
    drawn = samples.risks(samples.problem.sample(size, replicates=20, rng=samples.seed))
    for what, table in (("true", samples.truth[None]), ("sample", drawn)):
        ordered = np.sort(table, axis=1)
        gap = np.diff(ordered, axis=1)
        close = _CLOSE * np.spacing(np.abs(ordered[:, 1:]))
        if ((gap > 0.0) & (gap <= close)).any():
            raise samples.fail(
                f"is_lattice must be False where equal risks differ in the last bits, as those of {what} do"
            )


def _drawn(samples: Samples, size: int) -> tuple[FloatArray, dict[float, FloatArray]]:
    """Return the risks (R, k, N) of many samples, and the half-widths (R, N) stated for them at several deltas."""
    problem, rng = samples.problem, np.random.default_rng(samples.seed)
    step = max(1, min(samples.replicates, _ENTRIES // (samples.truth.size * max(size, 1))))
    risks: list[FloatArray] = []
    widths: dict[float, list[FloatArray]] = {delta: [] for delta in _DELTAS}
    for start in range(0, samples.replicates, step):
        count = min(step, samples.replicates - start)
        sample = problem.simulate(size, replicates=count, rng=rng)
        risks.append(samples.risks(sample))
        for delta, found in widths.items():
            bound = _stated(samples, sample, delta)
            if bound is not None:
                found.append(np.broadcast_to(bound.width, (count, samples.truth.shape[1])))
    return np.concatenate(risks), {delta: np.concatenate(found) for delta, found in widths.items() if found}


def _stated(samples: Samples, sample_or_n: Any, delta: float) -> Bound | None:
    """Return the half-widths that a problem states, None if it states none; refused if they are no half-widths."""
    try:
        bound = samples.problem.widths(sample_or_n, delta=delta)
    except NotImplementedError:
        return None
    lead = getattr(sample_or_n, "batch_shape", ())
    if not isinstance(bound, Bound):
        raise samples.fail(f"widths must return a Bound, got {type(bound).__name__}")
    if bound.width.shape != (*lead, samples.truth.shape[1]):
        raise samples.fail(f"widths must have shape {(*lead, samples.truth.shape[1])}, got {bound.width.shape}")
    if bound.delta != delta:
        raise samples.fail(f"widths must state the delta that was asked for, {delta}, got {bound.delta}")
    return bound


def _check_widths(samples: Samples, size: int) -> None:
    sample = samples.problem.sample(size, replicates=2, rng=samples.seed)
    bounds = [_stated(samples, sample, delta) for delta in (0.2, 0.01)]
    if bounds[0] is None or bounds[1] is None:
        return
    if (bounds[0].width > bounds[1].width).any():
        raise samples.fail("widths must not shrink as delta does")
    try:
        fixed = _stated(samples, size, 0.2)
    except InvalidInputError:
        return  # a size alone does not fix the half-widths of rates
    if fixed is not None and not np.allclose(fixed.width, bounds[0].width, rtol=1e-12, atol=0.0):
        raise samples.fail(f"widths must be the same for the size {size} and for a sample of it")


def _check_means(samples: Samples, size: int, risks: FloatArray) -> None:
    """Compare means over replicates with true risks; rows in which an objective is undefined make no claim."""
    limits = _limits(samples.problem)
    if limits is None and samples.points is None:
        # Of losses that say nothing of their range it is not less than that of 0/1 losses: rare ones may not occur at all.
        limits = np.maximum(1.0, samples.truth.max(axis=0))
    budget = math.log(4.0 * samples.truth.size / _LEVEL)
    for i in np.flatnonzero(samples.problem.unbiased & np.asarray(samples.problem.true.data_dependent)):
        column = risks[:, ~np.isnan(risks[..., i]).all(axis=0), i]
        column = column[~np.isnan(column).any(axis=1)]
        count = len(column)
        if count < 2:
            continue
        off = np.abs(column.mean(axis=0) - samples.truth[:, i])
        allowed = column.std(axis=0, ddof=1) * math.sqrt(2.0 * budget / count)
        if limits is not None:
            low = min(0.0, float(column.min()), float(samples.truth[:, i].min()))
            high = max(float(limits[i]), float(column.max()))
            allowed = allowed + 7.0 * (high - low) * budget / (3.0 * (count - 1))
        allowed = allowed + 1e-9 * (1.0 + np.abs(samples.truth[:, i]))
        if (off > allowed).any():
            h = int((off - allowed).argmax())
            raise samples.fail(
                f"sample must be unbiased (or `unbiased` False) for {samples.problem.objective_names[i]!r}: the mean of "
                f"hypothesis {h} over {count} samples of size {size} is {column[:, h].mean():.4g}, its true risk "
                f"{samples.truth[h, i]:.4g}"
            )


def _check_law(samples: Samples, size: int, simulated: FloatArray) -> None:
    """Compare `sample` with `simulate`, where that is another method, by the distribution of every risk.

    Each empirical distribution of R draws is within the square root of log(2 / level) / (2 R) of its law (P. Massart 1990).
    """
    problem = getattr(samples.problem, "given", samples.problem)
    own = getattr(type(problem), "simulate", None)
    if own in (None, FiniteProblem.simulate, InfiniteProblem.simulate):
        return
    count = min(len(simulated), max(2, _ENTRIES // (samples.truth.size * max(size, 1))))
    drawn = samples.risks(samples.problem.sample(size, replicates=count, rng=samples.seed + 7))
    budget = math.log(4.0 * samples.truth.size / _LEVEL)
    allowed = sum(math.sqrt(budget / (2.0 * rows)) for rows in (count, len(simulated)))
    for h, i in np.ndindex(samples.truth.shape):
        one, other = np.sort(drawn[:, h, i]), np.sort(simulated[:, h, i])
        if np.isnan(one).any() or np.isnan(other).any():
            continue
        # Ties that differ in rounding are one value.
        slack = 1e-9 * max(1.0, float(np.abs(other).max()))
        for at in (one, other):
            low = [np.searchsorted(x, at - slack, side="left") / x.size for x in (one, other)]
            high = [np.searchsorted(x, at + slack, side="right") / x.size for x in (one, other)]
            if max(float((low[0] - high[1]).max()), float((low[1] - high[0]).max())) > allowed:
                raise samples.fail(
                    f"simulate must have the law of `sample`, and has another one for "
                    f"{samples.problem.objective_names[i]!r} of hypothesis {h} at size {size}"
                )


def _check_size_matters(samples: Samples, tried: list[int]) -> None:
    """Refuse samples of different sizes that are, bit for bit, the same."""
    if len(tried) < 2:
        return
    few, many = (
        samples.risks(samples.problem.sample(size, replicates=60, rng=samples.seed)) for size in (tried[0], tried[-1])
    )
    varies = not np.array_equal(few, np.broadcast_to(few[0], few.shape), equal_nan=True)
    if tried[0] != tried[-1] and varies and np.array_equal(few, many, equal_nan=True):
        raise samples.fail(f"sample must draw n examples, and draws the same for n={tried[0]} and n={tried[-1]}")


def _check_level(samples: Samples, size: int, delta: float, risks: FloatArray, widths: FloatArray) -> None:
    """Test by binomial tails that some risk is farther from the truth than its half-width in a share delta at most."""
    from scipy.stats import binom

    defined = ~np.isnan(risks).any(axis=(1, 2))
    missed = _missed(samples, risks[defined], widths[defined])
    count, misses = int(defined.sum()), int(missed.sum())
    if count and binom.sf(misses - 1, count, delta) < _LEVEL:
        raise samples.fail(
            f"widths at delta={delta:g} must hold in a share of {1 - delta:g} of the samples, and fail in {misses} of "
            f"{count} of size {size}"
        )


def _missed(samples: Samples, risks: FloatArray, widths: FloatArray) -> Any:
    """Return in which samples (R, k, N) some deviation exceeds its half-width, (R, N) or (N,), by more than rounding."""
    rounding = 1e-12 * np.maximum(np.abs(samples.truth), np.abs(risks))
    return (np.abs(risks - samples.truth) > widths[..., None, :] + rounding).any(axis=(1, 2))


def _check_exact(samples: Samples, size: int) -> None:
    """Hold the enumeration of all samples, where there is one, against the truth and against the half-widths."""
    problem = samples.problem
    if not isinstance(problem, FiniteProblem):
        return
    n_types = problem.n_types(size)
    if n_types is None or n_types > _MOST_TYPES:
        return
    enumeration: Any = problem.exact(size)  # type: ignore[attr-defined]
    if enumeration.n_types != n_types:
        raise samples.fail(f"n_types must count what exact({size}) enumerates, {enumeration.n_types}, got {n_types}")
    mean = np.asarray(enumeration.expectation(lambda risks: risks))
    chosen = np.asarray(problem.unbiased)
    if not np.allclose(mean[:, chosen], samples.truth[:, chosen], rtol=1e-9, atol=1e-12):
        raise samples.fail(f"exact({size}) must have the true risks as expectation of the empirical ones")
    for delta in _DELTAS:
        bound = _stated(samples, size, delta)
        if bound is None:
            return
        probability = float(enumeration.probability(partial(_missed, samples, widths=bound.width)))
        if probability > delta * (1.0 + 1e-9):
            raise samples.fail(
                f"widths at delta={delta:g} must fail with at most this probability, and fail with {probability:.4g} in "
                f"samples of size {size}"
            )
