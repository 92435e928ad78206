"""How statements, and what checks and attacks found, are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from moltheory._core._card import MOST_ROWS, Card, Fold, Mark, Table, cell_text
from moltheory._core._numbers import interval_text, number_text, percent_text
from moltheory._core._text import named, plural
from moltheory.theorems._inputs import read_inputs

if TYPE_CHECKING:
    from moltheory.theorems._attack import Attack
    from moltheory.theorems._results import CheckResult, FailureProbability, PairResult, Slack
    from moltheory.theorems._statement import Theorem

__all__ = [
    "attack_card",
    "check_card",
    "failure_text",
    "how_to_use",
    "kind_of",
    "pair_card",
    "slack_card",
    "theorem_card",
]

_PROVENANCE = {
    "paper": "stands in its source",
    "reproduction": "counterpart of what stands in its source, with constants of this package",
    "derived": "in no other source; proved where it is stated",
    "conjecture": "not known to be true",
}


def kind_of(theorem: Theorem) -> str:
    """Return whether a statement holds on an event, or with a probability of its own."""
    return "holds on event E" if theorem.deterministic else "holds with a probability"


def theorem_card(theorem: Theorem) -> Card:
    """Return statement, source, assumptions, inputs, and how to use it."""
    facts: list[tuple[str, Any]] = [
        ("source", theorem.source),
        ("provenance", f"{theorem.provenance}: {_PROVENANCE[theorem.provenance]}"),
        ("kind", kind_of(theorem)),
        ("assumes", "; ".join(one.text for one in theorem.assumptions) or "nothing else"),
    ]
    if theorem.proof:
        facts.append(("proof", "in `.proof`, as Markdown with LaTeX"))
    if theorem.function:
        facts.append(("function", theorem.function))
    if theorem.figure:
        facts.append(("figure of the report", theorem.figure))
    inputs = list(theorem.inputs.values()) if isinstance(theorem.inputs, Mapping) else []
    shown: list[Any] = [one for one in inputs if not isinstance(one, str)][:MOST_ROWS]
    rows = [[one.name, one.meaning, Mark("optional", "none") if one.optional else ""] for one in shown]
    table = [Table(["input", "meaning", ""], rows, len(inputs), "input")] if rows else []
    return Card("Theorem", f"{named(theorem.id)}: {theorem.statement}", facts, table, code=how_to_use(theorem))


def how_to_use(theorem: Theorem, name: str = "theorem") -> list[str]:
    """Return calls that evaluate, check and attack a statement of some name in code, where it offers that."""
    calls = []
    if theorem.value is not None:
        # What has no example of its own, and cannot be left out, is for the reader to fill in.
        given = [
            f"{key}={cell_text(repr(one.example), 60) if one.example is not None else '...'}"
            for key, one in read_inputs(theorem.inputs).items()
            if one.example is not None or not one.optional
        ][:MOST_ROWS]
        calls.append(f"{name}.evaluate({', '.join(given)})")
    calls.append(f"{name}.check(problem, n=100, delta=0.05)")
    if theorem.violation is not None:
        calls.append(f"moltheory.theorems.falsify({name}, budget=10_000)")
    return calls


def failure_text(failure: FailureProbability) -> str:
    """Return a failure probability, with its interval where it is not exact."""
    text = number_text(failure.probability)
    exact = failure.high - failure.low <= 1e-12 * max(failure.probability, 1e-300)
    return text if exact else f"{text} in {interval_text(failure.low, failure.high)}"


def check_card(result: CheckResult) -> Card:
    """Return the verdict, the failure probability beside the one allowed, violations and slack."""
    facts: list[tuple[str, Any]] = [("sample size", result.n), ("delta", result.delta)]
    if not result.applicable:
        return Card("CheckResult", f"{_about(result)}: not applicable", [*facts, ("reason", result.reason)])
    samples = {"exact": "sample type", "monte-carlo": "sample"}.get(result.method, "sample")
    why = f": {result.method_reason}" if result.method_reason else ""
    over = f", over {plural(result.n_samples, samples)}" if result.n_samples else ""
    facts.append(("method", f"{result.method}{over}{why}"))
    if result.event_failure is not None:
        verdict = "good" if result.level_holds else "bad"
        facts.append(
            (
                "failure probability",
                Mark(f"{failure_text(result.event_failure)}; at most {number_text(result.delta)} is allowed", verdict),
            )
        )
    if result.slack is not None:
        facts += [("violations", result.violations), *_slack_facts(result.slack)]
    if result.applicable_share < 1.0:
        facts.append(("applicable in", percent_text(result.applicable_share)))
    return Card("CheckResult", f"{_about(result)}: {result.verdict}", facts)


def _about(result: CheckResult) -> str:
    return f"{named(result.theorem)} on {named(result.problem)}"


def slack_card(slack: Slack) -> Card:
    """Return smallest, mean and largest slack."""
    return Card("Slack", "distribution over samples", _slack_facts(slack))


def _slack_facts(slack: Slack) -> list[tuple[str, Any]]:
    return [
        ("slack, smallest", slack.smallest),
        ("slack, mean", slack.mean),
        ("slack, largest", slack.largest),
        ("attained in", percent_text(slack.attained_share, 0 if slack.attained_share in (0.0, 1.0) else 1)),
    ]


def pair_card(result: PairResult) -> Card:
    """Return the verdict, and the first violations."""
    values = np.ravel(result.violation)
    rows = [
        [k, value, Mark("holds", "good") if value <= result.tolerance else Mark("violated", "bad")]
        for k, value in enumerate(values[:MOST_ROWS].tolist())
    ]
    return Card(
        "PairResult",
        f"{named(result.theorem)}: {result.verdict} in {plural(values.size, 'pair')}",
        [("worst violation", result.worst if values.size else None), *_inputs(result.inputs)],
        [Table(["pair", "violation", "verdict"], rows, values.size, "pair")],
    )


def attack_card(attack: Attack) -> Card:
    """Return the verdict, what was searched, and the witness with the largest violation."""
    witness = dict(attack.witness)
    true, empirical = witness.pop("true", None), witness.pop("empirical", None)
    tables = [_risks(true, empirical)] if _are_risks(true, empirical) else []
    code = ["moltheory.plot.attack(attack)"] if tables else []
    facts: list[tuple[str, Any]] = [("worst violation", attack.worst)]
    if math.isfinite(attack.nearest):
        unit = "delta, as a failure probability" if "world" in witness else "the largest width of its pair"
        facts.append(("nearest", f"{number_text(attack.nearest)} times {unit}"))
    return Card(
        "Attack",
        f"{named(attack.theorem)}: {attack.verdict}",
        [*facts, *_searched(attack)],
        code=code,
        folds=[Fold("Witness", [f"{name}: {cell_text(one)}" for name, one in witness.items()], *tables)]
        if witness or tables
        else [],
    )


def _searched(attack: Attack) -> list[tuple[str, Any]]:
    """Return which tables were tried, and in which stages."""
    facts: list[tuple[str, Any]] = []
    if attack.stages:
        facts.append(("tries", "; ".join(f"{stage} {count:,}" for stage, count in attack.stages.items())))
    if attack.passed_over:
        counts = "; ".join(f"{stage} {count:,}" for stage, count in attack.passed_over.items())
        facts.append(("passed over", f"{counts}: {cell_text(attack.reason, 160)}"))
    if attack.shapes:
        hypotheses, objectives = zip(*attack.shapes, strict=True)
        low, high = attack.risk_range
        facts += [
            ("hypotheses", _between(hypotheses)),
            ("objectives", _between(objectives)),
            ("risks", f"in [{low:g}, {high:g}], first in steps of 1/{', 1/'.join(map(str, attack.lattice))}"),
        ]
    return facts


def _between(counts: tuple[int, ...]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _inputs(inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(f"input {name}", one) for name, one in list(inputs.items())[:MOST_ROWS]]


def _are_risks(true: Any, empirical: Any) -> bool:
    arrays = isinstance(true, np.ndarray) and isinstance(empirical, np.ndarray)
    return arrays and true.ndim == 2 and true.shape == empirical.shape


def _risks(true: Any, empirical: Any) -> Table:
    total, n = true.shape
    shown = min(n, 3)
    head = ["hypothesis", *(f"true {i}" for i in range(shown)), *(f"empirical {i}" for i in range(shown))]
    rows = [[h, *true[h, :shown].tolist(), *empirical[h, :shown].tolist()] for h in range(min(total, MOST_ROWS))]
    return Table(head, rows, total, "row")
