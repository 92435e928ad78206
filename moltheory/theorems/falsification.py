"""Attacking statements: random and adversarial searches for a violation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._validation import FloatArray, check_count, frozen
from moltheory.errors import InvalidInputError
from moltheory.problems import FiniteWorld
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.theorems._pairs import TOLERANCE, realized_widths
from moltheory.theorems.checking import check
from moltheory.theorems.pairs import defined_rows, evaluate_violation
from moltheory.theorems.statement import Inputs, Theorem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Attack", "falsify"]

_BATCH = 64
# Risks are multiples of 1/8: sums and differences are exact, and ties are common.
_STEPS = 8
_SHARE_OF_CLIMBING = 10


@dataclass(frozen=True, eq=False)
class Attack:
    """What `falsify` found.

    Attributes
    ----------
    theorem : str
    falsified : bool
        Whether a violation beyond rounding was found.
    worst : float
        Largest violation; for statements with a level of their own, the largest excess of the failure probability.
    tried : int
        Pairs (or worlds) tried.
    witness : mapping
        What attains it: ``true``, ``empirical``, ``widths`` and the inputs; or ``world``, ``n`` and ``delta``.
    """

    theorem: str
    falsified: bool
    worst: float
    tried: int
    witness: Inputs = field(default_factory=dict, repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        import pandas as pd

        row = {"theorem": self.theorem, "falsified": self.falsified, "worst": self.worst, "tried": self.tried}
        return pd.DataFrame([row])

    def __repr__(self) -> str:
        """Verdict, worst violation, number tried."""
        verdict = "FALSIFIED" if self.falsified else "not falsified"
        return f"Attack({self.theorem!r}: {verdict} by {self.tried} tries, worst violation {self.worst:.3g})"


class _Hunt:
    """Keeps the worst so far and what is left of the budget."""

    def __init__(self, theorem: Theorem, budget: int) -> None:
        self.theorem, self.left, self.tried = theorem, budget, 0
        self.worst, self.witness = -np.inf, {}  # type: float, dict[str, Any]

    def spend(self, count: int) -> None:
        self.left -= count
        self.tried += count

    def report(self, value: float, **witness: Any) -> None:
        if value > self.worst or not self.witness:
            self.worst, self.witness = value, witness

    @property
    def over(self) -> bool:
        return self.left <= 0 or self.worst > TOLERANCE

    def result(self) -> Attack:
        return Attack(self.theorem.id, bool(self.worst > TOLERANCE), float(self.worst), self.tried, self.witness)


def falsify(
    theorem: Theorem, problems: Iterable[Any] = (), /, *, budget: int = 10_000, rng: RandomSource = 0
) -> Attack:
    """Search for a violation of a statement, with realized widths.

    Samples of the given problems first; then random tables of risks on a coarse lattice, where ties are common, each
    batch improved by a local search that keeps what increases the violation. Statements that are not deterministic
    on E are attacked by random finite worlds, whose failure probability is computed exactly.

    Parameters
    ----------
    theorem : Theorem
        A conjecture of one's own is attacked like any other.
    problems : iterable of FiniteProblem, optional
        Problems to take samples from.
    budget : int, default 10_000
        Number of pairs to try, >= 1, in batches of 64 of which the last is finished; a random world counts as 100.
    rng : int, SeedSequence, Generator or None, default 0
        Source of randomness; the same seed repeats the search.

    Returns
    -------
    Attack
        The search stops at the end of the batch in which a violation is found.

    Raises
    ------
    InvalidInputError
        If the budget is not a positive integer.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from moltheory.theorems import ledger
    >>> forward = ledger()["forward"]
    >>> falsify(forward, budget=500).falsified
    False
    >>> halved = replace(forward, violation=lambda t, e, c: forward.violation(t, e, 0.5 * c))
    >>> falsify(halved, budget=500).falsified
    True
    """
    hunt = _Hunt(theorem, check_count("budget", budget))
    generator = np.random.default_rng(as_seed_sequence(rng))
    if not theorem.deterministic:
        return _by_worlds(hunt, list(problems), generator)
    share = hunt.left // 2
    for problem in problems:
        if hunt.over or hunt.left <= share:
            break
        _by_samples(hunt, problem, generator)
    while not hunt.over:
        if theorem.pairs is not None:
            _by_own_pairs(hunt, generator)
        else:
            _by_tables(hunt, generator)
    return hunt.result()


def _by_samples(hunt: _Hunt, problem: Any, rng: np.random.Generator) -> None:
    """Small samples deviate most; each size is tried with all inputs of the statement."""
    true = problem.true.risks()
    limits = np.where(problem.risk_limits > 0.0, problem.risk_limits, 1.0)
    for n in (1, 2, 3, 5, 10, 30):
        drawn = problem.sample(n, replicates=_BATCH, rng=rng).risks()
        risks = drawn[defined_rows(drawn)]
        if risks.shape[0] == 0:
            continue
        widths = realized_widths(true, risks)
        for inputs in hunt.theorem.cases(true, limits):
            values = _violation(hunt, true, risks, widths, inputs)
            row = int(values.argmax())
            hunt.report(float(values[row]), true=true, empirical=risks[row], widths=widths[row], inputs=inputs)
        hunt.spend(risks.shape[0])
        if hunt.over:
            return


def _violation(hunt: _Hunt, true: Any, empirical: Any, widths: FloatArray, inputs: Inputs) -> FloatArray:
    lead = widths.shape[:-1]
    try:
        return np.broadcast_to(evaluate_violation(hunt.theorem, true, empirical, widths, inputs), lead)
    except InvalidInputError as reason:
        # Inputs that the statement is not about; anything else is a mistake in the statement.
        if "the assumption" not in str(reason):
            raise
        return np.full(lead, -np.inf)


def _by_own_pairs(hunt: _Hunt, rng: np.random.Generator) -> None:
    if hunt.theorem.pairs is None:
        return
    true, empirical, widths, inputs = hunt.theorem.pairs(rng, _BATCH)
    values = _violation(hunt, true, empirical, widths, inputs)
    row = int(values.argmax())
    if isinstance(true, np.ndarray):
        hunt.report(float(values[row]), true=true[row], empirical=empirical[row], widths=widths[row], inputs=inputs)
    else:
        hunt.report(float(values[row]), true=true, empirical=empirical, widths=widths, inputs=inputs, row=row)
    hunt.spend(_BATCH)


def _by_tables(hunt: _Hunt, rng: np.random.Generator) -> None:
    """One batch of random tables of one shape, then a local search from each of them."""
    n_hypotheses, n_objectives = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    shape = (_BATCH, n_hypotheses, n_objectives)
    reach = int(rng.integers(1, _STEPS + 1))
    true = rng.integers(0, _STEPS + 1, shape)
    noise = rng.integers(-reach, reach + 1, shape)
    noise[:, :, rng.random(n_objectives) < 0.3] = 0  # data-independent objectives
    empirical = np.clip(true + noise, 0, _STEPS)
    limits = np.ones(n_objectives)
    if hunt.theorem.draw is not None:
        inputs = hunt.theorem.draw(rng, true / _STEPS, limits)
    else:
        cases = hunt.theorem.cases(true / _STEPS, limits)
        inputs = cases[int(rng.integers(len(cases)))]

    def value(first: Any, second: Any) -> FloatArray:
        a, b = first / _STEPS, second / _STEPS
        hunt.spend(_BATCH)
        return _applicable(hunt, a, b, realized_widths(a, b), inputs)

    best = value(true, empirical)
    for _ in range(_SHARE_OF_CLIMBING):
        if hunt.left <= 0:
            break
        # Moves of one or a few entries by one step; sideways moves are accepted, as slacks have plateaus.
        moves = rng.integers(-1, 2, (2, *shape)) * (rng.random((2, *shape)) < 2.0 / (n_hypotheses * n_objectives))
        new_true = np.clip(true + moves[0], 0, _STEPS)
        new_empirical = np.clip(empirical + moves[1], 0, _STEPS)
        found = value(new_true, new_empirical)
        better = found >= best
        true[better], empirical[better], best[better] = new_true[better], new_empirical[better], found[better]
    row = int(best.argmax())
    a, b = true[row] / _STEPS, empirical[row] / _STEPS
    hunt.report(
        float(best[row]),
        true=frozen(a),
        empirical=frozen(b),
        widths=frozen(realized_widths(a, b)),
        inputs=inputs,
    )


def _applicable(hunt: _Hunt, true: FloatArray, empirical: FloatArray, widths: FloatArray, inputs: Inputs) -> FloatArray:
    """Return violations, -inf for pairs that an assumption excludes, whether or not it is about the sample."""
    known = {"true": true, "empirical": empirical, "widths": widths, **inputs}
    kept = np.ones(true.shape[0], dtype=np.bool_)
    for assumption in hunt.theorem.assumptions:
        kept &= assumption.evaluate(known)
    out = np.full(true.shape[0], -np.inf)
    if kept.any():
        out[kept] = _violation(hunt, true[kept], empirical[kept], widths[kept], inputs)
    return out


def _by_worlds(hunt: _Hunt, problems: list[Any], rng: np.random.Generator) -> Attack:
    """Random worlds of few outcomes, at several sample sizes and levels."""
    queue = list(problems)
    while not hunt.over:
        problem = queue.pop(0) if queue else _random_world(rng)
        n, delta = int(rng.integers(1, 8)), float(rng.choice([0.5, 0.25, 0.1, 0.05]))
        try:
            found = check(hunt.theorem, problem, n=n, delta=delta, rng=rng)
        except InvalidInputError:
            hunt.spend(100)
            continue
        if found.event_failure is not None:
            excess = found.event_failure.low - delta
            hunt.report(excess, world=problem, n=n, delta=delta, failure=found.event_failure.probability)
        hunt.spend(100)
    return hunt.result()


def _random_world(rng: np.random.Generator) -> FiniteWorld:
    """0/1 losses on 2 to 5 outcomes, often complementary, with probabilities in sixteenths."""
    s = int(rng.integers(2, 6))
    n_hypotheses, n_objectives = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    parts = rng.multinomial(16 - s, np.full(s, 1.0 / s)) + 1
    losses = rng.integers(0, 2, (s, n_hypotheses, n_objectives))
    losses[0, 0, 0], losses[1, 0, 0] = 0, 1  # something depends on the outcome
    return FiniteWorld([float(p) / 16.0 for p in parts], losses, name="random_world")
