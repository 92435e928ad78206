"""Attacking statements: random and adversarial searches for a violation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import Card
from moltheory._core._html_repr import Printed
from moltheory._core._text import named, plural
from moltheory._core._validation import FloatArray, as_readonly, check_count
from moltheory.errors import InvalidInputError
from moltheory.oracle import count_types
from moltheory.problems import FiniteProblem, FiniteWorld, Problem
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.theorems._assumptions import NotApplicableError
from moltheory.theorems._cards import attack_card
from moltheory.theorems._check import Stated, StatedWidthsError, check
from moltheory.theorems._check_pair import defined_rows, evaluate_violation
from moltheory.theorems._columns import TOLERANCE, realized_widths
from moltheory.theorems._moves import coarse_moves, families, fine_moves, random_pairs
from moltheory.theorems._protocols import Inputs
from moltheory.theorems._statement import Theorem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Attack", "falsify"]

_BATCH = 64
# Rounds of coarse moves of a batch, then of fine ones of families that share it.
_COARSE, _FINE, _FAMILIES = 10, 7, 8
# Most sample types of a random world, whose failure probability is a sum over all of them.
_MOST_TYPES = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class Attack(Printed):
    """What `falsify` found.

    Attributes
    ----------
    theorem : str
    falsified : bool
        Whether a violation beyond rounding was found.
    worst : float
        Largest violation; for statements with a level of their own, the largest excess of the failure probability. -inf
        where the statement says nothing of anything that was tried.
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

    @property
    def verdict(self) -> str:
        """What was found in how many tries: falsified or not, or that nothing that was tried met its conditions."""
        if self.worst == -math.inf:
            what = "pair" if "true" in self.witness else "world"
            return f"says nothing: no {what} of {self.tried:,} met its conditions"
        return f"{'FALSIFIED' if self.falsified else 'not falsified'} by {plural(self.tried, 'try', 'tries')}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        import pandas as pd

        row = {"theorem": self.theorem, "falsified": self.falsified, "worst": self.worst, "tried": self.tried}
        return pd.DataFrame([row])

    def _line(self) -> str:
        """Verdict, worst violation, number tried."""
        return f"Attack({named(self.theorem)!r}: {self.verdict}, worst violation {self.worst:.3g})"

    def _card(self) -> Card:
        return attack_card(self)


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
    theorem: Theorem,
    problems: Iterable[Any] = (),
    /,
    *,
    budget: int = 10_000,
    rng: RandomSource = 0,
    stated: Stated | None = None,
) -> Attack:
    """Search for a violation of a statement, with realized widths.

    Samples of the given problems first; then random tables of risks on a coarse lattice, where ties are common, each
    batch improved by a local search that keeps what increases the violation: by steps of the lattice, then by finer
    and finer ones. Statements that are not deterministic on E are attacked by random finite worlds, whose failure
    probability is computed exactly.

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
    stated : callable, optional
        ``stated(problem, n, delta)``: widths (N,), one per objective, of which "joint" would say that E fails with
        probability delta at most; by default those of the package.

    Returns
    -------
    Attack
        The search stops at the end of the batch in which a violation is found.

    Raises
    ------
    InvalidInputError
        If the budget is not a positive integer, `problems` holds something else, widths are stated for a theorem that
        does not ask for them, or there is not one for each objective.

    Notes
    -----
    Complexity: O(budget) time for tables of a bounded size; memory does not grow.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from moltheory.theorems import ledger
    >>> forward = ledger()["forward"]
    >>> falsify(forward, budget=500).falsified
    False
    >>> halved = replace(
    ...     forward, source="a mistake", provenance="conjecture", proof="",
    ...     violation=lambda t, e, c: forward.violation(t, e, 0.5 * c))
    >>> falsify(halved, budget=500).falsified
    True

    Widths that forget the number of hypotheses:

    >>> from moltheory.bounds import finite_class
    >>> def forgetful(problem, n, delta):
    ...     return finite_class([n] * problem.true.n_objectives, n_hypotheses=1, delta=delta).width
    >>> falsify(ledger()["joint"], stated=forgetful).falsified
    True
    """
    if stated is not None and (theorem.deterministic or theorem.failure is not None):
        raise InvalidInputError(
            f"`stated` must be left out for a theorem that is not about stated widths, got {theorem.id!r}."
        )
    hunt = _Hunt(theorem, check_count("budget", budget))
    generator = np.random.default_rng(as_seed_sequence(rng))
    given = _read_problems(problems)
    if not theorem.deterministic:
        return _by_worlds(hunt, given, generator, stated)
    share = hunt.left // 2
    for problem in given:
        if hunt.over or hunt.left <= share:
            break
        _by_samples(hunt, problem, generator)
    while not hunt.over:
        if theorem.pairs is not None:
            _by_own_pairs(hunt, generator)
        else:
            _by_tables(hunt, generator)
    return hunt.result()


