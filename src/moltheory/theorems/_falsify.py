"""Attacking statements: a search for a violation, from trivial pairs over random ones to polished ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from moltheory._core._validation import check_count, check_real
from moltheory.errors import InvalidInputError
from moltheory.problems import FiniteProblem, Problem, ProblemLike
from moltheory.problems._protocol import as_finite
from moltheory.runs import RandomSource, as_seed_sequence
from moltheory.theorems._attack import Attack
from moltheory.theorems._check import Stated
from moltheory.theorems._check_pair import defined_rows
from moltheory.theorems._columns import realized_widths
from moltheory.theorems._hunt import Hunt, relative
from moltheory.theorems._search_inputs import InputSource, read_candidates
from moltheory.theorems._search_pairs import PairSearch
from moltheory.theorems._search_space import read_space
from moltheory.theorems._search_worlds import WorldSearch
from moltheory.theorems._shrink import shrink_pair
from moltheory.theorems._statement import Theorem

__all__ = ["falsify"]

_BUDGET, _WORLD_BUDGET = 500_000, 250_000
_SAMPLES = 64
# What a pair that is not of tables counts as, in tries: its evaluation takes that much longer.
_OBJECT_COST = 10


def falsify(
    theorem: Theorem,
    problems: Iterable[Any] = (),
    /,
    *,
    budget: int | None = None,
    seconds: float | None = None,
    rng: RandomSource = 0,
    stated: Stated | None = None,
    inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    n_hypotheses: int | tuple[int, int] = (1, 8),
    n_objectives: int | tuple[int, int] = (1, 5),
    lattice: int | Sequence[int] = (2, 4, 8, 8, 16),
    risk_range: tuple[float, float] = (0.0, 1.0),
) -> Attack:
    """Search for a violation of a statement, and return the smallest that was found, or what came nearest.

    Samples of the given problems come first; then trivial pairs of tables of risks (no deviations, one entry that
    deviates, corners of the boxes, ties, duplicates, chains, constants); then random and extremal ones on lattices, and
    small ones inside larger tables, each batch improved by a local search; in turn with these, what came nearest to a
    violation is polished by finer and finer steps of the risks, along lines, of widths larger than the deviations, and of
    inputs. Tables grow with the number of tries. A witness is made small. Statements that are not deterministic on E are
    attacked by finite worlds and by near-ties and planted fronts, whose failure probability is computed exactly: simple
    ones, random ones, and the best again with other probabilities, losses, sizes and levels.

    Parameters
    ----------
    theorem : Theorem
        A conjecture of one's own is attacked like any other.
    problems : iterable of FiniteProblem, optional
        Problems to take samples from.
    budget : int, optional
        Number of pairs to try, >= 1; a world counts as 100. By default 500,000 for statements about pairs, 250,000 for
        those about worlds, or no limit where `seconds` is given.
    seconds : float, optional
        Time after which the search stops, > 0. A search that this ends is not repeated by the same seed.
    rng : int, SeedSequence, Generator or None, default 0
        Source of randomness; the same seed and budget in tries repeat the search bit for bit.
    stated : callable, optional
        ``stated(problem, n, delta)``: widths (N,), one per objective, of which "joint" would say that E fails with
        probability delta at most; by default those of the package.
    inputs : mapping, or sequence of mappings, optional
        Values of the inputs to try, in place of the statement's own `draw` and `cases`: for example
        ``[{"scalarization": u} for u in mine]``. Tables have as many objectives as the scalarizations among them.
    n_hypotheses, n_objectives : int, or (int, int)
        Fewest and most hypotheses and objectives of the tables, at most 64. The most are drawn after 30,000 tries; the
        search starts with up to 4 hypotheses and 3 objectives.
    lattice : int, or sequence of int
        Numbers of steps of the lattices on which random risks start; the coarser, the more ties. Risks are multiples of
        2^-20 of the range until a witness is made small.
    risk_range : (float, float), default (0, 1)
        Least and largest risk.

    Returns
    -------
    Attack
        The search stops at the end of the batch in which a violation is found. It says what was searched, and what was
        passed over, with the reason.

    Raises
    ------
    InvalidInputError
        If a budget is not positive, an option is out of range, `problems` holds something else, widths are stated for a
        theorem that does not ask for them, or there is not one for each objective.

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
    >>> attack = falsify(halved, budget=500)
    >>> attack.falsified, attack.witness["true"].shape
    (True, (2, 1))

    Widths that forget the number of hypotheses:

    >>> from moltheory.bounds import finite_class
    >>> def forgetful(problem, n, delta):
    ...     return finite_class([n] * problem.true.n_objectives, n_hypotheses=1, delta=delta).width
    >>> falsify(ledger()["joint"], stated=forgetful).falsified
    True
    """
    about_worlds = not theorem.deterministic or theorem.failure is not None
    if stated is not None and (theorem.deterministic or theorem.failure is not None):
        raise InvalidInputError(
            f"`stated` must be left out for a theorem that is not about stated widths, got {theorem.id!r}."
        )
    candidates = read_candidates(inputs)
    if candidates is not None and (about_worlds or theorem.pairs is not None):
        raise InvalidInputError(
            f"`inputs` must be left out for a theorem that is not attacked by tables of risks, got {theorem.id!r}."
        )
    most = check_count("budget", (_WORLD_BUDGET if about_worlds else _BUDGET) if budget is None else budget)
    limit = None if seconds is None else check_real("seconds", seconds, low=0.0)
    if limit == 0.0:
        raise InvalidInputError("`seconds` must be > 0, got 0.")
    space = read_space(n_hypotheses, n_objectives, lattice, risk_range)
    generator = np.random.default_rng(as_seed_sequence(rng))
    given = _read_problems(problems)
    source = InputSource(theorem, candidates)
    if not about_worlds and theorem.pairs is None:
        fitting = source.fitting(*space.n_objectives, space.risk_range[1])
        if not fitting:
            raise InvalidInputError(
                f"`n_objectives` must hold the number of objectives of the scalarizations that are tried, got "
                f"{n_objectives!r}."
            )
        space = space.restricted(fitting)
    hunt = Hunt(theorem, space, budget=None if budget is None and limit is not None else most, seconds=limit)
    if about_worlds:
        _by_worlds(hunt, given, generator, stated)
    else:
        _by_pairs(hunt, given, generator, source)
    return _result(hunt)


def _result(hunt: Hunt) -> Attack:
    space = hunt.space
    return Attack(
        hunt.theorem.id,
        hunt.found,
        float(hunt.worst),
        hunt.tried,
        hunt.witness,
        nearest=float(hunt.nearest),
        stages=MappingProxyType(dict(hunt.stages)),
        shapes=MappingProxyType(dict(sorted(hunt.shapes.items()))),
        lattice=tuple(sorted(set(space.lattice))),
        risk_range=space.risk_range,
        seconds=hunt.seconds,
        passed_over=MappingProxyType(dict(hunt.passed_over)),
        reason=hunt.reason,
    )


def _read_problems(problems: Any) -> list[FiniteProblem]:
    if isinstance(problems, Problem) or not isinstance(problems, Iterable):
        raise InvalidInputError(f"`problems` must be a list, got one {type(problems).__name__}: write [problem].")
    # Objects without a base class are read as what they are.
    given = []
    for one in problems:
        try:
            given.append(as_finite(one, needed_by="falsify") if isinstance(one, ProblemLike) else one)
        except InvalidInputError as error:
            why = str(error).partition(" must ")[2]
            raise InvalidInputError(f"`problems` must hold finite problems, each of which must {why}") from None
        if not isinstance(given[-1], FiniteProblem):
            raise InvalidInputError(f"`problems` must hold finite problems, got {type(one).__name__}.")
    return given


def _by_pairs(hunt: Hunt, given: list[FiniteProblem], rng: np.random.Generator, source: InputSource) -> None:
    share = hunt.left / 2.0
    for problem in given:
        if hunt.over or hunt.left <= share:
            break
        _by_samples(hunt, problem, rng, source)
    if hunt.found:
        # A sample of the problem is a witness as it is.
        return
    if hunt.theorem.pairs is not None:
        while not hunt.over:
            _by_own_pairs(hunt, rng)
        return
    search = PairSearch(hunt, source, rng)
    search.trivial()
    while not hunt.over:
        search.turn()
    if hunt.found:
        shrink_pair(hunt, source, rng)


def _by_samples(hunt: Hunt, problem: Any, rng: np.random.Generator, source: InputSource) -> None:
    """Small samples deviate most; each size is tried with all inputs of the statement."""
    true = problem.true.risks()
    limits = np.where(problem.risk_limits > 0.0, problem.risk_limits, 1.0)
    for n in (1, 2, 3, 5, 10, 30):
        drawn = problem.sample(n, replicates=hunt.room(_SAMPLES), rng=rng).risks()
        risks = drawn[defined_rows(drawn)]
        if risks.shape[0] == 0:
            continue
        widths = realized_widths(true, risks)
        for inputs in source.candidates(rng, true[None], limits):
            values = hunt.violations(true, risks, widths, inputs)
            row, near = int(values.argmax()), float(relative(values, widths).max())
            hunt.report(float(values[row]), near, true=true, empirical=risks[row], widths=widths[row], inputs=inputs)
        hunt.spend(risks.shape[0], "samples of given problems", (true.shape[0], true.shape[1]))
        if hunt.over:
            return


def _by_own_pairs(hunt: Hunt, rng: np.random.Generator) -> None:
    if hunt.theorem.pairs is None:
        return
    true, empirical, widths, inputs = hunt.theorem.pairs(rng, max(1, hunt.room(_SAMPLES)))
    values = hunt.violations(true, empirical, widths, inputs)
    row, near = int(values.argmax()), float(relative(values, widths).max())
    if isinstance(true, np.ndarray):
        witness = {"true": true[row], "empirical": empirical[row], "widths": widths[row], "inputs": inputs}
    else:
        witness = {"true": true, "empirical": empirical, "widths": widths, "inputs": inputs, "row": row}
    hunt.report(float(values[row]), near, **witness)
    hunt.spend(len(values) * (1 if isinstance(true, np.ndarray) else _OBJECT_COST), "pairs of the statement")


def _by_worlds(hunt: Hunt, given: list[FiniteProblem], rng: np.random.Generator, stated: Stated | None) -> None:
    search = WorldSearch(hunt, rng, stated)
    search.given(given)
    search.simple()
    while not hunt.over:
        search.turn()
    if hunt.found:
        search.shrink()
