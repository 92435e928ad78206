"""P-values of all ordered pairs in all objectives, planned for the levels at which verdicts are given."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.certification._asymptotic import Powers, approximate_tests
from moltheory.certification._contrasts import contrast_tables
from moltheory.certification._decisions import RELEVANT
from moltheory.certification._measured import cell_shift
from moltheory.certification._p_values import PairTest, pair_tests
from moltheory.certification._promises import Promise
from moltheory.certification._shares import Shares
from moltheory.certification._statistics import Moments
from moltheory.certification._tail_tests import has_tail_test, tail_p_values
from moltheory.evaluation._comparison import Comparison
from moltheory.evaluation._scan import Scan
from moltheory.inference._pairs import PairCounts

__all__ = ["Levels", "levels_of", "p_values"]

Tables = list[FloatArray | None]

# Number of models from which not every pair is bet on.
_MOST_PAIRED = 300


@dataclass(frozen=True)
class Levels:
    """Logarithms of the inverse levels that tests are planned for, fixed by the known costs.

    Attributes
    ----------
    exclusions : (M,) ndarray
        Of the tests against a model's rivals, each.
    members : float
        Of the tests for a model.
    allowed : (M, M) ndarray of bool
        ``allowed[b, h]``: the known costs allow b to dominate h.
    """

    exclusions: FloatArray
    members: float
    allowed: npt.NDArray[np.bool_]

    @property
    def strictest(self) -> float:
        """The largest of all."""
        return max(float(self.exclusions.max()), self.members)

    def of_pairs(self, *, slack: bool) -> tuple[FloatArray, FloatArray]:
        """Return the levels of pairs (row, column) in tests that exclude and that confirm, broadcasting to (M, M).

        NaN = of no interest, where costs rule the pair out; but with a tolerance all pairs may matter to members and
        replacements. Of many models every level is given, since nothing is bet on all their pairs.
        """
        members = np.array(self.members)
        if self.allowed.shape[0] > _MOST_PAIRED:
            return self.exclusions, members
        excluding = np.where(self.allowed, self.exclusions, np.nan)
        return excluding, members if slack else np.where(self.allowed.T, members, np.nan)


def levels_of(promise: Promise, shares: Shares, allowed: npt.NDArray[np.bool_], n_tested: int) -> Levels:
    """Return the planned levels, for the pairs (b, h) that the known costs allow and a number of tested objectives."""
    rivals = np.count_nonzero(allowed, axis=0)
    size = max(int(np.count_nonzero(rivals)), 1)
    log_level = -math.log(promise.level(shares.verdicts, size))
    return Levels(log_level + np.log(np.maximum(rivals, 1)), log_level + math.log(max(n_tested, 1)), allowed)


def p_values(
    problem: Comparison,
    scan: Scan,
    found: Sequence[PairCounts | Moments],
    slack: FloatArray,
    levels: Levels,
    *,
    powers: Powers | None = None,
) -> tuple[Tables, Tables]:
    """Return p-values, m of (M, M), against "not better" and "worse by the tolerance or more"; None = no test.

    With the powers of columns, they are those of the asymptotic engine.
    """
    tests: list[PairTest] = []
    groups: dict[tuple[int, int], list[int]] = {}
    both = levels.of_pairs(slack=bool(slack.any()))
    for i, objective in enumerate(problem.objectives):
        if not objective.testable:
            continue
        turned = [np.atleast_2d(planned).T if problem.maximise[i] else planned for planned in both]
        moves = 0.0, cell_shift(objective, float(slack[i]))
        for kind, (moved, planned) in enumerate(zip(moves, turned, strict=True)):
            groups[i, kind] = list(range(len(tests), len(tests) + len(objective.columns)))
            for c in objective.columns:
                # Bets aim at what is left of the level after the deduction, which is fixed before any test.
                kept, _ = scan.columns[c].kept_level(levels.strictest)
                tests.append(PairTest(c, moved / scan.columns[c].span, planned - math.log(kept)))
    run = pair_tests if powers is None else functools.partial(approximate_tests, powers=powers)
    tables = run(scan, found, tests, relevant=RELEVANT)
    found_p = _reduced(scan, tests, tables, levels.strictest, powers or {})
    below: Tables = [None] * len(problem.objectives)
    not_above = below.copy()
    for (i, kind), members_of in groups.items():
        largest = functools.reduce(np.maximum, [found_p[number] for number in members_of])
        (not_above if kind else below)[i] = largest.T if problem.maximise[i] else largest
    for i, objective in enumerate(problem.objectives):
        if has_tail_test(objective):
            shifts = 0.0, float(slack[i])
            tails = {shift: tail_p_values(objective, shift) for shift in shifts}
            oriented = {shift: p.T if p is not None and problem.maximise[i] else p for shift, p in tails.items()}
            below[i], not_above[i] = (oriented[shift] for shift in shifts)
            continue
        below[i], not_above[i] = contrast_tables(
            objective,
            float(slack[i]),
            levels.exclusions,
            levels.members,
            (below[i], not_above[i]),
            maximise=problem.maximise[i],
        )
    return below, not_above


def _reduced(
    scan: Scan, tests: list[PairTest], tables: list[FloatArray], log_level: float, powers: Powers
) -> list[FloatArray]:
    """Return exact p-values increased by the price of inspecting the losses; equal tables stay one, and replace theirs."""
    number = {id(p): place for place, p in enumerate(tables)}
    places = [number[id(p)] for p in tables]
    for place in number.values():
        test = tests[place]
        kept, spent = (1.0, 0.0) if test.column in powers else scan.columns[test.column].kept_level(log_level)
        if (kept, spent) != (1.0, 0.0):
            p = tables[place] / kept
            p += spent
            # One table more at a time, since these are the largest part of all memory.
            tables[:] = [p if other == place else table for other, table in zip(places, tables, strict=True)]
            np.minimum(p, 1.0, out=p)
    return tables