def _read_problems(problems: Any) -> list[FiniteProblem]:
    if isinstance(problems, Problem) or not isinstance(problems, Iterable):
        raise InvalidInputError(f"`problems` must be a list, got one {type(problems).__name__}: write [problem].")
    given = list(problems)
    for one in given:
        if not isinstance(one, FiniteProblem):
            raise InvalidInputError(f"`problems` must hold finite problems, got {type(one).__name__}.")
    return given


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
    except NotApplicableError:
        # Inputs that the statement is not about; any other error is a mistake in the statement.
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


class _Search:
    """Pairs of one batch, how promising they are, and moves that are kept where they do not make that worse."""

    def __init__(self, hunt: _Hunt, inputs: Inputs, pairs: FloatArray) -> None:
        self._hunt, self._inputs = hunt, inputs
        self.pairs = pairs
        self.found = self._violation(pairs)

    def _violation(self, pairs: FloatArray) -> FloatArray:
        self._hunt.spend(_BATCH)
        return _applicable(self._hunt, pairs[0], pairs[1], realized_widths(pairs[0], pairs[1]), self._inputs)

    def try_moves(self, moved: FloatArray, *, relative: bool = False) -> None:
        """Keep moves that are not for the worse; sideways ones too, as slacks have plateaus."""
        found = self._violation(moved)
        better = found >= self.found
        if relative:
            better = _relative(found, moved) >= self.promise
        self.pairs[:, better], self.found[better] = moved[:, better], found[better]

    @property
    def promise(self) -> FloatArray:
        return _relative(self.found, self.pairs)

    def select(self, rows: Any) -> None:
        self.pairs, self.found = self.pairs[:, rows], self.found[rows]

    def report(self) -> None:
        row = int(self.found.argmax())
        true, empirical = (as_readonly(table[row].copy()) for table in self.pairs)
        widths = as_readonly(realized_widths(true, empirical))
        self._hunt.report(float(self.found[row]), true=true, empirical=empirical, widths=widths, inputs=self._inputs)


