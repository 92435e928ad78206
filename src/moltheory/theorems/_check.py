"""Checking statements on problems with known truth: the level exactly, the constants with realized widths.

Distribution-free widths are loose, so a check that only sees them can hardly fail. `check` therefore asks two
things: how probable it is that E fails with the stated widths, against delta; and, for what is deterministic on E,
whether the statement ever fails when the widths are replaced by the realized deviations, the smallest for which E
holds. The first catches a forgotten ``log N``, the second a wrong factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from moltheory._core._docs import document
from moltheory._core._validation import FloatArray, check_count, check_fraction
from moltheory.bounds import binomial_interval
from moltheory.errors import InvalidInputError, NotDeclaredError
from moltheory.objectives import QuadraticObjectives
from moltheory.problems import FiniteProblem
from moltheory.problems._protocol import as_problem, kind_of
from moltheory.runs import RandomSource
from moltheory.theorems._assumptions import NotApplicableError
from moltheory.theorems._check_pair import blocks, check_pair, defined_rows, evaluate_violation
from moltheory.theorems._columns import TIE, TOLERANCE, realized_widths, scale_of
from moltheory.theorems._failures import read_failure
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._results import CheckResult, FailureProbability, Slack, SlackRecorder
from moltheory.theorems._scalarization_cache import Memory

if TYPE_CHECKING:
    from moltheory.theorems._statement import Theorem

__all__ = ["Method", "Stated", "StatedWidthsError", "check", "check_many", "stated_widths"]

Stated = Callable[[FiniteProblem, int, float], FloatArray]
Method = Literal["auto", "exact", "monte-carlo"]
# Most sample types that method="auto" enumerates.
_MOST_TYPES = 5 * 10**6
# Entries of the largest array of pairs of hypotheses: a few of them fit into a processor's cache.
_BLOCK = 1 << 18
_Batch = tuple[FloatArray, FloatArray, FloatArray | None]


class StatedWidthsError(InvalidInputError):
    """What `stated` returned is not one width for each objective: a mistake, not a problem that a statement is not about."""


def stated_widths(problem: FiniteProblem, n: int, delta: float) -> FloatArray:
    """Return the half-widths (N,) that a problem states for samples of size n, as `stated` does."""
    return problem.widths(n, delta=delta).width


@document
def check(
    theorem: Theorem,
    problem: Any,
    /,
    *,
    n: int,
    delta: float = 0.05,
    method: Method = "auto",
    replicates: int = 2000,
    rng: RandomSource = 0,
    stated: Stated | None = None,
) -> CheckResult:
    """Check one statement on a problem.

    Parameters
    ----------
    theorem : Theorem
    problem : ProblemLike
        With a finite class, or with QuadraticObjectives.
    {size}
    delta : float, default 0.05
        Failure probability for which the widths are stated.
    method : {"auto", "exact", "monte-carlo"}
        Exact enumeration of all sample types, or samples; "auto" enumerates up to 5 million types.
    replicates : int, default 2000
        Number of samples where they are drawn.
    rng : int, SeedSequence, Generator or None, default 0
        Source of randomness where samples are drawn.
    stated : callable, optional
        ``stated(problem, n, delta)``: other widths (N,), one per objective, to check the level of.

    Returns
    -------
    CheckResult

    Raises
    ------
    NotApplicableError
        If an assumption about the problem fails: the message names it.
    NotDeclaredError
        If the statement is about half-widths that the problem does not state.
    InvalidInputError
        If `stated` does not return one width for each objective.
    TooLargeError
        If there are too many sample types for ``method="exact"``.

    Notes
    -----
    Complexity: O(T) samples or sample types, in blocks of bounded memory; for each, O(H N) time for most statements
    and O(H^2 N) for those about all pairs of hypotheses, times the inputs tried.

    Examples
    --------
    >>> from moltheory.problems import reference_world
    >>> from moltheory.theorems import ledger
    >>> result = check(ledger()["forward"], reference_world(), n=5, delta=0.1)
    >>> result.holds, result.violations, round(result.event_failure.probability, 8)
    (True, 0, 0.00033)
    """
    found = check_many(
        [theorem], problem, n=n, delta=delta, method=method, replicates=replicates, rng=rng, stated=stated
    )
    return found[theorem.id]


def check_many(
    theorems: list[Theorem],
    problem: Any,
    *,
    n: int,
    delta: float,
    method: Method,
    replicates: int,
    rng: RandomSource,
    stated: Stated | None,
    skip: bool = False,
) -> dict[str, CheckResult]:
    size, level = check_count("n", n), check_fraction("delta", delta)
    if method not in ("auto", "exact", "monte-carlo"):
        raise InvalidInputError(f"`method` must be auto, exact or monte-carlo, got {method!r}.")
    given, problem = problem, as_problem(problem, needed_by="Theorem.check")
    if isinstance(problem.true, QuadraticObjectives):
        return {
            theorem.id: _attempt(skip, theorem, problem, size, level, _check_smooth, replicates, rng)
            for theorem in theorems
        }
    if not isinstance(problem, FiniteProblem):
        raise InvalidInputError(
            f"`problem` must have risks of a finite class or QuadraticObjectives as `true` for Theorem.check, got a "
            f"{kind_of(problem)} with {type(problem.true).__name__}."
        )
    results: dict[str, CheckResult] = {}
    tasks: list[_Task] = []
    for theorem in theorems:
        if theorem.failure is not None:
            results[theorem.id] = _attempt(skip, theorem, given, size, level, _check_own_level)
            continue
        try:
            tasks.append(_Task(theorem, problem))
        except NotApplicableError as reason:
            if not skip:
                raise
            results[theorem.id] = CheckResult.silent(theorem.id, problem.name, size, level, str(reason))
    if tasks:
        source = _Exact if _enumerable(problem, size, method) else _Sampled
        own = None if stated is None else lambda _, n, delta: stated(given, n, delta)
        run = source(problem, size, level, own, replicates, rng)
        # Without stated half-widths there is nothing to test of a statement about the event alone.
        for task in [] if run.states_widths else [task for task in tasks if not task.theorem.deterministic]:
            missing = NotDeclaredError(
                f"`problem` must define widths(sample_or_n, delta=), which {task.theorem.id!r} is about, got a "
                f"{kind_of(problem)} without them."
            )
            if not skip:
                raise missing
            results[task.theorem.id] = CheckResult.silent(task.theorem.id, problem.name, size, level, str(missing))
            tasks.remove(task)
        results |= _run(tasks, run, problem, size, level, _not_enumerated(problem, size, method))
    return {theorem.id: results[theorem.id] for theorem in theorems}


def _not_enumerated(problem: FiniteProblem, n: int, method: Method) -> str:
    """Return why `method="auto"` samples a problem; empty where it enumerates, or was not asked."""
    if method != "auto":
        return ""
    n_types = problem.n_types(n)
    if n_types is None:
        return "its samples cannot be enumerated"
    return f"{n_types:,} sample types are too many to enumerate" if n_types > _MOST_TYPES else ""


def _enumerable(problem: FiniteProblem, n: int, method: Method) -> bool:
    """Return whether to enumerate; refuse to enumerate what has no widths that are the same for all samples."""
    if method == "monte-carlo":
        return False
    n_types = problem.n_types(n)
    if method == "exact":
        if n_types is None:
            raise InvalidInputError(
                f"`method` must be monte-carlo for a problem that is not of averages, got {problem!r}."
            )
        return True
    return n_types is not None and n_types <= _MOST_TYPES


def _widths(problem: Any, sample_or_n: Any, n: int, delta: float, stated: Stated | None) -> FloatArray | None:
    """Return the half-widths whose failure probability is checked; None where the problem states none."""
    if stated is not None:
        given = np.asarray(stated(problem, n, delta), dtype=np.float64)
        count = problem.true.n_objectives
        if given.shape != (count,):
            raise StatedWidthsError(
                f"`stated` must return one width for each objective, of shape ({count},), got shape {given.shape}."
            )
        return given
    try:
        widths: FloatArray = problem.widths(sample_or_n, delta=delta).width
    except NotImplementedError:
        return None
    return widths


def _attempt(
    skip: bool, theorem: Theorem, problem: Any, n: int, delta: float, work: Callable[..., CheckResult], *more: Any
) -> CheckResult:
    try:
        return work(theorem, problem, n, delta, *more)
    except NotApplicableError as reason:
        if not skip:
            raise
        return CheckResult.silent(theorem.id, problem.name, n, delta, str(reason))


def _check_own_level(theorem: Theorem, problem: Any, n: int, delta: float) -> CheckResult:
    if theorem.failure is None:
        raise InvalidInputError(f"`theorem` must have a level of its own, got {theorem.id!r}.")
    level, n_types = read_failure(theorem.failure(problem, n, delta), theorem.id)
    method = "exact" if level.low == level.high else "monte-carlo"
    name = str(getattr(problem, "name", type(problem).__name__))
    return CheckResult(theorem.id, name, n, delta, method, n_types, level, 0, None, 1.0)


def _check_smooth(
    theorem: Theorem, problem: Any, n: int, delta: float, replicates: int, rng: RandomSource
) -> CheckResult:
    """Sampled quadratics on a ball: no joint width exists on R^d, so only realized deviations are used."""
    for assumption in theorem.assumptions:
        assumption.require({"true": problem.true})
    if not any("radius" in assumption.needs for assumption in theorem.assumptions):
        raise NotApplicableError("`problem` must satisfy the assumption 'H is finite', got quadratics on R^d.")
    sample = problem.sample(n, replicates=replicates, rng=rng)
    reach = float(np.linalg.norm(problem.true.minimisers(np.eye(sample.n_objectives)), axis=-1).max()) or 1.0
    cases = [{"radius": reach, **case} for case in theorem.cases(np.empty(0), np.full(sample.n_objectives, reach))]
    found = [check_pair(theorem, problem.true, sample, **case) for case in cases]
    recorder = SlackRecorder()
    weights = np.full(replicates, 1.0 / replicates)
    for one in found:
        recorder.add(-np.ravel(one.violation), weights)
    worst = max(found, key=lambda one: one.worst)
    return CheckResult(
        theorem.id,
        problem.name,
        n,
        delta,
        "monte-carlo",
        replicates,
        None,
        sum(int((one.violation > one.tolerance).sum()) for one in found),
        recorder.result(),
        recorder.share(len(cases)),
        worst=worst.worst,
        worst_inputs=worst.inputs,
    )


class _Exact:
    """All sample types with their probabilities."""

    method = "exact"

    def __init__(
        self, problem: Any, n: int, delta: float, stated: Stated | None, replicates: int, rng: RandomSource
    ) -> None:
        self._types = problem.exact(n)
        self.count = self._types.n_types
        self._widths = _widths(problem, n, n, delta, stated)
        self.states_widths = self._widths is not None

    def batches(self) -> Iterator[_Batch]:
        """Yield probabilities (T,), risks (T, H, N) and stated widths (T, N) or (N,), or None."""
        for probabilities, risks in self._types.weighted_risks():
            yield probabilities, risks, self._widths

    def level(self, failing: list[float]) -> FailureProbability:
        """Return the probability that E fails; its rounding is within the oracle's certificate."""
        probability = math.fsum(failing)
        error = probability * self._types.relative_error
        return FailureProbability(probability, probability - error, min(1.0, probability + error))


