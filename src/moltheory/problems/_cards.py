"""How problems are shown: nothing is simulated, solved or enumerated, and only what is shown is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Mark, Table, names_text
from moltheory._core._text import named, plural
from moltheory.pareto import nondominated

if TYPE_CHECKING:
    from moltheory.problems._base import FiniteProblem, Problem

__all__ = ["finite_card", "finite_line", "infinite_card", "l1_card", "problem_line"]

# The front of a larger table is not looked for: that takes a time that is felt.
_MOST_COMPARED = 1_000


def problem_line(problem: Problem, **sizes: object) -> str:
    """Return class, name, sizes and the names of the objectives on one line."""
    given = "".join(f"{key}={value}, " for key, value in sizes.items())
    names = names_text(problem.objective_names)
    return f"{type(problem).__name__}(name={named(problem.name)!r}, {given}objectives={names})"


def finite_line(problem: FiniteProblem) -> str:
    """Return class, name and sizes on one line."""
    return problem_line(problem, n_hypotheses=problem.n_hypotheses)


def finite_card(problem: FiniteProblem) -> Card:
    """Return the first true risks, and of a small class which hypotheses are on the true front."""
    true, total = problem.true, problem.n_hypotheses
    names = [named(name) for name in problem.objective_names]
    # All, of a small class: those on the front come first in no table, but are marked in it.
    compared = total <= _MOST_COMPARED
    shown = min(total, MOST_ROWS)
    risks = np.asarray(true.risks() if compared else true.risks(range(shown)), dtype=np.float64)
    labels = getattr(problem, "hypothesis_names", None)
    rows: list[list[Any]] = [
        [named(str(labels[h])) if labels is not None else h, *risks[h].tolist()] for h in range(shown)
    ]
    facts = _facts(problem)
    head = ["hypothesis", *names]
    if compared and not np.isnan(risks).any():
        on_front = nondominated(risks)
        head.append("true front")
        for row, flag in zip(rows, on_front[:shown].tolist(), strict=True):
            row.append(Mark("on it", "good") if flag else Mark("dominated", "bad"))
        facts.insert(0, ("true front", f"{int(on_front.sum()):,} of {plural(total, 'hypothesis', 'hypotheses')}"))
    return Card(
        type(problem).__name__,
        f"{named(problem.name)}: true risks of {plural(total, 'hypothesis', 'hypotheses')} in "
        f"{plural(len(names), 'objective')}; smaller is better",
        facts,
        [Table(head, rows, total, "row")],
    )


def infinite_card(problem: Any) -> Card:
    """Return names, sizes and what is declared; the front is not computed."""
    names = [named(name) for name in problem.objective_names]
    return Card(
        type(problem).__name__,
        f"{named(problem.name)}: {plural(len(names), 'objective')} of {plural(problem.dimension, 'parameter')}",
        [("objectives", names), *_facts(problem), *_declared(problem)],
    )


def _facts(problem: Any) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = []
    outcomes = getattr(problem, "probabilities", None)
    if outcomes is not None:
        facts.append(("outcomes", len(outcomes)))
    known = [named(name) for name, flag in zip(problem.true.names, _with_data(problem), strict=True) if not flag]
    if known:
        facts.append(("known without data", known))
    facts.append(("true risks", "exact" if problem.is_exact else "estimated"))
    return facts


def _with_data(problem: Any) -> list[bool]:
    flags = getattr(problem.true, "data_dependent", None)
    return [True] * len(problem.true.names) if flags is None else np.asarray(flags).tolist()


def _declared(problem: Any) -> list[tuple[str, Any]]:
    """Return what the classes of this package know beside."""
    names = ("losses", "radius", "input_norm", "noise", "group_names")
    return [(name.replace("_", " "), getattr(problem, name)) for name in names if hasattr(problem, name)]


def l1_card(path: Any) -> Card:
    """Return radius, error, gap and number of coefficients of the first balls."""
    total = len(path.radii)
    sizes = path.supports().sum(axis=1)
    rows = [
        [float(path.radii[k]), float(path.errors[k]), float(path.gap[k]), int(sizes[k])]
        for k in range(min(total, MOST_ROWS))
    ]
    head = ["radius", "mean squared error", "gap", "coefficients"]
    return Card("L1Path", f"least squares in {plural(total, 'l1 ball')}", tables=[Table(head, rows, total, "ball")])