def _by_tables(hunt: _Hunt, rng: np.random.Generator) -> None:
    """One batch of random tables of one shape, a coarse search from each of them, then a fine one from some."""
    # What fails on a large table mostly does on a small one, which is searched faster.
    n_hypotheses, n_objectives = 2 + int(rng.integers(4, size=2).min()), int(rng.integers(1, 4))
    pairs, step = random_pairs(rng, (_BATCH, n_hypotheses, n_objectives))
    limits = np.ones(n_objectives)
    if hunt.theorem.draw is not None:
        inputs = hunt.theorem.draw(rng, pairs[0], limits)
    else:
        cases = hunt.theorem.cases(pairs[0], limits)
        inputs = cases[int(rng.integers(len(cases)))]
    search = _Search(hunt, inputs, pairs)
    for _ in range(_COARSE):
        if hunt.left <= 0:
            break
        search.try_moves(coarse_moves(rng, search.pairs, step))
    search.report()
    search.select(np.repeat(families(rng, search.promise, _FAMILIES), _BATCH // _FAMILIES))
    for k in range(_FINE):
        if hunt.over:
            break
        search.try_moves(fine_moves(rng, search.pairs, 4 + k), relative=True)
        search.report()
        # Each family goes on from the best of its members.
        best = search.promise.reshape(_FAMILIES, -1).argmax(axis=1)
        search.select(np.repeat(best + np.arange(0, _BATCH, _BATCH // _FAMILIES), _BATCH // _FAMILIES))


def _relative(violation: FloatArray, pairs: FloatArray) -> FloatArray:
    """Return violations in units of the largest width: slacks of small deviations are small, and show nothing."""
    width = np.abs(pairs[0] - pairs[1]).max(axis=(-2, -1))
    idle = np.where(violation > 0.0, np.inf, -np.inf)
    scaled: FloatArray = np.divide(violation, width, out=idle, where=width > 0.0)
    return scaled


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


def _by_worlds(hunt: _Hunt, problems: list[Any], rng: np.random.Generator, stated: Stated | None) -> Attack:
    """Random worlds of few outcomes, at several sample sizes and levels."""
    queue = list(problems)
    while not hunt.over:
        n, delta = int(rng.integers(1, 8)), float(rng.choice([0.5, 0.25, 0.1, 0.05]))
        if queue:
            problem = queue.pop(0)
        else:
            # A union over few means hardly shows; a test of two models needs no more.
            crowded = hunt.theorem.failure is None and rng.random() < 0.5
            problem = _crowded_world(rng) if crowded else _random_world(rng)
            while count_types(n, len(problem.probabilities)) > _MOST_TYPES:
                n -= 1
        try:
            found = check(hunt.theorem, problem, n=n, delta=delta, rng=rng, stated=stated)
        except StatedWidthsError:
            raise
        except InvalidInputError:
            # Not about such a problem, or a size that the problem refuses: the budget is spent, nothing was tried.
            hunt.left -= 100
            continue
        if found.event_failure is not None:
            excess = found.event_failure.low - delta
            hunt.report(excess, world=problem, n=n, delta=delta, failure=found.event_failure.probability)
        hunt.spend(100)
    return hunt.result()


def _crowded_world(rng: np.random.Generator) -> FiniteWorld:
    """Return a world of many means that deviate at different times: rare errors that exclude each other, or parities.

    What a union bound allows for, and few outcomes: the parities of k fair coins are 2^k - 1 fair coins, of which any
    two are independent.
    """
    if rng.random() < 0.5:
        columns = np.eye(int(rng.integers(4, 13)))
    else:
        outcomes = np.arange(2 ** int(rng.integers(2, 5)))
        columns = np.bitwise_count(outcomes[:, None] & outcomes[None, 1:]) % 2
    s, count = columns.shape
    n_objectives = int(rng.choice([1, count, int(rng.integers(1, count + 1))]))
    n_hypotheses = -(-count // n_objectives)
    cells = np.resize(rng.permutation(count), n_hypotheses * n_objectives)
    losses = columns[:, cells].reshape(s, n_hypotheses, n_objectives)
    return FiniteWorld([Fraction(1, s)] * s, losses, name="crowded_world")


def _random_world(rng: np.random.Generator) -> FiniteWorld:
    """0/1 losses on 2 to 5 outcomes, often complementary, with probabilities in sixteenths."""
    s = int(rng.integers(2, 6))
    n_hypotheses, n_objectives = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    parts = rng.multinomial(16 - s, np.full(s, 1.0 / s)) + 1
    losses = rng.integers(0, 2, (s, n_hypotheses, n_objectives))
    losses[0, 0, 0], losses[1, 0, 0] = 0, 1  # something depends on the outcome
    return FiniteWorld([float(p) / 16.0 for p in parts], losses, name="random_world")