class _Sampled:
    """Independent samples, equally weighted; those that leave a risk undefined make no claim."""

    method = "monte-carlo"

    def __init__(
        self, problem: Any, n: int, delta: float, stated: Stated | None, replicates: int, rng: RandomSource
    ) -> None:
        sample = problem.sample(n, replicates=check_count("replicates", replicates), rng=rng)
        widths = _widths(problem, sample, n, delta, stated)
        self.states_widths = widths is not None
        kept = defined_rows(sample.risks())
        if not kept.any():
            raise InvalidInputError(f"`n` must be large enough for some sample to define all risks, got {n}.")
        self._risks = sample.risks()[kept]
        self._widths = None if widths is None else np.broadcast_to(widths, (replicates, sample.n_objectives))[kept]
        self.count = int(kept.sum())

    def batches(self) -> Iterator[_Batch]:
        """Yield weights (R,), risks (R, H, N) and stated widths (R, N), or None."""
        yield np.full(self.count, 1.0 / self.count), self._risks, self._widths

    def level(self, failing: list[float]) -> FailureProbability:
        """Return the share of samples in which E fails, with a 99.9999 % Clopper-Pearson interval."""
        interval = binomial_interval(len(failing), self.count, delta=1e-6)
        return FailureProbability(len(failing) / self.count, float(interval.lower), float(interval.upper))


class _Task:
    """One statement with the inputs to try and what was seen of it."""

    def __init__(self, theorem: Theorem, problem: FiniteProblem) -> None:
        true = problem.true.risks()
        for assumption in theorem.assumptions:
            if not assumption.per_sample:
                assumption.require({"true": true})
        limits = np.where(problem.risk_limits > 0.0, problem.risk_limits, 1.0)
        self.theorem = theorem
        self.cases = [] if not theorem.deterministic else list(theorem.cases(true, limits))
        self.recorder = SlackRecorder()
        self.violations = 0
        self.worst = -math.inf
        self.worst_inputs: Inputs = {}

    def look(
        self, true: FloatArray, risks: FloatArray, widths: FloatArray, weights: FloatArray, scale: float, memory: Memory
    ) -> None:
        """Record one block of samples under every input."""
        for case in self.cases:
            inputs = memory.wrapped(case)
            values = evaluate_violation(self.theorem, true, risks, widths, inputs, event_holds=True)
            self.violations += int((values > TOLERANCE * scale).sum())
            top = float(values.max())
            if top > self.worst:
                self.worst, self.worst_inputs = top, case
            self.recorder.add(-values, weights)


def _run(
    tasks: list[_Task], source: _Exact | _Sampled, problem: FiniteProblem, n: int, delta: float, sampled_because: str
) -> dict[str, CheckResult]:
    true = problem.true.risks()
    scale = scale_of(true, problem.risk_limits)
    # An objective that varies in the last bit only has a width below its own rounding.
    rounding = TIE * np.maximum(np.abs(true).max(axis=0), problem.risk_limits)
    length = max(1, _BLOCK // true.shape[0] ** 2)
    failing: list[float] = []
    memory = Memory()
    busy = any(task.cases for task in tasks)
    for weights, risks, stated in source.batches():
        limits = None if stated is None else np.broadcast_to(stated, (risks.shape[0], true.shape[1])) + rounding
        for part, block in blocks(risks, length):
            realized = realized_widths(true, block)
            if limits is not None:
                failing += weights[part][(realized > limits[part]).any(axis=-1)].tolist()
            memory.watch(block)
            for task in tasks if busy else ():
                task.look(true, block, realized, weights[part], scale, memory)
    level = source.level(failing) if source.states_widths else None
    results = {}
    for task in tasks:
        slack: Slack | None = task.recorder.result() if task.cases else None
        results[task.theorem.id] = CheckResult(
            task.theorem.id,
            problem.name,
            n,
            delta,
            source.method,
            source.count,
            level,
            task.violations,
            slack,
            task.recorder.share(len(task.cases)) if task.cases else 1.0,
            worst=task.worst if task.cases else math.nan,
            worst_inputs=task.worst_inputs,
            method_reason=sampled_because,
        )
    return results
